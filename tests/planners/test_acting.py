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
from planners.acting.body import Command, DriveTo, LookAround, Put, Rest, StepBack, Take
from planners.acting.chat import ChatPlanner
from planners.acting.chat_goals import read_answer
from planners.acting.choices import possible_calls
from planners.acting.critic import Critic
from planners.acting.executor import ActingSettings
from planners.acting.goals import ME, Be, Bring, Locate, Pause, Tell, read_goals
from planners.acting.planner import Situation, Tried
from planners.acting.rules import RulePlanner
from planners.acting.skills import Find, GoTo, Pick, Place, in_words
from streammem.errors import ChatEndpointError, InputError
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
        self.limits: list[int | None] = []

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

    def do(self, command: Command, *, until_step: int | None = None) -> Done:
        self.limits.append(until_step)
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
            case LookAround() | StepBack() | Rest():
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
        ("bring the book to me and wait 2 min", [Bring(what="book", to="me"), Pause(seconds=120.0)]),
        ("say: dinner is ready", [Tell(text="dinner is ready")]),
        ("where is the remote control?", [Locate(what="remote control")]),
    ],
)  # fmt: skip
def test_instructions_become_goals(text: str, goals: list[object]) -> None:
    assert list(read_goals(text)) == goals


def test_what_is_no_instruction_is_refused_with_a_sentence() -> None:
    with pytest.raises(InputError, match="what these rules read"):
        read_goals("ponder the sea")
    with pytest.raises(InputError, match="5 minutes at the most"):
        read_goals("wait for 2 hours")
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


def test_what_the_robot_does_to_things_is_told_at_once() -> None:
    body, told = PaperBody({"mug": (9, 3), "book": (1, 3)}), list[tuple[object, ...]]()
    act(
        "put the book on the desk, then fetch the mug", body=body, spots=SPOTS, memory=None,
        planner=RulePlanner(reach_m=1.0),
        notice=lambda deed: told.append((deed.kind, deed.label, deed.place, deed.position_m)),
    )  # fmt: skip
    assert told == [
        ("picked up", "book", None, None), ("put", "book", "desk", SPOTS["desk"].position_m),
        ("picked up", "mug", None, None), ("handed over", "mug", None, None),
    ]  # fmt: skip


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
    body = PaperBody({"book": (1, 3)})
    body.held, body.position = "mug", (8.5, 3)
    assert do("put the book on the desk", body).is_done
    assert body.things["book"] == SPOTS["desk"].position_m  # what was put aside on the same desk is not the book


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


def test_a_long_wait_is_waited_for_in_parts() -> None:
    body = PaperBody({})
    report = do("wait 5 min", body)
    assert report.is_done
    waited = [one.seconds for one in body.commands if isinstance(one, Rest)]
    assert sum(waited) == pytest.approx(300)
    assert len(waited) == 5


def test_what_is_on_the_floor_plan_is_told_without_a_search() -> None:
    for text, told in (
        ("where is the desk?", "The desk is in the study, 7.1 m from here."),
        ("find the study", "The study is 6.0 m from here."),
        ("find the kitchen", "The robot is in the kitchen."),
        ("where is me", "You are in the kitchen, 0.0 m from here."),
    ):
        body = PaperBody({})
        report = do(text, body)
        assert (report.is_done, report.said, report.steps) == (True, (told,), 0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("put the mug on the ceiling", "nothing called 'ceiling' is on the floor plan to put the mug on"),
        ("fetch the desk", "the desk is furniture and cannot be taken"),
        ("put the study on the desk", "the study is a room and cannot be taken"),
    ],
)
def test_what_cannot_be_reached_is_not_begun(text: str, reason: str) -> None:
    body = PaperBody({"mug": (1, 3)})
    report = do(text, body)
    assert report.goals[0].reason == reason
    assert not body.commands


def test_a_room_without_furniture_takes_nothing() -> None:
    spots = {**SPOTS, "hall": Spot(name="hall", kind="room", position_m=(5, 2, 0), room="hall")}
    body = PaperBody({"mug": (1, 3)})
    report = act("put the mug in the hall", body=body, spots=spots, memory=None, planner=RulePlanner(reach_m=1.0))
    assert report.goals[0].reason == "there is no furniture in the hall to put the mug on"
    assert not body.commands


def test_a_search_ends_with_the_budget() -> None:
    body = PaperBody({})
    body.steps = 10_000  # of tasks before
    report = do("fetch the unicorn", body, max_steps=20)
    assert not report.is_done
    assert 0 < report.steps < 80


