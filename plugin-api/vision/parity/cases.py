"""The models to compare: of each family at least two configurations."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import timm
import torch
import torchvision
import transformers
from PIL import Image
from safetensors.torch import save_file

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


def fit_segmenter(network: torch.nn.Module, pixels: torch.Tensor) -> None:
    """As `fit_statistics`, where a layer sees the mean of a picture, which has no variance by itself; each layer of a
    hundred adds a part only, as in trained networks, so that rounding does not grow."""
    modules = dict(network.named_modules())
    for name, module in modules.items():
        if name.endswith("bn3"):
            module.weight.data *= 0.3
    fit_statistics(network, torch.cat([pixels, -0.7 * pixels]))
    if "classifier.0.convs.4.2" in modules:
        modules["classifier.0.convs.4.2"].running_var.fill_(1.0)


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
    **settings: object,
) -> Case:
    """A model of transformers; `layers` gives this project's name of a layer for its module's name in memory, `fitted` is
    for deep networks, and `change` is done to the weights."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        network = shaken(model(config))
        change(network)
        pixels = processor(picture, return_tensors="pt")["pixel_values"]
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


def of_timm(
    name: str,
    architecture: str,
    half: bool = True,
    small: bool = False,
    data: dict | None = None,
    make: Callable[[], torch.nn.Module] | None = None,
    fitted: bool = False,
    **arguments: object,
) -> Case:
    """A model of timm, in the form of its own repositories; `make` makes a smaller one of its kind, `fitted` is for deep
    networks."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        network = shaken(make() if make else timm.create_model(architecture, num_classes=10, **arguments))
        if half:
            rounded(network)
        settings = {
            "input_size": [3, 64, 64],
            "interpolation": "bicubic",
            "crop_pct": 0.9,
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
        } | (data or {})
        transform = timm.data.create_transform(**timm.data.resolve_data_config(pretrained_cfg=settings))
        pixels = transform(picture)[None]
        if fitted:
            # The mean of a picture has no variance by itself.
            fit_statistics(network, torch.cat([pixels, -0.7 * pixels]))
            rounded(network)

        def compute(pixels: torch.Tensor) -> Golden:
            features = network.forward_features(pixels)
            return {"logits": network(pixels), "embedding": network.forward_head(features, pre_logits=True)}

        golden = computed(network, pixels, compute)
        config = {"architecture": architecture, "num_classes": 10, "pretrained_cfg": settings}
        if arguments:
            config["model_args"] = arguments
        (folder / "config.json").write_text(json.dumps(config, indent=2))
        state = (network.half() if half else network).state_dict()
        save_file({key: value.contiguous() for key, value in state.items()}, folder / "model.safetensors")
        return golden

    return Case(name, write, small)


def of_timm_wrapper(name: str, architecture: str, **arguments: object) -> Case:
    """A model of timm as transformers saves it."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        settings = {
            "input_size": [3, 32, 32],
            "interpolation": "bicubic",
            "crop_pct": 0.9,
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
        }
        config = transformers.TimmWrapperConfig(
            architecture=architecture, num_labels=10, model_args=arguments, pretrained_cfg=settings
        )
        network = rounded(shaken(transformers.TimmWrapperForImageClassification(config)))
        transform = timm.data.create_transform(**timm.data.resolve_data_config(pretrained_cfg=settings))
        pixels = transform(picture)[None]
        golden = computed(network, pixels, lambda pixels: {"logits": network(pixels).logits})
        network.half().save_pretrained(folder)
        return golden

    return Case(name, write)


# What makes the network of each case, for who compares programs.
TORCHVISION: dict[str, Callable[[], torch.nn.Module]] = {}

CONVNEXT = torchvision.models.convnext.CNBlockConfig


