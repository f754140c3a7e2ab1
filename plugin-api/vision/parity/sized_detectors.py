"""Networks for objects in their published sizes, by the names of their repositories."""

from __future__ import annotations

import transformers

from making import square
from sized import SIZES, Made, found, size_of


def rt_detr(name: str) -> Made:
    layers = int(found(r"_r(\d+)vd", name)[1])
    depths = {18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3]}[layers]
    basic = layers < 50
    body = transformers.RTDetrResNetConfig(
        embedding_size=64,
        hidden_sizes=[64, 128, 256, 512] if basic else [256, 512, 1024, 2048],
        depths=depths,
        layer_type="basic" if basic else "bottleneck",
        out_features=["stage2", "stage3", "stage4"],
    )
    settings = {18: dict(hidden_expansion=0.5, decoder_layers=3), 34: dict(hidden_expansion=0.5, decoder_layers=4), 50: {}}
    more = settings.get(layers, dict(encoder_hidden_dim=384, encoder_ffn_dim=2048, decoder_in_channels=[384] * 3))
    kinds = (transformers.RTDetrV2Config, transformers.RTDetrV2ForObjectDetection)
    if "_v2_" not in name:
        kinds = (transformers.RTDetrConfig, transformers.RTDetrForObjectDetection)
    config = kinds[0](
        backbone_config=body, encoder_in_channels=[128, 256, 512] if basic else [512, 1024, 2048], num_labels=80, num_denoising=100, **more
    )
    return kinds[1](config), square(transformers.RTDetrImageProcessorPil, 640)


def detr(name: str) -> Made:
    layers = 101 if "101" in name else 18 if "table" in name else 50
    basic = layers == 18
    body = transformers.ResNetConfig(
        depths={18: [2, 2, 2, 2], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3]}[layers],
        hidden_sizes=[64, 128, 256, 512] if basic else [256, 512, 1024, 2048],
        layer_type="basic" if basic else "bottleneck",
        out_features=["stage4"],
    )
    is_table = "table" in name
    kinds = (transformers.TableTransformerConfig, transformers.TableTransformerForObjectDetection)
    if not is_table:
        kinds = (transformers.DetrConfig, transformers.DetrForObjectDetection)
    is_structure = "structure" in name
    config = kinds[0](
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        backbone=None,
        backbone_config=body,
        num_labels=6 if is_structure else 2 if is_table else 91,
        num_queries=125 if is_structure else 15 if is_table else 100,
    )
    sizes = {"shortest_edge": 800, "longest_edge": 1000 if is_structure else 800 if is_table else 1333}
    return kinds[1](config), transformers.DetrImageProcessorPil(size=sizes)


def yolos(name: str) -> Made:
    size = size_of(name)
    side = {"tiny": [800, 1333], "small": [512, 864], "base": [800, 1344]}[size]
    more = dict(use_mid_position_embeddings=size != "tiny")
    config = transformers.YolosConfig(image_size=side, num_labels=91, num_detection_tokens=100, **SIZES[size], **more)
    sizes = {"shortest_edge": 512 if size == "small" else 800, "longest_edge": 1333}
    return transformers.YolosForObjectDetection(config), transformers.YolosImageProcessorPil(size=sizes)

HGNET = {
    "nano": dict(stem_channels=[3, 16, 16], stage_in_channels=[16, 64, 256, 512], stage_mid_channels=[16, 32, 64, 128]),
    "medium": dict(stem_channels=[3, 24, 32], stage_in_channels=[32, 96, 384, 768], stage_mid_channels=[32, 64, 128, 256]),
    "large": {},
    "xlarge": dict(stem_channels=[3, 32, 64], stage_in_channels=[64, 128, 512, 1024], stage_mid_channels=[64, 128, 256, 512]),
}


def d_fine(name: str) -> Made:
    size = found(r"nano|small|medium|xlarge|large", name)[0]
    shape = HGNET["nano" if size == "small" else size]
    first = shape.get("stage_in_channels", [48, 128])[1]
    out = [first, 4 * first, 8 * first, 16 * first]
    blocks, layers = {"nano": ([1, 1, 2, 1], 3), "small": ([1, 1, 2, 1], 3), "medium": ([1, 1, 3, 1], 4)}.get(size, ([1, 1, 3, 1], 6))
    if size == "xlarge":
        blocks = [1, 2, 5, 2]
    is_nano = size == "nano"
    body = transformers.HGNetV2Config(
        **shape,
        stage_out_channels=out,
        hidden_sizes=out,
        stage_num_blocks=blocks,
        stage_numb_of_layers=[layers] * 4,
        use_learnable_affine_block=size in ("nano", "small", "medium"),
        out_features=["stage3", "stage4"] if is_nano else ["stage2", "stage3", "stage4"],
    )
    settings = {
        "nano": dict(
            d_model=128,
            encoder_hidden_dim=128,
            encoder_ffn_dim=512,
            decoder_ffn_dim=512,
            decoder_in_channels=[128, 128],
            feat_strides=[16, 32],
            encode_proj_layers=[1],
            num_feature_levels=2,
            decoder_n_points=[6, 6],
            hidden_expansion=0.34,
            depth_mult=0.5,
            decoder_layers=3,
        ),
        "small": dict(hidden_expansion=0.5, depth_mult=0.34, decoder_layers=3, decoder_n_points=[3, 6, 3]),
        "medium": dict(depth_mult=0.67, decoder_layers=4, decoder_n_points=[3, 6, 3]),
        "large": dict(decoder_n_points=[3, 6, 3]),
        "xlarge": dict(
            encoder_hidden_dim=384, encoder_ffn_dim=2048, decoder_in_channels=[384] * 3, decoder_n_points=[3, 6, 3]
        ),
    }[size]
    config = transformers.DFineConfig(backbone_config=body, encoder_in_channels=out[2:] if is_nano else out[1:], num_labels=80, **settings)
    return transformers.DFineForObjectDetection(config), square(transformers.RTDetrImageProcessorPil, 640)


def rf_detr(name: str) -> Made:
    config = transformers.RfDetrConfig(num_labels=91)
    return transformers.RfDetrForObjectDetection(config), transformers.RfDetrImageProcessor(size={"height": 560, "width": 560})


def owl(name: str) -> Made:
    is_large = "large" in name
    patch = int(found(r"patch(\d+)", name)[1])
    is_second = "v2" in name
    side = 1008 if is_large else 960 if is_second else 768
    width = 768 if is_large else 512
    picture = SIZES["large" if is_large else "base"] | dict(image_size=side, patch_size=patch)
    # The texts of a model are embedded once, whatever the pictures are.
    text = dict(hidden_size=width, intermediate_size=4 * width, num_attention_heads=width // 64, eos_token_id=57, pad_token_id=0)
    kinds = (transformers.Owlv2Config, transformers.Owlv2ForObjectDetection, transformers.Owlv2ImageProcessor)
    if not is_second:
        kinds = (transformers.OwlViTConfig, transformers.OwlViTForObjectDetection, transformers.OwlViTImageProcessorPil)
    config = kinds[0](text_config=text, vision_config=picture, projection_dim=width)
    return kinds[1](config), kinds[2](size={"height": side, "width": side})
