//! What a run shows about the load and the waits of a station, or of a group of stations, and how certain that is.
//!
//! The load is the number of arrivals over the capacity of that time. The mean service time is known from the scenario,
//! so only the number of arrivals is random: n arrivals with an index of dispersion d (see
//! [`dispersion`](super::dispersion)) have a standard deviation of sqrt(n d). Bounds of the rate are those of a Poisson
//! process, (sqrt(n) +- z sqrt(d) / 2)^2 (the square root stabilises the variance: Anscombe, "The transformation of
//! Poisson, binomial and negative-binomial data", 1948).
//!
//! Waits are measured in mean service times. The mean wait in the long run at load u with c slots is about (d + v) / 2
//! u^(sqrt(2 (c + 1)) - 1) / (c (1 - u)), where v is the relative variance of service times (Sakasegawa: "An
//! approximation formula Lq = a rho^beta / (1 - rho)", 1977; Allen, Cunneen). That it is small at the upper bound of the
//! load is much more reliable than that the waits of this run were short: the waits of a short run at a high load are
//! usually short too. The relative standard error of the mean wait of n requests is about sqrt(2 (d + v) / n) u / (1 -
//! u) (Whitt: "Planning queueing simulations", 1989), or that of the observed queue if it is larger.

use std::ops::Range;

use super::context::RunContext;
use super::overload::sum;
use super::signal::noise::RedNoise;
use super::station::Station;

/// Probability that an upper bound is wrong, over all bounds of a run. An unhealthy system has to stay below it to be
/// called healthy.
pub(super) const ALPHA_HIGH: f64 = 1e-6;
/// Probability that a lower bound is wrong, over all bounds of a run: that of a false finding.
pub(super) const ALPHA_LOW: f64 = 1e-3;
/// Mean waits up to this, in mean service times, are healthy.
pub(super) const MAX_HEALTHY_WAIT: f64 = 10.0;
/// Mean waits above this, in mean service times, are long. Systems between the two count as one or the other, whichever
/// is shown first: otherwise a system exactly at a single limit would need an infinite run.
pub(super) const MIN_LONG_WAIT: f64 = 5.0;
/// Loads up to this are healthy if waits are.
pub(super) const MAX_HEALTHY_LOAD: f64 = 0.98;
/// Loads above this are near the capacity.
pub(super) const MIN_HIGH_LOAD: f64 = 0.95;
/// Probability that any member of a group is as far from the mean by chance as one that is not like the others.
const ALPHA_OUTLIER: f64 = 1e-3;
/// Number of requests from which on the observed time of their calls is taken for its mean: fewer show no health.
const MIN_OBSERVED: f64 = 200.0;
/// The load without any capacity: that of a server that is paused.
const MAX_LOAD: f64 = 1e6;
/// Largest factor by which a longer run is suggested.
const MAX_FACTOR: f64 = 1e5;
/// Step between the factors that are tried.
const FACTOR_STEP: f64 = 1.2;

/// The load and the waits of stations in a range of intervals.
#[derive(Clone, Debug)]
pub(super) struct Assessment {
    /// The range of intervals.
    pub(super) during: Range<usize>,
    /// Number of arrivals.
    pub(super) requests: f64,
    /// Arrivals over capacity.
    pub(super) load: f64,
    /// Mean wait in mean service times, by Little's law: it includes requests that still wait.
    pub(super) wait: f64,
    /// Relative standard error of the mean wait; infinite if the load is not below 1.
    wait_error: f64,
    /// Index of dispersion of the arrivals.
    dispersion: f64,
    /// Relative variance of service times; may be infinite.
    variance: f64,
    /// Slots of each station.
    slots: f64,
    /// Number of requests that all slots serve in that time.
    capacity: f64,
    /// Whether the capacity is not known but observed.
    is_observed: bool,
    /// Standard deviations of the upper and the lower bound.
    z: (f64, f64),
    /// The loads of the group, or `None` if the station is not a member of a large group.
    group: Option<GroupLoads>,
}

/// The loads of the members of a group in a range of intervals.
#[derive(Clone, Copy, Debug)]
pub(super) struct GroupLoads {
    mean: f64,
    /// Standard deviation of the mean.
    error: f64,
    /// Upper bound of the variance between the loads of the members in the long run.
    variance: f64,
    /// Standard deviations from the mean from which on a member is not like the others.
    outlier: f64,
}

