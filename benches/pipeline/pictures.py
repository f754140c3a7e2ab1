"""Pictures for the comparison: JPEGs of many sizes, made of the photographs in examples/photos.

The repository has four photographs. Each picture is a part of one of them, some of them mirrored, scaled to the size that
pictures of datasets have (0.3 to 1.1 megapixels, 0.7 on average) and coded anew, so that decoding, resizing and the network
have as much to do as with pictures of one's own. What is seen on them repeats itself.
"""

from __future__ import annotations

import random
from pathlib import Path

from PIL import Image

PHOTOGRAPHS = Path(__file__).resolve().parents[2] / "examples/photos"


def make(folder: Path, count: int) -> None:
    """Writes `count` JPEGs, the same ones every time, where they are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = random.Random(0)
    photographs = [Image.open(file).convert("RGB") for file in sorted(PHOTOGRAPHS.glob("*.jpg"))]
    for index in range(count):
        photograph = photographs[index % len(photographs)]
        pixels, aspect = numbers.uniform(0.3e6, 1.1e6), numbers.choice([4 / 3, 3 / 2, 3 / 4, 1.0])
        part, x, y, mirrored = numbers.uniform(0.6, 1), numbers.random(), numbers.random(), numbers.random() < 0.5
        quality = numbers.choice([85, 90, 95])
        file = folder / f"{index:05}.jpg"
        if file.exists():
            continue
        width = min(photograph.width, photograph.height * aspect) * part
        height = width / aspect
        left, top = x * (photograph.width - width), y * (photograph.height - height)
        size = (round((pixels * aspect) ** 0.5), round((pixels / aspect) ** 0.5))
        picture = photograph.resize(size, Image.Resampling.BICUBIC, (left, top, left + width, top + height))
        if mirrored:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        picture.save(file, quality=quality)
