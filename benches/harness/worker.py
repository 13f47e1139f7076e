"""Runs one function of a job file in this fresh process, and prints what came of it as JSON.

    python worker.py JOB (peer NAME | data | check PATH) CASE
"""
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.job import Case  # noqa: E402
from harness.peers import load  # noqa: E402


def peak_bytes():
    """The most memory that this process ever had."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return None


def plain(answer):
    """NumPy's numbers as Python's."""
    if answer is None:
        return None
    return {name: getattr(value, "item", lambda v=value: v)() for name, value in answer.items()}


def main():
    name, what, *rest, case = sys.argv[1:]
    told = json.loads(case)
    case = Case(told["title"], told["sizes"], **told["parameters"])
    case.data, case.scratch = told["data"], told["scratch"]
    job = load(name)
    if what == "data":
        job.makes(case)
        return
    if what == "check":
        print(json.dumps({"answer": plain(job.checks(case, rest[0]))}))
        return
    contestant = next(c for c in job.contestants if c.name == rest[0])
    work = contestant.function(case)
    next(work)
    start = time.perf_counter()
    answer = next(work)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "answer": plain(answer), "peak": peak_bytes()}), flush=True)


if __name__ == "__main__":
    main()
