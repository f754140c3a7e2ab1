"""Writes what was measured: the tables in BENCHMARKS.md between its two markers, and a chart."""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import subprocess
from importlib.metadata import version
from pathlib import Path

from chart import bar_chart
from networks import NETWORKS

START, END = "<!-- measured: start -->", "<!-- measured: end -->"
OWN = "modelzoo"
# What each network is meant to reach: against onnxruntime's and torch's best.
GOALS = {
    "resnet18": (1.5, 2.0),
    "resnet50": (1.1, 1.5),
    "mobilenet_v2": (1.1, 2.0),
    "nanodet_g": (1.5, 2.0),
    "yolov8n": (1.2, 1.5),
    "u2netp": (1.2, 1.5),
    "vit_b_16": (1.0, 1.1),
    "clip_vit_b_32_image": (1.0, 1.1),
}
GOALS_OF_ONE = (1.0, 1.3)


def medians(times: dict[str, list[float]]) -> dict[str, float]:
    return {engine: statistics.median(values) for engine, values in times.items()}


def ratios(times: dict[str, list[float]]) -> tuple[float, float]:
    """How many times as fast as onnxruntime's and as torch's best arrangement."""
    by_engine = medians(times)
    best = lambda prefix: min(value for engine, value in by_engine.items() if engine.startswith(prefix))
    return best("onnxruntime") / by_engine[OWN], best("torch") / by_engine[OWN]


def summary(file: Path) -> str:
    """A line for each batch size of one result."""
    result = json.loads(file.read_text())
    lines = []
    for batch, times in result["batches"].items():
        parts = [f"{engine} {value / int(batch):.2f}" for engine, value in medians(times).items()]
        against = " and ".join(f"{ratio:.2f}" for ratio in ratios(times))
        lines.append(f"  batch {batch}, ms an image: {', '.join(parts)}; ratios {against}")
    errors = ", ".join(f"{engine} {error:.1e}" for engine, error in result["errors"].items())
    lines.append(f"  errors: {errors}; ready in {result['load_ms']:.0f} ms")
    return "\n".join(lines)


def write(folder: Path, repository: Path) -> None:
    """Puts all results there are into the report."""
    results = {}
    for name in NETWORKS:
        file = folder / name / "result.json"
        if file.exists():
            results[name] = json.loads(file.read_text())
    parts = [machine(repository, results), speed(results, "8"), speed(results, "1"), other(results)]
    report = repository / "BENCHMARKS.md"
    text = report.read_text()
    before, after = text[: text.index(START)], text[text.index(END) :]
    report.write_text(before + START + "\n\n" + "\n\n".join(parts) + "\n\n" + after)
    bars = {
        batch: [(result["title"], *ratios(result["batches"][batch])) for result in results.values()]
        for batch in ("8", "1")
    }
    (repository / "docs/performance.svg").write_text(bar_chart(bars))


def machine(repository: Path, results: dict) -> str:
    cpu = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpu).group(1)
    flags = set(re.search(r"flags\s*: (.*)", cpu).group(1).split())
    sets = [name for name in ("avx2", "fma", "avx512f", "avx512dq", "avx512vl", "amx_tile") if name in flags]
    caches = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((index / key).read_text().strip() for key in ("level", "type", "size"))
        if kind != "Instruction":
            caches.append(f"L{level} {size}")
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text()).group(1)) / 2**20
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    packages = ", ".join(f"{name} {version(name)}" for name in ("onnxruntime", "torch", "torchvision", "numpy"))
    rounds = min(result["rounds"] for result in results.values())
    threads = max(result["threads"] for result in results.values())
    return (
        f"Machine: {model} (virtual), {os.cpu_count()} cores, {', '.join(sets)}; {', '.join(caches)}; "
        f"{memory:.0f} GiB; Linux {platform.release().split('-')[0]}. rustc {rustc}, Python {platform.python_version()}, {packages}. "
        f"{threads} threads, f32, medians of {rounds} rounds; in brackets the fastest and the slowest round."
    )


def speed(results: dict, batch: str) -> str:
    title = "## Batches of 8" if batch == "8" else "## One image: latency"
    columns = list(next(iter(results.values()))["batches"][batch])
    rows = [
        ["network", *(f"{column}, ms" for column in columns), "against onnxruntime (goal)", "against torch (goal)"]
    ]
    for name, result in results.items():
        times = result["batches"][batch]
        goals = GOALS[name] if batch == "8" else GOALS_OF_ONE
        row = [result["title"]]
        for column in columns:
            values = [value / int(batch) for value in times[column]]
            row.append(f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})")
        for ratio, goal in zip(ratios(times), goals):
            # What rounds to the goal reaches it.
            reached = round(ratio, 2) >= goal
            row.append(f"**{ratio:.2f}** ({goal})" if reached else f"{ratio:.2f} ({goal}), short")
        rows.append(row)
    note = "Milliseconds an image; ratios against the better one of each program's arrangements."
    return f"{title}\n\n{note}\n\n{table(rows)}"


def other(results: dict) -> str:
    rows = [
        [
            "network",
            "weights",
            "largest error: modelzoo",
            "onnxruntime",
            "torch",
            "ready in, ms",
            "packed weights, MB",
            "buffers, MB",
        ]
    ]
    for result in results.values():
        errors = result["errors"]
        runtime = next(error for engine, error in errors.items() if engine.startswith("onnxruntime"))
        rows.append(
            [
                result["title"],
                "trained" if result["trained"] else "random",
                f"{errors[OWN]:.1e}",
                f"{runtime:.1e}",
                f"{errors['torch eager']:.1e}",
                f"{result['load_ms']:.0f}",
                f"{result['weight_bytes'] / 1e6:.1f}",
                f"{result['buffer_bytes'] / 1e6:.1f}",
            ]
        )
    note = (
        "Errors are the largest differences from what torch computes in f64, relative to the largest output. Ready in: from "
        "opening the weights to packed weights and a plan, in a new process on one core. Buffers are those of all threads."
    )
    return f"## Accuracy, loading and memory\n\n{note}\n\n{table(rows)}"


def table(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)
