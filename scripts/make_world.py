"""Makes a generated world with known answers: `python scripts/make_world.py FOLDER [--size week|month] [--seed N]`.

Writes FOLDER/stream.jsonl, to ingest, and FOLDER/questions.jsonl, to ask (see `streammem.app.evaluation.world`).
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from streammem.app.evaluation.world import make_world, write_world


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", choices=("week", "month"), default="week")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--per-kind", type=int, default=12, help="questions of each kind, at most")
    options = parser.parse_args()
    world = make_world(options.seed, size=options.size, per_kind=options.per_kind)
    stream, questions = write_world(world, options.folder)
    counts = Counter(one.type for one in world.questions)
    print(f"{stream}: {len(world.lines)} lines on {len(world.life.active_days)} days")
    print(f"{questions}: {len(world.questions)} questions ({', '.join(f'{k} {n}' for k, n in counts.items())})")


if __name__ == "__main__":
    main()
