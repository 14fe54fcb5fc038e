"""Sealed pairs on disk."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from airflow_provider_tiktokshop.auth.escrow import Escrow, EscrowError

PAIR = {"kind": "rotation", "record": {"refresh_token": "EMU_refresh_1"}}


def test_what_is_sealed_is_found_by_another_process_with_the_same_secret(tmp_path):
    Escrow(tmp_path / "e", "app", "s3cret").seal("0123456789abcdef", PAIR)
    [found] = Escrow(tmp_path / "e", "app", "s3cret").found("0123456789abcdef")
    assert found.content == PAIR


def test_the_disk_alone_gives_nothing_away(tmp_path):
    path = Escrow(tmp_path / "e", "app", "s3cret").seal("slot", PAIR)
    assert b"EMU_refresh" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_another_app_secret_leaves_the_file_where_it_is_and_reports_it(tmp_path):
    path = Escrow(tmp_path, "app", "old").seal("slot", PAIR)
    after_change = Escrow(tmp_path, "app", "new")
    assert after_change.found("slot") == []
    assert after_change.unreadable() == [path]
    assert path.exists()


def test_a_file_cut_off_by_a_kill_is_skipped(tmp_path):
    escrow = Escrow(tmp_path, "app", "s")
    whole = escrow.seal("slot", PAIR)
    (tmp_path / whole.name.replace(whole.name[-23:-7], "0" * 16)).write_bytes(whole.read_bytes()[:60])
    assert [p.path for p in escrow.found("slot")] == [whole]


def test_slots_of_other_apps_and_other_authorizations_are_not_seen(tmp_path):
    Escrow(tmp_path, "app-1", "s").seal("slot", PAIR)
    other = Escrow(tmp_path, "app-2", "s")
    assert other.found("slot") == []
    assert other.slots() == []
    mine = Escrow(tmp_path, "app-1", "s")
    mine.seal("seed-0011", PAIR)
    assert mine.slots() == ["seed-0011", "slot"]
    assert mine.found("seed") == []


def test_erasing_twice_is_harmless(tmp_path):
    escrow = Escrow(tmp_path, "app", "s")
    path = escrow.seal("slot", PAIR)
    escrow.erase(path)
    escrow.erase(path)
    assert escrow.slots() == []


def test_a_directory_that_cannot_be_made_is_told_before_anything_is_spent(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EscrowError, match="escrow_dir"):
        Escrow(tmp_path / "file" / "e", "app", "s").check()


def test_file_and_directory_reach_the_disk_before_seal_returns_and_new_directories_do_too(tmp_path, monkeypatch):
    synced = []
    sync = os.fsync

    def noted(descriptor):
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    escrow = Escrow(tmp_path / "new" / "e", "app", "s")
    first = escrow.seal("slot", PAIR)
    assert set(synced) == {str(p) for p in (tmp_path, tmp_path / "new", tmp_path / "new" / "e", first)}
    synced.clear()
    second = escrow.seal("slot", PAIR)
    assert synced == [str(second), str(tmp_path / "new" / "e")]


def test_a_full_disk_is_told_and_leaves_no_half_file_behind(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    escrow = Escrow(tmp_path, "app", "s")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EscrowError, match="No space left"):
        escrow.seal("slot", PAIR)
    assert list(tmp_path.iterdir()) == []


def test_pairs_sealed_one_after_the_other_look_nothing_alike(tmp_path):
    escrow = Escrow(tmp_path, "app", "s")
    one, other = (escrow.seal("slot", PAIR).read_bytes() for _ in range(2))
    # Magic and salt are the same; with the same nonce, the same content would be, too.
    assert one[:21] == other[:21]
    assert one[21:33] != other[21:33]
    assert one[33:] != other[33:]
