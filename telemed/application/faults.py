"""A fault as it may be written down: for the log and for rows, never with a patient's data in it."""

import traceback

from telemed.domain.errors import DomainError


def code_of(fault: BaseException) -> str:
    return (
        fault.code if isinstance(fault, DomainError) else f"{type(fault).__module__}.{type(fault).__name__}"
    )


def trace_of(fault: BaseException) -> str:
    """Where it happened, through the chain of causes. The messages of foreign errors stay out: a database
    quotes the very values of the row it refuses, and those may be a patient's."""
    parts = []
    link: BaseException | None = fault
    while link is not None:
        frames = "".join(traceback.format_tb(link.__traceback__))
        parts.append(f"{frames}{link if isinstance(link, DomainError) else code_of(link)}")
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "\ncaused by:\n".join(parts)
