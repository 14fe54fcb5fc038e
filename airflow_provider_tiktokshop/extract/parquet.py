"""Parquet: the nested columns that a stream declares, the same in every file of it, whatever its rows hold."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, Final

import orjson

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.extract.errors import OptionError
from airflow_provider_tiktokshop.extract.parquet_rows import NOTHING, fitter, united
from airflow_provider_tiktokshop.extract.rows import whole_seconds
from airflow_provider_tiktokshop.streams.schema import schema_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Executor

    import pyarrow as pa
    import pyarrow.parquet as pq

    from airflow_provider_tiktokshop.extract.rows import Row
    from airflow_provider_tiktokshop.streams.base import Stream
    from airflow_provider_tiktokshop.streams.schema import Fields

__all__ = ["REST", "Parquet", "arrow_schema"]

REST: Final = "_rest"
"""The column for whatever of a row the others do not hold, as JSON text; null where they hold all of it."""

_UTC: Final = "_utc"
_LAYOUT: Final = 1  # changes when the same rows give other columns or other row groups
# Rows become columns so many at a time, and a row group ends at the first such step past so many bytes of columns. Both
# are counted from the part's first row, never by pages or threads: the same rows are the same bytes. A reader, and each
# of eight windows, holds about one row group.
_STEP: Final = 200
_ROW_GROUP: Final = 1 << 20
# What a reader's datetime can hold: the years 1 to 9999.
_FIRST, _LAST = -62_135_596_800, 253_402_300_799


def arrow_schema(stream: str | Stream) -> pa.Schema:
    """Return the Arrow schema that every Parquet file of a stream has: what an interval without rows, and so without
    files, would have had.

    :param stream: a stream or its name.
    :raises OptionError: pyarrow is not installed, or nothing is known about the rows of this stream.
    """
    return Parquet(streams.get(stream) if isinstance(stream, str) else stream).schema


class Parquet:
    """Rows as columns of the declared types, zstd; what a column cannot hold stands in :data:`REST`.

    :param stream: whose rows are written. Reading needs none: a file says what it holds.
    :raises OptionError: pyarrow is not installed, or nothing is known about the rows of this stream.
    """

    suffix = "parquet"
    grows = False
    revision = ""

    def __init__(self, stream: Stream | None = None) -> None:
        arrow = _pyarrow()
        # One thread for the columns of all windows: each thread that allocates for Arrow keeps a heap of megabytes, and
        # Python's lock would hardly let two of them work at a time.
        self._work = ThreadPoolExecutor(1, "parquet")
        if stream is not None:
            fields, times = _columns(stream)
            self.schema: pa.Schema = _schema(arrow, fields, times)
            self._fields, self._times = fields, times
            self.revision = hashlib.sha256(orjson.dumps([_LAYOUT, fields, times])).hexdigest()[:16]

    def writer(self, file: IO[bytes]) -> _Rows:
        """See :class:`~airflow_provider_tiktokshop.extract.writers.Format`."""
        return _Rows(file, self.schema, self._fields, self._times, self._work)

    def decode(self, file: IO[bytes]) -> Iterator[Row]:
        """Yield the rows of a part. A field that came as null is left out, like one that did not come."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        parquet = pq.ParquetFile(file)
        # The service sends no timestamps; those that are there repeat other columns.
        columns = [field.name for field in parquet.schema_arrow if not pa.types.is_timestamp(field.type)]
        for batch in parquet.iter_batches(batch_size=_STEP, columns=columns, use_threads=False):
            for row in _values(batch.to_struct_array()):
                rest = row.pop(REST, None)
                yield united(row, orjson.loads(rest)) if rest else row

    def without(self, file: IO[bytes], dropped: set[int], into: IO[bytes]) -> None:
        """See :class:`~airflow_provider_tiktokshop.extract.writers.Format`. The bytes are those of a part that never had the rows."""
        writer = self.writer(into)
        kept = (row for place, row in enumerate(self.decode(file)) if place not in dropped)
        while step := list(islice(kept, _STEP)):
            writer.write(step)
        writer.finish()


