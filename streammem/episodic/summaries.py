"""Extractive summaries of coarser levels: the sentences that carry most of what recurs, in order of time.

No model. Follows SumBasic (Nenkova & Vanderwende 2005): take the sentence whose words are most probable, square the
probabilities of the words it used, repeat. So a summary covers the topics of its span, and repeats none. Costs about a
millisecond for a hundred sentences.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from streammem.types import Level

_LENGTH: dict[Level, int] = {Level.EPISODE: 600, Level.HOUR: 900, Level.DAY: 1200}
"""Characters. A sentence encoder reads about 1,000; a person skims no more."""
KEEP_TEXTS = 256
"""Candidate texts a segment keeps while open: bounds its state."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_STOP_WORDS = (
    "the and for are was were with that this his her him she they them you your our its but not had has have from out "
    "all one who what when where which there here then than into over some any can will would could been being did "
    "does just very also about like seen heard scene"
)
_STOP = frozenset(_STOP_WORDS.split(" "))


def content_words(text: str) -> list[str]:
    """Lower-cased words of three letters or more that carry meaning."""
    return [word for word in _WORD.findall(text.lower()) if word not in _STOP]


def summarise(texts: Sequence[tuple[str, float]], *, level: Level) -> str:
    """Summary of the children's texts.

    Args:
        texts: (text, weight) in order of time; the weight is the seconds the text stands for.
        level: how long the summary may be.
    """
    sentences: list[tuple[int, str, list[str]]] = []
    seen: set[str] = set()
    counts: dict[str, float] = defaultdict(float)
    for text, weight in texts:
        for sentence in _SENTENCE.split(text):
            sentence = sentence.strip()
            words = content_words(sentence)
            if not words:
                continue
            for word in words:
                counts[word] += max(1.0, weight) ** 0.5
            if sentence not in seen:
                seen.add(sentence)
                sentences.append((len(sentences), sentence, words))
    total = sum(counts.values())
    probability = {word: count / total for word, count in counts.items()}
    left = _LENGTH.get(level, 600)
    chosen: list[tuple[int, str]] = []
    while sentences:
        best = max(sentences, key=lambda item: (sum(probability[w] for w in item[2]) / len(item[2]), -item[0]))
        sentences.remove(best)
        if len(best[1]) <= left:
            chosen.append((best[0], best[1]))
            left -= len(best[1]) + 1
        for word in best[2]:
            probability[word] **= 2
        if left < 40:
            break
    return " ".join(sentence for _, sentence in sorted(chosen))


def prune(texts: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Keeps at most `KEEP_TEXTS`: drops every second text of the older half, so that no part of the span is lost."""
    if len(texts) <= KEEP_TEXTS:
        return texts
    half = len(texts) // 2
    return texts[:half:2] + texts[half:]
