#!/usr/bin/env python3
"""Writes reference.json: what onnxruntime makes of figure.png with MoveNet Lightning, and where in
the picture its joints are. Needs numpy, Pillow and onnxruntime."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

HERE = Path(__file__).parent
SIDE = 192


def main():
    picture = Image.open(HERE / "figure.png").convert("RGB")
    scale = SIDE / max(picture.size)
    size = [round(side * scale) for side in picture.size]
    start = [(SIDE - side) // 2 for side in size]
    seen = Image.new("RGB", (SIDE, SIDE))
    seen.paste(picture.resize(size, Image.Resampling.LANCZOS), start)

    model = HERE.parent / "model" / "movenet-lightning.onnx"
    session = onnxruntime.InferenceSession(model)
    output = session.run(None, {"input": np.asarray(seen, dtype=np.int32)[None]})[0][
        0, 0
    ]
    places = output[:, 1::-1] * SIDE
    joints = [
        [(float(places[j, i]) - start[i]) / size[i] * picture.size[i] for i in (0, 1)]
        for j in range(17)
    ]
    reference = {
        "output": [round(float(number), 6) for number in output.ravel()],
        "joints": [[round(place, 2) for place in joint] for joint in joints],
    }
    (HERE / "reference.json").write_text(json.dumps(reference) + "\n")


if __name__ == "__main__":
    main()
