//! The stations of a node: the node itself, or its resources.

use std::rc::Rc;

use super::periods::mean_of;
use super::{ConstantSeries, Station};
use crate::engine::statistics::Tally;
use crate::metrics::figures::{FigureValue, NodeFigures};
use crate::metrics::result::{NodeResult, ResourceName, RunResult};
use crate::model::capacity::CapacityLog;
use crate::model::figure::{
    self, ARRIVED, CALL_TIME, CAPACITY, CONCURRENCY, Figure, IN_SERVICE_MAX, IN_SERVICE_MEAN, IN_USE,
    IN_USE_MAX, IS_WEIGHTED, PARALLEL, QUEUE_DEPTH_MAX, RESOURCES, SERVICE, SLOTS_MEAN, USE_VARIANCE, WAIT,
    WAITING_MAX, WAITING_MEAN,
};
use crate::model::metric::Subject;

impl<'a> Station<'a> {
    /// Returns the stations of a node; none if it does not serve requests. `is_recorded`: whether requests may say how long
    /// they are served.
    pub(in crate::analysis) fn all_of(
        result: &'a RunResult,
        node: &'a NodeResult,
        is_recorded: bool,
        constants: &Rc<ConstantSeries>,
    ) -> Vec<Self> {
        let Some(FigureValue::Rows(rows)) = node.figures.get(&RESOURCES) else {
            return Self::of(result, node, is_recorded, constants).into_iter().collect();
        };
        let resources = (0..).zip(&node.resources).zip(rows.values());
        let stations = resources.filter_map(|((resource, name), figures)| {
            let station = Self::of(result, node, is_recorded, constants)?;
            Some(station.of_resource(resource, name, figures, result))
        });
        let stations: Vec<Self> = stations.collect();
        if stations.is_empty() {
            // Without any limit, it never makes a request wait.
            let unlimited =
                |station| Self { service: 0.0, is_observed: false, makes_calls: false, ..station };
            return Self::of(result, node, is_recorded, constants).map(unlimited).into_iter().collect();
        }
        stations
    }

    /// Turns the station of a node into that of one of its resources. The time for which a request uses it follows from
    /// its utilization and the throughput (the utilization law: Denning, Buzen, "The operational analysis of queueing
    /// network models", 1978).
    fn of_resource(
        self,
        resource: u16,
        name: &'a ResourceName,
        figures: &NodeFigures,
        result: &RunResult,
    ) -> Self {
        let measured = result.end.since(result.identity.measured_from).as_seconds();
        let throughput = self.served as f64 / measured.max(1e-12);
        // What is left if no further request fits is of no use.
        let parallel = figures.number(&PARALLEL).unwrap_or(1.0).max(1.0);
        let usable = (parallel + 1e-9).floor() / parallel;
        let parallel = usable * parallel;
        let utilization = figures.number(&IN_USE).map(|share| (share / usable).min(1.0));
        let per_second = |amount: f64| if throughput > 0.0 { amount / throughput } else { 0.0 };
        let variance = figures.number(&USE_VARIANCE).unwrap_or(1.0);
        Self {
            name: &name.name,
            group: name.of_group.as_deref(),
            concurrency: figures.count(&CAPACITY),
            peak: peak(figures, self.capacity, &IN_USE_MAX, &CAPACITY),
            utilization,
            queue_depth_max: figures.count(&WAITING_MAX),
            wait: per_second(figures.number(&WAITING_MEAN).unwrap_or(0.0)),
            service: per_second(utilization.unwrap_or(0.0) * parallel),
            service_variance: if variance.is_finite() { variance } else { 1.0 },
            configured_variance: variance,
            is_observed: true,
            makes_calls: false,
            resource: Some(resource),
            parallel: Some(parallel),
            usable,
            efficiency: 1.0,
            own_share: 1.0,
            slots_mean: None,
            ..self
        }
    }

