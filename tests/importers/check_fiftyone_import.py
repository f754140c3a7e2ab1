"""Generated annotation files of COCO, YOLO, Pascal VOC, CVAT and FiftyOne itself, read by FiftyOne's importers and by
modelzoo: the same labels, boxes, masks, outlines, points and attributes, or a difference that is named here."""

import json
import math
import os
import random
import subprocess
import sys
from xml.sax.saxutils import quoteattr

import fiftyone as fo
import fiftyone.utils.coco as fouc
import fiftyone.utils.cvat as foucv
import fiftyone.utils.voc as fouv
import fiftyone.utils.yolo as fouy
import numpy as np
from PIL import Image

from beside import array

# How many files of each format.
FILES = 25

# Names that programs stumble over.
CLASSES = ["cat", "Hund & Katze", "a<b>", "größe", "two words", "7", "it's \"quoted\""]


def number(random_, least, greatest):
    """A number in one of the precisions that programs write."""
    value = random_.uniform(least, greatest)
    return random_.choice([round(value), round(value, 2), value])


def pictures(folder, random_):
    """Some pictures of odd sizes: their names with their sizes."""
    os.makedirs(folder)
    made = {}
    for index in range(random_.randint(1, 4)):
        width, height = random_.randint(9, 90), random_.randint(9, 90)
        name = random_.choice(["{}.png", "no {}.png", "ä{}.png", "{}.v2.png"]).format(index)
        Image.new("RGB", (width, height), (index, 2, 3)).save(os.path.join(folder, name))
        made[name] = (width, height)
    return made


def bbox(random_, width, height):
    x, y = number(random_, 0, width - 3), number(random_, 0, height - 3)
    return [x, y, number(random_, 1, width - x), number(random_, 1, height - y)]


def outline(random_, width, height):
    return [[number(random_, 0, width), number(random_, 0, height)] for _ in range(random_.randint(3, 8))]


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def imported(source, place, *options):
    """The samples that modelzoo reads, by the names of their files, and what it told."""
    store, lines = f"{place}.sqlite", f"{place}.jsonl"
    modelzoo = os.environ["MODELZOO"]
    command = [modelzoo, "dataset", "import", store, source, "--json", *options]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode in (0, 8), run.stderr
    subprocess.run([modelzoo, "dataset", "export", store, lines], check=True, capture_output=True)
    with open(lines) as file:
        samples = [json.loads(line) for line in file]
    return {os.path.basename(sample["filepath"]): sample for sample in samples}, json.loads(run.stdout)


def plain(value):
    """A value as both can be compared."""
    if isinstance(value, dict) and "$numberDouble" in value:
        return None
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float, np.number)):
        return None if math.isnan(value) else round(float(value), 7)
    return value


def facts_of_theirs(label, without=()):
    """A label's values of FiftyOne, but for those that say nothing, and its mask."""
    facts = {}
    for name in label.field_names:
        value = label[name]
        if name in ("id", "attributes", "mask", "mask_path", "instance", *without) or value in (None, []):
            continue
        facts[name] = plain(value)
    return facts


def facts_of_ours(label, without=()):
    passed = ("_cls", "_id", "mask", *without)
    return {name: plain(value) for name, value in label.items() if name not in passed and value not in (None, [], {})}


def assert_labels(ours, theirs, where, without=()):
    assert len(ours) == len(theirs), (where, len(ours), len(theirs))
    for mine, their in zip(ours, theirs):
        found, expected = facts_of_ours(mine, without), facts_of_theirs(their, without)
        assert found == expected, f"{where}:\n  modelzoo {found}\n  FiftyOne {expected}"
    return len(ours)


def list_of(sample, field, kind):
    return (sample.get(field) or {}).get(kind, [])


# COCO


