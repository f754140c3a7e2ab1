"""What the samples of host/data/examples/formats.rs hold."""

import math

PICTURES = 3
WIDTH, HEIGHT = 64, 48
CLASSES = ["cat", "dog", "person", "road"]
KEYPOINTS = ["nose", "eye", "ear"]
NAN = math.nan


def grid(height, width, count, index):
    """Numbers in rows, as the example counts them."""
    return [[(row + column + index) % count for column in range(width)] for row in range(height)]


def mask(index):
    """The dog's pixels: the box is 16 x 12 of the picture's, and so is the mask."""
    return grid(12, 16, 2, index)


def dog(index):
    return {
        "label": "dog",
        "bounding_box": [0.25, 0.25, 0.25, 0.25],
        "confidence": 0.5 + index / 8,
        "index": 7,
        "tags": ["seen"],
        "mood": "calm",
        "mask": mask(index),
    }


def cat(index):
    return {"label": "cat", "bounding_box": [0.5, 0.5, 0.25 + index / 8, 0.5], "confidence": 0.25}


def road(index):
    return {
        "label": "road",
        "points": [[[0.125, 0.125], [0.5, 0.125], [0.5, 0.5 + index / 8]]],
        "closed": True,
        "filled": True,
        "confidence": 0.75,
    }


def person(index):
    return {
        "label": "person",
        "points": [[0.25, 0.25], [NAN, NAN], [0.5, 0.5 + index / 8]],
        "confidence": [0.5, 0.0, 0.75],
    }


def labels(index):
    """Every field of picture `index`: FiftyOne's type and values; plain values as they are."""
    step = index / 8
    return {
        "classification": ("Classification", {"label": "cat", "confidence": 0.5 + step, "logits": [index, -1.5, 0.1]}),
        "blank": ("Classification", {"label": None, "confidence": None, "logits": None}),
        "classifications": (
            "Classifications",
            {"classifications": [{"label": "cat", "confidence": 0.5}, {"label": "dog", "confidence": 0.25}]},
        ),
        "detection": ("Detection", cat(index)),
        "detections": ("Detections", {"detections": [dog(index), cat(index)]}),
        "polyline": ("Polyline", road(index)),
        "polylines": ("Polylines", {"polylines": [road(index)]}),
        "keypoint": ("Keypoint", person(index)),
        "keypoints": ("Keypoints", {"keypoints": [person(index)]}),
        "regression": ("Regression", {"value": 2.5 + step, "confidence": 0.5}),
        "segmentation": ("Segmentation", {"mask": grid(4, 5, 3, index)}),
        "heatmap": (
            "Heatmap",
            {"map": [[value / 4 + index for value in row] for row in ([0, 1, 2], [3, 4, 5])], "range": [0.0, 8.0]},
        ),
        "location": ("GeoLocation", {"point": [13.375, 52.5 + step]}),
        "vector": (None, [index, 0.1, -2.5, 1e-8]),
        "text": (None, "dark"),
        "count": (None, index + 3),
        "words": (None, ["a", "b"]),
    }


def pixels(bounding_box):
    x, y, width, height = bounding_box
    return [x * WIDTH, y * HEIGHT, width * WIDTH, height * HEIGHT]


def assert_same(found, expected, place):
    """Numbers in single precision may differ by their rounding; everything else not at all."""
    if hasattr(found, "tolist"):
        found = found.tolist()
    if isinstance(expected, float) or (isinstance(expected, int) and not isinstance(expected, bool)):
        both_missing = isinstance(expected, float) and math.isnan(expected) and math.isnan(found)
        assert both_missing or math.isclose(found, expected, rel_tol=1e-6), f"{place}: {found} instead of {expected}"
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected), f"{place}: {found} instead of {expected}"
        for number, (one, other) in enumerate(zip(found, expected)):
            assert_same(one, other, f"{place}[{number}]")
    elif isinstance(expected, dict):
        for name, value in expected.items():
            assert_same(found[name], value, f"{place}.{name}")
    else:
        assert found == expected, f"{place}: {found!r} instead of {expected!r}"
