#!/usr/bin/env python3
"""Time the reference implementation, diffusers and PyTorch, on the same sizes and machine as we are timed on.

    python3 tests/bench/peer.py MODEL [--width 512] [--height 512] [--steps 4] [--references 0]
    python3 tests/bench/peer.py --random SIZE [--width 512] [--height 512] [--references 0] [--compile]
    python3 tests/bench/peer.py --gemm
                                [--runs 3] [--threads N] [--device cpu] [--dtype float32]

MODEL is a diffusers pipeline folder. Each stage is called by itself after a call that is not counted; the
document is of the same form as that of the `bench` example. `--random` builds the transformer of a published
size (klein-4b, klein-9b, dev; tiny to rehearse) with random weights on the device and times a step, as
`atelier bench --part step` does: the prompt's 512 tokens, the picture's, and as many for each reference.
`--compile` hands it to torch.compile first. `--gemm` times plain products: what torch reaches in each precision.

Times are medians; on a card the clock is read once it has finished. Peak memory is that of torch's own
allocator. One JSON document on stdout. Needs torch, and but for `--gemm` diffusers, transformers and accelerate.
"""

import argparse
import json
import statistics
import time

import torch

PROMPT = "a red fox reading a newspaper in the rain"
PROMPT_TOKENS = 512
# Double-stream blocks, single-stream blocks, heads of 128, width of a prompt token, whether guidance is an input.
SIZES = {
    "klein-4b": (5, 20, 24, 7680, False),
    "klein-9b": (8, 24, 32, 12288, False),
    "dev": (8, 48, 48, 15360, True),
    "tiny": (1, 2, 2, 192, False),
}


class Clock:
    """Times calls on a device."""

    def __init__(self, device: str, runs: int) -> None:
        self.on_card = device.startswith("cuda")
        self.runs = runs

    def finish(self) -> None:
        if self.on_card:
            torch.cuda.synchronize()

    def all(self, call, runs: int = 0) -> list[float]:
        """Seconds of each call, after one that is not counted."""
        call()
        self.finish()
        seconds = []
        for _ in range(runs or self.runs):
            began = time.perf_counter()
            call()
            self.finish()
            seconds.append(time.perf_counter() - began)
        return seconds

    def median(self, call, runs: int = 0) -> float:
        return statistics.median(self.all(call, runs))


def products(a: argparse.Namespace, clock: Clock) -> dict:
    """The rates of plain products, in 10^12 operations a second: on a card of klein 4B's largest layer."""
    m, n, k = (4608, 9216, 3072) if clock.on_card else (1536, 3072, 1024)
    x, w = torch.randn(m, k, device=a.device), torch.randn(n, k, device=a.device)

    def rate(call) -> float:
        return 2e-12 * m * n * k / clock.median(call, 20)

    found = {}
    for name in ("bfloat16", "float32"):
        left, right = (matrix.to(getattr(torch, name)) for matrix in (x, w))
        found[f"gemm_{name}_tflops"] = rate(lambda left=left, right=right: left @ right.T)
    if clock.on_card and torch.cuda.get_device_capability() >= (8, 9):
        left, right = (matrix.to(torch.float8_e4m3fn) for matrix in (x, w))
        one = torch.ones((), device=a.device)
        found["gemm_fp8_tflops"] = rate(lambda: torch._scaled_mm(left, right.t(), one, one, out_dtype=torch.bfloat16))
    return found


