//! Overload: a server, or a whole group, is offered more work than its capacity.
//!
//! The excess of arrivals over capacity (slots divided by mean service time) is summed over time. The spell with the
//! largest sum is an overload if random variation does not explain it. The work of arrivals that just use the capacity
//! c has a standard deviation of sqrt(c (d + v)) services: a compound Poisson process with relative variance v of
//! service times has d = 1, regular arrivals less and bursts more (see [`dispersion`](super::dispersion)). It is measured,
//! and at most that of the sources: what is higher may come from the overload itself. The tail is bounded as in [`chance`](super::chance). Because a spell
//! that is shorter than the run is the result of a search, the threshold is higher than for a single test: N arrivals
//! contain N/n spells of n arrivals, and about 10 times as many with overlaps and other lengths. z has to exceed
//! sqrt(2 ln((1 + 10 (N / n - 1)) / alpha)), which a merely busy queue does not reach.

use serde::Serialize;

use super::chance::log_tail;
use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::intervals::excesses;
use crate::engine::floor_to_usize;

/// Probability of a false finding in a run without overload, over all its servers.
const ALPHA: f64 = 1e-3;
/// Factor for spells that overlap or differ in length, in the number of spells that are searched.
const OVERLAPS: f64 = 10.0;
/// Minimum number of arrivals for which the normal approximation is used.
const MIN_ARRIVALS: f64 = 40.0;
/// Margins above capacity, as shares of it, at which excesses are searched for, one after the other.
const MARGINS: [f64; 4] = [0.0, 0.1, 0.25, 0.5];
/// Minimum excess as a share of the capacity.
const MIN_EXCESS: f64 = 0.02;

/// The evidence for an overload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverloadEvidence {
    /// Requests offered per second during the spells.
    pub offered_per_second: f64,
    /// Capacity in requests per second.
    pub capacity_per_second: f64,
    /// Offered rate over capacity.
    pub ratio: f64,
    /// Requests above capacity in all spells.
    pub excess_requests: f64,
    /// Number of spells.
    pub spells: usize,
    /// Total length of the spells.
    pub seconds: f64,
    /// Number of servers in the group that were up, on average; 1 for a single server.
    pub servers: usize,
    /// The highest offered rate of a spell over the capacity of one server.
    pub load_in_servers: f64,
    /// Number of servers of the same capacity that this load needs: rounded up.
    pub servers_needed: f64,
    /// Standard deviations by which the most significant spell exceeds capacity.
    pub z: f64,
}

/// An overload with its servers and spells.
pub(super) struct Overload {
    pub(super) subject: String,
    /// Positions of its servers, in ascending order.
    pub(super) rows: Vec<usize>,
    /// Its spells, as ranges of intervals.
    pub(super) spells: Vec<(usize, usize)>,
    evidence: OverloadEvidence,
}

/// Returns the overloads of a run: of whole groups, and of single servers that are mostly overloaded while their group
/// is not.
pub(super) fn find(context: &RunContext<'_>) -> Vec<Overload> {
    let groups = context.groups.iter().filter(|(_, rows)| rows.len() > 1);
    let of_groups: Vec<_> = groups.filter_map(|(name, rows)| overload(context, name, rows)).collect();
    let singles = (0..context.stations.len()).filter_map(|row| {
        let single = overload(context, context.stations[row].name, &[row])?;
        let group = of_groups.iter().find(|group| group.rows.binary_search(&row).is_ok());
        group
            .is_none_or(|group| single.length_outside(group) > 0.5 * length(&single.spells))
            .then_some(single)
    });
    let singles: Vec<_> = singles.collect();
    of_groups.into_iter().chain(singles).collect()
}

/// Returns overloads as findings.
pub(super) fn findings(context: &RunContext<'_>, overloads: &[Overload]) -> Vec<Finding> {
    overloads.iter().map(|overload| overload.finding(context)).collect()
}

