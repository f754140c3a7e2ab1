"""Our models in Spark.

    import modelzoo.spark

    label = modelzoo.spark.Mapper("user/repo@v1", column="path", threshold=0.5)
    labelled = frame.mapInArrow(label, label.schema(frame))
"""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Sequence, Tuple

from ._batches import BatchModel, rows
from .errors import UsageError

__all__ = ["Mapper"]


class Mapper(BatchModel):
    """A function for ``DataFrame.mapInArrow``: adds labels or embeddings to each row, and errors as a column.

    Args:
        model: what :func:`modelzoo.load_model` takes; each Python worker loads it once. Pin it, and download it beforehand to
            each node's store (``modelzoo download``): then nothing of the network is needed.
        column: the column with the pictures: paths, URLs or files' bytes.
        output: the column that is added: labels as structs or arrays of structs, embeddings as arrays of ``float``.
        errors: the column for why a picture has none.
        task: ``apply`` or ``embed``.
        threshold: leave out what the model is less sure of.
        kind: the class of the labels, such as ``Detections``; otherwise :meth:`schema` loads the model to find out.
        **options: those of :func:`modelzoo.load_model`.

    ``spark.sql.execution.arrow.maxRecordsPerBatch`` is how many pictures go to the model at once at most.
    """

    def __init__(self, model: str, **options: Any) -> None:
        super().__init__(model, **options)
        if self.precision != "float32":
            raise UsageError("Spark has no numbers of half precision")

    def output_type(self) -> Any:
        """Arrow's type of the labels or embeddings, as far as Spark has it."""
        return _of_spark(super().output_type())

    def columns(self, pictures: Sequence[Any]) -> Tuple[Any, Any]:
        """The labels or embeddings and the errors, in columns of such types."""
        values, errors = super().columns(pictures)
        return values.cast(_of_spark(values.type)), errors

    def schema(self, frame: Any) -> Any:
        """The schema of what comes out for a data frame."""
        from pyspark.sql.pandas.types import from_arrow_type
        from pyspark.sql.types import StringType, StructField, StructType

        added = [
            StructField(self.output, from_arrow_type(self.output_type())),
            StructField(self.errors, StringType()),
        ]
        return StructType([*frame.schema.fields, *added])

    def __call__(self, batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow

        for batch in batches:
            values, errors = self.columns(rows(batch.column(self.column)))
            names = [*batch.schema.names, self.output, self.errors]
            yield pyarrow.RecordBatch.from_arrays([*batch.columns, values, errors], names=names)


def _of_spark(of: Any) -> Any:
    """The same type without lists of fixed size, which Spark does not know."""
    import pyarrow

    if pyarrow.types.is_fixed_size_list(of) or pyarrow.types.is_list(of):
        return pyarrow.list_(_of_spark(of.value_type))
    if pyarrow.types.is_struct(of):
        return pyarrow.struct([(field.name, _of_spark(field.type)) for field in of])
    return of
