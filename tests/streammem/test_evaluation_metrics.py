"""Figures against numbers worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streammem.app.evaluation.answers import contains, overlap_f1
from streammem.app.evaluation.dataset import Dataset, Question, Span
from streammem.app.evaluation.failures import time_label
from streammem.app.evaluation.metrics import Scored, cut, first_rank, outcome, ranked_turns, summarise
from streammem.app.evaluation.records import Asked, Found, Replied
from streammem.app.evaluation.windows import average_precision, moment_retrieval
from streammem.types import NS_PER_S

S = 1_000_000_000


def at(start_s: float, end_s: float, *, recording: str = "day", text: str = "") -> Found:
    return Found(recording=recording, t_start_ns=int(start_s * S), t_end_ns=int(end_s * S), text=text)


def scored(
    evidence: list[Found],
    recalled: list[Found],
    *,
    reply: Replied | None = None,
    as_of_s: float | None = None,
    **question: Any,
) -> Scored:
    return Scored(
        question=Question(question_id="1", world="w", text="?", **question),
        asked=Asked(
            question_id="1",
            question="",
            memory="",
            as_of_ns=int(as_of_s * S) if as_of_s is not None else None,
            evidence=tuple(evidence),
            recalled=tuple(recalled),
            recalled_question_only=tuple(recalled[1:]),
            recall_milliseconds=1.0,
            reply=reply,
        ),
    )


def said(text: str = "", *, choice: int | None = None, answerable: bool = True, ms: float = 1.0) -> Replied:
    return Replied(
        text=text,
        choice=choice,
        answerable=answerable,
        confidence=0.5,
        evidence=(),
        stopped="enough evidence",
        milliseconds=ms,
        model_calls=2,
        tokens=10,
    )


def summary(*questions: Scored, unit: Any = "spans") -> dict[str, Any]:
    dataset = Dataset(format="jsonl", path=Path(), worlds={}, questions=(), unit=unit)
    return summarise(dataset, questions, system="memory")


def test_long_spans_are_cut_to_their_centre() -> None:
    assert cut(at(0, 100)) == (35 * S, 65 * S)
    assert cut(at(10, 40)) == (10 * S, 40 * S)
    assert first_rank([at(0, 100)], [at(20, 20)]) is None
    assert first_rank([at(0, 100)], [at(65, 65)]) == 1


def test_recall_counts_places_as_they_come_and_minutes_without_sparing() -> None:
    same = [at(200, 220)] * 4
    figures = summary(scored([at(100, 100)], [*same, at(90, 105)]), scored([at(0, 0)], same))
    assert figures["evidence_recall"] == {"1": 0.0, "3": 0.0, "5": 50.0, "10": 50.0, "50": 50.0}
    assert figures["evidence_recall_question_only"]["3"] == 0.0
    assert figures["evidence_recall_question_only"]["5"] == 50.0
    assert figures["mrr"] == 10.0  # (1/5 + 0) / 2
    assert figures["minutes_read"]["3"] == 1.0
    assert figures["minutes_read"]["10"] == pytest.approx((80 + 15 + 80) / 60 / 2, abs=0.01)


def test_another_recording_is_no_hit_and_a_common_clock_is_every_recording() -> None:
    assert first_rank([at(100, 110, recording="other")], [at(100, 100)]) is None
    assert first_rank([at(100, 110, recording="other")], [at(100, 100, recording="")]) == 1


def test_within_a_minute_and_why_it_failed() -> None:
    near, far = scored([at(100, 100)], [at(155, 158)]), scored([at(100, 100)], [at(402, 405)])
    assert summary(near, far)["evidence_recall_within_60s"]["1"] == 50.0
    assert summary(near, far)["evidence_recall"]["50"] == 0.0
    assert outcome(scored([at(100, 100)], [at(390, 395)])) == "right episode"
    assert outcome(far) == "not retrieved"
    choosing = {"choices": ("a", "b"), "answer": 0}
    assert outcome(scored([at(9, 9)], [at(8, 10)], reply=said(choice=1), **choosing)) == "retrieved, wrong answer"
    assert outcome(scored([at(9, 9)], [], reply=said(choice=0), **choosing)) == "right"
    assert outcome(scored([at(9, 9)], [], reply=said(answerable=False), **choosing)) == "abstained"


def test_leaks_are_counted_in_hits_and_evidence() -> None:
    late = said().model_copy(update={"evidence": (at(9, 11),)})
    figures = summary(scored([], [at(8, 9), at(8, 10.5)], as_of_s=10, reply=late))
    assert figures["leakage"] == 3  # with the choices, without them, and in the answer's evidence


def test_accuracy_abstention_and_costs() -> None:
    choosing = {"choices": ("a", "b"), "answer": 0, "types": ("x",)}
    unknown = {"is_answerable": False, "types": ("y",)}
    figures = summary(
        scored([], [], reply=said(choice=0, ms=10), **choosing),
        scored([], [], reply=said(choice=None, answerable=False, ms=20), **choosing),
        scored([], [], reply=said(answerable=False, ms=30), **unknown),
        scored([], [], reply=said("the shed", ms=40), **unknown),
        scored([], [], reply=said("It was in the two sheds.", ms=1000), references=("2 shed",), types=("z",)),
    )
    assert figures["accuracy"] == 60.0
    assert figures["accuracy_by_type"] == {"x": 50.0, "y": 50.0, "z": 100.0}
    assert figures["abstention"] == {"precision": 50.0, "recall": 50.0, "f1": 50.0, "said": 2, "unanswerable": 2}
    assert figures["latency_ms"] == {"p50": 30.0, "p95": 1000.0}
    assert (figures["model_calls"], figures["tokens"]) == (10, 50)
    assert figures["evidence_recall"]["10"] is None


def test_a_choice_may_say_that_it_is_not_known() -> None:
    unable = {"choices": ("red", "Unable to answer"), "answer": 1, "abstention": 1, "is_answerable": False}
    figures = summary(
        scored([], [], reply=said(choice=1), **unable),
        scored([], [], reply=said(answerable=False), **unable),
        scored([], [], reply=said(choice=0), **unable),
    )
    assert figures["accuracy"] == pytest.approx(66.7)
    assert figures["abstention"]["recall"] == pytest.approx(66.7)


def test_words_are_compared_stemmed_with_numbers() -> None:
    assert contains("They were walking three dogs", "3 dog")
    assert not contains("They were walking", "walk walk")
    assert not contains("anything", "the")
    assert overlap_f1("a red bicycle", ["the red car"]) == 0.5
    assert overlap_f1("", ["x"]) == 0.0


def test_turns_take_places_and_recall_is_their_share() -> None:
    turns = tuple(
        (Span(recording="day", t_start_ns=n * 10 * S, t_end_ns=(n * 10 + 8) * S), f"D1:{n}") for n in range(5)
    )
    wanted = [at(10, 18, text="D1:1"), at(40, 48, text="D1:4")]
    one = scored(wanted, [at(0, 18), at(0, 8), at(40, 48)])
    one = Scored(question=one.question, asked=one.asked, turns=turns)
    assert ranked_turns(one, one.asked.recalled) == ["D1:0", "D1:1", "D1:0", "D1:4"]
    recall = summary(one, unit="turns")["evidence_recall"]
    assert (recall["1"], recall["3"], recall["5"]) == (0.0, 50.0, 100.0)


def test_moment_retrieval_as_published() -> None:
    # One query, two true windows; the first prediction overlaps 0.6, the second is wrong, the third is exact.
    predicted = [(0, 60), (500, 600), (200, 300)]
    wanted = [(0, 100), (200, 300)]
    assert average_precision(predicted, wanted, 0.5) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(predicted, wanted, 0.7) == pytest.approx((1 / 3) / 2)
    asked = scored([at(0, 100), at(200, 300)], [at(0, 60), at(500, 600), at(0, 60), at(200, 300)]).asked
    figures = moment_retrieval([asked])
    assert (figures["r1@0.5"], figures["r1@0.7"]) == (100.0, 0.0)
    assert figures["map@0.5"] == pytest.approx(83.3)
    assert figures["map@0.75"] == pytest.approx(16.7)


def test_the_report_says_the_day_where_a_recording_goes_beyond_one() -> None:
    assert [time_label(hours * 3600 * NS_PER_S) for hours in (23, 24)] == ["23:00:00", "day 2, 0:00:00"]
    assert time_label(1_700_000_000 * NS_PER_S).startswith("2023-11-14T")
