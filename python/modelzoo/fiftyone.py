"""Our models in FiftyOne: as a ``fiftyone.core.models.Model``, and as a source of its model zoo.

    import fiftyone as fo
    import modelzoo.fiftyone

    model = modelzoo.fiftyone.Model("hf:facebook/detr-resnet-50")
    dataset.apply_model(model, label_field="things", confidence_thresh=0.5, batch_size=8)
    embeddings = dataset.compute_embeddings(modelzoo.fiftyone.Model("hf:facebook/dinov2-small"))
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, Iterable, List, Optional, Sequence, Union

import fiftyone.core.models as fom
import numpy as np

from ._fiftyone_labels import output_to_fiftyone
from .model import Model as NativeModel
from .model import load_model
from .zoo import model_entry

__all__ = ["Model", "SamplesModel", "make_source"]


class Model(fom.Model, fom.LogitsMixin, fom.EmbeddingsMixin, fom.PromptMixin):  # type: ignore[misc]
    """A model for ``apply_model``, ``compute_embeddings`` and ``compute_patch_embeddings`` of FiftyOne's datasets.

    Args:
        model: what :func:`modelzoo.load_model` takes, or a model that it has given.
        **options: those of :func:`modelzoo.load_model`.

    A model that needs fields of samples is a :class:`SamplesModel`. Batches may be ragged. FiftyOne's thresholds and classes
    go to the model.
    """

    def __new__(cls, model: Union[str, "os.PathLike[str]", NativeModel], **options: Any) -> "Model":
        loaded = model if isinstance(model, NativeModel) else load_model(model, **options)
        if cls is Model and loaded.info.needed_fields:
            cls = SamplesModel
        made: "Model" = super().__new__(cls)
        made.model = loaded
        return made

    def __init__(self, model: Union[str, "os.PathLike[str]", NativeModel], **options: Any) -> None:
        self.model: NativeModel
        """The model itself."""
        fom.LogitsMixin.__init__(self)
        # FiftyOne sets these for the time of a run.
        self.config = SimpleNamespace(confidence_thresh=self.model.threshold, filter_classes=None)
        self._embeddings: Optional[Any] = None

    def __exit__(self, *error: Any) -> None:
        # FiftyOne leaves the context after every run; the model may be used again.
        pass

    @property
    def media_type(self) -> str:
        return self.model.info.media_type

    @property
    def has_logits(self) -> bool:
        return self.model.info.has_logits

    @property
    def has_embeddings(self) -> bool:
        return self.model.info.has_embeddings

    @property
    def can_embed_prompts(self) -> bool:
        return self.model.info.can_embed_prompts

    @property
    def ragged_batches(self) -> bool:
        """False: pictures of different sizes go through the same batch."""
        return False

    @property
    def transforms(self) -> None:
        """None: the model does all of it."""
        return None

    @property
    def preprocess(self) -> bool:
        return True

    @preprocess.setter
    def preprocess(self, value: bool) -> None:
        pass

    def predict(self, arg: Any) -> Any:
        """FiftyOne's labels for a picture ``uint8[height, width, 3]``, a path, or a ``VideoReader``."""
        return output_to_fiftyone(self.model.predict(_picture(arg), **self._options()))

    def predict_all(self, args: Iterable[Any]) -> List[Any]:
        """The same for several, which go to the model at once."""
        pictures = [_picture(arg) for arg in args]
        results = self.model.predict_all(pictures, batch_size=max(1, len(pictures)), **self._options())
        return [output_to_fiftyone(result) for result in results]

    def embed(self, arg: Any) -> Any:
        """The embedding of a picture, ``float32[dimensions]``."""
        return self.embed_all([arg])[0]

    def embed_all(self, args: Iterable[Any]) -> Any:
        """The embeddings of several pictures, ``float32[pictures, dimensions]``."""
        pictures = [_picture(arg) for arg in args]
        self._embeddings = self.model.embed_all(pictures, batch_size=max(1, len(pictures)))
        return self._embeddings

    def get_embeddings(self) -> Any:
        """The embeddings that were computed last."""
        if self._embeddings is None:
            raise ValueError("no embeddings have been computed")
        return self._embeddings

    def embed_prompt(self, arg: str) -> Any:
        """The embedding of a text, ``float32[dimensions]``."""
        return self.model.embed_prompt(arg)

    def embed_prompts(self, args: Sequence[str]) -> Any:
        """The embeddings of texts, ``float32[texts, dimensions]``."""
        return self.model.embed_prompts(list(args))

    def _options(self) -> Dict[str, Any]:
        return {
            "threshold": self.config.confidence_thresh,
            "classes": self.config.filter_classes,
            "store_logits": bool(self.store_logits),
        }


