"""Labels as COCO's results."""

from __future__ import annotations

import math
from typing import Any, Dict, List, Optional

import numpy as np

from . import _run_lengths
from .labels import Detection, Detections, Keypoints, numbered


def detections(
    labels: Detections, width: int, height: int, image_id: int, category_ids: Optional[Dict[str, int]]
) -> List[Dict[str, Any]]:
    ids = numbered([one.label for one in labels.detections], category_ids, 1)
    return [
        _detection(one, width, height, image_id, category_id)
        for one, category_id in zip(labels.detections, ids)
    ]


def _detection(one: Detection, width: int, height: int, image_id: int, category_id: int) -> Dict[str, Any]:
    x, y, w, h = one.bounding_box
    box = [x * width, y * height, w * width, h * height]
    result: Dict[str, Any] = {"image_id": image_id, "category_id": category_id, "bbox": box, "area": box[2] * box[3]}
    if one.confidence is not None:
        result["score"] = one.confidence
    if one.mask is not None:
        mask = whole_mask(one, width, height)
        counts = _run_lengths.encode(mask)
        result["segmentation"] = {"size": [height, width], "counts": _run_lengths.text(counts)}
        result["area"] = int(np.count_nonzero(mask))
    return result


def whole_mask(one: Detection, width: int, height: int) -> Any:
    """The mask of an object in the whole picture, ``bool[height, width]``: each pixel has what lies nearest in the box's
    own mask."""
    whole = np.zeros((height, width), dtype=bool)
    if one.mask is None or one.mask.size == 0:
        return whole
    x1, y1, x2, y2 = one.pixel_box(width, height)
    left, top = max(0, round(x1)), max(0, round(y1))
    right, bottom = min(width, round(x2)), min(height, round(y2))
    if right <= left or bottom <= top:
        return whole
    rows, columns = one.mask.shape
    row = ((np.arange(top, bottom) + 0.5 - y1) * rows / (y2 - y1)).astype(int).clip(0, rows - 1)
    column = ((np.arange(left, right) + 0.5 - x1) * columns / (x2 - x1)).astype(int).clip(0, columns - 1)
    whole[top:bottom, left:right] = one.mask[np.ix_(row, column)] != 0
    return whole


def keypoints(
    labels: Keypoints, width: int, height: int, image_id: int, category_ids: Optional[Dict[str, int]]
) -> List[Dict[str, Any]]:
    results = []
    ids = numbered([one.label for one in labels.keypoints], category_ids, 1)
    for one, category_id in zip(labels.keypoints, ids):
        flat: List[float] = []
        for x, y in one.points:
            is_missing = math.isnan(x) or math.isnan(y)
            flat += [0.0, 0.0, 0] if is_missing else [x * width, y * height, 2]
        seen = one.confidence or []
        score = sum(seen) / len(seen) if seen else 1.0
        results.append({"image_id": image_id, "category_id": category_id, "keypoints": flat, "score": score})
    return results
