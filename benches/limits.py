#!/usr/bin/env python3
"""Measures what tiles, bytes and barriers cost, and writes docs/limits.md.

    limits.py [--again]

`make limits` builds the binary and calls it; `--again` takes what was measured the last time.
"""
import json
import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import machine  # noqa: E402
from harness.job import TOP  # noqa: E402
from limits import costs, page  # noqa: E402

RESULTS = TOP / "benches" / "results" / "limits.json"
# Formulas that are further from the simulation have left something out.
APART = 0.25


def measure():
    target = Path(os.environ.get("CARGO_TARGET_DIR") or TOP / "target").resolve()
    binary = Path(os.environ.get("TIDEMILL") or target / "release" / "tidemill").resolve()
    memory = Path("/dev/shm")
    bench = costs.Bench(binary, memory if memory.is_dir() else None, runs=5)
    try:
        return {"machine": machine.describe(), "costs": costs.measure(bench), "jobs": costs.jobs(bench)}
    finally:
        shutil.rmtree(bench.folder)


def main(asked):
    os.chdir(TOP)
    if "--again" not in asked:
        RESULTS.write_text(json.dumps(measure(), indent=1) + "\n")
    worst = page.write(json.loads(RESULTS.read_text()))
    print(f"wrote {TOP / 'docs' / 'limits.md'}; formulas and simulation differ by {worst:.0%} at most")
    return int(worst > APART)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
