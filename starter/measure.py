"""Measure a pipeline folder, and say of each number how many samples it is from.

    python measure.py DATA MODEL OUT.json

gallery    a picture drawn from a name is closest to that icon, of 100 (chance is 1 %)
ground     the corners have the colour that the prompt names, of 12
reference  PSNR of an icon that no training saw, drawn from a reference, where it is opaque
beside     such icons side by side: a place is closest to its own reference, of 100 (chance is 1 %), and PSNR
pose       joints of a drawn figure that lie where the skeleton has them, within 5 % of the side
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import Flux2KleinPipeline
from PIL import Image
from scipy import ndimage

from data import Icons
from draw import PALETTE, SHOE, SKIN, Point, figure, random_pose, skeleton
from prompts import COLOURS, unseen, vocabulary, with_article
from sheet import draw, load

JOINTS = {"nose": SKIN, "left_hand": SKIN, "right_hand": SKIN, "left_foot": SHOE, "right_foot": SHOE}
NEAR = 0.05 * 256


def shrink(picture: np.ndarray, by: int = 4) -> np.ndarray:
    side = len(picture) // by
    return picture.reshape(side, by, side, by, 3).astype(np.float32).mean((1, 3))


def nearest_icon(picture: np.ndarray, gallery: list[np.ndarray]) -> int:
    small = shrink(picture)
    return int(np.argmin([np.square(small - shrink(other)).mean() for other in gallery]))


def nearest_colour(picture: np.ndarray) -> str:
    corners = [picture[y : y + 12, x : x + 12].reshape(-1, 3) for y in (0, 244) for x in (0, 244)]
    seen = np.median(np.concatenate(corners), 0)
    return min(PALETTE, key=lambda name: float(np.square(seen - np.float32(PALETTE[name])).sum()))


def by_name(pipe: Flux2KleinPipeline, icons: Icons, count: int, coloured: bool) -> dict[str, Any]:
    """Names against the gallery; where coloured, only pairs of icon and ground never trained on."""
    rng, index = np.random.default_rng(11), {a["name"]: i for i, a in enumerate(icons.about) if not a["toned"]}
    names = [vocabulary()[i] for i in rng.permutation(len(vocabulary()))[:100]]
    right, ground, wrong = 0, 0, []
    for number, name in enumerate(names[:count]):
        free = [colour for colour in COLOURS if unseen(name, colour)] or ["blue"]
        colour = free[number % len(free)] if coloured else "white"
        prompt = with_article(name) + (f" on a {colour} background" if coloured else "")
        picture = np.asarray(draw(pipe, prompt, 1000 + number))
        found = nearest_icon(picture, [icons.over(index[n], PALETTE[colour]) for n in names])
        right += names[found] == name
        ground += nearest_colour(picture) == colour
        if names[found] != name:
            wrong.append(f"{name}: {names[found]}")
    return {"gallery": right / count, "ground": ground / count, "samples": count, "mistaken": wrong}


def psnr(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float:
    off = np.square(a.astype(np.float32) - b.astype(np.float32))[where].mean()
    return 10 * math.log10(255**2 / max(float(off), 1e-6))


def through_vae(pipe: Flux2KleinPipeline, picture: np.ndarray) -> np.ndarray:
    x = (torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1).to(pipe.vae.dtype)
    with torch.no_grad():
        y = pipe.vae.decode(pipe.vae.encode(x).latent_dist.mode()).sample[0]
    return y.float().permute(1, 2, 0).add(1).mul(127.5).clamp(0, 255).numpy()


def by_reference(pipe: Flux2KleinPipeline, icons: Icons, count: int) -> dict[str, Any]:
    rng, drawn, best, ground = np.random.default_rng(12), [], [], 0
    for number, index in enumerate(rng.permutation(icons.held_out())[:count]):
        colour = COLOURS[1 + rng.integers(11)]
        source, wanted = icons.over(index, PALETTE["white"]), icons.over(index, PALETTE[colour])
        opaque = np.asarray(icons.pixels[index])[..., 3] > 127
        prompt = f"the object of image 1 on a {colour} background"
        picture = np.asarray(draw(pipe, prompt, 2000 + number, [Image.fromarray(source)]))
        drawn.append(psnr(picture, wanted, opaque))
        ground += nearest_colour(picture) == colour
        best.append(psnr(through_vae(pipe, wanted), wanted, opaque))
    mean = {"psnr": float(np.mean(drawn)), "psnr_of_the_vae_alone": float(np.mean(best))}
    return {**mean, "ground": ground / count, "samples": count}


def beside(pipe: Flux2KleinPipeline, icons: Icons, references: int, count: int) -> dict[str, Any]:
    """Held-out icons in a row; what is drawn in each place against a hundred of them, at that size."""
    rng, drawn, best, wrong = np.random.default_rng(13), [], [], []
    white, said = PALETTE["white"], "image 1 and image 2" if references == 2 else "image 1, image 2 and image 3"
    single = [i for i in icons.held_out() if not icons.about[i]["toned"]]
    chosen = [int(i) for i in rng.permutation(single)[:100]]
    top, _, side = icons.place(0, references)
    gallery = [icons.small(i, white, side) for i in chosen]
    for number in range(count):
        row = rng.choice(len(chosen), references, replace=False)
        wanted = icons.beside([chosen[i] for i in row], white)
        images = [Image.fromarray(icons.over(chosen[i], white)) for i in row]
        picture = np.asarray(draw(pipe, f"{said} side by side", 4000 + number, images))
        opaque = (wanted != 255).any(-1)
        drawn.append(psnr(picture, wanted, opaque))
        best.append(psnr(through_vae(pipe, wanted), wanted, opaque))
        for place, index in enumerate(row):
            _, left, _ = icons.place(place, references)
            found = nearest_icon(picture[top : top + side, left : left + side], gallery)
            if found != index:
                wrong.append(f"{icons.about[chosen[index]]['name']}: {icons.about[chosen[found]]['name']}")
    places = count * references
    mean = {"psnr": float(np.mean(drawn)), "psnr_of_the_vae_alone": float(np.mean(best))}
    return {"gallery": 1 - len(wrong) / places, **mean, "samples": count, "places": places, "mistaken": wrong}


def blobs(picture: np.ndarray, colour: tuple[int, int, int]) -> list[Point]:
    """Centres of the spots of one colour that are large enough for a hand or a shoe."""
    close = np.square(picture.astype(np.float32) - np.float32(colour)).sum(-1) < 45**2
    labels, count = ndimage.label(ndimage.binary_opening(close, iterations=2))
    large = [n for n in range(1, count + 1) if (labels == n).sum() > 60]
    return [(x, y) for y, x in ndimage.center_of_mass(close, labels, large)]


def joints_found(picture: np.ndarray, pose: dict[str, Point]) -> int:
    spots = {colour: blobs(picture, colour) for colour in (SKIN, SHOE)}
    return sum(any(math.dist(pose[joint], at) < NEAR for at in spots[colour]) for joint, colour in JOINTS.items())


def by_pose(pipe: Flux2KleinPipeline, count: int) -> dict[str, Any]:
    found, truth, chance = 0, 0, 0
    other = random_pose(np.random.default_rng(1))
    for number in range(count):
        # Seeds of training poses are below 2^30.
        pose = random_pose(np.random.default_rng((1 << 31) + number))
        image = Image.fromarray(skeleton(pose))
        picture = np.asarray(draw(pipe, "a person in the pose of image 1", 3000 + number, [image]))
        found += joints_found(picture, pose)
        truth += joints_found(figure(pose, PALETTE["blue"], PALETTE["white"]), pose)
        chance += joints_found(figure(other, PALETTE["blue"], PALETTE["white"]), pose)
    asked = count * len(JOINTS)
    return {
        "joints": found / asked,
        "joints_in_true_figures": truth / asked,
        "joints_in_some_other_pose": chance / asked,
        "samples": count,
        "joints_asked": asked,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=100, help="pictures for each of the two galleries")
    parser.add_argument("--references", type=int, default=40)
    parser.add_argument("--rows", type=int, default=30)
    parser.add_argument("--poses", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    pipe, icons = load(a.model), Icons(a.data)
    results: dict[str, Any] = {}
    for name, measure in (
        ("named, on white", lambda: by_name(pipe, icons, a.count, coloured=False)),
        ("named, on an unseen ground", lambda: by_name(pipe, icons, a.count, coloured=True)),
        ("from a reference", lambda: by_reference(pipe, icons, a.references)),
        ("two side by side", lambda: beside(pipe, icons, 2, a.rows)),
        ("three side by side", lambda: beside(pipe, icons, 3, a.rows)),
        ("in a pose", lambda: by_pose(pipe, a.poses)),
    ):
        results[name] = measure()
        print(name, json.dumps(results[name]), flush=True)
        a.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
