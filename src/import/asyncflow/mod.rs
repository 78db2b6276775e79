//! AsyncFlow 0.1.1: event-loop servers behind at most one load balancer, in YAML.
//!
//! [`payload`] reads the fields, [`rules`] checks what connects them, and [`versions`] knows words of other versions.
//! [`graph`] follows the edges from the generator to the client. Then each part of a scenario has a file: [`workload`],
//! [`servers`], [`network`] (with the [`laws`] of latencies), [`events`] and [`samples`], which also know what AsyncFlow
//! itself makes of it.
//!
//! In AsyncFlow, a request travels one way, over edges from the generator to the client. In a scenario, the response goes
//! back along the path of the request. So the edge from a server to the client becomes the response latency of the link
//! to the server, and all other responses take no time: latencies, losses and the load of each node are the same.

mod events;
mod graph;
mod laws;
mod network;
mod payload;
mod rules;
mod samples;
mod servers;
mod versions;
mod workload;

use indexmap::IndexMap;

use self::graph::Graph;
use self::payload::Payload;
use super::Meaning;
use super::notes::Notes;
use super::read::At;
use super::yaml;
use crate::engine::time::SimDuration;
use crate::scenario::{Scenario, check};
use crate::text::{Diagnostic, Location, Origin, Path, Sources};

/// Maximum time in seconds: 285 years, which a scenario can say.
const MAX_SECONDS: u64 = 9_000_000_000;

/// The text of a scenario that means the same as a file.
///
/// # Errors
/// All errors in the file.
pub(super) fn import(sources: &Sources, meaning: Meaning) -> Result<String, Vec<Diagnostic>> {
    let document = yaml::read(sources).map_err(|error| vec![error])?;
    let payload = payload::read(&document.root)?;
    let errors = rules::check(&payload);
    if !errors.is_empty() {
        return Err(errors);
    }
    let graph = Graph::of(&payload, meaning)?;
    let mut conversion = Conversion::new(&payload, &graph, meaning);
    conversion.head(sources, &document.repeated);
    let scenario = conversion.scenario(sources.name());
    conversion.unknown_keys();
    conversion.check(&scenario, document.root.location);
    let Conversion { notes, errors, .. } = conversion;
    if errors.is_empty() { notes.write(&scenario, document.root.location) } else { Err(errors) }
}

/// A file that becomes a scenario.
struct Conversion<'a> {
    payload: &'a Payload,
    graph: &'a Graph<'a>,
    meaning: Meaning,
    notes: Notes,
    errors: Vec<Diagnostic>,
    /// The parts of the file, by path, with the part of the scenario that each of them becomes.
    parts: Vec<(Path, Path)>,
}

impl<'a> Conversion<'a> {
    fn new(payload: &'a Payload, graph: &'a Graph<'a>, meaning: Meaning) -> Self {
        let (notes, errors, parts) = (Notes::default(), Vec::new(), Vec::new());
        Self { payload, graph, meaning, notes, errors, parts }
    }

    const fn is_faithful(&self) -> bool {
        match self.meaning {
            Meaning::Faithful => true,
            Meaning::Intended => false,
        }
    }

    /// Adds a note where AsyncFlow does something else than what is meant: the first text if the scenario does what is
    /// meant, and the second if it does what AsyncFlow does.
    fn note(&mut self, path: &Path, intended: &str, faithful: &str) {
        let text = if self.is_faithful() { faithful } else { intended };
        self.notes.add(path, text);
    }

    /// The comments at the top.
    fn head(&mut self, sources: &Sources, repeated: &[(String, Location)]) {
        let root = Path::root();
        let file = std::path::Path::new(sources.name()).file_name();
        let file = file.map_or_else(|| sources.name().into(), |file| file.to_string_lossy());
        let file: String = file.chars().filter(|c| !c.is_control()).collect();
        let does = match self.meaning {
            Meaning::Intended => {
                "It does what the file says. Comments say where AsyncFlow does something else."
            }
            Meaning::Faithful => {
                "It does what AsyncFlow does. Comments say where the file says something else."
            }
        };
        self.notes.add(&root, format!("Imported from the AsyncFlow file {file}.\n{does}"));
        for (key, location) in repeated {
            let (line, _) = sources.line_and_column(*location);
            self.notes.add(
                &root,
                format!("AsyncFlow takes the last value of {key}, which line {line} has as well."),
            );
        }
        if let Some(left_out) = self.graph.left_out() {
            self.notes.add(&root, left_out);
        }
    }

