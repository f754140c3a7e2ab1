"""The models of poses to compare."""

from __future__ import annotations

from pathlib import Path

import transformers
from PIL import Image

from making import Case, Golden, computed, rounded, shaken

NAMES = ["Nose", "L_Eye", "R_Eye", "L_Ear", "R_Ear"]
BACKBONE = {"model_type": "vitpose_backbone", "hidden_size": 24, "num_attention_heads": 3}


def of_pose(name: str, config: transformers.VitPoseConfig, size: dict, small: bool = True) -> Case:
    """A finder of a person's points, who is the whole picture here."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        network = shaken(transformers.VitPoseForPoseEstimation(config))
        processor = transformers.VitPoseImageProcessorPil(size=size)
        pixels = processor(picture, boxes=[[[0.0, 0.0, *picture.size]]], return_tensors="pt")["pixel_values"]
        rounded(network)
        experts = {"dataset_index": pixels.new_zeros(1, dtype=int)} if config.backbone_config.num_experts > 1 else {}
        golden = computed(network, pixels, lambda pixels: {"maps": network(pixels, **experts).heatmaps})
        network.half().save_pretrained(folder)
        processor.save_pretrained(folder)
        return golden

    return Case(name, write, small)


def config(backbone: dict, **settings: object) -> transformers.VitPoseConfig:
    names = dict(enumerate(NAMES))
    layers = backbone["num_hidden_layers"]
    return transformers.VitPoseConfig(
        backbone_config=BACKBONE | backbone | {"out_indices": [layers]}, id2label=names, num_labels=len(names), **settings
    )


SIZE = {"height": 64, "width": 48}

CASES = [
    of_pose(
        "vitpose_simple",
        config({"image_size": [64, 48], "patch_size": [16, 16], "num_hidden_layers": 2}, edges=[[0, 1], [0, 2]]),
        SIZE,
    ),
    of_pose(
        "vitpose_experts",
        config(
            {
                "image_size": [64, 48],
                "patch_size": [8, 8],
                "num_hidden_layers": 1,
                "num_experts": 3,
                "part_features": 6,
                "mlp_ratio": 2,
            },
            scale_factor=2,
        ),
        SIZE,
    ),
    of_pose(
        "vitpose_classic",
        config(
            {"image_size": [256, 192], "patch_size": [16, 16], "num_hidden_layers": 3, "hidden_size": 48},
            use_simple_decoder=False,
        ),
        {"height": 256, "width": 192},
        small=False,
    ),
]
