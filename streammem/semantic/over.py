"""What a sentence says is over: `I quit Siemens`, `we broke up`, `I sold the car`, `I no longer play tennis`.

The other side of `semantic.statements`: each statement has a predicate `no longer ...`, and `semantic.endings` knows
what it ends. Only what somebody says counts, of themselves and of people named. What is wished, planned, asked, denied
or guessed has not ended. Where words leave open what ended ("I left Paris": the town or the company), every reading is
stated: what was never known to hold ends nothing. English only. Knows no event and no store.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from streammem.semantic.activities import base_form
from streammem.semantic.endings import ANYTHING, JOB, PARTNERS
from streammem.semantic.predicates import NO_LONGER
from streammem.semantic.statements import CLAUSE_END, SOMEHOW, WHO, Statement, person
from streammem.semantic.words import FAMILY, KIN, NAME, NOUN, OCCUPATIONS, POSSESSIONS, is_name

_SURE, _LIKELY = 0.75, 0.65
_NOT_YET = re.compile(
    r"\b(?:if|whether|unless|maybe|perhaps|probably|think|thinking|thought|guess|hope|hoping|wish|would|could|should|"
    r"might|may|imagine|pretend|suppose|wants?|wanted|try|tries|trying|tried|going to|gonna|about to|will|almost|"
    r"nearly|asked|asks?|plan(?:s|ning|ned)? (?:to|on)|considering|considered|shall|when|until|before|never|not|"
    r"\w+n't)\b|'ll\b",
    re.IGNORECASE,
)
"""Before or around what is said to have ended: then it did not, or not yet, or in a tale."""
_PEOPLE = rf"(?:(?P<we>[Ww]e)|{WHO})"
_BE = r"(?:'m|'s|'re| am| is| are| was| were|'ve been| have been| has been| got)"
_HAVE = r"(?:'ve|'s| have| has)?"
_EVER = r"(?: (?:anymore|any more|any longer|now|these days|after all))"
_PLACE = r"(?:the\s)?(?P<value>[A-Z][A-Za-z]+(?:[ ,]{1,2}[A-Z][A-Za-z]+){0,2})"
_UNTIL = (
    r"(?=\s*(?:[.,!?;:)]|$)|\s(?:and|but|because|so|since|too|now|when|while|as|after|before|to|for|yesterday|today|"
    r"tonight|last|this|next|recently|already|in|on|at|ago|anymore|any more|any longer|these|earlier|back|again)\b)"
)
_FULL_STOP = r"(?=\s*(?:[.!;]|$|,? (?:and|but|because)\b))"
"""After a denial: `on Fridays` would make it less."""
_FIRM = rf"(?P<value>(?:an?|the|my) {NOUN}|[A-Z]\w+(?: [A-Z]\w+)*)"
_PHRASE = r"(?P<value>[A-Za-z][\w'-]*(?:\s[\w'-]+){0,5}?)"
_MINE = r"(?:my|our|his|her|their|the|that|a|an)"
_OWNED = rf"(?P<value>(?:[a-z]+ ){{0,2}}?(?:{POSSESSIONS}))"
_KIN_HERE = "|".join(sorted(PARTNERS, key=len, reverse=True))
_LEAVES = r"(?:quit|quits|(?:left|leaves)(?= [A-Z])|resigned from|retired from|finished at)"
_ENDS_WORK = rf"{_BE} (?:fired|laid off|let go|made redundant)"

_Form = tuple[re.Pattern[str], tuple[str, ...], float]


def _form(pattern: str, *predicates: str, sure: float = _SURE) -> _Form:
    return re.compile(pattern), predicates, sure


_NEVER = rf"(?: no longer| (?:don't|doesn't|do not|does not)(?=[^.!?]*{_EVER})| used to)"
"""`no longer lives`, `don't live ... anymore`, `used to live`."""
_NOT_ANY = r"(?:no longer|not(?=[^.!?]*\b(?:anymore|any more|any longer|these days)\b))"
"""`not in Paris` is where somebody is; `not in Paris anymore` is where they lived."""
_DID, _IS, _NO_MORE = (rf"\b{_PEOPLE}{verb}" for verb in (_HAVE + SOMEHOW, _BE, _NEVER))
_FORMS: tuple[_Form, ...] = (
    _form(rf"{_DID}(?:,)? {_LEAVES} {_FIRM}{_UNTIL}", "works at"),
    _form(rf"\b{_PEOPLE}{_ENDS_WORK} (?:by|from|at) {_FIRM}{_UNTIL}", "works at"),
    _form(rf"{_DID} (?:stopped|quit|finished) working (?:at|for|with) {_FIRM}{_UNTIL}", "works at"),
    _form(rf"{_NO_MORE} works? (?:at|for|with|in) {_FIRM}{_UNTIL}", "works at"),
    _form(rf"{_IS} {_NOT_ANY} (?:working )?(?:at|with|for) {_FIRM}(?:{_EVER}|{CLAUSE_END})", "works at"),
    _form(rf"{_NO_MORE} works? as an? (?P<value>{NOUN}){_UNTIL}", "works as"),
    _form(rf"{_DID} (?:stopped|quit) (?:working |being |work )?(?:as )?an? (?P<value>{OCCUPATIONS})\b", "works as"),
    _form(rf"{_IS} no longer an? (?P<value>(?:[a-z]+ )?(?:{OCCUPATIONS}))\b", "works as"),
    _form(rf"{_DID} (?:left|moved (?:out of|away from|out from|from)) {_PLACE}", "lives in"),
    _form(rf"{_NO_MORE} lives? in {_PLACE}", "lives in"),
    _form(rf"{_IS} {_NOT_ANY} (?:living )?in {_PLACE}(?:{_EVER}|{CLAUSE_END})", "lives in"),
    _form(rf"{_DID} (?:sold|gave away|got rid of|crashed|wrecked|totaled|totalled|donated|"
          rf"traded in|lost|returned|gave back|sold off) {_MINE} {_OWNED}\b", "has"),
    _form(rf"{_DID} (?:gave|traded) {_MINE} {_OWNED} (?:away|up|back|in|to)\b", "has"),
    _form(rf"{_NO_MORE} (?:have|has|own|owns) (?:the|that|my) {_OWNED}\b", "has", sure=_LIKELY),
    _form(rf"\b{_PEOPLE} used to (?:have|own) an? {_OWNED}\b", "has", sure=_LIKELY),
    _form(rf"{_DID} (?:broke up|split up|split|separated|parted ways|broken up) with "
          rf"(?P<value>{NAME})\b", "is with"),
    _form(rf"{_DID} (?:divorced|dumped|left) (?P<value>{NAME})"
          r"(?=\s*(?:[.,!;]|$)|\s(?:because|and|last|after|in|for [A-Z])\b)", "is with"),
    _form(rf"{_IS} {_NOT_ANY} (?:with|dating|seeing|married to|engaged to|together with) "
          rf"(?P<value>{NAME})(?:{_EVER}|{CLAUSE_END})", "is with"),
    _form(rf"\b{_PEOPLE} used to (?:like|love|enjoy|adore) {_PHRASE}{CLAUSE_END}", "likes",
          sure=_LIKELY),
    _form(rf"{_DID} (?:lost interest in|went off|got tired of|got bored of|got sick of) {_PHRASE}{CLAUSE_END}", "likes",
          sure=_LIKELY),
    _form(rf"{_DID} (?:cancelled|canceled|called off|scrapped|dropped|postponed) "
          rf"(?:my|our|the|his|her|their) (?:plans? to |idea (?:of|to) )?{_PHRASE}{CLAUSE_END}", "plans to"),
    _form(rf"{_DID} (?:decided not to|decided against|changed my mind about|gave up on|ruled out) "
          rf"{_PHRASE}{CLAUSE_END}", "plans to"),
    _form(rf"{_IS} (?:no longer|not) (?:going to|planning to|gonna) {_PHRASE}(?:{_EVER}|{CLAUSE_END})",
          "plans to"),
    _form(rf"{_NO_MORE} plans? to {_PHRASE}{CLAUSE_END}", "plans to"),
    _form(r"\b(?:[Mm]y|[Oo]ur|[Tt]he) (?:plans? (?:to|for) )?(?P<value>(?:[\w'-]+ ){1,4}?)(?:plans? )?"
          r"(?:fell through|has fallen through|have fallen through|came to nothing)\b(?P<ours>)", "plans to"),
    _form(rf"{_IS} (?:no longer|not) allergic to {_PHRASE}(?:{_EVER}|{CLAUSE_END})", "is allergic to"),
    _form(rf"{_NO_MORE} volunteers? at {_FIRM}{_UNTIL}", "volunteers at"),
    _form(rf"\b{_PEOPLE} (?:don't|doesn't|do not|does not) work (?:at|for) {_FIRM}{_FULL_STOP}", "works at"),
    _form(rf"\b{_PEOPLE} (?:don't|doesn't|do not|does not) live in {_PLACE}{_FULL_STOP}", "lives in"),
    _form(rf"{_DID} (?:stopped|quit) volunteering at {_FIRM}{_UNTIL}", "volunteers at"),
    _form(r"\b(?:[Mm]y|[Oo]ur|[Tt]he) (?P<value>(?:[a-z]+ )?(?:trip|flight|wedding|move|party|holiday|vacation|visit|"
          r"concert|appointment|dinner|meeting|marathon|race|match|game|show|tour|cruise)"
          r"(?: (?:to|with|in) [A-Z]\w+)?)(?:(?: was| is| got|'s| has been)? "
          r"(?:cancelled|canceled|called off|fell through|fallen through)\b|(?: is|'s|'s now| is now) off"
          r"(?=\s*[.,!;]|\s*$))(?P<ours>)", "plans to"),
)  # fmt: skip
_LEFT = re.compile(r"\b(?:left|leaves)\b")
_BACK_SOON = re.compile(
    r"\s(?:this (?:morning|afternoon|evening)|at|early|late|by|tonight|for (?:the|a|an|my|lunch|today|work)|"
    r"to (?:go|get|see|buy|pick|visit))\b"
)
"""After what is left: then it is left for the day."""
_WITHOUT_WORK = re.compile(
    rf"\b{_PEOPLE}(?:{_HAVE}{SOMEHOW} (?:quit|lost|left|resigned from|gave up|walked out of) {_MINE} (?:[a-z]+ )?job\b|"
    rf"{_HAVE}{SOMEHOW} (?:quit|quit work|stopped working|resigned|retired)(?=\s*(?:[.,!;]|$)|\s(?:last|today|"
    rf"yesterday|and|because|this|in)\b)|{_ENDS_WORK}(?! (?:by|from|at))|"
    rf"{_BE}{SOMEHOW} (?:retired|unemployed|jobless|out of work|between jobs)\b)"
)
_PARTED = re.compile(
    rf"\b(?:(?P<who>[A-Z][a-z]+) and (?P<other>I|[A-Z][a-z]+)|(?P<i>I)|(?P<we>[Ww]e)){_HAVE}{SOMEHOW}"
    r"(?: (?:broke up|split up|broke it off|called off (?:the|our) (?:engagement|wedding)|parted ways|separated|"
    r"got divorced|divorced|got a divorce|ended (?:it|things|the relationship|our relationship))|"
    r"(?:'re| are|'m| am)(?: now| finally| officially)? (?:divorced|separated|single)|"
    r"(?:'re| are) (?:no longer|not) (?:together|dating|married|engaged|a couple|seeing each other)"
    rf"(?:{_EVER}|(?=\s*[.,!;]|\s*$))|(?: aren't| are not) (?:together|dating|a couple){_EVER})"
    r"(?! with)(?=\s*[.,!;?]|\s*$|\s[a-z])"
)
_LET_GO = re.compile(
    r"\b(?:[Tt]hey|[Mm]y (?:boss|company|employer)|[Tt]he (?:company|firm)|(?P<value>[A-Z]\w+))"
    r"(?: have| has| just|'ve)* (?:fired me|sacked me|laid me off|let me go|made me redundant)\b"
)
_LEFT_ME = re.compile(
    rf"\b(?:(?P<name>{NAME})|[Mm]y (?P<kin>{_KIN_HERE})(?: (?P<kin_name>[A-Z][a-z]+))?)(?: has| just| and I)*"
    r" (?:left me(?=\s*(?:[.,!;]|$)|\s(?:for|last|yesterday|because|and|after|when|this)\b)|dumped me|"
    r"broke up with me|divorced me|(?<=and I )(?:broke up|split up))\b"
)
_EX = re.compile(rf"\b[Mm]y ex-?\s?(?P<kin>{_KIN_HERE})\b(?:,? (?P<name>[A-Z][a-z]+))?")
_WITH_MY = re.compile(
    rf"\b(?P<i>I){_HAVE}{SOMEHOW} (?:broke up with|split up with|divorced|left|dumped) my (?P<kin>{_KIN_HERE})\b"
)
_GONE = re.compile(
    rf"\b(?:(?P<whose>[Mm]y|[Oo]ur)|(?P<owner>[A-Z][a-z]+)'s) (?:[a-z]+ )?(?P<value>{FAMILY}|{POSSESSIONS})"
    r"(?:,? (?P<name>[A-Z][a-z]+),?)?(?: has| just| sadly| suddenly)* "
    r"(?:died|passed away|ran away|was stolen|got stolen|was sold|was put down|burned down|is gone|was totalled|"
    r"was totaled)\b"
)
_GIVEN_AWAY = re.compile(
    rf"{_DID} (?:gave (?P<name>[A-Z][a-z]+) (?:away|up|back)|"
    r"(?:rehomed|put down) (?P<other>[A-Z][a-z]+))\b"
)
_NAME_GONE = re.compile(
    r"(?:^|,\s|^(?:Sadly|Unfortunately|Poor),? )(?P<name>[A-Z][a-z]+)(?: has| just| sadly| suddenly)* "
    r"(?:died|passed away|ran away|was put down|is dead)\b"
)
"""Whose pet has that name: who tells it."""
_LEARNT = (
    r"(?:[A-Za-z-]+ ){0,3}?(?:course|class|classes|lessons|degree|training|programme|program|studies|school|thesis)"
)
_STOPPED = re.compile(
    rf"\b{_PEOPLE}(?:{_HAVE}{SOMEHOW} (?:stopped(?= [a-z]+ing\b)(?! studying)|quit(?= [a-z])|gave up(?! on\b)|given up|"
    rf"dropped out of|graduated from|(?:finished|completed|dropped|left)(?= {_MINE} {_LEARNT}\b))|"
    rf"{_BE}{SOMEHOW} done with)"
    rf" (?:taking |doing )?(?P<value>[\w'-]+(?:\s[\w'-]+){{0,4}}?){CLAUSE_END}"
)
_NOT_SINCE = re.compile(
    rf"\b{_PEOPLE} (?:haven't|hasn't|have not|has not) (?P<value>[a-z]+(?:\s[\w'-]+){{0,4}}?) (?:in|for) (?:\w+ )?"
    r"(?:years|ages|months|a long time|a year|decades)\b"
)
_DOES_NOT = re.compile(rf"{_NO_MORE} (?P<value>[a-z]+(?:\s[\w'-]+){{0,4}}?){CLAUSE_END}")
_SAID_ELSEWHERE = re.compile(
    r"^(?:be|been|have|has|own|live|lives|living|work|works|working|like|likes|love|loves|enjoy|plan|think)\b"
)
_EMPTY_WORDS = "it that this them one there so here everything job work him her us me you"
_EMPTY = frozenset(_EMPTY_WORDS.split())
_HAD_TO = re.compile(
    r"\b(?:had|have had|'ve had) to (?P<verb>sell|quit|give|leave|cancel|stop|drop|move|return|resign)\b"
)
_DONE = {
    "sell": "sold", "quit": "quit", "give": "gave", "leave": "left", "cancel": "cancelled", "stop": "stopped",
    "drop": "dropped", "move": "moved", "return": "returned", "resign": "resigned",
}  # fmt: skip
_GRADUATED = re.compile(
    rf"\b{_PEOPLE}(?:{_HAVE}{SOMEHOW} (?:graduated|finished (?:my|our) (?:studies|degree)|"
    rf"got my degree|dropped out(?: of (?:university|college|uni|school))?)|{_BE} no longer studying)"
    r"(?=\s*(?:[.,!;]|$)|\s(?:last|yesterday|today|in|and|but|this)\b)"
)
_STUDIED = re.compile(
    rf"{_DID} (?:dropped out of|stopped studying|quit studying|dropped|graduated in|gave up)"
    rf" (?P<value>[a-z]+(?: [a-z]+)?){_UNTIL}|"
    rf"\b(?P<i>I)(?:'ve| have)? switched from (?P<before>[a-z]+(?: [a-z]+)?) to\b"
)


def over(sentence: str, *, speaker: str | None) -> Iterator[Statement]:
    """What a sentence that somebody says tells to be over."""
    if sentence.rstrip().endswith("?"):
        return
    sentence = _HAD_TO.sub(lambda found: _DONE[found["verb"]], sentence)
    for pattern, predicates, sure in _FORMS:
        for found in pattern.finditer(sentence):
            who, value = _whose(found, speaker), _bare(found["value"])
            value = _activity(value) if predicates == ("plans to",) else value
            is_for_now = _LEFT.search(found.group()) and _BACK_SOON.match(sentence[found.end() :])
            if who and value and _is_told(sentence, found) and not is_for_now:
                for predicate in predicates:
                    yield Statement(who, f"{NO_LONGER}{predicate}", value, sure)
    for found in _WITHOUT_WORK.finditer(sentence):
        if (who := _whose(found, speaker)) and _is_told(sentence, found):
            yield Statement(who, f"{NO_LONGER}has", JOB, _SURE)
    for found in _LET_GO.finditer(sentence):
        if speaker and _is_told(sentence, found):
            firm = found["value"] if found["value"] and is_name(found["value"]) else None
            yield Statement(speaker, f"{NO_LONGER}{'works at' if firm else 'has'}", firm or JOB, _SURE)
    yield from _parted(sentence, speaker)
    yield from _gone(sentence, speaker)
    yield from _named_gone(sentence, speaker)
    for pattern in (_GRADUATED, _STUDIED):
        for found in pattern.finditer(sentence):
            groups = found.groupdict()
            what = _bare(groups.get("value") or groups.get("before") or ANYTHING)
            if (who := _whose(found, speaker)) and what and _is_told(sentence, found):
                yield Statement(who, f"{NO_LONGER}studies", what, _SURE)
    for pattern in (_STOPPED, _DOES_NOT, _NOT_SINCE):
        for found in pattern.finditer(sentence):
            who, what = _whose(found, speaker), _activity(_bare(found["value"]))
            if who and what and _is_told(sentence, found) and not _SAID_ELSEWHERE.match(what):
                yield Statement(who, f"{NO_LONGER}does", what, _LIKELY)


def _parted(sentence: str, speaker: str | None) -> Iterator[Statement]:
    for found in _EX.finditer(sentence):
        if speaker:
            name = found["name"] if found["name"] and is_name(found["name"]) else None
            yield Statement(speaker, f"{NO_LONGER}{'is with' if name else 'has'}", name or found["kin"], _SURE)
    for found in _PARTED.finditer(sentence):
        if not _is_told(sentence, found):
            continue
        first, other = found["who"], found["other"]
        other = speaker if other == "I" else other
        if first and other and is_name(first):
            yield Statement(first, f"{NO_LONGER}is with", other, _SURE)
            yield Statement(other, f"{NO_LONGER}is with", first, _SURE)
        elif speaker and not first:
            yield Statement(speaker, f"{NO_LONGER}has", "partner", _SURE)
    for found in _LEFT_ME.finditer(sentence):
        if speaker and _is_told(sentence, found):
            name = found["name"] or found["kin_name"]
            if name and is_name(name):
                yield Statement(speaker, f"{NO_LONGER}is with", name, _SURE)
            elif found["kin"]:
                yield Statement(speaker, f"{NO_LONGER}has", found["kin"], _SURE)
    for found in _WITH_MY.finditer(sentence):
        if speaker and _is_told(sentence, found):
            yield Statement(speaker, f"{NO_LONGER}has", found["kin"], _SURE)


def _gone(sentence: str, speaker: str | None) -> Iterator[Statement]:
    for found in _GONE.finditer(sentence):
        owner = speaker if found["whose"] else found["owner"]
        if owner is None or not is_name(owner) or not _is_told(sentence, found):
            continue
        if found["name"] and found["value"] in KIN.split("|"):
            yield Statement(owner, f"{NO_LONGER}has {found['value']}", found["name"], _SURE)
        else:
            yield Statement(owner, f"{NO_LONGER}has", found["value"], _SURE)


def _named_gone(sentence: str, speaker: str | None) -> Iterator[Statement]:
    for found in _NAME_GONE.finditer(sentence):
        if speaker and is_name(found["name"]) and _is_told(sentence, found):
            yield Statement(speaker, f"{NO_LONGER}has pet", found["name"], _LIKELY)
    for found in _GIVEN_AWAY.finditer(sentence):
        name, owner = found["name"] or found["other"], _whose(found, speaker)
        if owner and is_name(name) and _is_told(sentence, found):
            yield Statement(owner, f"{NO_LONGER}has pet", name, _LIKELY)


def _whose(found: re.Match[str], speaker: str | None) -> str | None:
    groups = found.groupdict()
    return speaker if groups.get("we") or groups.get("ours") is not None else person(found, speaker)


def _is_told(sentence: str, found: re.Match[str]) -> bool:
    """Whether it is said to be so: nothing before it in its sentence, or between who and what, makes it less."""
    clause = re.split(r"[,:;]|\b(?:but|and|so|because)\b", sentence[: found.start()])[-1]
    inside = re.sub(
        r"\bnot\b|\b(?:don't|doesn't|aren't)\b|n't\b|\bgoing to\b|\bplans? (?:to|on|for)\b", "", found.group()
    )
    return _NOT_YET.search(clause) is None and _NOT_YET.search(inside) is None


def _bare(phrase: str) -> str:
    words = " ".join(phrase.split()).strip(" ,-'")
    words = re.sub(rf"(?:{_EVER})+$", "", words)
    words = re.sub(r"^(?:an?|the|my|our|his|her|their) ", "", words)
    return "" if words.casefold() in _EMPTY else words


def _activity(phrase: str) -> str:
    """`playing tennis` as `play tennis`."""
    first, _, rest = phrase.partition(" ")
    return f"{base_form(first)} {rest}".strip() if first else ""
