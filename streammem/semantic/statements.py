"""What a sentence states outright: rules, no language model, precision before recall.

Two ways of speaking are read. *Narration* tells what is done and seen ("I put the cup on the table", "Lena gave me the
key"): where things are, who has them, where people are. *Talk* tells of the speaker and of people ("I moved to Berlin",
"my sister Anna has a dog"): where they live and work, what they have, like and plan. Questions, conditions, guesses,
negations and tales of the past state nothing that holds. English only. Knows no event and no store.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from streammem.semantic.words import (
    DETERMINER,
    FAMILY,
    KIN,
    NAME,
    NOUN,
    OCCUPATIONS,
    POSSESSIONS,
    ROOMS,
    is_name,
    noun_phrase,
    place_phrase,
)

ME = "I"
"""Who wears the camera, or tells the story: captions say no name."""


class Statement(NamedTuple):
    subject: str
    predicate: str
    object: str
    confidence: float


_SENTENCE = re.compile(r"[^.!?;\n]+[.!?;]*")
_UNSURE = re.compile(
    r"\b(if|whether|unless|when|maybe|perhaps|probably|think|thought|guess|hope|wish|would|could|should|might|may|"
    r"not|never|isn't|aren't|don't|doesn't|didn't|can't|won't|wasn't|weren't|imagine|pretend|suppose|seems?|"
    r"looks? like|used to|will|'ll|about to|want|wants|wanted|try|tries|trying|tried|ready|preparing|let's|shall|"
    r"almost|nearly|asked|ask|asks|says|said|told|tells)\b",
    re.IGNORECASE,
)
_PAST = re.compile(r"\b(was|were|had)\b", re.IGNORECASE)

_ACTOR = rf"(?P<actor>I|We|He|She|They|{NAME})"
_START = r"(?:^|,\s|\b[Aa]nd\s|\b[Ss]o\s|\b[Tt]hen\s|\b[Nn]ow\s)"
_ADVERB = r"(?:\s(?:then|just|now|also|already|carefully|quickly|gently|still))?"
_INTO = {"into": "in", "onto": "on", "inside": "in", "to": "in"}
_PREPOSITION = r"(?P<where>in|on|into|onto|inside|under|behind|next to|near|in front of)"
_STOP = r"(?=\s*(?:[.,!;]|$)|\s(?:and|but|now|again|too|with|so|then|next|for|while|as)\b)"

_PUT = re.compile(
    rf"(?:{_START}{_ACTOR}{_ADVERB}\s|^(?:Then\s)?(?=[Pp]laced))"
    r"(?:put|puts|[Pp]laced|places|set|left|laid|hung|returned|stuck|stored)\s(?:back\s|down\s|away\s)?"
    rf"(?P<thing>(?i:{DETERMINER})\s{NOUN}?)\s(?:back\s|down\s|away\s)?{_PREPOSITION}\s(?P<place>{DETERMINER}\s{NOUN}){_STOP}"
)
_PUTTING = re.compile(
    rf"(?:{_START})(?:I'm|I am|(?P<actor>{NAME})(?:'s| is)|(?:He|She)(?:'s| is)|(?:They|We)(?:'re| are))\s(?:now\s)?"
    r"(?:putting|placing|setting|laying|hanging)\s(?:back\s|down\s|away\s)?"
    rf"(?P<thing>(?i:{DETERMINER})\s{NOUN}?)\s(?:back\s|down\s|away\s)?{_PREPOSITION}\s(?P<place>{DETERMINER}\s{NOUN}){_STOP}"
)
_GAVE_TO = re.compile(
    rf"{_START}(?:{_ACTOR}{_ADVERB})\s(?:gave|give|gives|handed|hand|hands|passed|pass|passes|lent|returned)\s"
    rf"(?:over\s)?(?P<thing>(?i:{DETERMINER})\s{NOUN}?)\s(?:back\s|over\s)?to\s(?P<taker>me|{NAME}){_STOP}"
)
_GAVE = re.compile(
    rf"{_START}(?:{_ACTOR}{_ADVERB})\s(?:gave|give|gives|handed|hand|hands|passed|pass|passes|lent)\s"
    rf"(?P<taker>me|{NAME})\s(?P<thing>(?i:{DETERMINER})\s{NOUN}){_STOP}"
)
_TOOK = re.compile(
    rf"{_START}(?P<taker>I|{NAME}){_ADVERB}\s(?:took|takes|picked up|picks up|pick up|grabbed|grabs|received|"
    rf"am holding|is holding|borrowed)\s(?P<thing>(?i:{DETERMINER})\s{NOUN}){_STOP}"
)
_HOLDING = re.compile(rf"{_START}I'm (?:now\s|still\s)?holding\s(?P<thing>(?i:{DETERMINER})\s{NOUN}){_STOP}")
_IS_AT = re.compile(
    rf"(?:^|,\s|\band\s|\bso\s|\bthat\s)(?:(?P<thing>(?:(?i:{DETERMINER})|[A-Z][a-z]+'s)\s{NOUN})|(?P<who>{NAME}))\s(?:is|are)\s"
    r"(?:now\s|still\s|right\s|back\s)?(?P<where>in|on|at|under|behind|inside|near|next to|in front of)\s"
    rf"(?P<place>{DETERMINER}\s{NOUN})(?=\s*(?:[.,!;]|$)|\s(?:and|but|now|again|too|with|of)\b)"
)
_WENT = re.compile(
    rf"{_START}(?P<who>I|{NAME}){_ADVERB}\s(?:walked|walks|walk|went|goes|go|came|comes|come|entered|enters|enter|"
    r"returned|stepped|ran|rushed|headed)\s(?:back\s|out\s|over\s|up\s|down\s)?(?:into\s|to\s|in\s)?(?:the\s|a\s)?"
    rf"(?P<place>{ROOMS})(?=\s*(?:[.,!;]|$)|\s(?:and|but|now|again|with|of|to)\b)"
)
_I_AM_IN = re.compile(rf"{_START}I'm (?:now |still |back )?(?:in|at) the (?P<place>{ROOMS})(?=\s*[.,!;]|\s*$|\snow\b)")
_TRAILING = re.compile(r"(?:\s(?:right|now|again|too|here|there|back|down))+$")


def narrated(sentence: str, *, speaker: str | None, is_caption: bool) -> Iterator[Statement]:
    """Where things and people are, and who has what. `speaker` is who `I` is."""
    me = ME if is_caption else speaker
    if is_caption or speaker:
        for found in _PUT.finditer(sentence):
            if found["actor"] is None and not is_caption:
                continue  # said, it is a request
            yield from _placed(found, speaker, 0.75)
        for found in _PUTTING.finditer(sentence):
            yield from _placed(found, speaker, 0.65)
    for pattern, sure in ((_GAVE_TO, 0.75), (_GAVE, 0.75), (_TOOK, 0.6), (_HOLDING, 0.7)):
        for found in pattern.finditer(sentence) if is_caption else ():  # said, it is often a manner of speaking
            taker = found.groupdict().get("taker") or ME
            taker = me if taker in ("I", "me") else taker if is_name(taker) else None
            thing = noun_phrase(found["thing"], owner=_owner(found), me=speaker)
            if taker and thing:
                yield Statement(thing, "is held by", taker, sure)
    for found in _WENT.finditer(sentence):
        who = me if found["who"] == "I" else found["who"] if is_name(found["who"]) else None
        if who:
            yield Statement(who, "is in", _bare(found["place"]), 0.7)
    for found in _I_AM_IN.finditer(sentence):
        if me:
            yield Statement(me, "is in", _bare(found["place"]), 0.75)
    for found in _IS_AT.finditer(sentence):
        named = found["who"] if found["who"] and is_name(found["who"]) else None
        thing = noun_phrase(found["thing"], me=speaker) if found["thing"] else named
        place = place_phrase(_TRAILING.sub("", found["place"]), owner=named, me=speaker)
        if thing and place:
            yield Statement(thing, f"is {found['where'].lower()}", place, 0.7)


def _owner(found: re.Match[str]) -> str | None:
    """Whose `his` or `her` thing it is: only a named actor's."""
    actor = found.groupdict().get("actor")
    return actor if actor and actor not in ("I", "We", "He", "She", "They") and is_name(actor) else None


