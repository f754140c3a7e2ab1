"""Loaded models."""

from __future__ import annotations

import functools
import itertools
import json
import os
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Type, Union, overload

import numpy as np

from . import _native
from ._options import count, names, share, suggestion, text_path, to_json
from ._pictures import Picture, native_picture, several
from ._progress import Progress, Steps, is_shown
from ._worker import worker_program
from .errors import Error, UsageError
from .labels import Output

if TYPE_CHECKING:
    import numpy.typing as npt

    Vector = npt.NDArray[np.float32]

__all__ = ["Model", "ModelInfo", "load_model"]

_BATCH = 8
"""So many pictures go to a model at once that has no wish of its own."""

Consent = Callable[[Dict[str, Any]], bool]
"""Is asked before a stranger's code runs, with what is known of it: ``source`` (exactly this code), ``owner``, ``commit``,
``licences``, ``dependencies``, ``build_scripts``, ``proc_macros``, ... Its answer holds for exactly this code from then on."""


@dataclass(frozen=True)
class ModelInfo:
    """What a model is and can do.

    Attributes:
        media_type: ``"image"`` or ``"video"``: what it takes.
        classes: the classes it tells apart, by index.
        keypoints: the names of the points it finds, in order.
        skeleton: the lines between points, as pairs of indices into ``keypoints``.
        has_embeddings: whether :meth:`Model.embed` works.
        has_logits: whether ``store_logits`` works.
        preferred_batch_size: the batch size at which it is fastest, where it has one.
        device: where it runs: ``cpu``, ``cuda:0``, ...
        precision: what it computes with: ``f32``, ``bf16``, ``int8``.
        needed_fields: the fields of a sample that it needs, by its own names for them.
        methods: what the plugin can be called for.
    """

    media_type: str = "image"
    classes: List[str] = field(default_factory=list)
    keypoints: List[str] = field(default_factory=list)
    skeleton: List[Tuple[int, int]] = field(default_factory=list)
    has_embeddings: bool = False
    has_logits: bool = False
    preferred_batch_size: Optional[int] = None
    device: Optional[str] = None
    precision: str = "f32"
    needed_fields: List[str] = field(default_factory=list)
    methods: List[str] = field(default_factory=list)

    @property
    def can_embed_prompts(self) -> bool:
        """Whether :meth:`Model.embed_prompts` works."""
        return any(method.startswith("embed_prompts/") for method in self.methods)

    @property
    def takes_fields(self) -> bool:
        """Whether pictures come with fields of their samples."""
        return any(method.startswith("predict_samples/") for method in self.methods)

    @classmethod
    def _read(cls, text: str) -> "ModelInfo":
        facts = json.loads(text)
        known = {name: facts[name] for name in cls.__dataclass_fields__ if facts.get(name) is not None}
        known["skeleton"] = [tuple(line) for line in known.get("skeleton", [])]
        return cls(**known)


