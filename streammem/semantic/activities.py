"""Who did what, in a form that recurs: verb and object, whatever the tense ("I'm watering the plants" and "Lena watered
the plants this morning" are both `water plants`). What habits are learned from.

A closed list of verbs: what people do for a while or again on other days. Moves of the hand and the head (look, hold,
turn, reach, put) are not among them, nor what is planned, asked or denied. English only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from streammem.semantic.words import is_name

DOES = "does"
ME = "I"

_REGULAR_WORDS = (
    "water feed empty fold bake clean wash brush cook fry boil chop peel stir mix knead wipe mop sweep vacuum "
    "iron dust tidy organize pack unpack charge assemble repair paint practise practice play exercise meditate "
    "stretch lift jog walk garden plant mow rake shop order deliver watch visit call phone film record edit "
    "upload download type print study review rehearse dance sketch carve sew mend knit crochet shave shower nap "
    "rest smoke roast grill serve pour brew toast season decorate wrap collect recycle park refuel skate"
)
_IRREGULAR = {
    "do": ("did", "doing"), "make": ("made", "making"), "eat": ("ate", "eating"), "drink": ("drank", "drinking"),
    "read": ("read", "reading"), "write": ("wrote", "writing"), "sweep": ("swept", "sweeping"),
    "set": ("set", "setting"), "take out": ("took out", "taking out"), "put out": ("put out", "putting out"),
    "draw": ("drew", "drawing"), "sing": ("sang", "singing"), "run": ("ran", "running"), "swim": ("swam", "swimming"),
    "ride": ("rode", "riding"), "drive": ("drove", "driving"), "buy": ("bought", "buying"), "cut": ("cut", "cutting"),
    "shop": ("shopped", "shopping"), "knit": ("knitted", "knitting"), "jog": ("jogged", "jogging"),
    "nap": ("napped", "napping"), "stir": ("stirred", "stirring"), "chop": ("chopped", "chopping"),
    "mop": ("mopped", "mopping"), "wrap": ("wrapped", "wrapping"), "unwrap": ("unwrapped", "unwrapping"),
    "hang up": ("hung up", "hanging up"), "sew": ("sewed", "sewing"), "mow": ("mowed", "mowing"),
    "fry": ("fried", "frying"), "tidy": ("tidied", "tidying"), "empty": ("emptied", "emptying"),
    "study": ("studied", "studying"), "carry": ("carried", "carrying"), "go to": ("went to", "going to"),
    "talk on": ("talked on", "talking on"),
}  # fmt: skip
_ALONE_WORDS = (
    "cook bake clean paint exercise meditate stretch jog swim garden shop knit crochet sew dance sing draw sketch "
    "shower shave nap smoke vacuum sweep study"
)
_ALONE = frozenset(_ALONE_WORDS.split())
"""Verbs that need no object."""
_DONE_WORDS = (
    "yoga laundry dishes homework crossword crosswords exercises shopping sports workout pilates gymnastics housework "
    "puzzle puzzles makeup groceries"
)
_WITH = {
    "do": frozenset(_DONE_WORDS.split()),
    "take out": frozenset(("rubbish", "trash", "garbage", "bins", "bin", "recycling", "dog", "dogs")),
    "lift": frozenset(("weights", "dumbbells", "dumbbell", "barbell")),
    "hang up": frozenset(("laundry", "clothes", "washing")),
    "walk": frozenset(("dog", "dogs", "puppy")),
    "run": frozenset(("errands", "marathon", "race")),
}
"""Verbs that are something to remember with these objects only."""
_VERB_OF: dict[str, tuple[str, bool]] = {}
"""Form -> (base, whether it needs an `is` before it)."""


def _fill() -> None:
    for base in dict.fromkeys((*_REGULAR_WORDS.split(), *_IRREGULAR)):
        if base in _IRREGULAR:
            past, progressive = _IRREGULAR[base]
        else:
            stem = base[:-1] if base.endswith("e") else base
            past, progressive = f"{stem}ed", f"{stem}ing"
        verb, _, particle = base.partition(" ")
        third = f"{verb}es" if verb.endswith(("sh", "ch", "s", "x", "o")) else f"{verb}s"
        third = f"{verb[:-1]}ies" if verb.endswith("y") and verb[-2] not in "aeiou" else third
        for form in (past, base, f"{third} {particle}".strip()):
            _VERB_OF.setdefault(form, (base, False))
        _VERB_OF.setdefault(progressive, (base, True))


_fill()
_FORMS = "|".join(sorted(map(re.escape, _VERB_OF), key=len, reverse=True))
_DOING = re.compile(
    r"(?:^|[,;]\s|\b[Aa]nd\s|\b[Ss]o\s|\b[Tt]hen\s|\b[Nn]ow\s|\b[Jj]ust\s|\b[Ww]ho\s)"
    r"(?P<actor>I|[A-Z][a-z]+|\bis\b)(?P<is>'m|'s| am| is| was| are)?"
    r"(?:\s(?:just|now|then|still|also|again|already|busy|currently|continued|started|sat down|quickly|carefully))*\s"
    rf"(?P<verb>{_FORMS})(?P<rest>(?:\s[a-z][a-z-]*)*)"
)
_AND_DID = re.compile(
    rf"^(?:[Tt]hen\s)?(?P<actor>I|[A-Z][a-z]+)\s[a-z' ]+?\sand\s(?P<verb>{_FORMS})(?P<rest>(?:\s[a-z][a-z-]*)*)"
)
_NOT_DONE = re.compile(
    r"\b(not|never|don't|didn't|doesn't|won't|will|'ll|would|could|should|might|may|maybe|if|going to|gonna|want|wants|"
    r"need|needs|asked|ask|asks|tomorrow|let's|shall|can|can't|before|usually|always|without|instead|planning|plan)\b",
    re.IGNORECASE,
)
_ARTICLE_WORDS = "the a an my your his her our their some this that these those of"
_ARTICLES = frozenset(_ARTICLE_WORDS.split())
_END_WORDS = (
    "and or but then so because while when as with from to for by at in on into onto if that which who is are was "
    "were again too already now just still also back down up out off away over there here very really today "
    "yesterday together right recently about myself each everyone all both own forward forwards backward toward "
    "towards through around along inside outside past after until across this it him them me us carefully quickly "
    "slowly one two last something tomorrow tonight"
)
_ENDS = frozenset(_END_WORDS.split())
_UNFINISHED = frozenset(("new", "favorite", "favourite", "another", "old", "amazing", "great", "few"))
"""An object that ends so was cut short."""
_MOST_WORDS = 3


def base_form(verb: str) -> str:
    """`play` of `playing`, `played` and `plays`; a word that is not known as it is."""
    return _VERB_OF.get(verb, ("go" if verb == "going" else verb, False))[0]


def activities(sentence: str, *, speaker: str | None, is_caption: bool) -> Iterator[tuple[str, str]]:
    """(actor, what) of a sentence that tells what somebody does or did. `speaker` is who `I` is in speech."""
    if _NOT_DONE.search(sentence):
        return
    if found := _DOING.search(sentence):
        yield from _activity(found, speaker, has_is=found["is"] is not None, is_caption=is_caption)
    if is_caption and (found := _AND_DID.match(sentence)):
        yield from _activity(found, speaker, has_is=False, is_caption=True)


def _activity(
    found: re.Match[str], speaker: str | None, *, has_is: bool, is_caption: bool
) -> Iterator[tuple[str, str]]:
    actor, (base, is_progressive) = found["actor"], _VERB_OF[found["verb"]]
    if is_progressive != has_is:
        return  # "I'm water" and "I watering" are slips of transcription
    if actor == "I":
        actor = ME if is_caption else speaker or ""
    elif not is_name(actor) or (not is_caption and not has_is):
        return
    what = _object(found["rest"])
    last = what.rpartition(" ")[2]
    if last in _UNFINISHED or (base in _WITH and last not in _WITH[base]):
        return
    if actor and (what or base in _ALONE):
        yield actor, f"{base} {what}".strip()


def _object(rest: str) -> str:
    words = rest.split()
    while words and words[0] in _ARTICLES:
        words.pop(0)
    kept: list[str] = []
    for word in words:
        if word in _ENDS or word in _ARTICLES:
            break
        kept.append(word)
    return " ".join(kept[:_MOST_WORDS])