def _placed(found: re.Match[str], speaker: str | None, sure: float) -> Iterator[Statement]:
    owner = _owner(found)
    thing = noun_phrase(found["thing"], owner=owner, me=speaker)
    place = place_phrase(_TRAILING.sub("", found["place"]), owner=owner, me=speaker)
    where = found["where"].lower()
    if thing and place and thing != place:
        yield Statement(thing, f"is {_INTO.get(where, where)}", place, sure)


# --- talk -------------------------------------------------------------------------------------------------------------

WHO = rf"(?P<who>I|[Ww]e|[Mm]y (?:{KIN}),? (?P<kin_name>[A-Z][a-z]+),?|[A-Z][a-z]+)"
SOMEHOW = (
    r"(?:\s(?:also|just|really|recently|finally|still|actually|absolutely|totally|always|currently|now|already|even))*"
)
END = (
    r"(?=\s*(?:[.,!?;:)-]|$)|"
    r"\s(?:and|but|because|so|which|that|who|since|too|as|with|for|when|now|last|this|to|in|on|at|"
    r"today|yesterday|tomorrow|recently|again|these|from|after)\b)"
)
_PLACE_NAME = r"(?:the\s)?(?P<value>[A-Z][A-Za-z]+(?:[ ,]{1,2}[A-Z][A-Za-z]+){0,2})"
_PHRASE = r"(?P<value>[a-z][a-z'-]*(?:\s[a-z][a-z'-]*){0,5}?)"
CLAUSE_END = (
    r"(?=\s*(?:[.,!?;:)–]|$|-\s)|\s(?:and|but|because|so|which|that|who|since|too|as well|when|while|as|then|"  # noqa: RUF001
    r"'cause|after|before|if|anymore|any more|either|now)\b)"
)
_TALK: tuple[tuple[re.Pattern[str], str, float], ...] = (
    (re.compile(rf"\b{WHO}(?:'ve|'s| have| has)?{SOMEHOW} (?:moved|relocated) (?:back )?(?:out )?to {_PLACE_NAME}"),
     "lives in", 0.75),
    (re.compile(rf"\b{WHO}{SOMEHOW} (?:live|lives) in {_PLACE_NAME}"), "lives in", 0.8),
    (re.compile(rf"\b(?:(?P<i>I)'m|(?P<i2>I) am|(?P<i3>I)'ve been|{WHO} (?:is|are|have been|has been)) living in "
                rf"{_PLACE_NAME}"), "lives in", 0.8),
    (re.compile(rf"\b(?:(?P<i>I)'m| (?P<i2>I) am|{WHO} is){SOMEHOW} (?:originally )?from {_PLACE_NAME}"),
     "is from", 0.75),
    (re.compile(rf"\b{WHO}{SOMEHOW} works? (?:at|for) (?P<value>(?:an?|the|my) {NOUN}|[A-Z]\w+(?: [A-Z]\w+)*){END}"),
     "works at", 0.75),
    (re.compile(rf"\b(?:(?P<i>I)'m|(?P<i2>I) am|{WHO} is){SOMEHOW} (?:back )?(?:working|employed) (?:at|for) "
                rf"(?P<value>(?:an?|the|my) {NOUN}|[A-Z]\w+(?: [A-Z]\w+)*){END}"), "works at", 0.75),
    (re.compile(rf"\b{WHO}(?:'ve| have| has)?{SOMEHOW} (?:(?:got|was|were|been|been|is) hired (?:by|at)|"
                rf"(?:got|started|landed|found) (?:a|the|my) (?:[a-z]+ ){{0,2}}(?:job|position) (?:at|with)) "
                rf"(?P<value>(?:an?|the) {NOUN}|[A-Z]\w+(?: [A-Z]\w+)*){END}"), "works at", 0.75),
    (re.compile(rf"\b{WHO}{SOMEHOW} works? as an? (?P<value>{NOUN}){END}"), "works as", 0.8),
    (re.compile(rf"\b(?:(?P<i>I)'m|{WHO} is){SOMEHOW} an? (?P<value>(?:[a-z]+ )?(?:{OCCUPATIONS})){END}"),
     "works as", 0.75),
    (re.compile(
        rf"\b{WHO}(?:'ve| have)?{SOMEHOW} (?:have|has|got|own|owns|bought|adopted) (?:an?|two|three|four) "
        rf"(?P<value>(?:new |old |little |pet |rescue )?(?:{POSSESSIONS})){END}"), "has", 0.7),
    (re.compile(
        rf"(?<!things )(?<!ones )(?<!what )\b{WHO}{SOMEHOW} (?:love|loves|like|likes|enjoy|enjoys|adore|adores) "
        rf"{_PHRASE}{CLAUSE_END}"), "likes", 0.65),
    (re.compile(rf"\b{WHO}{SOMEHOW} (?:hate|hates|dislike|dislikes|can't stand|"
                r"(?:don't|no longer) (?:like|love|enjoy)) "
                rf"{_PHRASE}{CLAUSE_END}"), "dislikes", 0.65),
    (re.compile(rf"\b{WHO}{SOMEHOW} (?:don't|doesn't|no longer) (?:have|has|own|owns) (?:an?|any) "
                rf"(?P<value>(?:{POSSESSIONS}))(?=\s*(?:[.,!;]|$)|\s(?:anymore|any more|now)\b)"), "has no", 0.7),
    (re.compile(rf"\b{WHO}(?:'ve| have| has)?{SOMEHOW} (?:(?:quit|left) [A-Z]\w+ (?:and|to) )?"
                r"(?:joined?|started (?:working )?(?:at|with)) (?P<value>[A-Z]\w+(?: [A-Z]\w+)*)" + END),
     "works at", 0.7),
    (re.compile(rf"\b{WHO}{SOMEHOW} (?:play|plays) (?:the )?(?P<value>guitar|piano|violin|drums|clarinet|flute|"
     r"trumpet|cello|saxophone|keyboard|ukulele|harmonica|tennis|soccer|football|basketball|chess|golf|badminton|"
     r"volleyball|baseball|hockey|video games|board games)"), "plays", 0.8),
    (re.compile(rf"\b(?:(?P<i>I)'m|{WHO} is) allergic to {_PHRASE}{END}"), "is allergic to", 0.85),
    (re.compile(
        rf"\b(?:(?P<i>I)'m|{WHO} is){SOMEHOW} planning (?:to|on) (?P<value>[a-z][A-Za-z' -]{{3,60}}?){CLAUSE_END}"),
     "plans to", 0.7),
    (re.compile(rf"\b{WHO}{SOMEHOW} plans? to (?P<value>[a-z][A-Za-z' -]{{3,60}}?){CLAUSE_END}"), "plans to", 0.7),
    (re.compile(
        rf"\b(?:(?P<i>I)'m|{WHO} is) (?:going to|gonna) (?P<value>[a-z][A-Za-z' -]{{3,60}}? (?:tomorrow|tonight|next "
        r"(?:week|month|year|weekend|summer)|this (?:weekend|summer|evening|afternoon)|on [A-Z][a-z]+day))"),
     "plans to", 0.7),
    (re.compile(rf"\b(?P<who>I) (?:usually|always|normally|often) (?P<value>[a-z][a-z' -]{{3,50}}?){CLAUSE_END}"),
     "usually", 0.6),
    (re.compile(rf"\b(?:(?P<i>I)'m|(?P<i2>I) am|{WHO} is){SOMEHOW} married to (?:(?:my|a) [a-z]+,? )?"
                rf"(?P<value>{NAME})"), "is married to", 0.8),
    (re.compile(rf"\b{WHO}{SOMEHOW} (?:got )?married (?:(?:my|a) [a-z]+,? )?(?P<value>{NAME})"), "is married to", 0.75),
    (re.compile(rf"\b(?:(?P<i>I)'m|(?P<i2>I) am|{WHO} is){SOMEHOW} (?:dating|going out with) (?P<value>{NAME})"),
     "is dating", 0.75),
    (re.compile(rf"\b(?:(?P<i>I)'m|(?P<i2>I) am|{WHO} is){SOMEHOW} engaged to (?P<value>{NAME})"),
     "is engaged to", 0.75),
    (re.compile(
        rf"\b(?:(?P<i>I)'m|(?P<i2>I) am|{WHO} is){SOMEHOW} (?:taking|doing) an? (?P<value>(?:[A-Za-z-]+ ){{0,3}}"
        rf"(?:course|class|degree|training)){END}"), "takes", 0.7),
    (re.compile(
        rf"\b{WHO}(?:'ve| have| has)?{SOMEHOW} (?:enrolled in|signed up for|started|began) an? "
        rf"(?P<value>(?:[A-Za-z-]+ ){{0,3}}(?:course|class|degree|training)){END}"), "takes", 0.7),
    (re.compile(rf"\b{WHO}{SOMEHOW} (?:volunteer|volunteers) at (?P<value>(?:an?|the|my) {NOUN}){END}"),
     "volunteers at", 0.8),
    (re.compile(rf"\b(?:(?P<i>I)'m studying|(?P<i2>I) study) (?P<value>[a-z]+(?: [a-z]+)?){END}"), "studies", 0.7),
)  # fmt: skip
_NAMED = re.compile(
    rf"\b(?P<whose>[Mm]y|(?P<owner>[A-Z][a-z]+)'s) (?P<kin>{KIN})"
    r"(?:(?:,? (?:is |was |who is )?(?:named|called) |'s name is | )(?P<name>[A-Z][a-z]+)(?=\s*[.,!?;]|\s*$|\s[a-z])|"
    r", (?P<aside>[A-Z][a-z]+),)"
)
_MY_KIN = re.compile(
    rf"\b(?:[Mm]y (?:(?:{FAMILY}|kids|children|dogs|cats|pets|twins))|[Oo]ur (?:{FAMILY}))(?=\s|[.,!?;']|$)"
)
"""Not `our kids`, who are everybody's."""
_VAGUE_WORDS = "it this that these those you them one ones something someone there"
_MAKES_VAGUE = frozenset(_VAGUE_WORDS.split())
_HANGING_WORDS = "to for at of with in on about where mine from into by"
_LEFT_HANGING = frozenset(_HANGING_WORDS.split())
"""A phrase that ends so was cut short."""
_OTHERS_VERBS = (
    "loves likes enjoys adores hates dislikes lives works has owns plays plans is volunteers moved relocated bought "
    "adopted got joined started doesn't married enrolled signed began hired landed found"
)
_OF_OTHERS = frozenset(_OTHERS_VERBS.split())
"""Verbs as they follow a name: without, a capital letter only begins a sentence ("Sounds like fun")."""
_HAS_NAMED = re.compile(
    rf"\b{WHO}(?:'ve| have)?{SOMEHOW} (?:have|has|got|adopted) an? (?:[a-z]+ ){{0,2}}?(?P<kin>{KIN}) "
    r"(?:named|called) (?P<name>[A-Z][a-z]+)"
)
_BOTH = re.compile(
    r"\b(?P<one>[A-Z][a-z]+) and (?P<other>I|[A-Z][a-z]+)"
    r"(?:'re| are| just| finally| now| got| recently| have| have been)* (?P<what>married|engaged|dating|going out)"
    r"(?=\s*(?:[.,!;]|$)|\s(?:now|last|in|on|and|this|yesterday|today)\b)"
)
_TO_EACH_OTHER = {
    "married": "is married to",
    "engaged": "is engaged to",
    "dating": "is dating",
    "going out": "is dating",
}
_FAVOURITE = re.compile(
    r"\b(?P<whose>[Mm]y|(?P<owner>[A-Z][a-z]+)'s) favou?rite (?P<what>[a-z]+(?: [a-z]+)?)(?: is|'s) "
    r"(?P<value>(?:the |a |an )?[\w'\"-]+(?: [\w'\"-]+){0,3}?)"
    r"(?=\s*[.,!;]|\s*$|\s(?:and|because|but|so|now|these days|again|at the moment)\b)"
)
_MY_NAME = re.compile(rf"\b[Mm]y name(?:'s| is) (?P<name>{NAME})\b")
_I_AM = re.compile(
    rf"(?:^|,\s|\b[Hh]i\s|\b[Hh]ello\s)(?:I'm|I am) (?P<name>{NAME})(?=\s*(?:[.,!;]|$)|\sand\b|\sfrom\b)"
)
_THIS_IS = re.compile(
    rf"(?:^|,\s)[Tt]his is (?:my (?:friend|wife|husband|brother|sister|boss|colleague) )?(?P<name>{NAME})[.,!]?$"
)
_OPEN_ENDED = frozenset(("likes", "dislikes", "plans to", "usually"))
_VAGUE = re.compile(
    r"^(it|that|this|these|those|them|him|her|you|your|how|what|when|the|to|a|an|me|us|my|our|their|his|being able|"
    r"everything|something|anything|nothing|one|all|some|both|either|here|there|seeing|hearing|talking|"
    r"know|see|is|are|so|too|more|much|most|and|first|also|makes|dreamed|feel|best)\b"
)
"""What follows `I love` that says nothing outside its conversation."""


