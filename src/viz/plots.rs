//! Lines over time: the metrics of a run and the samples of its probes, and frames that paint them at any size.

use bevy_egui::egui::{Color32, CornerRadius, Mesh, Painter, Pos2, Rect, Shape, Stroke, pos2};

use super::picture::single;
use super::session::Session;
use crate::engine::floor_to_usize;
use crate::event::Node;
use crate::format::numbers;
use crate::metrics::result::RunResult;
use crate::model::link::LineId;
use crate::model::metric::{ARRIVAL_RATE, Metric, SeriesKey, Subject, Unit};
use crate::model::probe::Series;

/// Maximum number of lines in a plot.
pub const MAX_LINES: usize = 7;
/// Suffix of the name of a metric as sampled by probes, to tell it from the same metric in the timeline.
pub const PROBED: &str = " (probe)";

/// A line of a plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The name of the node or link.
    pub name: String,
    /// The unit of its values.
    pub unit: Unit,
    /// Times in seconds, and values; NaN where there is no value.
    pub points: Vec<(f64, f32)>,
}

impl Line {
    /// The maximum value; 0 if there is none.
    #[must_use]
    pub fn peak(&self) -> f32 {
        peak(self.points.iter().map(|point| point.1))
    }

    /// The value at a time: that of the last point up to then, or of the first point if all are later. `None` if there
    /// is no point, or if its value is NaN.
    #[must_use]
    pub fn at(&self, seconds: f64) -> Option<f32> {
        let next = self.points.partition_point(|point| point.0 <= seconds);
        self.points[..next]
            .last()
            .or(self.points.first())
            .map(|point| point.1)
            .filter(|value| value.is_finite())
    }
}

fn peak(values: impl Iterator<Item = f32>) -> f32 {
    values.filter(|value| value.is_finite()).fold(0.0, f32::max)
}

/// Formats a value with its unit.
#[must_use]
pub fn format_value(value: f32, unit: Unit) -> String {
    let value = f64::from(value);
    match unit {
        Unit::Count => numbers::short(value),
        Unit::Share => format!("{:.0} %", value * 100.0),
        Unit::Seconds => numbers::time(Some(value)),
        Unit::PerSecond => format!("{}/s", numbers::short(value)),
    }
}

/// The names of the metrics of a run that can be plotted: those of the timeline, then those of probes.
#[must_use]
pub fn metric_names(result: &RunResult) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let probed = result.series.iter().map(|series| format!("{}{PROBED}", series.name()));
    for name in result.timeline.keys.iter().map(|key| key.metric.name.to_owned()).chain(probed) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The lines of a metric, by its name in [`metric_names`]; of more than [`MAX_LINES`], those with the highest peaks.
#[must_use]
pub fn lines(session: &Session, metric: &str) -> Vec<Line> {
    let Some(run) = session.background_run.finished() else { return Vec::new() };
    let mut lines: Vec<Line> = match metric.strip_suffix(PROBED) {
        Some(metric) => {
            let matching = run.result.series.iter().filter(|series| series.name() == metric);
            let line = |series: &Series| Line {
                name: series.node.clone(),
                unit: series.metric.unit,
                points: series.samples.iter().map(|(at, value)| (at.as_seconds(), single(value))).collect(),
            };
            matching.map(line).collect()
        }
        None => {
            let keys = run.result.timeline.keys.iter().enumerate();
            let matching = keys.filter(|(_, key)| key.metric.name == metric);
            matching.map(|(position, _)| line(session, &run.result, position)).collect()
        }
    };
    if lines.len() > MAX_LINES {
        lines.sort_by(|a, b| b.peak().total_cmp(&a.peak()));
        lines.truncate(MAX_LINES);
    }
    lines
}

/// The line of a metric of one node, or `None` if the background run has not finished or the node lacks the metric.
#[must_use]
pub fn line_of_node(session: &Session, node: Node, metric: &Metric) -> Option<Line> {
    let result = &session.background_run.finished()?.result;
    Some(line(session, result, result.timeline.position(Subject::Node(node), metric)?))
}

