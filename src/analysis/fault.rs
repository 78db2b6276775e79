//! Faults: what each of them did to the users of the system, and how long the system took to recover.
//!
//! The state of the system is the number of requests in flight, over all sources: it rises with everything that makes requests
//! wait, wherever that is. It is compared with its baseline, the times without any fault and before the first one if there are
//! few. A fault made requests slower if the mean over the times of the fault is above that of the baseline by more than
//! [`MIN_DEVIATIONS`] standard deviations of the means over baseline times of the same length (batch means, so that the slow
//! variation of a loaded system is not taken for an effect), and if few times also above all of these. It made requests fail
//! if more of them failed than the rate of the baseline explains.
//!
//! After the end of a fault, the system has recovered as soon as it stays, for [`SETTLED`] intervals, within what these
//! intervals reach in the baseline, both in flight and failing.

use std::ops::Range;

use serde::Serialize;

use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::scheduled::united;
use crate::engine::time::SimTime;
use crate::event::{Node, NodeKind};
use crate::metrics::result::{FaultResult, FaultTime};
use crate::model::metric::{IN_FLIGHT, Metric, Subject};
use crate::model::source::FAILURE_RATES;
use crate::request::{Outcome, RequestRecord};

/// Standard deviations of the mean above which requests in flight are due to the fault. Their number is skewed, so that the
/// normal distribution says little about the mean over few times.
const MIN_DEVIATIONS: f64 = 6.0;
/// The same for more than [`MANY`] times.
const MIN_DEVIATIONS_OF_MANY: f64 = 4.5;
/// From this many times of a fault on, there are many.
const MANY: usize = 10;
/// The mean is at least this many times that of the baseline.
const MIN_RATIO: f64 = 1.1;
/// Minimum number of times in the baseline of the same length as those of the fault.
const MIN_BATCHES: usize = 10;
/// Up to this many times of a fault are few.
const FEW: usize = 3;
/// The mean over few times is this many times the highest one of the baseline.
const MIN_BEYOND_HIGHEST: f64 = 1.25;
/// Intervals for which a system has to be as before.
const SETTLED: usize = 5;
/// Failures beyond those of the baseline that are not due to the fault: a number, and standard deviations.
const FAILURES_BY_CHANCE: (f64, f64) = (3.0, 4.0);
/// Minimum share of the slowest requests that is worth a mention, and how many times the share by chance.
const MIN_SHARE_OF_SLOWEST: (f64, f64) = (0.3, 3.0);
/// Minimum number of slowest requests.
const MIN_SLOWEST: usize = 20;
/// The slowest requests.
const SLOWEST: f64 = 0.99;
/// Share of the offered requests from which on those that failed by a fault are trouble.
const MAX_FAILED_SHARE: f64 = 1e-3;

/// The evidence for a fault.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FaultEvidence {
    /// Its name.
    pub fault: String,
    /// What happened: `crash`, `3 times slower`.
    pub what: String,
    /// How many times.
    pub times: u64,
    /// For how long in total.
    pub seconds: f64,
    /// Requests that failed in its time beyond those that the rate of the baseline explains; 0 if there are none.
    pub failed: f64,
    /// Their share of all requests offered to the system.
    pub failed_share_of_offered: f64,
    /// Mean number of requests in flight in the baseline; `None` if it did not make requests slower.
    pub in_flight_before: Option<f64>,
    /// Mean number of requests in flight while it was in effect, likewise.
    pub in_flight_meanwhile: Option<f64>,
    /// The longest time from an end until the system was as before; `None` if it is not known.
    pub recovery_seconds: Option<f64>,
    /// For how long after its last end the system was not as before up to the end of the run; `None` if it recovered, or if
    /// the time was too short to tell.
    pub not_recovered_seconds: Option<f64>,
    /// Share of the slowest hundredth of the completed requests that were in flight while it was in effect; `None` if it is
    /// not clearly higher than by chance.
    pub share_of_slowest: Option<f64>,
}

impl FaultEvidence {
    /// Whether it is trouble: many requests failed, or the system did not recover.
    pub(super) fn is_severe(&self) -> bool {
        self.failed_share_of_offered > MAX_FAILED_SHARE || self.not_recovered_seconds.is_some()
    }
}

/// The series of the system, one value for each interval.
struct System {
    /// Mean number of requests in flight.
    in_flight: Vec<f64>,
    /// Number of requests that failed.
    failures: Vec<f64>,
    /// Number of faults in effect that happened few times. One that happens often is part of what the system is like.
    rare_faults: Vec<u32>,
    /// When the slowest of the sampled requests that were completed began and ended, in seconds.
    slowest: Vec<(f64, f64)>,
}

