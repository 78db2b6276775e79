//! The figures of a node, or of several of a kind taken together.

use indexmap::IndexMap;
use serde::Serialize;

use super::Latency;
use crate::engine::statistics::Tally;
use crate::metrics::result::{NodeFigures, ServerFigures, utilization};

/// The figures of a node or a group.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NodeSummary {
    /// Of load balancers.
    LoadBalancer(LoadBalancerSummary),
    /// Of clients.
    Client(ClientSummary),
    /// Of servers.
    Server(Box<ServerSummary>),
}

/// The figures of a load balancer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LoadBalancerSummary {
    /// Requests that were sent to each target.
    pub routed: IndexMap<String, u64>,
}

/// The figures of a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClientSummary {
    /// Requests that came.
    pub requests: u64,
    /// Responses that came back.
    pub responses: u64,
    /// Requests that were sent to another server than the key's own.
    pub rehashed: u64,
    /// Further attempts; clients do not retry yet.
    pub retries: u64,
}

/// The figures of a server. Counts are of the whole run; the rest leaves out the warm-up.
#[derive(Clone, Debug, Serialize)]
pub struct ServerSummary {
    /// Slots, as many as there are at the end; of a group those of all members.
    pub concurrency: u64,
    /// Requests that came.
    pub arrived: u64,
    /// Requests that were served to their end.
    pub completed: u64,
    /// Requests that found no room.
    pub rejected: u64,
    /// Requests that were lost when it went down: written where there are any.
    #[serde(skip_serializing_if = "is_zero")]
    pub lost: u64,
    /// Mean share of slots in use (0 to 1) of those that there were.
    pub utilization: Option<f64>,
    /// Mean number of requests in service; of a group in all members together.
    pub in_flight_mean: Option<f64>,
    /// Mean depth of the queue; of a group that of the average member.
    pub queue_depth_mean: Option<f64>,
    /// The deepest that the queue ever was; of a group that of the member that had the deepest.
    pub queue_depth_max: u32,
    /// Times in the queue, zero for those that did not wait.
    pub wait: Latency,
    /// Times in service.
    pub service: Latency,
    /// Rows among the servers of the run.
    #[serde(skip)]
    pub rows: Vec<usize>,
}

impl NodeSummary {
    /// The figures of one node and of more of its kind taken together; those of another kind are left out.
    ///
    /// Counts, slots and requests in service add up, times are thrown together, utilization is the share of all slots.
    /// The depth of a queue stays that of one queue: the mean is that of the average member, the maximum the highest.
    #[must_use]
    pub fn of(first: &NodeFigures, rest: &[&NodeFigures]) -> Self {
        let all = || std::iter::once(first).chain(rest.iter().copied());
        match first {
            NodeFigures::LoadBalancer { .. } => Self::LoadBalancer(load_balancers(all())),
            NodeFigures::Client { .. } => Self::Client(clients(all())),
            NodeFigures::Server(_) => {
                let servers = all().filter_map(|figures| match figures {
                    NodeFigures::Server(server) => Some(server.as_ref()),
                    NodeFigures::LoadBalancer { .. } | NodeFigures::Client { .. } => None,
                });
                Self::Server(Box::new(ServerSummary::of(&servers.collect::<Vec<_>>())))
            }
        }
    }

    /// The figures of a server, if these are.
    #[must_use]
    pub fn as_server(&self) -> Option<&ServerSummary> {
        match self {
            Self::Server(server) => Some(server),
            Self::LoadBalancer(_) | Self::Client(_) => None,
        }
    }
}

fn load_balancers<'a>(all: impl Iterator<Item = &'a NodeFigures>) -> LoadBalancerSummary {
    let mut sum = LoadBalancerSummary::default();
    for figures in all {
        if let NodeFigures::LoadBalancer { routed } = figures {
            for (target, count) in routed {
                match sum.routed.get_mut(target) {
                    Some(total) => *total += count,
                    None => drop(sum.routed.insert(target.clone(), *count)),
                }
            }
        }
    }
    sum
}

fn clients<'a>(all: impl Iterator<Item = &'a NodeFigures>) -> ClientSummary {
    let mut sum = ClientSummary::default();
    for figures in all {
        if let NodeFigures::Client { requests, responses, rehashed } = figures {
            sum.requests += requests;
            sum.responses += responses;
            sum.rehashed += rehashed;
        }
    }
    sum
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl ServerSummary {
    #[expect(clippy::cast_precision_loss, reason = "counts of servers stay far below 2^53")]
    fn of(servers: &[&ServerFigures]) -> Self {
        let sum = |count: fn(&ServerFigures) -> u64| servers.iter().map(|server| count(server)).sum();
        let total = |mean: fn(&ServerFigures) -> Option<f64>| -> Option<f64> {
            servers.iter().map(|server| mean(server)).sum()
        };
        let merged = |tally: fn(&ServerFigures) -> &Tally| match servers {
            [one] => Latency::of(tally(one)),
            several => {
                let mut sum = Tally::default();
                several.iter().for_each(|server| sum.merge(tally(server)));
                Latency::of(&sum)
            }
        };
        let concurrency: u64 = sum(|server| u64::from(server.concurrency));
        let in_flight_mean = total(|server| server.in_flight_mean);
        Self {
            concurrency,
            arrived: sum(|server| server.arrived),
            completed: sum(|server| server.completed),
            rejected: sum(|server| server.rejected),
            lost: sum(|server| server.lost),
            utilization: utilization(in_flight_mean, total(|server| server.slots_mean)),
            in_flight_mean,
            queue_depth_mean: total(|server| server.queue_depth_mean).map(|sum| sum / servers.len() as f64),
            queue_depth_max: servers.iter().map(|server| server.queue_depth_max).max().unwrap_or(0),
            wait: merged(|server| &server.wait),
            service: merged(|server| &server.service),
            rows: servers.iter().map(|server| server.row).collect(),
        }
    }
}
