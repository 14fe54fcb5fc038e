"""Runs one contender in this process, and prints what it took as one JSON line.

python -m tests.benchmarks.extraction.contenders engine < job.json
"""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.extraction.contenders import Job


def main() -> None:
    began = time.perf_counter()
    module = importlib.import_module(f"tests.benchmarks.extraction.contenders.{sys.argv[1]}")
    imports, base = time.perf_counter() - began, _peak_mb()
    facts = json.loads(sys.stdin.readline())
    job = Job(**{**facts, "folder": Path(facts["folder"])})
    # Some of the tools print as they like. What counts goes where they do not reach.
    out, sys.stdout = sys.stdout, sys.stderr
    began, cpu = time.perf_counter(), time.process_time()
    written = module.run(job)
    seconds, cpu, peak = time.perf_counter() - began, time.process_time() - cpu, _peak_mb()
    ids = sorted(written)
    result = {
        "rows": len(ids),
        "distinct": len(set(ids)),
        "sha256": digest(ids),
        "seconds": seconds,
        "cpu": cpu,
        "imports_seconds": imports,
        "base_mb": base,
        "peak_mb": peak,
        "versions": {name: version(name) for name in module.DISTRIBUTIONS},
        "shared": {"Python": sys.version.split()[0], **{name: version(name) for name in ("requests", "orjson")}},
    }
    if job.options.get("list_ids"):
        result["ids"] = ids
    print(json.dumps(result), file=out, flush=True)


def digest(ids: list[str]) -> str:
    """Return what stands for a sorted list of ids."""
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()


def _peak_mb() -> float:
    # Not ru_maxrss: that begins with what the parent held when it forked.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


if __name__ == "__main__":
    main()
