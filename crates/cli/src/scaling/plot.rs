//! Speed-up over workers as SVG, for light and dark pages: a line for each number of processes.
use super::{Combination, Scaling};
use crate::numbers::{count, time};
use std::fmt::Write;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 610.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 350.0;

/// By this a picture is known as one of these.
pub const MARK: &str = "<metadata>tidemill bench</metadata>";

const STYLE: &str = r#"
text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
.soft { fill: #59636e; font-size: 12px; } .title { font-weight: 600; }
.grid { stroke: #d1d9e0; } .ideal { stroke: #59636e; stroke-dasharray: 5 4; }
.line { fill: none; stroke-width: 2; }
.p0 { stroke: #0969da; fill: #0969da; } .p1 { stroke: #bf6a02; fill: #bf6a02; }
.p2 { stroke: #1a7f37; fill: #1a7f37; } .p3 { stroke: #8250df; fill: #8250df; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } .soft { fill: #9198a1; } .grid { stroke: #30363d; } .ideal { stroke: #9198a1; }
.p0 { stroke: #4493f8; fill: #4493f8; } .p1 { stroke: #f0a04b; fill: #f0a04b; }
.p2 { stroke: #3fb950; fill: #3fb950; } .p3 { stroke: #ab7df8; fill: #ab7df8; }
}"#;

/// The picture.
pub fn plot(scaling: &Scaling) -> String {
    let all = &scaling.combinations;
    let most = all.iter().map(Combination::workers).max().unwrap_or(1);
    let fastest = all.iter().map(|c| scaling.speedup(c)).fold(most as f64, f64::max);
    let axes = Axes { workers: (most as f64).max(1.5), speedup: fastest * 1.05 };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\">\n{MARK}\n<style>{STYLE}</style>\n"
    );
    text(&mut out, LEFT, 24.0, "title", "start", &scaling.title);
    axes.draw(&mut out);
    let mut processes: Vec<usize> = all.iter().map(|c| c.processes).collect();
    processes.sort_unstable();
    processes.dedup();
    for (i, n) in processes.iter().enumerate() {
        let mut line: Vec<&Combination> = all.iter().filter(|c| c.processes == *n).collect();
        line.sort_by_key(|c| c.threads);
        axes.line(&mut out, scaling, &line, i);
    }
    out + "</svg>\n"
}

/// From workers and speed-up to places.
struct Axes {
    workers: f64,
    speedup: f64,
}

impl Axes {
    fn x(&self, workers: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * workers / (self.workers * 1.05)
    }

    fn y(&self, speedup: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * speedup / self.speedup
    }

    fn draw(&self, out: &mut String) {
        for tick in ticks(self.speedup) {
            let y = self.y(tick as f64);
            stroke(out, "grid", (LEFT, y), (RIGHT, y));
            text(out, LEFT - 8.0, y + 4.0, "soft", "end", &format!("{tick}×"));
        }
        for tick in ticks(self.workers) {
            let x = self.x(tick as f64);
            text(out, x, BOTTOM + 18.0, "soft", "middle", &tick.to_string());
        }
        text(out, (LEFT + RIGHT) / 2.0, BOTTOM + 38.0, "soft", "middle", "workers");
        let end = self.workers.min(self.speedup);
        stroke(out, "ideal", (self.x(0.0), self.y(0.0)), (self.x(end), self.y(end)));
    }

    fn line(&self, out: &mut String, scaling: &Scaling, line: &[&Combination], at: usize) {
        let colour = format!("p{}", at % 4);
        let place =
            |c: &&Combination| (self.x(c.workers() as f64), self.y(scaling.speedup(c)), c.median());
        let places: Vec<(f64, f64, f64)> = line.iter().map(place).collect();
        let points: Vec<String> = places.iter().map(|(x, y, _)| format!("{x:.1},{y:.1}")).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" class=\"{colour} line\" style=\"fill:none\"/>",
            points.join(" ")
        );
        for (x, y, seconds) in &places {
            let _ = writeln!(
                out,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" class=\"{colour}\"><title>{}</title></circle>",
                time(*seconds)
            );
        }
        let Some(first) = line.first() else { return };
        let y = TOP + 12.0 + 20.0 * at as f64;
        let _ = writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"14\" height=\"4\" class=\"{colour}\"/>",
            LEFT + 14.0,
            y - 6.0
        );
        text(out, LEFT + 36.0, y, "", "start", &count(first.processes as u64, "process"));
    }
}

/// Whole numbers up to a value, at most about ten.
fn ticks(most: f64) -> impl Iterator<Item = usize> {
    let step = ((most / 10.0).ceil() as usize).max(1);
    (0..=most as usize).step_by(step)
}

fn stroke(out: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        out,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" class=\"{class}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(out: &mut String, x: f64, y: f64, class: &str, anchor: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}
