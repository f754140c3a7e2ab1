"""Dense prediction transformers to compare: on BiT's stages with a vision transformer, on BEiT and on Swin V2."""

from __future__ import annotations

import transformers

from making import hugging_face


def depth(result):
    return {"depth": result.predicted_depth[:, None]}


def processor(side: int, **settings: object) -> transformers.BaseImageProcessor:
    return transformers.DPTImageProcessorPil(size={"height": side, "width": side}, **settings)


def hybrid(side: int, groups: int, **settings: object) -> transformers.DPTConfig:
    """The published form: SAME padding, and blocks with their normalisations behind the convolutions."""
    body = dict(
        model_type="bit",
        embedding_size=8,
        hidden_sizes=[16, 24, 32],
        depths=[1, 2, 1],
        num_groups=groups,
        layer_type="bottleneck",
        global_padding="same",
        embedding_dynamic_padding=True,
        out_features=["stage1", "stage2", "stage3"],
    )
    sizes = dict(
        image_size=side,
        patch_size=16,
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=24,
        backbone_out_indices=[0, 1, 2, 3],
        backbone_featmap_shape=[1, 32, side // 16, side // 16],
        neck_hidden_sizes=[16, 24, 12, 12],
        reassemble_factors=[1, 1, 1, 0.5],
        fusion_hidden_size=8,
    )
    return transformers.DPTConfig(is_hybrid=True, backbone_config=body, **(sizes | settings))


def on_beit(side: int, patch: int, **settings: object) -> transformers.DPTConfig:
    body = transformers.BeitConfig(
        image_size=side,
        patch_size=patch,
        hidden_size=24,
        num_hidden_layers=5,
        num_attention_heads=3,
        intermediate_size=32,
        use_relative_position_bias=True,
        reshape_hidden_states=False,
        out_features=["stage1", "stage2", "stage4", "stage5"],
    )
    sizes = dict(neck_hidden_sizes=[4, 8, 8, 12], fusion_hidden_size=8)
    return transformers.DPTConfig(backbone_config=body, **(sizes | settings))


def on_swin(side: int, **settings: object) -> transformers.DPTConfig:
    body = transformers.Swinv2Config(
        image_size=side,
        patch_size=4,
        embed_dim=8,
        num_heads=[1, 2, 2, 4],
        out_features=["stage1", "stage2", "stage3", "stage4"],
        **settings,
    )
    return transformers.DPTConfig(backbone_config=body, neck_hidden_sizes=[8, 16, 32, 64], fusion_hidden_size=8)


CASES = [
    hugging_face("dpt_hybrid", transformers.DPTForDepthEstimation, hybrid(64, 4), processor(64), depth),
    hugging_face(
        "dpt_hybrid_segmenter",
        transformers.DPTForSemanticSegmentation,
        hybrid(96, 8, num_labels=4, use_batch_norm_in_fusion_residual=True),
        processor(96),
        lambda result: {"logits": result.logits},
        small=False,
    ),
    hugging_face("dpt_beit", transformers.DPTForDepthEstimation, on_beit(48, 8, readout_type="project"), processor(48), depth),
    hugging_face(
        "dpt_beit_wide",
        transformers.DPTForDepthEstimation,
        on_beit(64, 16, readout_type="ignore"),
        processor(64, keep_aspect_ratio=True, ensure_multiple_of=16),
        depth,
        small=False,
    ),
    hugging_face("dpt_swin", transformers.DPTForDepthEstimation, on_swin(64, depths=[1, 2, 1, 1], window_size=4), processor(64), depth),
    hugging_face(
        "dpt_swin_trained",
        transformers.DPTForDepthEstimation,
        on_swin(96, depths=[2, 2, 2, 1], window_size=6, pretrained_window_sizes=[4, 4, 4, 2]),
        processor(96),
        depth,
        small=False,
    ),
]
