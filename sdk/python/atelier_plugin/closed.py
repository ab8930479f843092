"""Says in Python what a component does not have.

There is no clock, no file and no terminal in a component, and componentize-py puts a trap where
they were: the call would end without a word. After `close`, `print` writes to the job's log, and
the rest raises an exception that says what to do instead, but for `datetime.now`, which cannot be
replaced. Only `serve` calls it, at the start of
each call: while the component is built there is a terminal, and modules are files.
"""

import builtins
import io
import os
import sys
import time
from typing import Any, NoReturn

from atelier_plugin import log

RANDOMNESS = "randomness: see atelier_plugin.random"


class _Log(io.TextIOBase):
    """Whole lines to the log."""

    def __init__(self) -> None:
        self._begun = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            log.info(line)
        return len(text)

    def flush(self) -> None:
        if self._begun:
            log.info(self._begun)
            self._begun = ""


class _NoImports:
    """The last place where Python looks for a module that is not there yet."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> NoReturn:
        raise ImportError(
            f"{name} was not there when the component was built: import it at the top of plugin.py",
            name=name,
        )


def close() -> None:
    """Closes what would trap."""
    sys.stdout = sys.stderr = _Log()
    for module, names, lacks in (
        (builtins, ("open",), "files"),
        (builtins, ("input",), "terminal"),
        (io, ("open", "open_code", "FileIO"), "files"),
        (os, ("open", "stat", "lstat", "listdir", "scandir", "mkdir", "remove"), "files"),
        (os, ("urandom", "getrandom"), RANDOMNESS),
        # What `secrets` and `random.SystemRandom` call.
        (sys.modules.get("random"), ("_urandom",), RANDOMNESS),
        (time, ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter"), "clock"),
        (time, ("perf_counter_ns", "process_time", "process_time_ns", "thread_time"), "clock"),
        (time, ("sleep", "localtime", "gmtime", "strftime", "ctime", "asctime"), "clock"),
    ):
        for name in names:
            if module and hasattr(module, name):
                setattr(module, name, _lacking(f"{module.__name__}.{name}", lacks))
    sys.path_importer_cache.clear()
    sys.path.clear()
    found = [finder for finder in sys.meta_path if getattr(finder, "__name__", "") != "PathFinder"]
    sys.meta_path[:] = [*found, _NoImports()]


def _lacking(name: str, lacks: str) -> Any:
    def refuse(*_arguments: Any, **_named: Any) -> NoReturn:
        raise OSError(f"{name}: a plugin has no {lacks}")

    return refuse
