#!/usr/bin/env python3
"""Render the repository's tiny klein model with a decoder of other widths than its encoder, with diffusers in f32.

    make_small_decoder.py FIXTURES OUT

FIXTURES is the repository's tests/fixtures. Made with torch 2.15, diffusers 0.42.1, transformers 5.23. OUT gets
`picture.png` and `decoder.json`: the request, the widths, and the shape of each of the decoder's tensors.

The published small decoder is 96 channels wide where the full one is 128, three to a group of the norms. This one has
weights that need no file: a tensor's value at an index is that of the tiny model's tensor of the same name at the index
modulo its shape; a shortcut that the tiny model lacks has the numbers of the one that it has; and the last weights are
multiplied by a power of two, so that the picture's contrast is a usual one.
"""
import json
import pathlib
import sys

import numpy as np
import torch
from diffusers import AutoencoderKLFlux2, Flux2KleinPipeline
from PIL import Image

MODEL = pathlib.Path(sys.argv[1]) / "klein" / "model"
WIDTHS = [96, 64, 32, 96]
GAIN = 0.5
REQUEST = {"prompt": "a poster that says open late", "width": 112, "height": 80, "steps": 3, "seed": 6}


def repeated(tensor, shape):
    for axis, size in enumerate(shape):
        tensor = tensor.index_select(axis, torch.arange(size) % tensor.shape[axis])
    return tensor


def main():
    out = pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    torch.set_num_threads(2)
    pipe = Flux2KleinPipeline.from_pretrained(MODEL, torch_dtype=torch.float32)
    pipe.to(torch.bfloat16).to(torch.float32)  # as the model was made, which its rotations' frequencies still show
    pipe.set_progress_bar_config(disable=True)
    full = pipe.vae.state_dict()
    vae = AutoencoderKLFlux2.from_config(dict(pipe.vae.config, decoder_block_out_channels=WIDTHS)).eval()
    shapes, weights = {}, {}
    shortcut = next(name for name in full if name.startswith("decoder.") and "conv_shortcut.weight" in name)
    for name, tensor in vae.state_dict().items():
        if not name.startswith("decoder."):
            weights[name] = full[name]
            continue
        shapes[name] = list(tensor.shape)
        source = name if name in full else shortcut.replace("weight", name.split(".")[-1])
        weights[name] = repeated(full[source], tensor.shape) * (GAIN if name.startswith("decoder.conv_out.") else 1)
    vae.load_state_dict(weights)
    pipe.vae = vae
    picture = pipe(prompt=REQUEST["prompt"], width=REQUEST["width"], height=REQUEST["height"], guidance_scale=1.0,
                   num_inference_steps=REQUEST["steps"], generator=torch.Generator("cpu").manual_seed(REQUEST["seed"]),
                   output_type="np").images[0]
    print("mean", picture.mean(), "std", picture.std(), "clipped", ((picture == 0) | (picture == 1)).mean())
    Image.fromarray((picture * 255).round().astype(np.uint8)).save(out / "picture.png", optimize=True)
    described = {"request": REQUEST, "widths": WIDTHS, "gain": GAIN, "shortcut": shortcut.removesuffix(".weight"),
                 "shapes": shapes}
    (out / "decoder.json").write_text(json.dumps(described, indent=1) + "\n")


main()
