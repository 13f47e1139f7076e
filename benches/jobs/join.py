"""A join of two Parquet files by a key, and a sum of a product by another."""
import os

from harness.job import Case, Job, sets

job = Job(
    title="Join by a key: Parquet × Parquet → sum of a product by group",
    story="Each row of the left file has a random key of the right one, whose rows are in random "
    "order. A small right side goes to all workers; of a large one each worker has some keys.",
    cases=[
        Case("1e7 × 1e6 rows", {"left": 10_000_000}, right=1_000_000),
        Case("1e7 × 5e6 rows", {"left": 10_000_000}, right=5_000_000),
    ],
    tolerance={"groups": 0, "rows": 0, "most": 1e-12, "least": 1e-12},
    memory=True,
)


def files(case):
    return f"{case.data}/left.parquet", f"{case.data}/right.parquet"


@job.data
def data(case):
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(7)
    n, m = case.left, case.right
    left = {"k": random.integers(0, m, n), "x": random.random(n)}
    right = {"k": random.permutation(m), "y": random.random(m), "g": random.integers(0, 100, m)}
    for path, columns in zip(files(case), [left, right]):
        pq.write_table(pa.table(columns), path)


@job.tidemill("Tidemill")
def tidemill(case):
    left, right = files(case)
    return ["benches/jobs/join.yaml", *sets(left=left, right=right)]


@job.peer("Polars", needs=["polars"])
def polars(case):
    import polars as pl

    left, right = map(pl.scan_parquet, files(case))
    yield
    product = (pl.col("x") * pl.col("y")).sum()
    groups = left.join(right, on="k").group_by("g").agg(s=product, n=pl.len())
    groups = groups.collect(engine="streaming")
    s, n = pl.col("s"), pl.col("n")
    yield groups.select(groups=pl.len(), rows=n.sum(), most=s.max(), least=s.min()).row(0, named=True)


@job.peer("DuckDB", needs=["duckdb"])
def duckdb(case):
    import duckdb

    db = duckdb.connect(config={"threads": int(os.environ["BENCH_THREADS"])})
    yield
    told = db.execute(
        "select count(*), sum(n)::bigint, max(s), min(s) from (select g, sum(x * y) s, count(*) n "
        "from read_parquet(?) join read_parquet(?) using (k) group by g)",
        list(files(case)),
    ).fetchone()
    yield dict(zip(("groups", "rows", "most", "least"), told))
