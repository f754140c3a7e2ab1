"""FiftyOne and modelzoo, each with its own code, on the same photographs, weights and labels: the same answers.

The network is torchvision's MobileNetV2 with the weights of plugins/mobilenet_v2. For what happens to labels behind a
model (thresholds, classes, output forms), both have a model that says what it is told: tests/plugins/given. Videos are
check_videos.py's, what is in front of labels check_processors.py's.
"""

import json
import os
import sys
from pathlib import Path

import fiftyone as fo
import fiftyone.utils.torch as fout
import numpy as np
import torch
import torchvision
from PIL import Image

from beside import (
    GIVEN,
    PHOTOS,
    ROOT,
    Told,
    array,
    by_name,
    classification,
    comparable,
    dataset,
    detection,
    modelzoo,
    options_here,
    told_here,
)

MOBILENET = ROOT / "plugins/mobilenet_v2"

TOLERANCE = 0.01


# --- one network, two programs


def read_safetensors(path):
    """Tensors by name (https://github.com/huggingface/safetensors#format)."""
    content = open(path, "rb").read()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    types = {"F32": np.float32, "F16": np.float16, "I64": np.int64}
    tensors = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(content[start:end], types[entry["dtype"]]).reshape(entry["shape"])
        array = array.astype(np.float32) if array.dtype == np.float16 else array
        tensors[name] = torch.from_numpy(array.copy())
    return tensors


def load_network():
    network = torchvision.models.mobilenet_v2()
    weights = read_safetensors(next((MOBILENET / "weights").glob("*.safetensors")))
    unknown = network.load_state_dict(weights, strict=False)
    missing = [name for name in unknown.missing_keys if not name.endswith("num_batches_tracked")]
    assert not missing and not unknown.unexpected_keys, unknown
    return network


