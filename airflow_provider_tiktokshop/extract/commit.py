"""Makes the parts of a finished run the files of its interval.

Parts wait in ``_work/`` until all of them are there. Then, in this order: the sidecar records what is to become of which
part; a manifest that lists other bytes is removed; the parts get their final names; files of earlier runs go; the new
manifest appears in one step; sidecar and ``_work/`` go. A kill between any two steps leaves either the old manifest with
the old files, or no manifest and a sidecar from which the next run goes on. So no reader ever finds a manifest beside
files that it does not describe; one that was already reading notices by the sha256.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tiktokshop.extract.errors import ManifestError
from airflow_provider_tiktokshop.extract.manifest import MANIFEST, DataFile, Manifest, load
from airflow_provider_tiktokshop.extract.parts import WORK, Part, WindowParts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_tiktokshop.extract.checkpoint import Checkpoint
    from airflow_provider_tiktokshop.extract.filesystem import Directory

__all__ = ["commit", "final_files"]

_FINAL: Final = re.compile(r"part-\d{5}\.\w+(\.\w+)?")


def final_files(windows: Sequence[WindowParts], suffix: str) -> list[dict[str, Any]]:
    """Return which part becomes which file: numbered through all windows in their order.

    The numbers depend on the windows and on the rows in them alone, not on which thread was faster.
    """
    parts: list[Part] = [part for window in windows for part in window.parts if part.rows]
    return [{**part.to_dict(), "path": f"part-{number:05d}.{suffix}"} for number, part in enumerate(parts)]


def commit(
    directory: Directory, checkpoint: Checkpoint, describe: Callable[[tuple[DataFile, ...]], Manifest]
) -> Manifest | None:
    """Make the recorded files final, and write the manifest. May be called again after a kill at any point.

    :param directory: the interval's directory.
    :param checkpoint: its sidecar, ``files`` filled in.
    :param describe: makes the manifest.
    :returns: the manifest, or ``None`` if a file is gone and everything has to be read again.
    """
    planned = checkpoint.files or []
    files = tuple(DataFile(file["path"], file["rows"], file["bytes"], file["sha256"]) for file in planned)
    checkpoint.save()
    if not _same(directory, files):
        directory.remove(MANIFEST)
        directory.settle()
    for file in planned:
        if directory.size(file["name"]) is not None:
            directory.move(file["name"], file["path"])
        elif not _is(directory, file["path"], file["sha256"]):
            return None
    wanted = {file.name for file in files}
    for name in directory.names():
        if _FINAL.fullmatch(name) and name not in wanted:
            directory.remove(name)
    directory.settle()
    manifest = describe(files)
    directory.replace(MANIFEST, manifest.to_json(), durable=True)
    checkpoint.remove()
    directory.remove_below(WORK)
    return manifest


def _same(directory: Directory, files: tuple[DataFile, ...]) -> bool:
    """Tell whether the manifest that is there lists these very bytes: putting them there again changes nothing."""
    try:
        before = load(directory)
    except ManifestError:
        return False
    return before is not None and before.files == files


def _is(directory: Directory, name: str, sha256: str) -> bool:
    content = directory.read(name)
    return content is not None and hashlib.sha256(content).hexdigest() == sha256
