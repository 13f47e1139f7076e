"""What holds of every process: how it may end, and what it must leave alone."""
import hashlib
import os
import re
import stat
import subprocess
import threading
import time
from collections import Counter

EXIT_CODES = {0, 1, 2, 3, 4, 5, 130, 143}
SECONDS, BYTES = 10, 1_500_000_000


class Ended:
    def __init__(self, code, out, err, seconds, memory):
        self.code, self.out, self.err, self.seconds, self.memory = code, out, err, seconds, memory


class Rules:
    def __init__(self, tidemill):
        self.tidemill, self.ends, self.seen = tidemill, Counter(), {}
        self.lock = threading.Lock()

    def run(self, folder, *arguments, disturb=None, seconds=SECONDS, bounded=True, user=None):
        """Runs tidemill in `folder/run`, and checks its end. `disturb` gets the process. What is not
        `bounded` may be a large job: it is ended after some seconds, and that is no fault."""
        where = folder / "run"
        where.mkdir(exist_ok=True)
        out, err = folder / "stdout", folder / "stderr"
        begun = time.monotonic()
        with out.open("wb") as o, err.open("wb") as e:
            child = subprocess.Popen(
                [self.tidemill, *map(str, arguments)], cwd=where, stdin=subprocess.DEVNULL, stdout=o, stderr=e,
                user=user, group=user, extra_groups=None if user is None else []
            )
            timer = threading.Timer(seconds, child.kill)
            timer.start()
            if disturb:
                disturb(child)
            _, status, usage = os.wait4(child.pid, 0)
            timer.cancel()
            child.returncode = code = os.waitstatus_to_exitcode(status)
        took = time.monotonic() - begun
        end = Ended(code, out.read_bytes(), err.read_bytes().decode(errors="replace"), took, usage.ru_maxrss * 1024)
        with self.lock:
            self.ends[code] += 1
        said = " ".join(map(str, arguments))
        assert took < seconds or not bounded, f"`{said}` did not end within {seconds} s"
        killed = code == -9 and (disturb is not None or not bounded)
        assert killed or code in EXIT_CODES, f"`{said}` ended with {code}: {end.err[-600:]}"
        assert not re.search(r"panicked|RUST_BACKTRACE|memory allocation of", end.err), f"`{said}`: {end.err[:600]}"
        assert code == 0 or killed or end.err.strip() or end.out.strip(), f"`{said}` ended with {code} without a word"
        assert end.memory < BYTES or not bounded, f"`{said}` took {end.memory / 1e9:.1f} GB"
        return end

    def watch(self, folder):
        """Makes a tree of things that no run may touch, beside and inside the folder of the run."""
        for place in (folder / "others", folder / "run" / "others"):
            (place / "deep" / "empty").mkdir(parents=True)
            (place / "notes.txt").write_text("not Tidemill's")
            (place / "deep" / "part-00000.parquet").write_bytes(b"PAR1 not really PAR1")
            (place / "deep" / "x.csv.partial-1234").write_text("a,b\n1,2\n")
            (place / "link").symlink_to("deep")
            os.mkfifo(place / "fifo")
        self.seen[folder] = self.look(folder)

    def look(self, folder):
        things = {}
        for place in (folder / "others", folder / "run" / "others"):
            for path in sorted(place.rglob("*")):
                at = path.lstat()
                text = hashlib.sha256(path.read_bytes()).digest() if stat.S_ISREG(at.st_mode) else None
                changed = None if stat.S_ISDIR(at.st_mode) else at.st_mtime_ns
                things[str(path)] = (at.st_mode, at.st_ino, at.st_uid, changed, text)
        return things

    def unchanged(self, folder):
        before, now = self.seen.pop(folder), self.look(folder)
        gone = [path for path in before if before[path] != now.get(path)]
        new = [path for path in now if path not in before]
        assert not gone and not new, f"touched what is not Tidemill's: {gone + new}"
