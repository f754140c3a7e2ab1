"""Writes what was measured: a file of tables for the machine's instruction set, and a chart."""

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

OWN = "modelzoo"
OWN_NARROW = "modelzoo bf16"
OWN_BYTES = "modelzoo int8"
# Programs that compute in f32, and those that choose for themselves, by how the names of their arrangements begin.
EQUALS = ("onnxruntime", "OpenVINO f32", "ncnn f32")
DEFAULTS = ("OpenVINO as it comes", "ncnn as it comes")
TORCH = "torch"
# What each network is meant to reach in batches of 8 against the best of those that compute in f32, on each set.
GOALS = {
    "avx2": {"3x3": 1.6, "mixed": 1.2, "transformer": 1.05},
    "avx512": {"3x3": 1.6, "mixed": 1.25, "transformer": 1.1},
    "avx512_fp16": {"3x3": 1.6, "mixed": 1.25, "transformer": 1.1},
    "amx": {"3x3": 1.5, "mixed": 1.2, "transformer": 1.1},
}
# And how many times as fast as in f32 bytes are meant to be in batches of 8, of these networks.
GOALS_OF_BYTES = {"avx2": 1.5, "avx512": 2.2, "avx512_fp16": 2.2, "amx": 3.0}
NETWORKS_OF_BYTES = ("resnet50", "mobilenet_v2")
KINDS = {
    "resnet18": "3x3",
    "resnet50": "mixed",
    "mobilenet_v2": "mixed",
    "nanodet_g": "3x3",
    "yolov8n": "3x3",
    "u2netp": "3x3",
    "vit_b_16": "transformer",
    "clip_vit_b_32_image": "transformer",
    "dinov2_small": "transformer",
    "efficientnet_b0": "mixed",
}
# The same for one image, and for networks of no kind.
GOAL_OF_ONE = 1.0

Times = dict[str, list[float]]


def instruction_set() -> str:
    """The largest instruction set of this machine that one of the engines has kernels for. With FP16 it is an Intel, whose
    AVX-512 is as wide as its registers and slow at bf16."""
    flags = processor_flags()
    for name, needed in (("amx", "amx_tile"), ("avx512_fp16", "avx512_fp16"), ("avx512", "avx512f"), ("avx2", "avx2")):
        if needed in flags:
            return name
    return platform.machine()


def processor_flags() -> set[str]:
    found = re.search(r"(?:flags|Features)\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return set(found.group(1).split()) if found else set()


def fastest(times: Times, beginning: str) -> str | None:
    """The fastest arrangement of a program."""
    of_program = [engine for engine in times if engine.startswith(beginning)]
    return min(of_program, key=lambda engine: statistics.median(times[engine]), default=None)


def ratio(times: Times, beginnings: tuple[str, ...], own: str = OWN) -> float | None:
    """How many times as fast as the fastest arrangement of any of these programs."""
    best = [fastest(times, beginning) for beginning in beginnings]
    medians = [statistics.median(times[engine]) for engine in best if engine]
    return min(medians) / statistics.median(times[own]) if medians and own in times else None


def of_bytes(times: Times) -> float | None:
    """How many times as fast as in f32 bytes are."""
    return statistics.median(times[OWN]) / statistics.median(times[OWN_BYTES]) if OWN_BYTES in times else None


def summary(file: Path) -> str:
    """A line for each batch size of one result."""
    result = json.loads(file.read_text())
    lines = []
    for batch, times in result["batches"].items():
        parts = [f"{engine} {statistics.median(values) / int(batch):.2f}" for engine, values in times.items()]
        against = [ratio(times, programs) for programs in (EQUALS, DEFAULTS, (TORCH,))]
        against += [ratio(times, DEFAULTS, OWN_NARROW), of_bytes(times)]
        ratios = ", ".join(f"{value:.2f}" if value else "-" for value in against)
        lines.append(
            f"  batch {batch}, ms an image: {', '.join(parts)}; "
            f"ratios (f32, defaults, torch; bf16 to defaults; f32 to int8) {ratios}"
        )
    errors = ", ".join(f"{engine} {error:.1e}" for engine, error in result["errors"].items())
    lines.append(f"  errors: {errors}; ready in {result['load_ms']:.0f} ms")
    return "\n".join(lines)


def write(folder: Path, repository: Path) -> None:
    """Writes all results there are into the file of this machine's instruction set."""
    results = {}
    for name in NETWORKS:
        file = folder / name / "result.json"
        if file.exists():
            results[name] = json.loads(file.read_text())
    name = instruction_set()
    parts = [
        f"# Measured with {name}",
        "Written by `benches/compare/run.py`; [BENCHMARKS.md](../../BENCHMARKS.md) says how, and what falls short.",
        machine(results),
        speed(results, "8", name),
        speed(results, "1", name),
        accuracy(results),
        loading(results),
    ]
    report = repository / f"docs/benchmarks/{name}.md"
    report.parent.mkdir(exist_ok=True)
    report.write_text("\n\n".join(parts) + "\n")
    bars = {
        batch: [
            (result["title"], ratio(result["batches"][batch], EQUALS), ratio(result["batches"][batch], (TORCH,)))
            for result in results.values()
        ]
        for batch in ("8", "1")
    }
    report.with_suffix(".svg").write_text(bar_chart(bars))


def machine(results: dict) -> str:
    cpu = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpu).group(1)
    known = ("avx2", "fma", "avx_vnni", "avx512f", "avx512dq", "avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16",
        "amx_tile")
    sets = [name for name in known if name in processor_flags()]
    caches = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((index / key).read_text().strip() for key in ("level", "type", "size"))
        if kind != "Instruction":
            caches.append(f"L{level} {size}")
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text()).group(1)) / 2**20
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    libraries = ("onnxruntime", "openvino", "ncnn", "torch", "torchvision", "numpy")
    packages = ", ".join(f"{name} {version(name)}" for name in libraries)
    rounds = min(result["rounds"] for result in results.values())
    threads = max(result["threads"] for result in results.values())
    return (
        f"Machine: {model} (virtual), {os.cpu_count()} cores, {', '.join(sets)}; {', '.join(caches)}; "
        f"{memory:.0f} GiB; Linux {platform.release().split('-')[0]}. rustc {rustc}, Python "
        f"{platform.python_version()}, {packages}. {threads} threads, medians of {rounds} rounds; in brackets the "
        f"fastest and the slowest round."
    )


