"""Which statement ends which: what competes has one key, and of two statements of a key one may end the other.

Three ways of ending: a new value of something that has one value at a time; the opposite of the same thing; and a
statement of ending (`no longer works at`), which gives no new value. Statements of many values side by side have one
key by the thing they are about (the head of the phrase: `old car` and `car`, `tennis` and `play tennis on Sundays`), so
that what an ending ends is found without looking at anything else of its subject. Knows words, no time and no store.
"""

from __future__ import annotations

import re
from functools import lru_cache

from streammem.semantic.predicates import NO_LONGER, SIDE_BY_SIDE, SLOTS
from streammem.semantic.words import FAMILY, KIN

JOB, ANYTHING = "job", "anything"
"""`no longer has job` ends every work, `no longer studies anything` every study."""
PARTNERS = frozenset(("partner", "girlfriend", "boyfriend", "wife", "husband", "fiancé", "fiancée"))
_KIN = frozenset((*KIN.split("|"), *FAMILY.split("|")))
_PET_WORDS = "dog cat puppy kitten pet parrot rabbit hamster horse turtle pig bird fish dogs cats pets puppies kittens"
_PETS = frozenset(_PET_WORDS.split())
_OF_PREDICATE = {one: kind for kind, some in (SLOTS | SIDE_BY_SIDE).items() for one in some}
_STATUS = {"is dating": 1, "has girlfriend": 1, "has boyfriend": 1, "is engaged to": 2, "has fiancé": 2,
           "has fiancée": 2, "is married to": 3, "has wife": 3, "has husband": 3}  # fmt: skip
"""With one and the same person, a later status takes the place of another."""
_WORD = re.compile(r"[^\W_][\w'-]*")
_LEFT_OUT_WORDS = "a an the my your his her our their some any this that of"
_LEFT_OUT = frozenset(_LEFT_OUT_WORDS.split())
_WAYS_WORDS = "go visit travel fly flight trip journey back"
_WAYS = frozenset(_WAYS_WORDS.split())
"""Words of a plan that stand for each other: who visits Rome goes there."""
_PREPOSITION_WORDS = "on in at with for to from by after before every each during as while because and"
_PREPOSITIONS = frozenset(_PREPOSITION_WORDS.split())
_TIME = re.compile(
    r"\b(?:today|tonight|tomorrow|yesterday|soon|(?:this|last|next|every|each|the) (?:coming )?(?:week(?:end)?|"
    r"month|year|summer|winter|spring|autumn|fall|morning|afternoon|evening|night|day)|"
    r"(?:(?:on|last|next|this|every|until|by) )*(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    r"(?: (?:morning|afternoon|evening|night))?|"
    r"(?:in|last|next|this) (?:january|february|march|april|may|june|july|august|september|october|november|december)|"
    r"(?:at|around) \d[\d:]*(?: ?[ap]m)?)\b",
    re.IGNORECASE,
)


def is_ending(predicate: str) -> bool:
    """Whether a predicate states that something is over, and nothing else."""
    return predicate.startswith(NO_LONGER)


@lru_cache(maxsize=4096)
def kind_of(predicate: str, value: str) -> str | None:
    """The slot or kind in which a statement competes with others; None where it stands for itself."""
    base = predicate.removeprefix(NO_LONGER)
    if base.startswith("has favourite "):
        return "favourite"
    if base == "is with":
        return "partner" if base != predicate else None  # who is there is with somebody in another way
    if base in ("has", "has no"):
        last = _last(value)
        if last in PARTNERS:
            return "partner"
        return "work" if last == JOB else "possession"
    if base in _OF_PREDICATE:
        return _OF_PREDICATE[base]
    return "possession" if base.startswith("has ") and base[4:] in _KIN else None


def competes(predicate: str, value: str) -> bool:
    """Whether its values take each other's place."""
    return kind_of(predicate, value) not in (None, "doing", "plan", "study")


def shared_key(predicate: str, value: str) -> tuple[str, ...]:
    """What statements of one subject have in common that may end each other."""
    kind = kind_of(predicate, value)
    if kind in (None, "favourite"):
        base = predicate.removeprefix(NO_LONGER)
        return ("=", base, value.casefold()) if kind is None else (kind, base)
    return (kind,) if kind in SLOTS or kind == "study" else (kind, _thing(predicate.removeprefix(NO_LONGER), value))


@lru_cache(maxsize=1024)
def mates(predicate: str) -> tuple[str, ...]:
    """The predicates whose statements may have a key with one of this."""
    kinds = {kind_of(predicate, value) for value in ("", JOB, *PARTNERS)}
    family = [one for kind in kinds for one in (SLOTS | SIDE_BY_SIDE).get(kind or "", ())]
    family.append(predicate.removeprefix(NO_LONGER))
    if kinds & {"partner", "work", "possession"}:
        family += ["has", "has no"]
    if "partner" in kinds:
        family.append("is with")
    if "possession" in kinds:
        family += [f"has {one}" for one in sorted(_KIN)]
    return tuple(sorted({predicate, *family, *(f"{NO_LONGER}{one}" for one in family)}))


