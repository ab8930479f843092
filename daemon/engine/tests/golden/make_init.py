#!/usr/bin/env python3
"""Render the repository's tiny klein model from a picture, with and without a mask, with diffusers in f32.

    make_init.py MODEL-FOLDER OUT

Made with torch 2.15 and diffusers 0.42.1. OUT gets `picture.png`, `mask.png`, `reference.png` and, for each
case, `NAME.png` (what the decoder gives, before anything is put back) and a line of `cases.json`.

With a mask the reference is `Flux2KleinInpaintPipeline`. Without one diffusers has no pipeline for FLUX.2;
the loop below is that pipeline's own, without the mask and without the picture among the references.
"""
import json
import pathlib
import sys

import numpy as np
import torch
from diffusers import Flux2KleinInpaintPipeline
from diffusers.pipelines.flux2.pipeline_flux2_klein_inpaint import compute_empirical_mu
from PIL import Image, ImageDraw

WIDTH, HEIGHT, STEPS, SEED = 128, 96, 4, 5
PROMPT = "a red fox reading a newspaper"


def pictures():
    x, y = np.meshgrid(np.linspace(0, 1, WIDTH), np.linspace(0, 1, HEIGHT))
    base = np.stack([200 * x + 30, 180 * (1 - y) + 20, 120 + 90 * np.sin(9 * x * y)], -1)
    picture = Image.fromarray(base.round().astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((20, 15, 60, 70), fill=(240, 220, 60))
    draw.rectangle((80, 40, 118, 88), fill=(30, 60, 160))
    mask = Image.new("L", (WIDTH, HEIGHT), 0)
    draw = ImageDraw.Draw(mask)
    draw.ellipse((37, 21, 101, 79), fill=255)
    draw.rectangle((0, 88, 23, 95), fill=127)  # not quite half: stays
    draw.rectangle((104, 0, 127, 11), fill=128)  # half: is painted anew
    reference = Image.fromarray(np.flip(base, (0, 1))[:80, :72].round().astype(np.uint8))
    draw = ImageDraw.Draw(reference)
    draw.ellipse((2, 10, 40, 60), fill=(200, 30, 90))
    draw.rectangle((50, 30, 71, 79), fill=(250, 250, 240))
    return picture, mask, reference


def write(path, image):
    array = (image[0] / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).numpy()
    Image.fromarray((array * 255).round().astype(np.uint8)).save(path)


def decoded(pipe, latents):
    """From what `output_type="latent"` gives to the picture's numbers."""
    with torch.no_grad():
        return pipe.vae.decode(latents, return_dict=False)[0]


def from_picture(pipe, picture, strength, references):
    """Image to image: x = sigma * noise + (1 - sigma) * z at the first sigma, then Euler."""
    device, dtype = torch.device("cpu"), torch.float32
    generator = torch.Generator("cpu").manual_seed(SEED)
    embeds, text_ids = pipe.encode_prompt(PROMPT, device=device)
    mu = compute_empirical_mu((WIDTH // 16) * (HEIGHT // 16), STEPS)
    pipe.scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / STEPS, STEPS), device=device, mu=mu)
    timesteps, _ = pipe.get_timesteps(STEPS, strength, device)
    image = pipe.image_processor.preprocess(picture, HEIGHT, WIDTH)
    latents, _, _, _, ids = pipe.prepare_latents(
        image, timesteps[:1], 1, 32, HEIGHT, WIDTH, dtype, device, generator)
    output_ids, more = ids, None
    if references:
        images = [pipe.image_processor.preprocess(r, r.height // 16 * 16, r.width // 16 * 16, resize_mode="crop")
                  for r in references]
        more, more_ids = pipe.prepare_image_latents(images, 1, generator, device, dtype)
        ids = torch.cat([ids, more_ids], 1)
    for t in timesteps:
        tokens = latents if more is None else torch.cat([latents, more], 1)
        with torch.no_grad():
            velocity = pipe.transformer(
                hidden_states=tokens, timestep=t.expand(1) / 1000, guidance=None, encoder_hidden_states=embeds,
                txt_ids=text_ids, img_ids=ids, return_dict=False)[0][:, : latents.shape[1]]
        latents = pipe.scheduler.step(velocity, t, latents, return_dict=False)[0]
    latents = pipe._unpack_latents_with_ids(latents, output_ids)
    mean = pipe.vae.bn.running_mean.view(1, -1, 1, 1)
    deviation = torch.sqrt(pipe.vae.bn.running_var.view(1, -1, 1, 1) + pipe.vae.config.batch_norm_eps)
    return pipe._unpatchify_latents(latents * deviation + mean)


def main():
    model, out = sys.argv[1], pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    pipe = Flux2KleinInpaintPipeline.from_pretrained(model, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    picture, mask, reference = pictures()
    for name, image in (("picture", picture), ("mask", mask), ("reference", reference)):
        image.save(out / f"{name}.png", optimize=True)
    cases = []
    for masked in (True, False):
        for strength in (0.3, 0.6, 1.0):
            for references in (0, 1):
                for guidance in (1.0, 4.0):
                    guided = guidance > 1
                    if guided and not (masked and strength == 0.6 and references):
                        continue
                    if not masked and strength == 1.0:
                        continue  # that is text to image
                    pipe.register_to_config(is_distilled=guidance == 1)
                    name = f"{'masked' if masked else 'plain'}-{strength}-{references}-{guidance:g}"
                    if masked:
                        latents = pipe(
                            prompt=PROMPT, image=picture, mask_image=mask, strength=strength,
                            image_reference=reference if references else None, num_inference_steps=STEPS,
                            guidance_scale=guidance, generator=torch.Generator("cpu").manual_seed(SEED),
                            output_type="latent").images
                    else:
                        latents = from_picture(pipe, picture, strength, [reference] * references)
                    write(out / f"{name}.png", decoded(pipe, latents))
                    cases.append({"name": name, "masked": masked, "strength": strength,
                                  "references": references, "guidance": guidance})
    shared = {"prompt": PROMPT, "steps": STEPS, "seed": SEED, "cases": cases}
    (out / "cases.json").write_text(json.dumps(shared, indent=1) + "\n")


main()
