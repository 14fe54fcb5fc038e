"""The commands in a real Airflow home with its own SQLite database, at both ends of the supported range."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from airflow_provider_tiktokshop.api.signing import sign_request
from airflow_provider_tiktokshop.auth import keeping
from airflow_provider_tiktokshop.auth.records import authorization_id
from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess
from tests.support.airflow_stack import REPOSITORY, AirflowStack
from tests.support.rotation import Workbench

ROTATE = "tiktokshop_rotate_tokens"
NEWEST = ("-m", "airflow", "tiktokshop")
OLDEST = ("-m", "airflow_provider_tiktokshop.cli.main")


class Shell:
    """A terminal on the machine of an Airflow."""

    def __init__(
        self, stack: AirflowStack, emulator: EmulatorProcess, command: tuple[str, ...], tmp_path: Path
    ) -> None:
        self.stack = stack
        self.emulator = emulator
        self.escrow = tmp_path / "escrow"
        self.workbench = Workbench(emulator, tmp_path)
        self.keys = [Fernet.generate_key().decode() for _ in range(2)]
        self._command = command
        self._env = {
            **stack.env,
            "PYTHONPATH": str(REPOSITORY),
            "AIRFLOW__TIKTOKSHOP__ESCROW_DIR": str(self.escrow),
            "AIRFLOW__TIKTOKSHOP__TOKEN_STORE_CONN_ID": "tokens_db",
            "AIRFLOW__TIKTOKSHOP__TOKEN_STORE_KEY": self.keys[0],
            "AIRFLOW_CONN_TOKENS_DB": json.dumps({"conn_type": "sqlite", "host": str(tmp_path / "tokens.db")}),
            "AIRFLOW_CONN_TIKTOKSHOP_DEFAULT": json.dumps(
                {
                    "conn_type": "tiktokshop",
                    "login": emulator.app_key,
                    "password": emulator.app_secret,
                    "extra": {
                        "service_id": emulator.service_id,
                        "api_url": emulator.url,
                        "auth_url": emulator.url,
                        "authorize_url": f"{emulator.url}/open/authorize",
                    },
                }
            ),
        }
        self.printed: list[str] = []

    def run(self, *arguments: str, answer: str = "", status: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end and hold it to its exit status; ``env`` adds options of ``[tiktokshop]``."""
        more = {f"AIRFLOW__TIKTOKSHOP__{name.upper()}": value for name, value in env.items()}
        done = subprocess.run(
            [self.stack.python, *self._command, *arguments],
            input=answer,
            env={**self._env, **more},
            cwd=self.stack.home,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.printed += [done.stdout, done.stderr]
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def json(self, *arguments: str, status: int = 0, **env: str) -> Any:
        # Airflow may log a line before what a command prints.
        text = self.run(*arguments, "-o", "json", status=status, **env).stdout
        start = min(at for at in (text.find("[\n"), text.find("{\n"), text.find("[]")) if at >= 0)
        return json.loads(text[start:])

    def seal_a_consent(self, open_id: str) -> str:
        """Leave behind what a process leaves that was killed between the service's answer and the store."""
        bench = self.workbench
        url = bench.emulator.consent(bench.oauth.authorization_url("any"), open_id)
        code = url.partition("code=")[2].partition("&")[0]
        record = bench.flow().consent_of(bench.oauth.redeem_code(code), source="cli")
        assert keeping.seal(bench.escrow, record.id, "consent", record) is not None
        return record.id

    def authorize(self, open_id: str, *options: str, status: int = 0) -> str:
        """Authorize from the command line; return what it said."""
        process = subprocess.Popen(
            [self.stack.python, *self._command, "authorize", *options],
            env=self._env,
            cwd=self.stack.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        link = next(word for line in process.stderr for word in line.split() if "/open/authorize" in word)
        out, err = process.communicate(self.emulator.consent(link, open_id) + "\n", timeout=120)
        self.printed += [out, err]
        assert process.returncode == status, out + err
        return out + err


@pytest.fixture(scope="module", params=["newest", pytest.param("oldest", marks=pytest.mark.oldest)])
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    newest = request.param == "newest"
    python = sys.executable if newest else request.getfixturevalue("oldest_python")
    with (
        EmulatorProcess(sellers=3, shops_per_seller=1, orders=1) as emulator,
        AirflowStack(REPOSITORY / "dags", components=(), python=python) as stack,
    ):
        yield Shell(stack, emulator, NEWEST if newest else OLDEST, tmp_path_factory.mktemp("machine"))


# The tests of this module share the machine and stand in the order of its life.


def test_the_doctor_finds_a_new_deployment_in_order_and_the_dag_missing(shell: Shell) -> None:
    found = {one["what"]: one for one in shell.json("doctor")}

    assert {name: one["state"] for name, one in found.items()} == {
        "encryption": "ok",
        "store": "ok",
        "connection": "ok",
        "hosts": "ok",
        "records": "ok",
        "escrow": "ok",
        "listen": "ok",
        "clock": "ok",
        "app": "ok",
        "rotation DAG": "warning",
    }
    assert shell.emulator.url.removeprefix("http://") in found["hosts"]["text"]


def test_the_doctor_names_what_is_broken(shell: Shell) -> None:
    blocked = shell.escrow.parent / "a-file"
    blocked.write_text("")

    found = {one["what"]: one for one in shell.json("doctor", "--offline", status=1, escrow_dir=str(blocked / "x"))}

    assert found["escrow"]["state"] == "broken"
    assert "escrow_dir" in found["escrow"]["text"]
    assert "clock" not in found


def test_the_doctor_notices_an_escrow_that_others_can_write(shell: Shell) -> None:
    shared = shell.escrow.parent / "shared"
    shared.mkdir()
    shared.chmod(0o777)

    found = {one["what"]: one for one in shell.json("doctor", "--offline", escrow_dir=str(shared))}

    assert found["escrow"]["state"] == "warning"
    assert "chmod 700" in found["escrow"]["text"]


def test_a_connection_added_by_command_and_the_same_as_a_uri_are_one_app(shell: Shell) -> None:
    url = shell.emulator.url
    secret = "s3cret/+&?=% ünd @:"
    extra = {"market": "us", "service_id": "7206214778137348822", "api_url": url, "auth_url": url, "markt": "us"}
    added = shell.stack.cli(
        *("connections", "add", "by_command", "--conn-type", "tiktokshop"),
        *("--conn-login", shell.emulator.app_key, "--conn-password", secret, "--conn-extra", json.dumps(extra)),
    )
    assert added.returncode == 0, added.output
    told = shell.stack.cli("connections", "get", "by_command", "-o", "json")
    (connection,) = json.loads(told.output[told.output.index("[{") : told.output.rindex("]") + 1])
    shell._env["AIRFLOW_CONN_BY_URI"] = connection["get_uri"]

    by_command, by_uri = (
        {one["what"]: one for one in shell.json("doctor", "--offline", "--conn-id", name)}
        for name in ("by_command", "by_uri")
    )

    for name in ("connection", "hosts", "records"):
        assert by_command[name] == by_uri[name]
    assert f"app {shell.emulator.app_key}, custom app, market us" in by_command["connection"]["text"]
    assert "markt" in by_command["connection"]["text"]
    signatures = {
        shell.json("sign", "GET", "/x", "--timestamp", "1", "--conn-id", name)["sign"]
        for name in ("by_command", "by_uri")
    }
    assert signatures == {sign_request(secret, "/x", {"app_key": shell.emulator.app_key, "timestamp": "1"})}


def test_a_rotation_without_its_dag_says_what_to_copy(shell: Shell) -> None:
    assert "dags/tiktokshop_rotate_tokens.py" in shell.run("rotate", status=1).stderr


def test_the_same_rotation_asked_for_twice_is_one_run(shell: Shell) -> None:
    seller = shell.emulator.sellers[0]
    shell.authorize(seller["open_id"])
    shell.stack.cli("dags", "reserialize")

    first = shell.json("rotate", "--force", "--open-id", seller["open_id"])
    second = shell.run("rotate", "--force", "--open-id", seller["open_id"])

    assert first["state"] == "started"
    assert first["conf"] == {"open_ids": [seller["open_id"]], "force": {seller["open_id"]: 1}}
    assert "asked for before" in second.stdout
    assert first["run_id"] in second.stdout
    assert "The DAG is paused" in second.stdout
    assert runs(shell) == [(first["run_id"], "queued")]


def test_a_finished_run_does_not_stand_in_the_way_of_the_next(shell: Shell) -> None:
    seller = shell.emulator.sellers[0]
    with sqlite3.connect(shell.stack.home / "airflow.db") as database:
        database.execute("UPDATE dag_run SET state = 'failed'")

    again = shell.json("rotate", "--force", "--open-id", seller["open_id"])

    assert again["state"] == "started"
    assert [state for _, state in runs(shell)] == ["failed", "queued"]


def runs(shell: Shell) -> list[tuple[str, str]]:
    with sqlite3.connect(shell.stack.home / "airflow.db") as database:
        return list(database.execute("SELECT run_id, state FROM dag_run WHERE dag_id = ? ORDER BY id", [ROTATE]))


def test_the_doctor_notices_that_nobody_unpaused_the_rotation(shell: Shell) -> None:
    found = {one["what"]: one for one in shell.json("doctor", "--offline", status=1)}

    assert found["rotation DAG"]["state"] == "broken"
    assert "airflow dags unpause" in found["rotation DAG"]["text"]


def test_rescue_adopts_what_a_killed_process_left_and_lists_what_cannot_be_opened(shell: Shell) -> None:
    open_id = shell.emulator.sellers[1]["open_id"]
    id_ = shell.seal_a_consent(open_id)
    assert authorization_id(open_id) == id_
    torn = shell.escrow / next(shell.escrow.iterdir()).name.replace(id_, "0" * 16)
    torn.write_bytes(b"TTSE1 cut off")

    rescued = {one["slot"]: one["outcome"] for one in shell.json("rescue", status=1)}

    assert rescued == {id_: "adopted", torn.name: "unreadable"}
    torn.unlink()
    assert "Nothing waits" in shell.run("rescue").stdout
    held = {one["open_id"]: one for one in shell.json("status")}
    assert held[open_id]["status"] == "fresh"


def test_a_consent_of_somebody_else_waits_until_it_is_confirmed(shell: Shell) -> None:
    expected, other = shell.emulator.sellers[1]["open_id"], shell.emulator.sellers[2]["open_id"]

    said = shell.authorize(other, "--open-id", expected, status=1)

    assert other in said
    assert {one["open_id"]: one["status"] for one in shell.json("status")}[other] == "pending"
    (confirmed,) = shell.json("confirm", other)
    assert (confirmed["open_id"], confirmed["status"]) == (other, "fresh")


def test_forget_asks_first(shell: Shell) -> None:
    open_id = shell.emulator.sellers[2]["open_id"]

    assert "Nothing was changed" in shell.run("forget", open_id, answer="n\n", status=1).stderr
    shell.run("forget", authorization_id(open_id), answer="y\n")

    assert {one["open_id"]: one["status"] for one in shell.json("status")}[open_id] == "revoked"
    assert "holds no authorization" in shell.run("forget", "nobody", "--yes", status=1).stderr


def test_the_records_move_to_the_sql_store_and_the_old_one_says_so(shell: Shell) -> None:
    before = shell.json("status")

    moved = shell.json("store", "migrate", "--to", "sql")

    assert moved["authorizations"] == len(before) == 3
    # The one that was rescued went straight to where rotations keep it.
    assert (moved["moved"]["rotated"], moved["moved"]["consent"]) == (1, 2)
    assert "was moved to the token store 'sql'" in shell.run("status", status=1).stderr
    assert shell.json("status", token_store="sql") == before


def test_the_sql_store_gets_a_new_key(shell: Shell) -> None:
    old, new = shell.keys

    done = shell.json("store", "rekey", token_store="sql", token_store_key=f"{new},{old}")

    assert done["records"] > 3
    assert len(shell.json("status", token_store="sql", token_store_key=new)) == 3
    refused = shell.run("status", status=1, token_store="sql", token_store_key=old).stderr
    assert "cannot be opened" in refused
    assert "airflow rotate-fernet-key" in shell.run("store", "rekey", status=1).stderr


def test_nothing_that_was_printed_holds_a_secret(shell: Shell) -> None:
    printed = "".join(shell.printed)
    secrets = shell.emulator.secrets()

    assert len(secrets) > 5
    assert not [secret for secret in [*secrets, *shell.keys] if secret in printed]
