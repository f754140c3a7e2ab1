#!/usr/bin/env bash
# Makes the wheel in python/dist and prints its path. With --release as it is published, by maturin; without, of what the
# workspace's tests compile anyway, so that nothing is compiled twice. Needs a Python with `pip install maturin wheel`
# (PYTHON names it).
set -euo pipefail
cd "$(dirname "$0")"

python=${PYTHON:-python3}
PATH=$(dirname "$(command -v "$python")"):$PATH
built=${CARGO_TARGET_DIR:-$PWD/../target}
dist=$PWD/dist

# The program comes once in the wheel, as the command `modelzoo`; the library starts the same file as its worker.
take_program() {
    mkdir -p "$2"
    install -m 755 "$1/modelzoo" "$2/modelzoo"
    strip "$2/modelzoo"
}

release() {
    (cd .. && cargo build --quiet --release --locked -p modelzoo-cli --bin modelzoo) >&2
    take_program "$built/release" modelzoo.data/scripts
    "$python" -m maturin build --quiet --release --strip --locked --out "$dist" >&2
}

# What maturin would make of the pyproject.toml, around a library that is there.
development() {
    # An example brings the features of tests with it, which everything was compiled with.
    (cd .. && cargo build --quiet --workspace --lib --bin modelzoo --example formats) >&2
    local stage version
    stage=$(mktemp -d)
    trap 'rm -rf "$stage"' RETURN
    mkdir -p modelzoo.data/scripts
    "$python" -c "import maturin, sys; maturin.prepare_metadata_for_build_wheel(sys.argv[1])" "$stage" >/dev/null 2>&1
    version=$(basename "$stage"/modelzoo-*.dist-info .dist-info)
    rm -f "$stage/$version.dist-info/RECORD"
    mkdir -p "$stage/modelzoo"
    cp modelzoo/*.py modelzoo/*.pyi modelzoo/py.typed "$stage/modelzoo/"
    cp "$built/debug/libmodelzoo_python.so" "$stage/modelzoo/_native.abi3.so"
    strip --strip-debug "$stage/modelzoo/_native.abi3.so"
    take_program "$built/debug" "$stage/$version.data/scripts"
    "$python" -m wheel pack --dest-dir "$dist" "$stage" >&2
}

rm -rf "$dist"
mkdir -p "$dist"
case ${1:-} in
--release) release ;;
'') development ;;
*)
    echo "usage: $0 [--release]" >&2
    exit 2
    ;;
esac
ls "$dist"/modelzoo-*.whl
