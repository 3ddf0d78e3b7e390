"""What people tell of is answered with when it was by their words, not with when they spoke."""

from __future__ import annotations

from pathlib import Path

import pytest

from planners.english.told_times import told_length, told_time
from streammem.memory import Memory
from streammem.types import NS_PER_S
from tests.planners.conftest import SentenceEncoder
from tests.planners.talks import answer, at_ns, write_talk

TOLD = [
    ("I went to a support group yesterday.", "2023-05-08", "on Sunday 7 May 2023"),
    ("The day before yesterday it rained.", "2023-05-08", "on Saturday 6 May 2023"),
    ("Last night was amazing!", "2023-08-14", "on Sunday 13 August 2023"),
    ("We went there this morning.", "2023-08-14", "on Monday 14 August 2023"),
    ("See you at the concert tomorrow.", "2023-05-31", "on Thursday 1 June 2023"),
    ("Last Friday I went to a council meeting.", "2023-07-15", "on Friday 14 July 2023"),
    ("I just joined a new group last Tues.", "2023-07-20", "on Tuesday 18 July 2023"),
    ("I met her on Tuesday.", "2023-07-20", "on Tuesday 18 July 2023"),
    ("I'm going there on Saturday.", "2023-08-14", "on Saturday 19 August 2023"),
    ("It was last Monday.", "2023-07-17", "on Monday 10 July 2023"),
    ("Next Monday we fly.", "2023-07-17", "on Monday 24 July 2023"),
    ("Last weekend I joined a programme.", "2023-07-17", "at the weekend of 15 and 16 July 2023"),
    ("Two weekends ago we went camping.", "2023-07-17", "at the weekend of 8 and 9 July 2023"),
    ("It was the weekend of my life, last weekend.", "2023-07-02", "at the weekend of 24 and 25 June 2023"),
    ("We will go camping this weekend.", "2023-07-18", "at the weekend of 22 and 23 July 2023"),
    ("This weekend I went camping.", "2023-07-17", "at the weekend of 15 and 16 July 2023"),
    ("We fly next weekend.", "2023-07-18", "at the weekend of 22 and 23 July 2023"),
    ("We fly next weekend.", "2023-07-15", "at the weekend of 22 and 23 July 2023"),
    ("We met up last week!", "2023-06-09", "in the week before 9 June 2023"),
    ("We leave next week.", "2023-06-09", "in the week after 9 June 2023"),
    ("That was two weeks ago.", "2023-05-25", "around 11 May 2023"),
    ("That was three days ago.", "2023-05-25", "on Monday 22 May 2023"),
    ("We are going camping next month.", "2023-12-25", "in January 2024"),
    ("Last month I got hurt.", "2023-01-13", "in December 2022"),
    ("It broke five months ago.", "2023-03-13", "around October 2022"),
    ("A buddy of mine adopted last year.", "2023-10-13", "in 2022"),
    ("A friend made it ten years ago.", "2023-06-27", "in 2013"),
    ("I began a few years ago.", "2023-06-27", "around 2020"),
    ("It was on July 5.", "2023-08-14", "on Wednesday 5 July 2023"),
    ("I began back in 2016.", "2023-08-14", "in 2016"),
]


@pytest.mark.parametrize(("line", "day", "words"), TOLD)
def test_a_line_tells_when_it_was(line: str, day: str, words: str) -> None:
    told = told_time(line, said_ns=at_ns(day), about="it")
    assert told is not None
    assert told.words == words
    assert told.t_start_ns < told.t_end_ns


@pytest.mark.parametrize(
    "line",
    ["I love pottery.", "It takes two hours.", "At 10:42 exactly.", "We talk since Monday.", "Years ago, maybe."],
)
def test_a_line_that_tells_no_date(line: str) -> None:
    assert told_time(line, said_ns=at_ns("2023-08-14"), about="it") is None


def test_without_a_wall_clock_there_are_no_dates() -> None:
    assert told_time("I went there yesterday.", said_ns=35 * NS_PER_S, about="there") is None


