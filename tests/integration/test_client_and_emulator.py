"""The client against the strict emulator: every request it makes must be accepted, and no limit be hit."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from airflow_provider_tiktokshop.api import errors as e
from airflow_provider_tiktokshop.api.app import App
from airflow_provider_tiktokshop.api.client import StaticToken, TikTokShopClient
from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK, SystemClock
from airflow_provider_tiktokshop.api.http import Http
from airflow_provider_tiktokshop.api.oauth import OAuthClient

SEARCH = "/order/202309/orders/search"


class Impatient(SystemClock):
    """The real time, without the pauses between tries."""

    def sleep(self, seconds):
        pass


@pytest.fixture
def start(emulators):
    """Start an emulator and authorize against it: (emulator, OAuth client, grant, client)."""
    opened = []

    def start(requests_per_second=None, **options):
        emulator = emulators.get({"orders": 250, "rate_limit": 100_000} | options)
        app = App(
            emulator.app_key,
            emulator.app_secret,
            service_id=emulator.service_id,
            api_url=emulator.url,
            auth_url=emulator.url,
            requests_per_second=requests_per_second or 1000.0,
        )
        clock = SYSTEM_CLOCK if requests_per_second else Impatient()
        http = Http()
        opened.append(http)
        oauth = OAuthClient(app, http)
        grant = oauth.redeem_refresh_token(emulator.sellers[0]["refresh_token"])
        return emulator, oauth, grant, TikTokShopClient(app, StaticToken(grant.access_token), http=http, clock=clock)

    yield start
    for http in opened:
        http.close()


def read_orders(client, shop, **arguments):
    return [
        row["id"]
        for page in client.pages("POST", SEARCH, list_key="orders", page_size=20, shop=shop, **arguments)
        for row in page.rows
    ]


def test_every_order_is_read_page_by_page(start):
    emulator, _, grant, client = start()
    assert grant.complete
    assert grant.open_id == emulator.sellers[0]["open_id"]
    shop = client.shops()[0]
    truth = emulator.truth(shop.id)
    assert truth
    params = {"sort_field": "update_time", "sort_order": "ASC"}
    assert sorted(read_orders(client, shop, params=params)) == sorted(row["id"] for row in truth)
    newest = max(row["update_time"] for row in truth)
    ids = read_orders(client, shop, params=params, body={"update_time_ge": newest})
    assert ids == [row["id"] for row in truth if row["update_time"] == newest]


def test_a_run_at_the_limit_never_bounces_off_it(start):
    emulator, _, _, client = start(requests_per_second=40, rate_limit=40)
    shop = client.shops()[0]
    started = time.monotonic()
    threads = [
        threading.Thread(target=lambda: [client.page("POST", SEARCH, list_key="orders", page_size=5, shop=shop) for _ in range(20)])
        for _ in range(8)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.monotonic() - started
    assert emulator.stats()["throttled"] == 0
    assert 160 / elapsed > 0.7 * 40


def test_a_limit_below_the_apps_rate_is_found(start):
    emulator, _, _, client = start(requests_per_second=30, rate_limit=15)
    shop = client.shops()[0]
    served = []
    threads = [
        threading.Thread(target=lambda: [served.append(client.page("POST", SEARCH, list_key="orders", page_size=5, shop=shop)) for _ in range(10)])
        for _ in range(4)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(served) == 40
    assert 1 <= emulator.stats()["throttled"] <= 8


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_a_clock_that_is_wrong_by_an_hour_is_corrected(start, seconds):
    emulator, _, _, client = start()
    emulator.clock(skew=seconds)
    assert client.shops()
    assert client.clock_offset == pytest.approx(seconds, abs=3)
    sent = client.requests_sent
    assert client.shops()
    assert client.requests_sent == sent + 1


@pytest.mark.parametrize("kind", ["429", "500", "503", "504", "reset", "truncated", "html", "code:36009003"])
def test_a_fault_that_passes_is_ridden_out(start, kind):
    emulator, _, _, client = start()
    emulator.faults({"match": "/authorization/202309/shops", "kind": kind})
    assert client.shops()
    assert client.requests_sent == 2


def test_a_lost_reply_leaves_the_outcome_unknown_and_a_spent_token_is_refused(start):
    emulator, oauth, grant, _ = start(refresh_mode="rotate")
    emulator.faults({"match": "/api/v2/token/refresh", "kind": "lost_reply"})
    with pytest.raises(e.ExchangeUnknown):
        oauth.redeem_refresh_token(grant.refresh_token)
    with pytest.raises(e.ExchangeRefused):
        oauth.redeem_refresh_token(grant.refresh_token)


@pytest.mark.parametrize("content_length", ["cut", "full"])
def test_a_truncated_reply_still_gives_the_next_pair(start, content_length):
    emulator, oauth, grant, _ = start(refresh_mode="rotate")
    # 350 bytes hold both tokens and end before the open id.
    params = {"bytes": 350, "content_length": content_length}
    emulator.faults({"match": "/api/v2/token/refresh", "kind": "truncated", "params": params})
    saved = oauth.redeem_refresh_token(grant.refresh_token)
    assert not saved.complete
    assert saved.open_id is None
    assert client_works(emulator, saved)
    assert oauth.redeem_refresh_token(saved.refresh_token).complete


def client_works(emulator, grant):
    app = App(emulator.app_key, emulator.app_secret, api_url=emulator.url, auth_url=emulator.url)
    client = TikTokShopClient(app, StaticToken(grant.access_token))
    try:
        return client.shops()
    finally:
        client.close()


def test_wrong_settings_spend_nothing(start):
    emulator, _, grant, _ = start()
    wrong = App("nobody", emulator.app_secret, api_url=emulator.url, auth_url=emulator.url)
    http = Http()
    with pytest.raises(e.ExchangeNotSpent) as caught:
        OAuthClient(wrong, http).redeem_refresh_token(grant.refresh_token)
    http.close()
    assert caught.value.configuration


def test_nothing_that_was_ever_secret_is_logged(start, caplog):
    caplog.set_level(logging.DEBUG)
    emulator, oauth, grant, client = start()
    read_orders(client, client.shops()[0])
    emulator.faults({"match": "/", "kind": "reset", "times": 2}, {"match": "/", "kind": "html", "times": 9})
    for failing in (client.shops, lambda: oauth.redeem_refresh_token(grant.refresh_token)):
        with pytest.raises(e.TikTokShopError) as caught:
            failing()
        logging.getLogger("test").error("It failed.", exc_info=caught.value)
    assert SEARCH in caplog.text
    for secret in emulator.secrets():
        assert secret not in caplog.text
