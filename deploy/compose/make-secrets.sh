#!/bin/sh
# Makes secrets/ beside this file, and .env, which says as whom the containers of ours run: as you, who may read these files.
set -eu
cd "$(dirname "$0")"
../make-secrets.sh secrets
user=$(id -u)
if [ "$user" -eq 0 ]; then # none of ours runs as root
  user=1000
  chown -R "$user" secrets
fi
printf 'STILTS_UID=%s\n' "$user" >.env
