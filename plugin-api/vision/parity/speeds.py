#!/usr/bin/env python3
"""Measures how long a core of this machine works on a picture, for the models of the list that ships with the program.

    parity/speeds.py COMPARE [WORD...]      all models of the list, or those whose names have one of the words

COMPARE is the program of `benches/compare`. Nothing is downloaded: each network is made in its published size with random
weights, which take as long as trained ones, and written as its publisher does. That it is the published one is taken from its
number of parameters, which must be that of the list within some hundredths. What is measured is written into the list: the
time in which one thread computes the network for one picture of 512 x 512 pixels, resized as is published, in milliseconds
of its processor, so that others who work on the machine count little. Of SAM it is what is done once for a picture, of
models of pictures and texts the part for pictures.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import timm
import torch
import transformers

from PIL import Image
from safetensors.torch import save_file

from making import square
from tower_cases import small_tokenizer

ROOT = Path(__file__).resolve().parents[3]
LIST = ROOT / "host/sources/src/index/models.toml"
PHOTO = ROOT / "examples/photos/astronaut.jpg"

# So many milliseconds are measured at least.
LEAST = 300

# How far the number of parameters may be off: repositories count heads and statistics in different ways.
PARAMETERS = 0.04

Made = tuple[torch.nn.Module, object]

SIZES = {
    "tiny": dict(hidden_size=192, num_hidden_layers=12, num_attention_heads=3, intermediate_size=768),
    "small": dict(hidden_size=384, num_hidden_layers=12, num_attention_heads=6, intermediate_size=1536),
    "base": dict(hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072),
    "large": dict(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096),
    "huge": dict(hidden_size=1280, num_hidden_layers=32, num_attention_heads=16, intermediate_size=5120),
    "so400m": dict(hidden_size=1152, num_hidden_layers=27, num_attention_heads=16, intermediate_size=4304),
    "giant": dict(hidden_size=1536, num_hidden_layers=40, num_attention_heads=24, intermediate_size=6144),
}


def found(pattern: str, name: str) -> re.Match:
    match = re.search(pattern, name)
    if match is None:
        raise ValueError(f"the size of {name} is not known")
    return match


def size_of(name: str) -> str:
    return found(r"tiny|small|base|large|huge|so400m|giant", name)[0]


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


def rt_detr(name: str) -> Made:
    layers = int(found(r"_r(\d+)vd", name)[1])
    depths = {18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3]}[layers]
    basic = layers < 50
    body = transformers.RTDetrResNetConfig(
        embedding_size=64,
        hidden_sizes=[64, 128, 256, 512] if basic else [256, 512, 1024, 2048],
        depths=depths,
        layer_type="basic" if basic else "bottleneck",
        out_features=["stage2", "stage3", "stage4"],
    )
    settings = {18: dict(hidden_expansion=0.5, decoder_layers=3), 34: dict(hidden_expansion=0.5, decoder_layers=4), 50: {}}
    more = settings.get(layers, dict(encoder_hidden_dim=384, encoder_ffn_dim=2048, decoder_in_channels=[384] * 3))
    kinds = (transformers.RTDetrV2Config, transformers.RTDetrV2ForObjectDetection)
    if "_v2_" not in name:
        kinds = (transformers.RTDetrConfig, transformers.RTDetrForObjectDetection)
    config = kinds[0](
        backbone_config=body, encoder_in_channels=[128, 256, 512] if basic else [512, 1024, 2048], num_labels=80, num_denoising=100, **more
    )
    return kinds[1](config), square(transformers.RTDetrImageProcessorPil, 640)


def detr(name: str) -> Made:
    layers = 101 if "101" in name else 18 if "table" in name else 50
    basic = layers == 18
    body = transformers.ResNetConfig(
        depths={18: [2, 2, 2, 2], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3]}[layers],
        hidden_sizes=[64, 128, 256, 512] if basic else [256, 512, 1024, 2048],
        layer_type="basic" if basic else "bottleneck",
        out_features=["stage4"],
    )
    is_table = "table" in name
    kinds = (transformers.TableTransformerConfig, transformers.TableTransformerForObjectDetection)
    if not is_table:
        kinds = (transformers.DetrConfig, transformers.DetrForObjectDetection)
    is_structure = "structure" in name
    config = kinds[0](
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        backbone=None,
        backbone_config=body,
        num_labels=6 if is_structure else 2 if is_table else 91,
        num_queries=125 if is_structure else 15 if is_table else 100,
    )
    sizes = {"shortest_edge": 800, "longest_edge": 1000 if is_structure else 800 if is_table else 1333}
    return kinds[1](config), transformers.DetrImageProcessorPil(size=sizes)


def yolos(name: str) -> Made:
    size = size_of(name)
    side = {"tiny": [800, 1333], "small": [512, 864], "base": [800, 1344]}[size]
    more = dict(use_mid_position_embeddings=size != "tiny")
    config = transformers.YolosConfig(image_size=side, num_labels=91, num_detection_tokens=100, **SIZES[size], **more)
    sizes = {"shortest_edge": 512 if size == "small" else 800, "longest_edge": 1333}
    return transformers.YolosForObjectDetection(config), transformers.YolosImageProcessorPil(size=sizes)


def segformer(name: str) -> Made:
    kind = int(found(r"-b(\d)-", name)[1])
    depths = [[2, 2, 2, 2], [2, 2, 2, 2], [3, 4, 6, 3], [3, 4, 18, 3], [3, 8, 27, 3], [3, 6, 40, 3]][kind]
    config = transformers.SegformerConfig(
        depths=depths,
        hidden_sizes=[32, 64, 160, 256] if kind == 0 else [64, 128, 320, 512],
        decoder_hidden_size=256 if kind < 2 else 768,
        num_labels=19 if "cityscapes" in name else 150,
    )
    side = int(found(r"(\d+)$", name)[1])
    processor = transformers.SegformerImageProcessorPil(size={"height": side, "width": side})
    return transformers.SegformerForSemanticSegmentation(config), processor


def depth_anything(name: str) -> Made:
    size = size_of(name.lower())
    hidden, neck, fusion = {
        "small": (384, [48, 96, 192, 384], 64),
        "base": (768, [96, 192, 384, 768], 128),
        "large": (1024, [256, 512, 1024, 1024], 256),
    }[size]
    body = transformers.Dinov2Config(
        image_size=518,
        patch_size=14,
        hidden_size=hidden,
        num_hidden_layers=24 if size == "large" else 12,
        num_attention_heads=hidden // 64,
        out_indices=[5, 12, 18, 24] if size == "large" else [3, 6, 9, 12],
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    config = transformers.DepthAnythingConfig(
        backbone_config=body, reassemble_hidden_size=hidden, neck_hidden_sizes=neck, fusion_hidden_size=fusion, patch_size=14
    )
    processor = transformers.DPTImageProcessorPil(
        size={"height": 518, "width": 518}, keep_aspect_ratio=True, ensure_multiple_of=14
    )
    return transformers.DepthAnythingForDepthEstimation(config), processor


def dpt(name: str) -> Made:
    processor = transformers.DPTImageProcessorPil(size={"height": 384, "width": 384})
    if "hybrid" in name:
        config = transformers.DPTConfig(
            is_hybrid=True,
            neck_hidden_sizes=[256, 512, 768, 768],
            reassemble_factors=[1, 1, 1, 0.5],
            backbone_featmap_shape=[1, 1024, 24, 24],
        )
    elif "beit" in name:
        size = size_of(name)
        side = int(found(r"(\d+)$", name)[1])
        layers = SIZES[size]["num_hidden_layers"]
        body = transformers.BeitConfig(
            image_size=side,
            use_relative_position_bias=True,
            reshape_hidden_states=False,
            out_indices=[6, 12, 18, 24] if layers == 24 else [3, 6, 9, 12],
            **SIZES[size],
        )
        neck = [256, 512, 1024, 1024] if layers == 24 else [96, 192, 384, 768]
        config = transformers.DPTConfig(backbone_config=body, neck_hidden_sizes=neck)
        processor = transformers.DPTImageProcessorPil(size={"height": side, "width": side})
    elif "swinv2" in name:
        size = size_of(name)
        side = int(found(r"(\d+)$", name)[1])
        shape = SWIN[size]
        more = dict(window_size=16) if side == 256 else dict(window_size=24, pretrained_window_sizes=[12, 12, 12, 6])
        body = transformers.Swinv2Config(image_size=side, out_indices=[1, 2, 3, 4], **shape, **more)
        config = transformers.DPTConfig(backbone_config=body, neck_hidden_sizes=[shape["embed_dim"] * 2**stage for stage in range(4)])
        processor = transformers.DPTImageProcessorPil(size={"height": side, "width": side})
    else:
        layers = dict(backbone_out_indices=[5, 11, 17, 23], neck_hidden_sizes=[256, 512, 1024, 1024])
        config = transformers.DPTConfig(**SIZES["large"], **layers)
    return transformers.DPTForDepthEstimation(config), processor


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


def vitpose(name: str) -> Made:
    size = size_of(name)
    shape = {key: value for key, value in SIZES[size].items() if key != "intermediate_size"}
    experts = dict(num_experts=6, part_features=192 if size == "base" else 96) if "plus" in name else {}
    body = transformers.VitPoseBackboneConfig(image_size=[256, 192], out_indices=[12], mlp_ratio=4, **shape, **experts)
    config = transformers.VitPoseConfig(backbone_config=body, use_simple_decoder="simple" in name, num_labels=17)
    return transformers.VitPoseForPoseEstimation(config), transformers.VitPoseImageProcessorPil()


HGNET = {
    "nano": dict(stem_channels=[3, 16, 16], stage_in_channels=[16, 64, 256, 512], stage_mid_channels=[16, 32, 64, 128]),
    "medium": dict(stem_channels=[3, 24, 32], stage_in_channels=[32, 96, 384, 768], stage_mid_channels=[32, 64, 128, 256]),
    "large": {},
    "xlarge": dict(stem_channels=[3, 32, 64], stage_in_channels=[64, 128, 512, 1024], stage_mid_channels=[64, 128, 256, 512]),
}


def d_fine(name: str) -> Made:
    size = found(r"nano|small|medium|xlarge|large", name)[0]
    shape = HGNET["nano" if size == "small" else size]
    first = shape.get("stage_in_channels", [48, 128])[1]
    out = [first, 4 * first, 8 * first, 16 * first]
    blocks, layers = {"nano": ([1, 1, 2, 1], 3), "small": ([1, 1, 2, 1], 3), "medium": ([1, 1, 3, 1], 4)}.get(size, ([1, 1, 3, 1], 6))
    if size == "xlarge":
        blocks = [1, 2, 5, 2]
    is_nano = size == "nano"
    body = transformers.HGNetV2Config(
        **shape,
        stage_out_channels=out,
        hidden_sizes=out,
        stage_num_blocks=blocks,
        stage_numb_of_layers=[layers] * 4,
        use_learnable_affine_block=size in ("nano", "small", "medium"),
        out_features=["stage3", "stage4"] if is_nano else ["stage2", "stage3", "stage4"],
    )
    settings = {
        "nano": dict(
            d_model=128,
            encoder_hidden_dim=128,
            encoder_ffn_dim=512,
            decoder_ffn_dim=512,
            decoder_in_channels=[128, 128],
            feat_strides=[16, 32],
            encode_proj_layers=[1],
            num_feature_levels=2,
            decoder_n_points=[6, 6],
            hidden_expansion=0.34,
            depth_mult=0.5,
            decoder_layers=3,
        ),
        "small": dict(hidden_expansion=0.5, depth_mult=0.34, decoder_layers=3, decoder_n_points=[3, 6, 3]),
        "medium": dict(depth_mult=0.67, decoder_layers=4, decoder_n_points=[3, 6, 3]),
        "large": dict(decoder_n_points=[3, 6, 3]),
        "xlarge": dict(
            encoder_hidden_dim=384, encoder_ffn_dim=2048, decoder_in_channels=[384] * 3, decoder_n_points=[3, 6, 3]
        ),
    }[size]
    config = transformers.DFineConfig(backbone_config=body, encoder_in_channels=out[2:] if is_nano else out[1:], num_labels=80, **settings)
    return transformers.DFineForObjectDetection(config), square(transformers.RTDetrImageProcessorPil, 640)


def rf_detr(name: str) -> Made:
    config = transformers.RfDetrConfig(num_labels=91)
    return transformers.RfDetrForObjectDetection(config), transformers.RfDetrImageProcessor(size={"height": 560, "width": 560})


def eomt(name: str) -> Made:
    side = int(found(r"_(\d+)$", name)[1])
    labels = {"instance": 80, "panoptic": 133, "semantic": 150}[found(r"instance|panoptic|semantic", name)[0]]
    config = transformers.EomtConfig(image_size=side, num_labels=labels, num_queries=100 if labels == 150 else 200)
    if labels == 150:
        processor = transformers.EomtImageProcessorPil(size={"shortest_edge": side, "longest_edge": None}, do_split_image=True)
    else:
        processor = transformers.EomtImageProcessorPil(size={"shortest_edge": side, "longest_edge": side}, do_pad=True)
    return transformers.EomtForUniversalSegmentation(config), processor


def sam(name: str) -> Made:
    size = "huge" if "huge" in name else "large" if "large" in name else "base"
    shape = {key: SIZES[size][key] for key in ("hidden_size", "num_hidden_layers", "num_attention_heads")}
    places = {"base": [2, 5, 8, 11], "large": [5, 11, 17, 23], "huge": [7, 15, 23, 31]}[size]
    body = dict(shape, mlp_dim=SIZES[size]["intermediate_size"], global_attn_indexes=places)
    return transformers.SamModel(transformers.SamConfig(vision_config=body)), transformers.SamImageProcessorPil()


HIERA = {
    "tiny": dict(),
    "small": dict(blocks_per_stage=[1, 2, 11, 2], global_attention_blocks=[7, 10, 13]),
    "base-plus": dict(
        hidden_size=112,
        embed_dim_per_stage=[112, 224, 448, 896],
        num_attention_heads_per_stage=[2, 4, 8, 16],
        num_attention_heads=2,
        blocks_per_stage=[2, 3, 16, 3],
        global_attention_blocks=[12, 16, 20],
        window_positional_embedding_background_size=[14, 14],
    ),
    "large": dict(
        hidden_size=144,
        embed_dim_per_stage=[144, 288, 576, 1152],
        num_attention_heads_per_stage=[2, 4, 8, 16],
        num_attention_heads=2,
        blocks_per_stage=[2, 6, 36, 4],
        global_attention_blocks=[23, 33, 43],
        window_size_per_stage=[8, 4, 16, 8],
    ),
}


def sam_2(name: str) -> Made:
    shape = HIERA[found(r"tiny|small|base-plus|large", name)[0]]
    channels = shape.get("embed_dim_per_stage", [96, 192, 384, 768])[::-1]
    body = transformers.Sam2VisionConfig(
        backbone_config=transformers.Sam2HieraDetConfig(**shape), backbone_channel_list=channels
    )
    return transformers.Sam2Model(transformers.Sam2Config(vision_config=body)), transformers.Sam2ImageProcessor()


def owl(name: str) -> Made:
    is_large = "large" in name
    patch = int(found(r"patch(\d+)", name)[1])
    is_second = "v2" in name
    side = 1008 if is_large else 960 if is_second else 768
    width = 768 if is_large else 512
    picture = SIZES["large" if is_large else "base"] | dict(image_size=side, patch_size=patch)
    # The texts of a model are embedded once, whatever the pictures are.
    text = dict(hidden_size=width, intermediate_size=4 * width, num_attention_heads=width // 64, eos_token_id=57, pad_token_id=0)
    kinds = (transformers.Owlv2Config, transformers.Owlv2ForObjectDetection, transformers.Owlv2ImageProcessor)
    if not is_second:
        kinds = (transformers.OwlViTConfig, transformers.OwlViTForObjectDetection, transformers.OwlViTImageProcessorPil)
    config = kinds[0](text_config=text, vision_config=picture, projection_dim=width)
    return kinds[1](config), kinds[2](size={"height": side, "width": side})


# What reads text needs the characters of its scripts to be asked at all, and is not measured.
FAMILIES: dict[str, Callable[[str], Made]] = {
    "ViT": vit,
    "DeiT": deit,
    "BEiT": beit,
    "ResNet": resnet,
    "ConvNeXt": convnext,
    "ConvNeXt V2": convnext,
    "Swin": swin,
    "Swin V2": swin,
    "DINOv2": dinov2,
    "DINOv3": dinov3,
    "CLIP": clip,
    "SigLIP": siglip,
    "RT-DETR": rt_detr,
    "DETR": detr,
    "Table Transformer": detr,
    "YOLOS": yolos,
    "SegFormer": segformer,
    "Depth Anything": depth_anything,
    "DPT": dpt,
    "RegNet": regnet,
    "MobileNetV2": mobilenet,
    "EfficientNet": efficientnet,
    "D-FINE": d_fine,
    "RF-DETR": rf_detr,
    "EoMT": eomt,
    "SAM": sam,
    "SAM 2": sam_2,
    "ViTPose": vitpose,
    "OWL-ViT": owl,
    "OWLv2": owl,
}

# Parameters that are published with them and that no picture needs: of what SAM 2 remembers of a video.
LEFT_OUT = {"SAM 2": 7_490_000}


def made(model: dict) -> Made:
    """A model of the list, and how its pictures are prepared."""
    if model["name"].startswith("timm/"):
        network = timm.create_model(model["name"].removeprefix("timm/")).eval()
        return network, network.pretrained_cfg
    return FAMILIES[model["family"]](model["name"])


def outline(model: dict) -> tuple[str, float]:
    """What two models have in common that take as long as each other, and the millions of parameters."""
    with torch.device("meta"):
        network, processor = made(model)
    count = sum(value.numel() for value in network.parameters()) + LEFT_OUT.get(model["family"], 0)
    shapes = [(name, tuple(value.shape)) for name, value in network.named_parameters()]
    prepared = {key: processor[key] for key in ("input_size", "crop_pct")} if isinstance(processor, dict) else processor.to_dict()
    return json.dumps([shapes, prepared], default=str), count / 1e6


def write(model: dict, folder: Path) -> Made:
    """A model of the list in a folder, with random weights."""
    torch.manual_seed(5)
    network, processor = made(model)
    if model["name"].startswith("timm/"):
        size = {key: list(value) if isinstance(value, tuple) else value for key, value in network.pretrained_cfg.items()}
        config = {"architecture": network.pretrained_cfg["architecture"], "num_classes": network.num_classes, "pretrained_cfg": size}
        (folder / "config.json").write_text(json.dumps(config, default=str))
        save_file({key: value.half().contiguous() for key, value in network.state_dict().items()}, folder / "model.safetensors")
    else:
        network.half().save_pretrained(folder)
        processor.save_pretrained(folder)
        if model["family"].startswith("OWL"):
            small_tokenizer(folder, network.config.text_config)
    return network, processor


# The outputs of the networks of each task of the list, by the names that they have here.
OUTPUTS = {
    "image-classification": "logits",
    "image-feature-extraction": "embedding",
    "zero-shot-image-classification": "embedding",
    "object-detection": "logits,boxes",
    "zero-shot-object-detection": "object_embeddings,boxes",
    "image-segmentation": "logits",
    "depth-estimation": "depth",
    "keypoint-detection": "maps",
    "mask-generation": "features.0",
}


def pixels(model: dict, processor: object, network: torch.nn.Module) -> torch.Tensor:
    """Numbers of the size that the photograph has for the network."""
    if model["name"].startswith("timm/"):
        return torch.randn(1, *processor["input_size"])
    if model["family"] == "YOLOS":
        return torch.randn(1, 3, *network.config.image_size)
    if model["family"] == "ViTPose":
        return torch.randn(1, 3, 256, 192)
    if "naflex" in model["name"]:
        return torch.randn(1, 3, 256, 256)
    prepared = processor(Image.open(PHOTO).convert("RGB"), return_tensors="pt")["pixel_values"][:1]
    return torch.randn(prepared.shape)


def worked(process: subprocess.Popen) -> float:
    """Milliseconds that a process had the processor."""
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


def measured(program: str, model: dict, work: Path) -> float:
    """Milliseconds of a core for a picture."""
    folder = work / "model"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    network, processor = write(model, folder)
    save_file({"picture": pixels(model, processor, network)}, work / "inputs.safetensors")
    del network
    command = [program, f"published:{OUTPUTS[model['task']]}", folder, work / "inputs.safetensors", "1", "f32"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        if not process.stdout.readline():
            raise ValueError(process.stderr.read().strip())
        runs, before = 0, None
        while before is None or worked(process) - before < LEAST:
            # Each command is answered after two runs.
            process.stdin.write("time picture 0\n")
            process.stdin.flush()
            if not process.stdout.readline():
                raise ValueError(process.stderr.read().strip())
            if before is None:
                before = worked(process)
            else:
                runs += 2
        return (worked(process) - before) / runs


def main() -> None:
    program, words = sys.argv[1], sys.argv[2:]
    text = LIST.read_text()
    known: dict[str, float] = {}
    for model in sorted(tomllib.loads(text)["model"], key=lambda model: model["parameters"]):
        name = model["name"]
        is_known = name.startswith("timm/") or model["family"] in FAMILIES
        if not is_known or (words and not any(word in name for word in words)):
            continue
        with tempfile.TemporaryDirectory() as work:
            try:
                key, parameters = outline(model)
                if abs(parameters / model["parameters"] - 1) > PARAMETERS:
                    raise ValueError(f"{parameters:.1f} million parameters are not those of the list, {model['parameters']}")
                time = known[key] if key in known else measured(program, model, Path(work))
                known[key] = time
            except (ValueError, TypeError) as error:
                print(f"{name}: {error}", flush=True)
                continue
        print(f"{name}: {time:.1f} ms", flush=True)
        # Two digits: others would change with each measurement.
        line = f"milliseconds = {float(f'{max(time, 1):.2g}')}"
        before, entry = text.split(f'name = "{name}"\n', 1)
        entry, *rest = re.split(r"(?=\n\[\[model\]\])", entry, maxsplit=1)
        entry = re.sub(r"^milliseconds = .*\n", "", entry, flags=re.M)
        entry = entry.replace("\ndescription = ", f"\n{line}\ndescription = ", 1)
        text = f'{before}name = "{name}"\n{entry}' + "".join(rest)
        LIST.write_text(text)


if __name__ == "__main__":
    main()
