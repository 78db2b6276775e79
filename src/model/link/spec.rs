//! A link as written in a scenario.

use serde::{Deserialize, Serialize};

use super::preset::LinkPreset;
use super::{Link, LinkHalf};
use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::time::SimDuration;
use crate::model::build::{Builder, CHECKED};
use crate::model::check::Checker;
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
        if !may_fail && self.latencies() == [None, None] && self.losses() == [0.0, 0.0] {
            let message = "the link has no effect: it has neither a latency nor a loss";
            checker.warn(path.clone(), message, "give it a `preset`, a `latency` or a `loss`, or remove it");
        }
    }

    /// Spawns the link.
    ///
    /// # Panics
    /// If a distribution is invalid, which [`check`](Self::check) reports.
    pub fn build(&self, builder: &mut Builder<'_>) {
        let name = self.name();
        let sampler = |latency: Option<DistributionSpec<SimDuration>>| {
            latency.map_or_else(|| Sampler::constant(0.0), |latency| latency.resolve().expect(CHECKED))
        };
        let [request, response] = self.latencies().map(sampler);
        let [request_loss, response_loss] = self.losses();
        let request = LinkHalf::new(request, request_loss, &name, "request", builder);
        let response = LinkHalf::new(response, response_loss, &name, "response", builder);
        builder.world.spawn(Link { name, request, response });
    }
}
