"""What a stranger in a notebook tries: it is refused with a word of advice, or does what was meant."""

from __future__ import annotations

import gc
import multiprocessing
import os
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
from conftest import MODELS, PHOTOS
from PIL import Image

import modelzoo
from modelzoo._batches import shared_model

COFFEE = PHOTOS / "coffee.jpg"


def test_one_picture_is_not_several(classifier: Any) -> None:
    array = np.asarray(Image.open(COFFEE).convert("RGB"))
    for one in (str(COFFEE), COFFEE, COFFEE.read_bytes(), array, array[:, :, 0], Image.open(COFFEE)):
        for function in (classifier.predict_all, classifier.embed_all):
            with pytest.raises(modelzoo.UsageError, match="takes several pictures, and this is one"):
                function(one)
    with pytest.raises(modelzoo.UsageError, match="not NoneType"):
        classifier.predict_all(None)
    one = classifier.predict(array)
    assert classifier.predict_all(np.stack([array, array])) == [one, one]
    assert classifier.predict_all(np.array([str(COFFEE)])) == [classifier.predict(COFFEE)]


def test_a_text_is_not_its_letters(classifier: Any) -> None:
    for wrong in (
        lambda: classifier.predict(COFFEE, classes="cat"),
        lambda: classifier.embed_prompts("a cat"),
        lambda: modelzoo.apply_model(classifier, COFFEE, classes="cat"),
    ):
        with pytest.raises(modelzoo.UsageError, match="are several texts, and this is one"):
            wrong()


@pytest.mark.parametrize("threshold", ["0.5", float("nan"), -1, 2, [0.5]])
def test_a_threshold_is_a_number_from_0_to_1(classifier: Any, threshold: Any) -> None:
    for wrong in (
        lambda: classifier.predict(COFFEE, threshold=threshold),
        lambda: modelzoo.apply_model(classifier, COFFEE, threshold=threshold),
        lambda: modelzoo.load_model(MODELS / "vit_classifier", threshold=threshold),
    ):
        with pytest.raises(modelzoo.UsageError, match="from 0 to 1"):
            wrong()
    assert classifier.predict(COFFEE, threshold=np.float32(0)) == classifier.predict(COFFEE)


def test_sizes_of_batches_are_counts(classifier: Any) -> None:
    for size in (0, -1, 2.5, "4"):
        with pytest.raises(modelzoo.UsageError, match="whole number from 1"):
            classifier.predict_all([COFFEE], batch_size=size)
    assert len(classifier.predict_all([COFFEE] * 3, batch_size=np.int64(2))) == 3


def test_things_of_other_types_are_refused_with_advice(classifier: Any) -> None:
    for wrong, told in (
        (lambda: modelzoo.load_model(None), "named by a text"),  # type: ignore[arg-type]
        (lambda: modelzoo.load_model(""), "named by a text"),
        (lambda: modelzoo.apply_model("user/repo", PHOTOS), "modelzoo.load_model"),  # type: ignore[arg-type]
        (lambda: modelzoo.apply_model(classifier, [np.zeros((4, 4, 3))]), "predict_all"),  # type: ignore[list-item]
        (lambda: modelzoo.load_model(MODELS / "vit_classifier", device=0), '"cuda:0"'),  # type: ignore[arg-type]
        (lambda: modelzoo.load_model(MODELS / "vit_classifier", threads=-1), "whole number from 1"),
        (lambda: modelzoo.load_model(MODELS / "vit_classifier", consent=True), "a function"),  # type: ignore[arg-type]
        (lambda: modelzoo.apply_model(classifier, PHOTOS, progress="yes"), "tqdm"),  # type: ignore[arg-type]
        (lambda: modelzoo.apply_model(classifier, PHOTOS, outptu="x.jsonl"), "no option outptu"),
        (lambda: modelzoo.apply_model(classifier, PHOTOS, batchsize=4), "did you mean batch_size?"),
        (lambda: classifier.predict(COFFEE, fields={"a": 1}), "takes no fields"),
        (lambda: classifier.predict(COFFEE, thresh=0.5), "did you mean threshold?"),
        (lambda: classifier.predict(COFFEE, classes=[1]), "1 is none"),
        (lambda: classifier.embed_prompts([None]), "None is none"),
        (lambda: classifier.predict(None), "NoneType is no picture"),
        (lambda: classifier.predict(COFFEE.open("rb")), "picture.read()"),
        (lambda: classifier.predict(""), "is empty"),
        (lambda: classifier.predict(np.full((4, 4, 3), 200.0)), "array.round()"),
        (lambda: classifier.predict(np.zeros((4, 4, 3))), "astype('uint8')"),
    ):
        with pytest.raises(modelzoo.UsageError) as raised:
            wrong()  # type: ignore[no-untyped-call]
        assert told in str(raised.value)


class OnAnotherDevice:
    def __dlpack__(self, **options: Any) -> Any:
        raise BufferError("its bytes are on the GPU")

    def __dlpack_device__(self) -> Any:
        return (2, 0)


def test_tensors_of_other_devices_are_refused_with_advice(classifier: Any) -> None:
    with pytest.raises(modelzoo.UsageError, match="tensor.detach"):
        classifier.predict(OnAnotherDevice())
    (error,) = classifier.predict_all([OnAnotherDevice()], on_error="return")
    assert isinstance(error, modelzoo.UsageError)


def test_a_forked_process_has_no_part_in_a_model(classifier: Any) -> None:
    """Data loaders fork. The worker's connection would be read by both."""
    expected = classifier.predict(COFFEE)
    shared_model(str(MODELS / "vit_classifier"), {})
    context = multiprocessing.get_context("fork")
    told: Any = context.Queue()

    def child() -> None:
        try:
            classifier.predict(COFFEE)
        except modelzoo.UsageError as error:
            told.put(str(error))
        told.put(shared_model(str(MODELS / "vit_classifier"), {}).predict(COFFEE) == expected)

    process = context.Process(target=child)
    process.start()
    assert "forked" in told.get(timeout=60) and told.get(timeout=60) is True
    process.join()
    model = modelzoo.load_model(MODELS / "vit_classifier")
    if os.fork() == 0:
        # As at the end of a process that collects what it has.
        del model
        gc.collect()
        os._exit(0)
    os.wait()
    assert model.predict(COFFEE) == expected


def test_a_model_may_go_while_threads_use_it() -> None:
    model = modelzoo.load_model(MODELS / "vit_classifier")
    expected, ended = model.predict(COFFEE), []

    def use(own: modelzoo.Model) -> None:
        try:
            while own.predict(COFFEE) == expected:
                pass
        except modelzoo.UsageError as error:
            ended.append(error.message)

    threads = [threading.Thread(target=use, args=(model,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    model.close()
    for thread in threads:
        thread.join(60)
    assert ended == ["this model is closed"] * 4


INTERRUPTED = f"""
import os, signal, threading, time
import modelzoo

# Whoever runs the tests in the background has this signal ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
model = modelzoo.load_model({str(MODELS / "vit_classifier")!r})
expected = model.predict({str(COFFEE)!r})
threading.Timer(0.5, lambda: os.killpg(0, signal.SIGINT)).start()
try:
    while True:
        model.predict({str(COFFEE)!r})
except KeyboardInterrupt:
    assert model.predict({str(COFFEE)!r}) == expected
    print("interrupted")
"""


def test_ctrl_c_reaches_python_and_not_the_worker() -> None:
    command = [sys.executable, "-c", INTERRUPTED]
    ran = subprocess.run(command, start_new_session=True, capture_output=True, text=True, timeout=120)
    assert ran.stdout == "interrupted\n", ran.stderr
