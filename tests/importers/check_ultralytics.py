"""Ultralytics' dataset loader reads what modelzoo exports as YOLO: boxes, outlines and keypoints."""

import os
import sys

import ultralytics
from ultralytics.data.dataset import YOLODataset
from ultralytics.data.utils import check_det_dataset

import samples


def load(folder, task):
    data = check_det_dataset(os.path.join(folder, "data.yaml"), autodownload=False)
    dataset = YOLODataset(img_path=data["val"], data=data, task=task, augment=False, imgsz=64)
    assert len(dataset) == samples.PICTURES
    return data, sorted(dataset.labels, key=lambda label: label["im_file"])


def centred(bounding_box):
    x, y, width, height = bounding_box
    return [x + width / 2, y + height / 2, width, height]


def check_boxes(folder):
    data, labels = load(folder, "detect")
    assert list(data["names"].values()) == samples.CLASSES, data["names"]
    for index, label in enumerate(labels):
        assert label["shape"] == (samples.HEIGHT, samples.WIDTH)
        samples.assert_same(label["cls"].flatten(), [1, 0], "classes")
        expected = [centred(one["bounding_box"]) for one in (samples.dog(index), samples.cat(index))]
        samples.assert_same(label["bboxes"], expected, "boxes")


def check_outlines(folder):
    _, labels = load(folder, "segment")
    for index, label in enumerate(labels):
        samples.assert_same(label["segments"][0], samples.road(index)["points"][0], "outline")
        samples.assert_same(label["cls"].flatten(), [3], "classes")


def check_points(folder):
    data, labels = load(folder, "pose")
    assert data["kpt_shape"] == [3, 3]
    for index, label in enumerate(labels):
        points = [[x, y, 2.0] for x, y in samples.person(index)["points"]]
        points[1] = [0.0, 0.0, 0.0]
        samples.assert_same(label["keypoints"], [points], "keypoints")


def main(work):
    check_boxes(os.path.join(work, "yolo_boxes"))
    check_outlines(os.path.join(work, "yolo_outlines"))
    check_points(os.path.join(work, "yolo_points"))
    print(f"ultralytics {ultralytics.__version__}: boxes, outlines, keypoints")


main(sys.argv[1])
