"""Asks a person for a seller's consent, in Airflow's own "required actions"."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from airflow.providers.common.compat.sdk import TaskDeferred
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param
from airflow.sdk.definitions.param import ParamsDict

try:
    from airflow.sdk.exceptions import TaskAwaitingInput
except ImportError:  # before Airflow 3.3, which waits with a trigger
    TaskAwaitingInput = None  # type: ignore[assignment,misc]

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_tiktokshop.auth.records import Authorization
    from airflow_provider_tiktokshop.hooks.wiring import AppWiring

__all__ = ["ANSWER", "SUBMIT", "TikTokShopAuthorizeOperator"]

SUBMIT = "Submit"
# Airflow masks by name: a name without a word such as "authorization" would put the code into the audit log.
ANSWER = "authorization_answer"
USER_TYPES = {0: "seller", 1: "creator", 3: "partner"}


class TikTokShopAuthorizeOperator(HITLOperator):
    """Show the link to TikTok Shop's consent page, wait for the pasted redirect, and keep the tokens that its code gives.

    The task waits as a *required action* of Airflow's UI, without a worker. Somebody opens the link as the seller (or
    sends it to them), agrees, and pastes the address at which the browser ended up, or the code in it. The code is
    exchanged inside the task, and the rotation takes the new tokens up at its next run.

    Silence is not an answer: after ``response_timeout`` the task fails. So it does, saying why, on a code that is wrong,
    used, too old, of another app, or another seller's. Clear the task for a new link: a link is good for one answer.

    The code reaches no log, no XCom and no rendered field. Airflow keeps every answer to a required action in its
    database, unencrypted, and shows it to whoever may read the task: there the code remains, spent, or dead after 30 minutes.

    :param tiktokshop_conn_id: the connection of the app; it needs a ``service_id``.
    :param open_id: who is expected, for a re-authorization: the consent of anybody else is not used. Default: anybody.
    :param user_type: ``seller``, ``creator`` or ``partner``. Default: what ``open_id`` is, or ``seller``.
    :param subject: the headline of the required action. Default: made from app and ``open_id``.
    :param response_timeout: how long to wait for the answer; the link is good for as long. Default: one day.
    :param kwargs: what every Airflow operator takes, and ``notifiers`` and ``assigned_users`` of Airflow's ``HITLOperator``.
    :return: what may be shown of the authorization: ``id``, ``open_id``, ``status``, ``shops``, ``granted_scopes``,
        expiries in Unix seconds. No token.
    :raises AirflowFailException: there is no authorization, and only a person can change that; the text says what to do.
    """

    template_fields: Sequence[str] = ("tiktokshop_conn_id", "open_id", "user_type", "subject")
    ui_color = "#f2f0ff"

    def __init__(
        self,
        *,
        tiktokshop_conn_id: str = "tiktokshop_default",
        open_id: str | None = None,
        user_type: Literal["seller", "creator", "partner"] | None = None,
        subject: str = "",
        response_timeout: timedelta = timedelta(days=1),
        **kwargs: Any,
    ) -> None:
        # `defaults` stays unset: Airflow would answer with it when the time is over.
        super().__init__(subject=subject, options=[SUBMIT], response_timeout=response_timeout, **kwargs)
        self.tiktokshop_conn_id = tiktokshop_conn_id
        self.open_id = open_id
        self.user_type = user_type
        # Set here, not handed on: Airflow 3.1 adds the DAG's params, and would ask for those too.
        self.params = ParamsDict({ANSWER: _question()})

    def execute(self, context: Context) -> NoReturn:
        """Make the link, show it, and wait.

        :raises AirflowFailException: the connection cannot make a link.
        """
        from airflow_provider_tiktokshop.api.errors import ConfigurationError
        from airflow_provider_tiktokshop.compat import AirflowFailException
        from airflow_provider_tiktokshop.hooks.wiring import wire

        try:
            wiring = wire(self.tiktokshop_conn_id)
            held = self._held(wiring)
            user_type = self.user_type or (USER_TYPES.get(held.user_type) if held else None) or "seller"
            link = wiring.flow().begin(
                user_type,  # type: ignore[arg-type]
                expected_open_id=self.open_id or None,
                lifetime=self._wait().total_seconds(),
            )
        except ConfigurationError as error:
            raise AirflowFailException(str(error)) from None
        self.subject = self.subject or f"Authorize TikTok Shop app {wiring.app.app_key}" + (
            f": {self.open_id}" if self.open_id else ""
        )
        self.body = _body(link.url, user_type, self.open_id or None, held, self._wait())
        for warning in wiring.connection.warnings:
            self.log.warning("%s", warning)
        self._ask(context, link.state)

    def _ask(self, context: Context, state: str) -> NoReturn:
        """Let Airflow's operator ask; what it raises to wait is given what the answer will be judged with."""
        try:
            super().execute(context)
        except TaskDeferred as wait:
            from cryptography.fernet import Fernet

            from airflow_provider_tiktokshop.triggers.authorize import TikTokShopAuthorizeTrigger

            key = Fernet.generate_key().decode()
            wait.trigger = TikTokShopAuthorizeTrigger(key=key, **wait.trigger.serialize()[1])
            wait.kwargs = {"state": state, "key": key}
            raise
        except BaseException as wait:
            if TaskAwaitingInput is not None and isinstance(wait, TaskAwaitingInput):
                wait.kwargs = {"state": state}
            raise
        msg = "Airflow's HITLOperator returned instead of waiting"
        raise RuntimeError(msg)

    def execute_complete(
        self,
        context: Context,  # noqa: ARG002
        event: dict[str, Any],
        state: str | None = None,
        key: str | None = None,
    ) -> dict[str, Any]:
        """Exchange the code of the answer, and return what may be shown of the authorization.

        :raises AirflowFailException: nobody answered in time, or the answer gives no authorization.
        """
        from airflow_provider_tiktokshop.api.errors import TikTokShopError
        from airflow_provider_tiktokshop.compat import AirflowFailException
        from airflow_provider_tiktokshop.hooks.wiring import mask, wire

        # First of all: from here on nothing may log it.
        answer = _answer(event, key)
        if answer:
            mask(answer)
        if "error" in event:
            raise AirflowFailException(self._unanswered(event))
        again = f"Clear this task for a new link: {self.task_id}."
        try:
            wiring = wire(self.tiktokshop_conn_id)
            authorization = wiring.flow().finish(answer, source="operator", state=state)
        except TikTokShopError as error:
            # A retry could only ask the same question again, unseen.
            raise AirflowFailException(f"{error} {again}") from None
        self.log.info(
            "open_id %s authorized the app: %s, shops %s",
            authorization.open_id,
            authorization.status,
            ", ".join(f"{shop.id} ({shop.region})" for shop in authorization.shops) or "unknown so far",
        )
        return authorization.public()

    def _held(self, wiring: AppWiring) -> Authorization | None:
        from airflow_provider_tiktokshop.auth.records import authorization_id

        return wiring.authorizations.get(authorization_id(self.open_id)) if self.open_id else None

    def _wait(self) -> timedelta:
        return self.response_timeout or timedelta(days=1)

    def _unanswered(self, event: Mapping[str, Any]) -> str:
        if event.get("error_type") == "timeout":
            return (
                f"Nobody answered within {self._wait()}: the authorization stays as it was. "
                f"Clear this task for a new link: {self.task_id}."
            )
        # Not Airflow's text: it repeats what was typed.
        return (
            f"The answer could not be read ({event.get('error_type')}). Clear this task for a new link: {self.task_id}."
        )