    /// Returns the node as a station, or `None` if it does not serve requests.
    fn of(
        result: &'a RunResult,
        node: &'a NodeResult,
        is_recorded: bool,
        constants: &Rc<ConstantSeries>,
    ) -> Option<Self> {
        let figures: &NodeFigures = &node.figures;
        let observed = figures.times(&SERVICE)?.summarize();
        let capacity = node.capacity.as_ref()?;
        let calls = HeldByCalls::of(figures, observed.count());
        let [observed_mean, observed_sd] =
            [observed.mean(), observed.sd()].map(|nanos| nanos.unwrap_or(0.0) / 1e9);
        // Requests that say how long they are served do not follow the service time of the server.
        let recorded = (is_recorded && observed_mean > 0.0).then_some(observed_mean);
        let configured = || mean_of(capacity.periods(), result.end.as_seconds(), |period| period.service);
        let own = recorded.unwrap_or_else(configured);
        // The time of slots that a request needs, if it takes several.
        let observed_own = figures.get(&IS_WEIGHTED).and_then(|_| {
            let measured = result.end.since(result.identity.measured_from).as_seconds();
            let busy = figures.number(&IN_SERVICE_MEAN)?;
            (observed.count() > 0).then(|| busy * measured / observed.count() as f64)
        });
        let observed_own = observed_own.or(recorded.map(|own| own + calls.mean));
        let service = observed_own.unwrap_or(own + calls.mean);
        let efficiency = mean_of(capacity.periods(), result.end.as_seconds(), |period| period.efficiency);
        let slows_down = (efficiency - 1.0).abs() > 1e-9;
        let variances = capacity.periods().iter().map(|period| period.service_variance);
        let configured = match recorded {
            Some(mean) => observed_sd * observed_sd / (mean * mean),
            None => variances.fold(0.0, f64::max),
        };
        Some(Self {
            node: Some(node.node),
            group: result.names().group_of(node.node),
            arrived: figures.count(&ARRIVED),
            served: observed.count(),
            concurrency: figures.count(&CONCURRENCY),
            utilization: figures.number(&figure::UTILIZATION),
            peak: peak(figures, capacity, &IN_SERVICE_MAX, &CONCURRENCY),
            queue_depth_max: figures.count(&QUEUE_DEPTH_MAX),
            wait: figures.times(&WAIT).and_then(|wait| wait.summarize().mean()).unwrap_or(0.0) / 1e9,
            service,
            service_variance: calls.relative_variance(observed_mean, observed_sd * observed_sd),
            configured_variance: if configured.is_finite() {
                calls.relative_variance(own, configured * own * own)
            } else {
                configured
            },
            is_observed: calls.are_made || observed_own.is_some() || slows_down,
            makes_calls: calls.are_made,
            efficiency: if observed_own.is_some() { 1.0 } else { efficiency },
            own_share: if service > 0.0 { own / service } else { 1.0 },
            slots_mean: figures.number(&SLOTS_MEAN),
            ..Self::idle(Subject::Node(node.node), &node.name, capacity, result, constants)
        })
    }
}

/// The time for which a request holds a slot while it waits for calls, in seconds.
struct HeldByCalls {
    are_made: bool,
    mean: f64,
    variance: f64,
}

impl HeldByCalls {
    /// Returns the observed times at a node that has served this number of requests. The calls of a request are taken
    /// as independent of each other.
    fn of(figures: &NodeFigures, served: u64) -> Self {
        let Some(calls) = figures.times(&CALL_TIME).map(Tally::summarize) else {
            return Self { are_made: false, mean: 0.0, variance: 0.0 };
        };
        let per_request = if served > 0 { calls.count() as f64 / served as f64 } else { 0.0 };
        let [mean, sd] = [calls.mean(), calls.sd()].map(|nanos| nanos.unwrap_or(0.0) / 1e9);
        Self { are_made: true, mean: per_request * mean, variance: per_request * sd * sd }
    }

    /// Returns the relative variance of the sum of these times and of a service time with this mean and variance.
    fn relative_variance(&self, mean: f64, variance: f64) -> f64 {
        let sum = mean + self.mean;
        if sum > 0.0 { (variance + self.variance) / (sum * sum) } else { 0.0 }
    }
}

/// Returns the highest share of a capacity that was in use, or `None` if there is no limit, or if it changed.
fn peak(figures: &NodeFigures, log: &CapacityLog, most: &Figure, of: &Figure) -> Option<f64> {
    figures.get(most).filter(|_| log.is_constant())?;
    Some(figures.count(most) as f64 / figures.count(of).max(1) as f64)
}
