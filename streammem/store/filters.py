"""Exact filters as SQL `where` clauses, with every value quoted.

Knows column names it is given, no table. LanceDB's filter language (DataFusion SQL) takes no parameters, so quoting is
done here and only here: a single quote is doubled, nothing else is special inside a string literal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def quoted(value: str) -> str:
    """A SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Spans that end after `after_ns`, start before `before_ns`, and had ended at `as_of_ns`; None: no limit."""

    after_ns: int | None
    before_ns: int | None
    as_of_ns: int | None

    def holds(self, t_start_ns: int, t_end_ns: int) -> bool:
        return (
            (self.after_ns is None or t_end_ns > self.after_ns)
            and (self.before_ns is None or t_start_ns < self.before_ns)
            and (self.as_of_ns is None or t_end_ns <= self.as_of_ns)
        )

    def holds_all(self, t_start_ns: npt.NDArray[np.int64], t_end_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """(n,): `holds` of many spans."""
        held = t_end_ns == t_end_ns
        if self.after_ns is not None:
            held &= t_end_ns > self.after_ns
        if self.before_ns is not None:
            held &= t_start_ns < self.before_ns
        if self.as_of_ns is not None:
            held &= t_end_ns <= self.as_of_ns
        return held

    def clauses(self) -> list[str]:
        limits = (("t_end_ns >", self.after_ns), ("t_start_ns <", self.before_ns), ("t_end_ns <=", self.as_of_ns))
        return [f"{what} {int(value)}" for what, value in limits if value is not None]

    def share_of(self, spans: Iterable[tuple[int, int]]) -> float:
        """The share of these spans that lies inside, in [0, 1]."""
        low = self.after_ns if self.after_ns is not None else -(1 << 62)
        high = min(one for one in (self.before_ns, self.as_of_ns, 1 << 62) if one is not None)
        inside = total = 0
        for start, end in spans:
            total += end - start
            inside += max(0, min(end, high) - max(start, low))
        return inside / total if total else 0.0


class Where:
    """Clauses joined by `AND`. Every method skips a None, so that filters are passed through as they came.

    What they say is kept as data too (`memberships`, `comparisons`, `window`, `level`), for rows that are in memory;
    that is all of it where `is_plain`.
    """

    def __init__(self) -> None:
        self._clauses: list[str] = []
        self.window: Window | None = None
        self.level: str | None = None
        self.memberships: list[tuple[str, tuple[str, ...]]] = []
        self.comparisons: list[tuple[str, str, int]] = []
        self.is_plain = True

    def copy(self) -> Where:
        made = Where()
        made._clauses = list(self._clauses)
        made.window, made.level, made.is_plain = self.window, self.level, self.is_plain
        made.memberships, made.comparisons = list(self.memberships), list(self.comparisons)
        return made

    def add(self, clause: str) -> Self:
        """A clause that holds no user text."""
        self._clauses.append(clause)
        self.is_plain = False
        return self

    def equals(self, column: str, value: str | None) -> Self:
        if value is not None and column == "level" and self.level is None:
            self.level = value
        elif value is not None:
            self._clauses.append(f"{column} = {quoted(value)}")
            self.memberships.append((column, (value,)))
        return self

    def among(self, column: str, values: Sequence[str] | None) -> Self:
        """`column IN (...)`; an empty sequence lets nothing through."""
        if values is not None:
            distinct = tuple(dict.fromkeys(values))
            listed = ", ".join(quoted(value) for value in distinct)
            self._clauses.append(f"{column} IN ({listed})" if listed else "false")
            self.memberships.append((column, distinct))
        return self

    def compare(self, column: str, operator: str, value: int | None) -> Self:
        if value is not None:
            self._clauses.append(f"{column} {operator} {int(value)}")
            self.comparisons.append((column, operator, int(value)))
        return self

    def overlaps(self, after_ns: int | None, before_ns: int | None, as_of_ns: int | None) -> Self:
        """Spans that end after `after_ns`, start before `before_ns`, and had ended at `as_of_ns`."""
        if after_ns is None and before_ns is None and as_of_ns is None:
            return self
        window = Window(after_ns=after_ns, before_ns=before_ns, as_of_ns=as_of_ns)
        if self.window is None:
            self.window = window
        else:
            self._clauses += window.clauses()
            self.is_plain = False
        return self

    def sql(self) -> str | None:
        """None where nothing is filtered."""
        soft = [*(self.window.clauses() if self.window is not None else ())]
        if self.level is not None:
            soft.append(f"level = {quoted(self.level)}")
        return _joined([*self._clauses, *soft])

    def hard_sql(self) -> str | None:
        """Without the time window and the level, which `passes` judges: for searches where most rows pass these."""
        return _joined(self._clauses)

    def passes(self, row: Mapping[str, Any]) -> bool:
        """Whether a row with `t_start_ns`, `t_end_ns` (and `level`) passes what `hard_sql` leaves out."""
        if self.level is not None and row["level"] != self.level:
            return False
        return self.window is None or self.window.holds(row["t_start_ns"], row["t_end_ns"])


def _joined(clauses: list[str]) -> str | None:
    return " AND ".join(f"({clause})" for clause in clauses) or None
