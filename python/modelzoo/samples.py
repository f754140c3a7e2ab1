"""Samples: pictures and videos with what is known of them and what models said of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional

import numpy as np

from .labels import Value, _json

__all__ = ["Sample"]


@dataclass
class Sample:
    """A picture or a video with its labels.

    Attributes:
        filepath: where its file is.
        media_type: ``"image"`` or ``"video"``.
        metadata: facts about its file in FiftyOne's words: ``width``, ``height``, ``size_bytes``, ...
        tags: free tags.
        labels: the labels of the sample by field.
        frames: the labels of its frames by number, counted from 1, and field.
        error: why the model has failed on it, or on a part of it.
        warnings: what is wrong with its file although it could be read, a line each.
    """

    filepath: str
    media_type: str = "image"
    metadata: Optional[Dict[str, Any]] = None
    tags: List[str] = field(default_factory=list)
    labels: Dict[str, Value] = field(default_factory=dict)
    frames: Dict[int, Dict[str, Value]] = field(default_factory=dict)
    error: Optional[str] = None
    warnings: List[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> Value:
        """The label in a field."""
        return self.labels[name]

    def to_dict(self) -> Dict[str, Any]:
        """The JSON that the program writes for it, with FiftyOne's names."""
        found: Dict[str, Any] = {"filepath": self.filepath}
        if self.media_type == "video":
            found["media_type"] = "video"
        for name in ("metadata", "tags"):
            if getattr(self, name):
                found[name] = getattr(self, name)
        found.update((name, _field(value)) for name, value in self.labels.items())
        if self.frames:
            found["frames"] = {
                str(number): {name: _field(value) for name, value in labels.items()}
                for number, labels in self.frames.items()
            }
        for name in ("error", "warnings"):
            if getattr(self, name):
                found[name] = getattr(self, name)
        return found


def _field(value: Value) -> Any:
    # Vectors stand in a sample's JSON as lists, which every reader understands.
    return value.tolist() if isinstance(value, np.ndarray) else _json(value)
