//! A station: what requests wait for and are served by, with its figures and series. A node that records service times
//! and a capacity is a station. If it has resources that are measured one by one, each of them is a station instead, since
//! any of them may be the bottleneck. A direction of a link with a bandwidth is a station with one slot, whose service is
//! the transfer of a message.
//!
//! `of_node` and `of_link` make them from the result of a run, `periods` has means over periods of constant capacity.

mod of_link;
mod of_node;
mod periods;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::event::Node;
use crate::metrics::result::RunResult;
use crate::metrics::timeline::Timeline;
use crate::model::capacity::{CapacityLog, CapacityPeriod};
use crate::model::metric::{
    ARRIVAL_RATE, COMPLETION_RATE, Metric, QUEUE_DEPTH, REJECTION_RATE, RESOURCE_LOAD, RESOURCE_QUEUE,
    Subject, UTILIZATION,
};
use crate::model::names::Names;
use periods::by_interval;

/// The resource that a finding about a link with a bandwidth is about.
pub const BANDWIDTH: &str = "bandwidth";

/// What serves requests. Its series are computed on first use and kept.
pub(super) struct Station<'a> {
    /// The subject of its series.
    subject: Subject,
    /// The node, or `None` if it is a link.
    pub(super) node: Option<Node>,
    pub(super) name: &'a str,
    pub(super) group: Option<&'a str>,
    /// Number of arrivals.
    pub(super) arrived: u64,
    /// Number of requests that were served after the warm-up.
    served: u64,
    /// Number of slots at the end of the run.
    pub(super) concurrency: u64,
    /// Utilization over the run.
    pub(super) utilization: Option<f64>,
    /// The highest share of the capacity that was in use at the same time; `None` if there is no limit, or if it changed.
    pub(super) peak: Option<f64>,
    /// Maximum number of waiting requests.
    pub(super) queue_depth_max: u64,
    /// Mean waiting time in seconds.
    pub(super) wait: f64,
    /// Mean time in seconds for which a request holds a slot: the mean of the configured service time, which is known
    /// even if no request was served, and the observed time of its calls.
    pub(super) service: f64,
    /// Relative variance of the observed times for which requests hold a slot: their squared coefficient of variation.
    pub(super) service_variance: f64,
    /// The same with the variance of the configured service time; the highest if it changed. May be infinite.
    pub(super) configured_variance: f64,
    /// Whether the capacity is not known but observed: that of a resource, of slots that are held during calls, or of requests
    /// that take several slots or slow each other down.
    pub(super) is_observed: bool,
    /// Whether requests hold slots while they wait for calls.
    makes_calls: bool,
    /// Index of the resource if it is one of several of its node.
    resource: Option<u16>,
    /// How many requests it serves at the same time.
    parallel: Option<f64>,
    /// The share of its capacity that these use.
    usable: f64,
    /// The maximum throughput as a share of that of the same slots if requests did not slow each other down.
    efficiency: f64,
    /// The configured service time as a share of the time for which a request holds a slot.
    own_share: f64,
    slots_mean: Option<f64>,
    capacity: &'a CapacityLog,
    timeline: &'a Timeline,
    zeros: Rc<[f64]>,
    constants: Rc<ConstantSeries>,
    /// Stays empty if no request reached the station: a large system may have a million of these.
    traffic: OnceCell<Box<TrafficSeries>>,
    availability: OnceCell<Rc<[f64]>>,
    capacities: OnceCell<Option<Rc<[f64]>>>,
}

/// The series of a station that requests arrived at.
#[derive(Default)]
struct TrafficSeries {
    queue: OnceCell<Vec<f64>>,
    load: OnceCell<Vec<f64>>,
    /// The load over the usable share of the capacity, if that is below 1.
    usable_load: OnceCell<Vec<f64>>,
    arrivals: OnceCell<Vec<f64>>,
    rejections: OnceCell<Vec<f64>>,
    offered: OnceCell<Vec<f64>>,
}

/// Series with the same value in every interval, which all stations share.
pub(super) struct ConstantSeries {
    intervals: usize,
    by_bits: RefCell<BTreeMap<u64, Rc<[f64]>>>,
}

impl ConstantSeries {
    /// Series with this number of intervals.
    pub(super) const fn new(intervals: usize) -> Self {
        Self { intervals, by_bits: RefCell::new(BTreeMap::new()) }
    }

    fn of(&self, value: f64) -> Rc<[f64]> {
        let mut by_bits = self.by_bits.borrow_mut();
        let series = by_bits.entry(value.to_bits());
        Rc::clone(series.or_insert_with(|| Rc::from(vec![value; self.intervals])))
    }
}

