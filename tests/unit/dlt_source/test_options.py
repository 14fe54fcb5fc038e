"""What a resource refuses before anything is read, and that nothing of it needs dlt before it is used."""

from __future__ import annotations

import runpy
import subprocess
import sys
from datetime import timedelta

import pytest

from airflow_provider_tiktokshop.api.client import Shop
from airflow_provider_tiktokshop.api.errors import ConfigurationError
from airflow_provider_tiktokshop.dlt_source import tiktokshop_resource, tiktokshop_source
from airflow_provider_tiktokshop.extract.errors import IntervalError, OptionError
from airflow_provider_tiktokshop.streams import UnknownStreamError
from tests.support.airflow_stack import REPOSITORY

SHOPS = [Shop("7", "cipher", "GB", "LOCAL", "X")]
START = "2025-11-03T00:00:00Z"


class Client:
    """Sends nothing: whoever asks it for anything but its shops fails."""

    def shops(self):
        return SHOPS


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "start is missing"),
        ({"end": START}, "start is missing"),
        ({"start": START, "end": START}, "empty"),
        ({"start": "2025-11-03"}, "without a time zone"),
        ({"start": START, "end": "2025-11-04T00:00:00Z", "chunk": 60}, "chunk"),
        ({"start": START, "chunk": 0}, "chunk"),
        ({"start": START, "pii": "mask"}, "pii is 'mask'"),
        ({"start": START, "pii": "hash"}, "needs a key"),
        ({"start": START, "filters": {"colour": "red"}}, "no filter 'colour'"),
        ({"start": START, "cursor_field": "paid_time"}, "no cursor 'paid_time'"),
        ({"start": START, "page_size": 1000}, "page_size is 1000"),
    ],
)
def test_an_option_that_cannot_work_is_refused_at_once_and_says_why(options, says):
    with pytest.raises(OptionError, match=says):
        tiktokshop_resource("orders", Client(), **options)


def test_a_missing_interval_is_an_error_and_never_a_guess():
    with pytest.raises(IntervalError):
        tiktokshop_source(Client(), ["warehouses", "orders"], start=None, end=None)


def test_a_wrong_name_lists_those_that_sound_like_it():
    with pytest.raises(UnknownStreamError, match="did you mean"):
        tiktokshop_resource("order", Client(), start=START)


def test_shops_that_do_not_fit_the_connection_are_refused():
    with pytest.raises(OptionError, match=r"client\.shops\(\)"):
        tiktokshop_resource("orders", Client(), ["7"], start=START)
    with pytest.raises(OptionError, match="nobody whose orders"):
        tiktokshop_resource("orders", Client(), [], start=START)


def test_a_source_holds_a_resource_for_each_stream():
    source = tiktokshop_source(Client(), ["orders", "warehouses"], start=START, chunk=timedelta(days=1))
    assert source.name == "tiktokshop"
    assert list(source.resources) == ["orders", "warehouses"]


def test_without_dlt_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "dlt", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'airflow-provider-tiktokshop\[dlt\]'"):
        tiktokshop_resource("orders", Client(), start=START)


def test_module_and_dag_load_where_dlt_is_not_installed_and_load_nothing_heavy():
    dag = REPOSITORY / "dags" / "tiktokshop_orders_to_duckdb.py"
    code = (
        "import runpy, sys\n"
        "for name in ('dlt', 'duckdb', 'pyarrow'): sys.modules[name] = None\n"
        f"dag = runpy.run_path({str(dag)!r})['dag']\n"
        "heavy = ('extract', 'api', 'dlt_source', 'hooks.tiktokshop')\n"
        "print([one for one in heavy if f'airflow_provider_tiktokshop.{one}' in sys.modules])\n"
        "import airflow_provider_tiktokshop.dlt_source\n"
        "print('requests' in sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    ours, requests = result.stdout.splitlines()[-2:]
    assert ours == "[]"
    assert requests == "False"


def test_the_dag_writes_one_shop_after_the_other_over_all_its_runs():
    dag = runpy.run_path(str(REPOSITORY / "dags" / "tiktokshop_orders_to_duckdb.py"))["dag"]
    task = dag.get_task("load_orders")
    assert task.is_mapped
    assert task.partial_kwargs["max_active_tis_per_dag"] == 1
    assert "CronDataInterval" in type(dag.timetable).__name__
