"""The models of text to compare: those that find lines, and those that read one."""

from __future__ import annotations

from pathlib import Path

import torch
import numpy
import torch
import transformers
from PIL import Image

from making import Case, Golden, computed, fit_statistics, rounded, shaken

# What the published models have, with fewer channels.
LC_NET = [
    [[3, 16, 32, 1, False]],
    [[3, 32, 64, 2, False], [3, 64, 64, 1, False]],
    [[3, 64, 128, 2, False], [3, 128, 128, 1, False]],
    [[3, 128, 256, 2, False], [5, 256, 256, 1, False]],
    [[5, 256, 512, 2, True], [5, 512, 512, 1, False]],
]
LC_NET_OF_LINES = [
    [[3, 16, 32, 1, False]],
    [[3, 32, 64, 1, False], [3, 64, 64, 1, False]],
    [[3, 64, 128, [2, 1], False], [3, 128, 128, 1, False]],
    [[3, 128, 256, [1, 2], False], [5, 256, 256, 1, False]],
    [[5, 256, 512, [2, 1], True], [5, 512, 512, [2, 1], False], [5, 512, 512, 1, False]],
]
HG_NET = {
    "model_type": "hgnet_v2",
    "stem_channels": [3, 8, 8],
    "stage_in_channels": [8, 16, 24, 32],
    "stage_mid_channels": [8, 8, 12, 16],
    "stage_out_channels": [16, 24, 32, 40],
    "stage_num_blocks": [1, 1, 2, 1],
    "stage_numb_of_layers": [2, 2, 2, 2],
    "out_features": ["stage1", "stage2", "stage3", "stage4"],
}
INTRACLASS = {
    "reduce_channel": [1, 1, 0],
    "vertical_long_to_small_conv_longratio": [[7, 1], [1, 1], [3, 0]],
    "vertical_long_to_small_conv_midratio": [[5, 1], [1, 1], [2, 0]],
    "vertical_long_to_small_conv_shortratio": [[3, 1], [1, 1], [1, 0]],
    "horizontal_small_to_long_conv_longratio": [[1, 7], [1, 1], [0, 3]],
    "horizontal_small_to_long_conv_midratio": [[1, 5], [1, 1], [0, 2]],
    "horizontal_small_to_long_conv_shortratio": [[1, 3], [1, 1], [0, 1]],
    "symmetric_conv_long_longratio": [[7, 7], [1, 1], [3, 3]],
    "symmetric_conv_long_midratio": [[5, 5], [1, 1], [2, 2]],
    "symmetric_conv_long_shortratio": [[3, 3], [1, 1], [1, 1]],
    "return_channel": [1, 1, 0],
}
CHARACTERS = ["blank", *"abcdefghijklmnopqrstuvwxyz0123456789.,", "字", " "]


def page(**settings: object) -> transformers.BaseImageProcessor:
    return transformers.PPOCRV5ServerDetImageProcessor(**settings)


def line(**settings: object) -> transformers.BaseImageProcessor:
    return transformers.PPOCRV5ServerRecImageProcessor(character_list=CHARACTERS, **settings)


def line_of_the_sixth(**settings: object) -> transformers.BaseImageProcessor:
    return transformers.PPOCRV6SmallRecImageProcessor(character_list=CHARACTERS, **settings)


def prepared(processor: transformers.BaseImageProcessor, picture: Image.Image):
    """The processors resize numbers that are rounded nowhere, or bytes with weights that are; here bytes are resized as Pillow
    does, or by exact interpolation where there is no filter."""
    if isinstance(processor, transformers.PPOCRV5ServerDetImageProcessor):
        channels = numpy.asarray(picture).transpose(2, 0, 1)
        size, _ = processor.get_image_size(
            channels, processor.limit_side_len, processor.limit_type, processor.max_side_limit
        )
    else:
        size = processor.get_target_size([picture.size[::-1]])
    if isinstance(processor, transformers.PPOCRV6SmallRecImageProcessor):
        channels = torch.tensor(numpy.asarray(picture)).permute(2, 0, 1)[None].float()
        plain = torch.nn.functional.interpolate(channels, (size.height, size.width), mode="bilinear", align_corners=False)
        resized = Image.fromarray(plain[0].round().byte().permute(1, 2, 0).numpy())
    else:
        resized = picture.resize((size.width, size.height), Image.BILINEAR)
    return processor(resized, do_resize=False, return_tensors="pt")["pixel_values"]


