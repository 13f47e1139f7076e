"""The page: tables of medians and ratios, the machine, the versions, the pictures."""
from statistics import median

from . import svg
from .job import TOP
from .units import bytes, factor, time

HEAD = """# Benchmarks

`make bench` makes this page: it builds Tidemill, installs the peers into a virtual environment, and
runs each job in all of them *in turn*, several times, each time in a new process, on the same data.
`make bench JOB=slow_series` does so for one job; `QUICK=1 make bench` tries everything a hundred times
smaller. A job is a file in [`jobs/`](jobs/): what Tidemill runs, and the peers' code.

- **time** is the median of the work alone. For peers it leaves out what comes before: starting Python,
  importing, compiling, warming up. For Tidemill it is what the run reports: from the first tile to the last.
- **whole process** is from exec to exit, everything included.
- **÷ Tidemill** is how many times Tidemill's time something took: above 1, Tidemill is faster.
- Answers are compared: exactly where they are counts, extremes, or Tidemill's own; sums of floats to
  the tolerance that the job's file says, for the peers' depend on how the work was cut. Tidemill's sums are exact.
- Nothing here fails because of a time.
"""


def write(home, results):
    """Writes the page, and its pictures beside it."""
    if not results:
        (home / "README.md").write_text(HEAD + "\nNothing has been measured yet.\n")
        return
    plots = home / "plots"
    plots.mkdir(parents=True, exist_ok=True)
    latest = max(results, key=lambda r: r["machine"]["date"])
    parts = [HEAD]
    if latest["quick"]:
        parts.append("**A quick run: a hundred times smaller, once. These figures mean nothing.**\n")
    parts += [summary(results, plots, "plots"), where(latest)]
    for result in results:
        if result["shows"] == "kernels" and not kernels(result, plots):
            continue
        parts.append(f"## {result['title']}\n\n{result['story']}\n")
        if stamp(result) != stamp(latest):
            m = result["machine"]
            parts.append(f"Measured on {m['date']} at {m['commit']}, {m['processor']}.\n")
        parts.append(SHOWS[result["shows"]](result, plots))
    (home / "README.md").write_text("\n".join(parts))
    if not latest["quick"]:
        front_page(results)


def stamp(result):
    m = result["machine"]
    return m["commit"], m["processor"], m["cores"], m["kernel"]


def ours(case):
    """Tidemill's own row of a case: the first that has been measured."""
    return next((r for r in case["rows"] if r["kind"] == "tidemill" and not r["variant"] and r["times"]), None)


def peers(case):
    """Those that did the same work elsewhere."""
    return [r for r in case["rows"] if r["kind"] != "tidemill" and r["times"] and not r["variant"]]


def compared(results):
    """(job, case, Tidemill's time, [(peer, time)]) of all that can be compared."""
    for result in results:
        for case in result["cases"]:
            row, others = ours(case), peers(case)
            if result["shows"] == "compare" and row and others:
                yield result, case, median(row["times"]), [(r["label"], median(r["times"])) for r in others]


def name(result, case):
    several = len(result["cases"]) > 1
    return f"{result['title']}, {case['title']}" if several else result["title"]


def summary(results, plots, folder):
    """All jobs in one table and one picture."""
    rows, dots = [], []
    for result, case, mine, others in compared(results):
        label, best = min(others, key=lambda o: o[1])
        title = name(result, case)
        rows.append(f"| [{title}](#{anchor(result['title'])}) | {time(mine)} | {label} | {time(best)} | **{factor(best / mine)}** |")
        dots.append((short(title), [(peer, seconds / mine) for peer, seconds in others]))
    if not rows:
        return ""
    (plots / "summary.svg").write_text(svg.ratios("Times Tidemill's time", dots))
    table = ["| job | Tidemill | fastest peer | its time | ÷ Tidemill |", "|---|--:|---|--:|--:|", *rows]
    return (
        f"## Against the fastest peer\n\n![How many times Tidemill's time the peers need]({folder}/summary.svg)\n\n"
        "The large dot is the fastest peer, the small ones are the others.\n\n" + "\n".join(table) + "\n"
    )


def short(title):
    return title.replace("Mantle convection: ", "Mantle: ").replace(": Parquet → sum, mean, count", "").replace("Slow series, every number tested", "Slow series, all tested").replace("Elementwise over a column", "sin² + cos² of a column")


