"""What a resource yields: an owner's rows of an interval, and how far they were read, for the next run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK
from airflow_provider_tiktokshop.dlt_source.hints import READ_AT, nothing_left
from airflow_provider_tiktokshop.extract.engine import settled_end
from airflow_provider_tiktokshop.extract.errors import IntervalError, OptionError
from airflow_provider_tiktokshop.extract.paging import pages
from airflow_provider_tiktokshop.extract.personal import protector
from airflow_provider_tiktokshop.extract.plan import iso, make_plan
from airflow_provider_tiktokshop.extract.windows import moment, seconds
from airflow_provider_tiktokshop.streams.base import EVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping

    from airflow_provider_tiktokshop.api.clock import Clock
    from airflow_provider_tiktokshop.dlt_source.owners import Owner
    from airflow_provider_tiktokshop.extract.plan import Plan
    from airflow_provider_tiktokshop.extract.rows import Row
    from airflow_provider_tiktokshop.streams.base import Stream

__all__ = ["BEHIND", "READ", "Reading"]

READ: Final = "read"
"""Key of a resource's state: for each owner and question, ``until`` when all is loaded, and ``at`` what time it was
read, Unix seconds."""
BEHIND: Final = "behind"
"""Key of a resource's state: what the last run left at the end of a chunk, before the present."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Checked options of a resource. Times are Unix seconds.

    :param stream: what is read.
    :param start: start of the interval, or where the first run begins; ``None`` only for a snapshot.
    :param end: its end; ``None`` to go on from run to run.
    :param chunk: most seconds that one run goes on.
    :param pii: what becomes of personal fields.
    :param pii_key: the key that they are hashed with.
    :param options: the rest, as :func:`~airflow_provider_tiktokshop.extract.plan.make_plan` takes them.
    :param clock: the clock.
    :param snapshot: the service only tells the present: every run reads everything.
    """

    stream: Stream
    start: int | None
    end: int | None
    chunk: int | None
    pii: str
    pii_key: bytes | str | None = field(repr=False)
    options: Mapping[str, Any]
    clock: Clock = SYSTEM_CLOCK
    snapshot: bool = False

    @classmethod
    def checked(
        cls, stream: Stream, owner: Owner, *, start: Any, end: Any, chunk: Any, pii: str, pii_key: Any, **options: Any
    ) -> Reading:
        """Check the options, with one of the owners as an example.

        :raises OptionError: one of them cannot work.
        """
        protector(pii, stream.personal_fields, pii_key)
        reading = cls(
            stream=stream,
            start=None if start is None else moment(start, "start"),
            end=None if end is None else moment(end, "end"),
            chunk=None if chunk is None else seconds(chunk, "chunk"),
            pii=pii,
            pii_key=pii_key,
            options=options,
        )
        if reading.plan(owner, 0, 1).cursor is None:
            return replace(reading, snapshot=True)
        if reading.start is None:
            raise IntervalError(
                "start is missing.",
                advice="Name it: where the first run begins, or with end an interval of its own.",
            )
        if reading.chunk is not None and (reading.end is not None or not reading.chunk):
            raise OptionError(
                f"chunk is {chunk!r}.", advice="It is a length of time, for runs that go on by themselves: without end."
            )
        reading.plan(owner, reading.start, reading.start + 1 if reading.end is None else reading.end)
        return reading

    def plan(self, owner: Owner, start: int, end: int) -> Plan:
        """Return the plan that reads [start, end) of an owner's rows."""
        return make_plan(
            self.stream,
            owner.shop,
            start,
            end,
            open_id=owner.open_id,
            category_asset=owner.category_asset,
            **self.options,
        )

    def rows(self, owners: tuple[Owner, ...], state: Callable[[], MutableMapping[str, Any]]) -> Iterator[list[Row]]:
        """Yield every owner's rows in pages, and note in the state how far they go.

        dlt keeps the state only together with the rows: a run that fails, or is killed, leaves it as it was.

        :param owners: whose rows.
        :param state: returns the resource's state, to be changed in place.
        """
        if self.snapshot:
            for owner in owners:
                yield from self._snapshot(owner)
        elif self.start is not None and self.end is not None:
            for owner in owners:
                yield from self._pages(owner, self.plan(owner, self.start, self.end))
        else:
            noted = state()
            noted[BEHIND] = []
            for owner in owners:
                yield from self._onward(owner, noted.setdefault(READ, {}), noted[BEHIND])

    def _snapshot(self, owner: Owner) -> Iterator[list[Row]]:
        empty = True
        for rows in self._pages(owner, self.plan(owner, 0, math.ceil(self.clock.now()))):
            empty = False
            yield rows
        if empty:
            # Nothing replaces nothing: without this the rows of the last run would stay for ever.
            yield [self._complete(nothing_left(self.stream, owner.columns), owner)]

    def _onward(self, owner: Owner, read: dict[str, dict[str, int]], behind: list[str]) -> Iterator[list[Row]]:
        """Go on where the last run that was loaded ended, up to what is settled now."""
        began = self.clock.now()
        plan = self.plan(owner, 0, 1)
        name = f"{owner.name} {_question(plan)}"
        last = read.get(name, {"until": 0, "at": 0})
        start = max(last["until"], self.start or 0)
        present = self._settled_now(owner, plan, began)
        # What looks back to the beginning reads everything each time: there are no pieces of it.
        end = present if self.chunk is None or plan.lookback >= EVER else min(present, start + self.chunk)
        if end > start:
            plan = self.plan(owner, start, end)
            yield from self._pages(owner, replace(plan, lookback=_lookback(plan, last)))
            # The service may have told meanwhile that this machine's clock is fast.
            present = min(present, self._settled_now(owner, plan, began))
            read[name] = {"until": max(start, min(end, present)), "at": present}
        if end < present:
            behind.append(name)

    def _settled_now(self, owner: Owner, plan: Plan, now: float) -> int:
        return math.floor(now + owner.client.clock_offset) - plan.settle

    def _pages(self, owner: Owner, plan: Plan) -> Iterator[list[Row]]:
        until = settled_end(plan, owner.client, self.clock, None)
        if until < plan.end:
            raise IntervalError(
                f"The interval ends at {iso(plan.end)}, in the future.", advice="End it now at the latest."
            )
        protect = protector(self.pii, self.stream.personal_fields, self.pii_key)
        for rows in pages(plan, owner.client, until, clock=self.clock, protect=protect):
            yield [self._complete(row, owner) for row in rows]

    def _complete(self, row: Row, owner: Owner) -> Row:
        row.update(owner.columns)
        if self.stream.version_field is None:
            row[READ_AT] = datetime.fromtimestamp(self.clock.now(), UTC)
        return row


def _question(plan: Plan) -> str:
    """Return what is asked: an answer to another question says nothing of how far this one is."""
    filters = orjson.dumps(plan.filters, option=orjson.OPT_SORT_KEYS).decode() if plan.filters else ""
    return f"by {plan.cursor.field if plan.cursor else None} {filters}".rstrip()


def _lookback(plan: Plan, last: Mapping[str, int]) -> int:
    """Return how many seconds to reach back before the interval.

    The look-back is how long rows go on changing. Those that were older than that when they were last read, as in all
    of a backfill but its end, need not be read again.

    :param last: what the state says of the run before.
    """
    if last["until"] < plan.start:
        return plan.lookback
    return min(plan.lookback, max(0, plan.lookback - (last["at"] - last["until"])))
