"""Engines for many machines, where they are installed: each labels photographs as the program does, and a picture that is
none costs itself."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import numpy as np
import pytest
from conftest import GENERATED, MODELS, PHOTOS, generated
from PIL import Image

from killable import KillableOnce
import modelzoo
from modelzoo._batches import BatchModel

pyarrow = pytest.importorskip("pyarrow")

MODEL = str(MODELS / "vit_classifier")


@pytest.fixture(scope="module")
def expected(program: Callable[..., List[Dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Any]:
    """What the program says of photographs and generated pictures, by their paths."""
    pictures = generated(tmp_path_factory.mktemp("pictures"), GENERATED)
    lines = program("--quiet", "apply", MODEL, PHOTOS, pictures)
    return {line["filepath"]: line["predictions"] for line in lines}


@pytest.fixture(scope="module")
def vectors(program: Callable[..., List[Dict[str, Any]]], expected: Dict[str, Any]) -> Dict[str, Any]:
    """The embeddings of the same pictures."""
    lines = program("--quiet", "embed", MODEL, PHOTOS, str(Path(list(expected)[-1]).parent))
    return {line["filepath"]: np.asarray(line["embeddings"], dtype=np.float32) for line in lines}


@pytest.fixture(scope="module")
def paths(expected: Dict[str, Any]) -> List[str]:
    return [*expected, "nowhere.jpg"]


def check(rows: List[Dict[str, Any]], expected: Dict[str, Any]) -> None:
    """Each value is the program's, to the last digit."""
    assert len(rows) == len(expected) + 1
    for row in rows:
        if row["path"] in expected:
            label = expected[row["path"]]
            assert row["predictions"]["label"] == label["label"]
            assert row["predictions"]["confidence"] == label["confidence"], row["path"]
            assert row["error"] is None
        else:
            assert row["predictions"] is None and "nowhere.jpg" in row["error"]


def test_a_batch_travels_as_what_it_was_made_of(expected: Dict[str, Any], paths: List[str]) -> None:
    batches = pickle.loads(pickle.dumps(BatchModel(MODEL, kind="Classification")))
    rows = []
    for start in range(0, len(paths), 64):
        some = paths[start : start + 64]
        values, errors = batches.columns([*some, None])
        assert errors.to_pylist()[-1] == "there is no picture"
        found = zip(some, values.to_pylist(), errors.to_pylist())
        rows += [dict(path=path, predictions=value, error=error) for path, value, error in found]
    check(rows, expected)
    nothing, _ = batches.columns(["nowhere.jpg"])
    assert nothing.type == values.type
    embeddings = BatchModel(MODEL, task="embed")
    assert embeddings.output_type() == pyarrow.list_(pyarrow.float32(), 24)
    vectors, _ = embeddings.columns(["nowhere.jpg", paths[0]])
    assert vectors.type == embeddings.output_type() and vectors.null_count == 1
    halves = BatchModel(MODEL, task="embed", precision="float16")
    assert halves.output_type() == pyarrow.list_(pyarrow.float16(), 24)
    half, _ = halves.columns([paths[0]])
    whole = np.asarray(vectors.to_pylist()[1], dtype=np.float32)
    assert half.type == halves.output_type()
    np.testing.assert_array_equal(np.asarray(half.to_pylist()[0], dtype=np.float16), whole.astype(np.float16))
    with pytest.raises(modelzoo.UsageError, match="float16"):
        BatchModel(MODEL, precision="double")


def two_nodes(cluster_type: Any) -> Any:
    """Two nodes on this machine. Each has a core for an actor, and one for what Ray does besides. Ray gives a node half a
    minute to begin, which may not be enough for a machine that does other things."""
    node = {"num_cpus": 2, "object_store_memory": 200 << 20}
    for attempts_left in (2, 1, 0):
        nodes = cluster_type()
        try:
            nodes.add_node(**node, include_dashboard=False)
            nodes.add_node(**node)
            return nodes
        except Exception:
            nodes.shutdown()
            if attempts_left == 0:
                raise


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """Ray on two nodes."""
    ray = pytest.importorskip("ray")
    nodes = two_nodes(pytest.importorskip("ray.cluster_utils").Cluster)
    tests = str(Path(__file__).parent)
    ray.init(
        address=nodes.address, log_to_driver=False, configure_logging=False, runtime_env={"env_vars": {"PYTHONPATH": tests}}
    )  # fmt: skip
    assert len(ray.nodes()) == 2
    yield ray
    ray.shutdown()
    nodes.shutdown()


def test_ray_labels_paths_bytes_and_tensors(
    ray: Any, expected: Dict[str, Any], vectors: Dict[str, Any], paths: List[str]
) -> None:
    from modelzoo.ray import Predictor

    data = ray.data.from_items([{"path": path} for path in paths], override_num_blocks=8)
    options: Dict[str, Any] = dict(batch_size=64, concurrency=2)
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
                Predictor, fn_constructor_kwargs=named, batch_format=form, batch_size=64, concurrency=1
            ).take_all()
            np.testing.assert_array_equal(np.asarray(row["vector"], dtype=np.float32), vectors[first], f"{column} {form}")