_AND_ALSO = re.compile(
    r"^(?P<begins>.*?\b(?P<who>I|We)\b[^,;]*?,? (?:and|but) (?:(?:then|now|also|just|finally|so) )*)"
    r"(?=(?:bought|got|adopted|moved|joined|started|sold|quit|left|work (?:at|for|as)|live in|have an?|own an?|stopped|"
    r"gave|married|broke up|don't|retired|enrolled)\b)"
)


def spelt_out(sentence: str) -> str:
    """`I sold the car and I bought a van` of `I sold the car and bought a van`."""
    found = _AND_ALSO.match(sentence)
    if found is None:
        return sentence
    return f"{found['begins']}{found['who']} {sentence[found.end() :]}"


def talked(sentence: str, *, speaker: str | None) -> Iterator[Statement]:
    """What is said of the speaker and of people named."""
    for pattern, predicate, sure in _TALK:
        if predicate not in ("dislikes", "has no") and _UNSURE.search(sentence) and predicate not in ("plans to",):
            continue
        for found in pattern.finditer(sentence):
            who, value = person(found, speaker), " ".join(found["value"].split()).strip(" ,-'")
            is_place = predicate in ("works at", "volunteers at")
            if who is None or not value or (value[0].islower() and not is_place and _VAGUE.match(value)):
                continue
            if found.groupdict().get("who") not in (None, *_OWN) and _OF_OTHERS.isdisjoint(found.group().split()):
                continue
            words = value.split()
            if predicate in _OPEN_ENDED and (not _MAKES_VAGUE.isdisjoint(words) or words[-1] in _LEFT_HANGING):
                continue
            if predicate in ("plans to", "usually") and len(words) < 2:
                continue  # "a work I often watch": what is done is elsewhere
            yield Statement(who, predicate, re.sub(r"^(?:an?|the|my) ", "", value), sure)
    for found in _NAMED.finditer(sentence):
        owner = speaker if found["whose"].lower() == "my" else found["owner"]
        name = found["name"] or found["aside"]
        if owner and is_name(name) and is_name(owner):
            yield Statement(owner, f"has {found['kin']}", name, 0.8)
    for found in _MY_KIN.finditer(sentence):
        if speaker:
            yield Statement(speaker, "has", found.group().partition(" ")[2], 0.75)
    for found in _HAS_NAMED.finditer(sentence):
        if (owner := person(found, speaker)) and is_name(found["name"]):
            yield Statement(owner, f"has {found['kin']}", found["name"], 0.8)
    for found in _BOTH.finditer(sentence) if not _UNSURE.search(sentence) else ():
        one, other = found["one"], speaker if found["other"] == "I" else found["other"]
        if other and is_name(one):
            yield Statement(one, _TO_EACH_OTHER[found["what"]], other, 0.75)
            yield Statement(other, _TO_EACH_OTHER[found["what"]], one, 0.75)
    for found in _FAVOURITE.finditer(sentence):
        owner = speaker if found["whose"].lower() == "my" else found["owner"]
        if owner and not _VAGUE.match(found["value"].lower().removeprefix("the ").removeprefix("a ")):
            yield Statement(owner, f"has favourite {found['what']}", found["value"].removeprefix("the "), 0.75)


