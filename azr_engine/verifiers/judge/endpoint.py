"""Chat completions over HTTP from any server that speaks OpenAI's protocol: retried, rate-limited, never guessed."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Sequence
from typing import Any

from azr_engine.engine.errors import UserError
from azr_engine.verifiers.judge.protocol import JudgeUnavailable

Messages = list[dict[str, str]]
RETRY_STATUSES = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
MAX_WAIT_SECONDS = 30.0


class ChatEndpoint:
    """One model behind `BASE_URL/chat/completions`.

    Args:
        base_url: such as `http://127.0.0.1:8000/v1`.
        model: the name that the server knows.
        key_variable: environment variable that holds the key; it is read at the call and never stored or logged.
        max_parallel: requests under way at once.
        tries: attempts per request, with pauses of 0.5, 1, 2, ... seconds or what the server asks for.
        timeout_seconds: for one attempt.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        key_variable: str = "OPENAI_API_KEY",
        max_parallel: int = 8,
        tries: int = 4,
        timeout_seconds: float = 60.0,
        max_tokens: int = 512,
    ) -> None:
        if not base_url.startswith(("http://", "https://")):
            raise UserError(f"the judge's address must begin with http:// or https://, not {base_url!r}")
        self._url = base_url.rstrip("/") + "/chat/completions"
        self.model, self._key_variable = model, key_variable
        self._tries, self._timeout, self._max_tokens = tries, timeout_seconds, max_tokens
        self._max_parallel = max_parallel

    async def complete(self, conversations: Sequence[Messages], *, temperature: float, seed: int) -> list[str]:
        """One reply per conversation, in order.

        Raises:
            JudgeUnavailable: a request failed as often as it may, or the server refuses it for good.
        """
        import httpx2

        key = os.environ.get(self._key_variable)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        gate = asyncio.Semaphore(self._max_parallel)
        async with httpx2.AsyncClient(timeout=self._timeout, headers=headers) as client:

            async def one(number: int, conversation: Messages) -> str:
                body = {
                    "model": self.model,
                    "messages": conversation,
                    "temperature": temperature,
                    "max_tokens": self._max_tokens,
                    "seed": seed + number,
                }
                async with gate:
                    return await self._ask(client, body)

            return list(await asyncio.gather(*(one(i, c) for i, c in enumerate(conversations))))

    async def _ask(self, client: Any, body: dict[str, Any]) -> str:
        import httpx2

        problem = "no attempt"
        for attempt in range(self._tries):
            wait = min(0.5 * 2**attempt, MAX_WAIT_SECONDS)
            try:
                response = await client.post(self._url, json=body)
            except httpx2.HTTPError as error:
                problem = f"{type(error).__name__} at {self._url}"
            else:
                if response.status_code == 200:
                    return _content(response)
                problem = f"status {response.status_code} from {self._url}"
                if response.status_code not in RETRY_STATUSES:
                    break
                wait = _asked_wait(response, wait)
            if attempt + 1 < self._tries:
                await asyncio.sleep(wait)
        raise JudgeUnavailable(problem)


def _content(response: Any) -> str:
    try:
        content = response.json()["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        raise JudgeUnavailable("the server's reply is no chat completion") from None
    return content if isinstance(content, str) else ""


def _asked_wait(response: Any, otherwise: float) -> float:
    """Seconds until the next attempt: what the server asks for, where that is a number."""
    try:
        asked = float(response.headers.get("retry-after", otherwise))
    except ValueError:
        return otherwise
    return otherwise if math.isnan(asked) else min(max(asked, 0.0), MAX_WAIT_SECONDS)
