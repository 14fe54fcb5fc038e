"""Hold what the demo did against what the emulator knows to be true."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow_provider_tiktokshop.testing import EmulatorProcess


class DemoFailed(Exception):
    """The outcome is not what it must be; the text says where it differs."""


def check_orders(manifests: Sequence[Mapping[str, Any]], emulator: EmulatorProcess) -> int:
    """Check that every shop's files hold exactly the orders of the interval, and return how many there are.

    The files are read with nothing but the standard library: this must not share a mistake with what wrote them.

    :param manifests: what the extraction tasks returned
    :raises DemoFailed: a shop, a file or an order is missing, superfluous, doubled or outdated
    """
    wanted = {shop["id"] for seller in emulator.sellers for shop in seller["shops"]}
    extracted = [manifest["shop_id"] for manifest in manifests]
    if sorted(extracted) != sorted(wanted):
        raise DemoFailed(f"shops extracted: {sorted(extracted)}; authorized: {sorted(wanted)}")
    return sum(_check_shop(manifest, emulator) for manifest in manifests)


def _check_shop(manifest: Mapping[str, Any], emulator: EmulatorProcess) -> int:
    shop_id = manifest["shop_id"]
    orders = [order for file in manifest["files"] for order in _read(file)]
    if manifest["rows"] != len(orders):
        raise DemoFailed(f"shop {shop_id}: the manifest says {manifest['rows']} orders, the files hold {len(orders)}")
    doubled = [id_ for id_, times in Counter(order["id"] for order in orders).items() if times > 1]
    if doubled:
        raise DemoFailed(f"shop {shop_id}: {len(doubled)} orders more than once, for example {doubled[0]}")

    start = _unix(manifest["start"]) - manifest["options"]["lookback"]
    truth = emulator.truth(shop_id, cursor=manifest["cursor_field"], ge=start, lt=_unix(manifest["complete_until"]))
    true_versions = {row["id"]: row["update_time"] for row in truth}
    versions = {order["id"]: order["update_time"] for order in orders}
    missing, surplus = true_versions.keys() - versions.keys(), versions.keys() - true_versions.keys()
    outdated = {id_ for id_ in versions.keys() & true_versions.keys() if versions[id_] != true_versions[id_]}
    if missing or surplus or outdated:
        examples = sorted(missing | surplus | outdated)[:5]
        raise DemoFailed(
            f"shop {shop_id}: the files hold {len(versions)} orders, the emulator has {len(true_versions)}: "
            f"{len(missing)} missing, {len(surplus)} too many, {len(outdated)} outdated, for example {examples}"
        )
    if not orders:
        raise DemoFailed(f"shop {shop_id}: no orders at all, so nothing was shown")
    return len(orders)


def _read(file: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = Path(file["path"]).read_bytes()
    if hashlib.sha256(content).hexdigest() != file["sha256"] or len(content) != file["bytes"]:
        raise DemoFailed(f"{file['path']} is not the file that its manifest describes")
    orders = [json.loads(line) for line in gzip.decompress(content).splitlines()]
    if len(orders) != file["rows"]:
        raise DemoFailed(f"{file['path']} holds {len(orders)} orders, its manifest says {file['rows']}")
    return orders


def check_authorizations(authorizations: Sequence[Mapping[str, Any]], emulator: EmulatorProcess) -> None:
    """Check that every seller's tokens were rotated once and work, and that no refresh token was presented twice.

    :param authorizations: what `airflow tiktokshop status` says
    :raises DemoFailed: one of it is not so
    """
    status = {row["open_id"]: row["status"] for row in authorizations}
    wanted = {seller["open_id"]: "fresh" for seller in emulator.sellers}
    if status != wanted:
        raise DemoFailed(f"authorizations: {status}; expected: {wanted}")
    stats = emulator.stats()
    redemptions = stats["redemptions"]
    if set(redemptions.values()) != {1} or len(redemptions) != len(wanted):
        raise DemoFailed(f"refresh tokens redeemed by seller: {redemptions}; expected one for each")
    if stats["reused_refresh_tokens_total"]:
        raise DemoFailed(f"a spent refresh token was presented again: {stats['reused_refresh_tokens']}")


def _unix(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())
