"""Average precision and recall of boxes, by modelzoo and by pycocotools' evaluator: the same twelve numbers, for generated
boxes and for what a model finds in photographs."""

import contextlib
import io
import json
import os
import random
import subprocess
import sys
from importlib.metadata import version

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
GENERATED = 60
# In the order of the evaluator's summary.
NAMES = [
    "map",
    "map_50",
    "map_75",
    "map_small",
    "map_medium",
    "map_large",
    "recall_1",
    "recall_10",
    "recall_100",
    "recall_small",
    "recall_medium",
    "recall_large",
]
CLASSES = ["bird", "cat", "dog", "horse"]


def of_pycocotools(truth, results):
    with contextlib.redirect_stdout(io.StringIO()):
        there = COCO()
        there.dataset = truth
        there.createIndex()
        evaluator = COCOeval(there, there.loadRes(results), "bbox")
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    return {name: None if value < 0 else float(value) for name, value in zip(NAMES, evaluator.stats)}


def assert_same(ours, theirs, what):
    for name in NAMES:
        own, other = ours[name], theirs[name]
        is_same = own == other if None in (own, other) else abs(own - other) < 1e-12
        assert is_same, f"{what}: {name} is {own}, and pycocotools says {other}"


def near(random_, box):
    """A box that shares more or less with this one."""
    x, y, width, height = box
    by = random_.choice([0, 0.05, 0.2, 0.5])
    moved = [x + random_.uniform(-by, by) * width, y + random_.uniform(-by, by) * height]
    return moved + [width * random_.uniform(1 - by, 1 + by), height * random_.uniform(1 - by, 1 + by)]


def generate(seed):
    """A dataset and results: crowds, ties, classes that nobody has or finds, more boxes than count, areas unlike the box's."""
    random_ = random.Random(seed)
    images, annotations, results = [], [], []
    for image in range(1, random_.randint(2, 12)):
        images.append({"id": image, "width": 640, "height": 480})
        boxes = []
        for _ in range(random_.choice([0, 1, 3, 8, 20])):
            size = random_.choice([8, 32, 60, 96, 200])
            whole = random_.choice([True, False])
            box = [random_.uniform(0, 400), random_.uniform(0, 300)] + [size * random_.uniform(0.5, 1.5) for _ in range(2)]
            box = [float(round(number)) for number in box] if whole else box
            category = random_.randint(1, 3)
            boxes.append((category, box))
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": category,
                    "bbox": box,
                    "area": box[2] * box[3] * random_.choice([1, 1, 0.5]),
                    "iscrowd": int(random_.random() < 0.1),
                }
            )
        for category, box in boxes * random_.choice([0, 1, 2, 9]):
            category = random_.choice([category, category, category, random_.randint(1, 4)])
            score = random_.choice([random_.random(), 0.5, 0.75])
            results.append({"image_id": image, "category_id": category, "bbox": near(random_, box), "score": score})
    # The evaluator cannot read an empty list.
    if not results:
        results.append({"image_id": 1, "category_id": 4, "bbox": [1.0, 1.0, 9.0, 9.0], "score": 0.1})
    categories = [{"id": number, "name": name} for number, name in enumerate(CLASSES, 1)]
    return {"images": images, "annotations": annotations, "categories": categories, "info": {}}, results


def as_pictures(truth, results):
    def named(one):
        return CLASSES[one["category_id"] - 1]

    def there(one):
        return {"class": named(one), "bbox": one["bbox"], "area": one["area"], "is_crowd": bool(one["iscrowd"])}

    def found(one):
        return {"class": named(one), "bbox": one["bbox"], "confidence": one["score"]}

    def of(image, list_, shape):
        return [shape(one) for one in list_ if one["image_id"] == image["id"]]

    return [
        {"truth": of(image, truth["annotations"], there), "found": of(image, results, found)}
        for image in truth["images"]
    ]


def check_generated():
    for seed in range(GENERATED):
        truth, results = generate(seed)
        done = subprocess.run(
            [os.environ["MODELZOO_EVALUATION"]],
            input=json.dumps(as_pictures(truth, results)),
            capture_output=True,
            text=True,
            check=True,
        )
        assert_same(json.loads(done.stdout), of_pycocotools(truth, results), f"generated {seed}")


def modelzoo(*arguments):
    done = subprocess.run([os.environ["MODELZOO"], *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_real(work):
    """What a detector finds, compared with what it finds where it is surer, some of it moved and left out."""
    model, photos = os.path.join(ROOT, "plugins", "nanodet"), os.path.join(ROOT, "examples", "photos")
    truth = os.path.join(work, "evaluation_truth.json")
    modelzoo("apply", model, photos, "-o", truth, "--format", "coco", "-t", "0.3")
    with open(truth) as file:
        dataset = json.load(file)
    random_ = random.Random(7)
    kept = [one for one in dataset["annotations"] if random_.random() < 0.8]
    for one in kept:
        one["bbox"] = near(random_, one["bbox"])
        one["area"] = one["bbox"][2] * one["bbox"][3] * random_.choice([1, 0.4])
        one["iscrowd"] = int(random_.random() < 0.1)
        del one["score"]
    dataset["annotations"] = kept
    dataset.setdefault("info", {})
    with open(truth, "w") as file:
        json.dump(dataset, file)
    results = os.path.join(work, "evaluation_results.json")
    modelzoo("apply", model, photos, "-o", results, "--format", "coco-results", "-t", "0.05")
    with open(results) as file:
        found = json.load(file)
    scores = json.loads(modelzoo("evaluate", model, truth, "-t", "0.05", "--json"))["detection"]
    assert scores["objects"] > 3 and 0.05 < scores["map"] < 1, scores
    assert_same(scores, of_pycocotools(dataset, found), "photographs")


def main(work):
    check_generated()
    check_real(work)
    print(f"pycocotools {version('pycocotools')}: {GENERATED} generated datasets and what a detector finds")


main(sys.argv[1])
