"""Loading models beside an event loop: it takes seconds, and the loop must go on answering meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ai_models.engine import Engine
from ai_models.manifest import Manifest


class Loads:
    """One thread in which models of `engine` are loaded, one after the other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inference-load")

    def close(self) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)

    def done(self, *manifests: Manifest) -> bool:
        """Are these very versions in memory, so that to ask for them takes no time?"""
        return self._engine.holds(manifests)

    def run(self, work: Callable[[], Any]) -> Future[Any]:
        """`work` in the thread; its result or error."""
        return self._thread.submit(work)

    def then(self, begin: Callable[[], Future[Any]]) -> Future[Any]:
        """What the future that `begin` makes in the thread comes to, without holding the thread until then.

        Cancelling it cancels the future it stands for, or has it never made.
        """
        promise: Future[Any] = Future()

        def work() -> None:
            if promise.cancelled():
                return
            try:
                begun = begin()
            except Exception as error:  # noqa: BLE001 it belongs to whoever waits for the promise
                if promise.set_running_or_notify_cancel():
                    promise.set_exception(error)
                return
            promise.add_done_callback(lambda over: over.cancelled() and begun.cancel())
            begun.add_done_callback(lambda over: _pass_on(over, promise))

        self._thread.submit(work)
        return promise


def _pass_on(source: Future[Any], promise: Future[Any]) -> None:
    if source.cancelled():
        promise.cancel()
    elif promise.set_running_or_notify_cancel():
        error = source.exception()
        if error is not None:
            promise.set_exception(error)
        else:
            promise.set_result(source.result())
