#!/usr/bin/env python3
"""Compares this project's networks on a CPU with onnxruntime, OpenVINO, ncnn and torch, and writes docs/benchmarks/SET.md,
where SET is the instruction set of the machine.

    benches/compare/run.py --prepare                    an environment, the program, weights and graphs for all
    benches/compare/run.py --network resnet18           measures (and prepares) this one; again to measure it anew
    benches/compare/run.py --engine "OpenVINO as it comes"   only this one beside this project; no report is written
    benches/compare/run.py --report                     tables and a chart from what was measured
    benches/compare/run.py                              all of it

Same weights, same inputs, same number of threads; in f32, and as each program comes where it then computes in something
else. All engines take turns in every round, with a pause before each, because threads of some go on spinning for a while
after a run. torch comes from PyPI, which has the build for CUDA only (some 3 GB); it runs on the CPU all the same. Nothing
else should run on the machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
PACKAGES = [
    "torch",
    "torchvision",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "openvino",
    "ncnn",
    "pnnx",
    "safetensors",
    "timm",
    "transformers",
    "numpy",
]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prepare", action="store_true", help="make everything ready and measure nothing")
    parser.add_argument("--network", action="append", help="only this one; may be given several times")
    parser.add_argument(
        "--engine", action="append", help="beside this project only engines whose names begin so; may be given several times"
    )
    parser.add_argument("--report", action="store_true", help="only write the report")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of measurements (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="threads of each engine (default: %(default)s)")
    parser.add_argument(
        "--folder", type=Path, default=REPOSITORY / "target/compare", help="for what is made (default: %(default)s)"
    )
    return parser.parse_args()


def enter_environment(folder: Path) -> None:
    """Goes on in the folder's own Python environment, which is made where it is missing."""
    environment = folder / "venv"
    python = environment / "bin/python"
    if Path(sys.prefix).resolve() == environment.resolve():
        return
    if not python.exists():
        venv.create(environment, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--no-cache-dir", *PACKAGES], check=True)
    os.execv(python, [str(python), *sys.argv])


def build_program() -> Path:
    """Builds this project's side with the flags that the host builds plugins with."""
    flags = {"RUSTFLAGS": "-Ctarget-cpu=native"}
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=HERE, env=os.environ | flags, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target"))
    return target / "release/compare"


def main() -> None:
    options = arguments()
    options.folder.mkdir(parents=True, exist_ok=True)
    enter_environment(options.folder.resolve())
    # These need the environment.
    import measure
    import report
    from networks import NETWORKS

    names = options.network or list(NETWORKS)
    if not options.report:
        program = build_program()
        for name in names:
            files = measure.prepare(name, options.folder)
            if not options.prepare:
                print(f"{name}: {options.rounds} rounds", flush=True)
                result = measure.measure(
                    name, files, program, options.rounds, options.threads, tuple(options.engine or ("",))
                )
                # What was measured with some engines only is no part of the report.
                file = files.result.with_stem("some") if options.engine else files.result
                file.write_text(result)
                print(report.summary(file), flush=True)
    if options.report or not (options.network or options.prepare or options.engine):
        report.write(options.folder, REPOSITORY)


if __name__ == "__main__":
    main()
