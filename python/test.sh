#!/usr/bin/env bash
# Builds the wheel, installs it into a clean environment and uses it there, and runs the package's tests.
# What these need comes from PyPI into ~/.cache/modelzoo-python once (MODELZOO_PYTHON_DIR names another folder). With
# MODELZOO_PYTHON_SCALE=1 the engines for many machines are installed and tested, too.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
environments=${MODELZOO_PYTHON_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/modelzoo-python}
base=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# pip_in FOLDER ARGUMENTS...: pip, quiet but for errors.
pip_in() {
    local folder=$1
    shift
    "$folder/bin/pip" --disable-pip-version-check --quiet "$@"
}

# The environment of the tests; it is made anew when what it is made of has changed.
tests=$environments/tests
requirements=("$here/requirements-test.txt")
[ -z "${MODELZOO_PYTHON_SCALE:-}" ] || requirements+=("$here/requirements-scale.txt")
key=$({ "$base" --version && cat "${requirements[@]}"; } | sha256sum)
if [ "$(cat "$tests/complete" 2>/dev/null)" != "$key" ]; then
    "$base" -m venv "$work/probe"
    if ! pip_in "$work/probe" download --retries 1 --no-deps --dest "$work" six; then
        echo "SKIPPED: PyPI cannot be reached, and what the tests need is not installed"
        exit 0
    fi
    rm -rf "$tests"
    "$base" -m venv "$tests"
    pip_in "$tests" install "${requirements[@]/#/--requirement=}"
    echo "$key" >"$tests/complete"
fi
# A server that speaks as Microsoft's store does; where there is no npm, what it is for is passed over.
azurite=$environments/azurite
if [ -n "${MODELZOO_PYTHON_SCALE:-}" ] && [ ! -e "$azurite/complete" ] && command -v npm >/dev/null; then
    if npm install --silent --no-fund --no-audit --ignore-scripts --prefix "$azurite" azurite@3.37.0 >/dev/null 2>&1; then
        touch "$azurite/complete"
    else
        echo "SKIPPED: npm cannot install azurite"
    fi
fi
[ ! -e "$azurite/complete" ] || export MODELZOO_AZURITE=$azurite/node_modules/.bin/azurite-blob
wheel=$(PYTHON=$tests/bin/python "$here/build.sh" "$@")

# As somebody who has nothing but the wheel: one command to have it, one to use it.
"$base" -m venv "$work/clean"
pip_in "$work/clean" install "$wheel"
export MODELZOO_STORE=$work/store XDG_CONFIG_HOME=$work/config XDG_DATA_HOME=$work/data
model=$here/../plugin-api/vision/tests/goldens/vit_classifier photos=$here/../examples/photos
(
    cd "$work"
    export PATH=$work/clean/bin:/usr/bin:/bin
    modelzoo --version
    modelzoo --quiet apply "$model" "$photos" -o labels.jsonl
    python -c "
import json, modelzoo, sys
model = modelzoo.load_model(sys.argv[1])
for line in map(json.loads, open('labels.jsonl')):
    assert model.predict(line['filepath']).to_dict() == line['predictions'], line
" "$model"
)

pip_in "$tests" install --force-reinstall --no-deps "$wheel"
cd "$here"
"$tests/bin/python" -m mypy --strict --cache-dir "$work/mypy" modelzoo
# Elsewhere: engines' processes would take the folder for the package.
(cd "$work" && "$tests/bin/pytest" -q -p no:cacheprovider -c "$here/pyproject.toml" "$here/tests")

# FiftyOne is where tests/importers has put it.
fiftyone=${MODELZOO_IMPORTERS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/modelzoo-importers}/fiftyone/bin/python
if [ -x "$fiftyone" ]; then
    pip_in "$tests" install --no-deps --target "$work/package" "$wheel"
    mkdir "$work/fiftyone"
    PYTHONPATH=$work/package "$fiftyone" tests/check_fiftyone.py "$work/fiftyone"
else
    echo "SKIPPED: FiftyOne is not installed (tests/importers/run.sh fiftyone does it)"
fi
