"""The program that plugins run in.

A plugin runs in a process of its own, and the interpreter is not it: it is the program ``modelzoo``, which comes with
this package, as a command.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import shutil
import sys
import sysconfig
from typing import Optional

_NAME = "modelzoo.exe" if sys.platform == "win32" else "modelzoo"


@functools.lru_cache(maxsize=1)
def worker_program() -> Optional[str]:
    """The path of the program ``modelzoo``: that of this package wherever it was installed to, or else the one on the
    ``PATH``. ``MODELZOO_WORKER`` names another."""
    named = os.environ.get("MODELZOO_WORKER")
    if named:
        return named
    try:
        installed = importlib.metadata.files("modelzoo") or []
    except importlib.metadata.PackageNotFoundError:
        installed = []
    candidates = [str(file.locate()) for file in installed if file.name == _NAME]
    candidates.append(os.path.join(sysconfig.get_path("scripts"), _NAME))
    # Where `pip install --target` puts it.
    candidates.append(os.path.join(os.path.dirname(os.path.dirname(__file__)), "bin", _NAME))
    for candidate in candidates:
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return os.path.realpath(candidate)
    return shutil.which(_NAME)