/// What the system is like without faults.
struct Baseline {
    in_flight: f64,
    /// Number of batches, and the mean and the highest of them in comparison.
    batches: usize,
    deviation: f64,
    highest: f64,
    /// What [`SETTLED`] intervals reach at most.
    reach: f64,
    /// Failures per interval.
    failures: f64,
    intervals: usize,
}

/// Returns what each fault of a run did.
pub(super) fn find(context: &RunContext<'_>) -> Vec<Finding> {
    if context.result.faults.is_empty() {
        return Vec::new();
    }
    let system = System::of(context);
    context.result.faults.iter().filter_map(|fault| finding(context, &system, fault)).collect()
}

impl System {
    fn of(context: &RunContext<'_>) -> Self {
        let intervals = context.result.timeline.intervals();
        let sources = 0..u32::try_from(context.result.sources.len()).unwrap_or(u32::MAX);
        let sum = |metrics: &[&Metric]| {
            let mut sum = vec![0.0; intervals];
            for (source, metric) in
                sources.clone().flat_map(|row| metrics.iter().map(move |metric| (row, metric)))
            {
                let subject = Subject::Node(Node::new(NodeKind::Source, source));
                let series = context.result.timeline.find(subject, metric).into_iter().flatten();
                sum.iter_mut().zip(series).for_each(|(sum, value)| *sum += f64::from(value));
            }
            sum
        };
        let mut rare_faults = vec![0; intervals];
        let rare = context.result.faults.iter().map(|fault| times_of(context, fault));
        for time in rare.filter(|times| times.len() <= FEW).flatten() {
            rare_faults[time].iter_mut().for_each(|faults| *faults += 1);
        }
        Self {
            in_flight: sum(&[&IN_FLIGHT]),
            failures: sum(&FAILURE_RATES).into_iter().map(|rate| rate * context.step).collect(),
            rare_faults,
            slowest: slowest(context),
        }
    }

    /// The baseline of a fault with these times in a phase, or `None` if there is none to compare with.
    fn baseline(&self, times: &[Range<usize>], phase: &Range<usize>) -> Option<Baseline> {
        let first = times.first()?.start;
        // After a fault, the system needs time to recover: only the second half of the time between two of them counts.
        let between =
            times.windows(2).flat_map(|pair| usize::midpoint(pair[0].end, pair[1].start)..pair[1].start);
        let between = between.filter(|_| times.len() > FEW);
        let is_normal = |at: &usize| self.rare_faults[*at] == 0;
        let normal: Vec<usize> = (phase.start..first).chain(between).filter(is_normal).collect();
        let longest = normal.len() / MIN_BATCHES;
        if longest == 0 {
            return None;
        }
        let means = |width: usize| -> Vec<f64> {
            normal.chunks_exact(width).map(|batch| mean(batch.iter().map(|at| self.in_flight[*at]))).collect()
        };
        let length = mean(times.iter().map(|time| time.len() as f64));
        let batches = means(crate::engine::floor_to_usize(length).clamp(1, longest));
        let in_flight = mean(normal.iter().map(|at| self.in_flight[*at]));
        let squares: f64 = batches.iter().map(|batch| (batch - in_flight) * (batch - in_flight)).sum();
        Some(Baseline {
            in_flight,
            batches: batches.len(),
            deviation: (squares / (batches.len() - 1) as f64).sqrt(),
            highest: batches.iter().copied().fold(0.0, f64::max),
            reach: means(SETTLED.min(longest)).into_iter().fold(0.0, f64::max),
            failures: mean(normal.iter().map(|at| self.failures[*at])),
            intervals: normal.len(),
        })
    }

    /// Mean number of requests in flight in these times.
    fn in_flight(&self, times: &[Range<usize>]) -> f64 {
        mean(times.iter().flat_map(|time| &self.in_flight[time.clone()]).copied())
    }

    /// The first interval from which on the system is as before, if there is one up to `until`.
    fn recovered(&self, from: usize, until: usize, baseline: &Baseline) -> Option<usize> {
        (from..(until + 1).saturating_sub(SETTLED)).find(|at| {
            let next = *at..at + SETTLED;
            let failures: f64 = self.failures[next.clone()].iter().sum();
            mean(self.in_flight[next].iter().copied()) <= baseline.reach
                && !baseline.is_exceeded(failures, SETTLED)
        })
    }
}

