"""When a writer commits, and when it optimises. Decides; does neither. Counts in seconds of a monotonic clock.

Rows that come after a pause are committed at once, with what comes right with them, so that an event of a live stream
is searchable elsewhere within a fraction of a second. Rows that keep coming make batches: commits take at most a tenth
of the time, and none waits longer than `batch_s`.

Optimising (merging small files, adding to indexes) costs as much as fifty commits. So it waits for a lull between
commits, for about a minute to have passed since the last time, and for more commits where a table is large and a merge
rewrites much; but not for ever, since every search reads through what is not merged.
"""

from __future__ import annotations

from dataclasses import dataclass

from streammem.settings import StoreSettings

TOGETHER_S = 0.05
"""How long the first row after a pause waits for what belongs with it (its checkpoint, its segments)."""
LEAST_S, SHARE = 0.2, 0.1
"""Between two commits: at least so long, and so long that commits take no larger share of the time."""
IDLE_S = 30.0
"""A writer that nothing came to for so long optimises what it wrote."""
LULL_S, AT_LATEST = 0.2, 4
"""Optimising waits until no commit came for so long, and a second has passed for each commit that makes it due; at most
for so many times these commits."""
PATIENT_ROWS, MOST_PATIENCE = 250_000, 4
"""For each so many rows in a table it is optimised one time less often, down to a quarter as often."""
FEW_ROWS = 64_000
"""For each so many rows in a table, one commit more may be left as it is: 16 in a million rows, whose optimising takes
20 s."""
LONG_AGO_S = -1e9


@dataclass(slots=True)
class Pace:
    """What a writer has done, and what follows from it. Guarded by its lock."""

    settings: StoreSettings
    commits: int = 0
    since_optimise: int = 0
    """Commits."""
    committed_s: float = LONG_AGO_S
    commit_took_s: float = 0.0
    optimised_s: float = LONG_AGO_S
    rows: int = 0
    """Of the largest table, when it was opened or optimised last."""

    def committed(self, now_s: float, *, took_s: float) -> None:
        self.commits += 1
        self.since_optimise += 1
        self.committed_s, self.commit_took_s = now_s, took_s

    def optimised(self, now_s: float, *, commits: int, rows: int) -> None:
        """`commits`: those that had been made when it began."""
        self.since_optimise -= commits
        self.optimised_s, self.rows = now_s, rows

    def optimises_at_the_end(self) -> bool:
        """Whether a writer that closes optimises first: a few commits to a large table are left to the next one."""
        enough = self.since_optimise * FEW_ROWS > self.rows
        return enough or self.since_optimise >= self.settings.optimise_every_commits

    def commit_in_s(self, now_s: float, *, rows: int, since_s: float) -> float | None:
        """Seconds until the next commit (0: it is due); None: there is nothing to commit.

        Args:
            rows: how many wait.
            since_s: when the first of them came.
        """
        if not rows:
            return None
        if rows >= self.settings.batch_rows:
            return 0.0
        longest = self.settings.batch_s
        together = since_s + min(TOGETHER_S, longest)
        apart = self.committed_s + min(longest, max(LEAST_S, self.commit_took_s / SHARE))
        return max(0.0, min(max(together, apart), since_s + longest) - now_s)

    def optimise_in_s(self, now_s: float) -> float | None:
        """Seconds until it is time to optimise (0: now), if nothing more is committed; None: nothing to optimise."""
        if not self.since_optimise:
            return None
        many = self.settings.optimise_every_commits * min(MOST_PATIENCE, 1 + self.rows // PATIENT_ROWS)
        if self.since_optimise >= AT_LATEST * many:
            return 0.0
        due_s = self.committed_s + IDLE_S
        if self.since_optimise >= many:
            due_s = min(due_s, max(self.committed_s + LULL_S, self.optimised_s + many))
        return max(0.0, due_s - now_s)
