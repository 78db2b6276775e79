//! The inspector: the state and figures of the selected node, or the state and path of the selected request.

use bevy_egui::egui::{RichText, Ui};
use indexmap::IndexMap;

use crate::engine::time::SimTime;
use crate::event::Node;
use crate::format::numbers::{count, mean, percent, time};
use crate::metrics::figures::{FigureValue, NodeFigures};
use crate::model::figure::{Aggregation, Figure, Visibility};
use crate::model::metric::Subject;
use crate::model::names::Names;
use crate::model::node_state::NodeState;
use crate::model::trace::Passage;
use crate::request::Outcome;
use crate::viz::picture::Camera;
use crate::viz::plots::format_value;
use crate::viz::session::Session;
use crate::viz::tracked_request::{RequestLocation, TrackedCall, TrackedRequest};

/// Maximum number of rows shown of a table.
const MAX_ROWS: usize = 16;
/// Maximum depth of calls of calls whose paths are shown.
const MAX_DEPTH: usize = 24;

pub(super) fn show(ui: &mut Ui, session: &mut Session, camera: &mut Camera) {
    if let Some(tracked_request) = camera.request.and_then(|row| session.live_state.tracked_request(row)) {
        request(ui, session, tracked_request, &mut camera.highlight);
    } else if let Some(place) = camera.node.and_then(|at| session.layout.boxes.get(at)) {
        ui.strong(place.name.as_str());
        ui.label(RichText::new(place.nodes.kind.name()).weak());
        if place.is_folded() {
            ui.label(format!("{} nodes in one box", place.nodes.count));
        } else {
            let node = place.node();
            for (label, value) in facts(session, node) {
                ui.label(format!("{label}: {value}"));
            }
        }
    } else {
        ui.label(RichText::new("Click a box or a dot to inspect it.").weak());
    }
}

/// The location of a request, and its path.
fn request(ui: &mut Ui, session: &Session, tracked_request: &TrackedRequest, highlight: &mut Option<u32>) {
    let now = session.clock.now;
    let noun = if tracked_request.parent.is_some() { "Call" } else { "Request" };
    ui.strong(format!("{noun} with key {}", tracked_request.key));
    let source = session.name_of(tracked_request.source);
    let age = time(Some(now.since(tracked_request.created).as_seconds()));
    ui.label(format!("from {source}, in flight for {age}"));
    ui.label(match tracked_request.location {
        RequestLocation::At(_) => "at a node".to_owned(),
        RequestLocation::Between { passage: Passage::Transferred, is_response, .. } => {
            if is_response { "response in transfer over a link" } else { "in transfer over a link" }
                .to_owned()
        }
        RequestLocation::Between { is_response: false, .. } => "on a link".to_owned(),
        RequestLocation::Between { is_response: true, .. } => "response on a link".to_owned(),
        RequestLocation::Waiting(_) => "waiting".to_owned(),
        RequestLocation::Served { done, .. } => format!("in service until {:.3} s", done.as_seconds()),
        RequestLocation::Blocked { resource: None, .. } => "in a slot".to_owned(),
        RequestLocation::Blocked { node, resource: Some(resource), since, .. } => {
            let resource =
                session.names.resources(node).get(usize::from(resource)).map_or("", String::as_str);
            format!("waiting for {resource} since {:.3} s", since.as_seconds())
        }
        RequestLocation::Calling { since, .. } => {
            format!("waiting for a call since {:.3} s", since.as_seconds())
        }
    });
    journey(ui, session, tracked_request, 0);
    let mut highlighted = *highlight == Some(tracked_request.key);
    if ui.checkbox(&mut highlighted, "highlight this key").changed() {
        *highlight = highlighted.then_some(tracked_request.key);
    }
}

/// The path of a request, with the paths of its calls at the times at which they were made.
fn journey(ui: &mut Ui, session: &Session, request: &TrackedRequest, depth: usize) {
    let indent = "  ".repeat(depth);
    let mut calls = request.calls.iter().filter_map(|call| called(session, call)).peekable();
    let mut before = request.created;
    for (index, (at, node)) in request.path.iter().enumerate() {
        let name = session.name_of(*node);
        let passed = time(Some(at.since(before).as_seconds()));
        let line = format!("{:>10.3} s  {indent}{name}  +{passed}", at.as_seconds());
        ui.label(RichText::new(line).monospace());
        before = *at;
        let next = request.path.get(index + 1).map(|(at, _)| *at);
        while let Some((call, end)) = calls.next_if(|(call, _)| next.is_none_or(|next| call.created < next)) {
            let end = end.map_or("in flight", |(_, outcome)| outcome.label());
            let line = format!("{:>10.3} s  {indent}  call, {end}", call.created.as_seconds());
            ui.label(RichText::new(line).monospace().weak());
            if depth + 1 < MAX_DEPTH {
                journey(ui, session, call, depth + 2);
            }
        }
    }
}