def coco_of(random_, made):
    images, annotations = [], []
    for index, (name, (width, height)) in enumerate(made.items()):
        images.append({"id": index + 10, "file_name": name, "width": width, "height": height})
        for _ in range(random_.randint(0, 4)):
            annotation = {
                "id": len(annotations),
                "image_id": index + 10,
                "category_id": random_.choice([3, 1, 90]),
                "bbox": bbox(random_, width, height),
                "iscrowd": 0,
            }
            kind = random_.choice(["box", "outline", "parts", "attributes", "points", "score"])
            if kind in ("outline", "parts"):
                parts = [outline(random_, width, height) for _ in range(1 if kind == "outline" else 2)]
                annotation["segmentation"] = [sum(part, []) for part in parts]
                # Boxes that lie on pixels, so that both cut the mask alike.
                xs, ys = zip(*sum(parts, []))
                left, top = math.floor(min(xs)), math.floor(min(ys))
                annotation["bbox"] = [left, top, math.ceil(max(xs)) - left, math.ceil(max(ys)) - top]
            elif kind == "attributes":
                annotation["attributes"] = {"occluded": random_.random() < 0.5, "color": "red", "count": 3}
                annotation["truncated"] = 0.5
            elif kind == "points":
                points = [[number(random_, 0, width), number(random_, 0, height), random_.choice([0, 1, 2])]
                          for _ in range(3)]
                annotation["keypoints"] = sum(([0, 0, 0] if point[2] == 0 else point for point in points), [])
                annotation["num_keypoints"] = sum(point[2] > 0 for point in points)
            elif kind == "score":
                annotation["score"] = round(random_.random(), 4)
            annotations.append(annotation)
    categories = [{"id": id_, "name": name} for id_, name in zip([90, 1, 3], random_.sample(CLASSES, 3))]
    return {"info": {}, "images": images, "annotations": annotations, "categories": categories}


def check_coco(folder, random_):
    made = pictures(os.path.join(folder, "data"), random_)
    write(os.path.join(folder, "labels.json"), json.dumps(coco_of(random_, made)))
    ours, said = imported(folder, f"{folder}_ours")
    assert "left_out" not in said, said
    importer = fouc.COCODetectionDatasetImporter(
        dataset_dir=folder, label_types=["detections", "segmentations", "keypoints"], include_annotation_id=False
    )
    count = 0
    with importer:
        for path, metadata, label in importer:
            sample = ours.pop(os.path.basename(path))
            assert (sample["metadata"]["width"], sample["metadata"]["height"]) == (metadata.width, metadata.height)
            # FiftyOne says of every object that it is no crowd, and how many of its points there are.
            without = ("iscrowd", "num_keypoints")
            mine = list_of(sample, "ground_truth", "detections")
            theirs = label["detections"].detections if "detections" in label else []
            count += assert_labels(mine, theirs, path, without)
            # An outline that covers no pixel has no mask here.
            segmented = label["segmentations"].detections if "segmentations" in label else []
            theirs = [one.mask for one in segmented if one.mask is not None and one.mask.any()]
            masks = [array(one["mask"]).astype(bool) for one in mine if "mask" in one]
            assert len(masks) == len(theirs), path
            assert all(np.array_equal(one, their) for one, their in zip(masks, theirs)), path
            points = label["keypoints"].keypoints if "keypoints" in label else []
            for point in points:
                # Here that is kept only where something is hidden.
                if 1 not in point.visible:
                    point.visible = None
            assert_labels(list_of(sample, "ground_truth_keypoints", "keypoints"), points, path, without)
    assert not ours, ours
    return count


# YOLO


def yolo_rows(random_, classes):
    rows = []
    for _ in range(random_.randint(0, 5)):
        x, y, w, h = (random_.uniform(0.1, 0.5) for _ in range(4))
        places = random_.choice([3, 6, 17])
        row = [random_.randrange(classes + 1)] + [round(value, places) for value in (x + w / 2, y + h / 2, w, h)]
        kind = random_.choice(["box", "score", "outline"])
        if kind == "score":
            row.append(round(random_.random(), 3))
        elif kind == "outline":
            row = row[:1] + [round(random_.random(), places) for _ in range(2 * random_.randint(3, 6))]
        rows.append(random_.choice([" ", "  ", "\t"]).join(map(str, row)))
    return rows


