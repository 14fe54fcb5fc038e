"""One run of the rotation task: the seed, everything that is due, and what a person must hear of."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.api.errors import ConfigurationError
from airflow_provider_tiktokshop.auth.fleet import RotationReport, rotate_all
from airflow_provider_tiktokshop.auth.records import authorization_id
from airflow_provider_tiktokshop.auth.rotation import Outcome, RotationResult
from airflow_provider_tiktokshop.auth.seeds import SeedOutcome, SeedResult, redeem_seed
from airflow_provider_tiktokshop.hooks.wording import because, reauthorize, time_left

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.auth.records import Authorization
    from airflow_provider_tiktokshop.hooks.wiring import AppWiring

__all__ = ["RotationRun", "run_rotation"]

# Failures before that are expected to pass by themselves: there are four more runs to come.
OVERDUE = 86_400
# The log masker's cost grows with the square of the number of secrets that a process registers.
COMFORTABLE = 50

_CHANGED = {Outcome.ROTATED, Outcome.ADOPTED, Outcome.PEER}
_SEED_FINE = {SeedOutcome.DONE_BEFORE, SeedOutcome.REDEEMED, SeedOutcome.WAITING}


@dataclass(slots=True)
class RotationRun:
    """What a run did, and what a person must hear of. Holds no secret.

    :param failures: one text for each seller or setting that fails the task: who, why, what to do.
    :param terminal: whether no retry can mend any of them.
    """

    app_key: str
    report: RotationReport
    seed: SeedResult | None = None
    failures: list[str] = field(default_factory=list)
    terminal: bool = True

    @property
    def changed(self) -> list[str]:
        """The ids of the authorizations whose tokens changed."""
        return [result.id for result in self.report.results if result.outcome in _CHANGED]

    def public(self) -> dict[str, Any]:
        """Return the run as a JSON object."""
        return {**self.report.public(), "seed": self.seed.public() if self.seed else None}

    def exception(self) -> Exception:
        """Return what the task fails with."""
        from airflow_provider_tiktokshop.compat import AirflowException, AirflowFailException

        text = "\n".join(
            [f"App {self.app_key}: {len(self.failures)} to look after.", *(f"- {f}" for f in self.failures)]
        )
        return AirflowFailException(text) if self.terminal else AirflowException(text)


def run_rotation(
    wiring: AppWiring,
    *,
    open_ids: Sequence[str] | str | None,
    force: bool | int | Mapping[str, int] | str | None,
    advisory: float,
    bootstrap: bool,
    log: Any,
) -> RotationRun:
    """Redeem the seed if it never was, rotate what is due, and sort out what a person must hear of.

    :param open_ids: a list, or one from a template: JSON or comma-separated; ``None``: all.
    :param force: see :class:`TikTokShopRotateTokenOperator`; text from a template is read as JSON.
    :param advisory: seconds.
    :raises TokenStoreError: the store does not answer at all.
    """
    rotator = wiring.rotator(advisory=advisory)
    wanted = parse_open_ids(open_ids)
    seed = None
    if wanted is None and wiring.connection.seed:
        seed = redeem_seed(wiring.connection.seed, rotator, wiring.flow(), wiring.authorizations, bootstrap=bootstrap)
    held = _held(wiring, wanted)
    if len(held) > COMFORTABLE:
        log.warning("%d authorizations in one task: map it over lists of %d open_ids.", len(held), COMFORTABLE)
    report = rotate_all(
        rotator,
        list(held),
        replace_generations=parse_force(force, held),
        bootstrap=bootstrap,
        on_result=lambda result: _log_result(log, result),
    )
    run = RotationRun(wiring.app.app_key, report, seed)
    _judge(wiring, run)
    log.info(
        "App %s: %s", run.app_key, ", ".join(f"{n} {what}" for what, n in report.counts.items()) or "no authorization"
    )
    return run


def parse_open_ids(open_ids: Sequence[str] | str | None) -> list[str] | None:
    """Read open_ids as given, or as a template renders them: JSON, or separated by commas. Nothing means all."""
    if isinstance(open_ids, str):
        text = open_ids.strip()
        value = json.loads(text) if text.startswith("[") or text == "null" else text.split(",")
        return parse_open_ids(value)
    if open_ids is None:
        return None
    return list(dict.fromkeys(id_.strip() for id_ in open_ids if id_.strip())) or None


def parse_force(
    force: bool | int | Mapping[str, int] | str | None, held: Mapping[str, Authorization | None]
) -> dict[str, int]:
    """Return the generation to replace for each id that is forced.

    :param held: the authorizations of this run by id.
    :raises ConfigurationError: it is none of the forms that the operator describes.
    """
    if isinstance(force, str):
        text = force.strip()
        try:
            force = (
                json.loads(text.lower() if text in {"True", "False"} else text) if text not in {"", "None"} else None
            )
        except ValueError:
            raise ConfigurationError(_BAD_FORCE.format(force=text)) from None
    if force is None or force is False:
        return {}
    if force is True:
        return {id_: authorization.generation for id_, authorization in held.items() if authorization is not None}
    if isinstance(force, int):
        return dict.fromkeys(held, force)
    if isinstance(force, Mapping):
        by_id = {key if key in held else authorization_id(str(key)): value for key, value in force.items()}
        if all(isinstance(value, int) and not isinstance(value, bool) for value in by_id.values()):
            return by_id
    raise ConfigurationError(_BAD_FORCE.format(force=force))


_BAD_FORCE = "force is {force!r}: give True, the generation to replace, or one for each open_id as an object."


def _held(wiring: AppWiring, wanted: list[str] | None) -> dict[str, Authorization | None]:
    """Return the authorizations of this run, the most urgent first."""
    ids = wiring.authorizations.ids() if wanted is None else [authorization_id(open_id) for open_id in wanted]
    found = {id_: wiring.authorizations.get(id_) for id_ in ids}
    return dict(sorted(found.items(), key=lambda item: (item[1].access_expires_at or 0) if item[1] else 0))


def _judge(wiring: AppWiring, run: RotationRun) -> None:
    seed = run.seed
    if seed is not None and seed.outcome not in _SEED_FINE and (seed.newly or seed.outcome is not SeedOutcome.REFUSED):
        terminal = seed.outcome in {SeedOutcome.REFUSED, SeedOutcome.UNPROVEN}
        _fail(run, f"the connection's refresh token: {seed.outcome}{because(seed.error)}", terminal=terminal)
    settings = next((r for r in run.report.results if r.outcome is Outcome.CONFIGURATION), None)
    if settings is not None:
        _fail(run, f"stopped: {run.report.stopped}{because({**(settings.error or {}), 'text': None})}", terminal=True)
    unmarked = [r for r in run.report.results if r.outcome is Outcome.REFUSED and not _marked(wiring, r)]
    if unmarked:
        _fail(
            run, f"stopped: {run.report.stopped}{because({**(unmarked[0].error or {}), 'text': None})}", terminal=True
        )
    now = time.time()
    for result in run.report.results:
        if result.outcome.good or result.outcome in {Outcome.DEAD, Outcome.CONFIGURATION} or result in unmarked:
            continue
        who = f"open_id {result.open_id or '?'} (id {result.id})"
        if result.outcome is Outcome.REFUSED:
            _fail(
                run,
                f"{who}: refused{because(result.error, reauthorize(result.open_id))}",
                terminal=True,
            )
        elif result.outcome is Outcome.STILL_STALE:
            _fail(run, f"{who}: {result.outcome}{because(result.error)}", terminal=True)
        elif (result.access_expires_at or 0) - now < OVERDUE:
            # Without an expiry nothing is known of it, the store's answer least of all: that cannot wait either.
            left = f", access token {time_left(result.access_expires_at, now)}" if result.access_expires_at else ""
            _fail(run, f"{who}: {result.outcome}{left}{because(result.error)}", terminal=False)


def _marked(wiring: AppWiring, result: RotationResult) -> bool:
    """Whether the run marked the seller; it marks nobody when so many were refused that the app is the likely cause."""
    held = wiring.authorizations.get(result.id)
    return held is None or held.status.needs_person


def _fail(run: RotationRun, text: str, *, terminal: bool) -> None:
    run.failures.append(text)
    run.terminal = run.terminal and terminal


def _log_result(log: Any, result: RotationResult) -> None:
    what = "%s: %s, epoch %d, generation %d%s"
    why = because(result.error) if not result.outcome.good else ""
    emit = log.info if result.outcome.good else log.warning
    emit(what, result.id, result.outcome, result.epoch, result.generation, why)
    if result.recovered:
        log.info("%s has recovered: earlier runs had failed.", result.id)
