"""Runs over several hosts, made of network namespaces, and what happens when something breaks.

    python3 tests/hosts/run.py TIDEMILL PIPELINES [TRIALS]

Needs root and iproute2; says so and ends well where they lack. TRIALS is the number of random
failures, at random moments, after the planned ones; without it they go on until fifty seconds are over.
"""

import json
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

from netns import Net, ip, wait

HOSTS = 4
# The longest time from a failure to the end of all processes, in seconds.
SOON = 12
# Random failures go on for so long after the first planned one, unless a number is said.
SPAN = 50
SECRET = "0123456789abcdef"

ENDLESS = """title: Endless
steps:
  - range: { k: 1..=1e13 }
  - filter: sin(k) > 2
  - write: out.parquet
"""

# A second or so: a random failure comes before it, in it, or behind it.
BRIEF = """title: Brief
steps:
  - range: { k: 1..=4e7 }
  - filter: k % 100 == 0 and sin(k) * cos(k) + exp(-k) < 2
  - write: out.parquet
"""
BRIEF_ROWS = 400000

COUNT = """title: Rows of it
steps:
  - read: out.parquet
  - reduce: { n: count() }
"""

# Writes more than there is room for.
FULL = """title: A full disk
steps:
  - range: { k: 1..=1e7 }
  - map: { x: sin(k) }
  - write: small/out.parquet
"""

# Reads what is damaged in the middle.
DAMAGED = """title: A damaged file
steps:
  - read: damaged.nc
  - reduce: { s: sum(x) }
"""

MAKE = """title: A file to damage
steps:
  - range: { k: 1..=2e6 }
  - map: { x: sin(k) }
  - write: damaged.nc
    deflate: 1
"""

SHORT = """title: Short
steps:
  - range: { k: 1..=1e6 }
  - reduce: { n: count(), s: sum(1 / k) }
"""

FIELD = """title: What is in the file
steps:
  - read: velocity.nc
  - reduce: { n: count(), x: sum(vx * lat), y: sum(vy * r), z: sum(vz * lon), most: max(vx) }
"""

TEXTS = {
    "endless": ENDLESS,
    "brief": BRIEF,
    "count": COUNT,
    "full": FULL,
    "damaged": DAMAGED,
    "make": MAKE,
    "short": SHORT,
    "field": FIELD,
}


