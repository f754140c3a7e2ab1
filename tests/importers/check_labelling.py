"""Label Studio's SDK accepts what modelzoo exports as its tasks."""

import json
import os
import sys
from importlib.metadata import version

from label_studio_sdk.label_interface import LabelInterface

import samples

LABELS = "".join(f'<Label value="{name}"/>' for name in samples.CLASSES)
CHOICES = "".join(f'<Choice value="{name}"/>' for name in samples.CLASSES)
CONFIGURATION = f"""
<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="rectangle" toName="image">{LABELS}</RectangleLabels>
  <PolygonLabels name="polygon" toName="image">{LABELS}</PolygonLabels>
  <KeyPointLabels name="keypoint" toName="image">{LABELS}</KeyPointLabels>
  <Choices name="choice" toName="image" choice="multiple">{CHOICES}</Choices>
</View>
"""


def main(work):
    with open(os.path.join(work, "label_studio.json")) as file:
        tasks = json.load(file)
    assert len(tasks) == samples.PICTURES
    interface = LabelInterface(CONFIGURATION)
    kinds = set()
    for index, task in enumerate(tasks):
        assert task["data"]["image"].endswith(f"pictures/{index}.png")
        for prediction in task["predictions"]:
            assert interface.validate_prediction(prediction), prediction
            kinds.update(result["type"] for result in prediction["result"])
            assert prediction["model_version"] == "everything@1", prediction["model_version"]
    assert kinds == {"choices", "rectanglelabels", "polygonlabels", "keypointlabels"}, kinds
    print(f"label-studio-sdk {version('label-studio-sdk')}: {len(tasks)} tasks")


main(sys.argv[1])
