"""Deeds at the same time, and their errors as they are (not in groups)."""

from collections.abc import Callable, Coroutine
from typing import Any

import anyio

Deed = Callable[[], Coroutine[Any, Any, object]]


async def together(*deeds: Deed) -> None:
    """Do all at once; return when all are done. The first that fails ends the others, and its own error is raised."""
    try:
        async with anyio.create_task_group() as group:
            for deed in deeds:
                group.start_soon(deed)
    except ExceptionGroup as errors:
        raise first_of(errors) from None


async def until_first(*deeds: Deed) -> None:
    """Do all at once; when one is done, or fails, the others are cancelled."""
    try:
        async with anyio.create_task_group() as group:
            for deed in deeds:
                group.start_soon(_then_end, deed, group.cancel_scope)
    except ExceptionGroup as errors:
        raise first_of(errors) from None


def first_of(errors: ExceptionGroup[Exception]) -> Exception:
    """The first error within a group of groups."""
    error = errors.exceptions[0]
    return first_of(error) if isinstance(error, ExceptionGroup) else error


async def _then_end(deed: Deed, scope: anyio.CancelScope) -> None:
    await deed()
    scope.cancel()