def speed(results: dict, batch: str, instructions: str) -> str:
    """A row for each network, with the fastest arrangement of each program; goals are those of an instruction set."""
    goals = GOALS.get(instructions, {})
    title = "## Batches of 8" if batch == "8" else "## One image: latency"
    programs = (OWN_NARROW, OWN_BYTES, *EQUALS, *DEFAULTS, "torch eager", "torch channels_last", "torch compiled")
    there = [
        program
        for program in programs
        if any(fastest(result["batches"][batch], program) for result in results.values())
    ]
    rows = [
        [
            "network",
            OWN,
            *there,
            "against the best in f32 (goal)",
            "against the best default",
            "bf16 against the best default",
            "against torch",
            "int8 against f32 (goal)",
        ]
    ]
    for name, result in results.items():
        times = result["batches"][batch]
        goal = GOAL_OF_ONE if batch == "1" else goals.get(KINDS.get(name, ""), GOAL_OF_ONE)
        cells = [time_cell(times, OWN, int(batch))]
        cells += [time_cell(times, fastest(times, program), int(batch)) for program in there]
        equals = ratio(times, EQUALS)
        # What rounds to the goal reaches it.
        reached = equals is not None and round(equals, 2) >= goal
        cells.append(f"**{equals:.2f}** ({goal})" if reached else f"{equals:.2f} ({goal}), short")
        every = (*EQUALS, *DEFAULTS)
        others = (ratio(times, every), ratio(times, every, OWN_NARROW), ratio(times, (TORCH,)))
        cells += [f"{value:.2f}" if value else "-" for value in others]
        wanted = GOALS_OF_BYTES.get(instructions) if batch == "8" and name in NETWORKS_OF_BYTES else None
        rows.append([result["title"], *cells, bytes_cell(of_bytes(times), wanted)])
    note = (
        "Milliseconds an image, of the fastest arrangement of each program: of a whole batch at a time on all threads, or "
        "of a part on each thread (1 x 2 threads, 2 x 1 thread)."
    )
    return f"{title}\n\n{note}\n\n{table(rows)}"


def bytes_cell(reached: float | None, wanted: float | None) -> str:
    if reached is None:
        return "-"
    if wanted is None:
        return f"{reached:.2f}"
    return f"**{reached:.2f}** ({wanted})" if round(reached, 2) >= wanted else f"{reached:.2f} ({wanted}), short"


def time_cell(times: Times, engine: str | None, batch: int) -> str:
    if engine is None:
        return "-"
    values = [value / batch for value in times[engine]]
    _, _, arrangement = engine.partition(", ")
    of = f", {arrangement}" if arrangement and batch > 1 else ""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f}){of}"


def accuracy(results: dict) -> str:
    programs = (OWN, OWN_NARROW, OWN_BYTES, *EQUALS, *DEFAULTS, "torch eager", "torch compiled")
    rows = [["network", "weights", *programs]]
    for result in results.values():
        cells = []
        for program in programs:
            engine = next((engine for engine in result["errors"] if engine.startswith(program)), None)
            if engine is None:
                cells.append("-")
                continue
            agreed = result.get("agreement", {}).get(engine)
            cells.append(f"{result['errors'][engine]:.1e}" + (f", {agreed} of 20" if agreed is not None else ""))
        rows.append([result["title"], "trained" if result["trained"] else "random", *cells])
    note = (
        "The largest difference from what torch computes in f64, relative to the largest output; and, of classifiers, on "
        "how many of 20 photographs the best class is the same."
    )
    return f"## Accuracy\n\n{note}\n\n{table(rows)}"


def loading(results: dict) -> str:
    rows = [["network", "ready in, ms", "packed weights, MB", "buffers, MB"]]
    for result in results.values():
        megabytes = [f"{result[key] / 1e6:.1f}" for key in ("weight_bytes", "buffer_bytes")]
        rows.append([result["title"], f"{result['load_ms']:.0f}", *megabytes])
    note = (
        "This project's. Ready in: from opening the weights to packed weights and a plan, in a new process on one core. "
        "Buffers are those of all threads."
    )
    return f"## Loading and memory\n\n{note}\n\n{table(rows)}"


def table(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)
