"""Inputs and results by URL: the program against a server that speaks S3, through a proxy that throttles, cuts bodies off
and lets credentials expire; and against a plain web server."""

from __future__ import annotations

import functools
import io
import json
import tarfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest
from conftest import MODELS, PHOTOS
from faults import CUT, DENIED, EXPIRED, SLOW_DOWN, FaultProxy, first_of_each

moto_server = pytest.importorskip("moto.server")
boto3 = pytest.importorskip("boto3")

MODEL = MODELS / "vit_classifier"


@pytest.fixture(scope="module")
def store() -> Iterator[Tuple[Any, int]]:
    """A server with a bucket of photographs, and its port."""
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="id",
        aws_secret_access_key="secret",
    )
    client.create_bucket(Bucket="bucket")
    for photo in PHOTOS.glob("*.jpg"):
        client.upload_file(str(photo), "bucket", f"photos/{photo.name}")
    client.put_object(Bucket="bucket", Key="photos/broken.jpg", Body=b"no picture")
    client.put_object(Bucket="bucket", Key="photos/notes.md", Body=b"no picture either")
    yield client, port
    server.stop()


@pytest.fixture
def client(store: Tuple[Any, int]) -> Any:
    return store[0]


@pytest.fixture
def proxy(store: Tuple[Any, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    proxy = FaultProxy(store[1])
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT", "AWS_SESSION_TOKEN", "AWS_SKIP_SIGNATURE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def expected(program: Any) -> Dict[str, Any]:
    """The labels of the photographs, by their names."""
    lines = program("--quiet", "apply", MODEL, PHOTOS)
    return {Path(line["filepath"]).name: line["predictions"] for line in lines}


def body(client: Any, key: str) -> bytes:
    return client.get_object(Bucket="bucket", Key=key)["Body"].read()  # type: ignore[no-any-return]


def keys(client: Any, prefix: str) -> List[str]:
    found = client.list_objects_v2(Bucket="bucket", Prefix=prefix).get("Contents", [])
    return [one["Key"] for one in found]


def check(lines: List[Dict[str, Any]], expected: Dict[str, Any], folder: str) -> None:
    found = {line["filepath"]: line.get("predictions") for line in lines if "error" not in line}
    assert found == {f"{folder}{name}": label for name, label in expected.items()}


@pytest.mark.parametrize("fault", [None, SLOW_DOWN, CUT])
def test_a_bucket_is_labelled_as_a_folder_is(
    client: Any, proxy: FaultProxy, program: Any, expected: Dict[str, Any], fault: Any
) -> None:
    if fault is not None:
        proxy.fault = first_of_each(fault, "GET") if fault == CUT else first_of_each(fault, "GET", "PUT", "POST")
    output = "s3://bucket/out/labels.jsonl"
    program("--quiet", "apply", MODEL, "s3://bucket/photos/", "-o", output, exit_code=8)
    lines = [json.loads(line) for line in body(client, "out/labels.jsonl").splitlines()]
    check(lines, expected, "s3://bucket/photos/")
    assert [line["filepath"] for line in lines if "error" in line] == ["s3://bucket/photos/broken.jpg"]
    if fault == CUT:
        # What has come is not fetched again.
        gets = [path for method, path in proxy.requests if method == "GET" and path.endswith(".jpg")]
        assert len(gets) >= 2 * len(expected)
    # A glob, a file and a file's name with nothing in it.
    globbed = program("--quiet", "apply", MODEL, "s3://bucket/photos/c*.jpg")
    assert {line["filepath"].rsplit("/")[-1][0] for line in globbed} == {"c"}
    (one,) = program("--quiet", "apply", MODEL, "s3://bucket/photos/coffee.jpg")
    assert one["predictions"] == expected["coffee.jpg"]


def test_expired_credentials_end_the_run_in_a_line(
    client: Any, proxy: FaultProxy, program: Any
) -> None:
    import subprocess

    from modelzoo._worker import worker_program

    def told(*arguments: str) -> str:
        ran = subprocess.run(
            [str(worker_program()), "--quiet", "apply", str(MODEL), *arguments], capture_output=True, text=True
        )
        assert ran.returncode == 1, ran.stderr
        return ran.stderr

    # From the second picture on; what was labelled before is not half a result.
    count = iter(range(100))
    proxy.fault = lambda method, path: EXPIRED if path.endswith(".jpg") and next(count) > 0 else None
    error = told("s3://bucket/photos/", "-o", "s3://bucket/expired/labels.jsonl")
    assert error.count("credentials have expired") == 1 and error.count("error: ") == 1, error
    assert keys(client, "expired/") == []
    proxy.fault = lambda method, path: EXPIRED
    error = told("s3://bucket/photos/")
    assert error.count("credentials have expired") == 1, error
    # Where one picture alone may not be had, the others are.
    proxy.fault = lambda method, path: DENIED if path.endswith("coffee.jpg") else None
    lines = program("--quiet", "apply", MODEL, "s3://bucket/photos/c*.jpg", exit_code=8)
    assert ["does not allow it (403 AccessDenied)" in line.get("error", "") for line in lines].count(True) == 1


def test_shards_meet_in_a_bucket(
    client: Any, proxy: FaultProxy, program: Any, tmp_path: Path, expected: Dict[str, Any]
) -> None:
    whole = tmp_path / "whole.parquet"
    program("--quiet", "apply", MODEL, "s3://bucket/photos/", "-o", whole, exit_code=8)
    proxy.fault = first_of_each(SLOW_DOWN, "PUT")
    output = "s3://bucket/shards/labels.jsonl"
    failures = "s3://bucket/shards/failed.jsonl"
    codes = []
    for shard in ("2/3", "1/3", "3/3", "2/3"):
        arguments = ["--quiet", "apply", MODEL, "s3://bucket/photos/", "-o", output, "--failures", failures]
        for code in (0, 8):
            try:
                program(*arguments, "--shard", shard, exit_code=code)
                codes.append(code)
                break
            except AssertionError:
                assert code == 0
    assert codes.count(8) in (1, 2)
    assert "shards/labels-00002-of-00003.jsonl.shard.json" in keys(client, "shards/")
    assert len([key for key in keys(client, "shards/") if "failed-" in key]) == 3
    for merged in (tmp_path / "merged.parquet", "s3://bucket/merged/labels.parquet"):
        shards = [f"s3://bucket/shards/labels-0000{number}-of-00003.jsonl" for number in (3, 1, 2)]
        program("--quiet", "dataset", "merge", merged, *shards)
    assert (tmp_path / "merged.parquet").read_bytes() == whole.read_bytes()
    assert body(client, "merged/labels.parquet") == whole.read_bytes()
    program("--quiet", "dataset", "merge", "s3://bucket/shards/labels.jsonl")
    lines = [json.loads(line) for line in body(client, "shards/labels.jsonl").splitlines()]
    check(lines, expected, "s3://bucket/photos/")


def test_large_results_appear_whole_or_not_at_all(
    client: Any, proxy: FaultProxy, program: Any, tmp_path: Path
) -> None:
    names = tmp_path / "names.txt"
    names.write_text("".join(f"{number:06}-{'x' * 220}.jpg\n" for number in range(22_000)))
    local = tmp_path / "local.jsonl"
    program("--quiet", "apply", MODEL, names, "-o", local, exit_code=8)
    assert local.stat().st_size > 10 << 20
    proxy.fault = first_of_each(SLOW_DOWN, "PUT", "POST")
    program("--quiet", "apply", MODEL, names, "-o", "s3://bucket/large/a.jsonl", exit_code=8)
    assert any("uploadId" in path for _, path in proxy.requests)
    assert body(client, "large/a.jsonl") == local.read_bytes()
    # The last request, which lets it appear, is refused.
    proxy.fault = lambda method, path: DENIED if method == "POST" and "uploadId" in path else None
    program("--quiet", "apply", MODEL, names, "-o", "s3://bucket/large/b.jsonl", exit_code=1)
    assert keys(client, "large/") == ["large/a.jsonl"]


def tar(names: Dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, content in names.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return written.getvalue()


def test_archives_and_tables_are_inputs_here_and_in_a_bucket(
    client: Any, proxy: FaultProxy, program: Any, tmp_path: Path, expected: Dict[str, Any]
) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    photos = {name: (PHOTOS / name).read_bytes() for name in sorted(expected)}
    members = {f"{number:06}.{ending}": content for number, photo in enumerate(photos.values()) for ending, content in (("jpg", photo), ("json", b"{}"))}  # fmt: skip
    (tmp_path / "shard.tar").write_bytes(tar(members))
    bytes_table = pyarrow.table({"image": list(photos.values()), "caption": list(photos), "key": list(photos)})
    parquet.write_table(bytes_table, tmp_path / "bytes.parquet", compression="zstd", row_group_size=2)
    urls = [f"s3://bucket/photos/{name}" for name in photos]
    parquet.write_table(pyarrow.table({"url": [*urls, None]}), tmp_path / "urls.parquet", compression="gzip")
    (tmp_path / "all.txt").write_text("\n".join(["shard.tar", "bytes.parquet", urls[0]]))
    for name in ("shard.tar", "bytes.parquet", "urls.parquet", "all.txt"):
        client.upload_file(str(tmp_path / name), "bucket", f"inputs/{name}")
    proxy.fault = first_of_each(CUT, "GET")

    def labels(lines: List[Dict[str, Any]]) -> List[Any]:
        return [line["predictions"] for line in lines if "error" not in line]

    in_order = [expected[name] for name in photos]
    for folder in (str(tmp_path), "s3://bucket/inputs"):
        shard = program("--quiet", "apply", MODEL, f"{folder}/shard.tar")
        assert [line["filepath"] for line in shard] == [f"{folder}/shard.tar/{number:06}.jpg" for number in range(len(photos))]  # fmt: skip
        assert labels(shard) == in_order
        table = program("--quiet", "apply", MODEL, f"{folder}/bytes.parquet")
        assert [line["filepath"] for line in table] == [f"{folder}/bytes.parquet/{name}" for name in photos]
        assert labels(table) == in_order
        by_url = program("--quiet", "apply", MODEL, f"{folder}/urls.parquet", "--column", "url", exit_code=8)
        assert [line["filepath"] for line in by_url[:-1]] == urls and labels(by_url) == in_order
        assert "row 5 has no picture" in by_url[-1]["error"]
        manifest = program("--quiet", "apply", MODEL, f"{folder}/all.txt")
        assert labels(manifest) == [*in_order, *in_order, in_order[0]]
    for shard in ("1/2", "2/2"):
        program("--quiet", "apply", MODEL, "s3://bucket/inputs/all.txt", "-o", tmp_path / "s.jsonl", "--shard", shard)
    program("--quiet", "dataset", "merge", tmp_path / "s.jsonl")
    assert [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()] == manifest
    globbed = program("--quiet", "apply", MODEL, "s3://bucket/inputs/*.tar")
    assert labels(globbed) == in_order


class Web(SimpleHTTPRequestHandler):
    """A web server without tags of content, that wants a signature."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.endswith(".jpg"):
            self.send_error(403)
            return
        super().do_GET()

    def log_message(self, *_: Any) -> None:
        pass


def test_lists_of_the_web_with_signed_urls(program: Any, tmp_path: Path, expected: Dict[str, Any]) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Web, directory=str(PHOTOS)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    proxy = FaultProxy(server.server_port)
    proxy.fault = first_of_each(CUT, "GET")
    try:
        urls = {f"{proxy.url}/{name}?signature=a/b%2Fc": label for name, label in expected.items()}
        listed = tmp_path / "list.txt"
        listed.write_text("\n".join([*urls, f"{proxy.url}/none.jpg?x", f"{proxy.url}/coffee.jpg"]))
        lines = program("--quiet", "apply", MODEL, listed, exit_code=8)
        assert {line["filepath"]: line["predictions"] for line in lines[:-2]} == urls
        assert "no such file" in lines[-2]["error"] and "403" in lines[-1]["error"]
    finally:
        proxy.close()
        server.shutdown()
        server.server_close()
