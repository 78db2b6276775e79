//! Lines over time: what parts measured of themselves and what probes took, ready to be painted at any size.

use bevy_egui::egui::{Color32, CornerRadius, Mesh, Painter, Pos2, Rect, Shape, Stroke, pos2};

use super::picture::single;
use super::session::Session;
use crate::engine::floor_to_usize;
use crate::event::Node;
use crate::format::numbers as figures;
use crate::metrics::result::RunResult;
use crate::model::metric::{ARRIVAL_RATE, Metric, SeriesKey, Subject, Unit};
use crate::model::probe::Series;

/// Lines of a plot at most.
pub const MAX_LINES: usize = 7;
/// Behind the name of a gauge that is plotted as a probe took it, and not as the part measured itself.
pub const PROBED: &str = " (probe)";

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Whose it is.
    pub name: String,
    /// The unit of its values.
    pub unit: Unit,
    /// Seconds, and values; not a number where there is none.
    pub points: Vec<(f64, f32)>,
}

impl Line {
    /// The largest value; 0 if there is none.
    #[must_use]
    pub fn peak(&self) -> f32 {
        peak(self.points.iter().map(|point| point.1))
    }

    /// The value at a moment: the last one before its end.
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

/// A value as people read it.
#[must_use]
pub fn words(value: f32, unit: Unit) -> String {
    let value = f64::from(value);
    match unit {
        Unit::Count => figures::short(value),
        Unit::Share => format!("{:.0} %", value * 100.0),
        Unit::Seconds => figures::time(Some(value)),
        Unit::PerSecond => format!("{}/s", figures::short(value)),
    }
}

/// The names of all that can be plotted of a run: metrics, then gauges of probes.
#[must_use]
pub fn measures(result: &RunResult) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let probed = result.series.iter().map(|series| format!("{}{PROBED}", series.name()));
    for name in result.timeline.keys.iter().map(|key| key.metric.name.to_owned()).chain(probed) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The lines of a measure; where there are many, those that reach highest.
#[must_use]
pub fn lines(session: &Session, measure: &str) -> Vec<Line> {
    let Some(whole) = session.background_run.floor_to_usize() else { return Vec::new() };
    let mut found: Vec<Line> = match measure.strip_suffix(PROBED) {
        Some(metric) => {
            let wanted = whole.result.series.iter().filter(|series| series.name() == metric);
            let line = |series: &Series| Line {
                name: series.node.clone(),
                unit: series.metric.unit,
                points: series.samples.iter().map(|(at, value)| (at.as_seconds(), single(*value))).collect(),
            };
            wanted.map(line).collect()
        }
        None => {
            let keys = whole.result.timeline.keys.iter().enumerate();
            let wanted = keys.filter(|(_, key)| key.metric.name == measure);
            wanted.map(|(at, _)| line(session, &whole.result, at)).collect()
        }
    };
    if found.len() > MAX_LINES {
        found.sort_by(|a, b| b.peak().total_cmp(&a.peak()));
        found.truncate(MAX_LINES);
    }
    found
}

/// The line of a metric of one node.
#[must_use]
pub fn of_node(session: &Session, node: Node, metric: &Metric) -> Option<Line> {
    let result = &session.background_run.floor_to_usize()?.result;
    Some(line(session, result, result.timeline.position(Subject::Node(node), metric)?))
}

fn line(session: &Session, result: &RunResult, position: usize) -> Line {
    let timeline = &result.timeline;
    let SeriesKey { subject, metric, .. } = timeline.keys[position];
    let width = timeline.interval.as_seconds();
    // Values of an interval stand in its middle. What is told once a window is not a number in the other intervals.
    let points = (0_u32..)
        .zip(timeline.series(position))
        .map(|(interval, value)| ((f64::from(interval) + 0.5) * width, value));
    let points = points.filter(|(_, value)| value.is_finite()).collect();
    Line { name: name(session, result, subject), unit: metric.unit, points }
}

fn name(session: &Session, result: &RunResult, subject: Subject) -> String {
    match subject {
        Subject::Node(node) | Subject::Estimate { of: node, .. } => session.name_of(node),
        Subject::Link(row) => result.links[row as usize].name.clone(),
    }
}

/// How many requests were offered each second, over time: all that create some together.
#[must_use]
pub fn offered(session: &Session) -> Line {
    let mut sum = Line { name: "offered".to_owned(), unit: Unit::PerSecond, points: Vec::new() };
    let Some(whole) = session.background_run.floor_to_usize() else { return sum };
    let creates = |subject: Subject| matches!(subject, Subject::Node(node) if !node.kind().receives());
    let keys = whole.result.timeline.keys.iter().enumerate();
    for (at, _) in keys.filter(|(_, key)| *key.metric == ARRIVAL_RATE && creates(key.subject)) {
        let line = line(session, &whole.result, at);
        if sum.points.is_empty() {
            sum.points = line.points;
        } else {
            sum.points.iter_mut().zip(line.points).for_each(|(sum, point)| sum.1 += point.1);
        }
    }
    sum
}

/// Where plots are painted: a rectangle, and the seconds that lie at its right edge.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// The rectangle.
    pub rect: Rect,
    /// Seconds.
    pub end: f64,
}

