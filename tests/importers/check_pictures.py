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

# The greatest difference that comes of rounding alone.
ROUNDING = 2

# Names of pictures, what differs, and why. `pixels`: both read it, and the pixels differ. `rounding`: by little. `modelzoo`:
# it alone reads it. `pillow`: Pillow alone reads it.
DIFFERENCES = [
    ("pil_I16*", "pixels", "Pillow clips grey of more than 8 bits at 255, which turns most of it white"),
    ("magick_Grayscale_16.*", "pixels", "the same"),
    ("tifffile_grey16_[rst]*", "pixels", "the same"),
    ("tifffile_bits_12.tif", "pixels", "the same"),
    ("pil_YCbCr_*.tif", "rounding", "Pillow rounds YCbCr by a table of its own where libtiff does not convert it: 1 level"),
    ("magick_space_Lab.tif", "pixels", "Pillow converts Lab by LittleCMS, this program by CIE's formulas"),
    ("tiffcp_float32_*_3_be.tif", "pixels", "libtiff orders these bytes as no other program does, and not as the format says"),
    ("tiffcp_float32_*_be.tif", "pixels", "Pillow does not turn fractions in the other byte order"),
    ("tifffile_planar_rgb16_*_None.tif", "pixels", "Pillow mixes up planes of 16 bits"),
    ("pil_LA_jpeg.tif", "pillow", "libjpeg-turbo's interface has no JPEG of two colours"),
    ("pil_*_lossy.j*", "rounding", "decoders of lossy JPEG 2000 round differently"),
    ("pil_L*.jxl", "rounding", "decoders of lossy JPEG XL round differently"),
    ("pil_RGB*.jxl", "rounding", "the same"),
    ("pil_turned_?.jxl", "pixels", "JPEG XL has an orientation of its own, beside which EXIF's does not count"),
    ("coded_*_limited.heic", "rounding", "libheif stretches the limited range by 256/219 instead of 255/219: 1 level"),
    ("coded_*_42[02]*_full.heic", "rounding", "libheif and this program round to 8 bits from fractions: 1 level"),
    ("coded_*_444*_full.heic", "rounding", "the same"),
    ("coded_RGBA_400_limited.avif", "rounding", "libyuv rounds grey in the limited range: 1 level"),
    ("coded_LA_400_limited.avif", "rounding", "the same"),
    ("coded_deep_L_*", "pixels", "Pillow clips grey of more than 8 bits at 255"),
    ("coded_turned_odd_[2-8].heic", "pixels", "libheif turns planes of colour before they fit odd sides, which moves them"),
    ("coded_premultiplied.avif", "rounding", "where there is little alpha, little is left of colours that are multiplied by it"),
    ("coded_grid_odd.avif", "modelzoo", "libavif refuses grids with odd sides"),
    ("png_text_sum.png", "modelzoo", "Pillow refuses a picture for the check sum of a text"),
    ("magick_WebP_*.tif", "modelzoo", "Pillow's libtiff is built without WebP"),
    ("tiffcp_*_webp_*.tif", "modelzoo", "the same"),
    ("tiffcp_*_reversed.tif", "modelzoo", "Pillow reads reversed bits of a few kinds alone"),
    ("magick_TrueColor_[124].tif", "modelzoo", "Pillow reads colours of 8 and 16 bits alone"),
    ("tifffile_bits_1[04].tif", "modelzoo", "Pillow does not read so many bits"),
    ("tifffile_float16_*.tif", "modelzoo", "Pillow reads fractions of 32 bits alone"),
    ("tifffile_float64_*.tif", "modelzoo", "the same"),
    ("tifffile_grey32_*_be.tif", "modelzoo", "Pillow reads these numbers in one byte order alone"),
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
    run = subprocess.run([os.environ["MODELZOO_PIXELS"], *map(str, paths)], capture_output=True, text=True, check=True)
    facts = map(json.loads, run.stdout.splitlines())
    return {one["path"]: one for one in facts}


def verdict(ours, theirs):
    """`same`, or which kind of difference it is."""
    if "error" in ours or "error" in theirs:
        if "error" in ours and "error" in theirs:
            return "same"
        return "pillow" if "error" in ours else "modelzoo"
    if all(ours[name] == theirs[name] for name in theirs):
        return "same"
    is_near = np.abs(np.subtract(ours["corners"], theirs["corners"])).max() <= ROUNDING
    has_size = all(ours[side] == theirs[side] for side in ("width", "height"))
    return "rounding" if has_size and is_near else "pixels"


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
    made = lambda pattern: any(fnmatch.fnmatchcase(path.name, pattern) for path in paths)
    patterns = [(place, pattern) for place, (pattern, _, _) in enumerate(DIFFERENCES)]
    stale = [pattern for place, pattern in patterns if place not in seen and made(pattern)]
    assert not stale, f"no picture differs as these say: {stale}"
    assert not unknown


main(sys.argv[1])
