"""A model over batches of tables: what the engines for many machines call."""

from __future__ import annotations

import os
import threading
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from .errors import Error, UsageError
from .model import Model, load_model

_LOADED: Dict[Tuple[Any, ...], Model] = {}
_LOADING = threading.Lock()

def _forget() -> None:
    """After a fork: what the first process has loaded is its own, and its lock may be held by a thread that is not here."""
    global _LOADING
    _LOADED.clear()
    _LOADING = threading.Lock()


os.register_at_fork(after_in_child=_forget)


def shared_model(reference: str, options: Dict[str, Any]) -> Model:
    """The model, loaded once in this process."""
    key = (reference, repr(sorted(options.items())))
    with _LOADING:
        if key not in _LOADED:
            _LOADED[key] = load_model(reference, **options)
        return _LOADED[key]


class BatchModel:
    """Labels or embeddings of a column of pictures: paths, files' bytes, or arrays ``uint8[height, width, 3]``.

    It travels to other processes as what it was made of, and loads the model where it is first called. A picture that fails
    has a null label and its error's text; nothing is raised that would end the job.
    """

    def __init__(
        self,
        model: str,
        *,
        column: str = "path",
        output: str = "predictions",
        errors: str = "error",
        task: str = "apply",
        threshold: Optional[float] = None,
        kind: Optional[str] = None,
        precision: str = "float32",
        **options: Any,
    ) -> None:
        if precision not in ("float32", "float16"):
            raise UsageError(f'precision is "float32" or "float16", not {precision!r}')
        if task not in ("apply", "embed"):
            raise UsageError(f'task is "apply" or "embed", not {task!r}')
        self.reference, self.column, self.output, self.errors = model, column, output, errors
        self.task, self.threshold, self.kind, self.options = task, threshold, kind, options
        self.precision = precision
        self.dimensions: Optional[int] = None

    @property
    def model(self) -> Model:
        """The model, loaded in this process."""
        return shared_model(self.reference, self.options)

    def output_type(self) -> Any:
        """Arrow's type of the labels or embeddings, for engines that want to know it beforehand. Where ``kind`` does not say,
        the model is loaded here and asked about a grey picture."""
        from . import _columns

        grey = np.full((64, 64, 3), 127, dtype=np.uint8)
        if self.task == "embed":
            self.dimensions = self.dimensions or int(self.model.embed(grey).size)
            return _columns.vector_type(self.dimensions, self.precision)
        if self.kind is None:
            self.kind = _columns.kind_of(self.model.predict(grey))
        return _columns.label_type(self.kind)

    def results(self, pictures: Sequence[Any]) -> Tuple[List[Any], List[Optional[str]]]:
        """What the model says of each picture, and why it says nothing."""
        size = max(1, len(pictures))
        known = [index for index, picture in enumerate(pictures) if picture is not None]
        asked = [pictures[index] for index in known]
        found: List[Any]
        if self.task == "embed":
            found = list(self.model.embed_all(asked, batch_size=size, on_error="return"))
        else:
            found = self.model.predict_all(asked, threshold=self.threshold, batch_size=size, on_error="return")
        values: List[Any] = [None] * len(pictures)
        errors: List[Optional[str]] = ["there is no picture"] * len(pictures)
        for index, result in zip(known, found):
            if isinstance(result, Error):
                errors[index] = result.message
            else:
                values[index], errors[index] = result, None
        return values, errors

    def columns(self, pictures: Sequence[Any]) -> Tuple[Any, Any]:
        """The same as two columns of Arrow's."""
        import pyarrow

        from . import _columns

        values, errors = self.results(pictures)
        if self.task == "embed":
            column = _columns.vectors(values, self.dimensions, self.precision)
        else:
            column = _columns.labels(values, self.kind)
        return column, pyarrow.array(errors, pyarrow.string())


def rows(column: Any) -> List[Any]:
    """The rows of a column of Arrow's, or of NumPy's: texts, bytes, arrays."""
    if isinstance(column, np.ndarray):
        return list(column)
    chunks = getattr(column, "chunks", [column])
    if hasattr(column.type, "to_numpy") or "tensor" in str(column.type).lower():
        return [array for chunk in chunks for array in chunk.to_numpy(zero_copy_only=False)]
    found: List[Any] = column.to_pylist()
    return found
