#!/usr/bin/env bash
# Compares the networks of this crate with transformers, timm and torchvision, on models with random weights of every family;
# then the program's labels of photographs with those of the models' own code. Fails where one of them differs.
#
#     parity/run.sh [--quick | CASE...]
#     parity/run.sh --install
#
# Without arguments all models are made, larger ones than the repository keeps among them, and trained weights are compared as
# well: PP-OCR's, MobileNetV2's and EfficientNet-Lite0's. `--quick` makes those that the repository keeps, two or more of most
# families, and asks about one photograph. `--install` only installs what is compared with. PyTorch comes from PyPI, which has
# the build for CUDA only (some 6 GB unpacked); it runs on the CPU all the same.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
environment=${MODELZOO_PARITY_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/modelzoo-parity}
key=$(sha256sum <"$here/requirements.txt")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

photos=("$root"/examples/photos/*.jpg) cases=("$@") has_trained=yes shown=(--nocapture)
case ${1:-} in
--quick) photos=("$root/examples/photos/astronaut.jpg") cases=(small) has_trained= shown=() ;;
--install) ;;
-*)
    echo "parity/run.sh: there is no option $1" >&2
    exit 2
    ;;
?*) has_trained= ;;
esac

if [ "$(cat "$environment/complete" 2>/dev/null)" != "$key" ]; then
    started=$SECONDS
    python3 -m venv --clear "$environment"
    pip=("$environment/bin/pip" --quiet --disable-pip-version-check)
    if ! "${pip[@]}" download --retries 1 --no-deps --dest "$work" six 2>/dev/null; then
        echo "SKIPPED: PyPI cannot be reached, and transformers and timm are not installed"
        exit 0
    fi
    "${pip[@]}" install --no-cache-dir -r "$here/requirements.txt"
    echo "$key" >"$environment/complete"
    echo "transformers, timm and torchvision: installed in $((SECONDS - started)) s"
fi
[ "${1:-}" != --install ] || exit 0

# quietly COMMAND...: what it has to say besides is told where it fails.
quietly() {
    "$@" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
}

quietly "$environment/bin/python" "$here/make.py" "$work/models" "${cases[@]}" >"$work/made"
echo "$(grep -c "bytes$" "$work/made") models were made in $SECONDS s"
cd "$root"
MODELZOO_VISION_PARITY=$work/models cargo test --quiet -p modelzoo-vision --lib parity -- "${shown[@]}"
# With the features that the whole workspace has, so that nothing is compiled twice.
cargo build --quiet --workspace --bin modelzoo
program=${CARGO_TARGET_DIR:-$root/target}/debug/modelzoo
export MODELZOO_STORE=$work/store
quietly "$environment/bin/python" "$here/check_program.py" "$program" "$work/models" "${photos[@]}"
if [ -n "$has_trained" ]; then
    quietly "$environment/bin/python" "$here/pp_ocr.py" "$program" "$work/pages"
    quietly "$environment/bin/python" "$here/trained.py" "$program" "$work/trained"
fi
echo "compared in $SECONDS s"
