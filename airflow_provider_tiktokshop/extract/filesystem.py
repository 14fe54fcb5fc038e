"""One directory, local or in an object store, with just the operations that the engine needs.

Nothing here imports Airflow or fsspec: an ``ObjectStoragePath`` or ``UPath`` is handed in and brings its file system.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from airflow_provider_tiktokshop.extract.errors import AnotherRunError, OptionError
from airflow_provider_tiktokshop.extract.object_store import RemoteDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Directory", "LocalDirectory", "RemoteDirectory", "open_directory"]


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
        ``ObjectStoragePath``. Text with a scheme is made one of these.
    :raises OptionError: it is none of these.
    """
    if isinstance(output, str) and "://" in output:
        output = _located(output)
    if getattr(output, "protocol", None) in {"file", "local", ""}:
        return LocalDirectory(Path(output.path, *steps))
    # Path objects of object stores may be pathlib's too: those of universal-pathlib before 0.3 are, Airflow 3.1's among them.
    remote = hasattr(output, "fs") and hasattr(output, "path")
    if isinstance(output, (str, Path)) and not remote:
        return LocalDirectory(Path(output, *steps))
    if not remote:
        raise OptionError(
            f"output is a {type(output).__name__}.", advice="Hand in a path, a UPath or an ObjectStoragePath."
        )
    for step in steps:
        output = output / step
    return RemoteDirectory(output.fs, output.path.rstrip("/"), str(output).rstrip("/"))


def _located(url: str) -> Any:
    """Return the path object for a URL. One that names an Airflow connection (``s3://conn_id@bucket``) needs Airflow's."""
    scheme, rest = url.split("://", 1)
    if "@" in rest.split("/", 1)[0]:
        # In a task it is always loaded; this package works without Airflow and never loads it by itself.
        airflow = sys.modules.get("airflow.sdk")
        if airflow is None:
            raise OptionError(
                f"The {scheme} URL names an Airflow connection, and this process has not loaded Airflow.",
                advice="Hand in ObjectStoragePath(url), or the URL without the connection.",
            )
        return airflow.ObjectStoragePath(url)
    try:
        from upath import UPath
    except ImportError:
        raise OptionError(
            f"output is a URL ({scheme}), and universal-pathlib is not installed.",
            advice="Hand in an ObjectStoragePath, or install universal-pathlib.",
        ) from None
    return UPath(url)


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