def check_yolo(folder, random_):
    is_old = random_.random() < 0.3
    classes = random_.sample(CLASSES, 4)
    images = os.path.join(folder, "data" if is_old else "images/val")
    made = pictures(images, random_)
    for name in made:
        if random_.random() < 0.85:
            text = random_.choice(["\n", "\r\n"]).join(yolo_rows(random_, len(classes)))
            labels = images if is_old else os.path.join(folder, "labels/val")
            write(os.path.join(labels, os.path.splitext(name)[0] + ".txt"), text)
    if is_old:
        write(os.path.join(folder, "obj.names"), "\n".join(classes) + "\n")
        write(os.path.join(folder, "images.txt"), "".join(f"data/{name}\n" for name in made))
        importers = [fouy.YOLOv4DatasetImporter(dataset_dir=folder, label_type=kind, include_all_data=True)
                     for kind in ("detections", "polylines")]
    else:
        quoted = [json.dumps(name, ensure_ascii=False) for name in classes]
        is_list = random_.random() < 0.5
        names = [f"\n  - {name}" if is_list else f"\n  {index}: {name}" for index, name in enumerate(quoted)]
        text = f"path: .\ntrain: ./images/val/\nval: ./images/val/\nnames:{''.join(names)}\n"
        write(os.path.join(folder, "dataset.yaml"), text)
        importers = [fouy.YOLOv5DatasetImporter(dataset_dir=folder, label_type=kind, include_all_data=True)
                     for kind in ("detections", "polylines")]
    ours, said = imported(folder, f"{folder}_ours")
    assert "left_out" not in said, said
    assert sorted(ours) == sorted(made)
    count = 0
    read = []
    for importer in importers:
        with importer:
            read.append({os.path.basename(path): label for path, _, label in importer})
    for name, sample in ours.items():
        boxes, outlines = (labels.get(name) for labels in read)
        boxes = [] if boxes is None else boxes.detections
        outlines = [] if outlines is None else outlines.polylines
        # FiftyOne makes boxes of outlines, or outlines of boxes, of all rows; here each row is what it says.
        is_box = [len(one.points[0]) == 4 and one.points[0] == [
            [box[0], box[1]], [box[0] + box[2], box[1]], [box[0] + box[2], box[1] + box[3]], [box[0], box[1] + box[3]]
        ] for one, box in zip(outlines, [box.bounding_box for box in boxes])]
        is_box = [flag or is_rectangle(one) for flag, one in zip(is_box, outlines)]
        mine = list_of(sample, "ground_truth", "detections")
        count += assert_labels(mine, [box for box, flag in zip(boxes, is_box) if flag], (folder, name))
        mine = list_of(sample, "ground_truth_polylines", "polylines")
        count += assert_labels(mine, [one for one, flag in zip(outlines, is_box) if not flag], (folder, name))
    return count


def is_rectangle(polyline):
    (points,) = polyline.points
    if len(points) != 4:
        return False
    (a, b), (c, d), (e, f), (g, h) = points
    return b == d and c == e and f == h and g == a


# Pascal VOC


def check_voc(folder, random_):
    layout = random_.choice([("JPEGImages", "Annotations"), ("data", "labels")])
    made = pictures(os.path.join(folder, layout[0]), random_)
    for name, (width, height) in made.items():
        objects = []
        for _ in range(random_.randint(0, 4)):
            left, top, w, h = map(int, bbox(random_, width, height))
            facts = {"name": random_.choice(CLASSES)}
            if random_.random() < 0.5:
                facts |= {"pose": "Unspecified", "truncated": random_.randint(0, 1), "difficult": random_.randint(0, 1)}
            if random_.random() < 0.3:
                facts["weather"] = "rain & wind"
            edges = {"xmin": left, "ymin": top, "xmax": left + w, "ymax": top + h}
            if random_.random() < 0.3:
                edges = {edge: f"{value}.0" for edge, value in edges.items()}
            parts = [f"<{tag}>{escaped(value)}</{tag}>" for tag, value in facts.items()]
            parts.append("<bndbox>" + "".join(f"<{tag}>{value}</{tag}>" for tag, value in edges.items()) + "</bndbox>")
            random_.shuffle(parts)
            objects.append("<object>\n" + "\n".join(parts) + "</object>")
        text = (
            f"<annotation><folder>x</folder><filename>{escaped(name)}</filename><source><database>?</database></source>"
            f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size><segmented>0</segmented>"
            + "".join(objects) + "</annotation>"
        )
        declaration = random_.choice(["", '<?xml version="1.0" encoding="UTF-8"?>\n', "<!-- made -->\n"])
        write(os.path.join(folder, layout[1], os.path.splitext(name)[0] + ".xml"), declaration + text)
    ours, said = imported(folder, f"{folder}_ours")
    assert "left_out" not in said, said
    importer = fouv.VOCDetectionDatasetImporter(
        data_path=os.path.join(folder, layout[0]), labels_path=os.path.join(folder, layout[1])
    )
    count = 0
    with importer:
        for path, metadata, label in importer:
            sample = ours.pop(os.path.basename(path))
            assert (sample["metadata"]["width"], sample["metadata"]["height"]) == (metadata.width, metadata.height)
            count += assert_labels(list_of(sample, "ground_truth", "detections"), label.detections, path)
    assert not ours, ours
    return count


