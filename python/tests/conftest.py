"""What tests share: small published models with random weights, photographs, the program, and a store of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import numpy as np
import pytest
from PIL import Image

PROJECT = Path(__file__).resolve().parents[2]
MODELS = PROJECT / "plugin-api/vision/tests/goldens"
PHOTOS = PROJECT / "examples/photos"

GENERATED = 2000 if os.environ.get("MODELZOO_PYTHON_SCALE") else 60
"""So many pictures go through engines and tables beside the photographs."""


def generated(folder: Path, count: int) -> Path:
    """So many small pictures, each other than the others."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 255, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((40, 30)).save(folder / f"{number:06}.png", compress_level=1)
    return folder


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Nothing of the user's is read or written."""
    folder = tmp_path_factory.mktemp("home")
    own = {
        "MODELZOO_STORE": folder / "store",
        "XDG_CONFIG_HOME": folder / "config",
        "XDG_DATA_HOME": folder / "data",
    }
    before = dict(os.environ)
    os.environ.update({name: str(value) for name, value in own.items()})
    os.environ.pop("MODELZOO_CONFIG", None)
    yield folder
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def classifier(home: Path) -> Iterator[Any]:
    import modelzoo

    with modelzoo.load_model(MODELS / "vit_classifier") as model:
        yield model


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with two photographs and a file that is none."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("chelsea.jpg", "coffee.jpg"):
        shutil.copy(PHOTOS / name, folder / name)
    (folder / "rocket.jpg").write_text("no picture")
    return folder


@pytest.fixture(scope="session")
def program(home: Path) -> Callable[..., List[Dict[str, Any]]]:
    """Runs the program that came with the package, and gives the JSON lines that it prints."""
    from modelzoo._worker import worker_program

    def run(*arguments: Any, exit_code: int = 0) -> List[Dict[str, Any]]:
        command = [str(worker_program()), *map(str, arguments)]
        ran = subprocess.run(command, capture_output=True, text=True)
        assert ran.returncode == exit_code, ran.stderr
        return [json.loads(line) for line in ran.stdout.splitlines()]

    return run
