"""A graph as an ONNX file, written without any library: protocol buffers are numbered fields, and
ONNX's numbers are in its onnx.proto3."""

import struct

OPERATOR_SET = 17
IR_VERSION = 8
FLOAT, INT32, INT64, FLOAT16 = 1, 6, 7, 10


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def whole(field, number):
    return varint(field << 3) + varint(number)


def part(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def attribute(name, value):
    """A string, an integer or a list of integers."""
    match value:
        case str():
            return part(1, name) + part(4, value) + whole(20, 3)
        case int():
            return part(1, name) + whole(3, value) + whole(20, 2)
        case _:
            return part(1, name) + b"".join(whole(8, v) for v in value) + whole(20, 7)


def tensor(name, kind, shape, data):
    return (
        b"".join(whole(1, side) for side in shape)
        + whole(2, kind)
        + part(8, name)
        + part(9, data)
    )


def fact(name, kind, shape):
    sides = b"".join(part(1, whole(1, side)) for side in shape)
    return part(1, name) + part(2, part(1, whole(1, kind) + part(2, sides)))


class Graph:
    """Nodes and constants in the order in which they are added. Constants that are alike are one,
    and floats of 16 bits are cast to 32 before use, which costs nothing after loading."""

    def __init__(self):
        self.nodes, self.constants, self.known, self.casts = [], [], {}, {}

    def add(self, operation, inputs, output=None, **attributes):
        """Adds a node with one output and gives the output's name."""
        if output is None:
            output = f"{operation.lower()}_{len(self.nodes) + 1}"
        parts = [part(1, name) for name in inputs] + [
            part(2, output),
            part(4, operation),
        ]
        parts += [part(5, attribute(name, value)) for name, value in attributes.items()]
        self.nodes.append(b"".join(parts))
        return output

    def constant(self, kind, shape, data):
        key = (kind, tuple(shape), data)
        if key not in self.known:
            self.known[key] = f"constant_{len(self.known) + 1}"
            self.constants.append(tensor(self.known[key], kind, shape, data))
        return self.known[key]

    def integers(self, shape, numbers):
        return self.constant(INT64, shape, struct.pack(f"<{len(numbers)}q", *numbers))

    def floats(self, numbers):
        return self.constant(
            FLOAT, [len(numbers)], struct.pack(f"<{len(numbers)}f", *numbers)
        )

    def float(self, number):
        return self.constant(FLOAT, [], struct.pack("<f", number))

    def halves(self, shape, data):
        return self.cast(self.constant(FLOAT16, shape, data))

    def cast(self, value):
        if value not in self.casts:
            self.casts[value] = self.add("Cast", [value], to=FLOAT)
        return self.casts[value]

    def file(self, name, takes, gives, description):
        """The file of a model that takes `input`, integers of 32 bits, and gives `output`."""
        graph = b"".join(part(1, node) for node in self.nodes) + part(2, name)
        graph += b"".join(part(5, constant) for constant in self.constants)
        graph += part(11, fact("input", INT32, takes)) + part(
            12, fact("output", FLOAT, gives)
        )
        return b"".join(
            [
                whole(1, IR_VERSION),
                part(2, "atelier"),
                part(6, description),
                part(7, graph),
                part(8, whole(2, OPERATOR_SET)),
            ]
        )
