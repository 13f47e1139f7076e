"""Sum, mean and count by key of a Parquet file."""
import os

from harness import tables
from harness.job import Case, Job, sets

job = Job(
    title="Group by a key: Parquet → sum, mean, count",
    story="Integer keys, random values, read from one Parquet file as pyarrow writes it by default. "
    "Tidemill's sums are exact.",
    cases=[
        Case("2e7 rows, 1e3 keys", {"rows": 20_000_000}, keys=1000),
        Case("2e7 rows, 1e6 keys", {"rows": 20_000_000}, keys=1_000_000),
    ],
    tolerance={"groups": 0, "rows": 0, "most": 1e-12, "least": 1e-12, "weighed": 1e-9},
    memory=True,
)


@job.data
def data(case):
    tables.make(f"{case.data}/rows.parquet", case)


@job.tidemill("Tidemill")
def tidemill(case):
    return ["benches/jobs/groupby.yaml", *sets(input=f"{case.data}/rows.parquet")]


@job.peer("Polars", needs=["polars"])
def polars(case):
    import polars as pl

    k, s, m, n = map(pl.col, "ksmn")
    v = pl.col("v")
    source = pl.scan_parquet(f"{case.data}/rows.parquet")
    yield
    groups = source.group_by("k").agg(s=v.sum(), m=v.mean(), n=pl.len()).collect(engine="streaming")
    yield groups.select(
        groups=pl.len(), rows=n.sum(), most=s.max(), least=m.min(), weighed=(s * (k + 1)).sum()
    ).row(0, named=True)


@job.peer("DuckDB", needs=["duckdb"])
def duckdb(case):
    import duckdb

    db = duckdb.connect(config={"threads": int(os.environ["BENCH_THREADS"])})
    yield
    names = ("groups", "rows", "most", "least", "weighed")
    told = db.execute(
        "select count(*), sum(n)::bigint, max(s), min(m), sum(s * (k + 1)) from "
        "(select k, sum(v) s, avg(v) m, count(*) n from read_parquet(?) group by k)",
        [f"{case.data}/rows.parquet"],
    ).fetchone()
    yield dict(zip(names, told))
