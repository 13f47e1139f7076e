"""Pictures of what was measured, as SVG that reads well on light and on dark pages."""
import math
from html import escape

from .units import factor, time

STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
.small { font-size: 11.5px; } .soft { fill: #59636e; } .strong { font-weight: 600; }
.end { text-anchor: end; } .middle { text-anchor: middle; }
.grid { stroke: #d1d9e0; stroke-width: 1; } .axis { stroke: #59636e; stroke-width: 1; }
.ours { fill: #0969da; stroke: #0969da; } .also { fill: #80b3f0; stroke: #80b3f0; }
.peer { fill: #8c6d1f; stroke: #8c6d1f; } .other { fill: #b9a878; stroke: #b9a878; }
.line { fill: none; stroke-width: 2; } .range { stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .soft { fill: #9198a1; }
  .grid { stroke: #30363d; } .axis { stroke: #9198a1; }
  .ours { fill: #4493f8; stroke: #4493f8; } .also { fill: #2b5a9b; stroke: #2b5a9b; }
  .peer { fill: #d9b44a; stroke: #d9b44a; } .other { fill: #806b30; stroke: #806b30; }
  .line { fill: none; }
}
"""

WIDTH, LEFT, RIGHT, ROW = 860, 300, 130, 24


class Picture:
    """Shapes, one under the other."""

    def __init__(self, title):
        self.title, self.shapes = title, []

    def text(self, x, y, text, kind=""):
        self.shapes.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, kind="grid"):
        self.shapes.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'
        )

    def dot(self, x, y, kind, radius=5.5, hint=""):
        hint = f"<title>{escape(hint)}</title>" if hint else ""
        self.shapes.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" class="{kind}">{hint}</circle>'
        )

    def bar(self, x, y, width, height, kind):
        self.shapes.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height}" rx="2" class="{kind}"/>'
        )

    def curve(self, points, kind):
        told = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        # Presentation attributes would lose against the class's fill.
        self.shapes.append(f'<polyline points="{told}" class="{kind} line" style="fill:none"/>')

    def done(self, height, width=WIDTH):
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" '
            f'width="{width}" height="{height:.0f}" role="img" aria-label="{escape(self.title)}">\n'
            f"<style>{STYLE}</style>\n" + "\n".join(self.shapes) + "\n</svg>\n"
        )


class Log:
    """A logarithmic axis over these values."""

    def __init__(self, values, start, end, least=1.0):
        low, high = math.log10(min(values)), math.log10(max(values))
        # Some room on both sides, and never a span so short that noise looks like a difference.
        pad = max(0.08 * (high - low), (least - (high - low)) / 2, 0.08)
        self.low, self.high, self.start, self.end = low - pad, high + pad, start, end

    def __call__(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self):
        """Powers of ten; of two steps between them where there are few."""
        steps = (1,) if self.high - self.low > 2.5 else (1, 2, 5)
        for power in range(math.floor(self.low), math.ceil(self.high) + 1):
            for step in steps:
                value = step * 10.0**power
                if self.low <= math.log10(value) <= self.high:
                    yield value


def grid(picture, axis, top, bottom, label):
    for value in axis.ticks():
        x = axis(value)
        picture.line(x, top, x, bottom)
        picture.text(x, bottom + 16, label(value), "small soft middle")


def times(title, cases):
    """The time of each contestant of each case: (title, [(label, kind, median, low, high, ratio)])."""
    picture = Picture(title)
    y = 4
    for case, rows in cases:
        if len(cases) > 1:
            picture.text(8, y + 16, case, "strong")
            y += 24
        axis = Log([v for _, _, _, low, high, _ in rows for v in (low, high)], LEFT, WIDTH - RIGHT)
        top, bottom = y, y + ROW * len(rows) + 4
        grid(picture, axis, top, bottom, lambda v: time(v, 1))
        for label, kind, median, low, high, ratio in rows:
            middle = y + ROW / 2 + 2
            picture.text(LEFT - 14, middle + 4.5, label, "end strong" if kind == "ours" else "end")
            picture.line(axis(low), middle, axis(high), middle, f"{kind} range")
            picture.dot(axis(median), middle, kind, hint=f"{label}: {time(median)}")
            told = time(median) + (f" · {factor(ratio)}" if ratio else "")
            picture.text(WIDTH - RIGHT + 12, middle + 4.5, told, "small")
            y += ROW
        y = bottom + 30
    return picture.done(y)


def ratios(title, rows):
    """How many times Tidemill's time each peer needs: (label, [(peer, ratio)])."""
    picture = Picture(title)
    axis = Log([r for _, peers in rows for _, r in peers] + [1], LEFT, WIDTH - RIGHT)
    top, bottom = 30, 30 + ROW * len(rows) + 4
    picture.text(axis(1) + 6, 20, "Tidemill is faster →", "small soft")
    if axis(1) > LEFT + 120:
        picture.text(axis(1) - 6, 20, "← a peer is faster", "small soft end")
    grid(picture, axis, top, bottom, lambda v: f"{v:g}×")
    picture.line(axis(1), top - 6, axis(1), bottom, "axis")
    for i, (label, peers) in enumerate(rows):
        middle = top + ROW * i + ROW / 2 + 2
        picture.text(LEFT - 14, middle + 4.5, label, "end")
        best = min(peers, key=lambda p: p[1])
        for peer, ratio in peers:
            if peer != best[0]:
                picture.dot(axis(ratio), middle, "other", 3.5, f"{peer}: {factor(ratio)}")
        kind = "ours" if best[1] >= 1 else "peer"
        picture.line(axis(1), middle, axis(best[1]), middle, f"{kind} range")
        picture.dot(axis(best[1]), middle, kind, 5.5, f"{best[0]}: {factor(best[1])}")
        picture.text(WIDTH - RIGHT + 12, middle + 4.5, factor(best[1]), "small strong")
    return picture.done(bottom + 30)


def workers(title, cases):
    """Speed-up of each way to spread a job: (title, [(label, speed-up, ideal)])."""
    picture = Picture(title)
    most = max(max(s, ideal) for _, rows in cases for _, s, ideal in rows) * 1.08
    y, span = 4, WIDTH - LEFT - RIGHT
    for case, rows in cases:
        picture.text(8, y + 16, case, "strong")
        y += 24
        top, bottom = y, y + ROW * len(rows) + 4
        for value in range(int(most) + 1):
            x = LEFT + span * value / most
            picture.line(x, top, x, bottom)
            picture.text(x, bottom + 16, f"{value}×", "small soft middle")
        for label, speed, ideal in rows:
            picture.text(LEFT - 14, y + ROW / 2 + 6.5, label, "end")
            picture.bar(LEFT, y + 5, span * speed / most, ROW - 8, "ours")
            x = LEFT + span * ideal / most
            picture.line(x, y + 3, x, y + ROW - 1, "axis")
            told = f"{speed:.2f}× · {100 * speed / ideal:.0f} %"
            picture.text(WIDTH - RIGHT + 12, y + ROW / 2 + 6.5, told, "small")
            y += ROW
        y = bottom + 30
    return picture.done(y)


def sizes(title, series):
    """Time and memory over size: (label, kind, [(n, seconds, bytes)])."""
    picture = Picture(title)
    every = [p for _, _, points in series for p in points]
    half, top, bottom = WIDTH / 2, 34, 300
    panels = [
        (60, half - 30, "seconds", [p[1] for p in every], True),
        (half + 60, WIDTH - 30, "peak memory, MB", [(p[2] or 0) / 1e6 for p in every], False),
    ]
    for at, (left, right, name, values, log) in enumerate(panels):
        picture.text(left, 20, name, "strong")
        x = Log([p[0] for p in every], left, right)
        for n in sorted({p[0] for p in every}):
            picture.line(x(n), top, x(n), bottom)
            picture.text(x(n), bottom + 18, f"1e{round(math.log10(n))}", "small soft middle")
        if log:
            y = Log(values, bottom, top)
            ticks = [t for t in y.ticks() if math.log10(t) % 1 == 0]
        else:
            most = max(values) * 1.25 or 1
            y = lambda v, most=most: bottom - (bottom - top) * v / most  # noqa: E731
            ticks = nice(most)
        for tick in ticks:
            picture.line(left, y(tick), right, y(tick))
            picture.text(left - 8, y(tick) + 4, f"{tick:g}", "small soft end")
        for row, (label, kind, points) in enumerate(series):
            place = [(x(n), y(s if log else (b or 0) / 1e6)) for n, s, b in points]
            picture.curve(place, kind)
            for where in place:
                picture.dot(*where, kind, 4)
            if at == 0:
                picture.dot(left + 22, top + 16 + 20 * row, kind, 5)
                picture.text(left + 34, top + 20.5 + 20 * row, label)
    return picture.done(bottom + 34)


def nice(most):
    """Some round values from 0."""
    step = 10 ** math.floor(math.log10(most))
    step = next(s for s in (step / 5, step / 2, step, 2 * step) if most / s <= 6)
    return [i * step for i in range(int(most / step) + 1)]


def efficiencies(title, series, workers):
    """The share of the workers' time that is left: (label, [(workers, share)]), one curve a panel."""
    picture = Picture(title)
    columns, wide, high = 4, 190, 120
    for i, (label, points) in enumerate(series):
        left, top = 46 + (i % columns) * (wide + 18), 30 + (i // columns) * (high + 66)
        right, bottom = left + wide - 20, top + high
        x = Log(workers, left, right, least=0.1)
        picture.text(left, top - 10, label, "small strong")
        for value in x.ticks():
            picture.line(x(value), top, x(value), bottom)
            picture.text(x(value), bottom + 16, f"{value:g}", "small soft middle")
        for share in (0, 0.5, 1):
            y = bottom - share * high
            picture.line(left, y, right, y, "axis" if share == 0 else "grid")
            if i % columns == 0:
                picture.text(left - 6, y + 4, f"{100 * share:.0f} %", "small soft end")
        place = [(x(n), bottom - high * min(share, 1.05)) for n, share in points]
        picture.curve(place, "ours")
        for (n, share), where in zip(points, place):
            picture.dot(*where, "ours", 3, f"{n} workers: {100 * share:.0f} %")
    rows = -(-len(series) // columns)
    return picture.done(30 + rows * (high + 66) - 20)
