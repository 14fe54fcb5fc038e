"""Which failures are tried again, when, and which paths share a budget."""

from __future__ import annotations

import pytest

from airflow_provider_tiktokshop.api import errors as e
from airflow_provider_tiktokshop.api.retries import generic_path, is_repeatable, pause_before_retry


@pytest.mark.parametrize("error", [e.RequestNotSent(), e.ReplyLost(), e.ServiceUnavailable(), e.RateLimited()])
def test_pauses_begin_at_a_second_and_double_and_end_after_five_tries(error):
    pauses = [pause_before_retry(error, tries, repeatable=True) for tries in (1, 2, 3, 4)]
    for pause, least in zip(pauses, (1, 2, 4, 8), strict=True):
        assert least <= pause <= least + 0.5
    assert pause_before_retry(error, 5, repeatable=True) is None


def test_pauses_are_jittered():
    assert len({pause_before_retry(e.ReplyLost(), 1, repeatable=True) for _ in range(20)}) > 1


@pytest.mark.parametrize(("asked", "least", "most"), [(0.1, 1, 1.5), (17, 17, 17), (600, 60, 60)])
def test_the_service_says_how_long_to_wait_up_to_a_minute(asked, least, most):
    assert least <= pause_before_retry(e.RateLimited(retry_after=asked), 1, repeatable=True) <= most


@pytest.mark.parametrize("error", [e.ReplyLost(), e.ServiceUnavailable()])
def test_a_write_whose_outcome_is_unknown_is_not_sent_again(error):
    assert pause_before_retry(error, 1, repeatable=False) is None


@pytest.mark.parametrize("error", [e.RequestNotSent(), e.RateLimited()])
def test_a_write_that_was_turned_away_is_sent_again(error):
    assert pause_before_retry(error, 1, repeatable=False) is not None


def test_a_temporary_order_error_is_tried_three_times():
    assert pause_before_retry(e.TemporaryOrderError(), 2, repeatable=True) is not None
    assert pause_before_retry(e.TemporaryOrderError(), 3, repeatable=True) is None


@pytest.mark.parametrize(
    "error", [e.ApiError(), e.QuotaExhausted(), e.SignatureRefused(), e.AccessTokenExpired(), e.IpNotAllowed()]
)
def test_a_definite_refusal_is_not_tried_again(error):
    assert pause_before_retry(error, 1, repeatable=True) is None


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/order/202507/orders", True),
        ("PUT", "/event/202309/webhooks", True),
        ("DELETE", "/event/202309/webhooks", True),
        ("POST", "/order/202309/orders/search", True),
        ("POST", "/order/202406/orders/external_order_search", True),
        ("POST", "/affiliate_creator/202412/sample_applications/single_query", True),
        ("POST", "/customer_engagement/202412/performances", True),
        ("POST", "/affiliate_seller/202412/open_collaborations", False),
        ("POST", "/customer_service/202309/conversations/1/messages", False),
        ("POST", "/product/202309/research", False),
    ],
)  # fmt: skip
def test_everything_but_a_writing_post_is_repeatable(method, path, answer):
    assert is_repeatable(method, path) is answer


@pytest.mark.parametrize(
    ("path", "generic"),
    [
        ("/order/202309/orders/search", "/order/202309/orders/search"),
        ("/order/202407/orders/576461413038785752/price_detail", "/order/202407/orders/{id}/price_detail"),
        ("/product/202309/products/1729", "/product/202309/products/{id}"),
        ("/analytics/202510/shop/performance/2026-01-02/performance_per_hour", "/analytics/202510/shop/performance/{id}/performance_per_hour"),
        ("/a/202309/b/1/c/2", "/a/202309/b/{id}/c/{id}"),
        ("/api/v2", "/api/v2"),
        ("/", "/"),
    ],
)  # fmt: skip
def test_ids_in_a_path_do_not_make_an_endpoint_of_their_own(path, generic):
    assert generic_path(path) == generic
