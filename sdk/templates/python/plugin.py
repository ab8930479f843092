"""{{name}}: takes the colour out of a picture, so that the model sees its light and its forms."""

from atelier_plugin import Canvas, Outcome, Region, Request, log

takes = ["picture"]

SIDE = 512
"""The longest side of what comes out: each pixel that Python touches costs time, and the model
needs no more to see light and forms."""

ROWS = 64
"""As many rows at a time: a plugin's memory is limited."""


def prepare(request: Request) -> Outcome:
    """Called once for each reference, on a fresh instance."""
    strength = request.parameters["strength"]
    picture = request.only_picture()
    if max(picture.size) > SIDE:
        picture = picture.resized(picture.size.within((SIDE, SIDE)))
    width, height = picture.size
    canvas = Canvas((width, height))
    for y in range(0, height, ROWS):
        rows = Region(0, y, width, min(ROWS, height - y))
        canvas.write(faded(picture.read(rows), strength), rows)
        log.progress((y + rows.height) / height)
    return Outcome([canvas], notes={"strength": strength})


def faded(pixels: bytes, strength: int) -> bytes:
    """Pixels with less colour: a `strength` of 100 leaves none. Alpha stays as it is."""
    out = bytearray(pixels)
    keep = 100 - strength
    for at in range(0, len(out), 4):
        r, g, b = out[at], out[at + 1], out[at + 2]
        # Brightness as in ITU-R BT.601, in parts of 256.
        grey = (77 * r + 150 * g + 29 * b + 128) >> 8
        out[at] = (r * keep + grey * strength + 50) // 100
        out[at + 1] = (g * keep + grey * strength + 50) // 100
        out[at + 2] = (b * keep + grey * strength + 50) // 100
    return bytes(out)
