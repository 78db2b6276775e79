//! A link as written in a scenario.

use serde::{Deserialize, Serialize};

use super::line::LinkSharing;
use super::preset::LinkPreset;
use super::{ANY, LineId, Link, LinkHalf};
use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::is_default;
use crate::engine::row::Row;
use crate::engine::time::SimDuration;
use crate::engine::units::Bandwidth;
use crate::model::build::{Builder, CHECKED};
use crate::model::check::Checker;
use crate::model::names::Names;
use crate::model::problem::Problem;
use crate::text::Path;

/// A link as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSpec {
    /// The sender: a source, a node or a group; or `"*"` for all that have no link of their own to the receiver.
    pub from: String,
    /// The receiver: a node or a group; or `"*"` for all to which the sender has no link of their own.
    pub to: String,
    /// Latency and loss of a common network, where the other fields do not say otherwise; by default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<LinkPreset>,
    /// Latency of requests, from the sender to the receiver; by default that of the preset, or 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<DistributionSpec<SimDuration>>,
    /// Latency of responses, from the receiver back to the sender; by default the same distribution as that of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_latency: Option<DistributionSpec<SimDuration>>,
    /// Probability (0 to 1) that a request is lost; by default that of the preset, or 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Probability (0 to 1) that a response is lost; by default the same as that of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_loss: Option<f64>,
    /// The bandwidth for requests, which all senders and receivers of the link share; by default unlimited. The transfer of a
    /// message takes its size over the bandwidth, before its latency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<Bandwidth>,
    /// The bandwidth for responses; by default the same as that for requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_bandwidth: Option<Bandwidth>,
    /// How messages that are sent at the same time share the bandwidth.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sharing: LinkSharing,
}

/// What is written of one direction of a link, with its defaults.
pub(super) struct HalfSpec {
    pub(super) latency: Sampler,
    pub(super) loss: f64,
    pub(super) bandwidth: Option<Bandwidth>,
    pub(super) sharing: LinkSharing,
}

impl LinkSpec {
    /// Its name: `from -> to`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} -> {}", self.from, self.to)
    }

    /// The latencies of requests and of responses; `None` for 0.
    fn latencies(&self) -> [Option<DistributionSpec<SimDuration>>; 2] {
        let request = self.latency.clone().or_else(|| self.preset.map(LinkPreset::latency));
        let response = self.response_latency.clone().or_else(|| request.clone());
        [request, response]
    }

    /// The probabilities that a request and a response are lost.
    fn losses(&self) -> [f64; 2] {
        let request = self.loss.or_else(|| self.preset.map(LinkPreset::loss)).unwrap_or(0.0);
        [request, self.response_loss.unwrap_or(request)]
    }

    /// The bandwidths for requests and for responses; `None` if they are unlimited.
    #[must_use]
    pub fn bandwidths(&self) -> [Option<Bandwidth>; 2] {
        [self.bandwidth, self.response_bandwidth.or(self.bandwidth)]
    }

    /// Whether its bandwidth is limited in any direction.
    #[must_use]
    pub fn has_bandwidth(&self) -> bool {
        self.bandwidths() != [None, None]
    }

    /// Reports errors in the link itself. Whether the nodes at its ends exist is checked elsewhere. A link that may fail has an
    /// effect in any case.
    pub fn check(&self, may_fail: bool, path: &Path, checker: &mut Checker<'_>) {
        for (field, loss) in [("loss", self.loss), ("response_loss", self.response_loss)] {
            if let Some(loss) = loss {
                let hint = "0.01 means one message in a hundred";
                checker.probability(&path.clone().name(field), loss, hint);
            }
        }
        if let Some(latency) = &self.latency {
            checker.spec(path, "latency", latency.resolve().map(drop));
        }
        if let Some(latency) = &self.response_latency {
            checker.spec(path, "response_latency", latency.resolve().map(drop));
        }
        let bandwidths = [("bandwidth", self.bandwidth), ("response_bandwidth", self.response_bandwidth)];
        for (field, _) in bandwidths.iter().filter(|(_, value)| value.is_some_and(Bandwidth::is_zero)) {
            let message = "with a bandwidth of 0, no message ever arrives";
            let hint =
                "make it larger, or leave it out if it is unlimited; a fault `Partition` loses all messages";
            checker.add(path.clone().name(*field), message, hint);
        }
        if !self.has_bandwidth() && !is_default(&self.sharing) {
            let message = "the bandwidth is unlimited: there is nothing to share";
            checker.warn(path.clone().name("sharing"), message, "give the link a `bandwidth`");
        }
        if !may_fail
            && !self.has_bandwidth()
            && self.latencies() == [None, None]
            && self.losses() == [0.0, 0.0]
        {
            let message = "the link has no effect: it has neither a latency, nor a loss, nor a bandwidth";
            let hint = "give it a `preset`, a `latency`, a `loss` or a `bandwidth`, or remove it";
            checker.warn(path.clone(), message, hint);
        }
    }

    /// Spawns the link, as the one in this row.
    ///
    /// # Panics
    /// If a distribution is invalid, which [`check`](Self::check) reports.
    pub fn build(&self, row: Row<Link>, builder: &mut Builder<'_>) {
        let name = self.name();
        let [request, response] = self.halves();
        let request = LinkHalf::new(request, LineId::new(row, false), &name, builder);
        let response = LinkHalf::new(response, LineId::new(row, true), &name, builder);
        builder.world.spawn(Link { name, request, response, waited_in_vain: SimDuration::ZERO });
    }

    fn halves(&self) -> [HalfSpec; 2] {
        let sampler = |latency: Option<DistributionSpec<SimDuration>>| {
            latency.map_or_else(|| Sampler::constant(0.0), |latency| latency.resolve().expect(CHECKED))
        };
        let [request, response] = self.latencies().map(sampler);
        let [request_loss, response_loss] = self.losses();
        let [request_bandwidth, response_bandwidth] = self.bandwidths();
        let half = |latency, loss, bandwidth| HalfSpec { latency, loss, bandwidth, sharing: self.sharing };
        [half(request, request_loss, request_bandwidth), half(response, response_loss, response_bandwidth)]
    }
}

/// The rows of the links that have this name, or a name that fits this pattern.
pub fn matching<'a>(pattern: &'a str, links: &'a [LinkSpec]) -> impl Iterator<Item = u32> + 'a {
    let ends = pattern.split_once("->").map(|(from, to)| (from.trim(), to.trim()));
    let fits = |pattern: &str, name: &str| pattern == ANY || pattern == name;
    (0..).zip(links).filter_map(move |(row, link)| {
        let (from, to) = ends?;
        (fits(from, &link.from) && fits(to, &link.to)).then_some(row)
    })
}

/// The problem that there is no link with these ends, with a hint about those that there are.
#[must_use]
pub fn unknown_link((from, to): (&str, &str), links: &[LinkSpec], names: &Names, path: Path) -> Problem {
    let covers = |a: &str, b: &str| a == ANY || a == b || names.overlap(a, b);
    let hint = match links.iter().find(|link| covers(&link.from, from) && covers(&link.to, to)) {
        Some(link) => format!(
            "\"{} -> {}\" covers more, or less, than that; write a link of its own for it: (from: \"{from}\", to: \"{to}\", ..)",
            link.from, link.to
        ),
        None => format!("add it to `links`: (from: \"{from}\", to: \"{to}\", preset: DataCenter)"),
    };
    let problem = Problem::new(path, format!("there is no link from \"{from}\" to \"{to}\""));
    problem.with_hint(hint).because_of(from).because_of(to)
}
