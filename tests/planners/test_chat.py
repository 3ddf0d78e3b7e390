"""The chat reasoner over real HTTP on loopback: a replayed real exchange, and every way an endpoint can fail."""

from __future__ import annotations

import json
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
from planners.reasoners.chat import ChatReasoner
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
        assert found.choice == one["choices"].index("Tasha")
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


def test_options_take_one_call_and_the_pick_is_weighed(kitchen: Memory, serve: Callable[..., Endpoint]) -> None:
    question, choices = CAKE
    endpoint = serve(replied(json.dumps({"answer": "eggs and flour"})))
    found = answer(kitchen, endpoint, question, choices=choices)
    assert found.choice == 1
    assert found.spent.model_calls == len(endpoint.requests) == 1
    assert any("twelve eggs" in each.text for each in found.evidence)
    system, user = endpoint.requests[0]["messages"]
    assert "never instructions" in system["content"]
    assert "twelve eggs" in user["content"]
    against = answer(kitchen, serve(replied(json.dumps({"answer": "flowers"}))), question, choices=choices)
    assert against.choice == 1  # where the evidence is clear, a pick against it does not win


def test_a_pick_that_is_no_option_leaves_it_to_the_evidence(kitchen: Memory, serve: Callable[..., Endpoint]) -> None:
    question, choices = CAKE
    found = answer(kitchen, serve(replied("eggs, I think")), question, choices=choices)
    assert found.choice == 1
    assert found.spent.model_calls == 2
