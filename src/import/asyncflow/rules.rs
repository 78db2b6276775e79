//! The rules that connect several fields of an AsyncFlow file: those that it checks, and those without which it crashes.
//!
//! AsyncFlow reports the first of them. Here all are reported.

use super::payload::{Event, EventKind, Payload};
use crate::import::read::At;
use crate::text::{Diagnostic, nearest};

/// All errors.
pub(super) fn check(payload: &Payload) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    ids(payload, &mut errors);
    edges(payload, &mut errors);
    coverage(payload, &mut errors);
    events(payload, &mut errors);
    errors
}

/// The ids of all nodes but the generator.
fn nodes(payload: &Payload) -> Vec<&At<String>> {
    let servers = payload.servers.iter().map(|server| &server.id);
    let balancer = payload.balancer.iter().map(|balancer| &balancer.id);
    std::iter::once(&payload.client).chain(balancer).chain(servers).collect()
}

fn ids(payload: &Payload, errors: &mut Vec<Diagnostic>) {
    let repeated = |ids: Vec<&At<String>>, what: &str, errors: &mut Vec<Diagnostic>| {
        for (index, id) in ids.iter().enumerate() {
            if ids[..index].iter().any(|other| other.value == id.value) {
                errors.push(
                    id.wrong(format!("another {what} has the id `{}`", id.value), "give it another id"),
                );
            }
        }
    };
    let generator = std::iter::once(&payload.input.id);
    for id in generator.clone().chain(nodes(payload)).filter(|id| id.value == "*") {
        errors.push(id.wrong("in a scenario, `*` is any node", "give it another id"));
    }
    repeated(generator.chain(nodes(payload)).collect(), "node", errors);
    repeated(payload.edges.iter().map(|edge| &edge.id).collect(), "edge", errors);
    repeated(payload.events.iter().map(|event| &event.id).collect(), "event", errors);
}

fn edges(payload: &Payload, errors: &mut Vec<Diagnostic>) {
    let declared = nodes(payload);
    let names = || declared.iter().map(|id| id.value.as_str());
    let is_declared = |id: &str| names().any(|name| name == id);
    let generator = payload.input.id.value.as_str();
    let balancer = payload.balancer.as_ref().map(|balancer| balancer.id.value.as_str());
    for (index, edge) in payload.edges.iter().enumerate() {
        let (source, target) = (edge.source.value.as_str(), edge.target.value.as_str());
        if source == target {
            errors.push(edge.target.wrong("an edge leads to another node", "name another target"));
        } else if target == generator {
            errors.push(edge.target.wrong("no edge leads to the generator", "let it lead to the client"));
        } else if !is_declared(target) {
            errors.push(
                edge.target.wrong(format!("there is no node `{target}`"), nearest::hint(target, names())),
            );
        }
        if source != generator && !is_declared(source) {
            let hint = nearest::hint(source, names().chain([generator]).collect::<Vec<_>>());
            errors.push(edge.source.wrong(format!("there is no node `{source}`: AsyncFlow crashes"), hint));
        }
        let before = || payload.edges[..index].iter().filter(|other| other.source.value == source);
        if Some(source) == balancer {
            if before().any(|other| other.target.value == target) {
                let message = "a second edge from the load balancer to the same server: both get a share of the requests, \
                               and events and samples are those of this one";
                errors.push(edge.target.wrong(message, "remove one of them"));
            }
        } else if source != generator && before().next().is_some() {
            let message = format!("`{source}` has several edges: only the load balancer may");
            errors.push(edge.source.wrong(message, "send through the load balancer, or remove all but one"));
        }
    }
    if !payload.edges.iter().any(|edge| edge.source.value == generator) {
        let message = format!("no edge leads from the generator `{generator}`: AsyncFlow crashes");
        errors.push(payload.input.id.wrong(message, "add an edge from it to the client"));
    }
}

fn coverage(payload: &Payload, errors: &mut Vec<Diagnostic>) {
    let Some(balancer) = &payload.balancer else { return };
    for covered in &balancer.covered {
        let names = payload.servers.iter().map(|server| server.id.value.as_str());
        if !names.clone().any(|name| name == covered.value) {
            let message = format!("there is no server `{}`", covered.value);
            errors.push(covered.wrong(message, nearest::hint(&covered.value, names)));
        } else if !payload
            .edges
            .iter()
            .any(|edge| edge.source.value == balancer.id.value && edge.target.value == covered.value)
        {
            let message = format!("no edge leads from the load balancer to `{}`", covered.value);
            errors.push(covered.wrong(message, "add one, or remove the server from `server_covered`"));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "the horizon is far below 2^53 s")]
fn events(payload: &Payload, errors: &mut Vec<Diagnostic>) {
    let horizon = payload.settings.horizon as f64;
    for (index, event) in payload.events.iter().enumerate() {
        let target = event.target.value.as_str();
        let servers = payload.servers.iter().map(|server| server.id.value.as_str());
        let edges = payload.edges.iter().map(|edge| edge.id.value.as_str());
        let (names, what): (Vec<&str>, _) = match event.kind {
            EventKind::Outage => (servers.collect(), "server"),
            EventKind::Spike(_) => (edges.collect(), "edge"),
        };
        if !names.contains(&target) {
            let message = format!("there is no {what} `{target}`");
            errors.push(event.target.wrong(message, nearest::hint(target, names)));
        }
        if event.to.value <= event.from.value {
            errors
                .push(event.to.wrong("the event ends before it starts", "make `t_end` later than `t_start`"));
        }
        for time in [&event.from, &event.to] {
            if time.value > horizon {
                let message = format!("the event is beyond the end of the run, {horizon} s");
                errors.push(time.wrong(message, "make it earlier, or `total_simulation_time` longer"));
            }
        }
        if event.kind == EventKind::Outage {
            outage(payload, index, event, errors);
        }
    }
}

/// Checks that an outage does not overlap another one of the server, and leaves a server up.
fn outage(payload: &Payload, index: usize, event: &Event, errors: &mut Vec<Diagnostic>) {
    let others = || {
        let outages = payload.events.iter().enumerate().filter(|(_, other)| other.kind == EventKind::Outage);
        outages.filter(move |(other, _)| *other != index)
    };
    let same_server = |other: &Event| other.target.value == event.target.value;
    let overlaps = |other: &Event| other.from.value < event.to.value && event.from.value < other.to.value;
    if others().any(|(other, outage)| other < index && same_server(outage) && overlaps(outage)) {
        let message = format!("`{}` is down already at this time", event.target.value);
        errors.push(event.from.wrong(message, "let the outages of a server follow each other"));
    }
    // All servers are down at a time at which an outage starts, if ever.
    let is_down = |id: &str| {
        payload.events.iter().any(|other| {
            other.kind == EventKind::Outage
                && other.target.value == id
                && other.from.value <= event.from.value
                && event.from.value < other.to.value
        })
    };
    if payload.servers.iter().all(|server| is_down(&server.id.value)) {
        errors.push(event.from.wrong("all servers are down at this time", "leave one of them up"));
    }
}
