"""docs/limits.md: what was measured, what follows from it, and whether a simulation agrees."""
from harness import svg
from harness.job import TOP
from harness.units import time

from . import formulas, simulate
from .cluster import ASSUMED, assumed, here

WORKERS = [1, 20, 100, 300, 1000]

HEAD = """# Limits

How far do the main jobs scale, and what stops them? This page works it out: what a tile, a byte
exchanged and a barrier cost is measured on one machine; formulas say what follows for a cluster; a
simulation, event by event, says whether the formulas leave something out. `make limits` measures and
writes it anew ([`benches/limits/`](../benches/limits/)). Nobody has run these jobs on such a cluster.
"""

RULES = """## The formulas

With *w* workers on *h* hosts, of which each has *w/h*:

- **Tiles**: the slowest of: computing, *n (c + tile) / w* + one tile for the tail; the file system,
  *n · bytes / its rate*; a host's network, *n · bytes / h / link*; and, where one worker writes what all
  have made, its own time *n · (p + message)* and the network of its host. That each worker hears of
  each message costs all of them *n · message*.
- **Messages to worker 0**, one of each worker: *w (merge + message)*.
- **Exchange by key or range**: a worker's encoding and merging, its host's share of the link, and a
  message from each other worker. Partials by key do not shrink as workers grow: a worker that sees *r*
  rows sends *k (1 − exp(−r/k))* of *k* groups.
- **Barrier**: there and back, and a message from each worker.
- **Start**: a process shakes hands with each other one.

A *wall* stands where half of the workers' time is lost to what more workers do not shorten.
"""


def write(measured):
    """Writes the page and its picture; whether formulas and simulation agree."""
    from .jobs import JOBS, Profile

    costs = measured["costs"]
    series, rows, walls, worst = [], [], [], 0.0
    for job in JOBS:
        steps = job.steps(Profile(measured["jobs"][job.name]["profile"]), job.times)
        alone = assumed(1)
        points = []
        for workers in WORKERS:
            cluster = assumed(workers)
            told = formulas.seconds(steps, cluster, costs)
            seen = simulate.seconds(steps, cluster, costs)
            worst = max(worst, abs(told / seen - 1))
            share = formulas.efficiency(steps, cluster, costs, alone)
            points.append((workers, share))
            name = f"{job.name}, {job.large}" if workers == 1 else ""
            rows.append(
                f"| {name} | {workers} | {time(told)} | {time(seen)} | {told / seen - 1:+.0%} | {share:.0%} |"
            )
        series.append((job.name, points))
        walls.append(wall(job, steps, costs))
    plot = svg.efficiencies("The share of the workers' time that is left", series, WORKERS)
    (TOP / "docs" / "limits.svg").write_text(plot)
    a = ASSUMED
    parts = [
        HEAD,
        "![The share of the workers' time that is left](limits.svg)\n",
        "## The first wall of each job\n",
        f"On hosts of {a.workers} cores, {a.link / 1e9:.0f} GB/s and {a.latency * 1e6:.0f} µs between two of them, "
        f"{a.read / 1e9:.0f} GB/s read from and {a.write / 1e9:.0f} GB/s written to a file system that all share; "
        "jobs a thousand times as large as in the benchmark.\n",
        "| job | 1000 workers | half of their time is lost at | to |\n|---|--:|--:|---|",
        *walls,
        "",
        RULES,
        "## Formula and simulation\n",
        "The simulation draws tiles of unequal cost, hands them out, and lets whoever comes late to a network, "
        f"a disk or worker 0 wait. Where there are more than {simulate.MOST:,} tiles it takes several as one.\n",
        "| job | workers | formula | simulation | difference | efficiency |\n|---|--:|--:|--:|--:|--:|",
        *rows,
        "",
        checks(measured),
        told_costs(measured),
    ]
    (TOP / "docs" / "limits.md").write_text("\n".join(parts))
    return worst


def wall(job, steps, costs):
    told = time(formulas.seconds(steps, assumed(1000), costs))
    found = formulas.wall(steps, assumed, costs)
    if found is None:
        return f"| {job.name}, {job.large} | {told} | beyond 1,000,000 | |"
    workers, name = found
    places = 2 if workers >= 100 else 1
    rounded = round(workers, -(len(str(workers)) - places))
    return f"| {job.name}, {job.large} | {told} | {rounded:,} workers | {name} |"


def checks(measured):
    """The same formulas and simulation for this machine, beside what was measured on it."""
    from .jobs import JOBS, Profile

    costs = measured["costs"]
    lines = [
        "## Against what was measured\n",
        "Both, for the two cores here, where reading and writing is the workers' own work, beside the clock. "
        "The costs come from the runs with two processes. Two threads share a memory that one has alone, "
        "which neither knows.\n",
        "| job, as in the benchmark | threads × processes | formula | simulation | measured |\n|---|--:|--:|--:|--:|",
    ]
    for job in JOBS:
        told = measured["jobs"][job.name]
        steps = job.steps(Profile(told["profile"]), 1)
        for hosts, workers in [(1, 1), (1, 2), (2, 1)]:
            cluster = here(hosts, workers, costs)
            # What a run reports begins when all processes have come.
            begun = {**costs, "process": 0.0, "handshake": 0.0}
            each = [formulas.seconds(steps, cluster, begun), simulate.seconds(steps, cluster, begun)]
            each.append(told["seconds"][f"{workers}x{hosts}"])
            name = job.name if (hosts, workers) == (1, 1) else ""
            lines.append(f"| {name} | {workers} × {hosts} | " + " | ".join(map(time, each)) + " |")
    return "\n".join(lines) + "\n"


def told_costs(measured):
    costs, machine = measured["costs"], measured["machine"]
    return (
        "## Costs\n\n"
        f"Measured on {machine['date']}, {machine['processor']}, {machine['cores']} cores, at {machine['commit']}.\n\n"
        "| what | cost |\n|---|--:|\n"
        f"| a process, from exec to exit, with nothing to do | {time(costs['process'])} |\n"
        f"| a handshake with another process, and its two threads | {time(costs['handshake'])} |\n"
        f"| a tile, beside its work | {time(costs['tile'])} |\n"
        f"| a message: what each worker spends on hearing of it | {time(costs['message'])} |\n"
        f"| a barrier of two processes | {time(costs['barrier'])} |\n"
        f"| the loopback, both ways | {costs['loopback'] / 1e9:.1f} GB/s |\n"
    )