def of_torchvision(
    name: str,
    entrypoint: str,
    make: Callable[[], torch.nn.Module],
    layer: str | None,
    small: bool = False,
    fitted: bool = False,
    **settings: object,
) -> Case:
    """A model of torchvision as FiftyOne's manifests describe such, with the weights as torchvision's old files have them.

    `layer` is the classifier, whose operand is the embedding; a segmenter has none."""
    TORCHVISION[name] = make
    is_segmenter = ".segmentation." in entrypoint

    def write(folder: Path, picture: Image.Image) -> Golden:
        network = shaken(make())
        labels = {"labels_string": ",".join(f"class {index}" for index in range(10))}
        processor = PROCESSOR.replace("Classifier", "SemanticSegmenter") if is_segmenter else PROCESSOR
        config = {"entrypoint_fcn": entrypoint, "output_processor_cls": processor} | STATISTICS | labels | settings
        pixels = prepared(picture, config)
        if fitted and is_segmenter:
            fit_segmenter(network, pixels)
        elif fitted:
            fit_statistics(network, pixels)
        rounded(network)
        kept: Golden = {}

        def keep(_module, inputs):
            kept["embedding"] = inputs[0].flatten(1)

        if layer and not is_segmenter:
            dict(network.named_modules())[layer].register_forward_pre_hook(keep)

        def compute(pixels: torch.Tensor) -> Golden:
            if not is_segmenter:
                return {"logits": network(pixels)} | kept
            return {"logits": low_logits(network, pixels)}

        golden = computed(network, pixels, compute)
        torch.save(network.half().state_dict(), folder / "weights.pth", _use_new_zipfile_serialization=False)
        write_manifest(folder, name, config)
        return golden

    return Case(name, write, small)


def low_logits(network: torch.nn.Module, pixels: torch.Tensor) -> torch.Tensor:
    """What torchvision's segmenters enlarge to their pictures' size."""
    features = network.backbone(pixels)
    return network.classifier(features["out"] if "out" in features else features)


def write_manifest(folder: Path, name: str, config: dict[str, object]) -> None:
    """A manifest of a model of FiftyOne's whose weights lie beside it."""
    model = {
        "base_name": name,
        "base_filename": "weights.pth",
        "manager": {"type": "modelzoo.ModelManager", "config": {"file": "weights.pth"}},
        "default_deployment_config_dict": {"type": "fiftyone.zoo.models.torch.TorchvisionImageModel", "config": config},
    }
    (folder / "manifest.json").write_text(json.dumps({"name": name, "models": [model]}, indent=2))


def thinned(network: torch.nn.Module, factor: int, *last: str) -> torch.nn.Module:
    """The same network with so many times fewer channels in all but the layers `last`, which keep their outputs."""
    fewer = lambda channels: -(-channels // factor)
    for name, module in list(network.named_modules()):
        if isinstance(module, torch.nn.Conv2d):
            inputs = module.in_channels if module.in_channels == 3 else fewer(module.in_channels)
            outputs = module.out_channels if name in last else fewer(module.out_channels)
            groups = inputs if module.groups == module.in_channels > 1 else module.groups
            new = torch.nn.Conv2d(
                inputs, outputs, module.kernel_size, module.stride, module.padding, module.dilation, groups, module.bias is not None
            )
        elif isinstance(module, torch.nn.ConvTranspose2d):
            outputs = module.out_channels if name in last else fewer(module.out_channels)
            new = torch.nn.ConvTranspose2d(
                fewer(module.in_channels), outputs, module.kernel_size, module.stride, module.padding
            )
        elif isinstance(module, torch.nn.Linear):
            outputs = module.out_features if name in last else fewer(module.out_features)
            new = torch.nn.Linear(fewer(module.in_features), outputs)
        elif isinstance(module, torch.nn.GroupNorm):
            new = torch.nn.GroupNorm(module.num_groups, fewer(module.num_channels), module.eps)
        elif isinstance(module, torch.nn.BatchNorm2d):
            new = torch.nn.BatchNorm2d(fewer(module.num_features), module.eps, module.momentum)
        else:
            continue
        parent, _, attribute = name.rpartition(".")
        setattr(network.get_submodule(parent), attribute, new)
    return network


# Of the networks with fewer channels, those that the repository keeps.
SMALL = [
    "alexnet",
    "deeplabv3_resnet50",
    "efficientnet_b0",
    "googlenet",
    "inception_v3",
    "lraspp_mobilenet_v3_large",
    "mnasnet1_0",
    "mobilenet_v3_small",
    "regnet_y_400mf",
    "squeezenet1_1",
    "vgg13_bn",
]


def of_published_torchvision(
    entrypoint: str,
    last: str | tuple,
    image: dict,
    factors: dict[str, int],
    layer: str | None = "",
    fitted: bool = True,
    **arguments: object,
) -> list[Case]:
    """Networks of torchvision's functions with fewer channels: `factors` says for each how many times fewer.

    `last` are the layers whose outputs are classes, the first of which is the classifier where `layer` is empty."""
    made = []
    ends = (last,) if isinstance(last, str) else last
    for function, factor in factors.items():
        path = f"torchvision.models.{entrypoint}{function}"
        package = torchvision.models.segmentation if entrypoint.startswith("segmentation") else torchvision.models
        make = lambda function=function, factor=factor, package=package: thinned(
            getattr(package, function)(num_classes=10, **arguments), factor, *ends
        )
        settings = image | {"entrypoint_args": {"num_classes": 10, "thinned": factor} | arguments}
        case_name = f"torchvision_{function}"
        classifier = ends[0] if layer == "" else layer
        made.append(of_torchvision(case_name, path, make, classifier, function in SMALL, fitted, **settings))
    return made


PROCESSOR = "fiftyone.utils.torch.ClassifierOutputProcessor"
STATISTICS = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}


