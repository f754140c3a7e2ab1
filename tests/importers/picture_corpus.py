"""Makes pictures in every mode that Pillow, tifffile, ImageMagick, libtiff's tools and exiftool write them in."""

import itertools
import shutil
import subprocess
import zlib
from pathlib import Path

import numpy as np
import coded_pictures
import tifffile
import pillow_heif
import pillow_jxl
from PIL import Image, PngImagePlugin

pillow_heif.register_heif_opener()

WIDTH, HEIGHT = 83, 61


def base():
    """Smooth colours with a pattern: every row and column differs from its neighbours."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    red = x * 255 // (WIDTH - 1)
    green = y * 255 // (HEIGHT - 1)
    blue = (x * 7 + y * 13) % 256
    return np.stack([red, green, blue], axis=2).astype(np.uint8)


RGB = base()
GREY = RGB.mean(axis=2).astype(np.uint8)
ALPHA = ((np.mgrid[0:HEIGHT, 0:WIDTH][1] * 5) % 256).astype(np.uint8)


class Corpus:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.refused = []

    def path(self, name):
        return self.folder / name

    def make(self, name, write):
        """A writer may not be able to write a mode: then there is no such picture."""
        try:
            write(self.path(name))
        except Exception as error:
            self.path(name).unlink(missing_ok=True)
            self.refused.append(f"{name}: {error}")

    def run(self, name, *command):
        """A program that makes the picture that is its last argument."""

        def write(path):
            subprocess.run([*map(str, command), str(path)], check=True, capture_output=True, timeout=60)

        self.make(name, write)


def pillow_images():
    rgb = Image.fromarray(RGB)
    rgba = rgb.copy()
    rgba.putalpha(Image.fromarray(ALPHA))
    grey = Image.fromarray(GREY)
    return {
        "1": grey.convert("1"),
        "L": grey,
        "LA": Image.merge("LA", (grey, Image.fromarray(ALPHA))),
        "P": rgb.quantize(64),
        "P16": rgb.quantize(16),
        "P2": rgb.quantize(2),
        "RGB": rgb,
        "RGBA": rgba,
        "RGBX": rgb.convert("RGBX"),
        "CMYK": rgb.convert("CMYK"),
        "YCbCr": rgb.convert("YCbCr"),
        "I16": Image.fromarray(GREY.astype(np.uint16) * 257),
        "I": Image.fromarray(GREY.astype(np.int32)),
        "F": Image.fromarray(GREY.astype(np.float32)),
    }


def of_pillow(corpus):
    images = pillow_images()
    for mode, image in images.items():
        for ending in ("png", "gif", "bmp", "webp", "jpg"):
            corpus.make(f"pil_{mode}.{ending}", image.save)
        corpus.make(f"pil_{mode}_lossless.webp", lambda path: image.save(path, lossless=True))
        compressions = [
            "raw", "tiff_ccitt", "group3", "group4", "tiff_lzw", "jpeg", "tiff_adobe_deflate", "packbits",
            "tiff_deflate", "lzma", "zstd", "webp",
        ]
        for compression in compressions:
            save = lambda path: image.save(path, compression=compression)
            corpus.make(f"pil_{mode}_{compression}.tif", save)
        corpus.make(f"pil_{mode}_big.tif", lambda path: image.save(path, big_tiff=True))
    rgb = images["RGB"]
    for quality, subsampling in itertools.product((30, 75, 95), (0, 1, 2)):
        for progressive in (False, True):
            options = {"quality": quality, "subsampling": subsampling, "progressive": progressive}
            name = f"pil_q{quality}_s{subsampling}_{'p' if progressive else 'b'}.jpg"
            corpus.make(name, lambda path: rgb.save(path, **options))
    for mode, image in images.items():
        corpus.make(f"pil_{mode}_interlaced.gif", lambda path: image.save(path, interlace=1))
    for orientation in range(0, 10):
        exif = Image.Exif()
        exif[0x112] = orientation
        for ending in ("jpg", "png", "webp", "tif"):
            corpus.make(f"pil_turned_{orientation}.{ending}", lambda path: rgb.save(path, exif=exif))
        xmp = f'<x:xmpmeta><rdf:Description tiff:Orientation="{orientation}"/></x:xmpmeta>'.encode()
        for ending in ("jpg", "webp"):
            corpus.make(f"pil_xmp_{orientation}.{ending}", lambda path: rgb.save(path, xmp=xmp))
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        corpus.make(f"pil_xmp_{orientation}.png", lambda path: rgb.save(path, pnginfo=info))
        profile = exif.tobytes()
        text = f"\nexif\n{len(profile):8}\n{profile.hex()}\n"
        for is_compressed in (False, True):
            info = PngImagePlugin.PngInfo()
            info.add_text("Raw profile type exif", text, zip=is_compressed)
            name = f"pil_profile_{orientation}_{'z' if is_compressed else 't'}.png"
            corpus.make(name, lambda path: rgb.save(path, pnginfo=info))
    frames = [rgb.rotate(angle).quantize(32) for angle in (0, 90)]
    corpus.make("pil_animated.gif", lambda path: frames[0].save(path, save_all=True, append_images=frames[1:]))
    frames = [rgb, rgb.rotate(90)]
    for ending in ("png", "webp", "mpo", "tif"):
        save = lambda path: frames[0].save(path, save_all=True, append_images=frames[1:])
        corpus.make(f"pil_animated.{ending}", save)


def of_tifffile(corpus):
    images = {
        "grey8": (GREY, {"photometric": "minisblack"}),
        "white8": (GREY, {"photometric": "miniswhite"}),
        "rgb8": (RGB, {"photometric": "rgb"}),
        "rgba8": (np.dstack([RGB, ALPHA]), {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
        "rgba8_multiplied": (np.dstack([RGB, ALPHA]), {"photometric": "rgb", "extrasamples": ["assocalpha"]}),
        "rgbx8": (np.dstack([RGB, ALPHA]), {"photometric": "rgb", "extrasamples": ["unspecified"]}),
        "cmyk8": (np.dstack([RGB, ALPHA // 3]), {"photometric": "separated"}),
        "rgb16": (RGB.astype(np.uint16) * 257, {"photometric": "rgb"}),
        "grey16": (GREY.astype(np.uint16) * 257, {"photometric": "minisblack"}),
        "grey16_small": (GREY.astype(np.uint16), {"photometric": "minisblack"}),
        "grey32": (GREY.astype(np.uint32), {"photometric": "minisblack"}),
        "int8": (GREY.astype(np.int8), {"photometric": "minisblack"}),
        "int16": (GREY.astype(np.int16), {"photometric": "minisblack"}),
        "int32": (GREY.astype(np.int32), {"photometric": "minisblack"}),
        "float16": (GREY.astype(np.float16), {"photometric": "minisblack"}),
        "float32": (GREY.astype(np.float32), {"photometric": "minisblack"}),
        "float64": (GREY.astype(np.float64), {"photometric": "minisblack"}),
        "bilevel": (GREY > 100, {"photometric": "minisblack"}),
        "palette": (GREY, {"photometric": "palette", "colormap": np.stack([np.arange(256) * 256] * 3).astype(np.uint16)}),
    }
    layouts = {
        "strip": {},
        "rows": {"rowsperstrip": 7},
        "tiles": {"tile": (32, 16)},
    }
    for (name, (array, options)), (layout, where) in itertools.product(images.items(), layouts.items()):
        for order in "<>":
            write = lambda path: tifffile.imwrite(path, array, byteorder=order, metadata=None, **options, **where)
            corpus.make(f"tifffile_{name}_{layout}_{'le' if order == '<' else 'be'}.tif", write)
        for compression in ("lzw", "zlib", "zstd", "packbits", "lzma"):
            write = lambda path: tifffile.imwrite(path, array, compression=compression, metadata=None, **options, **where)
            corpus.make(f"tifffile_{name}_{layout}_{compression}.tif", write)
        for compression in ("lzw", "zlib", "zstd"):
            write = lambda path: tifffile.imwrite(
                path, array, compression=compression, predictor=True, metadata=None, **options, **where
            )
            corpus.make(f"tifffile_{name}_{layout}_{compression}_predicted.tif", write)
    for name in ("rgb8", "rgb16", "cmyk8", "rgba8"):
        array, options = images[name]
        planes = np.ascontiguousarray(array.transpose(2, 0, 1))
        for layout, where in layouts.items():
            for compression in (None, "zlib"):
                write = lambda path: tifffile.imwrite(
                    path, planes, planarconfig="separate", compression=compression, metadata=None, **options, **where
                )
                corpus.make(f"tifffile_planar_{name}_{layout}_{compression}.tif", write)
    for bits in (2, 4, 10, 12, 14):
        kind = np.uint8 if bits < 8 else np.uint16
        array = (GREY.astype(np.uint32) * ((1 << bits) - 1) // 255).astype(kind)
        corpus.make(
            f"tifffile_bits_{bits}.tif",
            lambda path: tifffile.imwrite(path, array, bitspersample=bits, photometric="minisblack", metadata=None),
        )
    for name in ("grey8", "rgb8"):
        array, options = images[name]
        for layout, where in layouts.items():
            write = lambda path: tifffile.imwrite(path, array, compression="jpeg", metadata=None, **options, **where)
            corpus.make(f"tifffile_{name}_{layout}_jpeg.tif", write)
            write = lambda path: tifffile.imwrite(path, array, bigtiff=True, metadata=None, **options, **where)
            corpus.make(f"tifffile_{name}_{layout}_big.tif", write)


def of_imagemagick(corpus):
    if not shutil.which("convert"):
        return
    source = corpus.path("pil_RGB.png")
    for ending in ("png", "gif", "bmp", "jpg", "tif", "webp"):
        for kind in ("TrueColor", "TrueColorAlpha", "Palette", "Grayscale", "GrayscaleAlpha", "Bilevel"):
            corpus.run(f"magick_{kind}.{ending}", "convert", source, "-type", kind)
    for depth in (1, 2, 4, 8, 16):
        for kind in ("Grayscale", "TrueColor", "Palette"):
            for ending in ("png", "tif"):
                name = f"magick_{kind}_{depth}.{ending}"
                corpus.run(name, "convert", source, "-type", kind, "-depth", depth)
    for version in ("bmp2", "bmp3"):
        for colors in (2, 16, 256):
            for compression in ("None", "RLE"):
                write = lambda path: subprocess.run(
                    ["convert", str(source), "-colors", str(colors), "-type", "Palette", "-compress", compression,
                     f"{version}:{path}"],
                    check=True, capture_output=True,
                )
                corpus.make(f"magick_{version}_{colors}_{compression}.bmp", write)
    for interlace in ("None", "Line", "Plane", "PNG", "JPEG", "GIF"):
        for ending in ("png", "gif", "jpg", "tif"):
            corpus.run(f"magick_interlace_{interlace}.{ending}", "convert", source, "-interlace", interlace)
    for sampling in ("1x1", "2x1", "1x2", "2x2", "4x1", "4x2", "4x4", "3x1"):
        corpus.run(f"magick_sampling_{sampling}.jpg", "convert", source, "-sampling-factor", sampling)
    for space in ("CMYK", "Gray", "YCbCr", "Lab"):
        for ending in ("jpg", "tif"):
            corpus.run(f"magick_space_{space}.{ending}", "convert", source, "-colorspace", space)
    for compression in ("None", "LZW", "Zip", "RLE", "Fax", "Group4", "JPEG", "LZMA", "ZSTD", "WebP"):
        for order in ("LSB", "MSB"):
            name = f"magick_{compression}_{order}.tif"
            options = ["-monochrome"] if compression in ("Fax", "Group4") else []
            corpus.run(name, "convert", source, *options, "-compress", compression, "-endian", order)
    for order in ("lsb", "msb"):
        corpus.run(
            f"magick_fill_{order}.tif",
            "convert", source, "-monochrome", "-compress", "Group4", "-define", f"tiff:fill-order={order}",
        )


def of_libtiff(corpus):
    if not shutil.which("tiffcp"):
        return
    sources = {
        "rgb": "pil_RGB_raw.tif",
        "grey": "pil_L_raw.tif",
        "palette": "pil_P_raw.tif",
        "bilevel": "pil_1_raw.tif",
        "cmyk": "pil_CMYK_raw.tif",
        "rgb16": "tifffile_rgb16_strip_le.tif",
        "float32": "tifffile_float32_strip_le.tif",
    }
    compressions = [
        "none", "lzw", "lzw:2", "zip", "zip:2", "packbits", "jpeg", "jpeg:r", "g3", "g3:1d", "g3:2d", "g3:2d:fill",
        "g4", "lzma", "zstd", "webp", "lzw:3", "zip:3",
    ]
    layouts = {
        "strips": ["-r", "9"],
        "tiles": ["-t", "-w", "32", "-l", "16"],
        "planes": ["-p", "separate"],
        "planes_tiles": ["-p", "separate", "-t", "-w", "32", "-l", "48"],
        "big": ["-8"],
        "be": ["-B"],
        "reversed": ["-f", "lsb2msb"],
    }
    for (kind, source), compression, (layout, options) in itertools.product(
        sources.items(), compressions, layouts.items()
    ):
        name = f"tiffcp_{kind}_{compression.replace(':', '_')}_{layout}.tif"
        corpus.run(name, "tiffcp", "-c", compression, *options, corpus.path(source))
    ppm = corpus.path("source.ppm")
    Image.fromarray(RGB).save(ppm)
    if shutil.which("rgb2ycbcr"):
        for across, down in ((1, 1), (2, 1), (2, 2), (4, 2), (4, 4)):
            for compression in ("none", "lzw", "zip", "packbits"):
                name = f"ycbcr_{across}_{down}_{compression}.tif"
                command = ["rgb2ycbcr", "-h", across, "-v", down, "-c", compression, "-r", 16]
                corpus.run(name, *command, corpus.path("pil_RGB_raw.tif"))
    ppm.unlink()


def of_exiftool(corpus):
    if not shutil.which("exiftool"):
        return
    sources = {"jpg": "pil_RGB.jpg", "png": "pil_RGB.png", "tif": "pil_RGB_raw.tif", "webp": "pil_turned_0.webp"}
    arguments = []
    for orientation, (ending, source), group in itertools.product(
        range(1, 9), sources.items(), ("IFD0", "XMP-tiff")
    ):
        name = f"exiftool_{group}_{orientation}.{ending}"
        corpus.make(name, lambda path: shutil.copyfile(corpus.path(source), path))
        arguments += ["-q", "-n", "-overwrite_original", f"-{group}:Orientation={orientation}", str(corpus.path(name))]
        arguments.append("-execute")
    # One process for all: each takes longer to start than to write.
    subprocess.run(["exiftool", "-@", "-"], input="\n".join(arguments), text=True, check=True, capture_output=True)


def of_later_formats(corpus):
    images = pillow_images()
    for mode in ("L", "LA", "RGB", "RGBA"):
        image = images[mode]
        for ending in ("jp2", "j2k"):
            corpus.make(f"pil_{mode}.{ending}", image.save)
            corpus.make(
                f"pil_{mode}_lossy.{ending}",
                lambda path: image.save(path, irreversible=True, quality_mode="dB", quality_layers=[45]),
            )
            corpus.make(f"pil_{mode}_tiles.{ending}", lambda path: image.save(path, tile_size=(32, 32)))
        corpus.make(f"pil_{mode}.jxl", lambda path: image.save(path, quality=90))
        corpus.make(f"pil_{mode}_lossless.jxl", lambda path: image.save(path, lossless=True))
        corpus.make(f"pil_{mode}.avif", image.save)
        corpus.make(f"pil_{mode}.heic", image.save)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x112] = orientation
        corpus.make(f"pil_turned_{orientation}.jxl", lambda path: images["RGB"].save(path, lossless=True, exif=exif.tobytes()))


def damaged(corpus):
    """Files whose picture is whole, or is not."""
    png = corpus.path("pil_RGB.png").read_bytes()
    jpg = corpus.path("pil_RGB.jpg").read_bytes()
    variants = {
        "png_no_end.png": png[:-12],
        "png_no_last_sum.png": png[:-16],
        "png_more.png": png + b"more",
        "png_cut.png": png[: len(png) // 2],
        "png_text_sum.png": png[:33] + (4).to_bytes(4, "big") + b"tEXta\0bc" + b"\0\0\0\0" + png[33:],
        "jpg_more.jpg": jpg + b"\xff\xda\0\x02more" * 20,
        "jpg_twice.jpg": jpg + jpg,
        "jpg_no_end.jpg": jpg[:-2],
        "jpg_cut.jpg": jpg[: len(jpg) // 2],
        "jpg_junk.jpg": jpg[:2] + b"\0\0\0" + jpg[2:],
        "jpg_fill.jpg": jpg[:2] + b"\xff\xff" + jpg[2:],
    }
    idat = png.index(b"IDAT")
    length = int.from_bytes(png[idat - 4 : idat], "big")
    wrong = bytearray(png)
    wrong[idat + 4 + length] ^= 1
    variants["png_wrong_sum.png"] = bytes(wrong)
    raw = zlib.decompress(png[idat + 4 : idat + 4 + length])
    variants["png_recompressed.png"] = b"".join(
        [png[:33]]
        + [len(part).to_bytes(4, "big") + b"IDAT" + part + zlib.crc32(b"IDAT" + part).to_bytes(4, "big")
           for part in (lambda z: [z[i : i + 100] for i in range(0, len(z), 100)])(zlib.compress(raw, 1))]
        + [png[-12:]]
    )
    for name, content in variants.items():
        corpus.make(name, lambda path: path.write_bytes(content))


def make(folder):
    corpus = Corpus(folder)
    of_pillow(corpus)
    of_tifffile(corpus)
    of_imagemagick(corpus)
    of_libtiff(corpus)
    of_exiftool(corpus)
    of_later_formats(corpus)
    coded_pictures.make(corpus)
    damaged(corpus)
    return corpus
