"""Lanczos resampling, three lobes, on colours weighted by their alpha: the host's, but for what
32-bit floats round, which is a shade at most.
"""

from math import ceil, floor, pi, sin

LOBES = 3


def lanczos(pixels: bytes, old: tuple[int, int], new: tuple[int, int]) -> bytes:
    """RGBA pixels of one size brought to another, neither of them empty."""
    if old == new:
        return pixels
    across, down = _weights(old[0], new[0]), _weights(old[1], new[1])
    weighted = [
        pixels[at + channel] * (pixels[at + 3] if channel < 3 else 255)
        for at in range(0, len(pixels), 4)
        for channel in range(4)
    ]
    narrow = []
    for y in range(old[1]):
        row = weighted[y * old[0] * 4 : (y + 1) * old[0] * 4]
        narrow.append([
            sum(weight * row[(first + tap) * 4 + channel] for tap, weight in enumerate(taps))
            for first, taps in across
            for channel in range(4)
        ])  # fmt: skip
    out = bytearray()
    for first, taps in down:
        levels = [
            sum(weight * narrow[first + tap][at] for tap, weight in enumerate(taps))
            for at in range(new[0] * 4)
        ]
        whole = [min(65535, max(0, floor(level + 0.5))) for level in levels]
        for at in range(0, len(whole), 4):
            out += _unweighted(whole[at : at + 4])
    return bytes(out)


def _unweighted(pixel: list[int]) -> bytes:
    alpha = pixel[3]
    if alpha == 0:
        return bytes(4)
    # The lobes overshoot, so a colour can come out above its alpha.
    colours = (min(255, (part * 255 + alpha // 2) // alpha) for part in pixel[:3])
    return bytes((*colours, min(255, (alpha + 127) // 255)))


def _weights(old: int, new: int) -> list[tuple[int, list[float]]]:
    """For each new pixel the first old one that counts, and weights that sum to 1."""
    ratio = old / new
    scale = max(1.0, ratio)
    spans = []
    for index in range(new):
        centre = (index + 0.5) * ratio - 0.5
        first = min(old - 1, max(0, ceil(centre - LOBES * scale)))
        last = min(old - 1, max(0, floor(centre + LOBES * scale)))
        raw = [_kernel((at - centre) / scale) for at in range(first, last + 1)]
        spans.append((first, [weight / sum(raw) for weight in raw]))
    return spans


def _kernel(x: float) -> float:
    return _sinc(pi * x) * _sinc(pi * x / LOBES) if abs(x) < LOBES else 0.0


def _sinc(x: float) -> float:
    return sin(x) / x if x else 1.0