impl GroupLoads {
    /// Returns the loads of these members, or `None` if they are too few to limit the variance between them.
    pub(super) fn of(members: &[&Assessment]) -> Option<Self> {
        let n = members.len() as f64;
        let mean_of =
            |value: &dyn Fn(&Assessment) -> f64| members.iter().map(|one| value(one)).sum::<f64>() / n;
        let mean = mean_of(&|one| one.load);
        let by_chance = mean_of(&Assessment::load_variance);
        let observed = mean_of(&|one| (one.load - mean) * (one.load - mean)) * n / (n - 1.0);
        // The lower quantile of a chi-squared variable over its degrees of freedom (Wilson, Hilferty: "The distribution
        // of chi-square", 1931).
        let ninth = 2.0 / (9.0 * (n - 1.0));
        let quantile = 1.0 - ninth - members.first()?.z.0 * ninth.sqrt();
        let variance = observed.max(by_chance) / (quantile * quantile * quantile) - by_chance;
        let error = (by_chance / n).sqrt();
        let outlier = (2.0 * libm::log(n / ALPHA_OUTLIER)).sqrt();
        (quantile > 0.0 && variance.is_finite()).then_some(Self { mean, error, variance, outlier })
    }
}

impl Assessment {
    /// Returns the assessment of stations in a range of intervals, with the index of dispersion of their arrivals. `z`
    /// are the standard deviations of the upper and the lower bound.
    pub(super) fn of<'a>(
        context: &RunContext<'a>,
        rows: &[usize],
        dispersion: f64,
        during: &Range<usize>,
        z: (f64, f64),
    ) -> Self {
        let stations = || rows.iter().map(|&row| &context.stations[row]);
        let total = |values: &[f64]| {
            context.step * values.get(during.clone()).unwrap_or_default().iter().sum::<f64>()
        };
        let totals = |of: for<'s> fn(&'s Station<'a>) -> &'s [f64]| {
            stations().map(|station| total(of(station))).sum::<f64>()
        };
        let mean = |of: fn(&Station<'a>) -> f64| stations().map(of).sum::<f64>() / rows.len() as f64;
        let requests = totals(Station::offered);
        let capacity =
            stations().map(|station| station.capacities().map_or(f64::INFINITY, total)).sum::<f64>();
        let entered = totals(Station::arrivals) - totals(Station::rejections);
        let waited = if entered > 0.5 { totals(Station::queue) / entered } else { 0.0 };
        let service = mean(|station| station.service);
        let is_observed = stations().any(|station| station.is_observed);
        // The load is then as uncertain as the times for which slots are held, whose error is not below that of the
        // observed utilization: calls that wait for the same node are correlated.
        let dispersion = if is_observed {
            let held = stations().map(|station| station.service_variance).fold(0.0, f64::max);
            let busy = sum(stations().map(Station::load));
            let noise = RedNoise::fit(busy.get(during.clone()).unwrap_or_default());
            let error = noise.error_of_mean(during.len(), 1.0) / noise.mean.max(1e-12);
            (dispersion + held).max(error * error * requests)
        } else {
            dispersion
        };
        let assessment = Self {
            during: during.clone(),
            requests,
            load: if requests > 0.0 { (requests / capacity).min(MAX_LOAD) } else { 0.0 },
            wait: if service > 0.0 { waited / service } else { 0.0 },
            wait_error: f64::INFINITY,
            dispersion,
            variance: stations().map(|station| station.configured_variance).fold(0.0, f64::max),
            slots: mean(Station::slots).max(1.0),
            capacity,
            is_observed,
            z,
            group: None,
        };
        Self { wait_error: assessment.wait_error(context, rows), ..assessment }
    }

    /// Returns the relative standard error of the mean wait. It is only needed for long waits.
    fn wait_error(&self, context: &RunContext<'_>, rows: &[usize]) -> f64 {
        if self.wait <= MIN_LONG_WAIT || self.load >= 1.0 {
            return f64::INFINITY;
        }
        let stations = || rows.iter().map(|&row| &context.stations[row]);
        let observed = stations().map(|station| station.service_variance).fold(0.0, f64::max);
        let variance = if self.variance.is_finite() { self.variance } else { observed };
        let expected =
            (2.0 * (self.dispersion + variance) / self.requests).sqrt() * self.load / (1.0 - self.load);
        let queue = sum(stations().map(Station::queue));
        let noise = RedNoise::fit(queue.get(self.during.clone()).unwrap_or_default());
        expected.max(noise.error_of_mean(self.during.len(), 1.0) / noise.mean.max(1e-12))
    }

    /// Lets the other members of its group limit the load.
    pub(super) const fn share(&mut self, group: Option<GroupLoads>) {
        self.group = group;
    }

    /// Returns the variance of the load by chance.
    fn load_variance(&self) -> f64 {
        if self.capacity <= 0.0 {
            return 0.0;
        }
        self.dispersion * self.requests / (self.capacity * self.capacity)
    }

    /// Whether it could serve requests at any time.
    pub(super) fn has_capacity(&self) -> bool {
        self.capacity > 0.0
    }

    /// Returns the lower bound of the load.
    pub(super) fn load_low(&self) -> f64 {
        self.low(1.0)
    }

    /// Returns the upper bound of the load.
    pub(super) fn load_high(&self) -> f64 {
        self.high(1.0)
    }

    /// Returns the lower bound of the mean wait in the long run, in mean service times.
    pub(super) fn wait_low(&self) -> f64 {
        // Without a finite variance, the mean wait at a single slot is infinite in the long run.
        if self.is_heavy_tailed() { self.wait } else { self.wait / (1.0 + self.z.1 * self.wait_error) }
    }

    /// Whether the load is shown to be near or above the capacity.
    pub(super) fn is_near_capacity(&self) -> bool {
        self.load_low() > MIN_HIGH_LOAD
    }

    /// Whether long waits are shown.
    pub(super) fn has_long_waits(&self) -> bool {
        self.wait_low() > if self.is_heavy_tailed() { MAX_HEALTHY_WAIT } else { MIN_LONG_WAIT }
    }

    /// Whether the service time has no finite variance, so that the mean wait does not settle.
    pub(super) fn is_heavy_tailed(&self) -> bool {
        self.variance.is_infinite()
    }

    /// Whether it is shown that waits stay short and that there is room for more requests, if the time continued.
    pub(super) fn is_healthy(&self) -> bool {
        self.would_be_healthy(1.0)
    }

    /// Whether it is shown that waits stayed short in this time, although a longer one might be different.
    pub(super) fn was_harmless(&self) -> bool {
        if self.capacity <= 0.0 {
            return self.wait <= MAX_HEALTHY_WAIT;
        }
        // The queue of a random walk of n steps with variance d + v grows to about sqrt(2 n (d + v) / pi), two thirds
        // of that on average; a constant excess grows linearly, one half of it on average.
        let excess = self.capacity * (self.load_high() - 1.0).max(0.0) / 2.0;
        let wander = 0.53 * (self.requests * (self.dispersion + self.variance)).sqrt();
        self.wait <= MAX_HEALTHY_WAIT && (excess + wander) / self.slots <= MAX_HEALTHY_WAIT
            || self.is_healthy()
    }

    /// Returns the factor by which the time has to be longer to show health or trouble, or `None` if no reasonable
    /// length does.
    pub(super) fn needed_factor(&self) -> Option<f64> {
        let steps = std::iter::successors(Some(1.0), |factor| Some(factor * FACTOR_STEP));
        let mut factors = steps.take_while(|factor| *factor < MAX_FACTOR);
        factors.find(|&factor| self.would_be_healthy(factor) || self.would_be_in_trouble(factor))
    }

    fn would_be_healthy(&self, factor: f64) -> bool {
        let high = self.high(factor);
        let is_known = !self.is_observed || factor * self.requests >= MIN_OBSERVED;
        is_known
            && self.wait <= MAX_HEALTHY_WAIT
            && high <= MAX_HEALTHY_LOAD
            && self.long_run_wait(high) <= MAX_HEALTHY_WAIT
    }

    fn would_be_in_trouble(&self, factor: f64) -> bool {
        let wait = if self.load < 1.0 { self.wait.max(self.long_run_wait(self.load)) } else { self.wait };
        let error = self.z.1 * (2.0 * (self.dispersion + self.variance) / (factor * self.requests)).sqrt();
        self.low(factor) > MIN_HIGH_LOAD
            || (self.load < 1.0 && wait / (1.0 + error * self.load / (1.0 - self.load)) > MIN_LONG_WAIT)
    }

    /// Returns the lower bound of the load if the time were longer by a factor.
    fn low(&self, factor: f64) -> f64 {
        if self.capacity <= 0.0 {
            return 0.0;
        }
        let root = (factor * self.requests).sqrt() - self.z.1 * self.dispersion.sqrt() / 2.0;
        root.max(0.0) * root.max(0.0) / (factor * self.capacity)
    }

    /// Returns the upper bound of the load if the time were longer by a factor.
    fn high(&self, factor: f64) -> f64 {
        if self.capacity <= 0.0 {
            return if self.requests > 0.0 { MAX_LOAD } else { 0.0 };
        }
        let root = (factor * self.requests).sqrt() + self.z.0 * self.dispersion.sqrt() / 2.0;
        let own = root * root / (factor * self.capacity);
        let by_chance = self.load_variance();
        match self.group {
            Some(group) if (self.load - group.mean).abs() <= group.outlier * by_chance.sqrt() => {
                let by_chance = by_chance / factor;
                let weight = group.variance / (group.variance + by_chance);
                let estimate = group.mean + weight * (self.load - group.mean);
                let sd = (weight * by_chance).sqrt() + (1.0 - weight) * group.error / factor.sqrt();
                own.min(estimate + self.z.0 * sd)
            }
            Some(_) | None => own,
        }
    }

    /// Returns the mean wait in the long run at a load, in mean service times.
    fn long_run_wait(&self, load: f64) -> f64 {
        if load <= 0.0 {
            return 0.0;
        }
        let power = libm::pow(load, (2.0 * (self.slots + 1.0)).sqrt() - 1.0);
        0.5 * (self.dispersion + self.variance) * power / (self.slots * (1.0 - load))
    }
}

