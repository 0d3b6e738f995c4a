#!/bin/sh
# Makes the container that holds the state of %%{name}, and lets the deployer use it. It may run again.
# It needs the Azure CLI, logged in as somebody who may make storage accounts and assign roles.
set -eu

GROUP=%%{name}-curtainup
LOCATION=westeurope
ACCOUNT=%%{account} # 3 to 24 small letters and digits, which nobody else in the world has
CONTAINER=state
DEPLOYER="${DEPLOYER:?set it to the client id of the application that people and CI deploy with}"
PREVIEW="${PREVIEW:-}" # the client id of the application of previews, which may only read

az group create --name "$GROUP" --location "$LOCATION" --output none
# Azure encrypts what it stores. Without shared keys, only those with a role get in.
az storage account create --name "$ACCOUNT" --resource-group "$GROUP" --location "$LOCATION" --sku Standard_ZRS \
    --kind StorageV2 --https-only true --min-tls-version TLS1_2 --allow-blob-public-access false \
    --allow-shared-key-access false --output none
# An earlier version of a state is what brings back one that was lost.
az storage account blob-service-properties update --account-name "$ACCOUNT" --resource-group "$GROUP" \
    --enable-versioning true --enable-delete-retention true --delete-retention-days 90 --output none
az storage container-rm create --name "$CONTAINER" --storage-account "$ACCOUNT" --resource-group "$GROUP" \
    --output none
SCOPE="$(az storage account show --name "$ACCOUNT" --resource-group "$GROUP" --query id --output tsv)"
az role assignment create --assignee "$DEPLOYER" --role "Storage Blob Data Contributor" --scope "$SCOPE" --output none
test -z "$PREVIEW" ||
    az role assignment create --assignee "$PREVIEW" --role "Storage Blob Data Reader" --scope "$SCOPE" --output none

echo "PULUMI_BACKEND_URL=azblob://$CONTAINER?storage_account=$ACCOUNT"
