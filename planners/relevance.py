"""How well a remembered text supports what is looked for: the judgement that abstaining rests on.

A sentence encoder alone cannot say "not in memory": on short spoken sentences the right line scores as low as 0.22
("wife" for "had he married a more amiable woman") and a wrong one as high as 0.27. So three things are put together:
the cosine of the whole texts, how many of the wanted words are covered (by stem, by another name, or by a near word
embedding), and vetoes: a name that is not there, a different thing of the same sort (cat for dog).

Knows the texts and, where the memory has one, its encoder; knows no stored rows. One encoder call per question for
all candidate texts and words (words are cached).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

import numpy as np
import numpy.typing as npt

from planners.english.vocabulary import exclude_each_other, is_kind_of_person, label_for_word, names_thing, same_thing
from planners.english.words import SCAFFOLD_WORDS, content_words, name_words, number_of, stem, stems_of
from streammem.protocols import QueryEncoder

SUPPORT_ENOUGH = 0.5
"""Support at which a text counts as being about the target."""

_WORD_FLOOR, _WORD_CEILING = 0.48, 0.85
"""Cosine between single words: unrelated ones reach 0.48 in MiniLM, inflections and synonyms start near 0.6."""
_NAME_RATIO = 0.8
"""Names that differ in spelling by less are the same (speech recognition writes them as it hears them)."""
_SHORT_NAME = 3
"""Letters of a short form: `Mel` is Melanie."""
NAME_AND_MORE_COSINE = 0.7
"""A text that shares only a name with the target is about something else unless it is this near as a whole."""
_MAX_WORD_CACHE = 20_000
NAMED = 0.6
"""Cover from which on a word names the same thing: `bunny` covers `rabbit` with 0.85, `bird` with 0.2."""
MANY_TEXTS, PARAPHRASE = 300, 0.65
"""Among so many texts, one that lacks a wanted word must be this near as a whole. Over 6,000 lines of a day, texts that
lack a word reach 0.64 for 23 of 24 things that were not there, and 0.66 and more for 8 of 9 that were."""
VETOED = 0.3
"""Factor that puts any score below what counts."""
PRESENCE = stems_of(
    """walk walking stand standing cross crossing pass passing move moving go going come coming enter leave
    run running sit sitting street road pavement outside area place by past around along across through visible view
    different distinct separate many total several first last whole entire present exist there any shown together
    alone back forth"""
)
"""Words beside a label that a detection already bears out, or that say where the camera stands."""


LIGHT = stems_of("go come get give take make bring have do put let attend visit")
"""Verbs that say little without what follows: who *took the kids to the museum* went to the museum."""


def _bar(among: int) -> float:
    """What cosine + coverage must reach to count, given how many texts there were to be the best of.

    Measured with MiniLM: over 5 sentences 20 paraphrases reach 0.31 and more (two excepted) and the best of 35 absent
    things 0.33; the best of 600 captions reaches 0.41 for things that are absent. Linear in the logarithm between.
    """
    return min(0.32 + 0.055 * math.log10(max(among, 5) / 5), 0.60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """`score` in [0, 1]; `coverage` of the wanted words in [0, 1]; `cosine` None where there is no encoder."""

    score: float
    coverage: float
    cosine: float | None
    missing: tuple[str, ...]
    """Wanted words that the text has nothing like."""
    weakest: float = 1.0
    """Cover of the wanted word that is covered least, in [0, 1]."""


class Relevance:
    """Judges texts against targets with one encoder; keeps the word vectors it has computed."""

    def __init__(self, encoder: QueryEncoder | None) -> None:
        self._encoder = encoder
        self._word_vectors: dict[str, npt.NDArray[np.float32]] = {}

    @property
    def has_encoder(self) -> bool:
        return self._encoder is not None

    def similarities(self, target: str, texts: Sequence[str]) -> npt.NDArray[np.float32] | None:
        """Cosines (N,) of the target with each text; None without an encoder."""
        if self._encoder is None or not texts:
            return None
        vectors = self._encoder.encode_text([target, *texts])
        return np.asarray(vectors[1:] @ vectors[0], dtype=np.float32)

    def supports(
        self,
        target: str,
        texts: Sequence[str],
        *,
        among: int = 0,
        names: Set[str] = frozenset(),
        cosines: Mapping[str, float] | None = None,
        is_thing: bool = False,
    ) -> list[Support]:
        """Support of each text for the target, in order. Equal texts are computed once.

        Args:
            cosines: those of texts that are known already.
            is_thing: whether a thing is there is asked: the thing itself must be named, not a near neighbour.
            names: lower-case words of the target that are names, beyond those that its own spelling shows.
            among: how many texts these were the best of; the more, the higher the bar (`_bar`).
        """
        among = max(among, len(texts))
        bar = _bar(among)
        paraphrase = PARAPHRASE if among >= MANY_TEXTS else 0.0
        wanted = content_words(target)
        if not texts or (not wanted and self._encoder is None):
            return [Support(score=0.0, coverage=0.0, cosine=None, missing=tuple(wanted)) for _ in texts]
        unique = list(dict.fromkeys(texts))
        by_cosine = dict(cosines or {}) if self._encoder is not None else {}
        new = [text for text in unique if text not in by_cosine]
        computed = self.similarities(target, new)
        if computed is not None:
            by_cosine.update(zip(new, (float(each) for each in computed), strict=True))
        found = [content_words(text, keep_scaffold=True) for text in unique]
        spoken = content_words(target, keep_scaffold=True)
        phrase = " ".join(spoken) if len(spoken) > 1 else ""
        self._learn_words([*wanted, *([phrase] if phrase else []), *(word for words in found for word in words)])
        names = name_words(target) | set(names)
        by_text: dict[str, Support] = {}
        for index, text in enumerate(unique):
            support = self._support(wanted, names, found[index], by_cosine.get(text), bar, paraphrase, phrase)
            if is_thing and not self._names_it(wanted, found[index], phrase):
                support = replace(support, score=support.score * VETOED)
            by_text[text] = support
        return [by_text[text] for text in texts]

    def _names_it(self, wanted: Sequence[str], found: Sequence[str], phrase: str) -> bool:
        """Whether the thing itself, a synonym or a hyponym is named: every word of it, or the whole of it by one."""
        own = {stem(word) for word in wanted}
        if phrase and any(self._near(phrase, word) >= NAMED for word in found if stem(word) not in own):
            return True
        needed = [word for word in wanted if stem(word) not in PRESENCE and word not in SCAFFOLD_WORDS] or wanted
        return all(self._cover(word, found, is_name=False)[0] >= NAMED for word in needed)

    def cover(self, target: str, label: str) -> dict[str, float]:
        """How well the words of a short label cover each content word of the target, in [0, 1]."""
        wanted, found = content_words(target), content_words(label, keep_scaffold=True)
        self._learn_words([*wanted, *found])
        return {word: self._cover(word, found, is_name=False)[0] for word in wanted}

    def _support(
        self,
        wanted: list[str],
        names: set[str],
        found: list[str],
        cosine: float | None,
        bar: float,
        paraphrase: float,
        phrase: str,
    ) -> Support:
        total = weight_sum = 0.0
        weakest = 1.0
        missing: list[str] = []
        vetoed = False
        exact = 0.0
        for word in wanted:
            says_little = word in SCAFFOLD_WORDS or stem(word) in LIGHT or label_for_word(word) == "person"
            weight = 0.3 if says_little else 1.0
            covered, veto = self._cover(word, found, is_name=word in names)
            vetoed |= veto
            exact += weight * (covered >= 0.9)
            weakest = min(weakest, 1.0 if word in SCAFFOLD_WORDS else covered)
            total += weight * covered
            weight_sum += weight
            if covered < 0.2:
                missing.append(word)
        others = [word for word in wanted if word not in names and stem(word) not in LIGHT]
        if names and others and set(others) <= set(missing) and (cosine is None or cosine < NAME_AND_MORE_COSINE):
            vetoed = True  # who it was is there, what was done is not
        coverage = total / weight_sum if weight_sum else 0.0
        if phrase and not vetoed:  # "free time" is near "leisure", though neither of its words is
            own = {stem(word) for word in wanted}
            whole = max((self._near(phrase, word) for word in found if stem(word) not in own), default=0.0)
            coverage = max(coverage, whole)
            missing = [] if whole >= NAMED else missing
        telling = [word for word in missing if word not in SCAFFOLD_WORDS and stem(word) not in LIGHT]
        if cosine is not None and cosine < paraphrase and telling:
            vetoed = True  # among thousands, some text always shares a word and the sense of another
        exact = exact / weight_sum if weight_sum else 0.0
        if cosine is None:
            score = 1.0 / (1.0 + math.exp(-9.0 * (exact - 0.6)))
        else:
            raw = max(cosine, 0.0) + 0.30 * coverage + 0.10 * exact
            heads = [word for word in wanted if label_for_word(word) != "person"] or wanted
            if exact and heads[-1] in missing:
                raw -= 0.12  # "the bank robbery" is not found where only a bank is
            score = 1.0 / (1.0 + math.exp(-8.0 * (raw - bar)))
        if vetoed:
            score *= VETOED
        return Support(score=score, coverage=coverage, cosine=cosine, missing=tuple(missing), weakest=weakest)

    def _cover(self, word: str, found: Sequence[str], *, is_name: bool) -> tuple[float, bool]:
        """How well the words of a text cover one wanted word, and whether its absence rules the text out."""
        stemmed = stem(word)
        best, excluded = 0.0, False
        for other in found:
            if other == word or stem(other) == stemmed:
                return 1.0, False
            if same_thing(word, other):
                best = max(best, 0.8 if is_kind_of_person(word) != is_kind_of_person(other) else 0.9)
            elif is_name:
                is_short_for = min(len(word), len(other)) >= _SHORT_NAME and word[:_SHORT_NAME] == other[:_SHORT_NAME]
                is_short_for &= word.startswith(other) or other.startswith(word)
                ratio = SequenceMatcher(None, word, other).ratio()
                best = max(best, 0.9 if is_short_for or ratio >= _NAME_RATIO else 0.0)
            elif exclude_each_other(word, other):
                excluded = True
            elif len(word) > 4 and len(other) > 4 and (other.startswith(word) or word.startswith(other)):
                best = max(best, 0.85)
            else:
                best = max(best, self._near(word, other))
        if best >= 0.6:
            return best, False
        if is_name or number_of(word) is not None:
            return 0.0, True
        if names_thing(word) and label_for_word(word) != "person":
            return min(best, 0.3), True  # things are named or are not there: "no parking" is no car
        return best, excluded

    def _near(self, word: str, other: str) -> float:
        first, second = self._word_vectors.get(word), self._word_vectors.get(other)
        if first is None or second is None:
            return 0.0
        lift = (float(first @ second) - _WORD_FLOOR) / (_WORD_CEILING - _WORD_FLOOR)
        return 0.85 * min(max(lift, 0.0), 1.0)

    def _learn_words(self, words: Sequence[str]) -> None:
        if self._encoder is None:
            return
        new = list(dict.fromkeys(word for word in words if word not in self._word_vectors))
        if len(self._word_vectors) + len(new) > _MAX_WORD_CACHE:
            self._word_vectors.clear()
            new = list(dict.fromkeys(words))
        if new:
            self._word_vectors.update(zip(new, self._encoder.encode_text(new), strict=True))
