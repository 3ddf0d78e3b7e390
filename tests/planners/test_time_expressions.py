"""Times inside questions, by example and by property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planners.english.time_expressions import DAY_S, find_time, length_s
from planners.plan import TimeWindow
from planners.windows import resolve_window
from streammem.timeline import parse_iso, seconds_to_ns
from streammem.types import NS_PER_S, Recording


def recording(*, start_ns: int = 0, length_s: float = 600.0) -> Recording:
    return Recording(
        recording="r",
        uri="r.mp4",
        fingerprint="f",
        t_start_ns=start_ns,
        t_end_ns=start_ns + seconds_to_ns(length_s),
        status="complete",
    )


@pytest.mark.parametrize(
    ("question", "start_s", "end_s", "origin", "remaining"),
    [
        ("What was said between 0:10 and 0:30?", 10, 30, "start", "What was said?"),
        ("what was said from 10 to 30 seconds", 10, 30, "start", "what was said"),
        ("who is there in the first minute", 0, 60, "start", "who is there"),
        ("What happens at 35 seconds?", 35, 35, "start", "What happens?"),
        ("what happens at the 30 second mark", 30, 30, "start", "what happens"),
        ("did a dog bark in the last 10 minutes?", -600, 0, "now", "did a dog bark?"),
        ("what is said in the last ten seconds of the video", -10, 0, "end", "what is said"),
        ("what did I eat yesterday morning?", -19 * 3600, -12 * 3600, "day", "what did I eat?"),
        ("what did I eat yesterday?", -DAY_S, 0, "day", "what did I eat?"),
        ("who came on the second day", DAY_S, 2 * DAY_S, "first_day", "who came"),
        ("what happened after 1 minute and 30 seconds", 90, None, "start", "what happened"),
        ("what happened before 1:05", None, 65, "start", "what happened"),
        ("how many people at 10:30 am?", 37_800, 37_800, "day", "how many people?"),
        ("what happened 10 minutes ago", -690, -510, "now", "what happened"),
        ("what happened since 2026-11-25T10:02:00?", 1795600920, None, "epoch", "what happened?"),
        ("what happened before 2026-11-25?", None, 1795564800, "epoch", "what happened?"),
        ("what happened until 2026-11-25?", None, 1795564800, "epoch", "what happened?"),
        ("what happened since 2026-11-25?", 1795564800, None, "epoch", "what happened?"),
        ("what happened after 2026-11-25?", 1795651200, None, "epoch", "what happened?"),
        ("the night before yesterday", -2 * DAY_S + 18 * 3600, -2 * DAY_S + 29 * 3600, "day", ""),
    ],
)
def test_windows_in_questions(
    question: str, start_s: float | None, end_s: float | None, origin: str, remaining: str
) -> None:
    found = find_time(question)
    assert found is not None
    assert (found.window.start_s, found.window.end_s, found.window.origin) == (start_s, end_s, origin)
    assert found.remaining == remaining


@pytest.mark.parametrize(
    "question",
    [
        "When did a dog first appear?",
        "How long do people walk?",
        "When was the last time I saw the scissors?",
        "What is the second sentence?",
        "How many minutes are there?",
        "Was he made more amiable after he married?",
    ],
)
def test_no_window_where_no_time_is_named(question: str) -> None:
    assert find_time(question) is None


@given(
    low=st.integers(0, 5 * 3600),
    length=st.integers(0, 3600),
    lead=st.sampled_from(["What was said", "how many people are there", "Who spoke"]),
)
def test_clock_spans_read_back(low: int, length: int, lead: str) -> None:
    def clock(t_s: int) -> str:
        return f"{t_s // 3600}:{t_s // 60 % 60:02d}:{t_s % 60:02d}"

    found = find_time(f"{lead} between {clock(low)} and {clock(low + length)}?")
    assert found is not None
    assert (found.window.start_s, found.window.end_s) == (low, low + length)
    assert found.remaining == f"{lead}?"


@given(hours=st.integers(0, 48), minutes=st.integers(0, 59), seconds=st.integers(0, 59))
def test_lengths_add_up(hours: int, minutes: int, seconds: int) -> None:
    words = f"{hours} hours {minutes} minutes and {seconds} seconds"
    assert length_s(words) == hours * 3600 + minutes * 60 + seconds


@given(st.text(max_size=200))
def test_any_text_is_safe_and_windows_are_ordered(text: str) -> None:
    found = find_time(text)
    if found is not None:
        window = found.window
        assert window.start_s is None or window.end_s is None or window.start_s <= window.end_s


@given(
    start=st.floats(-1e4, 1e4),
    length=st.floats(0, 1e4),
    origin=st.sampled_from(["start", "end", "now", "day", "epoch"]),
    begin_s=st.integers(0, 10**6),
    now_s=st.integers(0, 2 * 10**6),
)
def test_resolved_spans_stay_inside_the_recording_and_before_now(
    start: float, length: float, origin: str, begin_s: int, now_s: int
) -> None:
    window = TimeWindow.model_validate({"start_s": start, "end_s": start + length, "origin": origin})
    one = recording(start_ns=begin_s * NS_PER_S)
    for span in resolve_window(window, recordings=[one], now_ns=now_s * NS_PER_S):
        assert one.t_start_ns <= span.t_start_ns <= span.t_end_ns <= min(one.t_end_ns, now_s * NS_PER_S)


def test_a_clock_is_a_time_of_day_only_where_the_recording_was_running() -> None:
    morning = recording(start_ns=parse_iso("2026-11-20T09:00:00"))
    found = find_time("what was said after 9:06?")
    assert found is not None
    now_ns = morning.t_end_ns
    (span,) = resolve_window(found.window, recordings=[morning], now_ns=now_ns)
    assert span.t_start_ns == parse_iso("2026-11-20T09:06:00")
    found = find_time("what was said after 2:30?")  # not running at half past two: an offset
    assert found is not None
    (span,) = resolve_window(found.window, recordings=[morning], now_ns=now_ns)
    assert span.t_start_ns == parse_iso("2026-11-20T09:02:30")
    (span,) = resolve_window(found.window, recordings=[recording()], now_ns=600 * NS_PER_S)
    assert span.t_start_ns == 150 * NS_PER_S


@pytest.mark.parametrize(
    "part", ["morning", "at noon", "at midday", "at lunchtime", "afternoon", "evening", "night", "at midnight"]
)
def test_a_part_of_a_day_has_the_same_hours_however_the_day_is_named(part: str) -> None:
    days = recording(start_ns=parse_iso("2026-11-23T00:00:00"), length_s=4 * DAY_S)
    spans = [
        resolve_window(found.window, recordings=[days], now_ns=parse_iso("2026-11-26T10:00:00"))
        for words in (
            f"who came yesterday {part}?",
            f"who came on Wednesday {part}?",
            f"who came on 25 November {part}?",
        )
        if (found := find_time(words)) is not None
    ]
    assert len(spans) == 3
    assert spans[0] == spans[1] == spans[2]
    assert len(spans[0]) == 1


@pytest.mark.parametrize(
    ("now", "clock", "wanted"),
    [
        ("2026-11-26T18:00:00", "9:00", "2026-11-26T09:00:00"),
        ("2026-11-26T18:00:00", "at 9 am", "2026-11-26T09:00:00"),
        ("2026-11-26T08:00:00", "9:00", "2026-11-25T09:00:00"),  # today's is still to come
        ("2026-11-24T18:00:00", "12:30", "2026-11-24T12:30:00"),
    ],
)
def test_in_a_recording_of_days_a_clock_means_its_last_time(now: str, clock: str, wanted: str) -> None:
    days = recording(start_ns=parse_iso("2026-11-24T10:00:00"), length_s=2.5 * DAY_S)
    found = find_time(
        f"how many cups were there {clock}?" if "at" in clock else f"how many cups were there at {clock}?"
    )
    assert found is not None
    (span,) = resolve_window(found.window, recordings=[days], now_ns=parse_iso(now))
    assert span.t_start_ns <= parse_iso(wanted) <= span.t_end_ns
    assert span.duration_ns <= 120 * NS_PER_S


def test_a_clock_that_is_still_to_come_is_no_offset() -> None:
    morning = recording(start_ns=parse_iso("2026-11-20T09:00:00"), length_s=7200)
    found = find_time("what was said at 10:30?")
    assert found is not None
    assert resolve_window(found.window, recordings=[morning], now_ns=parse_iso("2026-11-20T09:45:00")) == ()
