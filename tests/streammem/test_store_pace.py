"""When a writer commits and optimises, by a clock that is only a number."""

from __future__ import annotations

import pytest

from streammem.settings import StoreSettings
from streammem.store.pace import AT_LATEST, FEW_ROWS, IDLE_S, LEAST_S, LULL_S, PATIENT_ROWS, TOGETHER_S, Pace


def test_what_comes_after_a_pause_is_committed_at_once() -> None:
    pace = Pace(StoreSettings())
    assert pace.commit_in_s(100.0, rows=0, since_s=0.0) is None
    assert pace.commit_in_s(100.0, rows=3, since_s=100.0) == pytest.approx(TOGETHER_S)
    assert pace.commit_in_s(100.06, rows=3, since_s=100.0) == 0.0
    assert pace.commit_in_s(100.0, rows=256, since_s=100.0) == 0.0


def test_what_keeps_coming_is_committed_for_a_tenth_of_the_time_and_waits_a_second_at_most() -> None:
    pace = Pace(StoreSettings(batch_s=1.0))
    pace.committed(100.0, took_s=0.005)
    assert pace.commit_in_s(100.0, rows=3, since_s=100.0) == pytest.approx(LEAST_S)
    pace.committed(100.0, took_s=0.06)  # a slow disk
    assert pace.commit_in_s(100.1, rows=3, since_s=100.1) == pytest.approx(0.5)
    pace.committed(100.0, took_s=5.0)
    assert pace.commit_in_s(100.1, rows=3, since_s=100.1) == pytest.approx(0.9)
    quick = Pace(StoreSettings(batch_s=0.02))
    quick.committed(100.0, took_s=5.0)
    assert quick.commit_in_s(100.01, rows=1, since_s=100.01) == pytest.approx(0.02)


def test_optimising_waits_for_enough_commits_and_a_lull_but_not_for_ever() -> None:
    pace = Pace(StoreSettings(optimise_every_commits=4))
    assert pace.optimise_in_s(0.0) is None
    pace.committed(10.0, took_s=0.01)
    assert pace.optimise_in_s(10.0) == pytest.approx(IDLE_S)
    for _ in range(3):
        pace.committed(11.0, took_s=0.01)
    assert pace.optimise_in_s(11.0) == pytest.approx(LULL_S)
    assert pace.optimise_in_s(11.3) == 0.0
    pace.committed(11.4, took_s=0.01)  # while it went on
    pace.optimised(12.0, commits=4, rows=10)
    assert pace.since_optimise == 1
    for _ in range(3):
        pace.committed(12.5, took_s=0.01)
    assert pace.optimise_in_s(12.8) == pytest.approx(3.2)  # a second for each commit since the last time
    for _ in range(4 * AT_LATEST - 4):
        pace.committed(12.8, took_s=0.01)
    assert pace.optimise_in_s(12.8) == 0.0


def test_a_large_table_is_optimised_less_often() -> None:
    pace = Pace(StoreSettings(optimise_every_commits=4))
    pace.optimised(0.0, commits=0, rows=PATIENT_ROWS)
    for _ in range(4):
        pace.committed(100.0, took_s=0.01)
    assert pace.optimise_in_s(101.0) == pytest.approx(IDLE_S - 1.0)
    for _ in range(4):
        pace.committed(100.0, took_s=0.01)
    assert pace.optimise_in_s(101.0) == 0.0


def test_a_few_commits_to_a_large_table_are_left_to_the_next_writer() -> None:
    pace = Pace(StoreSettings())
    assert not pace.optimises_at_the_end()
    pace.committed(1.0, took_s=0.01)
    assert pace.optimises_at_the_end()
    pace.rows = 10 * FEW_ROWS
    assert not pace.optimises_at_the_end()
    for _ in range(10):
        pace.committed(1.0, took_s=0.01)
    assert pace.optimises_at_the_end()
