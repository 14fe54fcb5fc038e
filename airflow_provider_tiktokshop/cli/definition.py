"""The commands and their arguments. Every ``airflow`` command loads this module: definitions only, no work."""

# mypy: disable-error-code="no-untyped-call"
# Airflow's Arg has no annotations.
from __future__ import annotations

import argparse

from airflow.cli.cli_config import ActionCommand, Arg, CLICommand, GroupCommand, lazy_load_command

__all__ = ["COMMANDS", "get_cli_commands"]

_HERE = "airflow_provider_tiktokshop.cli"


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 1 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    # Written this way round, so that NaN fails too.
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time: give seconds, from 1 to 86400")
    return seconds


ARG_CONN_ID = Arg(
    ("--conn-id",),
    help="The Airflow connection of the app (default: tiktokshop_default)",
    default="tiktokshop_default",
)
ARG_OPEN_ID = Arg(
    ("--open-id",),
    help="Authorize this seller again: refuse the consent of anybody else",
)
ARG_USER_TYPE = Arg(
    ("--user-type",),
    help="Whose consent to ask for (default: seller)",
    choices=("seller", "creator", "partner"),
    default="seller",
)
ARG_LISTEN = Arg(
    ("--listen",),
    help="Receive the redirect on http://127.0.0.1:PORT/ instead of asking for the pasted address. "
    "Only where the app's redirect URL in Partner Center is that address",
    type=_port,
    metavar="PORT",
)
ARG_TIMEOUT = Arg(
    ("--timeout",),
    help="With --listen: how many seconds to wait for the seller (default: 1800, the life of an authorization code)",
    type=_seconds,
    default=1800.0,
    metavar="SECONDS",
)
ARG_OUTPUT = Arg(
    ("-o", "--output"),
    help="How to print the result (default: table)",
    choices=("table", "json"),
    default="table",
)

ARG_METHOD = Arg(("method",), help="HTTP method: GET, POST, PUT, DELETE")
ARG_PATH = Arg(("path",), help="Path of the endpoint: /order/202309/orders/search")
ARG_PARAM = Arg(
    ("-p", "--param"),
    help="A query parameter; repeat it for more",
    action="append",
    default=[],
    metavar="NAME=VALUE",
)
ARG_BODY = Arg(
    ("--body-file",),
    help="File with the exact bytes of the request's body; - reads standard input",
    metavar="FILE",
)
ARG_CONTENT_TYPE = Arg(
    ("--content-type",),
    help="Content type of the request; the body of multipart/form-data is not signed (default: application/json)",
    default="application/json",
)
ARG_TIMESTAMP = Arg(
    ("--timestamp",),
    help="Unix seconds to sign (default: now)",
    type=int,
)
ARG_APP_KEY = Arg(
    ("--app-key",),
    help="Sign for this app without a connection; its secret is asked for, or read from standard input",
)

ARG_HOST = Arg(("--host",), help="Address to listen on; loopback only (default: 127.0.0.1)", default="127.0.0.1")
ARG_PORT = Arg(("--port",), help="Port to listen on, 0 picks a free one (default: 8787)", type=int, default=8787)
ARG_SEED = Arg(("--seed",), help="Same seed, same data (default: 1)", type=int)
ARG_SELLERS = Arg(("--sellers",), help="How many sellers", type=int)
ARG_SHOPS = Arg(("--shops-per-seller",), help="How many shops each seller has", type=int)
ARG_ORDERS = Arg(("--orders",), help="How many orders each shop has", type=int)
ARG_LATENCY = Arg(("--latency-ms",), help="How long each answer takes, in milliseconds", type=int)
ARG_RATE_LIMIT = Arg(("--rate-limit",), help="Requests per second before it answers 429", type=float, metavar="QPS")
ARG_REFRESH_MODE = Arg(
    ("--refresh-mode",),
    help="What a redeemed refresh token is still good for",
    choices=("rotate", "family", "grace", "reusable"),
)
ARG_REDIRECT_URL = Arg(
    ("--redirect-url",),
    help="The app's redirect URL, for authorize --listen (default: a page of the emulator)",
    metavar="URL",
)
ARG_ACCESS_TTL = Arg(("--access-ttl",), help="Life of an access token, in seconds", type=int, metavar="S")
ARG_REFRESH_TTL = Arg(("--refresh-ttl",), help="Life of a refresh token, in seconds", type=int, metavar="S")

ARG_SOME_OPEN_IDS = Arg(
    ("--open-id",), help="Whose tokens; repeat it for more (default: everybody's)", action="append", default=[]
)
ARG_HISTORY_OF = Arg(
    ("--open-id",), help="Only this one, with its history; repeat it for more", action="append", default=[]
)
ARG_FORCE = Arg(("--force",), help="Renew although not due", action="store_true")
ARG_DAG_ID = Arg(
    ("--dag-id",),
    help="The rotation DAG of this app (default: tiktokshop_rotate_tokens)",
    default="tiktokshop_rotate_tokens",
)
ARG_OFFLINE = Arg(("--offline",), help="Send nothing to TikTok Shop", action="store_true")
ARG_AUTHORIZATION = Arg(("authorization",), help="The open_id, or the id that `status -o json` shows")
ARG_YES = Arg(("-y", "--yes"), help="Do not ask", action="store_true")
ARG_TO = Arg(("--to",), help="The new store: sql, variable, or a dotted path", required=True)
ARG_FROM = Arg(("--from",), help="The old store (default: what [tiktokshop] token_store says)", dest="source")

