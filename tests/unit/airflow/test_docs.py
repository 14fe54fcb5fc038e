"""The pages say what the code does: every option is there, every link leads somewhere."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_tiktokshop.auth.records import Status
from airflow_provider_tiktokshop.cli.definition import COMMANDS
from airflow_provider_tiktokshop.get_provider_info import connection_type, get_provider_info
from airflow_provider_tiktokshop.operators.extract import TikTokShopExtractOperator
from tests.support.airflow_stack import REPOSITORY
from tests.support.processes import clean_environment

DOCS = REPOSITORY / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), REPOSITORY / "README.md"])


def text(name: str) -> str:
    return (DOCS / name).read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_leads_to_a_file_or_a_heading(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in link:
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert heading in {re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in headings}, link


def test_every_page_can_be_reached_from_the_index() -> None:
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in re.findall(r"\]\(([^)\s]+\.md)", text("index.md"))}

    assert linked | {DOCS / "index.md"} >= {page for page in PAGES if page.is_relative_to(DOCS)}


def test_every_field_of_the_connection_is_described() -> None:
    page = text("guides/connection.md")

    assert not [name for name in connection_type()["conn-fields"] if f"`{name}`" not in page]


def test_every_option_of_airflow_cfg_is_described() -> None:
    page = text("guides/connection.md")

    assert not [name for name in get_provider_info()["config"]["tiktokshop"]["options"] if name not in page]


# What stands before each command's own arguments: of a group, its own name.
ALL_COMMANDS = [
    (f"{command.name} {one.name}" if one is not command else one.name, one)
    for command in COMMANDS
    for one in getattr(command, "subcommands", [command])
]


@pytest.mark.parametrize(("name", "command"), ALL_COMMANDS, ids=[name for name, _ in ALL_COMMANDS])
def test_every_argument_of_every_command_is_described(name: str, command: object) -> None:
    page = text("reference/cli.md") + text("reference/emulator.md")

    assert f"## {name}" in page
    assert not [flag for argument in command.args for flag in argument.flags if f"`{flag}" not in page]


def test_every_argument_of_the_extraction_is_described() -> None:
    page = text("guides/extract.md")
    parameters = inspect.signature(TikTokShopExtractOperator.__init__).parameters
    undescribed = {"self", "kwargs", "tiktokshop_conn_id"}

    assert not [name for name in parameters if name not in undescribed and f"`{name}`" not in page]


def test_every_status_is_described() -> None:
    page = text("guides/authorize.md")

    assert not [status for status in Status if f"`{status}`" not in page]


OUR_STORE = """
from airflow_provider_tiktokshop.auth.stores.memory import MemoryStore


class OurStore(MemoryStore):
    strict = {strict}
"""


@pytest.mark.parametrize(
    ("strict", "result"),
    # The store that it is made of lets the last writer win: to call it strict is a promise that it breaks.
    [(False, "6 passed, 2 skipped"), (True, "2 failed, 6 passed")],
)
def test_the_documented_test_of_a_store_of_ones_own_runs_in_another_project(
    tmp_path: Path, strict: bool, result: str
) -> None:
    (block,) = [
        b for b in re.findall(r"```python\n(.*?)```", text("guides/connection.md"), re.DOTALL) if "OurStore" in b
    ]
    (tmp_path / "mycompany").mkdir()
    (tmp_path / "mycompany" / "tokens.py").write_text(OUR_STORE.format(strict=strict))
    (tmp_path / "test_our_store.py").write_text(block)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert result in done.stdout, done.stdout + done.stderr
