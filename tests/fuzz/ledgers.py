"""Runs that are cut short: by signals at any moment, then with a damaged ledger or staged output."""
import os
import random
import shutil
import signal
import time

from mutate import damaged
from pathlib import Path

ENDINGS = [".csv", ".arrow", ".parquet", ".nc", ""]
PIPELINE = """steps:
  - range: {{ i: 0..{n} }}
  - map: {{ x: sin(i) * cos(i), k: i % 97 }}
{end}
"""


def pipeline(ending):
    end = f"  - write: out{ending}" if ending else "  - reduce: { n: count(), s: sum(x) }\n    by: k\n  - write: out.csv"
    return PIPELINE.format(n=400_000, end=end)


def output(where, ending):
    return where / f"out{ending or '.csv'}"


def content(path):
    """The values of an output; bytes of some formats hold the time of the run."""
    if path.suffix == ".csv":
        return path.read_bytes()
    if path.suffix == ".arrow":
        import pyarrow.feather as feather
        return feather.read_table(path).to_pydict()
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq
        return pq.read_table(sorted(path.glob("part-*"))).to_pydict()
    import netCDF4
    with netCDF4.Dataset(path) as d:
        return {name: v[:].tobytes() for name, v in d.variables.items()}



def ready(pid):
    """Waits until the program answers signals itself: until it is loaded, the system does."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "SigCgt" in line)
        except (OSError, StopIteration):
            return
        caught = int(line.split()[1], 16)
        if all(caught >> (number - 1) & 1 for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)):
            return
        time.sleep(0.001)


class CutShort:
    """Runs of a few pipelines, and what they write when nobody disturbs them."""

    def __init__(self, tidemill, root):
        self.tidemill, self.good, self.seconds = tidemill, {}, {}
        for ending in ENDINGS:
            from process import Rules
            folder = root / f"good{ending or '-groups'}"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            (folder / "run").mkdir()
            (folder / "run" / "p.yaml").write_text(pipeline(ending))
            rules = Rules(tidemill)
            end = rules.run(folder, *self.arguments(random.Random(0)), seconds=120)
            assert end.code == 0, end.err
            self.good[ending], self.seconds[ending] = content(output(folder / "run", ending)), end.seconds
            shutil.rmtree(folder)

    def arguments(self, dice):
        spread = dice.choice([["-w", "1"], ["-w", "2"], ["-n", "2", "-w", "1"]])
        return ["run", "p.yaml", "-q", "--tile", "2000", *spread]

    def disturbed(self, folder, dice, rules, ending, numbers):
        """A run that gets a signal at some moment, or one of its processes does."""
        after = dice.random() * self.seconds[ending] * 1.1
        number, inner = dice.choice(numbers), dice.random() < 0.3

        def disturb(child):
            ready(child.pid)
            time.sleep(after)
            pids = [child.pid]
            if inner:
                try:
                    pids = [int(p) for p in Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()] or pids
                except OSError:
                    pass
            try:
                os.kill(dice.choice(pids), number)
            except ProcessLookupError:
                pass

        return rules.run(folder, *self.arguments(dice), disturb=disturb, seconds=40)

    def again(self, folder, dice, rules, ending, *more):
        end = rules.run(folder, *self.arguments(dice), *more, seconds=40)
        if end.code == 0:
            assert content(output(folder / "run", ending)) == self.good[ending], "a wrong result, and exit code 0"
        return end


class Signals(CutShort):
    def trial(self, folder, dice, rules):
        ending = dice.choice(ENDINGS)
        (folder / "run" / "p.yaml").write_text(pipeline(ending))
        numbers = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL]
        for _ in range(dice.choice([1, 2])):
            end = self.disturbed(folder, dice, rules, ending, numbers)
            assert output(folder / "run", ending).exists() or end.code != 0, "exit code 0, and no output"
        time.sleep(0.3)  # children of a killed launcher end by themselves
        end = self.again(folder, dice, rules, ending)
        assert end.code == 0, f"a run after a signal ended with {end.code}: {end.err[:400]}"
        left = [p.name for p in (folder / "run").iterdir() if ".partial-" in p.name]
        assert not left, f"left behind: {left}"


class Ledgers(CutShort):
    def trial(self, folder, dice, rules):
        ending = dice.choice(ENDINGS)
        where = folder / "run"
        (where / "p.yaml").write_text(pipeline(ending))
        self.disturbed(folder, dice, rules, ending, [signal.SIGKILL, signal.SIGTERM])
        time.sleep(0.3)
        files = [p for p in where.rglob("*") if p.is_file() and "others" not in p.parts and p.name != "p.yaml"]
        kept = [p for p in files if ".tidemill" in p.parts]
        staged = [p for p in files if ".partial-" in str(p)]
        for path in dice.sample(kept, min(len(kept), dice.choice([1, 2]))) + (
                dice.sample(staged, min(1, len(staged))) if dice.random() < 0.3 else []):
            data = path.read_bytes()
            if dice.random() < 0.1:
                path.unlink()
            else:
                path.write_bytes(damaged(data, dice))
        end = self.again(folder, dice, rules, ending)
        if end.code != 0:
            end = self.again(folder, dice, rules, ending, "--overwrite")
            assert end.code == 0, f"with --overwrite it ended with {end.code}: {end.err[:400]}"
