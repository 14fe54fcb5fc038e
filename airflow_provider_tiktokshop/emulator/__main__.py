"""``python -m airflow_provider_tiktokshop.emulator``: prints one JSON line when it listens, then serves until SIGTERM."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, get_args

from airflow_provider_tiktokshop.emulator.loopback import is_loopback
from airflow_provider_tiktokshop.emulator.settings import Options, RefreshMode

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "parser"]


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    cli = argparse.ArgumentParser(
        prog="python -m airflow_provider_tiktokshop.emulator",
        description="A strict local TikTok Shop: the API, the token endpoints and the consent page on one loopback origin.",
    )
    add = cli.add_argument
    add("--host", default="127.0.0.1", help="loopback address to bind to; anything else is refused")
    add("--port", type=int, default=8787, help="0 takes a free one")
    add("--seed", type=int, default=1, help="the same seed gives the same ids, ciphers, first tokens and orders")
    add("--sellers", type=int, default=1)
    add("--shops-per-seller", type=int, default=1, metavar="N")
    add("--creators", type=int, default=0, metavar="N", help="users of type creator")
    add("--partners", type=int, default=0, metavar="N", help="users of type partner, with category assets")
    add("--orders", type=int, default=200, metavar="N", help="orders of each shop")
    add("--days", type=int, default=60, metavar="N", help="days before --now over which the orders are spread")
    add("--now", type=int, default=None, metavar="UNIX", help="moment of the newest order (default: this full hour)")
    add("--latency-ms", type=float, default=0.0, metavar="MS", help="wait before each answer")
    add("--rate-limit", type=float, default=50.0, metavar="QPS", help="per app, shop and endpoint; 0 means none")
    add("--token-rate-limit", type=float, default=0.0, metavar="QPS", help="for the token endpoints; 0 means none")
    add("--refresh-mode", choices=get_args(RefreshMode), default="rotate", help="what becomes of a spent refresh token")
    add("--access-ttl", type=int, default=7 * 86400, metavar="S", help="seconds that an access token lives")
    add("--refresh-ttl", type=int, default=365 * 86400, metavar="S", help="seconds that an authorization lives")
    add("--redirect-url", default=None, metavar="URL", help="the app's redirect URL (default: a page of the emulator)")
    add("--live", action="store_true", help="orders move with real time, not only when the clock is advanced")
    add("--exit-with-stdin", action="store_true", help="end when standard input closes")
    return cli


def main(argv: Sequence[str] | None = None) -> int:
    """Run the emulator. Return the exit code."""
    cli = parser()
    args = cli.parse_args(argv)
    for name in ("sellers", "shops_per_seller", "creators", "partners", "orders"):
        if getattr(args, name) < 0:
            cli.error(f"--{name.replace('_', '-')} must not be negative")
    if args.shops_per_seller > 100:
        cli.error("--shops-per-seller must be at most 100")
    if not is_loopback(args.host):
        cli.error(f"the emulator has made-up secrets and no authentication: --host must be loopback, not {args.host!r}")
    if not 0 <= args.port <= 65_535:
        cli.error("--port must be from 0 to 65535")
    if args.days < 1:
        cli.error("--days must be at least 1")
    options = Options(
        host=args.host,
        port=args.port,
        seed=args.seed,
        sellers=args.sellers,
        shops_per_seller=args.shops_per_seller,
        creators=args.creators,
        partners=args.partners,
        orders=args.orders,
        days=args.days,
        now=args.now,
        redirect_url=args.redirect_url,
        settings={
            "latency_ms": args.latency_ms,
            "rate_limit": args.rate_limit,
            "token_rate_limit": args.token_rate_limit,
            "refresh_mode": args.refresh_mode,
            "access_ttl": args.access_ttl,
            "refresh_ttl": args.refresh_ttl,
            "live": args.live,
        },
    )
    # Here and not above, so that --help answers at once.
    from airflow_provider_tiktokshop.emulator.server import serve
    from airflow_provider_tiktokshop.emulator.state import Emulator

    try:
        emulator = Emulator(options)
        serve(
            emulator,
            lambda: print(json.dumps(emulator.world.ready(emulator.url)), flush=True),
            exit_with_stdin=args.exit_with_stdin,
        )
    except (OSError, ValueError) as error:
        print(f"emulator: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
