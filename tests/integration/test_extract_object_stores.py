"""Extractions into object stores: a real S3-compatible server through Airflow's ObjectStoragePath; a stand-in for GCS."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path

import fsspec
import pyarrow.parquet as pq
import pytest
from airflow.sdk import ObjectStoragePath
from fsspec.implementations.memory import MemoryFileSystem
from upath import UPath

from airflow_provider_tiktokshop.extract import ManifestError, OptionError, read_manifest, read_rows
from airflow_provider_tiktokshop.extract.parquet import arrow_schema
from tests.support.extraction import SEARCH, ShopOnEmulator, ids
from tests.support.object_store import ObjectStore

ORDERS = 3000
FORMATS = ("jsonl.gz", "parquet")


@pytest.fixture(scope="module")
def s3():
    with ObjectStore() as store:
        yield store


@pytest.fixture
def lake(s3, monkeypatch):
    """The URL of an empty prefix, whose connection is known here and in child processes."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    return s3.url()


@pytest.fixture
def shop(emulators):
    return ShopOnEmulator(emulators.get({"orders": ORDERS, "rate_limit": 1_000_000}))


def interval(manifest) -> str:
    """The URL of an interval's directory."""
    return manifest.manifest_path.rsplit("/", 1)[0]


@pytest.mark.parametrize("layout", FORMATS)
def test_s3_holds_what_a_local_disk_would_and_nothing_else(shop, s3, lake, tmp_path, layout):
    options = {"windows": 3, "rows_per_part": 400, "format": layout}
    local = shop.extract(tmp_path, **options)

    manifest = shop.extract(ObjectStoragePath(lake), **options)

    assert manifest.files == local.files
    assert s3.keys(interval(manifest)) == sorted(["manifest.json", *(file.name for file in local.files)])
    for file in local.files:
        assert s3.read(f"{interval(manifest)}/{file.name}") == (Path(interval(local)) / file.name).read_bytes()
    # Whatever a later task has of it: the result, its URL, a path object, the place alone.
    url = manifest.manifest_path
    for way in (manifest, manifest.to_dict(), url, ObjectStoragePath(url), ObjectStoragePath(interval(manifest))):
        assert ids(read_rows(way)) == ids(shop.before)


@pytest.mark.parametrize("layout", FORMATS)
def test_after_a_kill_s3_loses_at_most_one_part_per_window(shop, s3, lake, tmp_path, layout):
    options = {"windows": 2, "rows_per_part": 400, "format": layout}
    clean = shop.extract(tmp_path, **options)
    before = shop.searches()
    shop.emulator.faults({"match": SEARCH, "kind": "hold", "skip": 18, "times": None})
    process = shop.in_a_process(lake, **options)
    shop.emulator.wait_held(1, timeout=120)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    shop.emulator.faults()
    shop.emulator.release()
    assert process.returncode == -signal.SIGKILL
    left = s3.keys(lake)
    assert [key for key in left if "/_work/" in key]
    assert not [key for key in left if key.endswith("manifest.json")]

    resumed = shop.extract(ObjectStoragePath(lake), **options)

    # Of each window the open part, and the page in flight; never the closed ones.
    assert clean.requests < shop.searches() - before <= clean.requests + 2 * 4 + 2
    assert resumed.run["attempts"] == 2
    assert resumed.files == clean.files
    assert Counter(row["id"] for row in read_rows(resumed)) == Counter(ids(shop.before))
    assert s3.keys(interval(resumed)) == sorted(["manifest.json", *(file.name for file in clean.files)])


@pytest.mark.parametrize("layout", FORMATS)
def test_a_later_run_takes_over_and_the_earlier_one_stops_without_a_trace(shop, s3, lake, tmp_path, layout):
    options = {"windows": 1, "rows_per_part": 400, "format": layout}
    shop.emulator.faults({"match": SEARCH, "kind": "hold", "skip": 18, "times": 1})
    with (tmp_path / "stderr").open("w+") as errors:
        earlier = shop.in_a_process(lake, stderr=errors, **options)
        shop.emulator.wait_held(1, timeout=120)

        later = shop.extract(ObjectStoragePath(lake), **options)
        whole = s3.keys(lake)
        shop.emulator.release()
        earlier.communicate(timeout=60)

        errors.seek(0)
        assert "AnotherRunError" in errors.read()
    assert earlier.returncode == 1
    assert later.run["attempts"] == 2
    assert s3.keys(lake) == whole
    assert s3.keys(interval(later)) == sorted(["manifest.json", *(file.name for file in later.files)])
    assert ids(read_manifest(later.manifest_path)) == ids(shop.before)


