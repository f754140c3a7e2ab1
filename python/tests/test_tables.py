"""Datasets as Arrow streams, in the programs that read these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import PHOTOS

import modelzoo


@pytest.fixture(scope="module")
def dataset(classifier: Any, tmp_path_factory: pytest.TempPathFactory) -> modelzoo.Dataset:
    path = tmp_path_factory.mktemp("tables") / "photos.sqlite"
    modelzoo.apply_model(classifier, PHOTOS, output=path)
    modelzoo.compute_embeddings(classifier, path)
    return modelzoo.Dataset(path)


def test_columns_are_those_of_parquet(dataset: modelzoo.Dataset, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(dataset)
    assert table.schema.field("embeddings").type == pyarrow.list_(pyarrow.float32(), 24)
    assert table.num_rows == 4
    dataset.export(tmp_path / "photos.parquet")
    assert table.equals(pyarrow.parquet.read_table(tmp_path / "photos.parquet"))
    assert dataset.arrow_reader(fields=["predictions"]).read_all().column_names[-1] == "predictions"
    labels = [sample["predictions"].label for sample in dataset]  # type: ignore[union-attr]
    assert [row["label"] for row in table["predictions"].to_pylist()] == labels


def test_pandas_polars_and_duckdb_take_them(dataset: modelzoo.Dataset) -> None:
    pytest.importorskip("pyarrow")
    labels = sorted(sample["predictions"].label for sample in dataset)  # type: ignore[union-attr]
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(dataset)
    assert sorted(frame["predictions"].struct.field("label").to_list()) == labels
    pytest.importorskip("pandas")
    assert sorted(row["label"] for row in dataset.arrow_reader().read_pandas()["predictions"]) == labels
    duckdb = pytest.importorskip("duckdb")
    reader = dataset.arrow_reader()
    rows = duckdb.sql("select predictions.label as label from reader order by 1").fetchall()
    assert [label for (label,) in rows] == labels and reader is not None
