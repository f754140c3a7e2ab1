#!/usr/bin/env bash
# Compares the networks of this crate with transformers and timm, on models with random weights of every family, larger
# ones than the repository keeps; then the program's labels of photographs with those of the models' own code. PyTorch comes from PyPI, which has the build for CUDA only (some 3 GB); it runs on the
# CPU all the same.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
environment=${MODELZOO_PARITY_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/modelzoo-parity}
key=$(sha256sum <"$here/requirements.txt")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ "$(cat "$environment/complete" 2>/dev/null)" != "$key" ]; then
    python3 -m venv --clear "$environment"
    if ! "$environment/bin/pip" download --quiet --disable-pip-version-check --retries 1 --no-deps --dest "$work" six; then
        echo "SKIPPED: PyPI cannot be reached, and transformers and timm are not installed"
        exit 0
    fi
    "$environment/bin/pip" install --quiet --disable-pip-version-check --no-cache-dir -r "$here/requirements.txt"
    echo "$key" >"$environment/complete"
fi
"$environment/bin/python" "$here/make.py" "$work/models" "$@" 2>"$work/log" || { cat "$work/log"; exit 1; }
cd "$here/.."
MODELZOO_VISION_PARITY=$work/models cargo test --quiet -p modelzoo-vision --lib parity -- --nocapture
root=$(cd "$here/../../.." && pwd)
(cd "$root" && cargo build --quiet --bin modelzoo)
MODELZOO_STORE=$work/store "$environment/bin/python" "$here/check_program.py" \
    "${CARGO_TARGET_DIR:-$root/target}/debug/modelzoo" "$work/models" "$root"/examples/photos/*.jpg 2>"$work/log" ||
    { cat "$work/log"; exit 1; }
MODELZOO_STORE=$work/store "$environment/bin/python" "$here/pp_ocr.py" \
    "${CARGO_TARGET_DIR:-$root/target}/debug/modelzoo" "$work/pages" 2>"$work/log" || { cat "$work/log"; exit 1; }
