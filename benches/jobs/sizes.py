"""Size: time must grow with n, and memory must not."""
from harness.job import Case, Job, sets

job = Job(
    title="Scaling with size",
    story="The slow series for growing n: time must be linear in the numbers that are generated, and "
    "memory constant. Pruned, the numbers grow as n^0.954, those without the digit 9.",
    cases=[Case(f"1e{p}", {"n": 10**p}, power=p) for p in range(7, 12)],
    tolerance={},
    runs=3,
    shows="sizes",
    memory=True,
)


@job.tidemill("as it is")
def pruned(case):
    return ["pipelines/slow_series.yaml", *sets(n=case.n)]


@job.tidemill("every number tested", option="--without")
def tested(case):
    if case.power > 9:
        return None
    return ["pipelines/slow_series.yaml", *sets(n=case.n), "--without", "prune-range"]
