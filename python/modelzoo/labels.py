"""What models say about pictures and videos: FiftyOne's label types, as small classes.

Coordinates are relative to the picture: 0 is its left or top edge, 1 its right or bottom edge. Confidences are between
0 and 1. Arrays are NumPy's. Each label has

- ``to_dict()``: FiftyOne's JSON, as the program writes it,
- ``to_fiftyone()``: the same as ``fiftyone.Label``,

and those of objects have ``to_supervision(width, height)`` and ``to_coco(width, height)``.
"""

from __future__ import annotations

import base64
import io
import math
import zlib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

if TYPE_CHECKING:
    import fiftyone
    import numpy.typing as npt
    import supervision

    Array = npt.NDArray[Any]

__all__ = [
    "Classification",
    "Classifications",
    "Detection",
    "Detections",
    "GeoLocation",
    "Heatmap",
    "Keypoint",
    "Keypoints",
    "Label",
    "Output",
    "Polyline",
    "Polylines",
    "Regression",
    "Segmentation",
    "TemporalDetection",
    "TemporalDetections",
]

Point = Tuple[float, float]

# The names of the fields of any label. An attribute of such a name goes into the dictionary `attributes`, as in the JSON
# that the program writes.
_RESERVED = {
    "attributes", "bounding_box", "closed", "confidence", "filled", "id", "index", "label", "line", "logits", "map",
    "map_path", "mask", "mask_path", "point", "points", "polygon", "range", "support", "tags", "value",
}  # fmt: skip

_GEOMETRIES = {"point": "Point", "line": "LineString", "polygon": "Polygon"}


class Label:
    """A label of any type."""

    # Lists of labels have no tags in FiftyOne's JSON; only what says so itself does.
    _is_list: ClassVar[bool] = False

    def to_dict(self) -> Dict[str, Any]:
        """FiftyOne's JSON: ``_cls``, ``tags`` and the fields that have a value. Arrays are compressed NPY files in
        Base64, numbers that JSON does not have are ``{"$numberDouble": "NaN"}``."""
        found: Dict[str, Any] = {"_cls": type(self).__name__}
        if not self._is_list:
            found["tags"] = list(getattr(self, "tags", []))
        for one in fields(self):  # type: ignore[arg-type]
            value = getattr(self, one.name)
            if one.name in ("tags", "attributes") or value is None:
                continue
            if one.name in _GEOMETRIES:
                value = {"type": _GEOMETRIES[one.name], "coordinates": value}
            found[one.name] = _json(value)
        if isinstance(self, Detection) and self.is_blank:
            # As FiftyOne's blank detection has it.
            found["bounding_box"] = []
        attributes: Dict[str, Any] = getattr(self, "attributes", {})
        inner = {name: {"_cls": "Attribute", "value": value} for name, value in attributes.items() if _is_reserved(name)}
        if inner or isinstance(self, (Detection, Keypoint, Polyline)):
            found["attributes"] = inner
        found.update((name, value) for name, value in attributes.items() if not _is_reserved(name))
        return found

    def to_fiftyone(self) -> "fiftyone.Label":
        """The same as FiftyOne's own label; ``fiftyone`` has to be installed."""
        from ._fiftyone_labels import to_fiftyone

        return to_fiftyone(self)


def _is_reserved(name: str) -> bool:
    return name in _RESERVED or name == "" or name[0] in "_$" or "." in name


def _json(value: Any) -> Any:
    if isinstance(value, Label):
        return value.to_dict()
    if isinstance(value, np.ndarray):
        return {"$binary": {"base64": _encode(value), "subType": "00"}}
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        name = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return {"$numberDouble": name}
    return value


def _encode(array: "Array") -> str:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return base64.b64encode(zlib.compress(file.getvalue())).decode("ascii")


@dataclass
class Regression(Label):
    """A number that the model estimates."""

    value: Optional[float] = None
    confidence: Optional[float] = None
    tags: List[str] = field(default_factory=list)
    attributes: Dict[str, Any] = field(default_factory=dict)


@dataclass
class Classification(Label):
    """What the whole picture shows. Without a label it is *blank*: no class passed the threshold.

    ``logits`` are the raw scores of all classes, ``float32[classes]``, where they were asked for.
    """

    label: Optional[str] = None
    confidence: Optional[float] = None
    logits: Optional["Array"] = None
    tags: List[str] = field(default_factory=list)
    attributes: Dict[str, Any] = field(default_factory=dict)


@dataclass
class Classifications(Label):
    """Several classes of one picture. ``logits`` is ``float32[classes]``, where it was asked for."""

    _is_list = True
    classifications: List[Classification] = field(default_factory=list)
    logits: Optional["Array"] = None

    def to_supervision(self, class_ids: Optional[Dict[str, int]] = None) -> "supervision.Classifications":
        """The same as ``supervision.Classifications``; ``class_ids`` numbers the classes, or they are numbered as they
        come."""
        from ._supervision import classifications

        return classifications(self, class_ids)


