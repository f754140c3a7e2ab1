"""Our models on Ray Data.

    import ray
    import modelzoo.ray

    pictures = ray.data.from_items([{"path": path} for path in paths])
    labels = pictures.map_batches(
        modelzoo.ray.Predictor,
        fn_constructor_kwargs={"model": "user/repo@v1", "threshold": 0.5},
        batch_format="pyarrow", batch_size=64, concurrency=4, num_cpus=2,
    )
    labels.write_parquet("s3://bucket/labels")
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._batches import BatchModel, rows

__all__ = ["Predictor"]


class Predictor(BatchModel):
    """A callable for ``map_batches``: adds labels or embeddings to each batch, and errors as a column.

    Args:
        model: what :func:`modelzoo.load_model` takes; the actor loads it once. Pin it, and download it beforehand to each
            node's store (``modelzoo download``): then nothing of the network is needed.
        column: the column with the pictures: paths or URLs, files' bytes, or arrays ``uint8[height, width, 3]``.
        output: the column that is added: labels as structs or lists of structs, embeddings as lists of numbers.
        errors: the column for why a picture has none.
        task: ``apply`` or ``embed``.
        threshold: leave out what the model is less sure of.
        kind: the class of the labels, such as ``Detections``, so that a batch without any has a column of its type, too.
        precision: that of embeddings: ``float32`` or ``float16``.
        **options: those of :func:`modelzoo.load_model`.

    Use ``batch_format="pyarrow"``. With ``"numpy"`` and ``"pandas"`` labels are Python's dictionaries.
    """

    def __call__(self, batch: Any) -> Any:
        values, errors = self.columns(rows(batch[self.column]))
        if hasattr(batch, "append_column"):
            return batch.append_column(self.output, values).append_column(self.errors, errors)
        for name, column in ((self.output, values), (self.errors, errors)):
            found = np.empty(len(column), dtype=object)
            found[:] = column.to_pylist()
            batch[name] = found
        return batch
