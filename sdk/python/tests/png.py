"""PNG files of RGBA with 8 bits, which is what cases have."""

import struct
import zlib
from pathlib import Path


def read(file: Path) -> tuple[int, int, bytes]:
    """Width, height and pixels of a file."""
    content, at, data, size = file.read_bytes(), 8, b"", (0, 0)
    while at < len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        body = content[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            size = struct.unpack_from(">II", body)
            if body[8:] != bytes([8, 6, 0, 0, 0]):
                raise ValueError(f"{file} is no plain RGBA")
        elif kind == b"IDAT":
            data += body
        at += 12 + length
    return size[0], size[1], _unfiltered(zlib.decompress(data), size[0] * 4, size[1])


def _unfiltered(raw: bytes, stride: int, height: int) -> bytes:
    """Rows without PNG's filters, which say each byte by those left, above, and both."""
    out = bytearray()
    for row in range(height):
        start = row * (stride + 1)
        for x in range(stride):
            a = out[-4] if x >= 4 else 0
            b = out[-stride] if row else 0
            c = out[-stride - 4] if x >= 4 and row else 0
            guess = (0, a, b, (a + b) // 2, _predicted(a, b, c))[raw[start]]
            out.append((raw[start + 1 + x] + guess) % 256)
    return bytes(out)


def _predicted(a: int, b: int, c: int) -> int:
    return min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
