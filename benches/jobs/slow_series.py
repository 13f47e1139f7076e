"""Σ 1/k over the k from 1 to n without the digit 9, as each tool's user would write it."""
import os

from harness.job import Case, Job, sets

job = Job(
    title="Slow series",
    story="Σ 1/k over k from 1 to n whose decimal digits do not contain a digit. Tidemill never "
    "generates the numbers that the filter drops (rule `prune-range`); the next job has that "
    "switched off.",
    cases=[Case("n = 1e8, digit 9", {"n": 100_000_000}, digits="9")],
    tolerance={"total": 1e-11, "terms": 0},
)


@job.tidemill("Tidemill")
def tidemill(case):
    return ["pipelines/slow_series.yaml", *sets(n=case.n, digits=case.digits)]


def numba_series(case, parallel, nogil=False):
    """The loop that the Numba contestants share, from start to stop (exclusive). The digits are
    constants to the compiler, so that no division is a real one."""
    from numba import njit, prange

    digits, power = int(case.digits), 10 ** len(case.digits)

    @njit
    def has_digits(k):
        while k:
            if k % power == digits:
                return True
            k //= 10
        return False

    @njit(parallel=parallel, nogil=nogil)
    def series(start, stop):
        total, terms = 0.0, 0
        for k in prange(start, stop):
            if not has_digits(k):
                total += 1 / k
                terms += 1
        return total, terms

    series(1, 1000)
    return series


@job.peer("Numba, 2 threads", needs=["numba"])
def numba(case):
    series = numba_series(case, parallel=True)
    yield
    total, terms = series(1, case.n + 1)
    yield {"total": total, "terms": terms}


@job.c("C with OpenMP", source="slow_series.c")
def c_openmp(case):
    return [case.n, case.digits]


def chunks(case, count):
    edges = [1 + case.n * i // count for i in range(count + 1)]
    return list(zip(edges, edges[1:]))


def added(parts):
    totals, terms = zip(*parts)
    return {"total": sum(totals), "terms": sum(terms)}


@job.peer("Ray + Numba", needs=["ray", "numba"], most_runs=3)
def ray_numba(case):
    import ray

    threads = int(os.environ["BENCH_THREADS"])
    ray.init(num_cpus=threads, include_dashboard=False, log_to_driver=False)

    @ray.remote
    class Worker:
        def __init__(self):
            self.series = numba_series(case, parallel=False)

        def part(self, start, stop):
            return self.series(start, stop)

    workers = [Worker.remote() for _ in range(threads)]
    ray.get([w.part.remote(1, 1000) for w in workers])
    yield
    parts = [workers[i % threads].part.remote(*c) for i, c in enumerate(chunks(case, 8 * threads))]
    yield added(ray.get(parts))
    ray.shutdown()


@job.peer("Dask + Numba", needs=["dask", "numba"])
def dask_numba(case):
    import dask

    threads = int(os.environ["BENCH_THREADS"])
    part = dask.delayed(numba_series(case, parallel=False, nogil=True))
    dask.compute(part(1, 10), scheduler="threads", num_workers=threads)
    yield
    parts = [part(*c) for c in chunks(case, 8 * threads)]
    yield added(dask.compute(*parts, scheduler="threads", num_workers=threads))


@job.peer("Polars", needs=["polars"], most_runs=3)
def polars(case):
    from functools import reduce

    import polars as pl

    # Arithmetic on the digits is 1.6 times as fast here as looking for the digit in a string.
    k, digit = pl.col("k"), int(case.digits)
    places = [10**p for p in range(len(str(case.n)))]
    keep = reduce(lambda a, b: a & b, [(k // place) % 10 != digit for place in places])

    def series(n):
        numbers = pl.LazyFrame().select(k=pl.int_range(1, n + 1))
        total = numbers.filter(keep).select(total=(1 / k).sum(), terms=pl.len())
        return total.collect(engine="streaming").row(0, named=True)

    series(1000)
    yield
    yield series(case.n)


@job.peer("DuckDB", needs=["duckdb"], most_runs=3)
def duckdb(case):
    import duckdb

    # As for Polars, 1.3 times as fast as `contains(k::varchar, '9')`.
    places = [10**p for p in range(len(str(case.n)))]
    keep = " and ".join(f"(k // {place}) % 10 <> {case.digits}" for place in places)
    query = f"select sum(1 / k), count(*) from range(1, ? + 1) t(k) where {keep}"
    db = duckdb.connect(config={"threads": int(os.environ["BENCH_THREADS"])})
    db.execute(query, [1000]).fetchone()
    yield
    total, terms = db.execute(query, [case.n]).fetchone()
    yield {"total": total, "terms": terms}


@job.peer("Python, n = 1e7 × 10", scaled=10, most_runs=2)
def python(case):
    yield
    total, terms = 0.0, 0
    for k in range(1, case.n + 1):
        if case.digits not in str(k):
            total += 1 / k
            terms += 1
    yield {"total": total, "terms": terms}
