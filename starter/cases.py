"""Draw what the engine's tests compare with: ten requests by diffusers in float32, in the fixtures' layout.

python cases.py DATA MODEL OUT
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from diffusers import Flux2KleinPipeline
from PIL import Image

from data import Icons
from draw import PALETTE, random_pose, skeleton
from sheet import draw

# name: prompt, seed, and the references: held-out icons by their place among them, or "pose".
CASES: dict[str, tuple[str, int, list[int | str]]] = {
    "apple": ("a red apple", 1, []),
    "sunglasses": ("a smiling face with sunglasses on a blue background", 2, []),
    "racing-car": ("a 3d icon of a racing car on a yellow background", 3, []),
    "penguin": ("penguin, purple background", 4, []),
    "object": ("the object of image 1 on a green background", 5, [7]),
    "second-object": ("the object of image 2 on an orange background", 6, [20, 31]),
    "pair": ("image 1 and image 2 side by side", 7, [44, 58]),
    "row": ("image 1, image 2 and image 3 side by side on a teal background", 8, [60, 71, 83]),
    "pose": ("a person in the pose of image 1", 9, ["pose"]),
    "red-shirt": ("someone in a red shirt in the pose of image 1 on a yellow background", 10, ["pose"]),
}


def reference(icons: Icons, asked: int | str, seed: int) -> Image.Image:
    if asked == "pose":
        return Image.fromarray(skeleton(random_pose(np.random.default_rng((1 << 32) + seed))))
    return Image.fromarray(icons.over(int(icons.held_out()[int(asked)]), PALETTE["white"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    pipe, icons = Flux2KleinPipeline.from_pretrained(a.model, dtype=torch.float32), Icons(a.data)
    pipe.set_progress_bar_config(disable=True)
    for name, (prompt, seed, asked) in CASES.items():
        folder = a.out / name
        folder.mkdir(parents=True, exist_ok=True)
        images = [reference(icons, one, seed) for one in asked]
        names = [f"reference-{number}.png" for number in range(1, 1 + len(images))]
        for image, file in zip(images, names, strict=True):
            image.save(folder / file)
        draw(pipe, prompt, seed, images).save(folder / "expected.png")
        request = {"prompt": prompt, "seed": seed, "width": 256, "height": 256, "steps": 4, "guidance": 1.0}
        (folder / "request.json").write_text(json.dumps(request | {"references": names}, indent=1) + "\n")


if __name__ == "__main__":
    main()
