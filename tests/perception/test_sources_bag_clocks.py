"""Robot recordings whose clocks jump: nothing after the jump is lost, and what belongs together stays together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perception.sources import open_frame_reader, open_source
from tests.bags import COLOUR, NS, START_NS, drive, picture
from tests.perception.test_sources_bags import SETTINGS, frames_of, items_of, reasons

KINDS = [("run.mcap", "mcap"), ("run", "mcap-folder"), ("run", "sqlite3"), ("run.bag", "ros1")]


def jump(after_s: float, by_s: float, *, until_s: float = 1e6) -> Callable[[int], int]:
    """A clock that is wrong by `by_s` from a time of the recording on."""

    def clock(t_ns: int) -> int:
        since_s = (t_ns - START_NS) / NS
        return t_ns + (round(by_s * NS) if after_s <= since_s < until_s else 0)

    return clock


def told_jumps(items: list[Any]) -> list[str]:
    return [one for one in reasons(items) if "the clock jumped" in one]


def is_whole(items: list[Any], *, seconds: float) -> None:
    """Every picture is there at its time, with the depth and the pose that were taken with it."""
    frames = frames_of(items)
    assert len(frames) == round(seconds * SETTINGS.sample_fps)
    for index, frame in enumerate(frames):
        assert frame.t_ns == pytest.approx(index * 0.2 * NS, abs=0.02 * NS)
        shown = round(frame.t_ns / NS * 10)
        assert np.array_equal(frame.image_rgb, picture(shown))
        assert frame.look is not None
        assert frame.look.depth_m is not None
        assert np.allclose(frame.look.depth_m, 2.0 + 0.01 * shown, atol=1e-3)
        assert np.allclose(frame.look.T_map_camera[:3, 3], (0.05 * shown, 0, 1), atol=1e-3)


@pytest.mark.parametrize("is_recorder_too", [False, True], ids=["robot", "robot-and-recorder"])
@pytest.mark.parametrize(("name", "kind"), KINDS, ids=[kind for _, kind in KINDS])
def test_a_clock_that_jumps_back_loses_nothing(tmp_path: Path, name: str, kind: str, is_recorder_too: bool) -> None:
    clock = jump(4, -3.2)
    same = {"log_clock": clock} if is_recorder_too else {}
    items = items_of(drive(tmp_path / name, kind=kind, seconds=8, clock=clock, **same))
    is_whole(items, seconds=8)
    assert told_jumps(items) == [
        "the clock jumped back by 3.2 s at 4.0 s; what follows is shifted so that time goes on"
    ]
    assert reasons(items) == told_jumps(items)


@pytest.mark.parametrize("by_s", [600.0, 7200.0])
def test_a_robots_clock_that_jumps_ahead_is_no_hole(tmp_path: Path, by_s: float) -> None:
    items = items_of(drive(tmp_path / "run.mcap", seconds=8, clock=jump(4, by_s)))
    is_whole(items, seconds=8)
    assert told_jumps(items) == [
        f"the clock jumped ahead by {by_s:.1f} s at 4.0 s; what follows is shifted so that time goes on"
    ]


def test_a_recording_that_paused_keeps_its_times(tmp_path: Path) -> None:
    """Where the recorder's clock goes ahead as well, nothing was recorded for so long."""
    clock = jump(4, 600)
    items = items_of(drive(tmp_path / "run.mcap", seconds=8, clock=clock, log_clock=clock))
    frames = frames_of(items)
    assert len(frames) == 40
    assert frames[20].t_ns == 604 * NS
    assert not told_jumps(items)


def test_a_robot_that_is_told_the_time_has_no_hole_of_decades(tmp_path: Path) -> None:
    def clock(t_ns: int) -> int:
        return t_ns if t_ns >= START_NS + 4 * NS else t_ns - START_NS + 100 * NS

    path = drive(tmp_path / "run.mcap", seconds=8, clock=clock, log_clock=clock)
    items = items_of(path)
    is_whole(items, seconds=8)
    assert len(told_jumps(items)) == 1
    with open_source(path, settings=SETTINGS) as source:
        assert source.info.duration_ns == pytest.approx(7.9 * NS, abs=0.3 * NS)