STORE_COMMANDS: tuple[ActionCommand, ...] = (
    ActionCommand(
        name="migrate",
        help="Move an app's records to another token store",
        description=(
            "Moves every record, reads it back at its new place and leaves a tombstone at the old one, so that a worker "
            "still on the old setting stops and says so. Safe to run again. Pause the rotation DAG first."
        ),
        func=lazy_load_command(f"{_HERE}.store.migrate"),
        args=(ARG_CONN_ID, ARG_TO, ARG_FROM, ARG_OUTPUT),
    ),
    ActionCommand(
        name="rekey",
        help="Seal the SQL store's records with the newest key",
        description=(
            "Put the new key first in [tiktokshop] token_store_key and keep the old one second, on every machine; run this; "
            "then remove the old one. Safe to run again."
        ),
        func=lazy_load_command(f"{_HERE}.store.rekey"),
        args=(ARG_OUTPUT,),
    ),
)

COMMANDS: tuple[CLICommand, ...] = (
    ActionCommand(
        name="authorize",
        help="Let a seller, creator or partner authorize the app",
        description=(
            "Prints the link that the seller opens and agrees on, then takes the address that the browser was sent to "
            "afterwards (pasted at a prompt that does not echo, or received with --listen), exchanges its code and keeps "
            "the tokens. Secrets are never arguments."
        ),
        func=lazy_load_command(f"{_HERE}.authorize.authorize"),
        args=(ARG_CONN_ID, ARG_USER_TYPE, ARG_OPEN_ID, ARG_LISTEN, ARG_TIMEOUT, ARG_OUTPUT),
    ),
    ActionCommand(
        name="status",
        help="List the authorizations of an app: status, time left, shops",
        description=(
            "Lists status, time left and shops of every authorization of the app; with --open-id only of those named, each with "
            "what its last 20 rotations came to. Reads only, and shows no secret."
        ),
        func=lazy_load_command(f"{_HERE}.status.status"),
        args=(ARG_CONN_ID, ARG_HISTORY_OF, ARG_OUTPUT),
    ),
    ActionCommand(
        name="rotate",
        help="Ask the rotation DAG for a run",
        description=(
            "Starts one run of the rotation DAG; nothing is redeemed here. The run's id says what was asked for: asked "
            "again while it is under way, nothing is started twice."
        ),
        func=lazy_load_command(f"{_HERE}.rotate.rotate"),
        args=(ARG_CONN_ID, ARG_SOME_OPEN_IDS, ARG_FORCE, ARG_DAG_ID, ARG_OUTPUT),
    ),
    ActionCommand(
        name="rescue",
        help="Adopt the token pairs that wait in this machine's escrow",
        description=(
            "A pair that a killed worker could not store waits, sealed, in [tiktokshop] escrow_dir of its machine. The next "
            "rotation on that machine adopts it; this does it now. Lists what cannot be opened."
        ),
        func=lazy_load_command(f"{_HERE}.rescue.rescue"),
        args=(ARG_CONN_ID, ARG_OUTPUT),
    ),
    ActionCommand(
        name="doctor",
        help="Check this deployment: keys, store, escrow, clock, hosts, rotation DAG",
        func=lazy_load_command(f"{_HERE}.doctor.doctor"),
        args=(ARG_CONN_ID, ARG_DAG_ID, ARG_OFFLINE, ARG_OUTPUT),
    ),
    ActionCommand(
        name="confirm",
        help="Let a consent count that waits for confirmation",
        func=lazy_load_command(f"{_HERE}.consents.confirm"),
        args=(ARG_AUTHORIZATION, ARG_CONN_ID, ARG_OUTPUT),
    ),
    ActionCommand(
        name="forget",
        help="Stop using an authorization",
        func=lazy_load_command(f"{_HERE}.consents.forget"),
        args=(ARG_AUTHORIZATION, ARG_CONN_ID, ARG_YES),
    ),
    GroupCommand(name="store", help="Look after the token store", subcommands=STORE_COMMANDS),
    ActionCommand(
        name="sign",
        help="Show how a request is signed",
        description=(
            "Prints the string that is signed, with the app secret replaced by a placeholder, and the signature: to find out "
            "why the signature of your own software is refused."
        ),
        func=lazy_load_command(f"{_HERE}.sign.sign"),
        args=(
            ARG_METHOD,
            ARG_PATH,
            ARG_PARAM,
            ARG_BODY,
            ARG_CONTENT_TYPE,
            ARG_TIMESTAMP,
            ARG_CONN_ID,
            ARG_APP_KEY,
            ARG_OUTPUT,
        ),
    ),
    ActionCommand(
        name="emulator",
        help="Run a local TikTok Shop to try things out",
        description=(
            "A strict local TikTok Shop: consent page, token endpoints, shops and orders. Prints one JSON line when it is "
            "ready. Nothing leaves this machine."
        ),
        func=lazy_load_command(f"{_HERE}.emulator.emulator"),
        args=(
            ARG_HOST,
            ARG_PORT,
            ARG_SEED,
            ARG_SELLERS,
            ARG_SHOPS,
            ARG_ORDERS,
            ARG_LATENCY,
            ARG_RATE_LIMIT,
            ARG_REFRESH_MODE,
            ARG_ACCESS_TTL,
            ARG_REFRESH_TTL,
            ARG_REDIRECT_URL,
        ),
    ),
)


def get_cli_commands() -> list[CLICommand]:
    """Return ``airflow tiktokshop …``; Airflow 3.2 and newer call this (provider.yaml names it)."""
    return [
        GroupCommand(name="tiktokshop", help="Authorize TikTok Shop sellers, and look after them", subcommands=COMMANDS)
    ]
