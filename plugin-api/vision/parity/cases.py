"""Further models of transformers to compare: classes, embeddings, depths and classes of pixels."""

from __future__ import annotations

import transformers

from making import Golden, classifier, hugging_face, square


def class_token(result) -> Golden:
    return {"embedding": result.last_hidden_state[:, 0]}


VIT = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40, num_labels=5)

DINOV3 = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48)

DINOV2 = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2, num_labels=5)


def depth_anything(**settings: object) -> transformers.DepthAnythingConfig:
    backbone = transformers.Dinov2Config(
        image_size=42,
        patch_size=14,
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        mlp_ratio=2,
        out_indices=[1, 2, 3, 4],
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    return transformers.DepthAnythingConfig(
        backbone_config=backbone,
        patch_size=14,
        reassemble_hidden_size=16,
        neck_hidden_sizes=[4, 8, 8, 8],
        fusion_hidden_size=8,
        head_hidden_size=4,
        **settings,
    )


def dpt(**settings: object) -> transformers.DPTConfig:
    sizes = dict(
        image_size=32,
        patch_size=8,
        hidden_size=16,
        num_hidden_layers=5,
        num_attention_heads=2,
        intermediate_size=24,
        backbone_out_indices=[0, 1, 3, 4],
        neck_hidden_sizes=[4, 8, 8, 8],
        fusion_hidden_size=8,
    )
    return transformers.DPTConfig(**(sizes | settings))


CASES = [
    hugging_face(
        "vit_classifier",
        transformers.ViTForImageClassification,
        transformers.ViTConfig(image_size=32, patch_size=8, **VIT),
        square(transformers.ViTImageProcessorPil, 32),
        classifier,
        {"vit.layers.0": "vit.encoder.layer.0", "vit.layernorm": "vit.layernorm"},
    ),
    hugging_face(
        "vit_backbone",
        transformers.ViTModel,
        transformers.ViTConfig(image_size=[40, 24], patch_size=8, qkv_bias=False, hidden_act="relu", **VIT),
        transformers.ViTImageProcessorPil(size={"height": 40, "width": 24}, resample=3),
        class_token,
    ),
    hugging_face(
        "deit_distilled",
        transformers.DeiTForImageClassificationWithTeacher,
        transformers.DeiTConfig(image_size=32, patch_size=8, **VIT),
        transformers.DeiTImageProcessorPil(size={"height": 37, "width": 37}, crop_size={"height": 32, "width": 32}),
        classifier,
    ),
    hugging_face(
        "deit_classifier",
        transformers.DeiTForImageClassification,
        transformers.DeiTConfig(image_size=48, patch_size=16, **VIT),
        transformers.DeiTImageProcessorPil(size={"height": 53, "width": 53}, crop_size={"height": 48, "width": 48}),
        classifier,
    ),
    hugging_face(
        "dinov2_backbone",
        transformers.Dinov2Model,
        transformers.Dinov2Config(image_size=70, patch_size=14, **DINOV2),
        transformers.BitImageProcessorPil(size={"shortest_edge": 51}, crop_size={"height": 42, "width": 56}),
        class_token,
    ),
    hugging_face(
        "dinov2_classifier",
        transformers.Dinov2ForImageClassification,
        transformers.Dinov2Config(image_size=42, patch_size=14, use_swiglu_ffn=True, **DINOV2),
        transformers.BitImageProcessorPil(size={"shortest_edge": 48}, crop_size={"height": 42, "width": 42}),
        classifier,
    ),
    hugging_face(
        "dinov2_registers",
        transformers.Dinov2WithRegistersModel,
        transformers.Dinov2WithRegistersConfig(image_size=70, patch_size=14, num_register_tokens=3, **DINOV2),
        transformers.BitImageProcessorPil(size={"shortest_edge": 51}, crop_size={"height": 42, "width": 42}),
        class_token,
    ),
    hugging_face(
        "beit_classifier",
        transformers.BeitForImageClassification,
        transformers.BeitConfig(image_size=32, patch_size=8, use_relative_position_bias=True, **VIT),
        square(transformers.BeitImageProcessorPil, 32),
        classifier,
    ),
    hugging_face(
        "beit_backbone",
        transformers.BeitModel,
        transformers.BeitConfig(
            image_size=48,
            patch_size=16,
            use_shared_relative_position_bias=True,
            use_relative_position_bias=True,
            use_absolute_position_embeddings=True,
            use_mean_pooling=False,
            use_mask_token=True,
            layer_scale_init_value=0.0,
            **VIT,
        ),
        square(transformers.BeitImageProcessorPil, 48),
        lambda result: {"embedding": result.pooler_output},
    ),
    hugging_face(
        "dinov3",
        transformers.DINOv3ViTModel,
        transformers.DINOv3ViTConfig(image_size=64, patch_size=16, num_register_tokens=3, **DINOV3),
        square(transformers.ViTImageProcessorPil, 64),
        class_token,
    ),
    hugging_face(
        "dinov3_gated",
        transformers.DINOv3ViTModel,
        transformers.DINOv3ViTConfig(
            patch_size=8, use_gated_mlp=True, hidden_act="silu", key_bias=True, query_bias=False, proj_bias=False, **DINOV3
        ),
        transformers.ViTImageProcessorPil(size={"height": 40, "width": 56}),
        class_token,
    ),
    hugging_face(
        "dinov3_convnext",
        transformers.DINOv3ConvNextModel,
        transformers.DINOv3ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 2]),
        square(transformers.ViTImageProcessorPil, 64),
        lambda result: {"embedding": result.pooler_output},
    ),
    hugging_face(
        "dinov3_convnext_deep",
        transformers.DINOv3ConvNextModel,
        transformers.DINOv3ConvNextConfig(hidden_sizes=[8, 12, 16], depths=[1, 1, 2], layer_scale_init_value=0.5),
        transformers.ViTImageProcessorPil(size={"height": 40, "width": 56}),
        lambda result: {"embedding": result.pooler_output},
        small=False,
    ),
    hugging_face(
        "resnet_bottleneck",
        transformers.ResNetForImageClassification,
        transformers.ResNetConfig(embedding_size=8, hidden_sizes=[16, 32], depths=[1, 2], num_labels=5),
        transformers.ConvNextImageProcessorPil(size={"shortest_edge": 64}, crop_pct=0.875),
        classifier,
        {"resnet.encoder.stages.0": "resnet.encoder.stages.0"},
    ),
    hugging_face(
        "resnet_basic",
        transformers.ResNetModel,
        transformers.ResNetConfig(
            embedding_size=8,
            hidden_sizes=[8, 16],
            depths=[1, 1],
            layer_type="basic",
            downsample_in_first_stage=True,
        ),
        transformers.ConvNextImageProcessorPil(size={"shortest_edge": 48}, crop_pct=1.0),
        lambda result: {"embedding": result.pooler_output.flatten(1)},
    ),
    hugging_face(
        "convnext_classifier",
        transformers.ConvNextForImageClassification,
        transformers.ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 2], num_stages=2, num_labels=5),
        transformers.ConvNextImageProcessorPil(size={"shortest_edge": 48}, crop_pct=0.9),
        classifier,
    ),
    hugging_face(
        "convnext_backbone",
        transformers.ConvNextModel,
        transformers.ConvNextConfig(hidden_sizes=[8, 12, 16], depths=[1, 1, 1], num_stages=3, layer_scale_init_value=0.0),
        transformers.ConvNextImageProcessorPil(size={"shortest_edge": 32}, crop_pct=1.0, resample=2),
        lambda result: {"embedding": result.pooler_output},
    ),
    hugging_face(
        "convnextv2_classifier",
        transformers.ConvNextV2ForImageClassification,
        transformers.ConvNextV2Config(hidden_sizes=[8, 16], depths=[1, 2], num_stages=2, num_labels=5),
        transformers.ConvNextImageProcessorPil(size={"shortest_edge": 48}, crop_pct=0.9),
        classifier,
    ),
    hugging_face(
        "convnextv2_backbone",
        transformers.ConvNextV2Model,
        transformers.ConvNextV2Config(hidden_sizes=[8, 12, 16], depths=[1, 1, 1], num_stages=3),
        transformers.ConvNextImageProcessorPil(size={"shortest_edge": 64}, crop_pct=1.0),
        lambda result: {"embedding": result.pooler_output},
    ),
    hugging_face(
        "swin_classifier",
        transformers.SwinForImageClassification,
        transformers.SwinConfig(
            image_size=64, patch_size=4, embed_dim=8, depths=[2, 2], num_heads=[1, 2], window_size=4, num_labels=5
        ),
        square(transformers.ViTImageProcessorPil, 64),
        classifier,
    ),
    hugging_face(
        "swin_backbone",
        transformers.SwinModel,
        transformers.SwinConfig(
            image_size=[40, 60], patch_size=2, embed_dim=8, depths=[1, 2], num_heads=[2, 2], window_size=5, qkv_bias=False
        ),
        transformers.ViTImageProcessorPil(size={"height": 40, "width": 60}),
        lambda result: {"embedding": result.pooler_output},
    ),
    hugging_face(
        "swin_padded",
        transformers.SwinModel,
        transformers.SwinConfig(image_size=[44, 52], patch_size=4, embed_dim=8, depths=[2, 2], num_heads=[2, 2], window_size=3),
        transformers.ViTImageProcessorPil(size={"height": 44, "width": 52}),
        lambda result: {"embedding": result.pooler_output},
        small=False,
    ),
    hugging_face(
        "swinv2_classifier",
        transformers.Swinv2ForImageClassification,
        transformers.Swinv2Config(
            image_size=64, patch_size=4, embed_dim=8, depths=[2, 2], num_heads=[1, 2], window_size=4, num_labels=5
        ),
        square(transformers.ViTImageProcessorPil, 64),
        classifier,
    ),
    hugging_face(
        "swinv2_backbone",
        transformers.Swinv2Model,
        transformers.Swinv2Config(
            image_size=48,
            patch_size=4,
            embed_dim=8,
            depths=[2, 2, 2],
            num_heads=[2, 1, 4],
            window_size=5,
            qkv_bias=False,
            pretrained_window_sizes=[4, 4, 2],
        ),
        transformers.ViTImageProcessorPil(size={"height": 48, "width": 48}),
        lambda result: {"embedding": result.pooler_output},
    ),
    hugging_face(
        "segformer_segmenter",
        transformers.SegformerForSemanticSegmentation,
        transformers.SegformerConfig(
            num_encoder_blocks=3,
            depths=[1, 2, 1],
            sr_ratios=[4, 2, 1],
            hidden_sizes=[8, 12, 16],
            patch_sizes=[7, 3, 3],
            strides=[4, 2, 2],
            num_attention_heads=[1, 2, 2],
            mlp_ratios=[2, 2, 2],
            decoder_hidden_size=12,
            num_labels=4,
        ),
        transformers.SegformerImageProcessorPil(size={"height": 64, "width": 48}),
        classifier,
    ),
    hugging_face(
        "segformer_classifier",
        transformers.SegformerForImageClassification,
        transformers.SegformerConfig(
            num_encoder_blocks=2,
            depths=[1, 1],
            sr_ratios=[2, 1],
            hidden_sizes=[8, 16],
            patch_sizes=[7, 3],
            strides=[4, 2],
            num_attention_heads=[1, 2],
            mlp_ratios=[2, 2],
            num_labels=4,
        ),
        transformers.SegformerImageProcessorPil(size={"height": 40, "width": 40}),
        classifier,
    ),
    hugging_face(
        "depth_anything_relative",
        transformers.DepthAnythingForDepthEstimation,
        depth_anything(depth_estimation_type="relative"),
        transformers.DPTImageProcessorPil(
            size={"height": 42, "width": 42}, keep_aspect_ratio=True, ensure_multiple_of=14, image_mean=[0.485, 0.456, 0.406]
        ),
        lambda result: {"depth": result.predicted_depth},
    ),
    hugging_face(
        "depth_anything_metric",
        transformers.DepthAnythingForDepthEstimation,
        depth_anything(depth_estimation_type="metric", max_depth=20),
        transformers.DPTImageProcessorPil(size={"height": 28, "width": 42}, ensure_multiple_of=14),
        lambda result: {"depth": result.predicted_depth},
    ),
    hugging_face(
        "dpt_depth",
        transformers.DPTForDepthEstimation,
        dpt(),
        transformers.DPTImageProcessorPil(size={"height": 32, "width": 32}),
        lambda result: {"depth": result.predicted_depth},
    ),
    hugging_face(
        "dpt_dinov2",
        transformers.DPTForDepthEstimation,
        dpt(
            backbone_config=transformers.Dinov2Config(
                image_size=42,
                patch_size=14,
                hidden_size=16,
                num_hidden_layers=4,
                num_attention_heads=2,
                mlp_ratio=2,
                out_indices=[1, 2, 3, 4],
                reshape_hidden_states=False,
            ),
            fusion_hidden_size=256,
            add_projection=True,
            use_bias_in_fusion_residual=False,
        ),
        transformers.DPTImageProcessorPil(size={"height": 42, "width": 42}, keep_aspect_ratio=True, ensure_multiple_of=14),
        lambda result: {"depth": result.predicted_depth},
        small=False,
        # Of numbers around 0 nothing but rounding would be left.
        change=lambda network: network.head.head[4].bias.data.fill_(30.0),
    ),
    hugging_face(
        "dpt_segmenter",
        transformers.DPTForSemanticSegmentation,
        dpt(readout_type="add", use_batch_norm_in_fusion_residual=True, num_labels=4),
        transformers.DPTImageProcessorPil(size={"height": 32, "width": 32}, do_reduce_labels=True),
        classifier,
    ),
    hugging_face(
        "dpt_without_readout",
        transformers.DPTForDepthEstimation,
        dpt(readout_type="ignore", image_size=48),
        transformers.DPTImageProcessorPil(size={"height": 48, "width": 48}, resample=2),
        lambda result: {"depth": result.predicted_depth},
        small=False,
    ),
    hugging_face(
        "mobilenet_v2_classifier",
        transformers.MobileNetV2ForImageClassification,
        transformers.MobileNetV2Config(depth_multiplier=0.1, min_depth=4, depth_divisible_by=4, finegrained_output=False, num_labels=5),
        transformers.MobileNetV2ImageProcessorPil(size={"shortest_edge": 70}, crop_size={"height": 64, "width": 64}),
        classifier,
        fitted=True,
    ),
    hugging_face(
        "mobilenet_v2_backbone",
        transformers.MobileNetV2Model,
        transformers.MobileNetV2Config(
            depth_multiplier=0.35, tf_padding=False, first_layer_is_expansion=False, output_stride=16, layer_norm_eps=1e-5
        ),
        transformers.MobileNetV2ImageProcessorPil(size={"shortest_edge": 70}, crop_size={"height": 64, "width": 80}),
        lambda result: {"embedding": result.pooler_output},
        fitted=True,
        small=False,
    ),
    hugging_face(
        "mobilenet_v2_segmenter",
        transformers.MobileNetV2ForSemanticSegmentation,
        transformers.MobileNetV2Config(depth_multiplier=0.1, min_depth=4, depth_divisible_by=4, output_stride=8, num_labels=4),
        transformers.MobileNetV2ImageProcessorPil(size={"shortest_edge": 65}, crop_size={"height": 65, "width": 65}),
        classifier,
        small=False,
    ),
    hugging_face(
        "efficientnet_classifier",
        transformers.EfficientNetForImageClassification,
        transformers.EfficientNetConfig(
            width_coefficient=0.1, depth_coefficient=0.5, depth_divisor=4, hidden_dim=128, depthwise_padding=[5], num_labels=5
        ),
        transformers.EfficientNetImageProcessorPil(
            size={"height": 64, "width": 64}, resample=0, image_mean=[0.485, 0.456, 0.406], image_std=[0.478, 0.473, 0.474]
        ),
        classifier,
        fitted=True,
    ),
    hugging_face(
        "efficientnet_backbone",
        transformers.EfficientNetModel,
        transformers.EfficientNetConfig(
            width_coefficient=0.25, depth_coefficient=1.2, hidden_dim=320, batch_norm_eps=1e-5, depthwise_padding=[3, 7]
        ),
        transformers.EfficientNetImageProcessorPil(size={"height": 75, "width": 91}, rescale_offset=True, include_top=False),
        lambda result: {"embedding": result.pooler_output},
        fitted=True,
        small=False,
    ),
    hugging_face(
        "regnet_classifier",
        transformers.RegNetForImageClassification,
        transformers.RegNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 2], groups_width=4, num_labels=5),
        transformers.ConvNextImageProcessorPil(size={"shortest_edge": 64}, crop_pct=0.875),
        classifier,
    ),
    hugging_face(
        "regnet_backbone",
        transformers.RegNetModel,
        transformers.RegNetConfig(
            embedding_size=8,
            hidden_sizes=[8, 12, 16],
            depths=[2, 1, 1],
            groups_width=4,
            layer_type="x",
            downsample_in_first_stage=False,
        ),
        transformers.ConvNextImageProcessorPil(size={"shortest_edge": 48}, crop_pct=1.0),
        lambda result: {"embedding": result.pooler_output.flatten(1)},
    ),
]
