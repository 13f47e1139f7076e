"""Kills processes of running jobs with SIGKILL, at any moment, and lets others go on with their work.

    python3 tests/kills/run.py TIDEMILL PIPELINES [KILLS]

Three jobs at full size: the mantle field (120 million points, 2.9 GB of NetCDF), and of a Parquet file a
group-by and some of its rows, joined with a table, as CSV. Each run has another number of processes and threads. A job that is done is compared
with an undisturbed run, byte for byte, and begun anew, until there were KILLS kills (50) of each.
A tile that a run has finished must never be done again: what all runs of a job have finished adds
up to its tiles. TMPDIR says where the files go (8 GB); SEED repeats the choices.
"""
import filecmp
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = """steps:
  - range: { i: 1..=4e7 }
  - map: { key: floor(1000 * abs(sin(i))), v: cos(i) }
  - write: rows.parquet
"""
GROUPS = """steps:
  - read: rows.parquet
  - reduce: { n: count(), total: sum(v), mean: mean(v), spread: std(v), least: min(v) }
    by: key
  - write: groups.parquet
"""
SOME = """steps:
  - read: rows.parquet
    as: rows
  - range: { key: 0..1000 }
  - map: { weight: 1 / (key + 1) }
    as: weights
  - filter: key % 8 == 0
    from: rows
    as: some
  - join: key
    from: [some, weights]
  - map: { w: sqrt(abs(v)) * weight }
  - write: some.csv
"""


def children(pid):
    """The processes that a process has started."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


class Job:
    def __init__(self, tidemill, folder, pipeline, output, options):
        self.tidemill, self.folder, self.output = tidemill, folder, folder / output
        self.options = [str(pipeline), *options]
        self.state = folder / ".tidemill" / output

    def command(self, verb, *more):
        return [self.tidemill, verb, *self.options, *more]

    def whole(self, *more):
        begun = time.monotonic()
        done = subprocess.run(self.command("run", *more), cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stderr, time.monotonic() - begun

    def left(self):
        """Tiles to do, and tiles in all."""
        said = subprocess.run(self.command("explain", "--ledger"), cwd=self.folder, capture_output=True, text=True)
        assert said.returncode == 0, said.stderr
        return [int(n.replace(",", "")) for n in re.search(r"([\d,]+) of ([\d,]+) tiles to do", said.stdout).groups()]

    def same(self, good):
        """Whether the output is that of the undisturbed run."""
        if self.output.is_file():
            return filecmp.cmp(self.output, good, shallow=False)
        names = sorted(p.name for p in good.iterdir())
        equal = filecmp.cmpfiles(self.output, good, names, shallow=False)[0]
        return sorted(p.name for p in self.output.iterdir()) == names == sorted(equal)

    def clear(self):
        """Removes the output and what is known of it."""
        if self.output.is_dir():
            shutil.rmtree(self.output)
        else:
            self.output.unlink(missing_ok=True)
        shutil.rmtree(self.state, ignore_errors=True)

    def killed(self, span):
        """Starts a run and kills one of its processes; whether it was there to be killed."""
        n, w = random.randint(1, 3), random.randint(1, 3)
        command = self.command("run", "--quiet", "-n", str(n), "-w", str(w))
        child = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0, span))
        victim = random.choice([child.pid, *children(child.pid)])
        struck = child.poll() is None
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            struck = False
        code = child.wait(30)
        assert code in (0, 4, -signal.SIGKILL), code
        return struck and code != 0


def trial(job, kills):
    # Results that do not say when they were made.
    os.environ["SOURCE_DATE_EPOCH"] = "0"
    said, _ = job.whole()
    tiles = int(re.search(r"done: ([\d,]+) tiles", said)[1].replace(",", ""))
    good = job.folder / "good"
    job.output.rename(good)
    job.clear()
    # The first run had the memory to touch for the first time.
    _, span = job.whole()
    job.clear()
    struck = rounds = 0
    left = tiles
    while struck < kills or left < tiles:
        if struck < kills and job.killed(span / 2):
            struck += 1
        elif struck >= kills:
            job.whole("-n", str(random.randint(1, 3)))
        now, _ = (0, 0) if job.output.exists() else job.left()
        assert now <= left, f"{now - left} tiles that were done are to be done again"
        left = now
        if job.output.exists():
            assert job.same(good), f"{job.output} is not that of an undisturbed run"
            said, _ = job.whole()
            assert "0 of" in said, said
            rounds += 1
            job.clear()
            left = tiles
    shutil.rmtree(good) if good.is_dir() else good.unlink()
    print(f"{job.output.name}: {struck} kills in {rounds} jobs of {tiles} tiles ({span:.1f} s undisturbed); "
          "nothing finished was done again, all outputs alike", flush=True)


def main():
    tidemill, pipelines = (Path(p).resolve() for p in sys.argv[1:3])
    kills = int(sys.argv[3]) if len(sys.argv) > 3 else 50
    seed = int(os.environ.get("SEED", time.time()))
    random.seed(seed)
    print(f"kills: SEED={seed}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rows.yaml").write_text(ROWS)
        (folder / "groups.yaml").write_text(GROUPS)
        (folder / "some.yaml").write_text(SOME)
        subprocess.run([tidemill, "run", "rows.yaml", "--no-state", "--quiet"], cwd=folder, check=True)
        trial(Job(tidemill, folder, folder / "groups.yaml", "groups.parquet", ["--tile", "100_000"]), kills)
        trial(Job(tidemill, folder, folder / "some.yaml", "some.csv", ["--tile", "100_000"]), kills)
        shutil.rmtree(folder / "rows.parquet")
        trial(Job(tidemill, folder, pipelines / "mantle_netcdf.yaml", "velocity.nc", []), kills)


if __name__ == "__main__":
    main()
