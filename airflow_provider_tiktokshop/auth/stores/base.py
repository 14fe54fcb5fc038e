"""The contract of a token store: small JSON records, read and written whole."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_tiktokshop.api.errors import TikTokShopError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tiktokshop.auth.records import RecordKey, RecordKind

__all__ = [
    "Snapshot",
    "StoreConflict",
    "StoreMoved",
    "StoreShadowed",
    "StoreUnavailable",
    "TokenStore",
    "TokenStoreError",
]


class TokenStoreError(TikTokShopError):
    """The token store did not do what was asked."""


class StoreUnavailable(TokenStoreError):
    """The store cannot be reached, read or decrypted now. The record may well exist: never take this for absence."""


class StoreMoved(StoreUnavailable):
    """The record was moved to another store, and this process still uses the old one."""


class StoreConflict(TokenStoreError):
    """Somebody else wrote the record since it was read (stores with compare-and-swap only)."""


class StoreShadowed(TokenStoreError):
    """A write landed where no read will find it: something with precedence shadows the record."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A record as read: its value, its version where the store has one, and whether an absence is proven.

    :param value: the JSON object, or ``None`` when the store says that there is none.
    :param version: opaque; handed back to :meth:`TokenStore.write` for compare-and-swap.
    :param proven: with ``value=None``, whether the store vouches that the record does not exist.
    """

    value: dict[str, Any] | None = field(default=None, repr=False)
    version: int | None = None
    proven: bool = True


class TokenStore(ABC):
    """Keeps the records of :mod:`airflow_provider_tiktokshop.auth.records`.

    A store must be safe to use from several threads of one process.
    """

    #: Whether :meth:`write` with ``expected`` is a true compare-and-swap across processes and machines.
    strict: ClassVar[bool] = False

    @abstractmethod
    def read(self, key: RecordKey) -> Snapshot:
        """Return the record.

        :raises StoreUnavailable: whether the record exists, or what it holds, cannot be told now.
        """

    def read_many(self, keys: Sequence[RecordKey]) -> list[Snapshot]:
        """Return several records, in the order of ``keys``. A store that can do better than one by one overrides this.

        :raises StoreUnavailable: as :meth:`read`, for any of them.
        """
        return [self.read(key) for key in keys]

    @abstractmethod
    def write(self, key: RecordKey, value: dict[str, Any], expected: Snapshot | None = None) -> Snapshot:
        """Write the whole record, read it back, and return what is stored now.

        :param expected: the snapshot that the new value is based on. A strict store writes only if the record is
            still that one; others ignore it.
        :raises StoreUnavailable: not written, or written and not confirmed. Writing again does no harm.
        :raises StoreConflict: the record is no longer the expected one; nothing was written.
        :raises StoreShadowed: reads do not see what was written.
        """

    @abstractmethod
    def ids(self, kind: RecordKind, app_key: str) -> tuple[str, ...] | None:
        """Return the ids of all records of one kind of one app, or ``None`` when this store cannot list here.

        :raises StoreUnavailable: the store can list, but not now.
        """
