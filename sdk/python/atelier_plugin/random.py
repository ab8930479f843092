"""Numbers that nobody can guess from the picture but that are the same each time the job runs:
they follow from the job's seed. `plugin.toml` asks for them with `random`. Python's own `random`
gives the same numbers in every job: its seed is baked into the component.
"""

import random as _random

from atelier_plugin.bindings import ask, interface
from atelier_plugin.geometry import whole

_host = interface("random", asked_with="random")


def bytes_of(count: int) -> bytes:
    """The next bytes, at most 65536 at once. Raises `Refused` where nobody granted it."""
    given: bytes = ask(_host.bytes, whole("a count of bytes", count))
    return given


def generator() -> _random.Random:
    """Python's generator, seeded with 16 of the job's bytes: `generator().gauss(0, 1)`."""
    return _random.Random(int.from_bytes(bytes_of(16), "little"))