def test_what_another_process_wrote_is_seen_at_once(shop, s3, lake):
    one = shop.extract(ObjectStoragePath(lake), windows=1, rows_per_part=ORDERS)
    # The file system of this process now has listings of its own to go by, if it wants.
    assert [path.name for path in ObjectStoragePath(interval(one)).iterdir()]
    other = shop.in_a_process(lake, windows=1, rows_per_part=400)
    many = json.loads(other.communicate(timeout=120)[0].splitlines()[-1])
    assert len(many["files"]) == 8
    assert ids(read_rows(many)) == ids(shop.before)

    again = shop.extract(ObjectStoragePath(lake), windows=1, rows_per_part=ORDERS)

    assert s3.keys(interval(again)) == ["manifest.json", "part-00000.jsonl.gz"]


def test_a_stray_leftover_goes_with_the_next_run(shop, s3, lake):
    place = interval(shop.extract(ObjectStoragePath(lake), windows=1))
    assert ObjectStoragePath(place).fs.ls(ObjectStoragePath(place).path)
    for name in ("_work/0123-w000-00003.jsonl.gz", "part-00007.jsonl.gz", "part-00000.parquet"):
        s3.write(f"{place}/{name}", b"of a run that died")
    s3.write(f"{place}/notes.txt", b"somebody's own")

    shop.extract(ObjectStoragePath(lake), windows=1)

    assert s3.keys(place) == ["manifest.json", "notes.txt", "part-00000.jsonl.gz"]


def test_an_interval_can_change_its_format(shop, s3, lake):
    first = shop.extract(ObjectStoragePath(lake), windows=1)
    second = shop.extract(ObjectStoragePath(lake), windows=1, format="parquet")
    assert s3.keys(interval(second)) == ["manifest.json", "part-00000.parquet"]
    with pytest.raises(ManifestError, match="missing"):
        list(read_rows(first))
    assert ids(second) == ids(shop.before)


def test_a_bucket_that_does_not_exist_is_told_before_anything_is_asked_for(shop, s3, lake):
    before = shop.searches()
    with pytest.raises(OptionError, match="bucket"):
        shop.extract(ObjectStoragePath(lake.replace("@lake/", "@nowhere/")))
    assert shop.searches() == before


def test_pyarrow_reads_the_files_through_the_same_connection(shop, lake):
    manifest = shop.extract(ObjectStoragePath(lake), windows=4, rows_per_part=400, format="parquet").to_dict()
    paths = [ObjectStoragePath(file["path"]) for file in manifest["files"]]
    found = pq.read_table([path.path for path in paths], filesystem=paths[0].fs, schema=arrow_schema("orders"))
    assert sorted(found["id"].to_pylist()) == ids(shop.before)


class Gs(MemoryFileSystem):
    """In the place of gcsfs: what is shown is that ``gs`` paths are handled as those of a store without folders.

    Google's client and service are not part of this.
    """

    protocol = "gs"
    store: dict = {}
    pseudo_dirs = [""]
    made: list[str] = []

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.removeprefix("gs://")).lstrip("/")

    def makedirs(self, path, exist_ok=False):
        self.made.append(path)


@pytest.mark.parametrize("layout", FORMATS)
def test_a_gs_path_is_an_object_store_without_folders(shop, tmp_path, layout):
    fsspec.register_implementation("gs", Gs, clobber=True)
    options = {"windows": 2, "rows_per_part": 400, "format": layout}
    local = shop.extract(tmp_path, **options)

    manifest = shop.extract(UPath("gs://lake/tiktokshop"), **options)

    assert manifest.files == local.files
    assert manifest.manifest_path.startswith("gs://lake/tiktokshop/orders/")
    assert ids(read_rows(manifest.to_dict())) == ids(shop.before)
    below = interval(manifest).removeprefix("gs://")
    assert {key.removeprefix(below + "/") for key in Gs.store if key.startswith(below)} == {
        "manifest.json",
        *(file.name for file in local.files),
    }
    assert Gs.made == []
