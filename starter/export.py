"""Write a checkpoint as a diffusers pipeline folder in bf16.

python export.py RUN MODEL
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKLFlux2, FlowMatchEulerDiscreteScheduler, Flux2KleinPipeline
from transformers import AutoTokenizer

from model import Painter
from scenes import LIVE
from text import Reader
from text import export as full_encoder

LIMIT = 24_000_000


def scheduler() -> FlowMatchEulerDiscreteScheduler:
    """As FLUX.2's own."""
    return FlowMatchEulerDiscreteScheduler(
        num_train_timesteps=1000,
        shift=3.0,
        use_dynamic_shifting=True,
        base_shift=0.5,
        max_shift=1.15,
        base_image_seq_len=256,
        max_image_seq_len=4096,
        time_shift_type="exponential",
    )


def pipeline(run: Path) -> Flux2KleinPipeline:
    """The pipeline in float32, with weights that bf16 can hold."""
    tokenizer = AutoTokenizer.from_pretrained(run / "tokenizer")
    reader, painter = Reader(tokenizer, 38, 0), Painter()
    state = torch.load(run / "model.pt", weights_only=True, map_location="cpu")["average"]["weights"]
    reader.load_state_dict({k.removeprefix("reader."): v for k, v in state.items() if k.startswith("reader.")})
    painter.load_state_dict({k.removeprefix("painter."): v for k, v in state.items() if k.startswith("painter.")})
    with torch.no_grad():
        # The channels that the VAE leaves at zero carry nothing but noise: neither read nor drawn.
        painter.net.x_embedder.weight[:, LIVE:] = 0
        painter.net.proj_out.weight[LIVE:] = 0
    parts = {
        "vae": AutoencoderKLFlux2.from_pretrained(run / "vae"),
        "text_encoder": full_encoder(reader),
        "transformer": painter.net,
    }
    for part in parts.values():
        part.to(torch.bfloat16).float().eval()
    pipe = Flux2KleinPipeline(scheduler=scheduler(), tokenizer=tokenizer, is_distilled=True, **parts)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def forget_origin(model: Path) -> None:
    """Takes out of the configs where on this machine a part was loaded from."""
    for config in model.rglob("*.json"):
        told = json.loads(config.read_text())
        if told.pop("_name_or_path", None) is not None:
            config.write_text(json.dumps(told, indent=2) + "\n")


def sums(model: Path) -> str:
    """What `sha256sum` prints of all files, by path."""
    files = sorted(file.relative_to(model).as_posix() for file in model.rglob("*") if file.is_file())
    return "".join(f"{hashlib.sha256((model / file).read_bytes()).hexdigest()}  {file}\n" for file in files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("model", type=Path)
    a = parser.parse_args()
    shutil.rmtree(a.model, ignore_errors=True)
    pipeline(a.run).to(torch.bfloat16).save_pretrained(a.model)
    here = Path(__file__).parent
    shutil.copy(here / "CARD.md", a.model / "README.md")
    shutil.copy(here / "LICENSE", a.model / "LICENSE")
    forget_origin(a.model)
    (a.model / "SHA256SUMS").write_text(sums(a.model))
    size = sum(file.stat().st_size for file in a.model.rglob("*") if file.is_file())
    print(f"{size} bytes")
    if size > LIMIT:
        raise SystemExit(f"more than {LIMIT}")


if __name__ == "__main__":
    main()
