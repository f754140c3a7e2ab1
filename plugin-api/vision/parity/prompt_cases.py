"""The models of masks by prompts to compare."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
import transformers
from PIL import Image
from transformers.image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from making import Case, Golden, computed, rounded, shaken

# Of a picture of 64 x 64 pixels, as the network sees it.
BOXES = [[4.0, 8.0, 40.0, 60.0], [20.5, 3.25, 33.0, 21.0], [-3.0, 30.0, 70.0, 47.5]]
POINTS = [[[12.0, 20.0], [40.25, 33.0]], [[50.0, 10.0], [3.5, 60.0]]]
LABELS = [[1, 0], [1, 1]]


def all_masks(network: torch.nn.Module, features: list | torch.Tensor, **prompts: torch.Tensor) -> list[torch.Tensor]:
    """The logits and the scores of all masks of each prompt: that for prompts without doubt, and the others."""
    results = [
        network(image_embeddings=features, multimask_output=several, **prompts) for several in (False, True)
    ]
    return [
        torch.cat([getattr(result, name)[0] for result in results], 1) for name in ("pred_masks", "iou_scores")
    ]


def of_prompts(
    name: str,
    model: type,
    config: transformers.PretrainedConfig,
    processor: transformers.BaseImageProcessor,
    layers: dict[str, str],
    features: Callable[[torch.nn.Module, torch.Tensor], list[torch.Tensor]],
    small: bool = True,
    saved: type | None = None,
    published: Callable[[torch.nn.Module], torch.nn.Module] = lambda network: network,
    by_pillow: transformers.BaseImageProcessor | None = None,
) -> Case:
    """A network that makes masks of prompts; `layers` gives this project's name of a layer for its module's name, `saved` is
    the processor for pictures and prompts as one, where that is what is saved, `published` makes of the network the one that
    is, and `by_pillow` prepares pictures as `processor` does with Pillow instead of torchvision, which may be a level off."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        network = rounded(shaken(model(config)))
        pixels = (by_pillow or processor)(picture, return_tensors="pt")["pixel_values"]
        side = pixels.shape[-1] / 64
        kept: Golden = {}
        modules = dict(network.named_modules())
        for module, layer in layers.items():
            modules[module].register_forward_hook(
                lambda _module, _inputs, output, layer=layer: kept.update({f"layer:{layer}": output})
            )
        if hasattr(network.mask_decoder, "dynamic_multimask_via_stability"):
            network.mask_decoder.dynamic_multimask_via_stability = False

        def compute(pixels: torch.Tensor) -> Golden:
            maps = features(network, pixels)
            seen = maps[::-1] if len(maps) > 1 else maps[0]
            golden = {f"features.{index}": value for index, value in enumerate(maps)}
            boxes = torch.tensor([BOXES], dtype=pixels.dtype) * side
            points = torch.tensor([POINTS], dtype=pixels.dtype) * side
            labels = torch.tensor([LABELS])
            golden["box_masks"], golden["box_scores"] = all_masks(network, seen, input_boxes=boxes)
            golden["point_masks"], golden["point_scores"] = all_masks(
                network, seen, input_points=points, input_labels=labels
            )
            golden["both_masks"], golden["both_scores"] = all_masks(
                network, seen, input_points=points, input_labels=labels, input_boxes=boxes[:, : len(POINTS)]
            )
            return golden | kept

        golden = computed(network, pixels, compute)
        golden |= {"boxes": torch.tensor(BOXES) * side, "points": torch.tensor(POINTS) * side}
        golden["labels"] = torch.tensor(LABELS, dtype=torch.float32)
        published(network).half().save_pretrained(folder)
        (saved(processor) if saved else processor).save_pretrained(folder)
        return golden

    return Case(name, write, small)


def first_features(network: torch.nn.Module, pixels: torch.Tensor) -> list[torch.Tensor]:
    return [network.get_image_embeddings(pixels)]


def second_features(network: torch.nn.Module, pixels: torch.Tensor) -> list[torch.Tensor]:
    """The smallest map first."""
    return network.get_image_embeddings(pixels)[::-1]