    fn scenario(&mut self, name: &str) -> Scenario {
        let seed = self.payload.seed.filter(|_| !self.is_faithful());
        let seed_note = if seed.is_some() {
            "AsyncFlow ignores the seed: each of its runs differs."
        } else {
            "AsyncFlow has no seed: each of its runs differs."
        };
        self.notes.add(&Path::root().name("seed"), seed_note);
        let (nodes, changes, faults) = self.nodes_and_events();
        let links = self.links();
        let loses =
            links.iter().any(|link| [link.loss, link.response_loss].iter().flatten().any(|loss| *loss > 0.0));
        if loses {
            self.notes
                .add(&Path::root().name("links"), "AsyncFlow does not count the requests that it loses.");
        }
        for field in ["sources", "nodes", "links", "probes", "changes", "faults"] {
            self.notes.break_lines(Path::root().name(field));
        }
        let name =
            std::path::Path::new(name).file_stem().map_or_else(|| name.into(), |stem| stem.to_string_lossy());
        let probes = self.probes(&links);
        Scenario {
            name: name.chars().filter(|c| !c.is_control()).collect(),
            seed: seed.unwrap_or(1),
            arrivals_until: None,
            run_until: SimDuration::from_seconds(self.payload.settings.horizon),
            warm_up: SimDuration::ZERO,
            sources: IndexMap::from([(self.payload.input.id.value.clone(), self.source())]),
            nodes,
            links,
            probes,
            autoscalers: IndexMap::new(),
            changes,
            faults,
        }
    }

    /// Seconds as a duration. Reports one that is too long.
    fn seconds(&mut self, at: &At<f64>) -> SimDuration {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        if at.value > MAX_SECONDS as f64 {
            self.errors.push(at.wrong("this is longer than 285 years", "make it shorter"));
        }
        duration(at.value)
    }

    /// Notes the keys that AsyncFlow ignores, each near what it belongs to.
    fn unknown_keys(&mut self) {
        for unknown in &self.payload.unknown {
            if unknown.key == "seed" {
                continue;
            }
            let of_part = self.parts.iter().filter(|(part, _)| unknown.path.starts_with(part));
            let nearest = of_part.max_by_key(|(part, _)| part.segments().len());
            let path = nearest.map_or_else(Path::root, |(_, path)| path.clone());
            let key: String = unknown.key.chars().filter(|c| !c.is_control()).collect();
            let hint =
                unknown.nearest.map_or_else(String::new, |nearest| format!(" Did you mean `{nearest}`?"));
            let used =
                key == "probability" && !self.is_faithful() && unknown.path.to_string().contains("endpoints");
            let used = if used { ", which is the weight of the endpoint here" } else { "" };
            self.notes.add(&path, format!("AsyncFlow ignores the key `{key}`{used}.{hint}"));
        }
    }

    /// Reports what a scenario cannot say, at the part of the file that it comes from.
    fn check(&mut self, scenario: &Scenario, whole: Location) {
        // Errors of the file lead to others in the scenario.
        let is_correct = self.errors.is_empty();
        let problems = is_correct.then(|| check::examine(scenario).err()).flatten().unwrap_or_default();
        for problem in problems {
            let location = self.notes.origin(&problem.path).unwrap_or(Location { end: whole.start, ..whole });
            let error = Diagnostic::new(
                location,
                Path::root(),
                format!("in the scenario, {}: {}", problem.path, problem.message),
            );
            self.errors.push(match problem.hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            });
        }
    }
}

/// Seconds as a duration.
fn duration(seconds: f64) -> SimDuration {
    SimDuration::from_nanos_f64(seconds * 1e9)
}

/// An error in a part of a file.
fn wrong(location: Location, path: &Path, message: impl Into<String>, hint: &str) -> Diagnostic {
    debug_assert!(location.origin == Origin::File, "imported files have no other texts");
    Diagnostic::new(location, path.clone(), message).with_hint(hint)
}