def ends(predicate: str, value: str, held_predicate: str, held_value: str) -> bool:
    """Whether a statement ends another of the same key that held before it."""
    kind = kind_of(predicate, value)
    ended, was_ended = _ended(predicate), _ended(held_predicate)
    if ended is not None and was_ended is not None:
        return kind in SLOTS
    if ended is not None:
        return _concerns(kind, (ended, value), (held_predicate, held_value))
    if was_ended is not None:
        if kind in SLOTS:
            return kind != "work" or was_ended in (predicate, "has")
        return _concerns(kind, (was_ended, held_value), (predicate, value))
    return _replaces(kind, (predicate, value), (held_predicate, held_value))


def _ended(predicate: str) -> str | None:
    if predicate == "has no":
        return "has"
    return predicate.removeprefix(NO_LONGER) if is_ending(predicate) else None


def _concerns(kind: str | None, ended: tuple[str, str], held: tuple[str, str]) -> bool:
    """Whether what is said to be over is this."""
    match kind:
        case "partner":
            is_any = ended[0] == "has" or held[0] == "has"
            return is_any or _is_same(ended[1], held[1])
        case "work":
            return ended[0] == "has" or (ended[0] == held[0] and _is_same(ended[1], held[1]))
        case "possession":
            if "has" not in (ended[0], held[0]):  # `dog` called Rex
                return ended[0] in (held[0], "has pet") and _is_same(ended[1], held[1])
            named = [one[0][4:] if one[0] != "has" else one[1] for one in (ended, held)]
            return held[0] != "has no" and _is_same(named[0], named[1])
        case "study":
            return ended[1] == ANYTHING or _is_same(ended[1], held[1])
        case "taste":
            return ended[0] == held[0] and ended[1].casefold() == held[1].casefold()
        case "plan":
            first, second = (_words(one[1]) - _WAYS for one in (ended, held))
            return first <= second or second <= first
        case _:
            return _is_same(ended[1], held[1])


def _replaces(kind: str | None, said: tuple[str, str], held: tuple[str, str]) -> bool:
    """Whether a value takes the place of another."""
    is_same = said[1].casefold() == held[1].casefold()
    match kind:
        case "work":
            return said[0] == held[0] and not is_same
        case "partner":
            if "has" in (said[0], held[0]):
                return False  # `a girlfriend` says nothing against Lena
            ranks = {_STATUS.get(one[0], 0) for one in (said, held)}
            return not is_same or (len(ranks) == 2 and 0 not in ranks)
        case "taste":
            return is_same and said[0] != held[0]
        case "plan":  # another day for the same
            return not is_same and _words(said[1]) == _words(held[1])
        case "possession" | "doing" | "study" | None:
            return False
        case _:
            return True


def _is_same(ended: str, held: str) -> bool:
    """`car` is my old car; an old car is not the new one."""
    first, second = _words(ended), _words(held)
    return first <= second or second <= first


@lru_cache(maxsize=4096)
def _words(phrase: str) -> frozenset[str]:
    bare = _TIME.sub(" ", phrase.casefold())
    found = {_stem(word) for word in _WORD.findall(bare)} - _LEFT_OUT - _PREPOSITIONS
    return frozenset(found) or frozenset((phrase.casefold(),))


@lru_cache(maxsize=4096)
def _thing(predicate: str, value: str) -> str:
    """The head of a phrase: the last word before what says when, where and how."""
    kin = predicate.removeprefix("has ") if predicate != "has no" else ""
    had = _last(value) if predicate in ("has", "has no") else kin
    if had in _PETS:  # of which a name tells no more
        return "pet"
    if kin in _KIN:
        return _stem(kin)
    if predicate in SIDE_BY_SIDE["taste"]:
        return value.casefold()
    words = [word for word in _WORD.findall(_TIME.sub(" ", value.casefold())) if word not in _LEFT_OUT]
    cut = next((at for at, word in enumerate(words) if at > 1 and word in _PREPOSITIONS), len(words))
    kept = [word for word in words[:cut] if word not in _PREPOSITIONS]
    return _stem(kept[-1]) if kept else value.casefold()


def _stem(word: str) -> str:
    """`move` of `moving`, cut short the same way: it is compared, never shown."""
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if len(word) > 4 and word.endswith("ing"):
        word = word[:-3]
    word = word[:-1] if len(word) > 3 and word.endswith("e") else word
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def _last(value: str) -> str:
    words = value.casefold().split()
    return words[-1] if words else ""
