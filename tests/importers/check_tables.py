"""PyArrow, DuckDB and NumPy read what modelzoo exports as Parquet, CSV and NPY."""

import csv
import os
import sys

import duckdb
import numpy as np
import pyarrow
import pyarrow.parquet as parquet
from pycocotools import mask as masks

import samples


def check_pyarrow(path):
    table = parquet.read_table(path)
    assert table.num_rows == samples.PICTURES
    assert table.schema.metadata[b"modelzoo.detections.model"] == b"everything@1", table.schema.metadata
    vector = table.schema.field("vector").type
    assert pyarrow.types.is_fixed_size_list(vector) and vector.list_size == 4 and vector.value_type == "float", vector
    for index, row in enumerate(table.to_pylist()):
        assert (row["width"], row["height"]) == (samples.WIDTH, samples.HEIGHT)
        assert row["tags"] == ["made", f"number {index}"]
        expected = samples.labels(index)
        for field in ("classification", "classifications", "detection", "polyline", "regression", "vector"):
            values = expected[field][1]
            found = row[field]
            if field == "classifications":
                values = values["classifications"]
            samples.assert_same(found, values, field)
        dog = row["detections"][0]
        values = samples.dog(index)
        for name in ("label", "bounding_box", "confidence", "index"):
            samples.assert_same(dog[name], values[name], name)
        assert (masks.decode(dog["mask"]) == np.array(values["mask"])).all()
        points = [[x, y] if x == x else [None, None] for x, y in samples.person(index)["points"]]
        assert row["keypoints"][0]["points"] == points


def check_duckdb(path):
    rows = duckdb.sql(
        f"""SELECT classification.label, max(classification.confidence), count(*)
            FROM '{path}' WHERE list_contains(tags, 'made') GROUP BY ALL"""
    ).fetchall()
    assert rows == [("cat", 0.75, 3)], rows
    rows = duckdb.sql(
        f"""SELECT box.label, sum(box.bounding_box[3]) FROM
            (SELECT unnest(detections) AS box FROM '{path}') GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    assert rows == [("cat", 1.125), ("dog", 0.75)], rows
    nearest = duckdb.sql(
        f"""SELECT filepath FROM '{path}'
            ORDER BY array_distance(vector::FLOAT[4], [2, 0.1, -2.5, 0]::FLOAT[4]) LIMIT 1"""
    ).fetchall()
    assert nearest[0][0].endswith("2.png"), nearest


def check_csv(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    boxes = [row for row in rows if row["field"] == "detections" and row["label"] == "cat"]
    for index, row in enumerate(boxes):
        x, y, width, height = samples.pixels(samples.cat(index)["bounding_box"])
        found = [float(row[name]) for name in ("x_min", "y_min", "x_max", "y_max")]
        samples.assert_same(found, [x, y, x + width, y + height], "box")
        assert (row["class_id"], row["confidence"]) == ("0", "0.25"), row
    assert len(boxes) == samples.PICTURES
    found = duckdb.sql(f"SELECT count(*) FROM '{path}' WHERE field = 'text' AND value = 'dark'").fetchall()
    assert found == [(samples.PICTURES,)], found


def check_npy(path):
    vectors = np.load(path)
    assert vectors.dtype == np.float32 and vectors.shape == (samples.PICTURES, 4)
    samples.assert_same(vectors, [samples.labels(index)["vector"][1] for index in range(samples.PICTURES)], "vectors")


def main(work):
    check_pyarrow(os.path.join(work, "all.parquet"))
    check_duckdb(os.path.join(work, "all.parquet"))
    check_csv(os.path.join(work, "all.csv"))
    check_npy(os.path.join(work, "vectors.npy"))
    print(f"pyarrow {pyarrow.__version__}, duckdb {duckdb.__version__}, numpy {np.__version__}: tables")


main(sys.argv[1])
