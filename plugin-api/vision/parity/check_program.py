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
import base64
import io
import json
import os
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy
import cases
import text_cases
import timm
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file

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


def outlines_of(polylines: list[dict], size: tuple[int, int]) -> list[numpy.ndarray]:
    """The corners of outlines in pixels."""
    return [numpy.asarray(one["points"][0]) * size for one in polylines]


def overlap_of_outlines(one: numpy.ndarray, other: numpy.ndarray) -> float:
    import cv2

    one, other = one.astype(numpy.float32), other.astype(numpy.float32)
    shared, _ = cv2.intersectConvexConvex(one, other)
    whole = cv2.contourArea(one) + cv2.contourArea(other) - shared
    return shared / whole if whole > 0 else float(numpy.array_equal(one, other))


def same_outlines(found: list[dict], expected: dict, size: tuple[int, int], threshold: float = 0.6) -> None:
    """That lines of text are where they are expected, but for those whose score is at the threshold."""
    corners = outlines_of(found, size)
    wanted = list(zip(expected["scores"].tolist(), expected["boxes"].numpy()))

    def sides(outline: numpy.ndarray) -> list[float]:
        return [max(numpy.linalg.norm(outline[index] - outline[index - 1]), 1.0) for index in (0, 1)]

    def tolerance(outline: numpy.ndarray) -> float:
        # OpenCV's corners are off by some millionths, so that whole ones lose a row or a column of what is averaged.
        width, height = sides(outline)
        return SCORE + 0.3 * (width + height) / (width * height)

    def has_like(score: float, outline: numpy.ndarray, others: list[tuple[float, numpy.ndarray]]) -> bool:
        # Around few pixels, several rectangles are the smallest.
        enough = OVERLAP if min(sides(outline)) >= 8 else 0.4
        near = [there for other, there in others if abs(other - score) <= tolerance(outline)]
        return any(overlap_of_outlines(outline, there) > enough for there in near)

    ours = [(one["confidence"], there) for one, there in zip(found, corners)]
    for mine, others, whose in ((wanted, ours, "expected"), (ours, wanted, "found")):
        missing = [one for one in mine if one[0] > threshold + tolerance(one[1]) and not has_like(*one, others)]
        if missing:
            raise Different(f"{len(missing)} of {len(mine)} {whose} outlines have none like them: {missing[0]}")


def keep(folder: Path, photo: str, said: object) -> None:
    kept.setdefault(folder.name, {})[Path(photo).name] = said


def check_timm(program: str, folder: Path, photos: list[str], config: dict) -> None:
    network = timm.create_model(config["architecture"], num_classes=config["num_classes"], **config.get("model_args", {}))
    stored = load_file(folder / "model.safetensors")
    network.load_state_dict({name.removeprefix("timm_model."): value.float() for name, value in stored.items()})
    network.eval()
    transform = timm.data.create_transform(**timm.data.resolve_data_config(pretrained_cfg=config["pretrained_cfg"]))
    names = [f"LABEL_{index}" for index in range(config["num_classes"])]
    for photo, line in zip(photos, run(program, "apply", folder, photos)):
        logits = network(transform(Image.open(photo).convert("RGB"))[None])
        keep(folder, photo, same_class(line["predictions"], logits, names))


def check_torchvision(program: str, folder: Path, photos: list[str], manifest: dict) -> None:
    config = manifest["models"][0]["default_deployment_config_dict"]["config"]
    network = cases.TORCHVISION[folder.name]()
    network.load_state_dict(torch.load(folder / "weights.pth", weights_only=True))
    network.eval()
    names = config["labels_string"].split(",")
    if ".detection." in config["entrypoint_fcn"]:
        for photo, line in zip(photos, run(program, "apply", folder, photos, "--set", "score_threshold=0")):
            picture = Image.open(photo).convert("RGB")
            expected = network(cases.prepared(picture, config))[0]
            check_detector(folder, photo, line, expected, names, picture.size)
        return
    for photo, line in zip(photos, run(program, "apply", folder, photos)):
        picture = Image.open(photo).convert("RGB")
        pixels = cases.prepared(picture, config)
        if hasattr(network, "backbone"):
            # torchvision enlarges to the prepared picture, which is no size that a mask is wanted in.
            logits = cases.low_logits(network, pixels)
            enlarged = torch.nn.functional.interpolate(logits, picture.size[::-1], mode="bilinear", align_corners=False)
            same_mask(line["predictions"], enlarged[0].argmax(0).numpy())
        else:
            keep(folder, photo, same_class(line["predictions"], network(pixels), names))