class Check:
    def __init__(self, net, tidemill, pipelines, folder):
        self.net, self.tidemill, self.pipelines, self.folder = net, tidemill, pipelines, folder
        self.job = 0
        for name, text in TEXTS.items():
            (folder / f"{name}.yaml").write_text(text)

    def srun(self, arguments, hosts=range(HOSTS), more=None):
        """What `srun tidemill run ARGUMENTS` does: a task a host, with Slurm's variables.
        `more` are arguments of single tasks."""
        self.job += 1
        processes = []
        for i in hosts:
            variables = {
                "SLURM_JOB_ID": str(self.job),
                "SLURM_STEP_ID": "0",
                "SLURM_PROCID": str(i),
                "SLURM_STEP_NUM_TASKS": str(HOSTS),
                "SLURM_STEP_TASKS_PER_NODE": f"1(x{HOSTS})",
                "SLURM_CPUS_PER_TASK": "1",
                "SLURMD_NODENAME": self.net.address(i),
            }
            command = [self.tidemill, "run", "--no-state", *arguments, *(more or {}).get(i, [])]
            processes.append(self.net.start(i, command, variables, self.folder))
        return processes

    def by_hand(self, secrets, meanwhile=lambda: None, timeout="10"):
        """`--hosts` and `--process`, with a secret for each; `meanwhile` runs when the first waits."""
        addresses = ",".join(f"{self.net.address(i)}:7001" for i in range(HOSTS))
        processes = []
        for i, secret in enumerate(secrets):
            command = [self.tidemill, "run", "--no-state", "short.yaml", "--format", "json", "-w", "1"]
            command += ["--hosts", addresses, "--process", str(i), "--connect-timeout", timeout]
            processes.append(self.net.start(i, command, {"TIDEMILL_SECRET": secret}, self.folder))
            if i == 0:
                time.sleep(0.3)
                meanwhile()
        return processes

    def well(self, processes):
        """All have ended well; what the first one says."""
        results = wait(processes, 60)
        assert all(r and r[0] == 0 for r in results), results
        return results[0][1]

    def badly(self, processes, code, words, ranks=range(HOSTS), staged=False):
        """All have ended soon; those in `ranks` with this code and these words. Nothing is left,
        unless what is `staged` may be."""
        for rank, result in enumerate(wait(processes, SOON)):
            assert result is not None, f"process {rank} still runs after {SOON} s"
            if rank in ranks:
                assert result[0] == code, f"process {rank} ended with {result[0]}, not {code}: {result[2]}"
                assert words in result[2], f"process {rank} does not say `{words}`: {result[2]}"
        end = time.monotonic() + 3
        while any(self.net.pids(i) for i in range(HOSTS)):
            assert time.monotonic() < end, "a process is left"
            time.sleep(0.05)
        if staged:
            for path in self.folder.glob("out.parquet.partial-*"):
                shutil.rmtree(path)
        left = [p.name for p in self.folder.iterdir() if p.name.startswith(("out", ".tidemill"))]
        assert not left, f"left behind: {left}"

    def alone(self, *arguments):
        """What one process says."""
        command = [self.tidemill, "run", "--no-state", *arguments, "-q", "-w", "1"]
        return subprocess.run(command, check=True, cwd=self.folder, capture_output=True, text=True).stdout

    def same_bits(self):
        """The main jobs give on four hosts what they give in one process."""
        for name, *options in [
            ("slow_series.yaml", "--set", "n=1e6"),
            ("slow_series.yaml", "--set", "n=1e6", "--set", "digits=42"),
            ("trig_series.yaml", "--set", "n=1e6"),
            ("pi.yaml",),
        ]:
            arguments = [str(self.pipelines / name), *options, "--format", "json", "--tile", "10000"]
            one, many = (json.loads(t) for t in (self.alone(*arguments), self.well(self.srun(arguments))))
            assert results(one) == results(many), f"{name}: {one} and {many}"
        grid = ["--set", "nlat=40", "--set", "nr=30", "--set", "nlon=50", "--tile", "2000"]
        arguments = [str(self.pipelines / "mantle_netcdf.yaml"), *grid, "--overwrite"]
        fields = []
        for run in (lambda: self.alone(*arguments), lambda: self.well(self.srun(arguments))):
            run()
            fields.append(results(json.loads(self.alone("field.yaml", "--format", "json"))))
        assert fields[0] == fields[1], fields

    def broken(self, how, code, words, ranks=range(HOSTS), staged=False):
        """A run of hours, in which something breaks."""
        processes = self.srun(["endless.yaml", "--progress", "none"])
        time.sleep(random.uniform(0.7, 1.5))
        assert all(p.poll() is None for p in processes), wait(processes, 1)
        how()
        self.badly(processes, code, words, ranks, staged)

    def working(self, host):
        """The process on a host that does the work, and its launcher."""
        line = lambda pid: Path(f"/proc/{pid}/cmdline").read_bytes()
        pids = self.net.pids(host)
        return [next(p for p in pids if (b"process-of-a-run" in line(p)) == works) for works in (True, False)]

    def others(self, host):
        return [i for i in range(HOSTS) if i != host]

    def name(self, host):
        return f"process {host} on {self.net.address(host)}"

    def cut_link(self, host):
        """A cable is pulled: who is left names the host; who is cut off ends too."""
        try:
            words = f"{self.name(host)} has not answered" if host else "lost process 0"
            self.broken(lambda: self.net.cable(host, "down"), 4, words, self.others(host))
        finally:
            self.net.cable(host, "up")

    def lost_host(self, host):
        """Everything on a host is gone at once."""

        def vanish():
            self.net.cable(host, "down")
            for pid in self.net.pids(host):
                os.kill(pid, signal.SIGKILL)

        try:
            words = self.name(host) if host else "lost process 0"
            # With process 0 goes the launcher that removes what is staged.
            self.broken(vanish, 4, words, self.others(host), staged=host == 0)
        finally:
            self.net.cable(host, "up")

    def killed_process(self, host):
        kill = lambda: os.kill(self.working(host)[0], signal.SIGKILL)
        self.broken(kill, 4, f"{self.name(host)} was killed by signal 9")

    def stopped_process(self, host):
        stop = lambda: os.kill(self.working(host)[0], signal.SIGSTOP)
        self.broken(stop, 4, f"{self.name(host)} has not answered")

    def terminated(self, host):
        self.broken(lambda: os.kill(self.working(host)[1], signal.SIGTERM), 143, "terminated after")

    def before_wall_time(self, host):
        self.broken(lambda: os.kill(self.working(host)[1], signal.SIGUSR1), 143, "SIGUSR1")

    def interrupted(self, host):
        self.broken(lambda: os.kill(self.working(host)[1], signal.SIGINT), 130, "interrupted")

    def complaint(self, host):
        """What a process writes on standard error the first launcher shows, with rank and host."""
        processes = self.srun(["endless.yaml", "--progress", "none"])
        time.sleep(1)
        pid, launcher = self.working(host)
        Path(f"/proc/{pid}/fd/2").write_text("HDF5-DIAG: oh\n")
        time.sleep(0.2)
        os.kill(launcher, signal.SIGINT)
        words = f"[{host} on {self.net.address(host)}] HDF5-DIAG: oh"
        assert words in (said := wait(processes[:1], SOON)[0])[2], said
        self.badly(processes[1:], 130, "interrupted after", range(HOSTS - 1))

    def full_disk(self):
        """All say where there is no more room: in which process, step and tile."""
        small = self.folder / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tidemill", str(small)], check=True)
        try:
            ended = wait(self.srun(["full.yaml"]), 60)
            self.same_cause(ended, 1, r"the disk is full")
            left = [p.name for p in small.iterdir()]
            assert not left, f"left behind: {left}"
        finally:
            subprocess.run(["umount", str(small)], check=True)
            small.rmdir()

    def damaged_file(self):
        """All say which process found what cannot be read, and where."""
        self.alone("make.yaml", "--overwrite")
        damaged = self.folder / "damaged.nc"
        raw = bytearray(damaged.read_bytes())
        middle = slice(len(raw) // 2, len(raw) // 2 + 2000)
        raw[middle] = bytes(255 - b for b in raw[middle])
        damaged.write_bytes(raw)
        ended = wait(self.srun(["damaged.yaml", "--tile", "20000"]), 60)
        self.same_cause(ended, 3, r"damaged\.nc")

    def same_cause(self, ended, code, words):
        """All have ended with this code and the same sentence, and the place of the first cause."""
        assert all(e and e[0] == code for e in ended), ended
        causes = {e[2][e[2].rindex("error:") :] for e in ended}
        assert len(causes) == 1, causes
        cause = causes.pop()
        assert re.search(words, cause), cause
        assert re.search(r"in step \"\w+\" \(\w+\.yaml:\d+:\d+\), tile \d+\n  in process \d on 10\.77", cause), cause

    def trial(self, _):
        """Something breaks somewhere at some moment."""
        kinds = ["kill worker", "kill launcher", "stop worker", "stop launcher", "cut", "lose"]
        kind, host = random.choice(kinds + [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1]), random.randrange(HOSTS)
        name, delay = random.choice(["endless", "brief", "brief"]), random.uniform(0, 2.5)
        what = kind if isinstance(kind, str) else kind.name
        print(f"[{name}, {what} {host} after {delay:.2f} s]", end=" ", flush=True)
        out = self.folder / "out.parquet"
        processes = self.srun([f"{name}.yaml", "--progress", "none", "--connect-timeout", "3"])
        time.sleep(delay)
        try:
            kind = self.strike(kind, host)
            # Who is stopped ends when it is woken after all others have.
            held = [host] if kind == "stop launcher" else []
            ended = dict(zip(self.others(host), wait([processes[i] for i in self.others(host)], SOON)))
            late = [i for i, end in ended.items() if end is None]
            assert not late, f"processes {late} still run after {SOON} s"
            if held:
                for pid in self.net.pids(host):
                    os.kill(pid, signal.SIGCONT)
            ended[host] = wait([processes[host]], SOON)[0]
            assert ended[host] is not None, f"process {host} still runs after {SOON} s"
        finally:
            self.net.cable(host, "up")
        end = time.monotonic() + 3
        while any(self.net.pids(i) for i in range(HOSTS)):
            assert time.monotonic() < end, "a process is left"
            time.sleep(0.05)
        self.judge(kind, host, ended)
        if out.exists():
            whole = json.loads(self.alone("count.yaml", "--format", "json"))
            assert f"{BRIEF_ROWS}" in json.dumps(results(whole)), f"half a file: {whole}"
            shutil.rmtree(out) if out.is_dir() else out.unlink()
        left = [p for p in self.folder.iterdir() if p.name.startswith(("out", ".tidemill"))]
        # With process 0 goes the launcher that removes what is staged.
        gone = host == 0 and kind in ("kill launcher", "lose")
        assert gone or not left, f"left behind: {left}"
        for path in left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def strike(self, kind, host):
        """Breaks something; what it is in the end: there may be no worker yet."""
        launchers, workers = [], []
        for pid in self.net.pids(host):
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            (workers if b"process-of-a-run" in line else launchers).append(pid)
        if isinstance(kind, str) and kind.endswith("worker") and not workers:
            kind = kind.replace("worker", "launcher")
        if kind in ("cut", "lose"):
            self.net.cable(host, "down")
        if kind == "lose":
            send, pids = signal.SIGKILL, launchers + workers
        elif isinstance(kind, signal.Signals):
            send, pids = kind, launchers
        elif kind != "cut":
            send = signal.SIGKILL if kind.startswith("kill") else signal.SIGSTOP
            pids = workers if kind.endswith("worker") else launchers
        else:
            pids = []
        for pid in pids:
            try:
                os.kill(pid, send)
            except ProcessLookupError:
                pass
        return kind

    def judge(self, kind, host, ended):
        """Codes and sentences: those of the first cause, or of a run that had ended before it."""
        if all(e[0] == 0 for e in ended.values()):
            return
        asked = kind if isinstance(kind, signal.Signals) else None
        code = 130 if asked == signal.SIGINT else 143
        for rank, (ends, _, err) in ended.items():
            if rank == host and kind in ("kill launcher", "lose") and ends == -signal.SIGKILL:
                continue
            # Before it has set up what catches it, a signal ends a process at once.
            if rank == host and asked and ends == -asked:
                continue
            # The first one had finished when another was lost.
            if ends == 0:
                continue
            causes = [(4, rf"process {host}\b")]
            if rank == host and kind in ("cut", "stop launcher"):
                away = "lost process|has not answered|not all processes joined|has not written"
                causes.append((4, away))
            if asked:
                causes.append((code, r"interrupted|terminated"))
            fits = any(ends == c and re.search(words, err) for c, words in causes)
            assert fits, f"process {rank} ended with {ends}: {err}"

    def missing_host(self):
        processes = self.srun(["endless.yaml", "--connect-timeout", "2"], range(HOSTS - 1))
        self.badly(processes, 4, f"process {HOSTS - 1} did not connect")

    def other_parameters(self):
        processes = self.srun(["endless.yaml", "--connect-timeout", "3"], more={2: ["--tile", "10"]})
        self.badly(processes, 4, "another pipeline file, or other parameters")

    def other_threads(self):
        more = {i: ["-w", "2" if i == 1 else "1"] for i in range(HOSTS)}
        self.badly(self.srun(["endless.yaml", "--connect-timeout", "3"], more=more), 4, "threads")

    def wrong_secret(self):
        processes = self.by_hand([SECRET, SECRET, "fedcba9876543210", SECRET], timeout="3")
        self.badly(processes, 4, "secret", [0, 2])

    def taken_port(self):
        listen = "import socket,time; s=socket.create_server(('0.0.0.0',7001)); time.sleep(20)"
        guest = self.net.start(2, [sys.executable, "-c", listen], {}, self.folder)
        time.sleep(0.5)
        processes = self.by_hand([SECRET] * HOSTS)
        try:
            for result in wait(processes, SOON):
                assert result and result[0] == 4 and "is another run using it?" in result[2], result
        finally:
            guest.kill()
            guest.communicate()

    def strangers(self):
        """Whoever else calls is refused, and delays nobody."""
        talk = (
            "import socket,time\n"
            f"silent, loud = (socket.create_connection(('{self.net.address(0)}',7001)) for _ in '12')\n"
            "try: loud.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n'*200)\n"
            "except OSError: pass\n"
            "time.sleep(20)\n"
        )
        guests = []
        call = lambda: guests.append(self.net.start(1, [sys.executable, "-c", talk], {}, self.folder))
        try:
            many = json.loads(self.well(self.by_hand([SECRET] * HOSTS, call)))
        finally:
            for guest in guests:
                guest.kill()
                guest.communicate()
        one = json.loads(self.alone("short.yaml", "--format", "json"))
        assert results(one) == results(many), (one, many)


def results(report):
    """A report without times."""
    return {key: value for key, value in report.items() if key not in ("summary", "run")}


def main():
    tidemill, pipelines = (str(Path(p).resolve()) for p in sys.argv[1:3])
    trials = int(sys.argv[3]) if len(sys.argv) > 3 else None
    if os.geteuid() != 0 or not shutil.which("ip") or ip("netns", "list", check=False).returncode != 0:
        print("hosts: not checked: it takes root and iproute2")
        return
    seed = int(os.environ.get("SEED", time.time()))
    random.seed(seed)
    print(f"hosts: SEED={seed}")
    with tempfile.TemporaryDirectory() as folder, Net(HOSTS) as net:
        check = Check(net, tidemill, Path(pipelines), Path(folder))
        breaks = [
            check.cut_link,
            check.lost_host,
            check.killed_process,
            check.stopped_process,
            check.terminated,
            check.before_wall_time,
            check.interrupted,
            check.complaint,
        ]
        planned = [
            (check.same_bits,),
            (check.strangers,),
            (check.wrong_secret,),
            (check.taken_port,),
            (check.missing_host,),
            (check.other_parameters,),
            (check.other_threads,),
            (check.full_disk,),
            (check.damaged_file,),
        ]
        planned += [(b, random.randrange(HOSTS)) for b in breaks]
        begin, passed = time.monotonic(), 0

        def does(what, *arguments):
            start = time.monotonic()
            print(f"hosts: {what.__name__}{tuple(arguments) or ''}", end=" ", flush=True)
            what(*arguments)
            print(f"{time.monotonic() - start:.1f} s", flush=True)

        for what, *host in planned:
            does(what, *host)
            passed += 1
        trial = 0
        while trial < trials if trials is not None else time.monotonic() - begin < SPAN:
            trial += 1
            does(check.trial, trial)
    print(f"{passed + trial} passed, 0 failed")


if __name__ == "__main__":
    main()