def sam(
    vision: dict, width: int = 32, decoder: dict | None = None, side: int = 64, patch: int = 16
) -> transformers.SamConfig:
    sizes = dict(image_size=side, patch_size=patch)
    return transformers.SamConfig(
        vision_config=dict(output_channels=width, num_pos_feats=width // 2, **sizes) | vision,
        prompt_encoder_config=dict(hidden_size=width, mask_input_channels=4, **sizes),
        mask_decoder_config=dict(hidden_size=width, num_attention_heads=2, mlp_dim=24, iou_head_hidden_dim=20)
        | (decoder or {}),
    )


def sam_processor(side: int) -> transformers.BaseImageProcessor:
    return transformers.SamImageProcessorPil(
        size={"longest_edge": side}, pad_size={"height": side, "width": side},
        mask_size={"longest_edge": side // 4}, mask_pad_size={"height": side // 4, "width": side // 4},
    )


def sam2(backbone: dict, width: int = 32, decoder: dict | None = None, side: int = 64, **more: object) -> dict:
    features = list(backbone["embed_dim_per_stage"])
    return dict(
        vision_config=transformers.Sam2VisionConfig(
            backbone_config=transformers.Sam2HieraDetConfig(
                image_size=[side, side], hidden_size=features[0], **backbone
            ),
            backbone_channel_list=features[::-1],
            backbone_feature_sizes=[[side // times, side // times] for times in (4, 8, 16)],
            fpn_hidden_size=width,
        ),
        prompt_encoder_config=dict(hidden_size=width, image_size=side, mask_input_channels=4),
        mask_decoder_config=dict(hidden_size=width, num_attention_heads=2, mlp_dim=24, iou_head_hidden_dim=20)
        | (decoder or {}),
        **more,
    )


def sam2_processor(side: int) -> transformers.BaseImageProcessor:
    return transformers.Sam2ImageProcessor(
        size={"height": side, "width": side}, mask_size={"height": side // 4, "width": side // 4}
    )


def of_sam(name: str, config: transformers.SamConfig, small: bool = True, saved: type | None = None) -> Case:
    vision = config.vision_config
    layers = [f"vision_encoder.layers.{layer}" for layer in range(vision.num_hidden_layers)]
    layers = {layer: layer for layer in layers}
    return of_prompts(
        name, transformers.SamModel, config, sam_processor(vision.image_size), layers, first_features, small, saved
    )


def of_sam2(name: str, config: transformers.PretrainedConfig, small: bool = True, **more: object) -> Case:
    backbone = config.vision_config.backbone_config
    layers = [f"vision_encoder.backbone.blocks.{block}" for block in range(sum(backbone.blocks_per_stage))]
    layers = {layer: layer for layer in layers}
    side = backbone.image_size[0]
    more["by_pillow"] = transformers.ViTImageProcessorPil(
        size={"height": side, "width": side}, image_mean=IMAGENET_DEFAULT_MEAN, image_std=IMAGENET_DEFAULT_STD
    )
    return of_prompts(
        name, transformers.Sam2Model, config, sam2_processor(side), layers, second_features, small, **more
    )


def for_videos(network: torch.nn.Module) -> torch.nn.Module:
    """The network within one for videos, which is how SAM 2.1 is published."""
    sizes = sam2(SMALL_HIERA, memory_attention_num_layers=1, memory_attention_rope_feat_sizes=[4, 4])
    small = {"memory_attention_hidden_size": 32, "memory_encoder_hidden_size": 32, "memory_encoder_output_channels": 8}
    config = transformers.Sam2VideoConfig(
        **sizes, **small, mask_downsampler_embed_dim=32, memory_fuser_embed_dim=32, memory_attention_feed_forward_hidden_size=32
    )
    whole = transformers.Sam2VideoModel(config)
    whole.load_state_dict(network.state_dict(), strict=False)
    return whole


SMALL_HIERA = {
    "embed_dim_per_stage": [16, 24, 32, 48],
    "num_attention_heads_per_stage": [1, 2, 2, 3],
    "blocks_per_stage": [1, 2, 2, 1],
    "window_size_per_stage": [8, 4, 6, 3],
    "global_attention_blocks": [4],
    "window_positional_embedding_background_size": [3, 3],
    "mlp_ratio": 2.0,
}

CASES = [
    of_sam(
        "sam_windows",
        sam(dict(hidden_size=32, num_attention_heads=2, num_hidden_layers=3, mlp_dim=40, window_size=3, global_attn_indexes=[1])),
    ),
    of_sam(
        "sam_whole",
        sam(
            dict(
                hidden_size=24,
                num_attention_heads=3,
                num_hidden_layers=2,
                mlp_ratio=2.0,
                window_size=0,
                global_attn_indexes=[],
                qkv_bias=False,
                use_rel_pos=False,
            ),
            width=16,
            decoder=dict(num_multimask_outputs=2, iou_head_depth=2, attention_downsample_rate=1),
        ),
        saved=transformers.SamProcessor,
    ),
    of_sam(
        "sam_larger",
        sam(
            dict(hidden_size=96, num_attention_heads=4, num_hidden_layers=6, window_size=14, global_attn_indexes=[2, 5]),
            width=64,
            side=320,
        ),
        small=False,
    ),
    of_sam2("sam2", transformers.Sam2Config(**sam2(SMALL_HIERA))),
    of_sam2("sam2_video", transformers.Sam2Config(**sam2(SMALL_HIERA)), published=for_videos),
    of_sam2(
        "sam2_larger",
        transformers.Sam2Config(
            **sam2(
                {
                    "embed_dim_per_stage": [32, 64, 128, 256],
                    "num_attention_heads_per_stage": [1, 2, 4, 8],
                    "blocks_per_stage": [1, 2, 3, 2],
                    "window_size_per_stage": [8, 4, 14, 7],
                    "global_attention_blocks": [4, 5],
                },
                width=64,
                side=320,
            )
        ),
        small=False,
    ),
]
