//! Draws everything around the curves: heading, axes, spans, reference lines, legend.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::super::page::{Axis, Line, Page, Plot, Span, Style, Unit};
use super::scale::{labels as tick_labels, log_ticks, ticks};
use super::text::{escaped, fitted, width};
use super::{Area, PALETTE, Scale, WIDTH, dashes};
use crate::analysis::united;
use crate::format::columns::wrapped;

/// Maximum number of characters in a line of the caption.
const CAPTION_COLUMNS: usize = 112;

/// The title and the lines of the caption, each with its CSS class.
pub(super) fn heading(plot: &Plot) -> Vec<(&'static str, String)> {
    let mut rows = vec![("title", fitted(&plot.title, WIDTH - 110.0))];
    if !plot.caption.is_empty() {
        rows.extend(wrapped(&plot.caption, CAPTION_COLUMNS).into_iter().take(3).map(|row| ("caption", row)));
    }
    rows
}

/// Grid, ticks, and labels of axes.
pub(super) fn axes(
    page: &Page,
    plot: &Plot,
    x: &Scale,
    y: &Scale,
    area: Area,
    out: &mut dyn Write,
) -> io::Result<()> {
    let values = ticks(y, 6.0, plot.unit == Unit::Seconds);
    for (value, label) in values.iter().zip(tick_labels(&values, plot.unit)) {
        let at = y.at(*value);
        writeln!(out, r#"<path class="grid" d="M{} {at:.1}H{}"/>"#, area.left, area.right)?;
        writeln!(out, r#"<text class="end" x="{}" y="{:.1}">{label}</text>"#, area.left - 8.0, at + 3.8)?;
    }
    let (values, labels) = match plot.axis {
        Axis::Time => {
            let values = ticks(x, 10.0, true);
            let labels = tick_labels(&values, Unit::Seconds);
            (values, labels)
        }
        Axis::Latency => {
            let values = log_ticks(x);
            let labels = values.iter().flat_map(|value| tick_labels(&[*value], Unit::Seconds)).collect();
            (values, labels)
        }
    };
    for (value, label) in values.iter().zip(labels) {
        let at = x.at(*value);
        writeln!(out, r#"<path class="grid" d="M{at:.1} {}V{}"/>"#, area.top, area.bottom)?;
        writeln!(out, r#"<text class="mid" x="{at:.1}" y="{}">{label}</text>"#, area.bottom + 16.0)?;
    }
    let axis = match plot.axis {
        Axis::Time => "virtual time",
        Axis::Latency => "latency",
    };
    writeln!(
        out,
        r#"<path class="axis" d="M{} {:.1}H{}"/>"#,
        area.left,
        y.at(0.0_f64.max(y.from)),
        area.right
    )?;
    let centre = f64::midpoint(area.left, area.right);
    writeln!(out, r#"<text class="mid" x="{centre}" y="{}">{axis}</text>"#, area.bottom + 32.0)?;
    let source = escaped(&fitted(&page.title, 300.0));
    writeln!(out, r#"<text class="end" x="{}" y="{}">{source}</text>"#, area.right, area.bottom + 32.0)
}

/// Shades the times in spans, and marks the beginning of each. Their labels are drawn later, on top of the curves.
pub(super) fn spans(spans: &[Span], x: &Scale, area: Area, out: &mut dyn Write) -> io::Result<()> {
    let mut shade = |from: f64, width: f64| {
        let (top, height) = (area.top, area.bottom - area.top);
        writeln!(out, r#"<rect class="span" x="{from:.1}" y="{top}" width="{width:.1}" height="{height}"/>"#)
    };
    for (from, to) in united(spans.iter().map(|span| (span.from, span.to))) {
        if let Some((from, to)) = visible(from, to, x) {
            shade(from, (to - from).max(1.0))?;
        }
    }
    for span in spans.iter().filter(|span| span.from > x.from) {
        if let Some((from, _)) = visible(span.from, span.to, x) {
            shade(from, 1.0)?;
        }
    }
    Ok(())
}

/// The left and right end of a span in pixels, or `None` if it is not visible.
fn visible(from: f64, to: f64, x: &Scale) -> Option<(f64, f64)> {
    (to >= x.from && from <= x.to).then(|| (x.at(from.max(x.from)), x.at(to.min(x.to))))
}

/// Maximum number of rows of span labels: the labels of overlapping spans are in different rows.
const MAX_LABEL_ROWS: usize = 3;

/// Reference lines with their labels, and the labels of spans.
pub(super) fn labels(
    page: &Page,
    plot: &Plot,
    x: &Scale,
    y: &Scale,
    area: Area,
    out: &mut dyn Write,
) -> io::Result<()> {
    for limit in plot.thresholds.iter().filter(|limit| y.contains(limit.value)) {
        let at = y.at(limit.value);
        let baseline = if at - area.top > 16.0 { at - 4.0 } else { at + 13.0 };
        writeln!(out, r#"<path class="limit" d="M{} {at:.1}H{}"/>"#, area.left, area.right)?;
        let label = escaped(&fitted(&limit.label, 400.0));
        let right = area.right - 5.0;
        writeln!(out, r#"<text class="limittext end halo" x="{right}" y="{baseline:.1}">{label}</text>"#)?;
    }
    if plot.axis == Axis::Latency {
        return Ok(());
    }
    let mut ends: Vec<f64> = Vec::new();
    for span in &page.spans {
        let Some((from, to)) = visible(span.from, span.to, x).filter(|_| !span.label.is_empty()) else {
            continue;
        };
        let label = fitted(&span.label, (to - from).max(240.0));
        // A label that would cross the right edge is moved to the left.
        let from = from.min(area.right - width(&label)).max(area.left);
        let row = ends.iter().position(|end| *end <= from).unwrap_or(ends.len());
        if row >= MAX_LABEL_ROWS {
            continue;
        }
        let end = from + 10.0 + width(&label);
        match ends.get_mut(row) {
            Some(row_end) => *row_end = end,
            None => ends.push(end),
        }
        // The first row is above the plot, the others are inside.
        let (left, top) = match row {
            0 => (from, area.top - 5.0),
            row => (from + 5.0, area.top + 13.0 * row as f64),
        };
        let label = escaped(&label);
        writeln!(out, r#"<text class="spantext halo" x="{left:.1}" y="{top:.1}">{label}</text>"#)?;
    }
    if plot.x.is_empty() {
        let (x, y) = (f64::midpoint(area.left, area.right), f64::midpoint(area.top, area.bottom));
        writeln!(out, r#"<text class="mid" x="{x}" y="{y}">No data</text>"#)?;
    }
    Ok(())
}

/// The legend, and its number of rows. Both bounds of a band share one entry.
pub(super) fn legend(plot: &Plot, lines: &[&Line], top: f64) -> (String, u32) {
    let (mut out, mut left, mut row) = (String::new(), 16.0, 0);
    let band = |index: usize| lines.get(index).filter(|line| line.style == Style::BandHigh);
    let mut entries: Vec<(String, String)> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let name = match (line.style, index.checked_sub(1), band(index + 1)) {
            (Style::BandHigh, Some(before), _) if lines[before].style == Style::BandLow => continue,
            (Style::BandLow, _, Some(high)) if high.name != line.name => {
                format!("{} – {}", line.name, high.name)
            }
            (_, _, _) => line.name.clone(),
        };
        entries.push((name, swatch(line)));
    }
    for limit in &plot.thresholds {
        entries.push((limit.label.clone(), r#"class="limit" d="M0 0h18""#.to_owned()));
    }
    for (name, swatch) in entries {
        let name = fitted(&name, 320.0);
        let entry_width = 24.0 + width(&name) + 16.0;
        if left + entry_width > WIDTH && left > 16.0 {
            (left, row) = (16.0, row + 1);
        }
        let y = top + 18.0 * f64::from(row);
        let _ = writeln!(out, r#"<path transform="translate({left:.1} {:.1})" {swatch}/>"#, y - 4.0);
        let _ = writeln!(
            out,
            r#"<text class="name" x="{:.1}" y="{y:.1}">{}</text>"#,
            left + 24.0,
            escaped(&name)
        );
        left += entry_width;
    }
    (out, if left > 16.0 { row + 1 } else { 0 })
}

/// The attributes of the legend symbol of a line.
fn swatch(line: &Line) -> String {
    let colour = PALETTE.colour_index(line.colour);
    let filled = |class: &str| format!(r#"class="{class} f{colour}" d="M0 -5h18v10h-18z""#);
    match line.style {
        Style::Line | Style::Step | Style::Dashed => {
            format!(r#"class="line s{colour}" stroke-dasharray="{}" d="M0 0h18""#, or_none(&dashes(line)))
        }
        Style::Bars => filled("bar"),
        Style::BandLow | Style::BandHigh => filled("band"),
        Style::Stacked => filled("area"),
    }
}

fn or_none(dashes: &str) -> &str {
    if dashes.is_empty() { "none" } else { dashes }
}
