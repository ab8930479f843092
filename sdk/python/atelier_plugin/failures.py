"""Why nothing came out. Raise one of these; its message is shown to the user as it is."""


class Failure(Exception):
    """Why there is no picture: a sentence that a user understands."""


class ParameterFailure(Failure):
    """A parameter is missing or wrong: its name, and what is wrong with it."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}" if name else message)
        self.name = name
        self.message = message


class SourceFailure(Failure):
    """The reference cannot be used: what is wrong with it."""


class Refused(Failure):
    """The host said no, and why: a region outside the picture, a permission that is not granted.

    `kind` is a word for programs where the host gives one: `infer` says `denied`, `missing`,
    `input` or `failed`.
    """

    def __init__(self, message: str, kind: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
