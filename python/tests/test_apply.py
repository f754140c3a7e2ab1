"""Many samples: what is written, shown, counted, and stopped."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any, List

import numpy as np
import pytest
from conftest import MODELS, PHOTOS, generated

import modelzoo


def test_files_are_those_of_the_program(classifier: Any, program: Any, photos: Path, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.jsonl", tmp_path / "theirs.jsonl"
    summary = modelzoo.apply_model(classifier, photos, output=ours, field="seen")
    program("apply", MODELS / "vit_classifier", photos, "seen", "-o", theirs, exit_code=8)
    assert ours.read_text() == theirs.read_text()
    assert (summary.done, summary.failed, summary.parts) == (2, 1, 2)
    shown = [sample.to_dict() for sample in modelzoo.Run(classifier, photos, field="seen")]
    assert shown == [json.loads(line) for line in theirs.read_text().splitlines()]


def test_slices_and_tracks_are_those_of_the_program(program: Any, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.jsonl", tmp_path / "theirs.jsonl"
    photo = PHOTOS / "coffee.jpg"
    options = ("--slice", "320", "--slice-merge", "suppress", "--track", "-t", "0.2")
    program("apply", MODELS / "rt_detr_v2", photo, *options, "-o", theirs)
    with modelzoo.load_model(MODELS / "rt_detr_v2") as model:
        modelzoo.apply_model(
            model, photo, output=ours, slice=320, slice_merge="suppress", track=True, threshold=0.2
        )
        assert ours.read_text() == theirs.read_text()
        modelzoo.apply_model(model, photo, output=ours, threshold=0.2, overwrite=True)
        assert ours.read_text() != theirs.read_text(), "slices show something else"
        with pytest.raises(modelzoo.UsageError, match="slice_overlap: it is a number from 0 to 0.5"):
            modelzoo.apply_model(model, photo, slice=320, slice_overlap=0.6)


def test_samples_are_shown_in_order_with_their_errors(classifier: Any, photos: Path) -> None:
    seen: List[modelzoo.Sample] = []
    modelzoo.apply_model(classifier, [photos / "rocket.jpg", photos / "coffee.jpg"], on_item=seen.append)
    assert [Path(sample.filepath).name for sample in seen] == ["rocket.jpg", "coffee.jpg"]
    assert seen[0].error is not None and "no picture" not in seen[0].labels
    assert seen[1].metadata is not None and seen[1].metadata["width"] == 600
    assert seen[1]["predictions"] == classifier.predict(photos / "coffee.jpg")
    with pytest.raises(modelzoo.Error, match="rocket.jpg") as raised:
        modelzoo.apply_model(classifier, photos, skip_failures=False)
    assert "skip_failures" in str(raised.value.hint)


def test_int8_is_calibrated_on_the_first_pictures_and_is_the_program_s(program: Any, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.jsonl", tmp_path / "theirs.jsonl"
    source, pictures = MODELS / "mobilenet_v2_classifier", generated(tmp_path / "pictures", 20)
    with modelzoo.load_model(source, precision="int8") as model:
        assert model.info.precision == "f32" and "calibration" not in model.provenance
        modelzoo.apply_model(model, pictures, output=ours)
        assert model.info.precision == "int8"
        calibration = model.provenance["calibration"]
        assert calibration["pictures"] == 20 and calibration["agreement"]["classes"]["count"] == 20
    program("apply", source, pictures, "--precision", "int8", "-o", theirs)
    assert ours.read_text() == theirs.read_text()
    with modelzoo.load_model(source, precision="int8") as model:
        assert model.info.precision == "int8" and model.provenance["calibration"] == calibration


class Bar:
    """What tqdm has, as far as it is used."""

    made: List["Bar"] = []

    def __init__(self, total: Any, desc: str, unit: str) -> None:
        self.total, self.done, self.is_closed = total, 0, False
        Bar.made.append(self)

    def update(self, n: int = 1) -> None:
        self.done += n

    def close(self) -> None:
        self.is_closed = True


def test_progress_is_told_as_to_tqdm(classifier: Any, photos: Path) -> None:
    Bar.made.clear()
    modelzoo.apply_model(classifier, photos, progress=Bar)
    (bar,) = Bar.made
    assert (bar.total, bar.done, bar.is_closed) == (3, 3, True)
    assert modelzoo.apply_model(classifier, photos, progress=True).done == 2


def test_embeddings_are_written(classifier: Any, tmp_path: Path) -> None:
    matrix = tmp_path / "vectors.npy"
    modelzoo.compute_embeddings(classifier, PHOTOS, output=matrix)
    vectors = np.load(matrix)
    assert vectors.shape == (4, 24) and vectors.dtype == np.float32
    with pytest.raises(modelzoo.UsageError, match="npy holds no labels"):
        modelzoo.apply_model(classifier, PHOTOS, output=matrix)
    with pytest.raises(modelzoo.UsageError, match="does not tell the format"):
        modelzoo.apply_model(classifier, PHOTOS, output=tmp_path / "labels.xyz")


def test_a_dataset_is_filled_and_goes_on(classifier: Any, tmp_path: Path) -> None:
    path = tmp_path / "photos.sqlite"
    assert modelzoo.apply_model(classifier, PHOTOS, output=path).done == 4
    assert modelzoo.apply_model(classifier, path).done == 0
    assert modelzoo.compute_embeddings(classifier, path).done == 4
    with pytest.raises(modelzoo.Error) as raised:
        modelzoo.apply_model(classifier, path, threshold=0.9)
    assert "overwrite=True" in str(raised.value.hint)
    assert modelzoo.apply_model(classifier, path, threshold=0.9, overwrite=True).done == 4

    dataset = modelzoo.Dataset(path)
    assert len(dataset) == 4 and dataset.info["images"] == 4
    samples = list(dataset.samples(fields=["embeddings"]))
    assert [list(sample.labels) for sample in samples] == [["embeddings"]] * 4
    assert samples[0].labels["embeddings"].dtype == np.float32  # type: ignore[union-attr]
    assert samples[0].to_dict()["embeddings"] == samples[0].labels["embeddings"].tolist()  # type: ignore[union-attr]


def test_patches_are_embedded(classifier: Any, tmp_path: Path) -> None:
    lines = tmp_path / "objects.jsonl"
    box = {"_cls": "Detection", "label": "cup", "bounding_box": [0.1, 0.1, 0.5, 0.5]}
    found = {"_cls": "Detections", "detections": [box]}
    lines.write_text(json.dumps({"filepath": str(PHOTOS / "coffee.jpg"), "things": found}))
    seen: List[modelzoo.Sample] = []
    modelzoo.compute_patch_embeddings(classifier, lines, "things", field="vector", on_item=seen.append)
    assert len(seen[0]["things"].detections[0].attributes["vector"]) == 24  # type: ignore[union-attr]


def test_an_interrupt_ends_a_run_and_leaves_no_half_file(classifier: Any, tmp_path: Path) -> None:
    many = tmp_path / "many.txt"
    many.write_text("\n".join([str(PHOTOS / "coffee.jpg")] * 5000))
    output = tmp_path / "labels.jsonl"
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            modelzoo.apply_model(classifier, many, output=output)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert not output.exists()
    assert classifier.predict(PHOTOS / "coffee.jpg") is not None


def test_a_run_that_nobody_wants_ends(classifier: Any) -> None:
    run = modelzoo.Run(classifier, PHOTOS)
    next(run)
    run.close()
    assert list(run) == [] and run.summary is None
    with modelzoo.Run(classifier, PHOTOS, counts=True) as run:
        assert run.total == 4
        for _ in run:
            break
    with pytest.raises(modelzoo.NotFoundError):
        modelzoo.Run(classifier, "nowhere/")
