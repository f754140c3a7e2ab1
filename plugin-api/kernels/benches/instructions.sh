#!/bin/sh
# Counts the instructions that each benchmark layer takes (valgrind's callgrind) and compares them with
# instructions.txt beside this script: times on shared machines are noisy, instruction counts are not.
#
#   benches/instructions.sh           fails where a count is more than 2 % above the recorded one
#   benches/instructions.sh --record  records the counts
#
# Valgrind knows no AVX-512, so these are the AVX2 kernels.
set -eu
command -v valgrind >/dev/null || { echo "skipped: there is no valgrind here (apt-get install valgrind)"; exit 0; }
cd "$(dirname "$0")/.."
recorded=benches/instructions.txt
target=${CARGO_TARGET_DIR:-$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')}
RUSTFLAGS= cargo build --release --quiet --example layer
layer=$target/release/examples/layer
found=$(mktemp)
trap 'rm -f "$found"' EXIT

"$layer" --list | while read -r name; do
    count=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*::plan::Plan::run' \
        "$layer" "$name" 2>&1 | sed -n 's/.*Collected : *//p')
    [ -n "$count" ] && [ "$count" -gt 0 ] || { echo "no count for layer '$name'" >&2; exit 1; }
    printf '%s\t%s\n' "$count" "$name"
done > "$found"

if [ "${1:-}" = --record ]; then
    cp "$found" "$recorded"
    cat "$recorded"
    exit
fi
awk -F '\t' '
    NR == FNR { before[$2] = $1; next }
    !($2 in before) { print "not recorded: " $2 "; run with --record"; failed = 1; next }
    { change = 100 * ($1 / before[$2] - 1); printf "%+6.1f %%  %s\n", change, $2 }
    change > 2 { failed = 1 }
    END { exit failed }
' "$recorded" "$found"
