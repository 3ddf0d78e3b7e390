"""ISR, CSR, CGT, TAR and SPL on cases reckoned by hand."""

from __future__ import annotations

import pytest

from streammem.app.robot.metrics import (
    Stage,
    Trial,
    conditional_by_ground_truth,
    conditional_success_rate,
    independent_success_rate,
    spl,
    success_rate,
    target_approach_rate,
)
from streammem.errors import InputError


def trial(
    done: str, *, lengths: tuple[float, ...] = (), errors: tuple[float, ...] = (), travelled: float = 10.0
) -> Trial:
    """`done`: a letter per stage, `x` for done."""
    count = len(done)
    return Trial(
        stages=tuple(
            Stage(is_done=letter == "x", shortest_m=length, error_m=error)
            for letter, length, error in zip(done, lengths or (1.0,) * count, errors or (0.0,) * count, strict=True)
        ),
        travelled_m=travelled,
        steps=1,
    )


def test_everything_done_is_one() -> None:
    trials = [trial("xxx", lengths=(1, 2, 3), travelled=6.0), trial("x", travelled=1.0)]
    for metric in (
        success_rate, spl, independent_success_rate, conditional_success_rate, conditional_by_ground_truth,
        target_approach_rate,
    ):  # fmt: skip
        assert metric(trials) == pytest.approx(1.0)


def test_nothing_done_is_nothing() -> None:
    trials = [trial("..", errors=(100.0, 100.0))]
    for metric in (success_rate, spl, independent_success_rate, conditional_success_rate, conditional_by_ground_truth):
        assert metric(trials) == 0.0


def test_a_stage_counts_more_after_one_that_was_done() -> None:
    # N = 3. done, done, not: (3 + (1 + 2*1) + 0) / 9 = 2/3; not, done, done: (0 + (1 + 0) + (1 + 2)) / 9 = 4/9.
    assert conditional_success_rate([trial("xx.")]) == pytest.approx(6 / 9)
    assert conditional_success_rate([trial(".xx")]) == pytest.approx(4 / 9)
    assert conditional_success_rate([trial("x.x")]) == pytest.approx((3 + 0 + 1) / 9)
    assert independent_success_rate([trial("xx."), trial(".xx")]) == pytest.approx(4 / 6)


def test_weighting_by_the_experts_way() -> None:
    # Ways 1, 2, 3 of 6. done, done, not: (1/6*3 + 2/6*3) / 3 = 1/2.
    assert conditional_by_ground_truth([trial("xx.", lengths=(1, 2, 3))]) == pytest.approx(0.5)
    # not, done, done: (2/6*1 + 3/6*3) / 3.
    assert conditional_by_ground_truth([trial(".xx", lengths=(1, 2, 3))]) == pytest.approx((2 / 6 + 1.5) / 3)
    assert conditional_by_ground_truth([trial("x", lengths=(0.0,))]) == 1.0


def test_target_approach_forgives_a_metre() -> None:
    # Errors 0.5, 3 and 12 of ways of 10: 1, 1 - 2/10, 1 - 11/12.
    found = target_approach_rate([trial("x..", lengths=(10, 10, 10), errors=(0.5, 3.0, 12.0))])
    assert found == pytest.approx((1 + 0.8 + (1 - 11 / 12)) / 3)


def test_spl_weighs_by_the_way_and_is_never_above_one() -> None:
    assert spl([trial("x", lengths=(5.0,), travelled=10.0)]) == pytest.approx(0.5)
    assert spl([trial("x", lengths=(5.0,), travelled=4.0)]) == 1.0
    assert spl([trial("x", lengths=(5.0,), travelled=10.0), trial(".", travelled=1.0)]) == pytest.approx(0.25)


def test_no_trials_and_no_stages() -> None:
    assert success_rate([]) == spl([]) == 0.0
    with pytest.raises(InputError):
        Trial(stages=(), travelled_m=0.0, steps=0)
