"""How well tasks of several stages were done: success, SPL, and the long-horizon metrics ISR, CSR, CGT and TAR.

ISR, CSR, CGT and TAR are those of long-horizon vision-language navigation (LH-VLN), exactly: of M tasks, task j has N_j
stages, each done (s = 1) or not. A stage counts more when the one before it was done, too. SPL is Anderson et al.'s.
Knows numbers only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streammem.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of a task, as the world (not the robot) judges it."""

    is_done: bool
    shortest_m: float
    """The way an expert would have gone for this stage."""
    error_m: float
    """How far from the stage's goal the robot (or what it should bring) was at the stage's end, along the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One task that was tried."""

    stages: tuple[Stage, ...]
    travelled_m: float
    steps: int
    exploring_steps: int = 0
    """Steps spent on places where a thing that was sought was not."""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if not self.stages:
            raise InputError("A trial has at least one stage.")

    @property
    def is_done(self) -> bool:
        return all(one.is_done for one in self.stages)

    @property
    def shortest_m(self) -> float:
        return sum(one.shortest_m for one in self.stages)


def success_rate(trials: Sequence[Trial]) -> float:
    """Share of tasks whose every stage was done."""
    return _mean([float(one.is_done) for one in trials])


def spl(trials: Sequence[Trial]) -> float:
    """Success weighted by path length: 1 where every task was done by the shortest way."""
    return _mean([
        float(one.is_done) * (one.shortest_m / max(one.travelled_m, one.shortest_m) if one.shortest_m > 0 else 1.0)
        for one in trials
    ])  # fmt: skip


def independent_success_rate(trials: Sequence[Trial]) -> float:
    """ISR: share of stages that were done."""
    done = sum(stage.is_done for trial in trials for stage in trial.stages)
    return done / max(1, sum(len(trial.stages) for trial in trials))


def conditional_success_rate(trials: Sequence[Trial]) -> float:
    """CSR: (1/M) sum_j (1/N_j^2) sum_i s_ji (1 + (N_j - 1) s_j,i-1); the first stage counts as after a success."""
    return _mean([
        sum(_weights(trial)) / len(trial.stages) ** 2 for trial in trials
    ])  # fmt: skip


def conditional_by_ground_truth(trials: Sequence[Trial]) -> float:
    """CGT: as CSR, each stage weighted by its share of the expert's way: (1/M) sum_j (1/N_j) sum_i (P_i/P) ..."""
    values: list[float] = []
    for trial in trials:
        total = trial.shortest_m
        shares = [one.shortest_m / total if total > 0 else 1 / len(trial.stages) for one in trial.stages]
        weighted = sum(share * weight for share, weight in zip(shares, _weights(trial), strict=True))
        values.append(weighted / len(trial.stages))
    return _mean(values)


def target_approach_rate(trials: Sequence[Trial]) -> float:
    """TAR: mean over stages of 1 - max(NE - 1, 0) / max(NE, GT), NE the error and GT the expert's way, in metres."""
    return _mean([
        1.0 - max(stage.error_m - 1.0, 0.0) / max(stage.error_m, stage.shortest_m, 1e-9)
        for trial in trials
        for stage in trial.stages
    ])  # fmt: skip


def _weights(trial: Trial) -> list[float]:
    """s_i (1 + (N - 1) s_i-1), the first as if a success came before it."""
    count = len(trial.stages)
    before = [True, *(one.is_done for one in trial.stages[:-1])]
    return [float(one.is_done) * (1 + (count - 1) * was) for one, was in zip(trial.stages, before, strict=True)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
