"""A job's contestants in turn, several times, and whether they agree."""
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

from . import machine
from .job import TOP
from .measure import run

# A contestant that has taken so many seconds in all has run often enough.
ENOUGH = 45


def say(text):
    print(text, file=sys.stderr, flush=True)


class Turns:
    """Runs jobs with one binary, one Python, one folder for data and one for outputs."""

    def __init__(self, binary, python, folder, versions, quick):
        self.binary, self.python, self.folder = binary, python, folder
        self.versions, self.quick = versions, quick
        self.cores = machine.cores()
        self.help = subprocess.run([binary, "run", "--help"], capture_output=True, text=True).stdout
        threads = str(self.cores)
        self.env = {
            "NUMBA_NUM_THREADS": threads, "OMP_NUM_THREADS": threads, "POLARS_MAX_THREADS": threads,
            "NUMEXPR_MAX_THREADS": threads, "NUMEXPR_NUM_THREADS": threads,
            "BENCH_THREADS": threads, "PYTHONPATH": f"{TOP / 'benches'}:{TOP / 'python'}", "RAY_DEDUP_LOGS": "0", "PYTHONWARNINGS": "ignore",
        }

    def job(self, name, job):
        """All cases of a job."""
        where = self.place(job)
        scratch = where / "scratch"
        try:
            cases = [self.case(name, job, case, where, scratch) for case in job.cases]
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            if job.disk == "memory":
                shutil.rmtree(where, ignore_errors=True)
        return {
            "job": name, "title": job.title, "story": job.story, "shows": job.shows,
            "counts": job.counts, "memory": job.memory, "quick": self.quick,
            "machine": machine.describe(), "versions": self.versions, "cases": cases,
        }

    def place(self, job):
        """Where data and outputs lie."""
        shm = Path("/dev/shm")
        if job.disk == "memory" and shm.is_dir():
            # Page cache and file are the same memory there; the work needs some more.
            if machine.free_bytes(shm) > (job.room + (0 if self.quick else 3)) * 1e9:
                return shm / "tidemill-bench"
            say(f"  no room for {job.room} GB in /dev/shm: on disk")
        return self.folder / "data"

    def case(self, name, job, case, where, scratch):
        if self.quick:
            case = case.smaller(100)
        case.python = str(self.python)
        case.data, case.scratch = str(where / f"{name}-{case.key}"), str(scratch)
        say(f"{name}: {case.title or job.title}")
        self.make(name, job, case)
        rows = [Row(c) for c in job.contestants]
        for turn in range(1 if self.quick else job.runs):
            for row in rows:
                if row.again(turn):
                    self.turn(name, job, case, row, turn)
        agree(job, rows)
        return {
            "title": case.title, "sizes": case.sizes, "parameters": case.parameters,
            "disk": machine.file_system(where) if job.makes or job.checks else "",
            "rows": [row.result() for row in rows],
        }

    def make(self, name, job, case):
        """The input of a case, unless it is there; and brings it into the page cache."""
        Path(case.scratch).mkdir(parents=True, exist_ok=True)
        if not job.makes:
            return
        folder = Path(case.data)
        if not folder.exists():
            say("  making the data")
            final, case.data = case.data, f"{case.data}.partial"
            shutil.rmtree(case.data, ignore_errors=True)
            Path(case.data).mkdir(parents=True)
            made = self.work(name, case, "data")
            if made.code:
                raise SystemExit(f"{name}: the data cannot be made\n{made.err}")
            Path(case.data).rename(final)
            case.data = final
        for file in folder.rglob("*"):
            if file.is_file():
                with file.open("rb") as f:
                    while f.read(1 << 24):
                        pass

    def work(self, name, case, *what, memory=False):
        told = {
            "title": case.title, "sizes": case.sizes, "parameters": case.parameters,
            "data": case.data, "scratch": case.scratch,
        }
        worker = TOP / "benches" / "harness" / "worker.py"
        return run([self.python, worker, name, *what, json.dumps(told)], env=self.env, memory=memory)

    def turn(self, name, job, case, row, turn):
        """One run of one contestant."""
        c = row.contestant
        empty(Path(case.scratch))
        if c.scaled > 1:
            small = case.smaller(c.scaled)
            small.data, small.scratch, small.python = case.data, case.scratch, case.python
            case = small
        missing = [p for p in c.needs if p not in self.versions]
        if missing:
            row.note = f"{', '.join(missing)} could not be installed"
        elif c.option and c.option not in self.help:
            row.note = f"this build has no `{c.option}`"
        elif c.kind == "c" and not machine.compiler():
            row.note = "no C compiler"
        else:
            getattr(self, f"run_{c.kind}")(name, job, case, row)
        if row.note:
            return say(f"  {c.label}: {row.note}")
        if not row.times:
            return
        say(f"  {c.label}: {row.times[-1]:.4g} s (whole {row.walls[-1]:.4g} s)")
        if turn == 0 and row.answer is None and c.scaled == 1 and job.checks and c.kind != "command":
            self.look(name, case, row)
        empty(Path(case.scratch))

    def look(self, name, case, row):
        """The answer of what was written."""
        written = sorted(Path(case.scratch).iterdir())
        if len(written) != 1:
            row.note = f"wrote {len(written)} files"
            return
        looked = self.work(name, case, "check", written[0])
        if looked.code:
            row.note = "what it wrote cannot be read: " + last(looked.err)
        else:
            row.answer = json.loads(looked.out.splitlines()[-1])["answer"]

    def run_tidemill(self, name, job, case, row):
        words = row.contestant.function(case)
        if words is None:
            return
        words = [str(w) for w in words]
        if "-w" not in words:
            words += ["-w", str(self.cores)]
        words = [self.binary, "run", *words, "--format", "json", "-q", "--out", case.scratch, "--overwrite", "--no-state"]
        # Pipelines may start Python.
        ran = run(words, env={"PYTHONPATH": self.env["PYTHONPATH"]}, memory=job.memory)
        if row.failed(ran):
            return
        told = json.loads(ran.out)
        tables = [rows for rows in told["results"].values() if len(rows) == 1]
        row.add(job, told["run"]["seconds"], ran.wall, ran.peak, tables[-1][0] if tables else None)

    def run_peer(self, name, job, case, row):
        ran = self.work(name, case, "peer", row.contestant.name, memory=job.memory)
        if row.failed(ran):
            return
        told = json.loads(ran.out.splitlines()[-1])
        row.add(job, told["seconds"], ran.wall, ran.peak or told["peak"], told["answer"])

    def run_c(self, name, job, case, row):
        source = TOP / "benches" / "jobs" / row.contestant.source
        program = self.folder / f"{source.stem}{''.join(row.contestant.flags)}"
        # The machine's own instruction set: as an expert would.
        flags = ["-O3", "-march=native", "-fopenmp", "-std=c11", *row.contestant.flags]
        built = run([machine.compiler(), *flags, source, "-o", program, "-lm"])
        if row.failed(built):
            return
        ran = run([program, *row.contestant.function(case)], env=self.env, memory=job.memory)
        if row.failed(ran):
            return
        told = json.loads(ran.out)
        row.add(job, told["seconds"], ran.wall, ran.peak, told["answer"])

    def run_command(self, name, job, case, row):
        ran = run(row.contestant.function(case), env=self.env, memory=job.memory)
        if not row.failed(ran):
            row.add(job, ran.wall, ran.wall, ran.peak, None)


    def run_text(self, name, job, case, row):
        ran = run(row.contestant.function(case), cwd=TOP)
        if not row.failed(ran):
            row.text = ran.out


