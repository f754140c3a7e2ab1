"""Towers of pictures and of texts to compare: CLIP, SigLIP and OWL."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers
from PIL import Image

from making import Case, Golden, computed, rounded, shaken

TEXTS = ["a photo of a cat", "two dogs and a very long sentence about a house by the sea", ""]


def two_towers(name: str, model: type, config: transformers.PretrainedConfig, processor, padding: str | None = None) -> Case:
    """A model of pictures and texts, with a tokenizer of few tokens; its settings may name the token that fills up."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        network = rounded(shaken(model(config)))
        tokenizer = small_tokenizer(folder, config.text_config)
        if padding:
            tokenizer.pad_token = padding
            tokenizer.save_pretrained(folder)
        prepared = processor(picture, return_tensors="pt")
        pixels = prepared["pixel_values"]
        more = {name: prepared[name] for name in ("pixel_attention_mask", "spatial_shapes") if name in prepared}
        network_inputs = tokenizer(
            TEXTS, padding="max_length", truncation=True, max_length=config.text_config.max_position_embeddings
        )
        ids = torch.tensor(network_inputs["input_ids"])
        features = lambda output: getattr(output, "pooler_output", output)

        def compute(pixels: torch.Tensor) -> Golden:
            texts = network.get_text_features(input_ids=ids)
            seen = network.get_image_features(pixel_values=pixels, **more)
            return {"embedding": features(seen), "texts": features(texts)}

        golden = computed(network, pixels, compute)
        if more:
            golden["pixels"] = from_patches(pixels, more["spatial_shapes"][0].tolist(), processor.patch_size)
        network.half().save_pretrained(folder)
        processor.save_pretrained(folder)
        (folder / "texts.json").write_text(json.dumps(TEXTS))
        return golden

    return Case(name, write)


def from_patches(patches: torch.Tensor, grid: list[int], side: int) -> torch.Tensor:
    """The picture that was cut into patches, without those that were filled up with."""
    rows, columns = grid
    whole = patches[:, : rows * columns].unflatten(1, (rows, columns)).unflatten(3, (side, side, 3))
    return whole.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)


def owl(name: str, model: type, config: transformers.PretrainedConfig, processor) -> Case:
    """A detector of what texts name; objects by their embeddings, as none of the texts is part of the picture's network."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        network = rounded(shaken(model(config)))
        tokenizer = small_tokenizer(folder, config.text_config)
        pixels = processor(picture, return_tensors="pt")["pixel_values"]
        ids = torch.tensor(tokenizer(TEXTS, **owl_text(config))["input_ids"])
        towers = getattr(network, config.model_type)

        def compute(pixels: torch.Tensor) -> Golden:
            kept: Golden = {}
            hooks = [
                getattr(network.class_head, layer).register_forward_hook(
                    lambda _module, _inputs, output, of=of: kept.__setitem__(of, output)
                )
                for layer, of in (("dense0", "object_embeddings"), ("logit_shift", "shifts"), ("logit_scale", "scales"))
            ]
            result = network(input_ids=ids, pixel_values=pixels)
            for hook in hooks:
                hook.remove()
            texts = towers.get_text_features(input_ids=ids)
            return kept | {"boxes": result.pred_boxes, "texts": getattr(texts, "pooler_output", texts)}

        golden = computed(network, pixels, compute)
        network.half().save_pretrained(folder)
        processor.save_pretrained(folder)
        (folder / "texts.json").write_text(json.dumps(TEXTS))
        return golden

    return Case(name, write)


def owl_text(config) -> dict[str, object]:
    return dict(padding="max_length", truncation=True, max_length=config.text_config.max_position_embeddings)


def small_tokenizer(folder: Path, config) -> transformers.PreTrainedTokenizerFast:
    """Letters and some pairs of them, between a start and an end token as CLIP has them."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    letters = [chr(letter) for letter in range(ord("a"), ord("z") + 1)]
    words = ["<pad>", "<start>"] + letters + [f"{letter}</w>" for letter in letters] + ["ph", "to</w>", "ho", "<end>"]
    vocabulary = {word: index for index, word in enumerate(words)}
    merges = [("p", "h"), ("t", "o</w>"), ("h", "o")]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, end_of_word_suffix="</w>", unk_token="<end>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [("<start>", vocabulary["<start>"]), ("<end>", vocabulary["<end>"])]
    tokenizer.post_processor = processors.TemplateProcessing(single="<start> $A <end>", special_tokens=ends)
    tokenizer.save(str(folder / "tokenizer.json"))
    return stored_tokenizer(folder, config)


