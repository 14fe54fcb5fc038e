"""Asks the emulator for any of its resources, as whoever may ask, over plain signed sockets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_tiktokshop.emulator import endpoints  # noqa: F401 - registers the resources
from airflow_provider_tiktokshop.emulator.facts import Endpoint, _endpoints
from airflow_provider_tiktokshop.emulator.listing import RESOURCES, Detail, Listing

# What each request needs and nothing else can tell.
NEEDED: dict[str, Any] = {
    "platform": "SHOPIFY",
    "types": "SETTLE,WITHDRAW",
    "granularity": "1D",
    "time_slot": "1D",
    "author_type": "ALL",
    "account_type": "AFFILIATE_ACCOUNTS",
    "collaboration_status": "ONGOING",
    "doc_type": "CREATOR",
    "origin": "SHOWCASE",
    "currency": "GBP",
    "task_ids": ["1"],
    "order_ids": ["1"],
    "ids": ["1"],
    "external_order_id": "SHOPIFY-1001",
    "fulfillment_statuses": ["ONGOING", "SUCCEED"],
}


def versions(name: str) -> list[Endpoint]:
    resource = RESOURCES[name]
    found = [one for one in _endpoints() if (one.method, one.template) == (resource.method, resource.template)]
    return sorted(found, key=lambda one: one.path)


class Streams:
    """One emulator's resources."""

    def __init__(self, caller: Any, shop: int = 0) -> None:
        self.caller = caller
        emulator = caller.emulator
        self.shop = emulator.sellers[0]["shops"][shop]
        self.users = {0: emulator.sellers[0], 1: emulator.creators[0], 3: emulator.partners[0]}
        self._tokens: dict[int, str] = {}
        today = datetime.fromtimestamp(emulator.stats()["now"], UTC).date()
        # The days that analytics are asked for: two weeks, all of them complete.
        self.dates = {
            "start_date_ge": (today - timedelta(days=17)).isoformat(),
            "end_date_lt": (today - timedelta(days=3)).isoformat(),
            "support_date_ge": (today - timedelta(days=17)).isoformat(),
            "support_date_lt": (today - timedelta(days=3)).isoformat(),
            "date": (today - timedelta(days=4)).isoformat(),
        }
        self._assets: str | None = None

    def token(self, kind: int) -> str:
        if kind not in self._tokens:
            account = self.caller.emulator.account(self.users[kind]["open_id"])
            self._tokens[kind] = account["tokens"][-1]["access_token"]
        return self._tokens[kind]

    def asset(self) -> str:
        if self._assets is None:
            answer = self.caller.call("GET", "/authorization/202405/category_assets", token=self.token(3))
            self._assets = next(one["cipher"] for one in answer.data["category_assets"] if one["target_market"] == "GB")
        return self._assets

    def ask(self, name: str, endpoint: Endpoint | None = None, **values: Any) -> Any:
        """Return ``data`` of one request; ``values`` go to wherever the documentation puts them."""
        answer = self.answer(name, endpoint, **values)
        assert answer.code == 0, (name, answer.json)
        return answer.data

    def answer(self, name: str, endpoint: Endpoint | None = None, **values: Any) -> Any:
        endpoint = endpoint or versions(name)[-1]
        values = self.dates | values
        path = endpoint.path
        for field, value in values.items():
            path = path.replace("{" + field + "}", str(value))
        query: dict[str, Any] = {}
        body: dict[str, Any] = {}
        for place, params in ((query, endpoint.query), (body, endpoint.body)):
            for param in params:
                if "." in param.name or param.name in {"shop_cipher", "category_asset_cipher"}:
                    continue
                value = values.get(param.name)
                if value is None and param.required:
                    value = self._needed(endpoint, param)
                if value is not None:
                    place[param.name] = ",".join(value) if place is query and isinstance(value, list) else value
        if endpoint.shop_cipher:
            query["shop_cipher"] = self.shop["cipher"]
        if endpoint.asset_cipher:
            query["category_asset_cipher"] = self.asset()
        sent = body if endpoint.method == "POST" else None
        return self.caller.call(endpoint.method, path, query, sent, token=self.token(min(endpoint.user_types)))

    def _needed(self, endpoint: Endpoint, param: Any) -> Any:
        now = self.caller.emulator.stats()["now"]
        if param.name == "page_size":
            return min(10, param.max or 10)
        if param.name == "sort_field":
            resource = RESOURCES[self._name(endpoint)]
            return resource.sort if isinstance(resource, Listing) else None
        if param.name in {"begin_time_ge", "begin_time_lt"}:
            return int(now) - (80 * 86400 if param.name.endswith("ge") else 0)
        if param.name == "shop_id":
            return self.shop["id"]
        return NEEDED[param.name]

    @staticmethod
    def _name(endpoint: Endpoint) -> str:
        return next(n for n, r in RESOURCES.items() if (r.method, r.template) == (endpoint.method, endpoint.template))

    def rows(self, name: str, **values: Any) -> list[dict[str, Any]]:
        """Return every row, through as many pages as it takes."""
        resource = RESOURCES[name]
        assert isinstance(resource, Listing)
        found: list[dict[str, Any]] = []
        token = ""
        for _ in range(500):
            paging: dict[str, Any] = {"page_token": token} if token else {}
            if resource.token_in == "pagination":
                paging = {"pagination": {"page_size": values.get("page_size", 10), **paging}}
            data = self.ask(name, **values | paging)
            found += rows_of(resource, data)
            around = data[resource.list_key.split(".")[0]] if resource.list_key.startswith("data.") else data
            token = around.get("next_page_token") or ""
            if not token:
                return found
        raise AssertionError(f"{name}: the pages do not end")

    def truth(self, name: str, **query: Any) -> list[dict[str, Any]]:
        kind = min(versions(name)[-1].user_types) if name in RESOURCES else 0
        who = {"shop_id": self.shop["id"]} if kind == 0 else {"open_id": self.users[kind]["open_id"]}
        if kind == 1:
            who["shop_id"] = self.shop["id"]
        if kind == 3:
            who["category_asset_cipher"] = self.asset()
        wanted = NEEDED if name in RESOURCES and RESOURCES[name].parent is None and _has_needs(name) else {}
        wanted = NEEDED if name == "external_orders" else wanted
        found: list[dict[str, Any]] = self.caller.emulator.true_rows(name, **who | self.dates | wanted | query)
        return found


def _has_needs(name: str) -> bool:
    return any(
        param.name in NEEDED for param in (*versions(name)[-1].query, *versions(name)[-1].body) if param.required
    )


def rows_of(resource: Listing | Detail, data: Any) -> list[Any]:
    if isinstance(resource, Detail):
        return [data]
    keys = resource.list_key.split("|")
    value: Any = data
    for name in next(key for key in keys if key.partition(".")[0] in data or key == keys[-1]).split("."):
        value = value.get(name, [])
    found: list[Any] = value if isinstance(value, list) else [value]
    return found
