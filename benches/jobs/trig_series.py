"""Σ cos(k)/k over k from 1 to n."""
from harness.job import Case, Job, sets

job = Job(
    title="Trigonometric series",
    story="Σ cos(k)/k over k from 1 to n; every k needs a cosine of a large argument and a division.",
    cases=[Case("n = 1e8", {"n": 100_000_000})],
    tolerance={"total": 1e-9},
)


@job.tidemill("Tidemill")
def tidemill(case):
    return ["pipelines/trig_series.yaml", *sets(n=case.n)]


@job.peer("Numba, 2 threads", needs=["numba"])
def numba(case):
    import math

    from numba import njit, prange

    @njit(parallel=True)
    def series(n):
        total = 0.0
        for k in prange(1, n + 1):
            total += math.cos(k) / k
        return total

    series(1000)
    yield
    yield {"total": series(case.n)}


@job.peer("NumPy, slices of 1e6", needs=["numpy"], most_runs=3)
def numpy(case):
    import numpy as np

    step = 1_000_000
    yield
    total = 0.0
    for start in range(1, case.n + 1, step):
        k = np.arange(start, min(start + step, case.n + 1), dtype=np.float64)
        total += (np.cos(k) / k).sum()
    yield {"total": total}


# Only with -ffast-math does the compiler use the C library's vector functions (up to 4 ulp off).
@job.c("C with OpenMP, -ffast-math", source="trig_series.c", flags=["-ffast-math"])
def c_openmp(case):
    return [case.n]