def _question() -> Param:
    return Param(
        "",
        type="string",
        format="password",
        title="Address after consenting",
        description="The whole address that the browser shows after consenting, or the code in it.",
    )


def _answer(event: Mapping[str, Any], key: str | None) -> str:
    given = event.get("params_input") or {}
    if key is not None and isinstance(given, str):
        from airflow_provider_tiktokshop.triggers.authorize import unseal

        given = unseal(given, key)
    answer = given.get(ANSWER)
    return answer.strip() if isinstance(answer, str) else ""


def _body(url: str, user_type: str, open_id: str | None, held: Authorization | None, wait: timedelta) -> str:
    lines = [
        f"1. Open [TikTok Shop's consent page]({url}), logged in as the {user_type}, and agree.",
        f"   To let somebody else do that, send them the link:\n\n   `{url}`",
        "2. The browser is sent on to an address with `?code=` in it. Copy the whole address, even if no page loads there.",
        f"3. Paste it below and press *{SUBMIT}*, within 30 minutes of consenting.",
    ]
    if open_id:
        shops = ", ".join(f"{shop.id} ({shop.region})" for shop in held.shops) if held else ""
        known = (
            f", now *{held.status}*" + (f", shops {shops}" if shops else "")
            if held
            else ". This app holds nothing of that account so far: if you typed it, check it"
        )
        lines.append(f"Only the consent of `{open_id}` is used{known}.")
    lines.append(f"The link is good once, and for {wait}. Without an answer this task fails and changes nothing.")
    return "\n\n".join(lines)
