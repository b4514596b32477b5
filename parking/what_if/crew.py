"""Have stays priced by several worker processes.

The workers are programs of their own that get plain data through pipes: nothing of this process is
forked, not its threads and not its database connection, and one that dies ends its pipe.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from queue import Empty, SimpleQueue
from threading import Event, Lock
from typing import IO, Any, cast

from django.conf import settings

from parking.what_if.figures import Figures
from parking.what_if.stays import Spool

_TELL_EVERY_S = 0.1
OnRows = Callable[[int], None]


class WorkerDied(Exception):
    """A worker process ended before its work; its exit status is the text."""


class _Blocks:
    """The blocks of a spool, handed out to several threads until somebody says stop."""

    def __init__(self, spool: Spool) -> None:
        self._blocks, self._lock, self._stopped = spool.read(), Lock(), Event()

    def stop(self) -> None:
        """Hand out nothing more."""
        self._stopped.set()

    def __iter__(self) -> Iterator[bytes]:
        while not self._stopped.is_set():
            with self._lock:
                block, _ = next(self._blocks, (b"", 0))
            if not block:
                return
            yield block


def price(*, spool: Spool, document: Mapping[str, Any], processes: int, on_rows: OnRows) -> Figures:
    """Price all stays of the spool by a checked tariff document.

    `on_rows(n)` is called in this thread, several times a second, when n more stays are done; n can
    be 0.

    Raises:
        WorkerDied: see there.
    """
    blocks, done = _Blocks(spool), SimpleQueue[int]()
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(processes))
        # Left in the other order: the workers are killed, so that no thread waits for one.
        crew = [stack.enter_context(_worker()) for _ in range(processes)]
        stack.callback(blocks.stop)
        running = [threads.submit(_feed, worker, document, blocks, done) for worker in crew]
        while any(future.running() for future in running):
            on_rows(_waiting(done))
            for future in running:
                if future.done():
                    future.result()  # where one has failed, nobody goes on
        whole = Figures()
        for future in running:
            whole.add(future.result())
        on_rows(_waiting(done))
    return whole


def _waiting(done: SimpleQueue[int]) -> int:
    """Return how many stays were done since the last question; wait a little for some."""
    rows = 0
    with suppress(Empty):
        rows += done.get(timeout=_TELL_EVERY_S)
        while True:
            rows += done.get_nowait()
    return rows


def _feed(
    worker: subprocess.Popen[bytes],
    document: Mapping[str, Any],
    blocks: _Blocks,
    done: SimpleQueue[int],
) -> Figures:
    """Give a worker one block after the other; return its figures."""
    to_worker, from_worker = cast(IO[bytes], worker.stdin), cast(IO[bytes], worker.stdout)
    try:
        to_worker.write(json.dumps(document).encode() + b"\n")
        for block in blocks:
            to_worker.write(b"%d\n" % len(block))
            to_worker.write(block)
            to_worker.flush()
            done.put(int(from_worker.readline()))
        to_worker.close()
        return Figures.from_json(json.loads(from_worker.readline()))
    except (OSError, ValueError) as error:  # a broken pipe, or no answer any more
        raise WorkerDied(f"exit status {worker.wait()}") from error


@contextmanager
def _worker() -> Iterator[subprocess.Popen[bytes]]:
    worker = subprocess.Popen(
        [sys.executable, "-m", "parking.what_if.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=settings.BASE_DIR,
    )
    try:
        yield worker
    finally:
        worker.kill()
        with suppress(OSError), worker:  # closes the pipes, and waits; what is unsent is lost
            pass