def prepared(picture: Image.Image, config: dict) -> torch.Tensor:
    """What FiftyOne's `TorchImageModel` makes of a picture."""
    functional = torchvision.transforms.functional
    sides = lambda value: value if isinstance(value, list) else [value, value]
    if "image_size" in config:
        picture = functional.resize(picture, sides(config["image_size"]))
    elif "image_dim" in config:
        picture = functional.resize(picture, config["image_dim"])
    else:
        for key, chosen, needed in (("min", max, min), ("max", min, max)):
            bound = config.get(f"image_{key}_size", config.get(f"image_{key}_dim"))
            ratios = [bound_side / side for bound_side, side in zip(sides(bound), (picture.height, picture.width))] if bound else [1]
            factor = chosen(ratios)
            if (factor > 1) == (key == "min") and factor != 1:
                picture = functional.resize(picture, [round(picture.height * factor), round(picture.width * factor)])
    pixels = functional.to_tensor(picture)
    if "image_mean" not in config:
        return pixels[None]
    return functional.normalize(pixels, config["image_mean"], config["image_std"])[None]


# The names that tensors had before modules were put into groups, as torchvision's published files have them.
OLDER = [
    (re.compile(r"(fpn\.(?:inner|layer)_blocks\.\d+)\.0\."), lambda found: f"{found[1]}."),
    (re.compile(r"rpn\.head\.conv\.0\.0\."), lambda found: "rpn.head.conv."),
    (re.compile(r"mask_head\.(\d)\.0\."), lambda found: f"mask_head.mask_fcn{int(found[1]) + 1}."),
    (re.compile(r"(head\.\w+\.conv)\.(\d)\.0\."), lambda found: f"{found[1]}.{2 * int(found[2])}."),
]

# The layers of an R-CNN whose outputs are classes, boxes, masks and points.
RCNN_ENDS = [
    r"rpn\.head\.(cls_logits|bbox_pred)",
    r"roi_heads\.box_predictor\.(cls_score|bbox_pred)",
    r"roi_heads\.mask_predictor\.mask_fcn_logits",
    r"roi_heads\.keypoint_predictor\.kps_score_lowres",
]

# More numbers of a map are not kept: they are compared from the picture on only.
MOST_NUMBERS = 1 << 14


