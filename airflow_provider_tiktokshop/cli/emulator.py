"""``airflow tiktokshop emulator``: a local TikTok Shop."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["emulator"]

OPTIONS = (
    "host",
    "port",
    "seed",
    "sellers",
    "shops_per_seller",
    "orders",
    "latency_ms",
    "rate_limit",
    "refresh_mode",
    "access_ttl",
    "refresh_ttl",
    "redirect_url",
)


def emulator(args: argparse.Namespace) -> None:
    """Run the emulator until it is interrupted; what is left out keeps the emulator's own default."""
    from airflow_provider_tiktokshop.emulator.__main__ import main

    argv: list[str] = []
    for name in OPTIONS:
        if (value := getattr(args, name)) is not None:
            argv += [f"--{name.replace('_', '-')}", str(value)]
    if status := main(argv):
        raise SystemExit(status)
