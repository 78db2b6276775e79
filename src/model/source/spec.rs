//! A source as written in a scenario, and its checks.

use serde::{Deserialize, Serialize};

use super::arrivals::ArrivalsSpec;
use super::arrivals::trace::TraceFile;
use super::endpoint::AskedEndpoints;
use super::key::KeySpec;
use crate::engine::distribution::DistributionSpec;
use crate::engine::is_default;
use crate::engine::time::SimDuration;
use crate::engine::units::Bytes;
use crate::model::check::Checker;
use crate::request::RequestAttributes;
use crate::text::Path;

/// A source as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// When requests are created.
    pub arrivals: ArrivalsSpec,
    /// The node that receives the requests: one node, not a group.
    pub to: String,
    /// Keys of the requests. A key identifies, for example, an item or a customer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub key: KeySpec,
    /// The endpoint that the requests ask for: `"GET /cart"`, or several with weights. By default none: each server picks
    /// one of its endpoints by weight.
    #[serde(default, skip_serializing_if = "AskedEndpoints::is_empty")]
    pub endpoint: AskedEndpoints,
    /// No request is created before this time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub start: SimDuration,
    /// No request is created after this time; by default the scenario's `arrivals_until`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<SimDuration>,
    /// Maximum number of requests; unlimited by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_requests: Option<u64>,
    /// Class of the requests; results are reported by class too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Priority of the requests, which servers with a `Priority` queue serve in this order: the highest first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: i32,
    /// Time from the creation of a request to its deadline, by which servers with an `EarliestDeadline` queue order requests;
    /// none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<SimDuration>,
    /// Size of each request (at most 4 GiB).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<DistributionSpec<Bytes>>,
    /// How many slots a request takes of servers with `weighted` slots (1 or more).
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_one(weight: &u32) -> bool {
    *weight == one()
}

impl SourceSpec {
    /// What its requests have in common.
    pub(crate) const fn attributes(&self) -> RequestAttributes {
        RequestAttributes { priority: self.priority, weight: self.weight, deadline: self.deadline }
    }

    /// Whether its requests have a size.
    pub(super) fn gives_sizes(&self) -> bool {
        self.size.is_some() || self.arrivals.trace().is_some_and(|trace| trace.scan().gives_sizes)
    }

    /// Whether its requests have [`Extras`](crate::request::Extras).
    pub(crate) const fn gives_extras(&self) -> bool {
        self.arrivals.gives_extras()
    }

    /// Whether its requests say how long they are served.
    pub(crate) fn gives_service_times(&self) -> bool {
        self.arrivals.trace().is_some_and(|trace| trace.scan().gives_service_times)
    }

    /// Reports errors, and warns of fields that have no effect.
    pub(super) fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        checker.spec(path, "arrivals", self.arrivals.check(checker.run_until));
        if let Some(trace) = self.arrivals.trace() {
            self.check_trace(trace, &path.clone().name("arrivals").name("file"), checker);
        }
        checker.spec(path, "key", self.key.resolve().map(drop));
        if let Some(size) = &self.size {
            checker.spec(path, "size", size.resolve().map(drop));
        }
        checker.single_receiver(path, "to", &self.to);
        self.endpoint.check(&self.to, path, checker);
        if self.stop.is_some_and(|stop| stop < self.start) {
            checker.add(
                path.clone().name("stop"),
                "the source stops before it starts",
                "make `stop` later than `start`",
            );
        }
        if self.weight == 0 && checker.used.contains(&"weight") {
            let message = "a request takes at least one slot";
            checker.add(path.clone().name("weight"), message, "make it 1 or more");
        }
        warn(self, path, checker);
    }

    /// Reports errors in the trace that is named at `path`, and warns of what has no effect.
    fn check_trace(&self, trace: &TraceFile, path: &Path, checker: &mut Checker<'_>) {
        trace.check(path, checker);
        let scan = trace.scan();
        for endpoint in &scan.endpoints {
            checker.asks(path.clone(), &self.to, endpoint);
        }
        if scan.gives_service_times && !checker.used.contains(&"service") {
            let message = "no server has a `service` time: the column \"service\" has no effect on the run";
            checker.warn(path.clone(), message, "give a server a `service` time, or leave the column out");
        }
        let end = self.stop.unwrap_or(checker.arrivals_until).min(checker.run_until);
        if let Some(first) = self.arrivals.first_of_trace().map(|first| self.start + first)
            && first > end
            && self.start <= end
        {
            let message =
                format!("the source creates no request: the first one comes at {first}, after {end}");
            let hint =
                "times of a trace count from the start of the source: subtract that of the first request";
            checker.warn(path.clone(), message, hint);
        }
    }
}

/// Warns of fields that have no effect.
fn warn(spec: &SourceSpec, path: &Path, checker: &mut Checker<'_>) {
    let labels = [
        ("priority", spec.priority != 0),
        ("deadline", spec.deadline.is_some()),
        ("weight", spec.weight != one()),
        ("size", spec.size.is_some()),
    ];
    for (field, is_given) in labels {
        if !is_given || checker.used.contains(&field) {
            continue;
        }
        let message = match field {
            "size" => "no link has a bandwidth: the size of a request has no effect on the run".to_owned(),
            _ => format!("no node uses the {field} of a request: it has no effect on the run"),
        };
        let hint = match field {
            "deadline" => "leave it out, or give a server the queue `EarliestDeadline()`",
            _ => "it is only copied into requests.csv; leave it out if you do not need it there",
        };
        checker.warn(path.clone().name(field), message, hint);
    }
    let stop = spec.stop.unwrap_or(checker.arrivals_until);
    if spec.stop.is_some_and(|stop| stop > checker.run_until) {
        let message = format!("the run ends at {}, before the source stops", checker.run_until);
        checker.warn(path.clone().name("stop"), message, "make it earlier, or leave it out");
    }
    if spec.start > stop.min(checker.run_until) {
        let end = stop.min(checker.run_until);
        let message = format!("the source creates no request: it starts at {}, after {end}", spec.start);
        checker.warn(path.clone().name("start"), message, "make it earlier, or the run longer");
    } else if spec.max_requests == Some(0) {
        let message = "the source creates no request";
        checker.warn(path.clone().name("max_requests"), message, "make it 1 or more, or remove the source");
    }
}