def step(a: argparse.Namespace, clock: Clock) -> dict:
    """A step of a published size with random weights."""
    from diffusers import Flux2Transformer2DModel

    double, single, heads, context, guided = SIZES[a.random]
    dtype = getattr(torch, a.dtype)
    torch.set_default_dtype(dtype)
    with torch.device(a.device):
        network = Flux2Transformer2DModel(
            num_layers=double,
            num_single_layers=single,
            num_attention_heads=heads,
            joint_attention_dim=context,
            guidance_embeds=guided,
        ).eval()
    torch.set_default_dtype(torch.float32)
    if a.compile:
        network = torch.compile(network, mode="max-autotune-no-cudagraphs")

    def places(t: int) -> torch.Tensor:
        sides = (torch.arange(a.height // 16), torch.arange(a.width // 16))
        return torch.cartesian_prod(torch.tensor([t]), *sides, torch.arange(1))

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, device=a.device, dtype=dtype)

    image = torch.cat([places(0), *(places(10 + 10 * number) for number in range(a.references))])
    zero = torch.zeros(1, dtype=torch.long)
    text = torch.cartesian_prod(zero, zero, zero, torch.arange(PROMPT_TOKENS))
    arguments = (
        random(1, len(image), 128),
        random(1, PROMPT_TOKENS, context),
        torch.tensor([0.7672], device=a.device, dtype=dtype),
        image.to(a.device)[None],
        text.to(a.device)[None],
        torch.tensor([4.0], device=a.device, dtype=dtype) if guided else None,
    )
    seconds = clock.all(lambda: network(*arguments, return_dict=False))
    median = statistics.median(seconds)
    tokens, width, blocks = PROMPT_TOKENS + len(image), 128 * heads, double + single
    flop = 26 * width * width * tokens * blocks + 4 * tokens * tokens * width * blocks
    found = {
        "net": a.random,
        "compiled": a.compile,
        "tokens": tokens,
        "step_ms": 1e3 * median,
        "step_ms_min": 1e3 * min(seconds),
        "step_ms_max": 1e3 * max(seconds),
        "tflop": flop / 1e12,
        "tflops": flop / median / 1e12,
    }
    if clock.on_card:
        found["peak_mib"] = torch.cuda.max_memory_allocated() >> 20
    return found


def stages(a: argparse.Namespace, clock: Clock) -> dict:
    """The stages of a picture."""
    from diffusers import DiffusionPipeline
    from PIL import Image

    pipe = DiffusionPipeline.from_pretrained(a.model, torch_dtype=getattr(torch, a.dtype)).to(a.device)
    pipe.set_progress_bar_config(disable=True)
    size = (a.width, a.height)
    references = [Image.new("RGB", size, (40 * n % 256, 90, 160)) for n in range(a.references)] or None

    def latents(steps: int):
        return pipe(
            prompt=PROMPT,
            image=references,
            width=a.width,
            height=a.height,
            guidance_scale=1.0,
            num_inference_steps=steps,
            output_type="latent",
            generator=torch.Generator("cpu").manual_seed(1),
        )

    found = {"text_encoder": clock.median(lambda: pipe.encode_prompt(PROMPT))}
    like = {"dtype": pipe.vae.dtype, "device": a.device}
    picture = torch.zeros(1, 3, a.height, a.width, **like)
    if a.references:
        found["references"] = clock.median(lambda: pipe.vae.encode(picture))
    # What all steps have in common cancels out.
    more, one = (clock.median(lambda n=n: latents(n)) for n in (1 + a.steps, 1))
    found["transformer"] = (more - one) / a.steps
    latent = torch.randn(1, pipe.vae.config.latent_channels, a.height // 8, a.width // 8, **like)
    found["vae"] = clock.median(lambda: pipe.vae.decode(latent))
    # The same product as our benchmark measures.
    x, w = torch.randn(1536, 1024, device=a.device), torch.randn(3072, 1024, device=a.device)
    rate = 2 * 1536 * 3072 * 1024 / clock.median(lambda: x @ w.T, 10)
    return {
        "model": a.model,
        "gemm_gflop_per_second": rate / 1e9,
        "stages": [{"name": name, "seconds": seconds} for name, seconds in found.items()],
    }


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", nargs="?")
    p.add_argument("--random", choices=SIZES)
    p.add_argument("--gemm", action="store_true")
    p.add_argument("--compile", action="store_true")
    numbers = {"width": 512, "height": 512, "steps": 4, "references": 0, "runs": 3, "threads": 0}
    for name, default in numbers.items():
        p.add_argument(f"--{name}", type=int, default=default)
    p.add_argument("--device", default="cpu")
    p.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    a = p.parse_args()
    if [bool(a.model), bool(a.random), a.gemm].count(True) != 1:
        p.error("one of MODEL, --random and --gemm says what to time")
    if a.threads:
        torch.set_num_threads(a.threads)
    clock = Clock(a.device, a.runs)
    with torch.no_grad():
        found = (products if a.gemm else step if a.random else stages)(a, clock)
    about = {
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if clock.on_card else "cpu",
        "dtype": a.dtype,
        "width": a.width,
        "height": a.height,
        "references": a.references,
        "threads": torch.get_num_threads(),
    }
    print(json.dumps(about | found))


if __name__ == "__main__":
    main()
