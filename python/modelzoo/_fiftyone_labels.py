"""Labels as FiftyOne's own."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from .labels import Detection, Label

if TYPE_CHECKING:
    import fiftyone


def to_fiftyone(label: Label) -> "fiftyone.Label":
    """A label, and those within it. Attributes become dynamic attributes; masks and logits stay NumPy's."""
    import fiftyone

    values = {}
    for one in fields(label):  # type: ignore[arg-type]
        value = getattr(label, one.name)
        if one.name != "attributes" and value is not None:
            values[one.name] = _value(value)
    if isinstance(label, Detection) and label.is_blank:
        del values["bounding_box"]
    values.update(getattr(label, "attributes", {}))
    return getattr(fiftyone, type(label).__name__)(**values)


def output_to_fiftyone(output: Any) -> Any:
    """What a model gives, with FiftyOne's labels in the place of ours."""
    if isinstance(output, Label):
        return to_fiftyone(output)
    if isinstance(output, dict):
        return {key: output_to_fiftyone(value) for key, value in output.items()} or None
    return output


def _value(value: Any) -> Any:
    if isinstance(value, Label):
        return to_fiftyone(value)
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, (list, tuple)):
        return [_value(item) for item in value]
    return value
