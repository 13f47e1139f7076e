"""Runs a process: its time from exec to exit, its peak of memory, what it printed."""
import os
import resource
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

# A run that takes longer is ended, and said to have taken longer.
PATIENCE = 600


@dataclass
class Ran:
    """What a process did."""

    code: int
    wall: float
    # Seconds of the processor, all processes of it together.
    cpu: float
    # Bytes, all processes of it together; None if it was too quick to be seen.
    peak: int
    out: str
    err: str


def family(pid):
    """A process and all that it started."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from family(int(child))


def high_water(pid):
    """The peak of one process so far, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


class Peaks(threading.Thread):
    """Looks at the peaks of a process and its children now and then: they only grow."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peaks, self.over = pid, {}, threading.Event()
        self.start()

    def run(self):
        wait = 0.004
        while not self.over.wait(wait):
            # Seldom in a long run: a look costs a fraction of a millisecond.
            wait = min(wait * 1.5, 0.05)
            try:
                for pid in family(self.pid):
                    self.peaks[pid] = max(self.peaks.get(pid, 0), high_water(pid))
            except OSError:
                continue

    def end(self):
        self.over.set()
        self.join()
        return sum(self.peaks.values()) or None


def processor():
    """Seconds of the processor of all that has ended so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(words, env=None, memory=False, cwd=None, patience=PATIENCE):
    """Runs a command to its end."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start, before = time.perf_counter(), processor()
        process = subprocess.Popen(
            [str(w) for w in words], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            env={**os.environ, **(env or {})}, cwd=cwd,
        )
        peaks = Peaks(process.pid) if memory else None
        # A wait with a time-out looks only now and then, up to 50 ms late.
        late = threading.Timer(patience, process.kill)
        late.start()
        code = process.wait()
        wall, cpu = time.perf_counter() - start, processor() - before
        late.cancel()
        if wall >= patience:
            code = "too long"
        peak = peaks.end() if peaks else None
        out.seek(0)
        err.seek(0)
        return Ran(code, wall, cpu, peak, out.read(), err.read())
