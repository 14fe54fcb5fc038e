"""The connection form for Airflow 3.1, which asks the hook for it; newer versions read provider.yaml themselves."""

from __future__ import annotations

from typing import Any

from airflow_provider_tiktokshop.get_provider_info import connection_type

__all__ = ["form_widgets", "ui_field_behaviour"]


def form_widgets() -> dict[str, Any]:
    """Return the WTForms fields of the ``conn-fields`` in provider.yaml.

    Airflow 3.1 needs WTForms for this or, without it, replaces the classes below for the length of the call.
    """
    return {name: _field(declaration) for name, declaration in connection_type()["conn-fields"].items()}


def ui_field_behaviour() -> dict[str, Any]:
    """Return the ``ui-field-behaviour`` of provider.yaml with the key names that Airflow 3.1 expects."""
    behaviour = connection_type()["ui-field-behaviour"]
    return {
        "hidden_fields": behaviour["hidden-fields"],
        "relabeling": behaviour["relabeling"],
        "placeholders": behaviour["placeholders"],
    }


def _field(declaration: dict[str, Any]) -> Any:
    from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget, BS3TextFieldWidget
    from wtforms import PasswordField, StringField
    from wtforms.validators import Optional, any_of

    schema = declaration["schema"]
    password = schema.get("format") == "password"
    # Airflow 3.1 knows text, password, integer and boolean fields. A number such as 0.5 travels as text there.
    field_class = PasswordField if password else StringField
    validators = [Optional()]
    if "enum" in schema:
        validators.append(any_of(schema["enum"]))
    return field_class(
        declaration["label"],
        validators=validators,
        description=declaration["description"],
        default=schema.get("default"),
        widget=BS3PasswordFieldWidget() if password else BS3TextFieldWidget(),
    )
