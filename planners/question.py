"""A question in plain English to a typed plan. Rules only: no model, no memory; tens of microseconds.

Works outside in: time expressions are taken out first, then the clause that anchors the question to something else
(`before he sat down`), then the question words decide the kind, then what is left is what to look for.
"""

from __future__ import annotations

import re

from planners.english.clauses import order_targets, take_anchor, take_occurrence
from planners.english.targets import SPEECH_VERBS, Rest, target_of
from planners.english.time_expressions import find_time
from planners.english.words import FUNCTION_WORDS
from planners.plan import (
    ANY_SIGHT,
    ANY_SPEECH,
    ANY_WRITING,
    Plan,
    QuestionKind,
)
from streammem.errors import InputError
from streammem.types import Modality

MAX_QUESTION_CHARACTERS = 4000

_WRITING = (
    r"\b(?:written|writing|reads?\b(?! aloud)|text|(?:title |on the |on a )cards?|title of|"
    r"caption(?:s|ed)?|subtitles?|signs?\b(?! (?:up|off|in)\b)|poster|banner|label|title|"
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
        r"^(?:(?:about|roughly|in|on|at|to|of|by|with|for) )?(?:how many|what (?:is|was) the (?:number|count) of|"
        r"count(?: up)?(?: all)?(?: the)?\b|number of)",
    ),
    ("how_many", r"^how (?:often|frequently)\b"),
    ("when", r"^how long ago\b"),
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
    r"^(?:can|could|do|did|have|has) (?:you|one|we|i)(?: ever| already)? (?:see|seen|spot|spotted|notice[d]?)\b|"
    r"^(?:is|are|was|were)\b.* (?:visible|seen|shown|present|in (?:view|the (?:picture|frame|shot)))$|"
    r"^where (?:is|are|was|were)\b|"
    r"\b(?:appears?|appeared|show(?:s|ed)? up|visible|(?:is|are|was|were|be) (?:seen|shown)|in view|on camera)$"
)
"""Questions about whether, when or where a thing is there."""


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
    rest = Rest(text=(found.remaining if found else spelled).strip(" ,?.!"))
    if (order := order_targets(rest.text)) is not None:
        kind, targets = order
        return Plan(
            question=asked,
            kind=kind,
            target=" ; ".join(targets),
            targets=targets,
            window=found.window if found else None,
            modalities=_modalities(rest.text, kind="order"),
        )
    anchor = take_anchor(rest)
    kind = _kind(rest.text)
    modalities = _modalities(rest.text, kind=kind)
    times = bool(re.search(r"^how (?:many times|often|frequently)", rest.text, re.I))
    occurrence, nth = take_occurrence(rest, kind=kind)
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
    target = target_of(rest.text, kind=kind, speaker=speaker)
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
        if re.search(rf"\b{SPEECH_VERBS}\b|\b(?:words|sentences?|speech|conversation|transcript)\b", lowered):
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
    if kind == "said" or (kind != "written" and re.search(rf"\b{SPEECH_VERBS}\b", lowered)):
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
    spoken = re.match(rf"^(.+?)\s+{SPEECH_VERBS}\b", clause, re.I)
    lead = "when did" if spoken and not re.search(r"\b(?:is|are|was|were|been|get|got)$", spoken[1], re.I) else "when"
    plan = parse_question(f"{lead} {clause}")
    return plan if plan.target or lead == "when" else parse_question(f"when {clause}")


def _speaker(text: str) -> str | None:
    match = re.search(
        rf"\b(?i:did|does|do|has)\s+(?:the\s+)?([A-Z][\w'\u2019-]+(?: [A-Z][\w'\u2019-]+)?)\s+(?:\w+ "
        rf")?{SPEECH_VERBS}",
        text,
    ) or re.search(
        rf"(?:\b(?:what|when|that|things?|words?|sentences?|lines?)\s+|^)([A-Z][\w'\u2019-]+)\s+{SPEECH_VERBS}", text
    )
    if match is None or match[1].lower() in FUNCTION_WORDS | {"everyone", "everybody", "please", "people"}:
        return None
    return match[1]
