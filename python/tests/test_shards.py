"""Shards of folders, archives and tables, run in any order by two processes at a time that are killed, beside one run."""

from __future__ import annotations

import io
import queue
import random
import subprocess
import tarfile
import threading
import time
from pathlib import Path
from typing import Any, List

import pytest
from conftest import GENERATED, MODELS, PHOTOS, generated

from modelzoo._worker import worker_program

MODEL = MODELS / "vit_classifier"
SHARDS = 32 if GENERATED > 1000 else 8


def inputs(folder: Path) -> List[Path]:
    """A folder, archives with and without compression, and a table; some of the pictures are none."""
    pictures = generated(folder / "pictures", GENERATED)
    files = sorted(pictures.iterdir())
    for file in files[::50]:
        file.write_bytes(b"no picture")
    archives = [folder / "plain.tar", folder / "packed.tar.gz"]
    for number, path in enumerate(archives):
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
            for file in files[number::4]:
                archive.add(file, file.name)
                info = tarfile.TarInfo(f"{file.stem}.json")
                info.size = 2
                archive.addfile(info, io.BytesIO(b"{}"))
    made = [pictures, PHOTOS, *archives]
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return made
    table = pyarrow.table({"image": [file.read_bytes() for file in files[2::4]]})
    pyarrow.parquet.write_table(table, folder / "table.parquet")
    return [*made, folder / "table.parquet"]


def test_shards_in_any_order_with_kills_merge_to_the_bytes_of_one_run(tmp_path: Path, program: Any) -> None:
    sources = inputs(tmp_path)
    for name in ("whole.jsonl", "whole.parquet"):
        program("--quiet", "apply", MODEL, *sources, "-o", tmp_path / name, exit_code=8)
    chance = random.Random(15)
    waiting: "queue.Queue[int]" = queue.Queue()
    for number in chance.sample(range(1, SHARDS + 1), SHARDS):
        waiting.put(number)
    codes: List[int] = []
    killed: List[int] = []

    def work() -> None:
        while True:
            try:
                number = waiting.get_nowait()
            except queue.Empty:
                return
            output = ["-o", str(tmp_path / "labels.jsonl"), "--failures", str(tmp_path / "failed.jsonl")]
            command = [str(worker_program()), "--quiet", "apply", str(MODEL), *map(str, sources), *output]
            command += ["--shard", f"{number}/{SHARDS}"]
            # At any moment of its work; of two in three, so that some are never killed.
            if chance.random() < 2 / 3:
                process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                # The first at once: a small shard may be done before the others are.
                time.sleep(chance.uniform(0.01, 0.6) if killed else 0)
                process.kill()
                if process.wait() < 0:
                    killed.append(number)
                # Somebody runs it again, sometime.
                waiting.put(number)
            else:
                codes.append(subprocess.run(command, capture_output=True).returncode)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) <= {0, 8} and len(codes) == SHARDS and killed, (codes, killed)
    for name in ("labels.jsonl", "labels.parquet"):
        program("--quiet", "dataset", "merge", tmp_path / name)
        whole = tmp_path / name.replace("labels", "whole")
        assert (tmp_path / name).read_bytes() == whole.read_bytes(), name
    failures = sum(len(path.read_text().splitlines()) for path in tmp_path.glob("failed-*.jsonl"))
    assert failures == (tmp_path / "whole.jsonl").read_text().count('"error"') > 0


def test_what_an_archive_lacks_is_told_once(tmp_path: Path, program: Any) -> None:
    pytest.importorskip("pyarrow")
    *_, plain, packed, _ = inputs(tmp_path)
    for path in (plain, packed):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    whole = program("--quiet", "apply", MODEL, plain, packed, exit_code=8)
    for shard in range(1, 4):
        output = tmp_path / "cut.jsonl"
        command = [str(worker_program()), "--quiet", "apply", str(MODEL), str(plain), str(packed), "-o", str(output)]
        ran = subprocess.run([*command, "--shard", f"{shard}/3"], capture_output=True, text=True)
        assert ran.returncode in (0, 8), ran.stderr
    program("--quiet", "dataset", "merge", output)
    lines = output.read_text().splitlines()
    assert len(lines) == len(whole) and sum("cannot be read" in line for line in lines) == 2
