"""``airflow tiktokshop sign``: show how a request is signed, to find out why a signature is refused."""

from __future__ import annotations

import getpass
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.api.errors import ConfigurationError
from airflow_provider_tiktokshop.api.signing import sign_request, string_to_sign
from airflow_provider_tiktokshop.cli.output import fail_with_text

if TYPE_CHECKING:
    import argparse

__all__ = ["sign"]

PLACEHOLDER = "<app secret>"


@fail_with_text
def sign(args: argparse.Namespace) -> None:
    """Print the string to sign with the app secret replaced, and the signature."""
    if not args.path.startswith("/") or "?" in args.path or "://" in args.path:
        raise ConfigurationError(
            f"{args.path!r} is not the path of an endpoint.",
            advice="Write it like /order/202309/orders/search: with its version, without host and query; parameters go into -p.",
        )
    app_key, app_secret = _app(args)
    query = {"app_key": app_key, "timestamp": str(args.timestamp or int(time.time())), **_parameters(args.param)}
    body = _body(args.body_file)
    signed = string_to_sign(app_secret, args.path, query, body, args.content_type)
    # The secret is the first and the last thing in it, by construction; nothing else is replaced.
    inner = signed[len(app_secret.encode()) : -len(app_secret.encode())].decode("utf-8", "backslashreplace")
    result = {
        "method": args.method.upper(),
        "path": args.path,
        "query": query,
        "string_to_sign": f"{PLACEHOLDER}{inner}{PLACEHOLDER}",
        "sign": sign_request(app_secret, args.path, query, body, args.content_type),
    }
    if args.output == "json":
        print(json.dumps(result, indent=2))
        return
    print(
        f"String to sign:\n  {result['string_to_sign']}\nSignature (HMAC-SHA256, key: the app secret):\n  {result['sign']}"
    )


def _app(args: argparse.Namespace) -> tuple[str, str]:
    if args.app_key:
        if args.body_file == "-" and not sys.stdin.isatty():
            raise ConfigurationError(
                "Standard input cannot hold both the secret and the body.", advice="Use a body file."
            )
        secret = getpass.getpass("App secret (not shown): ") if sys.stdin.isatty() else sys.stdin.readline()
        if not secret.strip():
            raise ConfigurationError("The app secret is empty.")
        return args.app_key, secret.strip()
    from airflow_provider_tiktokshop.hooks.wiring import wire

    app = wire(args.conn_id).app
    return app.app_key, app.app_secret


def _parameters(pairs: list[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise ConfigurationError(f"{pair!r} is not a parameter.", advice="Write it like page_size=10.")
        if name in parameters:
            raise ConfigurationError(f"{name} is given twice.", advice="Join the values of a list with commas.")
        parameters[name] = value
    return parameters


def _body(source: str | None) -> bytes | None:
    if source is None:
        return None
    if source == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The body file {source} cannot be read: {error.strerror}.") from None
