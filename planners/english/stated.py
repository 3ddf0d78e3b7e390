"""Whether a clause states what a yes-or-no question asks: its verb, of its subject, with its object.

`I was arranging flowers` has the flowers of `Did Tasha buy flowers?` and does not state it; `Ben bought flowers for
Tasha` has every word of it, and Ben did it. So the verb must be there or one that says as much (`entailment`),
who is asked about must do it, and what it is done to must stand where objects stand. About 0.1 ms a clause.
"""

from __future__ import annotations

import re
from dataclasses import replace

from planners.english.entailment import known_verbs, said_by, saying
from planners.english.grammar import (
    ADVERBS,
    APART,
    AUXILIARIES,
    BE,
    DETERMINERS,
    IT,
    LINKS,
    MANAGED,
    OPPOSED,
    PARTICLES,
    PAST_LINKS,
    PLACES,
    PREPOSITIONS,
    PRONOUNS,
    is_past,
)
from planners.english.opposites import opposites_of
from planners.english.predicates import Predicate
from planners.english.told_clauses import Clause, Told
from planners.english.words import FUNCTION_WORDS, stem, stems_of

_MAKES_SO = stems_of("paint dye colour color make turn keep leave")


def is_stated(asked: Predicate, told: Told) -> bool:
    """Whether the clause says it, or denies it, of whom is asked."""
    return _Statement(asked, told).is_made()


