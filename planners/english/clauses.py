"""How a question places what it looks for: before or after something, in which order, the first or the third time.

Patterns of English over what is left of the question; each part found is taken out of it. Knows no memory.
"""

from __future__ import annotations

import re

from planners.english.targets import Rest
from planners.english.words import ORDINAL_WORDS
from planners.plan import Anchor, AnchorRelation, OccurrenceKind, QuestionKind

_RELATION_WORDS: dict[str, AnchorRelation] = {
    "before": "before",
    "prior to": "before",
    "until": "before",
    "leading up to": "before",
    "after": "after",
    "following": "after",
    "since": "after",
    "once": "after",
    "during": "during",
    "while": "during",
    "when": "during",
    "as soon as": "after",
    "at the same time as": "during",
    "at the moment": "during",
    "whilst": "during",
}
BEFORE_OR_AFTER = r"(?:before or after|after or before|earlier or later than|later or earlier than)"


def order_targets(text: str) -> tuple[QuestionKind, tuple[str, ...]] | None:
    """`Which came first, A or B?`, `Did A happen before B?`, `In what order did A, B and C appear?`"""
    first = re.search(
        r"^(?:which|what|who)\b[^,:]*\b(?:first|earlier|earliest|later|last)\b\s*[,:]?\s*(.+?)\s*,?\s+or\s+(.+)$",
        text,
        re.I,
    )
    if first:
        return "order", (_bare(first[1]), _bare(first[2]))
    listed = re.search(r"^in (?:what|which) order (?:did|do|does|were|are|was|is)?\s*(.+)$", text, re.I)
    if listed:
        parts = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", listed[1])
        named = tuple(bare for part in parts if (bare := _bare(part)))
        return ("order", named) if len(named) >= 2 else None
    either = re.search(
        rf"^(?:when )?(?:did|does|do|is|was|were|has|have)\b\s+(.+?),?\s+{BEFORE_OR_AFTER}\s+(.+)$", text, re.I
    )
    if either:
        return "order", (_bare(either[1]), _bare(either[2]))
    did = re.search(
        r"^(?:did|does|do|is|was|were|has|have)\b\s+(.+?)\s+(?:before|earlier than|prior to)\s+(.+)$", text, re.I
    )
    if did:
        return "order", (_bare(did[1]), _bare(did[2]))
    after = re.search(r"^(?:did|does|do|is|was|were|has|have)\b\s+(.+?)\s+(?:after|later than)\s+(.+)$", text, re.I)
    if after:
        return "order", (_bare(after[2]), _bare(after[1]))
    return None


def _bare(text: str) -> str:
    bare = re.sub(
        r"\b(?:happens?|happened|appears?|appeared|occurs?|occurred|c[ao]mes?|(?:get|was|is|were|being) mentioned)\b|"
        r"\bmentioned$",
        " ",
        text,
    )
    return re.sub(
        r"\s+",
        " ",
        re.sub(
            r"^(?:the|a|an|talk(?:ing)? (?:of|"
            r"about))\s+",
            "",
            bare.strip(),
            flags=re.I,
        ),
    ).strip(" ,?.")


def take_anchor(rest: Rest) -> Anchor | None:
    """Takes out what the question is placed by: `..., after he sat down`."""
    words = "|".join(sorted((re.escape(word) for word in _RELATION_WORDS), key=len, reverse=True))
    lead = re.match(rf"^(?:right |just |shortly |immediately )?({words})\s+(.+?),\s*(.+)$", rest.text, re.I)
    if (lead and lead[1].lower() != "when") or (
        lead and re.match(r"(?:what|who|how|where|which|did|was|were|is)\b", lead[3], re.I)
    ):
        assert lead is not None
        anchor = _anchor(lead[1], lead[2])
        if anchor is not None:
            rest.text = lead[3]
            return anchor
    later = re.match(rf"^(.+?)\s+(?:right |just |shortly |immediately |directly )?\b({words})\s+(.+)$", rest.text, re.I)
    if later is None or not re.search(r"\w", later[1]):
        return None
    if later[2].lower() == "when" and not re.match(
        r"(?:what|who|how|where|which|is|are|was|were|did|do|does)\b", later[1], re.I
    ):
        return None
    if re.fullmatch(r"(?:find|show(?: me)?|tell me|locate)(?: the (?:moment|part|time|scene))?", later[1], re.I):
        return None
    if later[2].lower() in {"since", "once", "following"} and re.search(r"\b(?:the|a)$", later[1], re.I):
        return None
    anchor = _anchor(later[2], later[3])
    if anchor is not None:
        rest.text = later[1]
    return anchor


def _anchor(word: str, clause: str) -> Anchor | None:
    clause = clause.strip(" ,?.!")
    if clause.lower() in {"that", "this", "it", "then", "now"} or not re.search(r"\w", clause):
        return None
    return Anchor(relation=_RELATION_WORDS[word.lower()], target=clause[:400])


def take_occurrence(rest: Rest, *, kind: QuestionKind) -> tuple[OccurrenceKind, int | None]:
    """Takes out which one is meant: all, the first, the last, the n-th."""
    ordinals = "|".join(word for word in ORDINAL_WORDS if word != "first")
    nth = rest.take(rf"\b(?:for the |the )({ordinals}|\d+(?:st|nd|rd|th)) (?:time|occurrence|mention)\b")
    if nth is None and kind != "how_many":
        nth = rest.take(
            rf"\bthe ({ordinals}|[2-9]\d*(?:st|nd|rd|th))(?= (?:sentence|line|speaker|person|people|scene|shot|"
            rf"thing|event)\b)"
        )
    if nth:
        number = ORDINAL_WORDS.get(nth[1].lower()) or int(re.sub(r"\D", "", nth[1]))
        return "nth", max(number, 1)
    if rest.take(
        r"\b(?:for the |the )?(?:very )?first (?:time|occurrence|mention)(?: that| when)?\b|\bfor the first time\b"
    ):
        return "first", None
    if rest.take(
        r"\b(?:for the |the )?(?:very )?(?:last|latest|most recent|final) (?:time|occurrence|mention)(?: that| when)?\b"
    ):
        return "last", None
    if rest.take(
        r"\bfirst(?! (?:name|aid|class|floor|person))\b|\binitially\b|\bto begin with\b|\boriginally\b|\bearliest\b"
    ):
        return "first", None
    if rest.take(
        r"\blast(?! (?:name|night))\b|\bfinally\b|\bmost recently\b|\blatest\b|\bfinal(?=\s(?:sentence|words?|"
        r"line|thing|scene|person))\b"
    ):
        return "last", None
    if kind == "yes_no":
        return "any", None
    if kind == "where":
        return "last", None
    return "all", None
