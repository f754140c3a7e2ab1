"""The networks in torch: torchvision's own where it has them, else as their projects describe them, with the parameter
names of this project's weights. Weights are trained where the repository has some, and random otherwise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import torch
import torchvision
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

import published
from published import Published, Reading

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Entry:
    """A network of the comparison."""

    title: str
    make: Callable[[], nn.Module] | Published
    size: int
    # Trained weights in the repository, or None for random ones.
    weights: str | None = None
    # Whether the output is a score for each class.
    classes: bool = False

    def module(self) -> nn.Module:
        """The network with its weights, ready for inference."""
        torch.manual_seed(0)
        if isinstance(self.make, Published):
            network = self.make.make().eval()
            randomize_normalizations(network)
            return Reading(network, self.make.read)
        module = self.make().eval()
        if self.weights is None:
            randomize_normalizations(module)
        else:
            tensors = load_file(REPOSITORY / self.weights)
            module.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, strict=False)
            missing = {
                name
                for name in set(module.state_dict()) - set(tensors)
                if not name.endswith("num_batches_tracked")
            }
            if missing:
                raise ValueError(f"{self.weights} lacks {sorted(missing)}")
        return module


def randomize_normalizations(module: nn.Module) -> None:
    """Gives batch normalisations statistics as trained ones have them: those of a new module change nothing."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.9, 1.1)
            nn.init.uniform_(part.bias, -0.05, 0.05)
            nn.init.uniform_(part.running_mean, -0.05, 0.05)
            nn.init.uniform_(part.running_var, 0.9, 1.1)


class Numbered(nn.Module):
    """A network whose convolutions are numbered in the order in which they are made: conv0, conv1, ..."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def conv(self, inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Module:
        padding = dilation * (kernel // 2)
        made = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation)
        self.add_module(f"conv{self.count}", made)
        self.count += 1
        return made


class NanoDetG(Numbered):
    """NanoDet-g: CSP backbone, path aggregation neck, a head for each of three scales; logits as tokens."""

    def __init__(self) -> None:
        super().__init__()
        stem = self.conv(3, 32, 3, 2)
        stages = []
        inputs = 32
        for channels, stride, pairs in [(32, 1, 1), (64, 2, 2), (128, 2, 2), (256, 2, 3)]:
            entry = self.conv(inputs, channels, 3, stride)
            half = channels // 2
            halves = [(self.conv(channels, half, 3), self.conv(half, half, 3)) for _ in range(pairs)]
            stages.append((entry, halves, self.conv(channels, channels, 3)))
            inputs = 2 * channels
        laterals = [self.conv(channels, 128, 1) for channels in (512, 256, 128)]
        heads = [(self.conv(128, 128, 3), self.conv(128, 124, 1)) for _ in range(3)]
        # Tuples keep the modules from being registered under second names.
        self.parts = (stem, tuple(stages), tuple(laterals), tuple(heads))

    @staticmethod
    def act(x: torch.Tensor) -> torch.Tensor:
        return F.leaky_relu(x, 0.1)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        stem, stages, laterals, heads = self.parts
        x = F.max_pool2d(self.act(stem(image)), 3, 2, 1)
        scales = []
        for entry, halves, last in stages:
            x = entered = self.act(entry(x))
            for first, second in halves:
                one = self.act(first(x))
                x = torch.cat([self.act(second(one)), one], 1)
            x = torch.cat([self.act(last(x)), entered], 1)
            scales.append(x)
        lateral32, lateral16, lateral8 = (
            lateral(scale) for lateral, scale in zip(laterals, reversed(scales[1:]))
        )
        down16 = add_resized(lateral16, lateral32)
        out8 = add_resized(lateral8, down16)
        out16 = add_resized(down16, out8)
        out32 = add_resized(lateral32, out16)
        tokens = [
            last(self.act(first(out))).flatten(2).transpose(1, 2)
            for (first, last), out in zip(heads, (out32, out16, out8))
        ]
        return tuple(reversed(tokens))


def resize(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, like.shape[2:], mode="bilinear", align_corners=False)


def add_resized(x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return x + resize(other, x)


class U2NetP(Numbered):
    """U2-Netp: a U of U-shaped blocks; the saliency of the fused side outputs."""

    LEVELS = (6, 5, 4, 3)

    def __init__(self) -> None:
        super().__init__()
        encoder = [self.block(3 if stage == 0 else 64, levels) for stage, levels in enumerate(self.LEVELS)]
        encoder += [self.dilated_block(64), self.dilated_block(64)]
        decoder = [self.dilated_block(128)] + [self.block(128, levels) for levels in reversed(self.LEVELS)]
        sides = [self.conv(64, 1, 3) for _ in range(6)]
        self.parts = (tuple(encoder), tuple(decoder), tuple(sides), self.conv(6, 1, 1))

    def block(self, inputs: int, levels: int) -> Callable:
        entry = self.conv(inputs, 64, 3)
        down = [self.conv(64 if level == 0 else 16, 16, 3) for level in range(levels)]
        bottom = self.conv(16, 16, 3, dilation=2)
        up = [self.conv(32, 64 if level == 0 else 16, 3) for level in reversed(range(levels))]

        def run(x: torch.Tensor) -> torch.Tensor:
            x = entered = F.relu(entry(x))
            skips = []
            for level, conv in enumerate(down):
                x = F.relu(conv(halve(x) if level else x))
                skips.append(x)
            x = F.relu(bottom(x))
            for step, conv in enumerate(up):
                skip = skips.pop()
                x = resize(x, skip) if step else x
                x = F.relu(conv(torch.cat([x, skip], 1)))
            return x + entered

        return run

    def dilated_block(self, inputs: int) -> Callable:
        entry = self.conv(inputs, 64, 3)
        first = self.conv(64, 16, 3)
        middle = [self.conv(16, 16, 3, dilation=dilation) for dilation in (2, 4, 8)]
        up = [self.conv(32, outputs, 3, dilation=dilation) for outputs, dilation in ((16, 4), (16, 2), (64, 1))]

        def run(x: torch.Tensor) -> torch.Tensor:
            entered = F.relu(entry(x))
            kept = [F.relu(first(entered))]
            for conv in middle:
                kept.append(F.relu(conv(kept[-1])))
            x = kept.pop()
            for conv in up:
                x = F.relu(conv(torch.cat([x, kept.pop()], 1)))
            return x + entered

        return run

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        encoder, decoder, sides, fuse = self.parts
        encoded = []
        x = image
        for block in encoder:
            x = block(halve(x) if encoded else x)
            encoded.append(x)
        decoded = [encoded.pop()]
        for block in decoder:
            skip = encoded.pop()
            decoded.append(block(torch.cat([resize(decoded[-1], skip), skip], 1)))
        maps = [resize(side(x), image) for side, x in zip(sides, reversed(decoded))]
        return torch.sigmoid(fuse(torch.cat(maps, 1)))


def halve(x: torch.Tensor) -> torch.Tensor:
    return F.max_pool2d(x, 2, 2, ceil_mode=True)


class Conv(nn.Module):
    """YOLOv8's convolution, normalisation and SiLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)
        nn.init.kaiming_uniform_(self.conv.weight, nonlinearity="relu")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.silu(self.bn(self.conv(x)), inplace=True)


