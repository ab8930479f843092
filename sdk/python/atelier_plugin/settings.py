"""What the user set for this plugin in the configuration, for all jobs. `plugin.toml` asks for
each with `setting:KEY`.
"""

import json
from typing import Any

from atelier_plugin.bindings import ask, interface
from atelier_plugin.text import encodable

_host = interface("settings", asked_with="setting:KEY")


def get(key: str, default: Any = None) -> Any:
    """The value, as JSON gives it, or `default` where the user set none. Raises `Refused` where
    nobody granted it.
    """
    value = ask(_host.get, encodable(key))
    return default if value is None else json.loads(value)
