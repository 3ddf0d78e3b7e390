"""Hours of a day as people use the words for its parts: one table for what is asked for, one for what is preferred, one
for what is told. Hours from midnight; beyond 24 they are of the next day.

The three differ on purpose. Who asks about *yesterday evening* gets nothing outside of it, so its words name what most
people agree on, and overlap. Recall only prefers a part, over everything else that fits: it is looser at the edges by
half an hour, where it was tuned (see `streammem.recall.passages`), and meals are times to it that are things to eat to
a question. What is told has each hour under one name.
"""

from __future__ import annotations

Hours = tuple[float, float]

DAY_PARTS: dict[str, Hours] = {
    "morning": (5, 12), "noon": (11, 14), "lunchtime": (11, 14), "midday": (11, 14), "afternoon": (12, 18),
    "evening": (17, 24), "night": (18, 29), "tonight": (18, 29), "midnight": (23, 25),
}  # fmt: skip
"""What a question or a date names by these words."""

PREFERRED_PARTS: dict[str, Hours] = {
    "morning": DAY_PARTS["morning"], "breakfast": (6, 11), "noon": (10.5, 14.5), "midday": (10.5, 14.5),
    "lunch": (10.5, 14.5), "lunchtime": (10.5, 14.5), "afternoon": (12, 18.5), "dinner": (17, 21),
    "evening": DAY_PARTS["evening"], "night": (17.5, 29),
}  # fmt: skip
"""What recall prefers where a question or one of its choices has these words."""

TOLD_PARTS: tuple[tuple[float, str], ...] = (
    (5.0, "at night"), (7.0, "in the early morning"), (11.5, "in the morning"), (14.0, "around noon"),
    (18.0, "in the afternoon"), (20.5, "in the evening"), (24.0, "in the late evening"),
)  # fmt: skip
"""(until which hour, how it is said)"""