fn overload(context: &RunContext<'_>, subject: &str, rows: &[usize]) -> Option<Overload> {
    let arrived: u64 = rows.iter().map(|&row| context.stations[row].arrived).sum();
    let (arrived, stations) = (arrived as f64, context.stations.len() as f64);
    if arrived < MIN_ARRIVALS {
        return None;
    }
    let capacities =
        rows.iter().map(|&row| context.stations[row].capacities()).collect::<Option<Vec<_>>>()?;
    let capacities = sum(capacities.into_iter());
    let variance = rows.iter().map(|&row| context.stations[row].service_variance).fold(0.0, f64::max);
    let arrivals = sum(rows.iter().map(|&row| context.stations[row].offered()));
    let excess: Vec<f64> =
        arrivals.iter().zip(&capacities).map(|(rate, capacity)| (rate - capacity) * context.step).collect();
    let counts: Vec<f64> = arrivals.iter().map(|rate| rate * context.step).collect();
    let variance = variance + context.dispersion_by_chance(&arrivals);
    let totals = |from: usize, to: usize| {
        let n = counts[from..to].iter().sum::<f64>();
        let beyond = excess[from..to].iter().sum::<f64>();
        (n, beyond, (-2.0 * log_tail(n, n - beyond) / variance).sqrt())
    };
    let is_more_than_chance = |from: usize, to: usize| {
        let (n, beyond, z) = totals(from, to);
        let others = OVERLAPS * (arrived / n - 1.0).max(0.0);
        let threshold = (2.0 * libm::log(stations * (1.0 + others) / ALPHA)).sqrt();
        // While a server is paused, requests wait because of the pause.
        let has_capacity = n > beyond;
        has_capacity && n >= MIN_ARRIVALS && z > threshold && beyond > MIN_EXCESS * (n - beyond)
    };
    // The excess of an oscillating load sums to little. With a margin, each of its peaks is a spell of its own.
    let spells = MARGINS.iter().map(|margin| {
        let above_margin: Vec<f64> = excess
            .iter()
            .zip(&capacities)
            .map(|(beyond, capacity)| beyond - margin * capacity * context.step)
            .collect();
        excesses(&above_margin, &is_more_than_chance)
    });
    let spells = spells.into_iter().find(|spells| !spells.is_empty())?;
    let worst = spells.iter().copied().max_by(|a, b| totals(a.0, a.1).2.total_cmp(&totals(b.0, b.1).2))?;
    let (n, beyond) = spells.iter().fold((0.0, 0.0), |(n, beyond), &(from, to)| {
        let spell = totals(from, to);
        (n + spell.0, beyond + spell.1)
    });
    let seconds = length(&spells) * context.step;
    // A constant value is returned as it is: its mean would have a rounding error.
    let mean = |values: &[f64], spells: &[(usize, usize)]| {
        let all: Vec<f64> = spells.iter().flat_map(|&(from, to)| &values[from..to]).copied().collect();
        let same = all.iter().all(|value| value.to_bits() == all[0].to_bits());
        if same { all[0] } else { all.iter().sum::<f64>() / all.len() as f64 }
    };
    let capacity = mean(&capacities, &spells);
    let up = context.number_up(rows);
    let servers = mean(&up, &spells);
    let load_in_servers = |&spell: &(usize, usize)| {
        let rate = totals(spell.0, spell.1).0 / (spell.1 - spell.0) as f64 / context.step;
        rate / mean(&capacities, &[spell]).max(1e-9) * mean(&up, &[spell])
    };
    let highest = spells.iter().map(load_in_servers).fold(0.0, f64::max);
    let evidence = OverloadEvidence {
        offered_per_second: n / seconds,
        capacity_per_second: capacity,
        ratio: n / seconds / capacity.max(1e-9),
        excess_requests: beyond,
        spells: spells.len(),
        seconds,
        servers: floor_to_usize(servers + 0.5),
        load_in_servers: highest,
        // The tolerance covers the rounding of the rates.
        servers_needed: (highest - 1e-6).ceil(),
        z: totals(worst.0, worst.1).2,
    };
    Some(Overload { subject: subject.to_owned(), rows: rows.to_vec(), spells, evidence })
}

