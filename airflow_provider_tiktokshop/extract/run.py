"""One extraction into files, from the sidecar of an earlier attempt to the manifest."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop import __version__
from airflow_provider_tiktokshop.extract.checkpoint import Checkpoint
from airflow_provider_tiktokshop.extract.commit import commit, final_files
from airflow_provider_tiktokshop.extract.duplicates import resolve
from airflow_provider_tiktokshop.extract.errors import AnotherRunError, ExtractionError
from airflow_provider_tiktokshop.extract.levelling import Load, level, useful_threads
from airflow_provider_tiktokshop.extract.manifest import MANIFEST, DataFile, Manifest
from airflow_provider_tiktokshop.extract.parts import WORK, Span, WindowParts, span_of
from airflow_provider_tiktokshop.extract.plan import iso
from airflow_provider_tiktokshop.extract.position import Position, Trust
from airflow_provider_tiktokshop.extract.reading import Reader, in_parallel
from airflow_provider_tiktokshop.extract.windows import PARALLEL, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_tiktokshop.api.client import TikTokShopClient
    from airflow_provider_tiktokshop.api.clock import Clock
    from airflow_provider_tiktokshop.extract.filesystem import Directory
    from airflow_provider_tiktokshop.extract.plan import Plan
    from airflow_provider_tiktokshop.extract.rows import Row
    from airflow_provider_tiktokshop.extract.writers import Format

__all__ = ["Progress", "Run"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an extraction is.

    :param rows: rows written so far, those of earlier attempts included.
    :param windows_done: windows that are complete.
    :param windows: how many there are.
    """

    rows: int
    windows_done: int
    windows: int