def stored_tokenizer(folder: Path, config) -> transformers.PreTrainedTokenizerFast:
    return transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        pad_token="<pad>" if config.pad_token_id == 0 else "<start>",
        eos_token="<end>",
    )


def text_settings(end: int, padding: int) -> dict[str, object]:
    return dict(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        vocab_size=58,
        max_position_embeddings=14,
        eos_token_id=end,
        pad_token_id=padding,
    )


VISION = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40, image_size=32, patch_size=8)

CASES = [
    two_towers(
        "clip",
        transformers.CLIPModel,
        transformers.CLIPConfig(text_config=text_settings(57, 1), vision_config=VISION, projection_dim=12),
        transformers.CLIPImageProcessorPil(size={"shortest_edge": 35}, crop_size={"height": 32, "width": 32}),
    ),
    two_towers(
        "clip_old_end",
        transformers.CLIPModel,
        transformers.CLIPConfig(text_config=text_settings(2, 1), vision_config=VISION | {"hidden_act": "gelu"}, projection_dim=8),
        transformers.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
    ),
    owl(
        "owl_vit",
        transformers.OwlViTForObjectDetection,
        transformers.OwlViTConfig(text_config=text_settings(57, 0), vision_config=VISION, projection_dim=16),
        transformers.OwlViTImageProcessorPil(size={"height": 32, "width": 32}),
    ),
    owl(
        "owl_v2",
        transformers.Owlv2ForObjectDetection,
        transformers.Owlv2Config(text_config=text_settings(57, 0), vision_config=VISION, projection_dim=16),
        transformers.Owlv2ImageProcessor(size={"height": 32, "width": 32}),
    ),
    two_towers(
        "siglip",
        transformers.SiglipModel,
        transformers.SiglipConfig(text_config=text_settings(57, 1) | {"projection_size": 24}, vision_config=VISION),
        transformers.SiglipImageProcessorPil(size={"height": 32, "width": 32}),
    ),
    # SigLIP2's repositories leave the configuration's padding at a default that is not their tokenizer's.
    two_towers(
        "siglip_2",
        transformers.SiglipModel,
        transformers.SiglipConfig(text_config=text_settings(57, 1) | {"projection_size": 24}, vision_config=VISION),
        transformers.SiglipImageProcessorPil(size={"height": 32, "width": 32}),
        padding="<pad>",
    ),
    two_towers(
        "naflex",
        transformers.Siglip2Model,
        transformers.Siglip2Config(
            text_config=text_settings(57, 1) | {"projection_size": 24},
            vision_config={name: value for name, value in VISION.items() if name != "image_size"} | {"num_patches": 16},
        ),
        transformers.Siglip2ImageProcessorPil(patch_size=8, max_num_patches=20),
        padding="<pad>",
    ),
    two_towers(
        "naflex_larger",
        transformers.Siglip2Model,
        transformers.Siglip2Config(
            text_config=text_settings(57, 0) | {"projection_size": 24},
            vision_config={name: value for name, value in VISION.items() if name != "image_size"} | {"num_patches": 64},
        ),
        transformers.Siglip2ImageProcessorPil(patch_size=8, max_num_patches=30, image_mean=[0.4, 0.5, 0.6]),
    ),
    two_towers(
        "siglip_other_padding",
        transformers.SiglipModel,
        transformers.SiglipConfig(
            text_config=text_settings(57, 0) | {"projection_size": 24},
            vision_config=VISION | {"hidden_act": "gelu", "image_size": 48, "patch_size": 16},
        ),
        transformers.SiglipImageProcessorPil(size={"height": 48, "width": 48}),
    ),
]
