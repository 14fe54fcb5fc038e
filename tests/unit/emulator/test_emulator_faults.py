from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import pytest

from airflow_provider_tiktokshop.testing import EmulatorError

SHOPS, REFRESH = "/authorization/202309/shops", "/api/v2/token/refresh"


def token(caller):
    return caller.emulator.sellers[0]["refresh_token"]


def redemptions(caller):
    return caller.emulator.stats()["redemptions_total"]


@pytest.mark.parametrize(
    ("kind", "status", "code"), [("429", 429, 36009002), ("500", 500, 36009003), ("504", 504, 36009007)]
)
def test_a_status_fault_answers_once_with_its_documented_code(caller, kind, status, code):
    caller.emulator.faults({"match": SHOPS, "kind": kind})
    first = caller.call("GET", SHOPS)
    assert (first.status, first.code) == (status, code)
    assert caller.call("GET", SHOPS).code == 0


def test_overload_comes_without_json_and_can_say_when_to_come_back(caller):
    caller.emulator.faults({"match": "/", "kind": "503", "params": {"retry_after": 7}})
    answer = caller.call("GET", SHOPS)
    assert (answer.status, answer.headers["retry-after"]) == (503, "7")
    with pytest.raises(json.JSONDecodeError):
        _ = answer.json


def test_any_code_can_be_answered_with_any_status(caller):
    caller.emulator.faults(
        {"match": SHOPS, "kind": "code:36009003", "params": {"status": 200, "message": "try again"}},
        {"match": REFRESH, "kind": "code:36004003"},
    )
    answer = caller.call("GET", SHOPS)
    assert (answer.status, answer.code, answer.json["message"]) == (200, 36009003, "try again")
    assert caller.refresh(token(caller)).code == 36004003
    assert redemptions(caller) == 0


def test_a_fault_hits_its_path_and_method_only_after_its_skips_and_so_many_times(caller):
    caller.emulator.faults({"match": SHOPS, "kind": "500", "skip": 1, "times": 2, "method": "GET"})
    assert [caller.call("GET", SHOPS).status for _ in range(4)] == [200, 500, 500, 200]
    assert caller.search().code == 0
    assert caller.emulator.stats()["faults_fired"] == {"500": 2}


def test_a_fault_by_probability_goes_on_and_is_the_same_for_the_same_seed(caller):
    def outcomes():
        caller.emulator.faults({"match": SHOPS, "kind": "500", "probability": 0.5})
        return [caller.call("GET", SHOPS).status for _ in range(30)]

    first = outcomes()
    assert {200, 500} == set(first)
    caller.emulator.reset()
    assert outcomes() == first


def test_without_faults_there_are_none(caller):
    caller.emulator.faults({"match": "/", "kind": "500", "times": None})
    assert caller.call("GET", SHOPS).status == 500
    caller.emulator.faults()
    assert caller.call("GET", SHOPS).status == 200


def test_a_reset_before_the_service_acts_spends_nothing(caller):
    caller.emulator.faults({"match": REFRESH, "kind": "reset"})
    with pytest.raises(ConnectionResetError):
        caller.refresh(token(caller))
    assert redemptions(caller) == 0
    assert caller.refresh(token(caller)).code == 0


def test_a_lost_reply_spends_the_token(caller):
    caller.emulator.faults({"match": REFRESH, "kind": "lost_reply"})
    with pytest.raises(ConnectionResetError):
        caller.refresh(token(caller))
    assert redemptions(caller) == 1
    assert caller.refresh(token(caller)).code == 36004005


def test_a_reply_can_be_lost_by_an_orderly_close_too(caller):
    caller.emulator.faults({"match": REFRESH, "kind": "lost_reply", "params": {"how": "fin"}})
    with pytest.raises(http.client.RemoteDisconnected):
        caller.refresh(token(caller))
    assert redemptions(caller) == 1


