"""The package as a whole: the program in it, errors, the log, types."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from conftest import MODELS, PHOTOS, PROJECT

import modelzoo
from modelzoo import errors
from modelzoo._worker import worker_program


def test_the_program_comes_with_the_package() -> None:
    program = worker_program()
    assert program is not None and Path(program).parent == Path(sys.executable).parent.resolve() or program
    version = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"modelzoo {modelzoo.__version__}\n"


def test_errors_say_what_to_do_and_have_exit_codes(tmp_path: Path) -> None:
    codes = {name: getattr(errors, name).exit_code for name in errors.__all__}
    assert sorted(codes.values()) == [1, 2, 3, 4, 5, 6, 7]
    with pytest.raises(modelzoo.NotFoundError) as raised:
        modelzoo.load_model("nobody-here", offline=True)
    assert "modelzoo.list_models()" in str(raised.value) and isinstance(raised.value, LookupError)
    with pytest.raises(modelzoo.Error, match="offline"):
        modelzoo.load_model("somebody/something", offline=True)
    (tmp_path / "config.json").write_text('{"model_type": "abacus", "architectures": ["Abacus"]}')
    with pytest.raises(modelzoo.IncompatibleError, match="Abacus|abacus"):
        modelzoo.load_model(tmp_path)


def test_nobodys_code_runs_before_somebody_has_allowed_it(tmp_path: Path) -> None:
    source = tmp_path / "repository"
    source.mkdir()
    sample = PROJECT / "tests/plugins/brightness"
    (source / "src").mkdir()
    for file in ("Cargo.toml", "Cargo.lock", "manifest.json", "src/lib.rs"):
        (source / file).write_bytes((sample / file).read_bytes())
    author = ["-c", "user.name=Author", "-c", "user.email=author@example.com"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "A source"]):
        subprocess.run(["git", *author, *command], cwd=source, check=True)
    reference = f"file://{source}/.git"
    with pytest.raises(modelzoo.NotTrustedError, match="not trusted") as raised:
        modelzoo.load_model(reference)
    assert "modelzoo trust allow" in str(raised.value) and "consent=" in str(raised.value)
    asked: List[Dict[str, Any]] = []

    def no(facts: Dict[str, Any]) -> bool:
        asked.append(facts)
        return False

    with pytest.raises(modelzoo.NotTrustedError):
        modelzoo.load_model(reference, consent=no)
    assert len(asked[0]["commit"]) == 40 and "build_scripts" in asked[0]

    def confused(facts: Dict[str, Any]) -> bool:
        raise RuntimeError("whatever")

    with pytest.raises(RuntimeError, match="whatever"):
        modelzoo.load_model(reference, consent=confused)
    with pytest.raises(modelzoo.UsageError, match="auto, prebuilt or build"):
        modelzoo.load_model(reference, origin="binary")
    with pytest.raises(modelzoo.Error, match="compiled|prebuilt"):
        modelzoo.load_model(reference, origin="prebuilt", consent=lambda facts: True)


def test_the_log_is_pythons(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="modelzoo"):
        modelzoo.load_model(MODELS / "vit_classifier").close()
    told = [record for record in caplog.records if record.name.startswith("modelzoo.")]
    assert told, caplog.records


def test_what_is_dropped_is_gone() -> None:
    """As python/benches/measure.py sees it after a thousand times."""

    def held() -> Tuple[int, int, int]:
        gc.collect()
        listed = subprocess.run(["ps", "--ppid", str(os.getpid())], capture_output=True, text=True)
        return listed.stdout.count("modelzoo"), len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

    modelzoo.load_model(MODELS / "vit_classifier").close()
    before = held()
    for _ in range(10):
        modelzoo.load_model(MODELS / "vit_classifier")
    assert held() == before


def test_the_zoo_is_searched_and_listed() -> None:
    assert any(found["family"] == "CLIP" for found in modelzoo.search("zero-shot mit"))
    assert modelzoo.list_models() == [] and modelzoo.list_sources() == []
    entry = modelzoo.model_entry(str(MODELS / "vit_classifier"))
    assert entry["name"] == "vit_classifier"
    with pytest.raises(modelzoo.NotFoundError):
        modelzoo.find_model("nobody-here")


def test_a_model_is_loaded_where_it_is_used(classifier: Any) -> None:
    import pickle

    with pytest.raises(TypeError, match="load it there"):
        pickle.dumps(classifier)


SCRIPT = f"""
import numpy as np
import modelzoo
from modelzoo.labels import Detections

model = modelzoo.load_model("{MODELS / 'vit_classifier'}", device="cpu", threshold=0.5, top_k=2)
label = model.predict(np.zeros((8, 8, 3), dtype=np.uint8))
if isinstance(label, Detections):
    boxes: list[tuple[float, float, float, float]] = [one.bounding_box for one in label.detections]
vectors = model.embed_all(["{PHOTOS / 'coffee.jpg'}"])
shape: tuple[int, ...] = vectors.shape
done: int = modelzoo.apply_model(model, "photos", on_item=lambda sample: print(sample.filepath)).done
for result in model.predict_all(["a.jpg"], on_error="return"):
    if isinstance(result, modelzoo.Error):
        print(result.hint)
"""


def test_users_scripts_are_type_checked(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(script)]
    checked = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout
    script.write_text(SCRIPT.replace("threshold=0.5", "threshold='much'"))
    assert subprocess.run(command, capture_output=True, cwd=tmp_path).returncode == 1
