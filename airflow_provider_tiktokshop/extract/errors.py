"""What can go wrong while extracting, beyond what the service answers."""

from __future__ import annotations

from airflow_provider_tiktokshop.api.exceptions import TikTokShopError

__all__ = [
    "AnotherRunError",
    "ExtractionError",
    "ExtractionPaused",
    "IntervalError",
    "ManifestError",
    "OptionError",
    "UnstableWindowError",
]


class ExtractionError(TikTokShopError):
    """An extraction could not be started or finished."""


class OptionError(ExtractionError, ValueError):
    """An option cannot work with this stream; nothing was sent."""


class IntervalError(OptionError):
    """The interval is missing, has no time zone, is empty or lies in the future; nothing was sent."""


class UnstableWindowError(ExtractionError):
    """The service gave a different picture on every reading; what was read is not known to be complete."""

    retryable = True


class AnotherRunError(ExtractionError):
    """Another run is writing the same interval to the same place right now."""

    retryable = True


class ManifestError(ExtractionError):
    """A manifest is missing or broken, or a file is not what its manifest says."""


class ExtractionPaused(ExtractionError):
    """The extraction stopped on purpose, with everything read so far kept; calling it again goes on from there.

    :param resume_after: seconds after which it is worth going on.
    """

    retryable = True

    def __init__(self, message: str = "", *, resume_after: float, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.resume_after = resume_after
