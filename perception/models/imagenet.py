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
