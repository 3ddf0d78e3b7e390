"""What a line says of what is asked: that it is so, that it is not so, or neither, since it asks or supposes.

A line about the same thing is no yes: "I have never been to Rome", "Have you been to Rome?" and "If I win, I will go to
Rome" are all about being in Rome. Of a line, the clause that has most words of what is asked is read: who it is about,
whether it asks, whether it supposes, whether it denies. The patterns are in
`planners.english.polarity_patterns`; knows no memory. About 0.3 ms a line.

`planners.happenings` asks something else: whether a caption tells what takes place now.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from planners.english.opposites import attitude_asked, attitude_in, opposites_of, plain_attitude
from planners.english.polarity_patterns import (
    ASKS,
    ASKS_OF_PAST,
    ASKS_TO_COME,
    CEASED,
    CLAUSE,
    DENIES,
    EXCLUDES,
    FAILS,
    FIRST,
    IF,
    NO,
    NO_DENIAL,
    OTHER_PERSON,
    PARTICLE,
    POINTS,
    PURPOSE,
    SECOND,
    SUPPOSES,
    THIRD,
    TO_COME,
    UNWILLING,
    WHETHER,
    YES,
)
from planners.english.predicates import Predicate, read_predicate
from planners.english.stated import is_stated
from planners.english.told_clauses import Covers, Told
from planners.english.words import (
    AUXILIARY,
    content_words,
    same_name,
    split_sentences,
    stem,
    stems_of,
    tokens,
    without_address,
)

Polarity = Literal["states", "denies", "asks", "supposes", "nothing"]
"""`nothing`: it is about somebody or something else."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a yes-or-no question is about.

    `subjects`: lower-case names of whom it asks, where it begins with them. `others`: names of others who speak.
    `covers`: whether a word of a line names what one of the question does, beyond what the words themselves show.
    """

    question: str
    about: str
    subjects: tuple[str, ...] = ()
    others: frozenset[str] = frozenset()
    covers: Covers = lambda wanted, word: False

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """Stems of its words, those of its subjects left out."""
        words = [stem(word) for word in content_words(self.about) if word not in self.subjects]
        return tuple(word for word in dict.fromkeys(words) if word not in _ADVERBS)

    @cached_property
    def predicate(self) -> Predicate | None:
        """What a line must state to say yes or no to it; None where it is about liking, which praise states as well."""
        if self.attitude:
            return None
        return read_predicate(self.question, self.about, subjects=self.subjects)

    @cached_property
    def attitude(self) -> int:
        return attitude_asked(plain_attitude(self.about))

    @cached_property
    def is_of_past(self) -> bool:
        return ASKS_OF_PAST.search(self.question) is not None

    @cached_property
    def is_of_future(self) -> bool:
        return ASKS_TO_COME.search(self.question) is not None


_ADVERBS = stems_of("still already yet ever anymore really actually currently")


def asked_of(
    question: str, about: str, *, names: Set[str], speakers: Set[str], covers: Covers = lambda wanted, word: False
) -> Asked:
    """What is asked, and of whom: the names that the target begins with.

    Args:
        names: words of the question that are written as names, lower-case.
        speakers: names of those who speak, lower-case.
    """
    subjects: list[str] = []
    for token in re.findall(r"[\w'\u2019-]+", about):
        word = token.lower()
        if word in names | speakers and not re.search(r"['\u2019]s$", token):
            subjects.append(word)
        elif word not in {"and", "or"}:
            break
    others = frozenset(speakers - set(subjects))
    whole = re.sub(rf"^{AUXILIARY}\s+", "", question.strip(" ?."), flags=re.I)
    if whole.lower().startswith(about.lower()) and len(tokens(whole)) == len(tokens(about)) + 1:
        about = whole  # "did the plumber come", of which targets leave out that he comes
    return Asked(question=question, about=about, subjects=tuple(subjects), others=others, covers=covers)


def polarity_of(text: str, asked: Asked, *, speaker: str | None = None, is_to_subject: bool = True) -> Polarity:
    """What a line says of what is asked. Of clauses that state or deny it, the last one counts.

    Args:
        is_to_subject: whether it may be said to whom is asked about, so that `you` can be that one.

    Example:
        >>> asked = asked_of("Has Cleo been to Rome?", "Cleo been to Rome", names={"cleo"}, speakers=set())
        >>> polarity_of("I am tired. I have never been to Rome.", asked, speaker="Cleo")
        'denies'
    """
    spoken = plain_attitude(without_address(text, {*asked.subjects, *asked.others}))
    best, found, definite, is_named, before = 0, list[Polarity](), list[Polarity](), False, ""
    for sentence in split_sentences(spoken):
        clauses = [clause for clause in CLAUSE.split(PARTICLE.sub("", sentence.strip(" ,"))) if clause.strip()]
        for clause in clauses:
            held = _held(clause, asked)
            said = _of_clause(clause, sentence, asked, speaker=speaker, is_named=is_named)
            if said in {"states", "denies"} and asked.predicate is not None:
                told = Told(
                    clause=clause, before=before, subjects=asked.subjects, others=asked.others, speaker=speaker,
                    is_own=any(same_name(speaker, name) for name in asked.subjects), is_denied=said == "denies",
                    is_to_subject=is_to_subject, covers=asked.covers,
                )  # fmt: skip
                if is_stated(asked.predicate, told):
                    definite.append(said)
                else:
                    said = "nothing"
            if held > best:
                best, found = held, []
            if held == best:
                found.append(said)
            is_named |= _names_thing(clause, asked)
            before = f"{before} {clause}"
    if definite:
        return definite[-1]
    # Where words are missing, another clause may be the one that is meant: then a question or a guess is not overruled.
    if best < len(asked.wanted) and "supposes" in found:
        return "supposes"
    if best == 0 and "asks" in found:
        return "asks"
    for each in found[::-1] if best else found:
        if each in {"states", "denies"}:
            return each
    return found[-1] if found else "nothing"


def reply_polarity(text: str) -> Polarity:
    """What a reply says of what it was asked: `yes`, `not yet`, `I did`."""
    first = split_sentences(text)[0].strip() if text.strip() else ""
    if first.endswith("?"):
        return "asks"
    return "denies" if NO.search(first) else "states" if YES.search(first) else "nothing"


def asks_it(text: str, asked: Asked, *, speaker: str | None) -> bool:
    """Whether a line that asks something asks just this: what it would say if it were no question."""
    if asked.predicate is None:
        return True
    is_own = any(same_name(speaker, name) for name in asked.subjects)
    questions = [each for each in split_sentences(plain_attitude(text)) if each.endswith("?")]
    return any(
        is_stated(
            asked.predicate,
            Told(
                clause=each,
                before="",
                subjects=asked.subjects,
                others=asked.others,
                speaker=speaker,
                is_own=is_own,
                covers=asked.covers,
            ),
        )
        for each in questions
    )


def is_yes_no_question(text: str) -> bool:
    """Whether the last question in a text can be answered by yes or no."""
    last = [each for each in split_sentences(text) if each.endswith("?")][-1:]
    return bool(last) and re.search(r"\b(?:what|who|whose|where|when|why|how|which)\b", last[0], re.I) is None


def _held(clause: str, asked: Asked) -> int:
    """How many of the wanted words a clause has; their opposites count."""
    has = {stem(token.lower()) for token in tokens(clause)}
    attitude = asked.attitude and attitude_in(clause)
    return sum(
        word in has or bool(opposites_of(word) & has) or bool(attitude and attitude_asked(word))
        for word in asked.wanted
    )


def _of_clause(clause: str, sentence: str, asked: Asked, *, speaker: str | None, is_named: bool) -> Polarity:
    if sentence.rstrip(" \"'\u201d").endswith("?") or ASKS.search(sentence):
        return "asks"
    supposes = _supposes(clause, sentence, asked)
    is_judged_later = asked.predicate is not None and not supposes  # by whether it states the predicate
    if speaker is not None and not is_judged_later and not _is_about(clause, sentence, asked, speaker=speaker):
        return "nothing"
    if supposes:
        return "supposes"
    sign = 1
    if asked.attitude:
        attitude = attitude_in(clause)
        if attitude == 0 or not (_names_thing(clause, asked) or (is_named and POINTS.search(clause))):
            return "nothing"
        sign = asked.attitude * attitude
    elif _is_opposite(clause, asked):
        sign = -1
    return "states" if sign * (-1 if _is_denied(clause, asked) else 1) > 0 else "denies"


def _names_thing(clause: str, asked: Asked) -> bool:
    """Whether a clause names what is liked or not; true where the question names nothing."""
    things = {word for word in asked.wanted if not attitude_asked(word)}
    return not things or not things.isdisjoint(stem(token.lower()) for token in tokens(clause))


def _is_about(clause: str, sentence: str, asked: Asked, *, speaker: str) -> bool:
    """Whether a clause can be about whom is asked: `I` is whoever speaks, `you` somebody else."""
    if not asked.subjects:
        return True
    is_own = any(same_name(speaker, name) for name in asked.subjects)
    for text in (clause, sentence):
        words = [token.lower() for token in tokens(text)]
        if any(name == word or (len(word) > 2 and name.startswith(word)) for name in asked.subjects for word in words):
            return True
        if (other := OTHER_PERSON.search(text)) and stem(other["person"].lower()) not in asked.wanted:
            return False
        if FIRST.search(text):
            return is_own
        if asked.others & set(words):
            return False
        if SECOND.search(text) or THIRD.search(text):
            return not is_own
    return is_own


def _supposes(clause: str, sentence: str, asked: Asked) -> bool:
    if WHETHER.search(clause):
        return True
    if asked.is_of_future:
        return False
    if IF.search(sentence):
        return True
    asks = set(content_words(asked.question, keep_scaffold=True))
    patterns = (SUPPOSES,) if _is_refusal(clause) else (SUPPOSES, TO_COME)
    told_by = max(_places(clause, asked), default=len(clause))
    return any(
        asks.isdisjoint(content_words(match.group(), keep_scaffold=True))  # who asks of a dream is told of a dream
        and not (match.start() > told_by and PURPOSE.search(match.group()))
        for pattern in patterns
        for match in pattern.finditer(clause)
    )


def _is_refusal(clause: str) -> bool:
    """`I don't want to`, `I will not`: nobody did what they are not willing to do."""
    return UNWILLING.search(clause) is not None


def _is_opposite(clause: str, asked: Asked) -> bool:
    has = {stem(token.lower()) for token in tokens(clause)}
    return any(word not in has and opposites_of(word) & has for word in asked.wanted)


def _places(clause: str, asked: Asked) -> list[int]:
    """Where the words of what is asked, or their opposites, begin."""
    return [
        match.start()
        for match in re.finditer(r"[A-Za-z0-9]+", clause)
        if stem(match.group().lower()) in asked.wanted
        or opposites_of(stem(match.group().lower())) & set(asked.wanted)
        or (asked.attitude and attitude_in(match.group()))
    ]


def _is_denied(clause: str, asked: Asked) -> bool:
    """Whether a negation stands before a word of what is asked, or before all of the clause where none is there."""
    plain = NO_DENIAL.sub(" ", clause)
    last = max(_places(plain, asked), default=len(plain))
    own = {stem(word.lower()) for word in tokens(asked.question)}
    own |= {other for word in asked.wanted for other in opposites_of(word)}

    def has(pattern: re.Pattern[str]) -> bool:
        return any(
            match.start() < last and (pattern is DENIES or stem(match.group().split()[0].lower()) not in own)
            for match in pattern.finditer(plain)
        )

    denied = has(DENIES) or has(EXCLUDES) or (not asked.is_of_past and has(CEASED))
    return denied != has(FAILS)
