"""What every training run needs: a clock that pauses, checkpoints and a log."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import torch


class Clock:
    """Minutes spent in training. A step that was paused from outside counts 20 seconds at most."""

    def __init__(self, budget: float) -> None:
        self.budget, self.spent, self.last = budget * 60, 0.0, time.monotonic()

    def tick(self) -> None:
        now = time.monotonic()
        self.spent += min(20.0, now - self.last)
        self.last = now

    def skip(self) -> None:
        self.last = time.monotonic()

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
