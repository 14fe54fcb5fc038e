"""Memory stays flat however many rows an interval has."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from airflow_provider_tiktokshop.extract.parquet import arrow_schema
from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess
from tests.support.extraction import ShopOnEmulator


@pytest.fixture(scope="module")
def shop():
    with EmulatorProcess(orders=100_000, rate_limit=1_000_000) as emulator:
        yield ShopOnEmulator(emulator)


def extracted(shop: ShopOnEmulator, output, **options) -> dict:
    process = shop.in_a_process(output, **options)
    line, _ = process.communicate(timeout=280)
    manifest = json.loads(line)
    assert manifest["rows"] == len(shop.truth(lt=shop.end, ge=shop.start))
    return manifest


def peak(shop: ShopOnEmulator, output, **options) -> float:
    return extracted(shop, output, **options)["peak_mb"]


def test_a_hundred_thousand_orders_take_less_than_120_mb_and_hardly_more_than_a_few(shop, tmp_path):
    first = shop.start
    shop.start = shop.before[-4000]["update_time"]
    few = peak(shop, tmp_path / "few", windows=8)
    shop.start = first
    many = peak(shop, tmp_path / "many", windows=8)
    print(f"peak: {few:.1f} MB for 4,000 orders, {many:.1f} MB for 100,000")
    assert many < 120
    # 96,000 rows more: what is kept of a row is a few bytes.
    assert many - few < 15


def test_fifty_thousand_orders_as_parquet_take_less_than_200_mb_and_have_one_schema(shop, tmp_path, monkeypatch):
    monkeypatch.setattr(shop, "start", shop.before[-50_000]["update_time"])
    manifest = extracted(shop, tmp_path, format="parquet")
    files = [file["path"] for file in manifest["files"]]
    groups = [pq.read_metadata(path).num_row_groups for path in files]
    print(
        f"peak: {manifest['peak_mb']:.1f} MB for {manifest['rows']} orders in {len(files)} files, row groups: {groups}"
    )
    assert manifest["peak_mb"] < 200
    assert manifest["rows"] >= 50_000
    assert len(files) >= 8
    assert all(pq.read_schema(path).equals(arrow_schema("orders"), check_metadata=True) for path in files)
