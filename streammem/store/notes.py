"""What the manifest says of a vector index. Knows nothing else, so that the index policy and the manifest both may."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class VectorIndexNote(BaseModel):
    """How the vector index of one column is searched, and the recall it had against exact search with that."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    rows: int
    """When it was trained."""
    checked_rows: int = 0
    """When it was last compared with exact search; 0: when it was trained."""
    nprobes: int
    refine_factor: int
    recall: float
