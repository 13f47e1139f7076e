"""Threads and processes: how the time falls with them."""
from harness.job import Case, Job, sets

job = Job(
    title="Scaling over threads and processes",
    story="The same job with one thread, with two, and with two processes of one thread each. Answers "
    "must have the same bits. A user's own pipeline: `tidemill bench FILE -w 1,2 -n 1,2`.",
    cases=[
        Case("Trigonometric series, n = 1e8", {"n": 100_000_000}, pipeline="trig_series"),
        Case("Slow series, pruned, n = 1e9", {"n": 1_000_000_000}, pipeline="slow_series"),
        Case("Mantle, formulas → NetCDF, 2.88 GB", {"nlat": 500}, pipeline="mantle_netcdf"),
    ],
    tolerance={},
    disk="memory",
    room=2.9,
    shows="workers",
)


def at(threads, processes):
    def arguments(case):
        spread = ["-w", threads, "-n", processes]
        return [f"pipelines/{case.pipeline}.yaml", *sets(**case.sizes), *spread]

    return arguments


job.tidemill("1 process × 1 thread")(at(1, 1))
job.tidemill("1 process × 2 threads")(at(2, 1))
job.tidemill("2 processes × 1 thread")(at(1, 2))
