"""COCO's run lengths of masks: how many pixels are alike, down the columns one after the other, beginning with 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def encode(mask: "npt.NDArray[Any]") -> List[int]:
    """The run lengths of a mask ``[height, width]``."""
    pixels = np.asarray(mask, dtype=bool).ravel(order="F")
    if pixels.size == 0:
        return []
    ends = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    counts: List[int] = np.diff(np.concatenate(([0], ends, [pixels.size]))).tolist()
    return [0, *counts] if pixels[0] else counts


def text(counts: List[int]) -> str:
    """Run lengths as pycocotools writes them: differences to the one before last, five bits a character."""
    characters = []
    for index, count in enumerate(counts):
        rest = count - counts[index - 2] if index > 2 else count
        while True:
            bits = rest & 0x1F
            rest >>= 5
            more = rest != -1 if bits & 0x10 else rest != 0
            characters.append(chr((bits | 0x20 if more else bits) + 48))
            if not more:
                break
    return "".join(characters)
