"""Runs a model of the host's by its name. `plugin.toml` asks for each with `model:NAME`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from atelier_plugin.bindings import Err, interface
from atelier_plugin.failures import Refused
from atelier_plugin.geometry import whole
from atelier_plugin.text import encodable

_host = interface("infer", asked_with="model:NAME")

_KINDS = {"Floats": "floats", "Integers": "integers", "Bytes": "bytes"}


@dataclass
class Tensor:
    """Numbers in a shape, row-major: the last dimension's lie side by side."""

    shape: Sequence[int]
    numbers: Sequence[float] | Sequence[int] | bytes
    """As many as the product of the shape."""
    name: str = ""
    """Of the model's input or output. An input's may be empty: then the order counts."""
    kind: str = "floats"
    """`floats` (32 bits), `integers` (32 bits, signed) or `bytes`."""


def run(model: str, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Runs a model once. Numbers are converted to what the model takes where that loses nothing
    but precision.

    Raises `Refused` with the host's sentence; its `kind` is `denied` (nobody granted the model),
    `missing` (the host has none of that name), `input` (the tensors are not what it takes) or
    `failed`.
    """
    try:
        return [lifted(output) for output in _host.run(model, [lowered(one) for one in inputs])]
    except Err as trouble:
        kind = type(trouble.value).__name__.removeprefix("Trouble_").lower()
        raise Refused(trouble.value.value, kind) from None


def lowered(tensor: Tensor) -> Any:
    """A tensor as the bindings want it; raises where a number is not of its kind."""
    # Sequences differ by kind, which a type checker cannot follow.
    given: Any = tensor.numbers
    if tensor.kind == "floats":
        numbers = _host.Numbers_Floats([float(number) for number in given])
    elif tensor.kind == "integers":
        low = -(2**31)
        checked = [whole("a tensor's number", n, low, 2**31 - 1) for n in given]
        numbers = _host.Numbers_Integers(checked)
    elif tensor.kind == "bytes":
        numbers = _host.Numbers_Bytes(bytes(given))
    else:
        raise ValueError(f"a tensor's kind is floats, integers or bytes, not {tensor.kind!r}")
    shape = [whole("a tensor's side", side) for side in tensor.shape]
    return _host.Tensor(encodable(tensor.name), shape, numbers)


def lifted(given: Any) -> Tensor:
    """A tensor of the bindings as the author sees it."""
    kind = _KINDS[type(given.numbers).__name__.removeprefix("Numbers_")]
    return Tensor(given.shape, given.numbers.value, given.name, kind)