fn line(session: &Session, result: &RunResult, position: usize) -> Line {
    let timeline = &result.timeline;
    let SeriesKey { subject, metric, .. } = timeline.keys[position];
    let width = timeline.interval.as_seconds();
    // The value of an interval is plotted at its middle. Metrics of a window are NaN in all but one of its intervals.
    let points = (0_u32..)
        .zip(timeline.series(position))
        .map(|(interval, value)| ((f64::from(interval) + 0.5) * width, value));
    let points = points.filter(|(_, value)| value.is_finite()).collect();
    Line { name: name(session, result, subject), unit: metric.unit, points }
}

fn name(session: &Session, result: &RunResult, subject: Subject) -> String {
    match subject {
        // The name of the node itself, not that of a folded group.
        Subject::Node(node) | Subject::Estimate { of: node, .. } => session.names.name_of(node).to_owned(),
        Subject::Resource { node, resource } => session.names.name_of_resource(node, resource),
        Subject::Link(row) => result.links[row as usize].name.clone(),
        Subject::Line(number) => result.line_name(LineId(number)).to_owned(),
    }
}

/// The rate of offered requests over time, in the sum of all sources.
#[must_use]
pub fn offered(session: &Session) -> Line {
    let mut sum = Line { name: "offered".to_owned(), unit: Unit::PerSecond, points: Vec::new() };
    let Some(run) = session.background_run.finished() else { return sum };
    let is_source = |subject: Subject| matches!(subject, Subject::Node(node) if !node.kind().receives());
    let keys = run.result.timeline.keys.iter().enumerate();
    for (position, _) in keys.filter(|(_, key)| *key.metric == ARRIVAL_RATE && is_source(key.subject)) {
        let line = line(session, &run.result, position);
        if sum.points.is_empty() {
            sum.points = line.points;
        } else {
            sum.points.iter_mut().zip(line.points).for_each(|(sum, point)| sum.1 += point.1);
        }
    }
    sum
}

/// A rectangle to paint a plot into, with the time axis from 0 to `end`.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// The rectangle.
    pub rect: Rect,
    /// Time at the right edge, in seconds.
    pub end: f64,
}

impl Frame {
    /// The x position of a time.
    #[must_use]
    pub fn x(&self, seconds: f64) -> f32 {
        self.rect.left() + self.rect.width() * single((seconds / self.end.max(1e-9)).clamp(0.0, 1.0))
    }

    /// The path of a line, with the value `top` at the upper edge. Of values less than a screen point apart, only the
    /// maximum is kept.
    #[must_use]
    pub fn path(&self, line: &Line, top: f32) -> Vec<Pos2> {
        let mut path: Vec<Pos2> = Vec::new();
        for (seconds, value) in line.points.iter().filter(|point| point.1.is_finite()) {
            let at = pos2(self.x(*seconds), self.rect.bottom() - self.rect.height() * (value / top).min(1.0));
            match path.last_mut().filter(|last| at.x - last.x < 1.0) {
                Some(last) => last.y = last.y.min(at.y),
                None => path.push(at),
            }
        }
        path
    }

    /// Paints a line.
    pub fn line(&self, painter: &Painter, line: &Line, top: f32, stroke: Stroke) {
        painter.line(self.path(line, top), stroke);
    }

    /// Paints a dashed line.
    pub fn dashes(&self, painter: &Painter, line: &Line, top: f32, stroke: Stroke) {
        painter.extend(Shape::dashed_line(&self.path(line, top), stroke, 5.0, 4.0));
    }

    /// Fills the area below a line.
    pub fn area(&self, painter: &Painter, line: &Line, top: f32, colour: Color32) {
        let mut mesh = Mesh::default();
        for (number, at) in (0_u32..).zip(self.path(line, top)) {
            mesh.colored_vertex(at, colour);
            mesh.colored_vertex(pos2(at.x, self.rect.bottom()), colour);
            if number > 0 {
                let first = 2 * number - 2;
                mesh.add_triangle(first, first + 1, first + 2);
                mesh.add_triangle(first + 1, first + 2, first + 3);
            }
        }
        painter.add(mesh);
    }

