"""Questions to typed plans."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from planners.plan import Plan
from planners.question import parse_question
from streammem.errors import InputError


@pytest.mark.parametrize(
    ("question", "kind", "target", "occurrence"),
    [
        ("When did a dog appear?", "when", "a dog", "all"),
        ("When did the dog first appear?", "when", "the dog", "first"),
        ("When was the last time I used the scissors?", "when", "I used the scissors", "last"),
        ("find the moment when he talks about leisure", "when", "leisure", "all"),
        ("What did he say about being amiable?", "said", "being amiable", "all"),
        ("What's the man saying?", "said", "", "all"),
        ("What is the second sentence?", "said", "sentence", "nth"),
        ("What is written?", "written", "", "all"),
        ("How many people are there?", "how_many", "people", "all"),
        ("Have you seen a dog?", "yes_no", "a dog", "any"),
        ("Did you see a dog?", "yes_no", "a dog", "any"),
        ("How many times is amiable mentioned?", "how_many", "amiable", "all"),
        ("How long is the man visible?", "how_long", "the man", "all"),
        ("How long is the video?", "how_long", "", "all"),
        ("Where is the car?", "where", "the car", "last"),
        ("Who used the screwdriver first?", "who", "used the screwdriver", "first"),
        ("Why did he leave?", "why", "he leave", "all"),
        ("Is there a dog?", "yes_no", "a dog", "any"),
        ("What happens?", "what", "", "all"),
    ],
)
def test_plans(question: str, kind: str, target: str, occurrence: str) -> None:
    plan = parse_question(question)
    assert (plan.kind, plan.target, plan.occurrence) == (kind, target, occurrence)


@pytest.mark.parametrize(
    ("question", "relation", "anchor", "target"),
    [
        ("What happened before the man mentioned marriage?", "before", "the man mentioned marriage", ""),
        ("After he mentions leisure, what does he say?", "after", "he mentions leisure", ""),
        ("What was happening when he said he was amiable?", "during", "he said he was amiable", ""),
        ("How many people were there while the car drove by?", "during", "the car drove by", "people"),
    ],
)
def test_anchors(question: str, relation: str, anchor: str, target: str) -> None:
    plan = parse_question(question)
    assert plan.anchor is not None
    assert (plan.anchor.relation, plan.anchor.target, plan.target) == (relation, anchor, target)


def test_speaker_order_and_modality() -> None:
    said = parse_question("What did John say about the budget?")
    assert (said.speaker, said.target) == ("John", "the budget")
    assert parse_question("Which came first, the wife or the car?").targets == ("wife", "car")
    assert parse_question("When does someone talk about rain?").modalities[0] == "speech"
    assert "object" in parse_question("When did a dog appear?").modalities
    assert parse_question("What does the sign say?").modalities == ("text_in_view",)


@given(st.text(max_size=300))
def test_any_text_gives_a_valid_plan_or_a_clear_error(text: str) -> None:
    if not re.search(r"\w", text):
        with pytest.raises(InputError, match="question"):
            parse_question(text)
        return
    plan = parse_question(text)
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


@given(
    lead=st.sampled_from(["When did", "Who saw", "How many", "How long was", "What did he say about", "Where was"]),
    words=st.lists(
        st.sampled_from(
            ["red", "dog", "table", "the", "before", "after", "0:10", "at", "first", "last", "time", "of", "said"]
        ),
        max_size=8,
    ),
)
def test_plans_survive_odd_word_orders(lead: str, words: list[str]) -> None:
    plan = parse_question(f"{lead} {' '.join(words)}?")
    assert plan.question.startswith(lead)


def test_plans_refuse_unknown_fields_and_contradictions() -> None:
    with pytest.raises(ValidationError):
        Plan.model_validate({"question": "q", "kind": "when", "mood": "good"})
    with pytest.raises(ValidationError):
        Plan.model_validate({"question": "q", "kind": "when", "occurrence": "nth"})


@pytest.mark.parametrize("question", ["", "  ", "?!", "x" * 5000])
def test_unusable_questions_are_refused(question: str) -> None:
    with pytest.raises(InputError):
        parse_question(question)