def load_model(
    model: "Union[str, os.PathLike[str]]",
    *,
    name: Optional[str] = None,
    device: str = "auto",
    precision: str = "f32",
    threshold: Optional[float] = None,
    threads: Optional[int] = None,
    isolation: str = "process",
    origin: Optional[str] = None,
    sandbox: Optional[str] = None,
    stall_timeout: Optional[float] = None,
    consent: Optional[Consent] = None,
    offline: bool = False,
    locked: bool = False,
    lock: "Union[str, os.PathLike[str], None]" = None,
    store: "Union[str, os.PathLike[str], None]" = None,
    worker: "Union[str, os.PathLike[str], None]" = None,
    progress: Progress = False,
    options: Optional[Mapping[str, Any]] = None,
    **more_options: Any,
) -> "Model":
    """Finds a model, gets and builds what is missing of it, and loads it.

    Args:
        model: a known model's name (``base_name[@version]``), or a source: ``user/repo[@ref][#name]``,
            ``hf:owner/name[@revision]``, a Git or archive URL, a local folder.
        name: which of the source's models, where it has several.
        device: ``auto``, ``cpu``, ``cuda:N`` or ``metal``. ``auto`` is what the configuration says, or the fastest.
        precision: what the model computes with: ``f32``, ``bf16``, ``int8``, or ``auto``: bf16 where the machine multiplies
            it faster. ``model.info.precision`` says what it is. What int8 stands for is found once, on the first pictures that
            :func:`apply_model` or :func:`compute_embeddings` is given, and kept in the store; until then, and where it would
            say something else, the model computes in f32, and ``model.provenance["calibration"]`` says how far the two agree.
        threshold: the default of :meth:`Model.predict`: what the model is less sure of is left out, 0 to 1.
        threads: how many threads the model may use.
        isolation: ``process`` runs the plugin in a process of its own; ``none`` in this one, which it can crash.
        origin: where a plugin comes from: ``auto`` (the one that its author compiled, where the source vouches for one),
            ``prebuilt`` (that one or none) or ``build`` (built here).
        sandbox: whether that process is shut in: ``auto``, ``on`` (or not at all) or ``off``.
        stall_timeout: the seconds after which a plugin without a sign of life is ended; 0 waits for ever.
        consent: is asked before a stranger's code runs. Without it, only what was allowed before runs
            (``modelzoo trust allow``). Published models have no code, and local folders are your own.
        offline: whether the network may not be used.
        locked: whether the lock may not change; ``lock`` names its file, which is ``modelzoo.lock`` otherwise.
        store: the folder for sources, plugins and weights.
        worker: the program that plugins run in, if not the one that comes with this package.
        progress: whether the steps are shown: ``True`` (by tqdm), or something like ``tqdm.tqdm``.
        options: the model's own options, those of the program's ``--set``; ``**more_options`` are so, too:
            ``load_model("hf:google/vit-base-patch16-224", top_k=5)``.

    Raises:
        NotFoundError: there is no such model.
        NotTrustedError: its code may not run.
        BuildError, IntegrityError, IncompatibleError, UsageError, Error: as their names say.
    """
    arguments = {
        "name": name,
        "device": None if device == "auto" else device,
        "precision": precision,
        "threads": count(threads, "threads"),
        "options": {**(options or {}), **more_options},
        "isolation": isolation,
        "origin": origin,
        "sandbox": sandbox,
        "stall_timeout": stall_timeout,
        "worker": text_path(worker) or worker_program(),
        "offline": offline,
        "locked": locked,
        "lock": text_path(lock),
        "store": text_path(store),
    }
    share(threshold, "threshold")
    if not isinstance(device, str):
        raise UsageError(f"device is a text, not {device!r}", '"auto", "cpu", "cuda:0", "metal"')
    if consent is not None and not callable(consent):
        raise UsageError(f"consent is a function that is asked, not {consent!r}", "consent=lambda facts: True")
    if isolation not in ("process", "none"):
        raise UsageError(f"isolation is \"process\" or \"none\", not {isolation!r}")
    if isolation == "process" and arguments["worker"] is None:
        raise UsageError(
            "the program modelzoo, which plugins run in, is not there",
            "install the package from a wheel, or name the program: load_model(..., worker=...)",
        )
    if not isinstance(model, (str, os.PathLike)) or not os.fspath(model):
        raise UsageError(
            f"a model is named by a text or a folder's path, not by {model!r}", "hf:owner/name, user/repo, ./folder"
        )
    reference = os.fspath(model)
    if isinstance(model, os.PathLike) and not os.path.isabs(reference):
        # A path is a folder, whatever it looks like.
        reference = os.path.join(os.curdir, reference)
    steps = Steps(progress) if is_shown(progress) else None
    try:
        native = _native.load_model(reference, to_json(arguments), consent, steps)
    finally:
        if steps is not None:
            steps.close()
    return Model(native, reference, threshold)


