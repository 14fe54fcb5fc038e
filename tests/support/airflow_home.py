"""AIRFLOW_HOME of a test: airflow.cfg, and a database that need not be migrated each time."""

from __future__ import annotations

import configparser
import contextlib
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.fernet import Fernet

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATES = REPOSITORY / ".build" / "airflow-db"


def write_config(
    home: Path,
    url: str,
    sql_alchemy_conn: str,
    dags: Sequence[Path],
    more: Mapping[str, Mapping[str, str]],
) -> None:
    """Write an airflow.cfg of its own for one Airflow that serves its API at ``url``.

    :param dags: folders of DAG files
    :param more: more of it, ``{section: {option: value}}``
    """
    # In airflow.cfg rather than in the environment, so that whoever sets AIRFLOW_HOME gets the same Airflow.
    port = url.rpartition(":")[2]
    # `dags test --use-executor` knows only one bundle, the DAGs folder: several folders are gathered in one.
    if len(dags) == 1:
        folder = dags[0].resolve()
    else:
        folder = home / "dags"
        folder.mkdir(exist_ok=True)
        for number, path in enumerate(dags):
            link = folder / f"{number}_{path.name}"
            link.unlink(missing_ok=True)
            link.symlink_to(path.resolve(), target_is_directory=True)
    settings: dict[str, dict[str, str]] = {
        "core": {
            "dags_folder": str(folder),
            "execution_api_server_url": f"{url}/execution/",
            "executor": "LocalExecutor",
            "fernet_key": Fernet.generate_key().decode(),
            "load_examples": "False",
            "parallelism": "4",
            "simple_auth_manager_all_admins": "True",
        },
        "api": {
            "base_url": url,
            "host": "127.0.0.1",
            "port": port,
            "secret_key": secrets.token_hex(16),
            "workers": "1",
        },
        "api_auth": {"jwt_secret": secrets.token_hex(32)},
        "dag_processor": {
            "bundle_refresh_check_interval": "1",
            "refresh_interval": "1",
        },
        "database": {"sql_alchemy_conn": sql_alchemy_conn},
        "logging": {"base_log_folder": str(home / "logs")},
        "scheduler": {"scheduler_idle_sleep_time": "0.2"},
        "usage_data_collection": {"enabled": "False"},
    }
    for section, options in more.items():
        settings.setdefault(section, {}).update(options)
    parser = configparser.RawConfigParser()
    # Airflow's own parser interpolates %.
    parser.read_dict({name: {k: v.replace("%", "%%") for k, v in part.items()} for name, part in settings.items()})
    config = home / "airflow.cfg"
    config.touch(mode=0o600)
    with config.open("w") as file:
        parser.write(file)


def take_migrated_sqlite(database: Path, version: str) -> bool:
    """Copy a database that was migrated before, and return whether there is one at ``database`` now.

    :param version: Airflow's
    """
    template = TEMPLATES / f"{version}.db"
    if not database.exists() and template.exists():
        _copy_sqlite(template, database)
    return database.exists()


def keep_migrated_sqlite(database: Path, version: str) -> None:
    """Keep a freshly migrated database for :func:`take_migrated_sqlite`."""
    TEMPLATES.mkdir(parents=True, exist_ok=True)
    copy = TEMPLATES / f"{version}.{secrets.token_hex(4)}"
    _copy_sqlite(database, copy)
    copy.replace(TEMPLATES / f"{version}.db")


def _copy_sqlite(source: Path, target: Path) -> None:
    # SQLite's own copy takes along what still sits in a write-ahead log.
    with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(target)) as new:
        old.backup(new)
