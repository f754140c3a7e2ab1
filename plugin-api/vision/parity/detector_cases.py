"""Detectors of transformers to compare."""

from __future__ import annotations

import transformers

from making import Golden, hugging_face, square


def objects(result) -> Golden:
    return {"logits": result.logits, "boxes": result.pred_boxes}


def detr(config: type = transformers.DetrConfig, **backbone: object):
    return config(
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        backbone=None,
        backbone_config=transformers.ResNetConfig(embedding_size=8, out_features=["stage2"], **backbone),
        d_model=16,
        encoder_layers=2,
        decoder_layers=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=24,
        encoder_attention_heads=2,
        decoder_attention_heads=4,
        num_queries=5,
        num_labels=3,
    )


def rt_detr(config: type = transformers.RTDetrConfig, backbone: dict | None = None, **settings: object):
    """A small one of either version; its maps have so many pixels that some are no candidates."""
    shape = dict(embedding_size=8, hidden_sizes=[8, 8, 12, 16], depths=[1, 1, 2, 1], layer_type="basic")
    arguments = dict(
        encoder_hidden_dim=8,
        encoder_ffn_dim=12,
        encoder_attention_heads=2,
        encoder_in_channels=[8, 12, 16],
        d_model=8,
        decoder_in_channels=[8, 8, 8],
        decoder_ffn_dim=12,
        decoder_layers=2,
        decoder_attention_heads=2,
        num_queries=6,
        num_labels=3,
        num_denoising=0,
        freeze_backbone_batch_norms=False,
    )
    return config(
        backbone_config=transformers.RTDetrResNetConfig(out_indices=[2, 3, 4], **(shape | (backbone or {}))),
        **(arguments | settings),
    )


def rf_detr(**backbone: object) -> transformers.RfDetrConfig:
    body = dict(
        model_type="rf_detr_dinov2",
        hidden_size=24,
        num_hidden_layers=4,
        num_attention_heads=2,
        mlp_ratio=2,
        image_size=56,
        patch_size=14,
    )
    return transformers.RfDetrConfig(
        backbone_config=body | backbone,
        d_model=16,
        num_queries=6,
        decoder_layers=2,
        decoder_self_attention_heads=2,
        decoder_cross_attention_heads=4,
        decoder_n_points=2,
        decoder_ffn_dim=24,
        group_detr=2,
        c2f_num_blocks=2,
        num_labels=5,
    )


def d_fine(backbone: dict | None = None, **settings: object) -> transformers.DFineConfig:
    shape = dict(
        stem_channels=[3, 8, 8],
        stage_in_channels=[8, 12, 12, 16],
        stage_mid_channels=[4, 4, 8, 8],
        stage_out_channels=[12, 12, 16, 16],
        embedding_size=8,
        hidden_sizes=[12, 12, 16, 16],
        depths=[1, 1, 2, 1],
        stage_num_blocks=[1, 1, 2, 1],
        stage_numb_of_layers=[2, 2, 2, 1],
        use_learnable_affine_block=True,
        out_indices=[2, 3, 4],
    )
    arguments = dict(
        encoder_hidden_dim=8,
        encoder_ffn_dim=12,
        encoder_attention_heads=2,
        encoder_in_channels=[12, 16, 16],
        d_model=8,
        decoder_in_channels=[8, 8, 8],
        decoder_ffn_dim=12,
        decoder_layers=2,
        decoder_attention_heads=2,
        num_queries=6,
        num_labels=3,
        num_denoising=0,
        freeze_backbone_batch_norms=False,
    )
    return transformers.DFineConfig(
        backbone_config=transformers.HGNetV2Config(**(shape | (backbone or {}))), **(arguments | settings)
    )


