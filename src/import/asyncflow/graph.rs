//! The way of requests through the nodes of an AsyncFlow file: from the generator to the client.

use std::collections::{BTreeMap, BTreeSet};

use super::payload::{Balancer, Edge, Payload, Server};
use super::wrong;
use crate::import::Meaning;
use crate::text::Diagnostic;

/// The nodes that requests pass, and the edges between them.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    /// The edge from the generator.
    pub(super) entry: &'a Edge,
    /// Whether requests pass the client on their way to the servers.
    pub(super) passes_client: bool,
    pub(super) balancer: Option<&'a Balancer>,
    pub(super) servers: Vec<&'a Server>,
    /// The edges that requests take to other nodes than the client at the end, by their sources, in the order of the file.
    pub(super) onward: BTreeMap<&'a str, Vec<&'a Edge>>,
    /// The edges from servers to the client, by their sources.
    pub(super) exits: BTreeMap<&'a str, &'a Edge>,
    /// Sentences about what is left out.
    left_out: Vec<String>,
}

/// A node that requests pass.
#[derive(Clone, Copy, Debug)]
pub(super) enum Node<'a> {
    Client,
    Balancer(&'a Balancer),
    Server(&'a Server),
}

impl<'a> Graph<'a> {
    /// Follows the edges.
    ///
    /// # Errors
    /// Nodes from which requests do not get on.
    pub(super) fn of(payload: &'a Payload, meaning: Meaning) -> Result<Self, Vec<Diagnostic>> {
        let generator = payload.input.id.value.as_str();
        let mut from_generator = payload.edges.iter().filter(|edge| edge.source.value == generator);
        // The rules ensure that there is one.
        let Some(entry) = from_generator.next_back() else { return Err(Vec::new()) };
        let mut graph = Self {
            entry,
            passes_client: false,
            balancer: None,
            servers: Vec::new(),
            onward: BTreeMap::from([(generator, vec![entry])]),
            exits: BTreeMap::new(),
            left_out: Vec::new(),
        };
        if from_generator.next_back().is_some() {
            graph
                .left_out
                .push(format!("Of several edges from `{generator}`, AsyncFlow takes the last one."));
        }
        let mut errors = Vec::new();
        let mut open = vec![entry.target.value.as_str()];
        let mut seen: BTreeSet<&str> = open.iter().copied().collect();
        while let Some(name) = open.pop() {
            let Some(node) = node(payload, name) else { continue };
            graph.visit(payload, node, name, meaning, &mut errors);
            let next = graph.onward.get(name).into_iter().flatten().map(|edge| edge.target.value.as_str());
            let next: Vec<&str> = next.filter(|next| seen.insert(next)).collect();
            open.extend(next.into_iter().rev());
        }
        graph.find_left_out(payload, &seen);
        if errors.is_empty() { Ok(graph) } else { Err(errors) }
    }

    /// Adds a node and the edges from it.
    fn visit(
        &mut self,
        payload: &'a Payload,
        node: Node<'a>,
        name: &'a str,
        meaning: Meaning,
        errors: &mut Vec<Diagnostic>,
    ) {
        let covers = |edge: &&Edge| match node {
            Node::Balancer(balancer) if meaning == Meaning::Intended && !balancer.covered.is_empty() => {
                balancer.covered.iter().any(|covered| covered.value == edge.target.value)
            }
            Node::Balancer(_) | Node::Client | Node::Server(_) => true,
        };
        let all = || payload.edges.iter().filter(|edge| edge.source.value == name);
        let (to_client, onward): (Vec<&Edge>, Vec<&Edge>) =
            all().filter(covers).partition(|edge| edge.target.value == payload.client.value);
        match node {
            Node::Client => self.passes_client = true,
            Node::Balancer(balancer) => {
                self.balancer = Some(balancer);
                self.note_uncovered(balancer, name, payload, meaning);
            }
            Node::Server(server) => {
                self.servers.push(server);
                if server.endpoints.is_empty() {
                    errors.push(server.id.wrong(
                        "the server has no endpoints: AsyncFlow crashes at its first request",
                        "add an endpoint, with steps: [] if the server does nothing",
                    ));
                }
                self.exits.extend(to_client.first().map(|edge| (name, *edge)));
            }
        }
        if let (Node::Balancer(_), Some(edge)) = (node, to_client.first()) {
            let message = "the load balancer sends to the client: these requests reach no server";
            errors.push(edge.target.wrong(message, "let the edge lead to a server"));
        } else if onward.is_empty() && to_client.is_empty() {
            let id = match node {
                Node::Client => &payload.client,
                Node::Balancer(balancer) => &balancer.id,
                Node::Server(server) => &server.id,
            };
            let message = format!("no edge leads from `{name}`, which requests reach: AsyncFlow crashes");
            let hint = match node {
                Node::Client => "add an edge to a server or to the load balancer",
                Node::Balancer(_) => "add edges to servers",
                Node::Server(_) => "add an edge to the client",
            };
            errors.push(wrong(id.location, &id.path, message, hint));
        }
        self.onward.insert(name, onward);
    }

    fn note_uncovered(&mut self, balancer: &Balancer, name: &str, payload: &Payload, meaning: Meaning) {
        let is_covered =
            |edge: &&Edge| balancer.covered.iter().any(|covered| covered.value == edge.target.value);
        let edges = payload.edges.iter().filter(|edge| edge.source.value == name);
        let uncovered: Vec<String> =
            edges.filter(|edge| !is_covered(edge)).map(|edge| format!("`{}`", edge.target.value)).collect();
        if uncovered.is_empty() || balancer.covered.is_empty() {
            return;
        }
        let here = match meaning {
            Meaning::Intended => "Here, it does not.",
            Meaning::Faithful => "It does here as well.",
        };
        self.left_out.push(format!(
            "In AsyncFlow, the load balancer also sends to servers with an edge that `server_covered` does not name: {}. {here}",
            uncovered.join(", ")
        ));
    }

    /// Notes the nodes that no request reaches.
    fn find_left_out(&mut self, payload: &Payload, seen: &BTreeSet<&str>) {
        let servers = payload.servers.iter().map(|server| server.id.value.as_str());
        let balancer = payload.balancer.iter().map(|balancer| balancer.id.value.as_str());
        let nodes = std::iter::once(payload.client.value.as_str()).chain(balancer).chain(servers);
        let names: Vec<String> =
            nodes.filter(|name| !seen.contains(name)).map(|name| format!("`{name}`")).collect();
        if !names.is_empty() {
            self.left_out.push(format!(
                "Left out, as no request passes them on the way to a server: {}.",
                names.join(", ")
            ));
        }
        let client_has_no_edge = !payload.edges.iter().any(|edge| edge.source.value == payload.client.value);
        if client_has_no_edge && !seen.contains(payload.client.value.as_str()) {
            self.left_out
                .push("AsyncFlow crashes at the start, as no edge leads from the client.".to_owned());
        }
    }

    /// What is left out, in sentences, or `None` if nothing is.
    pub(super) fn left_out(&self) -> Option<String> {
        (!self.left_out.is_empty()).then(|| self.left_out.join("\n"))
    }

    /// The names of the nodes that a node sends requests to.
    pub(super) fn targets(&self, name: &str) -> Vec<String> {
        let edges = self.onward.get(name).into_iter().flatten();
        edges.map(|edge| edge.target.value.clone()).collect()
    }

    /// The edges between nodes that requests pass, with the edge to the client by which the response leaves their target,
    /// if it does.
    pub(super) fn links(&self, payload: &'a Payload) -> Vec<(&'a Edge, Option<&'a Edge>)> {
        let used = |edge: &&Edge| {
            self.onward
                .get(edge.source.value.as_str())
                .is_some_and(|edges| edges.iter().any(|one| std::ptr::eq(*one, *edge)))
        };
        let exit = |edge: &'a Edge| (edge, self.exits.get(edge.target.value.as_str()).copied());
        payload.edges.iter().filter(used).map(exit).collect()
    }
}

/// The node of this name.
fn node<'a>(payload: &'a Payload, name: &str) -> Option<Node<'a>> {
    if payload.client.value == name {
        return Some(Node::Client);
    }
    let balancer = payload.balancer.as_ref().filter(|balancer| balancer.id.value == name).map(Node::Balancer);
    balancer.or_else(|| payload.servers.iter().find(|server| server.id.value == name).map(Node::Server))
}
