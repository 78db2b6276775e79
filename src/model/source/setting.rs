//! The settings of a source that can change during a run.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::arrivals::ArrivalsSpec;
use crate::model::check::Checker;
use crate::model::part::{PartSetting, ScheduledPeriodSpec, Step, steps_of_rate};
use crate::text::Path;

/// A setting of a source that can change during a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SourceSetting {
    /// When requests are created from the change on. The arrival that is already scheduled is cancelled.
    Arrivals(ArrivalsSpec),
}

impl SourceSetting {
    /// Reports errors.
    pub(super) fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        let Self::Arrivals(arrivals) = self;
        if arrivals.trace().is_some() {
            let message = "a trace cannot begin by a change";
            let hint = "add a source with this trace and a `start`, and let this source `stop` then";
            checker.add(path.clone(), message, hint);
        } else {
            checker.resolved(path.clone(), arrivals.check(checker.run_until));
        }
    }
}

impl fmt::Display for SourceSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Arrivals(arrivals) = self;
        match arrivals.steady_rate() {
            Some(rate) => rate.fmt(f),
            None => f.write_str("new arrival process"),
        }
    }
}

impl PartSetting for SourceSetting {
    fn name(&self) -> &'static str {
        let Self::Arrivals(_) = self;
        "Arrivals"
    }

    fn phases(&self) -> Vec<ScheduledPeriodSpec> {
        let Self::Arrivals(arrivals) = self;
        arrivals.phases()
    }

    fn steps(&self) -> Vec<Step<Self>> {
        let Self::Arrivals(arrivals) = self;
        let times = |factor| arrivals.steady_rate().and_then(|_| arrivals.times(factor));
        steps_of_rate("change the arrival rate", |factor| times(factor).map(Self::Arrivals))
    }
}
