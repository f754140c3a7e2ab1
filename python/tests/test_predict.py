"""Single pictures in whatever people have them in, and what comes of them beside what the program says."""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MODELS, PHOTOS
from PIL import Image

import modelzoo
from modelzoo.labels import Classification

COFFEE = PHOTOS / "coffee.jpg"


def pixels() -> Any:
    return np.asarray(Image.open(COFFEE).convert("RGB"))


class DLPackOnly:
    """A tensor that can be had by DLPack alone."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


class InterfaceOnly:
    def __init__(self, array: Any) -> None:
        self.array = array
        self.__array_interface__ = array.__array_interface__


def test_a_picture_is_the_same_whatever_it_is_in(classifier: Any, program: Any) -> None:
    (line,) = program("apply", MODELS / "vit_classifier", COFFEE)
    array = pixels()
    padded = np.zeros((array.shape[0], array.shape[1] + 8, 4), dtype=np.uint8)
    padded[:, :-8, :3] = array
    forms = [
        str(COFFEE), COFFEE, COFFEE.read_bytes(), Image.open(COFFEE), array, memoryview(array), DLPackOnly(array.copy()),
        InterfaceOnly(array), padded[:, :-8], np.asfortranarray(array),
    ]  # fmt: skip
    for form in forms:
        label = classifier.predict(form)
        assert label.to_dict() == line["predictions"], type(form)
    grey = np.full((40, 50), 90, dtype=np.uint8)
    colour = np.repeat(grey[:, :, None], 3, axis=2)
    assert classifier.predict(grey) == classifier.predict(grey[:, :, None]) == classifier.predict(colour)


def test_arrays_that_are_no_pictures_are_refused_with_advice(classifier: Any) -> None:
    array = pixels()
    for wrong, told in [
        (array.astype(np.float32) / 255, "uint8"),
        (array.transpose(2, 0, 1), "channels come last"),
        (array[None], "predict_all"),
        (array[:0], "no picture"),
        (np.zeros((4, 4, 2), dtype=np.uint8), "no picture"),
    ]:
        with pytest.raises(modelzoo.UsageError) as raised:
            classifier.predict(wrong)
        assert told in str(raised.value)
        assert raised.value.exit_code == 2


@pytest.mark.parametrize("name", ["detr_basic", "segformer_segmenter", "depth_anything_relative", "vit_classifier"])
def test_labels_of_every_kind_are_what_the_program_says(name: str, program: Any) -> None:
    (line,) = program("apply", MODELS / name, COFFEE)
    with modelzoo.load_model(MODELS / name) as model:
        label = model.predict(COFFEE)
    ours, theirs = label.to_dict(), line["predictions"]
    for array in ("mask", "map"):
        if array in theirs:
            # The compression may differ; the numbers may not.
            np.testing.assert_array_equal(decoded(ours.pop(array)), decoded(theirs.pop(array)))
    assert ours == theirs


def decoded(binary: Any) -> Any:
    import base64
    import io
    import zlib

    return np.load(io.BytesIO(zlib.decompress(base64.b64decode(binary["$binary"]["base64"]))))


def test_what_the_model_is_less_sure_of_is_left_out() -> None:
    with modelzoo.load_model(MODELS / "detr_basic", threshold=0.0) as model:
        everything = model.predict(COFFEE, threshold=0.0)
        confidences = sorted(one.confidence for one in everything.detections)
        assert len(confidences) > 1
        above = model.predict(COFFEE, threshold=confidences[-1])
        assert [one.confidence for one in above.detections] == confidences[-1:]
        kept = everything.detections[0].label
        assert {one.label for one in model.predict(COFFEE, classes=[kept]).detections} == {kept}
        with pytest.raises(modelzoo.UsageError, match="from 0 to 1"):
            model.predict(COFFEE, threshold=2)


def test_a_batch_may_be_ragged_and_a_broken_one_costs_itself(classifier: Any) -> None:
    array = pixels()
    batch = [array, "nowhere.jpg", array[:33, :71], b"no picture", array.astype(float), COFFEE]
    results = classifier.predict_all(iter(batch), on_error="return", batch_size=4)
    kinds = [type(result) for result in results]
    label, error = Classification, modelzoo.Error
    assert kinds == [label, modelzoo.NotFoundError, label, error, modelzoo.UsageError, label]
    assert "nowhere.jpg" in str(results[1]) and "<bytes>" in str(results[3])
    assert results[0] == results[5] == classifier.predict(array)
    with pytest.raises(modelzoo.NotFoundError, match="picture 1: nowhere.jpg"):
        classifier.predict_all(batch)
    assert classifier.predict_all([]) == []


def test_embeddings_are_single_precision(classifier: Any, program: Any) -> None:
    (line,) = program("embed", MODELS / "vit_classifier", COFFEE)
    one = classifier.embed(pixels())
    assert one.dtype == np.float32 and one.shape == (24,)
    np.testing.assert_array_equal(one, np.array(line["embeddings"], dtype=np.float32))
    many = classifier.embed_all([COFFEE, pixels(), PHOTOS / "rocket.jpg"])
    assert many.shape == (3, 24) and many.dtype == np.float32
    np.testing.assert_allclose(many[0], one, atol=1e-6)
    failed = classifier.embed_all([COFFEE, b""], on_error="return")
    assert isinstance(failed[1], modelzoo.Error)
    one[0] = 1  # It is the caller's own.


def test_prompts_have_embeddings_where_the_model_knows_texts(classifier: Any) -> None:
    with modelzoo.load_model(MODELS / "clip", classes=["cat", "dog"]) as model:
        assert model.info.can_embed_prompts
        texts = model.embed_prompts(["a cat", "a dog"])
        assert texts.shape[0] == 2 and texts.dtype == np.float32
        np.testing.assert_allclose(model.embed_prompt("a cat"), texts[0], atol=1e-5)
        assert model.predict(COFFEE).label in ("cat", "dog")
    with pytest.raises(modelzoo.Error, match="no embeddings of texts"):
        classifier.embed_prompts(["a cat"])


def test_files_may_be_named_by_urls(classifier: Any, tmp_path: Path) -> None:
    path = tmp_path / "a cup, 100%.jpg"
    shutil.copy(COFFEE, path)
    expected = classifier.predict(path)
    for url in (path.as_uri(), f"file://{path}", f"file:{path}"):
        assert classifier.predict(url) == expected
        (sample,) = modelzoo.Run(classifier, url)
        assert sample["predictions"] == expected


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="FFmpeg reads videos")
def test_a_video_has_labels_by_frame(classifier: Any, tmp_path: Path) -> None:
    video = tmp_path / "short.mp4"
    pattern = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=5:duration=1"]
    subprocess.run(["ffmpeg", "-loglevel", "error", *pattern, str(video)], check=True)
    frames = classifier.predict(video)
    assert list(frames) == [1, 2, 3, 4, 5]
    assert all(isinstance(label, Classification) for label in frames.values())


def test_what_is_closed_says_so() -> None:
    with modelzoo.load_model(MODELS / "vit_classifier") as model:
        model.predict(COFFEE)
    with pytest.raises(modelzoo.UsageError, match="model is closed"):
        model.predict(COFFEE)
    model.close()


def test_options_reach_the_model_and_wrong_ones_are_told() -> None:
    with modelzoo.load_model(MODELS / "vit_classifier", top_k=2, isolation="none") as model:
        assert len(model.predict(COFFEE).classifications) == 2
        assert model.provenance["settings"] == {"top_k": 2}
    for wrong in [{"topk": 2}, {"device": "abacus"}, {"isolation": "jail"}, {"isolation": "none", "sandbox": "on"}]:
        with pytest.raises(modelzoo.UsageError):
            modelzoo.load_model(MODELS / "vit_classifier", **wrong)  # type: ignore[arg-type]


def test_threads_may_share_a_model_and_the_interpreter_goes_on(classifier: Any) -> None:
    expected = classifier.predict(COFFEE)
    found = []
    threads = [threading.Thread(target=lambda: found.append(classifier.predict(COFFEE))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
