"""Cutting recognised words into sentences: on words as Whisper writes them, and on the street clip's five sentences."""

from __future__ import annotations

import json
import re
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.models.registry import Models
from perception.models.sentences import MAX_S, MAX_WORDS, MIN_WORDS, SpokenWord, cut_sentences


def _words(text: str, *, word_s: float = 0.3, pauses: dict[int, float] | None = None) -> list[SpokenWord]:
    """Words of a text, `word_s` each; `pauses`: seconds of silence before the word with this number. A `|` before a
    word starts one of the recogniser's segments, a `~` glues it to the word before."""
    words: list[SpokenWord] = []
    t_s = 0.0
    for number, word in enumerate(text.split()):
        t_s += (pauses or {}).get(number, 0.0)
        starts, glued = word.startswith("|"), word.startswith("~")
        word = word.lstrip("|~")
        words.append(
            SpokenWord(
                text=word if glued else f" {word}",
                t_start_s=t_s,
                t_end_s=t_s + word_s,
                probability=0.9,
                starts_segment=starts or number == 0,
            )
        )
        t_s += word_s
    return words


def _texts(words: list[SpokenWord]) -> list[str]:
    return ["".join(word.text for word in sentence).strip() for sentence in cut_sentences(words)]


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        ("And Mr. |John Dashwood came. He left.", ["And Mr. John Dashwood came.", "He left."]),
        ("more respectable than |he was. |Then he slept.", ["more respectable than he was.", "Then he slept."]),
        ("Ask Dr. Who or J. R. Smith. Now!", ["Ask Dr. Who or J. R. Smith.", "Now!"]),
        ("It costs 3. ~5 euros. Pay.", ["It costs 3.5 euros.", "Pay."]),
        ("Look at no. 7 first. No. Not there.", ["Look at no. 7 first.", "No.", "Not there."]),
        ("Come at 5 p.m. tomorrow. At 6 p.m. We eat.", ["Come at 5 p.m. tomorrow.", "At 6 p.m.", "We eat."]),
        ('"Stop." He did?" Yes…', ['"Stop."', 'He did?"', "Yes…"]),
        ("今日は。 ~はい。", ["今日は。", "はい。"]),
    ],
)
def test_full_stops_that_end_a_sentence_and_those_that_do_not(spoken: str, expected: list[str]) -> None:
    assert _texts(_words(spoken)) == expected


def test_pauses() -> None:
    said = "one two three |four five"
    assert _texts(_words(said, pauses={2: 0.7})) == ["one two three four five"]
    assert _texts(_words(said, pauses={2: 0.9})) == ["one two", "three four five"]
    # Utterances of different times share the recogniser's window: 0.3 s of silence and a new segment part them.
    assert _texts(_words(said, pauses={3: 0.3})) == ["one two three", "four five"]
    assert _texts(_words("dear Mr. |Dashwood", pauses={2: 1.0})) == ["dear Mr. Dashwood"]
    assert cut_sentences([]) == []


def test_a_long_sentence_is_cut_at_a_comma_or_at_its_longest_pause() -> None:
    plain = [f"w{number}" for number in range(40)]
    comma = [*plain[:17], "w17,", *plain[18:]]
    assert [len(part) for part in cut_sentences(_words(" ".join(comma), word_s=0.2))] == [18, 22]
    paused = _words(" ".join(plain), word_s=0.2, pauses={25: 0.7})
    assert [len(part) for part in cut_sentences(paused)] == [25, 15]
    # Fewer words than two parts need stay together, however slow.
    assert len(cut_sentences(_words("so very slow it is", word_s=4.0))) == 1


@given(
    st.lists(
        st.tuples(st.sampled_from(["he", "Mr.", "was,", "it.", "3.", "no."]), st.floats(0, 0.2), st.booleans()),
        min_size=1,
        max_size=120,
    )
)
def test_no_word_is_lost_and_no_part_is_too_long(spoken: list[tuple[str, float, bool]]) -> None:
    text = " ".join(("|" if starts else "") + word for word, _, starts in spoken)
    words = _words(text, pauses={number: pause for number, (_, pause, _) in enumerate(spoken)})
    sentences = cut_sentences(words)
    assert [word for sentence in sentences for word in sentence] == words
    for sentence in sentences:
        assert len(sentence) <= max(MAX_WORDS, 2 * MIN_WORDS)
        assert sentence[-1].t_end_s - sentence[0].t_start_s <= MAX_S or len(sentence) < 2 * MIN_WORDS


def test_the_five_sentences_of_the_street_clip(models: Models, evaluation_data: Path) -> None:
    """Each is one stretch, whole, at its time, though recognised in windows that it shares with others."""
    media = evaluation_data / "media"
    truth = json.loads((media / "street_talk.json").read_text(encoding="utf-8"))["speech"]
    assert models.speech is not None
    blocks = []
    resampler = av.AudioResampler(format="flt", layout="mono", rate=16_000)
    with av.open(str(media / "street_talk.mp4")) as container:
        for frame in container.decode(audio=0):
            blocks += [block.to_ndarray()[0] for block in resampler.resample(frame)]
    sound = np.concatenate(blocks)
    starts = [float(line["start_s"]) for line in truth]
    ends = [min(start + 10.0, len(sound) / 16_000) for start in starts]
    joined = np.concatenate([sound[int(a * 16_000) : int(b * 16_000)] for a, b in zip(starts, ends, strict=True)])
    heard = models.speech.transcribe(joined)

    def plain(text: str) -> list[str]:
        return re.sub(r"[^a-z ]", "", text.lower().replace("-", " ").replace("mr.", "mister")).split()

    # A word may be misheard ("old" for "ill"), a boundary may not.
    assert [len(plain(one.text)) for one in heard] == [len(line["text"].split()) for line in truth]
    for number, (one, line) in enumerate(zip(heard, truth, strict=True)):
        assert plain(one.text)[0] == line["text"].split()[0]
        assert 10.0 * number - 0.5 < one.t_start_s < 10.0 * number + 1.0
        assert one.t_end_s - one.t_start_s < 7.5