def fiftyone_network():
    transforms = torchvision.transforms
    steps = [
        # FiftyOne gives a Pillow image in one of its paths, and an array in the other.
        lambda image: image if isinstance(image, Image.Image) else Image.fromarray(image),
        transforms.Resize(256),
        transforms.CenterCrop(224),
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
    config = {
        "model": None,
        "transforms": transforms.Compose(steps),
        "ragged_batches": False,
        "classes": (MOBILENET / "src/classes.txt").read_text().splitlines(),
        "entrypoint_fcn": load_network,
        "output_processor_cls": "fiftyone.utils.torch.ClassifierOutputProcessor",
        "embeddings_layer": "<classifier",
    }
    return fout.TorchImageModel(fout.TorchImageModelConfig(config))


def check_network():
    theirs, model = dataset(PHOTOS), fiftyone_network()
    theirs.apply_model(model, label_field="found", store_logits=True)
    ours = modelzoo("apply", MOBILENET, *PHOTOS, "found", "--store-logits")
    for name, label in by_name(theirs, "found").items():
        found = ours[name]["found"]
        assert found["label"] == label.label, f"{name}: {found['label']} instead of {label.label}"
        difference = abs(found["confidence"] - label.confidence)
        assert difference < TOLERANCE, f"{name}: confidence {found['confidence']} instead of {label.confidence}"
        logits = array(found["logits"])
        assert np.abs(logits - label.logits).max() < 0.05, (name, np.abs(logits - label.logits).max())
        print(f"  {name}: {label.label} {label.confidence:.4f}, here {found['confidence']:.4f}")
    for threshold in (0.5, 0.9):
        theirs.apply_model(model, label_field="sure", confidence_thresh=threshold)
        ours = modelzoo("apply", MOBILENET, *PHOTOS, "sure", "-t", threshold)
        for name, label in by_name(theirs, "sure").items():
            assert ours[name]["sure"].get("label") == label.label, (name, threshold)
    vectors = theirs.compute_embeddings(model)
    ours = modelzoo("embed", MOBILENET, *PHOTOS, "vector")
    for path, expected in zip(theirs.values("filepath"), vectors):
        found = np.array(ours[os.path.basename(path)]["vector"])
        cosine = found @ expected / np.linalg.norm(found) / np.linalg.norm(expected)
        assert found.shape == expected.shape and cosine > 0.999, (path, found.shape, cosine)


# --- what becomes of labels behind a model


def keypoint(label, confidence):
    return {"_cls": "Keypoint", "label": label, "points": [[0.25, 0.5], [0.75, 0.5]], "confidence": confidence}


def polyline(label, confidence=None):
    outline = {"points": [[[0.0, 0.5], [0.5, 0.5]]], "closed": True, "filled": False}
    return {"_cls": "Polyline", "label": label, "confidence": confidence, **outline}


def label_cases():
    """Labels of every type that thresholds and classes are about, as the reference numbers have them."""
    several = [("a", 0.25), ("b", 0.95), ("c", None), ("b", 0.5)]
    yield from (classification("a", 0.25), classification("b", 0.9), classification("a"))
    yield {"_cls": "Classifications", "classifications": [classification(*one) for one in several]}
    yield from (detection("a", 0.25), detection("b", 0.75))
    yield {"_cls": "Detections", "detections": [detection(*one) for one in several]}
    yield {"_cls": "Polylines", "polylines": [polyline(*one) for one in several]}
    yield {"_cls": "Keypoints", "keypoints": [keypoint("a", [0.25, 0.75]), keypoint("b", [0.75, 0.95])]}
    yield {"_cls": "Regression", "value": 2.5, "confidence": 0.25}
    yield {"_cls": "Regression", "value": 2.5, "confidence": 0.75}
    yield {"one": classification("a", 0.25), "two": {"_cls": "Detections", "detections": [detection("b", 0.75)]}}


def check_labels():
    count = 0
    for output in label_cases():
        for options in ({}, {"confidence_thresh": 0.5}, {"classes": ["b"]}, {"confidence_thresh": 0.9, "classes": ["b"]}):
            theirs = dataset(PHOTOS[:1])
            theirs.apply_model(Told(output), label_field="said", **options)
            ours = next(iter(told_here(output, *options_here(options)).values()))
            expected = {
                name: comparable(theirs.first()[name].to_dict())
                for name in theirs.get_field_schema()
                if name.startswith("said")
            }
            found = {name: comparable(label) for name, label in ours.items() if name.startswith("said")}
            assert found == expected, f"{output} with {options}:\n{found} instead of\n{expected}"
            count += 1
    print(f"  {count} cases of thresholds, classes and forms of output")


def check_failures(work):
    """A picture that cannot be read and one that the model fails on have no label in either; the others have."""
    photos = [os.path.join(work, f"failing_{number}.png") for number in range(4)]
    for number, path in enumerate(photos):
        Image.new("RGB", (16 + number, 16)).save(path)
    Path(photos[1]).write_bytes(b"no picture")
    output = classification("seen", 0.5)
    theirs = dataset(photos)
    theirs.apply_model(Told(output, fails_at_width=18), label_field="said", batch_size=1)
    expected = {name: label is not None for name, label in by_name(theirs, "said").items()}
    ours = told_here(output, "--set", "fails_at_width=18", photos=photos, code=8)
    assert {name: "said" in sample for name, sample in ours.items()} == expected
    assert sorted(expected.values()) == [False, False, True, True]
    assert all(("error" in sample) != ("said" in sample) for sample in ours.values())
    print("  failures: the same two of four pictures")


def photographs_as_png(work):
    """Decoders of JPEG differ a little; those of PNG do not."""
    paths = []
    for photo in PHOTOS[:2]:
        paths.append(os.path.join(work, Path(photo).stem + ".png"))
        Image.open(photo).convert("RGB").save(paths[-1])
    return paths


BOXES = [[0.1, 0.1, 0.5, 0.5], [0, 0, 1, 1], [0.3, 0.2, 0.1, 0.7], [0.9, 0.9, 0.3, 0.3], [-0.1, 0.4, 0.3, 0.2]]


def check_patches(work):
    """The patches of boxes, by their mean colours and sizes; and of a picture without boxes."""
    photos = photographs_as_png(work)
    theirs = dataset(photos)
    for sample, boxes in zip(theirs, (BOXES, [])):
        boxes = [{**detection("a"), "bounding_box": box} for box in boxes]
        sample["objects"] = fo.Detections(detections=[fo.Detection.from_dict(box) for box in boxes])
        sample.save()
    labels = os.path.join(work, "patches.jsonl")
    with open(labels, "w") as file:
        for path, boxes in zip(photos, (BOXES, [])):
            boxes = [{**detection("a"), "bounding_box": box} for box in boxes]
            sample = {"filepath": path, "objects": {"_cls": "Detections", "detections": boxes}}
            file.write(json.dumps(sample) + "\n")
    count = 0
    for alpha in (None, 0.5, -0.5):
        for square in (False, True):
            expected = theirs.compute_patch_embeddings(Told(), "objects", alpha=alpha, force_square=square)
            expected = expected[theirs.first().id]
            arguments = [] if alpha is None else ["--alpha", alpha]
            arguments += ["--force-square"] if square else []
            ours = modelzoo("embed", GIVEN, labels, "patch", "--patches", "objects", *arguments)
            boxes = ours[os.path.basename(photos[0])]["objects"]["detections"]
            for box, vector in zip(boxes, expected, strict=True):
                assert np.allclose(array(box["patch"]), vector, atol=1e-3), (alpha, square, box, vector)
                count += 1
    print(f"  {count} patches")
    for how, expected_count in (("skip", 0), ("image", 1)):
        vectors = theirs.compute_patch_embeddings(Told(), "objects", handle_missing=how)[theirs.last().id]
        assert len(vectors if vectors is not None else []) == expected_count
        ours = modelzoo("embed", GIVEN, labels, "patch", "--patches", "objects", "--handle-missing", how)
        found = [one for name, one in ours[os.path.basename(photos[1])].items() if "patch" in name]
        assert len(found) == expected_count, (how, ours)
        if found:
            assert np.allclose(found[0], vectors[0], atol=1e-3), (found, vectors)
    check_missing_patches(theirs, labels)


def check_missing_patches(theirs, labels):
    """`error` for the second of two pictures, which has no objects: it has no embeddings, and the first has its own.

    FiftyOne passes the error over with a warning; here it is in the results, and the exit code is 8.
    """
    options = {"patches_field": "objects", "handle_missing": "error"}
    vectors = theirs.compute_patch_embeddings(Told(), **options)
    assert vectors[theirs.last().id] is None and len(vectors[theirs.first().id]) == len(BOXES)
    arguments = ["embed", GIVEN, labels, "patch", "--patches", "objects", "--handle-missing", "error"]
    first, last = modelzoo(*arguments, code=8).values()
    found = [array(box["patch"]) for box in first["objects"]["detections"]]
    assert np.allclose(found, vectors[theirs.first().id], atol=1e-3), found
    assert last["error"] == "there are no patches in field `objects`", last
    try:
        theirs.compute_patch_embeddings(Told(), skip_failures=False, **options)
        raise AssertionError("FiftyOne did not raise")
    except ValueError as error:
        assert "has no patches" in str(error), error
    # The run stops there; what was done before stays on standard output.
    done = modelzoo(*arguments, "--no-skip-failures", code=1)
    assert [sample["filepath"] for sample in done.values()] == [first["filepath"]], done
    print("  missing patches: skipped, the picture itself, and an error")


def check_files(work):
    """Masks and maps in files: their names and what is in them."""
    generator = np.random.default_rng(7)
    mask = generator.integers(0, 5, (6, 8), dtype=np.uint8)
    wide = generator.integers(0, 1000, (6, 8), dtype=np.uint16)
    heat = generator.random((6, 8), dtype=np.float32)
    object_mask = generator.integers(0, 2, (3, 4), dtype=np.uint8).astype(bool)

    def told(values, kind):
        return {"shape": list(values.shape), "elements": {kind: values.flatten().tolist()}}

    ours_output = {
        "a": {"_cls": "Segmentation", "mask": told(mask, "u8")},
        "b": {"_cls": "Segmentation", "mask": told(wide, "u16")},
        "c": {"_cls": "Heatmap", "map": told(heat, "f32"), "range": [0.0, 1.0]},
        "d": {"_cls": "Detections", "detections": [{**detection("x"), "mask": told(object_mask, "bool")}]},
    }

    class Arrays(Told):
        def predict(self, image):
            box = fo.Detection.from_dict(detection("x"))
            box.mask = object_mask
            return {
                "a": fo.Segmentation(mask=mask),
                "b": fo.Segmentation(mask=wide),
                "c": fo.Heatmap(map=heat, range=[0.0, 1.0]),
                "d": fo.Detections(detections=[box]),
            }

    photos = []
    for folder in ("one", "two"):
        os.makedirs(os.path.join(work, "nested", folder))
        photos.append(os.path.join(work, "nested", folder, "0.png"))
        Image.new("RGB", (16, 16)).save(photos[-1])
    count = 0
    for rel_dir in (None, os.path.join(work, "nested")):
        theirs_dir, ours_dir = (os.path.join(work, f"files_{who}_{rel_dir is None}") for who in ("theirs", "ours"))
        theirs = dataset(photos)
        theirs.apply_model(Arrays(), label_field="said", output_dir=theirs_dir, rel_dir=rel_dir)
        arguments = ["--output-dir", ours_dir] + ([] if rel_dir is None else ["--rel-dir", rel_dir])
        setting = f"output={json.dumps({'labels': ours_output})}"
        out = os.path.join(work, "files.jsonl")
        modelzoo("apply", GIVEN, *photos, "said", "--set", setting, "-o", out, *arguments)
        ours = [json.loads(line) for line in open(out)]
        for sample, found in zip(theirs, ours, strict=True):
            for path, other in (
                (sample["said_a"].mask_path, found["said_a"]["mask_path"]),
                (sample["said_b"].mask_path, found["said_b"]["mask_path"]),
                (sample["said_c"].map_path, found["said_c"]["map_path"]),
                (sample["said_d"].detections[0].mask_path, found["said_d"]["detections"][0]["mask_path"]),
            ):
                names = os.path.relpath(path, theirs_dir), os.path.relpath(other, ours_dir)
                assert names[0] == names[1], names
                pixels = np.array(Image.open(path)), np.array(Image.open(other))
                assert pixels[0].shape == pixels[1].shape and (pixels[0] == pixels[1]).all(), (names, pixels)
                count += 1
    print(f"  {count} files of masks and maps: names and pixels")


def main(work):
    check_network()
    check_labels()
    check_failures(work)
    check_patches(work)
    check_files(work)
    print(f"fiftyone {fo.__version__} with torch {torch.__version__}, side by side: the same answers")


main(sys.argv[1])