def check_detector(folder: Path, photo: str, line: dict, expected: dict, names: list[str], size: tuple[int, int]) -> None:
    if "keypoints" in expected:
        same_objects(line["predictions_detections"]["detections"], expected, names, size)
        found = line["predictions_keypoints"]["keypoints"]
        for index, (points, scores) in enumerate(zip(expected["keypoints"], expected["keypoints_scores"].sigmoid())):
            relative = numpy.asarray(points[:, :2]) / size
            near = [numpy.abs(numpy.asarray(one["points"]) - relative).max() for one in found]
            best = int(numpy.argmin(near))
            scored = numpy.abs(numpy.asarray(found[best]["confidence"]) - scores.numpy()).max()
            if near[best] > POINTS or scored > SCORE:
                raise Different(f"the points of object {index} are off by {near[best]:.4f}, their scores by {scored:.4f}")
        return
    found = line["predictions"]["detections"]
    keep(folder, photo, same_objects(found, expected, names, size))
    for label, box, mask in zip(expected["labels"], expected["boxes"], expected.get("masks", [])):
        left, top, right, bottom = (round(float(edge)) for edge in box)
        wanted = mask[0].numpy()[top:bottom, left:right] > 0.5
        masks = [array(one["mask"]) for one in found if one["label"] == names[label]]
        differing = [(one != wanted).mean() for one in masks if one.shape == wanted.shape]
        if not differing or min(differing) > PIXELS:
            raise Different(f"{min(differing, default=1):.2%} of a mask's pixels differ")


def image_processor(folder: Path, name: str) -> transformers.BaseImageProcessor:
    """That which works on Pillow's pixels, but for models whose own one works in floating point."""
    backend = "torchvision" if name.startswith(("Owlv2", "RfDetr")) else "pil"
    return transformers.AutoImageProcessor.from_pretrained(folder, backend=backend)


def check_owl(program: str, folder: Path, photos: list[str], name: str) -> None:
    network = getattr(transformers, name).from_pretrained(folder, dtype=torch.float32).eval()
    processor = image_processor(folder, name)
    tokenizer = cases.stored_tokenizer(folder, network.config.text_config)
    names = ["cat", "house", "dog"]
    texts = tokenizer([f"a photo of a {name}" for name in names], return_tensors="pt", **cases.owl_text(network.config))
    said = run(program, "apply", folder, photos, "--set", "score_threshold=0", "--set", f"classes={','.join(names)}")
    for photo, line in zip(photos, said):
        picture = Image.open(photo).convert("RGB")
        pixels = processor(picture, return_tensors="pt")["pixel_values"]
        result = network(input_ids=texts["input_ids"], attention_mask=texts["attention_mask"], pixel_values=pixels)
        expected = processor.post_process_object_detection(result, threshold=0.0, target_sizes=[picture.size[::-1]])[0]
        sides = torch.tensor(picture.size * 2)
        boxes = expected["boxes"].clamp(min=0).minimum(sides)
        # What lies beside the picture, where it was made square, is left out.
        inside = (boxes[:, 2:] > boxes[:, :2]).all(-1)
        expected = {name: values[inside] for name, values in (expected | {"boxes": boxes}).items()}
        keep(folder, photo, same_objects(line["predictions"]["detections"], expected, names, picture.size))


