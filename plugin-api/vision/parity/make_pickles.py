#!/usr/bin/env python3
"""Writes the files of `tests/pickles` as torch and NumPy do, in each of their forms: parity/make_pickles.py FOLDER"""

import sys
from collections import OrderedDict
from pathlib import Path

import numpy
import torch
from safetensors.torch import load_file

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
state = OrderedDict(
    matrix=torch.arange(8, dtype=torch.float32)[1:7].reshape(2, 3).t(),
    parameter=torch.nn.Parameter(torch.tensor([0.5, -0.25])),
    half=torch.tensor([1.5, -2.0], dtype=torch.float16),
    bfloat=torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    double=torch.tensor([1.5, -2.0], dtype=torch.float64),
)
state["bn.num_batches_tracked"] = torch.tensor(7)
torch.save(state, folder / "archive.pth")
torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
training = {"epoch": 3, "lr": 0.1, "state_dict": {"weight": torch.zeros(2)}, "optimizer": {"state": {0: {"step": torch.ones(1)}}}}
torch.save(training, folder / "nested.pth")

matrix = state["matrix"].contiguous().numpy()
arrays = {
    "matrix": matrix,
    "transposed": numpy.asfortranarray(matrix),
    "block/half": state["half"].numpy(),
    # NumPy has no bfloat16: JAX's programs leave two bytes of any kind.
    "bfloat": state["bfloat"].view(torch.int16).numpy().view("V2"),
    "double": state["double"].numpy(),
    "scalar": numpy.float32(0.5),
    "step": numpy.int64(7),
}
numpy.savez(folder / "arrays.npz", **arrays)
numpy.savez(folder / "objects.npz", objects=numpy.array([{}], dtype=object))
# What the hub had before safetensors: the weights of a small model as PyTorch's own file.
small = folder.parent / "goldens/vit_classifier/model.safetensors"
torch.save(load_file(small), folder / "vit_classifier.bin", _use_new_zipfile_serialization=False)
numpy.savez_compressed(folder / "compressed.npz", matrix=matrix)
