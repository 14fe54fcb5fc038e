from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest

from airflow_provider_tiktokshop.testing import EmulatorError, EmulatorProcess
from airflow_provider_tiktokshop.testing.pytest_plugin import (  # noqa: F401 - fixtures
    _tiktokshop_emulator_process,
    tiktokshop_emulator,
)

SHOPS = "/authorization/202309/shops"
MODULE = [sys.executable, "-m", "airflow_provider_tiktokshop.emulator"]


@contextlib.contextmanager
def receiver(status=200):
    """Listen for webhooks and keep what arrives."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append((dict(self.headers.items()), body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_webhook_is_delivered_signed_and_as_often_as_asked(caller):
    seller = caller.emulator.sellers[1]
    with receiver() as (url, received):
        sent = caller.emulator.webhook(6, url=url, copies=2, open_id=seller["open_id"])
    assert [one["status"] for one in sent["deliveries"]] == [200, 200]
    assert len(received) == 2
    headers, body = received[0]
    assert body == received[1][1] == sent["body"].encode()
    key, text = caller.emulator.app_secret.encode(), caller.emulator.app_key.encode() + body
    assert headers["authorization"] == hmac.new(key, text, hashlib.sha256).hexdigest()
    event = json.loads(body)
    assert event["type"] == 6
    assert event["shop_id"] == seller["shops"][0]["id"]
    assert abs(event["timestamp"] - time.time()) < 60
    assert event["tts_notification_id"].isdigit()


@pytest.mark.parametrize(("kind", "owner"), [(1, "shop_id"), (21, "seller_open_id"), (20, "creator_open_id")])
def test_a_webhook_names_its_owner_as_its_type_does(caller, kind, owner):
    event = json.loads(caller.emulator.webhook(kind)["body"])
    assert {"shop_id", "seller_open_id", "creator_open_id"} & set(event) == {owner}


def test_webhook_details_are_those_of_the_documented_samples(caller):
    assert "tts_notification_id" not in json.loads(caller.emulator.webhook(3)["body"])
    assert type(json.loads(caller.emulator.webhook(5)["body"])["data"]["product_id"]) is int
    assert type(json.loads(caller.emulator.webhook(7)["body"])["data"]["expiration_time"]) is str
    event = json.loads(caller.emulator.webhook(1, data={"order_id": "1"}, timestamp=5, shop_id="9")["body"])
    assert (event["data"], event["timestamp"], event["shop_id"]) == ({"order_id": "1"}, 5, "9")


def test_a_webhook_can_be_forged_and_duplicated_by_a_fault(caller):
    good, bad = caller.emulator.webhook(1), caller.emulator.webhook(1, bad_signature=True)
    key, text = caller.emulator.app_secret.encode(), caller.emulator.app_key.encode()
    expected = hmac.new(key, text + bad["body"].encode(), hashlib.sha256).hexdigest()
    assert bad["headers"]["authorization"] != expected
    assert len(good["headers"]["authorization"]) == 64
    caller.emulator.faults({"match": "/webhooks", "kind": "duplicate", "params": {"copies": 2}})
    with receiver(401) as (url, received):
        sent = caller.emulator.webhook(1, url=url)
    assert [one["status"] for one in sent["deliveries"]] == [401, 401, 401]
    assert len(received) == 3


@pytest.mark.parametrize("url", ["http://example.com/", "https://127.0.0.1/", "http://10.0.0.1/"])
def test_webhooks_leave_the_machine_for_nobody(caller, url):
    with pytest.raises(EmulatorError, match="loopback only"):
        caller.emulator.webhook(1, url=url)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8787", "127.0.0.1.evil.example", "10.0.0.1", ""])
@pytest.mark.parametrize("path", [SHOPS, "/_emulator/secrets", "/open/authorize"])
def test_a_foreign_host_header_is_refused(caller, host, path):
    answer = caller.send("GET", path, {"host": host})
    assert answer.status == 403
    assert caller.emulator.app_secret.encode() not in answer.raw


@pytest.mark.parametrize("hosts", ["", "host: 127.0.0.1\r\nhost: evil.example\r\n"])
def test_a_request_without_exactly_one_host_is_refused(caller, hosts):
    address = urlsplit(caller.emulator.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(f"GET /_emulator/secrets HTTP/1.0\r\n{hosts}\r\n".encode())
        reply = connection.recv(65536)
    assert reply.split(b" ")[1] in {b"400", b"403"}
    assert b"EMU_" not in reply


def test_loopback_names_are_answered(caller):
    port = urlsplit(caller.emulator.url).port
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "127.0.0.1"):
        assert caller.send("GET", "/_emulator/ready", {"host": host}).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"])
def test_a_page_of_another_origin_can_control_nothing(caller, origin):
    assert caller.send("POST", "/_emulator/reset", {"origin": origin}, b"{}").status == 403
    assert caller.send("POST", "/_emulator/reset", {"origin": caller.emulator.url}, b"{}").status == 200


def test_every_secret_is_listed_even_after_a_reset(caller):
    pair = caller.refresh(caller.emulator.sellers[0]["refresh_token"]).data
    url = f"{caller.emulator.url}/open/authorize?service_id={caller.emulator.service_id}&state=s"
    redirect = caller.emulator.consent(url, caller.emulator.sellers[1]["open_id"])
    caller.emulator.reset()
    secrets = set(caller.emulator.secrets())
    assert {caller.emulator.app_secret, pair["access_token"], pair["refresh_token"]} <= secrets
    assert {one["refresh_token"] for one in caller.emulator.sellers} <= secrets
    assert any(secret in redirect for secret in secrets)
    assert all(secret.startswith("EMU_") for secret in secrets)


def test_a_reset_starts_over(caller):
    first = caller.emulator.sellers
    caller.refresh(first[0]["refresh_token"])
    caller.emulator.settings(refresh_mode="family")
    caller.emulator.clock(advance=1000)
    caller.emulator.reset()
    stats = caller.emulator.stats()
    assert (stats["requests_total"], stats["redemptions_total"]) == (0, 0)
    assert abs(stats["now"] - time.time()) < 60
    assert caller.emulator.settings()["refresh_mode"] == "rotate"
    assert caller.emulator.sellers == first
    assert caller.refresh(first[0]["refresh_token"]).code == 0


def test_the_clock_can_be_set(caller):
    assert abs(caller.emulator.clock(set=2_000_000_000) - 2_000_000_000) < 5
    answer = caller.call("GET", SHOPS, {"timestamp": 2_000_000_000})
    assert answer.code == 105002  # the time is right, and the access token has expired by then


@pytest.mark.parametrize(
    "change",
    [
        {"no_such_switch": 1},
        {"refresh_mode": "never"},
        {"rate_limit": "fast"},
        {"retry_after": 1},
        {"access_ttl": 1.5},
        {"rate_limit": -1},
    ],
)
def test_settings_that_make_no_sense_change_nothing(caller, change):
    before = caller.emulator.settings()
    with pytest.raises(EmulatorError, match="422|must|unknown"):
        caller.emulator.settings(touch_rows=99, **change)
    assert caller.emulator.settings() == before


def test_control_calls_that_make_no_sense_are_refused(caller):
    for method, path, body in (
        ("POST", "clock", {"forward": 1}),
        ("POST", "clock", {"advance": "1"}),
        ("POST", "accounts/nobody", {"active": False}),
        ("POST", f"accounts/{caller.emulator.sellers[0]['open_id']}", {"deactivate": True}),
        ("POST", "orders", {"shop_id": "1"}),
        ("POST", "webhooks", {"type": "1"}),
        ("GET", "truth/orders?shop_id=1", None),
    ):
        with pytest.raises(EmulatorError):
            caller.emulator.control(method, path, body)
    assert caller.send("POST", "/_emulator/clock", body=b"{").status == 422


def test_stats_count_requests_rows_and_the_peak(caller):
    caller.search({"page_size": 20})
    caller.search({"page_size": 0})
    stats = caller.emulator.stats()
    assert stats["requests"] == {"POST /order/202309/orders/search": {"0": 1, "36009004": 1}}
    assert stats["rows_served"] == 20
    assert stats["in_flight_peak"] == 1
    mark = hashlib.sha256(caller.access_token().encode()).hexdigest()[:16]
    assert stats["presented_access_tokens"] == {mark: 2}


def run(*args):
    return subprocess.run([*MODULE, *args], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com"])
def test_it_binds_to_nothing_but_loopback(host):
    done = run("--host", host, "--port", "0")
    assert done.returncode == 2
    assert "must be loopback" in done.stderr
    assert done.stdout == ""


def test_a_port_in_use_is_told_in_one_line(caller):
    done = run("--port", str(urlsplit(caller.emulator.url).port))
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("number", "flags"), [(signal.SIGTERM, []), (signal.SIGINT, []), (signal.SIGTERM, ["--exit-with-stdin"])]
)
def test_it_prints_one_line_when_it_listens_and_ends_cleanly(number, flags):
    process = subprocess.Popen(
        [*MODULE, "--port", "0", *flags],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    ready = json.loads(process.stdout.readline())
    assert set(ready) == {"url", "app_key", "app_secret", "service_id", "sellers"}
    assert set(ready["sellers"][0]) == {"open_id", "refresh_token", "shops"}
    shop = ready["sellers"][0]["shops"][0]
    assert len(shop["id"]) == 19
    assert shop["id"].isdigit()
    assert shop["seller_type"] == "LOCAL"
    assert ready["service_id"].isdigit()
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(ready["url"]).port, timeout=10)
    connection.request("GET", "/_emulator/stats")
    assert connection.getresponse().read()
    process.send_signal(number)
    assert process.wait(timeout=20) == 0
    out, err = process.communicate()
    connection.close()
    assert (out, err) == ("", "")


def test_it_ends_when_who_started_it_is_gone():
    process = subprocess.Popen(
        [*MODULE, "--port", "0", "--exit-with-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    process.stdin.close()
    assert process.wait(timeout=20) == 0
    process.stdout.close()


def test_no_query_and_no_secret_is_ever_logged(caller):
    secret = caller.emulator.sellers[0]["refresh_token"]
    caller.emulator.faults(
        {"match": SHOPS, "kind": "lost_reply"},
        {"match": "/api/v2/token/refresh", "kind": "reset", "params": {"bytes": 5}},
    )
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        caller.call("GET", SHOPS)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        caller.refresh(secret)
    caller.refresh(secret)
    caller.exchange("refresh", method="POST", refresh_token=secret)
    caller.call("GET", "/nowhere", {"secret": secret})
    caller.send("GET", f"/open/authorize?service_id={secret}")
    # A request line that no HTTP parser takes.
    caller.send("BREW", f"/pot?{secret}")
    log = caller.emulator.log()
    assert "?" not in log
    assert not [secret for secret in caller.emulator.secrets() if secret in log]


def test_the_fixture_process_ends_with_its_block():
    with EmulatorProcess(orders=0) as emulator:
        pid = emulator.pid
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(EmulatorError, match="not running"):
        _ = emulator.pid


def test_options_that_make_no_sense_are_told(caller):
    with pytest.raises(EmulatorError, match="did not start.*--sellers"):
        EmulatorProcess(sellers=-1).start()
    with pytest.raises(EmulatorError, match="did not start.*--refresh-mode"):
        EmulatorProcess(refresh_mode="never").start()


def test_the_fixture_gives_each_test_a_fresh_emulator(tiktokshop_emulator):  # noqa: F811
    tiktokshop_emulator.settings(refresh_mode="family")
    assert tiktokshop_emulator.sellers


def test_the_fixture_has_forgotten_what_the_test_before_did(tiktokshop_emulator):  # noqa: F811
    assert tiktokshop_emulator.settings()["refresh_mode"] == "rotate"


def test_live_orders_have_moved_by_themselves_since_the_anchor():
    anchor = int(time.time()) - 5 * 86400
    with EmulatorProcess(orders=100, now=anchor) as still, EmulatorProcess(orders=100, now=anchor, live=True) as live:
        shop_id = still.sellers[0]["shops"][0]["id"]
        assert max(row["update_time"] for row in still.truth(shop_id)) <= anchor
        assert max(row["update_time"] for row in live.truth(shop_id)) > anchor
