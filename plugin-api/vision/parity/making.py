"""What the models to compare are made with: weights that show what is wrong, and what their authors' code computes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from PIL import Image

Golden = dict[str, torch.Tensor]


@dataclass
class Case:
    """A model that is written to a folder with what its authors' code computes of a picture."""

    name: str
    write: Callable[[Path, Image.Image], Golden]
    # Whether its files are small enough to be kept in the repository.
    small: bool = True


def shaken(model: torch.nn.Module) -> torch.nn.Module:
    """Weights so large that a wrong layer shows, and statistics that are not those of a new network."""
    for name, value in model.named_parameters():
        if value.numel() == 0:
            continue
        if value.dim() > 1:
            torch.nn.init.normal_(value, std=max(0.05, (1.0 / value[0].numel()) ** 0.5))
        else:
            value.data += torch.randn_like(value) * 0.1
    for name, value in model.named_buffers():
        if name.endswith("running_mean"):
            value.normal_(std=0.2)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
    return model.eval()


def rounded(network: torch.nn.Module) -> torch.nn.Module:
    """The network with the numbers that are stored in half precision; what is not stored, such as tables of positions, stays
    as it is."""
    for value in network.state_dict().values():
        if value.is_floating_point():
            value.copy_(value.half())
    return network


def computed(network: torch.nn.Module, pixels: torch.Tensor, compute: Callable[[torch.Tensor], Golden]) -> Golden:
    """What `compute` gives in double precision, and under `error:NAME` how far it is off that in single precision, in parts
    of the largest number: rounding, which this project's own error is told beside."""
    single = compute(pixels)
    network.double()
    exact = compute(pixels.double())
    network.float()
    off = lambda name: (single[name].double() - exact[name]).abs().max() / exact[name].abs().max()
    return {"pixels": pixels} | exact | {f"error:{name}": off(name).reshape(1) for name in exact}


def fit_statistics(model: torch.nn.Module, pixels: torch.Tensor) -> None:
    """Statistics of the picture itself: without them nothing of it is left behind dozens of layers."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
            module.train()
    model(pixels)
    model.eval()


def level_variances(network: torch.nn.Module) -> None:
    """Small maps have channels that hardly vary: rounding must not be enlarged."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.clamp_(min=module.running_var.median() / 2)


def hugging_face(
    name: str,
    model: type,
    config: transformers.PretrainedConfig,
    processor: transformers.BaseImageProcessor,
    read: Callable[..., Golden],
    layers: dict[str, str] | None = None,
    half: bool = True,
    fitted: bool = False,
    small: bool = True,
    change: Callable[[torch.nn.Module], object] = lambda network: None,
    masked: bool = False,
    **settings: object,
) -> Case:
    """A model of transformers; `layers` gives this project's name of a layer for its module's name in memory, `fitted` is
    for deep networks, `change` is done to the weights, and where `masked` the network is told what is the picture."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        network = shaken(model(config))
        change(network)
        prepared = processor(picture, return_tensors="pt")
        pixels = prepared["pixel_values"]
        if masked:
            settings["pixel_mask"] = prepared["pixel_mask"]
        if fitted:
            fit_statistics(network, pixels)
        if half:
            rounded(network)
        kept: Golden = {}
        modules = dict(network.named_modules())
        for module, layer in (layers or {}).items():
            def keep(_module, _inputs, output, layer=layer):
                kept[f"layer:{layer}"] = output[0] if isinstance(output, tuple) else output
            modules[module].register_forward_hook(keep)
        outputs = computed(network, pixels, lambda pixels: read(network(pixels, **settings)) | kept)
        (network.half() if half else network).save_pretrained(folder)
        processor.save_pretrained(folder)
        return outputs

    return Case(name, write, small)


def write_manifest(folder: Path, name: str, config: dict[str, object]) -> None:
    """A manifest of a model of FiftyOne's whose weights lie beside it."""
    model = {
        "base_name": name,
        "base_filename": "weights.pth",
        "manager": {"type": "modelzoo.ModelManager", "config": {"file": "weights.pth"}},
        "default_deployment_config_dict": {"type": "fiftyone.zoo.models.torch.TorchvisionImageModel", "config": config},
    }
    (folder / "manifest.json").write_text(json.dumps({"name": name, "models": [model]}, indent=2))


def classifier(result) -> Golden:
    return {"logits": result.logits}


def square(kind: type, side: int, **settings: object) -> transformers.BaseImageProcessor:
    return kind(size={"height": side, "width": side}, **settings)
