"""Turns rows into the bytes of a part, and back."""

from __future__ import annotations

import gzip
import zlib
from itertools import islice
from typing import IO, TYPE_CHECKING, Final, Protocol

import orjson

from airflow_provider_tiktokshop.extract.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_provider_tiktokshop.extract.rows import Row
    from airflow_provider_tiktokshop.streams.base import Stream

__all__ = ["FORMATS", "Format", "JsonLinesGzip", "Writer", "format_of"]

# Above 6 gzip takes twice the time for two per cent.
_LEVEL: Final = 6
_GZIP: Final = (
    31  # wbits of zlib that make it write a gzip member: no file name, time 0, so the same rows are the same bytes
)
_ROWS_PER_MEMBER: Final = 100


class Writer(Protocol):
    """Writes one part into an open file."""

    def write(self, rows: Iterable[Row]) -> None:
        """Append rows."""
        ...

    def finish(self) -> None:
        """Write what has to stand at the end. The file stays open."""
        ...


class Format(Protocol):
    """How rows are laid out in a file."""

    suffix: str
    """What part names end in."""

    grows: bool
    """Whether a file is readable after every page, so that it can be continued later."""

    revision: str
    """Changes when the same rows would be laid out in another way: what was written before is then not continued."""

    def writer(self, file: IO[bytes]) -> Writer:
        """Return a writer into ``file``, which may hold rows already if the format grows."""
        ...

    def decode(self, file: IO[bytes]) -> Iterator[Row]:
        """Yield the rows of a part."""
        ...

    def without(self, file: IO[bytes], dropped: set[int], into: IO[bytes]) -> None:
        """Write a part anew without the rows at the given places (the first row is at 0)."""
        ...


class JsonLinesGzip:
    """One row a line as the service sent it, gzip; every page is a gzip member of its own.

    So a part can be cut back to any page that it ends with, and a reader still sees one gzip file (RFC 1952, section 2.2).
    """

    suffix = "jsonl.gz"
    grows = True
    revision = ""

    def writer(self, file: IO[bytes]) -> Writer:
        """See :class:`Format`."""
        return _Pages(file)

    def decode(self, file: IO[bytes]) -> Iterator[Row]:
        """See :class:`Format`."""
        with gzip.GzipFile(fileobj=file) as lines:
            for line in lines:
                yield orjson.loads(line)

    def without(self, file: IO[bytes], dropped: set[int], into: IO[bytes]) -> None:
        """See :class:`Format`."""
        with gzip.GzipFile(fileobj=file) as lines:
            kept = (line for place, line in enumerate(lines) if place not in dropped)
            while member := b"".join(islice(kept, _ROWS_PER_MEMBER)):
                into.write(zlib.compress(member, _LEVEL, _GZIP))


class _Pages:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, rows: Iterable[Row]) -> None:
        dumps, line = orjson.dumps, orjson.OPT_APPEND_NEWLINE
        self._file.write(zlib.compress(b"".join([dumps(row, option=line) for row in rows]), _LEVEL, _GZIP))

    def finish(self) -> None:
        pass


FORMATS: Final = ("jsonl.gz", "parquet")


def format_of(name: str, stream: Stream | None = None) -> Format:
    """Return the format called ``name``.

    :param stream: whose rows are to be written; reading needs none.
    :raises OptionError: there is none, or a package that it needs is not installed.
    """
    if name == "jsonl.gz":
        return JsonLinesGzip()
    if name == "parquet":
        from airflow_provider_tiktokshop.extract.parquet import Parquet

        return Parquet(stream)
    raise OptionError(f"format is {name!r}.", advice=f"There are: {', '.join(FORMATS)}.")
