"""Sends a request until it succeeds or must not be sent again."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import orjson

from airflow_provider_tiktokshop.api.budget import HeldBack
from airflow_provider_tiktokshop.api.errors import (
    AccessTokenRefused,
    ApiError,
    ClockSkewed,
    RateLimited,
    ReplyLost,
    RequestNotSent,
    TikTokShopError,
    error_for,
    http_date,
    scrub,
)
from airflow_provider_tiktokshop.api.retries import pause_before_retry
from airflow_provider_tiktokshop.api.signing import sign_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_tiktokshop.api.app import App
    from airflow_provider_tiktokshop.api.budget import RateBudget
    from airflow_provider_tiktokshop.api.clock import Clock
    from airflow_provider_tiktokshop.api.http import Http, HttpReply
    from airflow_provider_tiktokshop.api.tokens import TokenSource

__all__ = ["Request", "Sender"]

_BODY_NOT_READABLE: Final = 36009022


@dataclass(slots=True)
class Request:
    """One request, ready but for timestamp and signature, which are made anew for every try."""

    method: str
    path: str
    endpoint: str
    query: dict[str, str]
    body: bytes | None
    budget: RateBudget
    timeout: float | None
    patience: float = float("inf")
    """Seconds: when the service asks to wait for as long or longer, that is the caller's to decide."""


class Sender:
    """Signs, paces and retries the requests of one authorization."""

    def __init__(self, app: App, tokens: TokenSource, http: Http, clock: Clock) -> None:
        self._app = app
        self._tokens = tokens
        self._http = http
        self._clock = clock
        self._counter = threading.Lock()
        self.wants_empty_object: set[str] = set()
        """Endpoints that refuse an absent body and take ``{}``."""
        self.requests_sent = 0
        self.clock_offset = 0.0

    def perform(self, request: Request, *, repeatable: bool) -> dict[str, Any]:
        """Send a request until it succeeds or must not be sent again; return the envelope."""
        budget = request.budget
        token = self._tokens.current()
        tries = 0
        token_replaced = clock_corrected = False
        while True:
            try:
                budget.acquire(request.patience)
            except HeldBack as held:
                raise _held_back(request, held.seconds) from None
            tries += 1
            reply: HttpReply | None = None
            error: TikTokShopError
            try:
                reply = self._send(request, token)
            except (RequestNotSent, ReplyLost) as failure:
                error = failure
            else:
                envelope = _envelope(reply)
                if envelope.get("code") == 0 and reply.status < 300:
                    budget.succeeded()
                    return envelope
                error = self._error(request, reply, envelope, token)
            if isinstance(error, AccessTokenRefused) and not token_replaced:
                token_replaced = True
                refused, token = token, self._tokens.after_refusal(token)
                if token != refused:
                    continue
            elif isinstance(error, ClockSkewed) and reply is not None and not clock_corrected:
                clock_corrected = True
                if (date := http_date(reply.headers.get("Date"))) is not None:
                    # The header is cut to whole seconds: half a second is the middle.
                    self.clock_offset = date + 0.5 - self._clock.now()
                    continue
            elif error.code == _BODY_NOT_READABLE and request.body is None and request.method != "GET":
                # Whether an absent body or {} is right is not documented: this endpoint wants the latter.
                request.body = b"{}"
                self.wants_empty_object.add(request.endpoint)
                continue
            if isinstance(error, RateLimited):
                budget.throttled(error.retry_after)
                if error.retry_after is not None and error.retry_after >= request.patience:
                    raise error from None
            pause = pause_before_retry(error, tries, repeatable=repeatable)
            if pause is None:
                # What was caught below holds no secret, but its history might.
                raise error from None
            self._clock.sleep(pause)

    def _send(self, request: Request, token: str) -> HttpReply:
        query = request.query
        query["timestamp"] = str(int(self._clock.now() + self.clock_offset))
        sign = sign_request(self._app.app_secret, request.path, query, request.body)
        encoded = "&".join([f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in query.items()])
        with self._counter:
            self.requests_sent += 1
        return self._http.send(
            request.method,
            f"{self._app.api_url}{request.path}?{encoded}&sign={sign}",
            headers={"x-tts-access-token": token, "Content-Type": "application/json"},
            body=request.body,
            read_timeout=request.timeout,
        )

    def _error(self, request: Request, reply: HttpReply, envelope: Mapping[str, Any], token: str) -> TikTokShopError:
        code = envelope.get("code")
        status = reply.status
        if isinstance(code, int) and code != 0:
            message = scrub(envelope.get("message"), self._app.app_secret, token)
            request_id = envelope.get("request_id")
            return error_for(
                code,
                message,
                status,
                request_id if isinstance(request_id, str) else None,
                request.endpoint,
                reply.headers,
            )
        if status == 429 or status >= 500:
            return error_for(None, "", status, None, request.endpoint, reply.headers)
        what = f"HTTP {status} with {len(reply.body)} bytes that are not an answer of the API"
        if status < 300:
            return ReplyLost(f"The answer cannot be read: {what}.", endpoint=request.endpoint, http_status=status)
        return ApiError(
            f"{what}.",
            endpoint=request.endpoint,
            http_status=status,
            advice="Check api_url in the connection, and whether a proxy or firewall answers in the service's place.",
        )


def _held_back(request: Request, seconds: float) -> RateLimited:
    return RateLimited(
        f"The service has asked for no request for {seconds:.0f} seconds.",
        retry_after=seconds,
        endpoint=request.endpoint,
        advice="Try again then.",
    )


def _envelope(reply: HttpReply) -> dict[str, Any]:
    try:
        envelope = orjson.loads(reply.body)
    except ValueError:
        return {}
    return envelope if isinstance(envelope, dict) else {}
