"""Makes the images of this folder with Pillow: all kinds, depths and colours; `values.txt` has their values."""
import os
import zlib
import numpy as np
from PIL import Image

os.chdir(os.path.dirname(os.path.abspath(__file__)))
rng = np.random.default_rng(11)
H, W = 11, 13
SMOOTH = (np.add.outer(np.arange(H) * 6, np.arange(W) * 5) % 256).astype("u1")
values = []


def noise(bands, kind="u1"):
    shape = (H, W) if bands == 1 else (H, W, bands)
    return rng.integers(0, np.iinfo(kind).max + 1, shape).astype(kind)


def note(name, array, near=0):
    """A line: the file, how far values may be off, sizes, values."""
    array = np.asarray(array)
    numbers = " ".join(str(v) for v in array.ravel())
    values.append(f"{name} {near} {'x'.join(map(str, array.shape))} {numbers}\n")


def save(name, image, near=0, expected=None, **options):
    image.save(name, **options)
    note(name, Image.open(name) if expected is None else expected, near)


def chunk(kind, body):
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def png(name, array, colour, bits, rows=None, extra=b"", interlaced=0):
    """What Pillow does not write: 16-bit colour, few bits of grey, Adam7."""
    head = W.to_bytes(4, "big") + H.to_bytes(4, "big") + bytes([bits, colour, 0, 0, interlaced])
    rows = rows or [array[i].astype(">u2" if bits == 16 else "u1").tobytes() for i in range(H)]
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    with open(name, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", body) + chunk(b"IEND", b""))


def adam7(array):
    """The rows of the seven passes (PNG, section 8.2)."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    parts = [array[y::dy, x::dx] for y, x, dy, dx in passes]
    return [row.tobytes() for part in parts if part.size for row in part]


grey = noise(1)
for name, bands, mode in [("grey", 1, "L"), ("grey_alpha", 2, "LA"), ("rgb", 3, "RGB"), ("rgba", 4, "RGBA")]:
    image = Image.fromarray(noise(bands), mode)
    save(f"{name}.png", image)
    if bands != 2:
        save(f"{name}.tif", image, compression="tiff_deflate" if bands == 3 else "tiff_lzw" if bands == 1 else None)
save("grey16.png", Image.fromarray(noise(1, "u2")))
save("grey16.tif", Image.fromarray(noise(1, "u2")))
rgb16 = noise(3, "u2")
png("rgb16.png", rgb16, 2, 16)
note("rgb16.png", rgb16)
palette = Image.fromarray(noise(3), "RGB").quantize(50)
palette.save("palette.png")
note("palette.png", palette.convert("RGB"))
# The colour 7 of a palette, transparent.
palette.save("palette_alpha.png", transparency=7)
note("palette_alpha.png", Image.open("palette_alpha.png").convert("RGBA"))
bits = noise(1) > 127
save("bits1.png", Image.fromarray(bits), expected=bits.astype(int) * 255)
fours = noise(1) % 16
rows = [bytes(int(a) << 4 | int(b) for a, b in zip(row[::2], list(row[1::2]) + [0])) for row in fours]
png("bits4.png", None, 0, 4, rows)
note("bits4.png", fours * 17)
png("interlaced.png", None, 0, 8, adam7(grey), interlaced=1)
note("interlaced.png", grey)
save("pages.tif", Image.fromarray(grey), expected=grey, save_all=True, append_images=[Image.fromarray(255 - grey)])
save("animated.png", Image.fromarray(grey), expected=grey, save_all=True, append_images=[Image.fromarray(255 - grey)])
save("grey.jpg", Image.fromarray(SMOOTH // 2), near=2, quality=95)
colours = np.stack([SMOOTH // 2, 255 - SMOOTH // 2, np.full_like(SMOOTH, 90)], axis=2)
save("rgb.jpg", Image.fromarray(colours), near=4, quality=95, subsampling=0)
save("progressive.jpg", Image.fromarray(colours), near=4, quality=95, subsampling=0, progressive=True)
exif = Image.Exif()
exif[0x0112] = 6
save("turned.jpg", Image.fromarray(SMOOTH // 2), near=2, quality=95, exif=exif)
# What is refused.
Image.fromarray(noise(2), "LA").save("grey_alpha.tif")
Image.fromarray(noise(1).astype("f4")).save("float.tif")
Image.fromarray(np.arange(H * W, dtype="i4").reshape(H, W)).save("int32.tif")
open("values.txt", "w").writelines(values)
