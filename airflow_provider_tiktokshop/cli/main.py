"""The console script ``airflow-tiktokshop``: the same commands where Airflow has no room for a provider's (3.1)."""

# mypy: disable-error-code="no-untyped-call"
# Airflow's Arg has no annotations.
from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow.cli.cli_config import CLICommand

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    :param argv: the arguments without the program's name; default: the process's own.
    :return: the exit status.
    """
    args = build_parser().parse_args(argv)
    return args.func(args) or 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    from airflow_provider_tiktokshop.cli.definition import COMMANDS

    parser = argparse.ArgumentParser(
        prog="airflow-tiktokshop", description="Authorize TikTok Shop sellers, and look after them."
    )
    _add(parser, COMMANDS, "command")
    return parser


def _add(parser: argparse.ArgumentParser, commands: Iterable[CLICommand], dest: str) -> None:
    from airflow.cli.cli_config import GroupCommand

    subparsers = parser.add_subparsers(dest=dest, required=True, metavar="command")
    for command in commands:
        subparser = subparsers.add_parser(
            command.name, help=command.help, description=command.description or command.help
        )
        if isinstance(command, GroupCommand):
            _add(subparser, command.subcommands, "subcommand")
            continue
        for argument in command.args:
            argument.add_to_parser(subparser)
        subparser.set_defaults(func=command.func)


if __name__ == "__main__":
    sys.exit(main())
