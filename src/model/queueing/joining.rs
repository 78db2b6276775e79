//! Who joins a queue, and how long they stay: balking and patience, whatever the discipline is.

use serde::{Deserialize, Serialize};

use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::random::{Draw as _, RandomStream};
use crate::engine::time::SimDuration;
use crate::model::build::CHECKED;
use crate::model::check::Checker;
use crate::text::Path;

/// Which requests do not join a queue, as written in a scenario. They are rejected.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BalkSpec {
    /// All join while fewer requests than this wait.
    pub from: u32,
    /// If it is given, the probability grows linearly from 0 below `from` to its full value at this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
    /// The probability with which a request does not join (0 to 1).
    pub probability: f64,
}

impl BalkSpec {
    /// The probability with which a request that finds this number of requests waiting does not join.
    fn probability_at(&self, waiting: u32) -> f64 {
        let above = f64::from((waiting + 1).saturating_sub(self.from));
        let steps = self.to.map_or(1.0, |to| f64::from(to - self.from) + 1.0);
        self.probability * (above / steps).min(1.0)
    }
}

/// Who joins a queue, and how long they stay, as written in a scenario.
#[derive(Clone, Copy, Debug)]
pub struct JoiningSpec<'a> {
    /// For how long a request waits before it leaves, or `None` if it stays. It then ends at once, as timed out, since it is
    /// its client that leaves. Palm: "Research on telephone traffic carried by full availability groups", 1957.
    pub patience: Option<&'a DistributionSpec<SimDuration>>,
    /// Which requests do not join, or `None` if all do.
    pub balk: Option<BalkSpec>,
}

impl JoiningSpec<'_> {
    /// Whether all requests join that find room, and stay.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        self.patience.is_none() && self.balk.is_none()
    }

    /// Reports errors.
    pub(in crate::model) fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        if let Some(patience) = self.patience {
            checker.spec(path, "patience", patience.resolve().map(drop));
        }
        let Some(BalkSpec { from, to, probability }) = self.balk else { return };
        let path = path.clone().name("balk");
        if !(0.0..=1.0).contains(&probability) {
            let message = format!("{probability} is not a probability");
            checker.add(path.clone().name("probability"), message, "write a number from 0 to 1");
        }
        if to.is_some_and(|to| to < from) {
            let message = "the probability ends to grow before it begins to";
            checker.add(path.name("to"), message, "make it `from` or more, or leave it out");
        }
    }
}

/// Who joins a queue, and how long they stay, during a run.
#[derive(Clone, Debug)]
pub(super) struct Joining {
    patience: Option<Sampler>,
    balk: Option<BalkSpec>,
    stream: RandomStream,
}

impl Joining {
    pub(super) fn new(spec: JoiningSpec<'_>, stream: RandomStream) -> Self {
        let patience = spec.patience.map(|patience| patience.resolve().expect(CHECKED));
        Self { patience, balk: spec.balk, stream }
    }

    /// Whether a request that finds this number of requests waiting does not join.
    pub(super) fn balks(&mut self, waiting: u32) -> bool {
        let probability = self.balk.map_or(0.0, |balk| balk.probability_at(waiting));
        probability > 0.0 && self.stream.chance(probability)
    }

    /// Draws the patience of a request, or returns `None` if it waits for ever.
    pub(super) fn draw_patience(&mut self) -> Option<SimDuration> {
        let patience = self.patience.as_ref()?;
        Some(patience.sample_duration(&mut self.stream))
    }
}
