"""Models of torchvision to compare, which a manifest describes."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path

import torch
import torchvision
from PIL import Image

from making import Case, Golden, classifier, computed, fit_statistics, level_variances, rounded, shaken, write_manifest


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


# What makes the network of each case, for who compares programs.
TORCHVISION: dict[str, Callable[[], torch.nn.Module]] = {}

CONVNEXT = torchvision.models.convnext.CNBlockConfig
SWIN_V2 = torchvision.models.swin_transformer.SwinTransformerBlockV2


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


CASES = [
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
    of_torchvision(
        "torchvision_swin_v2",
        "torchvision.models.swin_v2_t",
        lambda: torchvision.models.SwinTransformer(
            [4, 4], 8, [2, 2], [1, 2], [4, 4], num_classes=10, block=SWIN_V2, downsample_layer=torchvision.models.swin_transformer.PatchMergingV2
        ),
        "head",
        small=True,
        image_size=64,
        entrypoint_args={"embed_dim": 8},
    ),
    of_torchvision(
        "torchvision_swin_v2_padded",
        "torchvision.models.swin_transformer.swin_v2_b",
        lambda: torchvision.models.SwinTransformer(
            [4, 4], 8, [2, 2, 1], [1, 2, 2], [3, 3], num_classes=10, block=SWIN_V2, downsample_layer=torchvision.models.swin_transformer.PatchMergingV2
        ),
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
