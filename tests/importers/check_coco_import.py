"""Generated COCO datasets of many kinds, imported by modelzoo beside pycocotools: the same counts, boxes, masks and areas, or
a difference that modelzoo tells."""

import base64
import contextlib
import io
import json
import os
import random
import subprocess
import sys
import zlib

import numpy as np
from pycocotools import mask as mask_api
from pycocotools.coco import COCO

FILES = 120


def polygon(random_, width, height):
    """Corners around a middle, which may stand out of the picture."""
    corners = random_.randint(3, 9)
    x, y = random_.uniform(0, width), random_.uniform(0, height)
    angles = sorted(random_.uniform(0, 2 * np.pi) for _ in range(corners))
    numbers = []
    for angle in angles:
        radius = random_.uniform(1, max(width, height) / 2)
        numbers += [x + radius * np.cos(angle), y + radius * np.sin(angle)]
    return [round(number, random_.choice([0, 1, 2, 6])) for number in numbers]


def run_lengths(random_, width, height, compact):
    pixels = np.zeros((height, width), np.uint8, order="F")
    for _ in range(random_.randint(1, 4)):
        left, top = random_.randrange(width), random_.randrange(height)
        pixels[top : top + random_.randint(1, height), left : left + random_.randint(1, width)] ^= 1
    encoded = mask_api.encode(pixels)
    if compact:
        return {"size": encoded["size"], "counts": encoded["counts"].decode()}
    flat, counts, current = pixels.flatten(order="F"), [], 0
    length = 0
    for pixel in flat:
        if pixel != current:
            counts.append(length)
            current, length = pixel, 0
        length += 1
    counts.append(length)
    return {"size": encoded["size"], "counts": counts}


def generate(index):
    """A dataset that pycocotools reads; its spelling differs from file to file."""
    random_ = random.Random(index)
    images, annotations = [], []
    for image in range(1, random_.randint(2, 5)):
        width, height = random_.randint(8, 90), random_.randint(8, 90)
        images.append({"id": image, "file_name": f"{index}/{image}.jpg", "width": width, "height": height})
        for _ in range(random_.randint(0, 5)):
            kind = random_.choice(["box", "polygon", "parts", "compact", "numbers", "crowd"])
            annotation = {
                "id": len(annotations) + 1,
                "image_id": image,
                "category_id": random_.choice([1, 7]),
                "iscrowd": random_.choice([0, 0.0, False]),
            }
            if kind == "polygon":
                annotation["segmentation"] = [polygon(random_, width, height)]
            elif kind == "parts":
                annotation["segmentation"] = [polygon(random_, width, height) for _ in range(random_.randint(2, 4))]
            elif kind in ("compact", "numbers", "crowd"):
                annotation["segmentation"] = run_lengths(random_, width, height, kind == "compact")
                annotation["iscrowd"] = int(kind == "crowd")
            x, y = random_.uniform(0, width - 2), random_.uniform(0, height - 2)
            annotation["bbox"] = [x, y, random_.uniform(1, width - x), random_.uniform(1, height - y)]
            if random_.random() < 0.3:
                annotation["score"] = round(random_.random(), 3)
            annotations.append(annotation)
    categories = [{"id": 7, "name": "dog"}, {"id": 1, "name": "cat", "supercategory": "animal"}]
    return {"images": images, "annotations": annotations, "categories": categories}


def mask_of(label):
    """An array of modelzoo's JSON: NumPy's format, compressed, in base64."""
    packed = base64.b64decode(label["mask"]["$binary"]["base64"])
    return np.load(io.BytesIO(zlib.decompress(packed)))


def placed(label, width, height):
    x, y, w, h = label["bounding_box"]
    mask = mask_of(label)
    # Half up, as boxes are rounded to the pixels of their masks.
    left, top = int(np.floor(max(x * width, 0) + 0.5 + 1e-9)), int(np.floor(max(y * height, 0) + 0.5 + 1e-9))
    whole = np.zeros((height, width), np.uint8)
    rows, columns = mask.shape
    whole[top : top + rows, left : left + columns] = mask[: height - top, : width - left]
    return whole


def imported(folder, dataset, name):
    path = os.path.join(folder, f"{name}.json")
    with open(path, "w") as file:
        json.dump(dataset, file)
    store, lines = os.path.join(folder, f"{name}.sqlite"), os.path.join(folder, f"{name}.jsonl")
    modelzoo = os.environ["MODELZOO"]
    run = subprocess.run([modelzoo, "dataset", "import", store, path, "--json"], capture_output=True, text=True)
    assert run.returncode in (0, 8), run.stderr
    subprocess.run([modelzoo, "dataset", "export", store, lines], check=True, capture_output=True)
    with open(lines) as file:
        return json.loads(run.stdout), [json.loads(line) for line in file]


def check(folder, index):
    dataset = generate(index)
    said, samples = imported(folder, dataset, str(index))
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(os.path.join(folder, f"{index}.json"))
    assert "left_out" not in said, said
    assert len(samples) == len(truth.imgs)
    masks = grown = 0
    for sample, image in zip(samples, dataset["images"]):
        width, height = image["width"], image["height"]
        expected = truth.imgToAnns[image["id"]]
        found = sample["ground_truth"]["detections"]
        assert len(found) == len(expected), (index, image)
        for label, annotation in zip(found, expected):
            assert label["label"] == truth.cats[annotation["category_id"]]["name"]
            assert label.get("confidence") == annotation.get("score")
            bbox = np.multiply(label["bounding_box"], [width, height, width, height])
            pixels = truth.annToMask(annotation) if annotation.get("segmentation") else None
            if pixels is None or pixels.sum() == 0:
                assert "mask" not in label or mask_of(label).sum() == 0
                assert np.allclose(bbox, annotation["bbox"]), (index, annotation)
                continue
            masks += 1
            assert (placed(label, width, height) == pixels).all(), (index, annotation)
            if not np.allclose(bbox, annotation["bbox"]):
                grown += 1
                x, y, w, h = annotation["bbox"]
                assert bbox[0] <= x + 1e-6 and bbox[1] <= y + 1e-6
                assert bbox[0] + bbox[2] >= x + w - 1e-6 and bbox[1] + bbox[3] >= y + h - 1e-6
    told = [note for note in said.get("notes", []) if "boxes are smaller than their masks" in note]
    assert (grown > 0) == bool(told), said
    assert not told or told[0].startswith(f"{grown} "), (grown, told)
    return masks, grown


def main(work):
    folder = os.path.join(work, "coco_import")
    os.makedirs(folder)
    counts = [check(folder, index) for index in range(FILES)]
    masks, grown = map(sum, zip(*counts))
    print(f"{FILES} datasets, {masks} masks as pycocotools has them, {grown} boxes told to be grown to their masks")


if __name__ == "__main__":
    main(sys.argv[1])
