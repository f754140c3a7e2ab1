"""Datasets as Arrow streams, in the programs that read these."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import GENERATED, PHOTOS, generated

import modelzoo


@pytest.fixture(scope="module")
def path(classifier: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "photos.sqlite"
    pictures = generated(tmp_path_factory.mktemp("pictures"), GENERATED)
    modelzoo.apply_model(classifier, [PHOTOS, pictures], output=path)
    modelzoo.compute_embeddings(classifier, path)
    return path


@pytest.fixture(scope="module")
def dataset(path: Path) -> modelzoo.Dataset:
    return modelzoo.Dataset(path)


def test_columns_are_those_of_parquet(dataset: modelzoo.Dataset, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(dataset)
    assert table.schema.field("embeddings").type == pyarrow.list_(pyarrow.float32(), 24)
    assert table.num_rows == 4 + GENERATED
    sizes = {path: size for path, *size in zip(*(table[name].to_pylist() for name in ("filepath", "width", "height")))}
    assert sizes[str(PHOTOS / "coffee.jpg")] == [600, 400] and list(sizes.values()).count([40, 30]) == GENERATED
    dataset.export(tmp_path / "photos.parquet")
    assert table.equals(pyarrow.parquet.read_table(tmp_path / "photos.parquet"))
    assert dataset.arrow_reader(fields=["predictions"]).read_all().column_names[-1] == "predictions"
    labels = [sample["predictions"].label for sample in dataset]  # type: ignore[union-attr]
    assert [row["label"] for row in table["predictions"].to_pylist()] == labels


def test_pandas_polars_and_duckdb_take_them(
    dataset: modelzoo.Dataset, path: Path, program: Any, tmp_path: Path
) -> None:
    """The same rows, value by value, as the program exports."""
    pytest.importorskip("pyarrow")
    exported = tmp_path / "exported.jsonl"
    program("--quiet", "dataset", "export", path, exported)
    lines = sorted(map(json.loads, exported.read_text().splitlines()), key=lambda line: str(line["filepath"]))
    labels = [(line["filepath"], line["predictions"]["label"], line["predictions"]["confidence"]) for line in lines]
    vectors = np.asarray([line["embeddings"] for line in lines], dtype=np.float32)
    assert len(labels) == 4 + GENERATED

    def check(rows: Any, embeddings: Any) -> None:
        assert list(rows) == labels
        np.testing.assert_array_equal(np.asarray(embeddings, dtype=np.float32), vectors)

    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(dataset).sort("filepath")
    check(
        frame.select("filepath", polars.col("predictions").struct.field("label", "confidence")).rows(),
        frame["embeddings"].to_list(),
    )
    pytest.importorskip("pandas")
    table = dataset.arrow_reader().read_pandas().sort_values("filepath")
    found = zip(table["filepath"], table["predictions"])
    check([(path, one["label"], one["confidence"]) for path, one in found], table["embeddings"].to_list())
    duckdb = pytest.importorskip("duckdb")
    reader = dataset.arrow_reader()
    rows = duckdb.sql(
        "select filepath, predictions.label, predictions.confidence, embeddings from reader order by filepath"
    ).fetchall()
    check([row[:3] for row in rows], [row[3] for row in rows])
    assert reader is not None
