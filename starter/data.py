"""Fetch the icons and their names, and lay them out as one array.

python data.py OUT     makes OUT/icons.npy (uint8 [N, 256, 256, 4]) and OUT/icons.json
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIDE = 256
# package, version, and the digest that the registry itself gives (sha512) of the archive.
PACKAGES = {
    "icons": (
        "@lobehub/fluent-emoji-3d",
        "1.1.0",
        "Wlq2lVStTnr8BDpIJ0pEnTKO4LuDxxqTEhTvRtD1DLRF0me7ogeRQjKoehDHXuVJ2Qaecgl5wRBv60lUAG3h7g==",
    ),
    "names": (
        "emojibase-data",
        "17.0.0",
        "Yvgb5AWoHViHV/gq1qr5ZAarcBip+B27/ZLRsUJkbgAEaLlZ/fof9g882LTpmEpyhBNEC0m2SEmItljHsTygjA==",
    ),
}
TONES = {"1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff"}
# Of 256 bases this many are held out of every training.
HELD_OUT_OF_256 = 26


def fetch(package: str, version: str, sha512: str, folder: Path) -> Path:
    """The archive of one npm package, from the folder or else from the registry."""
    archive = folder / f"{package.lstrip('@').replace('/', '-')}-{version}.tgz"
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", "--silent", f"{package}@{version}"], cwd=folder, check=True)
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != sha512:
        raise SystemExit(f"{archive} is not the pinned one: its sha512 is {found}")
    return archive


def names(archive: Path) -> dict[str, dict[str, Any]]:
    """What emojibase says of each code, tones included."""
    with tarfile.open(archive) as tar:
        file = tar.extractfile("package/en/data.json")
        if file is None:
            raise SystemExit(f"{archive} has no en/data.json")
        entries = json.load(file)
    known: dict[str, dict[str, Any]] = {}
    for entry in entries:
        for one in [entry, *entry.get("skins", [])]:
            known[short(one["hexcode"])] = {
                "name": one["label"].lower(),
                "keywords": [tag.lower() for tag in entry.get("tags", [])],
                "group": entry.get("group", -1),
            }
    return known


def short(code: str) -> str:
    """The code without the selector of the coloured form, which only some file names have."""
    return "-".join(part for part in code.lower().split("-") if part != "fe0f")


def describe(code: str, known: dict[str, Any]) -> dict[str, Any]:
    """All tones of an icon share a base, so that they fall on the same side of the split."""
    parts = code.split("-")
    base = "-".join(part for part in parts if part not in TONES)
    held_out = hashlib.sha256(base.encode()).digest()[0] < HELD_OUT_OF_256
    rest = {"base": base, "toned": any(part in TONES for part in parts), "code": code}
    return {**known, **rest, "held_out": held_out}


def square(data: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(data)).convert("RGBA")
    if image.size != (SIDE, SIDE):
        image = image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.asarray(image)


def unpack(icons: Path, known: dict[str, dict[str, Any]], out: Path) -> int:
    with tarfile.open(icons) as tar:
        members = {short(Path(m.name).stem): m for m in tar if m.name.endswith(".webp")}
        codes = sorted(code for code in members if code in known)
        pixels = np.lib.format.open_memmap(
            out / "icons.npy", mode="w+", dtype=np.uint8, shape=(len(codes), SIDE, SIDE, 4)
        )
        for index, code in enumerate(codes):
            file = tar.extractfile(members[code])
            if file is not None:
                pixels[index] = square(file.read())
        pixels.flush()
    about = [describe(code, known[code]) for code in codes]
    (out / "icons.json").write_text(json.dumps(about))
    return len(codes)


class Icons:
    """The icons: uint8 [N, 256, 256, 4] on disk, and what is known of each."""

    def __init__(self, folder: Path) -> None:
        self.pixels = np.load(folder / "icons.npy", mmap_mode="r")
        self.about: list[dict[str, Any]] = json.loads((folder / "icons.json").read_text())

    def training(self) -> np.ndarray:
        return np.array([i for i, a in enumerate(self.about) if not a["held_out"]])

    def held_out(self) -> np.ndarray:
        return np.array([i for i, a in enumerate(self.about) if a["held_out"]])

    def over(self, index: int, ground: tuple[int, int, int]) -> np.ndarray:
        """The icon over a plain ground, uint8 [256, 256, 3]."""
        pixels = self.pixels[index].astype(np.float32)
        alpha = pixels[..., 3:] / 255
        return (pixels[..., :3] * alpha + np.float32(ground) * (1 - alpha)).round().astype(np.uint8)

    def small(self, index: int, ground: tuple[int, int, int], side: int) -> np.ndarray:
        return np.asarray(Image.fromarray(self.over(index, ground)).resize((side, side), Image.Resampling.LANCZOS))

    def place(self, number: int, of: int) -> tuple[int, int, int]:
        """Top, left and side of one of so many in a row: whole latents, so that three make 240 of 256."""
        side = SIDE // of // 16 * 16
        return (SIDE - side) // 32 * 16, (SIDE - side * of) // 2 + number * side, side

    def beside(self, indices: list[int], ground: tuple[int, int, int]) -> np.ndarray:
        """Two or three icons in a row over a plain ground, each as wide as its share, uint8 [256, 256, 3]."""
        page = np.empty((SIDE, SIDE, 3), np.uint8)
        page[:] = ground
        for number, index in enumerate(indices):
            top, left, side = self.place(number, len(indices))
            page[top : top + side, left : left + side] = self.small(index, ground, side)
        return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    archives = {what: fetch(*package, out / "packages") for what, package in PACKAGES.items()}
    print(unpack(archives["icons"], names(archives["names"]), out), "icons")


if __name__ == "__main__":
    main()
