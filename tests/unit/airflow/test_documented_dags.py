"""The DAGs in the guides load as they stand there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from airflow.sdk import DAG

from tests.support.airflow_stack import REPOSITORY

BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
GUIDES = {"alerts": 1, "many-sellers": 2}


def blocks(guide: str) -> list[str]:
    text = (REPOSITORY / "docs" / "guides" / f"{guide}.md").read_text()
    return [block for block in BLOCK.findall(text) if block.startswith("from ")]


def load(code: str) -> DAG:
    names: dict[str, Any] = {"__name__": "documented"}
    # The DAG need not be assigned: the first of its tasks leads to it.
    registered: list[DAG] = []
    exit_ = DAG.__exit__

    def remember(self: DAG, *arguments: Any) -> Any:
        registered.append(self)
        return exit_(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DAG, "__exit__", remember)
        exec(compile(code, "guide", "exec"), names)
    (dag,) = registered
    return dag


@pytest.mark.parametrize(("guide", "number"), GUIDES.items())
def test_every_complete_dag_of_a_guide_loads(guide: str, number: int) -> None:
    assert len(blocks(guide)) == number
    for code in blocks(guide):
        assert "rotate" in load(code).task_ids


def test_the_alerting_dag_alerts_on_success_and_on_failure() -> None:
    (code,) = blocks("alerts")

    task = load(code).get_task("rotate")

    assert task.on_success_callback == task.on_failure_callback
    assert len(task.on_success_callback) == 1
