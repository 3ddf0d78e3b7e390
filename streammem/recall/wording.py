"""What a question says, without asking: "Who used the screwdriver first?" says "used the screwdriver first".

Lines state and questions ask, and a sentence encoder puts two questions nearer to each other than a question to its
answer. So lines are compared with what lies between the question and what it says. Left out are the question word at
the beginning, with what belongs to it, and words of time and habit, which are read elsewhere (`temporal`).

Regular expressions only; some microseconds. English. Knows no encoder and no search.
"""

from __future__ import annotations

import re

_TIME = re.compile(
    r"\b(?:(?:the |for the )?last time|for the first time|just now|recently|usually|often|previously|earlier|today"
    r"|yesterday|before)\b",
    re.IGNORECASE,
)
_AUXILIARY = "did|do|does|was|were|is|are|has|have|had|will|would|can"
_ASKING = re.compile(
    r"^(?:(?:in|on|at|with|from|to|for) )?(?:who(?:se)?|what|which|where|when|why|how(?: many| much| long)?)\b"
    rf"(?: (?:{_AUXILIARY})\b)?",
    re.IGNORECASE,
)
_SPACE = re.compile(r"\s+")


def statement(text: str) -> str:
    """What a question says; the text as it is where it says nothing else.

    Example:
        >>> statement("When was the last time Alice made this puppy?")
        'Alice made this puppy'
    """
    text = text.strip()
    told = _SPACE.sub(" ", _TIME.sub(" ", text)).strip().rstrip("?")
    said = _ASKING.sub("", told, count=1).strip()
    return said or text
