"""FiftyOne imports what modelzoo exports as FiftyOneDataset, value by value."""

import os
import sys

import fiftyone as fo

import samples


class Fields:
    """A label's fields by name, as `assert_same` wants them."""

    def __init__(self, label):
        self.label = label

    def __getitem__(self, name):
        value = getattr(self.label, name) if name in type(self.label)._fields_ordered else self.label[name]
        if isinstance(value, fo.Label) or (isinstance(value, list) and value and isinstance(value[0], fo.Label)):
            return [Fields(one) for one in value] if isinstance(value, list) else Fields(value)
        return value


def load(folder):
    return fo.Dataset.from_dir(dataset_dir=folder, dataset_type=fo.types.FiftyOneDataset)


def check_images(folder):
    dataset = load(folder)
    assert dataset.media_type == "image" and len(dataset) == samples.PICTURES
    assert dataset.default_classes == samples.CLASSES, dataset.default_classes
    assert dataset.info["detections.commit"] == "0123456789abcdef", dataset.info
    for index, sample in enumerate(dataset):
        assert sample.tags == ["made", f"number {index}"]
        assert (sample.metadata.width, sample.metadata.height) == (samples.WIDTH, samples.HEIGHT)
        assert os.path.isabs(sample.filepath) and os.path.getsize(sample.filepath) == sample.metadata.size_bytes
        for field, (kind, expected) in samples.labels(index).items():
            found = sample[field]
            if kind is None:
                samples.assert_same(found, expected, field)
                continue
            assert type(found).__name__ == kind, f"{field} is a {type(found).__name__} instead of a {kind}"
            samples.assert_same(Fields(found), expected, field)
    schema = dataset.get_field_schema()
    assert isinstance(schema["vector"], fo.VectorField), schema["vector"]
    assert dataset.count("detections.detections") == 2 * samples.PICTURES
    view = dataset.filter_labels("detections", fo.ViewField("confidence") > 0.6)
    assert len(view) == 2, "filters work on what was imported"
    assert dataset.sort_by("regression.value", reverse=True).first()["count"] == 5


def check_videos(folder):
    dataset = load(folder)
    assert dataset.media_type == "video" and len(dataset) == 1
    sample = dataset.first()
    assert sample.metadata.total_frame_count == 250 and sample.metadata.frame_width == 640
    events = [(event.label, event.support, event.confidence) for event in sample["events"].detections]
    assert events == [("ride", [10, 200], 0.5), ("stop", [201, 250], None)], events
    assert sorted(sample.frames) == [1, 2, 250]
    for number, frame in sample.frames.items():
        box = frame["seen"].detections[0]
        assert (box.label, box.bounding_box) == ("bike", [number / 512, 0.25, 0.25, 0.5]), (number, box)


def main(work):
    check_images(os.path.join(work, "fiftyone_images"))
    check_videos(os.path.join(work, "fiftyone_videos"))
    print(f"fiftyone {fo.__version__}: images and videos, every label type")


main(sys.argv[1])
