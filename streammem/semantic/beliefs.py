"""Keeps what the assertions add up to in a table of its own, so that nobody adds them up again.

`project` folds the assertions committed since the last time into the intervals they touch and appends those, all in one
commit that also says how far it got (the watermark). So the table never runs ahead of the journal, a crash leaves it a
step behind, and it can be dropped and made anew at any time. Rows that were replaced are deleted right after; a crash
in between leaves both, readers take the newer, and the next step deletes the older. Folding reads the open intervals of
the keys it touches and nothing else: its cost per assertion does not depend on the history. `facts` adds the few
assertions beyond the watermark in memory, so readers see everything that is committed.

What held as of a time is read off an interval's own times (when it was first and last stated, when its end became
known); only intervals that went on growing after that time read their assertions. Knows tables, no wording.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from streammem.semantic.activities import DOES
from streammem.semantic.consolidation import (
    Assertion,
    Interval,
    fold,
    in_order,
    is_late,
    is_shared,
    key_of_fact,
    replay,
)
from streammem.semantic.endings import is_ending, mates
from streammem.semantic.habits import MIN_DAYS, Habit, learn
from streammem.store.filters import Where, quoted
from streammem.store.reader import Reader
from streammem.store.tables import BELIEFS, EVENTS, FACTS, Row, arrow_rows, assertion_of
from streammem.timeline import DAY_NS, WALL_CLOCK_FROM_NS
from streammem.types import Fact, Level

WATERMARK = "watermark"
STEP_COMMITS = 64
"""Commits folded in one step: some ten thousand assertions at most."""
STEPS_AT_ONCE = 8
"""A table that is made anew (after forgetting) is made a part at a time: nobody commits meanwhile."""
CACHED_KEYS = 50_000
"""Keys whose open intervals a writer keeps at hand, about 1 kB each; others are looked up."""
_LISTED = 500
"""Values in one `IN (...)`."""


class Beliefs:
    """The facts of one memory. Projecting needs the writer's lock; reading does not."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._live: OrderedDict[str, list[Interval]] = OrderedDict()
        self._knows_all_keys = False
        """Whether a key that is not at hand is a new one: so in a memory that this writer began."""
        self._watermark: int | None = None

    # --- writing -------------------------------------------------------------------------------------------------

    def project(self, table: Any) -> int:
        """Folds in what was committed since the last time. Returns how many assertions.

        Args:
            table: the LanceDB table `beliefs`, open for writing.
        """
        try:
            return self._project(table)
        except BaseException:
            self.reset()  # what is at hand may be ahead of the table
            raise

    def reset(self) -> None:
        """Forgets what is at hand: the table was changed by somebody else."""
        self._live.clear()
        self._watermark = None

    def _project(self, table: Any) -> int:
        if self._watermark is None:
            self._watermark = self._recover(table)
            self._knows_all_keys = self._watermark == 0
        done = 0
        for _ in range(STEPS_AT_ONCE):
            if self._watermark >= (committed := self._reader.committed()):
                break
            upto = min(committed, self._watermark + STEP_COMMITS)
            rows = self._reader.scan(FACTS, _between(self._watermark, upto))
            if rows:
                self._append(table, self._folded(rows, upto), upto)
            self._watermark = upto
            done += len(rows)
        while len(self._live) > CACHED_KEYS:
            self._live.popitem(last=False)
            self._knows_all_keys = False
        return done

    def _recover(self, table: Any) -> int:
        """Finishes an interrupted step. Returns the watermark."""
        marks = self._reader.scan(BELIEFS, Where().equals("key", WATERMARK), columns=["commit_seq"])
        if not marks:
            if int(table.count_rows()):
                table.delete("true")
            return 0
        newest = max(row["commit_seq"] for row in marks)
        if len(marks) > 1:
            step = Where().add(f"commit_seq = {newest}")
            self._delete_replaced(
                table, [row["fact_id"] for row in self._reader.scan(BELIEFS, step, columns=["fact_id"])], newest
            )
        return newest

    def _folded(self, rows: Sequence[Row], upto: int) -> list[tuple[Interval, bool]]:
        """(interval, whether it is gone) of everything that these rows change."""
        by_key = _by_key(rows)
        self._look_up([key for key in by_key if key not in self._live])
        changed: dict[str, tuple[Interval, bool]] = {}
        late: dict[str, list[Assertion]] = {}
        for key, said in by_key.items():
            live = self._live.setdefault(key, [])
            self._live.move_to_end(key)
            touched = _fold_all(live, said, key=key)
            if touched is None:
                late[key] = said
            else:
                changed |= {one.fact_id: (one, False) for one in touched}
        for key, intervals in _replayed(self._reader, late, upto=upto).items():
            before = self._reader.scan(BELIEFS, Where().equals("key", key))
            changed |= {row["fact_id"]: (_interval_of(row), True) for row in before}
            changed |= {one.fact_id: (one, False) for one in intervals}
            self._live[key] = [one for one in intervals if one.is_live]
        return list(changed.values())

    def _look_up(self, keys: list[str]) -> None:
        if self._knows_all_keys:
            return
        for some in _chunks(keys):
            for row in self._reader.scan(BELIEFS, Where().among("live_key", some)):
                self._live.setdefault(row["key"], []).append(_interval_of(row))

    def _append(self, table: Any, changed: Sequence[tuple[Interval, bool]], upto: int) -> None:
        rows = [_row_of(interval, is_gone=is_gone) | {"commit_seq": upto} for interval, is_gone in changed]
        rows.append({"fact_id": WATERMARK, "key": WATERMARK, "is_gone": False, "commit_seq": upto})
        table.add(arrow_rows(rows, table.schema))
        self._delete_replaced(table, [str(row["fact_id"]) for row in rows], upto)

    @staticmethod
    def _delete_replaced(table: Any, fact_ids: Sequence[str], step: int) -> None:
        for some in _chunks([one for one in fact_ids if one != WATERMARK]):
            listed = ", ".join(map(quoted, some))
            table.delete(f"fact_id IN ({listed}) AND (commit_seq < {step} OR is_gone)")
        # Last: as long as the older mark is there, the step is known to be unfinished.
        table.delete(f"fact_id = {quoted(WATERMARK)} AND commit_seq < {step}")

    # --- reading -------------------------------------------------------------------------------------------------

    def facts(
        self,
        *,
        subject: str | None,
        predicate: str | None,
        as_of_ns: int | None,
        recordings: Sequence[str] | None,
        limit: int | None,
        every_event: bool,
        without: Sequence[str] = (),
    ) -> list[Fact]:
        """See `Memory.facts`."""
        where = Where().equals("subject_key", None if subject is None else subject.casefold())
        where.among("predicate", None if predicate is None else mates(predicate))
        for left_out in without:
            where.add(f"predicate <> {quoted(left_out)}")
        if self._is_part(recordings):
            intervals = self._told_in(where, recordings, as_of_ns)
        else:
            intervals = self._intervals(where.among("recording", recordings), as_of_ns)
            if as_of_ns is not None:
                intervals = self._as_known(intervals, as_of_ns)
        if predicate is not None:
            intervals = [one for one in intervals if one.predicate == predicate]
        # What is said to have ended, and was not known to have been, is kept as an assertion only.
        chosen = {one.fact_id: one for one in intervals if one.closes or not is_ending(one.predicate)}
        facts = in_order(one.fact() for one in chosen.values())[:limit]
        return self._with_every_event(facts, chosen, as_of_ns, recordings) if every_event else facts

    def habits(self, *, subject: str | None, as_of_ns: int | None, recordings: Sequence[str] | None) -> list[Habit]:
        """See `Memory.habits`."""
        where = Where().equals("predicate", DOES)
        where.equals("subject_key", None if subject is None else subject.casefold())
        if self._is_part(recordings):
            found = self._told_in(where, recordings, as_of_ns)
        else:
            found = self._intervals(where.among("recording", recordings), as_of_ns)
        often = [one for one in found if one.events >= MIN_DAYS]
        if not often:
            return []
        wanted = {one.key for one in often}
        seen: dict[tuple[str, str, str], list[Assertion]] = {}
        for key, said in _assertions(self._reader, often, as_of_ns=as_of_ns, recordings=recordings).items():
            for one in said if key in wanted else ():
                if one.said.predicate != DOES:
                    continue
                # Recordings with a wall clock share their days; others have days of their own.
                clock = "" if one.said.t_from_ns >= WALL_CLOCK_FROM_NS else one.said.recording
                seen.setdefault((clock, one.said.subject.casefold(), one.said.object.casefold()), []).append(one)
        days = self._observed_days(as_of_ns, recordings)
        learnt = [
            learn(
                [(one.said.t_from_ns, one.said.event_ids[0]) for one in said],
                recording=said[0].said.recording,
                subject=said[0].said.subject,
                activity=said[0].said.object,
                observed_days=days.get(clock, ()),
            )
            for (clock, _, _), said in seen.items()
        ]
        habits = [one for one in learnt if one is not None]
        return sorted(habits, key=lambda one: (-one.confidence, one.subject, one.activity))

    def stated(self) -> list[tuple[Fact, int]]:
        """Every fact with all its events, and when it was last stated."""
        intervals = {one.fact_id: one for one in self._intervals(Where(), None)}
        facts = self._with_every_event([one.fact() for one in intervals.values()], intervals, None, None)
        return [(fact, intervals[fact.fact_id].last_t_ns) for fact in facts]

    def assertions_of(self, facts: Sequence[tuple[Fact, int]]) -> list[str]:
        """Ids of the assertions that add up to these facts, each given with when it was last stated."""
        wanted: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
        for fact, last_ns in facts:
            named = (key_of_fact(fact), fact.predicate, fact.object.casefold())
            wanted.setdefault(named, []).append((fact.t_from_ns, last_ns))
        found: list[str] = []
        for some in _chunks(dict.fromkeys(fact.subject.casefold() for fact, _ in facts)):
            for row in self._reader.scan(FACTS, Where().among("subject_key", some)):
                said = assertion_of(row)
                spans = wanted.get((key_of_fact(said), said.predicate, said.object.casefold()), ())
                if any(start <= said.t_from_ns <= end for start, end in spans):
                    found.append(row["assertion_id"])
        return found

    def _observed_days(self, as_of_ns: int | None, recordings: Sequence[str] | None) -> dict[str, list[int]]:
        """Days on which anything was recorded, by clock: all wall clocks under an empty name."""
        where = Where().equals("level", Level.EVENT.value).among("recording", recordings)
        where.compare("t_end_ns", "<=", as_of_ns)
        days: dict[str, set[int]] = {}
        for row in self._reader.scan(EVENTS, where, columns=["recording", "t_start_ns"]):
            clock = "" if row["t_start_ns"] >= WALL_CLOCK_FROM_NS else row["recording"]
            days.setdefault(clock, set()).add(row["t_start_ns"] // DAY_NS)
        return {clock: sorted(some) for clock, some in days.items()}

    def _intervals(self, where: Where, as_of_ns: int | None) -> list[Interval]:
        """Every interval that passes, the newest assertions folded in. With `as_of_ns`, without some that had ended."""
        wanted = where.copy()
        if as_of_ns is not None:
            wanted.add(
                f"is_live OR is_tangled OR (first_known_ns <= {as_of_ns} AND "
                f"(t_to_ns IS NULL OR t_to_ns > {as_of_ns} OR closed_known_ns > {as_of_ns} "
                f"OR last_known_ns > {as_of_ns}))"
            )
        condition = wanted.sql()
        is_old = "held_by" not in self._reader.column_names(BELIEFS)  # and no writer has opened it since: as if empty
        # One read of one version: a mark read apart could belong to another step than the rows.
        marked = Where() if condition is None else Where().add(f"({condition}) OR key = {quoted(WATERMARK)}")
        newest: dict[str, Row] = {}
        for row in () if is_old else self._reader.scan(BELIEFS, marked):
            known = newest.get(row["fact_id"])
            if known is None or row["commit_seq"] > known["commit_seq"]:
                newest[row["fact_id"]] = row
        mark = newest.pop(WATERMARK, None)
        watermark = 0 if mark is None else mark["commit_seq"]
        by_key: dict[str, dict[str, Interval]] = {}
        for row in newest.values():
            if not row["is_gone"]:
                by_key.setdefault(row["key"], {})[row["fact_id"]] = _interval_of(row)
        tail = self._reader.scan(FACTS, where.copy().compare("commit_seq", ">", watermark))
        late: dict[str, list[Assertion]] = {}
        for key, said in _by_key(tail).items():
            held = by_key.setdefault(key, {})
            touched = _fold_all([one for one in held.values() if one.is_live], said, key=key)
            if touched is None:
                late[key] = said
            else:
                held |= {one.fact_id: one for one in touched}
        for key, intervals in _replayed(self._reader, late, upto=None).items():
            by_key[key] = {one.fact_id: one for one in intervals}
        return [one for held in by_key.values() for one in held.values()]

    def _as_known(self, intervals: Sequence[Interval], as_of_ns: int) -> list[Interval]:
        """The intervals that held at a time, as they were known then."""
        known: list[Interval] = []
        anew: dict[str, dict[tuple[str, str], int]] = {}
        """Key -> value -> from when on it is worked out again."""
        for one in intervals:
            if not one.is_tangled and one.last_known_ns <= as_of_ns:
                if one.closed_known_ns is not None and one.closed_known_ns > as_of_ns:
                    one = replace(one, closed_ns=None, closed_known_ns=None)
                known.append(one)
            elif one.is_tangled or one.first_known_ns <= as_of_ns:
                # In a key told in order, nothing of a value before an interval still grows.
                from_ns = _ALWAYS_NS if one.is_tangled else one.t_from_ns
                values = anew.setdefault(one.key, {})
                values[one.value] = min(from_ns, values.get(one.value, from_ns))
        whole = {key for key, values in anew.items() if _ALWAYS_NS in values.values()}
        known = [one for one in known if one.key not in whole]
        # From before: what contradicts it may have been open longer.
        beside = [one for one in intervals if one.key in anew]
        for key, said in _assertions(self._reader, beside, as_of_ns=as_of_ns).items():
            values = anew.get(key, {})
            for one in replay(said, key=key):
                if key in whole or one.t_from_ns >= values.get(one.value, one.t_from_ns + 1):
                    known.append(one)
        return [one for one in known if one.t_to_ns is None or one.t_to_ns > as_of_ns]

    def _is_part(self, recordings: Sequence[str] | None) -> bool:
        """Whether what is told in these adds up to something else than in all of them."""
        if recordings is None:
            return False
        return any(
            t_start_ns >= WALL_CLOCK_FROM_NS and name not in recordings
            for name, t_start_ns in self._reader.recordings()
        )

    def _told_in(self, where: Where, recordings: Sequence[str] | None, as_of_ns: int | None) -> list[Interval]:
        """What some recordings tell, as if there were no others: from their assertions, those known by a time."""
        narrowed = where.copy().among("recording", recordings).compare("t_end_ns", "<=", as_of_ns)
        found = [
            one for key, said in _by_key(self._reader.scan(FACTS, narrowed)).items() for one in replay(said, key=key)
        ]
        return [one for one in found if as_of_ns is None or one.t_to_ns is None or one.t_to_ns > as_of_ns]

    def _with_every_event(
        self,
        facts: list[Fact],
        intervals: dict[str, Interval],
        as_of_ns: int | None,
        recordings: Sequence[str] | None,
    ) -> list[Fact]:
        """An interval names its first and newest events; the rest are with the assertions."""
        short = [intervals[fact.fact_id] for fact in facts if intervals[fact.fact_id].events > len(fact.event_ids)]
        if not short:
            return facts
        said = _assertions(self._reader, short, as_of_ns=as_of_ns, recordings=recordings)
        whole: dict[str, tuple[str, ...]] = {}
        for one in short:
            mine = [
                each
                for each in said.get(one.key, [])
                if (each.said.predicate, each.said.object.casefold()) == one.value
                and one.t_from_ns <= each.said.t_from_ns <= one.last_t_ns
            ]
            mine.sort(key=lambda each: each.order)
            whole[one.fact_id] = tuple(dict.fromkeys(event for each in mine for event in each.said.event_ids))
        return [replace(fact, event_ids=whole.get(fact.fact_id, fact.event_ids)) for fact in facts]


_ALWAYS_NS = -(2**63)


def _between(after: int, upto: int) -> Where:
    return Where().compare("commit_seq", ">", after).compare("commit_seq", "<=", upto)


def _by_key(rows: Iterable[Row]) -> dict[str, list[Assertion]]:
    """Assertions by key, in the order in which they became known."""
    found: dict[str, list[Assertion]] = {}
    for row in rows:
        one = Assertion(said=assertion_of(row), known_ns=row["t_end_ns"])
        found.setdefault(key_of_fact(one.said), []).append(one)
    for said in found.values():
        said.sort(key=lambda one: (one.known_ns, one.order))
    return found


def _fold_all(live: list[Interval], said: Sequence[Assertion], *, key: str) -> list[Interval] | None:
    """What the assertions change, `live` among it; None where one of them is late (then `live` is worthless)."""
    changed: dict[int, Interval] = {}
    for one in said:
        if is_late(live, one):
            return None
        changed |= {id(interval): interval for interval in fold(live, one, key=key)}
    return list(changed.values())


def _replayed(reader: Reader, late: dict[str, list[Assertion]], *, upto: int | None) -> dict[str, list[Interval]]:
    """Every interval of these keys, from all their committed assertions."""
    samples = [said[0].said for said in late.values()]
    said = _assertions_of(reader, samples, Where().compare("commit_seq", "<=", upto))
    return {key: replay(said[key], key=key) for key in late}


def _assertions(
    reader: Reader, intervals: Sequence[Interval], *, as_of_ns: int | None, recordings: Sequence[str] | None = None
) -> dict[str, list[Assertion]]:
    """The assertions behind these intervals, and others of their subjects, by key; those known by a time."""
    where = Where().compare("t_end_ns", "<=", as_of_ns).among("recording", recordings)
    if intervals and not any(one.is_tangled for one in intervals):
        where.compare("t_start_ns", ">=", min(one.t_from_ns for one in intervals))
    return _assertions_of(reader, [one.fact() for one in intervals], where)


def _assertions_of(reader: Reader, facts: Sequence[Fact], where: Where) -> dict[str, list[Assertion]]:
    subjects = list(dict.fromkeys(fact.subject.casefold() for fact in facts))
    predicates = list(dict.fromkeys(mate for fact in facts for mate in mates(fact.predicate)))
    # Without a list: what is told of people in one recording may go on in any other.
    recordings = None if any(map(is_shared, facts)) else list(dict.fromkeys(fact.recording for fact in facts))
    found: dict[str, list[Assertion]] = {}
    for some in _chunks(subjects):
        narrowed = where.copy().among("subject_key", some).among("predicate", predicates)
        for key, said in _by_key(reader.scan(FACTS, narrowed.among("recording", recordings))).items():
            found.setdefault(key, []).extend(said)
    return found


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(values)
    while some := list(islice(remaining, _LISTED)):
        yield some


# --- rows -------------------------------------------------------------------------------------------------------------

_SAME: tuple[str, ...] = (
    "key", "recording", "subject", "predicate", "object", "said_to_ns", "closed_ns", "closed_known_ns",
    "first_known_ns", "last_known_ns", "last_t_ns", "last_event", "doubt", "count", "events", "closes", "is_live",
    "is_tangled",
)  # fmt: skip


_LISTS = {"event_ids": "event_ids", "stated_by": "stated_bys", "held_by": "held_by"}
"""Field -> column. (In `facts`, `stated_by` is one name.)"""


def _row_of(interval: Interval, *, is_gone: bool) -> Row:
    row: Row = {name: getattr(interval, name) for name in _SAME}
    return row | {
        "fact_id": interval.fact_id,
        "live_key": interval.key if interval.is_live and not is_gone else None,
        "subject_key": interval.subject.casefold(),
        "t_start_ns": interval.t_from_ns,
        "t_to_ns": interval.t_to_ns,
        **{column: list(getattr(interval, field)) for field, column in _LISTS.items()},
        "is_gone": is_gone,
    }


def _interval_of(row: Row) -> Interval:
    same: dict[str, Any] = {name: row[name] for name in _SAME}
    lists = {field: list(row[column] or ()) for field, column in _LISTS.items()}
    return Interval(t_from_ns=row["t_start_ns"], **lists, **same)
