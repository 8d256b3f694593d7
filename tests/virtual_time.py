"""An asyncio event loop whose time jumps: a test of minutes takes milliseconds.

Time stands still while something is `computing` in a thread, and jumps to the next timer when
nothing else is left to do.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")
REAL_LIMIT_SECONDS = 30.0  # a computation that takes longer hangs


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.computing = 0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.computing:
            ready = super().select(REAL_LIMIT_SECONDS)
            assert ready, "a computation never ended"
            return ready
        assert timeout is not None, "everything waits and nothing will ever happen"
        self.now += timeout
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    @contextmanager
    def computing(self) -> Iterator[None]:
        self._jumping.computing += 1
        try:
            yield
        finally:
            self._jumping.computing -= 1


def run_in_virtual_time(main: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def virtual_loop() -> VirtualTimeLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    return loop