/// A call, and its end if it has ended.
fn called<'a>(
    session: &'a Session,
    call: &'a TrackedCall,
) -> Option<(&'a TrackedRequest, Option<(SimTime, Outcome)>)> {
    match call {
        TrackedCall::InFlight(row) => Some((session.live_state.tracked_request(*row)?, None)),
        TrackedCall::Over(over) => Some((&over.call, Some(over.ended))),
    }
}

/// The values of all metrics of the selected node at the time shown, each with a checkbox that pins its plot.
pub(super) fn metrics(ui: &mut Ui, session: &Session, camera: &mut Camera) {
    let selected = camera.node.filter(|_| camera.request.is_none());
    let Some((at, place)) = selected.and_then(|at| Some((at, session.layout.boxes.get(at)?))) else {
        return;
    };
    let Some(run) = session.background_run.finished().filter(|_| !place.is_folded()) else { return };
    let pins = &mut camera.pins;
    let timeline = &run.result.timeline;
    let interval = session.clock.now.as_seconds() / timeline.interval.as_seconds().max(1e-12);
    for (position, key) in timeline.keys.iter().enumerate() {
        if key.subject != Subject::Node(place.node()) {
            continue;
        }
        let value = timeline.series(position).nth(crate::engine::floor_to_usize(interval));
        let value = value.filter(|value| value.is_finite());
        let value = value.map_or_else(|| "-".to_owned(), |value| format_value(value, key.metric.unit));
        let pin = (at, key.metric);
        let mut pinned = pins.contains(&pin);
        ui.horizontal(|ui| {
            let label = format!("{}: {value}", key.metric.name.replace('_', " "));
            if ui.checkbox(&mut pinned, label).on_hover_text("Pin the plot to the box").changed() {
                if pinned { pins.push(pin) } else { pins.retain(|other| *other != pin) }
            }
        });
    }
}

/// Labels and values to show of a node at the time shown: the requests that it holds, and its figures.
fn facts(session: &mut Session, node: Node) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    if let Some(server_state) = session.live_state.server_state(node) {
        if server_state.state != NodeState::Up {
            facts.push(("state".to_owned(), server_state.state.name().to_owned()));
        }
        facts.push(("in service".to_owned(), server_state.in_slots()));
        facts.push(("waiting".to_owned(), count(server_state.queue.len() as u64)));
    }
    let figures = session.figures(node);
    for (figure, value) in figures.iter() {
        if let FigureValue::Rows(rows) = value {
            facts.extend(inside(&session.names, rows));
        } else {
            facts.extend(fact(&session.names, figure, value));
        }
    }
    facts
}

/// The labels and values of the figures of things inside a node, each below the name of the thing; without those that
/// are 0.
fn inside(names: &Names, rows: &IndexMap<String, NodeFigures>) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    for (name, row) in rows {
        facts.push((name.clone(), String::new()));
        let is_some = |value: &FigureValue| match value {
            FigureValue::Count(number) => *number > 0,
            FigureValue::Number(number) => number.is_some_and(|number| number > 0.0),
            FigureValue::Times(times) => times.count() > 0,
            FigureValue::Table(_) | FigureValue::Rows(_) => false,
        };
        let shown = row.iter().filter(|(_, value)| is_some(value));
        let shown = shown.filter_map(|(figure, value)| fact(names, figure, value));
        facts.extend(shown.map(|(label, value)| (format!("    {label}"), value)));
    }
    facts
}

/// The label and value of a figure, or `None` if the figure is hidden.
fn fact(names: &Names, figure: &Figure, value: &FigureValue) -> Option<(String, String)> {
    let is_visible = match figure.written {
        Visibility::Always => true,
        Visibility::NotZero => !matches!(value, FigureValue::Count(0)),
        Visibility::Never => false,
    };
    is_visible.then(|| match value {
        FigureValue::Count(number) => (figure.label.to_owned(), count(*number)),
        FigureValue::Number(number) => {
            let is_ratio = matches!(figure.combined, Aggregation::Ratio(..));
            let text = match is_ratio {
                _ if figure.is_seconds => time(*number),
                true => percent(*number),
                false => mean(*number),
            };
            (figure.label.to_owned(), text)
        }
        FigureValue::Times(times) => {
            let seconds = times.summarize().mean().map(|nanos| nanos / 1e9);
            (format!("mean {}", figure.label), time(seconds))
        }
        FigureValue::Table(table) => (figure.label.to_owned(), rows(names, table)),
        FigureValue::Rows(things) => (figure.label.to_owned(), count(things.len() as u64)),
    })
}

/// A table on one line.
fn rows(names: &Names, table: &IndexMap<Node, u64>) -> String {
    let rows = table.iter().take(MAX_ROWS);
    let mut rows: Vec<String> =
        rows.map(|(node, number)| format!("{} {}", names.name_of(*node), count(*number))).collect();
    let others = table.len().saturating_sub(MAX_ROWS);
    if others > 0 {
        rows.push(format!("and {} more", count(others as u64)));
    }
    rows.join(", ")
}
