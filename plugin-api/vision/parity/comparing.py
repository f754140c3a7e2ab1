"""What the program says beside what the models' own code says: how much of it must be the same."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import zlib
from pathlib import Path

import numpy
import torch
import transformers

SCORE = 0.005
OVERLAP = 0.99
PIXELS = 0.001
POINTS = 0.001
NUMBERS = 1e-4


# What the models' own code says: for each model and each photograph's name a class, or objects.
kept: dict[str, dict[str, object]] = {}


class Different(Exception):
    """What the program says is not what the model's own code says."""


def run(program: str, command: str, folder: Path, photos: list[str], *more: str) -> list[dict]:
    """The program's answer for each photograph."""
    done = subprocess.run([program, command, str(folder), *photos, *more], capture_output=True, text=True)
    if done.returncode != 0:
        raise Different(f"the program ended with {done.returncode}: {done.stderr.strip()}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return sorted(lines, key=lambda line: photos.index(line["filepath"]))


def array(value: object) -> numpy.ndarray:
    """An array as FiftyOne writes it: a compressed `.npy` file, or a list."""
    if isinstance(value, list):
        return numpy.asarray(value, dtype=numpy.float32)
    packed = base64.b64decode(value["$binary"]["base64"])
    return numpy.load(io.BytesIO(zlib.decompress(packed)))


def same_numbers(found: numpy.ndarray, expected: torch.Tensor, what: str) -> None:
    wanted = expected.detach().float().numpy()
    if found.shape != wanted.shape:
        raise Different(f"{what} has the shape {found.shape} instead of {wanted.shape}")
    difference = numpy.abs(found - wanted).max() / numpy.abs(wanted).max()
    if difference > NUMBERS:
        raise Different(f"{what} differs by {difference:.2e} of the largest number")


def same_class(found: dict, logits: torch.Tensor, names: list[str]) -> dict:
    probabilities = logits.softmax(-1)[0]
    index = int(probabilities.argmax())
    score = float(probabilities[index])
    if found["label"] != names[index] or abs(found["confidence"] - score) > SCORE:
        raise Different(f"{found['label']} {found['confidence']:.4f} instead of {names[index]} {score:.4f}")
    return {"label": names[index], "confidence": score}


def same_mask(found: dict, expected: numpy.ndarray) -> None:
    differing = (array(found["mask"]) != expected).mean()
    if differing > PIXELS:
        raise Different(f"{differing:.2%} of the mask's pixels differ")


def overlap(one: list[float], other: list[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (area(one) + area(other) - shared)


def same_objects(found: list[dict], expected: dict, names: dict[int, str] | list[str], size: tuple[int, int]) -> list[dict]:
    wanted = list(zip(expected["scores"].tolist(), expected["labels"].tolist(), expected["boxes"].tolist()))
    if len(found) != len(wanted):
        raise Different(f"{len(found)} objects instead of {len(wanted)}")
    width, height = size
    for score, label, box in wanted:
        fits = []
        for detection in found:
            x, y, w, h = detection["bounding_box"]
            corners = [x * width, y * height, (x + w) * width, (y + h) * height]
            same = detection["label"] == names[label] and abs(detection["confidence"] - score) <= SCORE
            fits.append(overlap(corners, box) if same else 0.0)
        if max(fits) <= OVERLAP:
            raise Different(f"no object is {names[label]} {score:.4f} at {box}; the nearest overlaps by {max(fits):.4f}")
    relative = lambda box: [value / side for value, side in zip(box, [width, height, width, height])]
    return [{"label": names[label], "confidence": score, "corners": relative(box)} for score, label, box in wanted]


def keep(folder: Path, photo: str, said: object) -> None:
    kept.setdefault(folder.name, {})[Path(photo).name] = said


def image_processor(folder: Path, name: str) -> transformers.BaseImageProcessor:
    """That which works on Pillow's pixels, but for models whose own one works in floating point."""
    backend = "torchvision" if name.startswith(("Owlv2", "RfDetr")) else "pil"
    return transformers.AutoImageProcessor.from_pretrained(folder, backend=backend)
