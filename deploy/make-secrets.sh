#!/bin/sh
# Makes the secrets of a deployment as files that only you can read. What is there already is kept.
#   deploy/make-secrets.sh FOLDER [POSTGRES_HOST]
set -eu
umask 077

folder=${1:?"usage: deploy/make-secrets.sh FOLDER [POSTGRES_HOST]"}
host=${2:-postgres}
mkdir -p "$folder"

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

once() { # once FILE: writes standard input there, unless the file exists
  if [ -e "$folder/$1" ]; then cat >/dev/null; else cat >"$folder/$1"; fi
}

random | once ray_token
random | once postgres_password
random | once mlflow_password
random | once mlflow_session_key
random | once s3_secret_key

password=$(cat "$folder/mlflow_password")
# The driver is named: SQLAlchemy 2.1 would take another, which is not in the image.
database="postgresql+psycopg2://mlflow:$(cat "$folder/postgres_password")@$host:5432/mlflow"
key=$(cat "$folder/s3_secret_key")

printf '%s' "$database" | once mlflow_database

# Accounts of the server; whoever has one reads all experiments, and changes their own.
once mlflow_accounts.ini <<END
[mlflow]
default_permission = READ
database_uri = $database
admin_username = stilts
admin_password = $password
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
grant_default_workspace_access = false
END

# What a client of MLflow reads from ~/.mlflow/credentials.
once mlflow_credentials <<END
[mlflow]
mlflow_tracking_username = stilts
mlflow_tracking_password = $password
END

once s3_accounts.json <<END
{"identities": [{"name": "stilts", "credentials": [{"accessKey": "stilts", "secretKey": "$key"}],
  "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
END

# What a client of the bucket reads where AWS_SHARED_CREDENTIALS_FILE says.
once aws_credentials <<END
[default]
aws_access_key_id = stilts
aws_secret_access_key = $key
END

echo "Secrets are in $folder. MLflow: user stilts, password in mlflow_password. Ray: token in ray_token."