class _Statement:
    def __init__(self, asked: Predicate, told: Told) -> None:
        covers = told.covers

        def covers_things(wanted: str, word: str) -> bool:
            return wanted not in asked.words and covers(wanted, word)

        if asked.form == "is" and not asked.place:  # `tall` is near `short`
            told = replace(told, covers=covers_things)
        self.asked, self.told, self.clause = asked, told, Clause(told)

    def is_made(self) -> bool:
        match self.asked.form:
            case "there":
                return self.clause.has_all(self.asked.words, start=0)
            case "is":
                return self._is()
            case "has":
                return self._possesses() or self._does()
            case "does":
                return self._does()

    def _is(self) -> bool:
        asked = self.asked
        if not asked.words or not self.clause.has_all(asked.words, start=0):
            return False
        first = min((at for word in asked.words for at in self.clause.places(word)), default=0)
        if not asked.subject and not self.told.subjects:
            return True
        if asked.place and self._is_placed(first):
            return self._is_subject_near(first)
        link = self._link_before(first)
        if link is None:
            return self._is_attribute(first) or self._is_verb(first)
        if asked.tense == "present" and self.clause.lowered[link] in PAST_LINKS:
            return False
        between = self.clause.lowered[link + 1 : first]
        if any(word in PREPOSITIONS and word not in asked.spoken for word in between):
            return self._is_attribute(first)
        return self._is_subject_near(link + 1)

    def _link_before(self, before: int) -> int | None:
        for at in range(min(before, len(self.clause.lowered)) - 1, -1, -1):
            word = self.clause.lowered[at]
            if word == "as" and stem("work") in self.clause.stems[:at]:
                return at
            if word in LINKS or re.search(r"'(?:m|s|re)$", word):
                return at
        return None

    def _is_placed(self, first: int) -> bool:
        near = self.clause.lowered[max(first - 4, 0) : first]
        allowed = set(PLACES[self.asked.place].split())
        last = next((word for word in reversed(near) if word in PREPOSITIONS or word in PARTICLES), "")
        if last not in allowed or ("out" in near and self.asked.place != "out"):
            return False
        past = self.asked.tense == "present" and any(word in PAST_LINKS for word in self.clause.lowered)
        return not past

    def _is_subject_near(self, before: int) -> bool:
        """Whether whom or what is asked about stands before a place in the clause, as whom it tells of."""
        if self.asked.subject:
            places = [self.clause.places(word) for word in self.asked.subject]
            if all(any(at < before or "there" in self.clause.lowered for at in each) for each in places):
                return True
            said = zip(self.asked.subject, places, strict=True)
            says = [self.clause.was_told(word) or bool(each) for word, each in said]
            points = {"it", "he", "she", "they", "it's", "he's", "she's", "they're", "that's", "but"}
            return all(says) and any(word in points for word in self.clause.lowered[:before])
        return self.clause.is_whom(self.clause.subject(before))

    def _is_attribute(self, first: int) -> bool:
        """`the red mug`, `my sister Anna`, `I painted the wall red`."""
        heads = [at for word in self.asked.subject for at in self.clause.places(word)]
        if self.asked.place:
            return False
        is_made_so = any(first - head == 1 for head in heads) and not _MAKES_SO.isdisjoint(self.clause.stems[:first])
        return is_made_so or any(0 < head - first <= 2 for head in heads)

    def _is_verb(self, first: int) -> bool:
        """`Ben broke the vase` says that the vase is broken; `my husband`, that I am married."""
        word = self.clause.lowered[first] if first < len(self.clause.lowered) else ""
        if len(self.asked.words) == 1 and stem(self.asked.words[0]) == stem("married"):
            return self.clause.is_theirs(first)
        return (
            stem(word) in known_verbs()
            and bool(self.asked.subject)
            and self.clause.has_all(self.asked.subject, start=0)
        )

    def _possesses(self) -> bool:
        asked = self.asked
        if asked.subject or not asked.heads or not self.clause.has_all(asked.words, start=0):
            return False
        return any(self.clause.is_theirs(at) for at in self.clause.places(asked.heads[0]))

    def _does(self) -> bool:
        return any(self._is_done(at) for at in self._verbs())

    def _verbs(self) -> list[int]:
        verb = self.asked.verb
        if verb == "be":
            says = {*map(stem, BE), *saying("go"), *saying("visit"), "m"}
            return [
                at
                for at, each in enumerate(self.clause.stems)
                if each in says or self.clause.lowered[at].endswith("'m")
            ]
        says = (said_by(verb) if self.told.is_denied else saying(verb)) | opposites_of(verb)
        return [
            at
            for at, each in enumerate(self.clause.stems)
            if (each in says or (verb == stem("have") and re.search(r"'ve$", self.clause.lowered[at])))
            and not (
                at and self.clause.lowered[at - 1] in {"the", "a", "an", "my", "our", "his", "her", "your", "their"}
            )
        ]

    def _is_done(self, at: int) -> bool:
        asked = self.asked
        if self._is_imperative(at) or not self._has_right_tense(at) or self._is_opposed(at):
            return False
        if at and self.clause.lowered[at - 1] == "to" and not self._is_governed(at):
            return False
        passive = self.clause.is_passive(at)
        if asked.subject and not self._has_subject(at, passive=passive):
            return False
        if (
            not asked.subject
            and self.told.subjects
            and not self.clause.is_whom(self.clause.agent(at) if passive else self.clause.subject(at))
        ):
            return False
        rest = [word for word in asked.words if word not in asked.heads]
        if not self.clause.has_all(rest, start=0) or any(self._is_elsewhere(word) for word in rest):
            return False
        return all(self._is_object(head, at, passive=passive) for head in asked.heads)

    def _is_elsewhere(self, word: str) -> bool:
        """`works near a bank` for `works at a bank`."""
        if word not in self.asked.spoken:
            return False
        asked = self._preposition(list(self.asked.spoken), self.asked.spoken.index(word))
        told = {self._preposition(self.clause.lowered, at) for at in self.clause.places(word)}
        return bool(told) and all(
            each in APART and each not in {asked, *PLACES.get(asked, "").split()} for each in told
        )

    @staticmethod
    def _preposition(words: list[str], at: int) -> str:
        near = words[max(at - 3, 0) : at]
        return next((word for word in reversed(near) if word in PREPOSITIONS or word in PARTICLES), "")

    def _is_imperative(self, at: int) -> bool:
        """`Buy flowers!`, said: what somebody shall do."""
        if self.told.speaker is None:
            return False
        before = [
            word for word in self.clause.lowered[:at] if word not in {"please", "and", "just", "so", "then", "now"}
        ]
        return not before and self.clause.lowered[at] == self.clause.base(at)

    def _has_right_tense(self, at: int) -> bool:
        """What was is not what is, and neither is what will be."""
        was = is_past(self.clause.lowered[at]) and not self.clause.is_after_have(at)
        if self.asked.tense == "past" or not was:
            return True
        if self.asked.tense == "future":
            return False
        return self.clause.stems[at] != self.asked.verb

    def _is_opposed(self, at: int) -> bool:
        """`Turned off the light` for `turn on`; `came back from` for `go to`."""
        particle = self.asked.particle
        if not particle or particle not in OPPOSED:
            return False
        after = self.clause.lowered[at + 1 : at + 6]
        return OPPOSED[particle] in after and particle not in after

    def _is_governed(self, at: int) -> bool:
        if self.told.is_denied:
            return True
        before = self.clause.stems[max(at - 4, 0) : at - 1]
        return any(each in MANAGED or self.clause.stems[at - 2] in map(stem, self.asked.spoken) for each in before)

    def _has_subject(self, at: int, *, passive: bool) -> bool:
        """Whether a subject that is no name does what the verb says."""
        asked = self.asked.subject
        if passive:
            by = self.clause.lowered.index("by", at) if "by" in self.clause.lowered[at:] else None
            if by is not None:
                return all(any(each > by for each in self.clause.places(word)) for word in asked)
            return self.asked.form == "does" and all(
                any(each < at for each in self.clause.places(word)) for word in asked
            )
        if all(any(each < at for each in self.clause.places(word)) for word in asked):
            last = max(each for word in asked for each in self.clause.places(word) if each < at)
            between = range(last + 1, at)
            return not any(self.clause.is_nominal(each) for each in between)
        says = all(self.clause.was_told(word) for word in asked)
        return says and self.clause.subject(at) in {"it", "he", "she", "they"}

    def _is_object(self, head: str, at: int, *, passive: bool) -> bool:
        places = self.clause.places(head)
        for place in places:
            if place > at and self._reaches(at, place):
                return True
            if place < at and (passive or self._is_relative(place, at)):
                return True
        return not places and self.clause.is_before(head) and (passive or self._is_pronoun_object(at))

    def _is_pronoun_object(self, at: int) -> bool:
        """`visited her in May`, `threw it away`; of `visited her house` it is the house."""
        after = self.clause.lowered[at + 1 : at + 6]
        for index, word in enumerate(after):
            if word in IT:
                follows = after[index + 1] if index + 1 < len(after) else ""
                is_whole = not follows or follows in FUNCTION_WORDS or follows.endswith("ly")
                return is_whole or word not in DETERMINERS | {"her"}
        return False

    def _reaches(self, at: int, place: int) -> bool:
        """Whether nothing stands between a verb and its object that begins another phrase."""
        between = self.clause.lowered[at + 1 : place]
        while between and between[0] in PARTICLES:
            between = between[1:]
        for index, word in enumerate(between):
            if word in PREPOSITIONS and word not in self.asked.spoken:
                return False
            follows = between[index + 1] if index + 1 < len(between) else ""
            if word == "and" and (follows in PRONOUNS or (is_past(follows) and stem(follows) in known_verbs())):
                return False
        return True

    def _is_relative(self, place: int, at: int) -> bool:
        """`the flowers that I bought`."""
        between = [word for word in self.clause.lowered[place + 1 : at] if word not in ADVERBS | AUXILIARIES]
        return 0 < len(between) <= 2 and (between[-1] in PRONOUNS or re.sub(r"'\w+$", "", between[-1]) in
                                           {*self.told.subjects, *self.told.others})  # fmt: skip