#[cfg(test)]
mod tests {
    use super::super::subject::Subject;
    use super::super::systems::{GROUP, ONE_SERVER, look_at, system};
    use super::*;

    fn whole(text: &str, overrides: &[&str]) -> Assessment {
        look_at(text, overrides, |context| Subject::all(context)[0].assessments[0].clone())
    }

    #[test]
    fn the_bounds_contain_the_true_load_and_narrow_with_the_length() {
        let text = system("\"80/s\"", "Fixed(0)", ONE_SERVER);
        let [short, long] = ["run_until=10s", "run_until=1000s"].map(|length| whole(&text, &[length]));
        for one in [&short, &long] {
            assert!(one.load_low() < 0.8 && 0.8 < one.load_high(), "{one:?}");
        }
        assert!(long.load_high() - long.load_low() < 0.2 * (short.load_high() - short.load_low()));
        assert!(long.is_healthy() && !short.is_healthy(), "{short:?} {long:?}");
        // M/M/1 at load 0.8 waits four services.
        assert!((long.wait - 4.0).abs() < 0.6 && (long.long_run_wait(0.8) - 4.0).abs() < 1.0, "{long:?}");
        let factor = short.needed_factor().expect("a longer run shows it");
        assert!((1.0..20.0).contains(&factor), "{factor}");
    }

