"""Measures one network: speed of all engines in turn, accuracy, memory and loading time."""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pnnx
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from safetensors.torch import save_file as save_torch_file

from engines import Modelzoo, Ncnn, OnnxRuntime, OpenVino, Torch
from networks import NETWORKS, REPOSITORY
from published import Published

BATCHES = (8, 1)
# Photographs whose best class is compared with the one that torch finds in f64.
PHOTOGRAPHS = 20
# Parts of the photographs, others than those, that bytes are calibrated on: as many as the program takes.
SAMPLES = 64
# Seconds before an engine's turn.
PAUSE = 0.3
# Seconds of a turn, after a run that does not count; a turn is at least one run.
TURN = 0.15
# Starts for the loading time.
STARTS = 5
# The largest difference from the exact outputs, relative to the largest one; twice what torch's own f32 has, where that
# is more: trained weights can make much of a rounding.
ACCURACY = 1e-5
# An engine that is further off has converted the network to another one.
WRONG = 0.1


@dataclass(frozen=True)
class Files:
    """What is prepared for a network, and its result."""

    # A file, or the folder of a published network.
    weights: Path
    model: Path
    # pnnx's conversion, or a file that is not there where it has none.
    ncnn: Path
    inputs: Path
    exact: Path
    result: Path


def prepare(name: str, folder: Path) -> Files:
    """Writes a network's weights, graph, inputs and exact outputs, where they are missing."""
    entry = NETWORKS[name]
    made = folder / name
    made.mkdir(exist_ok=True)
    is_published = isinstance(entry.make, Published)
    if is_published:
        weights = made / "published"
    else:
        weights = REPOSITORY / entry.weights if entry.weights else made / "weights.safetensors"
    files = Files(
        weights,
        made / "model.onnx",
        made / "model.ncnn.param",
        made / "inputs.safetensors",
        made / "exact.safetensors",
        made / "result.json",
    )
    write_inputs(files.inputs, entry.size)
    # The last file that is written: what is there is whole.
    if files.exact.exists():
        return files
    module = entry.module()
    if is_published:
        weights.mkdir(exist_ok=True)
        entry.make.save(module.network, weights)
    elif not entry.weights:
        save_torch_file({key: value.contiguous() for key, value in module.state_dict().items()}, weights)
    images = photographs(PHOTOGRAPHS, entry.size)
    one = torch.from_numpy(images[:1].copy())
    with torch.inference_mode():
        outputs = module.double()(one.double())
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        classes = [first(module(image[None].double())).argmax() for image in torch.from_numpy(images)] if entry.classes else []
    exact = {str(index): output.contiguous().numpy() for index, output in enumerate(outputs)}
    if entry.classes:
        exact["classes"] = np.array(classes)
    names = [f"output{index}" for index in range(len(outputs))]
    axes = {key: {0: "batch"} for key in ["image", *names]}
    # The fused attention of `torch.nn.MultiheadAttention` cannot be exported; its parts can.
    torch.backends.mha.set_fastpath_enabled(False)
    with torch.no_grad():
        torch.onnx.export(
            module.float(),
            (torch.from_numpy(images[:2].copy()),),
            str(files.model),
            input_names=["image"],
            output_names=names,
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
    convert_to_ncnn(module, one, files.ncnn)
    torch.backends.mha.set_fastpath_enabled(True)
    save_file(exact, files.exact)
    return files


def write_inputs(file: Path, size: int) -> None:
    """Writes the batches that commands name, where one is missing."""
    if file.exists():
        with safe_open(file, "np") as there:
            if "calibrate" in there.keys():
                return
    images = photographs(PHOTOGRAPHS, size)
    batches = {str(count): images[:count].copy() for count in (*BATCHES, PHOTOGRAPHS)}
    save_file(batches | {"calibrate": samples(SAMPLES, size)}, file)


def first(outputs: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor:
    return outputs[0] if isinstance(outputs, tuple) else outputs


def convert_to_ncnn(module: torch.nn.Module, image: torch.Tensor, param: Path) -> None:
    """Converts a network for ncnn, with weights in f32; what pnnx cannot convert is left out of the comparison."""
    made = param.parent / "pnnx"
    made.mkdir(exist_ok=True)
    try:
        pnnx.export(
            module,
            str(made / "model.pt"),
            (image,),
            ncnnparam=str(param),
            ncnnbin=str(param.with_suffix(".bin")),
            fp16=False,
        )
    except Exception as error:  # pnnx raises whatever happens to it
        print(f"pnnx: {error}")


def photographs(count: int, size: int) -> np.ndarray:
    """The repository's photographs, their mirror images and parts of them as a normalised batch `[count, 3, size, size]`."""
    whole, parts = [], []
    for file in sorted((REPOSITORY / "examples/photos").glob("*.jpg")):
        photograph = Image.open(file).convert("RGB")
        normalized = normalize(photograph, size)
        whole += [normalized, normalized[:, :, ::-1]]
        width, height = photograph.size
        corners = [(0, 0), (width // 3, 0), (width // 6, height // 3)]
        boxes = [(x, y, x + 2 * width // 3, y + 2 * height // 3) for x, y in corners]
        parts += [normalize(photograph.crop(box), size) for box in boxes]
    images = whole + parts
    return np.stack([images[index % len(images)] for index in range(count)])


def samples(count: int, size: int) -> np.ndarray:
    """Parts of the repository's photographs, the same ones each time, as a normalised batch `[count, 3, size, size]`."""
    files = sorted((REPOSITORY / "examples/photos").glob("*.jpg"))
    random = np.random.default_rng(1)
    parts = []
    for index in range(count):
        photograph = Image.open(files[index % len(files)]).convert("RGB")
        width, height = photograph.size
        side = int(min(width, height) * random.uniform(0.4, 1))
        x, y = random.integers(width - side + 1), random.integers(height - side + 1)
        parts.append(normalize(photograph.crop((x, y, x + side, y + side)), size))
    # Whatever the order in memory of its parts, files have this one.
    return np.ascontiguousarray(np.stack(parts))


def normalize(photograph: Image.Image, size: int) -> np.ndarray:
    """`[3, size, size]`, as networks that were trained on ImageNet take it."""
    resized = photograph.resize((size, size), Image.Resampling.BILINEAR)
    pixels = np.asarray(resized, dtype=np.float32) / 255
    normalized = (pixels - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
    return normalized.transpose(2, 0, 1)


def measure(
    name: str, files: Files, program: Path, rounds: int, threads: int, beginnings: tuple[str, ...]
) -> str:
    """Measures a network with those other engines whose names begin so, and gives the results as JSON."""
    entry = NETWORKS[name]
    inputs = load_file(files.inputs)
    network = network_name(name)
    loading = [start_and_stop(program, network, files) for _ in range(STARTS)]
    ours = [
        Modelzoo(program, network, files.weights, files.inputs, threads, precision)
        for precision in Modelzoo.precisions()
    ]
    own = ours[0]
    forms = [form for form in Torch.forms() if f"torch {form}".startswith(beginnings)]
    forms = [Torch(entry.module(), form, threads) for form in forms]
    exact = load_file(files.exact)
    result = {
        "title": entry.title,
        "rounds": rounds,
        "threads": threads,
        "trained": entry.weights is not None,
        "load_ms": statistics.median(loading),
        "weight_bytes": own.weight_bytes,
        "buffer_bytes": own.buffer_bytes,
        "batches": {},
    }
    for batch in BATCHES:
        engines = [engine for engine in others(files, batch, threads) if engine.name.startswith(beginnings)]
        engines = [*ours, *engines, *forms]
        errors = check(engines, inputs, str(batch), exact, getattr(entry.make, "ranked", False))
        engines = [engine for engine in engines if engine.name in errors]
        if batch == 1:
            result["errors"] = errors
            if "classes" in exact:
                result["agreement"] = {engine.name: agreement(engine, inputs, exact) for engine in engines}
        times: dict[str, list[float]] = {engine.name: [] for engine in engines}
        for turn in range(rounds):
            # Nobody is always the one after the same other one.
            for engine in engines[turn % len(engines) :] + engines[: turn % len(engines)]:
                time.sleep(PAUSE)
                times[engine.name].append(engine.turn(inputs, str(batch), TURN * 1e3))
        result["batches"][str(batch)] = times
    for engine in ours:
        engine.close()
    return json.dumps(result, indent=1)


def network_name(name: str) -> str:
    """What this project's program is asked for: a network that it describes, or outputs of a published one."""
    made = NETWORKS[name].make
    return f"published:{','.join(made.outputs)}" if isinstance(made, Published) else name


def others(files: Files, batch: int, threads: int) -> list:
    """The other engines, each in all of its arrangements."""
    made = []
    for parts in (1, threads) if batch >= threads > 1 else (1,):
        made.append(OnnxRuntime(files.model, batch, parts, threads))
        made.append(OpenVino(files.model, batch, parts, threads, "f32"))
        if OpenVino.default_precision() != "f32":
            made.append(OpenVino(files.model, batch, parts, threads, None))
        made += ncnn(files.ncnn, batch, parts, threads)
    return made


def ncnn(model: Path, batch: int, parts: int, threads: int) -> list[Ncnn]:
    """ncnn with and without its half precision; nothing where pnnx converted nothing, or what ncnn does not load."""
    if not model.exists():
        return []
    try:
        return [Ncnn(model, batch, parts, threads, half) for half in (False, True)]
    except RuntimeError as error:
        print(f"it is left out: {error}", flush=True)
        return []


def start_and_stop(program: Path, network: str, files: Files) -> float:
    """Milliseconds from weights to a network that is ready, in a new process on one core."""
    engine = Modelzoo(program, network, files.weights, files.inputs, 1, one_core=True)
    engine.close()
    return engine.ready


def difference(output: np.ndarray, expected: np.ndarray, ranked: bool) -> float:
    """The largest difference, relative to the largest expected value. Where rows are `ranked`, of each from the one that is
    most like it, but for one in ten: which places are taken, of many that score alike, is up to rounding, too."""
    differences = np.abs(output.reshape(expected.shape) - expected)
    if ranked:
        rows = output.reshape(expected.shape)[0]
        nearest = sorted(float(np.abs(rows - row).max(axis=1).min()) for row in expected[0])
        differences = np.array(nearest[: len(nearest) - len(nearest) // 10])
    return float(differences.max() / np.abs(expected).max())


def check(
    engines, inputs: dict[str, np.ndarray], name: str, exact: dict[str, np.ndarray], ranked: bool
) -> dict[str, float]:
    """Compares the first image's outputs with those that torch computes in f64; gives each engine's largest error,
    relative to the largest output. An engine that fails, or computes something else, is left out and told of."""
    errors = {}
    for engine in engines:
        try:
            outputs = engine.outputs(inputs, name)
            pairs = [(output[:1], exact[str(index)]) for index, output in enumerate(outputs)]
            errors[engine.name] = max(difference(output, expected, ranked) for output, expected in pairs)
        except (RuntimeError, ValueError) as error:
            if isinstance(engine, Modelzoo):
                raise
            print(f"{engine.name} does not run it: {error}", flush=True)
    limit = max(ACCURACY, 2 * errors.get("torch eager", ACCURACY))
    # The first engine is this project in f32.
    own = errors[engines[0].name]
    assert own <= limit, f"{engines[0].name} is off by {own:.1e}"
    wrong = [engine for engine, error in errors.items() if not error <= WRONG]
    for engine in wrong:
        print(f"{engine} computes something else: it is off by {errors.pop(engine):.1e}", flush=True)
    return errors


def agreement(engine, inputs: dict[str, np.ndarray], exact: dict[str, np.ndarray]) -> int:
    """On how many of the photographs the best class is the one that torch finds in f64."""
    images = inputs[str(PHOTOGRAPHS)]
    if isinstance(engine, Modelzoo):
        found = engine.outputs(inputs, str(PHOTOGRAPHS))[0]
    else:
        found = np.concatenate([engine.outputs({"one": image[None]}, "one")[0].reshape(1, -1) for image in images])
    return int((found.argmax(axis=1) == exact["classes"]).sum())
