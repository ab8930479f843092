"""What a plugin may tell the user while it works. `print` does the same as `info` in a component."""

from atelier_plugin.bindings import interface
from atelier_plugin.text import encodable

_host = interface("log")


def debug(line: str) -> None:
    """For the plugin's author."""
    _host.write(_host.Level.DEBUG, encodable(line))


def info(line: str) -> None:
    """What a curious user wants to know."""
    _host.write(_host.Level.INFO, encodable(line))


def warn(line: str) -> None:
    """The result may not be what the user expects."""
    _host.write(_host.Level.WARN, encodable(line))


def error(line: str) -> None:
    """Why the work fails."""
    _host.write(_host.Level.ERROR, encodable(line))


def progress(fraction: float) -> None:
    """How far this call is, 0.0 to 1.0."""
    _host.progress(float(fraction))
