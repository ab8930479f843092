"""Train the VAE on icons over plain grounds and on drawn figures."""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLFlux2
from torch.nn import functional

from common import Clock, Team, load, log, save
from data import Icons
from draw import PALETTE, figure, random_pose, skeleton
from muon import tune

# FLUX.2 has 32 latent channels. A small model cannot use and a small transformer cannot predict
# them all, so the encoder writes the first few and leaves the others at exactly zero.
ACTIVE = 12
CONFIG = {
    "block_out_channels": (32, 64, 96, 96),
    "layers_per_block": 1,
    "latent_channels": 32,
    # With one channel per group, a normalisation forgets the colour of the ground.
    "norm_num_groups": 2,
    "sample_size": 256,
}


def build() -> AutoencoderKLFlux2:
    """Starts as nearly linear, and with little noise on the latents, because it learns far sooner so."""
    vae = AutoencoderKLFlux2(**CONFIG).to(memory_format=torch.channels_last)
    with torch.no_grad():
        for name, weight in vae.named_parameters():
            if name.endswith(("conv2.weight", "conv2.bias", "to_out.0.weight", "to_out.0.bias")):
                weight.zero_()
        vae.quant_conv.weight[:ACTIVE] *= 4
        vae.quant_conv.weight[32:] *= 0.1
        vae.quant_conv.bias[32:] = -5
    return vae


class Pictures:
    """Random training pictures: uint8 [256, 256, 3]."""

    def __init__(self, icons: Icons, seed: int) -> None:
        self.icons, self.rng = icons, np.random.default_rng(seed)
        self.training = icons.training()

    def ground(self) -> tuple[int, int, int]:
        if self.rng.random() < 0.6:
            return list(PALETTE.values())[self.rng.integers(len(PALETTE))]
        return tuple(int(c) for c in self.rng.integers(0, 256, 3))

    def one(self) -> np.ndarray:
        kind = self.rng.random()
        if kind < 0.06:
            return skeleton(random_pose(self.rng))
        if kind < 0.14:
            return figure(random_pose(self.rng), self.ground(), self.ground())
        return self.icons.over(self.rng.choice(self.training), self.ground())

    def crop(self, side: int) -> np.ndarray:
        """Half of the time a part at full size, else the whole at half size."""
        picture = self.one()
        if self.rng.random() < 0.3:
            picture = picture.reshape(128, 2, 128, 2, 3).mean((1, 3)).astype(np.uint8)
        y, x = self.rng.integers(0, len(picture) - side + 1, 2)
        picture = picture[y : y + side, x : x + side]
        return picture[:, ::-1] if self.rng.random() < 0.5 else picture

    def batch(self, count: int, side: int) -> torch.Tensor:
        return to_tensor(np.stack([self.crop(side) for _ in range(count)]))


