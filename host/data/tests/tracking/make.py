#!/usr/bin/env python3
"""Writes supervision.json: what supervision's ByteTrack makes of objects that move about.

    pip install supervision==0.26.1
    python3 host/data/tests/tracking/make.py > host/data/tests/tracking/supervision.json

A case is a list of frames, a frame a list of `[x, y, width, height, confidence, number]` in pixels of a frame of
100 x 100; `number` is null where the object got none. Objects move evenly, shake, hide, and are seen unsurely.
"""

import json
import random

import numpy as np
import supervision


def objects(generator):
    """Some objects, and how they move."""
    return [
        {
            "place": [generator.uniform(0, 80), generator.uniform(0, 80)],
            "size": [generator.uniform(6, 20), generator.uniform(6, 20)],
            "speed": [generator.uniform(-1.5, 1.5), generator.uniform(-1.5, 1.5)],
            "begins": generator.choice([0, 0, generator.randrange(10)]),
        }
        for _ in range(generator.randrange(1, 7))
    ]


def frames(generator):
    moving = objects(generator)
    for frame in range(30):
        seen = []
        for one in moving:
            one["place"] = [place + speed for place, speed in zip(one["place"], one["speed"])]
            if frame < one["begins"] or generator.random() < 0.1:
                continue
            # Neither 0.25 nor 0.35, where others begin to believe what they see, is ever between.
            sure = generator.uniform(0.12, 0.22) if generator.random() < 0.15 else generator.uniform(0.5, 0.98)
            shaken = [value + generator.gauss(0, 0.3) for value in one["place"] + one["size"]]
            seen.append([round(value, 3) for value in shaken] + [round(sure, 3)])
        generator.shuffle(seen)
        yield seen


def main():
    generator = random.Random(1)
    cases = []
    for _ in range(25):
        tracker = supervision.ByteTrack(
            track_activation_threshold=0.25, lost_track_buffer=30, minimum_matching_threshold=0.8, frame_rate=30
        )
        case = []
        for seen in frames(generator):
            corners = np.array([[x, y, x + w, y + h] for x, y, w, h, _ in seen]).reshape(-1, 4)
            detections = supervision.Detections(
                xyxy=corners,
                confidence=np.array([one[4] for one in seen]),
                class_id=np.zeros(len(seen), int),
                data={"index": np.arange(len(seen))},
            )
            tracked = tracker.update_with_detections(detections)
            numbers = dict(zip(tracked.data.get("index", []), tracked.tracker_id if len(tracked) else []))
            case.append([one + [int(numbers[index]) if index in numbers else None] for index, one in enumerate(seen)])
        cases.append(case)
    lines = ",\n".join(json.dumps(case) for case in cases)
    print(f"[\n{lines}\n]")


main()
