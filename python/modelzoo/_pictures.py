"""From whatever people have a picture in to what the native half takes: a dense array, a path or a file's bytes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Iterable, Protocol, Union
from urllib.parse import unquote

import numpy as np

from .errors import UsageError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Picture", "native_picture", "several"]


class _ArrayInterface(Protocol):
    @property
    def __array_interface__(self) -> Any: ...


class _DLPack(Protocol):
    def __dlpack__(self, *args: Any, **kwargs: Any) -> Any: ...


Picture = Union[
    "npt.NDArray[np.uint8]", str, "os.PathLike[str]", bytes, bytearray, memoryview, _ArrayInterface, _DLPack
]
"""A picture: ``uint8[height, width, 3]`` of red, green and blue in anything that NumPy reads without a copy (an array, a
tensor, a PIL image, a buffer, DLPack), or a path, or a file's bytes. Grey ones may lack the last dimension, and a fourth
channel is dropped."""


def native_picture(picture: Any) -> Any:
    """The same picture as a dense array ``uint8[height, width, 3]``, a path or ``bytes``. Arrays that are dense already are
    not copied."""
    if isinstance(picture, (str, os.PathLike)):
        path = os.fspath(picture)
        if not path:
            raise UsageError("the path of a picture is empty")
        return local_path(path)
    if isinstance(picture, (bytes, bytearray)):
        return bytes(picture)
    if isinstance(picture, memoryview) and picture.ndim == 1:
        return picture.tobytes()
    if hasattr(picture, "mode") and hasattr(picture, "convert"):
        # Pillow's: palettes, grey and alpha are its own affair.
        picture = picture if picture.mode == "RGB" else picture.convert("RGB")
        return np.ascontiguousarray(np.asarray(picture))
    return _dense(_array(picture))


def local_path(path: str) -> str:
    """The path of a ``file://`` URL, as Daft and Spark name files; other paths and URLs are as they are."""
    if not path.startswith("file:/"):
        return path
    named = "/" + path[len("file:") :].lstrip("/")
    # Not everybody encodes what is special in it.
    return named if os.path.exists(named) else unquote(named)


def several(pictures: Any, function: str, alone: str) -> Iterable[Any]:
    """The same pictures, unless it is a single one: its letters, bytes or rows are none.

    Raises:
        UsageError: it is one picture, or nothing to go through.
    """
    is_one = isinstance(pictures, (str, os.PathLike, bytes, bytearray)) or hasattr(pictures, "convert")
    if not is_one and (hasattr(pictures, "__array_interface__") or hasattr(pictures, "__dlpack__")):
        # An array of texts or objects is a list of them.
        kind = getattr(getattr(pictures, "dtype", None), "kind", "u")
        is_one = kind not in "OSU" and len(getattr(pictures, "shape", ())) < 4
    if is_one:
        raise UsageError(
            f"{function} takes several pictures, and this is one", f"{alone}(picture), or {function}([picture])"
        )
    try:
        each: Iterable[Any] = iter(pictures)
    except TypeError:
        raise UsageError(
            f"{function} takes a list of pictures or something else to go through, not {type(pictures).__name__}"
        ) from None
    return each


def _array(picture: Any) -> "npt.NDArray[Any]":
    if isinstance(picture, np.ndarray):
        return picture
    if not hasattr(picture, "__array_interface__") and hasattr(picture, "__dlpack__"):
        try:
            return np.from_dlpack(picture)
        except (BufferError, RuntimeError, TypeError, ValueError) as error:
            # What lies on a GPU, or has gradients.
            problem = f"this {type(picture).__name__} cannot be read where it is: {error}"
            raise UsageError(problem, "what can is uint8 in the CPU's memory: tensor.detach().cpu()") from error
    array = np.asarray(picture)
    if array.dtype == object:
        remedy = "picture.read()" if hasattr(picture, "read") else "a picture is an array, a path, a file's bytes or a PIL image"
        raise UsageError(f"{type(picture).__name__} is no picture", remedy)
    return array


def _remedy(array: "npt.NDArray[Any]") -> str:
    """What makes a picture of numbers of another type."""
    if array.dtype.kind == "f" and array.size and array.max() > 1:
        return "numbers from 0 to 255: array.round().astype('uint8')"
    if array.dtype.kind == "f":
        return "numbers from 0 to 1: (255 * array).round().astype('uint8')"
    if array.dtype.kind == "b":
        return "a mask: (255 * array.astype('uint8'))"
    if array.dtype.kind in "iu":
        return "numbers from 0 to 255: array.astype('uint8'); of more bits: (array >> 8).astype('uint8')"
    return "a picture is an array, a path, a file's bytes or a PIL image"


def _dense(array: "npt.NDArray[Any]") -> "npt.NDArray[Any]":
    if array.dtype != np.uint8:
        raise UsageError(f"a picture is an array of uint8, and this one is of {array.dtype}", _remedy(array))
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim == 3 and array.shape[2] == 1:
        array = np.repeat(array, 3, axis=2)
    if array.ndim == 3 and array.shape[2] == 4:
        array = array[:, :, :3]
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        hint = None
        if array.ndim == 3 and array.shape[0] in (1, 3, 4):
            hint = "channels come last: array.transpose(1, 2, 0)"
        elif array.ndim == 4:
            hint = "several pictures go to predict_all or embed_all"
        raise UsageError(f"an array of shape {list(array.shape)} is no picture [height, width, 3]", hint)
    # A subclass may say other things of itself than NumPy's own arrays do.
    return np.ascontiguousarray(array.view(np.ndarray))
