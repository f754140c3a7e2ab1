"""Labels in the forms of other worlds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from modelzoo import _run_lengths
from modelzoo.labels import Classification, Classifications, Detection, Detections, GeoLocation, Keypoint, Keypoints


def test_json_is_fiftyones() -> None:
    assert Classification().to_dict() == {"_cls": "Classification", "tags": []}
    assert Detection().to_dict()["bounding_box"] == []
    nested = Classifications([Classification("cat", 0.5)]).to_dict()
    assert nested == {
        "_cls": "Classifications",
        "classifications": [{"_cls": "Classification", "tags": [], "label": "cat", "confidence": 0.5}],
    }
    keypoint = Keypoint(points=[(0.5, math.nan)]).to_dict()
    assert keypoint["points"] == [[0.5, {"$numberDouble": "NaN"}]] and keypoint["attributes"] == {}
    attributes = Detection("a", (0, 0, 1, 1), attributes={"mood": "good", "label": 3}).to_dict()
    assert attributes["mood"] == "good"
    assert attributes["attributes"] == {"label": {"_cls": "Attribute", "value": 3}}
    assert GeoLocation(point=(1.0, 2.0)).to_dict()["point"] == {"type": "Point", "coordinates": [1.0, 2.0]}


def test_run_lengths_are_cocos() -> None:
    mask = np.array([[0, 1, 1], [0, 1, 0]])
    counts = _run_lengths.encode(mask)
    assert counts == [2, 3, 1]
    assert _run_lengths.encode(1 - mask) == [0, 2, 3, 1]
    assert _run_lengths.encode(np.zeros((2, 3))) == [6]
    assert decoded(_run_lengths.text([5, 100, 3, 70000, 1, 2])) == [5, 100, 3, 70000, 1, 2]


def decoded(text: str) -> list[int]:
    """Run lengths as pycocotools reads them."""
    counts: list[int] = []
    position = 0
    while position < len(text):
        value, shift, more = 0, 0, True
        while more:
            bits = ord(text[position]) - 48
            position += 1
            value |= (bits & 0x1F) << shift
            more = bool(bits & 0x20)
            shift += 5
            if not more and bits & 0x10:
                value |= -1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
    return counts


def test_coco_has_pixels_and_whole_masks() -> None:
    mask = np.array([[1, 0], [1, 1]], dtype=np.uint8)
    cup = Detection("cup", (0.5, 0.0, 0.5, 0.5), mask=mask, confidence=0.25)
    found = Detections([cup, Detection("cat", (0, 0, 0.5, 1))]).to_coco(8, 4, image_id=7, category_ids={"cat": 17, "cup": 47})
    assert found[0]["bbox"] == [4.0, 0.0, 4.0, 2.0] and found[0]["category_id"] == 47 and found[0]["score"] == 0.25
    assert found[0]["segmentation"]["size"] == [4, 8] and found[0]["area"] == 6
    assert found[1] == {"image_id": 7, "category_id": 17, "bbox": [0, 0, 4.0, 4], "area": 16.0}
    person = Keypoints([Keypoint("person", [(0.5, 0.5), (math.nan, math.nan)], [0.5, 0.7])])
    assert person.to_coco(8, 4)[0]["keypoints"] == [4.0, 2.0, 2, 0.0, 0.0, 0]


def test_supervision_has_the_same_boxes() -> None:
    pytest.importorskip("supervision")
    cup = Detection("cup", (0.5, 0.0, 0.5, 0.5), mask=np.ones((2, 2), dtype=bool), confidence=0.25)
    found = Detections([cup, Detection("cat", (0, 0, 0.5, 1))]).to_supervision(8, 4)
    assert found.xyxy.tolist() == [[4, 0, 8, 2], [0, 0, 4, 4]]
    assert found.class_id.tolist() == [0, 1] and found.data["class_name"].tolist() == ["cup", "cat"]
    assert found.mask.sum(axis=(1, 2)).tolist() == [8, 0]
    assert len(Detections().to_supervision(8, 4)) == 0
    ranked = Classifications([Classification("a", 0.9), Classification("b", 0.1)]).to_supervision({"a": 5, "b": 6})
    assert ranked.class_id.tolist() == [5, 6]
