"""The [tiktokshop] section of airflow.cfg, as every process reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_tiktokshop import config


def test_lists_are_separated_by_commas_and_may_be_spaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__TIKTOKSHOP__ALLOWED_HOSTS", " a.example , b.example:8443,, ")

    assert config.allowed_hosts() == ("a.example", "b.example:8443")


def test_without_a_directory_the_escrow_is_below_airflows_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))

    assert config.escrow_dir() == tmp_path / "tiktokshop_escrow"


def test_the_escrow_may_be_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__TIKTOKSHOP__ESCROW_DIR", "/var/lib/escrow")

    assert config.escrow_dir() == Path("/var/lib/escrow")


def test_the_sql_store_is_sealed_with_airflows_key_unless_it_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "core-key")
    assert config.token_store_key() == "core-key"

    monkeypatch.setenv("AIRFLOW__TIKTOKSHOP__TOKEN_STORE_KEY", "own-key")
    assert config.token_store_key() == "own-key"


def test_a_secret_option_may_come_from_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__TIKTOKSHOP__TOKEN_STORE_KEY_CMD", "echo from-a-vault")

    assert config.token_store_key() == "from-a-vault"


@pytest.mark.parametrize(
    ("level", "store", "warned"),
    [("DEBUG", "variable", True), ("debug", "variable", True), ("INFO", "variable", False), ("DEBUG", "sql", False)],
)
def test_where_airflow_would_log_the_tokens_doctor_and_rotation_say_so(
    monkeypatch: pytest.MonkeyPatch, level: str, store: str, warned: bool
) -> None:
    from airflow_provider_tiktokshop.auth.fleet import RotationReport
    from airflow_provider_tiktokshop.auth.run import RunReport
    from airflow_provider_tiktokshop.cli import doctor
    from airflow_provider_tiktokshop.operators.rotate_token import TikTokShopRotateTokenOperator

    monkeypatch.setenv("AIRFLOW__LOGGING__LOGGING_LEVEL", level)
    monkeypatch.setenv("AIRFLOW__TIKTOKSHOP__TOKEN_STORE", store)
    said: list[str] = []
    operator = TikTokShopRotateTokenOperator(task_id="rotate")
    monkeypatch.setattr(
        type(operator.log), "warning", lambda _, text, *values: said.append(text % values), raising=False
    )

    operator._log_report("6abc", RunReport(RotationReport(), None, [], now=0.0), 0.1)

    assert [("supervisor" in text) for text in said] == [True] * warned
    assert ("supervisor" in doctor._store()[1]) is warned
