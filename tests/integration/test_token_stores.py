"""Every token store against one suite, and what only the SQL store promises."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy
from cryptography.fernet import Fernet

from airflow_provider_tiktokshop.api.errors import ConfigurationError
from airflow_provider_tiktokshop.auth.records import RecordKey, RotatedRecord
from airflow_provider_tiktokshop.auth.rotation import Outcome
from airflow_provider_tiktokshop.auth.stores import open_store
from airflow_provider_tiktokshop.auth.stores.base import (
    Snapshot,
    StoreConflict,
    StoreMoved,
    StoreUnavailable,
    TokenStoreError,
)
from airflow_provider_tiktokshop.auth.stores.memory import MemoryStore
from airflow_provider_tiktokshop.auth.stores.migrate import migrate
from airflow_provider_tiktokshop.auth.stores.sql import TABLE_NAME, SqlStore, fernet_cipher
from airflow_provider_tiktokshop.auth.stores.sql_engine import store_engine
from airflow_provider_tiktokshop.testing.store_conformance import KEY, VALUE, TokenStoreConformance
from tests.support.rotation import FileStore, Workbench

ROOT = Path(__file__).parents[2]
SECRET = Fernet.generate_key().decode()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    return (
        request.getfixturevalue("empty_postgres")
        if request.param == "postgresql"
        else f"sqlite:///{tmp_path}/records.db"
    )


@pytest.fixture
def empty_postgres(postgres_url):
    engine = sqlalchemy.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(f"drop table if exists {TABLE_NAME}"))
    engine.dispose()
    return postgres_url


@pytest.fixture
def engine(url):
    engine = store_engine(url)
    yield engine
    engine.dispose()


class TestMemoryStore(TokenStoreConformance):
    @pytest.fixture
    def store(self):
        return MemoryStore()


class TestFileStore(TokenStoreConformance):
    @pytest.fixture
    def store(self, tmp_path):
        return FileStore(tmp_path)


class TestSqlStore(TokenStoreConformance):
    @pytest.fixture
    def store(self, engine):
        return SqlStore(engine, fernet_cipher(SECRET))


def test_the_database_holds_no_readable_token(engine):
    SqlStore(engine, fernet_cipher(SECRET)).write(KEY, VALUE)
    with engine.begin() as connection:
        rows = str(connection.execute(sqlalchemy.text(f"select * from {TABLE_NAME}")).all())
    assert KEY.name in rows
    assert "EMU_x" not in rows


def test_with_a_wrong_key_everything_is_unavailable_and_nothing_absent(engine):
    SqlStore(engine, fernet_cipher(SECRET)).write(KEY, VALUE)
    wrong = SqlStore(engine, fernet_cipher(Fernet.generate_key().decode()))
    for attempt in (
        lambda: wrong.read(KEY),
        lambda: wrong.read(KEY._replace(id="never-written")),
        lambda: wrong.write(KEY._replace(id="never-written"), VALUE),
        lambda: wrong.ids("rotated", KEY.app_key),
    ):
        with pytest.raises(StoreUnavailable, match="cannot be opened"):
            attempt()


def test_a_lost_canary_does_not_let_a_wrong_key_in(engine):
    SqlStore(engine, fernet_cipher(SECRET)).write(KEY, VALUE)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(f"delete from {TABLE_NAME} where name like '%canary'"))
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        SqlStore(engine, fernet_cipher(Fernet.generate_key().decode())).read(KEY._replace(id="never-written"))
    assert SqlStore(engine, fernet_cipher(SECRET)).read(KEY).value == VALUE


def test_a_row_copied_over_another_does_not_open_as_that_one(engine):
    store = SqlStore(engine, fernet_cipher(SECRET))
    other = KEY._replace(id="f" * 16)
    store.write(KEY, VALUE)
    store.write(other, {"schema": 1})
    with engine.begin() as connection:
        copied = f"update {TABLE_NAME} set sealed = (select sealed from {TABLE_NAME} where name = '{KEY.name}')"
        connection.execute(sqlalchemy.text(f"{copied} where name = '{other.name}'"))
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        store.read(other)


def test_keys_are_rotated_with_the_old_key_listed_second(engine):
    old, new = SECRET, Fernet.generate_key().decode()
    SqlStore(engine, fernet_cipher(old)).write(KEY, VALUE)
    both = SqlStore(engine, fernet_cipher(f"{new}, {old}"))
    assert both.rekey() == 1
    assert SqlStore(engine, fernet_cipher(new)).read(KEY).value == VALUE
    with pytest.raises(StoreUnavailable):
        SqlStore(engine, fernet_cipher(old)).read(KEY)


def test_a_change_of_keys_that_was_cut_off_half_way_leaves_everything_readable_and_is_run_again(engine):
    old, new = SECRET, Fernet.generate_key().decode()
    keys = [KEY._replace(id=f"{number:016x}") for number in range(6)]
    store = SqlStore(engine, fernet_cipher(old))
    for key in keys:
        store.write(key, VALUE)
    both = fernet_cipher(f"{new},{old}")

    class CutOff:
        """Seals three records, and then the power fails."""

        left = 3

        def decrypt(self, msg):
            return both.decrypt(msg)

        def encrypt(self, msg):
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            return both.encrypt(msg)

    with pytest.raises(KeyboardInterrupt):
        SqlStore(engine, CutOff()).rekey()
    # Whoever has both keys, in either order, reads and writes on.
    for order in (f"{new},{old}", f"{old},{new}"):
        again = SqlStore(engine, fernet_cipher(order))
        assert [again.read(key).value for key in keys] == [VALUE] * 6
    again.write(keys[0], {**VALUE, "n": 1})
    assert SqlStore(engine, both).rekey() == 6
    done = SqlStore(engine, fernet_cipher(new))
    assert [done.read(key).value["n"] for key in keys] == [1, *[VALUE["n"]] * 5]


def test_the_table_holds_a_record_of_any_length_in_mysql_too():
    from sqlalchemy.dialects import mysql
    from sqlalchemy.schema import CreateTable

    from airflow_provider_tiktokshop.auth.stores.sql_table import records_table

    assert "sealed LONGTEXT" in str(CreateTable(records_table()).compile(dialect=mysql.dialect()))


def test_eight_stores_that_find_no_table_make_one(engine):
    stores = [SqlStore(engine, fernet_cipher(SECRET)) for _ in range(8)]
    start, failures = threading.Barrier(8), []

    def first_use(number):
        start.wait()
        try:
            stores[number].write(KEY._replace(id=f"{number:016x}"), VALUE)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=first_use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(stores[0].ids("rotated", KEY.app_key)) == 8


@pytest.mark.parametrize("keys", ["", " , ", "not a key"])
def test_records_are_never_kept_unsealed(keys):
    with pytest.raises(ConfigurationError, match="key"):
        fernet_cipher(keys)


def test_a_database_that_is_down_is_unavailable_and_its_text_is_not_repeated(tmp_path):
    engine = sqlalchemy.create_engine("postgresql+psycopg2://user:hunter2@127.0.0.1:1/nothing")
    with pytest.raises(StoreUnavailable) as caught:
        SqlStore(engine, fernet_cipher(SECRET)).read(KEY)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_when_the_database_ended_every_connection_one_operation_fails_and_the_next_ones_do_not(empty_postgres):
    engine = store_engine(empty_postgres)
    store = SqlStore(engine, fernet_cipher(SECRET))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: store.write(KEY._replace(id=f"{n}"), VALUE), range(40)))
    assert engine.pool.checkedin() > 1
    other = sqlalchemy.create_engine(empty_postgres)
    with other.begin() as connection:
        ours = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()"
        assert len(connection.execute(sqlalchemy.text(ours)).all()) > 1
    other.dispose()
    with pytest.raises(StoreUnavailable, match="did not read"):
        store.read(KEY)
    for n in range(40):
        assert store.read(KEY._replace(id=f"{n}")).value == VALUE
    engine.dispose()


def test_a_conflict_costs_no_connection(engine):
    store = SqlStore(engine, fernet_cipher(SECRET))
    seen = store.write(KEY, VALUE)
    opened = []
    sqlalchemy.event.listen(engine, "connect", lambda *_: opened.append(1))
    store.write(KEY, VALUE)
    for expected in (seen, Snapshot(None)):
        with pytest.raises(StoreConflict):
            store.write(KEY, VALUE, expected)
    assert store.read(KEY).version == 2
    assert opened == []


def test_a_rotation_on_the_sql_store_needs_one_redemption_and_two_requests(workbench, engine):
    bench = workbench(store=SqlStore(engine, fernet_cipher(SECRET)))
    [id_] = bench.adopt_seeds()
    bench.run()
    before = bench.emulator.stats()["requests_total"]
    assert bench.rotator().rotate(id_).outcome is Outcome.ROTATED
    assert bench.emulator.stats()["requests_total"] == before + 2


PROGRAM = """
import json, multiprocessing, sys, sqlalchemy, time
from pathlib import Path
from types import SimpleNamespace
from airflow_provider_tiktokshop.auth.stores.sql import SqlStore, fernet_cipher
from tests.support.rotation import Workbench
url, key, directory, app, id_ = sys.argv[1:]
fork = multiprocessing.get_context("fork")
start, ends = fork.Barrier(64), fork.Queue()

