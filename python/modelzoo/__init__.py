"""Run any vision model that someone published in a Git repository, natively: pinned, shut in, without PyTorch.

    import modelzoo

    model = modelzoo.load_model("hf:facebook/detr-resnet-50", threshold=0.5)
    labels = model.predict("photo.jpg")          # also uint8[height, width, 3] of any library, bytes, a PIL image
    vectors = modelzoo.load_model("hf:facebook/dinov2-small").embed_all(["a.jpg", "b.jpg"])
    modelzoo.apply_model(model, "photos/", output="labels.parquet", progress=True)

Models: ``load_model``, ``Model``. Many samples: ``apply_model``, ``compute_embeddings``, ``compute_patch_embeddings``, ``Run``,
``Sample``, ``Dataset``. The zoo: ``search``, ``list_models``, ``find_model``, ``download_model``, ``register_source``, ... Labels:
``modelzoo.labels``. Other worlds: ``modelzoo.fiftyone``, ``modelzoo.ray``, ``modelzoo.daft``, ``modelzoo.spark``.

Everything that goes wrong is an ``Error`` with a ``hint``. What happens is told to the logger ``modelzoo``. The program
``modelzoo`` comes with the package.
"""

from . import labels
from ._native import __version__
from .apply import Run, Summary, apply_model, compute_embeddings, compute_patch_embeddings
from .dataset import Dataset
from .errors import (
    BuildError,
    Error,
    IncompatibleError,
    IntegrityError,
    NotFoundError,
    NotTrustedError,
    UsageError,
)
from .model import Model, ModelInfo, load_model
from .samples import Sample
from .zoo import (
    delete_model,
    download_model,
    find_model,
    forget_source,
    list_models,
    list_sources,
    model_entry,
    register_source,
    search,
)

__all__ = [
    "BuildError",
    "Dataset",
    "Error",
    "IncompatibleError",
    "IntegrityError",
    "Model",
    "ModelInfo",
    "NotFoundError",
    "NotTrustedError",
    "Run",
    "Sample",
    "Summary",
    "UsageError",
    "__version__",
    "apply_model",
    "compute_embeddings",
    "compute_patch_embeddings",
    "delete_model",
    "download_model",
    "find_model",
    "forget_source",
    "labels",
    "list_models",
    "list_sources",
    "load_model",
    "model_entry",
    "register_source",
    "search",
]
