"""Text on its way to the host."""


def encodable(text: object) -> str:
    """`str(text)`, with a question mark for what UTF-8 cannot say: half a surrogate pair, which
    would end the whole call in the bindings.
    """
    return str(text).encode("utf-8", "replace").decode("utf-8")