def check_text(program: str, folder: Path, photos: list[str], name: str) -> None:
    network = getattr(transformers, name).from_pretrained(folder, dtype=torch.float32).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    if name.endswith("ForObjectDetection"):
        # Networks whose statistics are those of a small picture say of larger ones what single precision does not tell.
        with tempfile.TemporaryDirectory() as work:
            smaller = [str(Path(work) / f"{Path(photo).stem}.png") for photo in photos]
            for photo, path in zip(photos, smaller):
                Image.open(photo).convert("RGB").resize((96, 72), Image.LANCZOS).save(path)
            check_outlines(program, folder, smaller, network, processor)
        return
    for photo, line in zip(photos, run(program, "apply", folder, photos)):
        picture = Image.open(photo).convert("RGB")
        result = network(text_cases.prepared(processor, picture))
        expected = processor.post_process_text_recognition(result)[0]
        said = line.get("predictions") or {"label": "", "confidence": 0.0}
        if said["label"] != expected["text"] or abs(said["confidence"] - expected["score"]) > SCORE:
            raise Different(f"{said['label']!r} {said['confidence']:.4f} instead of {expected}")


def check_outlines(program: str, folder: Path, photos: list[str], network, processor) -> None:
    for photo, line in zip(photos, run(program, "apply", folder, photos, "--set", "score_threshold=0.4")):
        picture = Image.open(photo).convert("RGB")
        result = network(text_cases.prepared(processor, picture))
        sizes = torch.tensor([picture.size[::-1]], dtype=torch.float32)
        expected = processor.post_process_object_detection(result, target_sizes=sizes, box_threshold=0.4)[0]
        same_outlines(line["predictions"]["polylines"], expected, picture.size, 0.4)


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


# Persons in a picture, relative to it: one of them partly beside it.
PERSONS = [[0.1, 0.05, 0.5, 0.9], [0.55, 0.4, 0.6, 0.3], [0.3, 0.3, 0.05, 0.2]]


def check_pose(program: str, folder: Path, photos: list[str], name: str) -> None:
    network = getattr(transformers, name).from_pretrained(folder, dtype=torch.float32).eval()
    processor = image_processor(folder, name)
    experts = {"dataset_index": torch.zeros(len(PERSONS), dtype=int)} if network.config.backbone_config.num_experts > 1 else {}
    with tempfile.TemporaryDirectory() as work:
        labels = Path(work) / "persons.jsonl"
        detections = [{"_cls": "Detection", "label": "person", "bounding_box": box} for box in PERSONS]
        people = {"_cls": "Detections", "detections": detections}
        labels.write_text("".join(json.dumps({"filepath": photo, "people": people}) + "\n" for photo in photos))
        done = subprocess.run(
            [program, "apply", folder, labels, "--sample-field", "boxes=people"], capture_output=True, text=True
        )
    if done.returncode != 0:
        raise Different(f"the program ended with {done.returncode}: {done.stderr.strip()}")
    said = {line["filepath"]: line for line in map(json.loads, done.stdout.splitlines())}
    for photo in photos:
        picture = Image.open(photo).convert("RGB")
        boxes = [[[value * side for value, side in zip(box, picture.size * 2)] for box in PERSONS]]
        result = network(processor(picture, boxes=boxes, return_tensors="pt")["pixel_values"], **experts)
        expected = processor.post_process_pose_estimation(result, boxes=boxes)[0]
        for one, wanted in zip(said[photo]["predictions"]["keypoints"], expected, strict=True):
            scores = wanted["scores"].numpy()
            off = numpy.abs(numpy.asarray(one["confidence"]) - scores).max()
            points = [point for point, score in zip(one["points"], scores) if score > 0]
            there = wanted["keypoints"].numpy()[scores > 0] / picture.size
            near = numpy.abs(numpy.asarray(points, dtype=float) - there).max()
            if one["label"] != "person" or not near <= POINTS or off > SCORE * max(1.0, numpy.abs(scores).max()):
                raise Different(f"the points are off by {near:.5f}, their scores by {off:.4f}")


# On and beside the objects in these boxes, relative to the picture.
CLICKS = [
    {"points": [[0.35, 0.4], [0.95, 0.05]], "sam_labels": [1, 0]},
    {"points": [[0.8, 0.55]]},
    {"points": [[0.32, 0.4], [0.34, 0.35], [0.1, 0.9]], "sam_labels": [1, 1, 0]},
]


