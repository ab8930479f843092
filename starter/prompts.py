"""The words: names of icons, of colours, and the sentences they stand in."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from draw import PALETTE

COLOURS = tuple(PALETTE)
SHIRTS = ("blue", "red", "green", "orange", "purple", "black")
PLURAL = {"glasses", "sunglasses", "jeans", "scissors", "french fries", "pancakes", "blueberries", "cherries"}
UNCOUNTED = {"popcorn", "broccoli", "bacon", "sushi", "bread", "tennis", "basketball", "bowling", "american football"}

SUBJECTS = (
    ("{a}", 10),
    ("{name}", 5),
    ("the {name}", 1),
    ("a picture of {a}", 1),
    ("{a} emoji", 1),
    ("an icon of {a}", 1),
    ("a 3d icon of {a}", 1),
)
GROUNDS = (
    (" on a {colour} background", 8),
    (" on {colour}", 1),
    (", {colour} background", 1),
    (" in front of a {colour} background", 1),
    (" with a {colour} background", 1),
)
OBJECTS = ("the object of image {n}", "the object in image {n}", "image {n}", "the thing of image {n}")
PEOPLE = ("a person", "a person", "a figure", "someone")
POSES = ("in the pose of image 1", "in the pose of image 1", "with the pose of image 1", "posing like image 1")


def vocabulary() -> list[str]:
    lines = (Path(__file__).parent / "vocabulary.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def with_article(name: str) -> str:
    if name in PLURAL | UNCOUNTED:
        return name
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def aliases(about: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """For each name, the single keywords that mean this icon and no other of the vocabulary."""
    owners: dict[str, set[str]] = {}
    for name, icon in about.items():
        for word in [*icon["keywords"], name.split()[-1]]:
            owners.setdefault(word, set()).add(name)
    good = {word: names for word, names in owners.items() if len(names) == 1 and word.isalpha() and len(word) > 2}
    taken = set(about) | set(COLOURS)
    found: dict[str, list[str]] = {name: [] for name in about}
    for word, names in good.items():
        if word not in taken:
            found[next(iter(names))].append(word)
    return {name: sorted(words)[:4] for name, words in found.items()}


def unseen(name: str, colour: str) -> bool:
    """Pairs of icon and ground that no training names: about half, kept for the measurements."""
    return colour != "white" and hashlib.sha256(f"{name}/{colour}".encode()).digest()[0] < 140


def pick(rng: np.random.Generator, weighted: tuple[tuple[str, int], ...]) -> str:
    weights = np.array([weight for _, weight in weighted], float)
    return weighted[rng.choice(len(weighted), p=weights / weights.sum())][0]


def ground_phrase(rng: np.random.Generator, colour: str) -> str:
    """A ground of white is mostly left unsaid."""
    if colour == "white" and rng.random() < 0.75:
        return ""
    said = "grey" if colour == "gray" and rng.random() < 0.5 else colour
    return pick(rng, GROUNDS).format(colour=said)


def capitalised(rng: np.random.Generator, text: str) -> str:
    return text[0].upper() + text[1:] if rng.random() < 0.1 else text


def icon_prompt(rng: np.random.Generator, name: str, others: list[str], colour: str) -> str:
    said = others[rng.integers(len(others))] if others and rng.random() < 0.08 else name
    subject = pick(rng, SUBJECTS).format(a=with_article(said), name=said)
    return capitalised(rng, subject + ground_phrase(rng, colour))


def object_prompt(rng: np.random.Generator, number: int, colour: str) -> str:
    subject = OBJECTS[rng.integers(len(OBJECTS))].format(n=number)
    return capitalised(rng, subject + ground_phrase(rng, colour))


def row_prompt(rng: np.random.Generator, count: int, colour: str) -> str:
    said = "image 1 and image 2" if count == 2 else "image 1, image 2 and image 3"
    beside = ("side by side", "side by side", "next to each other")[rng.integers(3)]
    return capitalised(rng, f"{said} {beside}" + ground_phrase(rng, colour))


def pose_prompt(rng: np.random.Generator, shirt: str, colour: str) -> str:
    person = PEOPLE[rng.integers(len(PEOPLE))]
    if shirt != "blue" or rng.random() < 0.3:
        person += f" {('in', 'wearing', 'with')[rng.integers(3)]} {with_article(shirt + ' shirt')}"
    return capitalised(rng, f"{person} {POSES[rng.integers(len(POSES))]}" + ground_phrase(rng, colour))


def corpus(about: dict[str, dict[str, Any]]) -> list[str]:
    """Sentences for the tokenizer to learn its pieces from."""
    rng, words = np.random.default_rng(0), aliases(about)
    lines = [icon_prompt(rng, n, words[n], COLOURS[rng.integers(12)]) for n in about for _ in range(12)]
    lines += [object_prompt(rng, 1 + i % 3, COLOURS[rng.integers(12)]) for i in range(300)]
    lines += [pose_prompt(rng, SHIRTS[rng.integers(6)], COLOURS[rng.integers(12)]) for _ in range(300)]
    lines += [row_prompt(rng, 2 + i % 2, COLOURS[rng.integers(12)]) for i in range(200)]
    return lines + ["system user assistant\n\n"] * 50
