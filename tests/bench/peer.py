#!/usr/bin/env python3
"""Time the reference implementation on the same model, size and machine as our `bench` example.

    python3 tests/bench/peer.py MODEL [--width 512] [--height 512] [--steps 4] [--references 0]
                                      [--runs 3] [--threads N] [--dtype float32]

MODEL is a diffusers pipeline folder. Each stage is called by itself after a call that is not counted;
seconds are medians. Prints one JSON document of the same form as `bench`. Needs torch, diffusers,
transformers and accelerate.
"""
import argparse
import json
import statistics
import time

import torch
from diffusers import DiffusionPipeline
from PIL import Image

PROMPT = "a red fox reading a newspaper in the rain"


def median(call, runs: int) -> float:
    """Seconds of one call."""
    call()
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model")
    for name, default in (("width", 512), ("height", 512), ("steps", 4), ("references", 0), ("runs", 3), ("threads", 0)):
        p.add_argument(f"--{name}", type=int, default=default)
    p.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    pipe = DiffusionPipeline.from_pretrained(a.model, torch_dtype=getattr(torch, a.dtype))
    pipe.set_progress_bar_config(disable=True)
    references = [Image.new("RGB", (a.width, a.height), (40 * n % 256, 90, 160)) for n in range(a.references)] or None

    def latents(steps: int):
        return pipe(prompt=PROMPT, image=references, width=a.width, height=a.height, guidance_scale=1.0,
                    num_inference_steps=steps, output_type="latent", generator=torch.Generator("cpu").manual_seed(1))

    with torch.no_grad():
        stages = {"text_encoder": median(lambda: pipe.encode_prompt(PROMPT), a.runs)}
        picture = torch.zeros(1, 3, a.height, a.width, dtype=pipe.vae.dtype)
        if a.references:
            stages["references"] = median(lambda: pipe.vae.encode(picture), a.runs)
        # What all steps have in common cancels out.
        stages["transformer"] = (median(lambda: latents(1 + a.steps), a.runs) - median(lambda: latents(1), a.runs)) / a.steps
        latent = torch.randn(1, pipe.vae.config.latent_channels, a.height // 8, a.width // 8, dtype=pipe.vae.dtype)
        stages["vae"] = median(lambda: pipe.vae.decode(latent), a.runs)
        # The same product as our benchmark measures.
        x, w = torch.randn(1536, 1024), torch.randn(3072, 1024)
        rate = 2 * 1536 * 3072 * 1024 / median(lambda: x @ w.T, 10)
    print(json.dumps({"model": a.model, "torch": torch.__version__, "dtype": a.dtype, "width": a.width,
                      "height": a.height, "references": a.references, "threads": torch.get_num_threads(),
                      "gemm_gflop_per_second": rate / 1e9,
                      "stages": [{"name": name, "seconds": seconds} for name, seconds in stages.items()]}))


if __name__ == "__main__":
    main()
