"""The form of Airflow 3.1 comes from the same declaration as the newer ones'."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

from airflow_provider_tiktokshop.get_provider_info import connection_type
from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook


@pytest.fixture
def widgets(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The hook's widgets, made the way Airflow 3.1 makes them: with its stand-ins for WTForms."""
    import sys
    from types import ModuleType

    modules = {
        "wtforms": {
            "StringField": HookMetaService.MockStringField,
            "PasswordField": HookMetaService.MockPasswordField,
        },
        "wtforms.validators": {
            "Optional": HookMetaService.MockOptional,
            "any_of": HookMetaService.MockEnum,
        },
        "flask_appbuilder": {},
        "flask_appbuilder.fieldwidgets": {
            "BS3TextFieldWidget": HookMetaService.MockAnyWidget,
            "BS3PasswordFieldWidget": HookMetaService.MockAnyWidget,
        },
    }
    for name, attributes in modules.items():
        module = ModuleType(name)
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
    return TikTokShopHook.get_connection_form_widgets()


def test_it_has_the_declared_fields_in_the_declared_order(widgets: dict[str, Any]) -> None:
    assert list(widgets) == list(connection_type()["conn-fields"])


def test_each_field_carries_its_label_help_text_and_default(widgets: dict[str, Any]) -> None:
    for name, declared in connection_type()["conn-fields"].items():
        dumped = widgets[name].param.dump()

        assert dumped["schema"]["title"] == declared["label"]
        assert dumped["description"] == declared["description"]
        assert dumped["value"] == declared["schema"].get("default")


def test_secrets_are_not_shown_and_choices_are_dropdowns(widgets: dict[str, Any]) -> None:
    schemas = {name: widget.param.dump()["schema"] for name, widget in widgets.items()}

    assert schemas["refresh_token"]["format"] == "password"
    assert schemas["market"]["enum"] == ["global", "us"]
    assert schemas["app_type"]["enum"] == ["custom", "public"]


def test_the_standard_fields_are_relabelled_and_the_unused_ones_hidden() -> None:
    behaviour = TikTokShopHook.get_ui_field_behaviour()

    assert behaviour["relabeling"] == {"login": "App key", "password": "App secret"}
    assert set(behaviour["hidden_fields"]) == {"host", "port", "schema"}
    assert set(behaviour["placeholders"]) == {"login", "password"}


def test_newer_airflow_shows_the_form_without_importing_the_hook() -> None:
    (form,) = [meta for meta in HookMetaService.hook_meta_data() if meta.connection_type == "tiktokshop"]

    assert form.hook_name == "TikTok Shop"
    assert form.extra_fields is not None
    assert list(form.extra_fields) == list(connection_type()["conn-fields"])
    assert form.standard_fields is not None
    assert form.standard_fields.login.title == "App key"
    assert form.standard_fields.host.hidden
