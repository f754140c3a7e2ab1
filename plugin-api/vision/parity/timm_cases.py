"""Further models of timm to compare: those with parts that no other family has."""

from __future__ import annotations

import torch
from timm.models.densenet import DenseNet
from timm.models.efficientnet import _gen_efficientnetv2_s
from timm.models.mobilenetv3 import _gen_mobilenet_v4
from timm.models.vgg import VGG

from cases import of_timm

SMALL_VIT = dict(img_size=64, embed_dim=24, depth=2, num_heads=3)

CASES = [
    of_timm("timm_vit_bordered", "vit_tiny_patch16_224", small=True, data={"crop_mode": "border", "crop_pct": 1.0}, **SMALL_VIT),
    of_timm("timm_vit_bordered_less", "vit_tiny_patch16_224", data={"crop_mode": "border", "mean": [0.5, 0.4, 0.3]}, **SMALL_VIT),
    of_timm("timm_siglip", "vit_base_patch16_siglip_224", small=True, **SMALL_VIT),
    of_timm("timm_siglip_mean", "vit_base_patch16_siglip_gap_224", **SMALL_VIT),
    of_timm(
        "timm_dinov3", "vit_small_patch16_dinov3", small=True, data={"crop_pct": 1.0}, embed_dim=32, depth=2, num_heads=2
    ),
    of_timm(
        "timm_dinov3_gated",
        "vit_small_plus_patch16_dinov3_qkvb",
        small=True,
        data={"input_size": [3, 48, 80]},
        embed_dim=32,
        depth=2,
        num_heads=2,
        global_pool="token",
    ),
    of_timm(
        "timm_vgg",
        "vgg11_bn",
        small=True,
        make=lambda: VGG([8, "M", 12, "M", 16, "M"], num_classes=10, mlp_ratio=0.005, norm_layer=torch.nn.BatchNorm2d),
        mlp_ratio=0.005,
    ),
    of_timm(
        "timm_vgg_plain",
        "vgg13",
        data={"input_size": [3, 40, 72]},
        make=lambda: VGG([8, "M", 12, 16, "M", 16, "M"], num_classes=10, mlp_ratio=0.005),
        mlp_ratio=0.005,
    ),
    of_timm(
        "timm_densenet",
        "densenet121",
        small=True,
        make=lambda: DenseNet(growth_rate=4, block_config=(2, 1, 2), num_classes=10),
        growth_rate=4,
    ),
    of_timm(
        "timm_densenet_wide",
        "densenet161",
        data={"input_size": [3, 75, 91]},
        make=lambda: DenseNet(growth_rate=12, block_config=(2, 3, 2, 1), num_classes=10),
        growth_rate=12,
    ),
    of_timm(
        "timm_efficientnetv2_rw",
        "efficientnetv2_rw_t",
        small=True,
        fitted=True,
        make=lambda: _gen_efficientnetv2_s("efficientnetv2_rw_t", 0.1, 0.4, rw=False, num_classes=10),
        channel_multiplier=0.1,
    ),
    of_timm("timm_efficientnetv2_rw_small", "efficientnetv2_rw_s"),
    of_timm(
        "timm_mobilenetv4_hybrid",
        "mobilenetv4_hybrid_medium",
        small=True,
        fitted=True,
        make=lambda: _gen_mobilenet_v4("mobilenetv4_hybrid_medium", 0.1, num_classes=10),
        channel_multiplier=0.1,
    ),
    of_timm("timm_mobilenetv4_hybrid_large", "mobilenetv4_hybrid_large", fitted=True, data={"input_size": [3, 96, 128]}),
]
