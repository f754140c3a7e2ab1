"""NanoDet-g to compare, which no package has: the network is written down here from its authors' configuration.

The convolutions are numbered as in its exported files, so that these are read unchanged by either side."""

from __future__ import annotations

from pathlib import Path

import numpy
import torch
import torchvision
from PIL import Image
from torch.nn import functional

from making import Case, Golden, computed, rounded, shaken, write_manifest

STRIDES = (8, 16, 32)
BINS = 11
MEAN, DEVIATION = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)
PHOTOS = Path(__file__).resolve().parents[3] / "examples/photos"


class Network(torch.nn.Module):
    """Blue, green and red bytes to a map of each stride: logits of the classes, then of the distributions of four distances."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.classes, self.count = classes, 0
        self.add(3, width, 3, 2)
        inputs = width
        for outputs, stride, pairs in ((width, 1, 1), (2 * width, 2, 2), (4 * width, 2, 2), (8 * width, 2, 3)):
            self.add(inputs, outputs, 3, stride)
            for _ in range(pairs):
                self.add(outputs, outputs // 2, 3, 1)
                self.add(outputs // 2, outputs // 2, 3, 1)
            self.add(outputs, outputs, 3, 1)
            inputs = 2 * outputs
        for inputs in (16 * width, 8 * width, 4 * width):
            self.add(inputs, 4 * width, 1, 1)
        for _ in STRIDES:
            self.add(4 * width, 4 * width, 3, 1)
            self.add(4 * width, classes + 4 * BINS, 1, 1)

    def add(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        self.add_module(f"conv{self.count}", torch.nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2))
        self.count += 1

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        numbers = iter(range(self.count))
        plain = lambda x: self.get_submodule(f"conv{next(numbers)}")(x)
        active = lambda x: functional.leaky_relu(plain(x), 0.1)

        def stage(x: torch.Tensor, pairs: int) -> torch.Tensor:
            x = entry = active(x)
            for _ in range(pairs):
                first = active(x)
                x = torch.cat([active(first), first], 1)
            return torch.cat([active(x), entry], 1)

        resized = lambda x, like: functional.interpolate(x, like.shape[2:], mode="bilinear", align_corners=False)
        column = lambda values: torch.tensor(values, dtype=x.dtype)[:, None, None]
        x = functional.max_pool2d(active((x - column(MEAN)) / column(DEVIATION)), 3, 2, 1)
        maps = []
        for pairs in (1, 2, 2, 3):
            x = stage(x, pairs)
            maps.append(x)
        coarse, middle, fine = (plain(x) for x in maps[:0:-1])
        down = middle + resized(coarse, middle)
        fine = fine + resized(down, fine)
        middle = down + resized(fine, down)
        coarse = coarse + resized(middle, coarse)
        return [plain(active(x)) for x in (coarse, middle, fine)][::-1]


def stretched(picture: Image.Image, size: tuple[int, int]) -> torch.Tensor:
    """Blue, green and red bytes of a picture of this height and width, whatever its aspect ratio."""
    import cv2

    pixels = cv2.resize(numpy.asarray(picture)[..., ::-1], size[::-1], interpolation=cv2.INTER_LINEAR)
    return torch.from_numpy(pixels.astype(numpy.float32)).permute(2, 0, 1)[None]


def distances(network: Network, map: torch.Tensor) -> torch.Tensor:
    """How many places the left, the upper, the right and the lower edge are away: a map of four channels."""
    logits = map[:, network.classes :].unflatten(1, (4, BINS))
    return (logits.softmax(2) * torch.arange(BINS, dtype=map.dtype)[:, None, None]).sum(2)


def objects(network: Network, picture: Image.Image, size: list[int], threshold: float, overlap: float) -> dict[str, torch.Tensor]:
    """What a network finds in a picture, in its pixels."""
    boxes, scores, labels = [], [], []
    for map, stride in zip(network(stretched(picture, tuple(size))), STRIDES):
        rows, columns = torch.meshgrid(*[torch.arange(length) for length in map.shape[2:]], indexing="ij")
        middle = (torch.stack([columns, rows]).flatten(1).T + 0.5) * stride
        away = distances(network, map)[0].flatten(1).T * stride
        corners = torch.cat([middle - away[:, :2], middle + away[:, 2:]], 1)
        corners = corners.clamp(min=0).minimum(torch.tensor([size[1], size[0]]).repeat(2))
        sure = map[0, : network.classes].sigmoid().flatten(1).T
        place, label = (sure > threshold).nonzero().T
        boxes.append(corners[place])
        scores.append(sure[place, label])
        labels.append(label)
    boxes, scores, labels = torch.cat(boxes), torch.cat(scores), torch.cat(labels)
    kept = torchvision.ops.batched_nms(boxes, scores, labels, overlap)
    larger = torch.tensor([picture.width / size[1], picture.height / size[0]]).repeat(2)
    return {"boxes": boxes[kept] * larger, "scores": scores[kept], "labels": labels[kept]}


# What makes the network of each case, for who compares programs.
NETWORKS = {"nanodet": lambda: Network(4, 3), "nanodet_wide": lambda: Network(8, 5)}


def temper(network: Network, pixels: torch.Tensor) -> None:
    """Values that neither grow nor vanish from layer to layer, and as many objects as there are none."""
    convolutions = [network.get_submodule(f"conv{index}") for index in range(network.count)]
    for convolution in convolutions:
        seen: list[torch.Tensor] = []
        hook = convolution.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
        network(pixels)
        hook.remove()
        convolution.weight.data /= seen[0].std()
        convolution.bias.data /= seen[0].std()


def of_nanodet(name: str, function: str, size: list[int], classes: int, small: bool = False) -> Case:
    """Weights as they are exported, with a manifest that names the function."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        network = shaken(NETWORKS[name]())
        pixels = stretched(picture, tuple(size))
        photos = [stretched(Image.open(path).convert("RGB"), tuple(size)) for path in sorted(PHOTOS.glob("*.jpg"))]
        temper(network, torch.cat([pixels] + photos))
        rounded(network)

        def compute(pixels: torch.Tensor) -> Golden:
            found = {}
            for level, map in enumerate(network(pixels)):
                found |= {f"logits.{level}": map[:, :classes], f"differences.{level}": distances(network, map)}
            return found

        golden = computed(network, pixels, compute)
        torch.save(network.half().state_dict(), folder / "weights.pth")
        names = ",".join(f"class {index}" for index in range(classes))
        arguments = {"num_classes": classes, "input_size": size, "score_thr": 0.85, "iou_threshold": 0.5}
        write_manifest(folder, name, {"entrypoint_fcn": function, "entrypoint_args": arguments, "labels_string": names})
        blue_first = torch.from_numpy(numpy.asarray(picture)[..., ::-1].astype(numpy.float32)).permute(2, 0, 1)[None] / 255
        return golden | {"pixels": blue_first}

    return Case(name, write, small)


CASES = [
    of_nanodet("nanodet", "nanodet_g", [96, 96], 3, small=True),
    of_nanodet("nanodet_wide", "nanodet.model.nanodet_g", [64, 96], 5),
]