def contend():
    arguments = {"timeout": 60} if url.startswith("sqlite") else {}
    store = SqlStore(sqlalchemy.create_engine(url, connect_args=arguments), fernet_cipher(key))
    bench = Workbench(SimpleNamespace(**json.loads(app)), Path(directory), store=store)
    start.wait()
    outcome = "waiting"
    while outcome == "waiting":
        outcome = bench.rotator().rotate(id_, replace_generation=1).outcome
        time.sleep(0.1 if outcome == "waiting" else 0)
    ends.put((outcome, bench.record(id_).generation))

processes = [fork.Process(target=contend) for _ in range(64)]
for process in processes:
    process.start()
print(json.dumps([ends.get(timeout=120) for _ in processes]))
for process in processes:
    process.join()
"""


def test_of_sixty_four_processes_one_redeems_and_all_end_with_the_same_generation(workbench, url, tmp_path):
    engine = sqlalchemy.create_engine(url)
    bench = workbench(store=SqlStore(engine, fernet_cipher(SECRET)), refresh_mode="family", access_ttl=6 * 86_400)
    [id_] = bench.adopt_seeds()
    assert bench.run().rotation.counts == {"adopted": 1}
    engine.dispose()
    before = bench.redemptions
    app = json.dumps({k: getattr(bench.emulator, k) for k in ("url", "app_key", "app_secret", "service_id")})
    # Forked from one process that has imported everything: 64 starts of Python would be most of the test.
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, url, SECRET, str(tmp_path), app, id_],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        timeout=200,
    )
    ends = json.loads(done.stdout)
    assert bench.redemptions == before + 1
    assert bench.reused() == 0
    assert len(ends) == 64
    assert {generation for _, generation in ends} == {2}
    assert [outcome for outcome, _ in ends].count("rotated") == 1
    assert bench.emulator.stats()["peak_concurrent_presentations_of_one_token"] == 1


def test_migration_moves_every_record_and_stops_whoever_still_uses_the_old_store(workbench, engine):
    bench = workbench(sellers=3)
    ids = bench.adopt_seeds()
    bench.run()
    target = SqlStore(engine, fernet_cipher(SECRET))
    moved = migrate(bench.store, target, bench.app.app_key, target_name="sql", clock=bench.clock)
    assert moved == {"rotated": 3, "consent": 3, "notice": 0, "seed": 3, "state": 0, "alert": 0}
    before = bench.redemptions
    report = bench.run()
    assert report.rotation.counts == {"store_unavailable": 3}
    assert "token store 'sql'" in report.rotation.results[0].error["text"]
    assert bench.redemptions == before
    old = bench.store
    with pytest.raises(StoreMoved):
        RotatedRecord.from_json(old.read(RecordKey("rotated", bench.app.app_key, ids[0])).value)
    again = migrate(old, target, bench.app.app_key, target_name="sql", clock=bench.clock)
    assert sum(again.values()) == 0


def test_whoever_is_still_on_the_old_store_can_authorize_nobody_there(workbench, engine):
    bench = workbench(sellers=3)
    bench.run(seed=bench.emulator.sellers[0]["refresh_token"])
    link = bench.flow().begin()
    target = SqlStore(engine, fernet_cipher(SECRET))
    migrate(bench.store, target, bench.app.app_key, target_name="sql", clock=bench.clock)
    before = bench.presentations
    # A machine that was not restarted: with a link from before, with a new link, and with a new seed in the connection.
    redirect = bench.emulator.consent(link.url, bench.emulator.sellers[1]["open_id"])
    with pytest.raises(StoreMoved, match="token store 'sql'"):
        bench.flow().finish(redirect, source="cli", state=link.state)
    with pytest.raises(StoreMoved):
        bench.flow().begin()
    assert str(bench.run(seed=bench.emulator.sellers[2]["refresh_token"]).seed.outcome) == "store_unavailable"
    assert bench.emulator.stats()["codes_redeemed"] == {}
    assert bench.presentations == before
    # Where the new setting has arrived, the same redirect is good: its state has moved along.
    switched = Workbench(bench.emulator, bench.directory, store=target)
    assert switched.flow().finish(redirect, source="cli", state=link.state).status.usable


def test_a_migration_that_was_killed_before_a_tombstone_goes_on_although_the_record_moved_on(workbench, engine):
    bench = workbench(refresh_mode="family")
    [id_] = bench.adopt_seeds()
    bench.run()
    target = SqlStore(engine, fernet_cipher(SECRET))
    key = RecordKey("rotated", bench.app.app_key, id_)
    # What the kill left: the copy is there, the tombstone is not, and the rotation went on in the old store.
    target.write(key, bench.store.read(key).value)
    assert bench.run(force=True).rotation.counts == {"rotated": 1}
    migrate(bench.store, target, bench.app.app_key, target_name="sql", clock=bench.clock)
    switched = Workbench(bench.emulator, bench.directory, store=target)
    assert switched.record(id_).generation == 3
    assert switched.run(force=True).rotation.counts == {"rotated": 1}
    assert bench.reused() == 0


def test_migration_leaves_alone_what_is_no_earlier_state_of_the_record(workbench, engine):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    bench.run()
    target = SqlStore(engine, fernet_cipher(SECRET))
    key = RecordKey("rotated", bench.app.app_key, id_)
    ahead = {**bench.store.read(key).value, "generation": 99}
    target.write(key, ahead)
    with pytest.raises(TokenStoreError, match="not an earlier state"):
        migrate(bench.store, target, bench.app.app_key, target_name="sql", clock=bench.clock)
    assert target.read(key).value == ahead
    assert "moved_to" not in bench.store.read(key).value


def test_what_was_moved_can_be_moved_back(workbench, engine):
    bench = workbench(sellers=2)
    ids = bench.adopt_seeds()
    bench.run()
    sql = SqlStore(engine, fernet_cipher(SECRET))
    migrate(bench.store, sql, bench.app.app_key, target_name="sql", clock=bench.clock)
    migrate(sql, bench.store, bench.app.app_key, target_name="variable", clock=bench.clock)
    assert bench.run(force=True).rotation.counts == {"rotated": 2}
    assert bench.flow().begin().url
    assert sorted(bench.authorizations.ids()) == sorted(ids)
    assert bench.reused() == 0


def test_migration_refuses_while_an_outcome_is_unknown(workbench, engine):
    bench = workbench()
    bench.adopt_seeds()
    bench.run()
    bench.emulator.faults({"match": "/api/v2/token/refresh", "kind": "500"})
    bench.run()
    target = SqlStore(engine, fernet_cipher(SECRET))
    with pytest.raises(TokenStoreError, match="unknown"):
        migrate(bench.store, target, bench.app.app_key, target_name="sql", clock=bench.clock)
    assert target.ids("rotated", bench.app.app_key) == ()


def test_a_store_of_the_users_own_is_loaded_by_its_dotted_path():
    assert isinstance(open_store("airflow_provider_tiktokshop.auth.stores.memory.MemoryStore"), MemoryStore)
    for wrong in ("nonsense", "no.such.Store", "json.JSONDecoder"):
        with pytest.raises(ConfigurationError, match="token_store"):
            open_store(wrong)
