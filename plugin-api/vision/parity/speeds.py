#!/usr/bin/env python3
"""Measures how long a core of this machine works on a picture, for the models of the list that ships with the program.

    parity/speeds.py COMPARE [--missing] [WORD...]

All models of the list, or those whose names have one of the words; with `--missing` those that were not measured yet.

COMPARE is the program of `benches/compare`. Nothing is downloaded: each network is made in its published size with random
weights, which take as long as trained ones, and written as its publisher does. That it is the published one is taken from its
number of parameters, which must be that of the list within some hundredths. What is measured is written into the list: the
time in which one thread computes the network for one picture of 512 x 512 pixels, resized as is published, in milliseconds
of its processor, so that others who work on the machine count little. Of SAM it is what is done once for a picture, of
models of pictures and texts the part for pictures.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import timm
import torch
from PIL import Image
from safetensors.torch import save_file

import sized_classifiers
import sized_detectors
import sized_maps
from sized import Made
from tower_cases import small_tokenizer

ROOT = Path(__file__).resolve().parents[3]
LIST = ROOT / "host/sources/src/index/models.toml"
PHOTO = ROOT / "examples/photos/astronaut.jpg"

# So many milliseconds are measured at least.
LEAST = 300

# How far the number of parameters may be off: repositories count heads and statistics in different ways.
PARAMETERS = 0.04

# What reads text needs the characters of its scripts to be asked at all, and is not measured.
FAMILIES: dict[str, Callable[[str], Made]] = {
    "ViT": sized_classifiers.vit,
    "DeiT": sized_classifiers.deit,
    "BEiT": sized_classifiers.beit,
    "ResNet": sized_classifiers.resnet,
    "ConvNeXt": sized_classifiers.convnext,
    "ConvNeXt V2": sized_classifiers.convnext,
    "Swin": sized_classifiers.swin,
    "Swin V2": sized_classifiers.swin,
    "DINOv2": sized_classifiers.dinov2,
    "DINOv3": sized_classifiers.dinov3,
    "CLIP": sized_classifiers.clip,
    "SigLIP": sized_classifiers.siglip,
    "RT-DETR": sized_detectors.rt_detr,
    "DETR": sized_detectors.detr,
    "Table Transformer": sized_detectors.detr,
    "YOLOS": sized_detectors.yolos,
    "SegFormer": sized_maps.segformer,
    "Depth Anything": sized_maps.depth_anything,
    "DPT": sized_maps.dpt,
    "RegNet": sized_classifiers.regnet,
    "MobileNetV2": sized_classifiers.mobilenet,
    "EfficientNet": sized_classifiers.efficientnet,
    "D-FINE": sized_detectors.d_fine,
    "RF-DETR": sized_detectors.rf_detr,
    "EoMT": sized_maps.eomt,
    "SAM": sized_maps.sam,
    "SAM 2": sized_maps.sam_2,
    "ViTPose": sized_maps.vitpose,
    "OWL-ViT": sized_detectors.owl,
    "OWLv2": sized_detectors.owl,
}

# Parameters that are published with them and that no picture needs: of what SAM 2 remembers of a video.
LEFT_OUT = {"SAM 2": 7_490_000}


def made(model: dict) -> Made:
    """A model of the list, and how its pictures are prepared."""
    if model["name"].startswith("timm/"):
        network = timm.create_model(model["name"].removeprefix("timm/")).eval()
        return network, network.pretrained_cfg
    return FAMILIES[model["family"]](model["name"])


def outline(model: dict) -> tuple[str, float]:
    """What two models have in common that take as long as each other, and the millions of parameters."""
    with torch.device("meta"):
        network, processor = made(model)
    count = sum(value.numel() for value in network.parameters()) + LEFT_OUT.get(model["family"], 0)
    shapes = [(name, tuple(value.shape)) for name, value in network.named_parameters()]
    prepared = {key: processor[key] for key in ("input_size", "crop_pct")} if isinstance(processor, dict) else processor.to_dict()
    return json.dumps([shapes, prepared], default=str), count / 1e6


def write(model: dict, folder: Path) -> Made:
    """A model of the list in a folder, with random weights."""
    torch.manual_seed(5)
    network, processor = made(model)
    if model["name"].startswith("timm/"):
        size = {key: list(value) if isinstance(value, tuple) else value for key, value in network.pretrained_cfg.items()}
        config = {"architecture": network.pretrained_cfg["architecture"], "num_classes": network.num_classes, "pretrained_cfg": size}
        (folder / "config.json").write_text(json.dumps(config, default=str))
        save_file({key: value.half().contiguous() for key, value in network.state_dict().items()}, folder / "model.safetensors")
    else:
        network.half().save_pretrained(folder)
        processor.save_pretrained(folder)
        if model["family"].startswith("OWL"):
            small_tokenizer(folder, network.config.text_config)
    return network, processor


# The outputs of the networks of each task of the list, by the names that they have here.
OUTPUTS = {
    "image-classification": "logits",
    "image-feature-extraction": "embedding",
    "zero-shot-image-classification": "embedding",
    "object-detection": "logits,boxes",
    "zero-shot-object-detection": "object_embeddings,boxes",
    "image-segmentation": "logits",
    "depth-estimation": "depth",
    "keypoint-detection": "maps",
    "mask-generation": "features.0",
}


def pixels(model: dict, processor: object, network: torch.nn.Module) -> torch.Tensor:
    """Numbers of the size that the photograph has for the network."""
    if model["name"].startswith("timm/"):
        return torch.randn(1, *processor["input_size"])
    if model["family"] == "YOLOS":
        return torch.randn(1, 3, *network.config.image_size)
    if model["family"] == "ViTPose":
        return torch.randn(1, 3, 256, 192)
    if "naflex" in model["name"]:
        return torch.randn(1, 3, 256, 256)
    prepared = processor(Image.open(PHOTO).convert("RGB"), return_tensors="pt")["pixel_values"][:1]
    return torch.randn(prepared.shape)


def worked(process: subprocess.Popen) -> float:
    """Milliseconds that a process had the processor."""
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


def measured(program: str, model: dict, work: Path) -> float:
    """Milliseconds of a core for a picture."""
    folder = work / "model"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    network, processor = write(model, folder)
    save_file({"picture": pixels(model, processor, network)}, work / "inputs.safetensors")
    del network
    command = [program, f"published:{OUTPUTS[model['task']]}", folder, work / "inputs.safetensors", "1", "f32"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        if not process.stdout.readline():
            raise ValueError(process.stderr.read().strip())
        runs, before = 0, None
        while before is None or worked(process) - before < LEAST:
            # Each command is answered after two runs.
            process.stdin.write("time picture 0\n")
            process.stdin.flush()
            if not process.stdout.readline():
                raise ValueError(process.stderr.read().strip())
            if before is None:
                before = worked(process)
            else:
                runs += 2
        return (worked(process) - before) / runs


def main() -> None:
    program, words = sys.argv[1], [word for word in sys.argv[2:] if word != "--missing"]
    is_missing = lambda model: "--missing" not in sys.argv or "milliseconds" not in model
    text = LIST.read_text()
    known: dict[str, float] = {}
    for model in sorted(tomllib.loads(text)["model"], key=lambda model: model["parameters"]):
        name = model["name"]
        is_known = name.startswith("timm/") or model["family"] in FAMILIES
        if not is_known or not is_missing(model) or (words and not any(word in name for word in words)):
            continue
        with tempfile.TemporaryDirectory() as work:
            try:
                key, parameters = outline(model)
                if abs(parameters / model["parameters"] - 1) > PARAMETERS:
                    raise ValueError(f"{parameters:.1f} million parameters are not those of the list, {model['parameters']}")
                time = known[key] if key in known else measured(program, model, Path(work))
                known[key] = time
            except (ValueError, TypeError) as error:
                print(f"{name}: {error}", flush=True)
                continue
        print(f"{name}: {time:.1f} ms", flush=True)
        # Two digits: others would change with each measurement.
        line = f"milliseconds = {float(f'{max(time, 1):.2g}')}"
        before, entry = text.split(f'name = "{name}"\n', 1)
        entry, *rest = re.split(r"(?=\n\[\[model\]\])", entry, maxsplit=1)
        entry = re.sub(r"^milliseconds = .*\n", "", entry, flags=re.M)
        entry = entry.replace("\ndescription = ", f"\n{line}\ndescription = ", 1)
        text = f'{before}name = "{name}"\n{entry}' + "".join(rest)
        LIST.write_text(text)


if __name__ == "__main__":
    main()
