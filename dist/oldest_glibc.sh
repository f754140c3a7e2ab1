#!/usr/bin/env bash
# Prints the version of glibc that a program needs at least, and fails where that is newer than a limit:
# dist/oldest_glibc.sh PROGRAM [LIMIT]. Debian 11 has 2.31, Ubuntu 22.04 2.35.
set -euo pipefail

needed=$(objdump -T "${1:?the program}" | grep -o 'GLIBC_[0-9.]*' | cut -d_ -f2 | sort -Vu | tail -n 1)
echo "$needed"
[ -z "${2:-}" ] || [ "$(printf '%s\n' "$needed" "$2" | sort -V | tail -n 1)" = "$2" ] ||
    { echo "$1 needs glibc $needed, and should run with $2" >&2; exit 1; }
