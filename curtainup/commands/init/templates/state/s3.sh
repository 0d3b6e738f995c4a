#!/bin/sh
# Makes the bucket that holds the state of %%{name}, and lets the deployer use it. It may run again.
# It needs the AWS CLI, logged in as somebody who may make buckets and roles' policies.
set -eu
cd "$(dirname "$0")"

REGION=%%{region}
BUCKET="%%{name}-curtainup-$(aws sts get-caller-identity --query Account --output text)"
DEPLOYER=deployer # the role that people and CI deploy with
PREVIEW="${PREVIEW:-}" # the role of previews, which may only read

if ! aws s3api head-bucket --bucket "$BUCKET" 2> /dev/null; then
    if [ "$REGION" = us-east-1 ]; then # the one region that may not be named
        aws s3api create-bucket --bucket "$BUCKET" --region "$REGION"
    else
        aws s3api create-bucket --bucket "$BUCKET" --region "$REGION" \
            --create-bucket-configuration "{\"LocationConstraint\": \"$REGION\"}"
    fi
fi
aws s3api put-public-access-block --bucket "$BUCKET" --public-access-block-configuration \
    '{"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true}'
aws s3api put-bucket-encryption --bucket "$BUCKET" --server-side-encryption-configuration \
    '{"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}'
# An earlier version of a state is what brings back one that was lost.
aws s3api put-bucket-versioning --bucket "$BUCKET" --versioning-configuration '{"Status": "Enabled"}'
aws s3api put-bucket-lifecycle-configuration --bucket "$BUCKET" --lifecycle-configuration \
    '{"Rules": [{"ID": "old versions", "Status": "Enabled", "Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": {"NoncurrentDays": 90}}]}'

sed "s/BUCKET/$BUCKET/g" policy.json > policy-filled.json
aws iam put-role-policy --role-name "$DEPLOYER" --policy-name curtainup-state \
    --policy-document file://policy-filled.json
if [ -n "$PREVIEW" ]; then
    sed "s/BUCKET/$BUCKET/g" policy-read.json > policy-filled.json
    aws iam put-role-policy --role-name "$PREVIEW" --policy-name curtainup-state \
        --policy-document file://policy-filled.json
fi
rm policy-filled.json

echo "PULUMI_BACKEND_URL=s3://$BUCKET?region=$REGION"
