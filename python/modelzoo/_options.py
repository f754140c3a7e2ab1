"""Options on their way to the native half, as JSON."""

from __future__ import annotations

import difflib
import json
import math
import operator
import os
from typing import Any, Iterable, List, Mapping, Optional, Sequence

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


def names(values: "Optional[Sequence[str]]", what: str) -> Optional[List[str]]:
    """Several texts as a list. A single one, which Python would take for its letters, is refused."""
    if values is None:
        return None
    if isinstance(values, (str, bytes)):
        raise UsageError(f"{what} are several texts, and this is one", f"[{values!r}]")
    try:
        found = list(values)
    except TypeError:
        raise UsageError(f"{what} are a list of texts, not {type(values).__name__}") from None
    for value in found:
        if not isinstance(value, str):
            raise UsageError(f"{what} are texts, and {value!r} is none")
    return found


def share(value: Any, what: str) -> Optional[float]:
    """A number from 0 to 1."""
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, (str, bytes)) or not 0 <= number <= 1:
        raise UsageError(f"{what} is a number from 0 to 1, not {value!r}")
    return number


def count(value: Any, what: str) -> Optional[int]:
    """A number of things, 1 at least."""
    if value is None:
        return None
    if not hasattr(value, "__index__") or operator.index(value) < 1:
        raise UsageError(f"{what} is a whole number from 1, not {value!r}")
    return operator.index(value)


def suggestion(name: str, known: Iterable[str]) -> Optional[str]:
    """What may have been meant by a name."""
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else None