def test_a_bag_played_in_a_loop_goes_on(tmp_path: Path) -> None:
    def loop(t_ns: int) -> int:
        return START_NS + (t_ns - START_NS) % (5 * NS)

    items = items_of(drive(tmp_path / "a.mcap", seconds=15, clock=loop))
    is_whole(items, seconds=15)
    assert len(told_jumps(items)) == 2
    items = items_of(drive(tmp_path / "b.mcap", seconds=15, clock=loop, log_clock=loop))
    is_whole(items, seconds=15)
    assert len(told_jumps(items)) == 2


def test_a_clock_that_comes_back_is_what_it_was(tmp_path: Path) -> None:
    items = items_of(drive(tmp_path / "run.mcap", seconds=12, clock=jump(4, -1000.0, until_s=8)))
    is_whole(items, seconds=12)
    assert [one.t_ns for one in frames_of(items)][45:] == [round(index * 0.2 * NS) for index in range(45, 60)]
    assert len(told_jumps(items)) == 2


def test_words_without_a_clock_stay_where_they_were_said(tmp_path: Path) -> None:
    clock = jump(4, -3.2)

    def words(make: Any, write: Any) -> None:
        write("/speech", "std_msgs/msg/String", START_NS + round(7.9 * NS), make.string("good night"))

    for name, more in (("a.mcap", {}), ("b.mcap", {"log_clock": clock})):
        items = items_of(drive(tmp_path / name, seconds=8, clock=clock, extra=words, **more))
        assert [one.t_start_ns / NS for one in items if hasattr(one, "speaker")] == [pytest.approx(7.9, abs=0.2)]


def test_a_single_late_message_is_no_jump(tmp_path: Path) -> None:
    def bend(topic: str, index: int, message: Any) -> Any:
        if topic == COLOUR and index in (20, 40, 41):
            message.header.stamp.sec -= 2
        if topic == COLOUR and index == 60:
            message.header.stamp.sec += 3000
        return message

    items = items_of(drive(tmp_path / "run.mcap", seconds=8, bend=bend))
    assert not told_jumps(items)
    assert "pictures went back in time and were left out" in reasons(items)
    assert "a time stamp that was far ahead of the others was left out" in reasons(items)
    assert len(frames_of(items)) == 39  # the pictures of 4.0 and 4.1 s are both late


@pytest.mark.parametrize("is_recorder_too", [False, True])
def test_after_a_jump_reading_is_resumed_and_pictures_are_found(tmp_path: Path, is_recorder_too: bool) -> None:
    clock = jump(4, -3.2)
    same = {"log_clock": clock} if is_recorder_too else {}
    path = drive(tmp_path / "run.mcap", seconds=8, clock=clock, **same)
    whole = frames_of(items_of(path))
    rest = frames_of(items_of(path, from_ns=6 * NS))
    assert [one.t_ns for one in rest] == [one.t_ns for one in whole if one.t_ns >= 6 * NS]
    assert rest[0].look is not None
    with open_frame_reader(path) as reader:
        found = reader.read([1 * NS, 4 * NS, round(6.1 * NS), 99 * NS])
    assert [round(t_ns / NS, 1) for t_ns, _ in found] == [1.0, 4.0, 6.1, 7.9]
    for t_ns, image in found:
        assert np.array_equal(image, picture(round(t_ns / NS * 10)))


@pytest.mark.parametrize("log_clock", [lambda t_ns: 0, lambda t_ns: START_NS, lambda t_ns: (t_ns + START_NS) // 2])
def test_where_the_time_of_recording_says_little_reading_is_resumed_all_the_same(
    tmp_path: Path, log_clock: Callable[[int], int]
) -> None:
    """Converted recordings, and simulators that run at twice the pace."""
    path = drive(tmp_path / "run.mcap", seconds=12, log_clock=log_clock, clock=jump(4, -3.2))
    whole = items_of(path)
    rest = frames_of(items_of(path, from_ns=6 * NS))
    assert [one.t_ns for one in rest] == [one.t_ns for one in frames_of(whole) if one.t_ns >= 6 * NS]
    assert len(rest) > 20
    with open_frame_reader(path) as reader:
        ((t_ns, image),) = reader.read([8 * NS])
    assert t_ns == pytest.approx(8 * NS, abs=0.11 * NS)
    shown = next(one for one in frames_of(whole) if one.t_ns >= t_ns)
    assert np.abs(image[:, :, 0].astype(int) - shown.image_rgb[:, :, 0]).max() <= 5
