"""Pillow and modelzoo read the same pictures, made by many programs in many modes: same pixels, or a known difference.

The pixels of every picture are those of Pillow's `convert("RGB")`, turned upright. `DIFFERENCES` says what else is meant,
and why; a difference that is listed and not found is an error, too.
"""

import fnmatch
import hashlib
import json
import os
import subprocess
import sys
import warnings

import numpy as np
from PIL import Image, ImageOps

import picture_corpus

LEAST = 300

# Names of pictures, what differs, and why. `pixels`: both read it, and the pixels differ. `modelzoo`: it alone reads it.
# `pillow`: Pillow alone reads it.
DIFFERENCES = [
]


def of_pillow(path):
    """The size, the pixels' hash and the corners, or the error."""
    try:
        with Image.open(path) as image:
            # A grey picture of more than 8 bits is clipped at 255 by Pillow.
            image = ImageOps.exif_transpose(image).convert("RGB")
            pixels = np.asarray(image)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    height, width = pixels.shape[:2]
    corners = [pixels[y, x].tolist() for y in (0, height - 1) for x in (0, width - 1)]
    return {
        "width": width,
        "height": height,
        "sha256": hashlib.sha256(np.ascontiguousarray(pixels)).hexdigest(),
        "corners": corners,
    }


def of_modelzoo(paths):
    """What the example `pixels` prints, by path."""
    found = {}
    for start in range(0, len(paths), 200):
        command = [os.environ["MODELZOO_PIXELS"], *map(str, paths[start : start + 200])]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        for line in run.stdout.splitlines():
            facts = json.loads(line)
            found[facts["path"]] = facts
    return found


def verdict(ours, theirs):
    """`same`, or which kind of difference it is."""
    if "error" in ours or "error" in theirs:
        if "error" in ours and "error" in theirs:
            return "same"
        return "pillow" if "error" in ours else "modelzoo"
    return "same" if all(ours[name] == theirs[name] for name in theirs) else "pixels"


def known(name, kind):
    """The place of a known difference."""
    for place, (pattern, difference, _) in enumerate(DIFFERENCES):
        if difference == kind and fnmatch.fnmatchcase(name, pattern):
            return place
    return None


def main(work):
    warnings.simplefilter("ignore")
    corpus = picture_corpus.make(os.path.join(work, "pictures"))
    paths = sorted(corpus.folder.iterdir())
    assert len(paths) >= LEAST, f"{len(paths)} pictures alone"
    found = of_modelzoo(paths)
    assert len(found) == len(paths), "a picture is missing"
    seen, unknown, read = set(), [], 0
    for path in paths:
        ours, theirs = found[str(path)], of_pillow(path)
        read += "error" not in ours
        kind = verdict(ours, theirs)
        if kind == "same":
            continue
        place = known(path.name, kind)
        if place is None:
            unknown.append(f"{path.name}: {kind}: {ours.get('error', ours)}, Pillow: {theirs.get('error', theirs)}")
        else:
            seen.add(place)
    print(f"{len(paths)} pictures, {read} of them read, {len(unknown)} differ from Pillow's without a reason")
    print("\n".join(unknown))
    stale = [DIFFERENCES[place][0] for place in range(len(DIFFERENCES)) if place not in seen]
    assert not stale, f"no picture differs as these say: {stale}"
    assert not unknown


main(sys.argv[1])
