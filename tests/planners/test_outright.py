"""Who did it, when, where and what: lines that only sound alike do not say so, and plans are no doings."""

from __future__ import annotations

from pathlib import Path

import pytest

from streammem.memory import Memory
from tests.planners.conftest import SentenceEncoder
from tests.planners.talks import answer, write_talk

TALK = (
    ("Tasha", "I was arranging flowers in a vase."),
    ("Ben", "We should paint the hallway."),
    ("Cleo", "I painted the kitchen in May."),
    ("Anna", "I would love to adopt a kitten."),
    ("Mia", "I adopted a parrot from the shelter."),
    ("Tom", "I don't speak Italian, but I want to learn it."),
    ("Tom", "I bought a lamp at the flea market."),
    ("Anna", "Did you lock the front door?"),
    ("Tom", "No, I forgot."),
    ("Mia", "My aunt lives in Norway, and I visited her in May."),
    ("Gina", "I just launched a campaign for my shop in hopes of growing it."),
    ("Gina", "Guess what - I got a puppy two weeks ago! Her name's Coco."),
    ("Jon", "I am teaching a lot, and next month I want to host a contest."),
    ("Jon", "Just yesterday I joined a choir. I wanted to feel closer to people."),
    ("Jon", "I have a colleague who goes to conventions. We went to a convention together last month."),
)
NEAR = "Not said in so many words; the nearest: "


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("talk") / "memory"
    with Memory.open(folder, write=True, create=True, encoder=SentenceEncoder()) as memory:
        write_talk(memory, "2023-05-08", TALK)
        write_talk(memory, "2023-05-09", (("", "Mia carries a basket to the cellar."),), kind="caption")
    return folder


@pytest.mark.parametrize(
    ("question", "begins"),
    [
        ("Who arranged flowers?", "Tasha: Tasha said"),
        ("Who bought flowers?", NEAR),
        ("Who painted the kitchen?", "Cleo: Cleo said"),
        ("Who painted the hallway?", None),
        ("Who adopted a parrot?", "Mia: Mia said"),
        ("Who adopted a kitten?", None),
        ("Who carried the basket to the cellar?", "Mia: Mia carries"),
        ("Who sold the basket?", NEAR),
        ("When did Cleo paint the kitchen?", "In May 2023"),
        ("When did Tasha buy flowers?", NEAR),
        ("When did Ben paint the hallway?", None),
        ("Where did Tom buy the lamp?", "At 2023-05-08"),
        ("Where did Tasha buy the flowers?", NEAR),
        ("What did Tom buy?", "Tom said “I bought a lamp"),
        ("What did Tasha buy?", None),
        ("Does Tom speak Italian?", "No: Tom said"),
        ("Did Tom lock the front door?", "No: Tom said “No, I forgot.”"),
        ("Did Mia lock the front door?", None),
        ("Did Mia visit her aunt?", "Yes: Mia said"),
        ("When did Gina launch a campaign for her shop?", "At 2023-05-08"),
        ("When did Gina get a puppy?", "Around 24 April 2023"),
        ("When did Jon host a contest?", "Nothing says that it was done; the nearest: In June 2023"),
        ("What did Jon do to feel closer to people?", "Jon said “Just yesterday I joined a choir."),
    ],
)
def test_what_is_only_near_is_told_as_that(talk: Path, question: str, begins: str | None) -> None:
    found = answer(talk, question)
    assert found.answerable == (begins is not None), found.text
    assert begins is None or found.text.startswith(begins), found.text
    assert not found.text.startswith(NEAR) or found.confidence < 0.6
