"""Labels as columns of Arrow's, the same as in the program's Parquet files."""

from __future__ import annotations

import json
from typing import Any, Dict, Optional, Sequence, Set

import numpy as np
import pyarrow as pa

from . import _run_lengths
from . import labels as labels_module
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


def label_type(kind: Optional[str]) -> Any:
    """The type of a column of labels of a class (``"Detections"``); text for what has no columns of its own (masks, maps,
    several labels, values), as FiftyOne's JSON."""
    if kind is None:
        return pa.string()
    found = getattr(labels_module, kind, None)
    if found in _TYPES:
        return _TYPES[found]
    if found in _LISTS:
        return pa.list_(_TYPES[_ELEMENTS[found]])
    return pa.string()


def kind_of(value: Any) -> Optional[str]:
    """The name of a label's class; ``None`` for what is no label."""
    return type(value).__name__ if isinstance(value, Label) else None


def labels(values: Sequence[Any], kind: Optional[str] = None) -> "pa.Array":
    """A column of labels of one type, with null for ``None``. Without ``kind`` it is that of the labels that are there; where
    there are none, the column is of nulls."""
    if kind is None:
        kinds = {kind_of(value) for value in values if value is not None}
        if not kinds:
            return pa.nulls(len(values))
        kind = kinds.pop() if len(kinds) == 1 else None
    of = label_type(kind)
    if of == pa.string():
        return _texts(values)
    if pa.types.is_struct(of):
        return pa.array([None if one is None else _row(one) for one in values], of)
    name = _LISTS[getattr(labels_module, str(kind))]
    return pa.array([None if some is None else [_row(one) for one in getattr(some, name)] for some in values], of)


def vector_type(dimensions: Optional[int], precision: str = "float32") -> Any:
    """The type of a column of embeddings: lists of a fixed size where that is known."""
    element = {"float32": pa.float32(), "float16": pa.float16()}[precision]
    return pa.list_(element) if dimensions is None else pa.list_(element, dimensions)


def vectors(
    values: Sequence[Optional[Any]], dimensions: Optional[int] = None, precision: str = "float32"
) -> "pa.Array":
    """A column of embeddings, with null for ``None``: lists of numbers of this precision, of fixed size where all have one
    length."""
    lengths: Set[int] = set() if dimensions is None else {dimensions}
    lengths |= {value.size for value in values if value is not None}
    rows = [None if value is None else np.ravel(value).astype(precision, copy=False) for value in values]
    return pa.array(rows, vector_type(lengths.pop() if len(lengths) == 1 else None, precision))


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
