"""Runs over several hosts, made of network namespaces, and what happens when something breaks.

    python3 tests/hosts/run.py TIDEMILL PIPELINES [TRIALS]

Needs root and iproute2; says so and ends well where they lack. TRIALS is the number of random
failures after the planned ones.
"""

import json
import os
import random
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
SECRET = "0123456789abcdef"

ENDLESS = """title: Endless
steps:
  - range: { k: 1..=1e13 }
  - filter: sin(k) > 2
  - write: out.parquet
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


class Check:
    def __init__(self, net, tidemill, pipelines, folder):
        self.net, self.tidemill, self.pipelines, self.folder = net, tidemill, pipelines, folder
        self.job = 0
        for name, text in (("endless", ENDLESS), ("short", SHORT), ("field", FIELD)):
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
            command = [self.tidemill, "run", *arguments, *(more or {}).get(i, [])]
            processes.append(self.net.start(i, command, variables, self.folder))
        return processes

    def by_hand(self, secrets, meanwhile=lambda: None, timeout="10"):
        """`--hosts` and `--process`, with a secret for each; `meanwhile` runs when the first waits."""
        addresses = ",".join(f"{self.net.address(i)}:7001" for i in range(HOSTS))
        processes = []
        for i, secret in enumerate(secrets):
            command = [self.tidemill, "run", "short.yaml", "--format", "json", "-w", "1"]
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
        command = [self.tidemill, "run", *arguments, "-q", "-w", "1"]
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
        arguments = [str(self.pipelines / "mantle_netcdf.yaml"), *grid, "--overwrite", "--no-state"]
        fields = []
        for run in (lambda: self.alone(*arguments), lambda: self.well(self.srun(arguments))):
            run()
            fields.append(results(json.loads(self.alone("field.yaml", "--format", "json"))))
        assert fields[0] == fields[1], fields

    def broken(self, how, code, words, ranks=range(HOSTS), staged=False):
        """A run of hours, in which something breaks."""
        processes = self.srun(["endless.yaml", "--progress", "none", "--no-state"])
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
        self.broken(lambda: os.kill(self.working(host)[1], signal.SIGTERM), 143, "terminated")

    def before_wall_time(self, host):
        self.broken(lambda: os.kill(self.working(host)[1], signal.SIGUSR1), 143, "SIGUSR1")

    def interrupted(self, host):
        self.broken(lambda: os.kill(self.working(host)[1], signal.SIGINT), 130, "interrupted")

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
    trials = int(sys.argv[3]) if len(sys.argv) > 3 else 4
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
        ]
        planned = [
            (check.same_bits,),
            (check.strangers,),
            (check.wrong_secret,),
            (check.taken_port,),
            (check.missing_host,),
            (check.other_parameters,),
            (check.other_threads,),
        ]
        planned += [(b, random.randrange(HOSTS)) for b in breaks]
        planned += [(random.choice(breaks), random.randrange(HOSTS)) for _ in range(trials)]
        for what, *host in planned:
            start = time.monotonic()
            print(f"hosts: {what.__name__}{tuple(host) or ''}", end=" ", flush=True)
            what(*host)
            print(f"{time.monotonic() - start:.1f} s", flush=True)
    print(f"{len(planned)} passed, 0 failed")


if __name__ == "__main__":
    main()
