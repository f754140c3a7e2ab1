"""Models of text: where lines are, and what they say."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy
import torch
import transformers
from PIL import Image

import text_cases
from comparing import OVERLAP, SCORE, Different, run


def outlines_of(polylines: list[dict], size: tuple[int, int]) -> list[numpy.ndarray]:
    """The corners of outlines in pixels."""
    return [numpy.asarray(one["points"][0]) * size for one in polylines]


def overlap_of_outlines(one: numpy.ndarray, other: numpy.ndarray) -> float:
    import cv2

    one, other = one.astype(numpy.float32), other.astype(numpy.float32)
    shared, _ = cv2.intersectConvexConvex(one, other)
    whole = cv2.contourArea(one) + cv2.contourArea(other) - shared
    return shared / whole if whole > 0 else float(numpy.array_equal(one, other))


def same_outlines(found: list[dict], expected: dict, size: tuple[int, int], threshold: float = 0.6) -> None:
    """That lines of text are where they are expected, but for those whose score is at the threshold."""
    corners = outlines_of(found, size)
    wanted = list(zip(expected["scores"].tolist(), expected["boxes"].numpy()))

    def sides(outline: numpy.ndarray) -> list[float]:
        return [max(numpy.linalg.norm(outline[index] - outline[index - 1]), 1.0) for index in (0, 1)]

    def tolerance(outline: numpy.ndarray) -> float:
        # OpenCV's corners are off by some millionths, so that whole ones lose a row or a column of what is averaged.
        width, height = sides(outline)
        return SCORE + 0.3 * (width + height) / (width * height)

    def has_like(score: float, outline: numpy.ndarray, others: list[tuple[float, numpy.ndarray]]) -> bool:
        # Around few pixels, several rectangles are the smallest.
        enough = OVERLAP if min(sides(outline)) >= 8 else 0.4
        near = [there for other, there in others if abs(other - score) <= tolerance(outline)]
        return any(overlap_of_outlines(outline, there) > enough for there in near)

    ours = [(one["confidence"], there) for one, there in zip(found, corners)]
    for mine, others, whose in ((wanted, ours, "expected"), (ours, wanted, "found")):
        missing = [one for one in mine if one[0] > threshold + tolerance(one[1]) and not has_like(*one, others)]
        if missing:
            raise Different(f"{len(missing)} of {len(mine)} {whose} outlines have none like them: {missing[0]}")


def check_text(program: str, folder: Path, photos: list[str], name: str) -> None:
    network = getattr(transformers, name).from_pretrained(folder, dtype=torch.float32).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    if name.endswith("ForObjectDetection"):
        # Networks whose statistics are those of a small picture say of larger ones what single precision does not tell.
        with tempfile.TemporaryDirectory() as work:
            smaller = [str(Path(work) / f"{Path(photo).stem}.png") for photo in photos]
            for photo, path in zip(photos, smaller):
                Image.open(photo).convert("RGB").resize((96, 72), Image.LANCZOS).save(path)
            check_outlines(program, folder, smaller, network, processor)
        return
    for photo, line in zip(photos, run(program, "apply", folder, photos)):
        picture = Image.open(photo).convert("RGB")
        result = network(text_cases.prepared(processor, picture))
        expected = processor.post_process_text_recognition(result)[0]
        said = line.get("predictions") or {"label": "", "confidence": 0.0}
        if said["label"] != expected["text"] or abs(said["confidence"] - expected["score"]) > SCORE:
            raise Different(f"{said['label']!r} {said['confidence']:.4f} instead of {expected}")


def check_outlines(program: str, folder: Path, photos: list[str], network, processor) -> None:
    for photo, line in zip(photos, run(program, "apply", folder, photos, "--set", "score_threshold=0.4")):
        picture = Image.open(photo).convert("RGB")
        result = network(text_cases.prepared(processor, picture))
        sizes = torch.tensor([picture.size[::-1]], dtype=torch.float32)
        expected = processor.post_process_object_detection(result, target_sizes=sizes, box_threshold=0.4)[0]
        same_outlines(line["predictions"]["polylines"], expected, picture.size, 0.4)
