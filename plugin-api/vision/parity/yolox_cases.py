"""The models of YOLOX's authors to compare, which no package has: the network is written down here from the paper.

The modules have the names of the authors' files of tensors, so that these are read unchanged by either side."""

from __future__ import annotations

from pathlib import Path

import numpy
import torch
import torchvision
from PIL import Image
from torch.nn import functional

from making import Case, Golden, computed, fit_statistics, level_variances, rounded, shaken, write_manifest

STRIDES = (8, 16, 32)
GREY = 114
EPSILON = 1e-3

# A network that has seen none like them says of photographs what rounding decides.
PHOTOS = Path(__file__).resolve().parents[3] / "examples/photos"


class Unit(torch.nn.Module):
    """A convolution, a normalisation and an activation."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = torch.nn.BatchNorm2d(outputs, eps=EPSILON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.silu(self.bn(self.conv(x)))


class Apart(torch.nn.Module):
    """The same with a convolution of each channel by itself, and one of single pixels."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.dconv = Unit(inputs, inputs, kernel, stride, inputs)
        self.pconv = Unit(inputs, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.pconv(self.dconv(x))


class Block(torch.nn.Module):
    def __init__(self, wide: type, channels: int, adds: bool) -> None:
        super().__init__()
        self.conv1, self.conv2, self.adds = Unit(channels, channels), wide(channels, channels, 3), adds

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = self.conv2(self.conv1(x))
        return made + x if self.adds else made


class Partial(torch.nn.Module):
    def __init__(self, wide: type, inputs: int, outputs: int, blocks: int, adds: bool) -> None:
        super().__init__()
        half = outputs // 2
        self.conv1, self.conv2, self.conv3 = Unit(inputs, half), Unit(inputs, half), Unit(2 * half, outputs)
        self.m = torch.nn.Sequential(*[Block(wide, half, adds) for _ in range(blocks)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv3(torch.cat([self.m(self.conv1(x)), self.conv2(x)], 1))


class Pooled(torch.nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = Unit(channels, channels // 2), Unit(channels // 2 * 4, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv1(x)
        return self.conv2(torch.cat([x] + [functional.max_pool2d(x, side, 1, side // 2) for side in (5, 9, 13)], 1))


class Stem(torch.nn.Module):
    """Pixels of every second row and column beside each other: the even ones, those below, those beside, and those of both."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.conv = Unit(12, outputs, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kinds = [x[..., row::2, column::2] for row, column in ((0, 0), (1, 0), (0, 1), (1, 1))]
        return self.conv(torch.cat(kinds, 1))


class Darknet(torch.nn.Module):
    def __init__(self, wide: type, width: int, blocks: int) -> None:
        super().__init__()
        self.stem = Stem(width)
        for stage in range(2, 6):
            inputs, outputs = width * 2 ** (stage - 2), width * 2 ** (stage - 1)
            count = 3 * blocks if stage in (3, 4) else blocks
            layers = [wide(inputs, outputs, 3, 2)]
            layers += [Pooled(outputs)] if stage == 5 else []
            layers.append(Partial(wide, outputs, outputs, count, stage != 5))
            self.add_module(f"dark{stage}", torch.nn.Sequential(*layers))

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        maps = [self.dark2(self.stem(x))]
        for stage in (self.dark3, self.dark4, self.dark5):
            maps.append(stage(maps[-1]))
        return maps[1:]


class Pyramid(torch.nn.Module):
    def __init__(self, wide: type, width: int, blocks: int) -> None:
        super().__init__()
        fine, middle, coarse = (width * factor for factor in (4, 8, 16))
        self.backbone = Darknet(wide, width, blocks)
        self.lateral_conv0, self.reduce_conv1 = Unit(coarse, middle), Unit(middle, fine)
        self.C3_p4, self.C3_p3 = Partial(wide, 2 * middle, middle, blocks, False), Partial(wide, 2 * fine, fine, blocks, False)
        self.bu_conv2, self.bu_conv1 = wide(fine, fine, 3, 2), wide(middle, middle, 3, 2)
        self.C3_n3 = Partial(wide, 2 * fine, middle, blocks, False)
        self.C3_n4 = Partial(wide, 2 * middle, coarse, blocks, False)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        larger = lambda x: functional.interpolate(x, scale_factor=2, mode="nearest")
        fine, middle, coarse = self.backbone(x)
        from_coarse = self.lateral_conv0(coarse)
        from_middle = self.reduce_conv1(self.C3_p4(torch.cat([larger(from_coarse), middle], 1)))
        fine = self.C3_p3(torch.cat([larger(from_middle), fine], 1))
        middle = self.C3_n3(torch.cat([self.bu_conv2(fine), from_middle], 1))
        coarse = self.C3_n4(torch.cat([self.bu_conv1(middle), from_coarse], 1))
        return [fine, middle, coarse]


class Head(torch.nn.Module):
    def __init__(self, wide: type, width: int, classes: int) -> None:
        super().__init__()
        inner = width * 4
        each = lambda make: torch.nn.ModuleList(make(inputs) for inputs in (inner, 2 * inner, 4 * inner))
        self.stems = each(lambda inputs: Unit(inputs, inner))
        self.cls_convs = each(lambda _: torch.nn.Sequential(wide(inner, inner, 3), wide(inner, inner, 3)))
        self.reg_convs = each(lambda _: torch.nn.Sequential(wide(inner, inner, 3), wide(inner, inner, 3)))
        self.cls_preds = each(lambda _: torch.nn.Conv2d(inner, classes, 1))
        self.reg_preds = each(lambda _: torch.nn.Conv2d(inner, 4, 1))
        self.obj_preds = each(lambda _: torch.nn.Conv2d(inner, 1, 1))

    def forward(self, maps: list[torch.Tensor]) -> list[tuple[torch.Tensor, ...]]:
        found = []
        for level, x in enumerate(maps):
            x = self.stems[level](x)
            classified, located = self.cls_convs[level](x), self.reg_convs[level](x)
            found.append((self.cls_preds[level](classified), self.obj_preds[level](located), self.reg_preds[level](located)))
        return found


class Network(torch.nn.Module):
    """Of each map the logits of classes, that of any object, and how the edges differ."""

    def __init__(self, width: int, blocks: int, classes: int, is_apart: bool = False) -> None:
        super().__init__()
        wide = Apart if is_apart else Unit
        self.backbone, self.head = Pyramid(wide, width, blocks), Head(wide, width, classes)

    def forward(self, x: torch.Tensor) -> list[tuple[torch.Tensor, ...]]:
        return self.head(self.backbone(x))


def letterboxed(picture: Image.Image, side: int) -> torch.Tensor:
    """Blue, green and red bytes of a picture whose longer side is `side`, with grey at the right or at the bottom."""
    import cv2

    scale = min(side / picture.height, side / picture.width)
    size = int(picture.width * scale), int(picture.height * scale)
    pixels = numpy.full((side, side, 3), GREY, dtype=numpy.uint8)
    pixels[: size[1], : size[0]] = cv2.resize(numpy.asarray(picture)[..., ::-1], size, interpolation=cv2.INTER_LINEAR)
    return torch.from_numpy(pixels.astype(numpy.float32)).permute(2, 0, 1)[None]


def objects(network: torch.nn.Module, picture: Image.Image, side: int, threshold: float, overlap: float) -> dict[str, torch.Tensor]:
    """What a network finds in a picture, in its pixels."""
    boxes, scores = [], []
    for (classes, is_object, edges), stride in zip(network(letterboxed(picture, side)), STRIDES):
        rows, columns = torch.meshgrid(*[torch.arange(length) for length in classes.shape[2:]], indexing="ij")
        places = torch.stack([columns, rows])
        centre, size = (edges[0, :2] + places) * stride, edges[0, 2:].exp() * stride
        boxes.append(torch.cat([centre - size / 2, centre + size / 2]).flatten(1).T)
        scores.append((is_object.sigmoid() * classes.sigmoid())[0].flatten(1).T)
    boxes, (scores, labels) = torch.cat(boxes), torch.cat(scores).max(1)
    sure = scores >= threshold
    boxes, scores, labels = boxes[sure], scores[sure], labels[sure]
    kept = torchvision.ops.batched_nms(boxes, scores, labels, overlap)
    boxes = boxes[kept] / min(side / picture.height, side / picture.width)
    boxes = boxes.clamp(min=0).minimum(torch.tensor(picture.size * 2))
    # What lies beside the picture, where it was made square, is left out.
    inside = (boxes[:, 2:] > boxes[:, :2]).all(-1)
    return {"boxes": boxes[inside], "scores": scores[kept][inside], "labels": labels[kept][inside]}


# What makes the network of each case, for who compares programs.
NETWORKS = {
    "yolox": lambda: Network(4, 1, 3),
    "yolox_apart": lambda: Network(16, 1, 3, True),
    "yolox_deeper": lambda: Network(16, 2, 5),
}


def temper(network: Network, pixels: torch.Tensor) -> None:
    """Boxes of sizes, and classes of probabilities, that trained networks give: as many places are objects as are none."""
    for level, found in enumerate(network(pixels)):
        for values, modules, spread in zip(found, (network.head.cls_preds, network.head.obj_preds, network.head.reg_preds), (2, 2, 0.5)):
            modules[level].weight.data *= spread / values.std()
            modules[level].bias.data.zero_()


def of_yolox(name: str, function: str, side: int, classes: int, small: bool = False) -> Case:
    """A checkpoint of training as its authors publish it, with a manifest that names the function."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        network = shaken(NETWORKS[name]())
        for key, value in network.named_parameters():
            if ".m." in key and ".conv2." in key and key.endswith("bn.weight"):
                # A block of many adds a part only, as in trained networks, so that rounding does not grow.
                value.data *= 0.3
        pixels = letterboxed(picture, side)
        pictures = [pixels] + [letterboxed(Image.open(path).convert("RGB"), side) for path in sorted(PHOTOS.glob("*.jpg"))]
        fit_statistics(network, torch.cat(pictures))
        level_variances(network)
        temper(network, torch.cat(pictures))
        rounded(network)

        def compute(pixels: torch.Tensor) -> Golden:
            found = {}
            for level, (classified, is_object, edges) in enumerate(network(pixels)):
                found |= {f"logits.{level}": torch.cat([classified, is_object], 1), f"differences.{level}": edges}
            return found

        golden = computed(network, pixels, compute)
        state = {"start_epoch": 300, "model": network.half().state_dict(), "optimizer": {"state": {}, "param_groups": []}}
        torch.save(state, folder / "weights.pth", _use_new_zipfile_serialization=not small)
        names = ",".join(f"class {index}" for index in range(classes))
        arguments = {"num_classes": classes, "test_size": [side, side], "test_conf": 0.6, "nmsthre": 0.45}
        write_manifest(folder, name, {"entrypoint_fcn": function, "entrypoint_args": arguments, "labels_string": names})
        blue_first = torch.from_numpy(numpy.asarray(picture)[..., ::-1].astype(numpy.float32)).permute(2, 0, 1)[None] / 255
        return golden | {"pixels": blue_first}

    return Case(name, write, small)


CASES = [
    of_yolox("yolox", "yolox.models.yolox_s", 96, 3, small=True),
    of_yolox("yolox_apart", "yolox.models.build.yolox_nano", 96, 3),
    of_yolox("yolox_deeper", "yolox.models.yolox_m", 96, 5),
]
