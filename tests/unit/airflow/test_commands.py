"""The commands: their arguments, what `sign` shows, and the listener for redirects."""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import pytest
from airflow.cli.cli_config import ActionCommand, GroupCommand

from airflow_provider_tiktokshop.api.errors import TikTokShopError
from airflow_provider_tiktokshop.api.signing import sign_request
from airflow_provider_tiktokshop.cli.definition import COMMANDS, get_cli_commands
from airflow_provider_tiktokshop.cli.listener import receive_redirect
from airflow_provider_tiktokshop.cli.main import build_parser, main
from tests.support.processes import free_port

SECRET = "0123456789abcdef0123456789abcdef01234567"
STATE = "the-state"


@pytest.fixture(autouse=True)
def app(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = {"conn_type": "tiktokshop", "login": "6abc", "password": SECRET}
    monkeypatch.setenv("AIRFLOW_CONN_TIKTOKSHOP_DEFAULT", json.dumps(connection))


def actions() -> dict[tuple[str, ...], ActionCommand]:
    """Return every command by its words."""
    found: dict[tuple[str, ...], ActionCommand] = {}
    for command in COMMANDS:
        if isinstance(command, GroupCommand):
            found |= {(command.name, inner.name): inner for inner in command.subcommands}
        else:
            found[command.name,] = command
    return found


def test_airflow_and_the_console_script_offer_the_same_commands() -> None:
    (group,) = get_cli_commands()

    assert group.name == "tiktokshop"
    assert [command.name for command in group.subcommands] == [command.name for command in COMMANDS]
    for words in actions():
        with pytest.raises(SystemExit) as stopped:
            build_parser().parse_args([*words, "--help"])
        assert stopped.value.code == 0


def test_the_definitions_load_none_of_the_commands() -> None:
    # Every `airflow` command loads them.
    code = (
        "import sys\n"
        "import airflow.cli.cli_config\n"
        "before = set(sys.modules)\n"
        "import airflow_provider_tiktokshop.cli.definition\n"
        "print(sorted(m for m in set(sys.modules) - before))\n"
    )

    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    assert "airflow_provider_tiktokshop.cli.definition" in printed
    assert "requests" not in printed
    assert "airflow_provider_tiktokshop.hooks" not in printed


def test_no_argument_takes_a_secret() -> None:
    flags = [flag for command in actions().values() for argument in command.args for flag in argument.flags]

    assert not [flag for flag in flags if "secret" in flag or "token" in flag or "code" in flag]


def signed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    main(["sign", *arguments, "-o", "json"])
    return dict(json.loads(capsys.readouterr().out))


def test_sign_gives_the_signature_of_the_request(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_bytes(b'{"order_status":"UNPAID"}')
    arguments = ["POST", "/order/202309/orders/search", "-p", "page_size=10", "--timestamp", "1700000000"]

    answer = signed(capsys, *arguments, "--body-file", str(body))

    query = {"app_key": "6abc", "timestamp": "1700000000", "page_size": "10"}
    assert answer["sign"] == sign_request(SECRET, "/order/202309/orders/search", query, body.read_bytes())
    assert answer["query"] == query


def test_sign_shows_everything_that_is_signed_but_the_secret(capsys: pytest.CaptureFixture[str]) -> None:
    main(["sign", "get", "/authorization/202309/shops", "--timestamp", "1700000000"])

    shown = capsys.readouterr().out
    assert "<app secret>/authorization/202309/shopsapp_key6abctimestamp1700000000<app secret>" in shown
    assert SECRET not in shown


def test_sign_without_a_connection_reads_the_secret_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("another-secret\n"))

    answer = signed(capsys, "GET", "/x", "--app-key", "other", "--timestamp", "1700000000")

    query = {"app_key": "other", "timestamp": "1700000000"}
    assert answer["sign"] == sign_request("another-secret", "/x", query)


@pytest.mark.parametrize("pairs", [["page_size"], ["=1"], ["ids=1", "ids=2"]])
def test_a_parameter_that_cannot_be_meant_ends_with_a_text(pairs: list[str]) -> None:
    options = [part for pair in pairs for part in ("-p", pair)]

    with pytest.raises(SystemExit, match="Error:"):
        main(["sign", "GET", "/x", *options])


@pytest.mark.parametrize(
    "path", ["order/202309/orders", "/order/202309/orders?page_size=10", "https://x.example/order"]
)
def test_a_path_whose_signature_nobody_would_accept_is_refused(path: str) -> None:
    with pytest.raises(SystemExit, match="Error: .* is not the path of an endpoint"):
        main(["sign", "GET", path])


def test_a_body_file_that_cannot_be_read_ends_with_a_text(tmp_path: Path) -> None:
    for source in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(SystemExit, match=f"Error: The body file {source} cannot be read"):
            main(["sign", "POST", "/x", "--body-file", str(source)])


@pytest.mark.parametrize(
    "arguments",
    [
        ["authorize", "--listen", "70000"],
        ["authorize", "--listen", "0"],
        ["authorize", "--listen", "many"],
        ["authorize", "--timeout", "nan"],
        ["authorize", "--timeout", "-1"],
        ["emulator", "--port", "70000"],
        ["emulator", "--sellers", "-1"],
        ["emulator", "--host", "0.0.0.0"],
        ["emulator", "--rate-limit", "-1"],
    ],
)
def test_a_number_that_cannot_be_meant_ends_with_a_text_and_status_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)

    assert stopped.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert arguments[1].removeprefix("--") in said.replace("_", "-") or "loopback" in said


