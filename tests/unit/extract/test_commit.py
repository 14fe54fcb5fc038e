"""A kill at any step of the commit leaves readers with the old data, with none, or with the new: never with a mixture."""

from __future__ import annotations

import hashlib

import pytest

from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK
from airflow_provider_tiktokshop.extract.checkpoint import SIDECAR, Checkpoint
from airflow_provider_tiktokshop.extract.commit import commit, final_files
from airflow_provider_tiktokshop.extract.errors import AnotherRunError, ManifestError
from airflow_provider_tiktokshop.extract.manifest import MANIFEST, Manifest, load, read_rows
from airflow_provider_tiktokshop.extract.parts import WindowParts, span_of
from airflow_provider_tiktokshop.extract.position import Position
from airflow_provider_tiktokshop.extract.rows import Identity
from airflow_provider_tiktokshop.extract.writers import JsonLinesGzip

IDENTITY = Identity(("id",), "update_time")


class Killed(BaseException):
    pass


class Mortal:
    """A directory whose process dies before its n-th change."""

    CHANGES = frozenset({"replace", "upload", "move", "remove", "remove_below"})

    def __init__(self, directory, lives):
        self._directory, self.lives = directory, lives

    def __getattr__(self, name):
        method = getattr(self._directory, name)
        if name not in self.CHANGES:
            return method

        def change(*args, **kwargs):
            self.lives -= 1
            if self.lives < 0:
                raise Killed
            return method(*args, **kwargs)

        return change


def describe(directory):
    def manifest(files):
        return Manifest(
            stream="orders",
            shop_id="1",
            start="a",
            end="b",
            complete_until="b",
            cursor_field="update_time",
            rows=sum(file.rows for file in files),
            files=files,
            min_cursor=None,
            max_cursor=None,
            rows_outside=0,
            endpoint="POST /",
            options={"format": "jsonl.gz"},
            requests=1,
            run={},
            manifest_path=directory.url(MANIFEST),
        )

    return manifest


def parts_of(directory, label, keys, rows_per_part=2):
    parts = WindowParts(directory, label, JsonLinesGzip(), IDENTITY, None, rows_per_part)
    for key in keys:
        rows = [{"id": key, "update_time": 1}]
        parts.write(rows, [key], span_of(rows, IDENTITY, None))
    parts.close()
    return parts


def ready(directory, label, keys):
    """A run that has read everything and is about to commit."""
    checkpoint = Checkpoint(directory, "same", SYSTEM_CLOCK)
    checkpoint.start(5, 1)
    checkpoint.save(take_over=True)
    checkpoint.files = final_files([parts_of(directory, label, keys)], "jsonl.gz")
    return checkpoint


def readable(directory):
    """The ids that a reader gets who trusts only the manifest."""
    manifest = load(directory)
    if manifest is None:
        return None
    for file in manifest.files:
        assert hashlib.sha256(directory.read(file.name)).hexdigest() == file.sha256
    return [row["id"] for row in read_rows(manifest)]


