"""What can go wrong, as exceptions that say what to do next.

Every exception of this package is an :class:`Error`. Its classes are those of the program's exit codes, so that
``except modelzoo.NotTrustedError`` catches what ``modelzoo`` ends with exit code 4 for.
"""

from __future__ import annotations

from typing import ClassVar, Optional

__all__ = [
    "BuildError",
    "Error",
    "IncompatibleError",
    "IntegrityError",
    "NotFoundError",
    "NotTrustedError",
    "UsageError",
]


class Error(Exception):
    """It failed, for a reason without a class of its own.

    Attributes:
        message: what went wrong and why, in one line.
        hint: what to do next, or ``None``.
        exit_code: the exit code that the program ``modelzoo`` has for it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: Optional[str] = None) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"


class UsageError(Error, ValueError):
    """What was asked for makes no sense."""

    exit_code = 2


class NotFoundError(Error, LookupError):
    """A source, model, file or field does not exist, or not on this machine."""

    exit_code = 3


class NotTrustedError(Error, PermissionError):
    """The source's code may not run here."""

    exit_code = 4

    # The operating system's errors have a text of their own.
    __str__ = Error.__str__


class BuildError(Error):
    """The plugin does not compile."""

    exit_code = 5


class IntegrityError(Error):
    """Something is not what its hash says."""

    exit_code = 6


class IncompatibleError(Error):
    """The plugin or model does not fit this machine or this version."""

    exit_code = 7
