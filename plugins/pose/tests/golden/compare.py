"""Draws the keypoints of this folder with `controlnet_aux`, the package that most programs draw them
with, and says how many pixels differ from the golden pictures:

    pip install --no-deps controlnet_aux
    pip install opencv-python-headless numpy matplotlib
    python compare.py

What it draws is kept in `controlnet_aux/`, for the tests to compare with. The package imports torch
and its detectors before anything else, so its drawing module is loaded by its file, without them.
"""

import importlib.metadata
import importlib.util
import json
import pathlib
import sys
import types
from typing import NamedTuple

import cv2
import numpy as np


class Keypoint(NamedTuple):
    x: float
    y: float


def drawing():
    """The module `controlnet_aux.open_pose.util`, whose only need of the others is two names."""
    spec = importlib.util.find_spec("controlnet_aux")
    if spec is None or spec.origin is None:
        sys.exit("compare.py: controlnet_aux is missing: pip install --no-deps controlnet_aux")
    body = types.ModuleType("alone.body")
    body.Keypoint, body.BodyResult = Keypoint, None
    sys.modules |= {"alone": types.ModuleType("alone"), "alone.body": body}
    path = pathlib.Path(spec.origin).parent / "open_pose" / "util.py"
    spec = importlib.util.spec_from_file_location("alone.util", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def points(person, key, width, height, missing):
    """Shares of the canvas; a tiny bit more, so that pixels are not cut to the one before."""
    flat = person.get(key) or []
    triples = [flat[start:start + 3] for start in range(0, len(flat), 3)]
    share = 1e-9
    return [Keypoint(x / width + share, y / height + share) if c > 0 else missing
            for x, y, c in triples]


def draw(util, document):
    width, height = document["canvas_width"], document["canvas_height"]
    canvas = np.zeros((height, width, 3), np.uint8)
    # Of hands and faces the package takes no None; it leaves out what is in the corner.
    corner = Keypoint(0, 0)
    for person in document["people"]:
        body = points(person, "pose_keypoints_2d", width, height, None)
        canvas = util.draw_bodypose(canvas, body)
        for key in ("hand_left_keypoints_2d", "hand_right_keypoints_2d"):
            canvas = util.draw_handpose(canvas, points(person, key, width, height, corner))
        face = points(person, "face_keypoints_2d", width, height, corner)
        canvas = util.draw_facepose(canvas, face)
    return canvas


def main():
    util = drawing()
    here = pathlib.Path(__file__).parent
    (here / "controlnet_aux").mkdir(exist_ok=True)
    print(f"controlnet_aux {importlib.metadata.version('controlnet_aux')}, OpenCV {cv2.__version__}")
    for path in sorted(here.glob("*.json")):
        theirs = draw(util, json.loads(path.read_text()))
        golden = cv2.imread(str(path.with_suffix(".png")))[:, :, ::-1]
        differing = int((theirs != golden).any(axis=2).sum())
        print(f"{path.stem}: {differing} of {golden.shape[0] * golden.shape[1]} pixels differ")
        name = here / "controlnet_aux" / f"{path.stem}.png"
        cv2.imwrite(str(name), theirs[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])


main()
