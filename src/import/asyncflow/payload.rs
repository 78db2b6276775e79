//! The fields of an AsyncFlow file, with what AsyncFlow 0.1.1 refuses in a single field.
//!
//! Rules that connect several fields are in [`rules`](super::rules).

use super::versions;
use crate::import::read::{At, Fields, Raw, Reader, Unknown, UnknownKeys};
use crate::import::yaml::Yaml;
use crate::text::{Diagnostic, Location, Path};

/// A file.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) input: Input,
    pub(super) client: At<String>,
    pub(super) balancer: Option<Balancer>,
    pub(super) servers: Vec<Server>,
    pub(super) edges: Vec<Edge>,
    pub(super) settings: Settings,
    pub(super) events: Vec<Event>,
    /// Keys that AsyncFlow ignores.
    pub(super) unknown: Vec<Unknown>,
    /// The value of the key `seed`, which AsyncFlow ignores, at the top or in the settings.
    pub(super) seed: Option<u64>,
}

/// The workload.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) id: At<String>,
    pub(super) users: Variable,
    pub(super) requests_per_minute: Variable,
    pub(super) window: u64,
}

/// A random variable.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub(super) mean: At<f64>,
    pub(super) law: Law,
    pub(super) variance: Option<At<f64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Law {
    Poisson,
    Normal,
    LogNormal,
    Exponential,
    Uniform,
}

#[derive(Debug)]
pub(super) struct Balancer {
    pub(super) id: At<String>,
    pub(super) algorithm: Algorithm,
    pub(super) covered: Vec<At<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    RoundRobin,
    LeastConnection,
}

#[derive(Debug)]
pub(super) struct Server {
    pub(super) id: At<String>,
    pub(super) cores: u64,
    pub(super) ram_mb: u64,
    pub(super) pool: Option<u64>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) path: Path,
}

#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) name: At<String>,
    pub(super) steps: Vec<Step>,
    /// The key `probability`, which AsyncFlow ignores.
    pub(super) probability: Option<f64>,
    pub(super) path: Path,
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) kind: StepKind,
    /// Seconds, or megabytes of memory.
    pub(super) amount: At<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepKind {
    Cpu,
    Ram,
    Io,
    /// I/O of the database.
    Db,
}

#[derive(Debug)]
pub(super) struct Edge {
    pub(super) id: At<String>,
    pub(super) source: At<String>,
    pub(super) target: At<String>,
    pub(super) latency: Variable,
    pub(super) dropout: Option<f64>,
    pub(super) location: Location,
    pub(super) path: Path,
}

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) horizon: u64,
    pub(super) sample_period: f64,
    pub(super) metrics: Vec<SampleMetric>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SampleMetric {
    ReadyQueue,
    IoSleep,
    Ram,
    EdgeConnections,
}

/// An event: what happens between two times, in seconds.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) id: At<String>,
    pub(super) target: At<String>,
    pub(super) kind: EventKind,
    pub(super) from: At<f64>,
    pub(super) to: At<f64>,
    pub(super) path: Path,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum EventKind {
    /// The latency of an edge grows by this many seconds.
    Spike(f64),
    /// A server is down.
    Outage,
}

const DISTRIBUTIONS: [(&str, Law); 5] = [
    ("poisson", Law::Poisson),
    ("normal", Law::Normal),
    ("log_normal", Law::LogNormal),
    ("exponential", Law::Exponential),
    ("uniform", Law::Uniform),
];

const STEP_KINDS: [(&str, StepKind); 8] = [
    ("initial_parsing", StepKind::Cpu),
    ("cpu_bound_operation", StepKind::Cpu),
    ("ram", StepKind::Ram),
    ("io_task_spawn", StepKind::Io),
    ("io_llm", StepKind::Io),
    ("io_wait", StepKind::Io),
    ("io_db", StepKind::Db),
    ("io_cache", StepKind::Io),
];

const METRICS: [(&str, SampleMetric); 4] = [
    ("ready_queue_len", SampleMetric::ReadyQueue),
    ("event_loop_io_sleep", SampleMetric::IoSleep),
    ("ram_in_use", SampleMetric::Ram),
    ("edge_concurrent_connection", SampleMetric::EdgeConnections),
];

/// Reads a file.
///
/// # Errors
/// All errors in its fields, with the unknown keys among them that other versions have.
pub(super) fn read(root: &Yaml) -> Result<Payload, Vec<Diagnostic>> {
    let mut reader = Reader::new(versions::hint);
    let raw = At { value: root, location: root.location, path: Path::root() };
    let payload = reader.payload(&raw);
    match payload {
        Some(payload) if reader.errors.is_empty() => Ok(Payload { unknown: reader.unknown, ..payload }),
        Some(_) | None => Err(reader.errors),
    }
}

