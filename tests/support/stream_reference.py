"""Writes the reference of all streams: ``python -m tests.support.stream_reference > docs/reference/streams.md``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.streams.base import DAY, EVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tiktokshop.streams.base import Cursor, Stream

__all__ = ["render"]

_INTRODUCTION: Final = """\
# Streams

Generated from the declarations in `airflow_provider_tiktokshop/streams`. {count} streams, in the newest version of each
endpoint that was documented in October 2026; the option `version` asks for another.

- **selected by**: the row's time field that an interval selects by; the first is the default, and `cursor_field` names another.
  *now* means that the service only tells its present state: every run reads everything. *local day* means dates of the
  shop's calendar; a day belongs to the interval in which it ends.
- **again**: how far before its interval a run reads, for rows that change late. `lookback` changes it.
- **page**: most rows of a page, which is what is asked for.
- **for each**: the stream whose rows give the ids to ask for, and how many go into one request.
- **scope**: what the seller must have granted. A dash: none is documented.
- Filters are passed as `filters={{...}}`; those in bold must be. A filter goes to every request that knows it, also to
  those for the parent's rows.
- Personal fields are what `pii="hash"` and `pii="drop"` act on; below a field everything counts.
"""
_USERS: Final = {1: "Takes a creator's authorization.", 3: "Takes a partner's authorization."}


def render() -> str:
    """Return the whole page."""
    every = [streams.get(name) for name in streams.names()]
    families = sorted({stream.family for stream in every})
    sections = [_section(family, [stream for stream in every if stream.family == family]) for family in families]
    return "\n".join([_INTRODUCTION.format(count=len(every)), *sections])


def _section(family: str, members: list[Stream]) -> str:
    lines = [f"## {_title(family)}", ""]
    lines += ["| stream | endpoint | key | selected by | again | page | for each | scope |", "| --- " * 8 + "|"]
    lines += [_row(stream) for stream in members]
    lines.append("")
    for stream in members:
        if details := list(_details(stream)):
            lines.append(f"**{stream.name}** ({stream.doc})")
            lines += [f"- {detail}" for detail in details]
            lines.append("")
    return "\n".join(lines)


def _title(family: str) -> str:
    return "Fulfilled by TikTok" if family == "fbt" else family.replace("_", " ").capitalize()


def _row(stream: Stream) -> str:
    parent = stream.parent
    cells = (
        f"`{stream.name}`",
        f"{stream.method} `{stream.path_of()}`",
        ", ".join(f"`{field}`" for field in stream.primary_key),
        "its parent's" if parent and not stream.cursors else ", ".join(map(_cursor, stream.cursors)) or "*now*",
        _length(stream.lookback) if _root(stream).cursors else "",
        str(stream.paging.size_max or "its own") if stream.paging.token_in else "",
        f"`{parent.stream}`" + (f", {parent.batch} a request" if parent.batch > 1 else "") if parent else "",
        f"`{stream.scope}`" if stream.scope else "-",
    )
    return f"| {' | '.join(cells)} |"


def _root(stream: Stream) -> Stream:
    return _root(streams.get(stream.parent.stream)) if stream.parent else stream


def _cursor(cursor: Cursor) -> str:
    return "local day" if cursor.kind == "date" else f"`{cursor.field}`"


def _length(seconds: int) -> str:
    if seconds >= EVER:
        return "everything"
    return f"{seconds // DAY} days" if seconds >= DAY else f"{seconds // 60} min"


def _details(stream: Stream) -> Iterator[str]:
    if stream.note:
        yield stream.note
    if stream.user_type:
        yield _USERS[stream.user_type] + (" Needs a category asset's cipher." if stream.needs_asset_cipher else "")
    if stream.only_in:
        yield f"Only for shops in {', '.join(stream.only_in)}: elsewhere a refusal skips the task."
    if stream.not_in:
        yield f"Not for shops in {', '.join(stream.not_in)}: there a refusal skips the task."
    if stream.window_cap:
        yield f"A window is at most {_length(stream.window_cap)} long."
    if stream.filters:
        yield "Filters: " + ", ".join(f"**`{f.name}`**" if f.required else f"`{f.name}`" for f in stream.filters)
    if stream.personal_fields:
        yield "Personal: " + ", ".join(f"`{field}`" for field in stream.personal_fields)


if __name__ == "__main__":
    sys.stdout.write(render())
