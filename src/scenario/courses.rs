//! What is measured in every run of a scenario: the courses of its timeline, in the order in which dispatch reads them.

use super::directory::Directory;
use super::{NodeSpec, Scenario};
use crate::event::Node;
use crate::metrics::timeline::{Course, Subject};
use crate::model::client::{BELIEF, ClientSpec};
use crate::model::measure::Measure;
use crate::model::probe::NodeKind;
use crate::model::{client, link, server, source};

/// Beliefs are left to probes where there are more of them: every client of a thousand about every server of a thousand.
const MOST_BELIEFS: usize = 512;

/// The courses of a scenario: sources, servers, clients, beliefs, links, each kind in the order of its rows.
pub(super) fn courses(scenario: &Scenario, directory: &Directory) -> Vec<Course> {
    let mut courses = Vec::new();
    of_kind(directory, NodeKind::Source, &source::MEASURES, &mut courses);
    of_kind(directory, NodeKind::Server, &server::MEASURES, &mut courses);
    of_kind(directory, NodeKind::Client, &client::MEASURES, &mut courses);
    beliefs(scenario, directory, &mut courses);
    let links = (0..).map(Subject::Link).take(scenario.links.len());
    courses.extend(links.flat_map(|subject| each(subject, &link::MEASURES)));
    courses
}

fn each(subject: Subject, measures: &'static [Measure]) -> impl Iterator<Item = Course> {
    measures.iter().map(move |measure| Course { subject, measure })
}

fn of_kind(directory: &Directory, kind: NodeKind, measures: &'static [Measure], courses: &mut Vec<Course>) {
    for entry in directory.entries.iter().filter(|entry| entry.kind == kind) {
        let nodes = (0..entry.members.len()).map(|member| Subject::Node(entry.node(member)));
        courses.extend(nodes.flat_map(|subject| each(subject, measures)));
    }
}

fn beliefs(scenario: &Scenario, directory: &Directory, courses: &mut Vec<Course>) {
    let aware = scenario.nodes.iter().filter_map(|(name, spec)| match spec {
        NodeSpec::Client(client) if scenario.remembers_loads(name, client) => Some((name, client)),
        NodeSpec::Client(_) | NodeSpec::LoadBalancer(_) | NodeSpec::Server(_) => None,
    });
    let subjects: Vec<Subject> =
        aware.flat_map(|(name, client)| beliefs_of(directory, name, client)).take(MOST_BELIEFS + 1).collect();
    if subjects.len() <= MOST_BELIEFS {
        courses.extend(subjects.into_iter().map(|subject| Course { subject, measure: &BELIEF }));
    }
}

fn beliefs_of(directory: &Directory, name: &str, client: &ClientSpec) -> Vec<Subject> {
    let rows = directory.entry(name).and_then(|(entry, _)| {
        let entry = &directory.entries[entry];
        match (entry.node(0), entry.node(entry.members.len() - 1)) {
            (Node::Client(first), Node::Client(last)) => Some((first, last)),
            (_, _) => None,
        }
    });
    let Some((first, last)) = rows else { return Vec::new() };
    let targets = client.to.0.iter().filter_map(|name| directory.members(name)).flatten();
    let servers = targets.filter_map(|member| match directory.node(member) {
        Node::Server(server) => Some(server),
        Node::Source(_) | Node::LoadBalancer(_) | Node::Client(_) => None,
    });
    servers.map(|server| Subject::Belief { first, last, server }).collect()
}
