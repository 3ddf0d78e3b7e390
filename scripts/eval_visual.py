"""How well free text finds pictures: right frames first, and how seldom what is nowhere looks found.

    streammem ingest demos/sample/street_talk.mp4 --memory memory
    python scripts/eval_visual.py --memory memory

Prints, over queries for things that can be seen: R@1 and R@3 (a right frame first, or among the first three) and the
mean reciprocal rank, beside what a random order would give; and over queries for things that are nowhere, how many
look found, that is, score at least `--found`. A hit is right if its middle lies in a span in which the thing is seen.

The queries are JSON: `{"visible": [{"text": "a bird", "seen": {"street_talk": [[30, 33]]}}], "absent": ["a zebra"]}`,
with spans in seconds of each recording; by default those of the sample clip, written down by eye. `--modality any`
takes whatever hit comes first (an object, text in view) instead of key frames alone. `--verbose` prints each query.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from perception.models.registry import ModelQueryEncoder, load_models
from streammem.errors import StreamMemError
from streammem.memory import Memory
from streammem.settings import load_settings
from streammem.types import NS_PER_S, Hit, Query

SAMPLE_QUERIES = Path(__file__).with_name("eval_visual_sample.json")
DEPTH = 100


class SeenThing(BaseModel):
    """A query and where its answer is in view: recording -> spans in seconds."""

    model_config = ConfigDict(extra="forbid")
    text: str
    seen: dict[str, list[tuple[float, float]]]

    def holds(self, recording: str, t_s: float) -> bool:
        return any(start <= t_s <= end for start, end in self.seen.get(recording, []))


class Queries(BaseModel):
    model_config = ConfigDict(extra="forbid")
    visible: list[SeenThing]
    absent: list[str]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", type=Path, required=True, help="a memory that the recordings were ingested into")
    parser.add_argument("--queries", type=Path, default=SAMPLE_QUERIES, help="JSON, see above")
    parser.add_argument("--config", default=None, help="the config that the memory was written with")
    parser.add_argument("--modality", choices=("visual", "any"), default="visual")
    parser.add_argument("--found", type=float, default=0.35, help="score from which a hit looks found")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    try:
        queries = Queries.model_validate_json(arguments.queries.read_text(encoding="utf-8"))
        encoder = ModelQueryEncoder(load_models(load_settings(arguments.config).models))
        with Memory.open(arguments.memory, encoder=encoder) as memory:
            _evaluate(memory, queries, arguments)
    except (OSError, ValidationError, json.JSONDecodeError, StreamMemError) as error:
        print(f"eval_visual: {error}", file=sys.stderr)
        return 2
    return 0


def _evaluate(memory: Memory, queries: Queries, arguments: argparse.Namespace) -> None:
    known = {recording.recording for recording in memory.recordings()}
    visible = [query for query in queries.visible if known & query.seen.keys()]
    frames = [(frame.recording, frame.t_ns / NS_PER_S) for frame in memory.keyframes()]
    ranks, best, chance = [], [], []
    for query in visible:
        hits = _recall(memory, query.text, arguments.modality)
        right = [query.holds(hit.recording, _middle_s(hit)) for hit in hits]
        ranks.append(right.index(True) + 1 if any(right) else np.inf)
        best.append(hits[0].score if hits else 0.0)
        chance.append(np.mean([query.holds(*frame) for frame in frames]) if frames else 0.0)
        if arguments.verbose:
            _show(f"{'right' if right[:1] == [True] else f'rank {ranks[-1]}'}", query.text, hits)
    absent = []
    for text in queries.absent:
        hits = _recall(memory, text, arguments.modality)
        absent.append(hits[0].score if hits else 0.0)
        if arguments.verbose:
            _show("absent", text, hits)
    rank = np.asarray(ranks)
    scores = np.asarray(best)
    print(f"visible: {len(visible)} queries over {len(frames)} key frames of {', '.join(sorted(known))}")
    if len(visible):
        print(
            f"  R@1 {np.mean(rank == 1):.2f}  R@3 {np.mean(rank <= 3):.2f}  MRR {np.mean(1 / rank):.2f}"
            f"  (chance R@1 {np.mean(chance):.2f})"
        )
        print(f"  best score, right frame first  {_spread(scores[rank == 1])}")
        print(f"  best score, wrong frame first  {_spread(scores[rank > 1])}")
        print(
            f"  look found (score >= {arguments.found}): {np.mean(scores >= arguments.found):.2f} of all,"
            f" right {np.mean(rank[scores >= arguments.found] == 1) if np.any(scores >= arguments.found) else 0:.2f}"
        )
    if absent:
        print(f"absent: {len(absent)} queries")
        print(f"  best score  {_spread(np.asarray(absent))}")
        print(f"  look found (score >= {arguments.found}): {np.mean(np.asarray(absent) >= arguments.found):.2f}")


def _recall(memory: Memory, text: str, modality: str) -> list[Hit]:
    return memory.recall(Query(text=text, modalities=("visual",) if modality == "visual" else None, k=DEPTH))


def _middle_s(hit: Hit) -> float:
    return (hit.t_start_ns + hit.t_end_ns) / 2 / NS_PER_S


def _show(verdict: str, text: str, hits: list[Hit]) -> None:
    first = f"{hits[0].score:.2f} {hits[0].recording} {_middle_s(hits[0]):.1f} s {hits[0].text[:50]}" if hits else "-"
    print(f"  {verdict:9s} {text:36s} {first}")


def _spread(scores: np.ndarray) -> str:
    if not len(scores):
        return "none"
    low, quarter, middle, upper, high = np.percentile(scores, [5, 25, 50, 75, 95])
    return f"5 % {low:.2f}  25 % {quarter:.2f}  50 % {middle:.2f}  75 % {upper:.2f}  95 % {high:.2f}  (n {len(scores)})"


if __name__ == "__main__":
    sys.exit(main())
