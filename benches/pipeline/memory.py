#!/usr/bin/env python3
"""The most memory that a program and all processes that it starts have at a time, in MB.

    benches/pipeline/memory.py target/release/modelzoo apply ./plugins/mobilenet_v2 PICTURES --quiet -o labels.jsonl -b 32

Memory that several of them map counts once (the system's "proportional set size"). It is looked at every few milliseconds, so
a shorter peak may be missed. Linux only.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

INTERVAL = 0.005


def tree(root: int) -> list[int]:
    """A process and all below it."""
    found = [root]
    for process in found:
        for task in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                pass  # The thread has ended.
    return found


def share(process: int) -> int:
    """A process' share of the memory that it maps, in KB; nothing of one that has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def main() -> None:
    program = subprocess.Popen(sys.argv[1:])
    most, processes = 0, 0
    while program.poll() is None:
        members = tree(program.pid)
        most, processes = max(most, sum(map(share, members))), max(processes, len(members))
        time.sleep(INTERVAL)
    print(f"{most / 1e3 * 1.024:.0f} MB in {processes} processes at most")
    sys.exit(program.returncode)


if __name__ == "__main__":
    main()
