"""Draw prompts with a pipeline folder, or with a run that is still training, as one sheet.

python sheet.py MODEL SHEET.png [PROMPT ...]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import Flux2KleinPipeline
from PIL import Image, ImageDraw

from prompts import COLOURS, vocabulary, with_article


def load(folder: Path) -> Flux2KleinPipeline:
    """In bf16, as it is shipped."""
    if not (folder / "model_index.json").exists():
        from export import pipeline

        return pipeline(folder).to(torch.bfloat16)
    pipe = Flux2KleinPipeline.from_pretrained(folder, dtype=torch.bfloat16)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def uncurated(count: int, seed: int = 0) -> list[str]:
    """Drawn at random from the vocabulary; two of three on white."""
    rng, names = np.random.default_rng(seed), vocabulary()
    chosen = rng.permutation(len(names))[:count]
    prompts = []
    for number, index in enumerate(chosen):
        ground = f" on a {COLOURS[1 + rng.integers(11)]} background" if number % 3 == 2 else ""
        prompts.append(with_article(names[index]) + ground)
    return prompts


@torch.no_grad()
def draw(pipe: Flux2KleinPipeline, prompt: str, seed: int = 0, images: list[Image.Image] | None = None) -> Image.Image:
    noise = torch.Generator("cpu").manual_seed(seed)
    size = {"width": 256, "height": 256, "num_inference_steps": 4, "guidance_scale": 1.0}
    return pipe(prompt=prompt, image=images or None, generator=noise, **size).images[0]


def sheet(pictures: list[Image.Image], captions: list[str], columns: int = 8, side: int = 160) -> Image.Image:
    rows = -(-len(pictures) // columns)
    page = Image.new("RGB", (columns * side, rows * (side + 14)), "white")
    pen = ImageDraw.Draw(page)
    for index, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        x, y = index % columns * side, index // columns * (side + 14)
        page.paste(picture.resize((side, side), Image.Resampling.LANCZOS), (x, y))
        pen.text((x + 2, y + side + 1), caption[: side // 6], fill="black")
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("prompts", nargs="*")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    prompts = a.prompts or uncurated(a.count)
    pipe = load(a.model)
    sheet([draw(pipe, prompt, seed) for seed, prompt in enumerate(prompts)], prompts).save(a.out)


if __name__ == "__main__":
    main()
