"""Questions about places and things over two days in a small house: what is answered, when and where, from what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from planners.spatial.asked import read_spatial_question
from planners.spatial.wording import chosen, chosen_number, listed, plural
from streammem.memory import Memory
from streammem.spatial.spatial_memory import SpatialMemory
from streammem.timeline import format_iso, parse_iso
from streammem.types import NS_PER_S
from tests.planners.conftest import Script, SentenceEncoder
from tests.planners.small_house import DAY1_NS, DAY2_NS, ROOMS, answer, walk


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Iterator[Memory]:
    """Day 1: from the kitchen to the bedroom and back; Anna is met in the hall, at 10:00:12. Day 2: the mug is in the
    sink, the book has gone from the bed to the sofa."""
    folder = tmp_path_factory.mktemp("house") / "m"
    there = [0.5 * step for step in range(1, 23)]
    things = {
        "mug": (2.1, 1.4, 0.8),
        "plate": (1.8, 1.6, 0.77),
        "book": (10.1, 1.4, 0.6),
        "cell phone": (6.2, 1.7, 0.85),
    }
    with Memory.open(folder, write=True, create=True, encoder=encoder) as memory:
        with SpatialMemory.open(memory) as space:
            space.name_rooms(ROOMS)
            walk(space, [*there, *there[::-1]], DAY1_NS, things)
            things |= {"mug": (3.5, -1.0, 0.8), "book": (6.0, 1.7, 0.85)}
            walk(space, [*there, *there[::-1][:12]], DAY2_NS, things)
        glasses = Script(
            recording="glasses", length_s=60, base_ns=DAY1_NS,
            lines=[
                (2, 4, "caption", "I walk through the kitchen.", None),
                (11, 14, "caption", "We meet Anna, who carries a yellow bag.", None),
                (20, 23, "caption", "I look at the bed.", None),
            ],
        )  # fmt: skip
        glasses.write(memory, encoder)
        yield memory


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("Where did I last see the mug?", ("in the sink in the kitchen", "-26T09:00", "(3.5, -1.0, 0.8) m", "away")),
        ("Where is my phone?", ("The cell phone was last seen on the sofa in the hall",)),
        ("Where was the mug yesterday?", ("on the table in the kitchen", "2026-11-25T10:00")),
        ("Where was the mug before it was moved?", ("was on the table in the kitchen", "from the table to the sink")),
        ("What is in the kitchen?", ("mug", "plate", "sink", "table", "in the kitchen")),
        ("What's on the sofa?", ("A book and a cell phone", "on the sofa")),
        ("What is near the bed?", ("Nothing that was seen is near the bed",)),
        ("What changed since yesterday?", ("mug moved from the table to the sink", "book moved from the bed")),
        ("What changed in the bedroom since yesterday?", ("The book moved from the bed to the sofa",)),
        ("What was moved today?", ("mug", "book", "2026-11-26T09:00")),
        ("When was the bed moved?", ("The bed was not seen to change; last seen in the bedroom",)),
        ("When was the book moved?", ("book moved from the bed to the sofa between 2026-11-25T10", " and 2026-11-26T")),
        ("How do I get to the bedroom?", ("To the bedroom", "go straight on", "into the bedroom", "m in all")),
        ("How do I get from the kitchen to the bed?", ("To the bed in the bedroom", "into the hall", "bed is there")),
        ("How do I get back to where we met Anna?", ("To where we met Anna in the hall at 2026-11-25T10:00",)),
        ("How far is the sink?", ("The sink is", "m away", "in the kitchen")),
        ("Where was the mug on Wednesday?", ("on the table in the kitchen", "2026-11-25T10:00")),
        ("What was moved on 26 November?", ("mug", "book", "2026-11-26T09:00")),
        ("Is the mug still on the table?", ("No. The mug was last seen in the sink in the kitchen",)),
        ("Was the mug on the table yesterday?", ("Yes, the mug was on the table", "2026-11-25T10:00")),
        ("Is the mug in the garage?", ("No garage is known. The mug was last seen in the sink",)),
        ("Is there a plate in the kitchen?", ("Yes, the plate is in the kitchen",)),
        ("Have you ever seen a bed?", ("Yes. The bed was last seen in the bedroom",)),
        ("How many tables are there?", ("1 table: in the kitchen; last seen by",)),
        ("How many plates are on the table?", ("1 plate: on the table in the kitchen",)),
        ("How many books are in the bedroom?", ("No book that was seen is in the bedroom",)),
        ("What is in front of me?", ("Nothing that was seen is ahead of you",)),
        ("What's to my left?", ("To your left: a", "sofa", "m)")),
        ("Where am I?", ("in the hall", "2026-11-26T09:00")),
        ("Where was I at 2026-11-25T10:00:02?", ("in the kitchen",)),
    ],
)  # fmt: skip
def test_answers_name_places_and_times(house: Memory, question: str, says: tuple[str, ...]) -> None:
    found = answer(house, question)
    assert found.answerable, found.text
    for words in says:
        assert words.lower() in found.text.lower(), found.text


def test_evidence_says_where_and_when(house: Memory) -> None:
    first = answer(house, "Where did I last see the mug?").evidence[0]
    assert first.recording == "robot"
    assert "mug: in the sink in the kitchen at (3.5, -1.0, 0.8) m, seen from (" in first.text
    assert DAY2_NS <= first.t_start_ns <= first.t_end_ns
    moved = answer(house, "What changed in the bedroom since yesterday?").evidence[0]
    (event,) = house.events(event_ids=moved.event_ids)
    assert event.text == "the book moved from the bed to the sofa"
    met = answer(house, "How do I get back to where we met Anna?").evidence[0]
    assert met.recording == "glasses"
    assert met.text.startswith("We meet Anna")
    assert "in the hall" in met.text


def test_nothing_later_than_the_moment_of_asking_is_told(house: Memory) -> None:
    then_ns = DAY1_NS + 30 * NS_PER_S
    found = answer(house, "Where is the mug?", as_of_ns=then_ns)
    assert "on the table" in found.text
    assert all(one.t_end_ns <= then_ns for one in found.evidence)
    assert "Nothing that was seen changed" in answer(house, "What changed?", as_of_ns=then_ns).text
    assert not answer(house, "How do I get back to where we met Anna?", as_of_ns=DAY1_NS + 5 * NS_PER_S).answerable


@pytest.mark.parametrize(
    "question",
    [
        "Where is the elephant?",
        "How do I get to the station?",
        "When was the vase moved?",
        "How many elephants are there?",
        "Is there an elephant in the kitchen?",
    ],
)
def test_what_is_not_known_is_not_made_up(house: Memory, question: str) -> None:
    assert not answer(house, question).answerable


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Iterator[Memory]:
    """Two days among three cups and three books; on the second, a cup has gone from the table to the bed. Somebody
    talks of other numbers of them."""
    there = [0.5 * step for step in range(1, 23)]
    things = {
        "cup 1": (2.1, 1.4, 0.8), "cup 2": (1.8, 1.6, 0.77), "cup 3": (6.2, 1.7, 0.85),
        "book 1": (10.1, 1.4, 0.6), "book 2": (6.0, 1.7, 0.85), "book 3": (2.3, 1.3, 0.8),
    }  # fmt: skip
    with Memory.open(tmp_path_factory.mktemp("library") / "m", write=True, create=True, encoder=encoder) as memory:
        with SpatialMemory.open(memory) as space:
            space.name_rooms(ROOMS)
            walk(space, [*there, *there[::-1]], DAY1_NS, things)
            walk(space, [*there, *there[::-1]], DAY2_NS, things | {"cup 1": (10.3, 1.4, 0.6)})
        glasses = Script(
            recording="glasses", length_s=60, base_ns=DAY1_NS,
            lines=[(2, 4, "caption", "Seven cups stand in the kitchen.", None),
                   (11, 14, "caption", "We meet Anna, who carries a book.", None)],
        )  # fmt: skip
        glasses.write(memory, encoder)
        yield memory


@pytest.mark.parametrize(
    ("question", "says", "count"),
    [
        ("How many books are there?", "3 books: ", 3),
        ("Count the books", "3 books: ", 3),
        ("How many cups are in the kitchen?", "1 cup: on the table in the kitchen; last seen by 2026-11-26T09:00:", 1),
        ("How many cups are left in the kitchen right now?", "1 cup: on the table in the kitchen", 1),
        ("How many cups were in the kitchen yesterday?", "2 cups: on the table in the kitchen; last seen by 2026-11-25",
         2),
        ("In the kitchen, how many cups are there?", "1 cup: on the table in the kitchen", 1),
        ("What is the number of books in the hall?", "1 book: on the sofa in the hall", 1),
        ("How many cups are not in the kitchen?", "2 cups: on the ", 2),
        ("How many books are there in the bedroom and in the hall?", "2 books: on the ", 2),
        ("How many cups and books are on the table?", "1 cup: on the table in the kitchen; 1 book: on the table", 2),
        ("How many things are on the table?", "2 things on the table: a book and a cup", 2),
        ("How many cups are in the garage?", "No garage is known. 3 cups: ", 3),
        ("How many cups can be found in the house?", "3 cups: ", 3),
        ("How many cups were moved today?", "1: the cup moved from the table to the bed between 2026-11-25T10:0", 1),
        ("How many cups are there in each room?", "3 cups: ", 3),
        ("How many rooms are there?", "3 rooms: the kitchen, the hall and the bedroom", 3),
    ],
)  # fmt: skip
def test_things_are_counted_and_each_is_evidence(library: Memory, question: str, says: str, count: int) -> None:
    found = answer(library, question)
    assert found.text.startswith(says), found.text
    assert len(found.evidence) == count
    assert {one.recording for one in found.evidence} == {"robot"}
    options = [str(one) for one in range(5)]
    assert answer(library, question, choices=options).choice == count


@pytest.mark.parametrize(
    ("question", "says", "count"),
    [
        ("Are there two cups on the table?", "No: there is one cup on the table in the kitchen; last seen by 2026", 1),
        ("Are there 3 books?", "Yes: there are 3 books: on the ", 3),
        ("Is there only one cup in the kitchen?", "Yes: there is one cup on the table in the kitchen; last seen by", 1),
        ("Are there more than two cups in the kitchen?", "No: there is one cup on the table in the kitchen", 1),
        ("Are there more than two cups in the house?", "Yes: there are 3 cups: on the ", 3),
        ("Are there at least two cups?", "Yes: there are 3 cups: ", 3),
        ("Are there fewer than three cups?", "No: there are 3 cups: ", 3),
        ("Are there two or more cups on the table?", "No: there is one cup", 1),
        ("Is there more than one book on the bed?", "No: there is one book on the bed in the bedroom", 1),
        ("Were there two cups on the table yesterday?",
         "Yes: there were 2 cups on the table in the kitchen; last seen by 2026-11-25", 2),
        ("Yesterday, was there more than one cup in the kitchen?", "Yes: there were 2 cups on the table", 2),
        ("Do you see two cups on the table?", "No: there is one cup on the table", 1),
        ("Are two cups on the table?", "No: there is one cup on the table", 1),
        ("Are there no cups on the table?", "No: there is one cup on the table", 1),
        ("Are there several cups in the house?", "Yes: there are 3 cups: ", 3),
        ("Are there two beds in the hall?", "No: no bed that was seen is in the hall.", 1),
        ("Are there no beds in the hall?", "Yes: no bed that was seen is in the hall.", 1),
        ("Are there two beds and a sofa in the hall?", "No: there is no bed in the hall; one sofa in the ", 1),
        ("Are there two cups and a book on the table?", "No: there is one cup on the table in the kitchen; one boo", 2),
        ("Are there both a cup and a book on the table?", "Yes: there is one cup on the table in the kitchen; one", 2),
        ("Is there a cup and a book on the table?", "Yes: there is one cup on the table in the kitchen; one book ", 2),
        ("Are there more than two things on the table?", "No: there are 2 things on the table: a book and a cup", 2),
        ("Are there more than two rooms?", "Yes, 3 rooms: the kitchen, the hall and the bedroom", 3),
        ("Are there more cups than books?", "No: there are 3 cups: on the ", 6),
        ("Are there as many cups as books?", "Yes: there are 3 cups: on the ", 6),
        ("Are there fewer cups than books on the bed?", "No: there is one cup on the bed in the bedroom; one book", 2),
        ("Are there more sofas than cups in the kitchen?", "No: there is no sofa in the kitchen; one cup on the ta", 1),
        ("Are there two cups in the garage?", "Not known: no garage was seen. There are 3 cups: ", 3),
    ],
)  # fmt: skip
def test_whether_there_are_so_many_is_counted(library: Memory, question: str, says: str, count: int) -> None:
    found = answer(library, question)
    assert found.text.startswith(says), found.text
    assert len(found.evidence) == count
    assert {one.recording for one in found.evidence} == {"robot"}
    verdict = answer(library, question, choices=["Yes", "No"]).choice
    assert verdict == {"Yes": 0, "No": 1, "Not": None}[re.split(r"\W", says)[0]]


@pytest.mark.parametrize(
    ("question", "is_open"),
    [
        ("Are there two cups in the kitchen?", True),  # there is one
        ("Are there three cups?", True),  # there are: a fourth may be somewhere
        ("Are there two cups?", False),  # three are too many, whatever else there is
        ("Are there more than two cups?", False),
        ("Are there more than three cups?", True),
        ("Are there at most three cups?", True),
        ("Are there two cups on the table?", False),  # somebody looked at the table
        ("Are there no beds in the hall?", True),
    ],
)
def test_what_was_not_looked_at_is_not_taken_to_be_empty(library: Memory, question: str, is_open: bool) -> None:
    found = answer(library, question)
    assert found.text.endswith((" There may be more where nobody looked.", " be some where nobody looked.")) == is_open
    assert (found.confidence < 0.7) == is_open


def test_a_number_of_things_where_nobody_looked_is_not_known(library: Memory) -> None:
    found = answer(library, "Are there two cups in the bedroom?", as_of_ns=DAY1_NS + 10 * NS_PER_S)
    assert found.text.startswith("Not known: no bedroom was seen.")
    found = answer(library, "Were there two cups in the bedroom at 2026-11-25T10:00:09?")
    assert found.text == "What was in the bedroom is not known: nobody looked there by then."
    assert found.confidence < 0.5


def test_things_are_counted_as_they_were_known_then(library: Memory) -> None:
    then_ns = DAY1_NS + 100 * NS_PER_S
    found = answer(library, "How many cups are in the kitchen?", as_of_ns=then_ns)
    assert found.text.startswith("2 cups: on the table in the kitchen; last seen by 2026-11-25T10:00")
    assert len(found.evidence) == 2
    assert len({one.text for one in found.evidence}) == 2
    assert all(one.t_end_ns <= then_ns for one in found.evidence)
    early = answer(library, "How many books are there?", as_of_ns=DAY1_NS + 3 * NS_PER_S)
    assert early.text.startswith("1 book: on the table")


@pytest.mark.parametrize("second", [3, 12, 30, 3600])
@pytest.mark.parametrize(
    "question",
    [
        "How many cups were there at {}?",
        "How many cups were in the kitchen at {}?",
        "How many books were there before {}?",
        "How many things were on the table at {}?",
        "How many rooms were there before {}?",
        "Where was the cup at {}?",
        "Was the cup on the table at {}?",
        "Was there a cup at {}?",
        "What was in the kitchen at {}?",
        "What was near the table before {}?",
        "What was in the bedroom at {}?",
        "What changed before {}?",
    ],
)
def test_an_answer_about_a_time_rests_on_what_was_known_by_then(library: Memory, question: str, second: int) -> None:
    then_ns = DAY1_NS + second * NS_PER_S
    found = answer(library, question.format(format_iso(then_ns)[:19]))
    told = re.findall(r"\d{4}-\d\d-\d\dT[\d:]+", found.text)
    assert all(parse_iso(one) <= then_ns for one in told), found.text
    assert all(one.t_end_ns <= then_ns for one in found.evidence), [one.text for one in found.evidence]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("How many cups were there at 2026-11-25T10:00:03?", "2 cups: on the table in the kitchen; last seen by "),
        ("How many cups were there at 2026-11-25T10:00:12?", "3 cups: 2 on the table in the kitchen and 1 on the "),
        ("How many cups were there at 2026-11-25T22:00?", "3 cups: 2 on the table in the kitchen and 1 on the "),
        ("How many cups were there at 10:00?", "3 cups: 2 on the table in the kitchen and 1 on the "),
        ("How many cups were on the table at 2026-11-25T22:00?", "2 cups: on the table in the kitchen; last seen by "),
        (
            "What was in the bedroom at 2026-11-25T10:00:03?",
            "What was in the bedroom is not known: nobody looked there ",
        ),
        (
            "How many cups were in the hall and in the bedroom at 2026-11-25T10:00:03?",
            "What was in the hall or in the ",
        ),
        ("Where was the cup at 2026-11-25T22:00?", "The cup was last seen on the sofa in the hall at 2026-11-25"),
    ],
)
def test_what_was_seen_before_a_moment_was_still_known_at_it(library: Memory, question: str, says: str) -> None:
    assert answer(library, question).text.startswith(says)


def test_what_is_there_later_too_was_seen_in_the_span(library: Memory) -> None:
    """A thing that stands where it stood is evidence of a day by what was seen on that day."""
    found = answer(library, "Where was the table yesterday?")
    assert "2026-11-25T10:00" in found.text
    assert found.evidence[0].t_end_ns < DAY2_NS


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Iterator[Memory]:
    """Four walks of a minute. The mug goes from the table to the sink, to the table, to the sofa; a plate from the
    table to the sofa; the bowl stays. Somebody talks of five more moves."""
    there = [0.5 * step for step in range(1, 15)]
    table, sink, sofa = (2.1, 1.4, 0.8), (3.5, -1.0, 0.8), (6.2, 1.7, 0.85)
    things = {"plate": (1.8, 1.6, 0.77), "bowl": (2.3, 1.3, 0.8), "coffee table": (5.0, -1.5, 0.2)}
    with Memory.open(tmp_path_factory.mktemp("carried") / "m", write=True, create=True, encoder=encoder) as memory:
        with SpatialMemory.open(memory) as space:
            space.name_rooms(ROOMS)
            for number, mug in enumerate((table, sink, table, sofa)):
                moved = {"plate": (6.0, 1.7, 0.85)} if number == 3 else {}
                walk(space, [*there, *there[::-1]], DAY1_NS + number * 60 * NS_PER_S, things | moved | {"mug": mug})
        glasses = Script(
            recording="glasses", length_s=240, base_ns=DAY1_NS,
            lines=[*[(10 + 50 * n, 12 + 50 * n, "caption", "Anna moves the mug, and then the bowl.", None)
                     for n in range(4)],
                   (230, 232, "caption", "Anna moves the lamp.", None)],
        )  # fmt: skip
        glasses.write(memory, encoder)
        yield memory


@pytest.mark.parametrize(
    ("question", "says", "count"),
    [
        ("How many times was the mug moved?",
         "3 times: the mug moved from the table to the sink between 2026-11-25T10:00:27+00:00 and 10:01:03;", 3),
        ("How often has somebody moved the mug?", "3 times: the mug moved from the table to the sink between ", 3),
        ("How many times did the mug move before 2026-11-25T10:02:00?", "Once: the mug moved from the table to", 1),
        ("How many times has the mug been moved since 2026-11-25T10:02:00?", "Twice: the mug moved from the sink", 2),
        ("How many times was the mug moved to the sofa?", "Once: the mug moved from the table to the sofa between ", 1),
        ("How many times was the mug moved from the table?", "Twice: the mug moved from the table to the sink bet", 2),
        ("How often was the plate moved?", "Once: the plate moved from the table to the sofa between 2026-11-25T10", 1),
        ("How many times was the bowl moved?", "Never, as far as was seen: the bowl was last seen on the table in", 1),
        ("How many times did the bowl go missing?", "Never, as far as was seen: the bowl was last seen on the ", 1),
    ],
)  # fmt: skip
def test_moves_of_a_thing_are_counted_as_events(carried: Memory, question: str, says: str, count: int) -> None:
    found = answer(carried, question)
    assert found.text.startswith(says), found.text
    assert len(found.evidence) == count
    assert {one.recording for one in found.evidence} == {"robot"}
    if not says.startswith("Never"):
        events = carried.events(event_ids=[event_id for one in found.evidence for event_id in one.event_ids])
        assert len(events) == count
        assert all("moved from" in event.text for event in events)
    number = {"Never": 0, "Once": 1, "Twice": 2, "3": 3}[re.split(r"\W", says)[0]]
    assert answer(carried, question, choices=["None", "One", "Two", "Three", "Four"]).choice == number


def test_things_of_several_kinds_are_counted_under_the_name_they_share(carried: Memory) -> None:
    tables = "2 tables: a coffee table in the hall and a table in the kitchen; last seen"
    assert answer(carried, "How many tables are there?").text.startswith(tables)
    assert answer(carried, "Are there two tables?").text.startswith(f"Yes: there are {tables}")
    assert answer(carried, "How many coffee tables are there?").text.startswith(
        "1 coffee table: in the hall; last seen"
    )


def test_moves_of_what_was_not_seen_are_counted_as_they_are_told(carried: Memory) -> None:
    found = answer(carried, "How many times was the lamp moved?")
    assert {one.recording for one in found.evidence} == {"glasses"}
    found = answer(carried, "How many times did Anna move the mug?")  # who, the spatial memory does not know
    assert {one.recording for one in found.evidence} == {"glasses"}


def test_options_are_chosen_by_what_the_answer_says(house: Memory) -> None:
    options = ["on the table", "in the sink", "under the bed"]
    assert answer(house, "Where is the mug?", choices=options).choice == 1


def test_other_questions_go_the_usual_way(house: Memory) -> None:
    found = answer(house, "What does Anna carry?")
    assert "yellow bag" in found.text


@pytest.mark.parametrize(
    ("question", "kind", "thing"),
    [
        ("Where did I last see my red mug?", "where", "red mug"),
        ("where are the keys now", "where", "keys"),
        ("What's on the table?", "inside", "table"),
        ("list the objects in the kitchen", "inside", "kitchen"),
        ("What is missing?", "changed", ""),
        ("has anything changed in the kitchen since this morning?", "changed", "kitchen"),
        ("when did the mug move?", "moved when", "mug"),
        ("show me the way to the place where I met Anna", "way", ""),
        ("which way is the kitchen?", "how far", "kitchen"),
        ("Where was the mug before it was moved?", "where before", "mug"),
        ("how many red cups are on the table", "how many", "red cups"),
        ("How many books do you see?", "how many", "books"),
        ("Count the books in the hall", "how many", "books"),
        ("In the kitchen, how many cups are there?", "how many", "cups"),
        ("how many cups are left in the kitchen", "how many", "cups"),
        ("is the laptop still on the bed?", "is there", "laptop"),
        ("did you see a dog in the hall?", "is there", "dog"),
        ("what is left of you?", "around me", ""),
        ("what's behind me", "around me", ""),
        ("what is near me?", "around me", ""),
    ],
)
def test_questions_are_read(question: str, kind: str, thing: str) -> None:
    read = read_spatial_question(question)
    assert read is not None
    assert (read.kind, read.thing) == (kind, thing)


@pytest.mark.parametrize(
    "question",
    [
        "What did he say about the weather?",
        "When did a dog appear?",
        "Who met Anna?",
        "How many times did Anna move the cup?",
        "How many times was the cup mentioned?",
        "How many sentences are spoken?",
        "How many eggs do we need?",
        "How many people wear red hats?",
        "How many apples did he buy?",
        "How many minutes are there?",
        "Are there two or three cups?",
        "Did you see two cups or a plate?",
    ],
)
def test_other_questions_are_left_alone(question: str) -> None:
    assert read_spatial_question(question) is None


def test_wording() -> None:
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert [plural("box", 2), plural("apple", 1), plural("shelf", 3)] == ["2 boxes", "an apple", "3 shelves"]
    assert [plural("keys", 1), plural("scissors", 2), plural("bus", 2)] == ["keys", "2 scissors", "2 buses"]
    assert chosen("on the table in the kitchen", ["the table", "the sink"]) == 0
    assert chosen("nothing of the sort", ["the table", "the sink"]) is None
    assert chosen_number(2, ["12 cups", "two cups", "1 or 2"]) == 1
    assert chosen_number(2, ["2", "two"]) is None
    assert chosen_number(0, ["One", "None", "2"]) == 1


def test_a_folder_opened_for_reading_answers_too(house: Memory, tmp_path: Path) -> None:
    house.flush()
    with Memory.open(house.folder) as reading:
        assert "in the sink" in answer(reading, "Where is the mug?").text
