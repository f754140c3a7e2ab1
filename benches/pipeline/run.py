#!/usr/bin/env python3
"""Compares whole programs, from a folder of pictures to a file of labels: this project's, a hand-written script with Pillow
and onnxruntime, and FiftyOne. All run MobileNetV2, or with `--model nanodet` NanoDet-g, with the same weights, in turn in every
round; this program in each of its precisions.

    benches/pipeline/run.py --modelzoo target/release/modelzoo --fiftyone ENVIRONMENT/bin/python

`--python` is an environment as benches/compare/run.py makes one; without `--fiftyone`, or without `--modelzoo`, that program
is left out, as FiftyOne is where it is not about MobileNetV2. A first run of each, which builds, imports and reads for the
first time, does not count. Writes a table, and where a picture's time goes, to standard output.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
# Of each plugin, the network of benches/compare with its weights, and the script.
MODELS = {"mobilenet_v2": ("mobilenet_v2", "script.py"), "nanodet": ("nanodet_g", "detection_script.py")}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder = REPOSITORY / "target/pipeline"
    environment = REPOSITORY / "target/compare/venv/bin/python"
    parser.add_argument("--model", choices=MODELS, default="mobilenet_v2", help="default: %(default)s")
    parser.add_argument("--modelzoo", type=Path, help="this project's program")
    parser.add_argument("--fiftyone", type=Path, help="a Python with fiftyone, torch and torchvision")
    parser.add_argument("--python", type=Path, default=environment, help="a Python (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=folder, help="for what is made (default: %(default)s)")
    parser.add_argument("--pictures", type=int, default=300, help="how many (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="of the script (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    return parser.parse_args()


def prepare(options: argparse.Namespace) -> dict[str, list[str]]:
    """Makes pictures and weights in the forms that the programs take; gives the command of each program."""
    pictures = options.folder / f"pictures-{options.pictures}"
    network, script = MODELS[options.model]
    plugin = REPOSITORY / "plugins" / options.model
    classes = plugin / "src/classes.txt"
    model, weights = options.folder / f"{network}.onnx", options.folder / f"{network}.pth"
    code = f"""
import sys
from pathlib import Path
sys.path[:0] = [{str(HERE)!r}, {str(REPOSITORY / 'benches/compare')!r}]
import pictures, torch
from networks import NETWORKS
pictures.make(Path({str(pictures)!r}), {options.pictures})
if not Path({str(weights)!r}).exists():
    entry = NETWORKS[{network!r}]
    module = entry.module()
    torch.onnx.export(module, (torch.zeros(2, 3, entry.size, entry.size),), {str(model)!r}, input_names=["image"],
                      dynamic_axes={{"image": {{0: "batch"}}}}, opset_version=17, dynamo=False)
    torch.save(module.state_dict(), {str(weights)!r})
"""
    subprocess.run([options.python, "-c", code], check=True, stdout=subprocess.DEVNULL)
    output = lambda name: str(options.folder / f"{name}.jsonl")
    commands = {}
    if options.modelzoo:
        program = [str(options.modelzoo.resolve()), "apply", str(plugin), str(pictures), "--quiet"]
        for name, precision in {"modelzoo": "f32", "modelzoo bf16": "bf16", "modelzoo int8": "int8"}.items():
            commands[name] = [*program, "--precision", precision, "-o", output(name)]
    by_hand = [str(options.python), str(HERE / script), str(model), str(classes), str(pictures)]
    commands["script"] = [*by_hand, output("script"), str(options.processes)]
    if options.fiftyone and options.model == "mobilenet_v2":
        code = str(HERE / "fiftyone_script.py")
        commands["FiftyOne"] = [str(options.fiftyone), code, str(weights), str(classes), str(pictures)]
        commands["FiftyOne"].append(output("FiftyOne"))
    return commands


def run(command: list[str]) -> tuple[float, float]:
    """Seconds that a command takes, and seconds of processors that it and its children take."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def agreement(folder: Path, names: list[str]) -> str:
    """On how many pictures the other programs find the labels that the script finds."""
    labels = {}
    for name in names:
        lines = map(json.loads, (folder / f"{name}.jsonl").read_text().splitlines())
        labels[name] = {Path(line["filepath"]).name: labels_of(line) for line in lines}
    others = [name for name in names if name != "script"]
    same = {name: sum(labels[name].get(file) == label for file, label in labels["script"].items()) for name in others}
    return ", ".join(f"{name} {count} of {len(labels['script'])}" for name, count in same.items())


def labels_of(line: dict) -> list[str]:
    """The labels of a sample, which are in it or in one of its fields: the one of its class, or those of its objects."""
    fields = [line, *(value for value in line.values() if isinstance(value, dict))]
    classes = [field["label"] for field in fields if "label" in field]
    objects = [object["label"] for field in fields for object in field.get("detections", [])]
    return sorted(classes + objects)


def main() -> None:
    options = arguments()
    options.folder.mkdir(parents=True, exist_ok=True)
    commands = prepare(options)
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for name, command in commands.items():
        run(command)
        print(f"{name} is warm", file=sys.stderr)
    order = list(commands)
    for turn in range(options.rounds):
        # Nobody is always the one after the same other one.
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            results[name].append(run(commands[name]))
    slowest = statistics.median(took for took, _ in results["script"])
    print("| program | pictures a second | as fast as the script | processor, ms a picture |\n|---|---|---|---|")
    for name, taken in results.items():
        rates = sorted(options.pictures / took for took, _ in taken)
        spent = 1e3 * statistics.median(used for _, used in taken) / options.pictures
        ratio = slowest / statistics.median(took for took, _ in taken)
        spread = f"{statistics.median(rates):.1f} ({rates[0]:.1f} to {rates[-1]:.1f})"
        print(f"| {name} | {spread} | {ratio:.2f} | {spent:.1f} |")
    print(f"\nSame labels as the script: {agreement(options.folder, order)}.")
    stages = subprocess.run([*commands["script"], "stages"], check=True, capture_output=True, text=True).stdout
    parts = ", ".join(f"{stage} {spent:.2f}" for stage, spent in json.loads(stages).items())
    print(f"\nA picture's time in the script, ms of one core: {parts}.")


if __name__ == "__main__":
    main()