impl<'a> Station<'a> {
    /// Returns a station that no request reached, with one slot and without a service time.
    fn idle(
        subject: Subject,
        name: &'a str,
        capacity: &'a CapacityLog,
        result: &'a RunResult,
        constants: &Rc<ConstantSeries>,
    ) -> Self {
        Self {
            subject,
            node: None,
            name,
            group: None,
            arrived: 0,
            served: 0,
            concurrency: 1,
            utilization: None,
            peak: None,
            queue_depth_max: 0,
            wait: 0.0,
            service: 0.0,
            service_variance: 0.0,
            configured_variance: 0.0,
            is_observed: false,
            makes_calls: false,
            resource: None,
            parallel: None,
            usable: 1.0,
            efficiency: 1.0,
            own_share: 1.0,
            slots_mean: None,
            capacity,
            timeline: &result.timeline,
            zeros: constants.of(0.0),
            constants: Rc::clone(constants),
            traffic: OnceCell::new(),
            availability: OnceCell::new(),
            capacities: OnceCell::new(),
        }
    }

    fn series(&self, cell: fn(&TrafficSeries) -> &OnceCell<Vec<f64>>, metric: &Metric) -> &[f64] {
        if self.arrived == 0 {
            return &self.zeros;
        }
        cell(self.traffic.get_or_init(Box::default)).get_or_init(|| {
            let series = self.timeline.find(self.subject, metric);
            series.map_or_else(|| self.zeros.to_vec(), |series| series.map(f64::from).collect())
        })
    }

    /// Returns the series of a metric of the resource, or that of the corresponding metric of the node if it is not one
    /// of several or has no series of its own.
    fn of_resource_or_node(
        &self,
        cell: fn(&TrafficSeries) -> &OnceCell<Vec<f64>>,
        of_resource: &Metric,
        of_node: &Metric,
    ) -> &[f64] {
        let resource = self.node.zip(self.resource);
        let resource = resource.map(|(node, resource)| Subject::Resource { node, resource });
        let own = resource.and_then(|resource| self.timeline.find(resource, of_resource));
        let Some(own) = own.filter(|_| self.arrived > 0) else { return self.series(cell, of_node) };
        cell(self.traffic.get_or_init(Box::default)).get_or_init(|| own.map(f64::from).collect())
    }