def test_the_sentence_that_is_about_it_is_read() -> None:
    line = "I saw a film yesterday. Last month I hurt my knee. Next week we fly."
    said_ns = at_ns("2023-10-13")
    told = [told_time(line, said_ns=said_ns, about=about) for about in ("see a film", "Ann hurt her knee", "fly")]
    assert [each.words for each in told if each] == [
        "on Thursday 12 October 2023", "in September 2023", "in the week after 13 October 2023",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("I've known these friends for about four years.", "for about four years"),
        ("I paint since 2016.", "since 2016"),
        ("It took an hour and a half.", "an hour"),
        ("It was ten years ago.", None),
    ],
)
def test_a_line_tells_how_long_it_was(line: str, words: str | None) -> None:
    assert told_length(line, about="it") == words


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days on which people tell each other things."""
    folder = tmp_path_factory.mktemp("talk") / "memory"
    with Memory.open(folder, write=True, create=True, encoder=SentenceEncoder()) as memory:
        for day, lines in {
            "2023-05-08": (
                ("Anna", "I went to a support group yesterday and it was so powerful."),
                ("Ben", "Wow, that sounds great. I ran a charity race for the hospital last Saturday."),
                ("Anna", "Well done! I have known my friends for four years now."),
            ),
            "2023-07-06": (
                ("Ben", "Congratulations! Yesterday I took the kids to the museum."),
                ("Anna", "I just signed up for a pottery class on Tuesday."),
                ("Ben", "We are thinking about going camping next month."),
                ("Anna", "Hey Ben, last week I attended a workshop on counselling."),
                ("Ben", "Which pet do you have?"),
                ("Anna", "A small guinea pig called Oscar."),
            ),
        }.items():
            write_talk(memory, day, lines)
    return folder


@pytest.mark.parametrize(
    ("question", "says", "told_by"),
    [
        ("When did Anna go to the support group?", "On Sunday 7 May 2023 (told at 2023-05-08", "yesterday"),
        ("When did Ben run a charity race?", "On Saturday 6 May 2023", "last Saturday"),
        ("When did Ben go to the museum?", "On Wednesday 5 July 2023", "museum"),
        ("When did Anna sign up for a pottery class?", "On Tuesday 4 July 2023", "pottery"),
        ("How long ago did Ben run a charity race?", "About 2 months ago, on Saturday 6 May 2023", "race"),
        ("How long has Anna known her friends?", "For four years (told at 2023-05-08", "four years"),
        ("When did Ben mention the museum?", "At 2023-07-06T14:00:00", "museum"),
    ],
)
def test_what_is_told_is_answered_by_when_it_was(talk: Path, question: str, says: str, told_by: str) -> None:
    found = answer(talk, question)
    assert found.answerable
    assert found.text.startswith(says)
    assert told_by in found.evidence[0].text


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("Where did Ben take the kids on 5 July 2023?", "to the museum"),  # nothing was recorded then
        ("What did Ben run on 6 May 2023?", "charity race"),
        ("What did Ben run on 20 May 2023?", None),
        ("When was Ben at the museum last month?", None),  # asked in July, it was in July
        ("How did Anna feel after the support group?", "it was so powerful"),
    ],
)
def test_what_is_told_of_another_time_is_found(talk: Path, question: str, says: str | None) -> None:
    found = answer(talk, question)
    assert found.answerable == (says is not None)
    assert says is None or says in found.text


def test_a_question_that_was_asked_is_answered_by_what_was_said_to_it(talk: Path) -> None:
    found = answer(talk, "Which pet do you have?")
    assert "guinea pig" in found.text
    assert "guinea pig" in found.evidence[0].text


@pytest.mark.parametrize(
    "question",
    [
        "When did Anna go to the museum?",
        "When did Ben sign up for a pottery class?",
        "When did Ben attend a workshop on counselling?",
        "How long is Ben ill?",
    ],
)
def test_what_another_did_is_not_answered(talk: Path, question: str) -> None:
    assert not answer(talk, question).answerable
