#!/usr/bin/env python3
"""Render the repository's tiny klein model as klein base, guided by a second pass, with diffusers in f32.

    make_base.py FIXTURES OUT

FIXTURES is the repository's tests/fixtures. Made with torch 2.15, diffusers 0.42.1, transformers 5.23. OUT gets, for
each case, `NAME.png` and a line of `cases.json`, which says how far the picture is from the one that is not guided and,
with a negative prompt, from the one that is guided away from an empty one (PSNR in dB).

The base model has the distilled one's architecture; its index says that it is not distilled.
"""
import json
import pathlib
import sys

import numpy as np
import torch
from diffusers import Flux2KleinPipeline
from PIL import Image

KLEIN = pathlib.Path(sys.argv[1]) / "klein"
CASES = [
    {"name": "text", "prompt": "a red fox reading a newspaper in the rain", "negative": None, "width": 96, "height": 64,
     "steps": 4, "guidance": 4.0, "seed": 42, "references": []},
    {"name": "negative", "prompt": "a blue chair in a meadow", "negative": "photorealistic, studio light", "width": 64,
     "height": 96, "steps": 3, "guidance": 2.5, "seed": 8, "references": []},
    {"name": "one-reference", "prompt": "the same scene at night", "negative": None, "width": 80, "height": 80, "steps": 4,
     "guidance": 4.0, "seed": 1, "references": [2]},
]


def render(pipe, case):
    references = [Image.open(KLEIN / f"cases/three-references/reference-{n}.png") for n in case["references"]]
    away = {} if case["negative"] is None else {"negative_prompt_embeds": pipe.encode_prompt(case["negative"])[0]}
    images = pipe(image=references or None, prompt=case["prompt"], width=case["width"], height=case["height"],
                  num_inference_steps=case["steps"], guidance_scale=case["guidance"], output_type="np",
                  generator=torch.Generator("cpu").manual_seed(case["seed"]), **away).images
    return (images[0] * 255).round().astype(np.uint8)


def psnr(a, b):
    return round(float(10 * np.log10(255**2 / ((a.astype(float) - b) ** 2).mean())), 2)


def main():
    out = pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    torch.set_num_threads(2)
    pipe = Flux2KleinPipeline.from_pretrained(KLEIN / "model", torch_dtype=torch.float32, is_distilled=False)
    pipe.to(torch.bfloat16).to(torch.float32)  # as the model was made, which its rotations' frequencies still show
    pipe.register_to_config(is_distilled=False)
    pipe.set_progress_bar_config(disable=True)
    cases = []
    for case in CASES:
        picture = render(pipe, case)
        Image.fromarray(picture).save(out / f"{case['name']}.png", optimize=True)
        far = {"psnr_db_unguided": psnr(picture, render(pipe, dict(case, guidance=1.0)))}
        if case["negative"] is not None:
            far["psnr_db_empty_negative"] = psnr(picture, render(pipe, dict(case, negative=None)))
        cases.append({**case, **far})
        print(far)
    (out / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")


main()
