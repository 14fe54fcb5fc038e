"""Every kind of stream that is not an order search: what is asked for, and what comes of it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from airflow_provider_tiktokshop.api.app import App
from airflow_provider_tiktokshop.api.client import Shop, StaticToken, TikTokShopClient
from airflow_provider_tiktokshop.api.http import HttpReply
from airflow_provider_tiktokshop.extract import extract, read_rows, records
from airflow_provider_tiktokshop.extract.errors import OptionError

SHOP = Shop("7", "cipher", "GB", "LOCAL", "X")
DAY = 86_400
NOV_3 = 1_762_128_000  # 2025-11-03T00:00:00Z
COMMON = {"app_key", "timestamp", "sign", "shop_cipher"}


class Network:
    """Answers each path with what it was given, and keeps what was asked."""

    def __init__(self, **answers):
        self.answers = {path.replace("__", "/"): data for path, data in answers.items()}
        self.asked = []

    def send(self, method, url, *, headers=None, body=None, **_options):
        parts = urlsplit(url)
        query = {name: value for name, (value,) in parse_qs(parts.query).items() if name not in COMMON}
        self.asked.append((parts.path, query, orjson.loads(body) if body else None))
        path = max(
            (known for known in self.answers if known in parts.path),
            key=lambda known: (parts.path.rfind(known) + len(known), len(known)),
        )
        data = self.answers[path]
        data = data(parts.path, query) if callable(data) else data
        return HttpReply(200, {}, orjson.dumps({"code": 0, "message": "Success", "request_id": "R", "data": data}))

    def close(self):
        pass

    def client(self):
        app = App(app_key="key", app_secret="secret", requests_per_second=1000)
        return TikTokShopClient(app, StaticToken("token"), http=self)

    def asked_of(self, path):
        return [(asked, query, body) for asked, query, body in self.asked if path in asked]


def read(network, stream, start=NOV_3, end=NOV_3 + DAY, shop=SHOP, **options):
    return list(records(stream, network.client(), shop, start, end, **options))


def test_only_the_parents_that_can_have_children_are_asked_for_them():
    network = Network(
        products__search={"products": [{"id": str(n), "status": "ACTIVATE" if n % 2 else "DRAFT"} for n in range(50)]},
        products__seo_words=lambda _path, query: {
            "products": [{"id": one, "seo_words": []} for one in query["product_ids"].split(",")]
        },
    )
    rows = read(network, "product_seo_words")
    assert [row["id"] for row in rows] == [str(n) for n in range(50) if n % 2]
    assert [len(query["product_ids"].split(",")) for _, query, _ in network.asked_of("seo_words")] == [20, 5]


def test_ids_of_a_body_are_a_list():
    network = Network(
        products__search={"products": [{"id": "1"}, {"id": "2"}]},
        inventory__search={"inventory": [{"product_id": "1"}, {"product_id": "2"}]},
    )
    assert len(read(network, "inventory")) == 2
    assert network.asked_of("inventory/search")[0][2] == {"product_ids": ["1", "2"]}


def test_a_stream_is_reached_through_all_its_parents():
    network = Network(
        warehouses={"warehouses": [{"id": "w1"}, {"id": "w2"}]},
        delivery_options=lambda path, _query: {"delivery_options": [{"id": "both"}, {"id": path.split("/")[4]}]},
        shipping_providers=lambda path, _query: {"shipping_providers": [{"id": f"of {path.split('/')[4]}"}]},
    )
    rows = read(network, "shipping_providers")
    assert {(row["delivery_option_id"], row["id"]) for row in rows} == {
        (option, f"of {option}") for option in ("both", "w1", "w2")
    }
    assert len(network.asked_of("shipping_providers")) == 3


def test_a_row_of_a_parent_gets_what_stands_beside_the_list():
    network = Network(
        statements={"statements": [{"id": "s", "statement_time": NOV_3}]},
        statement_transactions={"currency": "GBP", "transactions": [{"id": "t"}]},
    )
    assert read(network, "statement_transactions") == [{"id": "t", "currency": "GBP", "statement_id": "s"}]
    (_, query, _) = network.asked_of("statement_transactions")[0]
    assert query == {"sort_field": "order_create_time", "sort_order": "ASC", "page_size": "100"}


def test_figures_are_asked_for_day_by_day_and_carry_their_day(tmp_path):
    network = Network(
        shop_products__performance={"products": [{"id": "1"}, {"id": "2"}], "latest_available_date": "2025-11-02"}
    )
    manifest = extract("shop_products_performance", network.client(), SHOP, NOV_3, NOV_3 + 2 * DAY, tmp_path)
    asked = sorted((query["start_date_ge"], query["end_date_lt"]) for _, query, _ in network.asked)
    # Figures are restated: seven days before the interval are read again.
    assert len(asked) == 9
    assert asked[-1] == ("2025-11-04", "2025-11-05")
    rows = list(read_rows(manifest))
    assert len(rows) == 18
    assert rows[-1] == {"id": "2", "latest_available_date": "2025-11-02", "date": "2025-11-04"}


def test_figures_of_a_product_are_asked_for_the_days_on_which_it_has_some():
    network = Network(
        shop_products__performance=lambda _path, query: {"products": [{"id": query["start_date_ge"][-1]}]},
        performance=lambda _path, query: {"performance": {"intervals": [{"start_date": query["start_date_ge"]}]}},
    )
    rows = read(network, "shop_product_performance_detail", end=NOV_3 + 2 * DAY)
    assert sorted((row["product_id"], row["start_date"]) for row in rows) == [("3", "2025-11-03"), ("4", "2025-11-04")]
    details = [asked for asked in network.asked if "shop_products/performance" not in asked[0]]
    assert [(path.split("/")[4], query) for path, query, _ in details] == [
        ("3", {"granularity": "1D", "start_date_ge": "2025-11-03", "end_date_lt": "2025-11-04"}),
        ("4", {"granularity": "1D", "start_date_ge": "2025-11-04", "end_date_lt": "2025-11-05"}),
    ]


def test_a_day_may_stand_in_the_path():
    network = Network(performance_per_hour={"performance": {"intervals": [{"index": 0}, {"index": 1}]}})
    rows = read(network, "shop_performance_per_hour")
    assert rows == [{"index": 0, "date": "2025-11-03"}, {"index": 1, "date": "2025-11-03"}]
    assert network.asked == [("/analytics/202510/shop/performance/2025-11-03/performance_per_hour", {}, None)]


def test_an_interval_in_which_no_day_ends_asks_for_nothing(tmp_path):
    network = Network(shop__performance={})
    manifest = extract("shop_performance", network.client(), SHOP, NOV_3 + 3600, NOV_3 + 7200, tmp_path, lookback=0)
    assert (manifest.rows, network.asked) == (0, [])


def test_times_and_sorting_inside_a_body_go_where_the_endpoint_takes_them():
    network = Network(aftersales__search={"aftersales_requests": [{"id": "1"}]})
    assert read(network, "aftersales_requests", **{"filters.return_types": ["EXCHANGE"]}) == [{"id": "1"}]
    assert network.asked[-1][1:] == (
        {},
        {
            "filters": {
                "return_types": ["EXCHANGE"],
                "time": {"update_time": {"min_unix_time_inclusive": NOV_3, "max_unix_time_exclusive": NOV_3 + DAY}},
            },
            "sort": {"sort_field": "UPDATE_TIME", "sort_order": "ASC"},
            "pagination": {"page_size": 100},
        },
    )


def test_plain_values_become_rows():
    network = Network(permissions={"permissions": ["MANAGE_GLOBAL_PRODUCT"]})
    assert read(network, "seller_permissions", shop=None) == [{"permission": "MANAGE_GLOBAL_PRODUCT"}]


def test_a_filter_that_an_endpoint_insists_on_is_asked_for_before_anything_is_sent():
    network = Network()
    with pytest.raises(OptionError, match="needs the filter platform"):
        read(network, "external_orders")
    assert network.asked == []


def test_a_filter_goes_to_every_request_that_knows_it():
    network = Network(
        categories={"categories": [{"id": "1", "is_leaf": True}, {"id": "2", "is_leaf": False}]},
        attributes={"attributes": [{"id": "a"}]},
    )
    rows = read(network, "category_attributes", category_version="v2", keyword="shoes", is_live_quick=True)
    assert rows == [{"id": "a", "category_id": "1"}]
    assert [query for _, query, _ in network.asked] == [
        {"category_version": "v2", "keyword": "shoes", "is_live_quick": "true"},
        {"category_version": "v2", "is_live_quick": "true"},
    ]


def test_a_filter_that_nobody_knows_is_refused():
    with pytest.raises(OptionError, match="no filter 'colour'"):
        read(Network(), "category_attributes", colour="red")


def test_a_filter_takes_the_place_of_a_constant():
    network = Network(withdrawals={"withdrawals": []})
    read(network, "withdrawals")
    read(network, "withdrawals", types=["SETTLE"])
    assert [query["types"] for _, query, _ in network.asked] == [
        "WITHDRAW,SETTLE,TRANSFER,REVERSE,PAYMENT,REFUND",
        "SETTLE",
    ]
