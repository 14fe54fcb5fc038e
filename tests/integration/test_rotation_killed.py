"""A rotation killed with SIGKILL, wherever it is, on every store: what the next run finds, and whether the seller is lost."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy
from cryptography.fernet import Fernet

from airflow_provider_tiktokshop.auth.stores.sql import TABLE_NAME
from tests.support import recovery_table
from tests.support.recovery_table import MODES, STORES
from tests.support.rotate_until import DAY, STEPS, rotation_server

# Killed between the service's answer and the fsync of the escrow, the only copy of the new refresh token is gone. No
# client can save that: where the service lets no spent token through, the seller has to authorize again. (In grace mode the
# minute of grace is over when the access token's last day comes.)
UNSAVED = ("after_reply", "after_mask")
LOST = {(step, mode) for step in UNSAVED for mode in ("rotate", "family", "grace")}

WORDS = {
    ("rotated", "not_due"): "rotates",
    ("outcome_unknown", "rotated"): "waits, then rotates",
    ("refused", "known_dead"): "**lost**, told at once",
    ("outcome_unknown", "refused"): "**lost**, told in the last day",
    ("adopted", "not_due"): "adopts",
    ("not_due", "not_due"): "tests",
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory, emulators, request):
    """Kill one seller's rotation at each step, run twice, and tell what was found; done once for a store and a mode."""

    @cache
    def case(store, mode):
        directory = tmp_path_factory.mktemp(f"{store}-{mode}")
        options = {"sellers": len(STEPS), "orders": 1, "rate_limit": 100_000, "refresh_mode": mode}
        emulator = emulators.get(options)
        names = ("url", "app_key", "app_secret", "service_id", "sellers")
        job = {
            "store": store,
            "where": where(store, directory),
            "key": Fernet.generate_key().decode(),
            "directory": str(directory),
            "emulator": {name: getattr(emulator, name) for name in names},
        }
        server = request.getfixturevalue("server")
        tokens = [emulator.account(seller["open_id"])["tokens"][-1] for seller in emulator.sellers]
        held = [(seller["open_id"], token) for seller, token in zip(emulator.sellers, tokens, strict=True)]
        ids = dict(zip(STEPS, server.do("prepare", held=held, **job)["ids"], strict=True))
        for step, id_ in ids.items():
            server.kill_at(step, id=id_, **job)
        killed_at = server.do("look", **job)["found"]
        first = server.do("run", **job)
        # By now the access token's last day has come, and all is decided.
        emulator.clock(advance=DAY + 60)
        later = job | {"offset": DAY + 60}
        second = server.do("run", **later)
        end = server.do("look", **later)
        presented = emulator.stats()["presented_refresh_tokens"]
        found = {}
        for (step, id_), token in zip(ids.items(), tokens, strict=True):
            found[step] = SimpleNamespace(
                runs=(first["outcomes"][id_], second["outcomes"][id_]),
                noted=killed_at[id_]["verified"] and killed_at[id_]["generation"] == 2,
                presented=presented.get(token["refresh_token_fingerprint"], 0),
                end=end["found"][id_],
            )
        return SimpleNamespace(steps=found, escrow=end["escrow"], reused=emulator.stats()["reused_by_token"])

    def where(store, directory):
        if store == "postgresql":
            url = request.getfixturevalue("postgres_url")
            engine = sqlalchemy.create_engine(url)
            with engine.begin() as connection:
                connection.execute(sqlalchemy.text(f"drop table if exists {TABLE_NAME}"))
            engine.dispose()
            return url
        return f"sqlite:///{directory}/records.db" if store == "sqlite" else str(directory / "store")

    return case


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with rotation_server(Path(tmp_path_factory.mktemp("airflow"))) as running:
        yield running


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("store", STORES)
def test_a_rotation_killed_at_any_step_is_taken_up_by_the_next_run(killed, store, mode):
    case = killed(store, mode)
    for step, found in case.steps.items():
        told = f"{step}: {found}"
        if (step, mode) in LOST:
            assert found.end["status"] == "reauthorization_required", told
            continue
        assert found.end["status"] == "fresh", told
        assert found.end["generation"] == 2, told
        assert found.end["verified"], told
        assert not found.end["intent"], told
        assert found.end["works"], told
    assert not case.escrow


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("store", STORES)
def test_only_a_token_whose_fate_is_unknown_is_presented_twice(killed, store, mode):
    for step, found in killed(store, mode).steps.items():
        assert found.presented == 1 + (step in UNSAVED), (step, found)


@pytest.mark.parametrize("mode", ["rotate", "family"])
@pytest.mark.parametrize("store", STORES)
def test_killed_after_the_service_answered_and_before_the_store_was_written_the_next_run_adopts_the_escrow(
    killed, store, mode
):
    found = killed(store, mode).steps["after_seal"]
    assert found.runs == ("adopted", "not_due")
    assert found.presented == 1


def test_the_documented_table_is_what_these_kills_gave(killed):
    def outcome(store, step, mode):
        found = killed(store, mode).steps[step]
        return "nothing left to do" if found.noted else WORDS.get(found.runs, " → ".join(found.runs))

    tables = recovery_table.render(outcome)
    if os.environ.get("WRITE_DOCS"):
        recovery_table.write(tables)
    assert recovery_table.committed() == tables, "run this test with WRITE_DOCS=1 and read what changed"