def test_a_reset_after_so_many_bytes_is_a_real_reset_on_the_socket(caller):
    caller.emulator.faults({"match": "/", "kind": "reset", "params": {"bytes": 30}})
    host, port = caller.emulator.url[7:].split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(f"GET {SHOPS} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        received = b""
        with pytest.raises(ConnectionResetError):
            while chunk := connection.recv(65536):
                received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert len(body) == 30


def test_a_truncated_body_can_pretend_to_be_whole(caller):
    caller.emulator.faults({"match": REFRESH, "kind": "truncated", "params": {"bytes": 300}})
    answer = caller.refresh(token(caller))
    assert (answer.status, len(answer.raw)) == (200, 300)
    with pytest.raises(json.JSONDecodeError):
        _ = answer.json
    assert redemptions(caller) == 1


def test_a_truncated_body_can_fall_short_of_its_announced_length(caller):
    params = {"bytes": 300, "content_length": "full"}
    caller.emulator.faults({"match": REFRESH, "kind": "truncated", "params": params})
    with pytest.raises(http.client.IncompleteRead) as failure:
        caller.refresh(token(caller))
    assert len(failure.value.partial) == 300


@pytest.mark.parametrize(("when", "spent"), [("before", 0), ("after", 1)])
def test_an_html_page_comes_before_or_after_the_token_is_spent(caller, when, spent):
    caller.emulator.faults({"match": REFRESH, "kind": "html", "params": {"when": when}})
    answer = caller.refresh(token(caller))
    assert (answer.status, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert redemptions(caller) == spent


@pytest.mark.parametrize(("when", "spent"), [("before", 0), ("after", 1)])
def test_a_held_request_waits_before_or_after_the_token_is_spent(caller, when, spent):
    caller.emulator.faults({"match": REFRESH, "kind": "hold", "params": {"name": "h", "when": when}})
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(caller.refresh, token(caller))
        caller.emulator.wait_held(1)
        assert redemptions(caller) == spent
        assert not answer.done()
        assert caller.emulator.release("another") == 0
        assert caller.emulator.release("h") == 1
        assert answer.result().code == 0
    assert redemptions(caller) == 1


def test_waiting_for_held_requests_gives_up(caller):
    with pytest.raises(EmulatorError, match="0 requests are held"):
        caller.emulator.wait_held(1, timeout=0.05)


def test_a_reset_of_the_emulator_lets_held_requests_go(caller):
    caller.emulator.faults({"match": SHOPS, "kind": "hold"})
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(caller.call, "GET", SHOPS)
        caller.emulator.wait_held(1)
        caller.emulator.reset()
        assert answer.result().status == 200


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_slow_answer_takes_its_time(caller, when):
    caller.emulator.faults({"match": SHOPS, "kind": "slow", "params": {"seconds": 0.3, "when": when}})
    started = time.monotonic()
    assert caller.call("GET", SHOPS).code == 0
    assert time.monotonic() - started >= 0.3


def test_a_slow_answer_keeps_nobody_else_waiting(caller):
    caller.emulator.faults({"match": SHOPS, "kind": "hold"})
    held = threading.Thread(target=caller.call, args=("GET", SHOPS))
    held.start()
    caller.emulator.wait_held(1)
    assert caller.call("GET", SHOPS).code == 0
    caller.emulator.release()
    held.join()


def test_a_skewed_clock_shows_in_the_date_header_and_refuses_good_timestamps(caller):
    caller.emulator.clock(skew=900)
    answer = caller.call("GET", SHOPS)
    assert answer.code == 36009004
    assert "'timestamp'" in answer.json["message"]
    offset = parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time()
    assert abs(offset - 900) < 5
    assert caller.call("GET", SHOPS, {"timestamp": int(time.time() + offset)}).code == 0


def test_a_clock_can_be_skewed_for_single_requests(caller):
    caller.emulator.faults({"match": SHOPS, "kind": "clock_skew", "params": {"seconds": -700}})
    assert caller.call("GET", SHOPS).code == 36009004
    assert caller.call("GET", SHOPS).code == 0


def test_single_replies_can_lack_the_refresh_token_or_the_scopes(caller):
    caller.emulator.faults(
        {"match": REFRESH, "kind": "no_refresh_token"}, {"match": REFRESH, "kind": "no_granted_scopes", "skip": 1}
    )
    caller.emulator.settings(refresh_mode="reusable")
    first, second = caller.refresh(token(caller)).data, caller.refresh(token(caller)).data
    assert "refresh_token" not in first
    assert "granted_scopes" in first
    assert "refresh_token" in second
    assert "granted_scopes" not in second


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "unheard_of"},
        {"kind": "404"},
        {"kind": "status"},
        {"kind": "reset", "params": {"seconds": 1}},
        {"kind": "reset", "unknown": 1},
        "reset",
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(caller, fault):
    with pytest.raises(EmulatorError, match="422|fault"):
        caller.emulator.faults(fault)


def test_a_connection_that_broke_leaves_the_server_well(caller):
    caller.emulator.faults({"match": SHOPS, "kind": "reset", "times": 20})
    for _ in range(20):
        with pytest.raises(ConnectionResetError):
            caller.call("GET", SHOPS)
    assert caller.call("GET", SHOPS).code == 0
    assert caller.emulator.stats()["in_flight"] == 0
    assert "Traceback" not in caller.emulator.log()