def of_detector(
    name: str,
    entrypoint: str,
    factor: int,
    last: list[str],
    older: bool = False,
    small: bool = True,
    gain: float = 1.0,
    classes: int = 4,
    **arguments: object,
) -> Case:
    """A detector of torchvision's function with so many times fewer channels in all but the layers `last`, as FiftyOne's
    manifests describe it; `older` gives its tensors the names of published files."""
    function = entrypoint.rpartition(".")[2]

    def make() -> torch.nn.Module:
        package = torchvision.models.detection
        made = getattr(package, function)(weights_backbone=None, num_classes=classes, **arguments)
        network = thinned(made, factor, *[layer for layer, _ in made.named_modules() if re.fullmatch("|".join(last), layer)])
        if hasattr(network.backbone, "scale_weight"):
            network.backbone.scale_weight = torch.nn.Parameter(network.backbone.scale_weight[::factor].clone())
        return network

    TORCHVISION[name] = make

    def write(folder: Path, picture: Image.Image) -> Golden:
        network = shaken(make())
        for key, value in network.named_parameters():
            if key.endswith("bn3.weight"):
                # A layer of many adds a part only, as in trained networks, so that rounding does not grow.
                value.data *= 0.3
            elif re.fullmatch(r"(rpn\.)?head.*(bbox_pred|bbox_reg|regression_head.module_list).*weight", key):
                # Boxes stay near those that they are made of.
                value.data *= 0.3
            elif key == "backbone.features.0.weight":
                # VGG of Caffe sees bytes.
                value.data /= 64
            elif key == "backbone.scale_weight":
                value.data /= 4
            elif value.dim() == 4:
                value.data *= gain
        config = {
            "entrypoint_fcn": entrypoint,
            "entrypoint_args": {"weights_backbone": None, "num_classes": classes, "thinned": factor} | arguments,
            "output_processor_cls": f"fiftyone.utils.torch.{PROCESSORS.get(function.split('_')[0], 'Detector')}OutputProcessor",
            "labels_string": ",".join(f"class {index}" for index in range(classes)),
        }
        pixels = prepared(picture, config)
        # Two pictures: a map of one place has no variance by itself.
        fit_statistics(network, torch.cat([pixels, 1 - pixels.flip(-1)]))
        level_variances(network)
        network = network.half().float()
        outputs: dict[str, list[torch.Tensor]] = {"logits": [], "differences": []}
        keep_maps(network, outputs)
        seen = keep_regions(network)
        found = network(pixels)[0]
        golden = seen | {f"{kind}.{index}": value for kind, values in outputs.items() for index, value in enumerate(values)}
        check_separation(network, pixels, found)
        state = network.half().state_dict()
        if older:
            state = {renamed(key): value for key, value in state.items()}
        torch.save(state, folder / "weights.pth", _use_new_zipfile_serialization=False)
        write_manifest(folder, name, config)
        return {"pixels": pixels} | {key: value for key, value in golden.items() if value.numel() <= MOST_NUMBERS}

    return Case(name, write, small)


def keep_maps(network: torch.nn.Module, outputs: dict[str, list[torch.Tensor]]) -> None:
    """Keeps what the last convolutions of a detector give for each of its maps."""
    if hasattr(network, "rpn"):
        for values, last in zip(outputs.values(), ("cls_logits", "bbox_pred")):
            module = getattr(network.rpn.head, last)
            module.register_forward_hook(lambda _module, _inputs, output, values=values: values.append(output))
        return
    heads = [network.head.classification_head, network.head.regression_head]
    for values, head, last in zip(outputs.values(), heads, ("cls_logits", "bbox_reg")):
        for module in head.module_list if hasattr(head, "module_list") else [getattr(head, last)]:
            module.register_forward_hook(lambda _module, _inputs, output, values=values: values.append(output))


# The processors of FiftyOne for what is more than boxes.
PROCESSORS = {"maskrcnn": "InstanceSegmenter", "keypointrcnn": "KeypointDetector"}

# So many objects' details are kept.
DETAILED = 2


def keep_regions(network: torch.nn.Module) -> Golden:
    """Will hold what a detector finds of regions, and the regions, once it has run."""
    seen: Golden = {}
    if not hasattr(network, "roi_heads"):
        return seen
    heads = network.roi_heads

    def keep(*names: str):
        def hook(_module, _inputs, output):
            for name, value in zip(names, output if isinstance(output, tuple) else (output,)):
                seen[name] = value[:DETAILED] if name == "details" else value

        return hook

    heads.box_roi_pool.register_forward_hook(lambda _module, inputs, _output: seen.update(regions=inputs[1][0]))
    heads.box_predictor.register_forward_hook(keep("region_logits", "region_differences"))
    for kind in ("mask", "keypoint"):
        if getattr(heads, f"{kind}_predictor") is not None:
            pool = getattr(heads, f"{kind}_roi_pool")
            pool.register_forward_hook(lambda _module, inputs, _output: seen.update(objects=inputs[1][0][:DETAILED]))
            getattr(heads, f"{kind}_predictor").register_forward_hook(keep("details"))
    return seen


def check_separation(network: torch.nn.Module, pixels: torch.Tensor, found: dict[str, torch.Tensor]) -> None:
    """Makes sure that the objects are the same in double precision: rounding decides nothing."""
    exact = copy.deepcopy(network).double()(pixels.double())[0]
    assert len(found["scores"]) > 3, "there are too few objects"
    assert len(found["scores"]) == len(exact["scores"]), "rounding decides how many objects there are"
    for label, score, box in zip(found["labels"], found["scores"], found["boxes"]):
        near = (exact["labels"] == label) & ((exact["scores"] - score).abs() < 1e-4)
        assert (near & ((exact["boxes"] - box).abs().amax(1) < 0.02)).any(), f"rounding decides where {label} {score} is"
    print(len(found["scores"]), "objects,", found["scores"].min().item(), "to", found["scores"].max().item())


