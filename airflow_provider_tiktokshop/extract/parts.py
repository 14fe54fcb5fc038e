"""The parts of one window: bounded files, written as rows arrive, known to a later run up to the last page or part."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zlib
from array import array
from dataclasses import dataclass, fields
from typing import IO, TYPE_CHECKING, Any, Final

from airflow_provider_tiktokshop.extract.filesystem import Directory, LocalDirectory

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from airflow_provider_tiktokshop.extract.rows import Identity, Row
    from airflow_provider_tiktokshop.extract.writers import Format, Writer

__all__ = ["WORK", "Part", "Span", "WindowParts", "span_of"]

WORK: Final = "_work"
# A part is the least that a reader opens at once and, in an object store, the most that a kill costs.
_ROWS_LOCAL: Final = 50_000
_ROWS_REMOTE: Final = 10_000
_CHUNK: Final = 1 << 20


@dataclass(slots=True)
class Span:
    """Cursor values of rows.

    :param low: smallest inside the interval, Unix seconds.
    :param high: greatest inside the interval.
    :param outside: how many rows had left the interval by the time they were read.
    """

    low: int | None = None
    high: int | None = None
    outside: int = 0

    def widen(self, other: Span) -> None:
        """Take in another."""
        for value in (other.low, other.high):
            if value is not None:
                self.low = value if self.low is None else min(self.low, value)
                self.high = value if self.high is None else max(self.high, value)
        self.outside += other.outside


def span_of(rows: Iterable[Row], identity: Identity, bounds: tuple[int, int] | None) -> Span:
    """Return the span of rows that were read for the interval ``bounds``."""
    known = [cursor for row in rows if (cursor := identity.cursor(row)) is not None]
    inside = [cursor for cursor in known if bounds[0] <= cursor < bounds[1]] if bounds else known
    return Span(min(inside, default=None), max(inside, default=None), len(known) - len(inside))


@dataclass(slots=True)
class Part(Span):
    """A file of a window.

    :param name: relative to the interval's directory.
    :param rows: rows in it.
    :param bytes: its length; of an open part, the length up to the last whole page.
    :param sha256: hex digest, empty while it is open.
    """

    name: str = ""
    rows: int = 0
    bytes: int = 0
    sha256: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return {name: getattr(self, name) for name in _PART_FIELDS}


_PART_FIELDS: Final = tuple(field.name for field in fields(Part))


class WindowParts:
    """Writes the rows of one window.

    On a local disk, and in a format that allows it, the open part grows in place, page by page; otherwise it gathers in a
    temporary file and appears when it is closed.

    :param directory: the interval's directory.
    :param label: begins the names of the parts; no other run may use the same.
    :param format: how rows are laid out.
    :param identity: tells rows apart.
    :param bounds: the interval that is read, None for a stream without cursor.
    :param rows_per_part: rows after which a part is closed, at the next page's end.
    """

    def __init__(
        self,
        directory: Directory,
        label: str,
        format: Format,  # noqa: A002 - the user's word
        identity: Identity,
        bounds: tuple[int, int] | None,
        rows_per_part: int | None = None,
    ) -> None:
        self.parts: list[Part] = []
        self.index: array[int] = array("q")
        self._directory, self._label = directory, label
        self._format, self._identity, self._bounds = format, identity, bounds
        self._grows = directory.appendable and format.grows
        self._limit = rows_per_part or (_ROWS_LOCAL if self._grows else _ROWS_REMOTE)
        self._made = 0
        self._file: IO[bytes] | None = None
        self._writer: Writer | None = None

    @property
    def durable(self) -> bool:
        """Whether all rows so far would survive this process."""
        return self._file is None or self._grows

    def write(self, rows: list[Row], keys: list[Hashable], span: Span | None = None) -> None:
        """Append a page.

        :param rows: as they are to be stored.
        :param keys: their primary keys.
        :param span: their cursors, if they are known already.
        """
        part, file, writer = self._open()
        try:
            writer.write(rows)
            file.flush()
        except BaseException:
            # What is recorded of a growing file still holds; what had gathered for an upload does not.
            self.abandon()
            if not self._grows:
                self.parts.pop()
            raise
        if self._grows:
            part.bytes = file.tell()
        part.rows += len(rows)
        if span is not None:
            part.widen(span)
        # 64 bits a row, in the order of the file: enough to find what may be double, and where, at the end.
        self.index.extend([hash(key) for key in keys])
        if part.rows >= self._limit:
            self.close()

    def widen(self, span: Span) -> None:
        """Tell of which cursors the page was whose rows were written last."""
        if self.parts:
            self.parts[-1].widen(span)

    def close(self) -> None:
        """Close the open part, if there is one; it is then complete in its directory."""
        if self._file is None or self._writer is None:
            return
        part, file = self.parts[-1], self._file
        self._writer.finish()
        file.flush()
        if self._grows:
            os.fsync(file.fileno())
        part.bytes, part.sha256 = _measure(file)
        if not self._grows:
            file.seek(0)
            self._directory.upload(part.name, file)
        self.abandon()

    def abandon(self) -> None:
        """Let go of the open file as it is."""
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None

    def restart(self) -> None:
        """Take back everything."""
        self.abandon()
        for part in self.parts:
            self._directory.remove(part.name)
        self.parts.clear()
        del self.index[:]

    def resume(self, saved: list[Part], cursor: int | None) -> dict[Hashable, int | None] | None:
        """Take over the parts of an earlier run, cut back to what it had recorded.

        :param saved: its parts.
        :param cursor: the cursor value it had reached.
        :returns: key and version of the rows at ``cursor``; ``None`` when a file is gone or damaged, and the window has
            to be read from its start.
        """
        edge: dict[Hashable, int | None] = {}
        self.parts = list(saved)
        try:
            for part in saved:
                self._take_over(part, cursor, edge)
        except (OSError, EOFError, ValueError, zlib.error):
            # A power cut can lose what a kill cannot.
            self.restart()
            return None
        if saved and not saved[-1].sha256:
            self._continue(saved[-1])
        return edge

    def drop(self, number: int, places: set[int]) -> None:
        """Write a closed part anew without some rows.

        :param number: which part.
        :param places: places of the rows in the part.
        """
        old = self.parts[number]
        new = Part(name=self._name(), rows=old.rows - len(places))
        with self._directory.open(old.name) as file, tempfile.TemporaryFile() as spool:
            self._format.without(file, places, spool)
            new.bytes, new.sha256 = _measure(spool)
            spool.seek(0)
            if self._identity.cursor_field is None:
                new.widen(old)  # what their parents' cursors were does not stand in the rows
            else:
                new.widen(span_of(self._format.decode(spool), self._identity, self._bounds))
            spool.seek(0)
            self._directory.upload(new.name, spool)
        self.parts[number] = new

    def rows_at(self, number: int, places: set[int]) -> Iterator[tuple[int, Row]]:
        """Yield the rows at some places of a part, with their places."""
        with self._directory.open(self.parts[number].name) as file:
            for place, row in enumerate(self._format.decode(file)):
                if place in places:
                    yield place, row

    def _name(self) -> str:
        self._made += 1
        return f"{WORK}/{self._label}-{self._made - 1:05d}.{self._format.suffix}"

    def _open(self) -> tuple[Part, IO[bytes], Writer]:
        if self._file is None or self._writer is None:
            part = Part(name=self._name())
            if self._grows and isinstance(self._directory, LocalDirectory):
                path = self._directory.path / part.name
                path.parent.mkdir(exist_ok=True)
                self._file = path.open("w+b")
            else:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
            self._writer = self._format.writer(self._file)
            self.parts.append(part)
        return self.parts[-1], self._file, self._writer

    def _take_over(self, part: Part, cursor: int | None, edge: dict[Hashable, int | None]) -> None:
        size = self._directory.size(part.name) or 0
        if size > part.bytes and not part.sha256 and isinstance(self._directory, LocalDirectory):
            os.truncate(self._directory.path / part.name, part.bytes)  # a page that was written but not recorded
        elif size != part.bytes:
            raise EOFError(part.name)
        before = len(self.index)
        with self._directory.open(part.name) as file:
            if part.sha256 and _measure(file)[1] != part.sha256:
                raise ValueError(part.name)
            file.seek(0)
            for row in self._format.decode(file):
                key = self._identity.key(row)
                self.index.append(hash(key))
                if cursor is not None and self._identity.cursor(row) == cursor:
                    edge[key] = self._identity.version(row)
        if len(self.index) - before != part.rows:
            raise ValueError(part.name)

    def _continue(self, part: Part) -> None:
        if isinstance(self._directory, LocalDirectory):
            self._file = (self._directory.path / part.name).open("r+b")
            self._file.seek(0, os.SEEK_END)
            self._writer = self._format.writer(self._file)


def _measure(file: IO[bytes]) -> tuple[int, str]:
    """Return length and sha256 of a file."""
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
    return file.tell(), digest.hexdigest()
