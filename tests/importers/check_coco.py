"""pycocotools and its evaluator, and supervision, read what modelzoo exports as COCO."""

import contextlib
import io
import json
import os
import sys
from importlib.metadata import version

import numpy as np
import supervision
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import samples


def quietly(work):
    with contextlib.redirect_stdout(io.StringIO()):
        return work()


def placed_mask(index):
    whole = np.zeros((samples.HEIGHT, samples.WIDTH), np.uint8)
    x, y, width, height = map(int, samples.pixels(samples.dog(index)["bounding_box"]))
    whole[y : y + height, x : x + width] = samples.mask(index)
    return whole


def check_dataset(path):
    coco = quietly(lambda: COCO(path))
    assert len(coco.imgs) == samples.PICTURES
    assert [category["name"] for category in coco.cats.values()] == samples.CLASSES
    for index, image in enumerate(sorted(coco.imgs)):
        assert (coco.imgs[image]["width"], coco.imgs[image]["height"]) == (samples.WIDTH, samples.HEIGHT)
        annotations = {coco.cats[one["category_id"]]["name"]: one for one in coco.imgToAnns[image]}
        for expected in (samples.dog(index), samples.cat(index)):
            found = annotations[expected["label"]]
            samples.assert_same(found["bbox"], samples.pixels(expected["bounding_box"]), "bbox")
            samples.assert_same(found["score"], expected["confidence"], "score")
        mask = placed_mask(index)
        assert annotations["dog"]["area"] == mask.sum()
        assert (coco.annToMask(annotations["dog"]) == mask).all()


def check_objects(path):
    coco = quietly(lambda: COCO(path))
    for index, image in enumerate(sorted(coco.imgs)):
        annotations = {coco.cats[one["category_id"]]["name"]: one for one in coco.imgToAnns[image]}
        person, expected = annotations["person"], samples.person(index)
        points = [[x * samples.WIDTH, y * samples.HEIGHT, 2.0] for x, y in expected["points"]]
        points[1] = [0.0, 0.0, 0.0]
        samples.assert_same(person["keypoints"], sum(points, []), "keypoints")
        assert person["num_keypoints"] == 2
        # The dog's mask is a chequerboard: each of its pixels is a region with an outline of its own.
        assert len(annotations["dog"]["segmentation"]) == placed_mask(index).sum()
        road, expected = annotations["road"], samples.road(index)["points"][0]
        outline = sum(([x * samples.WIDTH, y * samples.HEIGHT] for x, y in expected), [])
        samples.assert_same(road["segmentation"], [outline], "segmentation")
    assert coco.cats[1]["keypoints"] == samples.KEYPOINTS and coco.cats[1]["skeleton"] == [[1, 2], [1, 3]]


def evaluate(truth, results, kind, sigmas=None):
    """What the evaluator says of results that are the truth itself."""

    def run():
        found = truth.loadRes(results)
        evaluator = COCOeval(truth, found, kind)
        if sigmas is not None:
            evaluator.params.kpt_oks_sigmas = sigmas
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
        return evaluator.stats[0]

    return quietly(run)


def check_results(work):
    truth = quietly(lambda: COCO(os.path.join(work, "coco_run_lengths.json")))
    results = os.path.join(work, "coco_results.json")
    for kind in ("bbox", "segm"):
        # Cats have no mask: only the dogs take part in the second.
        if kind == "segm":
            with_masks = [one for one in json.load(open(results)) if "segmentation" in one]
            truth.dataset["annotations"] = [one for one in truth.dataset["annotations"] if "segmentation" in one]
            quietly(truth.createIndex)
            results = os.path.join(work, "coco_results_with_masks.json")
            json.dump(with_masks, open(results, "w"))
        precision = evaluate(truth, results, kind)
        assert precision > 0.999, f"average precision of {kind} is {precision} instead of 1"
    people = quietly(lambda: COCO(os.path.join(work, "coco.json")))
    people.dataset["annotations"] = [one for one in people.dataset["annotations"] if "keypoints" in one]
    quietly(people.createIndex)
    precision = evaluate(
        people, os.path.join(work, "coco_keypoint_results.json"), "keypoints", np.full(len(samples.KEYPOINTS), 0.05)
    )
    assert precision > 0.999, f"average precision of keypoints is {precision} instead of 1"


def check_supervision(work):
    path = os.path.join(work, "coco.json")
    dataset = supervision.DetectionDataset.from_coco(images_directory_path=work, annotations_path=path)
    assert dataset.classes == samples.CLASSES and len(dataset) == samples.PICTURES
    for index, (_, image, detections) in enumerate(dataset):
        assert image.shape == (samples.HEIGHT, samples.WIDTH, 3)
        x, y, width, height = samples.pixels(samples.cat(index)["bounding_box"])
        cats = detections[detections.class_id == 0]
        samples.assert_same(cats.xyxy, [[x, y, x + width, y + height]], "xyxy")
    yolo = os.path.join(work, "yolo_boxes")
    dataset = supervision.DetectionDataset.from_yolo(
        images_directory_path=os.path.join(yolo, "images"),
        annotations_directory_path=os.path.join(yolo, "labels"),
        data_yaml_path=os.path.join(yolo, "data.yaml"),
    )
    assert len(dataset) == samples.PICTURES
    assert sorted(dataset.annotations[sorted(dataset.annotations)[0]].class_id) == [0, 1]


def main(work):
    check_dataset(os.path.join(work, "coco_run_lengths.json"))
    check_objects(os.path.join(work, "coco.json"))
    check_results(work)
    check_supervision(work)
    print(f"pycocotools {version('pycocotools')}, supervision {supervision.__version__}: datasets and evaluation")


main(sys.argv[1])