# What decides about each pixel.
DECIDING = ("head.conv_final", "head.binarize_head.conv_final", "head.local_refinement_module.convolution_final")


def centred(network: torch.nn.Module, pixels: torch.Tensor, spread: float) -> None:
    """Weights with which pixels of the picture are within a line, and others are not."""
    modules = dict(network.named_modules())
    for module in (modules[name] for name in DECIDING if name in modules):
        kept = []
        hook = module.register_forward_hook(lambda _module, _inputs, output: kept.append(output))
        network(pixels)
        hook.remove()
        factor = spread / kept[0].std()
        module.weight.data *= factor
        module.bias.data = (module.bias.data - kept[0].median()) * factor + 0.4


def of_text(
    name: str,
    model: type,
    config,
    processor,
    half: bool = True,
    small: bool = True,
    last: tuple[str, ...] = (),
    spread: float = 1.2,
) -> Case:
    """A model of text; `last` names the layers that decide, whose weights are reduced in deep networks: their own
    single precision is off by more than the tolerance otherwise. `spread` is that of what decides about pixels."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        network = shaken(model(config))
        for layer in last:
            network.get_submodule(layer).weight.data *= 0.1
        pixels = prepared(processor, picture)
        fit_statistics(network, pixels)
        centred(network, pixels, spread)
        if half:
            rounded(network)
        golden = computed(network, pixels, lambda pixels: {"probabilities": network(pixels).last_hidden_state})
        (network.half() if half else network).save_pretrained(folder)
        processor.save_pretrained(folder)
        return golden

    return Case(name, write, small)


def small_detector(scale: float, blocks: list, **settings: object) -> transformers.PPOCRV5MobileDetConfig:
    backbone = {
        "model_type": "pp_lcnet_v3",
        "scale": scale,
        "divisor": 4,
        "block_configs": blocks,
        "out_features": ["stage2", "stage3", "stage4", "stage5"],
    }
    return transformers.PPOCRV5MobileDetConfig(backbone_config=backbone, **settings)


def small_reader(scale: float, blocks: list, **settings: object) -> transformers.PPOCRV5MobileRecConfig:
    backbone = {"model_type": "pp_lcnet_v3", "scale": scale, "divisor": 4, "block_configs": blocks}
    return transformers.PPOCRV5MobileRecConfig(
        backbone_config=backbone | {"out_features": ["stage5"]}, head_out_channels=len(CHARACTERS), **settings
    )


def large_detector(**settings: object) -> transformers.PPOCRV5ServerDetConfig:
    return transformers.PPOCRV5ServerDetConfig(
        intraclass_block_config=INTRACLASS, scale_factor_list=[1, 2, 4, 8], kernel_list=[3, 2, 2], **settings
    )


OF_LINES = {
    "stem_strides": [2, 1, 1, 1, 1],
    "stage_downsample": [True, True, True, True],
    "stage_downsample_strides": [[2, 1], [1, 2], [2, 1], [2, 1]],
}

LC_NET_V4 = [
    [[3, 16, 16, 1, True]],
    [[3, 16, 16, 2, False], [3, 16, 16, 1, False]],
    [[3, 16, 24, 2, False], [5, 24, 24, 1, True]],
    [[3, 24, 32, 2, False], [3, 32, 32, 1, False]],
]
LC_NET_V4_OF_LINES = [
    [[3, 16, 16, 1, True]],
    [[3, 16, 16, 1, False]],
    [[3, 16, 24, [2, 1], False], [5, 24, 24, 1, True]],
    [[3, 24, 32, [2, 1], False], [3, 32, 32, 1, False]],
]


def sixth(blocks: list, **settings: object) -> dict:
    stages = ["stage1", "stage2", "stage3", "stage4"]
    return {"model_type": "pp_lcnet_v4", "block_configs": blocks, "stem_channels": [3, 8, 16], "out_features": stages} | settings


CASES = [
    of_text(
        "pp_ocr_6_small_detector",
        transformers.PPOCRV6SmallDetForObjectDetection,
        transformers.PPOCRV6SmallDetConfig(
            backbone_config=sixth(LC_NET_V4, stem_type="small"),
            neck_out_channels=16,
            layer_list_out_channels=[16, 16, 24, 32],
        ),
        page(),
    ),
    of_text(
        "pp_ocr_6_medium_detector",
        transformers.PPOCRV6MediumDetForObjectDetection,
        transformers.PPOCRV6MediumDetConfig(
            backbone_config=sixth(LC_NET_V4, use_learnable_affine_block=True),
            neck_out_channels=16,
            intraclass_block_config=INTRACLASS,
            scale_factor_list=[1, 2, 4, 8],
            kernel_list=[3, 2, 2],
        ),
        page(),
    ),
    of_text(
        "pp_ocr_6_small_reader",
        transformers.PPOCRV6SmallRecForTextRecognition,
        transformers.PPOCRV6SmallRecConfig(
            backbone_config=sixth(LC_NET_V4_OF_LINES), hidden_size=16, num_attention_heads=2, head_out_channels=len(CHARACTERS)
        ),
        line_of_the_sixth(),
    ),
    of_text(
        "pp_ocr_6_tiny_reader",
        transformers.PPOCRV6TinyRecForTextRecognition,
        transformers.PPOCRV6TinyRecConfig(
            backbone_config=sixth(LC_NET_V4_OF_LINES), hidden_size=12, head_out_channels=len(CHARACTERS)
        ),
        line_of_the_sixth(do_pad=False),
    ),
    of_text(
        "pp_ocr_6_small_reader_published",
        transformers.PPOCRV6SmallRecForTextRecognition,
        transformers.PPOCRV6SmallRecConfig(head_out_channels=len(CHARACTERS)),
        line_of_the_sixth(),
        half=False,
        small=False,
        last=("head.head",),
    ),
    of_text(
        "pp_ocr_mobile_detector",
        transformers.PPOCRV5MobileDetForObjectDetection,
        small_detector(0.0625, LC_NET, neck_out_channels=16, layer_list_out_channels=[4, 6, 8, 12], reduction=2),
        page(),
    ),
    of_text(
        "pp_ocr_mobile_detector_bilinear",
        transformers.PPOCRV5MobileDetForObjectDetection,
        small_detector(
            0.125, LC_NET, neck_out_channels=24, layer_list_out_channels=[8, 8, 16, 24], interpolate_mode="bilinear"
        ),
        page(limit_type="min", limit_side_len=160),
        small=False,
    ),
    of_text(
        "pp_ocr_mobile_detector_published",
        transformers.PPOCRV5MobileDetForObjectDetection,
        transformers.PPOCRV5MobileDetConfig(),
        page(limit_type="resize_long", limit_side_len=320),
        half=False,
        small=False,
    ),
    of_text(
        "pp_ocr_server_detector",
        transformers.PPOCRV5ServerDetForObjectDetection,
        large_detector(backbone_config=HG_NET, neck_out_channels=16),
        page(),
    ),
    of_text(
        "pp_ocr_server_detector_published",
        transformers.PPOCRV5ServerDetForObjectDetection,
        large_detector(),
        page(limit_type="resize_long", limit_side_len=160),
        half=False,
        small=False,
        spread=0.3,
    ),
    of_text(
        "pp_ocr_mobile_reader",
        transformers.PPOCRV5MobileRecForTextRecognition,
        small_reader(0.0625, LC_NET_OF_LINES, hidden_size=16, num_attention_heads=2),
        line(),
    ),
    of_text(
        "pp_ocr_mobile_reader_narrow",
        transformers.PPOCRV5MobileRecForTextRecognition,
        small_reader(
            0.125, LC_NET_OF_LINES, hidden_size=24, num_attention_heads=3, depth=1, qkv_bias=False, conv_kernel_size=[3, 3]
        ),
        line(do_pad=False),
        small=False,
    ),
    of_text(
        "pp_ocr_server_reader",
        transformers.PPOCRV5ServerRecForTextRecognition,
        transformers.PPOCRV5ServerRecConfig(
            backbone_config=HG_NET | OF_LINES, hidden_size=16, num_attention_heads=4, head_out_channels=len(CHARACTERS)
        ),
        line(),
    ),
    of_text(
        "pp_ocr_server_reader_published",
        transformers.PPOCRV5ServerRecForTextRecognition,
        transformers.PPOCRV5ServerRecConfig(head_out_channels=len(CHARACTERS)),
        line(),
        half=False,
        small=False,
        last=("head.head",),
    ),
]
