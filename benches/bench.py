#!/usr/bin/env python3
"""Measures Tidemill against its peers and writes benches/README.md.

    bench.py [JOB ...]

`make bench` builds the binary and calls it. In the environment: `QUICK=1` runs everything a hundred
times smaller, once, into the target folder; `PEERS=PYTHON` takes a Python that has the peers instead
of making a virtual environment; `TIDEMILL=BINARY` measures another binary.
"""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import machine, page, peers  # noqa: E402
from harness.job import TOP  # noqa: E402
from harness.results import Results  # noqa: E402
from harness.turns import Turns, say  # noqa: E402


def main(asked):
    quick = bool(os.environ.get("QUICK"))
    target = Path(os.environ.get("CARGO_TARGET_DIR") or TOP / "target").resolve()
    binary = Path(os.environ.get("TIDEMILL") or target / "release" / "tidemill").resolve()
    folder = target / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    home = folder / "quick" if quick else TOP / "benches"
    results = Results(home / "results")
    load = machine.describe()["load"]
    if load > 0.5 * machine.cores():
        say(f"the machine is busy (load {load}): figures will be too high")

    known = peers.names()
    for name in asked:
        if name not in known:
            raise SystemExit(f"there is no job {name}; jobs: {', '.join(known)}")
    python = peers.environment(folder)
    # Where the jobs' relative paths begin.
    os.chdir(TOP)
    turns = Turns(binary, python, folder, peers.versions(python), quick)
    wrong = False
    for name in asked or known:
        result = turns.job(name, peers.load(name))
        results.put(name, result)
        rows = [row for case in result["cases"] for row in case["rows"]]
        wrong |= any(row["differs"] for row in rows)
        wrong |= any(row["kind"] == "tidemill" and "failed" in row["note"] for row in rows)
        page.write(home, [r for r in map(results.get, known) if r])
    say(f"wrote {home / 'README.md'}")
    # A wrong answer is a failure, or none; a time never is.
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
