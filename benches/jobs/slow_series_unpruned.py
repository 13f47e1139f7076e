"""The slow series with every number tested: what the kernels can do, without the rule."""
from harness.job import Case, Job, sets
from jobs import slow_series

job = Job(
    title="Slow series, every number tested",
    story="The same with `--without prune-range`: Tidemill tests every number as the peers do.",
    cases=[
        Case("n = 1e8, digit 9", {"n": 100_000_000}, digits="9"),
        Case("n = 1e8, digits 42", {"n": 100_000_000}, digits="42"),
    ],
    tolerance={"total": 1e-11, "terms": 0},
)

WITHOUT = "--without"


@job.tidemill("Tidemill, without pruning", option=WITHOUT)
def tidemill(case):
    sizes = sets(n=case.n, digits=case.digits)
    return ["pipelines/slow_series.yaml", *sizes, WITHOUT, "prune-range"]


@job.tidemill("Tidemill, as it is", variant=True)
def tidemill_as_it_is(case):
    return ["pipelines/slow_series.yaml", *sets(n=case.n, digits=case.digits)]


job.peer("Numba, 2 threads", needs=["numba"])(slow_series.numba)
job.c("C with OpenMP", source="slow_series.c")(slow_series.c_openmp)