    /// Returns the name of the resource if it is one of several of its node.
    pub(super) fn resource(&self, names: &'a Names) -> Option<&'a str> {
        let Some(node) = self.node else { return Some(BANDWIDTH) };
        names.resources(node).get(usize::from(self.resource?)).map(String::as_str)
    }

    /// Whether it is the first or the only station of its node.
    pub(super) fn is_first_of_node(&self) -> bool {
        self.resource.is_none_or(|resource| resource == 0)
    }

    /// Returns the number of waiting requests, by interval.
    pub(super) fn queue(&self) -> &[f64] {
        self.of_resource_or_node(|traffic| &traffic.queue, &RESOURCE_QUEUE, &QUEUE_DEPTH)
    }

    /// Returns the utilization, by interval: the share of what requests can use.
    pub(super) fn load(&self) -> &[f64] {
        let load = self.of_resource_or_node(|traffic| &traffic.load, &RESOURCE_LOAD, &UTILIZATION);
        if self.usable >= 1.0 || self.arrived == 0 {
            return load;
        }
        let scaled = || load.iter().map(|load| (load / self.usable).min(1.0)).collect();
        self.traffic.get_or_init(Box::default).usable_load.get_or_init(scaled)
    }

    /// Returns the arrivals per second, by interval.
    pub(super) fn arrivals(&self) -> &[f64] {
        self.series(|traffic| &traffic.arrivals, &ARRIVAL_RATE)
    }

    /// Returns the rejections per second, by interval.
    pub(super) fn rejections(&self) -> &[f64] {
        self.series(|traffic| &traffic.rejections, &REJECTION_RATE)
    }

    /// Returns the number of slots, or its mean if it changed.
    pub(super) fn slots(&self) -> f64 {
        let mean = self.slots_mean.filter(|slots| *slots > 0.0 && !self.capacity.is_constant());
        self.parallel.or(mean).unwrap_or(self.concurrency as f64)
    }

    /// Returns the capacity in requests per second, or `None` if the service takes no time.
    pub(super) fn capacity(&self) -> Option<f64> {
        (self.service > 0.0).then(|| self.efficiency * self.slots().max(1.0) / self.service)
    }

    /// Returns the capacity in requests per second, by interval.
    pub(super) fn capacities(&self) -> Option<&[f64]> {
        let capacities = self.capacities.get_or_init(|| {
            let capacity = self.capacity()?;
            Some(if self.capacity.is_constant() {
                self.constants.of(capacity)
            } else if self.resource.is_some() {
                let active = self.mean_of_periods(CapacityPeriod::activity).into_iter();
                active.map(|active| capacity * active).collect()
            } else {
                let of_own = self.mean_of_periods(CapacityPeriod::per_second).into_iter();
                of_own.map(|capacity| capacity * self.own_share).collect()
            })
        });
        capacities.as_deref()
    }

    /// Returns the share of time in which the node is up, by interval.
    pub(super) fn availability(&self) -> &[f64] {
        self.availability.get_or_init(|| {
            if self.capacity.is_constant() {
                return self.constants.of(1.0);
            }
            self.mean_of_periods(CapacityPeriod::availability).into()
        })
    }

    fn mean_of_periods(&self, value: fn(&CapacityPeriod) -> f64) -> Vec<f64> {
        let step = self.timeline.interval.as_seconds();
        by_interval(self.capacity.periods(), self.timeline.intervals(), step, value)
    }

    /// Returns the times at which it came up, or ceased to be up, in seconds.
    pub(super) fn came_or_left(&self) -> impl Iterator<Item = f64> {
        let pairs = self.capacity.periods().windows(2);
        let differ =
            pairs.filter(|pair| pair[0].availability().to_bits() != pair[1].availability().to_bits());
        differ.map(|pair| pair[1].from.as_seconds())
    }

    /// Whether it is up, or down, throughout a range of intervals.
    pub(super) fn is_steady(&self, from: usize, to: usize) -> bool {
        let availability = self.availability();
        let range = &availability[from.min(availability.len())..to.min(availability.len())];
        self.capacity.is_constant() || range.windows(2).all(|pair| pair[0].to_bits() == pair[1].to_bits())
    }

    /// Returns the capacity in requests per second that was observed in some ranges of intervals: the throughput over the
    /// utilization (the utilization law: Denning, Buzen, "The operational analysis of queueing network models", 1978).
    /// `None` if its capacity is known.
    fn observed_capacity(&self, spells: &[(usize, usize)]) -> Option<f64> {
        if !self.is_observed {
            return None;
        }
        let completions = self.timeline.find(self.subject, &COMPLETION_RATE)?;
        let completions: Vec<f64> = completions.map(f64::from).collect();
        let total = |values: &[f64]| -> f64 {
            spells.iter().filter_map(|&(from, to)| values.get(from..to)).flatten().sum()
        };
        let (completed, busy) = (total(&completions), total(self.load()));
        (busy > 0.0).then(|| completed / busy)
    }

    /// Returns the share of the time of busy slots in which they were held by calls, in some ranges of intervals. `None`
    /// if it makes no calls.
    pub(super) fn held_by_calls(&self, spells: &[(usize, usize)]) -> Option<f64> {
        let capacity = self.observed_capacity(spells).filter(|_| self.makes_calls)?;
        Some((1.0 - self.own_share * self.service * capacity / self.slots().max(1.0)).clamp(0.0, 1.0))
    }

    /// Returns the seconds that a request waits behind `depth` others, at the mean capacity of some ranges of
    /// intervals.
    pub(super) fn wait_behind(&self, depth: f64, spells: &[(usize, usize)]) -> f64 {
        if let Some(capacity) = self.observed_capacity(spells).filter(|capacity| *capacity > 0.0) {
            return depth / capacity;
        }
        let capacities = self.capacities().filter(|_| !self.capacity.is_constant()).unwrap_or_default();
        let during: Vec<f64> = spells
            .iter()
            .flat_map(|&(from, to)| &capacities[from.min(capacities.len())..to.min(capacities.len())])
            .copied()
            .collect();
        let capacity = during.iter().sum::<f64>() / during.len() as f64;
        // A server that was paused all the time may resume with at least one slot.
        if capacity > 0.0 { depth / capacity } else { depth * self.service / self.slots().max(1.0) }
    }

    /// Returns the arrivals per second, by interval, without those that were rejected because the node was down.
    pub(super) fn offered(&self) -> &[f64] {
        if self.arrived == 0 {
            return &self.zeros;
        }
        self.traffic.get_or_init(Box::default).offered.get_or_init(|| {
            let mut arrivals = self.arrivals().to_vec();
            if !self.capacity.is_constant() {
                let rejections = self.rejections();
                for ((rate, rejected), up) in arrivals.iter_mut().zip(rejections).zip(self.availability()) {
                    *rate = if *up < 1.0 { (*rate - rejected).max(0.0) } else { *rate };
                }
            }
            arrivals
        })
    }
}