class ShortOfView(PaperBody):
    """Sees nothing that is nearer than the edge of its picture; steps back to see it, unless it stands at a wall."""

    def __init__(self, things: dict[str, tuple[float, float]], *, has_room: bool, drops_at: Any = None) -> None:
        super().__init__(things)
        self.has_room, self.drops_at = has_room, drops_at
        self.is_too_near = False

    def sense(self) -> BodyState:
        return replace(super().sense(), in_view=()) if self.is_too_near else super().sense()

    def do(self, command: Command, *, until_step: int | None = None) -> Done:
        if isinstance(command, Put):
            self.is_too_near = True
        elif isinstance(command, DriveTo) or (isinstance(command, StepBack) and self.has_room):
            self.is_too_near = False
        done = super().do(command, until_step=until_step)
        if isinstance(command, Put) and self.drops_at is not None:
            self.things = dict.fromkeys(self.things, self.drops_at)
        return done


def test_what_lies_below_the_picture_is_looked_at_from_farther_back_before_it_is_judged() -> None:
    body = ShortOfView({"mug": (9, 3)}, has_room=True)
    assert do("put the mug on the counter", body).is_done
    assert isinstance(body.commands[-1], StepBack)
    body = ShortOfView({"mug": (9, 3)}, has_room=False)  # unseen is not failed
    report = do("put the mug on the counter", body)
    assert report.is_done
    assert sum(isinstance(one, Put) for one in body.commands) == 1
    body = ShortOfView({"mug": (9, 3)}, has_room=True, drops_at=(-1.4, 3.0, 0.0))  # it rolled off
    report = do("put the mug on the counter", body)
    assert not report.is_done
    assert "the mug is not on the counter" in {one.problem for one in report.goals[0].tried}


def test_what_is_reached_with_the_last_step_of_the_budget_is_reached() -> None:
    body = PaperBody({"mug": (1, 3)})
    steps = do("fetch the mug", body).steps
    assert do("fetch the mug", PaperBody({"mug": (1, 3)}), max_steps=steps).is_done


def test_each_goal_may_have_a_budget_of_its_own() -> None:
    body = PaperBody({"mug": (9, 3), "book": (1, 3)})
    body.steps = 1_000  # of tasks before
    report = act(
        "fetch the mug, then put the book on the desk", body=body, spots=SPOTS, memory=None,
        planner=RulePlanner(reach_m=1.0), settings=ActingSettings(max_steps=500, goal_steps=(20,)),
    )  # fmt: skip
    assert [one.is_reached for one in report.goals] == [False, True]
    assert report.goals[0].reason == "the budget of steps is spent"
    assert body.limits[0] == 1_020
    assert body.limits[-1] == 1_500  # beyond the goals named, what the task has left


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
    critic = Critic(max_calls=50)
    critic.new_goal(max_steps=100)
    advice = [critic.judge(Find(what="mug"), None, state).advice for _ in range(3)]
    assert advice == ["go on", "go on", "give up"]
    critic.new_goal(max_steps=100)
    for call, problem in ((Find(what="mug"), None), (Pick(what="mug"), "it slipped")) * 2:
        critic.judge(call, problem, state)
    assert critic.judge(Find(what="mug"), None, state).reason.startswith("it slipped (find(mug) was tried 3 times")
    critic.new_goal(max_steps=100)
    assert [critic.judge(Pick(what="mug"), "it slipped", state).reason for _ in range(3)][-1] == "it slipped"
    critic.new_goal(max_steps=100)
    assert critic.judge(Find(what="mug"), "not there", state).advice == "replan"
    assert critic.judge(Find(what="mug"), None, replace(state, steps=100)).advice == "give up"


# --- a chat model -----------------------------------------------------------------------------------------------------


