"""Acting: instructions, checks, the critic and both planners, with a body that is a few numbers."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from planners.acting import BodyState, Done, Knowledge, Seen, Spot, act, checks, parse_call
from planners.acting.body import Command, DriveTo, LookAround, Put, Rest, Take
from planners.acting.chat import ChatPlanner
from planners.acting.critic import Critic
from planners.acting.executor import ActingSettings
from planners.acting.goals import Be, Bring, Locate, Pause, Tell, read_goals
from planners.acting.rules import RulePlanner
from planners.acting.skills import Find, GoTo, Pick, Place
from streammem.errors import InputError
from streammem.settings import ChatSettings, PlannerSettings

SPOTS = {
    one.name: one
    for one in (
        Spot(name="kitchen", kind="room", position_m=(2, 2, 0), room="kitchen"),
        Spot(name="study", kind="room", position_m=(8, 2, 0), room="study"),
        Spot(name="counter", kind="furniture", position_m=(1, 3, 0.9), room="kitchen"),
        Spot(name="desk", kind="furniture", position_m=(9, 3, 0.75), room="study"),
        Spot(name="shelf", kind="furniture", position_m=(7, 1, 0.75), room="study"),
        Spot(name="me", kind="person", position_m=(2, 2, 0), room="kitchen"),
    )
}


class PaperBody:
    """A robot on paper: drives anywhere, sees what is within two metres, takes what it is told to take.

    `slippery` things fall out of the hand at once; `vanishing` ones are gone when reached for."""

    def __init__(self, things: dict[str, tuple[float, float]], *, slippery: bool = False) -> None:
        self.things = {label: (x, y, 0.8) for label, (x, y) in things.items()}
        self.given: list[str] = []
        self.held: str | None = None
        self.position = (2.0, 2.0)
        self.steps = 0
        self.slippery = slippery
        self.commands: list[Command] = []

    @property
    def reach_m(self) -> float:
        return 1.0

    def sense(self) -> BodyState:
        view = tuple(
            Seen(identity=label, label=label, position_m=where)
            for label, where in self.things.items()
            if math.dist(where[:2], self.position) < 2.0
        )
        held = Seen(identity=self.held, label=self.held, position_m=(*self.position, 1.0)) if self.held else None
        room = "kitchen" if self.position[0] < 5 else "study"
        return BodyState(
            t_ns=self.steps, position_m=self.position, yaw_rad=0.0, room=room, held=held, in_view=view,
            steps=self.steps, travelled_m=0.0,
        )  # fmt: skip

    def do(self, command: Command) -> Done:
        self.commands.append(command)
        self.steps += 1
        match command:
            case DriveTo(point=point):
                self.steps += round(math.dist(point[:2], self.position) * 4)
                self.position = (point[0] - 0.5, point[1])
            case Take(identity=identity):
                if not self.slippery:
                    self.held = identity
                    del self.things[identity]
            case Put(point=point):
                assert self.held is not None
                if math.dist(point[:2], SPOTS["me"].position_m[:2]) < 0.1:
                    self.given.append(self.held)
                else:
                    self.things[self.held] = point
                self.held = None
            case LookAround() | Rest():
                pass
        return Done()


def do(instruction: str, body: PaperBody, *, max_steps: int = 500) -> Any:
    return act(
        instruction, body=body, spots=SPOTS, memory=None, planner=RulePlanner(reach_m=1.0),
        settings=ActingSettings(max_steps=max_steps),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "goals"),
    [
        ("fetch the mug", [Bring(what="mug", to="me")]),
        ("Please bring me my keys.", [Bring(what="keys", to="me")]),
        ("put the book on the desk", [Bring(what="book", to="desk")]),
        ("take the mug and the plate to the hall", [Bring(what="mug", to="hall"), Bring(what="plate", to="hall")]),
        ("go to the study, then find the keys", [Be(where="study"), Locate(what="keys")]),
        ("fetch the mug and then go to the kitchen", [Bring(what="mug", to="me"), Be(where="kitchen")]),
        ("bring the book to me and wait 2 min", [Bring(what="book", to="me"), Pause(seconds=60.0)]),
        ("say: dinner is ready", [Tell(text="dinner is ready")]),
        ("where is the remote control?", [Locate(what="remote control")]),
    ],
)  # fmt: skip
def test_instructions_become_goals(text: str, goals: list[object]) -> None:
    assert list(read_goals(text)) == goals


def test_what_is_no_instruction_is_refused_with_a_sentence() -> None:
    with pytest.raises(InputError, match="what these rules read"):
        read_goals("ponder the sea")
    with pytest.raises(InputError, match="empty"):
        read_goals("  ")


def test_calls_are_checked_where_they_come_in() -> None:
    assert parse_call('{"skill": "pick", "what": "mug"}') == Pick(what="mug")
    for bad in (
        '{"skill": "fly"}', '{"skill": "pick"}', '{"skill": "wait", "seconds": -1}', "pick the mug",
        '{"skill": "go_to", "target": "desk", "speed": 9}',
    ):  # fmt: skip
        with pytest.raises(InputError, match="Not a skill call"):
            parse_call(bad)


def test_a_thing_is_fetched_from_another_room_without_memory() -> None:
    body = PaperBody({"mug": (9, 3)})
    report = do("fetch the mug", body)
    assert report.is_done
    assert body.given == ["mug"]


def test_several_goals_and_a_full_hand() -> None:
    body = PaperBody({"mug": (9, 3), "book": (1, 3)})
    report = do("put the book on the desk, then put the mug on the counter and go to the study", body)
    assert report.is_done
    assert body.things["book"] == SPOTS["desk"].position_m
    assert body.things["mug"] == SPOTS["counter"].position_m
    assert body.sense().room == "study"
    body = PaperBody({"book": (1, 3), "mug": (7, 1)})
    body.held = "mug"
    del body.things["mug"]
    assert do("put the book on the desk", body).is_done
    assert "mug" in body.things  # it was put down first


def test_a_thing_that_is_nowhere_ends_in_a_reason_and_the_next_goal_is_tried() -> None:
    body = PaperBody({"mug": (9, 3)})
    report = do("fetch the unicorn, then fetch the mug", body)
    assert [one.is_reached for one in report.goals] == [False, True]
    assert "unicorn" in report.goals[0].reason
    assert body.given == ["mug"]


def test_a_hand_that_does_not_hold_is_noticed_and_the_loop_is_broken() -> None:
    body = PaperBody({"mug": (1, 3)}, slippery=True)
    report = do("fetch the mug", body)
    assert not report.is_done
    tried = [one for one in report.goals[0].tried if isinstance(one.call, Pick)]
    assert 1 <= len(tried) <= 3
    assert all(one.problem == "the mug is not in the hand" for one in tried)
    assert len(report.goals[0].tried) < 12


def test_a_search_ends_with_the_budget() -> None:
    body = PaperBody({})
    body.steps = 10_000  # of tasks before
    report = do("fetch the unicorn", body, max_steps=20)
    assert not report.is_done
    assert 0 < report.steps < 80


def test_checks_before_name_what_is_missing() -> None:
    body = PaperBody({"mug": (9, 3), "book": (1, 3)})
    knowledge = Knowledge(SPOTS, None)
    state = body.sense()
    knowledge.note(state)

    def why(call: Any, state: BodyState = state) -> str | None:
        return checks.before(call, state, knowledge, reach_m=1.0)

    assert why(Pick(what="mug")) == "the mug is not in view; find it first"
    assert why(Pick(what="book")) == "the book is out of reach; go to it first"
    assert why(Pick(what="desk")) == "the desk is furniture and cannot be taken"
    assert why(GoTo(target="attic")) == "nothing called 'attic' is known; find it first"
    assert why(GoTo(target="the study")) is None
    assert why(Place(where="desk")) == "nothing is held; pick something first"
    holding = replace(state, held=Seen(identity="cup", label="cup", position_m=(2, 2, 1)))
    assert why(Place(where="kitchen"), holding) == "'kitchen' is a room; name a piece of furniture in it"
    assert why(Place(where="desk"), holding) is None
    assert why(Pick(what="book"), holding) == "the hand holds the cup; place it first"


def test_the_critic_breaks_loops_and_keeps_budgets() -> None:
    state = PaperBody({}).sense()
    critic = Critic(max_steps=100, max_calls=50)
    advice = [critic.judge(Find(what="mug"), None, state).advice for _ in range(3)]
    assert advice == ["go on", "go on", "give up"]
    critic.new_goal()
    assert critic.judge(Find(what="mug"), "not there", state).advice == "replan"
    assert critic.judge(Find(what="mug"), None, replace(state, steps=100)).advice == "give up"


# --- a chat model -----------------------------------------------------------------------------------------------------


class _Endpoint(BaseHTTPRequestHandler):
    replies: ClassVar[list[str]] = []
    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        _Endpoint.asked.append(body["messages"][-1]["content"])
        text = _Endpoint.replies.pop(0) if _Endpoint.replies else '{"finished": true}'
        data = json.dumps({"choices": [{"message": {"content": text}}], "usage": {"total_tokens": 9}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@pytest.fixture
def endpoint() -> Iterator[str]:
    _Endpoint.replies, _Endpoint.asked = [], []
    with HTTPServer(("127.0.0.1", 0), _Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def test_a_chat_model_acts_through_the_same_calls_and_checks(endpoint: str) -> None:
    def call(**fields: Any) -> str:
        return json.dumps({"finished": False, "call": fields})

    _Endpoint.replies = [
        call(skill="pick", what="mug"),  # refused by the check before: not in view
        call(skill="find", what="mug"),
        "I think I should pick it up.",  # no call: told so, asked again
        call(skill="go_to", target="mug"),
        call(skill="pick", what="mug"),
        call(skill="go_to", target="me"),
        call(skill="place", where="me"),
        '{"finished": true, "call": null}',
    ]
    body = PaperBody({"mug": (9, 3)})
    with ChatPlanner(ChatSettings(url=endpoint), PlannerSettings()) as planner:
        report = act("could I have my mug?", body=body, spots=SPOTS, memory=None, planner=planner)
    assert report.is_done
    assert body.given == ["mug"]
    assert report.goals[0].tried[0].problem == "the mug is not in view; find it first"
    assert "pick(mug): the mug is not in view; find it first" in _Endpoint.asked[1]
    assert "Not a skill call" in _Endpoint.asked[3] or "not JSON" in _Endpoint.asked[3]


def test_a_chat_model_that_writes_no_call_ends_the_goal_with_a_sentence(endpoint: str) -> None:
    _Endpoint.replies = ['{"skill": "fly"}', "certainly!"]
    with ChatPlanner(ChatSettings(url=endpoint), PlannerSettings()) as planner:
        report = act("fly", body=PaperBody({}), spots=SPOTS, memory=None, planner=planner)
    assert not report.is_done
    assert "wrote no skill call" in report.goals[0].reason