_OWN = ("I", "We", "we")


def person(found: re.Match[str], speaker: str | None) -> str | None:
    """Who a match of `WHO` is; None where nobody with a name."""
    groups = found.groupdict()
    if (
        groups.get("i") or groups.get("i2") or groups.get("i3") or groups.get("who") in _OWN
    ):  # what `we` do is true of who says so
        return speaker
    if groups.get("kin_name"):
        return groups["kin_name"] if is_name(groups["kin_name"] or "") else None
    who = groups.get("who")
    return who if who and is_name(who) else None


def introduced(sentence: str) -> Iterator[tuple[str, float, bool]]:
    """(name, confidence, whether it is the speaker's own)"""
    for pattern, sure in ((_MY_NAME, 0.8), (_I_AM, 0.6)):
        if (found := pattern.search(sentence)) and is_name(found["name"]):
            yield found["name"], sure, True
    if (found := _THIS_IS.search(sentence.rstrip(".!,; "))) and is_name(found["name"]):
        yield found["name"], 0.6, False


def sentences(text: str) -> Iterator[tuple[str, bool]]:
    """(sentence, whether what it tells can be taken as holding)"""
    for match in _SENTENCE.finditer(text):
        sentence = match.group().strip()
        if sentence and not sentence.endswith("?"):
            yield sentence, not (_UNSURE.search(sentence) or _PAST.search(sentence))


def _bare(phrase: str) -> str:
    first, _, rest = phrase.partition(" ")
    return rest if first.lower() in ("the", "a", "an") else phrase
