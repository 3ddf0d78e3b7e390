"""Full-text search (BM25, stemmed, without stop words): names, numbers and rare words, where embeddings are vague.

The query is matched as plain words: it has no operators, so nothing a user types is a syntax error. Words that only ask
(`who`, `did`, `you`, `usually`, `last time`) are left out unless there are no others: what they mean is read elsewhere
(`temporal`), and lines that hold them answer nothing. On two sets of questions that finds two to three points more.

Calibration. BM25 has no upper bound and grows with the number of words asked for, so a score `s` becomes
`s / (s + HALF)`: a rare word alone (about 8) gives a third, several give more.
"""

from __future__ import annotations

import re

from streammem.recall import dense
from streammem.recall.candidates import SEARCH_COLUMNS, Pool
from streammem.store.filters import Where
from streammem.store.reader import Reader
from streammem.store.searches import Near

HALF = 16.0
MAX_WORDS = 64
"""Distinct words of a query that are searched; a page pasted as a question would search the whole index."""
_WORD = re.compile(r"\w+")
ASKING = frozenset(
    _WORD.findall(
        "who whom whose what when where which why how do does did done doing i you he she we they me him her us them my"
        " your his our their mine am have has had been were can could would should last time first usually often always"
        " just now today yesterday ago about hours hour day days"
        # What the index leaves out itself:
        " a an and are as at be but by for if in into is it no not of on or such that the their then there these they"
        " this to was will with"
    )
)


def calibrate(bm25: float) -> float:
    """[0, 1)."""
    return bm25 / (bm25 + HALF) if bm25 > 0 else 0.0


def plain_words(text: str) -> str:
    """The distinct words of a query, in order, without anything that is not a word and without words that only ask."""
    words = list(dict.fromkeys(_WORD.findall(text)))
    telling = [word for word in words if word.lower() not in ASKING]
    return " ".join((telling or words)[:MAX_WORDS])


def search_text(
    pool: Pool, reader: Reader, table: str, *, text: str, where: Where, limit: int, near: Near | None = None
) -> float:
    """Adds the rows of `table` with the best matching words to the pool; and how near each is in meaning, where that
    costs next to nothing (`Reader.full_text`): `search_dense` returns but the nearest.

    Returns:
        The calibrated score that rows which were not returned stay below; 0 where all were.
    """
    words = plain_words(text)
    if not words:
        return 0.0
    rows = reader.full_text(table, words, where, columns=SEARCH_COLUMNS[table], limit=limit, near=near)
    for candidate, row in zip(pool.add(table, rows), rows, strict=True):
        candidate.words = calibrate(row["bm25"])
        if (similarity := row.get("similarity")) is not None:
            dense.judge(candidate, similarity)
    return calibrate(rows[-1]["bm25"]) if len(rows) == limit else 0.0
