#!/bin/sh
# Makes the namespace and its secrets. Those that are there are kept.
set -eu
here=$(dirname "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
namespace=stilts

kubectl apply -f "$here/services/namespace.yaml"
if kubectl --namespace "$namespace" get secret stilts-mlflow >/dev/null 2>&1; then
  echo "The secrets are there, and are kept."
  exit 0
fi
"$here/../make-secrets.sh" "$folder" postgres >/dev/null

secret() {
  name=$1
  shift
  kubectl --namespace "$namespace" create secret generic "$name" "$@"
}

secret stilts-ray-token --from-file=auth_token="$folder/ray_token"
secret stilts-postgres --from-file=password="$folder/postgres_password"
secret stilts-mlflow-client --from-file=credentials="$folder/mlflow_credentials" \
  --from-file=password="$folder/mlflow_password"
secret stilts-mlflow --from-file=database="$folder/mlflow_database" \
  --from-file=session_key="$folder/mlflow_session_key" --from-file=accounts.ini="$folder/mlflow_accounts.ini"
