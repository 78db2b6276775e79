//! Near capacity: the load of a server or a group is shown to be so high that little room is left, without an overload
//! or long waits.

use serde::Serialize;

use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::subject::Subject;

/// The evidence for a load near the capacity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NearCapacityEvidence {
    /// Arrivals over capacity.
    pub load: f64,
    /// Lower bound of the load in the long run.
    pub load_at_least: f64,
    /// Number of servers.
    pub servers: usize,
}

/// Returns the subjects whose load is near the capacity.
pub(super) fn find(context: &RunContext<'_>, subjects: &[Subject<'_>]) -> Vec<Finding> {
    let of_subject = |subject: &Subject<'_>| {
        let assessment = subject.assessments.iter().find(|one| one.is_near_capacity())?;
        let evidence = Evidence::NearCapacity(NearCapacityEvidence {
            load: assessment.load,
            load_at_least: assessment.load_low(),
            servers: subject.rows.len(),
        });
        Some(subject.finding(context, assessment, evidence))
    };
    subjects.iter().filter_map(of_subject).collect()
}

#[cfg(test)]
mod tests {
    use super::super::systems::{look_at, system};
    use super::*;

    fn loads(rate: &str) -> Vec<f64> {
        let nodes = "\"n\": Server(service: Constant(\"10ms\"))";
        let text = system(rate, "Fixed(0)", nodes).replace("Poisson", "Constant");
        look_at(&text, &[], |context| {
            let found = find(context, &Subject::all(context)).into_iter();
            let load = |finding: Finding| {
                if let Evidence::NearCapacity(evidence) = finding.evidence {
                    Some(evidence.load)
                } else {
                    None
                }
            };
            found.filter_map(load).collect()
        })
    }

    #[test]
    fn a_server_without_room_is_near_its_capacity_even_if_nothing_waits() {
        let found = loads("\"98/s\"");
        assert!(found.len() == 1 && (found[0] - 0.98).abs() < 1e-3, "{found:?}");
        assert_eq!(loads("\"90/s\""), [] as [f64; 0]);
    }
}
