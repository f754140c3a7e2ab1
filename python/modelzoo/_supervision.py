"""Labels as the library supervision has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, Optional

import numpy as np

from ._coco import whole_mask
from .labels import Classifications, Detections, numbered

if TYPE_CHECKING:
    import supervision


def detections(
    labels: Detections, width: int, height: int, class_ids: Optional[Dict[str, int]]
) -> "supervision.Detections":
    import supervision

    objects = labels.detections
    if not objects:
        return supervision.Detections.empty()
    names = [one.label or "" for one in objects]
    masks = None
    if any(one.mask is not None for one in objects):
        masks = np.stack([whole_mask(one, width, height) for one in objects])
    confidences = [np.nan if one.confidence is None else one.confidence for one in objects]
    return supervision.Detections(
        xyxy=np.array([one.pixel_box(width, height) for one in objects], dtype=np.float32),
        mask=masks,
        confidence=np.array(confidences, dtype=np.float32),
        class_id=np.array(numbered(names, class_ids, 0)),
        data={"class_name": np.array(names)},
    )


def classifications(
    labels: Classifications, class_ids: Optional[Dict[str, int]]
) -> "supervision.Classifications":
    import supervision

    names = [one.label for one in labels.classifications]
    confidences = [np.nan if one.confidence is None else one.confidence for one in labels.classifications]
    return supervision.Classifications(
        class_id=np.array(numbered(names, class_ids, 0)),
        confidence=np.array(confidences, dtype=np.float32),
    )
