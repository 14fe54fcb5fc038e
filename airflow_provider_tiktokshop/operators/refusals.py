"""What a task does when TikTok Shop refuses to give a stream: it fails, or it is skipped where that was to be expected."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tiktokshop.api.tokens import Shop
    from airflow_provider_tiktokshop.streams.base import Stream

__all__ = ["MissingScope", "skip_expected_refusals"]

MissingScope = Literal["fail", "skip"]

# ScopeMissing also stands for one live room whose owner is somebody else. That is no reason to leave out a whole stream.
_NOT_GRANTED: Final = 105005


@contextmanager
def skip_expected_refusals(stream: Stream, shop: Shop | None, missing_scope: MissingScope) -> Iterator[None]:
    """Skip the task, and say why, when a refusal of what runs inside was to be expected.

    That is so in a market that is known not to have the stream, and, with ``missing_scope="skip"``, for a seller who has not
    granted its scope. The service has always been asked first, so that no row is left out because a market has opened since.

    :param shop: whose rows are asked for; ``None`` for a stream that belongs to no shop.
    :raises AirflowSkipException: the refusal was to be expected.
    :raises OptionError: ``missing_scope`` is neither.
    """
    from airflow_provider_tiktokshop.api.errors import ApiError, ConfigurationError, InvalidRequest, ScopeMissing
    from airflow_provider_tiktokshop.compat import AirflowSkipException
    from airflow_provider_tiktokshop.extract.errors import OptionError

    if missing_scope not in {"fail", "skip"}:
        raise OptionError(f"missing_scope is {missing_scope!r}.", advice="It is fail or skip.")
    try:
        yield
    except (ApiError, InvalidRequest, ScopeMissing) as refusal:
        if isinstance(refusal, ConfigurationError):
            raise
        if shop is not None and not stream.offered_in(shop.region):
            raise AirflowSkipException(
                f"Shop {shop.id} is in {shop.region}, where TikTok Shop is not known to have {stream.name}. {refusal}"
            ) from None
        if missing_scope == "skip" and refusal.code == _NOT_GRANTED:
            raise AirflowSkipException(
                f"{stream.name} needs the scope {stream.scope or 'of its page'}. {refusal}"
            ) from None
        raise
