"""Makes the pictures of this folder, so that no photograph is involved: a slope of grey or colours, 23 x 17,
as cameras and image programs write it. PNG files are put together here, in every kind of the PNG
specification; JPEG files are Pillow's (13.0 made the committed ones; another gives other bytes of the same
picture).

python3 make.py    needs Pillow for the JPEG files
"""

import struct
import zlib
from pathlib import Path

FOLDER = Path(__file__).parent
WIDTH, HEIGHT = 23, 17


def rgb(x, y):
    return (11 * x, 15 * y, 128)


def grey(x, y):
    return (11 * x + 15 * y) // 2


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def packed(values, depth):
    """Values of a line, in whole bytes."""
    if depth == 16:
        return b"".join(struct.pack(">H", value) for value in values)
    bits = "".join(f"{value:0{depth}b}" for value in values)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


def filtered(lines, step, kind):
    """Lines with their filter, of the five in turn if none is given."""
    before = bytes(len(lines[0])) if lines else b""
    out = b""
    for number, line in enumerate(lines):
        this = number % 5 if kind is None else kind
        left = bytes(step) + line
        corner = bytes(step) + before
        out += bytes([this])
        for at, value in enumerate(line):
            a, b, c = left[at], before[at], corner[at]
            nearest = min((a, b, c), key=lambda n: (abs(a + b - c - n), (a, b, c).index(n)))
            out += bytes([(value - (0, a, b, (a + b) // 2, nearest)[this]) % 256])
        before = line
    return out


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(name, colour, depth, *, interlaced=False, kind=None, before=b"", after=b"", parts=1):
    """`colour` is the number of the specification: 0 grey, 2 RGB, 3 palette, 4 grey and 6 RGB with alpha."""
    most = (1 << depth) - 1

    def samples(x, y):
        of_grey = grey(x, y) * most // 255
        if colour in (0, 3):
            return (of_grey,)
        if colour == 4:
            return (of_grey, most)
        scaled = tuple(value * most // 255 for value in rgb(x, y))
        return scaled if colour == 2 else (*scaled, most)

    step = max(1, len(samples(0, 0)) * depth // 8)
    data = b""
    for x0, y0, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        lines = [
            packed([value for x in range(x0, WIDTH, dx) for value in samples(x, y)], depth)
            for y in range(y0, HEIGHT, dy)
        ]
        if lines and lines[0]:
            data += filtered(lines, step, kind)
    coded = zlib.compress(data, 9)
    cuts = [len(coded) * part // parts for part in range(parts + 1)]
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, int(interlaced))
    palette = b"".join(bytes([value * 255 // most] * 3) for value in range(most + 1))
    FOLDER.joinpath(name).write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + before
        + (chunk(b"PLTE", palette) if colour == 3 else b"")
        + b"".join(chunk(b"IDAT", coded[a:b]) for a, b in zip(cuts, cuts[1:]))
        + after
        + chunk(b"IEND", b"")
    )


def pngs():
    depths = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
    names = {0: "grey", 2: "rgb", 3: "palette", 4: "grey-alpha", 6: "rgb-alpha"}
    for colour, of_colour in depths.items():
        for depth in of_colour:
            png(f"{names[colour]}-{depth}.png", colour, depth)
    for colour in (0, 2, 3):
        png(f"{names[colour]}-interlaced.png", colour, 8, interlaced=True)
    png("grey-interlaced-1.png", 0, 1, interlaced=True)
    text = chunk(b"tEXt", b"Comment\0a slope") + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a slope"))
    gamma = chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"pHYs", struct.pack(">IIB", 2835, 2835, 1))
    png("rgb-chunks.png", 2, 8, before=gamma + text, after=chunk(b"tIME", bytes(7)), parts=5)


def exif(orientation):
    """EXIF as cameras write it, in the order of bytes that Canon's have, with a picture in it."""
    thumbnail = b"\xff\xd8\xff\xd9"
    entries = [(0x010F, 2, 4, b"Own\0"), (0x0112, 3, 1, struct.pack("<HH", orientation, 0))]
    table = struct.pack("<H", len(entries))
    for tag, kind, count, value in entries:
        table += struct.pack("<HHI", tag, kind, count) + value
    second = 8 + len(table) + 4
    table += struct.pack("<I", second)
    table += struct.pack("<H", 2)
    table += struct.pack("<HHII", 0x0201, 4, 1, second + 2 + 24 + 4)
    table += struct.pack("<HHII", 0x0202, 4, 1, len(thumbnail))
    table += struct.pack("<I", 0) + thumbnail
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + table


def jpegs():
    from PIL import Image

    colour = Image.new("RGB", (WIDTH, HEIGHT))
    colour.putdata([rgb(x, y) for y in range(HEIGHT) for x in range(WIDTH)])
    slope = Image.new("L", (WIDTH, HEIGHT))
    slope.putdata([grey(x, y) for y in range(HEIGHT) for x in range(WIDTH)])
    save = {
        "camera.jpg": (colour, {"exif": exif(1), "subsampling": "4:2:2", "comment": b"own", "dpi": (72, 72)}),
        "camera-turned.jpg": (colour, {"exif": exif(6), "subsampling": "4:2:0"}),
        "progressive.jpg": (colour, {"progressive": True, "subsampling": "4:2:0"}),
        "progressive-grey.jpg": (slope, {"progressive": True}),
        "restarts.jpg": (colour, {"restart_marker_blocks": 2, "subsampling": "4:4:4"}),
        "restarts-subsampled.jpg": (colour, {"restart_marker_rows": 1, "subsampling": "4:2:0"}),
        "grey.jpg": (slope, {"optimize": True}),
        "cmyk.jpg": (colour.convert("CMYK"), {}),
        "profile.jpg": (colour, {"icc_profile": bytes(300), "subsampling": "4:4:4"}),
    }
    for name, (image, options) in save.items():
        image.save(FOLDER / name, quality=95, **options)


pngs()
jpegs()