@dataclass
class Detection(Label):
    """An object in a picture.

    Attributes:
        bounding_box: ``(x, y, width, height)`` of the box, relative to the picture; ``x`` and ``y`` are its top left
            corner. A box may reach beyond the picture.
        mask: the object's pixels within its box, ``[height, width]`` of 0 and 1.
        index: tells the same object in several frames.
    """

    label: Optional[str] = None
    bounding_box: Tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    mask: Optional["Array"] = None
    mask_path: Optional[str] = None
    confidence: Optional[float] = None
    index: Optional[int] = None
    tags: List[str] = field(default_factory=list)
    attributes: Dict[str, Any] = field(default_factory=dict)

    @property
    def is_blank(self) -> bool:
        """Whether it says nothing: it did not pass the threshold."""
        return self.label is None and self.confidence is None and not any(self.bounding_box)

    def pixel_box(self, width: float, height: float) -> Tuple[float, float, float, float]:
        """``(x1, y1, x2, y2)`` in a picture of so many pixels."""
        x, y, w, h = self.bounding_box
        return x * width, y * height, (x + w) * width, (y + h) * height


@dataclass
class Detections(Label):
    """The objects in a picture."""

    _is_list = True
    detections: List[Detection] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.detections)

    def to_supervision(
        self, width: int, height: int, class_ids: Optional[Dict[str, int]] = None
    ) -> "supervision.Detections":
        """The same as ``supervision.Detections`` for a picture of so many pixels; ``class_ids`` numbers the classes, or
        they are numbered as they come."""
        from ._supervision import detections

        return detections(self, width, height, class_ids)

    def to_coco(
        self, width: int, height: int, image_id: int = 1, category_ids: Optional[Dict[str, int]] = None
    ) -> List[Dict[str, Any]]:
        """The same as COCO's results for a picture of so many pixels: ``bbox`` is ``[x, y, width, height]`` in pixels,
        ``segmentation`` the mask as run lengths. ``category_ids`` numbers the classes, or they are numbered as they
        come, from 1."""
        from ._coco import detections

        return detections(self, width, height, image_id, category_ids)


@dataclass
class Polyline(Label):
    """An outline or a line, in one or several pieces; ``points`` are the vertices of each piece, relative."""

    label: Optional[str] = None
    points: List[List[Point]] = field(default_factory=list)
    confidence: Optional[float] = None
    index: Optional[int] = None
    closed: bool = False
    filled: bool = False
    tags: List[str] = field(default_factory=list)
    attributes: Dict[str, Any] = field(default_factory=dict)


@dataclass
class Polylines(Label):
    """The outlines in a picture."""

    _is_list = True
    polylines: List[Polyline] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.polylines)


@dataclass
class Keypoint(Label):
    """Points that belong together, such as the joints of one person; a missing one is NaN. ``confidence`` has one number
    for each point."""

    label: Optional[str] = None
    points: List[Point] = field(default_factory=list)
    confidence: Optional[List[float]] = None
    index: Optional[int] = None
    tags: List[str] = field(default_factory=list)
    attributes: Dict[str, Any] = field(default_factory=dict)


@dataclass
class Keypoints(Label):
    """The sets of points in a picture."""

    _is_list = True
    keypoints: List[Keypoint] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.keypoints)

    def to_coco(
        self, width: int, height: int, image_id: int = 1, category_ids: Optional[Dict[str, int]] = None
    ) -> List[Dict[str, Any]]:
        """The same as COCO's results for a picture of so many pixels: ``keypoints`` is ``[x, y, v, ...]`` in pixels, with
        0 for a point that is missing and 2 for one that is seen."""
        from ._coco import keypoints

        return keypoints(self, width, height, image_id, category_ids)


@dataclass
class Segmentation(Label):
    """A class for every pixel: ``mask`` is ``[height, width]`` of class indices, 0 the background. It may be smaller than
    the picture, which it covers whole."""

    mask: Optional["Array"] = None
    mask_path: Optional[str] = None
    tags: List[str] = field(default_factory=list)


@dataclass
class Heatmap(Label):
    """A number for every pixel: ``map`` is ``[height, width]``. It may be smaller than the picture, which it covers
    whole. ``range`` is the smallest and the largest possible number."""

    map: Optional["Array"] = None
    map_path: Optional[str] = None
    range: Optional[Tuple[float, float]] = None
    tags: List[str] = field(default_factory=list)


@dataclass
class TemporalDetection(Label):
    """Something that happens in a video; ``support`` is the first and the last frame, counted from 1."""

    label: Optional[str] = None
    support: Tuple[int, int] = (1, 1)
    confidence: Optional[float] = None
    tags: List[str] = field(default_factory=list)
    attributes: Dict[str, Any] = field(default_factory=dict)


@dataclass
class TemporalDetections(Label):
    """The events of a video."""

    _is_list = True
    detections: List[TemporalDetection] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.detections)


@dataclass
class GeoLocation(Label):
    """A place on Earth: ``(longitude, latitude)`` in degrees."""

    point: Optional[Point] = None
    line: Optional[List[Point]] = None
    polygon: Optional[List[List[Point]]] = None
    tags: List[str] = field(default_factory=list)


Value = Union[Label, "Array", str, int, float, bool, List[Any], Dict[str, Any], None]
"""A label, a vector, or a plain value."""

Output = Union[Value, Dict[str, Value], Dict[int, Value], Dict[int, Dict[str, Value]]]
"""What a model gives for a picture or video: a label; labels by key; by frame, counted from 1; by frame and key."""


def numbered(labels: Sequence[Optional[str]], known: Optional[Dict[str, int]], first: int) -> List[int]:
    """The number of each class; those that are not known are numbered as they come, from ``first``."""
    numbers: Dict[str, int] = {} if known is None else known
    return [numbers[name] if known is not None else numbers.setdefault(name, len(numbers) + first)
            for name in (label or "" for label in labels)]  # fmt: skip
