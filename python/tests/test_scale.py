"""Engines for many machines, where they are installed: each labels photographs as the program does, and a picture that is
none costs itself."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List

import numpy as np
import pytest
from conftest import MODELS, PHOTOS
from PIL import Image

from modelzoo._batches import BatchModel

pyarrow = pytest.importorskip("pyarrow")

MODEL = str(MODELS / "vit_classifier")


@pytest.fixture(scope="module")
def expected(classifier: Any) -> Dict[str, Any]:
    return {str(path): classifier.predict(path) for path in sorted(PHOTOS.glob("*.jpg"))}


@pytest.fixture(scope="module")
def paths(expected: Dict[str, Any]) -> List[str]:
    return [*expected, "nowhere.jpg"]


def check(rows: List[Dict[str, Any]], expected: Dict[str, Any]) -> None:
    assert len(rows) == len(expected) + 1
    for row in rows:
        if row["path"] in expected:
            label = expected[row["path"]]
            assert row["predictions"]["label"] == label.label
            np.testing.assert_allclose(row["predictions"]["confidence"], label.confidence, atol=1e-5)
            assert row["error"] is None
        else:
            assert row["predictions"] is None and "nowhere.jpg" in row["error"]


def test_a_batch_travels_as_what_it_was_made_of(expected: Dict[str, Any], paths: List[str]) -> None:
    batches = pickle.loads(pickle.dumps(BatchModel(MODEL, kind="Classification")))
    values, errors = batches.columns([*paths, None])
    rows = [dict(path=path, predictions=value, error=error) for path, value, error in zip(paths, values.to_pylist(), errors.to_pylist())]  # fmt: skip
    check(rows, expected)
    assert errors.to_pylist()[-1] == "there is no picture"
    nothing, _ = batches.columns(["nowhere.jpg"])
    assert nothing.type == values.type
    embeddings = BatchModel(MODEL, task="embed")
    assert embeddings.output_type() == pyarrow.list_(pyarrow.float32(), 24)
    vectors, _ = embeddings.columns(["nowhere.jpg", paths[0]])
    assert vectors.type == embeddings.output_type() and vectors.null_count == 1


def test_ray_labels_paths_bytes_and_tensors(expected: Dict[str, Any], paths: List[str]) -> None:
    ray = pytest.importorskip("ray")
    from modelzoo.ray import Predictor

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        data = ray.data.from_items([{"path": path} for path in paths])
        options: Dict[str, Any] = dict(batch_size=3, concurrency=1)
        labelled = data.map_batches(
            Predictor, fn_constructor_kwargs={"model": MODEL}, batch_format="pyarrow", **options
        )
        check(labelled.take_all(), expected)

        first = paths[0]
        pixels = np.asarray(Image.open(first).convert("RGB"))
        tensors = ray.data.from_items([{"path": first, "pixels": pixels, "file": Path(first).read_bytes()}])
        for column in ("pixels", "file"):
            named = {"model": MODEL, "column": column, "task": "embed", "output": "vector"}
            for form in ("pyarrow", "numpy"):
                (row,) = tensors.map_batches(
                    Predictor, fn_constructor_kwargs=named, batch_format=form, **options
                ).take_all()
                assert np.asarray(row["vector"]).shape == (24,), (column, form)
    finally:
        ray.shutdown()


def test_daft_labels_paths_and_bytes(expected: Dict[str, Any], paths: List[str]) -> None:
    daft = pytest.importorskip("daft")
    from modelzoo.daft import predictor

    frame = daft.from_pydict({"path": paths})
    label = predictor(MODEL, batch_size=2)
    found = frame.with_column("found", label(frame["path"])).to_pylist()
    check([{"path": row["path"], **row["found"]} for row in found], expected)
    embed = predictor(MODEL, task="embed", output="vector")
    files = daft.from_pydict({"file": [Path(path).read_bytes() for path in expected]})
    rows = files.select(embed(files["file"]).alias("found")).to_pylist()
    assert [len(row["found"]["vector"]) for row in rows] == [24] * len(expected)


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    sql = pytest.importorskip("pyspark.sql")
    os.environ.update(SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable)
    builder = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", "3").getOrCreate()
    yield session
    session.stop()


def test_spark_labels_paths(spark: Any, expected: Dict[str, Any], paths: List[str]) -> None:
    from modelzoo.spark import Mapper

    frame = spark.createDataFrame([(path,) for path in paths], ["path"])
    label = Mapper(MODEL)
    found = frame.mapInArrow(label, label.schema(frame)).collect()
    check([row.asDict(recursive=True) for row in found], expected)
