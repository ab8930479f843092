"""Train the decoder further, and nothing else of the VAE, so that all that knows its latents stays right.

python decoder.py ICONS RUN
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKLFlux2
from torch import Tensor, nn

from common import Clock, Team, load, log, save
from data import Icons
from muon import tune
from vae import Pictures, held_out_psnr


class Decoder(nn.Module):
    """What of a VAE may still change."""

    def __init__(self, vae: AutoencoderKLFlux2) -> None:
        super().__init__()
        self.post_quant_conv, self.decoder = vae.post_quant_conv, vae.decoder

    def forward(self, latents: Tensor) -> Tensor:
        return self.decoder(self.post_quant_conv(latents))


@torch.no_grad()
def noisy_latents(vae: AutoencoderKLFlux2, x: Tensor, spread: Tensor) -> Tensor:
    """A little noise, because what a transformer draws is never quite what an encoder writes."""
    mean = vae._encode(x)[:, :32].float()
    return mean + 0.05 * spread * torch.randn_like(mean)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=20, help="of processor time, of all runs together")
    parser.add_argument("--batch", type=int, default=4, help="of each of the team")
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--team", type=int, default=1)
    a = parser.parse_args()
    team = Team(a.team, 29573)
    icons = Icons(a.data)
    vae = AutoencoderKLFlux2.from_pretrained(a.out / "vae").to(memory_format=torch.channels_last)
    spread = vae.bn.running_var[::4].sqrt()[None, :, None, None].clone()
    # The unused channels have no weight, and must not get any.
    spread[:, (vae.quant_conv.weight[:32].flatten(1) == 0).all(1)] = 0
    decoder = Decoder(vae)
    tuner, clock = tune(decoder, team, a.rate, 1e-3), Clock(a.minutes)
    step = load(a.out / "decoder.pt", {"decoder": decoder, "tuner": tuner, "clock": clock})
    pictures = Pictures(icons, 10_000 + 2 * step + team.rank)
    torch.manual_seed(10_000 + 2 * step + team.rank)
    compiled = torch.compile(decoder)
    if not team.leads():
        team.wait()
    saved, first = time.monotonic(), True
    while not clock.done():
        for group in tuner.param_groups:
            group["lr"] = a.rate * min(1, (step + 1) / 20) * clock.cosine()
        x = pictures.batch(a.batch, a.side)
        with torch.autocast("cpu", torch.bfloat16):
            y = compiled(noisy_latents(vae, x, spread)).float()
        loss = (y - x).square().mean() + 0.05 * (y - x).abs().mean()
        loss.backward()
        if first and team.leads():
            team.wait()
        if first:
            clock.skip()
            first = False
        clock.tick()
        team.average(decoder.parameters(), clock)
        torch.nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        tuner.step()
        tuner.zero_grad(set_to_none=True)
        step += 1
        if not team.leads():
            continue
        if step % 20 == 0:
            log(a.out, "decoder", step=step, minutes=clock.minutes(), loss=loss.item())
        if time.monotonic() - saved > 150:
            saved = time.monotonic()
            save(a.out / "decoder.pt", step, {"decoder": decoder, "tuner": tuner, "clock": clock})
        if step % 200 == 0:
            log(a.out, "decoder", step=step, minutes=clock.minutes(), held_out_psnr=held_out_psnr(vae, icons, 6))
            clock.skip()
    if team.leads():
        save(a.out / "decoder.pt", step, {"decoder": decoder, "tuner": tuner, "clock": clock})
        vae.save_pretrained(a.out / "vae")
        log(a.out, "decoder", step=step, minutes=clock.minutes(), held_out_psnr=held_out_psnr(vae, icons, 60))


if __name__ == "__main__":
    main()
