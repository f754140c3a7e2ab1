"""Models of timm to compare."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import timm
import torch
import transformers
from PIL import Image
from safetensors.torch import save_file
from timm.models.densenet import DenseNet
from timm.models.efficientnet import _gen_efficientnetv2_s
from timm.models.mobilenetv3 import _gen_mobilenet_v4
from timm.models.vgg import VGG

from making import Case, Golden, computed, fit_statistics, rounded, shaken

# What makes the network of each case that timm's name and arguments alone do not make.
TIMM: dict[str, Callable[[], torch.nn.Module]] = {}


def of_timm(
    name: str,
    architecture: str,
    half: bool = True,
    small: bool = False,
    data: dict | None = None,
    make: Callable[[], torch.nn.Module] | None = None,
    fitted: bool = False,
    **arguments: object,
) -> Case:
    """A model of timm, in the form of its own repositories; `make` makes a smaller one of its kind, `fitted` is for deep
    networks."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        network = shaken(make() if make else timm.create_model(architecture, num_classes=10, **arguments))
        if half:
            rounded(network)
        settings = {
            "input_size": [3, 64, 64],
            "interpolation": "bicubic",
            "crop_pct": 0.9,
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
        } | (data or {})
        transform = timm.data.create_transform(**timm.data.resolve_data_config(pretrained_cfg=settings))
        pixels = transform(picture)[None]
        if fitted:
            # The mean of a picture has no variance by itself.
            fit_statistics(network, torch.cat([pixels, -0.7 * pixels]))
            rounded(network)

        def compute(pixels: torch.Tensor) -> Golden:
            features = network.forward_features(pixels)
            return {"logits": network(pixels), "embedding": network.forward_head(features, pre_logits=True)}

        golden = computed(network, pixels, compute)
        config = {"architecture": architecture, "num_classes": 10, "pretrained_cfg": settings}
        if arguments:
            config["model_args"] = arguments
        (folder / "config.json").write_text(json.dumps(config, indent=2))
        state = (network.half() if half else network).state_dict()
        save_file({key: value.contiguous() for key, value in state.items()}, folder / "model.safetensors")
        return golden

    if make:
        TIMM[name] = make
    return Case(name, write, small)


def of_timm_wrapper(name: str, architecture: str, **arguments: object) -> Case:
    """A model of timm as transformers saves it."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        settings = {
            "input_size": [3, 32, 32],
            "interpolation": "bicubic",
            "crop_pct": 0.9,
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
        }
        config = transformers.TimmWrapperConfig(
            architecture=architecture, num_labels=10, model_args=arguments, pretrained_cfg=settings
        )
        network = rounded(shaken(transformers.TimmWrapperForImageClassification(config)))
        transform = timm.data.create_transform(**timm.data.resolve_data_config(pretrained_cfg=settings))
        pixels = transform(picture)[None]
        golden = computed(network, pixels, lambda pixels: {"logits": network(pixels).logits})
        network.half().save_pretrained(folder)
        return golden

    return Case(name, write)


SMALL_VIT = dict(img_size=64, embed_dim=24, depth=2, num_heads=3)

CASES = [
    of_timm("timm_mobilenetv4_small", "mobilenetv4_conv_small_035", data={"input_size": [3, 75, 91]}),
    of_timm("timm_mobilenetv4_medium", "mobilenetv4_conv_medium"),
    of_timm("timm_regnety_002", "regnety_002"),
    of_timm("timm_regnetx_002", "regnetx_002", data={"input_size": [3, 75, 91]}),
    of_timm("timm_vit", "vit_tiny_patch16_224", small=True, img_size=64, embed_dim=24, depth=2, num_heads=3),
    of_timm(
        "timm_vit_registers",
        "vit_small_patch14_reg4_dinov2",
        small=True,
        data={"input_size": [3, 56, 56], "crop_pct": 1.0},
        img_size=56,
        embed_dim=24,
        depth=2,
        num_heads=2,
        global_pool="avg",
    ),
    of_timm("timm_deit_distilled", "deit_tiny_distilled_patch16_224", small=True, img_size=64, embed_dim=24, depth=2, num_heads=3),
    of_timm("timm_deit3", "deit3_small_patch16_224", small=True, data={"crop_mode": "squash"}, img_size=64, embed_dim=24, depth=2, num_heads=3),
    of_timm("timm_convnext_small", "convnext_tiny", small=True, depths=[1, 1, 2, 1], dims=[8, 8, 12, 16]),
    of_timm("timm_convnextv2_small", "convnextv2_tiny", small=True, depths=[1, 1, 2, 1], dims=[8, 8, 12, 16]),
    of_timm("timm_convnextv2_pico", "convnextv2_pico", depths=[1, 1, 2, 1]),
    of_timm("timm_convnext_tiny", "convnext_tiny"),
    of_timm("timm_beit", "beit_base_patch16_224", small=True, img_size=64, embed_dim=24, depth=2, num_heads=3),
    of_timm("timm_beitv2", "beitv2_base_patch16_224", data={"input_size": [3, 96, 64]}, img_size=[96, 64], embed_dim=32, depth=3, num_heads=4),
    of_timm("timm_swin", "swin_tiny_patch4_window7_224", small=True, img_size=64, window_size=4, embed_dim=8, depths=[2, 2], num_heads=[1, 2]),
    of_timm("timm_swin_s3", "swin_s3_tiny_224", data={"input_size": [3, 224, 224]}, embed_dim=24, depths=[2, 1, 2, 1], num_heads=[1, 2, 2, 4]),
    of_timm("timm_swinv2", "swinv2_tiny_window8_256", small=True, img_size=64, window_size=4, embed_dim=8, depths=[2, 2], num_heads=[1, 2]),
    of_timm("timm_swinv2_tiny", "swinv2_tiny_window8_256", data={"input_size": [3, 128, 128]}, img_size=128, depths=[1, 1, 2, 1]),
    of_timm(
        "timm_swinv2_other_windows",
        "swinv2_base_window12to16_192to256",
        data={"input_size": [3, 256, 256]},
        embed_dim=16,
        depths=[2, 2, 2, 2],
        num_heads=[1, 2, 2, 4],
    ),
    of_timm("timm_efficientnet_b0", "efficientnet_b0"),
    of_timm("timm_efficientnet_lite0", "efficientnet_lite0"),
    of_timm("timm_mobilenetv2", "mobilenetv2_050", data={"input_size": [3, 80, 96]}),
    of_timm("timm_mobilenetv3_small", "mobilenetv3_small_050"),
    of_timm("timm_mobilenetv3_large", "mobilenetv3_large_100"),
    of_timm("timm_tf_efficientnet_b0", "tf_efficientnet_b0", data={"input_size": [3, 75, 75]}),
    of_timm("timm_tf_efficientnetv2_b0", "tf_efficientnetv2_b0", data={"input_size": [3, 64, 64]}),
    of_timm("timm_tf_mobilenetv3_small", "tf_mobilenetv3_small_075", data={"input_size": [3, 70, 70]}),
    of_timm("timm_resnet18", "resnet18", small=True, channels=[8, 16, 16, 24]),
    of_timm("timm_resnet50d", "resnet50d", data={"interpolation": "bilinear"}),
    of_timm("timm_resnext50", "resnext50_32x4d"),
    of_timm("timm_seresnet50t", "seresnet50t"),
    of_timm("timm_wide_resnet50", "wide_resnet50_2"),
    of_timm_wrapper(
        "timm_wrapper_vit", "vit_tiny_patch16_224", img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=3
    ),
    of_timm_wrapper(
        "timm_wrapper_deit3", "deit3_small_patch16_224", img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=2
    ),
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
