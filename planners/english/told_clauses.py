"""A clause as it was told: where the wanted words stand in it, who does what, and whose what is.

Knows the order of English words, and of things only what it is told (`Told.covers`); knows no question and no memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from planners.english.entailment import known_verbs, saying
from planners.english.grammar import (
    ADVERBS,
    AUXILIARIES,
    BE,
    DETERMINERS,
    IT,
    PREPOSITIONS,
    PRONOUNS,
    is_past,
    is_short_for,
    verb_stem,
    words_in,
)
from planners.english.opposites import opposites_of
from planners.english.vocabulary import same_thing
from planners.english.words import FUNCTION_WORDS, number_of, stem

Covers = Callable[[str, str], bool]
"""Whether a word of a line names what a word of the question asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A clause, and who speaks it.

    `before`: what the line said before it. `subjects`, `others`: names, lower-case, of whom is asked and of others who
    speak. `speaker`: None for captions. `is_own`: whether who speaks is asked about.
    `is_to_subject`: whether `you` can be who is asked about.
    """

    clause: str
    before: str
    subjects: tuple[str, ...] = ()
    others: frozenset[str] = frozenset()
    speaker: str | None = None
    is_own: bool = False
    is_denied: bool = False
    is_to_subject: bool = True
    covers: Covers = lambda wanted, word: False


class Clause:
    """The words of a clause. `lowered` and `stems` are theirs, `earlier` the stems of what was said before it."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.words = words_in(told.clause)
        self.lowered = [word.lower() for word in self.words]
        self.stems = [verb_stem(re.sub(r"'\w+$", "", word)) for word in self.lowered]
        self.earlier = [stem(re.sub(r"'\w+$", "", word.lower())) for word in words_in(told.before)]

    def places(self, wanted: str) -> list[int]:
        """Where a wanted word, or one that says it, stands."""
        stemmed = stem(wanted)
        says = saying(stemmed) | opposites_of(stemmed)
        found = [at for at, each in enumerate(self.stems) if each in says]
        if found:
            return found
        if (value := number_of(wanted)) is not None:
            return [at for at, word in enumerate(self.lowered) if number_of(word) == value]
        return [
            at
            for at, word in enumerate(self.lowered)
            if word not in FUNCTION_WORDS
            and (same_thing(wanted, word) or self._is_called(wanted, word) or self.told.covers(wanted, word))
        ] or self._own(wanted)

    def _is_called(self, wanted: str, word: str) -> bool:
        return wanted in self.told.others and is_short_for(wanted, word)

    def _own(self, wanted: str) -> list[int]:
        """`me` and `my`, where the wanted word names who speaks."""
        names = {word.lower() for word in words_in(self.told.speaker or "")}
        if wanted not in names:
            return []
        return [at for at, word in enumerate(self.lowered) if word in {"me", "my", "i", "i'm", "us", "our", "mine"}]

    def was_told(self, wanted: str) -> bool:
        """Whether an earlier clause of the line has a wanted word."""
        if saying(stem(wanted)) & set(self.earlier):
            return True
        is_own = wanted in {word.lower() for word in words_in(self.told.speaker or "")}
        return is_own and not {"i", "my", "me", "our"}.isdisjoint(self.earlier)

    def is_before(self, wanted: str) -> bool:
        """Whether an earlier clause has the word, and this one points back to it."""
        return self.was_told(wanted) and not IT.isdisjoint(self._plain(at) for at in range(len(self.lowered)))

    def has_all(self, wanted: Sequence[str], *, start: int) -> bool:
        return all(any(at >= start for at in self.places(word)) or self.is_before(word) for word in wanted)

    def is_theirs(self, at: int) -> bool:
        """Whether a thing at a place in the clause is called theirs: `my dog`, `Anna's old dog`."""
        for before in range(max(at - 3, 0), at):
            word = self.lowered[before]
            if any(each.endswith("'s") for each in self.lowered[before + 1 : at]):
                continue  # my friend's brother is not my brother
            if self.told.is_own and word in {"my", "our"}:
                return True
            if re.sub(r"'s$", "", word) in self.told.subjects and word.endswith("'s"):
                return True
        return False

    def is_after_have(self, at: int) -> bool:
        return any(
            word in {"have", "has"} or re.search(r"'(?:ve|s)$", word) for word in self.lowered[max(at - 3, 0) : at]
        )

    def is_passive(self, at: int) -> bool:
        if not is_past(self.lowered[at]):
            return False
        before = next((word for word in reversed(self.lowered[:at]) if word not in ADVERBS), "")
        return before in BE - {"i'm"} or before in {"got", "it's"} or self.lowered[at + 1 : at + 2] == ["by"]

    def agent(self, at: int) -> str | None:
        """By whom it was done, lower-case; empty where that is not said."""
        if "by" not in self.lowered[at:]:
            return ""
        by = self.lowered.index("by", at)
        return next((word for word in self.lowered[by + 1 : by + 3] if word not in DETERMINERS), "")

    def subject(self, at: int) -> str:
        """Who does what a verb says: a name or pronoun, lower-case, `-` for somebody else; empty where none is said."""
        back = at - 1
        while back >= 0 and (self.lowered[back] in AUXILIARIES | ADVERBS or self._is_bare_auxiliary(back)):
            if self.lowered[back] in {"i'm"}:
                return "i"
            back -= 1
        if back >= 0 and self.is_nominal(back):
            return self._plain(back)
        if back >= 0 and self.lowered[back] not in {"and", "then", "or", "but", "to"} and self._is_phrase(back):
            return "-"
        is_joined = back >= 0 and self.lowered[back] in {"and", "then", "or", "but"}
        found = [each for each in range(back + 1) if self.is_nominal(each)]
        if not found:
            return "" if back < 0 or is_joined else "-"
        return self._plain(found[0] if is_joined else found[-1])

    def _is_bare_auxiliary(self, at: int) -> bool:
        return self.lowered[at] in {"ve", "ll", "re"}

    def is_nominal(self, at: int) -> bool:
        plain = self._plain(at)
        if plain in PRONOUNS - {"who", "no"}:
            return True
        if plain in self.told.others or plain in self.told.subjects:
            return True
        is_named = at > 0 and self.words[at][0].isupper() and plain not in FUNCTION_WORDS
        return is_named and self.lowered[at - 1] not in PREPOSITIONS

    def _is_phrase(self, last: int) -> bool:
        """Whether a noun phrase ends there: `my old friend`, `the dog`."""
        for at in range(last, max(last - 4, -1), -1):
            if self.lowered[at] in DETERMINERS:
                return at != last and (at == 0 or self.stems[at - 1] not in known_verbs())
            if self.lowered[at] in FUNCTION_WORDS:
                return False
        return False

    def _plain(self, at: int) -> str:
        return re.sub(r"'\w+$", "", self.lowered[at])

    def is_whom(self, subject: str | None) -> bool:
        told = self.told
        if subject in {"i", "we", "me", "us"}:
            return told.is_own and (len(told.subjects) < 2 or subject in {"we", "us"} or self._names_all())
        if subject in {"he", "she", "they", "it"}:
            said = [re.sub(r"'\w+$", "", each.lower()) for each in words_in(f"{told.before} {told.clause}")]
            return not told.is_own and any(is_short_for(name, word) for name in told.subjects for word in said)
        if subject == "you":
            return not told.is_own and told.is_to_subject
        if subject == "":
            return told.is_own or told.speaker is None
        if any(is_short_for(name, subject or "") for name in told.subjects):
            return len(told.subjects) < 2 or self._names_all()
        return self._is_joined_to(subject or "")

    def _is_joined_to(self, subject: str) -> bool:
        """`Tasha and Ben bought flowers`: Tasha did, too."""
        for at in range(2, len(self.lowered)):
            if self._plain(at) == subject and self.lowered[at - 1] == "and":
                first = self._plain(at - 2)
                return any(is_short_for(name, first) for name in self.told.subjects) and len(self.told.subjects) < 2
        return False

    def _names_all(self) -> bool:
        named = {self._plain(at) for at in range(len(self.lowered))}
        named |= {word.lower() for word in words_in(self.told.before)}
        own = {word.lower() for word in words_in(self.told.speaker or "")}
        return all(name in own or any(is_short_for(name, word) for word in named) for name in self.told.subjects)

    def base(self, at: int) -> str:
        word = self.lowered[at]
        return "" if is_past(word) or word.endswith(("s", "ing")) else word