class _Endpoint(BaseHTTPRequestHandler):
    replies: ClassVar[list[str]] = []
    asked: ClassVar[list[str]] = []
    schemas: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        _Endpoint.asked.append(body["messages"][-1]["content"])
        _Endpoint.schemas.append(body["response_format"]["json_schema"]["schema"])
        text = _Endpoint.replies.pop(0) if _Endpoint.replies else "nothing more to say"
        if text == "HTTP 401":
            self.send_error(401)
            return
        data = json.dumps({"choices": [{"message": {"content": text}}], "usage": {"total_tokens": 9}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@pytest.fixture
def endpoint() -> Iterator[str]:
    _Endpoint.replies, _Endpoint.asked, _Endpoint.schemas = [], [], []
    with HTTPServer(("127.0.0.1", 0), _Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def call(**fields: Any) -> str:
    return json.dumps({"call": fields})


def goals(*parts: dict[str, str]) -> str:
    return json.dumps({"goals": parts})


def chat(endpoint: str, *, is_small: bool = False) -> ChatPlanner:
    return ChatPlanner(ChatSettings(url=endpoint, is_small=is_small), PlannerSettings(), reach_m=1.0)


FETCH_MUG = goals({"do": "bring", "what": "mug", "to": "me"})


def test_a_chat_model_acts_through_the_same_calls_and_checks(endpoint: str) -> None:
    _Endpoint.replies = [
        FETCH_MUG,
        call(skill="pick", what="mug"),  # cannot be done: not in view
        call(skill="find", what="mug"),
        "I think I should pick it up.",  # no call: told so, asked again
        call(skill="pick", what="mug"),
        call(skill="go_to", target="me"),
        call(skill="place", where="me"),
    ]
    body = PaperBody({"mug": (9, 3)})
    with chat(endpoint) as planner:
        report = act("could I have my mug?", body=body, spots=SPOTS, memory=None, planner=planner)
        assert planner.requests == 7
    assert report.is_done
    assert body.given == ["mug"]
    assert report.calls_by() == {"chat": 4}
    assert report.goals[0].refused == ("pick(mug) cannot be done now.", "That is not JSON.")
    assert "pick(mug) cannot be done now." in _Endpoint.asked[2]
    assert _Endpoint.schemas[1]["properties"]["call"]["anyOf"][0]["properties"]["what"] == {"enum": ["mug"]}


def test_what_failed_is_told_with_its_reason_and_not_offered_again_at_once(endpoint: str) -> None:
    _Endpoint.replies = [
        FETCH_MUG, call(skill="pick", what="mug"), call(skill="pick", what="mug"), call(skill="go_to", target="desk"),
    ]  # fmt: skip
    body = PaperBody({"mug": (1.5, 2.5)}, slippery=True)
    with chat(endpoint) as planner:
        report = act("fetch the mug", body=body, spots=SPOTS, memory=None, planner=planner)
    assert not report.is_done
    assert "pick(mug): the mug is not in the hand" in _Endpoint.asked[2]
    assert report.goals[0].refused[0] == "pick(mug) cannot be done now."


def test_a_chat_model_that_goes_round_in_circles_is_relieved_by_the_rules(endpoint: str) -> None:
    there, back = call(skill="go_to", target="desk"), call(skill="go_to", target="counter")
    _Endpoint.replies = [FETCH_MUG, *[there, back] * 10]
    body = PaperBody({"mug": (9, 3)})
    with chat(endpoint) as planner:
        report = act("fetch the mug", body=body, spots=SPOTS, memory=None, planner=planner)
    assert report.is_done
    assert body.given == ["mug"]
    assert report.calls_by()["chat"] == 4  # there and back, twice
    assert report.calls_by()["rules"] >= 4


def test_the_rules_are_not_blamed_for_the_circles_of_a_chat_model(endpoint: str) -> None:
    seek, leave = call(skill="find", what="mug"), call(skill="go_to", target="desk")
    _Endpoint.replies = [goals({"do": "bring", "what": "mug", "to": "desk"}), *[seek, leave] * 10]
    body = PaperBody({"mug": (1, 3)})
    body.position = (9, 3)
    with chat(endpoint) as planner:
        report = act("put the mug on the desk", body=body, spots=SPOTS, memory=None, planner=planner)
    assert report.is_done, report.goals[0].reason
    assert report.calls_by() == {"chat": 4, "rules": 4}


def test_a_chat_model_that_writes_no_call_is_relieved_by_the_rules(endpoint: str) -> None:
    _Endpoint.replies = [FETCH_MUG, *["certainly!"] * 20]
    body = PaperBody({"mug": (9, 3)})
    with chat(endpoint) as planner:
        report = act("fetch the mug", body=body, spots=SPOTS, memory=None, planner=planner)
    assert report.is_done
    assert set(report.calls_by()) == {"rules"}
    assert len(report.goals[0].refused) == 4  # twice for a call, for two calls


def test_an_endpoint_that_goes_down_leaves_nothing_in_the_hand(endpoint: str) -> None:
    _Endpoint.replies = [FETCH_MUG, call(skill="find", what="mug"), "HTTP 401"]
    body = PaperBody({"mug": (9, 3)})
    with chat(endpoint) as planner:
        report = act("fetch the mug", body=body, spots=SPOTS, memory=None, planner=planner)
        assert report.is_done
        assert body.given == ["mug"]
        assert len(_Endpoint.asked) == 3  # it is not asked again for this instruction
        assert "HTTP 401" in report.goals[0].refused[0]
        _Endpoint.replies = ["HTTP 401"]
        with pytest.raises(ChatEndpointError, match="KEY"):  # before anything was done, it is an error
            act("fetch the mug", body=body, spots=SPOTS, memory=None, planner=planner)


def test_goals_that_are_not_what_was_said_are_refused_and_then_read_by_the_rules(endpoint: str) -> None:
    _Endpoint.replies = [
        goals({"do": "bring", "what": "mug", "to": "attic"}),
        goals({"do": "bring", "what": "mug", "to": "desk"}),  # and the shelf?
    ]
    knowledge = Knowledge(SPOTS, None)
    with chat(endpoint) as planner:
        text = "put the mug on the desk and go to the shelf"
        assert planner.goals(text, knowledge) == (Bring(what="mug", to="desk"), Be(where="shelf"))
        assert "no place called “attic”" in _Endpoint.asked[1]
        _Endpoint.replies = ["no", "no"]
        with pytest.raises(InputError, match=r"wrote no goals .*what these rules read"):
            planner.goals("ponder the sea", knowledge)


def test_a_small_chat_model_reads_what_the_rules_cannot(endpoint: str) -> None:
    _Endpoint.replies = [FETCH_MUG]
    knowledge = Knowledge(SPOTS, None)
    with chat(endpoint, is_small=True) as planner:
        text = "fetch the book, then put the mug on the desk"
        assert planner.goals(text, knowledge) == (Bring(what="book", to=ME), Bring(what="mug", to="desk"))
        assert not _Endpoint.asked
        assert list(planner.goals("could I have my mug?", knowledge)) == [Bring(what="mug", to=ME)]
        assert len(_Endpoint.asked) == 1


@pytest.mark.parametrize(
    ("text", "answer", "problem"),
    [
        ("fetch the mug", goals({"do": "bring", "what": "book", "to": "me"}), "did not say it"),
        ("fetch the mug", goals({"do": "bring", "what": "desk", "to": "me"}), "cannot be brought"),
        ("fetch the mug", goals({"do": "dance"}), "Not goals"),
        ("fetch the mug", goals(), "Not goals"),
        ("fetch the mug", "mug", "not JSON"),
        # Known things that were not said, where others were.
        ("clear the mug away to the desk", goals({"do": "bring", "what": "mug", "to": "desk"},
                                                 {"do": "bring", "what": "plate", "to": "desk"}), "nothing of “plate”"),
    ],
)  # fmt: skip
def test_a_models_goals_are_held_against_what_was_said(text: str, answer: str, problem: str) -> None:
    knowledge = Knowledge(SPOTS, None)
    knowledge.note(PaperBody({"mug": (1, 2), "plate": (2, 3)}).sense())
    with pytest.raises(InputError, match=problem):
        read_answer(answer, text, knowledge)
    assert read_answer(FETCH_MUG, "could I have the mugs?", knowledge) == [Bring(what="mug", to="me")]


def test_a_chat_model_may_say_where_furniture_is_and_is_not_offered_a_search_for_it() -> None:
    body = PaperBody({})
    situation = Situation(goal=Locate(what="desk"), knowledge=Knowledge(SPOTS, None), state=body.sense())
    offered = [in_words(one) for one in possible_calls(situation, reach_m=1.0)]
    assert "say(The desk is in the study, 7.1 m from here.)" in offered
    assert "find(desk)" not in offered


def test_only_calls_that_can_be_made_now_are_offered() -> None:
    body = PaperBody({"mug": (1.5, 2.5), "plate": (3.9, 2)})

    def offered(*tried: Tried) -> set[str]:
        state = body.sense()
        knowledge = Knowledge(SPOTS, None)
        knowledge.note(state)
        situation = Situation(goal=Bring(what="book", to="desk"), knowledge=knowledge, state=state, tried=list(tried))
        return {in_words(one) for one in possible_calls(situation, reach_m=1.0)}

    assert offered() == {
        "find(book)", "pick(mug)", "go_to(plate)", "go_to(study)", "go_to(counter)", "go_to(desk)", "go_to(shelf)",
        "go_to(me)",
    }  # fmt: skip
    assert "go_to(desk)" not in offered(Tried(call=GoTo(target="desk"), problem=None, steps=3))
    assert "pick(mug)" not in offered(Tried(call=Pick(what="mug"), problem="it slipped", steps=1))
    body.held = "book"
    assert {one for one in offered() if not one.startswith(("go_to", "find"))} == {"place(counter)", "place(me)"}