def test_an_unknown_connection_ends_with_a_text_and_not_a_traceback() -> None:
    with pytest.raises(SystemExit, match="Error: .*nobody"):
        main(["sign", "GET", "/x", "--conn-id", "nobody"])


def test_every_emulator_option_exists_at_the_emulator_too() -> None:
    from airflow_provider_tiktokshop.cli.emulator import OPTIONS
    from airflow_provider_tiktokshop.emulator import __main__ as emulator

    parser = next(value for value in vars(emulator).values() if callable(value) and value.__name__.endswith("parser"))()
    assert isinstance(parser, argparse.ArgumentParser)
    known = {action.dest for action in parser._actions}

    assert set(OPTIONS) <= known


class Browser(threading.Thread):
    """Opens addresses one after the other while the listener waits."""

    def __init__(self, port: int, *paths: str) -> None:
        super().__init__(daemon=True)
        self.answers: list[int] = []
        self._urls = [f"http://127.0.0.1:{port}{path}" for path in paths]
        self._opener = build_opener(ProxyHandler({}))

    def run(self) -> None:
        for url in self._urls:
            while True:
                try:
                    with self._opener.open(url, timeout=10) as answer:
                        self.answers.append(answer.status)
                except HTTPError as error:
                    self.answers.append(error.code)
                except OSError:
                    continue  # not listening yet
                break


def test_the_listener_takes_the_redirect_of_its_own_link_and_no_other() -> None:
    port = free_port()
    browser = Browser(
        port,
        "/favicon.ico",
        "/?code=forged&state=another",
        "/?code=without-state",
        f"/callback?code=right&state={STATE}",
    )
    browser.start()

    received = receive_redirect(port, state=STATE, timeout=20)

    browser.join(10)
    assert received == f"/callback?code=right&state={STATE}"
    assert browser.answers == [400, 400, 400, 200]


def test_a_listener_that_nobody_comes_to_says_what_to_check() -> None:
    with pytest.raises(TikTokShopError, match="redirect URL in Partner Center"):
        receive_redirect(free_port(), state=STATE, timeout=0.2)


def test_a_taken_port_is_a_text() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TikTokShopError, match=f"cannot listen on 127.0.0.1:{port}"):
            receive_redirect(port, state=STATE, timeout=1)
