"""A TikTok Shop for tests: the emulator in a process of its own, reached over a real socket."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from typing import IO, TYPE_CHECKING, Any, Self
from urllib.error import HTTPError
from urllib.parse import parse_qsl, quote, urlencode
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

__all__ = ["EmulatorError", "EmulatorProcess"]

_STOP_SECONDS = 10.0


class EmulatorError(RuntimeError):
    """The emulator did not start, or refused a control call; the text says why."""


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class EmulatorProcess:
    """Runs the emulator for as long as the ``with`` block lasts.

    Keyword arguments are the command line's options with underscores, ``port`` being 0 unless given::

        with EmulatorProcess(sellers=2, orders=1000, refresh_mode="family") as shop:
            requests.get(shop.url + "/api/v2/token/refresh", params=...)
            assert shop.stats()["redemptions_total"] == 1

    :raises EmulatorError: when it does not start; the text has what it printed.
    """

    def __init__(self, **options: Any) -> None:
        self.url = ""
        self.app_key = ""
        self.app_secret = ""
        self.service_id = ""
        self.sellers: list[dict[str, Any]] = []
        self.creators: list[dict[str, Any]] = []
        self.partners: list[dict[str, Any]] = []
        self._options = {"port": 0, **options}
        self._process: subprocess.Popen[str] | None = None
        self._errors: IO[str] | None = None
        self._opener = build_opener(ProxyHandler({}), _NoRedirects)

    def __repr__(self) -> str:
        return f"<EmulatorProcess {self.url or 'not running'}>"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Start it and wait until it listens."""
        command = [sys.executable, "-m", "airflow_provider_tiktokshop.emulator", "--exit-with-stdin"]
        for name, value in self._options.items():
            flag = "--" + name.replace("_", "-")
            if value is True:
                command.append(flag)
            elif value is not None and value is not False:
                command.append(f"{flag}={value}")
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in stop()
        # Holding its standard input ties it to this process: it ends even when this one is killed.
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        try:
            self._take(json.loads(line))
        except ValueError:
            text = self.log()
            self.stop()
            raise EmulatorError(f"the emulator did not start: {text or line!r}") from None
        return self

    def stop(self) -> None:
        """Stop it. Does nothing when it is not running."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.communicate(timeout=_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    @property
    def pid(self) -> int:
        """The process id.

        :raises EmulatorError: when it is not running.
        """
        if self._process is None:
            raise EmulatorError("the emulator is not running")
        return self._process.pid

    def log(self) -> str:
        """Return what it has written to standard error so far."""
        if self._errors is None:
            return ""
        self._errors.seek(0)
        return self._errors.read()

    # ------------------------------------------------------------------ control

    def stats(self) -> dict[str, Any]:
        """Return the counters: redemptions, reuse, requests by endpoint and code, concurrency."""
        return dict(self.control("GET", "stats"))

    def secrets(self) -> list[str]:
        """Return every secret it ever issued or held, to search logs and stores for."""
        return list(self.control("GET", "secrets")["secrets"])

    def faults(self, *faults: Mapping[str, Any]) -> None:
        """Set the faults, in place of those set before; without arguments there are none.

        Each is ``{"match": path prefix, "kind": ..., "times": 1, "probability": ..., "skip": 0, "params": {...}}``.
        """
        self.control("POST", "faults", list(faults))

    def settings(self, **settings: Any) -> dict[str, Any]:
        """Change switches by name, and return all of them."""
        return dict(self.control("POST", "settings", settings) if settings else self.control("GET", "settings"))

    def reset(self) -> None:
        """Start over from the seed, as after a restart."""
        self._take(self.control("POST", "reset"))

    def clock(
        self,
        *,
        advance: float | None = None,
        set: float | None = None,  # noqa: A002 - as in the control call
        skew: float | None = None,
    ) -> float:
        """Move its time, in seconds, and return what it is now.

        :param advance: move on by so much; orders and expiries move with it.
        :param set: make it this Unix time.
        :param skew: shift only what callers see: the Date header and the timestamp check.
        """
        moves = {"advance": advance, "set": set, "skew": skew}
        return float(self.control("POST", "clock", {k: v for k, v in moves.items() if v is not None})["now"])

    def wait_held(self, count: int = 1, timeout: float = 10.0) -> None:
        """Wait until ``count`` requests are held by a ``hold`` fault.

        :param timeout: seconds.
        :raises EmulatorError: when that takes longer.
        """
        answer = self.control("GET", "held?" + urlencode({"count": count, "timeout": timeout}))
        if not answer["reached"]:
            raise EmulatorError(f"{answer['held']} requests are held after {timeout} s, not {count}")

    def release(self, name: str | None = None) -> int:
        """Let held requests go, and return how many there were."""
        return int(self.control("POST", "release", {"name": name} if name else {})["released"])

    def truth(
        self, shop_id: str, *, cursor: str = "update_time", ge: int | None = None, lt: int | None = None
    ) -> list[dict[str, Any]]:
        """Return id, create_time and update_time of every order whose ``cursor`` is in [ge, lt), in that order."""
        query = {"shop_id": shop_id, "cursor": cursor, "ge": ge, "lt": lt}
        query = {name: value for name, value in query.items() if value is not None}
        return list(self.control("GET", "truth/orders?" + urlencode(query))["rows"])

    def true_rows(self, resource: str, **query: Any) -> list[dict[str, Any]]:
        """Return primary keys and times of everything that a resource holds, to compare an extraction with.

        :param resource: as the emulator's documentation names it, such as ``statements``.
        :param query: ``shop_id`` or ``open_id``, ``cursor``, ``ge``, ``lt``, and parameters of the endpoint.
        :raises EmulatorError: it knows no such resource, shop or user.
        """
        return list(self.control("GET", f"truth/{resource}?{urlencode(query)}")["rows"])

    def orders(self, shop_id: str, *, add: int = 0, touch: int = 0, ids: Sequence[str] = ()) -> dict[str, Any]:
        """Change a shop's orders now: place ``add`` new ones, update ``touch`` random ones and those of ``ids``.

        Returns ``{"added": [ids], "touched": [ids], "at": Unix seconds}``.
        """
        body = {"shop_id": shop_id, "add": add, "touch": touch, "ids": list(ids)}
        return dict(self.control("POST", "orders", body))

    def account(self, open_id: str, **changes: Any) -> dict[str, Any]:
        """Return a user with shops and current tokens, after changing what is named.

        ``deauthorize=True``, ``active=False``, ``inactive_shop_ids=[...]``, ``shop_ids=[...]``, ``granted_scopes=[...]``,
        ``new_ciphers=True``, ``expire_access=True``, ``revoke_access=True``, ``expire_refresh=True``,
        ``refresh_expires_at=Unix seconds``.
        """
        path = f"accounts/{quote(open_id)}"
        return dict(self.control("POST", path, changes) if changes else self.control("GET", path))

    def webhook(self, type: int, *, url: str | None = None, copies: int = 1, **event: Any) -> dict[str, Any]:  # noqa: A002
        """Build a signed event and deliver it to ``url``, a loopback address, if there is one.

        :param copies: how often it is delivered.
        :param event: ``data``, ``shop_id``, ``open_id``, ``timestamp``, ``tts_notification_id``, ``bad_signature``.
        Returns ``{"body": raw text, "headers": {...}, "deliveries": [{"status": ...}]}``.
        """
        body = {"type": type, "copies": copies, **event, **({"url": url} if url else {})}
        return dict(self.control("POST", "webhooks", body))

    def consent(
        self,
        authorize_url: str,
        open_id: str,
        *,
        accept: bool = True,
        shop_ids: Sequence[str] | None = None,
        scopes: Sequence[str] | None = None,
        duration: int | None = None,
        app_store: bool = False,
    ) -> str:
        """Answer the consent page behind ``authorize_url`` as the user ``open_id``, and return the URL redirected to.

        :param shop_ids: the shops that are ticked; all when None.
        :param duration: seconds that the authorization lives.
        :param app_store: as if started in the App Store: the redirect has no ``state``.
        :raises EmulatorError: when the page refuses; the text is what it says.
        """
        page, _, query = authorize_url.partition("?")
        fields: dict[str, Any] = dict(parse_qsl(query))
        fields |= {"open_id": open_id, "decision": "accept" if accept else "reject"}
        chosen = {"shop_ids": shop_ids, "scopes": scopes, "duration": duration, "app_store": "1" if app_store else None}
        fields |= {name: value for name, value in chosen.items() if value is not None}
        path = "/" + page.split("://", 1)[-1].partition("/")[2]
        request = Request(  # noqa: S310 - the loopback address that we were told
            self.url + path, data=urlencode(fields, doseq=True).encode(), method="POST"
        )
        try:
            with self._opener.open(request, timeout=60):
                raise EmulatorError("the consent page did not redirect")
        except HTTPError as answer:
            with answer:
                if answer.code == 302:
                    return str(answer.headers["location"])
                raise EmulatorError(f"the consent page refused: {answer.read().decode()}") from None

    def control(self, method: str, path: str, body: Mapping[str, Any] | Sequence[Any] | None = None) -> Any:
        """Call a control endpoint, ``path`` being what follows ``/_emulator/``, and return its JSON.

        :raises EmulatorError: when it refuses; the text has its reason.
        """
        data = None if body is None else json.dumps(body).encode()
        request = Request(  # noqa: S310 - the loopback address that we were told
            f"{self.url}/_emulator/{path}", data=data, method=method, headers={"content-type": "application/json"}
        )
        try:
            with self._opener.open(request, timeout=60) as answer:
                return json.load(answer)
        except HTTPError as error:
            with error:
                raise EmulatorError(f"{method} /_emulator/{path.partition('?')[0]}: {error.read().decode()}") from None

    def _take(self, line: dict[str, Any]) -> None:
        self.url = line["url"]
        self.app_key = line["app_key"]
        self.app_secret = line["app_secret"]
        self.service_id = line["service_id"]
        self.sellers = line["sellers"]
        self.creators = line.get("creators", [])
        self.partners = line.get("partners", [])
