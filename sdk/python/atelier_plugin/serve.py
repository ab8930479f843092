"""Makes a component of an author's module: what the interface `preparer` wants.

`atelier plugin build` writes a module that calls `preparer` once, while the component is built.
Whatever happens in the author's code ends as an answer: a trap would tell the user nothing.
"""

import json
from types import ModuleType, TracebackType
from typing import Any

from atelier_plugin import log
from atelier_plugin.closed import close
from atelier_plugin.exchange import Outcome, Request
from atelier_plugin.failures import Failure, ParameterFailure, SourceFailure
from atelier_plugin.geometry import Size
from atelier_plugin.pictures import Canvas, Picture
from atelier_plugin.schema import Schema
from atelier_plugin.text import encodable


def preparer(plugin: ModuleType, name: str, version: str, summary: str, schema: str) -> type:
    """The class that exports `describe` and `prepare` of a plugin's module.

    Raises, and so stops the build, where the module lacks `takes` or `prepare`, or the schema is
    not understood.
    """
    # componentize-py makes them, for each component.
    from componentize_py_types import Err  # type: ignore[import-not-found]
    from wit_world.exports import preparer as types  # type: ignore[import-not-found]

    if not callable(getattr(plugin, "prepare", None)):
        raise TypeError("plugin.py has no function prepare(request)")
    kinds = {"picture": types.SourceKind.PICTURE, "document": types.SourceKind.DOCUMENT}
    takes: Any = getattr(plugin, "takes", None)
    if not isinstance(takes, list | tuple) or not takes or not set(takes) <= set(kinds):
        raise TypeError('plugin.py must say takes = ["picture"], ["document"] or both')
    checks = Schema(schema)

    class Preparer:
        def describe(self) -> Any:
            close()
            kinds_taken = [kinds[kind] for kind in takes]
            return types.Description(name, version, summary, schema, kinds_taken)

        def prepare(self, request: Any) -> Any:
            close()
            try:
                return lowered(plugin.prepare(lifted(request, checks)), types)
            except ParameterFailure as failure:
                names = (encodable(failure.name), encodable(failure.message))
                raise Err(types.Failure_Parameter(names)) from None
            except SourceFailure as failure:
                raise Err(types.Failure_Source(encodable(failure))) from None
            except Failure as failure:
                raise Err(types.Failure_Other(encodable(failure))) from None
            # SystemExit among them: the user gets a sentence, no trap.
            except BaseException as error:  # noqa: BLE001
                line = last_line(error)
                log.error(line)
                raise Err(types.Failure_Other(encodable(line))) from None

    return Preparer


def lifted(request: Any, checks: Schema) -> Request:
    """The host's request as the author sees it."""
    sources = [
        source.value if isinstance(source.value, str) else Picture(source.value)
        for source in request.sources
    ]
    output = Size(request.output.width, request.output.height)
    return Request(sources, checks.parameters(request.parameters), output)


def lowered(outcome: Any, types: Any) -> Any:
    """The author's outcome as the bindings want it; raises where it is none."""
    if not isinstance(outcome, Outcome):
        raise TypeError(f"prepare returned {outcome!r}, not an Outcome")
    handles: list[Any] = []
    for canvas in outcome.pictures:
        if not isinstance(canvas, Canvas):
            raise TypeError(f"among the outcome's pictures is {canvas!r}, not a Canvas")
        if any(canvas.handle is handle for handle in handles):
            raise ValueError("one canvas is twice among the outcome's pictures")
        handles.append(canvas.handle)
    prompt = None if outcome.prompt is None else encodable(outcome.prompt)
    keypoints = outcome.keypoints
    if keypoints is not None:
        keypoints = encodable(keypoints if isinstance(keypoints, str) else json.dumps(keypoints))
    notes = [types.Note(encodable(key), encodable(note)) for key, note in outcome.notes.items()]
    return types.Outcome(handles, prompt, keypoints, notes)


def last_line(error: BaseException) -> str:
    """What a traceback ends with, and the innermost place in the author's own code.

    The module `traceback` looks into the source files, which a component does not have.
    """
    place, at = "", error.__traceback__
    while at is not None:
        if "atelier_plugin" not in at.tb_frame.f_code.co_filename or not place:
            place = _place(at)
        at = at.tb_next
    return f"{type(error).__name__}: {error}{place}"


def _place(at: TracebackType) -> str:
    code = at.tb_frame.f_code
    file = code.co_filename.rpartition("/")[2]
    return f" ({file}, line {at.tb_lineno}, in {code.co_name})"
