"""A directory in an object store, with the operations of :class:`~airflow_provider_tiktokshop.extract.filesystem.Directory`.

Listings are never taken from the file system's cache: other runs change what is there.
"""

from __future__ import annotations

import contextlib
import shutil
from typing import IO, TYPE_CHECKING, Any, Final

from airflow_provider_tiktokshop.extract.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RemoteDirectory"]

_OBJECT_STORES: Final = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "r2"})


class RemoteDirectory:
    """A prefix of an object store, through its fsspec file system.

    :param fs: the fsspec file system.
    :param path: the prefix as the file system names it.
    :param url: the prefix as people name it.
    """

    appendable = False
    locked = False

    def __init__(self, fs: Any, path: str, url: str) -> None:
        self._fs, self._path, self._url = fs, path, url
        protocols = {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
        self._has_folders = not protocols & _OBJECT_STORES

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}" if name else self._path

    def url(self, name: str = "") -> str:
        """See ``Directory``."""
        return f"{self._url}/{name}" if name else self._url

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """See ``Directory``. Object stores have no locks: a later run takes over, and the earlier one notices."""
        yield

    def names(self, below: str = "") -> list[str]:
        """See ``Directory``."""
        self._fs.invalidate_cache()
        try:
            entries = self._fs.ls(self._at(below), detail=True)
        except FileNotFoundError:
            return []
        return sorted(entry["name"].rsplit("/", 1)[-1] for entry in entries if entry["type"] == "file")

    def size(self, name: str) -> int | None:
        """See ``Directory``."""
        self._fs.invalidate_cache()
        try:
            return int(self._fs.info(self._at(name))["size"])
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes | None:
        """See ``Directory``."""
        self._fs.invalidate_cache()
        try:
            return bytes(self._fs.cat_file(self._at(name)))
        except FileNotFoundError:
            return None

    def replace(self, name: str, content: bytes, *, durable: bool = False) -> None:  # noqa: ARG002 - a PUT is durable
        """See ``Directory``. An object appears whole or not at all."""
        self._make_room(name)
        try:
            self._fs.pipe_file(self._at(name), content)
        except FileNotFoundError as failure:
            # What a run writes first is small: it meets this before anything is asked for.
            raise OptionError(
                f"{self._url} cannot be written to: {failure}.", advice="Create the bucket, or correct the output path."
            ) from None

    def open(self, name: str) -> IO[bytes]:
        """See ``Directory``."""
        file: IO[bytes] = self._fs.open(self._at(name), "rb")
        return file

    def upload(self, name: str, source: IO[bytes]) -> None:
        """See ``Directory``."""
        self._make_room(name)
        with self._fs.open(self._at(name), "wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)

    def move(self, source: str, target: str) -> None:
        """See ``Directory``. A copy in the store and a removal."""
        self._make_room(target)
        self._fs.cp_file(self._at(source), self._at(target))
        self._fs.rm_file(self._at(source))

    def remove(self, name: str) -> None:
        """See ``Directory``."""
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self._at(name))

    def remove_below(self, below: str) -> None:
        """See ``Directory``."""
        self._fs.invalidate_cache()
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm(self._at(below), recursive=True)

    def settle(self) -> None:
        """See ``Directory``. Nothing to do."""

    def _make_room(self, name: str) -> None:
        # An object store has no folders; asked for one, some file systems create the bucket that was misspelt.
        if self._has_folders:
            self._fs.makedirs(self._at(name).rsplit("/", 1)[0], exist_ok=True)
