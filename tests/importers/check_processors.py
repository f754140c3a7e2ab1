"""FiftyOne's output processors and those of `modelzoo-candle` on the same outputs of a network: the same labels.

tests/plugins/processors is a model whose network's outputs are told to it. Where FiftyOne crashes, or makes what cannot
be meant, the check says so and what is made here instead. Numbers are fractions of two, so that both compute them
exactly and a score can be equal to a threshold.
"""

import json

import fiftyone as fo
import fiftyone.utils.torch as fout
import numpy as np
import torch

from beside import PHOTOS, ROOT, array, comparable, modelzoo, options_here

PROCESSORS = ROOT / "tests/plugins/processors"
CLASSES = ["a", "b", "c"]

OPTIONS = (
    {},
    {"confidence_thresh": 0.5},
    {"classes": ["b", "c"]},
    {"confidence_thresh": 0.25, "classes": ["a"]},
    {"confidence_thresh": 0.0},
)

generator = np.random.default_rng(11)


def fractions(shape, denominator=64):
    """Numbers from 0 to 1, both included."""
    return generator.integers(0, denominator + 1, shape) / denominator


def here(outputs, options={}, code=0):
    """The label of our processors, or labels by name; or why there is none."""
    arguments = ["--set", f"outputs={json.dumps(outputs)}", *options_here(options)]
    (sample,) = modelzoo("apply", PROCESSORS, PHOTOS[0], "said", *arguments, code=code).values()
    if code != 0:
        return sample["error"]
    if "said" in sample:
        return sample["said"]
    return {name.removeprefix("said_"): label for name, label in sample.items() if name.startswith("said_")}


def tensors(**values):
    """A network's outputs for one picture, as FiftyOne's processors take them."""
    return {name: torch.tensor(np.array(value)) for name, value in values.items()}


def objects(corners, classes, scores=None):
    scores = [None] * len(classes) if scores is None else [float(score) for score in scores]
    return [
        {"corners": [float(edge) for edge in box], "class": int(number), "score": score}
        for box, number, score in zip(corners, classes, scores, strict=True)
    ]


def raises(call, *kinds):
    try:
        call()
    except kinds:
        return
    raise AssertionError(f"FiftyOne no longer raises {kinds}: compare with what it does now")


def f32(values):
    return np.asarray(values, np.float32)


# --- classes and boxes


def check_classifier():
    rows = [[0.5, 2.0, 2.0], [3.0, -1.0, 0.25], [0.0, 0.0, 0.0]]
    count = 0
    for logits in rows:
        for options in OPTIONS:
            processor = fout.ClassifierOutputProcessor(classes=CLASSES, store_logits=True)
            (expected,) = processor(torch.tensor([logits]), (8, 8), **options)
            found = here({"classifier": {"logits": logits}}, options)
            assert found.get("label") == expected.label, (logits, options, found, expected)
            assert np.isclose(found.get("confidence") or 0, expected.confidence or 0, atol=1e-6), (found, expected)
            count += 1
    # FiftyOne's softmax overflows from 89 on; this one cannot.
    assert here({"classifier": {"logits": [500.0, 100.0, 0.0]}})["confidence"] == 1.0
    print(f"  classifier: {count} cases")


def random_boxes(count, width, height):
    """Boxes within a picture, edges at halves and quarters."""
    x, y = (np.sort(generator.integers(0, 4 * most + 1, (count, 2)) / 4) for most in (width, height))
    return np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], axis=1)


def check_detector():
    size = (16, 8)
    corners = np.concatenate([random_boxes(9, *size), [[-4, -2, 4, 4], [8, 4, 32, 16], [3, 3, 3, 3]]])
    classes, scores = np.arange(12) % 3, fractions(12, 4)
    for options in OPTIONS:
        output = tensors(boxes=f32(corners), labels=classes, scores=f32(scores))
        (expected,) = fout.DetectorOutputProcessor(classes=CLASSES)([output], size, **options)
        found = here({"detector": {"size": size, "boxes": objects(corners, classes, scores)}}, options)
        assert comparable(found) == plain(expected), options
    stranger = tensors(boxes=f32([[0, 0, 1, 1]]), labels=[3], scores=f32([0.5]))
    raises(lambda: fout.DetectorOutputProcessor(classes=CLASSES)([stranger], size), IndexError)
    told = here({"detector": {"size": size, "boxes": objects([[0, 0, 1, 1]], [3], [0.5])}}, code=8)
    assert told == "the network found class 3, but there are names for 3 only", told
    print(f"  detector: {len(OPTIONS)} cases of {len(corners)} boxes")


def plain(label):
    """FiftyOne's label in comparable form, with Python's numbers instead of NumPy's, and without ids."""
    number = lambda value: value.item() if isinstance(value, np.generic) else None
    return comparable(json.loads(json.dumps(label.to_dict(), default=number)))


# --- masks of objects


WIDTH, HEIGHT = 16, 8


