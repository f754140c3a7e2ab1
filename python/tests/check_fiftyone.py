"""Our models in the real FiftyOne: run by the Python that it is installed in.

    check_fiftyone.py FOLDER      a folder that is empty; FiftyOne's database begins in it
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

work = Path(sys.argv[1]).resolve()
os.environ.update(
    FIFTYONE_DO_NOT_TRACK="true",
    FIFTYONE_DATABASE_VALIDATION="false",
    FIFTYONE_DATABASE_DIR=str(work / "mongodb"),
    FIFTYONE_CONFIG_PATH=str(work / "fiftyone.json"),
    FIFTYONE_MODEL_ZOO_DIR=str(work / "zoo"),
    FIFTYONE_SHOW_PROGRESS_BARS="false",
    MODELZOO_STORE=str(work / "store"),
    XDG_CONFIG_HOME=str(work / "config"),
    XDG_DATA_HOME=str(work / "data"),
)

import fiftyone as fo  # noqa: E402
import fiftyone.zoo as foz  # noqa: E402
import numpy as np  # noqa: E402

import modelzoo  # noqa: E402
import modelzoo.fiftyone  # noqa: E402
from modelzoo._worker import worker_program  # noqa: E402

PROJECT = Path(__file__).resolve().parents[2]
MODELS = PROJECT / "plugin-api/vision/tests/goldens"
PHOTOS = sorted((PROJECT / "examples/photos").glob("*.jpg"))


def said_by_the_program(model: str, command: str, *options: str) -> dict[str, dict]:
    arguments = ["--quiet", command, MODELS / model, *PHOTOS, *options]
    printed = subprocess.check_output([worker_program(), *arguments])
    return {line["filepath"]: line for line in map(json.loads, printed.splitlines())}


def photographs() -> fo.Dataset:
    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in PHOTOS])
    return dataset


def labels_are_those_of_the_program(dataset: fo.Dataset) -> None:
    # Weights are random, so nothing is sure.
    expected = said_by_the_program("detr_basic", "apply", "-t", "0")
    model = modelzoo.fiftyone.Model(MODELS / "detr_basic", threshold=0.0)
    dataset.apply_model(model, label_field="single")
    dataset.apply_model(model, label_field="batched", batch_size=3)
    for sample in dataset:
        for field in ("single", "batched"):
            theirs = expected[sample.filepath]["predictions"]["detections"]
            ours = sample[field].detections
            assert len(ours) == len(theirs) > 0, sample.filepath
            for one, other in zip(ours, theirs):
                assert one.label == other["label"]
                np.testing.assert_allclose(one.bounding_box, other["bounding_box"], atol=1e-5)
                np.testing.assert_allclose(one.confidence, other["confidence"], atol=1e-5)
    confidences = sorted(one.confidence for sample in dataset for one in sample["single"].detections)
    least = confidences[len(confidences) // 2]
    dataset.apply_model(model, label_field="sure", confidence_thresh=least)
    assert 0 < sum(len(sample["sure"].detections) for sample in dataset) < len(confidences)


def logits_masks_and_maps_come_along(dataset: fo.Dataset) -> None:
    model = modelzoo.fiftyone.Model(MODELS / "vit_classifier")
    dataset.apply_model(model, label_field="class", store_logits=True)
    assert dataset.first()["class"].logits.shape == (5,) and model.store_logits is False
    dataset.apply_model(modelzoo.fiftyone.Model(MODELS / "segformer_segmenter"), label_field="mask")
    assert dataset.first()["mask"].mask.ndim == 2
    dataset.apply_model(modelzoo.fiftyone.Model(MODELS / "depth_anything_relative"), label_field="depth")
    assert dataset.first()["depth"].map.ndim == 2


def embeddings_are_those_of_the_program(dataset: fo.Dataset) -> None:
    expected = said_by_the_program("vit_classifier", "embed")
    rows = [expected[sample.filepath]["embeddings"] for sample in dataset]
    model = modelzoo.fiftyone.Model(MODELS / "vit_classifier")
    for batch_size in (None, 3):
        found = dataset.compute_embeddings(model, batch_size=batch_size)
        np.testing.assert_allclose(found, rows, atol=1e-5)
    patches = dataset.compute_patch_embeddings(model, "single")
    for sample in dataset:
        assert patches[sample.id].shape == (len(sample["single"].detections), 24)
    texts = modelzoo.fiftyone.Model(MODELS / "clip")
    assert texts.can_embed_prompts and texts.embed_prompts(["a cat", "a dog"]).shape[0] == 2


def frames_of_videos_get_labels(folder: Path) -> None:
    video = folder / "short.mp4"
    command = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=5:duration=1", video]
    subprocess.run(command, check=True)
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath=str(video)))
    dataset.apply_model(modelzoo.fiftyone.Model(MODELS / "vit_classifier"), label_field="class")
    assert sorted(dataset.first().frames) == [1, 2, 3, 4, 5]


def a_broken_picture_costs_itself(folder: Path) -> None:
    broken = folder / "broken.jpg"
    broken.write_text("no picture")
    dataset = photographs()
    dataset.add_sample(fo.Sample(filepath=str(broken)))
    dataset.apply_model(modelzoo.fiftyone.Model(MODELS / "vit_classifier"), label_field="class")
    assert dataset.exists("class").count() == len(PHOTOS)


def a_source_of_the_zoo_is_registered_and_loaded_by_name(folder: Path, dataset: fo.Dataset) -> None:
    source = modelzoo.fiftyone.make_source(MODELS / "vit_classifier", folder / "published" / "source")
    shutil.make_archive(str(folder / "served" / "source"), "zip", source.parent)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder / "served"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    foz.register_zoo_model_source(f"http://127.0.0.1:{server.server_port}/source.zip")
    assert "vit_classifier" in foz.list_zoo_models()
    model = foz.load_zoo_model("vit_classifier", top_k=2)
    dataset.apply_model(model, label_field="zoo")
    assert len(dataset.first()["zoo"].classifications) == 2
    server.shutdown()


def weights_of_mobilenet() -> dict:
    """The tensors of the plugin's weights by their names, as torch has them."""
    import torch

    content = (PROJECT / "plugins/mobilenet_v2/weights/mobilenet_v2.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    tensors = {}
    for name, entry in json.loads(content[8 : 8 + length]).items():
        if name != "__metadata__":
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            numbers = np.frombuffer(content[start:end], {"F32": "f4", "F16": "f2", "I64": "i8"}[entry["dtype"]])
            numbers = numbers.astype("f4") if entry["dtype"] == "F16" else numbers.copy()
            tensors[name] = torch.from_numpy(numbers.reshape(entry["shape"]))
    return tensors


def labels_are_fiftyones_own(folder: Path, dataset: fo.Dataset) -> None:
    """One folder, with torchvision's MobileNetV2 as ImageNet has trained it, through PyTorch in FiftyOne and through us."""
    try:
        import torch
        import torchvision
    except ImportError:
        print("SKIPPED: FiftyOne's own labels, as there is no PyTorch")
        return
    published = folder / "mobilenet"
    shutil.copytree(MODELS / "torchvision_mobilenet_v2", published)
    network = torchvision.models.mobilenet_v2()
    network.load_state_dict(weights_of_mobilenet(), strict=False)
    torch.save(network.state_dict(), published / "weights.pth")
    manifest = json.loads((published / "manifest.json").read_text())
    deployed = manifest["models"][0]["default_deployment_config_dict"]
    classes = (PROJECT / "plugins/mobilenet_v2/src/classes.txt").read_text().splitlines()
    # A label's own commas would end it.
    deployed["config"]["labels_string"] = ",".join(name.replace(",", ";") for name in classes)
    deployed["config"].update(entrypoint_args={}, image_min_dim=224, image_max_dim=320)
    (published / "manifest.json").write_text(json.dumps(manifest))

    import fiftyone.utils.torch as fout

    # By the name of its function it would download weights.
    own = fout.TorchImageModelConfig({**deployed["config"], "entrypoint_fcn": None, "model": network})
    dataset.apply_model(fout.TorchImageModel(own), label_field="own")
    dataset.apply_model(modelzoo.fiftyone.Model(published), label_field="ours")
    for sample in dataset:
        theirs, ours = sample["own"], sample["ours"]
        print(f"  {Path(sample.filepath).name}: {theirs.label} {theirs.confidence:.4f}, here {ours.confidence:.4f}")
        assert ours.label == theirs.label
        # Decoders of JPEG differ a little.
        assert abs(ours.confidence - theirs.confidence) < 0.01, sample.filepath


def fields_of_samples_reach_the_model(dataset: fo.Dataset) -> None:
    store = PROJECT / "target/tmp/store"
    if not (store / "artifacts").is_dir():
        print("SKIPPED: fields of samples, as no plugins are compiled (cargo test)")
        return
    model = modelzoo.fiftyone.Model(PROJECT / "tests/plugins/capabilities", name="test/fields", store=store)
    dataset.set_values("caption", [path.stem for path in PHOTOS])
    dataset.apply_model(model, label_field="one")
    dataset.apply_model(model, label_field="both", batch_size=2, caption="caption")
    for sample in dataset:
        assert sample["one"].label == sample["both"].label == sample["caption"]


def main() -> None:
    dataset = photographs()
    labels_are_those_of_the_program(dataset)
    logits_masks_and_maps_come_along(dataset)
    embeddings_are_those_of_the_program(dataset)
    labels_are_fiftyones_own(work, dataset)
    fields_of_samples_reach_the_model(dataset)
    frames_of_videos_get_labels(work)
    a_broken_picture_costs_itself(work)
    a_source_of_the_zoo_is_registered_and_loaded_by_name(work, dataset)
    print(f"FiftyOne {fo.__version__}: labels, embeddings, videos and a source of the zoo")


main()
