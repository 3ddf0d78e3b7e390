"""Slips of the tongue: `I live in Bonn. Sorry, I mean Cologne.` states Cologne, and Bonn was never meant.

A correction says what was meant, at times what was not. It goes with what the same speaker said last before it, in the
same event: the word of its kind (a weekday, a month, a number, a name) is put in the place of the wrong one. What fits
nothing corrects nothing. English only. Knows statements, no event.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from streammem.calendar import MONTHS, WEEKDAYS
from streammem.semantic.statements import Statement

_SORRY = r"(?:(?:no|sorry|oops|wait|actually|well|oh|ah|nope|my mistake|correction|scratch that)[,.!: ]+)"
_WORDS = r"[\w'-]+(?:\s[\w'-]+){0,2}?"
_CORRECTS = re.compile(
    rf"(?:^|[.!?;,-]\s*){_SORRY}*(?:I (?:meant|mean)(?: to say)?|make (?:that|it)) (?P<right>{_WORDS})"
    rf"(?:,? (?:and )?not (?P<wrong>{_WORDS}))?\s*[.!]*$",
    re.IGNORECASE,
)
_NO = re.compile(rf"^{_SORRY}+(?:on |in )?(?P<right>\w+)(?P<wrong>)\s*[.!]*$", re.IGNORECASE)
_KINDS = (
    re.compile(rf"\b(?:{'|'.join(WEEKDAYS)})\b", re.IGNORECASE),
    re.compile(rf"\b(?:{'|'.join(MONTHS)})\b", re.IGNORECASE),
    re.compile(r"\b\d[\d:.]*\b"),
)
_NAME = re.compile(r"\b[A-Z]\w+(?:\s[A-Z]\w+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What was meant, and what was said instead, where that is told."""

    right: str
    wrong: str | None

    def applied(self, stated: Statement) -> Statement | None:
        """The statement that was meant; None where there is nothing in it to correct."""
        value = self._put_right(stated.object)
        return None if value is None or value == stated.object else stated._replace(object=value)

    def _put_right(self, said: str) -> str | None:
        if self.wrong is not None:
            wrong = re.compile(rf"\b{re.escape(self.wrong)}\b", re.IGNORECASE)
            return wrong.sub(lambda _: self.right, said) if wrong.search(said) else None
        for kind in _KINDS:
            if kind.fullmatch(self.right):
                return kind.sub(lambda _: self.right, said, count=1) if kind.search(said) else None
        if self.right[0].isupper():
            names = [one for one in _NAME.finditer(said) if not any(kind.fullmatch(one.group()) for kind in _KINDS)]
            return said[: names[-1].start()] + self.right + said[names[-1].end() :] if names else None
        return self.right if " " not in said and said.islower() else None


def correction(text: str) -> Correction | None:
    """What a line corrects; None where it corrects nothing."""
    found = _CORRECTS.search(text.strip())
    if found is None:
        found = _NO.match(text.strip())
        if found is None or not any(kind.fullmatch(found["right"]) for kind in _KINDS):
            return None
    right = re.sub(r"^(?:the|an?|on|in|at) ", "", found["right"], flags=re.IGNORECASE)
    return Correction(right=right, wrong=found["wrong"] or None)
