#!/bin/sh
# Starts MLflow with authentication. Secrets come from files: where NAME_FILE is set, NAME becomes what that file holds.
# The accounts stand in the file that MLFLOW_AUTH_CONFIG_PATH names. Arguments go on to `mlflow server`.
set -eu

from_file() {
  eval "file=\${${1}_FILE:-}"
  if [ -n "$file" ]; then
    value=$(cat "$file")
    export "$1=$value"
    unset value
  fi
}

from_file MLFLOW_BACKEND_STORE_URI
from_file MLFLOW_FLASK_SERVER_SECRET_KEY
: "${MLFLOW_AUTH_CONFIG_PATH:?names no file: without it everybody is let in, or nobody}"

exec mlflow server --app-name basic-auth "$@"
