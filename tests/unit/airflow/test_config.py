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
