"""What the checks beside FiftyOne share: both programs asked the same, and their answers made comparable."""

import base64
import copy
import glob
import io
import json
import os
import subprocess
import zlib
from pathlib import Path

import fiftyone as fo
import fiftyone.core.models as fom
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = sorted(glob.glob(str(ROOT / "examples/photos/*.jpg")))
GIVEN = ROOT / "tests/plugins/given"


def modelzoo(*arguments, code=0):
    """Runs the program, and gives its samples by the names of their files."""
    command = [os.environ["MODELZOO"], *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == code, f"{command}: {run.returncode}\n{run.stderr}"
    samples = [json.loads(line) for line in run.stdout.splitlines()]
    return {os.path.basename(sample["filepath"]): sample for sample in samples}


def dataset(paths):
    made = fo.Dataset()
    made.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    return made


def by_name(made, field):
    return {os.path.basename(path): value for path, value in zip(made.values("filepath"), made.values(field))}


class Told(fom.EmbeddingsMixin, fom.Model):
    """FiftyOne's twin of tests/plugins/given."""

    media_type = "image"
    ragged_batches = True
    transforms = None
    preprocess = False
    config = None
    has_embeddings = True

    def __init__(self, output=None, fails_at_width=None):
        self.output, self.fails_at_width = output, fails_at_width

    def predict(self, image):
        if image.shape[1] == self.fails_at_width:
            raise ValueError("too wide")
        return labels_of(self.output)

    def embed(self, image):
        return np.array([*image.mean((0, 1)), image.shape[1], image.shape[0]])


def told_here(output, *arguments, photos=PHOTOS[:1], code=0):
    """The answers of tests/plugins/given when it is told this output, as `fo.Label.from_dict` takes it."""
    kind = "label" if "_cls" in output else "labels"
    setting = f"output={json.dumps({kind: output})}"
    return modelzoo("apply", GIVEN, *photos, "said", "--set", setting, *arguments, code=code)


def options_here(options):
    """Options of FiftyOne's apply_model as arguments."""
    arguments = []
    if "confidence_thresh" in options:
        arguments += ["-t", options["confidence_thresh"]]
    if "classes" in options:
        arguments += ["--classes", ",".join(options["classes"])]
    return arguments


def labels_of(output):
    """FiftyOne's label of its JSON, or labels by name."""
    if "_cls" in output:
        return fo.Label.from_dict(copy.deepcopy(output))
    return {name: labels_of(one) for name, one in output.items()}


def comparable(value):
    """A label as both write it: without ids, and without what says nothing."""
    if isinstance(value, dict):
        if "$numberDouble" in value:
            return value["$numberDouble"]
        entries = {key: comparable(one) for key, one in value.items() if key != "_id"}
        return {key: one for key, one in entries.items() if one is not None and one != [] and one != {}}
    if isinstance(value, (list, tuple)):
        return [comparable(one) for one in value]
    if isinstance(value, float):
        return "NaN" if value != value else round(value, 6)
    return value


def array(value):
    """An array of ours, in whichever form it is written."""
    if isinstance(value, list):
        return np.array(value)
    return np.load(io.BytesIO(zlib.decompress(base64.b64decode(value["$binary"]["base64"]))))


def classification(label, confidence=None):
    return {"_cls": "Classification", "label": label, "confidence": confidence}


def detection(label, confidence=None):
    return {"_cls": "Detection", "label": label, "confidence": confidence, "bounding_box": [0.125, 0.25, 0.5, 0.5]}