class Model:
    """A loaded model, as :func:`load_model` gives it.

    It may be used from several threads; the interpreter's lock is free while it works. ``with`` closes it at the end, as
    does dropping it.

    Pictures are ``uint8[height, width, 3]`` of red, green and blue in anything that NumPy reads without a copy (arrays,
    tensors, PIL images, DLPack), or paths, or files' bytes. As long as a call goes on, nobody else may write to them.
    """

    def __init__(self, native: _native.Model, reference: str, threshold: Optional[float] = None) -> None:
        self._native = native
        self._reference = reference
        self.threshold = threshold
        """What the model is less sure of is left out, unless a call says otherwise."""

    def __repr__(self) -> str:
        return f"<modelzoo.Model {self._reference}>"

    def __enter__(self) -> "Model":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __reduce__(self) -> Any:
        raise TypeError("a loaded model cannot be sent to another process: load it there")

    def close(self) -> None:
        """Ends the model's process and frees its memory."""
        self._native.close()

    def _look_again(self) -> None:
        """Forgets what is known of the model: a run may have loaded it in another way, on bytes."""
        for known in ("info", "provenance"):
            self.__dict__.pop(known, None)

    @functools.cached_property
    def info(self) -> ModelInfo:
        """What it is and can do."""
        return ModelInfo._read(self._native.info())

    @functools.cached_property
    def provenance(self) -> Dict[str, Any]:
        """Where it comes from, by content: ``source``, ``commit``, ``tree_hash``, ``model``, ``weights_sha256``, ..."""
        facts: Dict[str, Any] = json.loads(self._native.provenance())
        return facts

    @property
    def name(self) -> str:
        """Its name, with its version where it has one."""
        return str(self.provenance["model"])

    @property
    def peak_memory(self) -> Optional[int]:
        """The most memory that its process has held so far, in bytes."""
        return self._native.peak_memory()

    def predict(
        self,
        picture: Picture,
        *,
        threshold: Optional[float] = None,
        classes: Optional[Sequence[str]] = None,
        store_logits: bool = False,
        fields: Optional[Mapping[str, Any]] = None,
        **settings: Any,
    ) -> Output:
        """Says what a picture or a video shows.

        Args:
            picture: ``uint8[height, width, 3]``, a path, a file's bytes, a PIL image. A path may be one of a video; then
                labels come by frame, counted from 1.
            threshold: leave out what the model is less sure of, 0 to 1.
            classes: keep only these.
            store_logits: put the raw scores of all classes into classifications.
            fields: the fields of the picture's sample that the model needs, by its own names
                (:attr:`ModelInfo.needed_fields`).
            **settings: the model's own options for this call, those of the program's ``--set-call``.

        Returns:
            A label of :mod:`modelzoo.labels`; or labels by key, where the model gives several; ``None`` where it says
            nothing.

        Raises:
            Error: the picture cannot be decoded, or the model fails on it.
        """
        if self._is_video(picture):
            return self._predict_video(picture, threshold, classes, store_logits, fields, settings)
        native = native_picture(picture)
        options = self._predict_options(threshold, classes, store_logits, settings)
        samples = None if fields is None else self._fields_json([fields])
        (result,) = self._native.predict([native], options, samples)
        if isinstance(result, Error):
            raise result
        return result  # type: ignore[no-any-return]

    def predict_all(
        self,
        pictures: Iterable[Picture],
        *,
        threshold: Optional[float] = None,
        classes: Optional[Sequence[str]] = None,
        store_logits: bool = False,
        fields: Optional[Iterable[Mapping[str, Any]]] = None,
        batch_size: Optional[int] = None,
        on_error: str = "raise",
        **settings: Any,
    ) -> "List[Union[Output, Error]]":
        """Says what each of several pictures shows, in their order; they may differ in size.

        Args:
            pictures: as for :meth:`predict`, in any number; they are taken a batch at a time.
            threshold, classes, store_logits, **settings: as for :meth:`predict`.
            fields: those of each picture's sample.
            batch_size: how many go to the model at once, if not as many as it likes.
            on_error: ``raise`` raises the first picture's error; ``return`` puts it in the place of the picture's result,
                so that a broken one costs itself alone.
        """
        pictures = several(pictures, "predict_all", "predict")
        options = self._predict_options(threshold, classes, store_logits, settings)
        samples = None if fields is None else iter(fields)

        def ask(batch: List[Any], places: List[int], size: int) -> List[Any]:
            if samples is None:
                return self._native.predict(batch, options, None)
            some = list(itertools.islice(samples, size))
            if len(some) < size:
                raise UsageError("there are fewer fields than pictures")
            return self._native.predict(batch, options, self._fields_json(some[place] for place in places))

        return self._in_batches(pictures, batch_size, on_error, ask)

    def embed(self, picture: Picture) -> "Vector":
        """The embedding of a picture, ``float32[dimensions]``.

        Raises:
            Error: the model has no embeddings, the picture cannot be decoded, or the model fails on it.
        """
        (result,) = self._native.embed([native_picture(picture)])
        if isinstance(result, Error):
            raise result
        return result  # type: ignore[no-any-return]

    @overload
    def embed_all(self, pictures: Iterable[Picture], *, batch_size: Optional[int] = None) -> "Vector": ...

    @overload
    def embed_all(
        self, pictures: Iterable[Picture], *, batch_size: Optional[int] = None, on_error: str
    ) -> "Union[Vector, List[Union[Vector, Error]]]": ...

    def embed_all(
        self, pictures: Iterable[Picture], *, batch_size: Optional[int] = None, on_error: str = "raise"
    ) -> "Union[Vector, List[Union[Vector, Error]]]":
        """The embeddings of several pictures, ``float32[pictures, dimensions]``; they may differ in size.

        With ``on_error="return"`` a list of embeddings, with the error in the place of a picture that failed.
        """
        pictures = several(pictures, "embed_all", "embed")
        results = self._in_batches(pictures, batch_size, on_error, lambda batch, *_: self._native.embed(batch))
        if on_error == "return":
            return results
        stacked: "Vector" = _stacked(results)
        return stacked

    def embed_prompts(self, prompts: Sequence[str]) -> "Vector":
        """The embeddings of texts, ``float32[texts, dimensions]``, comparable to those of pictures.

        Raises:
            Error: the model has no embeddings of texts, or fails on one.
        """
        results = self._native.embed_prompts(names(prompts, "prompts") or [])
        for result in results:
            if isinstance(result, Error):
                raise result
        stacked: "Vector" = _stacked(results)
        return stacked

    def embed_prompt(self, prompt: str) -> "Vector":
        """The embedding of a text, ``float32[dimensions]``."""
        vector: "Vector" = self.embed_prompts([prompt])[0]
        return vector

    def _predict_options(
        self,
        threshold: Optional[float],
        classes: Optional[Sequence[str]],
        store_logits: bool,
        settings: Mapping[str, Any],
    ) -> str:
        if settings and self.provenance.get("built_in"):
            # Published models have none, so it is another argument, misspelt.
            name = next(iter(settings))
            known = ("threshold", "classes", "store_logits", "fields", "batch_size", "on_error")
            raise UsageError(f"the model has no option {name} for a call", suggestion(name, known))
        return to_json(
            {
                "threshold": share(self.threshold if threshold is None else threshold, "threshold"),
                "classes": names(classes, "classes"),
                "store_logits": store_logits,
                "settings": settings,
            }
        )

    def _in_batches(
        self,
        pictures: Iterable[Picture],
        batch_size: Optional[int],
        on_error: str,
        ask: Callable[[List[Any], List[int], int], List[Any]],
    ) -> List[Any]:
        """Asks about so many pictures at a time. ``ask`` gets those that may be pictures, their places in the batch, and the
        batch's size."""
        if on_error not in ("raise", "return"):
            raise UsageError(f"on_error is \"raise\" or \"return\", not {on_error!r}")
        results: List[Any] = []
        for batch in _batches(pictures, count(batch_size, "batch_size") or self.info.preferred_batch_size or _BATCH):
            answers: List[Any] = [None] * len(batch)
            natives, places = [], []
            for place, picture in enumerate(batch):
                try:
                    natives.append(native_picture(picture))
                    places.append(place)
                except UsageError as error:
                    answers[place] = error
            for place, answer in zip(places, ask(natives, places, len(batch))):
                answers[place] = answer
            if on_error == "raise":
                for place, answer in enumerate(answers):
                    if isinstance(answer, Error):
                        answer.message = f"picture {len(results) + place}: {answer.message}"
                        raise answer
            results.extend(answers)
        return results

    def _fields_json(self, samples: Iterable[Mapping[str, Any]]) -> str:
        """The fields of samples; labels among them in FiftyOne's JSON."""
        if not self.info.takes_fields:
            raise UsageError("the model takes no fields of samples")
        try:
            return json.dumps([{name: _field(value) for name, value in sample.items()} for sample in samples])
        except TypeError as error:
            raise UsageError(f"a field cannot be given to the model: {error}") from error

    def _is_video(self, picture: Any) -> bool:
        if not isinstance(picture, (str, os.PathLike)):
            return False
        return self.info.media_type == "video" or _native.is_video(picture)

    def _predict_video(
        self,
        path: Any,
        threshold: Optional[float],
        classes: Optional[Sequence[str]],
        store_logits: bool,
        fields: Optional[Mapping[str, Any]],
        settings: Mapping[str, Any],
    ) -> Output:
        from .apply import Run

        if fields is not None:
            raise UsageError("a video's frames take no fields here", "make a dataset of it: modelzoo.apply_model")
        field = "predictions"
        run = Run(
            self,
            path,
            task="apply",
            field=field,
            label_keys={},
            threshold=threshold,
            classes=classes,
            store_logits=store_logits,
            settings=settings,
        )
        with run:
            (sample,) = run
        if sample.error is not None:
            raise Error(sample.error)
        if sample.frames:
            is_single = all(list(labels) == [field] for labels in sample.frames.values())
            if is_single:
                return {number: labels[field] for number, labels in sample.frames.items()}
            return dict(sample.frames)
        if list(sample.labels) == [field]:
            return sample.labels[field]
        return dict(sample.labels) or None


def _field(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return value.tolist() if hasattr(value, "tolist") else value


def _batches(items: Iterable[Any], size: int) -> Iterator[List[Any]]:
    iterator = iter(items)
    while True:
        batch = list(itertools.islice(iterator, size))
        if not batch:
            return
        yield batch


def _stacked(vectors: List[Any]) -> Any:
    if not vectors:
        return np.empty((0, 0), dtype=np.float32)
    if any(vector.shape != vectors[0].shape for vector in vectors):
        raise UsageError(
            "the embeddings differ in shape", 'on_error="return" gives them as a list, each with a shape of its own'
        )
    return np.stack(vectors)
