"""One OpenAI-compatible chat endpoint over HTTP: a JSON object or a few words for a list of messages, within budget.

Retries connection errors, 429 and 5xx (honouring Retry-After) for a bounded time; goes on without schemas and without
log-probabilities where the endpoint does not take them. Knows no questions and no memory. The key goes into one header
and nowhere else.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict, cast
from urllib.parse import urlsplit

import httpx
import stamina

from planners.budget import Budget, BudgetExceeded
from streammem.errors import ChatEndpointError
from streammem.settings import ChatSettings

logger = logging.getLogger(__name__)

CHARACTERS_PER_TOKEN = 3.5
"""Of English in common vocabularies; used to foresee a call's cost, and to count it where the endpoint does not."""
RETRY_FOR_S = 20.0
RETRY_ATTEMPTS = 4
LONGEST_RETRY_AFTER_S = 10.0
LARGEST_REPLY_BYTES = 1_000_000
MOST_ALTERNATIVES = 20
"""The most that the protocol gives for a token."""


class Message(TypedDict):
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the model wrote, and what it cost."""

    text: str
    tokens: int
    first: Mapping[str, float] = field(default_factory=dict[str, float])
    """What the first token might have been, with log-probabilities; empty where the endpoint does not tell."""


class _Refused(Exception):
    """An HTTP status that is not success."""

    def __init__(self, status: int, *, detail: str, retry_after_s: float | None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.detail = detail
        self.retry_after_s = retry_after_s


class ChatClient:
    """Speaks to one endpoint. A context manager; `close()` is idempotent."""

    def __init__(self, settings: ChatSettings) -> None:
        """Raises ChatEndpointError where no usable URL is configured."""
        url = (settings.url or "").strip().rstrip("/")
        if not url:
            raise ChatEndpointError(
                "No chat endpoint is configured; set STREAMMEM_CHAT_URL (for example http://127.0.0.1:8089/v1) and, "
                "if it needs them, STREAMMEM_CHAT_MODEL and STREAMMEM_CHAT_KEY, or use the extractive reasoner."
            )
        try:
            parts = urlsplit(url)
            is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:  # brackets that do not close, a port beyond 65535
            parts, is_address = urlsplit(""), False
        if not is_address:
            raise ChatEndpointError(
                "STREAMMEM_CHAT_URL must be an http:// or https:// address such as http://127.0.0.1:8089/v1."
            )
        self._settings = settings
        self._where = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
        self._url = url if url.endswith("/chat/completions") else f"{url}/chat/completions"
        self._refuses: set[str] = set()
        """Fields of a request that it did not take; they are left out from then on."""
        headers = {"Content-Type": "application/json"}
        if settings.key is not None and settings.key.get_secret_value():
            headers["Authorization"] = f"Bearer {settings.key.get_secret_value()}"
        self._client = httpx.Client(headers=headers, timeout=settings.timeout_s, follow_redirects=False)

    def __repr__(self) -> str:
        return f"ChatClient({self._where!r}, model={self._settings.model!r})"

    def __enter__(self) -> ChatClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema_name: str,
        schema: dict[str, Any],
        max_tokens: int,
        budget: Budget,
    ) -> Reply:
        """One completion, constrained to the schema where the endpoint can.

        Raises:
            BudgetExceeded: before the call, where it would not fit; at the deadline.
            ChatEndpointError: down, refused, or not a chat completion.
        """
        wanted = {"type": "json_schema", "json_schema": {"name": schema_name, "strict": True, "schema": schema}}
        return self._asked(messages, {"response_format": wanted}, max_tokens=max_tokens, budget=budget)

    def complete_words(self, messages: Sequence[Message], *, max_tokens: int, budget: Budget) -> Reply:
        """A few words, with what the first of them might have been where the endpoint tells. Raises like `complete`."""
        wanted = {"logprobs": True, "top_logprobs": MOST_ALTERNATIVES}
        return self._asked(messages, wanted, max_tokens=max_tokens, budget=budget)

    def _asked(self, messages: Sequence[Message], wanted: dict[str, Any], *, max_tokens: int, budget: Budget) -> Reply:
        """One completion, with the wanted fields where the endpoint takes them."""
        expected = math.ceil(sum(len(message["content"]) for message in messages) / CHARACTERS_PER_TOKEN) + max_tokens
        budget.start_model_call(expected_tokens=expected)
        body: dict[str, Any] = {
            "model": self._settings.model,
            "messages": list(messages),
            "temperature": 0,
            "max_tokens": max_tokens,
        }
        if not self._refuses & wanted.keys():
            try:
                return self._counted(self._send({**body, **wanted}, budget), messages, budget)
            except _Refused as refused:
                if refused.status not in {400, 415, 422} or "auth" in refused.detail.lower():
                    raise self._error(refused) from refused
                logger.info("the chat endpoint does not take %s (HTTP %d)", ", ".join(wanted), refused.status)
                self._refuses |= wanted.keys()
        try:
            return self._counted(self._send(body, budget), messages, budget)
        except _Refused as refused:
            raise self._error(refused) from refused

    def _counted(self, payload: object, messages: Sequence[Message], budget: Budget) -> Reply:
        try:
            reply = cast(dict[str, Any], payload)
            text = reply["choices"][0]["message"]["content"]
            usage = cast(dict[str, Any], reply.get("usage") or {})
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise ChatEndpointError(
                f"The chat endpoint {self._where} answered something that is no chat completion."
            ) from error
        if not isinstance(text, str):
            raise ChatEndpointError(f"The chat endpoint {self._where} answered without text.")
        tokens = usage.get("total_tokens")
        if not isinstance(tokens, int):
            written = sum(len(message["content"]) for message in messages) + len(text)
            tokens = math.ceil(written / CHARACTERS_PER_TOKEN)
        budget.tokens += tokens
        return Reply(text=text, tokens=tokens, first=_first_alternatives(reply))

    def _send(self, body: dict[str, Any], budget: Budget) -> object:
        retry_for_s = min(RETRY_FOR_S, budget.seconds_left)
        try:
            for attempt in stamina.retry_context(
                on=_pause_before_retry,
                attempts=RETRY_ATTEMPTS,
                timeout=max(retry_for_s, 0.001),
                wait_initial=0.2,
                wait_max=5.0,
            ):
                with attempt:
                    return self._post(body, budget)
        except httpx.TimeoutException as error:
            budget.check_deadline()
            raise ChatEndpointError(
                f"The chat endpoint {self._where} did not answer within {self._settings.timeout_s:g} s; "
                "is it overloaded? Raise STREAMMEM_CHAT_TIMEOUT_S or use the extractive reasoner."
            ) from error
        except httpx.TransportError as error:
            raise ChatEndpointError(
                f"The chat endpoint {self._where} cannot be reached ({type(error).__name__}); "
                "start it, correct STREAMMEM_CHAT_URL, or use the extractive reasoner."
            ) from error
        raise AssertionError("retry_context either returns or raises")

    def _post(self, body: dict[str, Any], budget: Budget) -> object:
        budget.check_deadline()
        limit_s = min(self._settings.timeout_s, max(budget.seconds_left, 0.001))
        started_s = budget.seconds
        with self._client.stream("POST", self._url, content=json.dumps(body), timeout=limit_s) as response:
            content = bytearray()
            for chunk in response.iter_bytes():
                content += chunk
                # httpx limits each read; a reply that drips in must not outlive the whole.
                if budget.seconds - started_s > limit_s:
                    raise httpx.ReadTimeout("the reply took too long as a whole")
                if len(content) > LARGEST_REPLY_BYTES:
                    raise ChatEndpointError(
                        f"The chat endpoint {self._where} sent more than {LARGEST_REPLY_BYTES} bytes."
                    )
            if not response.is_success:
                raise _Refused(
                    response.status_code,
                    detail=content[:500].decode("utf-8", "replace"),
                    retry_after_s=_retry_after_s(response.headers.get("Retry-After")),
                )
        try:
            return json.loads(content)
        except ValueError as error:
            raise ChatEndpointError(f"The chat endpoint {self._where} answered something that is not JSON.") from error

    def _error(self, refused: _Refused) -> ChatEndpointError:
        advice = {
            401: "check STREAMMEM_CHAT_KEY",
            403: "check STREAMMEM_CHAT_KEY",
            404: "check STREAMMEM_CHAT_URL (it usually ends in /v1) and STREAMMEM_CHAT_MODEL",
            429: "it is asked too often; try again later",
        }.get(refused.status, "look at its log" if refused.status >= 500 else "check STREAMMEM_CHAT_MODEL")
        return ChatEndpointError(f"The chat endpoint {self._where} refused with HTTP {refused.status}; {advice}.")


def json_object_in(text: str) -> str:
    """The outermost `{...}` of a reply, without code fences or words around it; the text itself where there is none."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text


def _first_alternatives(reply: Mapping[str, Any]) -> dict[str, float]:
    """Empty where there are none, or they are not what the protocol says."""
    try:
        given = reply["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        return {str(each["token"]): float(each["logprob"]) for each in given}
    except (KeyError, IndexError, TypeError, ValueError):
        return {}


def _pause_before_retry(error: Exception) -> bool | float:
    """Whether to try again; a number: after so many seconds."""
    if isinstance(error, _Refused):
        if error.status == 429 or error.status >= 500:
            return True if error.retry_after_s is None else min(error.retry_after_s, LONGEST_RETRY_AFTER_S)
        return False
    # A reply that is too slow is not asked for again: the model would only start anew.
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.ReadTimeout)


def _retry_after_s(value: str | None) -> float | None:
    try:
        seconds = float(value) if value is not None else None
    except ValueError:
        return None  # a date: rare enough to fall back to our own pace
    return seconds if seconds is not None and seconds >= 0 else None


__all__ = ["BudgetExceeded", "ChatClient", "Message", "Reply"]
