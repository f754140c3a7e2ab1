"""Labels as columns of Arrow's, the same as in the program's Parquet files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Sequence

import numpy as np
import pyarrow as pa

from . import _run_lengths
from .labels import (
    Classification,
    Classifications,
    Detection,
    Detections,
    Keypoint,
    Keypoints,
    Label,
    Polyline,
    Polylines,
    Regression,
    TemporalDetection,
    TemporalDetections,
)

if TYPE_CHECKING:
    Column = "pa.Array"

_CONFIDENCE = ("confidence", pa.float64())
_LABEL = ("label", pa.string())
_INDEX = ("index", pa.int64())

_TYPES: Dict[type, Any] = {
    Regression: pa.struct([("value", pa.float64()), _CONFIDENCE]),
    Classification: pa.struct([_LABEL, _CONFIDENCE, ("logits", pa.list_(pa.float32()))]),
    Detection: pa.struct(
        [
            _LABEL,
            _CONFIDENCE,
            _INDEX,
            ("bounding_box", pa.list_(pa.float64(), 4)),
            ("mask", pa.struct([("size", pa.list_(pa.int64())), ("counts", pa.string())])),
            ("mask_path", pa.string()),
        ]
    ),
    Polyline: pa.struct(
        [
            _LABEL,
            _CONFIDENCE,
            _INDEX,
            ("closed", pa.bool_()),
            ("filled", pa.bool_()),
            ("points", pa.list_(pa.list_(pa.list_(pa.float64())))),
        ]
    ),
    Keypoint: pa.struct(
        [
            _LABEL,
            _INDEX,
            ("points", pa.list_(pa.list_(pa.float64()))),
            ("confidence", pa.list_(pa.float64())),
        ]
    ),
    TemporalDetection: pa.struct([_LABEL, _CONFIDENCE, ("support", pa.list_(pa.int64()))]),
}

_LISTS: Dict[type, str] = {
    Classifications: "classifications",
    Detections: "detections",
    Polylines: "polylines",
    Keypoints: "keypoints",
    TemporalDetections: "detections",
}

_ELEMENTS: Dict[type, type] = {
    Classifications: Classification,
    Detections: Detection,
    Polylines: Polyline,
    Keypoints: Keypoint,
    TemporalDetections: TemporalDetection,
}


def labels(values: Sequence[Any]) -> "pa.Array":
    """A column of labels of one type, with null for ``None``: structs, lists of structs, or FiftyOne's JSON as text for what
    has no columns of its own (masks, maps, several labels)."""
    kinds = {type(value) for value in values if value is not None}
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind in _TYPES:
        return pa.array([None if one is None else _row(one) for one in values], _TYPES[kind])
    if kind in _LISTS:
        name, element = _LISTS[kind], _TYPES[_ELEMENTS[kind]]
        rows = [None if all_ is None else [_row(one) for one in getattr(all_, name)] for all_ in values]
        return pa.array(rows, pa.list_(element))
    if kind is None and not kinds:
        # Nothing was said of any; which type it would have been is not known.
        return pa.nulls(len(values)) if all(value is None for value in values) else _texts(values)
    return _texts(values)


def vectors(values: Sequence[Optional[Any]]) -> "pa.Array":
    """A column of embeddings, with null for ``None``: lists of ``float32``, of fixed size where all have one length."""
    lengths = {value.size for value in values if value is not None}
    rows = [None if value is None else np.ravel(value) for value in values]
    if len(lengths) == 1:
        return pa.array(rows, pa.list_(pa.float32(), lengths.pop()))
    return pa.array(rows, pa.list_(pa.float32()))


def _texts(values: Sequence[Any]) -> "pa.Array":
    return pa.array([None if value is None else json.dumps(_json(value)) for value in values], pa.string())


def _json(value: Any) -> Any:
    if isinstance(value, Label):
        return value.to_dict()
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    return value.tolist() if isinstance(value, np.ndarray) else value


def _row(label: Any) -> Dict[str, Any]:
    row: Dict[str, Any] = {}
    for field in _TYPES[type(label)]:
        value = getattr(label, field.name)
        if field.name == "mask" and value is not None:
            counts = _run_lengths.encode(value)
            value = {"size": list(value.shape), "counts": _run_lengths.text(counts)}
        row[field.name] = value
    return row
