"""Here is the reply, it was not sent, or the reply is lost: over real sockets, with real faults."""

from __future__ import annotations

import gzip
import io
import logging
import socket
import threading
import time
import zlib
from http.client import HTTPConnection

import pytest

from airflow_provider_tiktokshop.api.errors import ReplyLost, RequestNotSent
from airflow_provider_tiktokshop.api.http import Http
from tests.support.fault_server import answer, drip, message, raw, reset, told

QUERY = "app_key=appkey1&app_secret=the-secret&refresh_token=TTP_r&sign=abcdef"
SECRETS = ("the-secret", "TTP_r", "abcdef", "appkey1")


@pytest.fixture
def http():
    http = Http(connect_timeout=0.5, read_timeout=0.5)
    yield http
    http.close()


def assert_tells_nothing(error):
    for secret in SECRETS:
        assert secret not in told(error)
    assert error.__cause__ is None
    assert error.__context__ is None


def test_a_reply_is_handed_out_whatever_its_status(http, server):
    server.will(answer(404, b"nothing here", {"X-Thing": "1"}))
    reply = http.send("GET", f"{server.url}/a/b?{QUERY}")
    assert (reply.status, reply.body) == (404, b"nothing here")
    assert reply.headers["x-THING"] == "1"
    assert time.time() - reply.received_at < 60


def test_query_headers_and_body_are_sent_byte_for_byte(http, server):
    server.will(answer(200, b"{}"))
    query = "a=%E2%82%AC&b=%2B%2F%3D&c=x%20y&d=%7E&e=~"
    http.send("POST", f"{server.url}/p?{query}", headers={"X-T": "v"}, body=b'{ "a":1}')
    seen = server.seen[0]
    assert (seen.method, seen.path, seen.raw_query, seen.body) == ("POST", "/p", query, b'{ "a":1}')
    assert seen.headers["x-t"] == "v"


def test_a_request_without_query_or_body_has_none(http, server):
    server.will(answer(200, b"{}"))
    http.send("GET", f"{server.url}/p")
    assert server.seen[0].raw_query == ""
    assert "content-length" not in server.seen[0].headers


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_body_is_decompressed(http, server, encoding):
    body = b'{"a":"' + b"x" * 100_000 + b'"}'
    packed = gzip.compress(body) if encoding == "gzip" else zlib.compress(body)
    server.will(answer(200, packed, {"Content-Encoding": encoding}))
    assert http.send("GET", f"{server.url}/p").body == body


def test_a_chunked_body_is_joined(http, server):
    server.will(
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", keep=True)
    )
    assert http.send("GET", f"{server.url}/p").body == b"abcde"
    assert http.send("GET", f"{server.url}/p").body == b"abcde"
    assert server.connections == 1


def test_connections_are_kept_and_a_fresh_one_is_used_once(http, server):
    server.will(answer(200, b"{}"))
    for fresh in (False, False, True, True, False):
        http.send("GET", f"{server.url}/p?{QUERY}", fresh_connection=fresh)
    assert [seen.connection for seen in server.seen] == [1, 1, 2, 3, 1]


def test_a_connection_that_the_service_has_closed_is_replaced(http, server):
    server.will(raw(message(200, b"{}")))
    assert http.send("GET", f"{server.url}/p").body == b"{}"
    assert server.closed.acquire(timeout=5)
    assert http.send("GET", f"{server.url}/p").body == b"{}"
    assert server.connections == 2


def test_a_redirect_is_not_followed(http, server):
    server.will(answer(302, b"", {"Location": f"{server.url}/elsewhere?stolen=1"}))
    assert http.send("GET", f"{server.url}/p?{QUERY}").status == 302
    assert [seen.path for seen in server.seen] == ["/p"]