def compare_instances(corners, mask_thresh=0.5, scores=None, options={}):
    """Objects with random masks in both. Gives pairs of FiftyOne's and our detections, and the masks."""
    count = len(corners)
    masks, classes = fractions((count, HEIGHT, WIDTH)), np.arange(count) % 3
    output = tensors(boxes=f32(corners), labels=classes, masks=f32(masks[:, np.newaxis]))
    if scores is not None:
        output["scores"] = torch.tensor(f32(scores))
    processor = fout.InstanceSegmenterOutputProcessor(classes=CLASSES, mask_thresh=mask_thresh)
    (expected,) = processor([output], (WIDTH, HEIGHT), **options)
    told = {
        "size": (WIDTH, HEIGHT),
        "boxes": objects(corners, classes, scores),
        "masks": masks.flatten().tolist(),
        "mask_threshold": mask_thresh,
    }
    found = here({"instance_segmenter": told}, options)["detections"]
    assert len(found) == len(expected.detections), (options, len(found), len(expected.detections))
    pairs = list(zip(expected.detections, found))
    for theirs, ours in pairs:
        assert (ours["label"], ours.get("confidence")) == (theirs.label, theirs.confidence), (ours, theirs)
    return pairs, masks


def assert_same(pairs):
    for theirs, ours in pairs:
        assert np.array_equal(f32(ours["bounding_box"]), f32(theirs.bounding_box)), (ours, theirs)
        assert_same_mask(array(ours["mask"]), theirs.mask, theirs)


def assert_same_mask(found, expected, what):
    assert found.shape == expected.shape, (found.shape, expected.shape, what)
    assert np.array_equal(found.astype(bool), expected), (found, expected, what)


def check_instances():
    boxes = random_boxes(60, WIDTH, HEIGHT)
    # Every way to round a half: 0.5 and 2.5 down to even, 1.5 and 3.5 up.
    halves = [[x / 2, y / 2, x / 2 + 4.5, y / 2 + 2.5] for x in range(8) for y in range(8)]
    # Rounded to nothing; without any size; and with edges in the wrong order.
    empty = [[2.5, 1, 3.5, 4], [1, 1.5, 8, 2.5], [3, 3, 3, 3], [8, 0, 4, 8], [0, 6, 8, 2], [16, 8, 16, 8]]
    for corners in (boxes, halves, empty):
        pairs, _ = compare_instances(corners)
        assert_same(pairs)
    for mask_thresh in (0.0, 0.25, 63 / 64, 1.0):
        assert_same(compare_instances(boxes[:20], mask_thresh)[0])
    for options in OPTIONS:
        assert_same(compare_instances(boxes[:20], scores=fractions(20, 4), options=options)[0])
    # Without scores FiftyOne's processor lets all objects pass. Here the host has the last word, and leaves out what has
    # no confidence where a threshold is asked for, whichever model it is of: as FiftyOne does behind other models.
    assert_same(compare_instances(boxes[:20])[0])
    output = {"size": (1, 1), "boxes": objects([[0, 0, 1, 1]], [0]), "masks": [1.0], "mask_threshold": 0.5}
    assert here({"instance_segmenter": output}, {"confidence_thresh": 0.5})["detections"] == []
    print(f"  instance segmenter: masks of {len(boxes) + len(halves) + len(empty) + 200} boxes, pixel by pixel")


def check_instances_beyond_the_picture():
    # Beyond the right and the lower edge both cut the mask. FiftyOne keeps the box, which the mask then does not fill;
    # here it ends where the mask does.
    pairs, _ = compare_instances([[8.5, 2.5, 30, 20], [4, 4, 17, 8.4], [20, 2, 30, 4], [2, 9, 4, 12]])
    for theirs, ours in pairs:
        assert_same_mask(array(ours["mask"]), theirs.mask, theirs)
        assert np.allclose(ours["bounding_box"], clipped(theirs.bounding_box)), (ours, theirs)
    # Below 0 FiftyOne counts from the other end, as Python does, and has no pixels or the wrong ones. Here the mask is
    # the part within the picture, as on the other side.
    corners = [[-3, -2, 4.5, 3.5], [-8, 1, 6, 7], [-9, -9, -4, -4], [-4, -4, 40, 40]]
    pairs, masks = compare_instances(corners)
    for (theirs, ours), mask, (left, top, right, bottom) in zip(pairs, masks, corners):
        rows, columns = slice(max(round(top), 0), max(round(bottom), 0)), slice(max(round(left), 0), max(round(right), 0))
        assert_same_mask(array(ours["mask"]), mask[rows, columns] > 0.5, ours)
        assert np.allclose(ours["bounding_box"], clipped(theirs.bounding_box)), (ours, theirs)
    assert pairs[0][0].mask.size == 0, "FiftyOne no longer loses the mask of a box beyond the upper left corner"
    # An edge that is no number ends FiftyOne's whole batch; here it fails the picture.
    raises(lambda: compare_instances([[float("nan"), 0, 4, 4]]), ValueError)
    output = {"size": (1, 1), "boxes": objects([[0, 0, 1, 1]], [5]), "masks": [1.0], "mask_threshold": 0.5}
    told = here({"instance_segmenter": output}, code=8)
    assert told == "the network found class 5, but there are names for 3 only", told
    print("  instance segmenter: 8 boxes beyond the picture, cut at its edges")


