"""How long it takes from typing a small job to its answer."""
from harness.job import Case, Job, sets

job = Job(
    title="Start-up",
    story="From exec to exit of a job with nothing to do: the slow series of 1000 numbers; for the peers, "
    "what they need before they could begin.",
    cases=[Case("1000 numbers", n=1000)],
    runs=9,
    counts="wall",
)


@job.tidemill("Tidemill, the series")
def tidemill(case):
    return ["pipelines/slow_series.yaml", *sets(n=case.n)]


@job.tidemill("Tidemill, 2 processes", variant=True)
def two_processes(case):
    return ["pipelines/slow_series.yaml", *sets(n=case.n), "-n", "2", "-w", "1"]


def imports(label, code, needs, **options):
    def words(case):
        return [case.python, "-c", code]

    words.__name__ = needs[0] if needs else "python"
    job.command(label, needs=needs, **options)(words)


imports("Python, nothing", "pass", [], variant=True)
imports("Python, import numpy", "import numpy", ["numpy"])
imports("Python, import polars", "import polars", ["polars"])
imports("Python, import xarray", "import xarray", ["xarray"])
imports(
    "Numba, one parallel loop",
    "from numba import njit, prange\n"
    "@njit(parallel=True)\n"
    "def series(n):\n"
    "    total = 0.0\n"
    "    for k in prange(1, n): total += 1 / k\n"
    "    return total\n"
    "series(1000)",
    ["numba"],
)
imports("Ray, init", "import ray; ray.init(num_cpus=2, include_dashboard=False)", ["ray"])
