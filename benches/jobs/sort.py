"""Rows of a Parquet file in the order of a random column, to Parquet."""
import os

from harness import tables
from harness.job import Case, Job, sets

job = Job(
    title="Sort: Parquet → Parquet",
    story="Reads two columns, sorts by the random one, writes both, compressed with Snappy.",
    cases=[Case("2e7 rows", {"rows": 20_000_000})],
    tolerance=tables.TOLERANCE,
    runs=3,
    memory=True,
)


@job.data
def data(case):
    tables.make(f"{case.data}/rows.parquet", case)


job.check(lambda case, path: tables.answer(path))


@job.tidemill("Tidemill")
def tidemill(case):
    return ["benches/jobs/sort.yaml", *sets(input=f"{case.data}/rows.parquet")]


@job.peer("Polars", needs=["polars"])
def polars(case):
    import polars as pl

    source = pl.scan_parquet(f"{case.data}/rows.parquet")
    yield
    source.select("v", "id").sort("v").sink_parquet(f"{case.scratch}/out.parquet", compression="snappy")
    yield None


@job.peer("DuckDB", needs=["duckdb"])
def duckdb(case):
    import duckdb

    db = duckdb.connect(config={"threads": int(os.environ["BENCH_THREADS"])})
    yield
    db.execute(
        f"copy (select v, id from '{case.data}/rows.parquet' order by v) "
        f"to '{case.scratch}/out.parquet' (compression snappy)"
    )
    yield None
