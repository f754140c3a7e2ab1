"""Networks that timm and transformers publish: made by them with random weights, and written to a folder as they write it,
which this project's built-in architectures read as it is."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

# The configurations are written out here: nothing is asked for.
os.environ["HF_HUB_OFFLINE"] = "1"

import timm
import torch
import transformers
from safetensors.torch import save_file
from torch import nn


@dataclass(frozen=True)
class Published:
    """A network, how its folder is written, and which of its outputs are compared."""

    make: Callable[[], nn.Module]
    save: Callable[[nn.Module, Path], None]
    # This project's names of the outputs.
    outputs: tuple[str, ...]
    # The same outputs of what the module gives.
    read: Callable[[object], tuple[torch.Tensor, ...]]
    # Whether rows come in the order of scores so close, with random weights, that rounding changes it.
    ranked: bool = False


class Reading(nn.Module):
    """A published network that gives the outputs which are compared, and nothing else."""

    def __init__(self, network: nn.Module, read: Callable[[object], tuple[torch.Tensor, ...]]) -> None:
        super().__init__()
        self.network = network
        self.read = read

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.read(self.network(image))


def of_timm(name: str, size: int = 224, **arguments: object) -> Published:
    """A classifier of timm's."""

    def save(network: nn.Module, folder: Path) -> None:
        settings = {"input_size": [3, size, size], "num_classes": 1000}
        config = {"architecture": name, "num_classes": 1000, "pretrained_cfg": settings, "model_args": arguments}
        (folder / "config.json").write_text(json.dumps(config))
        state = {key: value.contiguous() for key, value in network.state_dict().items()}
        save_file(state, folder / "model.safetensors")

    return Published(
        lambda: timm.create_model(name, pretrained=False, exportable=True, **arguments),
        save,
        ("logits",),
        lambda logits: (logits,),
    )


def of_transformers(
    model: type,
    config: transformers.PretrainedConfig,
    outputs: tuple[str, ...],
    read: Callable[[object], tuple[torch.Tensor, ...]],
    ranked: bool = False,
) -> Published:
    """A network of transformers'. Attention is computed step by step: what is fused there cannot be exported."""

    def make() -> nn.Module:
        config._attn_implementation = "eager"
        return model(config)

    return Published(make, lambda network, folder: network.save_pretrained(folder), outputs, read, ranked)


DINOV2_SMALL = of_transformers(
    transformers.Dinov2Model,
    transformers.Dinov2Config(hidden_size=384, num_hidden_layers=12, num_attention_heads=6, image_size=224, patch_size=14),
    ("embedding",),
    lambda outputs: (outputs.pooler_output,),
)

SEGFORMER_B0 = of_transformers(
    transformers.SegformerForSemanticSegmentation,
    transformers.SegformerConfig(num_labels=150),
    ("logits",),
    lambda outputs: (outputs.logits,),
)

RT_DETR_V2_R18 = of_transformers(
    transformers.RTDetrV2ForObjectDetection,
    transformers.RTDetrV2Config(
        backbone_config=transformers.RTDetrResNetConfig(
            embedding_size=64,
            hidden_sizes=[64, 128, 256, 512],
            depths=[2, 2, 2, 2],
            layer_type="basic",
            out_features=["stage2", "stage3", "stage4"],
        ),
        encoder_in_channels=[128, 256, 512],
        hidden_expansion=0.5,
        decoder_layers=3,
        num_labels=80,
    ),
    ("logits", "boxes"),
    lambda outputs: (outputs.logits, outputs.pred_boxes),
    ranked=True,
)

EFFICIENTNET_B0 = of_timm("efficientnet_b0")
MOBILENET_V3 = of_timm("mobilenetv3_large_100")
SWIN_TINY = of_timm("swin_tiny_patch4_window7_224")
CONVNEXT_TINY = of_timm("convnext_tiny", ls_init_value=0.1)
