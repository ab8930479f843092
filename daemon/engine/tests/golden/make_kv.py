#!/usr/bin/env python3
"""Render the repository's tiny klein model as klein KV, with diffusers in f32.

    make_kv.py FIXTURES OUT

FIXTURES is the repository's tests/fixtures. Made with torch 2.15, diffusers 0.42.1, transformers 5.23. OUT gets,
for each case, `NAME.png` and a line of `cases.json`, which says how far the picture is from the one that the same
weights give as plain klein (PSNR in dB).

KV has klein's weights under klein's names; a folder of it differs in the class that `model_index.json` names.
Pictures are those of `Flux2KleinKVPipeline`, and for the case with a mask, where diffusers has none for KV, those of
`Flux2KleinInpaintPipeline` around a transformer that is called as the KV pipeline calls it.
"""
import json
import pathlib
import sys

import numpy as np
import torch
from diffusers import Flux2KleinInpaintPipeline, Flux2KleinKVPipeline, Flux2KleinPipeline, Flux2Transformer2DModel
from PIL import Image
from safetensors.torch import load_file

FIXTURES = pathlib.Path(sys.argv[1])
KLEIN = FIXTURES / "klein"
LORA = FIXTURES / "lora" / "peft-diffusers-names.safetensors"
CASES = [
    {"name": "one", "prompt": "the same scene at night", "width": 96, "height": 80, "steps": 4, "seed": 1, "references": [2]},
    {"name": "three", "prompt": "the woman of image 1, the coat of image 2, the room of image 3", "width": 80, "height": 96,
     "steps": 3, "seed": 123456789, "references": [1, 2, 3]},
    {"name": "deep", "prompt": "two doubles, three singles", "width": 64, "height": 64, "steps": 4, "seed": 3,
     "references": [3], "double": 2, "single": 3},
    {"name": "lora", "prompt": "a red fox", "width": 64, "height": 64, "steps": 3, "seed": 4, "references": [1],
     "lora": LORA.name},
    {"name": "masked", "prompt": "a red fox reading a newspaper", "width": 128, "height": 96, "steps": 4, "seed": 5,
     "references": [1], "strength": 0.6},
]


def pipeline(cls, case):
    pipe = cls.from_pretrained(KLEIN / "model", torch_dtype=torch.float32)
    pipe.to(torch.bfloat16).to(torch.float32)  # as the model was made, which its rotations' frequencies still show
    pipe.set_progress_bar_config(disable=True)
    if "double" in case:
        config = dict(pipe.transformer.config, num_layers=case["double"], num_single_layers=case["single"])
        weights = pipe.transformer.state_dict()
        for kind, count in (("transformer_blocks", case["double"]), ("single_transformer_blocks", case["single"])):
            for name in [name for name in weights if name.startswith(f"{kind}.0.")]:
                for block in range(1, count):
                    weights[name.replace(f"{kind}.0.", f"{kind}.{block}.")] = weights[name]
        pipe.transformer = Flux2Transformer2DModel.from_config(config)
        pipe.transformer.load_state_dict(weights)
    if "lora" in case:
        weights = dict(pipe.transformer.named_parameters())
        lora = load_file(LORA)
        for name in [name for name in lora if name.endswith(".lora_A.weight")]:
            layer = name.removeprefix("base_model.model.").replace(".lora_A", "")
            weights[layer] += lora[name.replace("lora_A", "lora_B")].float() @ lora[name].float()
    if cls is Flux2KleinKVPipeline:
        pipe._set_kv_attn_processors()
    return pipe


def remembering(transformer, output):
    """The transformer, to be called as for plain klein, output before references, in one picture."""
    call, kept = transformer.forward, []

    def forward(hidden_states, img_ids, **more):
        tokens, places = hidden_states[:, :output], img_ids[:, :output]
        if kept:
            return call(tokens, img_ids=places, kv_cache=kept[0], kv_cache_mode="cached", **more)
        tokens = torch.cat([hidden_states[:, output:], tokens], 1)
        places = torch.cat([img_ids[:, output:], places], 1)
        count = tokens.shape[1] - output
        velocity, cache = call(tokens, img_ids=places, kv_cache_mode="extract", num_ref_tokens=count, **more)
        kept.append(cache)
        return (velocity,)

    transformer.forward = forward


def render(case, remembers):
    references = [Image.open(KLEIN / f"cases/three-references/reference-{n}.png") for n in case["references"]]
    asked = dict(prompt=case["prompt"], width=case["width"], height=case["height"], num_inference_steps=case["steps"],
                 generator=torch.Generator("cpu").manual_seed(case["seed"]), output_type="latent")
    if "strength" in case:
        pipe = pipeline(Flux2KleinInpaintPipeline, case)
        if remembers:
            Flux2KleinKVPipeline._set_kv_attn_processors(pipe)
            remembering(pipe.transformer, case["width"] * case["height"] // 256)
        picture, mask = (Image.open(KLEIN / f"init/{name}.png") for name in ("picture", "mask"))
        latents = pipe(image=picture, mask_image=mask, strength=case["strength"], image_reference=references,
                       guidance_scale=1.0, **asked).images
    else:
        pipe = pipeline(Flux2KleinKVPipeline if remembers else Flux2KleinPipeline, case)
        latents = pipe(image=references, **({} if remembers else {"guidance_scale": 1.0}), **asked).images
    image = pipe.vae.decode(latents, return_dict=False)[0]
    array = (image[0] / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).numpy()
    return (array * 255).round().astype(np.uint8)


def psnr(a, b):
    return round(float(10 * np.log10(255**2 / ((a.astype(float) - b) ** 2).mean())), 2)


def main():
    out = pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    torch.set_num_threads(2)
    cases = []
    for case in CASES:
        picture = render(case, True)
        Image.fromarray(picture).save(out / f"{case['name']}.png", optimize=True)
        cases.append(dict(case, psnr_db_plain=psnr(picture, render(case, False))))
        print(cases[-1])
    (out / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")


main()
