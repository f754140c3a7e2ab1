#!/usr/bin/env bash
# Writes SHA256SUMS of the archives in a folder, and signs it and each of them where MINISIGN_KEY holds a secret key of
# minisign without a password: dist/sign.sh FOLDER
set -euo pipefail

cd "${1:?the folder with the archives}"
archives=()
for file in *.tar.gz *.zip *.whl; do
    [ -f "$file" ] && archives+=("$file")
done
[ ${#archives[@]} -gt 0 ] || { echo "there are no archives in $PWD" >&2; exit 1; }
sha256sum "${archives[@]}" >SHA256SUMS

[ -n "${MINISIGN_KEY:-}" ] || { echo "not signed: MINISIGN_KEY is not set" >&2; exit 0; }
key=$(mktemp)
trap 'rm -f "$key"' EXIT
printf '%s\n' "$MINISIGN_KEY" >"$key"
minisign -S -W -s "$key" -m "${archives[@]}" SHA256SUMS
