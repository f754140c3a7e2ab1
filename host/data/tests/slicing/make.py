#!/usr/bin/env python3
"""Writes sahi.json: what SAHI makes of the same objects found in several slices.

    pip install sahi==0.12.8
    python3 host/data/tests/slicing/make.py > host/data/tests/slicing/sahi.json

Boxes are random ones around a few objects, `[class, x, y, width, height, confidence]` in pixels of a picture of 100 x 100.
Class by class, by intersection over the smaller box, with a threshold of 0.5: SAHI's defaults.
"""

import json
import random

from sahi.postprocess.combine import GreedyNMMPostprocess, NMSPostprocess
from sahi.prediction import ObjectPrediction

CLASSES = ["cat", "dog"]


def found(generator):
    """Some objects, each found several times at places of its own."""
    boxes = []
    for _ in range(generator.randrange(1, 6)):
        x, y = generator.uniform(0, 60), generator.uniform(0, 60)
        width, height = generator.uniform(4, 40), generator.uniform(4, 40)
        for _ in range(generator.randrange(1, 5)):
            left, top = x + generator.uniform(0, width / 2), y + generator.uniform(0, height / 2)
            right = left + generator.uniform(width / 3, width)
            bottom = top + generator.uniform(height / 3, height)
            # No two are equally sure: which of them were first would be another question.
            sure = round(0.2 + 0.75 * generator.random(), 6)
            place = [round(value, 3) for value in (left, top, min(right, 100), min(bottom, 100))]
            boxes.append((generator.choice(CLASSES), place, sure))
    return boxes


def prediction(label, place, sure):
    return ObjectPrediction(
        bbox=place, category_id=CLASSES.index(label), category_name=label, score=sure, full_shape=[100, 100]
    )


def as_box(one):
    left, top, right, bottom = one.bbox.to_xyxy()
    # Classes are numbers there, and scores are rounded on their way through an array of single precision.
    return [one.category.name, left, top, right - left, bottom - top, round(float(one.score.value), 6)]


def main():
    generator = random.Random(1)
    cases = []
    for _ in range(60):
        boxes = found(generator)
        case = {"found": [[label, l, t, r - l, b - t, sure] for label, (l, t, r, b), sure in boxes]}
        for name, method in ("nmm", GreedyNMMPostprocess), ("nms", NMSPostprocess):
            merge = method(match_threshold=0.5, match_metric="IOS", class_agnostic=False)
            left = merge([prediction(*one) for one in boxes])
            case[name] = sorted(map(as_box, left), key=lambda one: -one[5])
        cases.append(case)
    lines = ",\n".join(json.dumps(case) for case in cases)
    print(f"[\n{lines}\n]")


main()
