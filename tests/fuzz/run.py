"""Damages files, pipelines and ledgers, sends signals, and looks at how every process ends.

    python3 tests/fuzz/run.py TIDEMILL [SUBJECT=COUNT …]

Subjects: `files` (mutants of NetCDF, Parquet, Arrow and CSV files), `pipelines` (mutants of the
examples), `ledgers` (runs that were cut short, whose ledger or staged output is then damaged),
`signals` (sent at any moment), `strangers` (as root: traps of another user in a shared folder). SEED repeats the choices, PROCESSES says how many run side by side.
A process must end within 10 seconds with a documented exit code, without a panic, within 1.5 GB of
memory; a tree of other things beside each run must stay as it was; where a run says that all went
well, what it wrote must be what an undisturbed run writes. Each break of these rules is printed with
what repeats it, and kept; exit code 1 if there is one. Needs pyarrow and netCDF4.
"""
import os
import random
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from files import Files  # noqa: E402
from ledgers import Ledgers, Signals  # noqa: E402
from pipelines import Pipelines  # noqa: E402
from process import Rules  # noqa: E402
from strangers import Strangers  # noqa: E402

SUBJECTS = {"files": (Files, 600), "pipelines": (Pipelines, 300), "ledgers": (Ledgers, 40), "signals": (Signals, 30),
            "strangers": (Strangers, 30)}


def trial(subject, rules, root, name, number, seed):
    """One trial in a folder of its own; the sentence of what went wrong, or None."""
    folder = root / f"{name}-{number}"
    folder.mkdir()
    try:
        rules.watch(folder)
        subject.trial(folder, random.Random(f"{seed} {name} {number}"), rules)
        rules.unchanged(folder)
    except Exception as wrong:  # an output that no reader can open is as wrong as a broken rule
        kind = "" if isinstance(wrong, AssertionError) else f"{type(wrong).__name__}: "
        return f"{name} {number} (SEED={seed}), kept in {folder}: {kind}{wrong}"
    shutil.rmtree(folder)
    return None


def main():
    tidemill = str(Path(sys.argv[1]).resolve())
    wanted = dict(word.split("=") for word in sys.argv[2:]) or {name: n for name, (_, n) in SUBJECTS.items()}
    seed = os.environ.get("SEED", "1")
    root = Path(tempfile.mkdtemp(prefix="tidemill-fuzz-"))
    root.chmod(0o755)  # other users run in it too
    tidemill = shutil.copy(tidemill, root)  # where it was built others may not look
    rules, wrong = Rules(tidemill), []
    for name, count in wanted.items():
        begun = time.monotonic()
        subject = SUBJECTS[name][0](tidemill, root)
        rules.ends.clear()
        with ThreadPoolExecutor(int(os.environ.get("PROCESSES", os.cpu_count() or 1))) as pool:
            trials = [pool.submit(trial, subject, rules, root, name, n, seed) for n in range(int(count))]
            for future in trials:
                if future.result():
                    wrong.append(future.result())
                    print(wrong[-1], flush=True)
        ends = ", ".join(f"{rules.ends[code]} × {code}" for code in sorted(rules.ends))
        print(f"{name}: {count} trials in {time.monotonic() - begun:.0f} s; exit codes {ends}", flush=True)
    if not wrong:
        shutil.rmtree(root)
    print(f"{len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
