"""A yes states the predicate that was asked, of its subject, with its object; part of it is no yes."""

from __future__ import annotations

from pathlib import Path

import pytest

from planners import ask
from planners.english.polarity import Polarity, asked_of, polarity_of
from planners.english.words import name_words
from planners.question import parse_question
from planners.reasoners.extractive import ExtractiveReasoner
from streammem.memory import Memory
from streammem.settings import PlannerSettings
from tests.planners.conftest import SentenceEncoder
from tests.planners.talks import answer, write_talk

SPEAKERS = {"tasha", "ben", "cleo", "anna", "mia", "tom", "lena", "raj"}

LINES: list[tuple[str, str, str, Polarity]] = [
    # question, speaker (empty: a caption), line, what it says
    # the verb
    ("Did Tasha buy flowers?", "Tasha", "I was arranging flowers.", "nothing"),
    ("Did Tasha buy flowers?", "Tasha", "The flowers are on the table.", "nothing"),
    ("Did Tasha buy flowers?", "Tasha", "I sold flowers at the market.", "nothing"),
    ("Did Tasha buy flowers?", "Tasha", "I love flowers.", "nothing"),
    ("Did Tasha buy flowers?", "Tasha", "I didn't arrange any flowers.", "nothing"),
    ("Did Tasha buy flowers?", "Tasha", "I bought some fresh flowers.", "states"),
    ("Did Tasha buy flowers?", "Tasha", "I purchased flowers this morning.", "states"),
    ("Did Tasha buy flowers?", "Tasha", "I went to the market and bought flowers.", "states"),
    ("Did Tasha buy flowers?", "Tasha", "The flowers were lovely, so I bought them.", "states"),
    ("Did Tasha buy flowers?", "Tasha", "I didn't buy flowers.", "denies"),
    ("Did Tasha buy flowers?", "Tasha", "I forgot to buy flowers.", "denies"),
    ("Did Tasha buy flowers?", "Tasha", "I managed to buy flowers.", "states"),
    ("Did Tasha buy flowers?", "Tasha", "I have to buy flowers.", "nothing"),
    ("Did Tasha get a dog?", "Tasha", "I adopted a dog.", "states"),
    ("Did Tasha adopt a dog?", "Tasha", "I got a dog.", "nothing"),
    ("Did Ben make a cake?", "Ben", "I baked a cake for the party.", "states"),
    ("Did Ben bake a cake?", "Ben", "I ate a cake.", "nothing"),
    ("Did Ben go to Oslo?", "Ben", "I flew to Oslo.", "states"),
    ("Did Ben fly to Oslo?", "Ben", "I didn't go to Oslo.", "denies"),
    ("Did Ben go to Oslo?", "Ben", "I didn't fly to Oslo.", "nothing"),
    ("Did Ben go to Oslo?", "Ben", "I love Oslo.", "nothing"),
    ("Did Ben open the window?", "", "Ben looks at the window.", "nothing"),
    ("Did Ben open the window?", "", "Ben opens the window.", "states"),
    ("Did someone turn on the light?", "", "I switch on the light.", "states"),
    ("Did someone turn on the light?", "", "I switch off the light.", "nothing"),
    # who does it
    ("Did Tasha buy flowers?", "Ben", "I bought flowers for Tasha.", "nothing"),
    ("Did Tasha buy flowers?", "Ben", "Tasha bought flowers.", "states"),
    ("Did Tasha buy flowers?", "Ben", "Tasha and Cleo bought flowers.", "states"),
    ("Did Tasha buy flowers?", "Ben", "Tasha told me that Cleo bought flowers.", "nothing"),
    ("Did Tasha buy flowers?", "Ben", "She bought flowers.", "nothing"),
    ("Did Tasha buy flowers?", "Ben", "Tasha was late, she bought flowers.", "states"),
    ("Did Tasha buy flowers?", "Ben", "The flowers were bought by Tasha.", "states"),
    ("Did Tasha buy flowers?", "Tasha", "The flowers were bought by Ben.", "nothing"),
    ("Did Tasha buy flowers?", "Tasha", "My sister bought flowers.", "nothing"),
    ("Did Tasha buy flowers?", "Tasha", "I helped Ben buy flowers.", "nothing"),
    ("Did Tasha buy flowers?", "Tasha", "Buy flowers!", "nothing"),
    ("Did Tasha give Ben a book?", "Ben", "Tasha gave me a book.", "states"),
    ("Did Tasha give Ben a book?", "Ben", "I gave Tasha a book.", "nothing"),
    ("Did the dog chase the cat?", "Ben", "The cat chased the dog.", "nothing"),
    ("Did the dog chase the cat?", "Ben", "The dog chased the cat.", "states"),
    ("Did the dog chase the cat?", "Ben", "The cat was chased by the dog.", "states"),
    ("Did Anna and Ben go to Oslo?", "Anna", "I went to Oslo.", "nothing"),
    ("Did Anna and Ben go to Oslo?", "Anna", "Ben and I went to Oslo.", "states"),
    # what it is done to
    ("Did Tasha buy flowers?", "Tasha", "I bought a vase for the flowers.", "nothing"),
    ("Did Tasha buy flowers?", "Tasha", "I bought bread and saw flowers.", "nothing"),
    ("Did Tasha buy flowers?", "Tasha", "I bought a bunch of flowers.", "states"),
    ("Did Tasha buy flowers?", "Tasha", "I bought bread, and the flowers were lovely.", "nothing"),
    ("Did Tasha buy flowers?", "Tasha", "I bought chocolate instead of flowers.", "denies"),
    ("Did Tasha buy red flowers?", "Tasha", "I bought flowers.", "nothing"),
    ("Did Ben break his leg?", "Ben", "I broke my arm.", "nothing"),
    ("Did Ben break his leg?", "Ben", "I broke my left leg.", "states"),
    # what something is, and where
    ("Is Anna a teacher?", "Anna", "I met a teacher.", "nothing"),
    ("Is Anna a teacher?", "Anna", "My teacher is nice.", "nothing"),
    ("Is Anna a teacher?", "Anna", "I am a teacher.", "states"),
    ("Is Anna a teacher?", "Anna", "I'm a very tired teacher.", "states"),
    ("Is Anna a teacher?", "Anna", "I work as a teacher.", "states"),
    ("Is Anna a teacher?", "Ben", "Anna is not a teacher.", "denies"),
    ("Is Anna a teacher?", "Anna", "I was a cook before I became a teacher.", "states"),
    ("Is Anna a cook?", "Anna", "I was a cook before I became a teacher.", "nothing"),
    ("Is Anna a teacher?", "Anna", "I want to become a teacher.", "nothing"),
    ("Is Anna married?", "Anna", "My husband is tall.", "states"),
    ("Is Anna married?", "Anna", "I met her husband.", "nothing"),
    ("Is the mug red?", "Ben", "The red mug is broken.", "states"),
    ("Is the mug red?", "Ben", "The mug is next to the red lamp.", "nothing"),
    ("Is the mug in the sink?", "Ben", "The mug is in the sink.", "states"),
    ("Is the mug in the sink?", "Ben", "I put the mug in the sink.", "states"),
    ("Is the mug in the sink?", "Ben", "I took the mug out of the sink.", "nothing"),
    ("Is the mug in the sink?", "Ben", "The mug is under the sink.", "nothing"),
    ("Is the mug in the sink?", "Ben", "The mug was in the sink.", "nothing"),
    ("Was the mug in the sink?", "Ben", "The mug was in the sink.", "states"),
    # what somebody has
    ("Does Anna have a dog?", "Anna", "I saw a dog in the park.", "nothing"),
    ("Does Anna have a dog?", "Anna", "I like dogs.", "nothing"),
    ("Does Anna have a dog?", "Anna", "I have a dog.", "states"),
    ("Does Anna have a dog?", "Anna", "My dog is ill.", "states"),
    ("Does Anna have a dog?", "Ben", "Anna's dog is ill.", "states"),
    ("Does Anna have a dog?", "Ben", "My dog is ill.", "nothing"),
    ("Does Anna have a dog?", "Anna", "I had a dog.", "nothing"),
    ("Does Anna have a dog?", "Anna", "I have no dog.", "denies"),
    ("Does Anna have a dog?", "Anna", "I have a book about dogs.", "nothing"),
    # what is now, and what is to come
    ("Does Anna live in Berlin?", "Anna", "I lived in Berlin.", "nothing"),
    ("Does Anna live in Berlin?", "Anna", "I have lived in Berlin for years.", "states"),
    ("Will Anna go to Oslo?", "Anna", "I went to Oslo.", "nothing"),
    ("Can Anna swim?", "Anna", "I can swim.", "states"),
    ("Can Anna swim?", "Anna", "I never learned to swim.", "denies"),
    # of everyday talk
    ("Did Mia feed the cat?", "Mia", "I have already fed the cat.", "states"),
    ("Did Mia feed the cat?", "Tom", "Mia, I fed the cat.", "nothing"),
    ("Did Mia feed the cat?", "Tom", "Mia fed the cat and the dog.", "states"),
    ("Did Mia feed the cat?", "Tom", "Mia fed the dog while the cat slept.", "nothing"),
    ("Did Mia feed the cat?", "", "Mia feeds a cat in the yard.", "states"),
    ("Did Mia feed the cat?", "", "Mia pets the cat.", "nothing"),
    ("Did Mia feed the cat?", "Mia", "The cat hasn't been fed yet.", "denies"),
    ("Did Mia feed the cat?", "Tom", "The cat was fed by Raj.", "nothing"),
    ("Did Tom call the doctor?", "Tom", "I phoned the doctor at nine.", "states"),
    ("Did Tom call the doctor?", "Tom", "The doctor called me.", "nothing"),
    ("Did Tom call the doctor?", "Lena", "The doctor called Tom.", "nothing"),
    ("Did Tom call the doctor?", "Lena", "Tom should call the doctor.", "nothing"),
    ("Did Tom call the doctor?", "Tom", "I never called the doctor.", "denies"),
    ("Did Lena lose her keys?", "Lena", "I lost my keys again.", "states"),
    ("Did Lena lose her keys?", "Lena", "I found my keys.", "nothing"),
    ("Did Lena lose her keys?", "Tom", "Lena lost her wallet, not her keys.", "denies"),
    ("Has Raj finished the report?", "Raj", "I finished the report last night.", "states"),
    ("Has Raj finished the report?", "Raj", "I am still writing the report.", "nothing"),
    ("Has Raj finished the report?", "Raj", "The report is done.", "nothing"),
    ("Has Raj ever been to Japan?", "Raj", "I went to Japan in 2019.", "states"),
    ("Has Raj ever been to Japan?", "Raj", "I'd love to go to Japan.", "nothing"),
    ("Has Raj ever been to Japan?", "Raj", "My boss is from Japan.", "nothing"),
    ("Has Raj ever been to Japan?", "Raj", "I've never been to Japan.", "denies"),
    ("Is Tom a vegetarian?", "Tom", "I'm a vegetarian.", "states"),
    ("Is Tom a vegetarian?", "Tom", "My wife is a vegetarian.", "nothing"),
    ("Is Tom a vegetarian?", "Tom", "I cooked for a vegetarian.", "nothing"),
    ("Is Tom a vegetarian?", "Lena", "Tom isn't a vegetarian anymore.", "denies"),
    ("Is Lena tired?", "Lena", "I am so tired today.", "states"),
    ("Is Lena tired?", "Lena", "The kids are tired.", "nothing"),
    ("Is Lena tired?", "Tom", "Lena looks tired.", "nothing"),
    ("Is the door locked?", "Tom", "I locked the door.", "states"),
    ("Is the door locked?", "Tom", "The door isn't locked.", "denies"),
    ("Is the door locked?", "Tom", "The window is locked, the door is open.", "nothing"),
    ("Is the bread in the oven?", "Tom", "The bread is in the oven.", "states"),
    ("Is the bread in the oven?", "Tom", "The pizza is in the oven and the bread is on the table.", "nothing"),
    ("Is the bread in the oven?", "", "Lena puts the bread into the oven.", "states"),
    ("Does Mia have a brother?", "Mia", "I have two brothers.", "states"),
    ("Does Mia have a brother?", "Mia", "My friend's brother is here.", "nothing"),
    ("Does Mia have a brother?", "Tom", "Mia has a sister.", "nothing"),
    ("Does Mia own a car?", "Mia", "I don't own a car.", "denies"),
    ("Does Mia own a car?", "Mia", "I rented a car.", "nothing"),
    ("Does Mia own a car?", "Mia", "My car broke down.", "states"),
    ("Does Tom work at a bank?", "Tom", "I work at a bank.", "states"),
    ("Does Tom work at a bank?", "Tom", "I went to the bank.", "nothing"),
    ("Does Tom work at a bank?", "Lena", "Tom works near a bank.", "nothing"),
    ("Does Tom speak Spanish?", "Tom", "I speak a little Spanish.", "states"),
    ("Does Tom live alone?", "Tom", "I live alone.", "states"),
    ("Does Tom live alone?", "Tom", "I live with my sister.", "nothing"),
    ("Will Lena come to the party?", "Lena", "I will come to the party.", "states"),
    ("Will Lena come to the party?", "Lena", "I can't come to the party.", "denies"),
    ("Will Lena come to the party?", "Lena", "The party was great.", "nothing"),
    ("Did it rain?", "Tom", "It rained all day.", "states"),
    ("Did it rain?", "Tom", "It didn't rain.", "denies"),
    ("Did the plumber come?", "Tom", "The plumber came at noon.", "states"),
    ("Did the plumber come?", "Tom", "I came before the plumber.", "nothing"),
    ("Did the kids eat the cake?", "Lena", "The kids ate all of the cake.", "states"),
    ("Did the kids eat the cake?", "Lena", "The dog ate the cake of the kids.", "nothing"),
    ("Did anyone water the plants?", "", "I water the plants on the sill.", "states"),
    ("Did anyone water the plants?", "Lena", "The plants look dry.", "nothing"),
    ("Did Raj put the book on the shelf?", "Raj", "I put the book on the shelf.", "states"),
    ("Did Raj put the book on the shelf?", "Raj", "I put the lamp on the shelf next to the book.", "nothing"),
    ("Did Raj put the book on the shelf?", "Raj", "I took the book off the shelf.", "nothing"),
    ("Did Mia take the train to Rome?", "Mia", "I took the train to Rome.", "states"),
    ("Did Mia take the train to Rome?", "Mia", "I took the bus to Rome.", "nothing"),
    ("Did Mia take the train to Rome?", "Mia", "I missed the train to Rome.", "nothing"),
    ("Did Mia win the race?", "Mia", "I lost the race.", "denies"),
    ("Did Mia win the race?", "Mia", "I won the race!", "states"),
    ("Did Mia win the race?", "Mia", "I watched the race.", "nothing"),
    ("Did Tom break the vase?", "Tom", "The vase broke.", "nothing"),
    ("Did Tom break the vase?", "Lena", "Tom knocked over the vase.", "nothing"),
    ("Did Lena see the dog?", "Lena", "I saw the dog.", "states"),
    ("Did Lena tell Raj about the plan?", "Lena", "I told Raj about the plan.", "states"),
    ("Did Lena leave the house?", "", "Lena leaves the house.", "states"),
    ("Did Tom fall off his bike?", "Tom", "I fell off my bike.", "states"),
    ("Did Tom start a new job?", "Tom", "I started a new job on Monday.", "states"),
    ("Did Tom start a new job?", "Tom", "I quit my job.", "nothing"),
    ("Did Tom stop smoking?", "Tom", "I quit smoking.", "states"),
    ("Did Tom stop smoking?", "Tom", "I started smoking.", "nothing"),
    ("Is Mia's brother a doctor?", "Mia", "My brother is a doctor.", "states"),
    ("Is Mia's brother a doctor?", "Tom", "My brother is a doctor.", "nothing"),
    ("Is Mia's brother a doctor?", "Tom", "Mia's brother is a doctor.", "states"),
    ("Does Mia's mother cook?", "Mia", "My mother cooks every day.", "states"),
    ("Are the tickets expensive?", "Tom", "The tickets were expensive.", "nothing"),
    ("Are the tickets expensive?", "Tom", "The tickets are really expensive.", "states"),
    ("Was the film good?", "Tom", "The film was good.", "states"),
    ("Was the film good?", "Tom", "The popcorn was good.", "nothing"),
    ("Were the windows cleaned?", "Tom", "I cleaned the windows.", "states"),
    ("Did Mia and Tom argue?", "Mia", "Tom and I argued.", "states"),
    ("Did Mia and Tom argue?", "Mia", "I argued with my boss.", "nothing"),
    ("Did the plumber come?", "Tom", "The plumber has come.", "states"),
    ("Did Mia come back from Rome?", "Mia", "I came back from Rome.", "states"),
    ("Did Mia travel from Rome to Oslo?", "Mia", "I travelled from Rome to Oslo.", "states"),
    ("Did Mia go to Rome?", "Mia", "I came back from Rome.", "nothing"),
]


