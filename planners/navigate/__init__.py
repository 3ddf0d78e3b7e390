"""Following written directions along streets, from a street graph and words alone.

`RouteFollower` reads directions (`instructions`), considers every route that could be meant (`candidates`,
`alignment`), weighs them by learned or hand-set `priors` and by landmarks `remembered` from earlier walks, and stops
where most of the probability lies. `metrics` scores what was walked. Reads no pictures; landmarks come through the
`LandmarkMemory` protocol: from this process (`WalkMemory`), or from a memory folder (`KeptWalks`).
"""

from __future__ import annotations

from planners.navigate.follower import FollowedRoute, RouteFollower
from planners.navigate.instructions import read_instructions
from planners.navigate.kept_walks import WALKS, KeptWalks
from planners.navigate.metrics import RouteScore, score_route
from planners.navigate.priors import Example, Priors, hand_set_priors, learn_priors
from planners.navigate.remembered import LandmarkMemory, RememberedLandmark, WalkMemory
from planners.navigate.route_plan import RoutePlan
from planners.navigate.street_graph import StreetGraph

__all__ = [
    "WALKS",
    "Example",
    "FollowedRoute",
    "KeptWalks",
    "LandmarkMemory",
    "Priors",
    "RememberedLandmark",
    "RouteFollower",
    "RoutePlan",
    "RouteScore",
    "StreetGraph",
    "WalkMemory",
    "hand_set_priors",
    "learn_priors",
    "read_instructions",
    "score_route",
]
