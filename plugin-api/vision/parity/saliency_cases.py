"""The models of what stands out to compare: U2-Net and IS-Net, which no package has, written down here from their papers.

The modules have the names of the authors' files of tensors, so that these are read unchanged by either side."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional

from making import Case, Golden, computed, fit_statistics, level_variances, rounded, shaken, write_manifest
from torchvision_cases import STATISTICS, prepared

# Channels between and within the blocks of each stage, on the way down and on the way up.
Widths = list[tuple[int, int]]

DOWN, UP = 6, 5
LEVELS = {1: 7, 2: 6, 3: 5, 4: 4}


class Step(torch.nn.Module):
    """A convolution, a normalisation, and no values below 0."""

    def __init__(self, inputs: int, outputs: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv_s1 = torch.nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = torch.nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.bn_s1(self.conv_s1(x)))


def halved(x: torch.Tensor) -> torch.Tensor:
    return functional.max_pool2d(x, 2, 2, ceil_mode=True)


def as_large(x: torch.Tensor, as_what: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(x, as_what.shape[2:], mode="bilinear", align_corners=False)


class Block(torch.nn.Module):
    """A small U-Net of so many levels whose result is added to its input; without a number of levels, one of a single size."""

    def __init__(self, levels: int | None, inputs: int, inner: int, outputs: int) -> None:
        super().__init__()
        self.levels, self.count = levels, levels or 4
        self.rebnconvin = Step(inputs, outputs)
        for level in range(1, self.count + 1):
            self.add_module(f"rebnconv{level}", Step(outputs if level == 1 else inner, inner, self.dilation(level)))
        for level in range(1, self.count):
            self.add_module(f"rebnconv{level}d", Step(2 * inner, outputs if level == 1 else inner, self.dilation(level)))

    def dilation(self, level: int) -> int:
        if self.levels is None:
            return 2 ** (level - 1)
        return 2 if level == self.count else 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        start = x = self.rebnconvin(x)
        down = []
        for level in range(1, self.count + 1):
            if self.levels and 1 < level < self.count:
                x = halved(x)
            x = getattr(self, f"rebnconv{level}")(x)
            down.append(x)
        for level in range(self.count - 1, 0, -1):
            same = down[level - 1]
            x = getattr(self, f"rebnconv{level}d")(torch.cat([as_large(x, same), same], 1))
        return x + start


class Network(torch.nn.Module):
    """U2-Net; with `stem` IS-Net, which sees half the rows and columns and asks the last stage only."""

    def __init__(self, down: Widths, up: Widths, stem: int | None = None) -> None:
        super().__init__()
        self.stem = stem
        if stem:
            self.conv_in = torch.nn.Conv2d(3, stem, 3, stride=2, padding=1)
        inputs = stem or 3
        for stage, (inner, outputs) in enumerate(down, 1):
            self.add_module(f"stage{stage}", Block(LEVELS.get(stage), inputs, inner, outputs))
            inputs = outputs
        for stage in range(UP, 0, -1):
            inner, outputs = up[stage - 1]
            self.add_module(f"stage{stage}d", Block(LEVELS.get(stage), inputs + down[stage - 1][1], inner, outputs))
            inputs = outputs
        for stage in range(1, DOWN + 1):
            self.add_module(f"side{stage}", torch.nn.Conv2d((up[stage - 1] if stage <= UP else down[-1])[1], 1, 3, padding=1))
        if not stem:
            self.outconv = torch.nn.Conv2d(DOWN, 1, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = self.conv_in(image) if self.stem else image
        down = []
        for stage in range(1, DOWN + 1):
            x = getattr(self, f"stage{stage}")(halved(x) if stage > 1 else x)
            down.append(x)
        sides = [as_large(self.side6(x), image)]
        for stage in range(UP, 0, -1):
            same = down[stage - 1]
            x = getattr(self, f"stage{stage}d")(torch.cat([as_large(x, same), same], 1))
            sides.insert(0, as_large(getattr(self, f"side{stage}")(x), image))
        return torch.sigmoid(sides[0] if self.stem else self.outconv(torch.cat(sides, 1)))


# What makes the network of each case, for who compares programs.
NETWORKS = {
    "u2net": lambda: Network([(2, 4), (2, 6), (4, 8), (4, 8), (4, 8), (4, 8)], [(2, 4), (2, 4), (2, 6), (4, 8), (4, 8)]),
    "u2netp": lambda: Network([(16, 64)] * DOWN, [(16, 64)] * UP),
    "is_net": lambda: Network([(2, 4), (2, 4), (2, 6), (4, 6), (4, 6), (4, 6)], [(2, 4), (2, 4), (2, 4), (2, 6), (4, 6)], 4),
    "is_net_wide": lambda: Network(
        [(16, 32), (16, 64), (32, 64), (32, 96), (64, 96), (64, 96)], [(8, 32), (16, 32), (32, 64), (32, 64), (64, 96)], 32
    ),
}

# What a repository with IS-Net on Hugging Face says of it: the class is the authors' own, `model_type` that of another network.
IS_NET = {
    "architectures": ["BriaRMBG"],
    "auto_map": {"AutoModelForImageSegmentation": "briarmbg.BriaRMBG"},
    "in_ch": 3,
    "out_ch": 1,
    "model_type": "SegformerForSemanticSegmentation",
}


def of_u2net(picture: Image.Image, side: tuple[int, int]) -> torch.Tensor:
    """A picture in parts of its largest value, normalised by ImageNet's numbers; `side` is height and width."""
    pixels = torch.frombuffer(bytearray(picture.resize(side[::-1], Image.BILINEAR).tobytes()), dtype=torch.uint8)
    pixels = pixels.reshape(*side, 3).permute(2, 0, 1).float()
    mean, deviation = (torch.tensor(values)[:, None, None] for values in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    return ((pixels / pixels.max() - mean) / deviation)[None]


def of_is_net(picture: Image.Image, side: tuple[int, int]) -> torch.Tensor:
    """A picture that is resized without a filter, with values around 0."""
    pixels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    pixels = pixels.reshape(picture.height, picture.width, 3).permute(2, 0, 1)[None].float()
    return functional.interpolate(pixels, side, mode="bilinear", align_corners=False) / 255 - 0.5


def made(name: str, pixels: torch.Tensor) -> tuple[torch.nn.Module, Golden]:
    """The network of a case, and what it says of a picture."""
    network = shaken(NETWORKS[name]())
    for key, value in network.named_parameters():
        if key.endswith("rebnconv1d.bn_s1.weight"):
            # A block of many adds a part only, as in trained networks, so that rounding does not grow.
            value.data *= 0.3
    fit_statistics(network, torch.cat([pixels, -0.7 * pixels]))
    level_variances(network)
    rounded(network)
    return network, computed(network, pixels, lambda pixels: {"saliency": network(pixels)})


def of_class(name: str, entrypoint: str, small: bool = True, **settings: object) -> Case:
    """A file of tensors with a manifest that names the class of its network; without `settings` of how pictures are prepared,
    that is the authors' way."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        pixels = prepared(picture, settings) if settings else of_u2net(picture, (320, 320))
        network, golden = made(name, pixels)
        torch.save(network.half().state_dict(), folder / "weights.pth", _use_new_zipfile_serialization=False)
        write_manifest(folder, name, {"entrypoint_fcn": entrypoint} | settings)
        return golden

    return Case(name, write, small)


def of_repository(name: str, side: tuple[int, int], small: bool = True) -> Case:
    """A repository of Hugging Face with a class of its authors' own."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        network, golden = made(name, of_is_net(picture, side))
        processor = {
            "do_normalize": True,
            "do_rescale": True,
            "do_resize": True,
            "feature_extractor_type": "ImageFeatureExtractor",
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [1, 1, 1],
            "resample": 2,
            "rescale_factor": 0.00392156862745098,
            "size": {"height": side[0], "width": side[1]},
        }
        (folder / "config.json").write_text(json.dumps(IS_NET, indent=2))
        (folder / "preprocessor_config.json").write_text(json.dumps(processor, indent=2))
        save_file(network.half().state_dict(), folder / "model.safetensors")
        return golden

    return Case(name, write, small)


CASES = [
    of_class("u2net", "model.U2NET", image_size=[75, 91], **STATISTICS),
    of_class("u2netp", "model.u2net.U2NETP", small=False),
    of_repository("is_net", (75, 91)),
    of_repository("is_net_wide", (160, 128), small=False),
]
