"""A question in plain English to a typed plan. Rules only: no model, no memory; tens of microseconds.

Works outside in: time expressions are taken out first, then the clause that anchors the question to something else
(`before he sat down`), then the question words decide the kind, then what is left is what to look for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from planners.plan import (
    ANY_SIGHT,
    ANY_SPEECH,
    ANY_WRITING,
    Anchor,
    AnchorRelation,
    OccurrenceKind,
    Plan,
    QuestionKind,
)
from planners.time_expressions import find_time
from planners.words import FUNCTION_WORDS, ORDINAL_WORDS, content_words, tokens
from streammem.errors import InputError
from streammem.types import Modality

MAX_QUESTION_CHARACTERS = 4000

_SPEECH_VERBS = (
    r"(?:sa(?:y|ys|id|ying)|speaks?|spoke|spoken|speaking|talks?|talked|talking|tells?|told|telling|mention(?:s|"
    r"ed|ing)?|"
    r"discuss(?:es|ed|ing)?|hear[sd]?|heard|claim(?:s|ed)?|explain(?:s|ed)?|ask(?:s|ed)?|announc(?:es|ed)|"
    r"describ(?:es|ed)|brought up|brings? up|comes? up|came up|refer(?:s|red)? to|quot(?:e|es|ed))"
)
_WRITING = (
    r"\b(?:written|writing|reads?\b(?! aloud)|text|(?:title |on the |on a )cards?|title of|"
    r"caption(?:s|ed)?|subtitles?|sign|signs|poster|banner|label|title|"
    r"logo|on[- ]?screen|letters|printed|credits)\b"
)
_SIGHT = (
    r"\b(?:appear(?:s|ed|ing)?|see|seen|saw|visible|shown?|shows|in (?:view|the picture|the frame|shot)|on camera|"
    r"walk(?:s|ed|ing)?|cross(?:es|ed|ing)?|stand(?:s|ing)?|stood|pass(?:es|ed|ing)?(?: by)?|enter(?:s|ed)?|"
    r"leaves?|left|look(?:s|ed)? like|wear(?:s|ing)?|drive(?:s)?|drove|ride(?:s)?|running|runs?|sit(?:s|ting)?|"
    r"holding)\b"
)

_KINDS: tuple[tuple[QuestionKind, str], ...] = (
    ("order", r"^(?:in (?:what|which) order|(?:which|what|who)\b.*\b(?:first|earlier|later|last)\s*[,:]\s*.+\bor\b)"),
    (
        "order",
        r"^(?:which|what|who) (?:\w+ ){0,2}(?:came|comes|happened|appeared|was|is) (?:first|earlier|later|"
        r"last)\b.+\bor\b",
    ),
    (
        "how_many",
        r"^(?:(?:about|roughly) )?(?:how many|what (?:is|was) the (?:number|count) of|count(?: up)?(?: "
        r"all)?(?: the)?\b|number of)",
    ),
    ("how_many", r"^how (?:often|frequently)\b"),
    ("how_long", r"^(?:(?:for )?how (?:long|much time)|what (?:is|was) the (?:duration|length) of)"),
    (
        "when",
        r"^(?:(?:at|around|since|until) )?(?:when|what (?:time|moment|point)|which (?:moment|minute|second|"
        r"day|point))\b",
    ),
    ("when", r"^(?:please )?(?:tell me (?:when|at what)|find|show(?: me)?|locate|jump to|go to|take me to)\b"),
    ("where", r"^(?:(?:from|to) )?(?:where|in (?:what|which) (?:place|room|location)|what place)\b"),
    ("who", r"^(?:(?:to|with|by|from|for) )?who(?:m|se)?\b"),
    ("why", r"^(?:why|how come|for what reason|what (?:is|was) the reason)\b"),
)

_YES_NO = (
    r"^(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would)(?:n['\u2019]t)?\s+(?:there\s+)?"
    r"|^(?:can|could) (?:you|one|we) see\b"
)

_THERE_IS = (
    r"^(?:is|are|was|were)(?:n['\u2019]t)? there\b|\b(?:is|are|was|were) there$|"
    r"^(?:can|could|do|did) (?:you|one|we|i) (?:see|spot)\b|"
    r"^(?:is|are|was|were)\b.* (?:visible|seen|shown|present|in (?:view|the (?:picture|frame|shot)))$|"
    r"^where (?:is|are|was|were)\b|"
    r"\b(?:appears?|appeared|show(?:s|ed)? up|visible|(?:is|are|was|were|be) (?:seen|shown)|in view|on camera)$"
)
"""Questions about whether, when or where a thing is there."""

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


@dataclass(slots=True)
class _Rest:
    """The question while parts are taken out of it."""

    text: str

    def take(self, pattern: str) -> re.Match[str] | None:
        match = re.search(pattern, self.text, re.I)
        if match:
            self.text = re.sub(r"\s+", " ", f"{self.text[: match.start()]} {self.text[match.end() :]}").strip(" ,?.!")
        return match


def parse_question(question: str) -> Plan:
    """Parses one English question.

    Raises:
        InputError: empty, or longer than 4000 characters.

    Example:
        >>> parse_question("When did a dog first appear?").occurrence
        'first'
    """
    asked = re.sub(r"\s+", " ", question).strip()
    spelled = re.sub(r"\b(what|who|where|when|how|why|there|that)['\u2019]s\b", r"\1 is", asked, flags=re.I)
    if not re.search(r"\w", asked):
        raise InputError("The question is empty; ask for example 'When did a person appear?'.")
    if len(asked) > MAX_QUESTION_CHARACTERS:
        raise InputError(f"The question is {len(asked)} characters long; ask it in at most {MAX_QUESTION_CHARACTERS}.")
    found = find_time(spelled)
    rest = _Rest(text=(found.remaining if found else spelled).strip(" ,?.!"))
    if (order := _order_targets(rest.text)) is not None:
        kind, targets = order
        return Plan(
            question=asked,
            kind=kind,
            target=" ; ".join(targets),
            targets=targets,
            window=found.window if found else None,
            modalities=_modalities(rest.text, kind="order"),
        )
    anchor = _take_anchor(rest)
    kind = _kind(rest.text)
    modalities = _modalities(rest.text, kind=kind)
    times = bool(re.search(r"^how (?:many times|often|frequently)", rest.text, re.I))
    occurrence, nth = _take_occurrence(rest, kind=kind)
    negated = (
        bool(
            re.search(
                r"\b(?:not|never|no one|nobody|without)\b|"
                r"n['\u2019]t\b",
                rest.text,
                re.I,
            )
        )
        and kind == "yes_no"
    )
    speaker = _speaker(rest.text)
    target = _target(rest.text, kind=kind, speaker=speaker)
    is_thing = modalities != ANY_SPEECH and kind != "written" and bool(re.search(_THERE_IS, rest.text, re.I))
    return Plan(
        question=asked,
        kind=kind,
        target=target,
        occurrence=occurrence,
        nth=nth,
        anchor=anchor,
        window=found.window if found else None,
        modalities=modalities,
        speaker=speaker,
        negated=negated,
        is_thing=is_thing,
        counts_times=times,
    )


def _kind(text: str) -> QuestionKind:
    lowered = text.lower()
    for kind, pattern in _KINDS:
        if re.search(pattern, lowered):
            return kind
    if re.search(r"^(?:what|which|whatever)\b", lowered):
        if re.search(_WRITING, lowered) and not re.search(r"\b(?:he|she|they|someone|somebody|anyone) ", lowered):
            return "written"
        if re.search(rf"\b{_SPEECH_VERBS}\b|\b(?:words|sentences?|speech|conversation|transcript)\b", lowered):
            return "said"
        return "what"
    if re.search(r"^(?:read|transcribe|quote|repeat)\b", lowered):
        return "written" if re.search(r"\b(?:sign|text|poster|banner|label|title|screen)\b", lowered) else "said"
    if re.search(_YES_NO, lowered):
        return "yes_no"
    if re.search(r"^(?:describe|summari[sz]e|tell me)\b", lowered):
        return "what"
    return "other"


def _modalities(text: str, *, kind: QuestionKind) -> tuple[Modality, ...]:
    lowered = text.lower()
    if kind == "said" or (kind != "written" and re.search(rf"\b{_SPEECH_VERBS}\b", lowered)):
        return ANY_SPEECH
    if kind == "written" or re.search(_WRITING, lowered):
        return ANY_WRITING
    if re.search(_SIGHT, lowered):
        return ANY_SIGHT
    return ()


def parse_clause(clause: str) -> Plan:
    """What a clause inside a question refers to: `Jake said "mark it"`, `the puzzle was mentioned`, `he sat down`.

    Raises:
        InputError: nothing is in it.
    """
    spoken = re.match(rf"^(.+?)\s+{_SPEECH_VERBS}\b", clause, re.I)
    lead = "when did" if spoken and not re.search(r"\b(?:is|are|was|were|been|get|got)$", spoken[1], re.I) else "when"
    plan = parse_question(f"{lead} {clause}")
    return plan if plan.target or lead == "when" else parse_question(f"when {clause}")


def _order_targets(text: str) -> tuple[QuestionKind, tuple[str, ...]] | None:
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


def _take_anchor(rest: _Rest) -> Anchor | None:
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


def _take_occurrence(rest: _Rest, *, kind: QuestionKind) -> tuple[OccurrenceKind, int | None]:
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


def _speaker(text: str) -> str | None:
    match = re.search(
        rf"\b(?i:did|does|do|has)\s+(?:the\s+)?([A-Z][\w'\u2019-]+(?: [A-Z][\w'\u2019-]+)?)\s+(?:\w+ "
        rf")?{_SPEECH_VERBS}",
        text,
    ) or re.search(rf"(?:\b(?:what|when|that)\s+|^)([A-Z][\w'\u2019-]+)\s+{_SPEECH_VERBS}", text)
    if match is None or match[1].lower() in FUNCTION_WORDS | {"everyone", "everybody", "please", "people"}:
        return None
    return match[1]


_LEADS: dict[QuestionKind, str] = {
    "when": (
        r"^(?:please )?(?:(?:at|around|since|until) )?(?:when|what (?:time|moment|point)|which (?:moment|minute|"
        r"second|day|point)|"
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
    "what": r"^(?:what|which|describe|summari[sz]e|tell me)(?: (?:kind|sort|type) of| about| else)?",
}
_SURFACE_PHRASE = (
    r"(?:the |this |that |a |an )?(?:\w+ )?(?:cards?|signs?|screen|posters?|banners?|boards?|walls?|pages?|labels?|"
    r"slides?|picture|image|frame|papers?|placards?|plates?|film|movie|video|trailer)"
)
"""What writing stands on, as a place: seldom itself in memory."""
_AUXILIARY = (
    r"(?:(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|should|might)(?:n['\u2019]t| not)?\b\s*)"
)


def _target(text: str, *, kind: QuestionKind, speaker: str | None) -> str:
    rest = _Rest(text=text)
    rest.take(_LEADS.get(kind, r"^(?!)"))
    if kind in {"when", "where", "who", "why", "how_long", "said", "written", "what", "yes_no"}:
        rest.take(rf"^{_AUXILIARY}(?:there\b\s*)?")
    elif kind == "how_many":
        rest.take(rf"^{_AUXILIARY}")
        rest.take(r"\b(?:can|could|do|did) (?:you|we|one|i) (?:count|see|find|spot)\b")
        rest.text = re.sub(
            rf"\s+{_AUXILIARY}(?:there\b|you see\b|we see\b)?", " ", f"{rest.text} ", count=1, flags=re.I
        ).strip()
    if speaker:
        rest.take(rf"^\s*(?:does |do |did |has )?(?:the\s+)?{re.escape(speaker)}\b")
    if kind == "written":
        rest.take(r"^(?:is|are|was|were)\b")
        rest.take(r"\b(?:is |are |was |were |stands? |stood |appears? )?(?:written|printed|shown|displayed|visible)\b")
        rest.take(r"^stands?\b|^stood\b")
        rest.take(rf"\b(?:does|do|did)?\s*\b(?:on|in|at|across|above|below) (?:{_SURFACE_PHRASE})\b")
        rest.take(r"\b(?:does|do|did) (?=the)")
        rest.take(r"^(?:(?:can|could) )?(?:be|you|one|i|we) (?:read|seen?)\b(?: in the picture)?")
        rest.take(rf"\b(?:{_SPEECH_VERBS}|reads?)$")
        rest.take(r"^(?:the )?(?:text|words|writing)\b(?: (?:is|are|was|were)?(?: (?:there|in view))?)?")
    subject = (
        r"(?:(?:he|she|they|it|we|you|i|someone|somebody|anyone|anybody|people|the (?:man|woman|person|"
        r"speaker|narrator|voice|reader|guy))\b\s*)?"
    )
    if kind != "written":
        rest.take(
            rf"^\s*{subject}{_AUXILIARY}?(?:(?:talk|speak|told|tell|say|"
            rf"mention)\w*\s+)?{_SPEECH_VERBS}\b(?:\s+(?:about|of|on|that|something about|anything about))?\s*"
        )
        rest.take(
            rf"\s*\b(?:{_AUXILIARY})?(?:being )?(?:said|mentioned|discussed|talked about|spoken(?: of| about)?|"
            rf"brought up|heard)\b(?:\s+(?:about|of|on|that))?"
        )
        if kind == "said":
            rest.take(r"^(?:about|of|on|that|regarding|concerning)\b")
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
