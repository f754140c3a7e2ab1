#!/usr/bin/env bash
# Packs the program for a release: dist/archive.sh TARGET PROGRAM [FOLDER] writes FOLDER/modelzoo-VERSION-TARGET.tar.gz (or .zip
# for Windows) and prints its path. The archive depends on what is in it alone. A program that does not run on this machine
# comes without manual pages and completions.
set -euo pipefail

[ $# -ge 2 ] || { echo "usage: $0 TARGET PROGRAM [FOLDER]" >&2; exit 2; }
target=$1 program=$2
root=$(cd "$(dirname "$0")/.." && pwd)
out=$(mkdir -p "${3:-.}" && cd "${3:-.}" && pwd)
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
name=modelzoo-$version-$target
# What was committed when, so that the same commit gives the same archive.
date=$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 0)

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
folder=$stage/$name
mkdir "$folder"
ending=
case $target in *windows*) ending=.exe ;; esac
install -m 755 "$program" "$folder/modelzoo$ending"
cp "$root"/README.md "$root"/CHANGELOG.md "$root"/LICENSE-* "$folder"
if "$program" --version >/dev/null 2>&1; then
    "$program" man "$folder/man" 2>/dev/null
    mkdir "$folder/completions"
    for shell in bash elvish fish powershell zsh; do
        "$program" completions "$shell" >"$folder/completions/modelzoo.$shell"
    done
fi

case $target in
*windows*)
    archive=$out/$name.zip
    rm -f "$archive"
    find "$folder" -exec touch -d "@$date" {} +
    (cd "$stage" && find "$name" -type f | LC_ALL=C sort | zip -q -X "$archive" -@)
    ;;
*)
    archive=$out/$name.tar.gz
    # macOS has another tar.
    tar=$(command -v gtar || command -v tar)
    "$tar" -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$date" \
        --format=ustar -cf - "$name" | gzip -9n >"$archive"
    ;;
esac
echo "$archive"