impl Baseline {
    /// Whether these are more failures in this many intervals than the rate of the baseline explains.
    fn is_exceeded(&self, failures: f64, intervals: usize) -> bool {
        // The rate is not better known than from the failures that were seen: there might have been one more.
        let rate = self.failures + 1.0 / self.intervals as f64;
        let expected = rate * intervals as f64;
        failures > expected + FAILURES_BY_CHANCE.0 + FAILURES_BY_CHANCE.1 * expected.sqrt()
    }

    /// Whether this mean over a number of times is above the baseline by more than chance.
    fn is_below(&self, mean: f64, times: usize) -> bool {
        let error = self.deviation * (1.0 / times as f64 + 1.0 / self.batches as f64).sqrt();
        let deviations = if times > MANY { MIN_DEVIATIONS_OF_MANY } else { MIN_DEVIATIONS };
        mean > self.in_flight + deviations * error
            && mean > MIN_RATIO * self.in_flight
            && (times > FEW || mean > MIN_BEYOND_HIGHEST * self.highest)
    }
}

fn finding(context: &RunContext<'_>, system: &System, fault: &FaultResult) -> Option<Finding> {
    let times = times_of(context, fault);
    let phase = phase(context, times.first()?.start);
    let is_measured = |time: &&Range<usize>| phase.contains(&time.start) && !time.is_empty();
    let measured: Vec<Range<usize>> = times.iter().filter(is_measured).cloned().collect();
    let own = u32::from(times.len() <= FEW);
    // What happens at the same time as other faults may be due to them, so that it only counts if there is nothing else.
    let is_alone =
        |time: &&Range<usize>| system.rare_faults[(*time).clone()].iter().all(|faults| *faults == own);
    let alone: Vec<Range<usize>> = measured.iter().filter(is_alone).cloned().collect();
    let times = if alone.is_empty() { measured } else { alone };
    let baseline = system.baseline(&times, &phase)?;
    let meanwhile = system.in_flight(&times);
    let is_slower = baseline.is_below(meanwhile, times.len());
    // When it was as before after each time, or up to when it was not.
    let ends = times.iter().skip(1).map(|next| next.start).chain([phase.end]);
    let recovery = |(time, next): (&Range<usize>, usize)| {
        let after = time.end..next.max(time.end);
        let other = system.rare_faults[after.clone()].iter().position(|faults| *faults > 0);
        let until = other.map_or(after.end, |other| after.start + other);
        (time.end, until, system.recovered(time.end, until, &baseline))
    };
    let recoveries: Vec<(usize, usize, Option<usize>)> = times.iter().zip(ends).map(recovery).collect();
    // Requests may fail by a fault when it is over: those that have waited for a response in vain.
    let affected: Vec<Range<usize>> =
        times.iter().zip(&recoveries).map(|(time, (end, _, at))| time.start..at.unwrap_or(*end)).collect();
    let intervals: usize = affected.iter().map(ExactSizeIterator::len).sum();
    let failures: f64 = affected.iter().flat_map(|time| &system.failures[time.clone()]).sum();
    let fails = baseline.is_exceeded(failures, intervals);
    let failed = if fails { failures - baseline.failures * intervals as f64 } else { 0.0 };
    let share_of_slowest = share_of_slowest(context, system, fault);
    if !is_slower && !fails && share_of_slowest.is_none() {
        return None;
    }
    let longest = recoveries.iter().filter_map(|(end, _, at)| Some(at.as_ref()? - end)).max();
    let last = recoveries.last().filter(|(end, until, at)| at.is_none() && until - end >= 2 * SETTLED);
    let excess: f64 = times
        .iter()
        .zip(&recoveries)
        .flat_map(|(time, (_, until, at))| &system.in_flight[time.start..at.unwrap_or(*until)])
        .map(|in_flight| in_flight - baseline.in_flight)
        .sum();
    let slower = if is_slower { excess.max(0.0) * context.step } else { 0.0 };
    let evidence = FaultEvidence {
        fault: fault.name.clone(),
        what: fault.what.clone(),
        times: fault.count,
        seconds: fault.time.as_seconds(),
        failed,
        failed_share_of_offered: failed / context.offered() as f64,
        in_flight_before: is_slower.then_some(baseline.in_flight),
        in_flight_meanwhile: is_slower.then_some(meanwhile),
        recovery_seconds: longest.map(|intervals| context.step * intervals as f64).filter(|_| last.is_none()),
        not_recovered_seconds: last.map(|(end, until, _)| context.step * (until - end) as f64),
        share_of_slowest,
    };
    let from = fault.times.first()?.from.as_seconds();
    let to =
        fault.times.iter().map(|time| time.to.map_or(context.end, SimTime::as_seconds)).fold(from, f64::max);
    let finding = Finding::new(fault.of.join(", "), Evidence::Fault(Box::new(evidence)));
    Some(finding.during(from, to).costing(slower + context.failure_penalty * failed))
}

