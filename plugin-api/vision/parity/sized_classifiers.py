"""Networks for classes and embeddings in their published sizes, by the names of their repositories."""

from __future__ import annotations

import re

import transformers

from making import square
from sized import SIZES, Made, found, size_of


def vit(name: str) -> Made:
    kind = re.search(r"dino-vit([sb])(\d+)", name)
    if kind:
        size, patch, side = {"s": "small", "b": "base"}[kind[1]], int(kind[2]), 224
    elif "patch" in name:
        numbers = found(r"patch(\d+)-(\d+)", name)
        size, patch, side = size_of(name), int(numbers[1]), int(numbers[2])
    else:
        size, patch, side = "base", 16, 224
    classes = 21843 if name.endswith("ft22k") else 2 if name.startswith("Falconsai") else 1000
    config = transformers.ViTConfig(image_size=side, patch_size=patch, num_labels=classes, **SIZES[size])
    is_body = kind or name.endswith("in21k")
    kind = transformers.ViTModel if is_body else transformers.ViTForImageClassification
    return kind(config, **({"add_pooling_layer": "in21k" in name} if is_body else {})), square(transformers.ViTImageProcessorPil, side)


def deit(name: str) -> Made:
    side = int(found(r"-(\d+)$", name)[1])
    config = transformers.DeiTConfig(image_size=side, num_labels=1000, **SIZES[size_of(name)])
    kind = transformers.DeiTForImageClassificationWithTeacher if "distilled" in name else transformers.DeiTForImageClassification
    network = kind(config)
    if "distilled" not in name:
        # As it is published: of the kind of ViT.
        vit = transformers.ViTConfig(image_size=side, num_labels=1000, **SIZES[size_of(name)])
        network = transformers.ViTForImageClassification(vit)
    return network, square(transformers.ViTImageProcessorPil, side)


def beit(name: str) -> Made:
    side = int(found(r"patch\d+-(\d+)", name)[1])
    classes = 21841 if name.endswith("ft22k") else 1000
    config = transformers.BeitConfig(
        image_size=side, num_labels=classes, use_relative_position_bias=True, **SIZES[size_of(name)]
    )
    return transformers.BeitForImageClassification(config), square(transformers.BeitImageProcessorPil, side)


def resnet(name: str) -> Made:
    layers = int(found(r"(\d+)$", name)[1])
    depths = {18: [2, 2, 2, 2], 26: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3]}
    basic = layers in (18, 34)
    config = transformers.ResNetConfig(
        depths=depths[layers],
        hidden_sizes=[64, 128, 256, 512] if basic else [256, 512, 1024, 2048],
        layer_type="basic" if basic else "bottleneck",
        num_labels=1000,
    )
    return transformers.ResNetForImageClassification(config), convnext_processor(224)


def convnext_processor(side: int) -> object:
    return transformers.ConvNextImageProcessorPil(size={"shortest_edge": side}, crop_pct=0.875)

CONVNEXT = {
    "atto": ([2, 2, 6, 2], 40),
    "nano": ([2, 2, 8, 2], 80),
    "tiny": ([3, 3, 9, 3], 96),
    "small": ([3, 3, 27, 3], 96),
    "base": ([3, 3, 27, 3], 128),
    "large": ([3, 3, 27, 3], 192),
}


def convnext(name: str) -> Made:
    depths, width = CONVNEXT[found(r"atto|nano|tiny|small|base|large", name)[0]]
    shape = dict(depths=depths, hidden_sizes=[width * 2**stage for stage in range(4)])
    if "dinov3" in name:
        return transformers.DINOv3ConvNextModel(transformers.DINOv3ConvNextConfig(**shape)), square(transformers.ViTImageProcessorPil, 224)
    side = int(found(r"(224|384)", name)[1])
    if "v2" in name:
        network = transformers.ConvNextV2ForImageClassification(transformers.ConvNextV2Config(**shape, num_labels=1000))
    else:
        network = transformers.ConvNextForImageClassification(transformers.ConvNextConfig(**shape, num_labels=1000))
    return network, convnext_processor(side)

SWIN = {
    "tiny": dict(embed_dim=96, depths=[2, 2, 6, 2], num_heads=[3, 6, 12, 24]),
    "small": dict(embed_dim=96, depths=[2, 2, 18, 2], num_heads=[3, 6, 12, 24]),
    "base": dict(embed_dim=128, depths=[2, 2, 18, 2], num_heads=[4, 8, 16, 32]),
    "large": dict(embed_dim=192, depths=[2, 2, 18, 2], num_heads=[6, 12, 24, 48]),
}