def renamed(key: str) -> str:
    for pattern, name in OLDER:
        key = pattern.sub(name, key)
    return key


def classifier(result) -> Golden:
    return {"logits": result.logits}


def class_token(result) -> Golden:
    return {"embedding": result.last_hidden_state[:, 0]}


def square(kind: type, side: int, **settings: object) -> transformers.BaseImageProcessor:
    return kind(size={"height": side, "width": side}, **settings)


VIT = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40, num_labels=5)
DINOV3 = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48)
DINOV2 = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2, num_labels=5)



TEXTS = ["a photo of a cat", "two dogs and a very long sentence about a house by the sea", ""]


def two_towers(name: str, model: type, config: transformers.PretrainedConfig, processor, padding: str | None = None) -> Case:
    """A model of pictures and texts, with a tokenizer of few tokens; its settings may name the token that fills up."""

    def write(folder: Path, picture: Image.Image) -> Golden:
        network = rounded(shaken(model(config)))
        tokenizer = small_tokenizer(folder, config.text_config)
        if padding:
            tokenizer.pad_token = padding
            tokenizer.save_pretrained(folder)
        pixels = processor(picture, return_tensors="pt")["pixel_values"]
        network_inputs = tokenizer(
            TEXTS, padding="max_length", truncation=True, max_length=config.text_config.max_position_embeddings
        )
        ids = torch.tensor(network_inputs["input_ids"])
        features = lambda output: getattr(output, "pooler_output", output)

        def compute(pixels: torch.Tensor) -> Golden:
            texts = network.get_text_features(input_ids=ids)
            return {"embedding": features(network.get_image_features(pixel_values=pixels)), "texts": features(texts)}

        golden = computed(network, pixels, compute)
        network.half().save_pretrained(folder)
        processor.save_pretrained(folder)
        (folder / "texts.json").write_text(json.dumps(TEXTS))
        return golden

    return Case(name, write)


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
        square(transformers.RTDetrImageProcessorPil, 64),
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
        "siglip_other_padding",
        transformers.SiglipModel,
        transformers.SiglipConfig(
            text_config=text_settings(57, 0) | {"projection_size": 24},
            vision_config=VISION | {"hidden_act": "gelu", "image_size": 48, "patch_size": 16},
        ),
        transformers.SiglipImageProcessorPil(size={"height": 48, "width": 48}),
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
    of_timm("timm_mobilenetv4_small", "mobilenetv4_conv_small_035", data={"input_size": [3, 75, 91]}),
    of_timm("timm_mobilenetv4_medium", "mobilenetv4_conv_medium"),
    of_timm("timm_regnety_002", "regnety_002"),
    of_timm("timm_regnetx_002", "regnetx_002", data={"input_size": [3, 75, 91]}),
    of_timm("timm_vit", "vit_tiny_patch16_224", small=True, img_size=64, embed_dim=24, depth=2, num_heads=3),
    of_timm(
        "timm_vit_registers",
        "vit_small_patch14_reg4_dinov2",
        small=True,
        data={"input_size": [3, 56, 56], "crop_pct": 1.0},
        img_size=56,
        embed_dim=24,
        depth=2,
        num_heads=2,
        global_pool="avg",
    ),
    of_timm("timm_deit_distilled", "deit_tiny_distilled_patch16_224", small=True, img_size=64, embed_dim=24, depth=2, num_heads=3),
    of_timm("timm_deit3", "deit3_small_patch16_224", small=True, data={"crop_mode": "squash"}, img_size=64, embed_dim=24, depth=2, num_heads=3),
    of_timm("timm_convnext_small", "convnext_tiny", small=True, depths=[1, 1, 2, 1], dims=[8, 8, 12, 16]),
    of_timm("timm_convnextv2_small", "convnextv2_tiny", small=True, depths=[1, 1, 2, 1], dims=[8, 8, 12, 16]),
    of_timm("timm_convnextv2_pico", "convnextv2_pico", depths=[1, 1, 2, 1]),
    of_timm("timm_convnext_tiny", "convnext_tiny"),
    of_timm("timm_beit", "beit_base_patch16_224", small=True, img_size=64, embed_dim=24, depth=2, num_heads=3),
    of_timm("timm_beitv2", "beitv2_base_patch16_224", data={"input_size": [3, 96, 64]}, img_size=[96, 64], embed_dim=32, depth=3, num_heads=4),
    of_timm("timm_swin", "swin_tiny_patch4_window7_224", small=True, img_size=64, window_size=4, embed_dim=8, depths=[2, 2], num_heads=[1, 2]),
    of_timm("timm_swin_s3", "swin_s3_tiny_224", data={"input_size": [3, 224, 224]}, embed_dim=24, depths=[2, 1, 2, 1], num_heads=[1, 2, 2, 4]),
    of_timm("timm_swinv2", "swinv2_tiny_window8_256", small=True, img_size=64, window_size=4, embed_dim=8, depths=[2, 2], num_heads=[1, 2]),
    of_timm("timm_swinv2_tiny", "swinv2_tiny_window8_256", data={"input_size": [3, 128, 128]}, img_size=128, depths=[1, 1, 2, 1]),
    of_timm(
        "timm_swinv2_other_windows",
        "swinv2_base_window12to16_192to256",
        data={"input_size": [3, 256, 256]},
        embed_dim=16,
        depths=[2, 2, 2, 2],
        num_heads=[1, 2, 2, 4],
    ),
    of_timm("timm_efficientnet_b0", "efficientnet_b0"),
    of_timm("timm_efficientnet_lite0", "efficientnet_lite0"),
    of_timm("timm_mobilenetv2", "mobilenetv2_050", data={"input_size": [3, 80, 96]}),
    of_timm("timm_mobilenetv3_small", "mobilenetv3_small_050"),
    of_timm("timm_mobilenetv3_large", "mobilenetv3_large_100"),
    of_timm("timm_tf_efficientnet_b0", "tf_efficientnet_b0", data={"input_size": [3, 75, 75]}),
    of_timm("timm_tf_efficientnetv2_b0", "tf_efficientnetv2_b0", data={"input_size": [3, 64, 64]}),
    of_timm("timm_tf_mobilenetv3_small", "tf_mobilenetv3_small_075", data={"input_size": [3, 70, 70]}),
    of_timm("timm_resnet18", "resnet18", small=True, channels=[8, 16, 16, 24]),
    of_timm("timm_resnet50d", "resnet50d", data={"interpolation": "bilinear"}),
    of_timm("timm_resnext50", "resnext50_32x4d"),
    of_timm("timm_seresnet50t", "seresnet50t"),
    of_timm("timm_wide_resnet50", "wide_resnet50_2"),
    of_timm_wrapper(
        "timm_wrapper_vit", "vit_tiny_patch16_224", img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=3
    ),
    of_timm_wrapper(
        "timm_wrapper_deit3", "deit3_small_patch16_224", img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=2
    ),
    of_torchvision(
        "torchvision_mobilenet_v2",
        "torchvision.models.mobilenet.mobilenet_v2",
        lambda: torchvision.models.mobilenet_v2(width_mult=0.1, num_classes=10),
        "classifier.1",
        small=True,
        image_min_dim=64,
        image_max_dim=80,
        embeddings_layer="<classifier.1",
        entrypoint_args={"width_mult": 0.1},
    ),
    of_torchvision(
        "torchvision_mobilenet_v2_exact",
        "torchvision.models.mobilenet_v2",
        lambda: torchvision.models.mobilenet_v2(width_mult=0.35, num_classes=10),
        "classifier.1",
        image_size=[64, 96],
        entrypoint_args={"width_mult": 0.35},
    ),
    of_torchvision(
        "torchvision_densenet",
        "torchvision.models.densenet121",
        lambda: torchvision.models.DenseNet(4, (2, 1, 2, 2), 8, num_classes=10),
        "classifier",
        small=True,
        image_dim=64,
        entrypoint_args={"growth_rate": 4},
    ),
    of_torchvision(
        "torchvision_densenet_wide",
        "torchvision.models.densenet.densenet161",
        lambda: torchvision.models.DenseNet(12, (2, 3, 2), 16, bn_size=2, num_classes=10),
        "classifier",
        image_min_size=[96, 128],
        entrypoint_args={"growth_rate": 12},
    ),
    of_torchvision(
        "torchvision_resnet18",
        "torchvision.models.resnet.resnet18",
        lambda: torchvision.models.resnet18(num_classes=10),
        "fc",
        image_dim=64,
    ),
    of_torchvision(
        "torchvision_resnext50",
        "torchvision.models.resnext50_32x4d",
        lambda: torchvision.models.resnext50_32x4d(num_classes=10),
        "fc",
        image_size=64,
    ),
    *of_published_torchvision(
        "vgg.", "classifier.6", {"image_min_dim": 64, "image_max_dim": 128}, {"vgg11": 32, "vgg13_bn": 32, "vgg16": 8, "vgg19_bn": 8}
    ),
    *of_published_torchvision("alexnet.", "classifier.6", {"image_min_dim": 80}, {"alexnet": 32}),
    *of_published_torchvision(
        "squeezenet.", "classifier.1", {"image_min_dim": 64}, {"squeezenet1_0": 16, "squeezenet1_1": 16}, None
    ),
    *of_published_torchvision(
        "googlenet.", "fc", {"image_min_dim": 64}, {"googlenet": 16}, aux_logits=False, init_weights=False, transform_input=True
    ),
    *of_published_torchvision(
        "inception.", "fc", {"image_size": [107, 127]}, {"inception_v3": 16}, aux_logits=False, init_weights=False
    ),
    *of_published_torchvision("mnasnet.", "classifier.1", {"image_min_dim": 64}, {"mnasnet1_0": 16, "mnasnet0_5": 4}),
    of_torchvision(
        "torchvision_shufflenet",
        "torchvision.models.shufflenetv2.shufflenet_v2_x0_5",
        lambda: torchvision.models.ShuffleNetV2([2, 3, 1], [6, 12, 16, 24, 32], num_classes=10),
        "fc",
        small=True,
        fitted=True,
        image_min_dim=64,
        entrypoint_args={"stages_repeats": [2, 3, 1]},
    ),
    of_torchvision(
        "torchvision_shufflenet_x1_0",
        "torchvision.models.shufflenet_v2_x1_0",
        lambda: torchvision.models.shufflenet_v2_x1_0(num_classes=10),
        "fc",
        fitted=True,
        image_size=[75, 91],
    ),
    *of_published_torchvision(
        "",
        "classifier.1",
        {"image_size": [128, 160]},
        {"efficientnet_b0": 16, "efficientnet_b5": 8, "efficientnet_v2_s": 8},
    ),
    # With 16 times fewer channels 40 and 48 would be the same number, and a shortcut seem to belong where there is none.
    *of_published_torchvision(
        "", "classifier.3", {"image_size": [64, 80]}, {"mobilenet_v3_small": 8, "mobilenet_v3_large": 8}
    ),
    *of_published_torchvision("", "fc", {"image_size": [64, 80]}, {"regnet_y_400mf": 8, "regnet_x_800mf": 4}),
    of_torchvision(
        "torchvision_convnext",
        "torchvision.models.convnext_tiny",
        lambda: torchvision.models.ConvNeXt([CONVNEXT(8, 12, 2), CONVNEXT(12, None, 1)], num_classes=10),
        "classifier.2",
        small=True,
        image_size=[48, 64],
        entrypoint_args={"block_setting": 2},
    ),
    of_torchvision(
        "torchvision_convnext_wide",
        "torchvision.models.convnext_tiny",
        lambda: torchvision.models.ConvNeXt([CONVNEXT(16, 24, 1), CONVNEXT(24, 32, 3), CONVNEXT(32, None, 1)], num_classes=10),
        "classifier.2",
        image_dim=64,
        entrypoint_args={"block_setting": 3},
    ),
    of_torchvision(
        "torchvision_vit",
        "torchvision.models.vit_b_16",
        lambda: torchvision.models.VisionTransformer(64, 16, 2, 12, 24, 40, num_classes=10),
        "heads.head",
        small=True,
        image_size=64,
        entrypoint_args={"image_size": 64, "hidden_dim": 24},
    ),
    of_torchvision(
        "torchvision_vit_large",
        "torchvision.models.vision_transformer.vit_l_32",
        lambda: torchvision.models.VisionTransformer(96, 32, 3, 16, 32, 64, num_classes=10),
        "heads.head",
        image_size=96,
        entrypoint_args={"image_size": 96, "hidden_dim": 32},
    ),
    of_torchvision(
        "torchvision_swin",
        "torchvision.models.swin_t",
        lambda: torchvision.models.SwinTransformer([4, 4], 8, [2, 2], [1, 2], [4, 4], num_classes=10),
        "head",
        small=True,
        image_size=64,
        entrypoint_args={"embed_dim": 8},
    ),
    of_torchvision(
        "torchvision_swin_base",
        "torchvision.models.swin_transformer.swin_b",
        lambda: torchvision.models.SwinTransformer([4, 4], 16, [2, 2, 3], [2, 4, 4], [5, 5], num_classes=10),
        "head",
        image_size=[160, 160],
        entrypoint_args={"embed_dim": 16},
    ),
    # Windows that do not fit, a direction with one window only, and odd numbers of tokens.
    of_torchvision(
        "torchvision_swin_padded",
        "torchvision.models.swin_t",
        lambda: torchvision.models.SwinTransformer([4, 4], 8, [2, 2, 1], [1, 2, 2], [3, 3], num_classes=10),
        "head",
        image_size=[44, 28],
        entrypoint_args={"embed_dim": 8},
    ),
    *of_published_torchvision(
        "segmentation.",
        "classifier.4",
        {"image_dim": 96},
        {"fcn_resnet50": 32, "fcn_resnet101": 16, "deeplabv3_resnet50": 32, "deeplabv3_resnet101": 16, "deeplabv3_mobilenet_v3_large": 8},
        None,
        weights_backbone=None,
    ),
    *of_published_torchvision(
        "segmentation.",
        ("classifier.low_classifier", "classifier.high_classifier"),
        {"image_dim": 96},
        {"lraspp_mobilenet_v3_large": 16},
        None,
        weights_backbone=None,
    ),
    of_detector(
        "torchvision_retinanet",
        "torchvision.models.detection.retinanet.retinanet_resnet50_fpn",
        32,
        [r"head\..*\.(cls_logits|bbox_reg)"],
        older=True,
        min_size=96,
        max_size=160,
        score_thresh=0.5,
        detections_per_img=8,
    ),
    of_detector(
        "torchvision_retinanet_v2",
        "torchvision.models.detection.retinanet_resnet50_fpn_v2",
        4,
        [r"head\..*\.(cls_logits|bbox_reg)"],
        small=False,
        min_size=96,
        max_size=160,
        score_thresh=0.4,
        detections_per_img=8,
    ),
    of_detector(
        "torchvision_ssdlite320",
        "torchvision.models.detection.ssdlite320_mobilenet_v3_large",
        8,
        [r"head\..*\.module_list\.\d\.1"],
        score_thresh=0.3,
        topk_candidates=100,
        detections_per_img=8,
    ),
    of_detector(
        "torchvision_ssd300",
        "torchvision.models.detection.ssd.ssd300_vgg16",
        32,
        [r"head\..*\.module_list\.\d"],
        gain=1.3,
        score_thresh=0.4,
        nms_thresh=0.3,
        detections_per_img=8,
    ),
    *[
        of_detector(
            f"torchvision_{function}",
            f"torchvision.models.detection.{module}{function}",
            factor,
            RCNN_ENDS,
            older=older,
            small=small,
            classes=2 if more else 4,
            rpn_post_nms_top_n_test=40,
            box_score_thresh=0.3,
            box_detections_per_img=6,
            **({"min_size": 96, "max_size": 160} | more),
        )
        for function, module, factor, older, small, more in (
            ("fasterrcnn_resnet50_fpn", "faster_rcnn.", 32, True, True, {}),
            ("fasterrcnn_resnet50_fpn_v2", "", 32, False, True, {}),
            ("fasterrcnn_mobilenet_v3_large_fpn", "faster_rcnn.", 8, False, False, {}),
            ("fasterrcnn_mobilenet_v3_large_320_fpn", "", 8, False, False, {}),
            ("maskrcnn_resnet50_fpn", "mask_rcnn.", 32, True, True, {}),
            ("maskrcnn_resnet50_fpn_v2", "", 32, False, False, {}),
            ("keypointrcnn_resnet50_fpn", "keypoint_rcnn.", 32, True, True, {"num_keypoints": 2}),
        )
    ],
]
