"""Measures one network: speed of all engines in turn, accuracy, memory and loading time."""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file
from safetensors.torch import save_file as save_torch_file

from engines import Modelzoo, OnnxRuntime, Torch
from networks import NETWORKS, REPOSITORY

BATCHES = (8, 1)
# Seconds before an engine's turn.
PAUSE = 0.3
# Seconds of a turn, after a run that does not count; a turn is at least one run.
TURN = 0.15
# Starts for the loading time.
STARTS = 5
# The largest difference from the exact outputs, relative to the largest one; twice what torch's own f32 has, where that
# is more: trained weights can make much of a rounding.
ACCURACY = 1e-5


@dataclass(frozen=True)
class Files:
    """What is prepared for a network, and its result."""

    weights: Path
    model: Path
    inputs: Path
    exact: Path
    result: Path


def prepare(name: str, folder: Path) -> Files:
    """Writes a network's weights, graph, inputs and exact outputs, where they are missing."""
    entry = NETWORKS[name]
    made = folder / name
    made.mkdir(exist_ok=True)
    weights = REPOSITORY / entry.weights if entry.weights else made / "weights.safetensors"
    files = Files(
        weights, made / "model.onnx", made / "inputs.safetensors", made / "exact.safetensors", made / "result.json"
    )
    # The last file that is written: what is there is whole.
    if files.exact.exists():
        return files
    module = entry.module()
    if not entry.weights:
        save_torch_file({key: value.contiguous() for key, value in module.state_dict().items()}, weights)
    images = photographs(max(BATCHES), entry.size)
    save_file({str(batch): images[:batch].copy() for batch in BATCHES}, files.inputs)
    one = torch.from_numpy(images[:1].copy())
    with torch.inference_mode():
        outputs = module.double()(one.double())
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    exact = {str(index): output.contiguous().numpy() for index, output in enumerate(outputs)}
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
    torch.backends.mha.set_fastpath_enabled(True)
    save_file(exact, files.exact)
    return files


def photographs(count: int, size: int) -> np.ndarray:
    """The repository's photographs and their mirror images as a normalised batch `[count, 3, size, size]`."""
    images = []
    for file in sorted((REPOSITORY / "examples/photos").glob("*.jpg")):
        resized = Image.open(file).convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
        pixels = np.asarray(resized, dtype=np.float32) / 255
        normalized = (pixels - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
        images += [normalized.transpose(2, 0, 1), normalized[:, ::-1].transpose(2, 0, 1)]
    return np.stack([images[index % len(images)] for index in range(count)])


def measure(name: str, files: Files, program: Path, rounds: int, threads: int) -> str:
    """Measures a network and gives the results as JSON."""
    entry = NETWORKS[name]
    inputs = load_file(files.inputs)
    loading = [start_and_stop(program, name, files) for _ in range(STARTS)]
    own = Modelzoo(program, name, files.weights, files.inputs, threads)
    plain = Torch(entry.module(), False, threads)
    channels_last = Torch(entry.module(), True, threads)
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
        engines = [own, OnnxRuntime(files.model, batch, 1, threads), plain, channels_last]
        if batch >= threads > 1:
            engines.insert(2, OnnxRuntime(files.model, batch, threads, threads))
        errors = check(engines, inputs, str(batch), load_file(files.exact))
        if batch == 1:
            result["errors"] = errors
        times: dict[str, list[float]] = {engine.name: [] for engine in engines}
        for turn in range(rounds):
            # Nobody is always the one after the same other one.
            for engine in engines[turn % len(engines) :] + engines[: turn % len(engines)]:
                time.sleep(PAUSE)
                times[engine.name].append(engine.turn(inputs, str(batch), TURN * 1e3))
        result["batches"][str(batch)] = times
    own.close()
    return json.dumps(result, indent=1)


def start_and_stop(program: Path, name: str, files: Files) -> float:
    """Milliseconds from weights to a network that is ready, in a new process on one core."""
    engine = Modelzoo(program, name, files.weights, files.inputs, 1, one_core=True)
    engine.close()
    return engine.ready


def check(engines, inputs: dict[str, np.ndarray], name: str, exact: dict[str, np.ndarray]) -> dict[str, float]:
    """Compares the first image's outputs with those that torch computes in f64; gives each engine's largest error,
    relative to the largest output."""
    errors = {}
    for engine in engines:
        outputs = engine.outputs(inputs, name)
        assert len(outputs) == len(exact), f"{engine.name} has {len(outputs)} outputs"
        worst = 0.0
        for index, output in enumerate(outputs):
            expected = exact[str(index)]
            assert output[:1].shape == expected.shape, (engine.name, output.shape, expected.shape)
            worst = max(worst, float(np.abs(output[:1] - expected).max() / np.abs(expected).max()))
        errors[engine.name] = worst
    limit = max(ACCURACY, 2 * errors["torch eager"])
    for engine, error in errors.items():
        assert error <= limit, f"{engine} is off by {error:.1e}"
    return errors
