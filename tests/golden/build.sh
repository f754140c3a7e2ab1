#!/usr/bin/env bash
# Builds the golden plugins of one version of the API, for a new folder beside the others: build.sh FOLDER.
#
# What was built is never built again: these files stand for the plugins that people have.
set -euo pipefail
cd "$(dirname "$0")"
[ $# -eq 1 ] && [ ! -e "$1" ] || { echo "name a folder that is not there yet" >&2; exit 2; }
target=$(mktemp -d)
trap 'rm -rf "$target"' EXIT
mkdir "$1"
for plugin in least capabilities; do
    manifest=$([ $plugin = least ] && echo least || echo "../plugins/$plugin")/Cargo.toml
    # Small, and for every x86-64: users' machines are older than the one that builds this.
    CARGO_TARGET_DIR=$target RUSTFLAGS="-Ctarget-cpu=x86-64" cargo build --quiet --release --manifest-path "$manifest" \
        --config 'profile.release.opt-level="z"' --config profile.release.lto=true --config 'profile.release.strip="symbols"' \
        --config profile.release.codegen-units=1
    cp "$target/release/lib$plugin.so" "$1/"
done
rustc --version > "$1/rustc.txt"
(cd "$1" && sha256sum -- *.so > SHA256SUMS && cat SHA256SUMS)
