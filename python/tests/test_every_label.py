"""Labels of every type and outputs of every form, from a plugin that says what it is told to say, beside what the program
says; and fields of samples. The plugins are those that the workspace's tests have compiled; without them there is nobody to
ask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest
from conftest import PHOTOS, PROJECT
from test_predict import decoded

import modelzoo
from modelzoo import labels

CAPABILITIES = PROJECT / "tests/plugins/capabilities"
GIVEN = PROJECT / "tests/plugins/given"
STORE = PROJECT / "target/tmp/store"

pytestmark = pytest.mark.skipif(not (STORE / "artifacts").is_dir(), reason="no plugins are compiled (cargo test)")

FACTS = {"tags": ["new"], "attributes": {"mood": "good", "label": [1, None, {"a": 2.5}]}}
MASK = {"shape": [2, 3], "elements": {"u8": [0, 1, 1, 0, 0, 1]}}
MAP = {"shape": [1, 2], "elements": {"f64": [0.25, -1.5]}}
POINTS = [[0.5, 0.25], [0.125, 1.0]]
BOX = [0.5, 0.25, -0.25, 1.5]

LABELS: Dict[str, Dict[str, Any]] = {
    "Regression": {"value": 2.5, "confidence": 0.5, **FACTS},
    "Classification": {"label": "cat", "confidence": 0.5, "logits": {"shape": [2], "elements": {"f32": [1, -2]}}},
    "Classifications": {"classifications": [{"label": "cat"}, {}], "logits": MAP},
    "Detection": {"label": "cat", "bounding_box": BOX, "mask": MASK, "confidence": 0.5, "index": 3, **FACTS},
    "Detections": {"detections": [{"bounding_box": BOX}, {"mask_path": "a.png"}, {}]},
    "Polyline": {"label": "road", "points": [POINTS, []], "closed": True, "confidence": 0.5, **FACTS},
    "Polylines": {"polylines": [{"points": [POINTS], "filled": True}]},
    "Keypoint": {"label": "person", "points": POINTS, "confidence": [0.5, 1.0], "index": 1},
    "Keypoints": {"keypoints": [{"points": POINTS}]},
    "Segmentation": {"mask": MASK},
    "Heatmap": {"map": MAP, "range": [-2.0, 2.0]},
    "TemporalDetection": {"label": "jump", "support": [3, 9], "confidence": 0.5},
    "TemporalDetections": {"detections": [{"label": "jump", "support": [3, 9]}]},
    "GeoLocation": {"point": [8.5, 47.25], "line": POINTS, "polygon": [POINTS]},
    "Vector": {"values": {"shape": [3], "elements": {"f32": [0.5, 1.0, -2.0]}}},
    "Value": {"value": {"text": ["a", 1, True, None]}},
}


def plain(found: Any) -> Any:
    """JSON with arrays as lists, since compression may differ."""
    if isinstance(found, dict):
        if "$binary" in found:
            array = decoded(found)
            return [str(array.dtype), array.tolist()]
        return {key: plain(value) for key, value in found.items()}
    return [plain(item) for item in found] if isinstance(found, list) else found


@pytest.fixture(autouse=True)
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELZOO_STORE", str(STORE))


def test_labels_are_what_the_program_says(program: Any, tmp_path: Path) -> None:
    output = {"labels": {kind: {"_cls": kind, **fields} for kind, fields in LABELS.items()}}
    (line,) = program("apply", GIVEN, PHOTOS / "coffee.jpg", "seen", "--set", f"output={json.dumps(output)}")
    batch = [PHOTOS / "coffee.jpg", PHOTOS / "rocket.jpg"]
    with modelzoo.load_model(GIVEN, output=output) as model:
        (sample,) = modelzoo.Run(model, PHOTOS / "coffee.jpg", field="seen")
        assert plain(sample.to_dict()) == plain(line)
        results = model.predict_all(batch)
        modelzoo.apply_model(model, batch, output=tmp_path / "labels.parquet")
    found: Any = results[0]
    np.testing.assert_array_equal(found.pop("Vector"), np.array([0.5, 1, -2], dtype=np.float32))
    assert found.pop("Value") == LABELS["Value"]["value"]
    for kind, label in found.items():
        assert type(label) is getattr(labels, kind)
        assert plain(label.to_dict()) == plain(line[f"seen_{kind}"])
    found, second = model_outputs(results)
    for kind in found:
        columns_are_those_of_the_program([found[kind], second[kind]], tmp_path / "labels.parquet", kind)


def model_outputs(results: Any) -> Any:
    """Both pictures have the same labels; what the first has lost to a comparison, the second has still."""
    first, second = results
    return {**second, **first}, second


def columns_are_those_of_the_program(values: Any, file: Path, kind: str) -> None:
    """What Ray, Daft and Spark get is what stands in the program's files."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    from modelzoo import _columns

    theirs = parquet.read_table(file)[f"predictions_{kind}"].combine_chunks()
    ours = _columns.vectors(values) if isinstance(values[0], np.ndarray) else _columns.labels(values)
    assert ours.type == theirs.type, kind
    if ours.type == pyarrow.string():
        assert [plain(json.loads(text)) for text in ours.to_pylist()] == [
            plain(json.loads(text)) for text in theirs.to_pylist()
        ]
    else:
        assert ours.to_pylist() == theirs.to_pylist(), kind


def test_outputs_of_several_labels() -> None:
    several = {"labels": {"a": {"_cls": "Classification", "label": "x"}, "b": {"_cls": "Regression", "value": 1.0}}}
    with modelzoo.load_model(GIVEN, output=several) as model:
        found = model.predict(PHOTOS / "coffee.jpg")
        assert found == {"a": labels.Classification("x"), "b": labels.Regression(1.0)}
        (sample,) = modelzoo.Run(model, PHOTOS / "coffee.jpg", field="seen")
        assert list(sample.labels) == ["seen_a", "seen_b"]
    with modelzoo.load_model(GIVEN, output="nothing") as model:
        assert model.predict(PHOTOS / "coffee.jpg") is None


def test_fields_stay_with_their_pictures() -> None:
    with modelzoo.load_model(CAPABILITIES, name="test/fields") as model:
        assert model.info.needed_fields == ["caption"]
        caption = labels.Classification("a cup")
        assert model.predict(PHOTOS / "coffee.jpg", fields={"caption": caption}) == caption
        pictures = [b"no picture", PHOTOS / "coffee.jpg", np.zeros((2, 2)), PHOTOS / "rocket.jpg"]
        fields = [{"caption": name} for name in "abcd"]
        for size in (2, 4):
            found: Any = model.predict_all(pictures, fields=fields, on_error="return", batch_size=size)
            assert [found[1].label, found[3].label] == ["b", "d"]
            assert isinstance(found[0], modelzoo.Error) and isinstance(found[2], modelzoo.UsageError)
        with pytest.raises(modelzoo.UsageError, match="fewer fields"):
            model.predict_all(pictures, fields=fields[:2], on_error="return")
        with pytest.raises(modelzoo.Error, match="no caption") as raised:
            model.predict(PHOTOS / "coffee.jpg", fields={})
        assert raised.value.exit_code == 1
