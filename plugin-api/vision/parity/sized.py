"""What the networks of several families have in common in their published sizes, for `speeds.py`."""

from __future__ import annotations

import re

import torch

# A network with random weights, and how its pictures are prepared.
Made = tuple[torch.nn.Module, object]

SIZES = {
    "tiny": dict(hidden_size=192, num_hidden_layers=12, num_attention_heads=3, intermediate_size=768),
    "small": dict(hidden_size=384, num_hidden_layers=12, num_attention_heads=6, intermediate_size=1536),
    "base": dict(hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072),
    "large": dict(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096),
    "huge": dict(hidden_size=1280, num_hidden_layers=32, num_attention_heads=16, intermediate_size=5120),
    "so400m": dict(hidden_size=1152, num_hidden_layers=27, num_attention_heads=16, intermediate_size=4304),
    "giant": dict(hidden_size=1536, num_hidden_layers=40, num_attention_heads=24, intermediate_size=6144),
}


def found(pattern: str, name: str) -> re.Match:
    match = re.search(pattern, name)
    if match is None:
        raise ValueError(f"the size of {name} is not known")
    return match


def size_of(name: str) -> str:
    return found(r"tiny|small|base|large|huge|so400m|giant", name)[0]
