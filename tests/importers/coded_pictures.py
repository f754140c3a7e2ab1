"""Makes AVIF and HEIC pictures in every way that Pillow, pillow_heif and FFmpeg write them in, and grids of such.

`python coded_pictures.py FOLDER` writes a few small ones, and `expected.json`: what Pillow decodes them to.
"""

import hashlib
import io
import itertools
import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageOps

pillow_heif.register_heif_opener()

ODD, EVEN = (83, 61), (84, 62)

# What FFmpeg can write and the others cannot: 10 and 12 bits of AV1, and red, green and blue as they are.
PIXEL_FORMATS = ["yuv420p10le", "yuv422p10le", "yuv444p10le", "yuv420p12le", "gbrp", "gbrp10le", "gray", "gray10le"]


def picture(mode, size):
    """Smooth colours with hard edges; alpha is never a constant."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    colors = np.stack([x * 255 // (width - 1), y * 255 // (height - 1), (x * 7 + y * 13) % 256], axis=2)
    colors[height // 4 : height // 2, width // 4 : width // 2] = [255, 0, 0]
    colors[: height // 5, : width // 5] = 255
    image = Image.fromarray(colors.astype(np.uint8))
    if mode in ("L", "LA"):
        image = image.convert("L")
    if mode in ("RGBA", "LA"):
        image.putalpha(Image.fromarray(((x * 5 + y) % 256).astype(np.uint8)))
    return image


def parity(size):
    return "odd" if size == ODD else "even"


def orientation(value):
    exif = Image.Exif()
    exif[0x112] = value
    return exif.tobytes()


def nclx(matrix, is_full_range):
    values = {"color_primaries": 1, "transfer_characteristics": 13}
    return {**values, "matrix_coefficients": matrix, "full_range_flag": int(is_full_range)}


def deep(path, mode, bits, **options):
    """HEIC of more than 8 bits."""
    colors = np.asarray(picture("RGBA", ODD)).astype(np.uint16) * 257
    samples = {"RGB": colors[..., :3], "RGBA": colors, "L": colors[..., 1]}[mode]
    before = pillow_heif.options.SAVE_HDR_TO_12_BIT
    pillow_heif.options.SAVE_HDR_TO_12_BIT = bits == 12
    try:
        data = np.ascontiguousarray(samples).tobytes()
        pillow_heif.from_bytes(mode=f"{mode};16", size=ODD, data=data).save(path, **options)
    finally:
        pillow_heif.options.SAVE_HDR_TO_12_BIT = before


def by_ffmpeg(pixel_format, size, is_full_range):
    """The arguments that make an AVIF of this arrangement, but for its path."""
    space = "rgb" if pixel_format.startswith("gbr") else "bt709"
    color_range = "pc" if is_full_range else "tv"
    source = f"testsrc2=size={size[0]}x{size[1]}:rate=1:duration=1"
    return (
        ["ffmpeg", "-y", "-v", "error", "-f", "lavfi", "-i", source, "-frames:v", "1"]
        + ["-vf", f"scale=out_color_matrix=bt709:out_range={color_range}", "-pix_fmt", pixel_format]
        + ["-c:v", "libaom-av1", "-still-picture", "1", "-cpu-used", "8", "-crf", "20"]
        + ["-colorspace", space, "-color_range", color_range, "-f", "avif"]
    )


def box(name, *content):
    content = b"".join(content)
    return struct.pack(">I", 8 + len(content)) + name + content


def boxes(content):
    while content:
        length = int.from_bytes(content[:4], "big")
        yield content[4:8], content[:length]
        content = content[length:]


def coded(file):
    """How the one item of a file is coded, and its data."""
    meta = dict(boxes(dict(boxes(file))[b"meta"][12:]))
    properties = dict(boxes(dict(boxes(meta[b"iprp"][8:]))[b"ipco"][8:]))
    configuration = properties.get(b"hvcC") or properties[b"av1C"]
    location = meta[b"iloc"][12:]
    width = location[1] >> 4
    base = int.from_bytes(location[8 : 8 + width], "big")
    offset, length = struct.unpack(">II", location[10 + width : 18 + width])
    return configuration, file[base + offset : base + offset + length]


def grid(files, columns, size, tile):
    """Tiles beside and below each other: a derived item over others, of which the first one is shown (ISO/IEC 23008-12)."""
    tiles = [coded(file) for file in files]
    is_avif = tiles[0][0][4:8] == b"av1C"
    brand, kind = (b"avif", b"av01") if is_avif else (b"heic", b"hvc1")
    ids = range(2, 2 + len(tiles))
    entry = lambda item, kind: box(b"infe", struct.pack(">BxxxHH4sx", 2, item, 0, kind))
    description = struct.pack(">BBBBHH", 0, 0, len(tiles) // columns - 1, columns - 1, *size)
    properties = [
        tiles[0][0],
        box(b"ispe", struct.pack(">xxxxII", *tile)),
        box(b"ispe", struct.pack(">xxxxII", *size)),
        box(b"colr", b"nclx", struct.pack(">HHHB", 1, 13, 6, 0x80)),
        box(b"pixi", struct.pack(">xxxxBBBB", 3, 8, 8, 8)),
    ]
    owned = [(1, [3, 4, 5]), *((item, [0x81, 2, 4, 5]) for item in ids)]
    associations = b"".join(struct.pack(">HB", item, len(places)) + bytes(places) for item, places in owned)

    def head(start):
        offsets = itertools.accumulate((len(data) for _, data in tiles), initial=start)
        places = [(1, 1, 0, len(description)), *((i, 0, o, len(d)) for i, o, (_, d) in zip(ids, offsets, tiles))]
        extents = b"".join(struct.pack(">HHHHII", item, how, 0, 1, *extent) for item, how, *extent in places)
        return box(b"ftyp", brand, bytes(4), b"mif1", brand, b"miaf") + box(
            b"meta",
            bytes(4),
            box(b"hdlr", struct.pack(">8x4s13x", b"pict")),
            box(b"pitm", struct.pack(">xxxxH", 1)),
            box(b"iloc", struct.pack(">BxxxBBH", 1, 0x44, 0, len(places)), extents),
            box(b"iinf", struct.pack(">xxxxH", 1 + len(tiles)), entry(1, b"grid"), *(entry(i, kind) for i in ids)),
            box(b"iref", bytes(4), box(b"dimg", struct.pack(f">HH{len(tiles)}H", 1, len(tiles), *ids))),
            box(
                b"iprp",
                box(b"ipco", *properties),
                box(b"ipma", struct.pack(">xxxxI", len(owned)), associations),
            ),
            box(b"idat", description),
        )

    media = box(b"mdat", *(data for _, data in tiles))
    return head(len(head(0)) + 8) + media


def grid_of(ending, size, tile=(64, 64)):
    """A picture in as many tiles as it needs."""
    image = picture("RGB", size)
    columns, rows = (-(-side // length) for side, length in zip(size, tile))
    files = []
    for row, column in itertools.product(range(rows), range(columns)):
        corner = (column * tile[0], row * tile[1])
        file = io.BytesIO()
        part = image.crop((*corner, corner[0] + tile[0], corner[1] + tile[1]))
        part.save(file, "AVIF" if ending == "avif" else "HEIF", quality=70, **({} if ending == "avif" else nclx(6, True)))
        files.append(file.getvalue())
    return grid(files, columns, size, tile)


def make(corpus):
    """All of them."""
    ranges = ("full", "limited")
    plain = [("RGB", ODD), ("RGB", EVEN), ("RGBA", ODD)]
    for (mode, size), sampling, color_range in itertools.product(plain, ("4:2:0", "4:2:2", "4:4:4"), ranges):
        name = f"coded_{mode}_{parity(size)}_{sampling.replace(':', '')}_{color_range}.avif"
        corpus.make(name, lambda path: picture(mode, size).save(path, subsampling=sampling, range=color_range))
    for mode, color_range in itertools.product(("RGB", "RGBA", "L", "LA"), ranges):
        name = f"coded_{mode}_400_{color_range}.avif"
        corpus.make(name, lambda path: picture(mode, ODD).save(path, subsampling="4:0:0", range=color_range))
    modes = [("RGB", ODD, matrix) for matrix in (1, 6, 9)]
    modes += [(mode, EVEN, 6) for mode in ("RGB", "RGBA", "L", "LA")]
    for (mode, size, matrix), sampling, color_range in itertools.product(modes, (420, 422, 444), ranges):
        options = {"chroma": sampling, **nclx(matrix, color_range == "full")}
        name = f"coded_{mode}_{parity(size)}_{sampling}_{matrix}_{color_range}.heic"
        corpus.make(name, lambda path: picture(mode, size).save(path, **options))
    turned = [("avif", ODD), ("heic", ODD), ("heic", EVEN)]
    for value, (ending, size) in itertools.product(range(1, 9), turned):
        name = f"coded_turned_{parity(size)}_{value}.{ending}"
        corpus.make(name, lambda path: picture("RGB", size).save(path, exif=orientation(value)))
    kinds = [("RGB", 420), ("RGB", 444), ("RGBA", 420), ("L", 420)]
    for (mode, sampling), bits, color_range in itertools.product(kinds, (10, 12), ranges):
        options = nclx(6, color_range == "full")
        name = f"coded_deep_{mode}_{bits}_{sampling}_{color_range}.heic"
        corpus.make(name, lambda path: deep(path, mode, bits, chroma=sampling, **options))
    for pixel_format, is_full_range in itertools.product(PIXEL_FORMATS, (True, False)):
        name = f"coded_{pixel_format}_{'full' if is_full_range else 'limited'}.avif"
        corpus.run(name, *by_ffmpeg(pixel_format, ODD, is_full_range))
    for ending, (name, size) in itertools.product(("avif", "heic"), (("one", (60, 64)), ("few", (150, 100)), ("odd", (129, 65)))):
        corpus.make(f"coded_grid_{name}.{ending}", lambda path: path.write_bytes(grid_of(ending, size)))
    premultiplied = {"alpha_premultiplied": True}
    corpus.make("coded_premultiplied.avif", lambda path: picture("RGBA", ODD).save(path, **premultiplied))
    corpus.make("coded_no_profile.heic", lambda path: picture("RGB", ODD).save(path, save_nclx_profile=False))
    frames = [picture("L", EVEN).convert("RGB")]
    corpus.make("coded_sequence.avif", lambda path: picture("RGB", EVEN).save(path, save_all=True, append_images=frames))


def fixtures(folder):
    """A few small ones, whose pixels are the same to the last bit."""
    size, low = (40, 28), {"quality": 60}
    save = lambda name, mode="RGB", **options: picture(mode, size).save(folder / name, **low, **options)
    save("rgb.avif")
    save("rgba_444.avif", "RGBA", subsampling="4:4:4")
    save("limited_422.avif", range="limited", subsampling="4:2:2")
    save("grey.avif", "L", subsampling="4:0:0")
    save("turned.avif", exif=orientation(5))
    picture("RGB", (39, 27)).save(folder / "odd.avif", **low)
    picture("RGB", size).save(folder / "sequence.avif", save_all=True, append_images=[picture("RGB", size)], **low)
    for name, pixel_format in (("ten_bits.avif", "yuv420p10le"), ("identity.avif", "gbrp")):
        subprocess.run([*by_ffmpeg(pixel_format, size, True), str(folder / name)], check=True)
    save("rgb.heic")
    save("rgba.heic", "RGBA")
    save("grey.heic", "L")
    save("turned.heic", exif=orientation(7))
    picture("RGB", (39, 27)).save(folder / "odd.heic", **low)
    for ending in ("avif", "heic"):
        (folder / f"grid.{ending}").write_bytes(grid_of(ending, (130, 70)))
    expected = {}
    for path in sorted(folder.glob("*.[ah]*i[fc]")):
        image = Image.open(path)
        pixels = ImageOps.exif_transpose(image).convert("RGB")
        expected[path.name] = {
            "mime_type": "image/avif" if path.suffix == ".avif" else "image/heic",
            "width": pixels.width,
            "height": pixels.height,
            "num_channels": len(image.getbands()),
            "sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    fixtures(Path(sys.argv[1]))
