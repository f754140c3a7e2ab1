#!/usr/bin/env python3
"""What one writes by hand for a detector: Pillow and onnxruntime, boxes and their suppression in NumPy, a process for each
core, objects as JSON Lines.

    detection_script.py MODEL.onnx CLASSES.txt PICTURES OUTPUT.jsonl PROCESSES [stages]

With `stages`, it tells at the end how long a picture spent in each of them, in milliseconds of one core, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import script
from PIL import Image

SIZE, STRIDES, CLASSES, BINS = 416, (8, 16, 32), 80, 11
# In the order blue, green, red, as the network was trained.
MEAN, DEVIATION = np.float32([103.53, 116.28, 123.675]), np.float32([57.375, 57.12, 58.395])
THRESHOLD, OVERLAP, CONSIDERED, MOST = 0.35, 0.6, 1000, 100


def grid() -> tuple[np.ndarray, np.ndarray]:
    """The centres of all cells of the three maps, and their strides."""
    centers, strides = [], []
    for stride in STRIDES:
        places = (np.arange(SIZE // stride, dtype=np.float32) + 0.5) * stride
        x, y = np.meshgrid(places, places)
        centers.append(np.stack([x.ravel(), y.ravel()], axis=1))
        strides.append(np.full(x.size, stride, dtype=np.float32))
    return np.concatenate(centers), np.concatenate(strides)


CENTERS, CELLS = grid()


def objects(tokens: np.ndarray) -> list[tuple[int, float, list[float]]]:
    """The objects in a picture: class, score and `[x, y, width, height]` as parts of the picture."""
    # Far fewer logits than scores are looked at: the threshold's own logit does for them.
    cells, classes = np.nonzero(tokens[:, :CLASSES] >= np.log(THRESHOLD / (1 - THRESHOLD)))
    scores = 1 / (1 + np.exp(-tokens[cells, classes]))
    order = np.argsort(-scores, kind="stable")[:CONSIDERED]
    cells, classes, scores = cells[order], classes[order], scores[order]
    bins = tokens[cells, CLASSES:].reshape(-1, 4, BINS)
    weights = np.exp(bins - bins.max(axis=2, keepdims=True))
    means = weights @ np.arange(BINS, dtype=np.float32) / weights.sum(axis=2)
    distances = means * CELLS[cells, None]
    boxes = np.concatenate([CENTERS[cells] - distances[:, :2], CENTERS[cells] + distances[:, 2:]], axis=1) / SIZE
    kept = suppressed(boxes, classes, scores)
    return [
        (int(classes[i]), float(scores[i]), [*map(float, (*boxes[i, :2], *(boxes[i, 2:] - boxes[i, :2])))])
        for i in kept
    ]


def suppressed(boxes: np.ndarray, classes: np.ndarray, scores: np.ndarray) -> list[int]:
    """The boxes that stay, the surest first: of those of one class that overlap, the surest."""
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    left, kept = np.arange(len(boxes)), []
    while len(left) and len(kept) < MOST:
        best, left = left[0], left[1:]
        kept.append(best)
        corners = np.maximum(boxes[best, :2], boxes[left, :2]), np.minimum(boxes[best, 2:], boxes[left, 2:])
        shared = np.prod(np.maximum(corners[1] - corners[0], 0), axis=1)
        overlap = shared / (areas[best] + areas[left] - shared)
        left = left[(classes[left] != classes[best]) | (overlap <= OVERLAP)]
    return kept


def run(files: list[Path]) -> tuple[list, list[float]]:
    """The objects in each file; and the seconds of decoding, resizing, the network and what is made of its outputs."""
    clock = time.thread_time
    seconds, tensors = [0.0, 0.0, 0.0, 0.0], []
    for file in files:
        at = clock()
        picture = Image.open(file).convert("RGB")
        decoded = clock()
        picture = picture.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
        pixels = np.asarray(picture, dtype=np.float32)[:, :, ::-1]
        tensors.append(((pixels - MEAN) / DEVIATION).transpose(2, 0, 1))
        resized = clock()
        seconds[0] += decoded - at
        seconds[1] += resized - decoded
    at = clock()
    outputs = script.session.run(None, {"image": np.stack(tensors)})
    computed = clock()
    found = [(str(file), objects(tokens)) for file, tokens in zip(files, np.concatenate(outputs, axis=1))]
    seconds[2] += computed - at
    seconds[3] += clock() - computed
    return found, seconds


def main() -> None:
    model, classes, folder, output, processes = sys.argv[1:6]
    names = Path(classes).read_text().splitlines()
    files = sorted(Path(folder).glob("*.jpg"))
    batches = [files[first : first + script.BATCH] for first in range(0, len(files), script.BATCH)]
    seconds, writing = np.zeros(4), 0.0
    with ProcessPoolExecutor(int(processes), None, script.start, (model,)) as pool, open(output, "w") as lines:
        for found, spent in pool.map(run, batches):
            seconds += spent
            at = time.thread_time()
            for file, detections in found:
                labels = [
                    {"label": names[label], "bounding_box": box, "confidence": score}
                    for label, score, box in detections
                ]
                print(json.dumps({"filepath": file, "detections": labels}), file=lines)
            writing += time.thread_time() - at
    if sys.argv[6:] == ["stages"]:
        stages = zip(("decode", "resize", "network", "boxes", "write"), (*seconds, writing))
        print(json.dumps({stage: 1e3 * spent / len(files) for stage, spent in stages}))


if __name__ == "__main__":
    main()
