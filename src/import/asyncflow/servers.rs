//! The nodes of an AsyncFlow file: its client, load balancer and servers.

use indexmap::IndexMap;

use super::Conversion;
use super::payload::{Algorithm, Balancer, Endpoint, Server, Step, StepKind};
use crate::engine::distribution::DistributionSpec;
use crate::engine::units::Bytes;
use crate::model::client::ClientSpec;
use crate::model::load_balancer::LoadBalancerSpec;
use crate::model::parts::NodeSpec;
use crate::model::references::References;
use crate::model::routing::PolicySpec;
use crate::model::server::{EndpointSpec, EndpointSpecs, ServerSpec, StepSpec};
use crate::text::Path;

/// Bytes in a megabyte.
const MEGABYTE: f64 = 1e6;
/// The pool of the connections to the database.
const POOL: &str = "db";

impl Conversion<'_> {
    /// The nodes that requests pass, in the order in which they do. `can_leave`: the servers that come and go.
    pub(super) fn nodes(&mut self, can_leave: &[&str]) -> IndexMap<String, NodeSpec> {
        let mut nodes = IndexMap::new();
        if self.graph.passes_client {
            let id = &self.payload.client;
            self.notes.comes_from(&node_path(&id.value), id.location);
            let to = References(self.graph.targets(&id.value));
            let client = ClientSpec { count: None, routing: PolicySpec::RoundRobin, to };
            nodes.insert(id.value.clone(), NodeSpec::Client(client));
        }
        if let Some(balancer) = self.graph.balancer {
            let spec = self.balancer(balancer);
            nodes.insert(balancer.id.value.clone(), NodeSpec::LoadBalancer(spec));
        }
        for server in &self.graph.servers {
            let spec = self.server(server, can_leave.contains(&server.id.value.as_str()));
            nodes.insert(server.id.value.clone(), NodeSpec::Server(spec));
        }
        nodes
    }

    fn balancer(&mut self, balancer: &Balancer) -> LoadBalancerSpec {
        let path = node_path(&balancer.id.value);
        self.notes.comes_from(&path, balancer.id.location);
        let policy = match balancer.algorithm {
            Algorithm::RoundRobin => PolicySpec::RoundRobin,
            Algorithm::LeastConnection => self.least_connections(&path.clone().name("policy")),
        };
        LoadBalancerSpec { count: None, policy, to: References(self.graph.targets(&balancer.id.value)) }
    }

    fn server(&mut self, server: &Server, can_leave: bool) -> ServerSpec {
        let path = node_path(&server.id.value);
        self.notes.comes_from(&path, server.id.location);
        self.parts.push((server.path.clone(), path.clone()));
        let uses = |kind: StepKind| {
            server.endpoints.iter().flat_map(|endpoint| &endpoint.steps).any(|step| step.kind == kind)
        };
        let pool = server.pool.filter(|_| uses(StepKind::Db));
        if server.pool.is_some() {
            self.note(
                &path,
                if pool.is_some() {
                    "AsyncFlow ignores `db_connection_pool`. Here, `io_db` steps hold one of its connections."
                } else {
                    "AsyncFlow ignores `db_connection_pool`. No step `io_db` needs a connection."
                },
                "AsyncFlow ignores `db_connection_pool`.",
            );
        }
        let pool = pool.filter(|_| !self.is_faithful());
        let endpoints = self.endpoints(server, pool.is_some(), &path.clone().name("endpoints"));
        let then = self.graph.targets(&server.id.value).into_iter().next();
        if then.is_some() {
            self.notes.add(
                &path,
                "The request leaves this server, with its core and memory, before it goes on, as in AsyncFlow. If the \
                 server waits for the next one, end its steps with a `Call`.",
            );
        }
        let as_number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        ServerSpec {
            count: can_leave.then_some(1),
            max: can_leave.then_some(1),
            cores: uses(StepKind::Cpu).then(|| as_number(server.cores)),
            memory: uses(StepKind::Ram).then(|| Bytes::new(server.ram_mb.saturating_mul(1_000_000))),
            pools: pool.map(|places| (POOL.to_owned(), as_number(places))).into_iter().collect(),
            endpoints,
            then,
            ..ServerSpec::default()
        }
    }

    fn endpoints(&mut self, server: &Server, has_pool: bool, path: &Path) -> EndpointSpecs {
        self.notes.break_lines(path.clone());
        let mut endpoints = EndpointSpecs::new();
        for endpoint in &server.endpoints {
            let mut name = endpoint.name.value.clone();
            let mut number = 1;
            while endpoints.contains_key(&name) {
                number += 1;
                name = format!("{} ({number})", endpoint.name.value);
            }
            let path = path.clone().name(&*name);
            if number > 1 {
                self.notes.add(
                    &path,
                    "Several endpoints have this name; in AsyncFlow, too, each of them gets its share.",
                );
            }
            self.notes.comes_from(&path, endpoint.name.location);
            self.parts.push((endpoint.path.clone(), path.clone()));
            let weight = endpoint.probability.filter(|_| !self.is_faithful()).unwrap_or(1.0);
            let steps = self.steps(server, endpoint, has_pool, &path);
            endpoints.insert(name, EndpointSpec { weight, response_size: None, steps });
        }
        endpoints
    }

    fn steps(&mut self, server: &Server, endpoint: &Endpoint, has_pool: bool, path: &Path) -> Vec<StepSpec> {
        let path = path.clone().name("steps");
        let mut steps: Vec<StepSpec> = self.memory(server, endpoint, &path).into_iter().collect();
        for step in &endpoint.steps {
            let time = match step.kind {
                StepKind::Ram => continue,
                StepKind::Cpu | StepKind::Io | StepKind::Db => {
                    DistributionSpec::Constant(self.seconds(&step.amount))
                }
            };
            steps.push(match step.kind {
                StepKind::Cpu => StepSpec::Cpu(time),
                StepKind::Db if has_pool => {
                    StepSpec::Hold { pool: POOL.to_owned(), steps: vec![StepSpec::Io(time)] }
                }
                StepKind::Ram | StepKind::Io | StepKind::Db => StepSpec::Io(time),
            });
        }
        steps
    }

    /// The memory of an endpoint, which AsyncFlow takes at the arrival of a request.
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and the cast saturates"
    )]
    fn memory(&mut self, server: &Server, endpoint: &Endpoint, path: &Path) -> Option<StepSpec> {
        let is_ram = |step: &&Step| step.kind == StepKind::Ram;
        let needed: f64 = endpoint.steps.iter().filter(is_ram).map(|step| step.amount.value).sum();
        let first = endpoint.steps.iter().find(is_ram)?;
        if needed > server.ram_mb as f64 {
            let message = format!(
                "a request takes {needed} MB of memory in all, but the server has {}: in AsyncFlow it waits for ever, and \
                 all others behind it",
                server.ram_mb
            );
            self.errors.push(
                first.amount.wrong(message, "let the server have more `ram_mb`, or the steps take less"),
            );
        }
        if endpoint.steps.first().is_none_or(|step| step.kind != StepKind::Ram)
            || endpoint.steps.iter().filter(is_ram).count() > 1
        {
            self.notes.add(path, "The memory of all `ram` steps is taken at the arrival, as in AsyncFlow.");
        }
        Some(StepSpec::Memory(Bytes::new((needed * MEGABYTE) as u64)))
    }

    /// The policy of a load balancer with the algorithm `least_connection`.
    fn least_connections(&mut self, path: &Path) -> PolicySpec {
        self.note(
            path,
            "AsyncFlow counts only the messages on their way to a server, not the requests that it has.",
            "AsyncFlow counts only the messages on their way to a server, as `FewestInTransit` does.",
        );
        if self.is_faithful() { PolicySpec::FewestInTransit } else { PolicySpec::LeastConnections }
    }
}

/// The path of a node of the scenario.
pub(super) fn node_path(name: &str) -> Path {
    Path::root().name("nodes").name(name)
}