    #[test]
    fn long_waits_are_shown_in_a_long_run() {
        let text = system("\"93/s\"", "Fixed(0)", ONE_SERVER);
        let one = whole(&text, &["run_until=2000s"]);
        assert!(one.has_long_waits() && !one.is_healthy() && !one.is_near_capacity(), "{one:?}");
        let one = whole(&text, &["run_until=5s"]);
        assert!(!one.has_long_waits() && !one.is_healthy() && !one.is_near_capacity(), "{one:?}");
    }

    #[test]
    fn a_group_is_assessed_with_its_members() {
        look_at(&system("\"210/s\"", "Fixed(0)", GROUP), &[], |context| {
            let subjects = Subject::all(context);
            let names: Vec<&str> = subjects.iter().map(|subject| subject.name).collect();
            assert_eq!(names, ["m", "m-0", "m-1", "m-2"]);
            let load = |at: usize| subjects[at].assessments[0].load;
            assert!((load(0) - (load(1) + load(2) + load(3)) / 3.0).abs() < 1e-9);
        });
    }

    #[test]
    fn a_service_time_without_a_variance_is_never_healthy() {
        let nodes = ONE_SERVER.replace("Exponential(mean: \"10ms\")", "Pareto(mean: \"10ms\", shape: 1.5)");
        let one = whole(&system("\"10/s\"", "Fixed(0)", &nodes), &[]);
        assert!(!one.is_healthy() && one.variance.is_infinite(), "{one:?}");
    }
}
