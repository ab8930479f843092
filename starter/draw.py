"""Grounds, skeletons and figures that are drawn, not taken from anywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

SIDE = 256

# The colours that a prompt may name. "white" is the ground where none is named.
PALETTE: dict[str, tuple[int, int, int]] = {
    "white": (255, 255, 255),
    "black": (24, 24, 28),
    "gray": (150, 152, 158),
    "red": (214, 60, 58),
    "orange": (242, 148, 56),
    "yellow": (250, 214, 82),
    "green": (72, 168, 92),
    "teal": (46, 156, 164),
    "blue": (62, 116, 214),
    "purple": (138, 88, 196),
    "pink": (246, 164, 196),
    "brown": (136, 92, 62),
}

SKIN = (255, 200, 61)
SHOE = (70, 40, 30)
TROUSERS = (58, 66, 92)

# A limb is drawn from the first joint to the second, in its own colour, so that left and right
# differ in a skeleton picture.
LIMBS: tuple[tuple[str, str, tuple[int, int, int]], ...] = (
    ("head", "neck", (255, 0, 85)),
    ("neck", "pelvis", (255, 255, 255)),
    ("neck", "left_elbow", (255, 120, 0)),
    ("left_elbow", "left_hand", (255, 220, 0)),
    ("neck", "right_elbow", (0, 200, 60)),
    ("right_elbow", "right_hand", (0, 255, 200)),
    ("pelvis", "left_knee", (0, 140, 255)),
    ("left_knee", "left_foot", (60, 60, 255)),
    ("pelvis", "right_knee", (170, 60, 255)),
    ("right_knee", "right_foot", (255, 60, 255)),
)

Point = tuple[float, float]
Pose = dict[str, Point]


@dataclass(frozen=True)
class Bone:
    start: str
    end: str
    length: float
    angle: float
    swing: float


# Angles in degrees, 0 is to the right and 90 is down; `swing` is how far a random pose strays.
BONES = (
    Bone("pelvis", "neck", 70, -90, 9),
    Bone("neck", "head", 34, -90, 12),
    Bone("neck", "left_elbow", 42, 25, 75),
    Bone("left_elbow", "left_hand", 40, 10, 85),
    Bone("neck", "right_elbow", 42, 155, 75),
    Bone("right_elbow", "right_hand", 40, 170, 85),
    Bone("pelvis", "left_knee", 44, 68, 34),
    Bone("left_knee", "left_foot", 44, 84, 28),
    Bone("pelvis", "right_knee", 44, 112, 34),
    Bone("right_knee", "right_foot", 44, 96, 28),
)


def random_pose(rng: np.random.Generator) -> Pose:
    """A standing person: each bone strays from its rest by a uniform angle."""
    pose: Pose = {"pelvis": (128 + rng.uniform(-12, 12), 144 + rng.uniform(-8, 8))}
    for bone in BONES:
        angle = math.radians(bone.angle + rng.uniform(-bone.swing, bone.swing))
        x, y = pose[bone.start]
        pose[bone.end] = (x + bone.length * math.cos(angle), y + bone.length * math.sin(angle))
    return pose


class Canvas:
    """Draws at twice the size and shrinks, because PIL's own lines have hard edges."""

    def __init__(self, ground: tuple[int, int, int]) -> None:
        self.image = Image.new("RGB", (2 * SIDE, 2 * SIDE), ground)
        self.draw = ImageDraw.Draw(self.image)

    def dot(self, at: Point, radius: float, colour: tuple[int, int, int]) -> None:
        x, y, r = 2 * at[0], 2 * at[1], 2 * radius
        self.draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def line(self, a: Point, b: Point, width: float, colour: tuple[int, int, int]) -> None:
        ends = (2 * a[0], 2 * a[1], 2 * b[0], 2 * b[1])
        self.draw.line(ends, fill=colour, width=round(2 * width))
        self.dot(a, width / 2, colour)
        self.dot(b, width / 2, colour)

    def done(self) -> np.ndarray:
        return np.asarray(self.image.resize((SIDE, SIDE), Image.Resampling.BOX))


def skeleton(pose: Pose) -> np.ndarray:
    """The pose as coloured limbs on black, as pose detectors draw it."""
    canvas = Canvas((0, 0, 0))
    for start, end, colour in LIMBS:
        canvas.line(pose[start], pose[end], 7, colour)
    for joint in pose.values():
        canvas.dot(joint, 5, (255, 255, 255))
    return canvas.done()


def figure(pose: Pose, shirt: tuple[int, int, int], ground: tuple[int, int, int]) -> np.ndarray:
    """A person with that pose. Hands, head and shoes have colours of their own, to be found again."""
    canvas = Canvas(ground)
    for side in ("left", "right"):
        canvas.line(pose["pelvis"], pose[f"{side}_knee"], 21, TROUSERS)
        canvas.line(pose[f"{side}_knee"], pose[f"{side}_foot"], 18, TROUSERS)
        canvas.dot(pose[f"{side}_foot"], 12, SHOE)
    canvas.line(pose["neck"], pose["pelvis"], 38, shirt)
    for side in ("left", "right"):
        canvas.line(pose["neck"], pose[f"{side}_elbow"], 18, shirt)
        canvas.line(pose[f"{side}_elbow"], pose[f"{side}_hand"], 15, shirt)
        canvas.dot(pose[f"{side}_hand"], 11, SKIN)
    x, y = pose["head"]
    canvas.dot((x, y), 25, SKIN)
    for eye in (-9, 9):
        canvas.dot((x + eye, y - 3), 3.5, (64, 40, 32))
    canvas.line((x - 7, y + 10), (x + 7, y + 10), 3, (64, 40, 32))
    return canvas.done()
