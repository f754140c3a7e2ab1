"""Networks for masks, depth and points in their published sizes, by the names of their repositories."""

from __future__ import annotations

import transformers

from sized import SIZES, Made, found, size_of
from sized_classifiers import SWIN


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


def vitpose(name: str) -> Made:
    size = size_of(name)
    shape = {key: value for key, value in SIZES[size].items() if key != "intermediate_size"}
    experts = dict(num_experts=6, part_features=192 if size == "base" else 96) if "plus" in name else {}
    body = transformers.VitPoseBackboneConfig(image_size=[256, 192], out_indices=[12], mlp_ratio=4, **shape, **experts)
    config = transformers.VitPoseConfig(backbone_config=body, use_simple_decoder="simple" in name, num_labels=17)
    return transformers.VitPoseForPoseEstimation(config), transformers.VitPoseImageProcessorPil()
