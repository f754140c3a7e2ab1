"""Options on their way to the native half, as JSON."""

from __future__ import annotations

import json
import os
from typing import Any, Mapping, Optional

from .errors import UsageError


def to_json(options: Mapping[str, Any]) -> str:
    """The options that are given; ``None`` leaves the choice to the library."""
    try:
        return json.dumps({name: value for name, value in options.items() if value is not None}, default=_plain)
    except TypeError as error:
        raise UsageError(f"an option cannot be given to the model: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is nothing that JSON has")


def text_path(path: "Optional[os.PathLike[str] | str]") -> Optional[str]:
    """A path as text, or ``None``."""
    return None if path is None else os.fspath(path)
