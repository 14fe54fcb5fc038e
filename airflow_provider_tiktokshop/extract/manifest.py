"""The manifest: written last, it is the commit of an extraction. Readers trust only what it lists."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from airflow_provider_tiktokshop.extract.errors import ManifestError
from airflow_provider_tiktokshop.extract.filesystem import Directory, open_directory
from airflow_provider_tiktokshop.extract.writers import format_of

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.extract.rows import Row

__all__ = ["MANIFEST", "DataFile", "Manifest", "owner_steps", "read_manifest", "read_rows"]

MANIFEST: Final = "manifest.json"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of an extraction.

    :param name: beside the manifest.
    :param rows: rows in it.
    :param bytes: its length.
    :param sha256: hex digest of its bytes.
    """

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an extraction gave.

    :param stream: name of the stream.
    :param shop_id: the shop, ``None`` for a stream that belongs to none.
    :param start: start of the interval asked for, included, ISO 8601 in UTC.
    :param end: its end, excluded.
    :param complete_until: up to where rows were read; less than ``end`` only if the end had not come yet.
    :param cursor_field: the field that the interval is about.
    :param rows: how many rows, each primary key once.
    :param files: the files, in order; none when there are no rows.
    :param min_cursor: smallest cursor inside the interval, Unix seconds, ``None`` without rows.
    :param max_cursor: greatest cursor inside the interval. Never use it as the next start: use ``complete_until``.
    :param rows_outside: rows whose cursor left the interval while it was read. The version that came is kept; the
        interval they went to has it too.
    :param parents_gone: for rows that are asked for by ids: parents that were listed, and unknown to the service a moment
        later. They have no rows here.
    :param endpoint: method and path.
    :param options: everything that decided which rows were read and how they were written.
    :param requests: how many requests it took, retries and earlier attempts included.
    :param run: facts of the run that say nothing about the data: ``seconds``, ``attempts``, ``finished_at``.
    :param manifest_path: full path or URL of the manifest.
    :param open_id: whose rows they are, where they belong to no shop.
    :param category_asset: an affiliate partner's market and category.
    """

    stream: str
    shop_id: str | None
    start: str
    end: str
    complete_until: str
    cursor_field: str | None
    rows: int
    files: tuple[DataFile, ...]
    min_cursor: int | None
    max_cursor: int | None
    rows_outside: int
    endpoint: str
    options: Mapping[str, Any]
    requests: int
    run: Mapping[str, Any]
    manifest_path: str
    open_id: str | None = None
    category_asset: str | None = None
    parents_gone: int = 0
    _directory: Directory | None = field(default=None, repr=False, compare=False)

    @property
    def complete(self) -> bool:
        """Whether the whole interval was read."""
        return self.complete_until == self.end

    @property
    def owner(self) -> tuple[str, ...]:
        """Whose rows they are, as the steps of the path below the stream's: ``("shop_id=7495…",)``."""
        return owner_steps(self.shop_id, self.open_id, self.category_asset)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values, for XCom. ``path`` of each file is its full path or URL."""
        base = self.manifest_path.removesuffix(MANIFEST)
        return {**self._facts(), "files": self._files(base), "manifest_path": self.manifest_path}

    def to_json(self) -> bytes:
        """Return what stands in the file: like :meth:`to_dict`, but ``path`` is relative, so that data can be moved."""
        content = {"manifest_version": _VERSION, **self._facts(), "files": self._files("")}
        return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    def _facts(self) -> dict[str, Any]:
        return {
            "stream": self.stream,
            "shop_id": self.shop_id,
            "open_id": self.open_id,
            "category_asset": self.category_asset,
            "start": self.start,
            "end": self.end,
            "complete": self.complete,
            "complete_until": self.complete_until,
            "cursor_field": self.cursor_field,
            "rows": self.rows,
            "files": [],
            "min_cursor": self.min_cursor,
            "max_cursor": self.max_cursor,
            "rows_outside": self.rows_outside,
            "parents_gone": self.parents_gone,
            "endpoint": self.endpoint,
            "options": dict(self.options),
            "requests": self.requests,
            "run": dict(self.run),
        }

    def _files(self, base: str) -> list[dict[str, Any]]:
        return [
            {"path": base + file.name, "rows": file.rows, "bytes": file.bytes, "sha256": file.sha256}
            for file in self.files
        ]


def owner_steps(shop_id: str | None, open_id: str | None, category_asset: str | None) -> tuple[str, ...]:
    """Return the directories between a stream's and its intervals'.

    :param shop_id: the shop.
    :param open_id: the authorization, where the rows belong to no shop.
    :param category_asset: an affiliate partner's market and category.
    """
    if shop_id is not None:
        return (f"shop_id={shop_id}",)
    if open_id is None:
        return ("shop_id=none",)
    # As in the token store: an open_id may hold what a path must not.
    owner = (f"open_id={hashlib.sha256(open_id.encode()).hexdigest()[:16]}",)
    return (*owner, f"category_asset={category_asset}") if category_asset else owner


def read_manifest(path: Any) -> Manifest:
    """Read a manifest.

    :param path: the manifest or its directory: local path, ``UPath``, ``ObjectStoragePath``, or what
        :meth:`Manifest.to_dict` gave.
    :raises ManifestError: there is none (the extraction is not finished), or it cannot be read.
    """
    if isinstance(path, Mapping):
        path = path["manifest_path"]
    name = path.rstrip("/").rsplit("/", 1)[-1] if isinstance(path, str) else path.name
    if name == MANIFEST:
        path = path.rstrip("/").removesuffix(MANIFEST) or "." if isinstance(path, str) else path.parent
    manifest = load(open_directory(path))
    if manifest is None:
        raise ManifestError(f"There is no manifest at {path}.", advice="The extraction has not finished: run it again.")
    return manifest


def load(directory: Directory) -> Manifest | None:
    """Return the manifest of a directory, ``None`` when there is none.

    :raises ManifestError: it cannot be read.
    """
    content = directory.read(MANIFEST)
    if content is None:
        return None
    try:
        saved = orjson.loads(content)
        if saved.pop("manifest_version") != _VERSION:
            raise ManifestError(f"{directory.url(MANIFEST)} was written by another version.", advice="Extract again.")
        saved.pop("complete")
        files = tuple(
            DataFile(file["path"], file["rows"], file["bytes"], file["sha256"]) for file in saved.pop("files")
        )
        return Manifest(**saved, files=files, manifest_path=directory.url(MANIFEST), _directory=directory)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ManifestError(f"{directory.url(MANIFEST)} is not a manifest.", advice="Extract again.") from None


def read_rows(manifest: Manifest | Any) -> Iterator[Row]:
    """Yield the rows of an extraction, none from a file that is not the one that the manifest lists.

    :param manifest: a manifest, or whatever :func:`read_manifest` takes.
    :returns: the rows, in the order of the files.
    :raises ManifestError: a file is missing or its bytes are others: it is being replaced by a new run, or damaged.
    """
    if not isinstance(manifest, Manifest):
        manifest = read_manifest(manifest)
    directory = manifest._directory or open_directory(manifest.manifest_path.removesuffix(MANIFEST))  # noqa: SLF001
    reader = format_of(manifest.options["format"])
    for file in manifest.files:
        # Parts are bounded, so that one fits in memory: no row is given before the whole file has been checked.
        content = directory.read(file.name)
        if content is None or hashlib.sha256(content).hexdigest() != file.sha256:
            raise ManifestError(
                f"{directory.url(file.name)} is {'missing' if content is None else 'not the file that was written'}.",
                advice="Read the manifest again: a new run may have replaced it. Otherwise extract again.",
            )
        yield from reader.decode(io.BytesIO(content))
