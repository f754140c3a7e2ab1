#!/usr/bin/env python3
"""What one writes by hand: Pillow and onnxruntime, a process for each core, labels as JSON Lines.

    script.py MODEL.onnx CLASSES.txt PICTURES OUTPUT.jsonl PROCESSES [stages]

With `stages`, it tells at the end how long a picture spent in each of them, in milliseconds of one core, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

BATCH = 8
MEAN, DEVIATION = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


def start(model: str) -> None:
    global session
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(files: list[Path]) -> tuple[list[tuple[str, int, float]], list[float]]:
    """The best class of each file and its probability; and the seconds of decoding, resizing and the network."""
    clock = time.thread_time
    seconds, tensors = [0.0, 0.0, 0.0], []
    for file in files:
        at = clock()
        picture = Image.open(file).convert("RGB")
        decoded = clock()
        scale = 256 / min(picture.size)
        picture = picture.resize([round(side * scale) for side in picture.size], Image.Resampling.BILINEAR)
        left, top = (picture.width - 224) // 2, (picture.height - 224) // 2
        pixels = np.asarray(picture.crop((left, top, left + 224, top + 224)), dtype=np.float32) / 255
        tensors.append(((pixels - MEAN) / DEVIATION).transpose(2, 0, 1))
        resized = clock()
        seconds[0] += decoded - at
        seconds[1] += resized - decoded
    at = clock()
    logits = session.run(None, {"image": np.stack(tensors)})[0]
    seconds[2] += clock() - at
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    best = probabilities.argmax(axis=1)
    found = [(str(file), int(label), float(row[label])) for file, label, row in zip(files, best, probabilities)]
    return found, seconds


def main() -> None:
    model, classes, folder, output, processes = sys.argv[1:6]
    names = Path(classes).read_text().splitlines()
    files = sorted(Path(folder).glob("*.jpg"))
    batches = [files[first : first + BATCH] for first in range(0, len(files), BATCH)]
    seconds, writing = np.zeros(3), 0.0
    with ProcessPoolExecutor(int(processes), None, start, (model,)) as pool, open(output, "w") as lines:
        for found, spent in pool.map(run, batches):
            seconds += spent
            at = time.thread_time()
            for file, label, confidence in found:
                print(json.dumps({"filepath": file, "label": names[label], "confidence": confidence}), file=lines)
            writing += time.thread_time() - at
    if sys.argv[6:] == ["stages"]:
        stages = zip(("decode", "resize", "network", "write"), (*seconds, writing))
        print(json.dumps({stage: 1e3 * spent / len(files) for stage, spent in stages}))


if __name__ == "__main__":
    main()
