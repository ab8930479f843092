"""What every training run needs: a team of two, a clock, checkpoints and a log."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn


class Team:
    """Some processes of one thread each, which share the work and average their gradients.

    Two threads of one process wait for each other many times a step, and they do it busily, which on a
    machine that also does other things wastes most of their time.
    """

    def __init__(self, size: int, port: int) -> None:
        self.size, self.rank = size, int(os.environ.get("TEAM_RANK", "0"))
        torch.set_num_threads(1)
        if size == 1:
            return
        if self.rank == 0:
            for rank in range(1, size):
                subprocess.Popen([sys.executable, "-u", *sys.argv], env=os.environ | {"TEAM_RANK": str(rank)})
        # Whoever waits for a member that is paused from outside waits for hours if need be.
        address = f"tcp://127.0.0.1:{port}"
        distributed.init_process_group("gloo", address, timedelta(hours=12), size, self.rank)

    def leads(self) -> bool:
        return self.rank == 0

    def sum(self, values: Tensor) -> None:
        if self.size > 1:
            distributed.all_reduce(values)

    def wait(self) -> None:
        self.sum(torch.zeros(1))

    def average(self, weights: Iterable[nn.Parameter], clock: Clock) -> None:
        """Averages the gradients, and sets every clock by the leader's."""
        weights = list(weights)
        gradients = [w.grad if w.grad is not None else torch.zeros_like(w) for w in weights]
        flat = torch.cat([*(g.reshape(-1) / self.size for g in gradients), torch.tensor([clock.spent])])
        if not self.leads():
            flat[-1] = 0
        self.sum(flat)
        clock.spent = float(flat[-1])
        for weight, part in zip(weights, flat[:-1].split([w.numel() for w in weights]), strict=True):
            weight.grad = part.view(weight.shape)


class Clock:
    """Minutes of processor time spent in training: it stands still while others have the machine."""

    def __init__(self, budget: float) -> None:
        self.budget, self.spent, self.last = budget * 60, 0.0, time.process_time()

    def tick(self) -> None:
        now = time.process_time()
        self.spent += now - self.last
        self.last = now

    def skip(self) -> None:
        self.last = time.process_time()

    def minutes(self) -> float:
        return round(self.spent / 60, 2)

    def done(self) -> bool:
        return self.spent >= self.budget

    def cosine(self) -> float:
        """1 at the start of the budget, nearly 0 at its end."""
        return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, self.spent / self.budget)))

    def state_dict(self) -> dict[str, float]:
        return {"spent": self.spent}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.spent = state["spent"]


class Average:
    """The mean of the last few hundred steps' weights, better than the last while the rate is high."""

    def __init__(self, model: nn.Module) -> None:
        self.weights = {name: weight.detach().clone() for name, weight in model.state_dict().items()}
        self.steps = 0

    @torch.no_grad()
    def follow(self, model: nn.Module) -> None:
        self.steps += 1
        share = max(1 / 150, 1 / self.steps)
        for name, weight in model.state_dict().items():
            self.weights[name].lerp_(weight, share)

    def state_dict(self) -> dict[str, Any]:
        return {"weights": self.weights, "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.weights, self.steps = state["weights"], state["steps"]


def save(path: Path, step: int, parts: dict[str, Any]) -> None:
    """Writes beside and renames, so that a run killed here leaves the last checkpoint whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    torch.save({"step": step, **{name: part.state_dict() for name, part in parts.items()}}, beside)
    beside.rename(path)


def load(path: Path, parts: dict[str, Any]) -> int:
    """Puts a checkpoint's state into the parts and returns its step, 0 where there is none."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return int(state["step"])


def log(folder: Path, run: str, **values: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    line = json.dumps(
        {"time": time.strftime("%H:%M:%S"), "run": run}
        | {k: round(v, 5) if isinstance(v, float) else v for k, v in values.items()}
    )
    print(line, flush=True)
    with (folder / "log.jsonl").open("a") as file:
        file.write(line + "\n")
