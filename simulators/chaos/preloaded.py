"""Start a programme again and again without loading its modules again: each start is a fork of a process that has
loaded them and done nothing else.

    python -m simulators.chaos.preloaded bridge bridge.commands.run

The first word is the programme, the others are modules to load beforehand. Orders come on standard input, one JSON
object a line: {"arguments": […], "environment": {…}, "log": "FILE"}. Each is answered with the process id and, when
that process has ended, with its exit code, negative where a signal ended it. One runs at a time.

What is started is a process like any other: a session, files, environment and end of its own. It inherits no socket and
no lock, since there was none; no thread, since loading starts none (that is checked); and Python seeds `random` anew in
it.
"""

import gc
import importlib
import json
import os
import runpy
import sys
from collections.abc import Sequence
from typing import Any


def main(programme: str, modules: Sequence[str]) -> None:
    """Fork as often as ordered; in each fork, be the programme."""
    for module in modules:
        importlib.import_module(module)
    if len(os.listdir("/proc/self/task")) > 1:
        sys.stderr.write(f"loading {', '.join(modules)} started a thread, which a fork would not have\n")
        sys.stderr.flush()
        os._exit(1)  # without waiting for the thread
    gc.collect()
    gc.freeze()
    _say("loaded")
    for line in sys.stdin.buffer:
        order = json.loads(line)
        process_id = os.fork()
        if process_id == 0:
            _become(order, programme)
            runpy.run_module(programme, run_name="__main__", alter_sys=True)
            return
        _say(process_id)
        _, status = os.waitpid(process_id, 0)
        _say(os.waitstatus_to_exitcode(status))


def _say(what: str | int) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _become(order: dict[str, Any], programme: str) -> None:
    """Leave nothing of the parent: its session, its pipes, its environment, its arguments."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, instead in enumerate((nothing, nothing, log)):
        os.dup2(instead, number)
    os.closerange(3, max(nothing, log) + 1)
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv[:] = [programme, *order["arguments"]]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
