"""The notebook of the examples runs, and shows a picture for each photograph and one more."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import MODELS, PHOTOS, PROJECT


def test_the_notebook_shows_pictures_with_boxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    preprocessors = pytest.importorskip("nbconvert.preprocessors")
    for needed in ("ipykernel", "matplotlib", "pandas", "pyarrow"):
        pytest.importorskip(needed)
    # Its weights are random, so nothing is sure.
    for name, value in (("MODEL", MODELS / "detr_basic"), ("PHOTOS", PHOTOS), ("THRESHOLD", "0.1")):
        monkeypatch.setenv(name, str(value))
    notebook = nbformat.read(PROJECT / "examples/detections.ipynb", as_version=4)
    preprocessors.ExecutePreprocessor(timeout=120).preprocess(notebook, {"metadata": {"path": str(tmp_path)}})
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 1 + len(list(PHOTOS.iterdir()))
