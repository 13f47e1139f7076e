"""A Python function over batches of a column."""
import os

from harness.job import Case, Job, sets

job = Job(
    title="Python operator: doubles through a function and back",
    story="y = 2x + 1 by a Python function over batches of a column, and the sum of y. All read one Parquet file without "
    "compression in the page cache. Tidemill's function runs in a process for each worker, which is started in the time "
    "shown; those of Dask's processes and of Ray have been started before.",
    cases=[Case("2e8 doubles, 1.6 GB", {"n": 200_000_000})],
    tolerance={"total": 1e-9, "n": 0},
    runs=3,
)


@job.data
def data(case):
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    x = np.random.default_rng(1).random(case.n)
    options = {"compression": "none", "use_dictionary": False, "row_group_size": 1 << 20}
    pq.write_table(pa.table({"x": x}), f"{case.data}/x.parquet", **options)


@job.tidemill("Tidemill, stream")
def tidemill(case):
    return ["benches/jobs/operator.yaml", *sets(input=f"{case.data}/x.parquet", python=case.python)]


def doubled(frame):
    return frame["x"] * 2 + 1


def dask_total(case, scheduler, **options):
    import dask.dataframe as dd

    y = dd.read_parquet(f"{case.data}/x.parquet", split_row_groups=True).map_partitions(doubled, meta=("y", "f8"))
    import dask

    total, n = dask.compute(y.sum(), y.count(), scheduler=scheduler, **options)
    return {"total": float(total), "n": int(n)}


@job.peer("Dask map_partitions, 2 threads", needs=["dask", "pyarrow"])
def dask_threads(case):
    import dask.dataframe  # noqa: F401

    yield
    yield dask_total(case, "threads", num_workers=int(os.environ["BENCH_THREADS"]))


@job.peer("Dask map_partitions, 2 processes", needs=["dask", "pyarrow"], most_runs=1)
def dask_processes(case):
    from concurrent.futures import ProcessPoolExecutor

    import dask.dataframe  # noqa: F401

    with ProcessPoolExecutor(int(os.environ["BENCH_THREADS"])) as pool:
        list(pool.map(abs, range(8)))
        yield
        yield dask_total(case, "processes", pool=pool)


@job.peer("Ray Data map_batches", needs=["ray", "pyarrow"])
def ray_data(case):
    import ray

    ray.init(num_cpus=int(os.environ["BENCH_THREADS"]), log_to_driver=False, include_dashboard=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    ray.data.range(10).map_batches(lambda batch: batch).count()
    yield
    rows = ray.data.read_parquet(f"{case.data}/x.parquet")
    made = rows.map_batches(lambda batch: {"y": batch["x"] * 2 + 1}, batch_format="numpy", batch_size=None)
    told = made.aggregate(ray.data.aggregate.Sum("y", alias_name="total"), ray.data.aggregate.Count(alias_name="n"))
    yield {"total": told["total"], "n": told["n"]}