class SamplesModel(fom.SamplesMixin, Model):  # type: ignore[misc]
    """A model that needs fields of samples: ``dataset.apply_model(model, prompt="caption")`` gives it the field ``caption``
    under its own name ``prompt``; without a word each is looked for under its own name."""

    def __init__(self, model: Union[str, "os.PathLike[str]", NativeModel], **options: Any) -> None:
        Model.__init__(self, model, **options)
        self._fields: Dict[str, str] = {}

    @property
    def needs_fields(self) -> Dict[str, str]:
        """The fields of samples by the model's own names for them."""
        return {name: self._fields.get(name, name) for name in self.model.info.needed_fields}

    @needs_fields.setter
    def needs_fields(self, fields: Optional[Dict[str, str]]) -> None:
        self._fields = dict(fields or {})

    def predict(self, arg: Any, sample: Any = None) -> Any:
        fields = None if sample is None else self._fields_of(sample)
        return output_to_fiftyone(self.model.predict(_picture(arg), fields=fields, **self._options()))

    def predict_all(self, args: Iterable[Any], samples: Optional[Iterable[Any]] = None) -> List[Any]:
        pictures = [_picture(arg) for arg in args]
        fields = None if samples is None else [self._fields_of(sample) for sample in samples]
        results = self.model.predict_all(
            pictures, fields=fields, batch_size=max(1, len(pictures)), **self._options()
        )
        return [output_to_fiftyone(result) for result in results]

    def _fields_of(self, sample: Any) -> Dict[str, Any]:
        found = {}
        for name, field in self.needs_fields.items():
            if sample.has_field(field) and sample[field] is not None:
                found[name] = _plain(sample[field])
        return found


def make_source(
    models: Union[str, "os.PathLike[str]", Sequence[Union[str, "os.PathLike[str]"]]],
    folder: Union[str, "os.PathLike[str]"],
    name: Optional[str] = None,
    url: Optional[str] = None,
) -> Path:
    """Makes a folder a remote source of FiftyOne's model zoo, whose models are ours.

    Published as a repository or an archive, ``foz.register_zoo_model_source(...)`` takes it, and ``foz.load_zoo_model(...)``
    loads the models by name where ``modelzoo`` is installed. Where the folder has a ``manifest.json`` already, as a source of
    ours has, that stays: then one repository serves both worlds.

    Args:
        models: what :func:`modelzoo.load_model` takes, one or several. Pin what others should get: ``user/repo@v1``.
        folder: where ``manifest.json`` and ``__init__.py`` are written.
        name: what FiftyOne calls the source; by default the first model's source.
        url: where it will be published.

    Returns:
        The folder.
    """
    if isinstance(models, (str, os.PathLike)):
        models = [models]
    entries = {os.fspath(model): model_entry(os.fspath(model)) for model in models}
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    manifest = path / "manifest.json"
    if not manifest.exists():
        first = next(iter(entries.values()))
        described = {
            "name": name or first["source"],
            "url": url,
            "models": [_described(found) for found in entries.values()],
        }
        manifest.write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    references = {found["name"]: reference for reference, found in entries.items()}
    code = _SOURCE.replace("REFERENCES_HERE", json.dumps(references, indent=4))
    (path / "__init__.py").write_text(code, encoding="utf-8")
    return path


_SOURCE = '''"""Models of modelzoo for FiftyOne's model zoo."""

import json

import modelzoo
import modelzoo.fiftyone

REFERENCES = REFERENCES_HERE


def download_model(model_name, model_path):
    """Gets the model into modelzoo's own store; the file here says which it is."""
    reference = REFERENCES[model_name]
    modelzoo.download_model(reference)
    with open(model_path, "w") as file:
        json.dump({"reference": reference}, file)


def load_model(model_name, model_path, **kwargs):
    """Loads the model; the options are those of modelzoo.load_model."""
    return modelzoo.fiftyone.Model(REFERENCES[model_name], **kwargs)
'''


def _described(found: Dict[str, Any]) -> Dict[str, Any]:
    """A model in the words of FiftyOne's manifests."""
    entry = found["entry"]
    base_name, _, version = found["name"].partition("@")
    kept = {
        key: entry[key] for key in ("author", "license", "description", "source", "tags") if entry.get(key)
    }
    return {
        "base_name": base_name,
        "version": version or None,
        "base_filename": f"{base_name.replace('/', '-')}.modelzoo.json",
        "requirements": {"packages": ["modelzoo"], "cpu": {"support": True}},
        **kept,
    }


def _picture(arg: Any) -> Any:
    # ETA's video reader; the file is read by the program itself.
    return arg.inpath if hasattr(arg, "inpath") else arg


def _plain(value: Any) -> Any:
    """A field's value in JSON; labels as FiftyOne writes them."""
    if hasattr(value, "to_dict"):
        return value.to_dict(extended=True)
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value
