#!/usr/bin/env python3
"""Writes models with random weights as their publishers do, and what transformers, timm and torchvision compute of them.

    parity/make.py FOLDER [CASE...]     all cases, or these; `small` stands for those that the repository keeps

Each case becomes a folder: the model as `save_pretrained` (or timm) writes it, and `golden.safetensors` with the
prepared picture, the outputs, and the results of layers by the names that this project gives them. The picture is
`photo.ppm` beside the folders. `cargo test -p modelzoo-vision parity` compares.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from PIL import Image
from safetensors.torch import save_file

import cases
import depth_cases
import detector_cases
import mask_cases
import nanodet_cases
import pose_cases
import prompt_cases
import saliency_cases
import text_cases
import timm_cases
import torchvision_cases
import tower_cases
import yolox_cases
from making import Case

SIZE = (96, 72)

KINDS = (
    cases,
    depth_cases,
    detector_cases,
    tower_cases,
    timm_cases,
    torchvision_cases,
    text_cases,
    pose_cases,
    mask_cases,
    prompt_cases,
    saliency_cases,
    yolox_cases,
    nanodet_cases,
)


def photo() -> Image.Image:
    """A small part of a photograph: the pictures of the examples, or noise where they are missing."""
    path = Path(__file__).resolve().parents[3] / "examples/photos/astronaut.jpg"
    return Image.open(path).convert("RGB").resize(SIZE, Image.LANCZOS)


def write(case: Case, folder: Path, picture: Image.Image) -> None:
    torch.manual_seed(11)
    folder.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        golden = case.write(folder, picture)
    tensors = {name: value.detach().to(torch.float32).contiguous().clone() for name, value in golden.items()}
    save_file(tensors, folder / "golden.safetensors")


def main() -> None:
    target, wanted = Path(sys.argv[1]), sys.argv[2:]
    target.mkdir(parents=True, exist_ok=True)
    picture = photo()
    picture.save(target / "photo.ppm")
    for case in [case for kind in KINDS for case in kind.CASES]:
        chosen = not wanted or case.name in wanted or ("small" in wanted and case.small)
        if chosen:
            write(case, target / case.name, picture)
            size = sum(file.stat().st_size for file in (target / case.name).iterdir())
            print(f"{case.name}: {size} bytes", flush=True)


if __name__ == "__main__":
    main()