/// The measured time between other changes of the system in which an interval lies, as a range of intervals.
fn phase(context: &RunContext<'_>, interval: usize) -> Range<usize> {
    let (from, to) = context.measured();
    let periods = context.scheduled.iter().filter(|period| !period.is_fault);
    let cuts = periods.flat_map(|period| std::iter::once(period.from).chain(period.to));
    let mut phase = context.interval_at(from)..context.interval_at(to);
    for cut in cuts.map(|cut| context.interval_at(cut)) {
        if cut <= interval {
            phase.start = phase.start.max(cut);
        } else {
            phase.end = phase.end.min(cut);
        }
    }
    phase
}

/// The intervals that a time has a part in.
fn range(context: &RunContext<'_>, time: &FaultTime) -> Range<usize> {
    let intervals = context.result.timeline.intervals();
    let floor = |seconds: f64| crate::engine::floor_to_usize(seconds / context.step).min(intervals);
    let from = floor(time.from.as_seconds());
    let to = time.to.map_or(intervals, |to| (floor(to.as_seconds() - 1e-9) + 1).min(intervals));
    from..to.max(from)
}

/// The intervals in which a fault was in effect, as ranges in order that do not touch.
fn times_of(context: &RunContext<'_>, fault: &FaultResult) -> Vec<Range<usize>> {
    let ranges = fault.times.iter().map(|time| range(context, time)).map(|range| (range.start, range.end));
    united(ranges).into_iter().map(|(from, to)| from..to).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    if count > 0.0 { sum / count } else { 0.0 }
}

/// When the slowest of the sampled requests that were completed began and ended, in seconds.
fn slowest(context: &RunContext<'_>) -> Vec<(f64, f64)> {
    let span = |record: &RequestRecord| {
        let (at, outcome) = record.finished?;
        (outcome == Outcome::Completed).then(|| (record.created.as_seconds(), at.as_seconds()))
    };
    let mut spans: Vec<(f64, f64)> = context.result.sample.records.iter().filter_map(span).collect();
    let mut latencies: Vec<f64> = spans.iter().map(|(from, to)| to - from).collect();
    latencies.sort_by(f64::total_cmp);
    let slow = latencies.get(crate::engine::floor_to_usize(SLOWEST * latencies.len() as f64)).copied();
    spans.retain(|(from, to)| slow.is_some_and(|slow| to - from >= slow));
    spans
}

/// The share of the slowest requests that were in flight while a fault was in effect, if it is clearly higher than that of
/// requests of the same latencies at any time.
fn share_of_slowest(context: &RunContext<'_>, system: &System, fault: &FaultResult) -> Option<f64> {
    let seconds =
        |time: &FaultTime| (time.from.as_seconds(), time.to.map_or(context.end, SimTime::as_seconds));
    let times: Vec<(f64, f64)> = united(fault.times.iter().map(seconds));
    let end = times.last()?.1;
    let (measured, _) = context.measured();
    // Of a fault that happened very often, only the first times are known.
    let is_known = |(from, _): &&(f64, f64)| (measured..end).contains(from);
    let slowest: Vec<&(f64, f64)> = system.slowest.iter().filter(is_known).collect();
    let hit = |(from, to): &(f64, f64)| {
        let next = times.partition_point(|time| time.1 <= *from);
        times.get(next).is_some_and(|time| time.0 < *to).then_some(next)
    };
    let mut hits: Vec<usize> = slowest.iter().filter_map(|request| hit(request)).collect();
    let share = hits.len() as f64 / slowest.len() as f64;
    hits.dedup();
    // A request of this latency is in flight during a fault if it begins in its time, or less than that before.
    let by_chance = |latency: f64| {
        let begins = united(times.iter().map(|(from, to)| (from - latency, *to)));
        let total: f64 = begins.iter().map(|(from, to)| to.min(end) - from.max(measured)).sum();
        total / (end - measured)
    };
    let expected = mean(slowest.iter().map(|(from, to)| by_chance(to - from)));
    let (min_share, times_chance) = MIN_SHARE_OF_SLOWEST;
    let is_clear = slowest.len() >= MIN_SLOWEST && hits.len() >= MIN_BATCHES;
    (is_clear && share >= min_share && share > times_chance * expected).then_some(share)
}
