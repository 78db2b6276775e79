//! The inspector: what is known of the box or the request that was clicked.

use bevy_ecs::prelude::World;
use bevy_egui::egui::{RichText, Ui};

use crate::event::Node;
use crate::format::numbers::{count, time};
use crate::metrics::timeline::Subject;
use crate::model::client::Client;
use crate::model::load_balancer::LoadBalancer;
use crate::model::server::{InFlight, ServerCounters, WaitQueue};
use crate::model::source::Source;
use crate::request::Outcome;
use crate::viz::picture::View;
use crate::viz::plots::words;
use crate::viz::session::Session;
use crate::viz::stage::{Traveller, Whereabouts};

pub(super) fn show(ui: &mut Ui, session: &Session, view: &mut View) {
    if let Some(traveller) = view.request.and_then(|row| session.stage.traveller(row)) {
        request(ui, session, traveller, &mut view.highlight);
    } else if let Some(place) = view.node.and_then(|at| session.layout.places.get(at)) {
        ui.strong(place.name.as_str());
        ui.label(RichText::new(place.kind.name()).weak());
        if place.members == 1 {
            for (what, value) in counters(session.world(), place.node()) {
                ui.label(format!("{what}: {value}"));
            }
        } else {
            ui.label(format!("{} nodes in one box", place.members));
        }
    } else {
        ui.label(RichText::new("Click a box or a dot to see what it is.").weak());
    }
}

/// Where a request is and where it has been.
fn request(ui: &mut Ui, session: &Session, traveller: &Traveller, highlight: &mut Option<u32>) {
    let now = session.clock.now;
    ui.strong(format!("Request of key {}", traveller.key));
    let source = session.name_of(Node::Source(traveller.source));
    let age = time(Some(now.since(traveller.born).as_seconds()));
    ui.label(format!("from {source}, under way for {age}"));
    ui.label(match traveller.whereabouts {
        Whereabouts::At(_) => "at a node".to_owned(),
        Whereabouts::Between { home: false, .. } => "on its way".to_owned(),
        Whereabouts::Between { home: true, .. } => "its response is on its way".to_owned(),
        Whereabouts::Waiting(_) => "waiting".to_owned(),
        Whereabouts::Served { done, .. } => format!("served until {:.3} s", done.as_seconds()),
    });
    let mut before = traveller.born;
    for (at, node) in &traveller.journey {
        let name = session.name_of(*node);
        let passed = time(Some(at.since(before).as_seconds()));
        ui.label(RichText::new(format!("{:>10.3} s  {name}  +{passed}", at.as_seconds())).monospace());
        before = *at;
    }
    let mut highlighted = *highlight == Some(traveller.key);
    if ui.checkbox(&mut highlighted, "this key stands out").changed() {
        *highlight = highlighted.then_some(traveller.key);
    }
}

/// What each thing that the clicked node measures is at this moment; each can be pinned to its box.
pub(super) fn measures(ui: &mut Ui, session: &Session, view: &mut View) {
    let picked = view.node.filter(|_| view.request.is_none());
    let Some((at, place)) = picked.and_then(|at| Some((at, session.layout.places.get(at)?))) else { return };
    let Some(whole) = session.overview.whole().filter(|_| place.members == 1) else { return };
    let pins = &mut view.pins;
    let timeline = &whole.result.timeline;
    let slice = session.clock.now.as_seconds() / timeline.slice.as_seconds().max(1e-12);
    for (position, course) in timeline.courses.iter().enumerate() {
        if course.subject != Subject::Node(place.node()) {
            continue;
        }
        let value = timeline.course(position).nth(crate::engine::whole(slice));
        let value = value.filter(|value| value.is_finite());
        let value = value.map_or_else(|| "-".to_owned(), |value| words(value, course.measure.view.unit));
        let pin = (at, course.measure.name.to_owned());
        let mut pinned = pins.contains(&pin);
        ui.horizontal(|ui| {
            let label = format!("{}: {value}", course.measure.name.replace('_', " "));
            if ui.checkbox(&mut pinned, label).on_hover_text("pin its plot to the box").changed() {
                if pinned { pins.push(pin) } else { pins.retain(|other| *other != pin) }
            }
        });
    }
}

/// What a node has counted up to now.
pub(crate) fn counters(world: &World, node: Node) -> Vec<(&'static str, String)> {
    match node {
        Node::Source(row) => component::<Source>(world, row).map_or_else(Vec::new, |source| {
            let fates = &source.fates;
            let mut rows = vec![("offered", count(fates.offered)), ("under way", count(fates.in_flight()))];
            let ended = Outcome::ALL.iter().filter(|outcome| fates.of(**outcome) > 0);
            rows.extend(ended.map(|outcome| (outcome.name(), count(fates.of(*outcome)))));
            rows
        }),
        Node::LoadBalancer(row) => component::<LoadBalancer>(world, row).map_or_else(Vec::new, |balancer| {
            let routed = balancer.routed.iter().map(|routed| count(*routed)).collect::<Vec<_>>();
            vec![("routed to each target", routed.join(", "))]
        }),
        Node::Client(row) => component::<Client>(world, row).map_or_else(Vec::new, |client| {
            vec![
                ("requests", count(client.requests)),
                ("responses", count(client.responses)),
                ("sent elsewhere", count(client.rehashed)),
            ]
        }),
        Node::Server(row) => server(world, row).unwrap_or_default(),
    }
}

fn server(world: &World, row: u32) -> Option<Vec<(&'static str, String)>> {
    let in_flight = component::<InFlight>(world, row)?;
    let queue = component::<WaitQueue>(world, row)?;
    let counters = component::<ServerCounters>(world, row)?;
    Some(vec![
        ("in service", format!("{} of {}", in_flight.level.level(), in_flight.concurrency)),
        ("waiting", count(queue.depth.level().into())),
        ("arrived", count(counters.arrived)),
        ("completed", count(counters.completed)),
        ("rejected", count(counters.rejected)),
        ("mean wait", time(counters.wait.quantiles().mean().map(|nanos| nanos / 1e9))),
    ])
}

/// A component of the part in a row of its kind.
fn component<C: bevy_ecs::prelude::Component>(world: &World, row: u32) -> Option<&C> {
    world.try_query::<&C>()?.iter(world).nth(row as usize)
}