impl Reader {
    fn payload(&mut self, raw: &Raw<'_>) -> Option<Payload> {
        let known = ["rqs_input", "topology_graph", "sim_settings", "events"];
        let fields =
            self.fields(raw, &known, UnknownKeys::Ignored, "the examples of AsyncFlow: rqs_input: ..")?;
        let input = self.required(
            &fields,
            "rqs_input",
            "write rqs_input: {id: .., avg_active_users: {mean: ..}, ..}",
        );
        let input = input.and_then(|raw| self.input(&raw));
        let graph =
            self.required(&fields, "topology_graph", "write topology_graph: {nodes: {..}, edges: [..]}");
        let graph = graph.and_then(|raw| {
            self.fields(&raw, &["nodes", "edges"], UnknownKeys::Ignored, "{nodes: {..}, edges: [..]}")
        });
        let nodes = graph.as_ref().and_then(|graph| {
            self.required(graph, "nodes", "write nodes: {client: {id: ..}, servers: [..]}")
        });
        let nodes = nodes.and_then(|raw| self.nodes(&raw));
        let edges = graph.as_ref().and_then(|graph| self.required(graph, "edges", "write edges: [..]"));
        let edges = edges.and_then(|raw| self.all(&raw, Self::edge));
        let settings =
            self.required(&fields, "sim_settings", "write sim_settings: {total_simulation_time: 600}");
        let settings = settings.and_then(|raw| self.settings(&raw));
        let events = fields.get_some("events");
        let events = events.map_or(Some(Vec::new()), |raw| self.all(&raw, Self::event));
        let (client, servers, balancer) = nodes?;
        let (settings, seed_of_settings) = settings?;
        let seed = fields.get("seed").and_then(|raw| seed(raw.value)).or(seed_of_settings);
        let (edges, events, unknown) = (edges?, events?, Vec::new());
        Some(Payload { input: input?, client, balancer, servers, edges, settings, events, unknown, seed })
    }

