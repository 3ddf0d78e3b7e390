"""What the manifest says of a vector index. Knows nothing else, so that the index policy and the manifest both may."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class VectorIndexNote(BaseModel):
    """How the vector index of one column is searched, and the recall it had against exact search when it was built."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    rows: int
    nprobes: int
    refine_factor: int
    recall: float
