#!/usr/bin/env python3
"""Writes how many trained numbers the networks of each name of torchvision and timm have: `src/architectures/sizes.txt`.

    parity/sizes.py > src/architectures/sizes.txt

Names are those whose beginning `src/architectures/registry.rs` knows. Nothing is trained or downloaded: the networks
are made without memory. `src/architectures/sizes.rs` counts in the same way and says why.
"""

from __future__ import annotations

import re
from pathlib import Path

import timm
import torch
import torchvision

NOT_COUNTED = re.compile(
    r"^head\.classification_head\.(cls_logits|module_list)|^roi_heads\.(box_predictor|keypoint_predictor|mask_predictor\.mask_fcn_logits)\."
    r"|^(fc|head|classifier|head\.fc|heads\.head|head_dist|classifier\.(low|high)_classifier)\.weight$|^(aux|AuxLogits)|pos_embed|relative_|attn_mask"
)


def size(network: torch.nn.Module) -> int:
    state = network.state_dict()
    numbered = [name for name in state if re.fullmatch(r"classifier\.\d+\.weight", name)]
    last = max(numbered, key=lambda name: int(name.split(".")[1]), default=None)
    counted = (value for name, value in state.items() if name != last and not NOT_COUNTED.search(name))
    return sum(value.numel() for value in counted if value.dim() > 1)


def made(make, name: str, **settings: object) -> torch.nn.Module:
    """A network without memory, or with it where its code cannot do without."""
    try:
        with torch.device("meta"):
            return make(name, **settings)
    except NotImplementedError:
        return make(name, **settings)


def beginnings(table: str) -> tuple[str, ...]:
    """The beginnings of names that are known, in a table of the registry."""
    registry = Path(__file__).resolve().parents[1] / "src/architectures/registry.rs"
    lines = registry.read_text().split(f"const {table}:", 1)[1].split("];", 1)[0]
    return tuple(re.findall(r'\("([^"]+)",', lines))


def main() -> None:
    for package in (torchvision.models, torchvision.models.segmentation, torchvision.models.detection):
        for name in torchvision.models.list_models(package):
            if not name.startswith(beginnings("TORCHVISION")):
                continue
            settings = {} if package is torchvision.models else {"weights_backbone": None}
            if name in ("googlenet", "inception_v3"):
                settings = {"init_weights": False}
            print("torchvision", name, size(made(lambda name, **more: package.__dict__[name](**more), name, **settings)))
    for name in timm.list_models():
        if name.startswith(beginnings("TIMM")):
            print("timm", name, size(made(timm.create_model, name)), flush=True)


if __name__ == "__main__":
    main()
