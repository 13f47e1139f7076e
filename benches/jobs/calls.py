"""Programs: some that wait, and many that do nothing."""
import shutil
import subprocess

from harness.job import Case, Job, sets

job = Job(
    title="Programs: a call for every row",
    story="Programs that sleep cost what their number in flight says: 10 of a second take 1, 3 or 10 s. Programs that do "
    "nothing cost their start. Tidemill keeps exit code, time and standard error of each. Times are of whole runs, start-up "
    "included.",
    cases=[
        Case("10 × sleep 1, 10 in flight", {"rows": 10}, program="sleep", nap="1", in_flight=10),
        Case("10 × sleep 1, 4 in flight", {"rows": 10}, program="sleep", nap="1", in_flight=4),
        Case("1000 × sleep 0.1, 100 in flight", {"rows": 1000}, program="sleep", nap="0.1", in_flight=100),
        Case("5000 × true, 2 in flight", {"rows": 5000}, program="true", nap="0", in_flight=2),
        Case("5000 × true, 4 in flight", {"rows": 5000}, program="true", nap="0", in_flight=4),
    ],
    tolerance={"rows": 0, "failed": 0},
    counts="wall",
    runs=5,
)


@job.tidemill("Tidemill")
def tidemill(case):
    given = sets(rows=case.rows, program=case.program, nap=case.nap, in_flight=case.in_flight)
    return ["benches/jobs/calls.yaml", *given, "--no-state"]


@job.peer("Python threads, subprocess", needs=["numpy"])
def threads(case):
    from concurrent.futures import ThreadPoolExecutor

    def one(_):
        return subprocess.run([case.program, case.nap], capture_output=True).returncode

    with ThreadPoolExecutor(case.in_flight) as pool:
        yield
        codes = list(pool.map(one, range(case.rows)))
        yield {"rows": len(codes), "failed": sum(code != 0 for code in codes)}


@job.peer("xargs", needs=["numpy"])
def xargs(case):
    words = ["xargs", "-P", str(case.in_flight), "-n", "1", case.program]
    text = f"{case.nap}\n" * case.rows
    yield
    done = subprocess.run(words, input=text, text=True)
    yield {"rows": case.rows, "failed": int(done.returncode != 0)}


@job.peer("GNU parallel", needs=["numpy"], most_runs=2)
def parallel(case):
    if not shutil.which("parallel"):
        raise SystemExit("not installed")
    words = ["parallel", "-j", str(case.in_flight), case.program]
    text = f"{case.nap}\n" * case.rows
    yield
    done = subprocess.run(words, input=text, text=True)
    yield {"rows": case.rows, "failed": int(done.returncode != 0)}
