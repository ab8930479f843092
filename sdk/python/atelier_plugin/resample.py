"""Lanczos resampling, three lobes, for an author's tests. In a component the host does it."""

from math import ceil, floor, pi, sin

LOBES = 3


def lanczos(pixels: bytes, old: tuple[int, int], new: tuple[int, int]) -> bytes:
    """RGBA pixels of one size brought to another, neither of them empty."""
    across, down = _weights(old[0], new[0]), _weights(old[1], new[1])
    narrow = []
    for y in range(old[1]):
        row = pixels[y * old[0] * 4 : (y + 1) * old[0] * 4]
        narrow.append([
            sum(weight * row[(first + tap) * 4 + channel] for tap, weight in enumerate(taps))
            for first, taps in across
            for channel in range(4)
        ])  # fmt: skip
    out = bytearray()
    for first, taps in down:
        for at in range(new[0] * 4):
            level = sum(weight * narrow[first + tap][at] for tap, weight in enumerate(taps))
            out.append(min(255, max(0, floor(level + 0.5))))
    return bytes(out)


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
