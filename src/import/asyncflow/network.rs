//! The edges of an AsyncFlow file as links.

use super::payload::{Edge, Law};
use super::{Conversion, duration, laws};
use crate::engine::distribution::DistributionSpec;
use crate::engine::time::SimDuration;
use crate::model::link::{LinkSharing, LinkSpec};
use crate::text::Path;

/// The probability of loss of an edge that does not say it.
const DEFAULT_DROPOUT: f64 = 0.01;
/// The exponent above which a median of seconds is beyond every limit.
const MAX_LOG: f64 = 22.0;

impl Conversion<'_> {
    /// The links, in the order of the edges.
    pub(super) fn links(&mut self) -> Vec<LinkSpec> {
        let edges = self.graph.links(self.payload);
        let all = Path::root().name("links");
        if edges.iter().any(|(_, exit)| exit.is_some()) {
            self.notes.add(
                &all,
                "Responses go back along the path of the request. The time from a server to the client is that of the \
                 response on the link to the server; all others take no time.",
            );
        }
        edges
            .into_iter()
            .enumerate()
            .map(|(index, (edge, exit))| self.link(&all.clone().index(index), edge, exit))
            .collect()
    }

    fn link(&mut self, path: &Path, edge: &Edge, exit: Option<&Edge>) -> LinkSpec {
        self.notes.comes_from(path, edge.location);
        self.notes.comes_from(&path.clone().name("latency"), edge.latency.mean.location);
        self.parts.push((edge.path.clone(), path.clone()));
        let (latency, loss) = (self.latency(edge, path), self.loss(edge, path));
        let (response_latency, response_loss) = match exit {
            Some(exit) => {
                self.notes.comes_from(&path.clone().name("response_latency"), exit.latency.mean.location);
                self.parts.push((exit.path.clone(), path.clone()));
                (self.latency(exit, path), self.loss(exit, path))
            }
            None => (DistributionSpec::Constant(SimDuration::ZERO), None),
        };
        // Unless it is written, the loss of responses is that of requests.
        let response_loss = response_loss.or(loss.map(|_| 0.0)).filter(|other| Some(*other) != loss);
        LinkSpec {
            from: edge.source.value.clone(),
            to: edge.target.value.clone(),
            preset: None,
            latency: Some(latency),
            response_latency: Some(response_latency),
            loss,
            response_loss,
            bandwidth: None,
            response_bandwidth: None,
            sharing: LinkSharing::default(),
        }
    }

    /// The probability of loss of an edge, or `None` for 0.
    fn loss(&mut self, edge: &Edge, path: &Path) -> Option<f64> {
        if edge.dropout.is_none() {
            let links = path.split_last().map_or_else(Path::root, |(links, _)| links);
            self.note(
                &links,
                "AsyncFlow loses 1 % of the messages of an edge without `dropout_rate`. Here, they are not lost: \
                 `loss: 0.01` would do that.",
                "AsyncFlow loses 1 % of the messages of an edge without `dropout_rate`.",
            );
        }
        let default = if self.is_faithful() { DEFAULT_DROPOUT } else { 0.0 };
        Some(edge.dropout.unwrap_or(default)).filter(|loss| *loss > 0.0)
    }

    /// The latency of an edge.
    fn latency(&mut self, edge: &Edge, path: &Path) -> DistributionSpec<SimDuration> {
        let variable = &edge.latency;
        let written = variable.variance.as_ref().map(|variance| variance.value);
        if written.is_some() && matches!(variable.law, Law::Exponential | Law::Poisson | Law::Uniform) {
            self.notes.add(
                path,
                "AsyncFlow crashes at the first message of an edge with a variance, unless its latency is normal or \
                 log_normal. The variance has no effect here.",
            );
        }
        let mean = self.seconds(&variable.mean);
        match variable.law {
            Law::Exponential => DistributionSpec::Exponential { mean },
            Law::Poisson => {
                self.note(
                    path,
                    "AsyncFlow draws whole seconds from a `poisson` latency, the default: nearly always 0 s for a few \
                     milliseconds. Here, it is exponential.",
                    "AsyncFlow draws whole seconds from a `poisson` latency, the default.",
                );
                if self.is_faithful() {
                    laws::whole_seconds(variable.mean.value)
                } else {
                    DistributionSpec::Exponential { mean }
                }
            }
            Law::Uniform => {
                self.note(
                    path,
                    "AsyncFlow draws a `uniform` latency from 0 s to 1 s, and ignores the mean. Here, it is from 0 s to \
                     twice the mean.",
                    "AsyncFlow draws a `uniform` latency from 0 s to 1 s, and ignores the mean.",
                );
                let max = if self.is_faithful() {
                    SimDuration::from_seconds(1)
                } else {
                    duration(2.0 * variable.mean.value)
                };
                DistributionSpec::Uniform { min: SimDuration::ZERO, max }
            }
            Law::Normal => self.normal_latency(variable.mean.value, written, path),
            Law::LogNormal => self.log_normal_latency(edge, written, path),
        }
    }

    fn normal_latency(
        &mut self,
        mean: f64,
        variance: Option<f64>,
        path: &Path,
    ) -> DistributionSpec<SimDuration> {
        self.note(
            path,
            "AsyncFlow takes the variance of a `normal` latency (if none is written, the mean) as the standard deviation, \
             and negative times as 0 s.",
            "AsyncFlow takes the variance of a `normal` latency (if none is written, the mean) as the standard deviation, \
             and negative times as 0 s: mean and standard deviation here are those of the result.",
        );
        let (mean, sd) = if self.is_faithful() {
            laws::clipped(mean, variance.unwrap_or(mean))
        } else {
            self.note_missing_variance(variance, path);
            (mean, variance.map_or(mean, libm::sqrt))
        };
        let (law, is_normal) = laws::normal(mean, sd);
        if !is_normal {
            self.notes
                .add(path, "A normal time that is never negative does not vary that much: it is Gamma here.");
        }
        law
    }

    fn log_normal_latency(
        &mut self,
        edge: &Edge,
        variance: Option<f64>,
        path: &Path,
    ) -> DistributionSpec<SimDuration> {
        let mean = &edge.latency.mean;
        self.note(
            path,
            "AsyncFlow takes mean and variance of a `log_normal` latency (if no variance is written, the mean) as mean \
             and standard deviation of the logarithm of seconds: the median is at least 1 s.",
            "AsyncFlow takes mean and variance of a `log_normal` latency (if no variance is written, the mean) as mean \
             and standard deviation of the logarithm of seconds.",
        );
        if !self.is_faithful() {
            self.note_missing_variance(variance, path);
            let sd = variance.map_or(mean.value, libm::sqrt);
            return DistributionSpec::LogNormal { mean: duration(mean.value), sd: duration(sd) };
        }
        if mean.value > MAX_LOG {
            self.errors.push(mean.wrong("the logarithm of a time of more than 285 years", "make it smaller"));
        }
        let median = duration(libm::exp(mean.value.min(MAX_LOG)));
        DistributionSpec::LogNormalMedian { median, sigma: variance.unwrap_or(mean.value) }
    }

    fn note_missing_variance(&mut self, variance: Option<f64>, path: &Path) {
        if variance.is_none() {
            self.notes.add(path, "No variance is written: the standard deviation is the mean.");
        }
    }
}
