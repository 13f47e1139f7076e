"""Measures, on this machine, what a tile, a byte exchanged and a barrier cost, and what the main jobs do."""
import json
import socket
import tempfile
import time
from multiprocessing import Process
from pathlib import Path
from statistics import median

from harness.measure import run

from .jobs import JOBS

# Tiny tiles, to see what one costs beside its work.
SMALL = """
title: Many small tiles
steps:
  - range: { k: 1..=100000000 }
  - reduce: { s: sum(k) }
"""
# Tiles that all go to one worker.
GATHER = """
title: All tiles to one worker
steps:
  - range: { k: 1..=10000000 }
  - map: { x: k * 0.5 }
  - write: gathered.arrow
"""
# A reduction behind a reduction, many times: each has two exchanges that end one after the other.
CHAIN = "title: A chain\nsteps:\n  - range: { k: 1..=1000 }\n"
LINK = "  - reduce: { k: max(k) }\n"


class Bench:
    """A folder for pipelines and outputs, and the binary."""

    def __init__(self, binary, folder, runs):
        self.binary, self.runs = binary, runs
        self.folder = Path(tempfile.mkdtemp(prefix="limits-", dir=folder))

    def tidemill(self, words, cpu=False):
        """Medians of what a run reports."""
        told = []
        for _ in range(self.runs):
            command = [self.binary, "run", "-q", "--overwrite", "--no-state", "--format", "json", *words]
            ran = run(command, cwd=self.folder)
            if ran.code:
                raise SystemExit(f"{' '.join(map(str, command))}\n{ran.err}")
            told.append((json.loads(ran.out)["run"], ran))
        return {
            "seconds": median(run["seconds"] for run, _ in told),
            "wall": median(ran.wall for _, ran in told),
            "cpu": median(ran.cpu for _, ran in told),
        }

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def profile(self, words):
        """The profile of the run of median length."""
        profiles = []
        for turn in range(self.runs):
            path = self.folder / f"profile-{turn}.json"
            self.tidemill_once([*words, "--profile", path])
            profiles.append(json.loads(path.read_text())["tidemill"])
        return sorted(profiles, key=lambda p: p["seconds"])[len(profiles) // 2]

    def tidemill_once(self, words):
        ran = run([self.binary, "run", "-q", "--overwrite", "--no-state", *words], cwd=self.folder)
        if ran.code:
            raise SystemExit(f"{' '.join(map(str, words))}\n{ran.err}")

    def input(self, name, text, values):
        """Makes the input of a job."""
        sets = [f"--set={key}={value}" for key, value in values.items()]
        self.tidemill_once([self.file("input.yaml", text), *sets])
        return self.folder / name


def measure(bench):
    """Seconds: of a process, a handshake, a tile, a message that all hear of, a barrier."""
    small = bench.file("small.yaml", SMALL)
    gather = bench.file("gather.yaml", GATHER)
    one = bench.file("one.yaml", CHAIN + LINK)
    links = 40
    chain = bench.file("chain.yaml", CHAIN + LINK * (1 + links))

    def spread(path, processes, *words):
        return bench.tidemill([path, "-w", 1, "-n", processes, *words])

    # Threads and sockets are work, and all processes share these cores: the time of the processor
    # tells what each would need on a host of its own.
    alone, many = spread(one, 1), spread(one, 16)
    handshake = (many["cpu"] - 16 * alone["cpu"]) / (16 * 15)
    tiles = 100_000
    fine = bench.tidemill([small, "-w", 1, "--tile", 100_000_000 // tiles])
    coarse = bench.tidemill([small, "-w", 1, "--tile", 1_000_000])
    few, all_hear = spread(gather, 2, "--tile", 1000), spread(gather, 8, "--tile", 1000)
    message = (all_hear["cpu"] - few["cpu"] - 6 * alone["cpu"] - 54 * handshake) / 6 / 10_000
    barriers = (spread(chain, 2)["seconds"] - spread(one, 2)["seconds"]) / links / BARRIERS
    return {
        "loopback": loopback(),
        "process": alone["wall"],
        "handshake": max(handshake, 0.0),
        "tile": max(fine["seconds"] - coarse["seconds"], 0.0) / tiles,
        "message": max(message, 0.0),
        "barrier": max(barriers, 0.0),
    }


# Exchanges of a `reduce` of all rows: the partials to worker 0; those of its sort, of one row.
BARRIERS = 2


def loopback(bytes=1 << 30):
    """Bytes per second from one process to another."""
    listener = socket.create_server(("127.0.0.1", 0))
    piece = bytearray(1 << 20)

    def send():
        with socket.create_connection(listener.getsockname()) as to:
            for _ in range(bytes // len(piece)):
                to.sendall(piece)

    sender = Process(target=send)
    sender.start()
    with listener.accept()[0] as come:
        start, left, room = time.perf_counter(), bytes, bytearray(1 << 20)
        while left:
            left -= come.recv_into(room)
        seconds = time.perf_counter() - start
    sender.join()
    return bytes / seconds


def jobs(bench):
    """For each main job its profile with two processes, and seconds for each way to spread it."""
    told, made = {}, None
    for job in JOBS:
        if job.input and job.input != made:
            path, made = bench.input(*job.input), job.input
        words = [*job.words, *([f"--set=input={path}"] if job.input else [])]
        seconds = {
            f"{threads}x{processes}": bench.tidemill([*words, "-w", threads, "-n", processes])["seconds"]
            for threads, processes in [(1, 1), (2, 1), (1, 2)]
        }
        profile = bench.profile([*words, "-w", 1, "-n", 2])
        keep = ("kind", "name", "seconds", "in", "out")
        operators = [{key: o[key] for key in keep} for o in profile["operators"]]
        profile = {"seconds": profile["seconds"], "tiles": profile["tiles"], "operators": operators}
        told[job.name] = {"seconds": seconds, "profile": profile}
        print(f"{job.name}: {seconds}", flush=True)
    return told
