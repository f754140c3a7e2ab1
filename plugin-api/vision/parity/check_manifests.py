"""Models that a manifest describes: those of torchvision, and those of other authors that no package has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy
import torch
from PIL import Image
from safetensors.torch import load_file

import nanodet_cases
import saliency_cases
import torchvision_cases
import yolox_cases
from comparing import PIXELS, POINTS, SCORE, Different, array, keep, run, same_class, same_mask, same_numbers, same_objects


def check_manifest(program: str, folder: Path, photos: list[str], manifest: dict) -> None:
    config = manifest["models"][0]["default_deployment_config_dict"]["config"]
    if folder.name in saliency_cases.NETWORKS:
        prepare = lambda picture: torchvision_cases.prepared(picture, config)
        if "image_size" not in config:
            prepare = lambda picture: saliency_cases.of_u2net(picture, (320, 320))
        check_saliency(program, folder, photos, prepare, torch.load(folder / "weights.pth", weights_only=True))
    elif folder.name in yolox_cases.NETWORKS:
        check_yolox(program, folder, photos, config)
    elif folder.name in nanodet_cases.NETWORKS:
        check_nanodet(program, folder, photos, config)
    else:
        check_torchvision(program, folder, photos, config)


def check_saliency(program: str, folder: Path, photos: list[str], prepare: Callable, state: dict) -> None:
    network = saliency_cases.NETWORKS[folder.name]()
    network.load_state_dict(state)
    network.eval()
    for photo, line in zip(photos, run(program, "apply", folder, photos)):
        said = network(prepare(Image.open(photo).convert("RGB")))[0, 0]
        spread = (said - said.min()) / (said.max() - said.min())
        same_numbers(array(line["predictions"]["map"]), spread, "what stands out")


def check_is_net(program: str, folder: Path, photos: list[str]) -> None:
    """A repository of Hugging Face with a class of its authors' own."""
    size = json.loads((folder / "preprocessor_config.json").read_text())["size"]
    prepare = lambda picture: saliency_cases.of_is_net(picture, (size["height"], size["width"]))
    stored = load_file(folder / "model.safetensors")
    check_saliency(program, folder, photos, prepare, {name: value.float() for name, value in stored.items()})


def check_yolox(program: str, folder: Path, photos: list[str], config: dict) -> None:
    network = yolox_cases.NETWORKS[folder.name]()
    network.load_state_dict(torch.load(folder / "weights.pth", weights_only=True)["model"])
    network.eval()
    arguments, names = config["entrypoint_args"], config["labels_string"].split(",")
    for photo, line in zip(photos, run(program, "apply", folder, photos)):
        picture = Image.open(photo).convert("RGB")
        side, threshold, overlap = (arguments[key] for key in ("test_size", "test_conf", "nmsthre"))
        expected = yolox_cases.objects(network, picture, side[0], threshold, overlap)
        keep(folder, photo, same_objects(line["predictions"]["detections"], expected, names, picture.size))


def check_nanodet(program: str, folder: Path, photos: list[str], config: dict) -> None:
    network = nanodet_cases.NETWORKS[folder.name]()
    network.load_state_dict(torch.load(folder / "weights.pth", weights_only=True))
    network.eval()
    arguments, names = config["entrypoint_args"], config["labels_string"].split(",")
    size, threshold, overlap = (arguments[key] for key in ("input_size", "score_thr", "iou_threshold"))
    for photo, line in zip(photos, run(program, "apply", folder, photos)):
        picture = Image.open(photo).convert("RGB")
        expected = nanodet_cases.objects(network, picture, size, threshold, overlap)
        keep(folder, photo, same_objects(line["predictions"]["detections"], expected, names, picture.size))


def check_torchvision(program: str, folder: Path, photos: list[str], config: dict) -> None:
    network = torchvision_cases.TORCHVISION[folder.name]()
    network.load_state_dict(torch.load(folder / "weights.pth", weights_only=True))
    network.eval()
    names = config["labels_string"].split(",")
    if ".detection." in config["entrypoint_fcn"]:
        for photo, line in zip(photos, run(program, "apply", folder, photos, "--set", "score_threshold=0")):
            picture = Image.open(photo).convert("RGB")
            expected = network(torchvision_cases.prepared(picture, config))[0]
            check_detector(folder, photo, line, expected, names, picture.size)
        return
    for photo, line in zip(photos, run(program, "apply", folder, photos)):
        picture = Image.open(photo).convert("RGB")
        pixels = torchvision_cases.prepared(picture, config)
        if hasattr(network, "backbone"):
            # torchvision enlarges to the prepared picture, which is no size that a mask is wanted in.
            logits = torchvision_cases.low_logits(network, pixels)
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
