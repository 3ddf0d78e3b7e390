"""The 1000 ImageNet class names, short and distinct. Knows no network.

The names ship in a package as lists of synonyms; the first one is what people say. A few first synonyms name two
classes, so those are told apart here.
"""

from __future__ import annotations

from perception.models.weights import weight_path
from streammem.errors import ModelError

CLASSES = 1000

# Classes whose first synonym is another class's too, or says something else on its own.
_TOLD_APART = {
    134: "crane bird",
    263: "Pembroke corgi",
    264: "Cardigan corgi",
    639: "swimsuit",
    681: "notebook computer",
    744: "projectile",
}


def class_names() -> tuple[str, ...]:
    """One name per class, in the order of the network's outputs."""
    lines = weight_path("imagenet/labels").read_text(encoding="utf-8").splitlines()
    if len(lines) != CLASSES:
        raise ModelError(f"The ImageNet label file has {len(lines)} lines instead of {CLASSES}.")
    return tuple(_TOLD_APART.get(index, line.split(",")[0].strip()) for index, line in enumerate(lines))


# Index ranges, inclusive. The classes of a kind stand together where WordNet's animals do; the rest are single ones.
_KINDS: dict[str, tuple[tuple[int, int], ...]] = {
    "fish": ((0, 6), (389, 397)),
    "bird": ((7, 24), (80, 100), (127, 146)),
    "frog": ((30, 32),),
    "turtle": ((33, 37),),
    "lizard": ((38, 48),),
    "snake": ((52, 68),),
    "spider": ((72, 77),),
    "crab": ((118, 121),),
    "dog": ((151, 268),),
    "wolf": ((269, 272),),
    "fox": ((277, 280),),
    "cat": ((281, 285),),
    "bear": ((294, 297),),
    "beetle": ((300, 307),),
    "butterfly": ((321, 326),),
    "rabbit": ((330, 332),),
    "monkey": ((370, 382),),
    "elephant": ((385, 386),),
    "airplane": ((404, 404), (895, 895)),
    "car": ((436, 436), (468, 468), (511, 511), (609, 609), (627, 627), (656, 656), (661, 661), (751, 751), (817, 817)),
    "truck": ((555, 555), (569, 569), (675, 675), (717, 717), (864, 864), (867, 867)),
    "boat": ((472, 472), (554, 554), (625, 625), (780, 780), (814, 814), (871, 871), (914, 914)),
    "train": ((466, 466), (547, 547), (820, 820)),
    "clock": ((409, 409), (530, 530), (892, 892)),
    "guitar": ((402, 402), (546, 546)),
    "bottle": ((440, 440), (737, 737), (898, 898), (907, 907)),
    "chair": ((423, 423), (559, 559), (765, 765)),
    "page of text": ((916, 918), (921, 922)),
}


def kinds() -> dict[str, tuple[int, ...]]:
    """What people call whole groups of classes, with their numbers: a network that cannot tell 118 breeds of dog apart
    is still sure that it sees a dog."""
    return {
        kind: tuple(index for first, last in ranges for index in range(first, last + 1))
        for kind, ranges in _KINDS.items()
    }
