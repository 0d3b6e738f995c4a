#!/bin/sh
# Makes the bucket that holds the state of %%{name}, and lets the deployer use it. It may run again.
# It needs the Google Cloud CLI, logged in as somebody who may make buckets.
set -eu
cd "$(dirname "$0")"

PROJECT=%%{project}
LOCATION=%%{region}
BUCKET="$PROJECT-%%{name}-curtainup"
DEPLOYER="deployer@$PROJECT.iam.gserviceaccount.com" # the account that people and CI deploy with
PREVIEW="${PREVIEW:-}" # the account of previews, which may only read

# Google encrypts what it stores.
gcloud storage buckets describe "gs://$BUCKET" > /dev/null 2>&1 ||
    gcloud storage buckets create "gs://$BUCKET" --project "$PROJECT" --location "$LOCATION" \
        --uniform-bucket-level-access --public-access-prevention
# An earlier version of a state is what brings back one that was lost.
gcloud storage buckets update "gs://$BUCKET" --versioning --lifecycle-file lifecycle.json
gcloud storage buckets add-iam-policy-binding "gs://$BUCKET" \
    --member "serviceAccount:$DEPLOYER" --role roles/storage.objectUser
test -z "$PREVIEW" || gcloud storage buckets add-iam-policy-binding "gs://$BUCKET" \
    --member "serviceAccount:$PREVIEW" --role roles/storage.objectViewer

echo "PULUMI_BACKEND_URL=gs://$BUCKET"
