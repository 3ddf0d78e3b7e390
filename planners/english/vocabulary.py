"""What everyday nouns mean to an object detector: labels, their other names, kinds of things, and what excludes what.

A sentence encoder finds `dog` and `cat` alike (cosine 0.66), so that a cat would answer a question about a dog. Names
of things are therefore matched by this table and not by similarity. Knows the 80 COCO names; other labels match
themselves. Knows nothing of what was seen.
"""

from __future__ import annotations

from functools import lru_cache

from planners.english.words import stem, stems_of

_OTHER_NAMES: dict[str, str] = {
    "person": "people persons human humans man men woman women boy boys girl girls child children kid kids guy guys"
    " lady ladies gentleman pedestrian pedestrians passer-by passerby passers walker walkers crowd adult somebody"
    " someone anybody anyone individual figure figures stranger strangers nobody",
    "bicycle": "bike bikes bicycles cycle",
    "motorcycle": "motorbike motorbikes scooter moped",
    "car": "cars automobile automobiles sedan taxi cab",
    "airplane": "plane planes aeroplane aircraft jet",
    "bus": "buses coach",
    "train": "trains locomotive tram",
    "truck": "trucks lorry lorries van",
    "boat": "boats ship ships yacht canoe",
    "traffic light": "stoplight",
    "bench": "benches",
    "bird": "birds pigeon pigeons duck ducks seagull crow parrot",
    "cat": "cats kitten kittens kitty",
    "dog": "dogs puppy puppies hound",
    "horse": "horses pony foal",
    "sheep": "lamb lambs",
    "cow": "cows cattle bull ox",
    "elephant": "elephants",
    "bear": "bears",
    "zebra": "zebras",
    "giraffe": "giraffes",
    "backpack": "backpacks rucksack",
    "umbrella": "umbrellas parasol",
    "handbag": "handbags purse",
    "tie": "ties necktie",
    "suitcase": "suitcases luggage",
    "sports ball": "ball balls football basketball",
    "bottle": "bottles",
    "wine glass": "wineglass goblet",
    "cup": "cups mug mugs",
    "fork": "forks",
    "knife": "knives",
    "spoon": "spoons",
    "bowl": "bowls",
    "banana": "bananas",
    "apple": "apples",
    "sandwich": "sandwiches",
    "orange": "oranges",
    "pizza": "pizzas",
    "donut": "donuts doughnut doughnuts",
    "cake": "cakes",
    "chair": "chairs",
    "couch": "sofa sofas couches settee",
    "potted plant": "houseplant plant plants",
    "bed": "beds",
    "dining table": "table tables",
    "toilet": "toilets",
    "tv": "television televisions monitor",
    "laptop": "laptops notebook",
    "mouse": "mice",
    "remote": "remotes",
    "keyboard": "keyboards",
    "cell phone": "phone phones cellphone smartphone mobile telephone",
    "microwave": "microwaves",
    "oven": "ovens stove",
    "refrigerator": "fridge fridges",
    "book": "books",
    "clock": "clocks",
    "vase": "vases",
    "scissors": "scissor",
    "teddy bear": "teddy",
    "toothbrush": "toothbrushes",
    "skateboard": "skateboards",
    "surfboard": "surfboards",
    "frisbee": "frisbees",
    "kite": "kites",
}

_KINDS: dict[str, tuple[str, ...]] = {
    "vehicle": ("bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
    "animal": ("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"),
    "pet": ("cat", "dog"),
    "furniture": ("chair", "couch", "bed", "dining table", "bench"),
    "fruit": ("banana", "apple", "orange"),
    "bag": ("backpack", "handbag", "suitcase"),
}

COLOURS = "red green blue yellow orange purple pink black white brown grey gray"
_EXCLUDING = (
    COLOURS,
    "monday tuesday wednesday thursday friday saturday sunday",
    "morning noon afternoon evening night",
    "spring summer autumn winter",
    "left right",
    "mother father brother sister aunt uncle grandmother grandfather",
)

_PERSON_KIND = stems_of("man men woman women boy girl child kid lady gentleman guy")


@lru_cache(maxsize=1)
def _label_by_stem() -> dict[str, str]:
    table: dict[str, str] = {}
    for label, others in _OTHER_NAMES.items():
        for name in (label, *others.split()):
            if " " not in name:
                table.setdefault(stem(name), label)
    return table


@lru_cache(maxsize=1)
def _excluding_by_stem() -> dict[str, int]:
    return {stem(word): group for group, words in enumerate(_EXCLUDING) for word in words.split()}


def label_for_word(word: str) -> str | None:
    """The detector label that an everyday noun stands for (`pedestrians` -> `person`); None for other words."""
    return _label_by_stem().get(stem(word.lower()))


def labels_for_word(word: str, *, known: frozenset[str]) -> tuple[str, ...]:
    """Labels among `known` that the word names: itself, another name of it, or a kind of thing (`vehicle`)."""
    lowered = word.lower()
    stemmed = stem(lowered)
    for kind, members in _KINDS.items():
        if stemmed == stem(kind):
            return tuple(label for label in members if label in known)
    if (label := _label_by_stem().get(stemmed)) is not None and label in known:
        return (label,)
    return tuple(sorted(label for label in known if stemmed in {stem(part) for part in label.lower().split()[-1:]}))


def names_thing(word: str) -> bool:
    """Whether the word names something a COCO detector would see, or a kind of such things."""
    return label_for_word(word) is not None or stem(word.lower()) in {stem(kind) for kind in _KINDS}


def is_kind_of_thing(word: str) -> bool:
    """Whether the word is the name of a kind, such as `animals` or `vehicle`."""
    return stem(word.lower()) in {stem(kind) for kind in _KINDS}


def is_kind_of_person(word: str) -> bool:
    """Whether the word says more of a person than a detector can see (man, woman, child ...)."""
    return stem(word.lower()) in _PERSON_KIND


def same_thing(first: str, second: str) -> bool:
    """Whether two words name the same kind of thing."""
    label = label_for_word(first)
    for kind, members in _KINDS.items():
        if stem(first.lower()) == stem(kind) and label_for_word(second) in members:
            return True
    if label is None or label != label_for_word(second):
        return False
    return label != "person" or not (is_kind_of_person(first) and is_kind_of_person(second))


def exclude_each_other(first: str, second: str) -> bool:
    """Whether two words name different things of one sort (dog/cat, red/blue, Monday/Friday): never alike."""
    a, b = stem(first.lower()), stem(second.lower())
    if a == b:
        return False
    label_a, label_b = _label_by_stem().get(a), _label_by_stem().get(b)
    if label_a is not None and label_b is not None and label_a != label_b:
        return True
    groups = _excluding_by_stem()
    return a in groups and groups.get(b) == groups[a]
