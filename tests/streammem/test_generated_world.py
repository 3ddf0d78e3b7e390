"""The generated world: its answers follow from its lines, its evidence is complete, nothing of the future is asked."""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from pathlib import Path

import pytest

from perception.sources.captions import CaptionTrack
from streammem.app.evaluation.world import Size, World, make_world, write_world
from streammem.app.evaluation.world.life import DAY_S
from streammem.app.evaluation.world.questions import KINDS, Question

SEEDS = (0, 1)
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@pytest.fixture(scope="module", params=[(size, seed) for size in ("week", "month") for seed in SEEDS], ids=str)
def world(request: pytest.FixtureRequest) -> World:
    size, seed = request.param
    return make_world(seed, size=size)


@pytest.mark.parametrize("size", ["week", "month"])
def test_the_same_seed_is_the_same_world(tmp_path: Path, size: Size) -> None:
    first = write_world(make_world(7, size=size), tmp_path / "first")
    second = write_world(make_world(7, size=size), tmp_path / "second")
    other = write_world(make_world(8, size=size), tmp_path / "other")
    for one, same, another in zip(first, second, other, strict=True):
        assert one.read_bytes() == same.read_bytes() != another.read_bytes()


def test_it_is_a_caption_track_and_a_question_file(tmp_path: Path) -> None:
    world = make_world(0, per_kind=2)
    stream, questions = write_world(world, tmp_path)
    track = CaptionTrack(stream)
    lines = list(track.lines())
    assert (len(lines), track.malformed) == (len(world.lines), 0)
    assert {line.kind for line in lines} == {"caption", "speech"}
    fields = {"id", "type", "asked_at", "question", "choices", "answer", "evidence"}
    for text in questions.read_text(encoding="utf-8").splitlines():
        assert set(json.loads(text)) == fields


def test_every_kind_is_asked_with_one_right_choice(world: World) -> None:
    counts = Counter(one.type for one in world.questions)
    assert set(counts) == set(KINDS)
    assert all(8 <= count <= 12 for count in counts.values())  # at most twelve; only what is clear-cut is asked
    assert len({one.id for one in world.questions}) == len(world.questions)
    for one in world.questions:
        assert len(set(one.choices)) == 4
        assert one.answer in "ABCD"
        assert not any("{" in choice for choice in one.choices)
    assert len({one.answer for one in world.questions}) == 4


def test_evidence_is_told_before_it_is_asked_for(world: World) -> None:
    told = {(line.start, line.end) for line in world.lines}
    starts, ends = {start for start, _ in told}, {end for _, end in told}
    for one in world.questions:
        assert one.evidence
        for start, end in one.evidence:
            assert start in starts
            assert end in ends
            assert start < end < one.asked_at
    several = [one for one in world.questions if len(one.evidence) > 1]
    assert len(several) > 0.85 * len(world.questions)


def test_lines_are_in_order_and_a_month_is_mostly_empty() -> None:
    month = make_world(0, size="month")
    assert [line.start for line in month.lines] == sorted(line.start for line in month.lines)
    days = {line.start // DAY_S + 1 for line in month.lines}
    assert days == set(month.life.active_days)
    assert len(days) == 9
    assert (min(days), max(days)) == (1, 30)
    assert any(one.asked_at // DAY_S + 1 not in days for one in month.questions)
    assert not any("{" in line.text or "None" in line.text for line in month.lines)


def texts(world: World, question: Question) -> list[str]:
    starts = [line.start for line in world.lines]
    within = [
        (end, world.lines[bisect_left(starts, start) : bisect_right(starts, end)]) for start, end in question.evidence
    ]
    return [" ".join(line.text for line in lines if line.end <= end) for end, lines in within]


def right(question: Question) -> str:
    return question.choices["ABCD".index(question.answer)]


def test_answers_follow_from_the_words_of_the_evidence(world: World) -> None:
    """Read back from the lines alone, for the kinds whose wording a pattern can read."""
    read = 0
    for one in world.questions:
        said = texts(world, one)
        if thing := re.match(r"Where is the (.+) now\?", one.question):
            assert thing[1] in said[-1]
            assert right(one).removeprefix("In ") in said[-1]
            later = [line for line in world.lines if one.evidence[-1][1] < line.start < one.asked_at]
            moved = re.compile(
                rf"(put|carried|putting|took|moved|goes).*\b{thing[1]}\b.*\bthe\b|\b{thing[1]} is in the"
            )
            assert not [
                line.text for line in later
                if (moved.search(line.text) or line.text.startswith(f"The {thing[1]} goes"))
                and not re.search(r"think|Shall|If it", line.text)
            ]  # fmt: skip
            read += 1
        elif one.question.startswith("How many times"):
            assert int(right(one)) == len(one.evidence)
            read += 1
        elif one.question.startswith("How many ") and one.question.endswith("left now?"):
            numbers = {word: number for number, word in enumerate(NUMBERS)}
            found = re.search(r"\b(\d+)\b", said[0])
            assert found is not None
            total = int(found[1])
            for text in said[1:]:
                change = next(numbers[word] for word in re.findall(r"[a-z]+", text.split("; ")[0]) if word in numbers)
                total += -change if "used" in text else change
            assert int(right(one)) == total
            read += 1
        elif one.type == "SpatialPreference":
            place = right(one).removeprefix("In the ").removeprefix("The ")
            assert sum(f"the {place}" in text.lower() for text in said) >= 0.6 * len(said)
            read += 1
    assert read >= 20
