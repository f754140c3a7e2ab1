#!/usr/bin/env bash
# Installs a wheel into a clean environment of each Python that is here, and runs the package's tests in it.
#
#     python/test_versions.sh [WHEEL] [PYTHON...]
#
# Without a wheel, that of `build.sh --release`; without a Python, each python3.9 to python3.14 on the PATH. What a version's
# tests may use besides is installed where PyPI has it for that version; without it they pass over what it is for.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
environments=${MODELZOO_PYTHON_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/modelzoo-python}
wheel=
[[ ${1:-} != *.whl ]] || { wheel=$(realpath "$1"); shift; }
[ -n "$wheel" ] || wheel=$("$here/build.sh" --release)
pythons=("$@")
if [ ${#pythons[@]} -eq 0 ]; then
    for minor in 9 10 11 12 13 14; do
        ! "python3.$minor" --version >/dev/null 2>&1 || pythons+=("python3.$minor")
    done
fi
needed=(numpy pillow pytest)
helpful=(boto3 'moto[server]' duckdb mypy pandas polars pyarrow supervision tqdm)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=()

for python in "${pythons[@]}"; do
    name=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    # Nothing but the wheel, and what it asks for itself.
    "$python" -m venv "$work/clean-$name"
    "$work/clean-$name/bin/pip" --disable-pip-version-check --quiet install "$wheel"
    "$work/clean-$name/bin/modelzoo" --version
    tests=$environments/version-$name
    if [ "$(cat "$tests/complete" 2>/dev/null)" != "${needed[*]} ${helpful[*]}" ]; then
        rm -rf "$tests"
        "$python" -m venv "$tests"
        "$tests/bin/pip" --disable-pip-version-check --quiet install "${needed[@]}"
        for package in "${helpful[@]}"; do
            "$tests/bin/pip" --disable-pip-version-check --quiet install --only-binary :all: "$package" ||
                echo "Python $name: no $package"
        done
        echo "${needed[*]} ${helpful[*]}" >"$tests/complete"
    fi
    "$tests/bin/pip" --disable-pip-version-check --quiet install --force-reinstall --no-deps "$wheel"
    echo "Python $name:"
    (cd "$work" && "$tests/bin/pytest" -q -p no:cacheprovider -c "$here/pyproject.toml" "$here/tests") || failed+=("$name")
    rm -rf "$work/clean-$name"
done
[ ${#failed[@]} -eq 0 ] || { echo "FAILED: ${failed[*]}"; exit 1; }
