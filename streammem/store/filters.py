"""Exact filters as SQL `where` clauses, with every value quoted.

Knows column names it is given, no table. LanceDB's filter language (DataFusion SQL) takes no parameters, so quoting is
done here and only here: a single quote is doubled, nothing else is special inside a string literal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self


def quoted(value: str) -> str:
    """A SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


class Where:
    """Clauses joined by `AND`. Every method skips a None, so that filters are passed through as they came."""

    def __init__(self, clauses: Iterable[str] = ()) -> None:
        self._clauses: list[str] = list(clauses)

    def copy(self) -> Where:
        return Where(self._clauses)

    def add(self, clause: str) -> Self:
        """A clause that holds no user text."""
        self._clauses.append(clause)
        return self

    def equals(self, column: str, value: str | None) -> Self:
        if value is not None:
            self._clauses.append(f"{column} = {quoted(value)}")
        return self

    def among(self, column: str, values: Sequence[str] | None) -> Self:
        """`column IN (...)`; an empty sequence lets nothing through."""
        if values is not None:
            listed = ", ".join(quoted(value) for value in dict.fromkeys(values))
            self._clauses.append(f"{column} IN ({listed})" if listed else "false")
        return self

    def compare(self, column: str, operator: str, value: int | None) -> Self:
        if value is not None:
            self._clauses.append(f"{column} {operator} {int(value)}")
        return self

    def overlaps(self, after_ns: int | None, before_ns: int | None, as_of_ns: int | None) -> Self:
        """Spans that end after `after_ns`, start before `before_ns`, and had ended at `as_of_ns`."""
        self.compare("t_end_ns", ">", after_ns)
        self.compare("t_start_ns", "<", before_ns)
        return self.compare("t_end_ns", "<=", as_of_ns)

    def sql(self) -> str | None:
        """None where nothing is filtered."""
        return " AND ".join(f"({clause})" for clause in self._clauses) or None
