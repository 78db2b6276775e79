//! Draws lines as SVG paths: lines, steps, bars, bands and stacked areas.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::super::page::{Line, Plot, Style};
use super::scale::stacks;
use super::{PALETTE, Scale, dashes};

/// A point in pixels.
type Point = (f64, f64);

/// Draws all lines: filled shapes first, so that lines are on top.
pub(super) fn all(plot: &Plot, lines: &[&Line], x: &Scale, y: &Scale, out: &mut dyn Write) -> io::Result<()> {
    let stacks = stacks(lines);
    let at = |index: usize| plot.x.get(index).map(|value| x.at(*value));
    let value = |line: &Line, index: usize| line.y.get(index).copied().flatten().map(|v| y.at(f64::from(v)));
    let points = |line: &Line| runs(plot.x.len(), |index| Some((at(index)?, value(line, index)?)));
    for (index, line) in lines.iter().enumerate() {
        match line.style {
            Style::BandHigh => {
                if let Some(low) = index.checked_sub(1).map(|below| lines[below]) {
                    let runs = runs(plot.x.len(), |i| Some((at(i)?, (value(low, i)?, value(line, i)?))));
                    filled(line, "band", &polygons(&runs), out)?;
                }
            }
            Style::Stacked => {
                let ends = |i: usize| {
                    let (low, high) = *stacks[index].get(i)?;
                    Some((at(i)?, (y.at(low), y.at(high?))))
                };
                filled(line, "area", &polygons(&runs(plot.x.len(), ends)), out)?;
            }
            Style::Bars => {
                let bar = |i: usize| {
                    let (low, high) = *stacks[index].get(i)?;
                    let high = high.filter(|high| *high > low)?;
                    Some((at(i)?, at(i + 1)?, y.at(low), y.at(high)))
                };
                let bars = (0..plot.x.len()).filter_map(bar);
                let path = bars.fold(String::new(), |mut path, (left, right, bottom, top)| {
                    // Narrow bars have no gap between them.
                    let right = if right - left > 4.0 { right - 1.0 } else { right };
                    let _ = write!(path, "M{left:.1} {bottom:.1}V{top:.1}H{right:.1}V{bottom:.1}z");
                    path
                });
                filled(line, "bar", &path, out)?;
            }
            Style::Line | Style::Dashed | Style::Step | Style::BandLow => {}
        }
    }
    for line in lines {
        let (class, path) = match line.style {
            Style::Line | Style::Dashed => ("line", polyline(&points(line))),
            Style::Step => ("line", stairs(&points(line))),
            Style::BandLow | Style::BandHigh => ("line edge", polyline(&points(line))),
            Style::Bars | Style::Stacked => continue,
        };
        if !path.is_empty() {
            let dashes = match (line.style, dashes(line)) {
                (Style::BandLow | Style::BandHigh, _) => String::new(),
                (_, dashes) if dashes.is_empty() => dashes,
                (_, dashes) => format!(r#" stroke-dasharray="{dashes}""#),
            };
            let colour = PALETTE.colour_index(line.colour);
            writeln!(out, r#"<path class="{class} s{colour}"{dashes} d="{path}"/>"#)?;
        }
    }
    Ok(())
}

fn filled(line: &Line, class: &str, path: &str, out: &mut dyn Write) -> io::Result<()> {
    if path.is_empty() {
        return Ok(());
    }
    writeln!(out, r#"<path class="{class} f{}" d="{path}"/>"#, PALETTE.colour_index(line.colour))
}

/// The runs of points between gaps.
fn runs<T>(count: usize, at: impl Fn(usize) -> Option<T>) -> Vec<Vec<T>> {
    let mut runs = vec![Vec::new()];
    for index in 0..count {
        match at(index) {
            Some(point) => runs.last_mut().expect("there is always a run").push(point),
            None if runs.last().is_some_and(|run| !run.is_empty()) => runs.push(Vec::new()),
            None => {}
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// Ignores the result of `write!`, as writing to a `String` cannot fail.
fn polyline(runs: &[Vec<Point>]) -> String {
    let mut path = String::new();
    for run in runs {
        let (x, y) = run[0];
        let _ = write!(path, "M{x:.1} {y:.1}");
        for (x, y) in &run[1..] {
            let _ = write!(path, "L{x:.1} {y:.1}");
        }
        if run.len() == 1 {
            // A single point is drawn as a short line.
            path.push_str("h1.5");
        }
    }
    path
}

fn stairs(runs: &[Vec<Point>]) -> String {
    let mut path = String::new();
    for run in runs {
        let (x, y) = run[0];
        let _ = write!(path, "M{x:.1} {y:.1}");
        for (x, y) in &run[1..] {
            let _ = write!(path, "H{x:.1}V{y:.1}");
        }
        if run.len() == 1 {
            path.push_str("h1.5");
        }
    }
    path
}

/// Polygons between the lower and upper bounds of runs.
fn polygons(runs: &[Vec<(f64, (f64, f64))>]) -> String {
    let mut path = String::new();
    for run in runs {
        for (index, (x, (_, high))) in run.iter().enumerate() {
            let _ = write!(path, "{}{x:.1} {high:.1}", if index == 0 { 'M' } else { 'L' });
        }
        for (x, (low, _)) in run.iter().rev() {
            let _ = write!(path, "L{x:.1} {low:.1}");
        }
        path.push('z');
    }
    path
}
