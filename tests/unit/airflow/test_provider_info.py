"""provider.yaml is what Airflow accepts, and says what is there."""

from __future__ import annotations

import importlib
import json
from importlib.metadata import entry_points, metadata
from pathlib import Path

import airflow
import jsonschema
import pytest

from airflow_provider_tiktokshop import __version__
from airflow_provider_tiktokshop.get_provider_info import get_provider_info

SECTIONS = ("hooks", "operators", "sensors", "triggers")


def modules_listed() -> list[str]:
    info = get_provider_info()
    return [module for section in SECTIONS for entry in info.get(section, ()) for module in entry["python-modules"]]


@pytest.mark.parametrize("schema", ["provider_info.schema.json", "provider.yaml.schema.json"])
def test_it_is_valid_under_both_schemas_that_airflow_ships(schema: str) -> None:
    definition = json.loads((Path(airflow.__path__[0]) / schema).read_text())

    jsonschema.validate(get_provider_info(), definition)


def test_the_package_name_is_the_distributions_name() -> None:
    # Anything else makes Airflow's provider discovery raise, for every provider.
    (entry,) = [e for e in entry_points(group="apache_airflow_provider") if "tiktokshop" in e.value]

    assert entry.name == "provider_info"
    assert entry.load()()["package-name"] == metadata("airflow-provider-tiktokshop")["Name"]


def test_the_newest_version_listed_is_the_packages_own() -> None:
    assert get_provider_info()["versions"][0] == __version__


@pytest.mark.parametrize("module", modules_listed())
def test_every_module_listed_imports(module: str) -> None:
    assert importlib.import_module(module).__all__


def test_every_operator_and_hook_module_is_listed() -> None:
    package = Path(importlib.import_module("airflow_provider_tiktokshop").__path__[0])
    rooms = {"operators": "Operator", "hooks": "Hook", "sensors": "Sensor", "triggers": "Trigger"}

    there = {
        f"airflow_provider_tiktokshop.{room}.{file.stem}"
        for room, suffix in rooms.items()
        for file in (package / room).glob("*.py")
        if f"{suffix}(" in file.read_text() and "\nclass TikTokShop" in file.read_text()
    }

    assert there == set(modules_listed())


def test_the_classes_and_the_commands_that_it_names_exist() -> None:
    info = get_provider_info()
    (connection,) = info["connection-types"]

    for path in (connection["hook-class-name"], *info["notifications"], *info["cli"]):
        module, _, name = path.rpartition(".")
        assert getattr(importlib.import_module(module), name)


def test_the_connection_type_has_one_name_everywhere() -> None:
    from airflow_provider_tiktokshop.hooks.connection import CONN_TYPE
    from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook

    (connection,) = get_provider_info()["connection-types"]

    assert {connection["connection-type"], CONN_TYPE, TikTokShopHook.conn_type} == {"tiktokshop"}
    assert connection["hook-name"] == TikTokShopHook.hook_name
    assert connection["hook-class-name"].endswith(f".{TikTokShopHook.__name__}")


def test_every_secret_field_of_the_form_has_a_name_that_airflow_masks() -> None:
    (connection,) = get_provider_info()["connection-types"]

    for name, field in connection["conn-fields"].items():
        if field["schema"].get("format") == "password":
            assert "token" in name or "secret" in name


def test_what_airflow_does_to_the_answer_does_not_change_the_next_one() -> None:
    get_provider_info()["versions"].append("tampered")

    assert get_provider_info()["versions"] == [__version__]


def test_the_plugin_is_registered_by_its_entry_point_and_by_nothing_else() -> None:
    # Registered twice, it would show as an import error in the UI where providers are discovered eagerly.
    (entry,) = [e for e in entry_points(group="airflow.plugins") if "tiktokshop" in e.value]

    assert entry.load().name == "tiktokshop"
    assert "plugins" not in get_provider_info()


def test_every_option_of_airflow_cfg_is_read_with_the_default_that_it_declares() -> None:
    from airflow_provider_tiktokshop import config

    options = get_provider_info()["config"]["tiktokshop"]["options"]

    assert set(options) == {
        "token_store",
        "token_store_conn_id",
        "token_store_key",
        "escrow_dir",
        "allowed_hosts",
        "pii_key",
    }
    assert options["token_store"]["default"] == config.token_store() == "variable"
    assert all(options[name]["default"] == "" for name in options if name != "token_store")
    assert all(options[name].get("sensitive") for name in options if name.endswith("_key"))
