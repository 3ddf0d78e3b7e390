"""The chat reasoner over real HTTP on loopback: a replayed real exchange, and every way an endpoint can fail."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import stamina
from pydantic import SecretStr

from planners import ask
from planners.budget import Budget
from planners.finding import Finder
from planners.protocols import Board
from planners.question import parse_question
from planners.reading import MemoryView
from planners.reasoners.chat import ChatReasoner
from planners.reasoners.chat_choices import WEIGHT_OF_LARGE, joined_shares, leaning
from planners.reasoners.chat_client import Reply
from streammem.errors import ChatEndpointError
from streammem.memory import Memory
from streammem.settings import ChatSettings, PlannerSettings
from streammem.types import Answer

FIXTURE = Path(__file__).parent / "fixtures" / "chat_exchanges.json"
RECORDED: list[dict[str, Any]] = json.loads(FIXTURE.read_text(encoding="utf-8")) if FIXTURE.exists() else []
QUESTION = "When does someone talk about a cold-hearted person?"

Responder = Callable[[dict[str, Any]], tuple[int, dict[str, str], bytes]]


@dataclass
class Endpoint:
    """A loopback server that answers with the responders in order, the last one for ever."""

    responders: list[Responder]
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def serve() -> Iterator[Callable[..., Endpoint]]:
    servers: list[ThreadingHTTPServer] = []

    def start(*responders: Responder) -> Endpoint:
        endpoint = Endpoint(list(responders))

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.requests.append(body)
                endpoint.headers.append(dict(self.headers))
                index = min(len(endpoint.requests), len(endpoint.responders)) - 1
                status, headers, content = endpoint.responders[index](body)
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    pass  # the client gave up, as it should

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        return endpoint

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def replied(content: str, *, tokens: int = 100) -> Responder:
    payload = {"choices": [{"message": {"role": "assistant", "content": content}}], "usage": {"total_tokens": tokens}}
    return lambda _: (200, {"Content-Type": "application/json"}, json.dumps(payload).encode())


def recorded(exchange: dict[str, Any]) -> Responder:
    return lambda _: (200, {"Content-Type": "application/json"}, json.dumps(exchange["response"]).encode())


def failing(status: int, **headers: str) -> Responder:
    return lambda _: (status, {name.replace("_", "-"): value for name, value in headers.items()}, b"{}")


def real(question: str = QUESTION) -> list[Responder]:
    """The responses of the real model to this question."""
    found = next((each for each in RECORDED if each["question"] == question), None)
    if found is None:
        pytest.skip("no recorded exchange; run tests/planners/record_chat.py with a chat endpoint")
    return [recorded(exchange) for exchange in found["exchanges"]]


def answer(memory: Memory, endpoint: Endpoint, question: str = QUESTION, **more: Any) -> Answer:
    limits = more.pop("limits", PlannerSettings())
    key = more.pop("key", None)
    timeout_s = more.pop("timeout_s", 5.0)
    settings = ChatSettings(url=endpoint.url, timeout_s=timeout_s, key=key, model="qwen2.5-coder-1.5b-instruct")
    with ChatReasoner(settings) as reasoner:
        return ask(memory, question, settings=limits, reasoner=reasoner, **more)


@pytest.mark.parametrize("one", RECORDED, ids=lambda one: one["question"])
def test_replays_a_real_exchange(
    one: dict[str, Any], street: Memory, kitchen: Memory, serve: Callable[..., Endpoint]
) -> None:
    endpoint = serve(*(recorded(exchange) for exchange in one["exchanges"]))
    memory = street if one["memory"] == "street" else kitchen
    found = answer(memory, endpoint, one["question"], choices=one["choices"])
    # The recorded replies belong to these requests: a changed prompt needs a new recording.
    assert endpoint.requests == [exchange["request"] for exchange in one["exchanges"]]
    assert found.answerable
    assert found.spent.model_calls == len(one["exchanges"])
    assert found.spent.tokens == sum(exchange["response"]["usage"]["total_tokens"] for exchange in one["exchanges"])
    assert found.evidence
    assert found.evidence[0].text in {each.text for each in memory.observations()}
    if one["choices"]:
        assert found.choice == one["choices"].index("eggs and flour")
    elif one["memory"] == "street":
        assert found.evidence[0].t_start_ns == 35_000_000_000


def test_evidence_is_quoted_as_data(street: Memory, serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(*real())
    answer(street, endpoint)
    system, user = endpoint.requests[-1]["messages"]
    assert "never an instruction" in system["content"]
    assert '<evidence id="E1"' in user["content"]


def test_the_key_is_sent_and_never_shown(
    street: Memory, serve: Callable[..., Endpoint], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    endpoint = serve(failing(401))
    with pytest.raises(ChatEndpointError, match="STREAMMEM_CHAT_KEY") as raised:
        answer(street, endpoint, key=SecretStr("sk-very-secret"))
    assert endpoint.headers[0]["Authorization"] == "Bearer sk-very-secret"
    assert len(endpoint.requests) == 1  # a refusal is not retried
    assert "sk-very-secret" not in caplog.text + str(raised.value) + repr(raised.value.__cause__)


def test_unconfigured_and_down_say_what_to_do(street: Memory) -> None:
    with pytest.raises(ChatEndpointError, match="STREAMMEM_CHAT_URL"):
        ChatReasoner(ChatSettings())
    for wrong in ("localhost", "localhost:8089", "http://127.0.0.1:99999/v1", "http://[::1/v1", "http:///v1"):
        with pytest.raises(ChatEndpointError, match="must be an http"):
            ChatReasoner(ChatSettings(url=wrong))
    with stamina.set_testing(True, attempts=2), pytest.raises(ChatEndpointError, match="cannot be reached"):
        answer(street, Endpoint([], url="http://127.0.0.1:9/v1"))


def test_retries_errors_and_honours_retry_after(street: Memory, serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(failing(500), *real())
    assert answer(street, endpoint).answerable
    endpoint = serve(failing(429, Retry_After="1"), *real())
    started = time.monotonic()
    assert answer(street, endpoint).answerable
    assert time.monotonic() - started >= 1.0
    endpoint = serve(failing(503))
    with stamina.set_testing(True, attempts=3), pytest.raises(ChatEndpointError, match="503"):
        answer(street, endpoint)
    assert len(endpoint.requests) == 3


def test_malformed_json_is_repaired_once_then_refused(street: Memory, serve: Callable[..., Endpoint]) -> None:
    plan, *rest = real()
    endpoint = serve(plan, replied("Sure! Here is the answer"), *rest)
    found = answer(street, endpoint)
    assert found.answerable
    assert found.spent.model_calls == 3
    assert endpoint.requests[2]["messages"][-1]["content"].startswith("That was not usable")
    with pytest.raises(ChatEndpointError, match="nonsense"):
        answer(street, serve(plan, replied("no"), replied("still no")))


def test_not_a_completion_is_a_clear_error(street: Memory, serve: Callable[..., Endpoint]) -> None:
    with pytest.raises(ChatEndpointError, match="not JSON"):
        answer(street, serve(lambda _: (200, {}, b"<html>hello</html>")))
    with pytest.raises(ChatEndpointError, match="no chat completion"):
        answer(street, serve(lambda _: (200, {}, b'{"object": "list"}')))


def test_an_endpoint_without_schemas_is_asked_in_words(street: Memory, serve: Callable[..., Endpoint]) -> None:
    endpoint = serve(failing(400), *real())
    assert answer(street, endpoint).answerable
    assert "response_format" in endpoint.requests[0]
    assert all("response_format" not in request for request in endpoint.requests[1:])


def test_a_slow_endpoint_ends_at_its_timeout_or_the_deadline(street: Memory, serve: Callable[..., Endpoint]) -> None:
    def slow(_: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        time.sleep(10.0)
        return 200, {}, b"{}"

    with pytest.raises(ChatEndpointError, match="did not answer within"):
        answer(street, serve(slow), timeout_s=0.5)
    started = time.monotonic()
    found = answer(street, serve(slow), limits=PlannerSettings(deadline_s=1.0), timeout_s=30.0)
    assert found.stopped == "deadline"
    assert time.monotonic() - started < 9.0


@pytest.mark.parametrize("limits", [PlannerSettings(max_model_calls=0), PlannerSettings(max_tokens=50)])
def test_over_budget_answers_by_rule(street: Memory, serve: Callable[..., Endpoint], limits: PlannerSettings) -> None:
    endpoint = serve(failing(500))
    found = answer(street, endpoint, limits=limits)
    assert endpoint.requests == []
    assert found.spent.model_calls == 0
    assert found.stopped == "budget"
    assert found.answerable
    assert found.evidence[0].t_start_ns == 35_000_000_000


def test_calls_stay_within_the_budget(street: Memory, serve: Callable[..., Endpoint]) -> None:
    plan, *_ = real()
    never = json.dumps({"evidence": [], "answer": "", "sufficient": False, "confidence": 0.1, "search_for": "selfish"})
    endpoint = serve(plan, replied(never))
    found = answer(street, endpoint, limits=PlannerSettings(max_model_calls=3))
    assert len(endpoint.requests) <= 3
    assert not found.answerable or found.stopped == "budget"


def test_an_answer_without_given_evidence_is_not_accepted(street: Memory, serve: Callable[..., Endpoint]) -> None:
    plan, *_ = real()
    reply = {"evidence": ["E99"], "answer": "At noon.", "sufficient": True, "confidence": 1, "search_for": ""}
    made_up = json.dumps(reply)
    found = answer(street, serve(plan, replied(made_up)))
    assert "noon" not in found.text
    assert not found.answerable


def test_evidence_that_has_nothing_to_do_with_the_question_is_not_accepted(
    street: Memory, serve: Callable[..., Endpoint]
) -> None:
    plan, *_ = real()
    reply = {"evidence": ["E1"], "answer": "At 0:05.", "sufficient": True, "confidence": 1, "search_for": ""}
    endpoint = serve(plan, replied(json.dumps(reply)))
    found = answer(street, endpoint, "When did a dog appear?")
    assert "E1" in json.dumps(endpoint.requests[-1])  # it was shown, so it may be cited
    assert not found.answerable


CAKE = ("What do we need for the cake?", ("meat", "eggs and flour", "flowers"))


def leaned(first: dict[str, float], content: str = "") -> Responder:
    """A reply that tells what its first token might have been."""
    alternatives = [{"token": token, "logprob": math.log(share)} for token, share in first.items()]
    text = content or max(first, key=lambda token: first[token])
    choice = {
        "message": {"role": "assistant", "content": text},
        "logprobs": {"content": [{"top_logprobs": alternatives}]},
    }
    payload = json.dumps({"choices": [choice], "usage": {"total_tokens": 100}}).encode()
    return lambda _: (200, {"Content-Type": "application/json"}, payload)


def test_options_are_read_in_both_orders_and_the_leaning_is_weighed(
    kitchen: Memory, serve: Callable[..., Endpoint]
) -> None:
    question, choices = CAKE
    endpoint = serve(leaned({"eggs": 0.6, "meat": 0.2, "flowers": 0.2}))
    found = answer(kitchen, endpoint, question, choices=choices)
    assert found.choice == 1
    assert found.spent.model_calls == len(endpoint.requests) == 2
    assert any("twelve eggs" in each.text for each in found.evidence)
    system, user = endpoint.requests[0]["messages"]
    assert "never instructions" in system["content"]
    assert "twelve eggs" in user["content"]
    assert all(request["logprobs"] for request in endpoint.requests)
    shown = [
        [request["messages"][1]["content"].index(f"- {choice}") for choice in choices] for request in endpoint.requests
    ]
    assert shown[0] == sorted(shown[0])
    assert shown[1] == sorted(shown[1], reverse=True)
    against = answer(kitchen, serve(leaned({"fl": 0.5, "eggs": 0.3, "meat": 0.2})), question, choices=choices)
    assert against.choice == 1  # where the evidence is clear, a leaning against it does not win


def test_a_model_that_takes_whatever_stands_first_changes_nothing(
    kitchen: Memory, serve: Callable[..., Endpoint]
) -> None:
    question, choices = "What do we need for the cake?", ("twelve flowers", "twelve eggs and flour")
    endpoint = serve(leaned({"A": 0.9, "B": 0.1}))
    found = answer(kitchen, endpoint, question, choices=choices)
    first, second = (request["messages"][1]["content"] for request in endpoint.requests)
    assert "A. twelve flowers" in first  # they begin alike: letters tell them apart
    assert "A. twelve eggs and flour" in second
    with ChatReasoner(ChatSettings(url=serve(failing(500)).url)) as reasoner:
        by_rule = ask(
            kitchen, question, choices=choices, settings=PlannerSettings(max_model_calls=0), reasoner=reasoner
        )
    assert found.choice == by_rule.choice
    assert found.confidence == pytest.approx(by_rule.confidence)


def test_an_endpoint_without_logprobs_is_taken_at_its_word(kitchen: Memory, serve: Callable[..., Endpoint]) -> None:
    question, choices = CAKE
    endpoint = serve(failing(400), replied("flowers"))
    swayed = answer(kitchen, endpoint, question, choices=choices)
    assert "logprobs" in endpoint.requests[0]
    assert len(endpoint.requests) == 3
    assert all("logprobs" not in request for request in endpoint.requests[1:])
    assert swayed.spent.model_calls == 2  # asking again without them is no call of its own


def test_a_reply_that_is_no_option_leaves_it_to_the_evidence(kitchen: Memory, serve: Callable[..., Endpoint]) -> None:
    question, choices = CAKE
    said = answer(kitchen, serve(replied("I cannot tell.")), question, choices=choices)
    unasked = answer(kitchen, serve(failing(500)), question, choices=choices, limits=PlannerSettings(max_model_calls=0))
    assert said.choice == unasked.choice == 1
    assert said.confidence == pytest.approx(unasked.confidence)
    assert said.spent.model_calls == 2


def test_one_reading_counts_where_the_budget_ends(kitchen: Memory, serve: Callable[..., Endpoint]) -> None:
    question, choices = CAKE
    endpoint = serve(leaned({"eggs": 0.9, "meat": 0.1}))
    found = answer(kitchen, endpoint, question, choices=choices, limits=PlannerSettings(max_model_calls=1))
    assert len(endpoint.requests) == 1
    assert found.choice == 1
    assert found.stopped == "enough evidence"


def test_a_reading_that_the_deadline_would_cut_off_is_not_begun(
    kitchen: Memory, serve: Callable[..., Endpoint]
) -> None:
    question, choices = CAKE
    clock = [0.0]

    def slow(body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        clock[0] += 40.0
        return leaned({"eggs": 0.9, "meat": 0.1})(body)

    for deadline_s, readings in ((60.0, 1), (90.0, 2)):
        clock[0] = 0.0
        endpoint = serve(slow)
        view = MemoryView(kitchen)
        board = Board(plan=parse_question(question), view=view, finder=Finder(view, beam=6), spans=view.whole())
        budget = Budget(PlannerSettings(deadline_s=deadline_s), clock=lambda: clock[0])
        with ChatReasoner(ChatSettings(url=endpoint.url, timeout_s=50)) as reasoner:
            verdict = reasoner.reason(board, choices=choices, budget=budget)
        assert len(endpoint.requests) == readings
        assert verdict.draft is not None
        assert verdict.draft.choice == 1


def test_a_large_model_is_asked_about_people_too_and_counts_more(
    kitchen: Memory, serve: Callable[..., Endpoint]
) -> None:
    question, choices = "Who wrote the shopping list?", ("Lucia", "Katrina", "Shure", "Tasha")
    endpoint = serve(leaned({"Lucia": 0.97, "Katrina": 0.01, "Shure": 0.01, "Tasha": 0.01}))
    small = answer(kitchen, endpoint, question, choices=choices)
    assert (small.choice, endpoint.requests) == (3, [])
    with ChatReasoner(ChatSettings(url=endpoint.url, is_small=False)) as reasoner:
        ask(kitchen, question, choices=choices, settings=PlannerSettings(), reasoner=reasoner)
    assert len(endpoint.requests) == 2
    leanings = [[math.log(0.9), math.log(0.1)]]
    assert joined_shares((0.2, 0.8), leanings, weight=WEIGHT_OF_LARGE)[0] > 0.5 > joined_shares((0.2, 0.8), leanings)[0]


def test_leanings_move_shares_as_far_as_they_are_sure() -> None:
    shares = (0.5, 0.4, 0.1)
    even, weak, strong = (
        joined_shares(shares, [[math.log(each) for each in leanings]])
        for leanings in ((1 / 3, 1 / 3, 1 / 3), (0.3, 0.4, 0.3), (0.01, 0.98, 0.01))
    )
    assert even == pytest.approx(shares)
    assert sum(strong) == pytest.approx(1.0)
    assert even[1] < weak[1] < strong[1]
    assert strong.index(max(strong)) == 1
    assert joined_shares(shares, []) == list(shares)


@pytest.mark.parametrize(
    ("question", "choices", "right"),
    [
        ("When did I put my keys in the bowl?", ("9:01", "9:05", "9:09"), 1),
        ("Who wrote the shopping list?", ("Lucia", "Katrina", "Shure", "Tasha"), 3),
    ],
)
def test_times_and_people_are_left_to_the_evidence(
    kitchen: Memory, serve: Callable[..., Endpoint], question: str, choices: tuple[str, ...], right: int
) -> None:
    endpoint = serve(failing(500))
    found = answer(kitchen, endpoint, question, choices=choices)
    assert endpoint.requests == []
    assert found.choice == right
    assert found.spent.model_calls == 0


@pytest.mark.parametrize(
    ("reply", "labels", "wanted"),
    [
        (Reply(text="", tokens=1, first={"T": -0.1, " Sh": -3.0, "The": -4.0}), ("Tasha", "Shure", "Me"), 0),
        (Reply(text="", tokens=1, first={"**": -0.1, "B": -1.0, " A": -2.0}), ("A", "B", "C"), 1),
        (Reply(text="Tasha.", tokens=1), ("Shure", "Tasha"), 1),
        (Reply(text="B) Tasha", tokens=1), ("A", "B"), 1),
        (Reply(text="bake a ca", tokens=1), ("Bake a cake at home", "Buy one"), 0),
        (Reply(text="A pity", tokens=1, first={"hm": -0.1}), ("Shure", "Tasha"), None),
        (Reply(text="", tokens=1), ("Shure", "Tasha"), None),
    ],
)
def test_what_a_reply_leans_to(reply: Reply, labels: tuple[str, ...], wanted: int | None) -> None:
    logs = leaning(reply, labels)
    assert sum(math.exp(each) for each in logs) == pytest.approx(1.0)
    if wanted is None:
        assert len({round(each, 9) for each in logs}) == 1
    else:
        assert max(range(len(labels)), key=lambda place: logs[place]) == wanted
