"""What is asked about places and things, and the pieces that patterns of such questions are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from planners.plan import TimeWindow
from planners.spatial.asked.counts import BESIDE_WORDS, Beside, CountQuestion
from planners.spatial.asked.visits import Edge, VisitQuestion

SpatialKind = Literal[
    "where", "where before", "where am i", "seen when", "been", "inside", "is there", "how many", "around me",
    "in view", "unknown side", "changed", "moved when", "moved often", "way", "how far", "nearest",
]  # fmt: skip
Side = Literal["left", "right", "ahead", "behind", "around"]
PERSON = "person"
"""The label of people."""

THING = r"(?P<thing>.+?)"
END = r"(?: (?:right )?now| at the moment| currently| again| last| these days)?[\s?.!]*$"
HELD = rf"(?: (?P<beside>{BESIDE_WORDS}) (?P<holder>.+?))"
BY = r"(?:i|we|you|the robot|anyone|anybody|somebody|someone)"
SAW = r"(?:see|saw|seen|spot(?:ted)?|notice[d]?|find|found|observed?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpatialQuestion:
    """What is asked. `thing`: what is looked for or gone to, without articles; empty where nothing is named."""

    kind: SpatialKind
    thing: str = ""
    beside: Beside = "in"
    holder: str = ""
    """For `is there`: the room or thing that it is in, on or near; empty: anywhere."""
    is_all: bool = False
    """For `is there`: whether all of them are (`are the books on the table`)."""
    is_ever: bool = False
    """For `is there`: whether it was ever seen, not whether it is there still."""
    count: CountQuestion | None = None
    """For `how many`."""
    side: Side = "around"
    """For `around me`."""
    moment: str = ""
    """For a way: what happened where it leads (`we met Anna`), in place of a thing."""
    start: str = ""
    """For a way: where it begins; empty: here."""
    change: str = ""
    """For changes: the word for them. For an unknown side: which."""
    is_from: bool = False
    """For `moved often`: `holder` is where it was moved from, not to."""
    is_whether: bool = False
    """For `moved often` and `inside`: whether it was moved, whether there is anything."""
    edge: Edge = "last"
    """For `seen when`."""
    is_ago: bool = False
    """For `seen when`: how long ago."""
    visit: VisitQuestion | None = None
    """For `been`."""
    window: TimeWindow | None = None
