"""The command line as a user runs it, in processes of its own, and what a memory holds afterwards, row by row."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from streammem.store.tables import TABLES
from tests.conftest import ROOT, Ran

PROGRAM = (sys.executable, "-c", "from streammem.app.cli import main; main()")
LIMIT_S = 180.0
"""Nothing here takes a tenth of it on a quiet machine; beyond it something hangs."""


def start(*words: object, before: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    """A `streammem` process. `before` runs in it first, to take something away from it."""
    return subprocess.Popen(
        [*PROGRAM, *(str(word) for word in words)],
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": "default"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before,
    )


def end(process: subprocess.Popen[str], number: signal.Signals | None = None) -> Ran:
    """Waits for it, after sending it a signal if one is given. A process that hangs is killed, and fails the test."""
    if number is not None:
        process.send_signal(number)
    try:
        out, err = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"hangs; it had said: {out}{err}") from None
    return Ran(process.returncode, out, err)


def streammem(*words: object, before: Callable[[], None] | None = None) -> Ran:
    """Runs a command line to its end."""
    return end(start(*words, before=before))


def wait_until(holds: Callable[[], bool], *, what: str, process: subprocess.Popen[str] | None = None) -> None:
    """Waits for something that a process does."""
    until = time.monotonic() + LIMIT_S
    while not holds():
        if process is not None and process.poll() is not None:
            out, err = process.communicate()
            raise AssertionError(f"ended before {what}: {out}{err}")
        assert time.monotonic() < until, f"still not: {what}"
        time.sleep(0.02)


def is_one_sentence(text: str) -> bool:
    """What bad input is answered with, and nothing else."""
    return text.startswith("streammem: ") and text.count("\n") == 1 and text.endswith((".\n", "'.\n"))


# --- rows -------------------------------------------------------------------------------------------------------------

_IDS = ("event_id", "observation_id", "keyframe_id", "fact_id", "recording")


def all_rows(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, raw and in order of id. Batch numbers are left out: they depend on timing."""
    import lancedb

    connection = lancedb.connect(str(folder))
    rows: dict[str, list[dict[str, Any]]] = {}
    for name in TABLES:
        found = connection.open_table(name).to_arrow().to_pylist()
        for row in found:
            row.pop("commit_seq", None)
        rows[name] = sorted(found, key=lambda row: [str(row.get(key)) for key in _IDS])
    return rows


def assert_same_rows(found: dict[str, list[dict[str, Any]]], expected: dict[str, list[dict[str, Any]]]) -> None:
    """The same rows, none twice; numbers within vectors may differ by 1e-4."""
    assert {name: len(rows) for name, rows in found.items()} == {name: len(rows) for name, rows in expected.items()}
    for name, rows in expected.items():
        for one, other in zip(found[name], rows, strict=True):
            assert set(one) == set(other), name
            for column, value in other.items():
                if isinstance(value, list) and value and isinstance(value[0], float):
                    np.testing.assert_allclose(one[column], value, atol=1e-4, err_msg=f"{name}.{column}")
                else:
                    assert one[column] == value, f"{name}.{column} of {[other.get(key) for key in _IDS]}"
