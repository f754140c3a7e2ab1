"""Models over many samples: FiftyOne's ``apply_model``, ``compute_embeddings`` and ``compute_patch_embeddings``."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Callable, Iterator, List, Mapping, Optional, Sequence, Type, Union

from . import _native
from ._options import count, names, share, suggestion, text_path, to_json
from ._pictures import local_path
from ._progress import Progress, bar, is_shown
from .errors import UsageError
from .model import Model
from .samples import Sample

__all__ = ["Run", "Summary", "apply_model", "compute_embeddings", "compute_patch_embeddings"]

Path = Union[str, "os.PathLike[str]"]
Inputs = Union[Path, Sequence[Path]]
"""A folder, a glob, files, a ``.txt`` file that lists some, a ``.tar`` archive, a ``.parquet`` table, each by its path or its
URL; or several of these; or a dataset, or a file with labels."""


_OPTIONS = {
    "alpha", "batch_size", "classes", "column", "every", "field", "force_square", "format", "fps", "frames", "handle_missing",
    "label_keys", "max_pixels", "memory", "output_dir", "overwrite", "page", "patches", "rel_dir", "rescale", "sample_fields",
    "settings", "skip_failures", "slice", "slice_merge", "slice_overlap", "store_logits", "threshold", "track", "workers",
}  # fmt: skip
"""What a run can be told besides its inputs and its output."""


@dataclass(frozen=True)
class Summary:
    """How a run went.

    Attributes:
        done: samples without a failure.
        failed: samples that failed, or of which a part did.
        parts: pictures, frames and patches that the model was asked about.
        notes: what is doubtful about the inputs, and what the output could not hold, a line each.
    """

    done: int
    failed: int
    parts: int
    notes: List[str] = field(default_factory=list)


class Run:
    """A model over the samples of an input: gives a :class:`Sample` after the other, in order, as they are done.

        for sample in modelzoo.Run(model, "photos/"):
            print(sample.filepath, sample["predictions"])

    It works on threads of its own, a few samples ahead; leaving ``with`` or :meth:`close` ends it. The options are those
    of :func:`apply_model`; ``task`` is ``apply``, ``embed`` or ``embed_patches``.
    """

    def __init__(
        self,
        model: Model,
        inputs: Inputs,
        *,
        task: str = "apply",
        output: Optional[Path] = None,
        shows: bool = True,
        counts: bool = False,
        **options: Any,
    ) -> None:
        if not isinstance(model, Model):
            raise UsageError(f"this takes a loaded model, not {model!r}", "modelzoo.load_model(...) gives one")
        if isinstance(inputs, (str, os.PathLike)):
            inputs = [inputs]
        try:
            paths = [local_path(os.fspath(path)) for path in inputs]
        except TypeError as error:
            raise UsageError(
                f"inputs are paths or URLs: {error}", "arrays and other pictures in memory go to predict_all or embed_all"
            ) from None
        unknown = sorted(set(options) - _OPTIONS)
        if unknown:
            raise UsageError(f"there is no option {unknown[0]}", suggestion(unknown[0], _OPTIONS))
        if task == "apply" and options.get("threshold") is None:
            options["threshold"] = model.threshold
        options["threshold"] = share(options.get("threshold"), "threshold")
        options["classes"] = names(options.get("classes"), "classes")
        options["batch_size"] = count(options.get("batch_size"), "batch_size")
        options["workers"] = count(options.get("workers"), "workers")
        if options.get("memory") is not None:
            options["memory"] = str(options["memory"])
        size, overlap, merge = (options.pop(name, None) for name in ("slice", "slice_overlap", "slice_merge"))
        if size is not None:
            options["slicing"] = {"size": size, "overlap": overlap, "merge": merge}
        arguments = to_json({"task": task, **options})
        self._native = _native.Run(model._native, paths, arguments, text_path(output), shows, counts)
        self.total: Optional[int] = self._native.total
        """How many samples there were to do, with ``counts``."""
        # It has begun.
        model._look_again()

    def __iter__(self) -> Iterator[Sample]:
        return self

    def __next__(self) -> Sample:
        return next(self._native)

    def __enter__(self) -> "Run":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    @property
    def summary(self) -> Optional[Summary]:
        """How it went, once it is over."""
        told = self._native.summary()
        return None if told is None else Summary(*told)

    def close(self) -> None:
        """Ends it. What a dataset has got stays there; an output file that is not whole is not written."""
        self._native.close()


def apply_model(
    model: Model,
    inputs: Inputs,
    *,
    output: Optional[Path] = None,
    format: Optional[str] = None,
    field: Optional[str] = None,
    threshold: Optional[float] = None,
    classes: Optional[Sequence[str]] = None,
    store_logits: bool = False,
    settings: Optional[Mapping[str, Any]] = None,
    sample_fields: Optional[Mapping[str, str]] = None,
    slice: Optional[int] = None,
    slice_overlap: Optional[float] = None,
    slice_merge: Optional[str] = None,
    track: bool = False,
    on_item: Optional[Callable[[Sample], Any]] = None,
    progress: Progress = False,
    batch_size: Optional[int] = None,
    workers: Optional[int] = None,
    frames: Optional[str] = None,
    fps: Optional[float] = None,
    every: Optional[int] = None,
    skip_failures: bool = True,
    overwrite: bool = False,
    output_dir: Optional[Path] = None,
    rel_dir: Optional[Path] = None,
    **options: Any,
) -> Summary:
    """Applies a model to pictures and videos, as ``modelzoo apply`` does.

    Args:
        model: the model.
        inputs: a folder, a glob, files, a ``.txt`` file that lists some, a ``.tar`` archive or a ``.parquet`` table of
            pictures, each by its path or its URL (``s3://``, ``gs://``, ``az://``, ``https://``); a dataset, or a file with
            labels. The field of a dataset is filled batch by batch; the same call goes on where an earlier one was killed.
        output: a file (or its URL) or folder: ``.jsonl``, ``.csv``, ``.parquet``, ``.sqlite`` (a new dataset), or what ``format``
            says: ``coco``, ``coco-results``, ``yolo``, ``fiftyone``, ``label-studio``. It appears when it is whole.
        field: the field that labels go to (``predictions``); of several labels, each goes to this name, ``_`` and its key.
        threshold: leave out what the model is less sure of, 0 to 1.
        classes: keep only these.
        store_logits: store the raw scores of all classes.
        settings: the model's own options for its calls.
        sample_fields: the fields of samples that the model needs, by its own names for them.
        slice: look at slices of so many pixels a side of larger pictures as well, and put together what is found: for small
            objects. ``slice_overlap`` is the part of its size by which a slice overlaps the next one, 0 to 0.5 (0.2); an object
            of several slices becomes one around all of them (``slice_merge="unite"``), or the surest of them (``"suppress"``).
        track: number each object through the frames of a video (ByteTrack): the ``index`` of detections.
        on_item: is called with each :class:`Sample`, in order.
        progress: ``True`` for a bar of tqdm's, or something like ``tqdm.tqdm``.
        batch_size: how many pictures the model gets at once.
        workers: how many threads decode.
        frames: a stretch of videos: ``10-20``, ``10-`` or ``10``, counted from 1.
        fps, every: so many frames of each second, or each such frame.
        skip_failures: whether a sample that fails is passed over; if not, it ends the run.
        overwrite: replace what a dataset has in the field.
        output_dir: a folder for masks and maps as PNG files; ``rel_dir`` is the folder below which they keep their
            sub-folders.
        **options: ``memory`` (how much of it files, pictures and frames may take, such as ``"500MB"`` or ``"2GiB"``; a quarter of
            what there is), ``max_pixels``, ``rescale`` (``bits``, ``min-max``, ``percentile``), ``page``, ``label_keys``, and
            ``column``: that of a table that has the pictures, their paths or their URLs.

    Raises:
        Error: the input cannot be found, or the model not go on. A sample that fails is no error: its
            :attr:`Sample.error` says why, and the summary counts it.
    """
    return _carry_out(
        model,
        inputs,
        output,
        on_item,
        progress,
        "applying",
        task="apply",
        format=format,
        field=field,
        threshold=threshold,
        classes=classes,
        store_logits=store_logits,
        settings=settings,
        sample_fields=sample_fields,
        slice=slice,
        slice_overlap=slice_overlap,
        slice_merge=slice_merge,
        track=track,
        batch_size=batch_size,
        workers=workers,
        frames=frames,
        fps=fps,
        every=every,
        skip_failures=skip_failures,
        overwrite=overwrite,
        output_dir=text_path(output_dir),
        rel_dir=text_path(rel_dir),
        **options,
    )


def compute_embeddings(
    model: Model,
    inputs: Inputs,
    *,
    output: Optional[Path] = None,
    field: Optional[str] = None,
    on_item: Optional[Callable[[Sample], Any]] = None,
    progress: Progress = False,
    **options: Any,
) -> Summary:
    """Computes the embeddings of pictures, of the frames of videos, or of videos, as ``modelzoo embed`` does.

    ``output`` is ``.npy``, ``.parquet``, ``.jsonl`` or ``.sqlite``; ``field`` (``embeddings``) holds ``float32`` vectors. The
    other arguments are those of :func:`apply_model`.
    """
    return _carry_out(
        model, inputs, output, on_item, progress, "embedding", task="embed", field=field, **options
    )


def compute_patch_embeddings(
    model: Model,
    inputs: Inputs,
    patches: str,
    *,
    output: Optional[Path] = None,
    field: Optional[str] = None,
    alpha: Optional[float] = None,
    force_square: bool = False,
    handle_missing: str = "skip",
    on_item: Optional[Callable[[Sample], Any]] = None,
    progress: Progress = False,
    **options: Any,
) -> Summary:
    """Computes the embeddings of the objects in a field of samples; each object gets its own as an attribute.

    Args:
        patches: the field of detections or polylines around which patches are cut.
        field: the attribute (``embeddings``).
        alpha: makes patches larger than their objects by this much of their size, or smaller, below 0.
        force_square: makes patches square.
        handle_missing: what to do about samples without objects: ``skip``, ``image`` (embed it whole), ``error``.

    The other arguments are those of :func:`apply_model`.
    """
    return _carry_out(
        model,
        inputs,
        output,
        on_item,
        progress,
        "embedding",
        task="embed_patches",
        field=field,
        patches=patches,
        alpha=alpha,
        force_square=force_square,
        handle_missing=handle_missing,
        **options,
    )


def _carry_out(
    model: Model,
    inputs: Inputs,
    output: Optional[Path],
    on_item: Optional[Callable[[Sample], Any]],
    progress: Progress,
    desc: str,
    **options: Any,
) -> Summary:
    counts = is_shown(progress)
    run = Run(model, inputs, output=output, shows=on_item is not None, counts=counts, **options)
    shown = bar(progress, run.total, desc, "sample")
    try:
        with run:
            for sample in run:
                if on_item is not None:
                    on_item(sample)
                shown.update(1)
        summary = run.summary
    finally:
        shown.close()
    assert summary is not None, "a run that ended without an error has a summary"
    return summary
