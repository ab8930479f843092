"""Draws scene.png, and what OpenCV's Canny makes of it: `pip install opencv-python-headless numpy`,
then `python draw.py`. Shapes of many directions, contrasts and softness, some of them with grain, so
that each rule for a line is needed somewhere; no photograph of anybody has to lie here.

Each NAME.png is `Canny(GaussianBlur(grey))` with the numbers in CASES, which the tests know too.
"""

import pathlib

import cv2
import numpy as np

CASES = {
    "plain": (100, 200, 0.0),
    "sensitive": (20, 60, 0.0),
    "blurred": (40, 90, 1.4),
    "very-blurred": (10, 25, 3.2),
}

WIDTH, HEIGHT = 240, 180
HERE = pathlib.Path(__file__).parent


def scene():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    light = 120 + 60 * np.sin(x / 37) * np.cos(y / 29)
    picture = np.stack([light * 0.9, light, light * 1.05 + 10], axis=2)
    for radius, colour, centre in ((46, (220, 90, 60), (70, 70)), (30, (40, 60, 110), (82, 62)),
                                   (17, (236, 226, 180), (176, 124))):
        away = np.hypot(x - centre[0], y - centre[1])
        inside = np.clip(radius - away + 0.5, 0, 1)[..., None]
        picture = picture * (1 - inside) + np.array(colour) * inside
    picture = np.ascontiguousarray(np.clip(picture, 0, 255).astype(np.uint8))
    for turn in range(0, 180, 15):
        angle = np.deg2rad(turn)
        end = (int(182 + 48 * np.cos(angle)), int(58 - 48 * np.sin(angle)))
        cv2.line(picture, (182, 58), end, (250 - turn, 240, 60 + turn), 1 + turn // 60, cv2.LINE_AA)
    cv2.putText(picture, "Atelier", (12, 160), cv2.FONT_HERSHEY_SIMPLEX, 1, (20, 20, 30), 2, cv2.LINE_AA)
    picture = picture.astype(np.float64)
    soft = 1 / (1 + np.exp(-(x - 132 + 0.3 * y) / 4))
    picture += (35 * soft * (y > 112))[..., None]
    grain = np.random.default_rng(7).normal(0, 9, (HEIGHT, WIDTH, 1))
    picture += grain * ((x > 120) & (y > 90))[..., None]
    return np.clip(picture, 0, 255).astype(np.uint8)


def main():
    rgb = scene()
    small = [cv2.IMWRITE_PNG_COMPRESSION, 9]
    cv2.imwrite(str(HERE / "scene.png"), rgb[:, :, ::-1], small)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    print(f"OpenCV {cv2.__version__}")
    for name, (low, high, blur) in CASES.items():
        soft = cv2.GaussianBlur(grey, (0, 0), blur) if blur else grey
        lines = cv2.Canny(soft, low, high)
        cv2.imwrite(str(HERE / f"{name}.png"), lines, [*small, cv2.IMWRITE_PNG_BILEVEL, 1])
        print(f"{name}: {int((lines > 0).sum())} pixels of lines")


main()
