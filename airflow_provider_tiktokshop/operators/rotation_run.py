"""What the rotation operator makes of a run: how it reads its arguments, and whom a person must hear of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.api.errors import ConfigurationError
from airflow_provider_tiktokshop.auth.rotation import LAST_DAY, Outcome, RotationResult
from airflow_provider_tiktokshop.auth.seeds import SeedOutcome
from airflow_provider_tiktokshop.hooks.wording import because, reauthorize, time_left

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.auth.records import Authorization
    from airflow_provider_tiktokshop.auth.run import RunReport

__all__ = ["Verdict", "changed", "judge", "parse_flag", "parse_force", "parse_open_ids"]

_CHANGED = {Outcome.ROTATED, Outcome.ADOPTED, Outcome.PEER}
_SEED_FINE = {SeedOutcome.DONE_BEFORE, SeedOutcome.REDEEMED, SeedOutcome.WAITING}
_SEED_TERMINAL = {SeedOutcome.REFUSED, SeedOutcome.UNPROVEN}


@dataclass(slots=True)
class Verdict:
    """Whether the task fails, and with which words.

    :param failures: one text for each seller or setting that a person must look after: who, why, what to do.
    :param terminal: whether no retry can mend any of them.
    """

    app_key: str
    failures: list[str] = field(default_factory=list)
    terminal: bool = True

    def add(self, text: str, *, terminal: bool) -> None:
        """Note a failure."""
        self.failures.append(text)
        self.terminal = self.terminal and terminal

    def exception(self) -> Exception:
        """Return what the task fails with."""
        from airflow_provider_tiktokshop.compat import AirflowException, AirflowFailException

        text = "\n".join(
            [f"App {self.app_key}: {len(self.failures)} to look after.", *(f"- {f}" for f in self.failures)]
        )
        return AirflowFailException(text) if self.terminal else AirflowException(text)


def changed(report: RunReport) -> list[str]:
    """Return the ids of the authorizations whose tokens changed."""
    return [result.id for result in report.rotation.results if result.outcome in _CHANGED]


def judge(app_key: str, report: RunReport) -> Verdict:
    """Sort out what a person must hear of; everything else is the next run's business.

    That is: sellers newly refused, sellers with less than a day left that could not be rotated, wrong app settings, and
    a refresh token in the connection that did not become an authorization.
    """
    verdict = Verdict(app_key)
    _judge_seed(verdict, report)
    held = {authorization.id: authorization for authorization in report.authorizations}

    def spared(id_: str) -> bool:
        return report.rotation.stopped is not None and id_ in held and not held[id_].status.needs_person

    # The app's settings are refused, or so many sellers at once that nobody was marked: one text, not one for each seller.
    suspected = {
        result.id: result
        for result in report.rotation.results
        if result.outcome is Outcome.CONFIGURATION or (result.outcome is Outcome.REFUSED and spared(result.id))
    }
    if suspected:
        error = next(iter(suspected.values())).error or {}
        text = report.rotation.stopped or error.get("text")
        verdict.add(f"stopped: {text}{because({**error, 'text': None})}", terminal=True)
    for result in report.rotation.results:
        if result.outcome.good or result.outcome is Outcome.DEAD or result.id in suspected:
            continue
        if suspected and result.outcome is Outcome.STOPPED:
            continue
        _judge_seller(verdict, report.now, result, held.get(result.id))
    return verdict


def _judge_seller(verdict: Verdict, now: float, result: RotationResult, held: Authorization | None) -> None:
    # One that was not attempted carries no more than its id; what is known of it stands in the authorization.
    open_id = result.open_id or (held.open_id if held else None)
    expires_at = result.access_expires_at or (held.access_expires_at if held else None)
    who = f"open_id {open_id or '?'} (id {result.id})"
    if result.outcome is Outcome.REFUSED:
        verdict.add(f"{who}: refused{because(result.error, reauthorize(open_id))}", terminal=True)
    elif result.outcome is Outcome.STILL_STALE:
        verdict.add(f"{who}: {result.outcome}{because(result.error)}", terminal=True)
    elif expires_at is None:
        # Nothing is known of it, the store's answer least of all: that cannot wait.
        verdict.add(f"{who}: {result.outcome}{because(result.error)}", terminal=False)
    elif expires_at - now < LAST_DAY:
        left = time_left(expires_at, now)
        verdict.add(f"{who}: {result.outcome}, access token {left}{because(result.error)}", terminal=False)


def parse_open_ids(open_ids: Sequence[str] | str | None) -> list[str] | None:
    """Read open_ids as given, or as a template renders them: JSON, or separated by commas.

    :return: ``None`` for all; an empty list for nobody: a mapped task may get one.
    """
    if isinstance(open_ids, str):
        text = open_ids.strip()
        if text in {"", "null", "None"}:
            return None
        open_ids = json.loads(text) if text.startswith("[") else text.split(",")
    if open_ids is None:
        return None
    return list(dict.fromkeys(stripped for open_id in open_ids if (stripped := str(open_id).strip())))


def parse_flag(flag: bool | str) -> bool:
    """Read a boolean as given, or as a template renders it.

    :raises ConfigurationError: it is no boolean.
    """
    text = str(flag).strip().lower()
    if text not in {"true", "false"}:
        raise ConfigurationError(f"bootstrap is {flag!r}.", advice="Give true or false.")
    return text == "true"


def parse_force(force: bool | int | Mapping[str, int] | str | None) -> bool | int | dict[str, int]:
    """Read force as given, or as a template renders it.

    :raises ConfigurationError: it is none of the forms that the operator describes.
    """
    value: Any = force
    if isinstance(value, str):
        text = value.strip()
        try:
            value = json.loads(_PYTHON_WORDS.get(text, text))
        except ValueError:
            value = text
    if value is None or isinstance(value, (bool, int)):
        return value or False
    if isinstance(value, Mapping) and all(type(generation) is int for generation in value.values()):
        return dict(value)
    raise ConfigurationError(
        f"force is {force!r}.",
        advice="Give true, the number of the generation to replace, or one for each open_id as an object.",
    )


_PYTHON_WORDS = {"": "null", "None": "null", "True": "true", "False": "false"}


def _judge_seed(verdict: Verdict, report: RunReport) -> None:
    seed = report.seed
    if seed is None or seed.outcome in _SEED_FINE or (seed.outcome is SeedOutcome.REFUSED and not seed.newly):
        return
    text = f"the connection's refresh token: {seed.outcome}{because(seed.error)}"
    verdict.add(text, terminal=seed.outcome in _SEED_TERMINAL)