    /// All items of a list, or `None` if one of them is wrong.
    fn all<T>(
        &mut self,
        raw: &Raw<'_>,
        mut read: impl FnMut(&mut Self, &Raw<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.list(raw)?;
        let read: Vec<Option<T>> = items.iter().map(|item| read(self, item)).collect();
        read.into_iter().collect()
    }

    fn input(&mut self, raw: &Raw<'_>) -> Option<Input> {
        let known =
            ["id", "type", "avg_active_users", "avg_request_per_minute_per_user", "user_sampling_window"];
        let fields =
            self.fields(raw, &known, UnknownKeys::Ignored, "{id: rqs-1, avg_active_users: {mean: 100}, ..}")?;
        let id = self.name(&fields, "id", "give the generator an id: id: rqs-1");
        self.own_type(&fields, &["generator", "server", "client", "load_balancer"]);
        let users = self.required(&fields, "avg_active_users", "write avg_active_users: {mean: 100}");
        let allowed = [DISTRIBUTIONS[0], DISTRIBUTIONS[1]];
        let users = users.and_then(|raw| self.variable(&raw, &allowed));
        let requests = self.required(
            &fields,
            "avg_request_per_minute_per_user",
            "write avg_request_per_minute_per_user: {mean: 20}",
        );
        let requests = requests.and_then(|raw| self.variable(&raw, &DISTRIBUTIONS[..1]));
        let window = fields
            .get("user_sampling_window")
            .map_or(Some(60), |raw| self.integer(&raw, 1, 120).map(|window| window.value));
        Some(Input { id: id?, users: users?, requests_per_minute: requests?, window: window? })
    }

    /// Checks the field `type`, which AsyncFlow does not use.
    fn own_type(&mut self, fields: &Fields<'_>, allowed: &[&'static str]) {
        if let Some(raw) = fields.get("type") {
            let options: Vec<(&'static str, ())> = allowed.iter().map(|name| (*name, ())).collect();
            self.choice(&raw, &options);
        }
    }

    fn variable(&mut self, raw: &Raw<'_>, allowed: &[(&'static str, Law)]) -> Option<Variable> {
        let known = ["mean", "distribution", "variance"];
        let example = "{mean: 0.003, distribution: exponential}";
        let fields = self.fields(raw, &known, UnknownKeys::Ignored, example)?;
        let mean = self.required(&fields, "mean", &format!("write {example}"));
        let mean = mean.and_then(|raw| self.number(&raw, false));
        let law = fields
            .get("distribution")
            .map_or(Some(Law::Poisson), |raw| self.choice(&raw, allowed).map(|law| law.value));
        let variance = match fields.get_some("variance") {
            Some(raw) => Some(self.number(&raw, true)?),
            None => None,
        };
        Some(Variable { mean: mean?, law: law?, variance })
    }

    fn nodes(&mut self, raw: &Raw<'_>) -> Option<(At<String>, Vec<Server>, Option<Balancer>)> {
        let known = ["client", "servers", "load_balancer"];
        let fields =
            self.fields(raw, &known, UnknownKeys::Refused, "{client: {id: client-1}, servers: [..]}")?;
        let client = self.required(&fields, "client", "write client: {id: client-1}").and_then(|raw| {
            let fields = self.fields(&raw, &["id", "type"], UnknownKeys::Refused, "{id: client-1}")?;
            self.own_type(&fields, &["client"]);
            self.name(&fields, "id", "write client: {id: client-1}")
        });
        let servers = self.required(&fields, "servers", "write servers: [..]");
        let servers = servers.and_then(|raw| self.all(&raw, Self::server));
        let balancer = match fields.get_some("load_balancer") {
            Some(raw) => Some(self.balancer(&raw)?),
            None => None,
        };
        Some((client?, servers?, balancer))
    }

    fn balancer(&mut self, raw: &Raw<'_>) -> Option<Balancer> {
        let known = ["id", "type", "algorithms", "server_covered"];
        let example = "{id: lb-1, algorithms: round_robin, server_covered: [..]}";
        let fields = self.fields(raw, &known, UnknownKeys::Refused, example)?;
        self.own_type(&fields, &["load_balancer"]);
        let id = self.name(&fields, "id", "give the load balancer an id: id: lb-1");
        let options =
            [("round_robin", Algorithm::RoundRobin), ("least_connection", Algorithm::LeastConnection)];
        let algorithm = fields.get("algorithms").map_or(Some(Algorithm::RoundRobin), |raw| {
            self.choice(&raw, &options).map(|algorithm| algorithm.value)
        });
        let covered = fields.get("server_covered");
        let covered = covered.map_or(Some(Vec::new()), |raw| self.all(&raw, Self::text));
        Some(Balancer { id: id?, algorithm: algorithm?, covered: covered? })
    }

    fn server(&mut self, raw: &Raw<'_>) -> Option<Server> {
        let known = ["id", "type", "server_resources", "endpoints"];
        let example = "{id: srv-1, server_resources: {cpu_cores: 1, ram_mb: 1024}, endpoints: [..]}";
        let fields = self.fields(raw, &known, UnknownKeys::Refused, example)?;
        self.own_type(&fields, &["server"]);
        let id = self.name(&fields, "id", "give the server an id: id: srv-1");
        let resources = self.required(
            &fields,
            "server_resources",
            "write server_resources: {cpu_cores: 1, ram_mb: 1024}",
        );
        let resources = resources.and_then(|raw| self.resources(&raw));
        let endpoints =
            self.required(&fields, "endpoints", "write endpoints: [{endpoint_name: /api, steps: [..]}]");
        let endpoints = endpoints.and_then(|raw| self.all(&raw, Self::endpoint));
        let (cores, ram_mb, pool) = resources?;
        Some(Server { id: id?, cores, ram_mb, pool, endpoints: endpoints?, path: raw.path.clone() })
    }

    fn resources(&mut self, raw: &Raw<'_>) -> Option<(u64, u64, Option<u64>)> {
        let known = ["cpu_cores", "ram_mb", "db_connection_pool"];
        let fields = self.fields(raw, &known, UnknownKeys::Ignored, "{cpu_cores: 1, ram_mb: 1024}")?;
        let number = |reader: &mut Self, name: &str, min: u64, default: u64| {
            let raw = fields.get(name);
            raw.map_or(Some(default), |raw| reader.integer(&raw, min, u64::MAX).map(|number| number.value))
        };
        let cores = number(self, "cpu_cores", 1, 1);
        let ram_mb = number(self, "ram_mb", 256, 1024);
        let pool = match fields.get_some("db_connection_pool") {
            Some(raw) => Some(self.integer(&raw, 1, u64::MAX)?.value),
            None => None,
        };
        Some((cores?, ram_mb?, pool))
    }

    fn endpoint(&mut self, raw: &Raw<'_>) -> Option<Endpoint> {
        let fields = self.fields(
            raw,
            &["endpoint_name", "steps"],
            UnknownKeys::Ignored,
            "{endpoint_name: /api, steps: [..]}",
        )?;
        let name = self.name(&fields, "endpoint_name", "write endpoint_name: /api");
        let steps = self.required(&fields, "steps", "write steps: [..]");
        let steps = steps.and_then(|raw| self.all(&raw, Self::step));
        let probability = fields.get("probability").and_then(|raw| probability(raw.value));
        Some(Endpoint { name: name?, steps: steps?, probability, path: raw.path.clone() })
    }

    fn step(&mut self, raw: &Raw<'_>) -> Option<Step> {
        let example = "{kind: io_wait, step_operation: {io_waiting_time: 0.01}}";
        let fields = self.fields(raw, &["kind", "step_operation"], UnknownKeys::Ignored, example)?;
        let kind = self.required(&fields, "kind", &format!("write a step like {example}"));
        let kind = kind.and_then(|raw| self.choice(&raw, &STEP_KINDS));
        let operation = self.required(&fields, "step_operation", &format!("write a step like {example}"));
        let known = ["cpu_time", "necessary_ram", "io_waiting_time"];
        let operation = operation?;
        let operation = self.fields(&operation, &known, UnknownKeys::Ignored, "{io_waiting_time: 0.01}")?;
        let kind = kind?.value;
        let quantity = match kind {
            StepKind::Cpu => "cpu_time",
            StepKind::Ram => "necessary_ram",
            StepKind::Io | StepKind::Db => "io_waiting_time",
        };
        if operation.entries.len() != 1 || operation.get(quantity).is_none() {
            let at = At { value: (), location: operation.location, path: operation.path.clone() };
            let message = format!("a step of this kind has the key `{quantity}`, and no other");
            self.wrong(
                &at,
                message,
                format!("write step_operation: {{{quantity}: ..}}, and other steps for the rest"),
            );
            return None;
        }
        let amount = operation.get(quantity)?;
        let amount = self.number_in(&amount, |number| number > 0.0, "above 0", true)?;
        Some(Step { kind, amount })
    }

    fn edge(&mut self, raw: &Raw<'_>) -> Option<Edge> {
        let known = ["id", "source", "target", "latency", "edge_type", "dropout_rate"];
        let example = "{id: a-b, source: a, target: b, latency: {mean: 0.003, distribution: exponential}}";
        let fields = self.fields(raw, &known, UnknownKeys::Ignored, example)?;
        let id = self.name(&fields, "id", "give the edge an id; a version of July 2025 had none");
        let source = self.name(&fields, "source", &format!("write an edge like {example}"));
        let target = self.name(&fields, "target", &format!("write an edge like {example}"));
        let latency =
            self.required(&fields, "latency", "write latency: {mean: 0.003, distribution: exponential}");
        let latency = latency.and_then(|raw| self.variable(&raw, &DISTRIBUTIONS));
        if let Some(latency) = &latency {
            if latency.mean.value <= 0.0 {
                self.wrong(
                    &latency.mean,
                    "the mean latency of an edge is above 0",
                    "make it a small number, such as 1.0e-6",
                );
            }
            if let Some(variance) = latency.variance.as_ref().filter(|variance| variance.value < 0.0) {
                self.wrong(variance, "a variance is 0 or more", "make it 0 or more");
            }
        }
        if let Some(raw) = fields.get("edge_type") {
            self.choice(&raw, &[("network_connection", ())]);
        }
        let dropout = match fields.get("dropout_rate") {
            Some(raw) => {
                let is_share = |number| (0.0..=1.0).contains(&number);
                Some(self.number_in(&raw, is_share, "from 0 to 1", true)?.value)
            }
            None => None,
        };
        let (location, path) = (raw.location, raw.path.clone());
        Some(Edge { id: id?, source: source?, target: target?, latency: latency?, dropout, location, path })
    }

    fn settings(&mut self, raw: &Raw<'_>) -> Option<(Settings, Option<u64>)> {
        let known =
            ["total_simulation_time", "sample_period_s", "enabled_sample_metrics", "enabled_event_metrics"];
        let fields = self.fields(raw, &known, UnknownKeys::Ignored, "{total_simulation_time: 600}")?;
        let horizon = fields
            .get("total_simulation_time")
            .map_or(Some(3600), |raw| self.integer(&raw, 5, super::MAX_SECONDS).map(|seconds| seconds.value));
        let sample_period = fields.get("sample_period_s").map_or(Some(0.01), |raw| {
            let is_period = |number| (0.001..=0.1).contains(&number);
            self.number_in(&raw, is_period, "from 0.001 to 0.1 (later versions take more)", true)
                .map(|period| period.value)
        });
        let metrics = match fields.get("enabled_sample_metrics") {
            Some(raw) => {
                self.all(&raw, |reader, raw| reader.choice(raw, &METRICS).map(|metric| metric.value))
            }
            None => Some(METRICS.map(|(_, metric)| metric).to_vec()),
        };
        if let Some(raw) = fields.get("enabled_event_metrics") {
            self.all(&raw, |reader, raw| reader.choice(raw, &[("rqs_clock", ()), ("llm_cost", ())]));
        }
        let seed = fields.get("seed").and_then(|raw| seed(raw.value));
        Some((Settings { horizon: horizon?, sample_period: sample_period?, metrics: metrics? }, seed))
    }

    fn event(&mut self, raw: &Raw<'_>) -> Option<Event> {
        let known = ["event_id", "target_id", "start", "end"];
        let example = "{event_id: e, target_id: srv-1, start: {kind: server_down, t_start: 60}, end: {kind: server_up, \
                       t_end: 90}}";
        let fields = self.fields(raw, &known, UnknownKeys::Ignored, example)?;
        let hint = format!("write an event like {example}");
        let id = self.name(&fields, "event_id", &hint);
        let target = self.name(&fields, "target_id", &hint);
        let start = self.required(&fields, "start", &hint).and_then(|raw| self.start(&raw));
        let end = self.required(&fields, "end", &hint).and_then(|raw| self.end(&raw));
        let (kind, from) = start?;
        let (is_outage, to) = end?;
        if is_outage.value != (kind == EventKind::Outage) {
            self.wrong(&is_outage, "the event ends as an event of the other kind", {
                "`server_down` ends with `server_up`, `network_spike_start` with `network_spike_end`"
            });
        }
        Some(Event { id: id?, target: target?, kind, from, to, path: raw.path.clone() })
    }

    fn start(&mut self, raw: &Raw<'_>) -> Option<(EventKind, At<f64>)> {
        let known = ["kind", "t_start", "spike_s"];
        let example = "{kind: network_spike_start, t_start: 60, spike_s: 0.02}";
        let fields = self.fields(raw, &known, UnknownKeys::Refused, example)?;
        let kind = self.required(&fields, "kind", &format!("write {example}"));
        let kind =
            kind.and_then(|raw| self.choice(&raw, &[("server_down", true), ("network_spike_start", false)]));
        let from = self.required(&fields, "t_start", &format!("write {example}"));
        let from = from.and_then(|raw| self.number_in(&raw, |number| number >= 0.0, "of 0 or more", true));
        let is_outage = kind?.value;
        let spike = fields.get_some("spike_s");
        match (is_outage, spike) {
            (true, None) => Some((EventKind::Outage, from?)),
            (true, Some(raw)) => {
                self.wrong(&raw, "an outage has no `spike_s`", "leave it out");
                None
            }
            (false, _) => {
                let raw =
                    self.required(&fields, "spike_s", "write the seconds that are added to the latency")?;
                let spike = self.number_in(&raw, |number| number > 0.0, "above 0", true)?;
                Some((EventKind::Spike(spike.value), from?))
            }
        }
    }

    fn end(&mut self, raw: &Raw<'_>) -> Option<(At<bool>, At<f64>)> {
        let example = "{kind: network_spike_end, t_end: 90}";
        let fields = self.fields(raw, &["kind", "t_end"], UnknownKeys::Refused, example)?;
        let kind = self.required(&fields, "kind", &format!("write {example}"));
        let kind =
            kind.and_then(|raw| self.choice(&raw, &[("server_up", true), ("network_spike_end", false)]));
        let to = self.required(&fields, "t_end", &format!("write {example}"));
        let to = to.and_then(|raw| self.number_in(&raw, |number| number > 0.0, "above 0", true));
        Some((kind?, to?))
    }
}

/// The value of a key `seed`, if it is a seed.
fn seed(yaml: &Yaml) -> Option<u64> {
    yaml.value.integer().and_then(|number| u64::try_from(number).ok())
}

/// The value of a key `probability`, if it is a weight.
fn probability(yaml: &Yaml) -> Option<f64> {
    yaml.value.number().filter(|number| number.is_finite() && *number >= 0.0)
}
