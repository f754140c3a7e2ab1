"""Writes the pictures of this folder and expected.json, what Pillow decodes them to.

Run in the folder: `python generate.py PHOTO`, with Pillow and NumPy installed. The tests need neither.
"""
import hashlib
import json
import pathlib
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent
photo = Image.open(sys.argv[1]).convert("RGB").resize((93, 61), Image.BILINEAR)
expected = {}


def to_rgb(picture):
    """Like Pillow, except that 16-bit greyscale keeps its high byte where Pillow clips at 255."""
    if picture.mode.startswith("I;16"):
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    return picture.convert("RGB")


def channels(picture):
    """A palette counts as the colours it holds; a GIF's transparency and a BMP's greyness are not looked for."""
    if picture.format in ("GIF", "BMP") and picture.mode in ("P", "L"):
        return 3
    if picture.mode == "P":
        return 4 if "transparency" in picture.info else 3
    return len(picture.getbands())


def record(name):
    picture = Image.open(HERE / name)
    upright = to_rgb(ImageOps.exif_transpose(picture))
    expected[name] = {
        "mime_type": picture.get_format_mimetype(),
        "width": upright.width,
        "height": upright.height,
        "num_channels": channels(picture),
        "sha256": hashlib.sha256(upright.tobytes()).hexdigest(),
    }


def save(name, picture, **options):
    picture.save(HERE / name, **options)
    record(name)


def orientation(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif.tobytes()


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, color, rows):
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")


# JPEG
save("rgb_420.jpg", photo, quality=85)
save("rgb_422.jpg", photo, quality=60, subsampling="4:2:2")
save("rgb_444.jpg", photo, quality=95, subsampling=0)
save("progressive.jpg", photo, quality=70, progressive=True)
save("restart.jpg", photo, quality=70, restart_marker_blocks=3)
save("keep_rgb.jpg", photo, quality=80, keep_rgb=True)
save("grey.jpg", photo.convert("L"), quality=80)
save("cmyk.jpg", ImageOps.invert(photo).convert("CMYK"), quality=80)
for value in range(1, 9):
    save(f"orientation_{value}.jpg", photo.resize((40, 24)), quality=80, exif=orientation(value))

# PNG
alpha = Image.linear_gradient("L").resize(photo.size)
rgba = photo.copy()
rgba.putalpha(alpha)
save("rgb.png", photo)
save("rgba.png", rgba)
save("grey.png", photo.convert("L"))
save("grey_alpha.png", rgba.convert("LA"))
save("bilevel.png", photo.convert("1"))
save("palette.png", photo.quantize(64))
save("palette_4bit.png", photo.quantize(13), bits=4)
save("palette_transparent.png", photo.quantize(32), transparency=3)
save("orientation.png", photo, exif=orientation(6))
grey = np.asarray(photo.convert("L")).astype(np.uint16)
save("grey_16.png", Image.fromarray(grey * 257 - grey // 3))
wide = np.asarray(photo).astype(">u2") * 251
(HERE / "rgb_16.png").write_bytes(png(*photo.size, 16, 2, [row.tobytes() for row in wide]))
record("rgb_16.png")

# WebP
save("lossy.webp", photo, quality=80)
save("lossless.webp", photo, lossless=True)
save("lossy_alpha.webp", rgba, quality=50)
save("orientation.webp", photo, quality=70, exif=orientation(8))

# GIF
save("plain.gif", photo.quantize(48))
save("transparent.gif", photo.quantize(48), transparency=5)
save("grey.gif", photo.convert("L"))
save("animated.gif", photo.quantize(40), save_all=True, append_images=[ImageOps.mirror(photo).quantize(40)])

# BMP
save("rgb.bmp", photo.resize((31, 17)))
save("palette.bmp", photo.resize((31, 17)).quantize(16))
save("grey.bmp", photo.resize((31, 17)).convert("L"))
save("rgba.bmp", rgba.resize((31, 17)))

# TIFF
save("rgb.tiff", photo.resize((31, 17)))
save("lzw.tiff", photo, compression="tiff_lzw")
save("deflate.tif", photo, compression="tiff_adobe_deflate")
save("grey.tiff", photo.convert("L"), compression="packbits")
save("bilevel.tiff", photo.convert("1"), compression="group4")
save("rgba.tiff", rgba, compression="tiff_lzw")
save("cmyk.tiff", photo.convert("CMYK"), compression="tiff_lzw")
save("grey_16.tiff", Image.fromarray(grey * 250), compression="tiff_lzw")
save("orientation.tiff", photo, compression="tiff_lzw", exif=orientation(5))

# Refused
photo.resize((31, 17)).quantize(16).save(HERE / "unsupported_palette.tiff")

(HERE / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")