def swin(name: str) -> Made:
    window = int(found(r"window(?:\d+to)?(\d+)", name)[1])
    shape = dict(window_size=window, num_labels=1000, **SWIN[size_of(name)])
    if "swinv2" in name:
        trained = re.search(r"window(\d+)to", name)
        side = 8 * window * 4
        more = {"pretrained_window_sizes": [int(trained[1])] * 3 + [int(trained[1]) // 2]} if trained else {}
        if trained:
            side = int(found(r"\d+to(\d+)-22k", name)[1])
        network = transformers.Swinv2ForImageClassification(transformers.Swinv2Config(image_size=side, **shape, **more))
    else:
        side = int(found(r"-(\d+)$", name)[1])
        network = transformers.SwinForImageClassification(transformers.SwinConfig(image_size=side, **shape))
    return network, square(transformers.ViTImageProcessorPil, side)


def dinov2(name: str) -> Made:
    size = size_of(name)
    settings = {key: value for key, value in SIZES[size].items() if key != "intermediate_size"}
    settings |= dict(image_size=518, patch_size=14, use_swiglu_ffn=size == "giant")
    processor = transformers.BitImageProcessorPil(size={"shortest_edge": 256}, crop_size={"height": 224, "width": 224})
    if "registers" in name:
        return transformers.Dinov2WithRegistersModel(transformers.Dinov2WithRegistersConfig(**settings)), processor
    if "imagenet1k" in name:
        return transformers.Dinov2ForImageClassification(transformers.Dinov2Config(num_labels=1000, **settings)), processor
    return transformers.Dinov2Model(transformers.Dinov2Config(**settings)), processor


def dinov3(name: str) -> Made:
    if "convnext" in name:
        return convnext(name)
    size = {"s": "small", "b": "base", "l": "large"}[found(r"vit([sbl])", name)[1]]
    config = transformers.DINOv3ViTConfig(num_register_tokens=4, **SIZES[size])
    return transformers.DINOv3ViTModel(config), square(transformers.ViTImageProcessorPil, 224)


def clip(name: str) -> Made:
    is_large = "large" in name
    patch = 14 if is_large else 16 if name.endswith("16") else 32
    side = 336 if name.endswith("336") else 224
    width = 768 if is_large else 512
    text = dict(hidden_size=width, intermediate_size=4 * width, num_attention_heads=width // 64, projection_dim=width)
    picture = SIZES["large" if is_large else "base"] | dict(image_size=side, patch_size=patch, projection_dim=width)
    config = transformers.CLIPConfig(text_config=text, vision_config=picture, projection_dim=width)
    processor = transformers.CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
    return transformers.CLIPModel(config), processor


def siglip(name: str) -> Made:
    if "naflex" in name:
        size = SIZES["base"]
        config = transformers.Siglip2Config(text_config=size | dict(vocab_size=256_000, projection_size=768), vision_config=size)
        return transformers.Siglip2Model(config), transformers.Siglip2ImageProcessorPil()
    numbers = found(r"patch(\d+)-(\d+)", name)
    size = SIZES[size_of(name)]
    picture = size | dict(image_size=int(numbers[2]), patch_size=int(numbers[1]))
    text = size | dict(projection_size=size["hidden_size"])
    config = transformers.SiglipConfig(text_config=text, vision_config=picture)
    return transformers.SiglipModel(config), square(transformers.SiglipImageProcessorPil, int(numbers[2]))


def regnet(name: str) -> Made:
    depths, widths, groups, kind = {
        "y-008": ([1, 3, 8, 2], [64, 128, 320, 768], 16, "y"),
        "y-040": ([2, 6, 12, 2], [128, 192, 512, 1088], 64, "y"),
        "x-040": ([2, 5, 14, 2], [80, 240, 560, 1360], 40, "x"),
    }[name[-5:]]
    config = transformers.RegNetConfig(depths=depths, hidden_sizes=widths, groups_width=groups, layer_type=kind, num_labels=1000)
    return transformers.RegNetForImageClassification(config), convnext_processor(224)


def mobilenet(name: str) -> Made:
    width = float(found(r"_(\d\.\d)_", name)[1])
    config = transformers.MobileNetV2Config(depth_multiplier=width, num_labels=21 if "deeplab" in name else 1001)
    if "deeplab" in name:
        config = transformers.MobileNetV2Config(depth_multiplier=width, num_labels=21, output_stride=8)
        processor = transformers.MobileNetV2ImageProcessorPil(size={"shortest_edge": 513}, crop_size={"height": 513, "width": 513})
        return transformers.MobileNetV2ForSemanticSegmentation(config), processor
    return transformers.MobileNetV2ForImageClassification(config), transformers.MobileNetV2ImageProcessorPil()


def efficientnet(name: str) -> Made:
    width, depth, side, hidden = {
        "0": (1.0, 1.0, 224, 1280),
        "2": (1.1, 1.2, 260, 1408),
        "4": (1.4, 1.8, 380, 1792),
        "7": (2.0, 3.1, 600, 2560),
    }[name[-1]]
    config = transformers.EfficientNetConfig(
        width_coefficient=width, depth_coefficient=depth, image_size=side, hidden_dim=hidden, num_labels=1000
    )
    return transformers.EfficientNetForImageClassification(config), square(transformers.EfficientNetImageProcessorPil, side)