class Run:
    """Reads the windows of a plan into a directory.

    :param plan: what to extract.
    :param client: the client.
    :param directory: the interval's directory, locked.
    :param layout: how rows are laid out.
    :param protect: changes a row's personal fields in place.
    :param stored: options about how rows are stored, for the manifest.
    :param rows_per_part: rows of a file.
    :param clock: the clock.
    :param progress: called after every page.
    """

    def __init__(
        self,
        plan: Plan,
        client: TikTokShopClient,
        directory: Directory,
        *,
        layout: Format,
        protect: Callable[[Row], None] | None,
        stored: Mapping[str, Any],
        rows_per_part: int | None,
        clock: Clock,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._plan, self._client, self._directory = plan, client, directory
        self._layout, self._protect, self._stored = layout, protect, stored
        self._rows_per_part, self._clock, self._progress = rows_per_part, clock, progress
        fingerprint = plan.fingerprint(**stored, rows_per_part=rows_per_part, layout=layout.revision)
        self._checkpoint = Checkpoint(directory, fingerprint, clock)
        self._reader = Reader(plan, client, clock)
        # Rows enter and leave a filtered result as they change, and its total may stay the same all the while.
        self._trust = Trust(tokens=not plan.filters)
        self._identity, self._source_identity = plan.identity(), plan.source_identity()
        self._began, self._requests_before = clock.boottime(), client.requests_sent
        self._until = plan.end
        self._bounds: tuple[int, int] | None = None
        self._windows: tuple[Window | None, ...] = ()
        self._parts: list[WindowParts] = []
        self._order: list[int] = []
        self._lock = threading.Lock()
        self._done = 0

    def run(self, until: Callable[[], int]) -> Manifest:
        """Extract, going on from an earlier attempt if there was one.

        :param until: decides where reading ends; asked only if no earlier attempt has decided it.
        """
        manifest = self._begin(until)
        if manifest is not None:
            return manifest
        self._bounds, self._reader.windows = self._plan.bounds(self._until), len(self._windows)
        self._parts = [self._new_parts(number) for number in range(len(self._windows))]
        in_parallel(self._read, self._order or range(len(self._windows)), self._reader.stop)
        resolve(self._parts, self._identity)
        self._checkpoint.files = final_files(self._parts, self._layout.suffix)
        manifest = commit(self._directory, self._checkpoint, self._describe)
        if manifest is None:
            raise ExtractionError(f"Parts vanished from {self._directory.url(WORK)}.", advice="Run it again.")
        return manifest

    def _begin(self, until: Callable[[], int]) -> Manifest | None:
        """Decide what to read, or finish the commit that an earlier attempt had begun."""
        checkpoint = self._checkpoint
        if checkpoint.load():
            self._until = checkpoint.until
            cut = checkpoint.cut
            self._windows = tuple(Window(*edges) for edges in cut) if cut else self._plan.split(self._until)
            checkpoint.save(take_over=True)
            if checkpoint.files is not None:
                manifest = commit(self._directory, checkpoint, self._describe)
                if manifest is not None:
                    return manifest
            elif len(checkpoint.windows) == len(self._windows):
                return None
        self._until = until()
        self._windows = self._plan.split(self._until)
        # Before anything is asked for: whether the directory can be written to at all. Of no windows, nobody resumes.
        checkpoint.start(self._until, 0)
        checkpoint.save(take_over=True)
        cut = self._level()
        checkpoint.start(self._until, len(self._windows), cut)
        checkpoint.save(take_over=True)
        self._directory.remove_below(WORK)
        return None

    def _level(self) -> list[tuple[int, int]] | None:
        """Cut windows where many rows are, if that pays; return where they then start and end."""
        plan, reader = self._plan, self._reader
        windows = [window for window in self._windows if window is not None]
        if not plan.may_level or not 0 < len(windows) <= PARALLEL:
            return None
        totals = reader.look(windows)
        loads = [Load(window, total) for window, total in zip(windows, totals, strict=True) if total is not None]
        if len(loads) < len(windows):
            return None
        threads = useful_threads(self._client.requests_per_second)
        loads = level(loads, reader.count, page_size=plan.page_rows, threads=threads)
        if len(loads) == len(windows):
            return None
        self._windows = tuple(load.window for load in loads)
        reader.keep([load.window for load in loads])
        # The longest first, so that none is begun when the others are about to end.
        self._order = sorted(range(len(loads)), key=lambda number: -loads[number].rows)
        return [(load.window.start, load.window.end) for load in loads]

    def _new_parts(self, number: int) -> WindowParts:
        return WindowParts(
            self._directory,
            f"{self._checkpoint.owner}-w{number:03d}",
            self._layout,
            self._identity,
            self._bounds,
            self._rows_per_part,
        )

    def _read(self, number: int) -> None:
        """Read one window to its end."""
        parts, saved = self._parts[number], self._checkpoint.windows[number]
        position = saved.position
        # Copies: a part that grows must not change what is recorded of it before its page is.
        edge = parts.resume([replace(part) for part in saved.parts], position.cursor if position else None)
        if edge is None:
            position = None
        try:
            if position is None or not position.done:
                position = self._sweep(number, position, edge)
            parts.close()
            self._record(number, position)
        finally:
            parts.abandon()
        with self._lock:
            self._done += 1
            # Threads that have nothing left to read ask for children of the windows that are left.
            self._reader.windows = max(1, len(self._windows) - self._done)

    def _sweep(self, number: int, position: Position | None, edge: dict[Any, int | None] | None) -> Position | None:
        parts, plan, window = self._parts[number], self._plan, self._windows[number]
        # The keys in the files are those of the stream; a parent's rows cannot be found there.
        edge = edge if plan.stream is plan.source else None
        # Of the page that an earlier attempt could not finish.
        finished = set(position.parents) if position else set()
        position = replace(position, parents=[]) if position else None
        beginning = Position(window.start if window else 0)
        try:
            for batch in plan.sweep(window, self._reader.page, self._trust, position, edge):
                self._reader.check_abandoned()
                if batch.restart:
                    parts.restart()
                    finished.clear()
                span = span_of(batch.rows, self._source_identity, self._bounds)
                told = len(finished)
                for rows in self._reader.rows(batch.rows, window.start if window else None, finished):
                    self._keep(parts, rows)
                    if parts.durable and len(finished) > told:
                        told = len(finished)
                        self._record(number, replace(position or beginning, parents=sorted(finished)))
                parts.widen(span)
                position = batch.position
                finished.clear()
                if parts.durable:
                    self._record(number, position)
                self._tell()
        except BaseException:
            if not parts.durable and (position is not None or finished):
                # What has gathered is worth an upload: it need not be read again. The failure itself matters more.
                with contextlib.suppress(Exception):
                    parts.close()
                    self._record(number, replace(position or beginning, parents=sorted(finished)))
            raise
        return position

    def _keep(self, parts: WindowParts, rows: list[Row]) -> None:
        if not rows:
            return
        keys = [self._identity.key(row) for row in rows]
        if self._protect is not None:
            for row in rows:
                self._protect(row)
        parts.write(rows, keys)

    def _record(self, number: int, position: Position | None) -> None:
        parts = self._parts[number].parts
        known = {part.name for part in self._checkpoint.windows[number].parts}
        try:
            self._checkpoint.update(number, position, parts, self._requests(), self._reader.gone)
        except AnotherRunError:
            # The other run knows of none but the recorded ones, and would leave these where they lie.
            for part in parts:
                if part.name not in known:
                    self._directory.remove(part.name)
            raise

    def _requests(self) -> int:
        return self._client.requests_sent - self._requests_before

    def _tell(self) -> None:
        if self._progress is not None:
            with self._lock:
                rows = sum(len(parts.index) for parts in self._parts)
                self._progress(Progress(rows, self._done, len(self._parts)))

    def _describe(self, files: tuple[DataFile, ...]) -> Manifest:
        plan, checkpoint = self._plan, self._checkpoint
        total = Span()
        for file in checkpoint.files or []:
            total.widen(Span(file["low"], file["high"], file["outside"]))
        return Manifest(
            stream=plan.stream.name,
            shop_id=plan.shop.id if plan.shop else None,
            start=iso(plan.start),
            end=iso(plan.end),
            complete_until=iso(self._until),
            cursor_field=plan.cursor.field if plan.cursor else None,
            rows=sum(file.rows for file in files),
            files=files,
            min_cursor=total.low,
            max_cursor=total.high,
            rows_outside=total.outside,
            parents_gone=checkpoint.gone_before + self._reader.gone,
            endpoint=f"{plan.stream.method} {plan.path}",
            options={**plan.options(len(self._windows)), **self._stored},
            requests=checkpoint.requests_before + self._requests(),
            run={
                "attempts": checkpoint.attempts,
                "seconds": round(self._clock.boottime() - self._began, 3),
                "finished_at": iso(int(self._clock.now())),
                "provider_version": __version__,
            },
            manifest_path=self._directory.url(MANIFEST),
            open_id=None if plan.shop else plan.open_id,
            category_asset=plan.asset.id if plan.asset else None,
            _directory=self._directory,
        )
