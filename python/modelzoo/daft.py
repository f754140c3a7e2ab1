"""Our models in Daft.

    import daft
    import modelzoo.daft

    label = modelzoo.daft.predictor("user/repo@v1", threshold=0.5)
    frame = daft.from_glob_path("photos/*.jpg")
    frame = frame.with_column("found", label(frame["path"]))
    frame.select("path", frame["found"]["predictions"], frame["found"]["error"]).write_parquet("labels")
"""

from __future__ import annotations

from typing import Any

from ._batches import BatchModel

__all__ = ["predictor"]


def predictor(model: str, *, batch_size: int = 64, **options: Any) -> Any:
    """A Daft function of a column of pictures: paths or URLs, files' bytes, or images of three channels.

    Args:
        model: what :func:`modelzoo.load_model` takes; each process loads it once. Pin it, and download it beforehand to each
            node's store (``modelzoo download``): then nothing of the network is needed.
        batch_size: how many pictures go to the model at once at most.
        **options: ``task`` (``apply`` or ``embed``), ``threshold``, ``output`` (the name of the result, ``predictions``),
            ``precision`` (of embeddings, ``float32`` or ``float16``), ``kind`` (the class of the labels, such as ``Detections``; otherwise the model is loaded here to find out), and
            those of :func:`modelzoo.load_model`.

    Returns:
        A function whose column is a struct of the result, with labels as structs or lists of structs and embeddings as lists
        of numbers of fixed size, and ``error``: why a picture has none.
    """
    import daft
    import pyarrow

    batches = BatchModel(model, **options)
    names = [batches.output, batches.errors]
    returned = pyarrow.struct(list(zip(names, [batches.output_type(), pyarrow.string()])))

    def predict(pictures: Any) -> Any:
        return pyarrow.StructArray.from_arrays(list(batches.columns(pictures.to_pylist())), fields=list(returned))

    predict.__annotations__ = {"pictures": daft.Series}
    decorate = daft.func.batch(return_dtype=daft.DataType.from_arrow_type(returned), batch_size=batch_size)
    return decorate(predict)