@pytest.mark.parametrize(
    "new", [list("abcdef"), list("xy"), list("uvwxyzab"), []], ids=["same", "fewer", "more", "none"]
)
def test_a_kill_at_any_step_leaves_the_old_data_or_none_and_the_next_run_finishes(directory, new):
    old = list("abcdef")
    steps = 0
    while True:
        directory.remove(MANIFEST)
        directory.remove(SIDECAR)
        directory.remove_below("_work")
        assert commit(directory, ready(directory, "old", old), describe(directory)) is not None
        assert readable(directory) == old

        checkpoint = ready(directory, "new", new)
        mortal = Mortal(directory, steps)
        checkpoint._directory = mortal
        try:
            commit(mortal, checkpoint, describe(directory))
        except Killed:
            pass
        else:
            break
        assert readable(directory) in (old, None, new)

        # The next run finds the sidecar, or that it has to read again.
        following = Checkpoint(directory, "same", SYSTEM_CLOCK)
        if following.load() and following.files is not None:
            following.save(take_over=True)
            assert commit(directory, following, describe(directory)) is not None
            assert readable(directory) == new
        else:
            # Before the sidecar has the plan, or after everything is done.
            assert readable(directory) in (old, new)
        steps += 1
    assert steps >= 4
    assert readable(directory) == new
    assert directory.names("_work") == []
    assert directory.names() == sorted([*(f"part-{n:05d}.jsonl.gz" for n in range((len(new) + 1) // 2)), MANIFEST])


def test_the_same_bytes_again_never_make_the_manifest_vanish(directory):
    commit(directory, ready(directory, "old", list("abc")), describe(directory))

    class Watched(Mortal):
        def __getattr__(self, name):
            assert readable(directory) == list("abc")
            return super().__getattr__(name)

    checkpoint = ready(directory, "new", list("abc"))
    commit(Watched(directory, 10**6), checkpoint, describe(directory))
    assert readable(directory) == list("abc")


def test_a_part_that_vanished_is_noticed(directory):
    checkpoint = ready(directory, "new", list("abc"))
    directory.remove_below("_work")
    assert commit(directory, checkpoint, describe(directory)) is None
    assert load(directory) is None


def test_a_file_that_was_changed_gives_no_row(directory):
    manifest = commit(directory, ready(directory, "new", list("abc")), describe(directory))
    directory.replace("part-00001.jsonl.gz", directory.read("part-00000.jsonl.gz"))
    given = []
    with pytest.raises(ManifestError, match="not the file that was written"):
        given.extend(row["id"] for row in read_rows(load(directory)))
    assert given == ["a", "b"]  # the sound file's
    assert manifest.rows == 3


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b"{}", b'{"manifest_version": 1}'])
def test_a_broken_manifest_is_an_error_and_does_not_stop_a_new_run(directory, broken):
    directory.replace(MANIFEST, broken)
    with pytest.raises(ManifestError, match="not a manifest"):
        load(directory)
    assert commit(directory, ready(directory, "new", list("abc")), describe(directory)) is not None
    assert readable(directory) == list("abc")


def test_a_sidecar_is_taken_over_whole(directory):
    first = Checkpoint(directory, "same", SYSTEM_CLOCK)
    first.start(77, 2)
    first.save(take_over=True)
    parts = parts_of(directory, "w", list("abc"))
    first.update(1, Position(5, "token", 9, 3), parts.parts, requests=4)
    second = Checkpoint(directory, "same", SYSTEM_CLOCK)
    assert second.load()
    assert (second.until, second.attempts, second.requests_before) == (77, 2, 4)
    assert second.windows[0].position is None
    assert second.windows[1].position == Position(5, "token", 9, 3)
    assert second.windows[1].parts == parts.parts


def test_a_sidecar_of_other_options_or_an_old_or_broken_one_is_not(directory):
    first = Checkpoint(directory, "same", SYSTEM_CLOCK)
    first.start(77, 1)
    first.save(take_over=True)
    assert Checkpoint(directory, "same", SYSTEM_CLOCK).load()
    assert not Checkpoint(directory, "other", SYSTEM_CLOCK).load()

    class Later:
        def now(self):
            return SYSTEM_CLOCK.now() + 49 * 3600

    assert not Checkpoint(directory, "same", Later()).load()
    for broken in (b"", b"{", b"[]", b'{"format": 1}'):
        directory.replace(SIDECAR, broken)
        assert not Checkpoint(directory, "same", SYSTEM_CLOCK).load()
    directory.remove(SIDECAR)
    assert not Checkpoint(directory, "same", SYSTEM_CLOCK).load()


def test_in_an_object_store_a_run_that_was_taken_over_stops(directory):
    if directory.appendable:
        pytest.skip("a local directory is locked instead")
    first = Checkpoint(directory, "same", SYSTEM_CLOCK)
    first.start(5, 1)
    first.save(take_over=True)
    second = Checkpoint(directory, "same", SYSTEM_CLOCK)
    second.load()
    second.save(take_over=True)
    with pytest.raises(AnotherRunError, match="taken over"):
        first.update(0, Position(1), [], 0)
    second.update(0, Position(1), [], 0)
