"""What a question looks for: its words without those that only ask. Patterns of English; knows no memory.

`What did he say about the weather?` looks for `the weather`; `What is written on the title card?` for whatever is
written. Tens of microseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from planners.english.words import AUXILIARY, FUNCTION_WORDS, content_words, tokens
from planners.plan import QuestionKind

SPEECH_VERBS = (
    r"(?:sa(?:y|ys|id|ying)|speaks?|spoke|spoken|speaking|talks?|talked|talking|tells?|told|telling|mention(?:s|"
    r"ed|ing)?|"
    r"discuss(?:es|ed|ing)?|hear[sd]?|heard|claim(?:s|ed)?|explain(?:s|ed)?|ask(?:s|ed)?|announc(?:es|ed)|"
    r"describ(?:es|ed)|brought up|brings? up|comes? up|came up|refer(?:s|red)? to|quot(?:e|es|ed))"
)


@dataclass(slots=True)
class Rest:
    """The question while parts are taken out of it."""

    text: str

    def take(self, pattern: str) -> re.Match[str] | None:
        match = re.search(pattern, self.text, re.I)
        if match:
            self.text = re.sub(r"\s+", " ", f"{self.text[: match.start()]} {self.text[match.end() :]}").strip(" ,?.!")
        return match


_LEADS: dict[QuestionKind, str] = {
    "when": (
        r"^(?:please )?(?:(?:at|around|since|until) )?(?:when|how long ago|what (?:time|moment|point)|"
        r"which (?:moment|minute|second|day|point)|"
        r"tell me|find|show(?: me)?|locate|jump to|go to|take me to)(?: the)?(?: (?:moment|part|time|scene|place|point|"
        r"bit)s?)?(?: (?:when|where|that|at which|with|in which))?"
    ),
    "where": r"^(?:(?:from|to) )?(?:where|in (?:what|which) (?:place|room|location)|what place)",
    "who": r"^(?:(?:to|with|by|from|for) )?who(?:m|se)?",
    "why": r"^(?:why|how come|for what reason|what (?:is|was) the reason)(?: (?:for|that))?",
    "how_many": (
        r"^(?:(?:about|roughly) )?(?:how many(?: (?:times|different|distinct|of the|of))?|how (?:often|frequently)|"
        r"what (?:is|was) the (?:number|count) of|count(?: up)?(?: all)?(?: the)?|number of)"
    ),
    "how_long": r"^(?:(?:for )?how (?:long|much time)|what (?:is|was) the (?:duration|length) of)",
    "said": r"^(?:what(?:ever)?|which|read|transcribe|quote|repeat)(?: (?:words|sentences?|things?|else))?",
    "written": r"^(?:what|which|read)(?: (?:words|text|else))?",
    "what": (
        r"^(?:what|which|describe|summari[sz]e|tell me)(?: (?:kinds?|sorts?|types?) of| about| else)?"
        r"(?: (?:activity|activities|things?|items?)(?= (?:did|do|does|has|have|had)\b))?"
    ),
}

_SURFACE_PHRASE = (
    r"(?:the |this |that |a |an )?(?:\w+ )?(?:cards?|signs?|screen|posters?|banners?|boards?|walls?|pages?|labels?|"
    r"slides?|picture|image|frame|papers?|placards?|plates?|film|movie|video|trailer)"
)
"""What writing stands on, as a place: seldom itself in memory."""

_AUXILIARY = rf"(?:{AUXILIARY}(?: not)?\b\s*)"


def target_of(text: str, *, kind: QuestionKind, speaker: str | None) -> str:
    """What is left to look for when the words that ask, and the speaker, are taken out; empty: whatever is there."""
    rest = Rest(text=text)
    rest.take(_LEADS.get(kind, r"^(?!)"))
    if kind in {"when", "where", "who", "why", "how_long", "said", "written", "what", "yes_no"}:
        rest.take(rf"^{_AUXILIARY}(?:there\b\s*)?")
        rest.take(r"^(?:you|we|i|one)(?: ever| already)? (?:seen?|noticed?|spot(?:ted)?)\b")
    elif kind == "how_many":
        rest.take(rf"^{_AUXILIARY}")
        rest.take(r"\b(?:can|could|do|did) (?:you|we|one|i) (?:count|see|find|spot)\b")
        rest.text = re.sub(
            rf"\s+{_AUXILIARY}(?:there\b|you see\b|we see\b)?", " ", f"{rest.text} ", count=1, flags=re.I
        ).strip()
    if speaker:
        rest.take(rf"^\s*(?:does |do |did |has )?(?:the\s+)?{re.escape(speaker)}\b")
        rest.take(rf"(?<=thing )(?:that )?{re.escape(speaker)}\b(?= {SPEECH_VERBS}\b)")
    if kind == "written":
        rest.take(r"^(?:is|are|was|were)\b")
        rest.take(r"\b(?:is |are |was |were |stands? |stood |appears? )?(?:written|printed|shown|displayed|visible)\b")
        rest.take(r"^stands?\b|^stood\b")
        rest.take(rf"\b(?:does|do|did)?\s*\b(?:on|in|at|across|above|below) (?:{_SURFACE_PHRASE})\b")
        rest.take(r"\b(?:does|do|did) (?=the)")
        rest.take(r"^(?:(?:can|could) )?(?:be|you|one|i|we) (?:read|seen?)\b(?: in the picture)?")
        rest.take(rf"\b(?:{SPEECH_VERBS}|reads?)$")
        rest.take(r"^(?:the )?(?:text|words|writing)\b(?: (?:is|are|was|were)?(?: (?:there|in view))?)?")
    subject = (
        r"(?:(?:he|she|they|it|we|you|i|someone|somebody|anyone|anybody|people|the (?:man|woman|person|"
        r"speaker|narrator|voice|reader|guy))\b\s*)?"
    )
    if kind != "written":
        rest.take(
            rf"^\s*{subject}{_AUXILIARY}?(?:(?:talk|speak|told|tell|say|"
            rf"mention)\w*\s+)?{SPEECH_VERBS}\b(?:\s+(?:about|of|on|that|something about|anything about))?\s*"
        )
        rest.take(
            rf"\s*\b(?:{_AUXILIARY})?(?:being )?(?:said|mentioned|discussed|talked about|spoken(?: of| about)?|"
            rf"brought up|heard)\b(?:\s+(?:about|of|on|that))?"
        )
        if kind == "said":
            rest.take(r"^(?:about|of|on|that|regarding|concerning)\b")
    rest.take(r"\bused? to\b(?: do\b)?")
    rest.take(r"\b(?:happen(?:s|ed|ing)?|going on|take(?:s|n)? place|took place|occur(?:s|red|ring)?)\b")
    rest.take(
        r"\b(?:appear(?:s|ed|ing)?|show(?:s|ed|n)? up|(?:be |been |being |is |are |was |were )?(?:visible|seen|"
        r"shown|in (?:view|the (?:picture|frame|shot))|on camera|on (?:the )?screen))\b"
    )
    rest.take(
        r"\b(?:in|of|on|during|throughout|from) (?:the|this|that|my) (?:whole |entire )?(?:video|recording|film|"
        r"clip|footage|movie|memory|stream|picture|frame)s?\b"
    )
    rest.take(r"^\s*(?:there|you see|we see|i see|one see|can be|do we see)\b")
    rest.take(
        r"\s+\b(?:is|are|was|were|there|be|been|get|gets|come|comes|came|in total|altogether|overall|at once|at "
        r"the same time|at (?:any )?one time|last)$"
    )
    cleaned = rest.text.strip(" ,?.!")
    # Four words and more mean something even where none of them does alone: "how much he could do for them".
    return cleaned if _has_content(cleaned) or len(tokens(cleaned)) >= 4 else ""


def _has_content(text: str) -> bool:
    words = content_words(text)
    pronouns = {"he", "she", "it", "they", "you", "we", "i"}
    return (
        bool(words)
        and not all(token.lower() in FUNCTION_WORDS | pronouns for token in tokens(text))
        and not (
            set(words) <= {"someone", "somebody", "anyone", "something", "anything", "thing", "things", "video", "time"}
        )
    )
