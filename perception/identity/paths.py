"""Several hypotheses of who is who, after SAM2Long's memory tree: kept side by side, scored, pruned.

A sight is a stretch in which one thing was followed without doubt. A path names the identity of every sight that is
still open to doubt; no two things in view have the same one. When a sight begins, every path branches over whom it may
be; every look adds to each path's score how well it fits; the best `max_paths` stay. Once the paths agree, or the sight
has been looked at often enough, it is settled by the best path and the others that say otherwise go. As a path is a
small mapping, a step costs microseconds and does not grow with time. Knows no pictures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One hypothesis. `score`: log of its odds; `names`: open sight -> identity."""

    score: float = 0.0
    names: Mapping[int, int] = field(default_factory=dict[int, int])


class Paths:
    """The hypotheses that are kept.

    Args:
        max_paths: how many.
    """

    def __init__(self, *, max_paths: int = 6) -> None:
        self._max_paths = max_paths
        self._paths = [Path()]

    @property
    def best(self) -> Path:
        return self._paths[0]

    def __len__(self) -> int:
        return len(self._paths)

    def begin(self, sight: int, odds: Mapping[int, float], *, together: frozenset[int], taken: frozenset[int]) -> None:
        """Branches over whom a new sight may be.

        Args:
            odds: identity -> log of its odds after the first look. One that nobody else can have must be among them.
            together: other open sights in view with this one, whose identities it cannot have.
            taken: settled identities in view.
        """
        branches: list[Path] = []
        for path in self._paths:
            excluded = taken | {path.names[other] for other in together if other in path.names}
            for identity, score in odds.items():
                if identity not in excluded:
                    names = {**path.names, sight: identity}
                    branches.append(Path(score=path.score + score, names=names))
        self._keep(branches, sight)

    def look(self, sight: int, fits: Mapping[int, float], *, stranger: float) -> None:
        """Scores every path by a look at a sight. `fits`: identity -> log likelihood; `stranger`: of anyone else."""
        self._keep([Path(score=p.score + fits.get(p.names[sight], stranger), names=p.names) for p in self._paths])

    def margin(self, sight: int) -> float:
        """By how much (log odds) the likeliest identity of a sight leads, over all paths. Infinite if they agree."""
        sums: dict[int, list[float]] = {}
        for path in self._paths:
            sums.setdefault(path.names[sight], []).append(path.score)
        totals = sorted((_log_sum(scores) for scores in sums.values()), reverse=True)
        return math.inf if len(totals) == 1 else totals[0] - totals[1]

    def settle(self, sight: int) -> int:
        """Takes the best path's word for it, drops the paths that say otherwise, and returns the identity."""
        identity = self.best.names[sight]
        agreeing = [path for path in self._paths if path.names[sight] == identity]
        self._keep(
            [Path(score=p.score, names={s: name for s, name in p.names.items() if s != sight}) for p in agreeing]
        )
        return identity

    def _keep(self, paths: list[Path], sight: int | None = None) -> None:
        """The best ones, each different; with `sight`, of every name for it the best one first, as far as they go:
        what a single look makes of someone is not yet a reason to rule the others out."""
        different: dict[tuple[tuple[int, int], ...], Path] = {}
        for path in sorted(paths, key=lambda path: -path.score):
            different.setdefault(tuple(sorted(path.names.items())), path)
        ranked = list(different.values())
        if sight is not None and len(ranked) > self._max_paths:
            firsts: dict[int, Path] = {}
            for path in ranked:
                firsts.setdefault(path.names[sight], path)
            chosen = [*firsts.values(), *(path for path in ranked if path not in firsts.values())]
            ranked = sorted(chosen[: self._max_paths], key=lambda path: -path.score)
        best = ranked[0].score
        self._paths = [Path(score=path.score - best, names=path.names) for path in ranked[: self._max_paths]]


def _log_sum(scores: list[float]) -> float:
    top = max(scores)
    return top + math.log(sum(math.exp(score - top) for score in scores))
