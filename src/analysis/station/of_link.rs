//! The station of a direction of a link with a bandwidth.

use std::rc::Rc;

use super::{ConstantSeries, Station};
use crate::metrics::result::{LineResult, RunResult};
use crate::model::link::LineId;
use crate::model::metric::Subject;

impl<'a> Station<'a> {
    /// Returns a direction of a link with a bandwidth as a station. `heavy_tailed`: whether the size of any message has no
    /// finite variance.
    pub(in crate::analysis) fn of_line(
        result: &'a RunResult,
        (id, line): (LineId, &'a LineResult),
        heavy_tailed: bool,
        constants: &Rc<ConstantSeries>,
    ) -> Self {
        let alone = line.alone.clone().summarize();
        let [service, sd] = [alone.mean(), alone.sd()].map(|nanos| nanos.unwrap_or(0.0) / 1e9);
        let variance = if service > 0.0 { sd * sd / (service * service) } else { 0.0 };
        Self {
            arrived: line.arrived,
            served: alone.count(),
            concurrency: 1,
            utilization: line.utilization,
            queue_depth_max: line.waiting_max.into(),
            wait: line.wait.clone().summarize().mean().unwrap_or(0.0) / 1e9,
            service,
            service_variance: variance,
            // Of few messages, the largest may be missing. If they share the bandwidth fairly, the mean wait is that of an
            // exponential distribution, whatever the sizes (Kleinrock, "Queueing systems", volume 2, 1976, section 4.4).
            configured_variance: match (line.is_fair, heavy_tailed) {
                (true, _) => 1.0,
                (false, true) => f64::INFINITY,
                (false, false) => variance.max(1.0),
            },
            is_observed: true,
            parallel: Some(1.0),
            ..Self::idle(Subject::Line(id.0), &line.name, &line.capacity, result, constants)
        }
    }
}
