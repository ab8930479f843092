"""Draws the golden pictures of this folder with OpenCV, which is what the pictures that the models
learned from were drawn with: `pip install opencv-python-headless numpy`, then `python draw.py`.

The recipe is ControlNet's: limbs as filled ellipses, the canvas times 0.6, joints; then hands and
faces. Each NAME.json is OpenPose JSON with 18 joints in pixels, and its canvas is the picture.
"""

import colorsys
import json
import math
import pathlib

import cv2
import numpy as np

LIMBS = [(1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11),
         (11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17)]
WHEEL = [(255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0),
         (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255),
         (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85)]
BONES = [(0 if bone % 4 == 0 else bone, bone + 1) for bone in range(20)]


def points(person, key):
    flat = person.get(key) or []
    triples = [flat[start:start + 3] for start in range(0, len(flat), 3)]
    return [(x, y) if c > 0 else None for x, y, c in triples]


def cut(point):
    return int(point[0]), int(point[1])


def draw(document):
    canvas = np.zeros((document["canvas_height"], document["canvas_width"], 3), np.uint8)
    bodies = [points(person, "pose_keypoints_2d") for person in document["people"]]
    for limb, (a, b) in enumerate(LIMBS):
        for body in bodies:
            if body[a] is None or body[b] is None:
                continue
            (ax, ay), (bx, by) = body[a], body[b]
            length = ((ay - by) ** 2 + (ax - bx) ** 2) ** 0.5
            angle = math.degrees(math.atan2(ay - by, ax - bx))
            centre = cut(((ax + bx) / 2, (ay + by) / 2))
            outline = cv2.ellipse2Poly(centre, (int(length / 2), 4), int(angle), 0, 360, 1)
            cv2.fillConvexPoly(canvas, outline, WHEEL[limb])
    canvas = (canvas * 0.6).astype(np.uint8)
    for joint, colour in enumerate(WHEEL):
        for body in bodies:
            if body[joint] is not None:
                cv2.circle(canvas, cut(body[joint]), 4, colour, thickness=-1)
    for person in document["people"]:
        for key in ("hand_left_keypoints_2d", "hand_right_keypoints_2d"):
            hand = points(person, key)
            for bone, (a, b) in enumerate(BONES):
                if hand and hand[a] is not None and hand[b] is not None:
                    colour = [255 * part for part in colorsys.hsv_to_rgb(bone / 20, 1, 1)]
                    cv2.line(canvas, cut(hand[a]), cut(hand[b]), colour, thickness=2)
            for point in filter(None, hand):
                cv2.circle(canvas, cut(point), 4, (0, 0, 255), thickness=-1)
    for person in document["people"]:
        for point in filter(None, points(person, "face_keypoints_2d")):
            cv2.circle(canvas, cut(point), 3, (255, 255, 255), thickness=-1)
    return canvas


for path in sorted(pathlib.Path(__file__).parent.glob("*.json")):
    picture = draw(json.loads(path.read_text()))
    cv2.imwrite(str(path.with_suffix(".png")), picture[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
