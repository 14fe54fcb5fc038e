"""What the command line fixes, and what a control call may change while the emulator runs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

__all__ = ["Options", "RefreshMode", "Settings"]

RefreshMode = Literal["rotate", "family", "grace", "reusable"]


@dataclass(slots=True)
class Settings:
    """Switches; ``POST /_emulator/settings`` changes any of them by name."""

    refresh_mode: RefreshMode = "rotate"
    access_ttl: int = 7 * 86400
    refresh_ttl: int = 365 * 86400
    grace_seconds: int = 60
    code_ttl: int = 1800
    latency_ms: float = 0.0
    rate_limit: float = 50.0
    token_rate_limit: float = 0.0
    retry_after: bool = False
    expired_status: Literal[401, 200] = 401
    empty_list: Literal["absent", "array"] = "absent"
    post_body: Literal["any", "required", "no_empty_object"] = "any"
    unknown_params: Literal["refuse", "ignore"] = "refuse"
    check_timestamp: bool = True
    ip_allowed: bool = True
    page_tokens: Literal["keyset", "offset", "snapshot"] = "keyset"
    page_token_ttl: float = 0.0
    last_page: Literal["empty_token", "no_token"] = "empty_token"
    touch_every_pages: int = 0
    touch_rows: int = 3
    sandbox_hourly: int = 0
    daily_quota: int = 0
    daily_quota_path: str = "/customer_service/"
    omit_scopes: bool = False
    omit_refresh_token: bool = False
    live: bool = False
    products: int = 24
    result_cap: int = 10_000

    def update(self, values: dict[str, Any]) -> None:
        """Change switches by name.

        :raises ValueError: when a name is unknown or a value has the wrong type; nothing is changed then.
        """
        hints = get_type_hints(Settings)
        checked: dict[str, Any] = {}
        for name, value in values.items():
            if name not in hints:
                raise ValueError(f"unknown setting {name!r}; there are: {', '.join(hints)}")
            checked[name] = _coerce(name, value, hints[name])
        for name, value in checked.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """Return every switch with its value."""
        return dataclasses.asdict(self)


def _coerce(name: str, value: Any, kind: Any) -> Any:
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise ValueError(f"{name} must be one of {get_args(kind)}, not {value!r}")
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise ValueError(f"{name} must be {kind.__name__}, not {value!r}")
    if isinstance(value, (int, float)) and value < 0:
        raise ValueError(f"{name} must not be negative")
    return value


@dataclass(frozen=True, slots=True)
class Options:
    """What is fixed for the life of the process."""

    host: str = "127.0.0.1"
    port: int = 8787
    seed: int = 1
    sellers: int = 1
    shops_per_seller: int = 1
    creators: int = 0
    partners: int = 0
    orders: int = 200
    days: int = 60
    now: int | None = None
    redirect_url: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