CASES = [
    hugging_face(
        "yolos_mid_positions",
        transformers.YolosForObjectDetection,
        transformers.YolosConfig(
            hidden_size=16,
            num_hidden_layers=3,
            num_attention_heads=2,
            intermediate_size=32,
            image_size=[32, 48],
            patch_size=8,
            num_labels=3,
            num_detection_tokens=4,
        ),
        transformers.YolosImageProcessorPil(size={"shortest_edge": 48, "longest_edge": 80}),
        objects,
    ),
    hugging_face(
        "yolos_padded",
        transformers.YolosForObjectDetection,
        transformers.YolosConfig(
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            image_size=[48, 64],
            patch_size=16,
            num_labels=2,
            num_detection_tokens=5,
            use_mid_position_embeddings=False,
        ),
        transformers.YolosImageProcessorPil(size={"max_height": 47, "max_width": 60}, pad_size={"height": 48, "width": 64}),
        objects,
    ),
    hugging_face(
        "yolos_plain",
        transformers.YolosForObjectDetection,
        transformers.YolosConfig(
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            image_size=[32, 32],
            patch_size=16,
            num_labels=3,
            num_detection_tokens=5,
            use_mid_position_embeddings=False,
        ),
        transformers.YolosImageProcessorPil(size={"shortest_edge": 32, "longest_edge": 40}),
        objects,
    ),
    hugging_face(
        "detr_basic",
        transformers.DetrForObjectDetection,
        detr(layer_type="basic", hidden_sizes=[8, 16], depths=[1, 1]),
        transformers.DetrImageProcessorPil(size={"shortest_edge": 48, "longest_edge": 90}),
        objects,
    ),
    hugging_face(
        "detr_bottleneck",
        transformers.DetrForObjectDetection,
        detr(layer_type="bottleneck", hidden_sizes=[16, 32], depths=[2, 1]),
        transformers.DetrImageProcessorPil(size={"shortest_edge": 60, "longest_edge": 70}),
        objects,
    ),
    hugging_face(
        "detr_padded",
        transformers.DetrForObjectDetection,
        detr(layer_type="basic", hidden_sizes=[8, 16], depths=[1, 1]),
        transformers.DetrImageProcessorPil(size={"max_height": 75, "max_width": 83}, pad_size={"height": 80, "width": 88}),
        objects,
        masked=True,
    ),
    hugging_face(
        "table_transformer_padded",
        transformers.TableTransformerForObjectDetection,
        detr(transformers.TableTransformerConfig, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic"),
        transformers.DetrImageProcessorPil(size={"shortest_edge": 48, "longest_edge": 80}, pad_size={"height": 96, "width": 80}),
        objects,
        masked=True,
        small=False,
    ),
    hugging_face(
        "table_transformer",
        transformers.TableTransformerForObjectDetection,
        detr(transformers.TableTransformerConfig, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic"),
        transformers.DetrImageProcessorPil(size={"shortest_edge": 48, "longest_edge": 80}),
        objects,
    ),
    hugging_face(
        "table_transformer_bottleneck",
        transformers.TableTransformerForObjectDetection,
        detr(transformers.TableTransformerConfig, hidden_sizes=[16, 32], depths=[1, 2]),
        transformers.DetrImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 64}),
        objects,
        small=False,
    ),
    hugging_face(
        "rt_detr_basic",
        transformers.RTDetrForObjectDetection,
        rt_detr(),
        square(transformers.RTDetrImageProcessorPil, 128),
        objects,
        fitted=True,
        small=False,
    ),
    hugging_face(
        "rt_detr_bottleneck",
        transformers.RTDetrForObjectDetection,
        rt_detr(
            backbone=dict(layer_type="bottleneck", hidden_sizes=[16, 16, 16, 32], hidden_act="silu"),
            encoder_in_channels=[16, 16, 32],
            hidden_expansion=0.5,
            decoder_n_points=2,
            num_feature_levels=4,
            encode_proj_layers=[1, 2],
            encoder_layers=2,
        ),
        transformers.RTDetrImageProcessorPil(
            size={"height": 64, "width": 96}, do_normalize=True, resample=3
        ),
        objects,
        fitted=True,
    ),
    hugging_face(
        "rt_detr_v2",
        transformers.RTDetrV2ForObjectDetection,
        rt_detr(transformers.RTDetrV2Config, decoder_offset_scale=0.7, decoder_n_points=3),
        square(transformers.RTDetrImageProcessorPil, 64),
        objects,
        fitted=True,
    ),
    hugging_face(
        "rt_detr_v2_wide",
        transformers.RTDetrV2ForObjectDetection,
        rt_detr(
            transformers.RTDetrV2Config,
            backbone=dict(layer_type="bottleneck", hidden_sizes=[16, 32, 32, 64]),
            encoder_in_channels=[32, 32, 64],
            encoder_hidden_dim=16,
            decoder_in_channels=[16, 16, 16],
            d_model=32,
            activation_function="relu",
            batch_norm_eps=1e-3,
        ),
        transformers.RTDetrImageProcessorPil(size={"height": 64, "width": 64}),
        objects,
        fitted=True,
        small=False,
    ),
    hugging_face(
        "d_fine",
        transformers.DFineForObjectDetection,
        d_fine(decoder_n_points=[2, 4, 1], decoder_layers=3, depth_mult=0.34, max_num_bins=8),
        square(transformers.RTDetrImageProcessorPil, 96),
        objects,
        fitted=True,
    ),
    hugging_face(
        "d_fine_two_levels",
        transformers.DFineForObjectDetection,
        d_fine(
            backbone=dict(out_indices=[3, 4], use_learnable_affine_block=False, hidden_act="silu"),
            encoder_in_channels=[16, 16],
            encode_proj_layers=[1],
            decoder_in_channels=[8, 8],
            num_feature_levels=2,
            d_model=16,
            hidden_expansion=0.5,
            top_prob_values=3,
            lqe_layers=3,
            lqe_hidden_dim=8,
            reg_scale=8.0,
            up=0.25,
        ),
        transformers.RTDetrImageProcessorPil(size={"height": 96, "width": 128}),
        objects,
        fitted=True,
        small=False,
    ),
    hugging_face(
        "rf_detr",
        transformers.RfDetrForObjectDetection,
        rf_detr(num_windows=2, out_features=["stage1", "stage3"]),
        transformers.RfDetrImageProcessor(size={"height": 56, "width": 56}, do_pad=False),
        objects,
        {"model.backbone.projector": "backbone.0.projector.stages.0.1"},
    ),
    hugging_face(
        "rf_detr_larger",
        transformers.RfDetrForObjectDetection,
        rf_detr(num_windows=3, out_features=["stage2", "stage4"]),
        transformers.RfDetrImageProcessor(size={"height": 84, "width": 84}, do_pad=False),
        objects,
        small=False,
    ),
]
