"""Sealed token pairs on this machine's disk, between the service's answer and the store's confirmation.

A worker that is killed after TikTok Shop rotated a refresh token, and before the store has the new one, would lose the
only copy. So each pair is sealed and fsynced here first, and erased once the store has proven to hold it. The next run,
or ``airflow tiktokshop rescue``, adopts what it finds.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_provider_tiktokshop.api.errors import TikTokShopError

__all__ = ["Escrow", "EscrowError", "SealedPair"]

_SLOT = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FILE = re.compile(r"-[0-9a-f]{16}\.sealed$")
_MAGIC = b"TTSE1"


class EscrowError(TikTokShopError):
    """The escrow directory cannot be used, or a sealed pair cannot be opened."""


@dataclass(frozen=True, slots=True)
class SealedPair:
    """A pair found in escrow.

    :param path: the file, to hand back to :meth:`Escrow.erase`.
    :param content: what was sealed, as a JSON object.
    """

    path: Path
    content: dict[str, Any] = field(repr=False)


class Escrow:
    """One app's sealed pairs in one directory.

    :param directory: made with mode 0700 when missing; files get mode 0600.
    :param app_key: the app; part of each file's name, as a hash.
    :param app_secret: the sealing key is derived from it, so that the disk alone gives nothing away.
    """

    def __init__(self, directory: str | Path, app_key: str, app_secret: str) -> None:
        self._directory = Path(directory)
        self._app = hashlib.sha256(app_key.encode()).hexdigest()[:12]
        self._secret = app_secret.encode()
        self._sealing: tuple[bytes, Any] | None = None

    def seal(self, slot: str, content: dict[str, Any]) -> Path:
        """Put ``content`` on disk, encrypted and fsynced, and return its path.

        :param slot: what the pair belongs to: an authorization's id or a seed's.
        :raises EscrowError: the disk refused; the caller still holds the pair and goes on with the store.
        """
        if not _SLOT.fullmatch(slot):
            msg = f"{slot!r} cannot name an escrow slot"
            raise ValueError(msg)
        # Written under its final name: a kill in mid-write leaves a file that does not authenticate, and is skipped, while
        # a kill right after the fsync leaves a whole one, whatever a rename would have been waiting for.
        path = self._directory / f"{self._app}-{slot}-{secrets.token_hex(8)}.sealed"
        try:
            with os.fdopen(self._create(path), "wb") as file:
                file.write(self._encrypt(json.dumps(content, separators=(",", ":")).encode()))
                file.flush()
                os.fsync(file.fileno())
            _sync_directory(self._directory)
        except OSError as error:
            # A file that was cut short would be taken for a pair that another app secret has sealed.
            with contextlib.suppress(OSError):
                path.unlink()
            raise self._unusable("cannot seal a token pair in", error) from None
        return path

    def check(self) -> None:
        """Prove that sealing works here, before anything is spent.

        :raises EscrowError: it does not.
        """
        self.erase(self.seal("check", {}))

    def found(self, slot: str) -> list[SealedPair]:
        """Return the pairs sealed for ``slot``, oldest first.

        A file that cannot be opened with this app's secret (it may have changed) is left where it is and skipped;
        :meth:`unreadable` lists those.

        :raises EscrowError: the disk does not tell. There may well be one, and its refresh token's predecessor is spent.
        """
        return [pair for path in self._paths(slot) if (pair := self._open(path)) is not None]

    def slots(self) -> list[str]:
        """Return the slots of this app that hold something.

        :raises EscrowError: the disk does not tell.
        """
        return sorted({path.name.removesuffix(".sealed").split("-", 1)[1].rsplit("-", 1)[0] for path in self._paths()})

    def unreadable(self) -> list[Path]:
        """Return this app's sealed files that the current app secret does not open.

        :raises EscrowError: the disk does not tell.
        """
        return [path for path in self._paths() if self._open(path) is None]

    def erase(self, path: Path) -> None:
        """Remove a sealed pair that the store has proven to hold."""
        # Not synced: a pair that a power failure brings back is found again, and the store is found to be ahead of it.
        with contextlib.suppress(FileNotFoundError):
            path.unlink()

    def _paths(self, slot: str | None = None) -> list[Path]:
        begin = f"{self._app}-{slot}-" if slot else f"{self._app}-"
        try:
            # Names are compared before anything else: a fleet's threads look here all the time, and rarely find anything.
            names = [name for name in os.listdir(self._directory) if name.startswith(begin) and _FILE.search(name)]  # noqa: PTH208
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unusable("cannot look for sealed token pairs in", error) from None
        if slot:
            names = [name for name in names if len(name) == len(begin) + len("0123456789abcdef.sealed")]
        found = []
        for name in names:
            path = self._directory / name
            # Somebody else may have erased it since.
            with contextlib.suppress(FileNotFoundError):
                found.append((path.stat().st_mtime_ns, path))
        return [path for _, path in sorted(found)]

    def _open(self, path: Path) -> SealedPair | None:
        from cryptography.exceptions import InvalidTag

        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable("cannot read a sealed token pair in", error) from None
        if not data.startswith(_MAGIC):
            return None
        salt, nonce, sealed = data[5:21], data[21:33], data[33:]
        try:
            return SealedPair(path, json.loads(self._cipher(salt).decrypt(nonce, sealed, self._app.encode())))
        except (InvalidTag, ValueError):
            return None

    def _unusable(self, what: str, error: OSError) -> EscrowError:
        return EscrowError(
            f"{what} {self._directory}: {error.strerror}",
            advice="make [tiktokshop] escrow_dir a directory on a local disk that the worker may read and write",
        )

    def _create(self, path: Path) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:
            missing = [self._directory, *(p for p in self._directory.parents if not p.exists())]
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A directory that a power failure takes away again takes its files along.
            for made in missing:
                _sync_directory(made.parent)
            return os.open(path, flags, 0o600)

    def _encrypt(self, content: bytes) -> bytes:
        if self._sealing is None:
            # One key for as long as this object lives: the nonces, drawn for each pair, are what must not repeat.
            salt = secrets.token_bytes(16)
            self._sealing = salt, self._cipher(salt)
        salt, cipher = self._sealing
        nonce = secrets.token_bytes(12)
        sealed: bytes = cipher.encrypt(nonce, content, self._app.encode())
        return _MAGIC + salt + nonce + sealed

    def _cipher(self, salt: bytes) -> Any:
        # Imported here: cryptography costs a DAG file more than everything else in this module.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        key = HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"tiktokshop-escrow").derive(self._secret)
        return AESGCM(key)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
