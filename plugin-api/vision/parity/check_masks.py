"""Models of masks: of objects, or a class for each pixel."""

from __future__ import annotations

from pathlib import Path

import numpy
import torch
import transformers
from PIL import Image

from comparing import PIXELS, SCORE, Different, array, image_processor, run, same_mask


def check_masks(program: str, folder: Path, photos: list[str], name: str) -> None:
    network = getattr(transformers, name).from_pretrained(folder, dtype=torch.float32).eval()
    processor = image_processor(folder, name)
    names = network.config.id2label
    for photo, line in zip(photos, run(program, "apply", folder, photos, "--set", "score_threshold=0")):
        picture = Image.open(photo).convert("RGB")
        result, size = network(processor(picture, return_tensors="pt")["pixel_values"]), picture.size[::-1]
        expected = processor.post_process_instance_segmentation(result, 0.0, target_sizes=[size], return_binary_maps=True)[0]
        found, wanted = line["predictions"]["detections"], expected["segments_info"]
        if len(found) != len(wanted):
            raise Different(f"{len(found)} objects instead of {len(wanted)}")
        for one, other, whole in zip(found, wanted, expected["segmentation"].numpy()):
            label = names[other["label_id"]]
            if one["label"] != label or abs(one["confidence"] - other["score"]) > SCORE:
                raise Different(f"{one['label']} {one['confidence']:.4f} instead of {label} {other['score']:.4f}")
            mask = array(one["mask"])
            left, top = (max(round(value * side), 0) for value, side in zip(one["bounding_box"], picture.size))
            differing = (mask != whole[top : top + mask.shape[0], left : left + mask.shape[1]]).mean() if mask.size else 0
            if differing > PIXELS:
                raise Different(f"{differing:.2%} of a mask's pixels differ")


def check_queries(program: str, folder: Path, photos: list[str], name: str) -> None:
    network = getattr(transformers, name).from_pretrained(folder, dtype=torch.float32).eval()
    processor = image_processor(folder, name)
    names = network.config.id2label
    for photo, line in zip(photos, run(program, "apply", folder, photos, "--set", "score_threshold=0")):
        picture = Image.open(photo).convert("RGB")
        inputs = processor(picture, return_tensors="pt")
        pixels, size = inputs["pixel_values"], picture.size[::-1]
        result = network(pixels, patch_offsets=inputs.get("patch_offsets"))
        if processor.do_split_image:
            same_mask(line["predictions"], processor.post_process_semantic_segmentation(result, [size])[0].numpy())
            continue
        expected = processor.post_process_instance_segmentation(result, [size], threshold=0.0)[0]
        found = line["predictions"]["detections"]
        wanted = [(names[one["label_id"]], one["score"]) for one in expected["segments_info"]]
        if len(found) != len(wanted):
            raise Different(f"{len(found)} objects instead of {len(wanted)}")
        painted = numpy.full(size, -1)
        for index, (one, (label, score)) in enumerate(zip(found, wanted)):
            if one["label"] != label or abs(one["confidence"] - score) > SCORE:
                raise Different(f"{one['label']} {one['confidence']:.4f} instead of {label} {score:.4f}")
            mask = array(one["mask"])
            left, top = (round(value * side) for value, side in zip(one["bounding_box"], picture.size))
            painted[top : top + mask.shape[0], left : left + mask.shape[1]][mask > 0] = index
        differing = (painted != expected["segmentation"].numpy()).mean()
        if differing > PIXELS:
            raise Different(f"{differing:.2%} of the pixels belong to other objects")
