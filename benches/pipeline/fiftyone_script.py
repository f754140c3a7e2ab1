#!/usr/bin/env python3
"""The same with FiftyOne: a dataset of the pictures, its torch model, labels as JSON Lines.

    fiftyone_script.py WEIGHTS.pth CLASSES.txt PICTURES OUTPUT.jsonl

Runs in an environment that has fiftyone, torch and torchvision. The network is torchvision's, with the weights of a file,
and takes its batches from worker processes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import fiftyone
import fiftyone.utils.torch as fout
import torch
import torchvision
from torchvision import transforms

BATCH, WORKERS = 32, 2


def network(weights: str) -> torch.nn.Module:
    module = torchvision.models.mobilenet_v2(weights=None)
    module.load_state_dict(torch.load(weights), strict=False)
    return module.eval()


def main() -> None:
    weights, classes, folder, output = sys.argv[1:5]
    config = fout.TorchImageModelConfig(
        {
            "entrypoint_fcn": network,
            "entrypoint_args": {"weights": weights},
            "transforms": transforms.Compose(
                [
                    transforms.Resize(256),
                    transforms.CenterCrop(224),
                    transforms.ToTensor(),
                    transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
                ]
            ),
            "classes": Path(classes).read_text().splitlines(),
            "ragged_batches": False,
            "output_processor_cls": "fiftyone.utils.torch.ClassifierOutputProcessor",
        }
    )
    model = fout.TorchImageModel(config)
    dataset = fiftyone.Dataset.from_images([str(file) for file in sorted(Path(folder).glob("*.jpg"))])
    dataset.apply_model(model, "predictions", batch_size=BATCH, num_workers=WORKERS)
    with open(output, "w") as lines:
        for sample in dataset:
            found = sample.predictions
            entry = {"filepath": sample.filepath, "label": found.label, "confidence": found.confidence}
            print(json.dumps(entry), file=lines)
    dataset.delete()


if __name__ == "__main__":
    main()
