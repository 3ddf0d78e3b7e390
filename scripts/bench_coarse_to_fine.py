#!/usr/bin/env python3
"""How few leaves a question has to read: recall kept when observations are searched only inside the best segments.

    python scripts/bench_coarse_to_fine.py MEMORY QUESTIONS.jsonl

`MEMORY` is an ingested EgoLife stream, `QUESTIONS.jsonl` its questions (question, asked_at, evidence). For each one, by
the question's vector alone and cut at `asked_at`: the ten best events by their best observation, among all observations
(flat), and among those inside the N nearest events or episodes. Found: an event overlaps the evidence. Prints the share
of leaves read and the share of the flat recall@10 that is kept.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from perception.models.minilm import shared_minilm
from streammem.memory import Memory
from streammem.store.filters import Where
from streammem.store.tables import EVENTS, OBSERVATIONS, find_vector_column
from streammem.types import NS_PER_S, Level

NEAREST = 10
SEGMENTS = {Level.EVENT: (5, 10, 20, 40, 80), Level.EPISODE: (1, 2, 4, 8, 16)}


def load(memory: Memory, table: str, where: Where) -> tuple[list[dict[str, Any]], np.ndarray[Any, Any]]:
    """(rows, vectors (N, 384))"""
    reader = memory._reader  # every row with its vector; there is no public name for that
    column = find_vector_column(reader.column_names(table), "vector", 384, shared_minilm().name)
    columns = ["event_id", "t_start_ns", "t_end_ns", *(["parent_id"] if table == EVENTS else [])]
    rows = reader.scan(table, where, columns=[*columns, column or ""])
    nothing = np.zeros(384, np.float32)
    return rows, np.array([row[column] if row[column] is not None else nothing for row in rows], dtype=np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("memory", type=Path)
    parser.add_argument("questions", type=Path)
    given = parser.parse_args()
    questions = [json.loads(line) for line in given.questions.read_text(encoding="utf-8").splitlines()]
    vectors = shared_minilm().encode([one["question"] for one in questions])
    with Memory.open(given.memory) as memory:
        leaves, leaf_vectors = load(memory, OBSERVATIONS, Where())
        levels = {level: load(memory, EVENTS, Where().equals("level", level.value)) for level in SEGMENTS}
    events = levels[Level.EVENT][0]
    starts, ends = (np.array([row[name] for row in events]) for name in ("t_start_ns", "t_end_ns"))
    place = {row["event_id"]: number for number, row in enumerate(events)}
    home = np.array([place[row["event_id"]] for row in leaves])  # of each leaf: its event
    leaf_ends = np.array([row["t_end_ns"] for row in leaves])
    episode = {row["event_id"]: number for number, row in enumerate(levels[Level.EPISODE][0])}
    above = {
        Level.EVENT: np.arange(len(events)),
        Level.EPISODE: np.array([episode.get(row["parent_id"], -1) for row in events]),
    }
    segment_ends = {level: np.array([row["t_end_ns"] for row in rows]) for level, (rows, _) in levels.items()}

    def is_found(scores: np.ndarray[Any, Any], allowed: np.ndarray[Any, Any], evidence: list[list[float]]) -> bool:
        best = np.full(len(events), -np.inf)
        np.maximum.at(best, home[allowed], scores[allowed])
        top = [event for event in np.argsort(-best)[:NEAREST] if np.isfinite(best[event])]
        return any(starts[e] < (to + 1) * NS_PER_S and ends[e] > at * NS_PER_S for e in top for at, to in evidence)

    flat = 0
    found = {(level, count): [0, 0.0] for level, counts in SEGMENTS.items() for count in counts}
    for question, vector in zip(questions, vectors, strict=True):
        asked_ns = int(question["asked_at"] * NS_PER_S)
        scores, visible = leaf_vectors @ vector, leaf_ends <= asked_ns
        flat += is_found(scores, visible, question["evidence"])
        for level, counts in SEGMENTS.items():
            nearness = np.where(segment_ends[level] <= asked_ns, levels[level][1] @ vector, -np.inf)
            order = np.argsort(-nearness)
            for count in counts:
                inside = np.isin(above[level], order[:count])[home] & visible
                result = found[level, count]
                result[0] += is_found(scores, inside, question["evidence"])
                result[1] += inside.sum() / max(1, visible.sum())
    total = len(questions)
    print(f"{len(leaves):,} leaves, {len(events):,} events; flat recall@{NEAREST} {100 * flat / total:.1f} %")
    for (level, count), (hits, read) in found.items():
        print(
            f"{count:3d} nearest {level.value}s: recall@{NEAREST} {100 * hits / total:.1f} %, kept "
            f"{100 * hits / max(1, flat):.0f} %, leaves read {100 * read / total:.2f} %"
        )


if __name__ == "__main__":
    main()