def to_tensor(pictures: np.ndarray) -> torch.Tensor:
    """uint8 [N, H, W, 3] to -1..1 [N, 3, H, W], kept channels last, which convolutions like."""
    return torch.from_numpy(pictures.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1


def moments(vae: AutoencoderKLFlux2, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mean, spread = vae._encode(x).float().chunk(2, 1)
    return mean[:, :ACTIVE], spread[:, :ACTIVE].clamp(-12, 6)


def widen(z: torch.Tensor) -> torch.Tensor:
    return functional.pad(z, (0, 0, 0, 0, 0, 32 - ACTIVE))


@torch.no_grad()
def held_out_psnr(vae: AutoencoderKLFlux2, icons: Icons, count: int, seed: int = 5) -> float:
    """The mean PSNR of held-out icons at 256x256, each over a random colour of the palette."""
    rng, colours, total = np.random.default_rng(seed), list(PALETTE.values()), 0.0
    chosen = rng.permutation(icons.held_out())[:count]
    for index in chosen:
        picture = icons.over(index, colours[rng.integers(len(colours))])
        x = to_tensor(picture[None])
        with torch.autocast("cpu", torch.bfloat16):
            y = vae._decode(widen(moments(vae, x)[0])).sample.float().clamp(-1, 1)
        total += 10 * math.log10(4 / float((y - x).square().mean()))
    return total / len(chosen)


def losses(vae: AutoencoderKLFlux2, x: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mean, spread = moments(vae, x)
    z = mean + (0.5 * spread).exp() * noise
    y = vae._decode(widen(z)).sample.float()
    kl = 0.5 * (mean.square() + spread.exp() - 1 - spread).mean()
    return (y - x).square().mean() + 0.05 * (y - x).abs().mean(), kl


def finish(vae: AutoencoderKLFlux2, icons: Icons, count: int = 96) -> None:
    """Zero the unused channels for good, and count the statistics that latents are normalised by."""
    with torch.no_grad():
        for start in (ACTIVE, 32 + ACTIVE):
            vae.quant_conv.weight[start : start + 32 - ACTIVE] = 0
            vae.quant_conv.bias[start : start + 32 - ACTIVE] = -20.0 if start > 32 else 0.0
        vae.post_quant_conv.weight[:, ACTIVE:] = 0
        pictures = Pictures(icons, 99)
        latents = torch.cat([vae._encode(to_tensor(pictures.one()[None]))[:, :32] for _ in range(count)])
        # One mean and variance per channel, not per place in the 2x2 patch: the four are alike.
        mean, var = latents.mean((0, 2, 3)), latents.var((0, 2, 3))
        var[ACTIVE:] = 1.0
        vae.bn.running_mean.copy_(mean.repeat_interleave(4))
        vae.bn.running_var.copy_(var.repeat_interleave(4))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=26, help="of processor time, of all runs together")
    parser.add_argument("--batch", type=int, default=4, help="of each of the team")
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--kl", type=float, default=1e-4)
    parser.add_argument("--team", type=int, default=1)
    a = parser.parse_args()
    team = Team(a.team, 29571)
    torch.manual_seed(1)
    icons, vae = Icons(a.data), build()
    tuner = tune(vae, team, a.rate, 1e-3)
    clock = Clock(a.minutes)
    step = load(a.out / "vae.pt", {"vae": vae, "tuner": tuner, "clock": clock})
    pictures = Pictures(icons, 2 * step + team.rank)
    torch.manual_seed(2 * step + team.rank)
    train = torch.compile(losses)
    if not team.leads():
        # The leader compiles, and the others find it done.
        team.wait()
    saved = time.monotonic()
    first = True
    while not clock.done():
        for group in tuner.param_groups:
            group["lr"] = a.rate * min(1, (step + 1) / 20) * clock.cosine()
        x, noise = pictures.batch(a.batch, a.side), torch.randn(a.batch, ACTIVE, a.side // 8, a.side // 8)
        with torch.autocast("cpu", torch.bfloat16):
            loss, kl = train(vae, x, noise)
        (loss + a.kl * kl).backward()
        if first and team.leads():
            team.wait()
        if first:
            clock.skip()
            first = False
        clock.tick()
        team.average(vae.parameters(), clock)
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        tuner.step()
        tuner.zero_grad(set_to_none=True)
        step += 1
        if not team.leads():
            continue
        if step % 20 == 0:
            log(a.out, "vae", step=step, minutes=clock.minutes(), loss=loss.item(), kl=kl.item())
        if time.monotonic() - saved > 120:
            saved = time.monotonic()
            save(a.out / "vae.pt", step, {"vae": vae, "tuner": tuner, "clock": clock})
        if step % 200 == 0:
            log(a.out, "vae", step=step, minutes=clock.minutes(), held_out_psnr=held_out_psnr(vae, icons, 6))
            clock.skip()
    if team.leads():
        save(a.out / "vae.pt", step, {"vae": vae, "tuner": tuner, "clock": clock})
        finish(vae.eval(), icons)
        vae.save_pretrained(a.out / "vae")
        log(a.out, "vae", step=step, minutes=clock.minutes(), held_out_psnr=held_out_psnr(vae, icons, 60))


if __name__ == "__main__":
    main()
