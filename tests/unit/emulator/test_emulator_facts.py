from __future__ import annotations

from airflow_provider_tiktokshop.emulator.facts import all_scopes, match


def test_a_literal_path_wins_over_a_placeholder():
    assert match("GET", "/product/202606/skpps/sum")[0].path == "/product/202606/skpps/sum"
    endpoint, params = match("GET", "/product/202606/skpps/17")
    assert endpoint.path == "/product/202606/skpps/{product_id}"
    assert params == {"product_id": "17"}


def test_an_endpoint_knows_whose_token_it_takes():
    assert match("POST", "/order/202309/orders/search")[0].user_types == {0}
    assert match("GET", "/authorization/202405/category_assets")[0].user_types == {3}
    assert match("GET", "/affiliate_creator/202508/profiles")[0].user_types == {1}
    # Nothing names a scope here, but these are a creator's own live rooms.
    assert match("GET", "/analytics/202502/live_rooms/5/core_stats")[0].user_types == {1}


def test_users_grant_scopes_of_their_own_kind_only():
    assert "seller.order.info" in all_scopes(0)
    assert {scope.split(".")[0] for scope in all_scopes(1)} == {"creator"}
    assert {scope.split(".")[0] for scope in all_scopes(3)} == {"partner"}
    assert not {scope for scope in all_scopes(0) if scope.startswith(("creator", "partner"))}
