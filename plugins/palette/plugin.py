"""First-party plugin `palette`: the colours of a reference, as bands and as words.

Python touches at most 96 × 96 pixels of each picture: the host makes them small and draws the
bands. Everything that varies follows from those pixels, so the same job gives the same picture.
"""

from atelier_plugin import Canvas, Outcome, Picture, Region, Request, SourceFailure, log
from clusters import Cluster, clusters
from names import name
from oklab import from_srgb, to_srgb

takes = ["picture"]

SIDE = 96
"""What a picture is reduced to at most. More pixels would not move the colours visibly."""


def prepare(request: Request) -> Outcome:
    """Finds the colours of all the reference's pictures together."""
    wanted = request.parameters
    pixels = [pixel for picture in request.pictures for pixel in opaque(picture)]
    if not pixels:
        raise SourceFailure("there is no opaque pixel to take a colour from")
    found = clusters([from_srgb(pixel) for pixel in pixels], wanted["colours"])
    if len(found) < wanted["colours"]:
        log.info(f"only {len(found)} colours differ visibly")
    canvas = bands(found, wanted["width"], wanted["height"])
    shares = ", ".join(f"{hexadecimal(each)} {round(each.share * 100)}%" for each in found)
    return Outcome([canvas], words(found) if wanted["prompt"] else None, notes={"colours": shares})


def opaque(picture: Picture) -> list[tuple[int, int, int]]:
    """R, G and B of a picture's pixels that are more than half opaque, after it is made small."""
    if max(picture.size) > SIDE:
        picture = picture.resized(picture.size.within((SIDE, SIDE)))
    rgba = picture.read()
    starts = range(0, len(rgba), 4)
    return [(rgba[at], rgba[at + 1], rgba[at + 2]) for at in starts if rgba[at + 3] > 127]


def bands(found: list[Cluster], width: int, height: int) -> Canvas:
    """Upright bands, each as wide as its colour's share, none narrower than a pixel."""
    canvas = Canvas((width, height))
    left, passed = 0, 0.0
    for at, each in enumerate(found):
        passed += each.share
        to_come = len(found) - 1 - at
        right = min(max(round(passed * width), left + 1), width - to_come)
        if to_come == 0:
            right = width
        canvas.fill(to_srgb(each.centre), Region(left, 0, right - left, height))
        left = right
    return canvas


def words(found: list[Cluster]) -> str:
    """`in the colours of image {image}: deep teal, sand and rust`, each name once."""
    *first, last = dict.fromkeys(name(each.centre) for each in found)
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"in the colours of image {{image}}: {listed}"


def hexadecimal(cluster: Cluster) -> str:
    """`#rrggbb`."""
    return "#" + bytes(to_srgb(cluster.centre)).hex()