class Bottleneck(nn.Module):
    def __init__(self, channels: int, residual: bool) -> None:
        super().__init__()
        self.cv1 = Conv(channels, channels, 3)
        self.cv2 = Conv(channels, channels, 3)
        self.residual = residual

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.cv2(self.cv1(x))
        return x + y if self.residual else y


class CrossStage(nn.Module):
    """YOLOv8's C2f."""

    def __init__(self, inputs: int, outputs: int, count: int, residual: bool) -> None:
        super().__init__()
        self.cv1 = Conv(inputs, outputs, 1)
        self.cv2 = Conv((2 + count) * (outputs // 2), outputs, 1)
        self.m = nn.ModuleList(Bottleneck(outputs // 2, residual) for _ in range(count))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = list(self.cv1(x).chunk(2, 1))
        for part in self.m:
            parts.append(part(parts[-1]))
        return self.cv2(torch.cat(parts, 1))


class PyramidPooling(nn.Module):
    """YOLOv8's SPPF."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cv1 = Conv(channels, channels // 2, 1)
        self.cv2 = Conv(2 * channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = [self.cv1(x)]
        for _ in range(3):
            parts.append(F.max_pool2d(parts[-1], 5, 1, 2))
        return self.cv2(torch.cat(parts, 1))


class Upsample(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.interpolate(x, scale_factor=2, mode="nearest")


class Detect(nn.Module):
    """YOLOv8's heads without the decoding: logits of distances and classes, one token a cell."""

    def __init__(self, channels: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.cv2 = nn.ModuleList(self.branch(inputs, 64, 64) for inputs in channels)
        self.cv3 = nn.ModuleList(self.branch(inputs, 80, classes) for inputs in channels)

    @staticmethod
    def branch(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(Conv(inputs, hidden, 3), Conv(hidden, hidden, 3), nn.Conv2d(hidden, outputs, 1))

    def forward(self, scales: list[torch.Tensor]) -> torch.Tensor:
        tokens = [
            torch.cat([boxes(x), scores(x)], 1).flatten(2).transpose(1, 2)
            for x, boxes, scores in zip(scales, self.cv2, self.cv3)
        ]
        return torch.cat(tokens, 1)


class YoloV8n(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = nn.ModuleList(
            [
                Conv(3, 16, 3, 2),
                Conv(16, 32, 3, 2),
                CrossStage(32, 32, 1, True),
                Conv(32, 64, 3, 2),
                CrossStage(64, 64, 2, True),
                Conv(64, 128, 3, 2),
                CrossStage(128, 128, 2, True),
                Conv(128, 256, 3, 2),
                CrossStage(256, 256, 1, True),
                PyramidPooling(256),
                Upsample(),
                nn.Identity(),
                CrossStage(384, 128, 1, False),
                Upsample(),
                nn.Identity(),
                CrossStage(192, 64, 1, False),
                Conv(64, 64, 3, 2),
                nn.Identity(),
                CrossStage(192, 128, 1, False),
                Conv(128, 128, 3, 2),
                nn.Identity(),
                CrossStage(384, 256, 1, False),
                Detect((64, 128, 256), 80),
            ]
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        m = self.model
        fine = m[4](m[3](m[2](m[1](m[0](image)))))
        middle = m[6](m[5](fine))
        coarse = m[9](m[8](m[7](middle)))
        up16 = m[12](torch.cat([m[10](coarse), middle], 1))
        out8 = m[15](torch.cat([m[13](up16), fine], 1))
        out16 = m[18](torch.cat([m[16](out8), up16], 1))
        out32 = m[21](torch.cat([m[19](out16), coarse], 1))
        return m[22]([out8, out16, out32])


class QuickGelu(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(1.702 * x)


class ResidualAttention(nn.Module):
    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(features, heads, batch_first=True)
        self.ln_1 = nn.LayerNorm(features)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(features, 4 * features))
        self.mlp.add_module("gelu", QuickGelu())
        self.mlp.add_module("c_proj", nn.Linear(4 * features, features))
        self.ln_2 = nn.LayerNorm(features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class ClipImage(nn.Module):
    """CLIP's image tower ViT-B/32, up to the embedding."""

    def __init__(self) -> None:
        super().__init__()
        features, scale = 768, 768**-0.5
        self.visual = visual = nn.Module()
        visual.conv1 = nn.Conv2d(3, features, 32, 32, bias=False)
        visual.class_embedding = nn.Parameter(scale * torch.randn(features))
        visual.positional_embedding = nn.Parameter(scale * torch.randn(50, features))
        visual.ln_pre = nn.LayerNorm(features)
        visual.transformer = nn.Module()
        visual.transformer.resblocks = nn.Sequential(*(ResidualAttention(features, 12) for _ in range(12)))
        visual.ln_post = nn.LayerNorm(features)
        visual.proj = nn.Parameter(scale * torch.randn(features, 512))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        visual = self.visual
        x = visual.conv1(image).flatten(2).transpose(1, 2)
        first = visual.class_embedding.expand(x.shape[0], 1, -1)
        x = visual.ln_pre(torch.cat([first, x], 1) + visual.positional_embedding)
        x = visual.transformer.resblocks(x)
        return visual.ln_post(x[:, 0]) @ visual.proj


def vit_b_16() -> nn.Module:
    module = torchvision.models.vit_b_16(weights=None)
    # torchvision starts the head at zero, which would leave nothing to compare.
    nn.init.normal_(module.heads.head.weight, std=math.sqrt(1 / 768))
    return module


NETWORKS = {
    "resnet18": Entry("ResNet-18", lambda: torchvision.models.resnet18(weights=None), 224, classes=True),
    "resnet50": Entry("ResNet-50", lambda: torchvision.models.resnet50(weights=None), 224, classes=True),
    "mobilenet_v2": Entry(
        "MobileNetV2",
        lambda: torchvision.models.mobilenet_v2(weights=None),
        224,
        "plugins/mobilenet_v2/weights/mobilenet_v2.safetensors",
        classes=True,
    ),
    "nanodet_g": Entry("NanoDet-g 416", NanoDetG, 416, "plugins/nanodet/weights/nanodet_g.safetensors"),
    "yolov8n": Entry("YOLOv8n 640", YoloV8n, 640),
    "u2netp": Entry("U2-Netp 320", U2NetP, 320, "plugins/u2netp/weights/u2netp.safetensors"),
    "vit_b_16": Entry("ViT-B/16", vit_b_16, 224, classes=True),
    "clip_vit_b_32_image": Entry("CLIP ViT-B/32 image", ClipImage, 224),
    "dinov2_small": Entry("DINOv2-S", published.DINOV2_SMALL, 224),
    "efficientnet_b0": Entry("EfficientNet-B0", published.EFFICIENTNET_B0, 224, classes=True),
    "mobilenet_v3": Entry("MobileNetV3-L", published.MOBILENET_V3, 224, classes=True),
    "convnext_tiny": Entry("ConvNeXt-T", published.CONVNEXT_TINY, 224, classes=True),
    "swin_tiny": Entry("Swin-T", published.SWIN_TINY, 224, classes=True),
    "segformer_b0": Entry("SegFormer-B0 512", published.SEGFORMER_B0, 512),
    "rt_detr_v2_r18": Entry("RT-DETRv2-r18 640", published.RT_DETR_V2_R18, 640),
}
