"""Rows to Parquet."""
import os

from harness import tables
from harness.job import Case, Job, sets

job = Job(
    title="Write Parquet",
    story="Two integer columns and a random one, compressed with Snappy. Tidemill reads them from an Arrow "
    "file in the page cache; the peers have them in memory.",
    cases=[Case("2e7 rows", {"rows": 20_000_000})],
    tolerance=tables.TOLERANCE,
    runs=3,
)


@job.data
def data(case):
    tables.make(f"{case.data}/rows.arrow", case)


job.check(lambda case, path: tables.answer(path))


@job.tidemill("Tidemill")
def tidemill(case):
    return ["benches/jobs/parquet_write.yaml", *sets(input=f"{case.data}/rows.arrow")]


def in_memory(case):
    import pyarrow as pa

    with pa.OSFile(f"{case.data}/rows.arrow") as file:
        return pa.ipc.open_file(file).read_all()


@job.peer("Polars", needs=["polars", "pyarrow"])
def polars(case):
    import polars as pl

    table = pl.from_arrow(in_memory(case))
    yield
    table.lazy().sink_parquet(f"{case.scratch}/out.parquet", compression="snappy")
    yield None


@job.peer("DuckDB", needs=["duckdb", "pyarrow"])
def duckdb(case):
    import duckdb

    rows = in_memory(case)
    db = duckdb.connect(config={"threads": int(os.environ["BENCH_THREADS"])})
    db.execute("create table t as select * from rows")
    yield
    db.execute(f"copy t to '{case.scratch}/out.parquet' (compression snappy)")
    yield None


@job.peer("pyarrow", needs=["pyarrow"])
def pyarrow(case):
    import pyarrow.parquet as pq

    rows = in_memory(case)
    yield
    pq.write_table(rows, f"{case.scratch}/out.parquet", compression="snappy")
    yield None
