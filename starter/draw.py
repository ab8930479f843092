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

# OpenPose's 18 joints, and the 17 limbs between them that ControlNet made usual. A skeleton here is
# what Atelier's plugin `pose` draws of keypoints.
BODY = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_hand", "left_shoulder", "left_elbow", "left_hand",
    "right_hip", "right_knee", "right_foot", "left_hip", "left_knee", "left_foot",
    "right_eye", "left_eye", "right_ear", "left_ear",
)  # fmt: skip
LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
    (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
# The hue wheel in steps of 20 degrees, for joints; limbs have it at 0.6 of its brightness.
WHEEL = tuple(
    tuple(int(255 * max(0.0, min(1.0, abs((hue / 60 + shift) % 6 - 3) - 1))) for shift in (0, 4, 2))
    for hue in range(0, 360, 20)
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


# Angles in degrees, 0 is to the right and 90 is down; `swing` is how far a random pose strays. The person
# looks at us: its right is on the left.
BONES = (
    Bone("pelvis", "neck", 62, -90, 9),
    Bone("neck", "nose", 34, -90, 12),
    Bone("neck", "left_shoulder", 20, 6, 6),
    Bone("left_shoulder", "left_elbow", 37, 35, 75),
    Bone("left_elbow", "left_hand", 37, 10, 85),
    Bone("neck", "right_shoulder", 20, 174, 6),
    Bone("right_shoulder", "right_elbow", 37, 145, 75),
    Bone("right_elbow", "right_hand", 37, 170, 85),
    Bone("pelvis", "left_hip", 13, 5, 5),
    Bone("left_hip", "left_knee", 44, 75, 32),
    Bone("left_knee", "left_foot", 44, 88, 26),
    Bone("pelvis", "right_hip", 13, 175, 5),
    Bone("right_hip", "right_knee", 44, 105, 32),
    Bone("right_knee", "right_foot", 44, 92, 26),
    Bone("nose", "right_eye", 10, -145, 4),
    Bone("nose", "left_eye", 10, -35, 4),
    Bone("right_eye", "right_ear", 12, 165, 4),
    Bone("left_eye", "left_ear", 12, 15, 4),
)


def random_pose(rng: np.random.Generator) -> Pose:
    """A standing person: each bone strays from its rest by a uniform angle, all of it by size and place."""
    pose: Pose = {"pelvis": (0, 0)}
    for bone in BONES:
        angle = math.radians(bone.angle + rng.uniform(-bone.swing, bone.swing))
        x, y = pose[bone.start]
        pose[bone.end] = (x + bone.length * math.cos(angle), y + bone.length * math.sin(angle))
    size, x, y = rng.uniform(0.85, 1.05), 128 + rng.uniform(-14, 14), 140 + rng.uniform(-8, 8)
    return {joint: (x + size * at[0], y + size * at[1]) for joint, at in pose.items() if joint in (*BODY, "pelvis")}


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

    def ellipse(self, a: Point, b: Point, half_width: float, colour: tuple[int, ...]) -> None:
        """The ellipse from one point to the other."""
        (ax, ay), (bx, by) = a, b
        along, turn = math.dist(a, b) / 2, math.atan2(by - ay, bx - ax)
        points = []
        for step in range(48):
            angle = math.tau * step / 48
            u, v = along * math.cos(angle), half_width * math.sin(angle)
            x, y = u * math.cos(turn) - v * math.sin(turn), u * math.sin(turn) + v * math.cos(turn)
            points.append((ax + bx + 2 * x, ay + by + 2 * y))
        self.draw.polygon(points, fill=colour)


def skeleton(pose: Pose) -> np.ndarray:
    """The pose as ControlNet's coloured skeleton on black."""
    canvas = Canvas((0, 0, 0))
    for (start, end), colour in zip(LIMBS, WHEEL, strict=False):
        canvas.ellipse(pose[BODY[start]], pose[BODY[end]], 4, tuple(c * 3 // 5 for c in colour))
    for joint, colour in zip(BODY, WHEEL, strict=True):
        canvas.dot(pose[joint], 4, colour)
    return canvas.done()


def figure(pose: Pose, shirt: tuple[int, int, int], ground: tuple[int, int, int]) -> np.ndarray:
    """A person with that pose. Hands, head and shoes have colours of their own, to be found again."""
    canvas = Canvas(ground)
    for side in ("left", "right"):
        canvas.line(pose[f"{side}_hip"], pose[f"{side}_knee"], 22, TROUSERS)
        canvas.line(pose[f"{side}_knee"], pose[f"{side}_foot"], 18, TROUSERS)
        canvas.dot(pose[f"{side}_foot"], 12, SHOE)
    trunk = [pose[joint] for joint in ("left_shoulder", "right_shoulder", "right_hip", "left_hip")]
    canvas.draw.polygon([(2 * x, 2 * y) for x, y in trunk], fill=shirt)
    for a, b in zip(trunk, [*trunk[1:], trunk[0]], strict=True):
        canvas.line(a, b, 18, shirt)
    for side in ("left", "right"):
        canvas.line(pose[f"{side}_shoulder"], pose[f"{side}_elbow"], 18, shirt)
        canvas.line(pose[f"{side}_elbow"], pose[f"{side}_hand"], 15, shirt)
        canvas.dot(pose[f"{side}_hand"], 11, SKIN)
    x, y = pose["nose"]
    canvas.dot((x, y), 25, SKIN)
    for eye in (-9, 9):
        canvas.dot((x + eye, y - 3), 3.5, (64, 40, 32))
    canvas.line((x - 7, y + 10), (x + 7, y + 10), 3, (64, 40, 32))
    return canvas.done()
