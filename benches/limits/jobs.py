"""The main jobs: what is run here to measure each, and what it becomes when it is larger.

`steps(profile, times)` says what the job consists of when it has `times` as many tiles as here. The
profile is of two processes of one thread each, so that what is exchanged is encoded as between hosts.
"""
import math
from dataclasses import dataclass

from harness.job import TOP

from .steps import Alone, Barrier, Shuffle, Tiles, ToFirst


@dataclass(frozen=True)
class Job:
    name: str
    # What it is when it is a thousand times larger.
    large: str
    # Arguments of `tidemill run`.
    words: object
    steps: object
    # So many times larger than what is run here.
    times: int = 1000
    # Its input: the name of the file, the pipeline that makes it, and its parameters.
    input: tuple = ()


class Profile:
    """A profile cut at its exchanges."""

    def __init__(self, told):
        self.tiles, self.seconds = told["tiles"], told["seconds"]
        self.groups = [[]]
        for operator in told["operators"]:
            if operator["kind"] == "receive":
                self.groups.append([])
            self.groups[-1].append(operator)

    def work(self, group, *kinds):
        """Seconds of a group's operators, of these kinds or of all but sending."""
        wanted = [o for o in self.groups[group] if o["kind"] in kinds or not kinds and o["kind"] != "send"]
        return sum(o["seconds"] for o in wanted)

    def rest(self, group):
        """Seconds of all groups from this one on."""
        return sum(o["seconds"] for operators in self.groups[group:] for o in operators)

    def send(self, group):
        return next(o for o in self.groups[group] if o["kind"] == "send")

    def named(self, kind):
        return next(o for operators in self.groups for o in operators if o["kind"] == kind)


# Processes, and workers, of a measured run.
MEASURED = 2
# Half of what is exchanged between two workers leaves the process, and is encoded.
AWAY = 1 - 1 / MEASURED


def series(p, times):
    """Tiles without input, a partial of each worker."""
    return [
        Tiles(p.tiles * times, p.work(0) / p.tiles),
        ToFirst(p.send(0)["out"]["bytes"] / MEASURED, p.work(1) / MEASURED),
    ]


def field(p, times):
    """Tiles from a file into a file."""
    read, write = p.named("read")["out"]["bytes"], p.named("write")["in"]["bytes"]
    return [Tiles(p.tiles * times, p.work(0) / p.tiles, read / p.tiles, write / p.tiles)]


def formulas(p, times):
    """Tiles from formulas into a file."""
    return [Tiles(p.tiles * times, p.work(0) / p.tiles, 0.0, p.named("write")["in"]["bytes"] / p.tiles)]


def ordered(p, times):
    """Tiles from a file, encoded by all and written in their order by worker 0."""
    send, read = p.send(0), p.named("read")["out"]["bytes"]
    return [
        Tiles(
            p.tiles * times,
            (p.work(0) + send["seconds"]) / p.tiles,
            read / p.tiles,
            0.0,
            send["out"]["bytes"] / p.tiles,
            p.work(1) / p.tiles,
        )
    ]


def exchange(p, group, bytes):
    """What the exchange of a group costs for a byte."""
    sent = p.send(group)["out"]["bytes"]
    return Shuffle(bytes, p.send(group)["seconds"] / (sent * AWAY), p.work(group + 1) / sent)


def groups(keys):
    def steps(p, times):
        """Tiles of rows, partials of each worker by key, results in order."""
        rows = p.named("read")["in"]["rows"] * times
        each = p.send(0)["out"]["bytes"] / p.send(0)["in"]["rows"]
        # So many different keys a worker sees that gets so many rows.
        seen = lambda w: keys * -math.expm1(-rows / w / keys)  # noqa: E731
        return [
            Tiles(p.tiles * times, p.work(0) / p.tiles, p.named("read")["out"]["bytes"] / p.tiles),
            exchange(p, 0, lambda w: seen(w) * each),
            Barrier(),
            Alone(p.rest(2)),
            Barrier(),
        ]

    return steps


def sorted_rows(p, times):
    """Tiles of rows that wait for a sample; all rows to the worker that has their range; parts."""
    bytes = p.send(1)["out"]["bytes"] * times
    return [
        Tiles(p.tiles * times, p.work(0) / p.tiles, p.named("read")["out"]["bytes"] / p.tiles),
        Barrier(),
        exchange(p, 1, lambda w: bytes / w),
        Barrier(),
        Alone(p.rest(3) * times, p.named("write")["in"]["bytes"] * times),
    ]


def words(path, *more, **values):
    """Arguments of `tidemill run`; the input, if there is one, is set by whoever runs it."""
    return [TOP / path, *more, *(f"--set={name}={value}" for name, value in values.items())]


# A fifth of the benchmark's grid: as large as a test of the memory file system needs.
GRID = {"nlat": 100}
ROWS = """
title: Rows of a key and a value
params: { keys: 1 }
steps:
  - range: { id: 0..20000000 }
  - map: { k: int64(floor(random(1) * keys)), v: random(2) }
  - write: rows.parquet
"""
SPHERICAL = """
title: Spherical components
steps:
  - grid: { lat: "linspace(-90, 90, 100)", r: "linspace(3485, 6371, 300)", lon: "linspace(0, 360, 800)" }
  - map: { vlat: "sin(lat + r)", vlon: "sin(lon + r)", vrad: "cos(lat + lon)" }
  - map: { vlat: vlat * cos(lon), vlon: vlon * cos(lat), vrad: vrad * cos(r) }
  - write: mantle.nc
"""
VELOCITY = ("velocity.nc", (TOP / "pipelines/mantle_netcdf.yaml").read_text(), GRID)
MANTLE = ("mantle.nc", SPHERICAL, {})
FEW = ("rows.parquet", ROWS, {"keys": 1000})
MANY = ("rows.parquet", ROWS, {"keys": 1_000_000})

JOBS = [
    Job("Slow series", "1e11 terms, digits 42, each tested",
        words("pipelines/slow_series.yaml", "--without=prune-range", n="1e8", digits="42"), series),
    Job("Trigonometric series", "1e11 terms", words("pipelines/trig_series.yaml", n="1e8"), series),
    Job("Mantle from a file", "2.88 TB in, 2.88 TB out", words("pipelines/mantle_from_file.yaml"), field,
        5000, MANTLE),
    Job("Mantle from formulas", "2.88 TB out", words("pipelines/mantle_netcdf.yaml", **GRID), formulas, 5000),
    Job("Compressed NetCDF", "2.88 TB in, at most as much out", words("benches/jobs/netcdf_deflate_write.yaml"), field,
        5000, VELOCITY),
    Job("One CSV file", "2e10 rows", words("benches/limits/csv.yaml"), ordered, 1000, FEW),
    Job("Group by, 1e3 keys", "2e10 rows", words("benches/jobs/groupby.yaml"), groups(1e3), 1000, FEW),
    Job("Group by, 1e6 keys", "2e10 rows", words("benches/jobs/groupby.yaml"), groups(1e6), 1000, MANY),
    Job("Sort", "2e10 rows", words("benches/jobs/sort.yaml"), sorted_rows, 1000, MANY),
]