/// Returns the sum of series of equal length, value by value.
pub(super) fn sum<'a>(mut series: impl Iterator<Item = &'a [f64]>) -> Vec<f64> {
    let first = series.next().unwrap_or_default().to_vec();
    series.fold(first, |mut sum, other| {
        sum.iter_mut().zip(other).for_each(|(sum, value)| *sum += value);
        sum
    })
}

/// Returns the total length of spells in intervals.
fn length(spells: &[(usize, usize)]) -> f64 {
    spells.iter().map(|(from, to)| (to - from) as f64).sum()
}

impl Overload {
    /// Returns the number of intervals of its spells that lie outside the spells of another overload.
    fn length_outside(&self, other: &Self) -> f64 {
        let inside = |interval: usize| other.spells.iter().any(|&(from, to)| (from..to).contains(&interval));
        self.spells
            .iter()
            .map(|&(from, to)| (from..to).filter(|&interval| !inside(interval)).count() as f64)
            .sum()
    }

    /// Returns the range of intervals from its first spell to its last.
    pub(super) fn span(&self) -> (usize, usize) {
        let ends = |pick: fn(&(usize, usize)) -> usize| self.spells.iter().map(pick);
        (ends(|spell| spell.0).min().unwrap_or(0), ends(|spell| spell.1).max().unwrap_or(0))
    }

    fn finding(&self, context: &RunContext<'_>) -> Finding {
        let (from, to) = self.span();
        Finding::new(self.subject.clone(), Evidence::Overload(self.evidence.clone()))
            .during(context.time_of(from), context.time_of(to))
            .costing(self.rows.iter().map(|&row| context.cost(row, from, to)).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::super::systems::{GROUP, ONE_SERVER, SHARDS, look_at, system};
    use super::find;

    fn overloads(text: &str) -> Vec<(String, usize, f64)> {
        look_at(text, &[], |context| {
            let overloads = find(context).into_iter();
            overloads
                .map(|overload| (overload.subject, overload.evidence.servers, overload.evidence.ratio))
                .collect()
        })
    }

    #[test]
    fn a_busy_server_is_not_overloaded() {
        assert_eq!(overloads(&system("\"95/s\"", "Fixed(0)", ONE_SERVER)), []);
        assert_eq!(overloads(&system("\"275/s\"", "Fixed(0)", GROUP)), []);
    }

    #[test]
    fn an_overload_of_a_group_is_one_finding_and_that_of_a_member_is_its_own() {
        let of_all = overloads(&system("\"360/s\"", "Fixed(0)", GROUP));
        assert_eq!(of_all.len(), 1, "{of_all:?}");
        assert_eq!((of_all[0].0.as_str(), of_all[0].1), ("m", 3));
        assert!((of_all[0].2 - 1.2).abs() < 0.06, "{of_all:?}");
        let of_one = overloads(&system("\"180/s\"", "Weighted([(0, 4.0), (1, 1.0), (2, 1.0)])", SHARDS));
        assert_eq!(of_one.len(), 1, "{of_one:?}");
        assert_eq!((of_one[0].0.as_str(), of_one[0].1), ("m-0", 1));
    }

    #[test]
    fn spells_are_separate() {
        let rate = "Steps([(at: \"0s\", rate: \"30/s\"), (at: \"20s\", rate: \"150/s\"), (at: \"30s\", rate: \"30/s\"), \
                    (at: \"60s\", rate: \"150/s\"), (at: \"70s\", rate: \"30/s\")])";
        look_at(&system(rate, "Fixed(0)", ONE_SERVER), &[], |context| {
            let found = find(context);
            let (from, to) = found[0].span();
            assert_eq!((found.len(), found[0].evidence.spells), (1, 2));
            assert!((context.time_of(from) - 20.0).abs() < 1.0 && (context.time_of(to) - 70.0).abs() < 1.0);
            assert!((found[0].evidence.seconds - 20.0).abs() < 2.0, "{:?}", found[0].evidence);
        });
    }
}
