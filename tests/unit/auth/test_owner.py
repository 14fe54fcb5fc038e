"""Whether the process that announced an intent can still send."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK
from airflow_provider_tiktokshop.auth import owner

PROGRAM = """
import json, sys
from dataclasses import asdict
from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK
from airflow_provider_tiktokshop.auth import owner
print(json.dumps(asdict(owner.announce(SYSTEM_CLOCK, "f"))), flush=True)
sys.stdin.read()
"""


def announcing_process(*inside):
    import json

    from airflow_provider_tiktokshop.auth.records import Intent

    process = subprocess.Popen(
        [*inside, sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return process, Intent(**json.loads(process.stdout.readline()))


def test_a_living_sender_is_not_gone_and_a_killed_one_is():
    process, intent = announcing_process()
    try:
        assert not owner.sender_is_gone(intent, SYSTEM_CLOCK)
        process.send_signal(signal.SIGKILL)
        # Not reaped yet: a zombie counts as gone as soon as the kernel has ended it.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert owner.sender_is_gone(intent, SYSTEM_CLOCK)
    finally:
        process.kill()
        process.wait()
    assert owner.sender_is_gone(intent, SYSTEM_CLOCK)


def test_a_frozen_sender_is_not_gone():
    process, intent = announcing_process()
    try:
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        assert not owner.sender_is_gone(intent, SYSTEM_CLOCK)
    finally:
        process.kill()
        process.wait()


def test_a_pid_used_again_by_another_process_does_not_count_as_the_sender():
    intent = owner.announce(SYSTEM_CLOCK, "f")
    assert owner.sender_is_gone(replace(intent, pid_started=intent.pid_started - 1), SYSTEM_CLOCK)


def test_a_sender_before_a_reboot_is_gone():
    intent = owner.announce(SYSTEM_CLOCK, "f")
    assert owner.sender_is_gone(replace(intent, boot_id="another boot"), SYSTEM_CLOCK)


def test_in_this_process_a_sender_is_gone_once_it_has_finished():
    intent = owner.announce(SYSTEM_CLOCK, "f")
    assert not owner.sender_is_gone(intent, SYSTEM_CLOCK)
    owner.finished(intent)
    assert owner.sender_is_gone(intent, SYSTEM_CLOCK)


def test_on_another_machine_only_time_proves_it():
    intent = replace(owner.announce(SYSTEM_CLOCK, "f"), host="elsewhere")
    assert not owner.sender_is_gone(intent, SYSTEM_CLOCK)
    assert owner.sender_is_gone(replace(intent, at=intent.at - owner.SENDER_GONE_AFTER - 1), SYSTEM_CLOCK)


def test_a_sender_in_another_container_of_the_same_name_is_not_looked_up_among_our_processes():
    """Both are "worker" on one machine; the other's process 1 is not ours."""
    namespace = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    if shutil.which("unshare") is None or subprocess.run([*namespace, "true"], check=False).returncode:
        pytest.skip("no leave to make a process namespace here")
    process, intent = announcing_process(*namespace)
    try:
        assert intent.pid == 1
        assert intent.boot_id == owner.announce(SYSTEM_CLOCK, "f").boot_id
        assert not owner.sender_is_gone(intent, SYSTEM_CLOCK)
    finally:
        process.kill()
        process.wait()
    assert owner.sender_is_gone(replace(intent, at=intent.at - owner.SENDER_GONE_AFTER - 1), SYSTEM_CLOCK)
