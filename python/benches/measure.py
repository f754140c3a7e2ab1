"""What the package costs over the program, and whether it gives everything back; prints what it measures.

    python/benches/measure.py MODEL PHOTOS [WHAT...]

``overhead``: one array of 640 x 480 through ``predict``, beside ``modelzoo plugin bench``. ``throughput``: pictures a second of
what Ray calls, beside ``modelzoo apply``, on the same cores. ``cycles``: processes, files and memory before and after 1,000
times ``load_model`` and drop. In turn, several times each: the machine may do other things meanwhile.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, List

import numpy as np

import modelzoo
from modelzoo._worker import worker_program

ROUNDS = 5
CYCLES = 1000
PICTURES = 400


def program(*arguments: Any) -> str:
    command = [str(worker_program()), "--quiet", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def overhead(reference: str, _: Path) -> None:
    """Milliseconds, medians."""
    picture = np.random.default_rng(1).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    ours: List[float] = []
    theirs: List[float] = []
    with modelzoo.load_model(reference) as model:
        model.predict(picture)
        for _ in range(ROUNDS):
            told = json.loads(program("plugin", "bench", reference, "-b", "1", "--seconds", "3", "--json"))
            theirs.append(told["batches"][0]["median_seconds"] * 1e3)
            times = []
            until = time.perf_counter() + 3
            while time.perf_counter() < until:
                began = time.perf_counter()
                model.predict(picture)
                times.append(time.perf_counter() - began)
            ours.append(statistics.median(times) * 1e3)
    print(f"predict: {min(ours):.3f} ms (each round: {', '.join(f'{one:.3f}' for one in ours)})")
    print(f"the program's call: {min(theirs):.3f} ms ({', '.join(f'{one:.3f}' for one in theirs)})")
    print(f"more: {min(ours) - min(theirs):.3f} ms")


def throughput(reference: str, photos: Path) -> None:
    from modelzoo.ray import Predictor

    import pyarrow

    found = [str(path) for path in sorted(photos.iterdir())]
    paths = (found * (PICTURES // len(found) + 1))[:PICTURES]
    predictor = Predictor(reference)
    predictor(pyarrow.table({"path": paths[:8]}))
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as results:
        for number, path in enumerate(paths):
            (Path(folder) / f"{number:05}{Path(path).suffix}").symlink_to(Path(path).resolve())
        for _ in range(ROUNDS):
            told = subprocess.run(
                [str(worker_program()), "apply", reference, folder, "-o", f"{results}/labels.jsonl"],
                check=True,
                capture_output=True,
                text=True,
            ).stderr
            theirs.append(float(told.split(" a second")[0].rsplit(" ", 1)[-1]))
            began = time.perf_counter()
            for start in range(0, len(paths), 64):
                predictor(pyarrow.table({"path": paths[start : start + 64]}))
            ours.append(len(paths) / (time.perf_counter() - began))
    print(f"the callable: {max(ours):.1f} a second ({', '.join(f'{one:.1f}' for one in ours)})")
    print(f"the program: {max(theirs):.1f} a second ({', '.join(f'{one:.1f}' for one in theirs)})")
    print(f"ratio: {statistics.median(ours) / statistics.median(theirs):.2f} of medians")


def held() -> str:
    own = os.getpid()
    children = subprocess.run(["ps", "--no-headers", "--ppid", str(own)], capture_output=True, text=True).stdout
    memory = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    threads = len(os.listdir("/proc/self/task"))
    processes = children.count("modelzoo")
    return f"{processes} workers, {len(os.listdir('/proc/self/fd'))} files, {threads} threads, {memory:.1f} MB"


def cycles(reference: str, _: Path) -> None:
    for number in range(CYCLES + 1):
        modelzoo.load_model(reference)
        if number in (0, 10, 100, CYCLES // 2, CYCLES):
            gc.collect()
            print(f"after {number}: {held()}", flush=True)


if __name__ == "__main__":
    reference, photos, *chosen = sys.argv[1:]
    for measure in (overhead, throughput, cycles):
        if not chosen or measure.__name__ in chosen:
            measure(reference, Path(photos))
