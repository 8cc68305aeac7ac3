"""A company's own service that is asked, too.

It is sent a JSON document by POST and answers 200 with `{"allow": true}`, or `{"allow": false, "reasons": ["..."]}`. Whatever else it does
is no: another status, a redirect, another form, too much, too late.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from threading import Thread
from typing import TYPE_CHECKING, Any

from schemas.environments import Webhook
from schemas.errors import InputError

if TYPE_CHECKING:
    import httpx

MOST_BYTES = 64 * 1024
MOST_REASONS = 20
MOST_CHARACTERS = 300
_GRACE = 1.0  # for a resolver of names that cannot be stopped


class _Unanswered(Exception):
    """There is no answer that counts; the message says why."""


def refusals(webhook: Webhook, document: Mapping[str, Any]) -> tuple[str, ...]:
    """Ask the service and return its reasons to refuse, none where it allows; raises InputError where it cannot be asked from here."""
    try:
        import httpx  # noqa: F401
    except ModuleNotFoundError:
        raise InputError("the policy webhook needs an extra; install it with: pip install 'companyos-data[policy]'") from None
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "companyos"}
    if webhook.token_from is not None:
        headers["Authorization"] = f"Bearer {_token(webhook.token_from)}"
    outcome: list[tuple[str, ...]] = []

    def work() -> None:
        try:
            outcome.append(_read(asyncio.run(_answer(webhook, dict(document), headers))))
        except _Unanswered as error:
            outcome.append((f"the policy webhook {error}",))
        except TimeoutError:
            outcome.append((_late(webhook),))
        except Exception as error:  # whatever it is, nobody has allowed anything
            outcome.append((f"the policy webhook could not be asked ({type(error).__name__})",))

    # a thread of its own: it ends in time where the caller's has an event loop already, and where names are not resolved
    asking = Thread(target=work, name="policy-webhook", daemon=True)
    asking.start()
    asking.join(webhook.seconds + _GRACE)
    return outcome[0] if outcome else (_late(webhook),)


def _late(webhook: Webhook) -> str:
    return f"the policy webhook did not answer within {webhook.seconds:g} s"


def _token(variable: str) -> str:
    token = os.environ.get(variable, "")
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(f"the policy webhook needs a token, and the environment variable {variable} holds none")
    return token


async def _answer(webhook: Webhook, document: dict[str, Any], headers: dict[str, str]) -> bytes:
    import httpx

    async with asyncio.timeout(webhook.seconds):
        try:
            async with (
                # a service on this machine is not asked by way of a proxy, which would have the token in the clear and could answer itself
                httpx.AsyncClient(timeout=webhook.seconds, follow_redirects=False, trust_env=webhook.url.startswith("https://")) as client,
                client.stream("POST", webhook.url, json=document, headers=headers) as response,
            ):
                return await _body(response)
        except httpx.TimeoutException:
            raise TimeoutError from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _Unanswered(f"could not be asked ({type(error).__name__})") from None


async def _body(response: httpx.Response) -> bytes:
    if response.is_redirect:
        raise _Unanswered(f"answered with a redirect ({response.status_code}), which is not followed")
    if response.status_code != 200:
        raise _Unanswered(f"answered with status {response.status_code}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise _Unanswered("answered in an encoding that it was not asked for")
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MOST_BYTES:
            raise _Unanswered(f"answered with more than {MOST_BYTES // 1024} KiB")
    return body


def _read(body: bytes) -> tuple[str, ...]:
    """Return the reasons of an answer that has the documented form."""
    try:
        answer = json.loads(body.decode("utf-8"), object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError):
        raise _Unanswered("did not answer in JSON") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("allow"), bool):
        raise _Unanswered('did not answer with {"allow": true} or {"allow": false, "reasons": [...]}')
    reasons = answer.get("reasons", [])
    if not isinstance(reasons, list) or not all(isinstance(reason, str) for reason in reasons):
        raise _Unanswered("answered with reasons that are no list of texts")
    if answer["allow"]:
        return ()
    return tuple(_printable(reason) for reason in reasons[:MOST_REASONS]) or ("the policy webhook refuses, and does not say why",)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text[:MOST_CHARACTERS]).strip() or "the policy webhook refuses"
