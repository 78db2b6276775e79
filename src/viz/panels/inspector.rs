//! The inspector: what is known of the box or the request that was clicked.

use bevy_egui::egui::{RichText, Ui};
use indexmap::IndexMap;

use crate::event::Node;
use crate::format::numbers::{count, mean, percent, time};
use crate::metrics::figures::FigureValue;
use crate::model::figure::{Combined, Figure, Written};
use crate::model::metric::Subject;
use crate::model::names::Names;
use crate::viz::live_state::{RequestLocation, TrackedRequest};
use crate::viz::picture::Camera;
use crate::viz::plots::words;
use crate::viz::session::Session;

/// Of a table with more rows only so many are shown.
const MAX_ROWS: usize = 16;

pub(super) fn show(ui: &mut Ui, session: &mut Session, view: &mut View) {
    if let Some(tracked_request) = view.request.and_then(|row| session.live_state.tracked_request(row)) {
        request(ui, session, tracked_request, &mut view.highlight);
    } else if let Some(place) = view.node.and_then(|at| session.layout.places.get(at)) {
        ui.strong(place.name.as_str());
        ui.label(RichText::new(place.nodes.kind.name()).weak());
        if place.is_folded() {
            ui.label(format!("{} nodes in one box", place.nodes.count));
        } else {
            let node = place.node();
            for (what, value) in known_of(session, node) {
                ui.label(format!("{what}: {value}"));
            }
        }
    } else {
        ui.label(RichText::new("Click a box or a dot to see what it is.").weak());
    }
}

/// Where a request is and where it has been.
fn request(ui: &mut Ui, session: &Session, tracked_request: &TrackedRequest, highlight: &mut Option<u32>) {
    let now = session.clock.now;
    ui.strong(format!("Request of key {}", tracked_request.key));
    let source = session.name_of(tracked_request.source);
    let age = time(Some(now.since(tracked_request.born).as_seconds()));
    ui.label(format!("from {source}, under way for {age}"));
    ui.label(match tracked_request.location {
        RequestLocation::At(_) => "at a node".to_owned(),
        RequestLocation::Between { home: false, .. } => "on its way".to_owned(),
        RequestLocation::Between { home: true, .. } => "its response is on its way".to_owned(),
        RequestLocation::Waiting(_) => "waiting".to_owned(),
        RequestLocation::Served { done, .. } => format!("served until {:.3} s", done.as_seconds()),
    });
    let mut before = tracked_request.born;
    for (at, node) in &tracked_request.journey {
        let name = session.name_of(*node);
        let passed = time(Some(at.since(before).as_seconds()));
        ui.label(RichText::new(format!("{:>10.3} s  {name}  +{passed}", at.as_seconds())).monospace());
        before = *at;
    }
    let mut highlighted = *highlight == Some(tracked_request.key);
    if ui.checkbox(&mut highlighted, "this key stands out").changed() {
        *highlight = highlighted.then_some(tracked_request.key);
    }
}

/// What each thing that the clicked node measures is at this moment; each can be pinned to its box.
pub(super) fn measures(ui: &mut Ui, session: &Session, view: &mut View) {
    let picked = view.node.filter(|_| view.request.is_none());
    let Some((at, place)) = picked.and_then(|at| Some((at, session.layout.places.get(at)?))) else { return };
    let Some(whole) = session.background_run.floor_to_usize().filter(|_| !place.is_folded()) else { return };
    let pins = &mut view.pins;
    let timeline = &whole.result.timeline;
    let interval = session.clock.now.as_seconds() / timeline.interval.as_seconds().max(1e-12);
    for (position, key) in timeline.keys.iter().enumerate() {
        if key.subject != Subject::Node(place.node()) {
            continue;
        }
        let value = timeline.series(position).nth(crate::engine::floor_to_usize(interval));
        let value = value.filter(|value| value.is_finite());
        let value = value.map_or_else(|| "-".to_owned(), |value| words(value, key.metric.unit));
        let pin = (at, key.metric);
        let mut pinned = pins.contains(&pin);
        ui.horizontal(|ui| {
            let label = format!("{}: {value}", key.metric.name.replace('_', " "));
            if ui.checkbox(&mut pinned, label).on_hover_text("pin its plot to the box").changed() {
                if pinned { pins.push(pin) } else { pins.retain(|other| *other != pin) }
            }
        });
    }
}

/// What is known of a node at the moment that is shown: whom it holds, and what it has come to.
fn known_of(session: &mut Session, node: Node) -> Vec<(String, String)> {
    let mut known = Vec::new();
    if let Some(server_state) = session.live_state.server_state(node) {
        known.push((
            "in service".to_owned(),
            format!("{} of {}", server_state.in_service, server_state.active_slots),
        ));
        known.push(("waiting".to_owned(), count(server_state.line.len() as u64)));
    }
    let figures = session.figures(node);
    known.extend(figures.iter().filter_map(|(figure, value)| told(&session.names, figure, value)));
    known
}

/// What a figure is called, and what it has come to, if that is worth telling.
fn told(names: &Names, figure: &Figure, value: &FigureValue) -> Option<(String, String)> {
    let is_told = match figure.written {
        Visibility::Always => true,
        Written::NotZero => !matches!(value, FigureValue::Count(0)),
        Visibility::Never => false,
    };
    is_told.then(|| match value {
        FigureValue::Count(number) => (figure.label.to_owned(), count(*number)),
        FigureValue::Number(number) => {
            let is_ratio = matches!(figure.combined, Combined::Ratio(..));
            (figure.label.to_owned(), if is_ratio { percent(*number) } else { mean(*number) })
        }
        FigureValue::Times(times) => {
            let seconds = times.summarize().mean().map(|nanos| nanos / 1e9);
            (format!("mean {}", figure.label), time(seconds))
        }
        FigureValue::Table(table) => (figure.label.to_owned(), rows(names, table)),
    })
}

/// A table in a line.
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