class _Rows:
    """Writes rows into one file.

    :param work: the thread that handles columns.
    """

    def __init__(
        self, file: IO[bytes], schema: pa.Schema, fields: Fields, times: tuple[str, ...], work: Executor
    ) -> None:
        self._sink, self._schema, self._fit, self._times = _Sink(file), schema, fitter(fields), times
        self._parsed = _as_parsed(schema)
        self._work = work
        self._waiting: list[Row] = []
        self._group: list[pa.RecordBatch] = []
        self._bytes = 0
        self._writer: pq.ParquetWriter | None = None

    def write(self, rows: Iterable[Row]) -> None:
        self._waiting += rows
        while len(self._waiting) >= _STEP:
            step, self._waiting = self._waiting[:_STEP], self._waiting[_STEP:]
            self._work.submit(self._take, step).result()

    def finish(self) -> None:
        self._work.submit(self._finish).result()

    def _take(self, rows: list[Row]) -> None:
        lines = []
        for row in rows:
            held, left = self._fit(row)
            moments = {name + _UTC: _millis(row.get(name)) for name in self._times}
            rest = None if left is NOTHING else orjson.dumps(left, option=orjson.OPT_SORT_KEYS).decode()
            lines.append(orjson.dumps({**held, **moments, REST: rest}))
        batch = self._columns(b"\n".join(lines))
        self._group.append(batch)
        self._bytes += batch.nbytes
        if self._bytes >= _ROW_GROUP:
            self._end_group()

    def _columns(self, lines: bytes) -> pa.RecordBatch:
        """Return the columns of some rows, which fit their types; fields that no column is for are left out.

        By way of JSON: what turns Python's values into Arrow's loads pandas, where there is one, and its 45 MB.
        """
        import pyarrow.json as paj

        table = paj.read_json(
            io.BytesIO(lines),
            paj.ReadOptions(use_threads=False, block_size=len(lines) + 1),
            paj.ParseOptions(explicit_schema=self._parsed, unexpected_field_behavior="ignore"),
        )
        (batch,) = table.cast(self._schema).to_batches()
        return batch

    def _end_group(self) -> pq.ParquetWriter:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self._writer is None:
            # Arrow's own copy of the schema would be a third of a small file, and says nothing that Parquet's does not.
            self._writer = pq.ParquetWriter(self._sink, self._schema, compression="zstd", store_schema=False)
        if self._group:
            table = pa.Table.from_batches(self._group, schema=self._schema)
            self._group, self._bytes = [], 0
            self._writer.write_table(table, row_group_size=table.num_rows)
        return self._writer

    def _finish(self) -> None:
        if self._waiting:
            rows, self._waiting = self._waiting, []
            self._take(rows)
        self._end_group().close()


class _Sink(io.RawIOBase):
    """Hands bytes on to a file, which stays open, until somebody closes that: a writer that is let go of in the middle
    of a part still wants to write its end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return len(data) if self._file.closed else self._file.write(data)


def _pyarrow() -> Any:
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError:
        raise OptionError(
            "format is 'parquet', and pyarrow is not installed.",
            advice="Install airflow-provider-tiktokshop[parquet] where tasks run, or use format='jsonl.gz'.",
        ) from None
    return pa


def _columns(stream: Stream) -> tuple[Fields, tuple[str, ...]]:
    """Return the fields of a stream, and those of them that are moments by which it is selected or versioned."""
    try:
        fields = dict(schema_of(stream))
    except LookupError:
        raise OptionError(
            f"Nothing is known about the rows of stream {stream.name}, and Parquet needs their types.",
            advice="Use format='jsonl.gz', or a stream of the registry.",
        ) from None
    times = dict.fromkeys(cursor.field for cursor in stream.cursors if cursor.kind != "date")
    if stream.version_field:
        times[stream.version_field] = None
    for name in times:
        fields.setdefault(name, "int")
    if taken := fields.keys() & {REST, *(name + _UTC for name in times)}:
        raise ValueError(f"{stream.name}: its fields are named like columns of ours: {sorted(taken)}")
    return fields, tuple(times)


def _schema(pa: Any, fields: Fields, times: tuple[str, ...]) -> pa.Schema:
    return pa.schema(
        [
            *((name, _type(pa, kind)) for name, kind in fields.items()),
            *((name + _UTC, _timestamp(pa)) for name in times),
            (REST, pa.string()),
        ]
    )


def _type(pa: Any, kind: Any) -> Any:
    if isinstance(kind, dict):
        return pa.struct([(name, _type(pa, inner)) for name, inner in kind.items()])
    if isinstance(kind, list):
        return pa.list_(pa.field("element", _type(pa, kind[0])))
    return {"string": pa.string(), "int": pa.int64(), "bool": pa.bool_()}[kind]


def _as_parsed(schema: pa.Schema) -> pa.Schema:
    """Return the schema with whole numbers for timestamps, which Arrow would read from texts only."""
    import pyarrow as pa

    for place, field in enumerate(schema):
        if pa.types.is_timestamp(field.type):
            schema = schema.set(place, field.with_type(pa.int64()))
    return schema


def _timestamp(pa: Any) -> Any:
    # Parquet has no coarser one.
    return pa.timestamp("ms", "UTC")


def _millis(value: Any) -> int | None:
    """Return a time as the service sends it in milliseconds, ``None`` where it is none."""
    seconds = whole_seconds(value)
    return seconds * 1000 if seconds is not None and _FIRST <= seconds <= _LAST else None


def _values(array: Any) -> list[Any]:
    """Return the values of an Arrow array. Objects hold no nulls; one in a list is an item, and stays.

    By columns: Arrow's own way makes a Python object of every null of every row first.
    """
    import pyarrow as pa

    count = len(array)
    if array.null_count == count:
        return [None] * count
    if pa.types.is_struct(array.type):
        objects: list[dict[str, Any]] = [{} for _ in range(count)]
        for field, column in zip(array.type, array.flatten(), strict=True):
            if column.null_count < count:
                for made, value in zip(objects, _values(column), strict=True):
                    if value is not None:
                        made[field.name] = value
        return _nulled(objects, array)
    if pa.types.is_list(array.type):
        items = _values(array.flatten())
        ends, lists = 0, []
        for length in array.value_lengths().to_pylist():
            ends += length or 0
            lists.append(items[ends - (length or 0) : ends])
        return _nulled(lists, array)
    found: list[Any] = array.to_pylist()
    return found


def _nulled(values: list[Any], array: Any) -> list[Any]:
    if array.null_count:
        for place, valid in enumerate(array.is_valid().to_pylist()):
            if not valid:
                values[place] = None
    return values
