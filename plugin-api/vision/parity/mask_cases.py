"""The models of masks by queries to compare."""

from __future__ import annotations

from pathlib import Path

import transformers
from PIL import Image

from detector_cases import rf_detr
from making import Case, Golden, computed, rounded, shaken
import torch

NAMES = ["cat", "house", "dog"]


def of_queries(name: str, config: transformers.EomtConfig, processor, small: bool = True) -> Case:
    """A network whose queries and features become masks; what masks they become is compared from the JPEG file on."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        network = shaken(transformers.EomtForUniversalSegmentation(config))
        # As after training, when queries see all of the picture.
        network.attn_mask_probs.zero_()
        rounded(network)
        pixels = processor(picture, return_tensors="pt")["pixel_values"]
        kept: Golden = {}
        for module, output in ((network.mask_head, "queries"), (network.upscale_block, "features")):
            module.register_forward_hook(lambda _module, _inputs, value, output=output: kept.update({output: value}))
        golden = computed(
            network, pixels, lambda pixels: {"logits": network(pixels).class_queries_logits} | kept
        )
        network.half().save_pretrained(folder)
        processor.save_pretrained(folder)
        return golden

    return Case(name, write, small)


def config(**settings: object) -> transformers.EomtConfig:
    sizes = dict(hidden_size=24, num_hidden_layers=3, num_attention_heads=2, patch_size=8, num_blocks=2, num_queries=6)
    return transformers.EomtConfig(**(sizes | settings), id2label=dict(enumerate(NAMES)), num_labels=len(NAMES))


def processor(shorter: int, longer: int | None, **settings: object) -> transformers.BaseImageProcessor:
    return transformers.EomtImageProcessorPil(size={"shortest_edge": shorter, "longest_edge": longer}, **settings)


def of_objects(name: str, config: transformers.RfDetrConfig, side: int, small: bool = True) -> Case:
    """A network whose objects have boxes and masks; what is added to each logit of a mask is one more feature."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        network = rounded(shaken(transformers.RfDetrForInstanceSegmentation(config)))
        processor = transformers.RfDetrImageProcessor(size={"height": side, "width": side})
        pixels = processor(picture, return_tensors="pt")["pixel_values"]
        kept: Golden = {}
        for module, output in ((network.query_features_proj, "queries"), (network.spatial_features_proj, "features")):
            module.register_forward_hook(lambda _module, _inputs, value, output=output: kept.update({output: value}))

        def compute(pixels: torch.Tensor) -> Golden:
            result = network(pixels)
            queries, features = kept["queries"], kept["features"]
            bias = network.segmentation_bias.expand_as(features[:, :1])
            return {
                "logits": result.logits,
                "boxes": result.pred_boxes,
                "queries": torch.cat([queries, torch.ones_like(queries[..., :1])], -1),
                "features": torch.cat([features, bias], 1),
            }

        golden = computed(network, pixels, compute)
        network.half().save_pretrained(folder)
        processor.save_pretrained(folder)
        return golden

    return Case(name, write, small)


def segmenter(**backbone: object) -> transformers.RfDetrConfig:
    config = rf_detr(**backbone)
    config.intermediate_size = 24
    return config


CASES = [
    of_objects("rf_detr_masks", segmenter(num_windows=2, out_features=["stage1", "stage3"]), 56),
    of_objects("rf_detr_masks_larger", segmenter(num_windows=3, out_features=["stage2", "stage4"]), 84, small=False),
    of_queries("eomt_objects", config(image_size=64, num_upscale_blocks=2), processor(64, 64, do_pad=True)),
    of_queries(
        "eomt_pixels",
        config(image_size=48, num_upscale_blocks=1, use_swiglu_ffn=True, num_register_tokens=1, num_blocks=1, num_queries=4),
        processor(48, None, do_split_image=True),
    ),
    of_queries(
        "eomt_larger",
        config(image_size=128, patch_size=16, hidden_size=64, num_attention_heads=4, num_hidden_layers=4, num_queries=20),
        processor(128, 128, do_pad=True),
        small=False,
    ),
]
