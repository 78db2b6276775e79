//! Adds and removes numbers of members, depending on how far a gauge is from where it should be, as the step scaling of AWS.

use serde::{Deserialize, Serialize};

use super::{Known, Measured, Policy};
use crate::model::check::Checker;
use crate::model::probe::GaugeSpec;
use crate::text::Path;

/// The parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// The gauge: the mean over the members that are up, and over the time since the last evaluation.
    pub gauge: GaugeSpec,
    /// The steps. The one with the highest `from` that the gauge has reached counts; if there is none, the one with the lowest
    /// `below` that the gauge is below.
    pub steps: Vec<Step>,
}

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The lowest value of the gauge at which it applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<f64>,
    /// The value of the gauge below which it applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    /// Number of members to add, or to remove if it is negative.
    pub add: i32,
}

impl Policy for Steps {
    fn gauge(&self) -> Option<&GaugeSpec> {
        Some(&self.gauge)
    }

    fn desired(&self, known: Known) -> u32 {
        let Some(Measured { value, .. }) = known.measured else { return known.members };
        let reached = self.steps.iter().filter_map(|step| Some((step.from?, step.add)));
        let reached = reached.filter(|(from, _)| value >= *from).max_by(|a, b| a.0.total_cmp(&b.0));
        let missed = self.steps.iter().filter_map(|step| Some((step.below?, step.add)));
        let missed = missed.filter(|(below, _)| value < *below).min_by(|a, b| a.0.total_cmp(&b.0));
        let change = reached.or(missed).map_or(0, |(_, add)| add);
        known.members.saturating_add_signed(change)
    }

    fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        let path = path.clone().name("steps");
        if self.steps.is_empty() {
            checker.add(path, "without steps, the group never changes", "add a step: `(from: 0.8, add: 1)`");
            return;
        }
        for (index, step) in self.steps.iter().enumerate() {
            let path = path.clone().index(index);
            match (step.from, step.below) {
                (Some(value), None) | (None, Some(value)) if value.is_finite() => {}
                (Some(_), None) | (None, Some(_)) => {
                    checker.add(
                        path.clone(),
                        "a limit is a number",
                        "write it in the unit of the gauge: 0.8 of `Load`",
                    );
                }
                (None, None) => {
                    checker.add(
                        path.clone(),
                        "it is not known when the step applies",
                        "write `from` or `below`",
                    );
                }
                (Some(_), Some(_)) => {
                    let message = "a step has either `from` or `below`";
                    checker.add(
                        path.clone(),
                        message,
                        "write two steps: the one with the highest `from` counts",
                    );
                }
            }
            if step.add == 0 {
                let hint = "write how many members to add, or to remove if it is negative";
                checker.add(path.name("add"), "the step changes nothing", hint);
            }
        }
        let lowest = self.steps.iter().filter_map(|step| step.from).min_by(f64::total_cmp);
        let highest = self.steps.iter().filter_map(|step| step.below).max_by(f64::total_cmp);
        if let (Some(from), Some(below)) = (lowest, highest)
            && from < below
        {
            let message =
                format!("below {below} and from {from} on overlap: the steps with `from` count there");
            checker.warn(path, message, "leave a gap between them, in which nothing changes");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::SimTime;
    use crate::model::metric::UTILIZATION;

    #[test]
    fn the_furthest_step_that_the_gauge_has_reached_counts() {
        let from = |from, add| Step { from: Some(from), below: None, add };
        let below = |below, add| Step { from: None, below: Some(below), add };
        let steps = Steps {
            gauge: GaugeSpec::Own(&UTILIZATION),
            steps: vec![below(0.3, -1), from(0.7, 1), below(0.1, -5), from(0.9, 4)],
        };
        let desired = |value: Option<f64>| {
            let measured = value.map(|value| Measured { value, up: 4 });
            steps.desired(Known { now: SimTime::ZERO, members: 4, measured })
        };
        let expected = [(0.05, 0), (0.1, 3), (0.29, 3), (0.3, 4), (0.69, 4), (0.7, 5), (0.9, 8), (7.0, 8)];
        for (value, members) in expected {
            assert_eq!(desired(Some(value)), members, "{value}");
        }
        assert_eq!(desired(None), 4);
    }
}
