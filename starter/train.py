"""Train the reader and the painter together, on icons by name, on references and on poses."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from diffusers.models.transformers import transformer_flux2
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoTokenizer, Qwen2TokenizerFast

from common import Average, Clock, Team, load, log, save
from model import SIDE, Painter, attention, draw_sigmas, image_ids, key_bias, rotate, text_ids
from muon import tune
from prompts import corpus
from scenes import KINDS, Batch, Studio
from text import Reader, make_tokenizer


class Both(nn.Module):
    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader, self.painter = reader, Painter()

    def forward(
        self, ids: Tensor, real: Tensor, places: Tensor, x: Tensor, sigma: Tensor, at: Tensor, bias: Tensor
    ) -> Tensor:
        text = self.reader(ids, real, places)
        return self.painter(x, sigma, text, text_ids(places), at, bias)


def loss(both: nn.Module, reader: Reader, batch: Batch, kept: int) -> Tensor:
    """The flow-matching loss over a random part of the picture's tokens."""
    ids, real, places, counts = reader.lay_out(batch.prompts)
    part = torch.randperm(SIDE * SIDE)[:kept].sort().values
    target = batch.target[:, part]
    sigma = draw_sigmas(len(target))
    noise = torch.randn_like(target)
    mixed = torch.lerp(target, noise, sigma[:, None, None])
    x = torch.cat([mixed, *(r[:, part] for r in batch.references)], 1)
    bias = key_bias(counts, x.shape[1], kept)
    with torch.autocast("cpu", torch.bfloat16):
        flow = both(ids, real, places, x, sigma, image_ids(part, len(batch.references)), bias)
    return (flow[:, :kept].float() - (noise - target)).square().mean()


def the_tokenizer(folder: Path, studio: Studio, team: Team) -> Qwen2TokenizerFast:
    if team.leads() and not folder.exists():
        make_tokenizer(corpus(studio.about)).save_pretrained(folder)
    team.wait()
    return AutoTokenizer.from_pretrained(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=92, help="of processor time, of all runs together")
    parser.add_argument("--until", type=float, help="end this run at so many of the minutes")
    parser.add_argument("--batch", type=int, default=24, help="of each of the team")
    parser.add_argument("--kept", type=int, default=64, help="of the 256 tokens of a picture")
    parser.add_argument("--padding", type=int, default=6, help="tokens that stand for all padding")
    parser.add_argument("--rate", type=float, default=2e-3, help="of AdamW")
    parser.add_argument("--muon", type=float, default=5e-3, help="rate of Muon")
    parser.add_argument("--mix", type=float, nargs=7, default=[7, 1.2, 0.4, 0.2, 0.6, 0.3, 1.3], help=" / ".join(KINDS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--team", type=int, default=1)
    a = parser.parse_args()
    team = Team(a.team, 29572)
    functional.scaled_dot_product_attention = attention
    transformer_flux2.apply_rotary_emb = rotate
    torch.manual_seed(a.seed)
    studio = Studio(a.data, a.out / "vae", team)
    reader = Reader(the_tokenizer(a.out / "tokenizer", studio, team), 38, a.padding)
    both = Both(reader)
    outside = ("reader.model.embed", "painter.net.x_", "painter.net.proj_out", "painter.net.time")
    tuner = tune(both, team, a.rate, 0.01, outside)
    clock, average = Clock(a.minutes), Average(both)
    parts = {"both": both, "tuner": tuner, "clock": clock, "average": average}
    step = load(a.out / "model.pt", parts)
    encoded = a.out / f"latents-{team.rank}.pt"
    load(encoded, {"studio": studio})
    torch.manual_seed(1000 * a.seed + 2 * step + team.rank)
    studio.reseed(1000 * a.seed + 2 * step + team.rank)
    both.painter.net.compile_repeated_blocks(dynamic=False)
    kinds, mix = list(KINDS), np.array(a.mix) / sum(a.mix)
    saved, means = time.monotonic(), {}
    while not clock.done() and clock.minutes() < (a.until or a.minutes):
        for group in tuner.param_groups:
            # Not from the checkpoint, so that a run that goes on can have other rates.
            group["lr"] = (a.muon if group["matrix"] else a.rate) * min(1, (step + 1) / 100) * clock.cosine()
        # The same in the whole team, so that nobody waits for one who has more to do.
        kind = kinds[np.random.default_rng([a.seed, step]).choice(len(kinds), p=mix)]
        fresh = kind not in means
        if fresh and not team.leads():
            team.wait()
        count = max(3, a.batch // (1 + KINDS[kind]))
        found = loss(both, reader, studio.batch(kind, count), a.kept)
        found.backward()
        if fresh and team.leads():
            team.wait()
        if fresh:
            clock.skip()
        clock.tick()
        team.average(both.parameters(), clock)
        torch.nn.utils.clip_grad_norm_(both.parameters(), 1.0)
        tuner.step()
        tuner.zero_grad(set_to_none=True)
        average.follow(both)
        step += 1
        means[kind] = 0.97 * means.get(kind, found.item()) + 0.03 * found.item()
        if step % 400 == 0:
            save(encoded, step, {"studio": studio})
        if not team.leads():
            continue
        if step % 50 == 0:
            log(a.out, "model", step=step, minutes=clock.minutes(), **means)
        if time.monotonic() - saved > 120:
            saved = time.monotonic()
            save(a.out / "model.pt", step, parts)
            clock.skip()
    if team.leads():
        save(a.out / "model.pt", step, parts)


if __name__ == "__main__":
    main()
