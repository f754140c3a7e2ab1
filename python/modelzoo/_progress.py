"""Progress bars: ``True`` is tqdm's, where it is installed; anything else that is called as tqdm is serves as well."""

from __future__ import annotations

from typing import Any, Callable, Optional, Protocol, Union

from .errors import UsageError


class ProgressBar(Protocol):
    """What tqdm's bars can do, as far as it is needed."""

    def update(self, n: int = 1) -> Any: ...

    def close(self) -> Any: ...


Progress = Union[bool, Callable[..., ProgressBar]]
"""Whether progress is shown: ``True`` by tqdm; or something like ``tqdm.tqdm``, which is called with ``total``, ``desc`` and
``unit``."""


def is_shown(progress: Progress) -> bool:
    """Whether there is to be a bar.

    Raises:
        UsageError: it is none of what it can be.
    """
    if not isinstance(progress, bool) and not callable(progress):
        raise UsageError(f"progress is True, False or something like tqdm.tqdm, not {progress!r}")
    return progress is not False


class _NoBar:
    def update(self, n: int = 1) -> None:
        pass

    def close(self) -> None:
        pass


def bar(progress: Progress, total: Optional[int], desc: str, unit: str) -> ProgressBar:
    """A bar for so much work."""
    if callable(progress):
        return progress(total=total, desc=desc, unit=unit)
    if progress:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return _NoBar()
        shown: ProgressBar = tqdm(total=total, desc=desc, unit=unit)
        return shown
    return _NoBar()


class Steps:
    """Shows the steps of loading a model, each with a bar of its own."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._step: Optional[str] = None
        self._bar: ProgressBar = _NoBar()
        self._done = 0

    def __call__(self, step: str, done: int, total: Optional[int]) -> None:
        if step != self._step or done < self._done:
            self.close()
            unit = "B" if step == "downloading" else "it"
            self._step, self._done, self._bar = step, 0, bar(self._progress, total, step, unit)
        self._bar.update(done - self._done)
        self._done = done

    def close(self) -> None:
        self._bar.close()
        self._step = None