def clipped(bounding_box):
    x, y, width, height = bounding_box
    left, top, right, bottom = np.clip([x, y, x + width, y + height], 0, 1)
    return [left, top, right - left, bottom - top]


# --- masks of pictures


def check_semantic_segmenter():
    count = 0
    # Many ties, of which the first class wins.
    probabilities = fractions((3, 8, 6), 4)
    logits = generator.integers(-8, 9, (5, 6, 7)) / 2
    for scores, softmax in ((probabilities, False), (logits, True), (logits[:1], True)):
        for lacks_background in (False, True):
            for threshold in (None, 0.0, 0.25, 0.5, 1.0):
                options = {} if threshold is None else {"confidence_thresh": threshold}
                processor = fout.SemanticSegmenterOutputProcessor(
                    no_background_cls=lacks_background, has_softmax_out=not softmax
                )
                (expected,) = processor(tensors(out=f32(scores[np.newaxis])), (6, 8), **options)
                told = {
                    "shape": scores.shape,
                    "scores": scores.flatten().tolist(),
                    "lacks_background": lacks_background,
                    "softmax": softmax,
                }
                found = array(here({"semantic_segmenter": told}, options)["mask"])
                assert found.shape == expected.mask.shape, (found.shape, expected.mask.shape)
                assert (found == expected.mask).all(), (told, options, found, expected.mask)
                count += 1
    print(f"  semantic segmenter: {count} masks, pixel by pixel")


# --- points


SIZE = (512, 256)


def random_joints(count):
    """Points in a picture, some beyond it, some that cannot be seen; and logits."""
    x, y = (generator.integers(-8, most + 8, (count, 5)) for most in SIZE)
    return np.stack([x, y, generator.integers(0, 3, (count, 5))], axis=2), generator.integers(-4, 5, (count, 5)) / 2


def joints(points, logits):
    return [
        [(point, logit) for point, logit in zip(points, logits)]
        for points, logits in zip(points.astype(float).tolist(), logits.tolist())
    ]


def check_keypoints():
    points, logits = random_joints(6)
    for options in OPTIONS:
        threshold = {key: value for key, value in options.items() if key == "confidence_thresh"}
        output = tensors(keypoints=f32(points[:, :, :2]), keypoints_scores=f32(logits))
        (expected,) = fout.KeypointOutputProcessor()([output], SIZE, **threshold)
        # This processor knows nothing of visibility.
        visible = np.concatenate([points[:, :, :2], np.ones((6, 5, 1))], axis=2)
        found = here({"keypoints": {"size": SIZE, "points": joints(visible, logits)}}, threshold)
        assert comparable(found) == plain(expected), threshold

    corners, classes, scores = random_boxes(6, *SIZE), np.arange(6) % 3, fractions(6, 4)
    for options in OPTIONS:
        output = tensors(
            boxes=f32(corners),
            labels=classes,
            scores=f32(scores),
            keypoints=f32(points),
            keypoints_scores=f32(logits),
        )
        (expected,) = fout.KeypointDetectorOutputProcessor(classes=CLASSES)([output], SIZE, **options)
        boxes = objects(corners, classes, scores)
        found = here({"keypoint_detector": {"size": SIZE, "boxes": boxes, "points": joints(points, logits)}}, options)
        for name, label in expected.items():
            assert comparable(found[name]) == plain(label), (name, options)
    print(f"  keypoints and keypoint detector: {2 * len(OPTIONS)} cases")


def check_single_precision():
    """Thresholds are compared in single precision: 0.9 in single precision, 0.89999998, reaches 0.9. So they are by
    NumPy 2, and so by FiftyOne; with NumPy 1, which Debian's PyTorch needs, it compares single numbers in double."""
    found = here({"detector": {"size": (1, 1), "boxes": objects([[0, 0, 1, 1]], [0], [0.9])}}, {"confidence_thresh": 0.9})
    assert len(found["detections"]) == 1, found
    output = tensors(boxes=f32([[0, 0, 1, 1]]), labels=[0], scores=f32([0.9]))
    (theirs,) = fout.DetectorOutputProcessor(classes=CLASSES)([output], (1, 1), confidence_thresh=0.9)
    assert len(theirs.detections) == (0 if np.__version__.startswith("1.") else 1), np.__version__


def main():
    check_classifier()
    check_detector()
    check_instances()
    check_instances_beyond_the_picture()
    check_semantic_segmenter()
    check_keypoints()
    check_single_precision()
    print(f"fiftyone {fo.__version__} with torch {torch.__version__}, output processors: the same labels")


main()
