"""Models that are asked about what a field of a sample has: points of persons, and masks of what prompts point at."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import numpy
import torch
import transformers
from PIL import Image

from comparing import OVERLAP, POINTS, SCORE, Different, array, image_processor, run

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

    check_everything(program, folder, photos, network, processor)
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
                        whole = on_picture(one, size[::-1])
                    shared, either = (whole & mask).sum(), (whole | mask).sum()
                    if either and shared / either <= OVERLAP:
                        raise Different(f"{given}: a mask overlaps by {shared / either:.4f}")


# Points along each side of pictures all of which is asked about.
PER_SIDE = 5


def check_everything(program: str, folder: Path, photos: list[str], network: torch.nn.Module, processor) -> None:
    """The masks of what the points of a grid are at, without those that are unstable or there already."""
    more = ["--set", f"points_per_side={PER_SIDE}", "--set", "score_threshold=-100"]
    filtering = transformers.SamImageProcessorPil()
    for photo, line in zip(photos, run(program, "apply", folder, photos, *more)):
        picture = Image.open(photo).convert("RGB")
        steps = (numpy.arange(PER_SIDE) + 0.5) / PER_SIDE
        points = [[[x * picture.width, y * picture.height]] for y in steps for x in steps]
        inputs = processor(picture, input_points=[points], return_tensors="pt")
        given = {key: inputs[key].float() for key in ("pixel_values", "input_points")}
        result = network(multimask_output=True, **given)
        sizes = [inputs[key] for key in ("original_sizes", "reshaped_input_sizes") if key in inputs]
        masks = processor.image_processor.post_process_masks(result.pred_masks, *sizes, binarize=False)[0]
        whole = [0, 0, *picture.size]
        size = picture.size[::-1]
        kept = filtering.filter_masks(masks, result.iou_scores[0], size, numpy.array(whole, dtype=numpy.float32), 0.0)
        wanted, scores, _, _ = filtering.post_process_for_mask_generation(*kept, 0.7)
        found = line["predictions"]["detections"]
        if len(found) != len(wanted):
            raise Different(f"{len(found)} masks of everything instead of {len(wanted)}")
        for one, mask, score in zip(found, wanted, scores.tolist()):
            if abs(one["confidence"] - min(max(score, 0.0), 1.0)) > SCORE:
                raise Different(f"the score {one['confidence']:.4f} instead of {score:.4f}")
            shared, either = (on_picture(one, size) & mask).sum(), (on_picture(one, size) | mask).sum()
            if shared / either <= OVERLAP:
                raise Different(f"a mask of everything overlaps by {shared / either:.4f}")


def on_picture(one: dict, size: tuple[int, int]) -> numpy.ndarray:
    """The mask of an object as large as the picture."""
    whole = numpy.zeros(size, dtype=bool)
    part = array(one["mask"])
    left, top = (round(value * side) for value, side in zip(one["bounding_box"], size[::-1]))
    whole[top : top + part.shape[0], left : left + part.shape[1]] = part > 0
    return whole
