//! Keeps a gauge at a value: the number of members grows and shrinks in proportion to the gauge.
//!
//! The formula is that of the Horizontal Pod Autoscaler of Kubernetes: the number of members that are up, times the value,
//! divided by its target, rounded up; no change while the value is near its target. Members that boot are expected to take
//! their share of the load: they are not ordered a second time, nor removed because the others are too busy.

use serde::{Deserialize, Serialize};

use super::{Known, Measured, Policy};
use crate::model::check::Checker;
use crate::model::probe::GaugeSpec;
use crate::text::Path;

/// The parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The gauge: the mean over the members that are up, and over the time since the last evaluation.
    pub gauge: GaugeSpec,
    /// The value that the gauge should have.
    pub value: f64,
    /// By which share of the target the gauge may differ from it without a change.
    #[serde(default = "default_tolerance", skip_serializing_if = "is_default_tolerance")]
    pub tolerance: f64,
}

/// As in Kubernetes.
const fn default_tolerance() -> f64 {
    0.1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_default_tolerance(tolerance: &f64) -> bool {
    tolerance.to_bits() == default_tolerance().to_bits()
}

impl Policy for Target {
    fn gauge(&self) -> Option<&GaugeSpec> {
        Some(&self.gauge)
    }

    fn desired(&self, known: Known) -> u32 {
        let Known { members, measured: Some(Measured { value, up }), .. } = known else {
            return known.members;
        };
        // A ratio like 0.55 / 0.5 may be a little above a number of two digits, and a product like 4 * 0.75 / 0.5 a little above a
        // whole one.
        const ROUNDING: f64 = 1e-9;
        let is_near = |ratio: f64| (ratio - 1.0).abs() <= self.tolerance + ROUNDING;
        let ratio = value / self.value;
        let needed = f64::from(up) * ratio;
        let with_booting = needed / f64::from(members.max(1));
        if is_near(ratio) || (ratio > 1.0 && (with_booting < 1.0 || is_near(with_booting))) {
            return members;
        }
        // A product like 4 * 0.75 / 0.5 may be a little above a whole number.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates, as intended"
        )]
        let needed = libm::ceil(needed - ROUNDING) as u32;
        needed
    }

    fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        if !(self.value > 0.0 && self.value.is_finite()) {
            let message = format!("a target of {} cannot be kept: expected a number above 0", self.value);
            checker.add(
                path.clone().name("value"),
                message,
                "0.7 of `Load` means that slots are busy 70 % of the time",
            );
        }
        if !(0.0..1.0).contains(&self.tolerance) {
            let message = format!(
                "{} is not a share of the target: expected a number from 0 to below 1",
                self.tolerance
            );
            checker.add(
                path.clone().name("tolerance"),
                message,
                "0.1 means that a tenth more or less is near enough",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::SimTime;
    use crate::model::metric::UTILIZATION;

    fn desired(members: u32, up: u32, value: f64) -> u32 {
        let target = Target { gauge: GaugeSpec::Own(&UTILIZATION), value: 0.5, tolerance: 0.1 };
        target.desired(Known { now: SimTime::ZERO, members, measured: Some(Measured { value, up }) })
    }

    #[test]
    fn the_number_of_members_follows_the_gauge_in_proportion() {
        assert_eq!(desired(4, 4, 0.75), 6);
        assert_eq!(desired(4, 4, 0.76), 7);
        assert_eq!(desired(10, 10, 0.2), 4);
        assert_eq!(desired(10, 10, 0.0), 0);
    }

    #[test]
    fn a_value_near_the_target_changes_nothing() {
        for value in [0.45, 0.5, 0.55] {
            assert_eq!(desired(10, 10, value), 10, "{value}");
        }
        assert_eq!(desired(10, 10, 0.551), 12);
        assert_eq!(desired(10, 10, 0.449), 9);
        let target = Target { gauge: GaugeSpec::Own(&UTILIZATION), value: 0.5, tolerance: 0.1 };
        assert_eq!(target.desired(Known { now: SimTime::ZERO, members: 3, measured: None }), 3);
    }

    #[test]
    fn members_that_boot_are_expected_to_take_their_share() {
        // Four servers need two more, which boot already.
        assert_eq!(desired(6, 4, 0.75), 6);
        assert_eq!(desired(5, 4, 0.75), 6);
        // There are more than needed, but they are not up yet.
        assert_eq!(desired(10, 4, 0.75), 10);
        // Those that are up are not busy: the others are not needed either.
        assert_eq!(desired(10, 4, 0.2), 2);
    }
}