def escaped(value):
    return str(value).replace("&", "&amp;").replace("<", "&lt;")


# CVAT


def check_cvat(folder, random_):
    made = pictures(os.path.join(folder, "data"), random_)
    images = []
    for index, (name, (width, height)) in enumerate(made.items()):
        shapes = []
        for _ in range(random_.randint(0, 5)):
            kind = random_.choice(["box", "polygon", "polyline", "points", "tag"])
            facts = {"label": random_.choice(CLASSES)}
            if kind != "tag":
                facts |= {"occluded": random_.randint(0, 1), "z_order": 0}
            if kind == "box":
                # FiftyOne rounds boxes to whole pixels.
                left, top, w, h = map(int, bbox(random_, width, height))
                facts |= {"xtl": f"{left}.00", "ytl": f"{top}.00", "xbr": left + w, "ybr": top + h}
            elif kind != "tag":
                points = outline(random_, width, height)
                # FiftyOne rounds points to whole pixels, too.
                facts["points"] = ";".join(f"{round(x)}.00,{round(y)}.0" for x, y in points)
            inner = ""
            if random_.random() < 0.5:
                values = {"color": "dark red", "count": "3", "share": "0.5", "is it": "true"}
                inner = "".join(f"<attribute name={quoteattr(key)}>{value}</attribute>" for key, value in values.items())
            written = " ".join(f"{key}={quoteattr(str(value))}" for key, value in facts.items())
            shapes.append(f"<{kind} {written}>{inner}</{kind}>")
        images.append(
            f'<image id="{index}" name={quoteattr(name)} width="{width}" height="{height}">' + "\n".join(shapes) + "</image>"
        )
    text = f'<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version><meta><task><size>1</size></task></meta>{"".join(images)}</annotations>'
    write(os.path.join(folder, "labels.xml"), text)
    ours, said = imported(folder, f"{folder}_ours")
    assert "left_out" not in said, said
    importer = foucv.CVATImageDatasetImporter(dataset_dir=folder)
    count = 0
    fields = {
        "detections": "ground_truth", "polylines": "ground_truth_polylines", "keypoints": "ground_truth_keypoints",
        "classifications": "ground_truth_classes",
    }
    with importer:
        for path, metadata, labels in importer:
            sample = ours.pop(os.path.basename(path))
            assert (sample["metadata"]["width"], sample["metadata"]["height"]) == (metadata.width, metadata.height)
            for kind, field in fields.items():
                theirs = labels[kind][kind] if kind in labels else []
                mine = list_of(sample, field, kind)
                if kind == "polylines":
                    # FiftyOne puts closed ones first; here they stay in order.
                    mine = sorted(mine, key=lambda one: not one["closed"])
                count += assert_labels(mine, theirs, (path, kind))
    assert not ours, ours
    return count


# FiftyOne


