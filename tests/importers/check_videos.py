"""FiftyOne and modelzoo on the same video: labels of it and of its frames in every form of output, and embeddings.

Both have a model that says what it is told, of videos or of pictures: tests/plugins/given.
"""

import json

import fiftyone as fo
import numpy as np

from beside import GIVEN, ROOT, Told, classification, comparable, dataset, detection, labels_of, modelzoo, options_here

BIKES = ROOT / "tests/fixtures/video/bikes.mp4"
FRAMES = 250

OPTIONS = ({}, {"confidence_thresh": 0.5}, {"classes": ["b"]})


class ToldOfVideos(Told):
    """FiftyOne's twin of tests/plugins/given with `takes_videos`: the output may have frame numbers."""

    media_type = "video"

    def predict(self, reader):
        if all(isinstance(key, int) for key in self.output):
            return {number: labels_of(one) for number, one in self.output.items()}
        return labels_of(self.output)

    def embed(self, reader):
        frames = [super(ToldOfVideos, self).embed(frame) for frame in reader]
        return np.array([*np.mean(frames, axis=0), len(frames)])


def fiftyones(model, options):
    """The labels of the sample, and of its frames, by name."""
    theirs = dataset([BIKES])
    theirs.apply_model(model, label_field="said", **options)
    sample = theirs.first()

    def said(document):
        names = [name for name in document.field_names if name.startswith("said")]
        return {name: comparable(document[name].to_dict()) for name in names if document[name] is not None}

    return said(sample), {number: said(frame) for number, frame in sample.frames.items()}


def ours(output, options, takes_videos):
    arguments = [GIVEN, BIKES, "said", "--set", f"output={json.dumps(output)}", *options_here(options)]
    if takes_videos:
        arguments += ["--set", "takes_videos=true"]
    sample = modelzoo("apply", *arguments)[BIKES.name]

    def said(labels):
        return {name: comparable(label) for name, label in labels.items() if name.startswith("said")}

    return said(sample), {int(number): said(labels) for number, labels in sample.get("frames", {}).items()}


UNSURE, SURE = classification("a", 0.25), classification("b", 0.75)
OBJECTS = {"_cls": "Detections", "detections": [detection("a", 0.75), detection("b", 0.25), detection("b", 0.5)]}
NAMED = {"one": UNSURE, "two": OBJECTS}


def check_models_of_videos():
    event = {"_cls": "TemporalDetection", "label": "b", "support": [2, 7], "confidence": 0.75}
    cases = [
        ({"label": SURE}, SURE),
        ({"labels": {**NAMED, "event": event}}, {**NAMED, "event": event}),
        ({"frames": {"1": UNSURE, "2": SURE, "250": UNSURE}}, {1: UNSURE, 2: SURE, 250: UNSURE}),
        ({"frame_labels": {"3": NAMED, "7": {"one": SURE}}}, {3: NAMED, 7: {"one": SURE}}),
    ]
    for told, output in cases:
        for options in OPTIONS:
            expected = fiftyones(ToldOfVideos(output), options)
            found = ours(told, options, takes_videos=True)
            assert found == expected, f"{told} with {options}:\n{found} instead of\n{expected}"
    print(f"  {len(cases) * len(OPTIONS)} cases of a model of videos: labels of the video and of frames")


def check_models_of_pictures():
    for told, output in (({"label": UNSURE}, UNSURE), ({"label": OBJECTS}, OBJECTS), ({"labels": NAMED}, NAMED)):
        for options in OPTIONS:
            expected = fiftyones(Told(output), options)
            found = ours(told, options, takes_videos=False)
            assert found == expected, f"{told} with {options}:\n{found[1].get(1)} instead of\n{expected[1].get(1)}"
            assert len(found[1]) == FRAMES and found[0] == {}
    print(f"  {3 * len(OPTIONS)} cases of a model of pictures: {FRAMES} frames each")


def check_embeddings():
    theirs = dataset([BIKES])
    (frames,) = theirs.compute_embeddings(Told()).values()
    found = modelzoo("embed", GIVEN, BIKES, "vector")[BIKES.name]["frames"]
    found = np.array([found[str(number)]["vector"] for number in range(1, FRAMES + 1)])
    assert found.shape == frames.shape and np.allclose(found, frames, atol=0.5), np.abs(found - frames).max()
    expected = theirs.compute_embeddings(ToldOfVideos())
    found = np.array(modelzoo("embed", GIVEN, BIKES, "vector", "--set", "takes_videos=true")[BIKES.name]["vector"])
    assert found.shape == expected[0].shape and np.allclose(found, expected[0], atol=0.5), (found, expected)
    print(f"  embeddings: {FRAMES} of the frames by a model of pictures, one of the video by a model of videos")


def main():
    check_models_of_videos()
    check_models_of_pictures()
    check_embeddings()
    print(f"fiftyone {fo.__version__} on a video: the same answers")


main()
