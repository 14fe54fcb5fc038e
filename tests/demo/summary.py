"""The end of the demo: who is authorized, what was extracted, and what was compared."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from airflow_provider_tiktokshop.testing import EmulatorProcess
from tests.demo.narration import Narrator

DAY = 86_400


def print_summary(
    tell: Narrator,
    authorizations: Sequence[Mapping[str, Any]],
    ways: Mapping[str, str],
    manifests: Sequence[Mapping[str, Any]],
    orders: int,
    emulator: EmulatorProcess,
) -> None:
    """Print the tables.

    :param authorizations: as `airflow tiktokshop status` gives them
    :param ways: how each seller, by open_id, was authorized
    :param manifests: what the extraction tasks returned
    :param orders: how many orders were compared with the emulator's own
    """
    now = time.time()
    tell.plain("\nSellers")
    tell.table(
        ("open_id", "authorized by", "status", "generation", "access token", "authorization"),
        [
            (
                row["open_id"],
                ways[row["open_id"]],
                row["status"],
                row["generation"],
                f"{(row['access_expires_at'] - now) / DAY:.1f} days left",
                f"{(row['authorization_expires_at'] - now) / DAY:.0f} days left",
            )
            for row in authorizations
        ],
    )
    regions = {shop["id"]: shop["region"] for row in authorizations for shop in row["shops"]}
    tell.plain("\nOrders that changed in the interval")
    tell.table(
        ("shop", "region", "orders", "from", "until", "files", "kB", "requests", "seconds"),
        [
            (
                manifest["shop_id"],
                regions.get(manifest["shop_id"], "-"),
                manifest["rows"],
                manifest["start"],
                manifest["end"],
                len(manifest["files"]),
                sum(file["bytes"] for file in manifest["files"]) // 1000,
                manifest["requests"],
                float(manifest["run"]["seconds"]),
            )
            for manifest in manifests
        ],
    )
    stats = emulator.stats()
    tell.plain(
        f"""
What happened: one seller agreed on the consent page and got an access token for two days, the other came as a refresh
token in the connection. The rotation DAG redeemed each refresh token once and keeps the new pairs in Airflow's
encrypted Variables (generation counts the pairs of a consent). The extraction DAG only reads them: one task a shop.

Compared with the emulator's own records:
  {orders:,} orders, none missing, none twice, each in its newest version
  {stats["redemptions_total"]} refresh tokens redeemed, {stats["reused_refresh_tokens_total"]} presented a second time
  {stats["requests_total"]} requests, {stats["throttled"]} of them throttled
"""
    )
    if manifests and manifests[0]["files"]:
        tell.plain(
            f"Look at one:     gunzip -c {Path(manifests[0]['files'][0]['path'])} | head -1 | python3 -m json.tool"
        )