def test_ray_goes_on_where_an_actor_is_killed(
    ray: Any, tmp_path: Path, program: Callable[..., List[Dict[str, Any]]]
) -> None:
    """Every picture of a job is labelled or told, though one in a hundred is broken and a process is killed."""
    count = int(os.environ.get("MODELZOO_PYTHON_JOB", 1000))
    folder = generated(tmp_path / "pictures", count)
    for number in range(0, count, 100):
        (folder / f"{number:06}.png").write_bytes(b"no picture")
    lines = program("--quiet", "apply", MODEL, folder, exit_code=8)
    labels = {line["filepath"]: line.get("predictions") for line in lines}
    data = ray.data.from_items([{"path": path} for path in labels], override_num_blocks=16)
    named = {"model": MODEL, "kind": "Classification"}
    labelled = data.map_batches(
        KillableOnce, fn_constructor_kwargs={**named, "mark": str(tmp_path / "killed")}, batch_format="pyarrow", batch_size=32, concurrency=2
    )  # fmt: skip
    rows = labelled.take_all()
    assert not Path("/proc", (tmp_path / "killed").read_text()).exists()
    assert sorted(row["path"] for row in rows) == sorted(labels)
    for row in rows:
        label = labels[row["path"]]
        if label is None:
            assert row["predictions"] is None and "not a picture" in row["error"]
        else:
            assert row["error"] is None and row["predictions"]["confidence"] == label["confidence"]
    assert sum(row["error"] is not None for row in rows) == count // 100


def test_daft_labels_paths_and_bytes(expected: Dict[str, Any], vectors: Dict[str, Any], paths: List[str]) -> None:
    daft = pytest.importorskip("daft")
    # Where Ray runs, it would take that.
    daft.set_runner_native()
    from modelzoo.daft import predictor

    frame = daft.from_pydict({"path": paths})
    label = predictor(MODEL, batch_size=64)
    found = frame.with_column("found", label(frame["path"])).to_pylist()
    check([{"path": row["path"], **row["found"]} for row in found], expected)
    globbed = daft.from_glob_path(f"{PHOTOS}/*.jpg")
    rows = globbed.with_column("found", label(globbed["path"])).to_pylist()
    for row in rows:
        assert row["found"]["predictions"]["confidence"] == expected[row["path"].split("file://")[-1]]["confidence"]
    assert len(rows) == 4
    embed = predictor(MODEL, task="embed", output="vector")
    # Rows may come in another order.
    files = daft.from_pydict({"path": list(expected), "file": [Path(path).read_bytes() for path in expected]})
    rows = files.select(files["path"], embed(files["file"]).alias("found")).to_pylist()
    assert sorted(row["path"] for row in rows) == sorted(expected)
    for row in rows:
        np.testing.assert_array_equal(np.asarray(row["found"]["vector"], dtype=np.float32), vectors[row["path"]])


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    sql = pytest.importorskip("pyspark.sql")
    os.environ.update(SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable)
    builder = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", "64").getOrCreate()
    yield session
    session.stop()


def test_spark_labels_paths_and_bytes(
    spark: Any,
    expected: Dict[str, Any],
    vectors: Dict[str, Any],
    paths: List[str],
    program: Callable[..., List[Dict[str, Any]]],
) -> None:
    from modelzoo.spark import Mapper

    frame = spark.createDataFrame([(path,) for path in paths], ["path"])
    label = Mapper(MODEL)
    found = frame.mapInArrow(label, label.schema(frame)).collect()
    check([row.asDict(recursive=True) for row in found], expected)
    # Boxes are lists of fixed size elsewhere.
    detector = str(MODELS / "detr_basic")
    boxes = Mapper(detector, threshold=0.0)
    found = spark.createDataFrame([(str(path),) for path in PHOTOS.glob("*.jpg")], ["path"])
    for row in found.mapInArrow(boxes, boxes.schema(found)).collect():
        with_program = program("--quiet", "apply", detector, row["path"], "-t", "0")[0]["predictions"]["detections"]
        assert [one["bounding_box"] for one in row.asDict(recursive=True)["predictions"]] == [
            one["bounding_box"] for one in with_program
        ]
    files = [(path, bytearray(Path(path).read_bytes())) for path in list(expected)[:100]]
    frame = spark.createDataFrame(files, ["path", "file"])
    embed = Mapper(MODEL, column="file", task="embed", output="vector")
    for row in frame.mapInArrow(embed, embed.schema(frame)).collect():
        assert row["error"] is None
        np.testing.assert_array_equal(np.asarray(row["vector"], dtype=np.float32), vectors[row["path"]])