def test_netrc_and_cookies_are_not_used(http, server, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.will(answer(200, b"{}", {"Set-Cookie": "a=b"}))
    http.send("GET", f"{server.url}/p")
    http.send("GET", f"{server.url}/p")
    assert "authorization" not in server.seen[1].headers
    assert "cookie" not in server.seen[1].headers


def test_this_machine_is_not_reached_through_a_proxy(http, server, closed_port, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")
    server.will(answer(200, b"{}"))
    assert http.send("GET", f"{server.url}/p").status == 200


def test_other_hosts_are_reached_through_the_proxy_of_the_environment(http, server, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)
    server.will(answer(200, b"{}"))
    assert http.send("GET", f"http://shop.example/p?{QUERY}").status == 200
    assert server.seen[0].path == "http://shop.example/p"
    assert server.seen[0].raw_query == QUERY


def test_a_refused_connection_means_not_sent(http, closed_port):
    with pytest.raises(RequestNotSent) as caught:
        http.send("GET", f"http://127.0.0.1:{closed_port}/a/b?{QUERY}")
    assert "ConnectionRefusedError" in str(caught.value)
    assert caught.value.endpoint == "GET /a/b"
    assert_tells_nothing(caught.value)


def test_an_unknown_host_means_not_sent(http, monkeypatch):
    def no_such_host(*_args, **_kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    with pytest.raises(RequestNotSent) as caught:
        http.send("GET", f"https://no-such-host.example/a/b?{QUERY}")
    assert "no-such-host.example" in str(caught.value)
    assert_tells_nothing(caught.value)


def test_a_connect_timeout_means_not_sent(http):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = []
        for _ in range(3):  # fills the queue that nobody accepts from
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            waiting.append(client)
        with pytest.raises(RequestNotSent) as caught:
            http.send("GET", f"http://127.0.0.1:{port}/a?{QUERY}")
        for client in waiting:
            client.close()
    assert_tells_nothing(caught.value)


def test_a_failed_tls_handshake_means_not_sent(http, server):
    server.will(answer(200, b"{}"))
    with pytest.raises(RequestNotSent) as caught:
        http.send("GET", f"https://127.0.0.1:{server.listener.getsockname()[1]}/a?{QUERY}")
    assert_tells_nothing(caught.value)


def test_a_proxy_that_is_down_means_not_sent(http, closed_port, monkeypatch):
    monkeypatch.setenv("https_proxy", f"http://user:the-secret@127.0.0.1:{closed_port}")
    with pytest.raises(RequestNotSent) as caught:
        http.send("GET", f"https://shop.example/a?{QUERY}")
    assert_tells_nothing(caught.value)


def test_a_proxy_that_refuses_the_tunnel_means_not_sent(http, server, monkeypatch):
    monkeypatch.setenv("https_proxy", server.url)
    server.will(answer(407, b"who are you?"))
    with pytest.raises(RequestNotSent) as caught:
        http.send("GET", f"https://shop.example/a?{QUERY}")
    assert server.seen[0].method == "CONNECT"
    assert_tells_nothing(caught.value)


def test_a_url_that_cannot_be_sent_to_means_not_sent(http):
    with pytest.raises(RequestNotSent) as caught:
        http.send("GET", f"https://*bad host*/a?{QUERY}")
    assert_tells_nothing(caught.value)


HALF = b'{"code":0,"data":{"access_token":"TTP_r'
LOST = {
    "reset before the answer": (reset(), None, b""),
    "closed before the answer": (raw(b""), None, b""),
    "no HTTP": (raw(b"SSH-2.0-the-secret\r\n"), None, b""),
    "reset within the body": (reset(message(200, HALF, length=500)), 200, HALF),
    "shorter than announced": (raw(message(200, HALF, length=500)), 200, HALF),
    "a 500 shorter than announced": (raw(message(500, HALF, length=500)), 500, HALF),
    "chunks that break off": (
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n50\r\nabc" % (len(HALF), HALF)), 200, HALF + b"abc",
    ),
    "chunks that are none": (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), 200, b""),
    "no gzip": (raw(message(200, b"not gzip at all", {"Content-Encoding": "gzip"})), 200, b""),
}  # fmt: skip


@pytest.mark.parametrize("case", LOST)
def test_a_reply_that_does_not_arrive_whole_is_lost_and_what_arrived_is_kept_aside(http, server, case):
    step, status, partial = LOST[case]
    server.will(step)
    with pytest.raises(ReplyLost) as caught:
        http.send("GET", f"{server.url}/a/b?{QUERY}")
    error = caught.value
    assert error.http_status == status
    assert error._partial == partial
    assert error.endpoint == "GET /a/b"
    assert_tells_nothing(error)
    assert len(server.seen) == 1


def test_silence_after_the_request_means_lost(server):
    http = Http(read_timeout=0.2)
    done = threading.Event()
    server.will(lambda *_: done.wait(5) and False)
    started = time.monotonic()
    with pytest.raises(ReplyLost) as caught:
        http.send("GET", f"{server.url}/a?{QUERY}")
    done.set()
    assert time.monotonic() - started < 2
    assert_tells_nothing(caught.value)


def test_a_timeout_for_one_request_goes_before_the_usual_one(http, server):
    done = threading.Event()
    server.will(lambda *_: done.wait(5) and False)
    started = time.monotonic()
    with pytest.raises(ReplyLost):
        http.send("GET", f"{server.url}/a", read_timeout=0.05)
    done.set()
    assert time.monotonic() - started < 0.4


@pytest.mark.parametrize("where", ["headers", "body", "chunks"])
def test_a_reply_that_drips_in_is_given_up_in_the_end(server, where):
    http = Http(connect_timeout=0.1, read_timeout=0.2)
    slow = {
        "headers": drip(b"HTTP/1.1 200 OK\r\n" + b"X-Long: y\r\n" * 50, 0.05),
        "body": drip(message(200, b"x" * 200), 0.01),
        "chunks": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100, 0.01),
    }[where]
    server.will(slow)
    started = time.monotonic()
    with pytest.raises(ReplyLost) as caught:
        http.send("GET", f"{server.url}/a?{QUERY}")
    assert 0.5 < time.monotonic() - started < 2
    assert "TimeoutError" in str(caught.value)


def test_a_slow_reply_within_its_time_is_waited_for_and_its_connection_is_used_again(server):
    http = Http(connect_timeout=0.1, read_timeout=0.4)
    server.will(drip(message(200, b"x" * 20), 0.005), answer(200, b"{}"))
    assert http.send("GET", f"{server.url}/a").body == b"x" * 20
    assert http.send("GET", f"{server.url}/a").body == b"{}"
    assert server.connections == 1


def test_a_reply_that_never_ends_is_given_up(server):
    http = Http(largest_reply=1_000_000)
    server.will(answer(200, b"x" * 1_500_000))
    with pytest.raises(ReplyLost):
        http.send("GET", f"{server.url}/a?{QUERY}")
    bomb = gzip.compress(b"\0" * 50_000_000)
    server.steps.clear()
    server.will(answer(200, bomb, {"Content-Encoding": "gzip"}))
    with pytest.raises(ReplyLost) as caught:
        http.send("GET", f"{server.url}/a?{QUERY}")
    assert len(caught.value._partial) < 3_000_000


def test_after_a_failure_the_next_request_is_clean(http, server, closed_port):
    server.will(raw(message(200, HALF, length=500)), answer(200, b"{}"))
    with pytest.raises(ReplyLost):
        http.send("GET", f"{server.url}/a?{QUERY}")
    with pytest.raises(RequestNotSent):
        http.send("GET", f"http://127.0.0.1:{closed_port}/a?{QUERY}")
    assert http.send("GET", f"{server.url}/b?x=1").body == b"{}"
    assert server.seen[-1].raw_query == "x=1"


def test_threads_get_their_own_replies(http, server):
    def echo(connection, seen):
        connection.sendall(message(200, seen.raw_query.encode()))
        return True

    server.will(echo)
    wrong = []

    def work(name):
        for i in range(40):
            query = f"who={name}&i={i}"
            if http.send("GET", f"{server.url}/p?{query}").body != query.encode():
                wrong.append(query)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(server.seen) == 320
    assert server.connections <= 8


def test_no_log_at_any_level_shows_a_query(server, closed_port, caplog, capfd, monkeypatch):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    monkeypatch.setattr(HTTPConnection, "debuglevel", 1)
    client = Http(connect_timeout=0.5, read_timeout=0.5)
    bad_headers = b"HTTP/1.1 200 OK\r\nBroken\x00 header\r\n: x\r\nContent-Length: 2\r\n\r\n{}"
    server.will(answer(200, b"{}"), raw(bad_headers), reset(), raw(message(200, HALF, length=500)), answer(302, b""))
    for url in [server.url] * 5 + [f"http://127.0.0.1:{closed_port}"]:
        try:
            client.send("GET", f"{url}/a/b?{QUERY}")
        except (RequestNotSent, ReplyLost):
            logging.getLogger("test").exception("It failed.")
    assert "/a/b" in caplog.text  # urllib3 did log
    printed = capfd.readouterr()
    for secret in ("the-secret", "TTP_r", "abcdef", "app_key"):
        assert secret not in caplog.text
        assert secret not in printed.out + printed.err
        assert not any(secret in repr(record.__dict__) for record in caplog.records)


@pytest.mark.parametrize("left", [-1.0, 0.05])
def test_a_silent_reader_gives_up_when_the_time_for_the_whole_reply_is_over(monkeypatch, left):
    from airflow_provider_tiktokshop.api.transport import PROGRESS, _DeadlineReader

    monkeypatch.setattr(PROGRESS, "deadline", time.monotonic() + left)
    one, other = socket.socketpair()
    with one, other:
        one.settimeout(5)
        other.sendall(b"x")
        reader = _DeadlineReader(one)
        with pytest.raises(TimeoutError):
            reader.read(1), reader.read(1)
        assert time.monotonic() - PROGRESS.deadline < 2
        reader.close()


def test_the_reader_can_be_read_from_as_python_expects():
    from airflow_provider_tiktokshop.api.transport import _DeadlineReader

    one, other = socket.socketpair()
    with one, other:
        reader = io.BufferedReader(_DeadlineReader(one))
        other.sendall(b"abc\ndef")
        other.close()
        assert reader.readline() == b"abc\n"
        assert reader.read() == b"def"
        reader.close()
        assert reader.closed