@pytest.mark.parametrize(("question", "speaker", "line", "says"), LINES)
def test_what_a_line_says_of_the_whole_question(question: str, speaker: str, line: str, says: Polarity) -> None:
    plan = parse_question(question)
    asked = asked_of(question, plan.target, names=name_words(question), speakers=SPEAKERS)
    said = polarity_of(line, asked, speaker=speaker.title() or None)
    # Whether it says nothing of it, supposes or asks it makes no difference: none is a yes or a no.
    assert (said if said in {"states", "denies"} else "nothing") == says


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("talk") / "memory"
    with Memory.open(folder, write=True, create=True, encoder=SentenceEncoder()) as memory:
        lines = (
            ("Tasha", "I was arranging flowers in a vase."),
            ("Ben", "I photographed two puppies at the market."),
            ("Ben", "Did you like the soup, Tasha?"),
            ("Tasha", "Yes, very much."),
            ("Tasha", "You passed the exam!"),
            ("Cleo", "I am so relieved."),
        )
        write_talk(memory, "2023-05-08", lines)
        write_talk(memory, "2023-05-09", (("", "Ben carries a ladder into the garden."),), kind="caption")
    return folder


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("Did Tasha arrange flowers?", "Yes: Tasha said “I was arranging flowers in a vase.”"),
        ("Did Ben photograph any dogs?", "Yes: Ben said “I photographed two puppies"),
        ("Did Ben carry the ladder into the garden?", "Yes: Ben carries a ladder"),
        ("Did Tasha buy flowers?", "the nearest said is “I was arranging flowers in a vase.” (Tasha, at 2023-05-08"),
        ("Has Tasha sold flowers?", "the nearest said is “I was arranging flowers in a vase.”"),
        ("Did Ben adopt two puppies?", "the nearest said is “I photographed two puppies at the market.”"),
        ("Did Ben climb the ladder in the garden?", "the nearest in memory is Ben carries a ladder into the garden"),
        ("Did Tasha cook the soup?", None),  # "Yes" answered another question
        ("Did Ben pass the exam?", None),  # "you" may be Cleo
    ],
)
def test_what_nothing_states_is_not_affirmed(shop: Path, question: str, says: str | None) -> None:
    found = answer(shop, question)
    assert found.answerable == (says is not None and says.startswith("Yes")), found.text
    assert says is None or says in found.text


@pytest.mark.parametrize(
    ("question", "choice"),
    [
        ("Did Tasha arrange flowers?", 0),
        ("Did Tasha buy flowers?", None),
        ("Did Ben adopt two puppies?", None),
        ("Was Tasha arranging flowers?", 0),
    ],
)
def test_neither_yes_nor_no_is_chosen_where_nothing_states_it(shop: Path, question: str, choice: int | None) -> None:
    with Memory.open(shop, encoder=SentenceEncoder()) as memory:
        found = ask(memory, question, choices=("Yes", "No"), settings=PlannerSettings(), reasoner=ExtractiveReasoner())
    assert found.choice == choice, found.text
    assert found.answerable == (choice is not None)
