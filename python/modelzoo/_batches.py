"""A model over batches of tables: what the engines for many machines call."""

from __future__ import annotations

import threading
from typing import Any, Dict, Optional, Tuple

import numpy as np

from .errors import Error
from .model import Model, load_model

_LOADED: Dict[Tuple[Any, ...], Model] = {}
_LOADING = threading.Lock()


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
        column: str = "path",
        output: str = "predictions",
        errors: str = "error",
        task: str = "apply",
        threshold: Optional[float] = None,
        **options: Any,
    ) -> None:
        if task not in ("apply", "embed"):
            raise ValueError(f'task is "apply" or "embed", not {task!r}')
        self.reference, self.column, self.output, self.errors = model, column, output, errors
        self.task, self.threshold, self.options = task, threshold, options

    @property
    def model(self) -> Model:
        """The model, loaded in this process."""
        return shared_model(self.reference, self.options)

    def results(self, pictures: Any) -> Tuple[list[Any], list[Optional[str]]]:
        """What the model says of each picture, and why it says nothing."""
        given = [_picture(picture) for picture in pictures]
        size = max(1, len(given))
        model = self.model
        known = [index for index, picture in enumerate(given) if picture is not None]
        asked = [given[index] for index in known]
        found: list[Any]
        if self.task == "embed":
            found = list(model.embed_all(asked, batch_size=size, on_error="return"))
        else:
            found = model.predict_all(asked, threshold=self.threshold, batch_size=size, on_error="return")
        values: list[Any] = [None] * len(given)
        errors: list[Optional[str]] = ["there is no picture"] * len(given)
        for index, result in zip(known, found):
            if isinstance(result, Error):
                errors[index] = result.message
            else:
                values[index], errors[index] = result, None
        return values, errors

    def columns(self, pictures: Any) -> Dict[str, Any]:
        """The same as two columns of Arrow's."""
        import pyarrow

        from . import _columns

        values, errors = self.results(pictures)
        column = _columns.vectors(values) if self.task == "embed" else _columns.labels(values)
        return {self.output: column, self.errors: pyarrow.array(errors, pyarrow.string())}


def _picture(picture: Any) -> Any:
    if hasattr(picture, "as_py"):
        picture = picture.as_py()
    # Engines that keep tensors as objects hand rows of them on.
    return np.asarray(picture) if isinstance(picture, list) else picture