    /// Paints a vertical line at the time shown.
    pub fn playhead(&self, painter: &Painter, seconds: f64, colour: Color32) {
        let x = self.x(seconds);
        painter
            .line_segment([pos2(x, self.rect.top()), pos2(x, self.rect.bottom())], Stroke::new(1.5, colour));
    }

    /// Paints the background of the plot.
    pub fn ground(&self, painter: &Painter, colour: Color32) {
        painter.rect_filled(self.rect, CornerRadius::same(4), colour);
    }

    /// The time at an x position, in seconds.
    #[must_use]
    pub fn seconds(&self, x: f32) -> f64 {
        f64::from(((x - self.rect.left()) / self.rect.width().max(1.0)).clamp(0.0, 1.0)) * self.end
    }
}

/// The lines of the plotted metric. They are kept until the run or the metric changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlotLines {
    /// Name of the metric and fingerprint of the run, or `None` if the run has not finished.
    source: Option<(String, u64)>,
    /// The lines.
    pub lines: Vec<Line>,
    /// The rate of offered requests, or `None` if it is 0 throughout.
    pub offered: Option<Line>,
}

impl PlotLines {
    /// Collects the lines of a metric, if the run or the metric has changed.
    pub fn refresh(&mut self, session: &Session, metric: &str) {
        let run = session.background_run.finished();
        let source = run.map(|run| (metric.to_owned(), run.result.fingerprint));
        if source != self.source {
            let offered = offered(session);
            let offered =
                Some(offered).filter(|line| floor_to_usize(line.peak().into()) > 0 || line.peak() > 0.0);
            *self = Self { source, lines: lines(session, metric), offered };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::metric::UTILIZATION;
    use crate::viz::session::session;
    use bevy_egui::egui::vec2;

    #[test]
    fn lines_have_the_values_of_the_run() {
        let session = session();
        let utilizations = lines(&session, UTILIZATION.name);
        let names: Vec<&str> = utilizations.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["server-0", "server-1", "server-2"]);
        // The spike is from 10 s to 25 s: server-2 is saturated then, but not before.
        let utilization_at = |seconds| utilizations[2].at(seconds);
        assert!(utilization_at(12.0).is_some_and(|value| value > 0.9), "{:?}", utilization_at(12.0));
        assert!(utilization_at(3.0).is_some_and(|value| value < 0.85), "{:?}", utilization_at(3.0));
        let server = session.names.node_named("server-2").expect("the server exists");
        assert_eq!(line_of_node(&session, server, &UTILIZATION).as_ref(), Some(&utilizations[2]));
        let probed = lines(&session, &format!("{}{PROBED}", UTILIZATION.name));
        assert_eq!((probed.len(), probed[0].unit), (3, Unit::Share));
        let result = &session.background_run.finished().expect("the run has finished").result;
        for metric in metric_names(result) {
            assert!(!lines(&session, &metric).is_empty(), "{metric} has no line");
        }
        let created: u64 = result.sources.iter().map(|source| source.outcomes.offered).sum();
        let offered = offered(&session);
        let width = result.timeline.interval.as_seconds();
        let sum: f64 = offered.points.iter().map(|point| f64::from(point.1) * width).sum();
        assert!((sum - created as f64).abs() < 0.5, "{sum} of {created} requests");
    }

    #[test]
    fn a_path_keeps_peaks_and_stays_inside_its_frame() {
        let points = (0..10_000).map(|i| (f64::from(i), if i == 4_321 { 50.0 } else { 1.0 })).collect();
        let line = Line { name: String::new(), unit: Unit::Count, points };
        let rect = Rect::from_min_size(pos2(10.0, 20.0), vec2(200.0, 100.0));
        let frame = Frame { rect, end: 10_000.0 };
        let path = frame.path(&line, line.peak());
        assert!(path.len() <= 201, "{} points", path.len());
        assert!(path.iter().all(|at| rect.expand(0.01).contains(*at)));
        let highest = path.iter().min_by(|a, b| a.y.total_cmp(&b.y)).expect("the path has points");
        assert!((highest.x - frame.x(4_321.0)).abs() < 1.5 && (highest.y - rect.top()).abs() < 0.01);
        assert!((frame.seconds(frame.x(2_500.0)) - 2_500.0).abs() < 1.0);
    }
}
