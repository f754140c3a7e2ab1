"""Datasets: pictures and videos, their tags and labels, in one SQLite file."""

from __future__ import annotations

import json
import os
import tempfile
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Sequence, Union

from . import _native
from .errors import Error
from .samples import Sample

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Dataset"]

_ROWS = 4096
"""So many samples are in a batch of Arrow's."""


class Dataset:
    """A dataset that the program or :func:`modelzoo.apply_model` has made.

    Iterating gives its samples, one after the other and never all at once. It is an Arrow stream as well, which pandas,
    polars, DuckDB and Lance take as it is (with ``pip install modelzoo[arrow]``)::

        dataset = modelzoo.Dataset("photos.sqlite")
        polars.DataFrame(dataset)
        duckdb.from_arrow(dataset.arrow_reader()).filter("len(predictions) > 2")

    The columns are those of the program's Parquet files: ``filepath``, ``media_type``, ``width``, ``height``, ``tags``,
    ``error``, ``warnings``, and one for each field: structs and lists of labels, embeddings as lists of ``float32`` of fixed
    size; ``frames`` is a list of structs.
    """

    def __init__(self, path: "Union[str, os.PathLike[str]]") -> None:
        self._path = os.fspath(path)
        self._native = _native.Dataset(self._path)

    def __repr__(self) -> str:
        return f"<modelzoo.Dataset {self._path}>"

    def __len__(self) -> int:
        return self._native.count([])

    def __iter__(self) -> Iterator[Sample]:
        return self.samples()

    @property
    def info(self) -> Dict[str, Any]:
        """What it holds: ``images``, ``videos``, ``fields``, ``tags``, ``runs``."""
        facts: Dict[str, Any] = json.loads(self._native.info())
        return facts

    def samples(
        self, fields: Optional[Sequence[str]] = None, tags: Sequence[str] = ()
    ) -> Iterator[Sample]:
        """Its samples with these fields, or all; only those that have one of the tags, if any are named."""
        return self._native.samples(None if fields is None else list(fields), list(tags))

    def export(
        self,
        path: "Union[str, os.PathLike[str]]",
        format: Optional[str] = None,
        fields: Optional[Sequence[str]] = None,
        tags: Sequence[str] = (),
    ) -> List[str]:
        """Writes it to a file or folder: ``.jsonl``, ``.csv``, ``.parquet``, ``.npy``, or what ``format`` says.

        Returns:
            What the format could not hold, a line each.
        """
        return self._native.export(path, format, None if fields is None else list(fields), list(tags))

    def arrow_reader(
        self, fields: Optional[Sequence[str]] = None, tags: Sequence[str] = ()
    ) -> "pyarrow.RecordBatchReader":
        """An Arrow stream of these fields, or all, of the samples that have one of the tags, if any are named.

        It is what stands in the dataset now, and can be read once; memory does not grow with the dataset.
        """
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise Error("Arrow streams need pyarrow", "pip install modelzoo[arrow]") from error

        # The program's own columns, by its own writer; the file has no name any longer once it is open.
        with tempfile.TemporaryDirectory(prefix="modelzoo-arrow-") as folder:
            path = os.path.join(folder, "samples.parquet")
            self.export(path, "parquet", fields, tags)
            parquet = pyarrow.parquet.ParquetFile(pyarrow.OSFile(path))
        return pyarrow.RecordBatchReader.from_batches(
            parquet.schema_arrow, parquet.iter_batches(batch_size=_ROWS)
        )

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The whole of it by Arrow's C stream interface."""
        return self.arrow_reader().__arrow_c_stream__(requested_schema)
