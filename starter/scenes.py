"""Training samples: a prompt, the latents of its references and the latents of its picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKLFlux2
from torch import Tensor

from common import Team
from data import Icons
from draw import PALETTE, figure, random_pose, skeleton
from prompts import COLOURS, SHIRTS, aliases, icon_prompt, object_prompt, pose_prompt, row_prompt, unseen, vocabulary
from vae import ACTIVE, to_tensor

# Channels of a patch that are not always zero: FLUX.2 packs 2x2 latents channel by channel.
LIVE = 4 * ACTIVE
# How many references each kind of sample has.
KINDS = {"icon": 0, "object": 1, "object of two": 2, "object of three": 3, "pair": 2, "row": 3, "pose": 1}
Key = tuple[str, int, str, str]


@dataclass
class Batch:
    prompts: list[str]
    target: Tensor
    references: list[Tensor]


def patchify(latents: Tensor) -> Tensor:
    """[B, 32, H, W] to [B, H/2 * W/2, 128], as the pipeline does it."""
    b, c, h, w = latents.shape
    packed = latents.view(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5)
    return packed.reshape(b, h * w // 4, 4 * c)


class Studio:
    """Makes pictures, encodes them, and keeps what it has encoded."""

    def __init__(self, folder: Path, vae: Path, team: Team) -> None:
        self.icons = Icons(folder)
        self.vae = AutoencoderKLFlux2.from_pretrained(vae).to(memory_format=torch.channels_last).eval()
        self.kept: dict[Key, Tensor] = {}
        self.poses: list[int] = []
        self.rows: dict[int, list[list[int]]] = {2: [], 3: []}
        named = {a["name"]: i for i, a in enumerate(self.icons.about) if not a["toned"]}
        self.index = {name: named[name] for name in vocabulary()}
        self.names = list(self.index)[team.rank :: team.size]
        self.about = {name: self.icons.about[i] for name, i in self.index.items()}
        self.reseed(0)
        self.aliases = aliases(self.about)
        # Each of the team keeps to its own icons, so that none is encoded twice.
        self.training = self.icons.training()[team.rank :: team.size]
        self.pool: list[int] = []
        self.scale = (self.vae.bn.running_var + self.vae.config.batch_norm_eps).sqrt()

    def reseed(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def picture(self, key: Key) -> np.ndarray:
        what, index, first, ground = key
        if what == "icon":
            return self.icons.over(index, PALETTE[ground])
        if what == "row":
            return self.icons.beside([int(icon) for icon in first.split()], PALETTE[ground])
        pose = random_pose(np.random.default_rng(index))
        return skeleton(pose) if what == "skeleton" else figure(pose, PALETTE[first], PALETTE[ground])

    @torch.no_grad()
    def encode(self, pictures: np.ndarray) -> Tensor:
        """The normalised latents of a batch of pictures, live channels only, [B, N, LIVE]."""
        with torch.autocast("cpu", torch.bfloat16):
            mean = self.vae._encode(to_tensor(pictures))[:, :32].float()
        return ((patchify(mean) - self.vae.bn.running_mean) / self.scale)[..., :LIVE]

    def state_dict(self) -> dict[str, Any]:
        """What was encoded so far, because encoding it again after a restart takes minutes."""
        drawn = [self.poses, self.pool, self.rows]
        return {"keys": list(self.kept), "latents": list(self.kept.values()), "drawn": drawn}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.kept = {tuple(key): found for key, found in zip(state["keys"], state["latents"], strict=True)}
        self.poses, self.pool, self.rows = state["drawn"]

    def latents(self, keys: list[Key]) -> Tensor:
        missing = [key for key in dict.fromkeys(keys) if key not in self.kept]
        for start in range(0, len(missing), 4):
            part = missing[start : start + 4]
            found = self.encode(np.stack([self.picture(key) for key in part]))
            self.kept |= {key: one.half().clone() for key, one in zip(part, found, strict=True)}
        return torch.stack([self.kept[key] for key in keys]).float()

    def icon(self) -> tuple[str, Key]:
        name = self.names[self.rng.integers(len(self.names))]
        seen = [colour for colour in COLOURS[1:] if not unseen(name, colour)]
        colour = "white" if self.rng.random() < 0.4 else seen[self.rng.integers(len(seen))]
        prompt = icon_prompt(self.rng, name, self.aliases[name], colour)
        return prompt, ("icon", self.index[name], "", colour)

    def any_icon(self) -> int:
        """Mostly one that was encoded before, now and then a new one: encoding costs as much as training."""
        if len(self.pool) < 30 or self.rng.random() < 0.08:
            self.pool.append(int(self.rng.choice(self.training)))
        return self.pool[self.rng.integers(len(self.pool))]

    def few(self, icon: int) -> str:
        """One of the four grounds that an icon is encoded on."""
        return COLOURS[(icon * 5 + int(self.rng.integers(4)) * 7) % len(COLOURS)]

    def object(self, references: int) -> tuple[str, Key, list[Key]]:
        """One of the references, over a ground that the prompt names."""
        icons = [self.any_icon() for _ in range(references)]
        keys: list[Key] = [("icon", i, "", "white" if self.rng.random() < 0.5 else self.few(i)) for i in icons]
        number = int(self.rng.integers(references))
        colour = self.few(icons[number])
        prompt = object_prompt(self.rng, number + 1, colour)
        return prompt, ("icon", icons[number], "", colour), keys

    def row(self, count: int) -> tuple[str, Key, list[Key]]:
        """All references in a row. Few of them, and each row on one ground, for what is encoded once is cheap."""
        rows = self.rows[count]
        if len(rows) < 20 or self.rng.random() < 0.2:
            rows.append([int(icon) for icon in self.rng.choice(self.training[:150], count, replace=False)])
        icons = rows[self.rng.integers(len(rows))]
        colour = "white" if sum(icons) % 2 else COLOURS[sum(icons) // 2 % len(COLOURS)]
        prompt = row_prompt(self.rng, count, colour)
        return prompt, ("row", 0, " ".join(map(str, icons)), colour), [("icon", i, "", "white") for i in icons]

    def pose(self) -> tuple[str, Key, list[Key]]:
        """Each pose has one shirt and one ground."""
        if len(self.poses) < 20 or self.rng.random() < 0.25:
            self.poses.append(int(self.rng.integers(1 << 30)))
        pose = self.poses[self.rng.integers(len(self.poses))]
        shirt = "blue" if pose % 2 else SHIRTS[pose // 2 % len(SHIRTS)]
        colour = "white" if pose % 3 else COLOURS[pose // 3 % len(COLOURS)]
        if shirt == colour:
            colour = "white"
        prompt = pose_prompt(self.rng, shirt, colour)
        return prompt, ("figure", pose, shirt, colour), [("skeleton", pose, "", "")]

    def batch(self, kind: str, count: int) -> Batch:
        if kind == "icon":
            drawn = [(*self.icon(), []) for _ in range(count)]
        elif kind == "pose":
            drawn = [self.pose() for _ in range(count)]
        elif kind in ("pair", "row"):
            drawn = [self.row(KINDS[kind]) for _ in range(count)]
        else:
            drawn = [self.object(KINDS[kind]) for _ in range(count)]
        target = self.latents([key for _, key, _ in drawn])
        references = [self.latents([keys[n] for _, _, keys in drawn]) for n in range(KINDS[kind])]
        return Batch([prompt for prompt, _, _ in drawn], target, references)
