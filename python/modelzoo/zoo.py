"""The model zoo: what can be had, and what of it is here. FiftyOne's names for the same are in the documentation."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Union

from . import _native
from ._options import to_json
from ._progress import Progress, Steps
from ._worker import worker_program
from .model import Consent

__all__ = [
    "delete_model",
    "download_model",
    "find_model",
    "forget_source",
    "list_models",
    "list_sources",
    "model_entry",
    "register_source",
    "search",
]


def search(words: Union[str, Sequence[str]]) -> List[Dict[str, Any]]:
    """Published models of Hugging Face that run as they are and that all words are said of, the best first: ``name``,
    ``task``, ``family``, ``license``, ``parameters`` (in millions), ``description``. ``"hf:" + name`` loads one. It is a list
    that comes with the package: any repository of a known architecture runs, listed or not."""
    found: List[Dict[str, Any]] = json.loads(_native.search(words.split() if isinstance(words, str) else list(words)))
    return found


def list_models(
    tags: Union[str, Sequence[str], None] = None,
    source: Optional[str] = None,
    license: Union[str, Sequence[str], None] = None,
) -> List[str]:
    """The names of the models of all registered sources.

    Args:
        tags: those that a model must all have.
        source: the source that must declare it, in any spelling.
        license: those of which it must have one.
    """
    return _native.list_models(_texts(tags), source, _texts(license))


def model_entry(name: str, offline: bool = False) -> Dict[str, Any]:
    """What is known of a model before it is loaded: ``name``, ``source`` and its ``entry`` in the source's manifest."""
    found: Dict[str, Any] = json.loads(_native.model_entry(name, to_json({"offline": offline})))
    return found


def find_model(name: str) -> Path:
    """The file or folder of a model's weights on this machine.

    Raises:
        NotFoundError: there is no such model, or it is not downloaded.
    """
    return _native.find_model(name)


def download_model(
    model: "Union[str, os.PathLike[str]]",
    *,
    name: Optional[str] = None,
    overwrite: bool = False,
    consent: Optional[Consent] = None,
    progress: Progress = False,
) -> Path:
    """Builds a model's plugin and downloads its weights, unless they are here, and registers its source. Afterwards it loads
    without network. The arguments are those of :func:`modelzoo.load_model`.

    Returns:
        The file or folder of the weights.
    """
    steps = None if progress is False else Steps(progress)
    arguments = to_json({"name": name, "worker": worker_program()})
    try:
        return _native.download_model(os.fspath(model), arguments, overwrite, consent, steps)
    finally:
        if steps is not None:
            steps.close()


def delete_model(name: str) -> None:
    """Deletes a model's weights; those that are a part of its source stay."""
    _native.delete_model(name)


def list_sources() -> List[str]:
    """The registered sources."""
    return _native.list_sources()


def register_source(source: str, overwrite: bool = False) -> None:
    """Registers a source: from now on its models are known by name. None of its code runs. ``overwrite`` looks up anew one
    that is registered."""
    _native.register_source(source, overwrite)


def forget_source(source: str) -> None:
    """Forgets a source and deletes the weights of its models."""
    _native.forget_source(source)


def _texts(texts: Union[str, Sequence[str], None]) -> List[str]:
    if texts is None:
        return []
    return [texts] if isinstance(texts, str) else list(texts)
