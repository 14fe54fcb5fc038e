"""One directory, local or in an object store, with just the operations that the engine needs.

Nothing here imports Airflow or fsspec: an ``ObjectStoragePath`` or ``UPath`` is handed in and brings its file system.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

from airflow_provider_tiktokshop.extract.errors import AnotherRunError, OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Directory", "LocalDirectory", "RemoteDirectory", "open_directory"]

_OBJECT_STORES: Final = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "r2"})


class Directory(Protocol):
    """A directory. Names are relative to it and may contain one slash."""

    appendable: bool
    """Whether a file can grow in place, and be renamed at no cost."""

    locked: bool
    """Whether :meth:`lock` keeps others out; where it cannot, the checkpoint's owner has to be asked."""

    def url(self, name: str = "") -> str:
        """Return the full path or URL of a name."""
        ...

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Keep other runs on this machine, or on the same network mount, out of the directory."""
        ...

    def names(self, below: str = "") -> list[str]:
        """Return the names of the files directly in the directory, or in its subdirectory ``below``."""
        ...

    def size(self, name: str) -> int | None:
        """Return a file's length in bytes, ``None`` when there is none."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return a file's content, ``None`` when there is none."""
        ...

    def replace(self, name: str, content: bytes, *, durable: bool = False) -> None:
        """Write a small file: readers see the old content or the new, never a part."""
        ...

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading."""
        ...

    def upload(self, name: str, source: IO[bytes]) -> None:
        """Write a file from its beginning to the end of ``source``."""
        ...

    def move(self, source: str, target: str) -> None:
        """Rename a file, replacing the target."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        ...

    def remove_below(self, below: str) -> None:
        """Remove a subdirectory with its files if it is there."""
        ...

    def settle(self) -> None:
        """Make renames and removals survive a power cut, where that takes a call."""
        ...


def open_directory(output: Any, *steps: str) -> Directory:
    """Return the directory ``output/steps...``.

    :param output: a local path as text or ``pathlib.Path``; or an object with ``fs`` and ``path``: ``UPath``, Airflow's
        ``ObjectStoragePath``. Text with a scheme is made a ``UPath`` if that package is there.
    :raises OptionError: it is none of these.
    """
    if isinstance(output, str) and "://" in output:
        try:
            from upath import UPath
        except ImportError:
            raise OptionError(
                f"output is a URL ({output.split('://', 1)[0]}), and universal-pathlib is not installed.",
                advice="Hand in an ObjectStoragePath, or install universal-pathlib.",
            ) from None
        output = UPath(output)
    if isinstance(output, (str, Path)):
        return LocalDirectory(Path(output, *steps))
    if getattr(output, "protocol", None) in {"file", "local", ""}:
        return LocalDirectory(Path(output.path, *steps))
    if not hasattr(output, "fs") or not hasattr(output, "path"):
        raise OptionError(
            f"output is a {type(output).__name__}.", advice="Hand in a path, a UPath or an ObjectStoragePath."
        )
    for step in steps:
        output = output / step
    return RemoteDirectory(output.fs, output.path.rstrip("/"), str(output).rstrip("/"))


class LocalDirectory:
    """A directory of a mounted file system."""

    appendable = True

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.locked = False

    def url(self, name: str = "") -> str:
        """See :class:`Directory`."""
        return str(self.path / name)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """See :class:`Directory`. The kernel lets go of it when the process dies, however it dies."""
        import fcntl

        self.path.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.locked = True
            except OSError as failure:
                # Some network mounts cannot lock directories.
                if failure.errno in {errno.EWOULDBLOCK, errno.EACCES}:
                    raise AnotherRunError(
                        f"Another process is extracting into {self.path}.",
                        advice="Let it finish; if it hangs, end it, and its work will be taken over.",
                    ) from None
            yield
        finally:
            self.locked = False
            os.close(handle)

    def names(self, below: str = "") -> list[str]:
        """See :class:`Directory`."""
        folder = self.path / below
        return sorted(entry.name for entry in folder.iterdir() if entry.is_file()) if folder.is_dir() else []

    def size(self, name: str) -> int | None:
        """See :class:`Directory`."""
        try:
            return (self.path / name).stat().st_size
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes | None:
        """See :class:`Directory`."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def replace(self, name: str, content: bytes, *, durable: bool = False) -> None:
        """See :class:`Directory`."""
        target = self.path / name
        temporary = target.with_name(f".{target.name}.tmp")
        with temporary.open("wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(target)
        if durable:
            self.settle()

    def open(self, name: str) -> IO[bytes]:
        """See :class:`Directory`."""
        return (self.path / name).open("rb")

    def upload(self, name: str, source: IO[bytes]) -> None:
        """See :class:`Directory`."""
        target = self.path / name
        target.parent.mkdir(exist_ok=True)
        with target.open("wb") as file:
            shutil.copyfileobj(source, file)
            file.flush()
            os.fsync(file.fileno())

    def move(self, source: str, target: str) -> None:
        """See :class:`Directory`."""
        (self.path / source).replace(self.path / target)

    def remove(self, name: str) -> None:
        """See :class:`Directory`."""
        (self.path / name).unlink(missing_ok=True)

    def remove_below(self, below: str) -> None:
        """See :class:`Directory`."""
        shutil.rmtree(self.path / below, ignore_errors=True)

    def settle(self) -> None:
        """See :class:`Directory`."""
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # Not every network mount can do it, and then nothing can.
            with contextlib.suppress(OSError):
                os.fsync(handle)
        finally:
            os.close(handle)


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
        """See :class:`Directory`."""
        return f"{self._url}/{name}" if name else self._url

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """See :class:`Directory`. Object stores have no locks: a later run takes over, and the earlier one notices."""
        yield

    def names(self, below: str = "") -> list[str]:
        """See :class:`Directory`."""
        self._fs.invalidate_cache()
        try:
            entries = self._fs.ls(self._at(below), detail=True)
        except FileNotFoundError:
            return []
        return sorted(entry["name"].rsplit("/", 1)[-1] for entry in entries if entry["type"] == "file")

    def size(self, name: str) -> int | None:
        """See :class:`Directory`."""
        self._fs.invalidate_cache()
        try:
            return int(self._fs.info(self._at(name))["size"])
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes | None:
        """See :class:`Directory`."""
        self._fs.invalidate_cache()
        try:
            return bytes(self._fs.cat_file(self._at(name)))
        except FileNotFoundError:
            return None

    def replace(self, name: str, content: bytes, *, durable: bool = False) -> None:  # noqa: ARG002 - a PUT is durable
        """See :class:`Directory`. An object appears whole or not at all."""
        self._make_room(name)
        self._fs.pipe_file(self._at(name), content)

    def open(self, name: str) -> IO[bytes]:
        """See :class:`Directory`."""
        file: IO[bytes] = self._fs.open(self._at(name), "rb")
        return file

    def upload(self, name: str, source: IO[bytes]) -> None:
        """See :class:`Directory`."""
        self._make_room(name)
        with self._fs.open(self._at(name), "wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)

    def move(self, source: str, target: str) -> None:
        """See :class:`Directory`. A copy in the store and a removal."""
        self._make_room(target)
        self._fs.cp_file(self._at(source), self._at(target))
        self._fs.rm_file(self._at(source))

    def remove(self, name: str) -> None:
        """See :class:`Directory`."""
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self._at(name))

    def remove_below(self, below: str) -> None:
        """See :class:`Directory`."""
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm(self._at(below), recursive=True)

    def settle(self) -> None:
        """See :class:`Directory`. Nothing to do."""

    def _make_room(self, name: str) -> None:
        # An object store has no folders; asked for one, some file systems create the bucket that was misspelt.
        if self._has_folders:
            self._fs.makedirs(self._at(name).rsplit("/", 1)[0], exist_ok=True)
