"""Patterns of English in which a line says that something is so: asking, supposing, planning, denying, and of whom.

Patterns only: what follows from them, `planners.english.polarity` judges.
"""

from __future__ import annotations

import re

from planners.english.words import AUXILIARY

_PERSON = (
    r"(?:I|you|he|she|it|we|they|there|this|that|these|those|the|an?|my|your|his|her|our|their|everyone|everybody|"
    r"nobody|someone|somebody)"
)
_STARTS = rf"(?:{_PERSON}\b|{_PERSON}['\u2019]\w+|[A-Z]\w+(?:['\u2019]s)? (?:is|was|has|had|did|does|will|can|\w+ed)\b)"
CLAUSE = re.compile(
    rf"\s*[;:\u2014\u2013]\s*|\s*,\s*(?={_STARTS})|\s*,?\s+(?=(?:and|or|so|as(?! an? )|since|until|when|while)\s+"
    rf"{_STARTS})|"
    r"\s*,?\s+(?=(?:but|because|although|though|whereas|unless|if|whether|in case)\b)"
)
PARTICLE = re.compile(
    r"^(?:(?:oh|well|so|but|and|hmm|um|uh|wow)\b,?\s+)*(?:no|nope|nah|yes|yeah|yep|yup)\b\s*[,.!\u2014-]+\s*", re.I
)
ASKS = re.compile(
    r"^(?:(?:and|so|but|oh|well|hey)\b,?\s+)*(?:"
    rf"{AUXILIARY} (?:you|he|she|it|they|we|I|there|any\w*)\b|(?:is|are|was|were|did|does|has) (?:the|your|my|his|her|"
    rf"their|our|this|that)\b|(?:how|what|when|where|why|who|which)(?: \w+)?(?: \w+)? {AUXILIARY} (?:you|he|she|it|"
    r"they|we|I|the|your|his|her|their|there)\b)",
    re.I,
)
"""A question, also where the recogniser wrote no question mark."""
WHETHER = re.compile(r"^(?:but\s+)?(?:if|whether|unless|in case)\b", re.I)
IF = re.compile(
    r"(?<!\bsee )(?<!\bknow )(?<!\bask )(?<!\basked )(?<!\bwonder )(?<!\bcheck )(?<!\bsure )(?<!\btell )"
    r"\b(?:if|unless) (?!I (?:remember|recall)|I['\u2019]m not mistaken|you (?:know|ask)|possible|anything|not\b)",
    re.I,
)
SUPPOSES = re.compile(
    r"(?i:\b(?:might|maybe|perhaps|probably|possibly|could be|could have|would|should|wish(?:ed|es)?|hop(?:e|es|ing)|"
    r"imagin\w+|suppos\w+|guess(?! what\b)|wonder(?:ed|ing|s)?|doubt|pretend\w*|almost|nearly|as if|as though|"
    r"not (?:sure|certain|know|remember|recall)|no idea)\b|n['\u2019]t (?:sure|certain|remember|recall)\b|"
    r"\bdo(?:es)?n['\u2019]t know\b)|(?<= )may\b",
)
TO_COME = re.compile(
    r"\bgoing to (?!the\b|an?\b|my\b|our\b|your\b|[A-Z])|(?i:"
    r"\b(?:will|shall|gonna|tomorrow|next (?:week|weekend|month|year|time|summer|winter|spring|fall|autumn)|"
    r"plan(?:s|ned|ning)?|want(?:s|ed|ing)?|need(?:s|ed)? to|about to|intend\w*|let['\u2019]s|looking forward|"
    r"can['\u2019]t wait|considering|thinking (?:of|about)|my (?:dream|goal|aim)|dream(?:s|t|ed|ing)? (?:of|to|is)|"
    r"research\w*|look(?:ed|ing)? into|tr(?:y|ied|ying) to|working (?:on|towards?)|appl(?:y|ied|ying) (?:to|for))\b|"
    r"['\u2019]ll\b|['\u2019]d (?:like|love)\b)"
)
"""Plans, wishes and attempts: whoever has them has not done it."""
PURPOSE = re.compile(
    r"^(?:hop(?:e|es|ing)|will|['\u2019]ll|want(?:s|ed|ing)?|tr(?:y|ied|ying) to|looking forward|can['\u2019]t wait|"
    r"working (?:on|towards?))$",
    re.I,
)
"""Of these, what may follow a doing that is told: `I launched a campaign in hopes of growing`."""
ASKS_TO_COME = re.compile(
    r"\b(?:will|would|should|going|plan\w*|want\w*|need\w*|intend\w*|tomorrow|next|might|could|may|hop(?:e|es|ing)|"
    r"wish\w*|consider\w*|thinking|interested)\b",
    re.I,
)
ASKS_OF_PAST = re.compile(r"^(?:did|was|were|has|have|had)\b", re.I)
NO_DENIAL = re.compile(
    r"\bnot (?:only|just|merely|to mention|bad)\b|\bno (?:wonder|doubt|problem|worries|matter|way)\b|\bwhy not\b|"
    r"\bwhether or not\b|\b(?:not|never|can['\u2019]t|cannot|won['\u2019]t|don['\u2019]t|didn['\u2019]t)"
    r" (?:ever )?(?:forget|know|reali[sz]e|notice|regret|mind|worry|believe (?:how|I|we|that|it))\b|"
    r"\bcan['\u2019]t (?:help|complain)\b|\bcouldn['\u2019]t (?:be \w+er|agree more|believe)\b",
    re.I,
)
"""Negations that leave what they stand before as it is."""
DENIES = re.compile(
    r"\b(?:not|never|no longer|nobody|no one|none|nothing|neither|nor|cannot|no(?= \w)|hardly|without|"
    r"(?:is|are|was|were|do|does|did|have|has|had|ca|could|wo|would|should)nt)\b|n['\u2019]t\b",
    re.I,
)
EXCLUDES = re.compile(
    r"\b(?:instead of|rather than|except(?: for)?|apart from|other than|(?:any|every)thing but)\b", re.I
)
"""What follows is left out: it was not that."""
FAILS = re.compile(
    r"\b(?:refus(?:e|ed|es|ing)|fail(?:ed|s)?|forgot|forgets?|declined|missed)(?= (?:to|my|the)\b)", re.I
)
CEASED = re.compile(r"\b(?:stopped|stop|quit|quitting|gave up|given up|used to|got rid of)\b", re.I)
FIRST = re.compile(r"\b(?:I|[Ww]e|[Mm]y|[Mm]e|[Uu]s|[Oo]ur|[Mm]ine|[Mm]yself|I['\u2019]\w+|[Ww]e['\u2019]\w+)\b")
SECOND = re.compile(r"\b(?:you|your|yours|yourself|congrat\w*|well done)\b", re.I)
THIRD = re.compile(r"\b(?:he|she|they|his|hers?|their)\b", re.I)
OTHER_PERSON = re.compile(
    r"^(?:(?:and|but|so|because|although|though|while|when|since|yeah|actually|also)\b,?\s+)*"
    r"(?:my|our|an?|the|one of (?:my|our)|some|this|that|his|her|their) (?:[a-z]+ )?(?P<person>friends?|budd(?:y|ies)|"
    r"pals?|sisters?|brothers?|mothers?|moms?|mums?|fathers?|dads?|parents|wife|husband|partner|boyfriend|girlfriend|"
    r"sons?|daughters?|kids?|child|children|cousins?|aunts?|uncles?|grand\w+|neighbou?rs?|boss|colleagues?|coworkers?|"
    r"roommates?|teammates?|guys?|girls?|m[ae]n|wom[ae]n|lad(?:y|ies)|boys?)\b(?! and (?:I|me|myself)\b)",
    re.I,
)
"""Whose doing a clause tells of where it begins with somebody of the speaker's."""
POINTS = re.compile(r"\b(?:it|them|that|this|those|these)\b|\bit['\u2019]s\b", re.I)
YES = re.compile(
    r"^(?:(?:oh|well|hmm|um)\b,?\s+)*(?:yes|yeah|yep|yup|sure|of course|absolutely|definitely|indeed|certainly)\b"
    r"(?! (?:thing|enough)\b)|^(?:I|he|she|it|they|we) (?:am|is|are|was|were|do|does|did|have|has|can)[.!]?$",
    re.I,
)
NO = re.compile(
    r"^(?:(?:oh|well|hmm|um)\b,?\s+)*"
    r"(?:no|nope|nah|not (?:yet|really|at all)|never)\b(?! (?:doubt|problem|worries|way)\b)"
    r"|^(?:I|he|she|it|they|we) (?:\w+n['\u2019]t|(?:am|is|are|was|were|do|does|did|have|has) not)[.!]?$",
    re.I,
)
UNWILLING = re.compile(
    r"\b(?:won['\u2019]t|(?:not|never) (?:want|plan|going|gonna|need)|will (?:not|never))\b|"
    r"n['\u2019]t (?:want|plan|going|gonna|need)\b"
)