class Row:
    """What a contestant did in a case."""

    def __init__(self, contestant):
        self.contestant, self.note, self.answer = contestant, "", None
        self.differs = self.text = ""
        self.times, self.walls, self.peaks = [], [], []

    def again(self, turn):
        return not self.note and turn < self.contestant.most_runs and sum(self.walls) < ENOUGH

    def failed(self, ran):
        if ran.code:
            why = "took too long" if ran.code == "too long" else last(ran.err)
            self.note = f"failed: {why}"
        return bool(ran.code)

    def add(self, job, seconds, wall, peak, answer):
        scale = self.contestant.scaled
        self.times.append((wall if job.counts == "wall" else seconds) * scale)
        self.walls.append(wall * scale)
        self.peaks.append(peak)
        if scale == 1 and self.answer is None:
            self.answer = answer

    def result(self):
        c = self.contestant
        return {
            "label": c.label, "kind": c.kind, "variant": c.variant, "scaled": c.scaled,
            "times": self.times, "walls": self.walls, "peaks": self.peaks, "answer": self.answer,
            "note": self.note, "differs": self.differs, "text": self.text,
        }


def agree(job, rows):
    """Notes where an answer is further from Tidemill's than the job allows."""
    reference = next((r.answer for r in rows if r.contestant.kind == "tidemill" and r.answer), None)
    for row in rows:
        found = []
        for name, tolerance in job.tolerance.items():
            if not reference or not row.answer:
                continue
            ours, theirs = float(reference[name]), float(row.answer[name])
            if not math.isclose(ours, theirs, rel_tol=tolerance, abs_tol=tolerance * 1e-3):
                found.append(f"{name} {theirs!r} and not {ours!r}")
        row.differs = "; ".join(found)
        if found:
            say(f"  {row.contestant.label} DIFFERS: {row.differs}")


def last(text):
    """The last line of what a process complained about."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:160] if lines else "without a word"


def empty(folder):
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
