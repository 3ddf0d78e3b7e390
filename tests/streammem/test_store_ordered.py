"""The first rows in order are the first rows in order, though nothing is sorted."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from streammem.memory import Memory
from streammem.store import ordered
from streammem.types import NS_PER_S, Event, EventBundle, Level, Recording, event_id_for

MINUTE = 60 * NS_PER_S


def _event(recording: str, start_ns: int) -> Event:
    return Event(
        event_id=event_id_for(recording, Level.EVENT, start_ns), recording=recording, level=Level.EVENT,
        t_start_ns=start_ns, t_end_ns=start_ns + MINUTE, strength=1.0, parent_id=None, text=f"{recording} {start_ns}",
    )  # fmt: skip


def _recording(name: str, start_ns: int) -> Recording:
    return Recording(
        recording=name, uri=name, fingerprint=name, status="complete", t_start_ns=start_ns, t_end_ns=start_ns + MINUTE
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three recordings, one with hours of nothing inside, one that starts before it says it does."""
    folder = tmp_path_factory.mktemp("ordered") / "m"
    with Memory.open(folder, write=True, create=True) as memory:
        for name, starts in (
            ("b", [k * MINUTE for k in range(40)] + [900 * MINUTE + k * MINUTE for k in range(5)]),
            ("a", [k * MINUTE for k in range(100, 130)]),
            ("c", [k * MINUTE for k in range(3)]),
        ):
            for start in starts:
                memory.write(EventBundle(event=_event(name, start)))
            memory.put_recording(_recording(name, starts[2]))
    return folder


def test_the_same_rows_as_by_sorting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(4)
    with Memory.open(folder) as memory:
        for _ in range(40):
            given = {
                "limit": dice.choice((1, 3, 33, 60)),
                "recordings": dice.choice((None, None, ["c"], ["b", "c"], ["nobody"])),
                "after_ns": dice.choice((None, dice.randrange(1000) * MINUTE)),
                "as_of_ns": dice.choice((None, dice.randrange(1000) * MINUTE)),
            }
            monkeypatch.setattr(ordered, "LARGE_ROWS", 1 << 40)
            wanted = memory.events(**given)
            monkeypatch.setattr(ordered, "LARGE_ROWS", 0)
            assert memory.events(**given) == wanted
        assert memory._recaller._first_ns() == 0


def test_a_recording_that_is_not_known_yet_is_not_left_out(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordered, "LARGE_ROWS", 0)
    with Memory.open(tmp_path, write=True, create=True) as memory:
        memory.write(EventBundle(event=_event("a", 0)))
        assert [one.recording for one in memory.events(limit=1)] == ["a"]
        memory.put_recording(_recording("b", 0))
        memory.write(EventBundle(event=_event("b", 0)))
        assert [one.recording for one in memory.events(limit=1)] == ["a"]
        memory.put_recording(_recording("a", 0))
        assert [one.recording for one in memory.events(limit=9)] == ["a", "b"]
