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

from ._batches import BatchModel

__all__ = ["Predictor"]


class Predictor(BatchModel):
    """A callable for ``map_batches``: adds labels or embeddings to each batch, and errors as a column.

    Args:
        model: what :func:`modelzoo.load_model` takes; the actor loads it once. Pin it, and download it beforehand to each
            node's store (``modelzoo download``): then nothing of the network is needed.
        column: the column with the pictures: paths, files' bytes, or arrays ``uint8[height, width, 3]``.
        output: the column that is added: labels as structs or lists of structs, embeddings as lists of ``float32``.
        errors: the column for why a picture has none.
        task: ``apply`` or ``embed``.
        threshold: leave out what the model is less sure of.
        **options: those of :func:`modelzoo.load_model`.

    Use ``batch_format="pyarrow"`` for labels. With ``"numpy"`` or ``"pandas"`` they are Python's dictionaries.
    """

    def __call__(self, batch: Any) -> Any:
        if hasattr(batch, "append_column"):
            column = batch.column(self.column)
            for name, values in self.columns(_pictures(column)).items():
                batch = batch.append_column(name, values)
            return batch
        import numpy as np

        for name, values in self.columns(batch[self.column]).items():
            rows = np.empty(len(values), dtype=object)
            rows[:] = values.to_pylist()
            batch[name] = rows
        return batch


def _pictures(column: Any) -> Any:
    """The rows of a column of Arrow's; tensors as arrays."""
    if hasattr(column.type, "scalar_as_array") or "tensor" in str(column.type).lower():
        return [array for chunk in column.chunks for array in chunk.to_numpy(zero_copy_only=False)]
    return column.to_pylist()