def anchor(title):
    kept = "".join(c for c in title.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")


def where(result):
    """The machine and the versions."""
    m = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    lines = [
        ("processor", f"{m['processor']}, {m['cores']} cores in use, {m['isa']}"),
        ("memory", bytes(m["memory"])),
        ("kernel", m["kernel"]),
        ("Tidemill", f"{m['commit']}, {m['rustc']}"),
        ("C compiler", m["compiler"] or "none"),
        ("peers", versions),
        ("measured", f"{m['date']}, load before: {m['load']}"),
    ]
    return "## Where\n\n| | |\n|---|---|\n" + "".join(f"| {k} | {v} |\n" for k, v in lines)


def compare(result, plots):
    """A table for each case, and a picture of all."""
    parts, pictures = [], []
    for case in result["cases"]:
        mine = ours(case)
        base = median(mine["times"]) if mine else None
        wall = result["counts"] != "wall"
        head = ["", "time", "min–max", "÷ Tidemill"]
        head += ["whole process"] if wall else []
        head += ["peak memory"] if result["memory"] else []
        table = ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
        dots = []
        for row in case["rows"]:
            if not row["times"]:
                if row["note"]:
                    table.append(f"| {row['label']} | {row['note']} |" + " |" * (len(head) - 2))
                continue
            mid, low, high = median(row["times"]), min(row["times"]), max(row["times"])
            ratio = mid / base if base else None
            bold = "**" if row is mine else ""
            cells = [f"{bold}{row['label']}{bold}", f"{bold}{time(mid)}{bold}", f"{time(low)} – {time(high)}"]
            cells.append(factor(ratio) if ratio else "–")
            cells += [time(median(row["walls"]))] if wall else []
            cells += [bytes(peak(row))] if result["memory"] else []
            table.append("| " + " | ".join(cells) + " |")
            kind = "ours" if row is mine else "also" if row["kind"] == "tidemill" else "other" if row["variant"] else "peer"
            dots.append((row["label"], kind, mid, low, high, ratio))
        title = f"### {case['title']}\n\n" if case["title"] else ""
        notes = agreement(case) + (f" Files on {case['disk']}." if case["disk"] else "")
        parts.append(title + "\n".join(table) + f"\n\n{notes.strip()}\n")
        pictures.append((case["title"], dots))
    return picture(result, plots, svg.times(result["title"], [p for p in pictures if p[1]])) + "\n".join(parts)


def picture(result, plots, text):
    (plots / f"{result['job']}.svg").write_text(text)
    return f"![{result['title']}](plots/{result['job']}.svg)\n\n"


def agreement(case):
    """Whether all said the same."""
    differ = [f"**{r['label']} differs: {r['differs']}.**" for r in case["rows"] if r["differs"]]
    told = [r for r in case["rows"] if r["answer"]]
    if differ:
        return " ".join(differ)
    return "All answers agree." if len(told) > 1 else ""


def peak(row):
    known = [p for p in row["peaks"] if p]
    return median(known) if known else None


def workers(result, plots):
    """Speed-up and efficiency."""
    parts, bars = [], []
    for case in result["cases"]:
        rows = [r for r in case["rows"] if r["times"]]
        if not rows:
            continue
        base = median(rows[0]["times"])
        table = ["| | time | min–max | speed-up | efficiency | whole process |", "|---|--:|--:|--:|--:|--:|"]
        shown = []
        for row in rows:
            mid = median(row["times"])
            count = 1 if row is rows[0] else 2
            speed = base / mid
            table.append(
                f"| {row['label']} | {time(mid)} | {time(min(row['times']))} – {time(max(row['times']))} | "
                f"{speed:.2f} | {100 * speed / count:.0f} % | {time(median(row['walls']))} |"
            )
            shown.append((row["label"], speed, count))
        bars.append((case["title"], shown))
        parts.append(f"### {case['title']}\n\n" + "\n".join(table) + "\n\n" + same_bits(case["rows"]))
    return picture(result, plots, svg.workers(result["title"], bars)) + "\n".join(parts)


def same_bits(rows):
    answers = [r["answer"] for r in rows if r["answer"]]
    if not answers:
        return ""
    same = all(a == answers[0] for a in answers)
    return "The same bits each time.\n" if same else "**The answers differ.**\n"


def sizes(result, plots):
    """Time and memory over size."""
    table = ["| n | | time | per 1e9 numbers | peak memory |", "|---|---|--:|--:|--:|"]
    series = {}
    for case in result["cases"]:
        n = case["sizes"]["n"]
        for row in case["rows"]:
            if not row["times"]:
                continue
            mid = median(row["times"])
            series.setdefault(row["label"], []).append((n, mid, peak(row)))
            table.append(f"| {n:.0e} | {row['label']} | {time(mid)} | {time(mid / n * 1e9)} | {bytes(peak(row))} |")
    kinds = ["ours", "peer"]
    lines = [(label, kinds[i % 2], points) for i, (label, points) in enumerate(series.items())]
    return picture(result, plots, svg.sizes(result["title"], lines)) + "\n".join(table) + "\n"


def kernels(result, plots):
    """What Tidemill's own benchmarks print."""
    rows = [row for case in result["cases"] for row in case["rows"] if row.get("text")]
    return "\n".join(f"### {row['label']}\n\n```text\n{row['text'].rstrip()}\n```\n" for row in rows)


SHOWS = {"compare": compare, "workers": workers, "sizes": sizes, "kernels": kernels}

BEGIN, END = "<!-- written by make bench -->", "<!-- end of what make bench writes -->"


def front_page(results):
    """The main ratios between the two marks of the README, where it has them."""
    file = TOP / "README.md"
    text = file.read_text()
    if BEGIN not in text or END not in text:
        return
    rows = []
    for result, case, mine, others in compared(results):
        label, best = min(others, key=lambda o: o[1])
        rows.append(f"| {name(result, case)} | {time(mine)} | {label}, {time(best)} | **{factor(best / mine)}** |")
    table = ["| job | Tidemill | fastest peer | ratio |", "|---|--:|--:|--:|", *rows]
    m = results[-1]["machine"]
    told = (
        "\n![How many times Tidemill's time the peers need](benches/plots/summary.svg)\n\n"
        + "\n".join(table)
        + f"\n\n{m['processor']}, {m['cores']} cores, {m['isa']}; peers without their start-up and compilation.\n"
    )
    before, rest = text.split(BEGIN, 1)
    file.write_text(before + BEGIN + told + END + rest.split(END, 1)[1])
