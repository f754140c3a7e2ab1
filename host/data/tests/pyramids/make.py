#!/usr/bin/env python3
"""Writes pictures of 300 x 200 with smaller versions of themselves, each version of a grey of its own.

    pip install tifffile imagecodecs
    python3 host/data/tests/pyramids/make.py host/data/tests/pyramids
"""

import sys
from pathlib import Path

import numpy as np
import tifffile

SIZES = [(300, 200), (150, 100), (75, 50), (37, 25)]
OPTIONS = {"photometric": "rgb", "compression": "zlib", "metadata": None}


def version(number, size=None):
    width, height = size or SIZES[number]
    return np.full((height, width, 3), 50 * (number + 1), np.uint8)


def main():
    folder = Path(sys.argv[1])
    # As OME and tifffile have it: the picture names directories that are in no row.
    with tifffile.TiffWriter(folder / "named.tif") as file:
        file.write(version(0), subifds=len(SIZES) - 1, tile=(64, 64), **OPTIONS)
        for number in range(1, len(SIZES)):
            file.write(version(number), subfiletype=1, tile=(64, 64), **OPTIONS)
    # As GDAL has it: one directory after the other, each of which says what it is.
    with tifffile.TiffWriter(folder / "in_a_row.tif", bigtiff=True, byteorder=">") as file:
        file.write(version(0), tile=(64, 64), **OPTIONS)
        for number in range(1, len(SIZES)):
            file.write(version(number), subfiletype=1, tile=(64, 64), **OPTIONS)
    # As Aperio has it: tiles say that it is a version; a thumbnail, a label and an overview say something else.
    with tifffile.TiffWriter(folder / "slide.tif") as file:
        file.write(version(0), tile=(64, 64), **OPTIONS)
        file.write(version(3, (120, 80)), **OPTIONS)
        for number in range(1, len(SIZES)):
            file.write(version(number), tile=(64, 64), **OPTIONS)
        file.write(version(3, (100, 100)), subfiletype=1, **OPTIONS)
        file.write(version(3, (120, 80)), subfiletype=9, **OPTIONS)
    # Pages of a document: the second one is smaller, and no version of the first.
    with tifffile.TiffWriter(folder / "pages.tif") as file:
        file.write(version(0), **OPTIONS)
        file.write(version(1), **OPTIONS)


main()
