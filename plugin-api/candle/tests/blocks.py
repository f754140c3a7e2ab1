"""Writes blocks.json: what torchvision's and timm's blocks make of made-up numbers, for the tests of src/blocks.

Usage: python blocks.py > blocks.json (with torch, torchvision and timm; it was made with 1.13, 0.14 and 0.9.16).
"""

import json
import math
import sys
from functools import partial

import torch
from timm.layers import Conv2dSame
from timm.models._efficientnet_blocks import DepthwiseSeparableConv, InvertedResidual, SqueezeExcite
from torch import nn
from torchvision.models import efficientnet, mobilenetv2, mobilenetv3


def numbers(name, dims):
    """Numbers that depend on a name and on their place only; src/blocks/tests.rs makes the same ones."""
    seed = sum((place + 1) * byte for place, byte in enumerate(name.encode()))
    count = math.prod(dims)
    parts = [(seed * 7 + index * index * 13 + index * 31) % 1009 / 1009 for index in range(count)]
    if len(dims) == 1:
        center = 1.0 if name.endswith(("running_var", "weight")) else 0.0
        values = [center + part - 0.5 for part in parts]
    else:
        spread = math.sqrt(12 * dims[0] / count)
        values = [spread * (part - 0.5) for part in parts]
    return torch.tensor(values, dtype=torch.float64).float().reshape(dims)


def case(module, channels, size):
    """The result of a module with such parameters for such a picture."""
    state = module.state_dict()
    for name, value in state.items():
        if not name.endswith("num_batches_tracked"):
            state[name] = numbers(f"block.{name}", value.shape)
    module.load_state_dict(state)
    module.eval()
    with torch.no_grad():
        result = module(numbers("image", (1, channels, *size)))[0]
    return {"dims": list(result.shape), "values": [float(f"{value:.7g}") for value in result.flatten().tolist()]}


def efficientnet_block(expansion, kernel, stride, inputs, outputs):
    config = efficientnet.MBConvConfig(expansion, kernel, stride, inputs, outputs, 1)
    return efficientnet.MBConv(config, 0.0, partial(nn.BatchNorm2d, eps=1e-3))


def mobilenet_v3_block(inputs, width, outputs):
    config = mobilenetv3.InvertedResidualConfig(inputs, 5, width, outputs, True, "HS", 1, 1, 1)
    return mobilenetv3.InvertedResidual(config, partial(nn.BatchNorm2d, eps=1e-3))


def timm_block(kind, inputs, outputs, **settings):
    return kind(
        inputs,
        outputs,
        pad_type="same",
        act_layer=nn.SiLU,
        norm_layer=partial(nn.BatchNorm2d, eps=1e-3),
        se_layer=partial(SqueezeExcite, rd_channels=3, act_layer=nn.SiLU),
        **settings,
    )


def main():
    cases = {
        "mobilenet_v2": case(mobilenetv2.InvertedResidual(6, 6, 1, 3), 6, (6, 5)),
        "mobilenet_v2_first": case(mobilenetv2.InvertedResidual(6, 4, 2, 1), 6, (6, 5)),
        "efficientnet": case(efficientnet_block(4, 5, 2, 8, 16), 8, (7, 6)),
        "efficientnet_first": case(efficientnet_block(1, 3, 1, 8, 8), 8, (5, 6)),
        "mobilenet_v3": case(mobilenet_v3_block(8, 40, 8), 8, (6, 5)),
        "timm": case(timm_block(InvertedResidual, 8, 8, exp_ratio=2.0, dw_kernel_size=3), 8, (5, 6)),
        "timm_first": case(timm_block(DepthwiseSeparableConv, 6, 4, dw_kernel_size=5, stride=2), 6, (8, 7)),
        "same": case(Conv2dSame(2, 3, 3, stride=2), 2, (8, 7)),
        "same_dilated": case(Conv2dSame(2, 3, (2, 5), stride=(1, 3), dilation=2), 2, (7, 10)),
    }
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in cases.items()]
    sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")


main()
