//! Long waits: requests wait several times as long as they are served, although the server is not shown to be overloaded.

use serde::Serialize;

use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::subject::Subject;

/// The evidence for long waits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LongWaitsEvidence {
    /// Mean wait of a request.
    pub wait_seconds: f64,
    /// Mean service time.
    pub service_seconds: f64,
    /// Mean wait over mean service time.
    pub wait_by_service: f64,
    /// Lower bound of that ratio in the long run.
    pub wait_by_service_at_least: f64,
    /// Arrivals over capacity.
    pub load: f64,
    /// Whether the service time has a finite variance. Without, the longest services decide how long requests wait, and
    /// each longer run has longer ones.
    pub finite_variance: bool,
    /// Number of servers.
    pub servers: usize,
}

/// Returns the subjects at which requests wait for long.
pub(super) fn find(context: &RunContext<'_>, subjects: &[Subject<'_>]) -> Vec<Finding> {
    let of_subject = |subject: &Subject<'_>| {
        let assessment = subject.assessments.iter().find(|one| one.has_long_waits())?;
        let services = subject.rows.iter().map(|&row| context.stations[row].service);
        let service = services.sum::<f64>() / subject.rows.len() as f64;
        let evidence = Evidence::LongWaits(LongWaitsEvidence {
            wait_seconds: assessment.wait * service,
            service_seconds: service,
            wait_by_service: assessment.wait,
            wait_by_service_at_least: assessment.wait_low(),
            load: assessment.load,
            finite_variance: !assessment.is_heavy_tailed(),
            servers: subject.rows.len(),
        });
        Some(subject.finding(context, assessment, evidence))
    };
    subjects.iter().filter_map(of_subject).collect()
}

#[cfg(test)]
mod tests {
    use super::super::systems::{ONE_SERVER, look_at, system};
    use super::*;

    #[test]
    fn waits_at_a_busy_server_are_long_and_those_of_many_slots_are_not() {
        let found = |rate: &str, nodes: &str| {
            let text = system(rate, "Fixed(0)", nodes);
            look_at(&text, &["run_until=1000s"], |context| find(context, &Subject::all(context)))
        };
        let busy = found("\"93/s\"", ONE_SERVER);
        let [Finding { evidence: Evidence::LongWaits(evidence), .. }] = &busy[..] else { panic!("{busy:?}") };
        // M/M/1 at load 0.93 waits 13.3 services; the standard error in 93,000 requests is about 9 %.
        assert!((evidence.wait_by_service - 13.3).abs() < 4.0, "{evidence:?}");
        assert!((evidence.wait_seconds - 0.01 * evidence.wait_by_service).abs() < 1e-9, "{evidence:?}");
        let ten = ONE_SERVER.replace("Server(", "Server(concurrency: 10, ");
        assert_eq!(found("\"930/s\"", &ten), []);
    }
}
