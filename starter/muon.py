"""Muon for matrices and convolutions, AdamW for the rest: several times fewer steps than AdamW alone."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from common import Team


def orthogonal(update: Tensor) -> Tensor:
    """Five Newton-Schulz steps: the nearest matrix with all singular values near 1."""
    x = update.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT.contiguous() if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return (x.mT if tall else x).to(update.dtype)


class Muon(torch.optim.Optimizer):
    """Groups with `matrix` set are orthogonalised; a convolution counts as outputs x the rest.

    Gradients must be the same in the whole team. Each member orthogonalises its share.
    """

    def __init__(self, groups: Iterable[dict], team: Team) -> None:
        super().__init__(groups, {"lr": 1e-3, "decay": 0.0, "matrix": False})
        self.team = team

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            if group["matrix"]:
                self.turn(group)
            else:
                for weight in group["params"]:
                    self.adjust(weight, group["lr"])

    def turn(self, group: dict) -> None:
        """Muon's step for all matrices of a group."""
        weights, changes = group["params"], []
        for index, weight in enumerate(weights):
            state = self.state[weight]
            if not state:
                state["mean"] = torch.zeros_like(weight)
            state["mean"].lerp_(weight.grad, 0.05)
            if index % self.team.size == self.team.rank:
                changes.append(orthogonal(weight.grad.lerp(state["mean"], 0.95).reshape(len(weight), -1)).reshape(-1))
            else:
                changes.append(torch.zeros(weight.numel()))
        flat = torch.cat(changes)
        self.team.sum(flat)
        for weight, change in zip(weights, flat.split([w.numel() for w in weights]), strict=True):
            # As large as an update of AdamW, so that both can share one rate.
            scale = 0.2 * max(len(weight), weight.numel() // len(weight)) ** 0.5
            weight.mul_(1 - group["lr"] * group["decay"])
            weight.add_(change.view(weight.shape), alpha=-group["lr"] * scale)

    def adjust(self, weight: Tensor, rate: float) -> None:
        """Adam's step for one weight."""
        state = self.state[weight]
        if not state:
            state["mean"], state["square"] = torch.zeros_like(weight), torch.zeros_like(weight)
            state["step"] = torch.zeros(())
        state["step"] += 1
        step, grad = float(state["step"]), weight.grad
        state["mean"].lerp_(grad, 0.1)
        state["square"].lerp_(grad * grad, 0.02)
        spread = (state["square"] / (1 - 0.98**step)).sqrt_().add_(1e-10)
        weight.addcdiv_(state["mean"] / (1 - 0.9**step), spread, value=-rate)


def tune(model: nn.Module, team: Team, rate: float, decay: float, but: tuple[str, ...] = ()) -> Muon:
    """Matrices to Muon, unless their name starts with one of `but`; the rest to AdamW."""
    matrices, rest = [], []
    for name, weight in model.named_parameters():
        (matrices if weight.dim() > 1 and not name.startswith(but) else rest).append(weight)
    return Muon(
        [
            {"params": matrices, "lr": rate, "first": rate, "decay": decay, "matrix": True},
            {"params": rest, "lr": rate, "first": rate, "decay": 0.0, "matrix": False},
        ],
        team,
    )