impl Frame {
    /// Where a moment lies.
    #[must_use]
    pub fn x(&self, seconds: f64) -> f32 {
        self.rect.left() + self.rect.width() * single((seconds / self.end.max(1e-9)).clamp(0.0, 1.0))
    }

    /// A line with as many points as there is room for, `top` at the upper edge: of what falls together the largest.
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

    /// Paints a line in dashes.
    pub fn dashes(&self, painter: &Painter, line: &Line, top: f32, stroke: Stroke) {
        painter.extend(Shape::dashed_line(&self.path(line, top), stroke, 5.0, 4.0));
    }

    /// Fills what lies below a line.
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

    /// Paints the moment that is shown.
    pub fn playhead(&self, painter: &Painter, seconds: f64, colour: Color32) {
        let x = self.x(seconds);
        painter
            .line_segment([pos2(x, self.rect.top()), pos2(x, self.rect.bottom())], Stroke::new(1.5, colour));
    }

    /// The ground of the plot.
    pub fn ground(&self, painter: &Painter, colour: Color32) {
        painter.rect_filled(self.rect, CornerRadius::same(4), colour);
    }

    /// The second that lies at a point.
    #[must_use]
    pub fn seconds(&self, x: f32) -> f64 {
        f64::from(((x - self.rect.left()) / self.rect.width().max(1.0)).clamp(0.0, 1.0)) * self.end
    }
}

/// Lines that were gathered for a measure: gathered anew only when the run or the measure changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gathered {
    of: Option<(String, u64)>,
    /// The lines.
    pub lines: Vec<Line>,
    /// How many requests were offered each second.
    pub offered: Option<Line>,
}

impl Gathered {
    /// Gathers the lines of a measure of a session.
    pub fn gather(&mut self, session: &Session, measure: &str) {
        let of = session
            .background_run
            .floor_to_usize()
            .map(|whole| (measure.to_owned(), whole.result.fingerprint));
        if of != self.of {
            let offered = offered(session);
            let offered =
                Some(offered).filter(|line| floor_to_usize(line.peak().into()) > 0 || line.peak() > 0.0);
            *self = Self { of, lines: lines(session, measure), offered };
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
    fn lines_are_those_of_the_run() {
        let session = session();
        let loads = lines(&session, UTILIZATION.name);
        let names: Vec<&str> = loads.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["server-0", "server-1", "server-2"]);
        // The spike is from 10 s to 25 s: server 2 is full then, and is not before.
        assert!(loads[2].at(12.0).is_some_and(|load| load > 0.9), "{:?}", loads[2].at(12.0));
        assert!(loads[2].at(3.0).is_some_and(|load| load < 0.85), "{:?}", loads[2].at(3.0));
        let server = session.names.node_named("server-2").expect("it is there");
        assert_eq!(of_node(&session, server, &UTILIZATION).as_ref(), Some(&loads[2]));
        let probed = lines(&session, &format!("{}{PROBED}", UTILIZATION.name));
        assert_eq!((probed.len(), probed[0].unit), (3, Unit::Share));
        let result = &session.background_run.floor_to_usize().expect("it was waited for").result;
        for measure in measures(result) {
            assert!(!lines(&session, &measure).is_empty(), "{measure} has no line");
        }
        let born: u64 = result.sources.iter().map(|source| source.outcomes.offered).sum();
        let offered = offered(&session);
        let width = result.timeline.interval.as_seconds();
        let sum: f64 = offered.points.iter().map(|point| f64::from(point.1) * width).sum();
        assert!((sum - born as f64).abs() < 0.5, "{sum} of {born} requests");
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
        let highest = path.iter().min_by(|a, b| a.y.total_cmp(&b.y)).expect("it has points");
        assert!((highest.x - frame.x(4_321.0)).abs() < 1.5 && (highest.y - rect.top()).abs() < 0.01);
        assert!((frame.seconds(frame.x(2_500.0)) - 2_500.0).abs() < 1.0);
    }
}
