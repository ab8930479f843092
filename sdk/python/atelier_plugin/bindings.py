"""The one place that knows where this code runs.

In a component, `wit_world` is there: componentize-py makes it from the world that the plugin is
built for. Anywhere else `memory` stands in for the host. Nothing else in the package asks.
"""

import importlib
from collections.abc import Callable
from typing import Any, TypeVar

from atelier_plugin.failures import Refused

try:
    # componentize-py makes it, for each component.
    from componentize_py_types import Err  # type: ignore[import-not-found]
except ModuleNotFoundError:
    from atelier_plugin.memory import Err

    IN_COMPONENT = False
else:
    IN_COMPONENT = True

__all__ = ["IN_COMPONENT", "Err", "ask", "interface"]

Answer = TypeVar("Answer")


def interface(name: str, asked_with: str | None = None) -> Any:
    """The bindings of the interface `atelier:plugin/NAME`.

    `asked_with` is the permission that puts an interface into the plugin's world; without it, an
    `ImportError` says so while the plugin is built.
    """
    if not IN_COMPONENT:
        return getattr(importlib.import_module("atelier_plugin.memory"), name)
    try:
        return importlib.import_module(f"wit_world.imports.{name}")
    except ModuleNotFoundError:
        raise ImportError(
            f"atelier_plugin.{name} needs a permission: add to asks in plugin.toml "
            f'{{ permission = "{asked_with}", reason = "…" }}'
        ) from None


def ask(function: Callable[..., Answer], *arguments: Any) -> Answer:
    """Calls the host; what it refuses becomes `Refused` with its sentence."""
    try:
        return function(*arguments)
    except Err as refusal:
        raise Refused(str(refusal.value)) from None
