#!/usr/bin/env python3
"""Compares what the program says of photographs with what the models' own code says of them, from the JPEG file on.

    parity/check_program.py MODELZOO MODELS PHOTO... [--keep FILE]

MODELS is the folder that `make.py` wrote. The other side is transformers' or timm's own processor and network on the
same files. Labels must be the same, scores within 0.005, boxes and the masks of prompts overlap by more than 0.99; other masks
may differ in one pixel of a thousand, where two classes are equally likely; embeddings and depths are within 1e-4 of the
largest number. `--keep` writes the classes and objects of the other side to a file, for tests without Python.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import timm
import timm_cases
import torch
import tower_cases
import transformers
from PIL import Image
from safetensors.torch import load_file

from check_fields import check_pose, check_prompts
from check_manifests import check_is_net, check_manifest
from check_masks import check_masks, check_queries
from check_text import check_text
from comparing import Different, array, image_processor, keep, kept, run, same_class, same_mask, same_numbers, same_objects


def check_timm(program: str, folder: Path, photos: list[str], config: dict) -> None:
    make = lambda: timm.create_model(config["architecture"], num_classes=config["num_classes"], **config.get("model_args", {}))
    network = timm_cases.TIMM.get(folder.name, make)()
    stored = load_file(folder / "model.safetensors")
    network.load_state_dict({name.removeprefix("timm_model."): value.float() for name, value in stored.items()})
    network.eval()
    transform = timm.data.create_transform(**timm.data.resolve_data_config(pretrained_cfg=config["pretrained_cfg"]))
    names = [f"LABEL_{index}" for index in range(config["num_classes"])]
    for photo, line in zip(photos, run(program, "apply", folder, photos)):
        logits = network(transform(Image.open(photo).convert("RGB"))[None])
        keep(folder, photo, same_class(line["predictions"], logits, names))


def padded(mask: torch.Tensor, picture: Image.Image) -> torch.Tensor:
    """How large a picture would be with what it is filled up with: boxes are in parts of that. transformers' own post-processing
    takes them for parts of the picture, whatever is beside it."""
    filled = mask.any(1).sum(), mask.any(0).sum()
    sides = [length * whole / part for length, whole, part in zip(picture.size[::-1], mask.shape, filled)]
    return torch.tensor([sides])


def within(found: dict[str, torch.Tensor], picture: Image.Image) -> dict[str, torch.Tensor]:
    """The objects without what lies beside the picture, where it was filled up."""
    boxes = found["boxes"].clamp(min=0).minimum(torch.tensor(picture.size * 2))
    inside = (boxes[:, 2:] > boxes[:, :2]).all(-1)
    return {name: values[inside] for name, values in (found | {"boxes": boxes}).items()}


def check_owl(program: str, folder: Path, photos: list[str], name: str) -> None:
    network = getattr(transformers, name).from_pretrained(folder, dtype=torch.float32).eval()
    processor = image_processor(folder, name)
    tokenizer = tower_cases.stored_tokenizer(folder, network.config.text_config)
    names = ["cat", "house", "dog"]
    texts = tokenizer([f"a photo of a {name}" for name in names], return_tensors="pt", **tower_cases.owl_text(network.config))
    said = run(program, "apply", folder, photos, "--set", "score_threshold=0", "--set", f"classes={','.join(names)}")
    for photo, line in zip(photos, said):
        picture = Image.open(photo).convert("RGB")
        pixels = processor(picture, return_tensors="pt")["pixel_values"]
        result = network(input_ids=texts["input_ids"], attention_mask=texts["attention_mask"], pixel_values=pixels)
        expected = processor.post_process_object_detection(result, threshold=0.0, target_sizes=[picture.size[::-1]])[0]
        expected = within(expected, picture)
        keep(folder, photo, same_objects(line["predictions"]["detections"], expected, names, picture.size))


def check_transformers(program: str, folder: Path, photos: list[str], config: dict) -> None:
    name = config["architectures"][0]
    if name == "BriaRMBG":
        check_is_net(program, folder, photos)
        return
    if name.startswith("Owl"):
        check_owl(program, folder, photos, name)
        return
    if name.endswith("ForInstanceSegmentation"):
        check_masks(program, folder, photos, name)
        return
    if name.endswith("ForUniversalSegmentation"):
        check_queries(program, folder, photos, name)
        return
    if name.startswith("Sam"):
        check_prompts(program, folder, photos, name)
        return
    if name.endswith("ForPoseEstimation"):
        check_pose(program, folder, photos, name)
        return
    if name.startswith("PPOCR"):
        check_text(program, folder, photos, name)
        return
    network = getattr(transformers, name).from_pretrained(folder, dtype=torch.float32).eval()
    processor = image_processor(folder, name)
    names = network.config.id2label
    command, more = "apply", []
    if name.endswith("Model"):
        command = "embed"
    elif name.endswith("ForObjectDetection"):
        more = ["--set", "score_threshold=0"]
    for photo, line in zip(photos, run(program, command, folder, photos, *more)):
        picture = Image.open(photo).convert("RGB")
        inputs = processor(picture, return_tensors="pt")
        pixels, size = inputs["pixel_values"], [picture.size[::-1]]
        if name in ("CLIPModel", "SiglipModel", "Siglip2Model"):
            features = network.get_image_features(**inputs)
            same_numbers(array(line["embeddings"]), getattr(features, "pooler_output", features)[0], "the embedding")
            continue
        # These are told what of the picture they get is none, and say where objects are in parts of the rest.
        masks = {"pixel_mask": inputs["pixel_mask"]} if name.startswith(("Detr", "TableTransformer")) else {}
        result = network(pixels, **masks)
        if name.endswith("ForObjectDetection") and not masks:
            if getattr(processor, "pad_size", None):
                size = padded(inputs["pixel_mask"][0], picture)
            expected = processor.post_process_object_detection(result, threshold=0.0, target_sizes=size)[0]
            if getattr(processor, "pad_size", None):
                expected = within(expected, picture)
            keep(folder, photo, same_objects(line["predictions"]["detections"], expected, names, picture.size))
        elif masks:
            expected = processor.post_process_object_detection(result, threshold=0.0, target_sizes=size)[0]
            keep(folder, photo, same_objects(line["predictions"]["detections"], expected, names, picture.size))
        elif name.endswith("ForSemanticSegmentation"):
            expected = processor.post_process_semantic_segmentation(result, target_sizes=size)[0].numpy()
            same_mask(line["predictions"], expected)
        elif name.endswith("ForDepthEstimation"):
            same_numbers(array(line["predictions"]["map"]), result.predicted_depth[0], "the depth")
        elif command == "embed":
            of_class_token = name.startswith(("ViT", "DeiT", "Dinov2"))
            pooled = result.last_hidden_state[:, 0] if of_class_token else result.pooler_output
            same_numbers(array(line["embeddings"]), pooled.flatten(1)[0], "the embedding")
        else:
            classes = [names[index] for index in range(len(names))]
            keep(folder, photo, same_class(line["predictions"], result.logits, classes))


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("models", type=Path)
    arguments.add_argument("photos", type=Path, nargs="+")
    arguments.add_argument("--keep", type=Path)
    asked = arguments.parse_args()
    program, models = asked.program, asked.models.resolve()
    photos = [str(photo.resolve()) for photo in asked.photos]
    failed = []
    folders = sorted(folder for folder in models.iterdir() if folder.is_dir())
    for folder in folders:
        manifest = folder / "manifest.json"
        if manifest.exists():
            config, check = json.loads(manifest.read_text()), check_manifest
        else:
            config = json.loads((folder / "config.json").read_text())
            check = check_timm if "architecture" in config else check_transformers
        try:
            with torch.no_grad():
                check(program, folder, photos, config)
        except Different as difference:
            failed.append(folder.name)
            print(f"{folder.name}: {difference}")
    if asked.keep:
        asked.keep.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    print(f"{len(folders) - len(failed)} of {len(folders)} models say of {len(photos)} photographs what their own code says")
    sys.exit(bool(failed) or not folders)


if __name__ == "__main__":
    main()