def labels_of_fiftyone(random_):
    """Labels of every kind, with and without the values that they may have."""
    def maybe(**values):
        return {name: value for name, value in values.items() if random_.random() < 0.5}

    def share():
        return round(random_.random(), random_.choice([1, 4, 17]))

    mask = np.array([[random_.random() < 0.5 for _ in range(random_.randint(1, 9))]] * random_.randint(1, 9))
    detection = fo.Detection(
        label=random_.choice(CLASSES), bounding_box=[share(), share(), share(), share()],
        **maybe(confidence=share(), mask=mask, index=3, tags=["a", "b"], color="red", nested={"a": [1, 2.5, None]})
    )
    polyline = fo.Polyline(
        label=random_.choice(CLASSES), points=[[(share(), share()) for _ in range(random_.randint(2, 5))]] * 2,
        closed=random_.random() < 0.5, filled=random_.random() < 0.5, **maybe(confidence=share(), index=1)
    )
    points = [(share(), share()) if random_.random() < 0.7 else (math.nan, math.nan) for _ in range(4)]
    keypoint = fo.Keypoint(label="eye", points=points, **maybe(confidence=[share() for _ in range(4)]))
    return {
        "boxes": fo.Detections(detections=[detection] * random_.randint(0, 3)),
        "lines": fo.Polylines(polylines=[polyline]),
        "points": fo.Keypoints(keypoints=[keypoint]),
        "class": fo.Classification(label=random_.choice(CLASSES), **maybe(confidence=share(), logits=np.array([share(), 2]))),
        "classes": fo.Classifications(classifications=[fo.Classification(label="a")], **maybe(logits=np.array([1.5, 2]))),
        "number": fo.Regression(value=share(), **maybe(confidence=share())),
        "map": fo.Heatmap(map=np.array([[share(), share()]]), **maybe(range=[0, 1])),
        "segments": fo.Segmentation(mask=np.array([[random_.randrange(300) for _ in range(4)]] * 3)),
        "place": fo.GeoLocation(point=[share(), share()]),
    }


def check_fiftyone(folder, random_):
    made = pictures(f"{folder}_pictures", random_)
    dataset = fo.Dataset()
    samples = []
    for name in made:
        sample = fo.Sample(filepath=os.path.join(f"{folder}_pictures", name), tags=random_.sample(["x", "y z"], 1))
        for field, label in labels_of_fiftyone(random_).items():
            if random_.random() < 0.8:
                sample[field] = label
        samples.append(sample)
    dataset.add_samples(samples)
    dataset.compute_metadata(num_workers=1)
    dataset.export(
        export_dir=folder, dataset_type=fo.types.FiftyOneDataset, use_dirs=random_.random() < 0.4,
        export_media=random_.random() < 0.7 or False,
    )
    read = fo.Dataset.from_dir(dataset_dir=folder, dataset_type=fo.types.FiftyOneDataset)
    ours, said = imported(folder, f"{folder}_ours")
    count = 0
    for sample in read:
        mine = ours.pop(os.path.basename(sample.filepath))
        assert os.path.samefile(mine["filepath"], sample.filepath), (mine["filepath"], sample.filepath)
        assert mine.get("tags", []) == sample.tags
        theirs = sample.to_dict()
        for field in labels_of_fiftyone(random.Random(0)):
            if theirs.get(field) is None:
                assert mine.get(field) is None, (folder, field, mine.get(field))
                continue
            assert field in mine, (folder, field, said)
            assert_same(mine[field], theirs[field], (folder, field))
            count += 1
    assert not ours, ours
    read.delete()
    dataset.delete()
    return count


def assert_same(mine, theirs, where):
    """Labels in the JSON that both write."""
    if isinstance(theirs, dict) and "$binary" in theirs:
        assert np.array_equal(array(mine), array(theirs)), where
    elif isinstance(theirs, dict):
        said = {key for key, value in theirs.items() if key != "_id" and value not in (None, [], {})}
        assert said <= set(mine) | {"attributes"}, (where, said - set(mine))
        for key in said:
            assert_same(mine[key], theirs[key], (*where, key))
    elif isinstance(theirs, (list, tuple)) and theirs and not isinstance(theirs[0], (int, float)):
        assert len(mine) == len(theirs), (where, mine, theirs)
        for one, other in zip(mine, theirs):
            assert_same(one, other, where)
    else:
        assert plain(mine) == plain(theirs), (where, mine, theirs)


CHECKS = {"coco": check_coco, "yolo": check_yolo, "voc": check_voc, "cvat": check_cvat, "fiftyone": check_fiftyone}


def main(work):
    failed = []
    for name, check in CHECKS.items():
        labels = 0
        for index in range(FILES):
            folder = os.path.join(work, "fiftyone_import", f"{name}_{index}")
            os.makedirs(os.path.dirname(folder), exist_ok=True)
            try:
                labels += check(folder, random.Random(f"{name} {index}"))
            except AssertionError as error:
                failed.append(f"{name} {index}: {error}")
        print(f"{name}: {FILES} datasets, {labels} labels compared")
    print("\n".join(failed[:20]))
    assert not failed, len(failed)


main(sys.argv[1])
