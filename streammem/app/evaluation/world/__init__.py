"""A generated world with known answers: weeks of one household as a caption track, and questions about it.

What it measures that recorded weeks cannot: answers that need several moments, with *every* moment known; a sparse
month, of which most is empty; and any number of unseen lives, one per seed. Real language is richer: figures on it tell
whether the reasoning over moments is right, not how well speech is understood. Deterministic: the same seed and size
give the same bytes. A week takes 0.4 s to make.
"""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from streammem.app.evaluation.world.life import Life, live
from streammem.app.evaluation.world.questions import Question, ask
from streammem.app.evaluation.world.wording import Line, tell

Size = Literal["week", "month"]
_WEEK_DAYS, _MONTH_DAYS, _MONTH_ACTIVE = 7, 30, 9
_CHATTER_EVERY_S: dict[Size, float] = {"week": 15.0, "month": 60.0}
"""Of waking hours: a line every few seconds in a dense week, now and then in a sparse month."""

__all__ = ["Life", "Line", "Question", "Size", "World", "make_world", "write_world"]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Lines and questions; `life` is the truth both were made from."""

    lines: tuple[Line, ...]
    questions: tuple[Question, ...]
    life: Life


def make_world(seed: int, *, size: Size = "week", per_kind: int = 12) -> World:
    """A household's week (about 1,500 lines a day), or its month with nine days that hold anything.

    Args:
        seed: another seed, another life, other people.
        per_kind: at most this many questions of each of the six kinds.
    """
    dice = random.Random(f"{size} {seed}")
    if size == "week":
        days, active = _WEEK_DAYS, list(range(1, _WEEK_DAYS + 1))
    else:
        days = _MONTH_DAYS
        active = [1, *dice.sample(range(2, _MONTH_DAYS), _MONTH_ACTIVE - 2), _MONTH_DAYS]
    life = live(dice, days=days, active_days=active)
    lines = tell(dice, life, chatter_every_s=_CHATTER_EVERY_S[size])
    return World(lines=tuple(lines), questions=tuple(ask(dice, life, per_kind=per_kind)), life=life)


def write_world(world: World, folder: Path) -> tuple[Path, Path]:
    """Writes `stream.jsonl` (a caption track to ingest) and `questions.jsonl`; returns both paths.

    A line is `{"start", "end", "kind": "caption"|"transcript", "text"}`, a question `{"id", "type", "asked_at",
    "question", "choices", "answer", "evidence": [[start, end], ...]}`; times in seconds since day 1, 00:00.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "stream.jsonl", folder / "questions.jsonl"
    for path, records in zip(paths, (world.lines, world.questions), strict=True):
        with path.open("w", encoding="utf-8") as file:
            for record in records:
                file.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")
    return paths
