"""Forty questions that were written after the planner was fixed, asked once, and only then looked at.

First score: 31 of 40 (of the nine: three abstained from what is there, three were parsed wrongly, two were answered
though they are not there, one named the wrong person). Four were repaired since, so this set no longer is held out; it
stays as a floor.
"""

from __future__ import annotations

from planners import ask
from planners.reasoners.extractive import ExtractiveReasoner
from streammem.memory import Memory
from streammem.settings import PlannerSettings
from tests.planners.conftest import KITCHEN_START_NS

FLOOR = 35

# memory, question, start of the first evidence in seconds, words in the answer; neither: it is not in memory
QUESTIONS: tuple[tuple[str, str, int | None, str | None], ...] = (
    ("street", "When does he mention a married lady?", 50, None),
    ("street", "At what moment is selfishness talked about?", 35, None),
    ("street", "Tell me when the ill-disposed fellow is mentioned", 20, None),
    ("street", "Has anyone said anything about respectability?", 50, None),
    ("street", "What did the speaker say about Dashwood's leisure?", 5, None),
    ("street", "When is heartlessness mentioned?", 35, None),
    ("street", "Which comes earlier, the bike or the car?", 40, None),
    ("street", "How many pedestrians can you count?", None, "7 different"),
    ("street", "How many bikes are visible in the last 15 seconds of the video?", None, "1 bicycle"),
    ("street", "What can be read in the picture at 0:31?", None, "NO PARKING"),
    ("street", "For how long is a bicycle in view?", None, "6 seconds"),
    ("street", "When was the first bike?", 44, None),
    ("street", "What's the final sentence?", 65, None),
    ("street", "Do you see any vehicles?", 40, None),
    ("street", "Are there any animals?", None, None),
    ("street", "Was there a truck?", None, None),
    ("street", "When did it start to snow?", None, None),
    ("street", "What did he say about computers?", None, None),
    ("street", "When is a guitar played?", None, None),
    ("street", "Who mentions the president?", None, None),
    ("street", "How long is the elephant visible?", None, None),
    ("street", "What was said about cooking?", None, None),
    ("street", "How many people were there between 1:00 and 1:10?", None, "3 different"),
    ("street", "What does he say right after mentioning the amiable woman?", 65, None),
    ("street", "When was the CAFE LUNA text shown?", 60, None),
    ("kitchen", "Who picked up the screwdriver?", None, "Katrina:"),
    ("kitchen", "Where are my keys?", 300, None),
    ("kitchen", "What is Lucia's plan for March?", 500, None),
    ("kitchen", "How many bags of flour are needed?", None, "2:"),
    ("kitchen", "Who dried the dishes?", None, "Lucia:"),
    ("kitchen", "Why can't the oven be used?", 400, None),
    ("kitchen", "Did anybody order sushi?", None, None),
    ("kitchen", "When did Alice cook?", None, None),
    ("kitchen", "What happened right before Alice took the screwdriver?", None, "pizza"),
    ("kitchen", "Which animal is on the sofa?", None, "cat"),
    ("kitchen", "What did Lucia say last?", None, "Lisbon"),
    ("kitchen", "When did Katrina use the screwdriver for the second time?", 90, None),
    ("kitchen", "What is written on the list?", None, "eggs"),
    ("kitchen", "Did someone turn on the light?", 5, None),
    ("kitchen", "When was the violin heard?", None, None),
)


def test_forty_questions(street: Memory, kitchen: Memory) -> None:
    wrong: list[str] = []
    for name, question, at_s, words in QUESTIONS:
        memory, base_ns = (street, 0) if name == "street" else (kitchen, KITCHEN_START_NS)
        found = ask(memory, question, settings=PlannerSettings(), reasoner=ExtractiveReasoner())
        if at_s is None and words is None:
            right = not found.answerable
        elif at_s is not None:
            right = found.answerable and abs((found.evidence[0].t_start_ns - base_ns) / 1e9 - at_s) <= 2.0
        else:
            right = found.answerable and words is not None and words in found.text
        if not right:
            wrong.append(f"{question} -> {found.text}")
    assert len(QUESTIONS) - len(wrong) >= FLOOR, wrong
    print(f"{len(QUESTIONS) - len(wrong)} of {len(QUESTIONS)}", *wrong, sep="\n")
