"""How scores are joined: by line and event, by what is near, and by words that tell something."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streammem.recall import fusion
from streammem.recall.candidates import Candidate
from streammem.recall.nearness import AROUND_FADE, AROUND_NS, best_near
from streammem.recall.text import plain_words
from streammem.store.tables import EVENTS, OBSERVATIONS
from streammem.types import NS_PER_S

EVENT = st.tuples(st.sampled_from("ab"), st.integers(0, 1000), st.floats(0, 1))


@settings(max_examples=60, deadline=None)
@given(events=st.lists(EVENT, max_size=30))
def test_the_best_near_by_is_what_looking_at_every_pair_finds(events: list[tuple[str, int, float]]) -> None:
    own = np.array([value for _, _, value in events], dtype=np.float64)
    found = best_near(own, [name for name, _, _ in events], [second * NS_PER_S for _, second, _ in events])
    for index, (name, second, value) in enumerate(events):
        near = [
            other * (1 - AROUND_FADE * abs(at - second) * NS_PER_S / AROUND_NS)
            for where, at, other in events
            if where == name and abs(at - second) * NS_PER_S <= AROUND_NS
        ]
        assert found[index] == pytest.approx(max([value, *near]))


def test_words_that_only_ask_are_looked_up_only_where_there_are_no_others() -> None:
    assert plain_words("Who did I give the umbrella to the last time, yesterday?") == "give umbrella"
    assert plain_words("When was the first time?") == "When was the first time"
    assert plain_words("'; DROP -- (x AND y)") == "DROP x y"


def candidate(table: str, event: str, second: int, *, dense: float, words: float, text: str = "") -> Candidate:
    row = {
        "event_id": event, "recording": "walk", "t_start_ns": second * NS_PER_S, "t_end_ns": (second + 2) * NS_PER_S,
        "text": text, "observation_id": f"{event}{second}", "kind": "speech",
    }  # fmt: skip
    return Candidate(table=table, row=row, dense=dense, words=words)


def test_of_two_equal_lines_the_one_whose_event_answers_is_first() -> None:
    lines = [candidate(OBSERVATIONS, name, at, dense=0.5, words=0.4) for name, at in (("far", 0), ("near", 9000))]
    wholes = [
        candidate(EVENTS, "far", 0, dense=0.1, words=0.0),
        candidate(EVENTS, "near", 9000, dense=0.6, words=0.7),
    ]
    fusion.score_all([*lines, *wholes], floors={}, has_dense=True)
    assert lines[1].score > lines[0].score > 0
    assert lines[1].score > wholes[1].score, "the line that says it is better evidence than its event's text"


def test_without_an_encoder_words_alone_reach_as_high() -> None:
    line = candidate(OBSERVATIONS, "e", 0, dense=0.0, words=0.8)
    whole = candidate(EVENTS, "e", 0, dense=0.0, words=0.8)
    fusion.score_all([line, whole], floors={}, has_dense=False)
    assert line.score == pytest.approx(0.8)


def test_more_hits_of_one_event_fall_back_but_stay() -> None:
    lines = [candidate(OBSERVATIONS, "e", at, dense=0.5, words=0.5, text=f"line {at}") for at in range(4)]
    lines.append(candidate(OBSERVATIONS, "other", 5000, dense=0.5, words=0.5, text="elsewhere"))
    lines.append(candidate(OBSERVATIONS, "e", 1, dense=0.5, words=0.5, text="line 1"))
    for line in lines:
        line.score = 0.5
    ranked = fusion.rank(lines, k=10)
    assert [one.row["text"] for one in ranked] == ["line 0", "elsewhere", "line 1", "line 2", "line 3"]