def check_prompts(program: str, folder: Path, photos: list[str], name: str) -> None:
    name = name.replace("Video", "")
    network = getattr(transformers, name).from_pretrained(folder, dtype=torch.float32).eval()
    if name == "SamModel":
        processor = transformers.SamProcessor(transformers.SamImageProcessorPil.from_pretrained(folder))
    else:
        processor = transformers.Sam2Processor(transformers.Sam2ImageProcessor.from_pretrained(folder))

    def expected(picture: Image.Image, several: bool, **prompts: object) -> tuple[numpy.ndarray, float]:
        """The mask of one object, the best one of several, and its score."""
        inputs = processor(picture, return_tensors="pt", **prompts)
        given = {key: value for key, value in inputs.items() if key.startswith("input_") or key == "pixel_values"}
        given = {key: value.float() if value.is_floating_point() else value for key, value in given.items()}
        result = network(multimask_output=several, **given)
        sizes = [inputs[key] for key in ("original_sizes", "reshaped_input_sizes") if key in inputs]
        masks = processor.image_processor.post_process_masks(result.pred_masks, *sizes)[0][0]
        scores = result.iou_scores[0, 0]
        best = int(scores.argmax())
        return masks[best].numpy(), min(max(float(scores[best]), 0.0), 1.0)

    in_pixels = lambda places, size: [value * size[index % 2] for index, value in enumerate(places)]
    with tempfile.TemporaryDirectory() as work:
        labels = Path(work) / "asked.jsonl"
        detections = [
            {"_cls": "Detection", "label": f"object {index}", "bounding_box": box, "index": index}
            for index, box in enumerate(PERSONS)
        ]
        keypoints = [{"_cls": "Keypoint", "index": index} | click for index, click in enumerate(CLICKS)]
        fields = {
            "around": {"_cls": "Detections", "detections": detections},
            "at": {"_cls": "Keypoints", "keypoints": keypoints},
        }
        labels.write_text("".join(json.dumps({"filepath": photo} | fields) + "\n" for photo in photos))
        for given in (["boxes=around"], ["points=at"], ["boxes=around", "points=at"]):
            options = [word for field in given for word in ("--sample-field", field)]
            done = subprocess.run([program, "apply", folder, labels, *options], capture_output=True, text=True)
            if done.returncode != 0:
                raise Different(f"the program ended with {done.returncode}: {done.stderr.strip()}")
            said = {line["filepath"]: line for line in map(json.loads, done.stdout.splitlines())}
            for photo in photos:
                picture = Image.open(photo).convert("RGB")
                size = picture.size
                found = {one["index"]: one for one in said[photo]["predictions"]["detections"]}
                for index, (box, click) in enumerate(zip(PERSONS, CLICKS)):
                    prompts = {}
                    if "boxes=around" in given:
                        x, y, width, height = in_pixels(box, size)
                        prompts["input_boxes"] = [[[x, y, x + width, y + height]]]
                    if "points=at" in given:
                        prompts["input_points"] = [[[in_pixels(point, size) for point in click["points"]]]]
                        prompts["input_labels"] = [[click.get("sam_labels", [1])]]
                    mask, score = expected(picture, "input_boxes" not in prompts, **prompts)
                    whole = numpy.zeros_like(mask)
                    if index in found:
                        one = found[index]
                        if abs(one["confidence"] - score) > SCORE:
                            raise Different(f"{given}: the score {one['confidence']:.4f} instead of {score:.4f}")
                        part = array(one["mask"])
                        left, top = (round(value * side) for value, side in zip(one["bounding_box"], size))
                        whole[top : top + part.shape[0], left : left + part.shape[1]] = part > 0
                    shared, either = (whole & mask).sum(), (whole | mask).sum()
                    if either and shared / either <= OVERLAP:
                        raise Different(f"{given}: a mask overlaps by {shared / either:.4f}")


def check_transformers(program: str, folder: Path, photos: list[str], config: dict) -> None:
    name = config["architectures"][0]
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
        if name in ("CLIPModel", "SiglipModel"):
            features = network.get_image_features(pixel_values=pixels)
            same_numbers(array(line["embeddings"]), getattr(features, "pooler_output", features)[0], "the embedding")
            continue
        result = network(pixels)
        if name.endswith("ForObjectDetection"):
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
            config, check = json.loads(manifest.read_text()), check_torchvision
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
