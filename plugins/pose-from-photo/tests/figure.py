#!/usr/bin/env python3
"""Draws figure.png: a person to find joints in, made of shaded limbs, so that no photograph of
anybody has to lie in the repository. Needs numpy and Pillow."""

from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT, FINER = 400, 640, 3

SKIN, HAIR = (224, 172, 140), (74, 48, 34)
SHIRT, TROUSERS, SHOE = (176, 52, 58), (44, 62, 104), (40, 36, 38)
LIGHT = np.array([-0.45, -0.55, 0.70])

# The middle of each joint, in pixels; the person's left is on the right.
JOINTS = {
    "neck": (203, 118), "left shoulder": (248, 142), "right shoulder": (158, 142),
    "left elbow": (288, 214), "right elbow": (112, 208), "left wrist": (330, 272),
    "right wrist": (92, 286), "left hip": (230, 316), "right hip": (176, 316),
    "left knee": (246, 434), "right knee": (156, 432), "left ankle": (256, 552),
    "right ankle": (142, 556),
}  # fmt: skip


class Scene:
    """A picture onto which rounded limbs are laid, later ones in front."""

    def __init__(self):
        self.rows, self.columns = (
            np.mgrid[0 : HEIGHT * FINER, 0 : WIDTH * FINER] / FINER
        )
        wall = (
            214
            - 30 * np.abs(self.columns - WIDTH / 2) / WIDTH
            - 12 * self.rows / HEIGHT
        )
        floor = 150 + 40 * (self.rows - 540) / 100
        ground = np.where(self.rows < 540, wall, floor)
        tint = np.array([1.0, 0.985, 0.955])
        self.pixels = ground[..., None] * tint
        self.shade(200, 584, 120, 14, 0.55)

    def shade(self, x, y, across, down, strength):
        """A soft shadow."""
        away = ((self.columns - x) / across) ** 2 + ((self.rows - y) / down) ** 2
        self.pixels *= (1 - strength * np.exp(-2 * away))[..., None]

    def limb(self, start, end, thick, thin, colour):
        """A round limb, of one radius where it starts and another where it ends."""
        (x, y), (across, down) = start, np.subtract(end, start)
        length = max(across**2 + down**2, 1e-9)
        along = ((self.columns - x) * across + (self.rows - y) * down) / length
        along = np.clip(along, 0, 1)
        right, below = self.columns - x - along * across, self.rows - y - along * down
        radius = thick + (thin - thick) * along
        self.lay(right / radius, below / radius, colour)

    def ball(self, centre, radii, colour):
        """An ellipsoid."""
        (x, y), (across, down) = centre, radii
        self.lay((self.columns - x) / across, (self.rows - y) / down, colour)

    def lay(self, right, below, colour):
        away = right**2 + below**2
        towards = np.sqrt(np.clip(1 - away, 0, 1))
        light = LIGHT / np.linalg.norm(LIGHT)
        lit = 0.52 + 0.55 * np.clip(
            right * light[0] + below * light[1] + towards * light[2], 0, 1
        )
        inside = away <= 1
        self.pixels[inside] = (np.array(colour) * lit[..., None])[inside]

    def picture(self):
        shape = (HEIGHT, FINER, WIDTH, FINER, 3)
        fine = self.pixels.reshape(shape).mean(axis=(1, 3))
        return Image.fromarray(np.clip(fine.round(), 0, 255).astype(np.uint8))


def legs(scene):
    for side in ("right", "left"):
        hip, knee, ankle = (
            JOINTS[f"{side} {part}"] for part in ("hip", "knee", "ankle")
        )
        out = -1 if side == "right" else 1
        scene.limb(ankle, (ankle[0] + 14 * out, ankle[1] + 26), 11, 13, SHOE)
        scene.limb(knee, ankle, 21, 13, TROUSERS)
        scene.limb(hip, knee, 31, 21, TROUSERS)
    scene.ball((203, 312), (56, 32), TROUSERS)


def body(scene):
    scene.limb((203, 100), (203, 134), 15, 19, SKIN)
    scene.limb((203, 180), (203, 286), 49, 45, SHIRT)
    scene.limb((170, 152), (236, 152), 22, 22, SHIRT)
    scene.limb((182, 176), (224, 176), 42, 42, SHIRT)
    scene.ball((203, 126), (22, 10), SKIN)


def arms(scene):
    for side in ("right", "left"):
        shoulder, elbow, wrist = (
            JOINTS[f"{side} {part}"] for part in ("shoulder", "elbow", "wrist")
        )
        hand = np.add(wrist, np.subtract(wrist, elbow) * 0.34)
        scene.limb(elbow, wrist, 14, 9, SKIN)
        scene.limb(wrist, hand, 10, 7, SKIN)
        scene.limb(
            wrist, np.add(hand, (-9, -4) if side == "left" else (9, -6)), 6, 4, SKIN
        )
        scene.limb(shoulder, elbow, 20, 15, SKIN)
        middle = np.add(shoulder, np.subtract(elbow, shoulder) * 0.55)
        scene.limb(shoulder, middle, 23, 20, SHIRT)


def head(scene):
    scene.ball((203, 60), (37, 44), HAIR)
    for x in (170, 236):
        scene.ball((x, 72), (6, 11), SKIN)
    scene.ball((203, 70), (32, 41), SKIN)
    scene.ball((203, 34), (33, 16), HAIR)
    for x in (190, 216):
        scene.ball((x, 66), (7, 4.2), (240, 236, 230))
        scene.ball((x, 66), (3.4, 3.6), (40, 30, 26))
        scene.limb((x - 8, 57), (x + 8, 56), 1.8, 1.8, HAIR)
    scene.limb((203, 66), (203, 80), 3, 5.5, SKIN)
    scene.limb((198, 84), (208, 84), 1.6, 1.6, (150, 96, 76))
    scene.limb((193, 95), (213, 95), 2.6, 2.6, (168, 78, 74))


def main():
    scene = Scene()
    for lay in (legs, body, arms, head):
        lay(scene)
    scene.picture().save(Path(__file__).with_name("figure.png"), optimize=True)


if __name__ == "__main__":
    main()
