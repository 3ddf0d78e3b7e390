"""Questions of every kind over two small real memories: the answer, its evidence, and what must not be answered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from planners import ask
from planners.reasoners.extractive import ExtractiveReasoner
from streammem.errors import InputError
from streammem.memory import Memory
from streammem.settings import PlannerSettings
from streammem.timeline import seconds_to_ns
from streammem.types import Answer, Observation, stable_id
from tests.planners.conftest import KITCHEN_START_NS, SentenceEncoder
from tests.planners.talks import write_talk

SETTINGS = PlannerSettings()
NEAR_S = 2.0


def answer(memory: Memory, question: str, **more: object) -> Answer:
    return ask(memory, question, settings=SETTINGS, reasoner=ExtractiveReasoner(), **more)  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True)
class Case:
    """`at_s`: where the first evidence must start, to within 2 s; `says`: what the text must hold."""

    question: str
    at_s: float | None = None
    says: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    choice: int | None = None


STREET_CASES = [
    Case("What did he say about being amiable?", 65, ("made amiable himself", "more amiable woman")),
    Case("When does someone talk about a cold-hearted person?", 35, ("0:00:35",)),
    Case("When is marriage mentioned?", 50, ("0:00:50",)),
    Case("When did someone mention a youth?", 20),
    Case("What did Mr Dashwood have leisure for?", 5, ("Dashwood",)),
    Case("Was a wife mentioned?", 50, ("Yes",)),
    Case("How many people are there?", None, ("7 different people", "up to 4 at once")),
    Case("How many people are in the video at once?", None, ("At most 4",)),
    Case("How many people are there at 0:35?", 30, ("2 people",)),
    Case("How many cars and bicycles are there?", 40, ("1 car", "2 different bicycles")),
    Case("How long is the car visible?", 40, ("8.5 seconds",)),
    Case("How long are people in view?", None, ("1 minute 20 seconds",)),
    Case("How long is the video?", 0, ("1 minute 20 seconds",)),
    Case("How long does he speak?", None, ("24.6 seconds",)),
    Case("How many times is amiable mentioned?", None, ("Twice", "0:00:50", "0:01:05")),
    Case("How many sentences are spoken?", 5, ("5 stretches",)),
    Case("What was said at 35 seconds?", 35, ("cold-hearted",)),
    Case("What was said between 0:30 and 0:58?", 35, ("cold-hearted", "amiable woman")),
    Case("What was said last?", 65, ("amiable himself",)),
    Case("What is the first thing that is said?", 5, ("Dashwood",)),
    Case("What is the second sentence?", 20, ("ill-disposed young man",)),
    Case("What is written?", None, ("CAFE LUNA", "NO PARKING")),
    Case("What does the sign say in the first 40 seconds?", 30, ("NO PARKING",)),
    Case("Which came first, the wife or the selfish man?", 35, ("“selfish man” came first",)),
    Case("Did the marriage come before the ill-disposed young man?", None, ("No",)),
    Case("In what order are leisure, marriage and selfishness mentioned?", 5, ("leisure", "marriage")),
    Case("When did the bicycle first appear?", 44, ("First at 0:00:44",)),
    Case("When was the bicycle last seen?", 70, ("Last at 0:01:10",)),
    Case("When is a woman seen?", None, ("not whether man, woman or child",)),
    Case("When do people appear?", None, ("Throughout",)),
    Case("Where is the car?", 40, ("on the left of the picture",)),
    Case("Is there a car?", 40, ("Yes",)),
    Case("Who is in the video?", None, ("7 people",)),
    Case("What happened before the marriage was mentioned?", None, ("car",)),
    Case("What was said after the sentence about the cold-hearted man?", 50, ("amiable woman",)),
    Case("What happens at the end?", 70, ("bicycle",)),
    Case("When was marriage discussed?", 50, (), ("at the beginning", "around 0:52", "at 0:20"), 1),
    Case("How many bicycles were there?", None, (), ("1", "2", "5"), 1),
    Case("Was there a car?", 40, (), ("No", "Yes"), 1),
]

KITCHEN_CASES = [
    Case("Who used the screwdriver first?", 62, ("Katrina",)),
    Case("Who used the screwdriver last?", 240, ("Alice",)),
    Case("Who moved the whiteboard?", 36, ("Shure",)),
    Case("Where did I put my keys?", 300, ("blue bowl",)),
    Case("How many eggs do we need?", 130, ("12",)),
    Case("Why are we using the grill?", 400, ("oven is broken",)),
    Case("When did Lucia mention Lisbon?", 500, ("09:08:20",)),
    Case("What did Shure say about the oven?", 400, ("Shure said",)),
    Case("What did Tasha say?", 130, ("twelve eggs",)),
    Case("When did the cat jump on the sofa?", 330, ("cat jumps",)),
    Case("What does Shure like to drink?", 410, ("black coffee",)),
    Case("What happened at 9:05:30?", 330, ("cat",)),
    Case("What was said after 9:06?", 400, ("grill", "Lisbon")),
    Case("How many people are speaking?", None, ("4",)),
    Case("Who wrote the shopping list?", 140, (), ("Lucia", "Katrina", "Shure", "Tasha"), 3),
    Case("What do we need for the cake?", 130, (), ("meat", "eggs and flour", "flowers"), 1),
]

NOT_IN_STREET = [
    "When did a dog appear?",
    "Is there a dog?",
    "How many dogs are there?",
    "Is the man walking a dog?",
    "When did someone ride a horse?",
    "Does anybody talk about football?",
    "What did he say about pizza?",
    "When does somebody talk about the war?",
    "When is a train seen?",
    "When is a red car seen?",
    "How many people wear red hats?",
    "When did a bicycle appear for the third time?",
    "What was said at 5 minutes?",
    "When does he talk about a holiday in Spain?",
]
NOT_IN_KITCHEN = [
    "When was the dog on the sofa?",
    "Did Lucia talk about Paris?",
    "What did Tasha say about Lisbon?",
    "When was the piano played?",
    "What did they say about a swimming pool?",
]


def check(memory: Memory, case: Case, *, base_ns: int) -> None:
    found = answer(memory, case.question, choices=case.choices)
    assert found.answerable, found.text
    assert found.evidence
    assert found.choice == case.choice
    for words in case.says:
        assert words in found.text
    if case.at_s is not None:
        starts = [(each.t_start_ns - base_ns) / 1e9 for each in found.evidence]
        assert abs(starts[0] - case.at_s) <= NEAR_S, starts
    assert len(found.evidence) <= SETTINGS.evidence_k
    assert all(each.keyframe_id and each.event_ids for each in found.evidence)
    assert 0 < found.confidence <= 1


@pytest.mark.parametrize("case", STREET_CASES, ids=lambda case: case.question)
def test_street(street: Memory, case: Case) -> None:
    check(street, case, base_ns=0)


@pytest.mark.parametrize("case", KITCHEN_CASES, ids=lambda case: case.question)
def test_kitchen(kitchen: Memory, case: Case) -> None:
    check(kitchen, case, base_ns=KITCHEN_START_NS)


@pytest.mark.parametrize("question", NOT_IN_STREET)
def test_not_in_street(street: Memory, question: str) -> None:
    found = answer(street, question)
    assert not found.answerable, found.text
    assert found.text.startswith("Not in memory")
    assert found.evidence == ()


@pytest.mark.parametrize("question", NOT_IN_KITCHEN)
def test_not_in_kitchen(kitchen: Memory, question: str) -> None:
    found = answer(kitchen, question)
    assert not found.answerable, found.text
    assert found.text.startswith("Not in memory")


def test_nothing_later_than_the_moment_of_asking(street: Memory) -> None:
    as_of_ns = seconds_to_ns(45)
    early = answer(street, "How many times is amiable mentioned?", as_of_ns=as_of_ns)
    assert not early.answerable
    for question in ("How many people are there?", "What was said last?", "What happens?"):
        found = answer(street, question, as_of_ns=as_of_ns)
        assert found.answerable
        assert all(each.t_end_ns <= as_of_ns for each in found.evidence)
    before = answer(street, "What was said?", as_of_ns=0)
    assert not before.answerable
    assert "by then" in before.text


def test_an_empty_memory_answers_that_it_is_empty(tmp_path: Path, encoder: SentenceEncoder) -> None:
    with Memory.open(tmp_path / "m", write=True, create=True, encoder=encoder) as memory:
        assert answer(memory, "What was said?").text == "Not in memory: it is empty."


def test_answers_are_the_same_twice(street: Memory) -> None:
    for question in ("What did he say about being amiable?", "How many people are there?"):
        first, second = answer(street, question), answer(street, question)
        assert (first.text, first.evidence, first.confidence) == (second.text, second.evidence, second.confidence)


def test_without_an_encoder_words_still_find_their_lines(street_folder: Path) -> None:
    with Memory.open(street_folder) as memory:
        found = answer(memory, "When does someone talk about being selfish?")
        assert found.answerable
        assert found.evidence[0].t_start_ns == seconds_to_ns(35)
        assert not answer(memory, "When does someone talk about pizza?").answerable


def test_what_captions_tell_of_now_and_then_went_on_meanwhile(tmp_path: Path, encoder: SentenceEncoder) -> None:
    lines = ("I wash the dishes", "The cat sleeps", "I am washing the dishes", "I wash the dishes", "I sit down")
    with Memory.open(tmp_path / "m", write=True, create=True, encoder=encoder) as memory:
        write_talk(memory, "2026-05-08", tuple(("", line) for line in lines), kind="caption")
        write_talk(memory, "2026-05-09", (("Anna", "Did you wash the dishes?"),))
        found = answer(memory, "How long did I wash the dishes?")
    assert found.text.startswith("About 35 seconds, from 2026-05-08T14:00:00"), found.text


def test_the_thing_that_is_named_comes_before_others_that_may_be_called_so(
    tmp_path: Path, encoder: SentenceEncoder
) -> None:
    with Memory.open(tmp_path / "m", write=True, create=True, encoder=encoder) as memory:
        write_talk(memory, "2026-05-08", (("Anna", "The mug is in the drawer."), ("Ben", "The cup is on the bag.")))
        assert "drawer" in answer(memory, "Where is the mug?").text
        assert "bag" in answer(memory, "Where is the cup?").text


@pytest.mark.parametrize("choices", [("a", " "), ("x",) * 65])
def test_unusable_choices_are_refused(street: Memory, choices: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        answer(street, "Was there a car?", choices=choices)


class Closer:
    """A `LookAgain` that answers from a script and keeps what it was asked."""

    def __init__(self, *found: Observation) -> None:
        self.found = found
        self.spans: list[tuple[str, float, float]] = []

    def look(
        self, *, recording: str, t_start_ns: int, t_end_ns: int, question: str, deadline_s: float
    ) -> tuple[Observation, ...]:
        assert deadline_s > 0
        self.spans.append((recording, t_start_ns / 1e9, t_end_ns / 1e9))
        return tuple(each for each in self.found if t_start_ns <= each.t_start_ns < t_end_ns)


def umbrella(memory: Memory) -> Observation:
    (event, *_) = memory.events(after_ns=seconds_to_ns(41), before_ns=seconds_to_ns(49))
    return Observation(
        observation_id=stable_id("umbrella"),
        event_id=event.event_id,
        recording="street",
        kind="object",
        t_start_ns=seconds_to_ns(42),
        t_end_ns=seconds_to_ns(46),
        text="umbrella on the right",
        label="umbrella",
        track_id="street/umbrella-1",
        confidence=0.8,
    )


def test_looks_again_at_the_named_span_and_writes_back(tmp_path: Path, encoder: SentenceEncoder) -> None:
    from tests.planners.conftest import STREET

    with Memory.open(tmp_path / "m", write=True, create=True, encoder=encoder) as memory:
        STREET.write(memory, encoder)
        closer = Closer(umbrella(memory))
        question = "When did an umbrella appear between 0:38 and 0:50?"
        found = answer(memory, question, look_again=closer)
        assert closer.spans == [("street", 38.0, 50.0)]
        assert found.answerable
        assert found.evidence[0].t_start_ns == seconds_to_ns(42)
        assert found.spent.looked_again_s == pytest.approx(12.0)
        again = answer(memory, question)  # now it is in memory
        assert again.answerable
        assert again.spent.looked_again_s == 0


@pytest.mark.parametrize("by_time", [True, False])
def test_what_was_forgotten_is_not_answered_by_looking_again(
    tmp_path: Path, encoder: SentenceEncoder, by_time: bool
) -> None:
    from tests.planners.conftest import STREET

    with Memory.open(tmp_path / "m", write=True, create=True, encoder=encoder) as memory:
        STREET.write(memory, encoder)
        seen = umbrella(memory)
        question = "When did an umbrella appear between 0:38 and 0:50?"
        assert answer(memory, question, look_again=Closer(seen)).answerable
        if by_time:
            memory.forget(recordings=["street"], after_ns=seconds_to_ns(41), before_ns=seconds_to_ns(47))
        else:
            memory.forget(about="umbrella")
        for looked in range(2):
            found = answer(memory, question, look_again=Closer(seen))
            assert not found.answerable, looked
            assert found.spent.looked_again_s > 0
        assert not memory.observations(kinds=("object",), labels=["umbrella"])


def test_looking_again_is_bounded_and_not_done_for_speech(street: Memory) -> None:
    closer = Closer()
    found = answer(street, "When did an umbrella appear?", look_again=closer)
    assert not found.answerable
    assert 0 < found.spent.looked_again_s <= SETTINGS.look_again_max_s
    closer = Closer()
    answer(street, "When does he talk about an umbrella?", look_again=closer)
    answer(street, "When did a car appear?", look_again=closer)  # known already
    assert closer.spans == []


def test_two_recordings_are_told_apart(tmp_path: Path, encoder: SentenceEncoder) -> None:
    from tests.planners.conftest import KITCHEN, STREET

    with Memory.open(tmp_path / "m", write=True, create=True, encoder=encoder) as memory:
        STREET.write(memory, encoder)
        KITCHEN.write(memory, encoder)
        cat = answer(memory, "When did the cat jump on the sofa?")
        assert cat.evidence[0].recording == "kitchen"
        assert "kitchen" in cat.text
        assert answer(memory, "When is marriage mentioned?").evidence[0].recording == "street"
