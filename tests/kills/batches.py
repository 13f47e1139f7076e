"""Kills batches of calls, downloads and small pipelines with SIGKILL, at any moment, and lets others
go on with their work.

    python3 tests/kills/batches.py TIDEMILL [KILLS]

A row whose program has ended well is never done again, no file is half there under its name, and a
second after a kill nothing that was started is left. KILLS kills (50) for each kind of work, by turns
with one process and with two. SEED repeats the choices.
"""
import collections
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROWS = 60
BYTES = 200_000
MARK = "tidemill-kills-" + str(os.getpid())

CALL = """steps:
  - range: { k: 0..ROWS }
  - call: [sh, job.sh, "${k}", "out/${k}.txt", MARK]
    outputs: ["out/${k}.txt"]
    concurrency: 6
  - reduce: { rows: count(), good: sum(int64(exit == 0)) }
  - write: done.csv
"""
# The last thing that it does is to say so: what has ended well is in the log.
JOB = """sleep 0.0$(( $1 % 5 + 2 ))
for part in 1 2 3 4; do echo $1; sleep 0.01; done > $2
echo $1 >> log
"""
FETCH = """steps:
  - range: { k: 0..ROWS }
  - fetch: http://127.0.0.1:PORT/${k}
    to: out/${k}.txt
    concurrency: 6
  - reduce: { rows: count(), good: sum(int64(status == 200)) }
  - write: done.csv
"""
EACH = """steps:
  - range: { k: 0..ROWS }
  - each:
      - range: { i: 0..200000 }
      - map: { v: i * k, s: sin(i + k) }
      - filter: i < 20000
      - write: out/${k}.csv
      - reduce: { n: count() }
  - reduce: { rows: count(), good: sum(int64(n == 20000)) }
  - write: done.csv
"""


class Server(BaseHTTPRequestHandler):
    """Slow files; notes which were asked for."""
    protocol_version = "HTTP/1.1"
    asked = collections.Counter()

    def do_GET(self):
        k = self.path.strip("/")
        Server.asked[k] += 1
        body = (k + "\n").encode() * (BYTES // (len(k) + 1))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            for at in range(0, len(body), len(body) // 4 + 1):
                self.wfile.write(body[at:at + len(body) // 4 + 1])
                time.sleep(0.02)
        except OSError:
            pass

    def log_message(self, *_):
        pass


def family(pid):
    """A process and all that it has started."""
    found, next_ = [], [pid]
    while next_:
        pid = next_.pop()
        found.append(pid)
        try:
            next_ += [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            pass
    return found


def orphans(folder):
    """Processes of the work that are left."""
    left = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes()
            where = os.readlink(entry / "cwd")
        except OSError:
            continue
        if where == str(folder) and (MARK.encode() in line or b"job.sh" in line):
            left.append(entry.name)
    return left


def ours(pids, tidemill):
    def is_ours(pid):
        try:
            return os.readlink(f"/proc/{pid}/exe") == tidemill
        except OSError:
            return False
    return [pid for pid in pids if is_ours(pid)]


def finished(folder):
    """The files that have their names, and what they are known by."""
    out = folder / "out"
    paths = [path for path in out.iterdir() if path.name[0].isdigit() and ".partial-" not in path.name] if out.is_dir() else []
    return {path.name.split(".")[0]: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def begun(kind, folder):
    """How often each row was done, or begun."""
    log = folder / "log"
    if kind == "call":
        return collections.Counter(log.read_text().split() if log.exists() else [])
    return collections.Counter(Server.asked)


def batch(kind, text, tidemill, kills, choose):
    done = redone = again = 0
    while done < kills:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(os.path.realpath(name))
            (folder / "p.yaml").write_text(text.replace("MARK", MARK))
            (folder / "job.sh").write_text(JOB)
            Server.asked.clear()
            runs = 0
            while True:
                processes = 1 + (runs + done) % 2
                there, before = finished(folder), begun(kind, folder)
                command = [tidemill, "run", "p.yaml", "-n", str(processes), "-w", "1", "-q"]
                run = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                runs += 1
                if done < kills and runs < 8:
                    time.sleep(choose.uniform(0.05, 0.7))
                    victims = ours(family(run.pid), tidemill)
                    if run.poll() is None and victims:
                        victim = choose.choice(victims)
                        words = Path(f"/proc/{victim}/cmdline").read_bytes().split(b"\0")[1:3]
                        os.kill(victim, signal.SIGKILL)
                        done += 1
                        out, err = run.communicate(timeout=60)
                        time.sleep(1)
                        left = orphans(folder)
                        assert not left, f"{kind}: left after a kill: {left}"
                        half(kind, folder)
                        redone += twice(kind, folder, there, before)
                        partial = [path.name for path in (folder / "out").glob(".*")]
                        assert kind == "fetch" or not partial, f"{kind}: {words}, {processes} processes: {partial}"
                        continue
                out, err = run.communicate(timeout=120)
                assert run.returncode == 0, f"{kind}: {err}"
                redone += twice(kind, folder, there, before)
                break
            assert (folder / "done.csv").read_text().split() == ["rows,good", f"{ROWS},{ROWS}"]
            half(kind, folder)
            files = list((folder / "out").iterdir())
            assert len(files) == ROWS, f"{kind}: {sorted(f.name for f in files)}"
            again += runs
    print(f"{kind}: {done} kills, {again} runs, {redone} rows of {ROWS} done twice")
    return redone


def twice(kind, folder, there, before):
    """How many rows were done again in a run, though their files had been there."""
    now, after = finished(folder), begun(kind, folder)
    changed = {k for k, known in there.items() if now.get(k) != known}
    return len(changed | {k for k in there if after[k] > before[k]})


def half(kind, folder):
    """No file is half there under its name."""
    for path in (folder / "out").glob("[0-9]*"):
        if ".partial-" in path.name:
            continue
        text = path.read_text()
        k = path.name.split(".")[0]
        if kind == "call":
            assert text == (k + "\n") * 4, f"{path}: {text!r}"
        elif kind == "fetch":
            assert text == (k + "\n") * (BYTES // (len(k) + 1)), f"{path}: {len(text)} bytes"
        else:
            assert text.count("\n") == 20001, f"{path}: {text.count(chr(10))} lines"


def main():
    tidemill, kills = os.path.realpath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 50
    seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    print(f"SEED={seed}", flush=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kinds = {"call": CALL, "fetch": FETCH.replace("PORT", str(server.server_port)), "each": EACH}
    for kind, text in kinds.items():
        batch(kind, text.replace("ROWS", str(ROWS)), tidemill, kills, random.Random(seed))


main()
