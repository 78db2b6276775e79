//! Overload: more work is offered to a server, or to a whole group, than it can do.
//!
//! The excess of arrivals over capacity (slots by mean service time) is added up; the stretch in which it adds up to most
//! is an overload if chance does not do that. Over `n` arrivals the work offered has a standard deviation of
//! sqrt(n (1 + v)) services (a compound Poisson process, v the relative variance of service times; arrivals more regular
//! than Poisson only make it smaller). As the stretch was searched for, the bar is higher than for a single test: among N
//! arrivals there are N/n stretches, some times that with overlaps and lengths, so that z has to exceed
//! sqrt(2 ln(10 N / n / alpha)) by the tail of the normal distribution. A queue that is merely busy does not get there.

use serde::Serialize;

use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::intervals::excesses;

/// Probability that a run without overload is said to have one, shared among its servers.
const ALPHA: f64 = 1e-3;
/// Stretches that overlap or differ in length count as so many.
const OVERLAPS: f64 = 10.0;
/// Below so many arrivals the normal distribution is no guide.
const MIN_ARRIVALS: f64 = 40.0;
/// Excesses are searched for above capacity, then as far above it as these shares.
const STEEPNESS: [f64; 4] = [0.0, 0.1, 0.25, 0.5];
/// Less in excess than this share of the capacity is not worth a word.
const MIN_EXCESS: f64 = 0.02;

/// The evidence for an overload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverloadEvidence {
    /// Requests a second that were offered in its spells.
    pub offered_per_second: f64,
    /// Requests a second that can be served.
    pub capacity_per_second: f64,
    /// Offered by capacity.
    pub ratio: f64,
    /// Requests beyond capacity in all spells.
    pub excess_requests: f64,
    /// How many spells there were.
    pub spells: usize,
    /// How long they were together.
    pub seconds: f64,
    /// Servers of the group; 1 for a single one.
    pub servers: usize,
    /// Servers of the same capacity that could do what was offered at its worst.
    pub servers_needed: f64,
    /// Standard deviations by which the worst spell exceeds capacity.
    pub z: f64,
}

/// An overload with the places that it was found at.
pub(super) struct Overload {
    pub(super) subject: String,
    /// Ascending.
    pub(super) rows: Vec<usize>,
    /// Its spells, in slices.
    pub(super) spells: Vec<(usize, usize)>,
    evidence: OverloadEvidence,
}

/// The overloads of a run: of groups as a whole, and of servers where it is not the whole group.
pub(super) fn find(context: &RunContext<'_>) -> Vec<Overload> {
    let groups = context.groups.iter().filter(|(_, rows)| rows.len() > 1);
    let of_groups: Vec<_> =
        groups.filter_map(|(name, rows)| overload(context, (*name).to_owned(), rows)).collect();
    let singles = (0..context.stations.len()).filter_map(|row| {
        let single = overload(context, context.stations[row].name.to_owned(), &[row])?;
        let whole = of_groups.iter().find(|group| group.rows.binary_search(&row).is_ok());
        whole
            .is_none_or(|whole| single.seconds_outside(whole) > 0.5 * seconds(&single.spells))
            .then_some(single)
    });
    let singles: Vec<_> = singles.collect();
    of_groups.into_iter().chain(singles).collect()
}

/// The same as findings.
pub(super) fn findings(context: &RunContext<'_>, overloads: &[Overload]) -> Vec<Finding> {
    overloads.iter().map(|overload| overload.finding(context)).collect()
}

fn overload(context: &RunContext<'_>, subject: String, rows: &[usize]) -> Option<Overload> {
    let capacities =
        rows.iter().map(|&row| context.stations[row].capacities()).collect::<Option<Vec<_>>>()?;
    let capacities = sum(capacities.into_iter());
    let variance = rows.iter().map(|&row| context.stations[row].service_variance).fold(0.0, f64::max);
    let arrived: u64 = rows.iter().map(|&row| context.stations[row].arrived).sum();
    let (arrived, stages) = (arrived as f64, context.stations.len() as f64);
    if arrived < MIN_ARRIVALS {
        return None;
    }
    let arrivals = sum(rows.iter().map(|&row| context.stations[row].offered()));
    let excess: Vec<f64> =
        arrivals.iter().zip(&capacities).map(|(rate, capacity)| (rate - capacity) * context.step).collect();
    let stretch = |from: usize, to: usize| {
        let n = arrivals[from..to].iter().sum::<f64>() * context.step;
        let beyond = excess[from..to].iter().sum::<f64>();
        (n, beyond, beyond / (n * (1.0 + variance)).sqrt())
    };
    let is_more_than_chance = |from: usize, to: usize| {
        let (n, beyond, z) = stretch(from, to);
        let bar = (2.0 * libm::log(OVERLAPS * stages * (arrived / n) / ALPHA)).sqrt();
        n >= MIN_ARRIVALS && z > bar && beyond > MIN_EXCESS * (n - beyond)
    };
    // What swings to and fro adds up to little: then each swing is looked at for itself.
    let spells = STEEPNESS.iter().map(|steepness| {
        let steep: Vec<f64> = excess
            .iter()
            .zip(&capacities)
            .map(|(beyond, of)| beyond - steepness * of * context.step)
            .collect();
        excesses(&steep, &is_more_than_chance)
    });
    let spells = spells.into_iter().find(|spells| !spells.is_empty())?;
    let worst = spells.iter().copied().max_by(|a, b| stretch(a.0, a.1).2.total_cmp(&stretch(b.0, b.1).2))?;
    let (n, beyond) = spells.iter().fold((0.0, 0.0), |(n, beyond), &(from, to)| {
        let spell = stretch(from, to);
        (n + spell.0, beyond + spell.1)
    });
    let seconds = seconds(&spells) * context.step;
    // What can be done meanwhile is the same in all slices, unless servers come and go.
    let mean = |spells: &[(usize, usize)]| {
        let all: Vec<f64> = spells.iter().flat_map(|&(from, to)| &capacities[from..to]).copied().collect();
        let same = all.iter().all(|capacity| capacity.to_bits() == all[0].to_bits());
        if same { all[0] } else { all.iter().sum::<f64>() / all.len() as f64 }
    };
    let capacity = mean(&spells);
    let highest = spells
        .iter()
        .map(|&(from, to)| {
            stretch(from, to).0 / (to - from) as f64 / context.step / mean(&[(from, to)]).max(1e-9)
        })
        .fold(0.0, f64::max);
    let evidence = OverloadEvidence {
        offered_per_second: n / seconds,
        capacity_per_second: capacity,
        ratio: n / seconds / capacity.max(1e-9),
        excess_requests: beyond,
        spells: spells.len(),
        seconds,
        servers: rows.len(),
        servers_needed: (highest * rows.len() as f64).ceil(),
        z: stretch(worst.0, worst.1).2,
    };
    Some(Overload { subject, rows: rows.to_vec(), spells, evidence })
}

/// The sum of some series of equal length.
pub(super) fn sum<'a>(mut series: impl Iterator<Item = &'a [f64]>) -> Vec<f64> {
    let first = series.next().unwrap_or_default().to_vec();
    series.fold(first, |mut sum, other| {
        sum.iter_mut().zip(other).for_each(|(sum, value)| *sum += value);
        sum
    })
}

fn seconds(spells: &[(usize, usize)]) -> f64 {
    spells.iter().map(|(from, to)| (to - from) as f64).sum()
}

impl Overload {
    /// Slices of its spells that are in none of another overload.
    fn seconds_outside(&self, other: &Self) -> f64 {
        let inside = |slice: usize| other.spells.iter().any(|&(from, to)| (from..to).contains(&slice));
        self.spells.iter().map(|&(from, to)| (from..to).filter(|&slice| !inside(slice)).count() as f64).sum()
    }

    /// The first and the last slice of its spells.
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
    use super::super::systems::{CLERK, GROUP, SHARDS, look_at, system};
    use super::find;

    fn overloads(text: &str) -> Vec<(String, usize, f64)> {
        look_at(text, &[], |context| {
            let found = find(context).into_iter();
            found.map(|one| (one.subject, one.evidence.servers, one.evidence.ratio)).collect()
        })
    }

    #[test]
    fn a_busy_server_is_not_overloaded() {
        assert_eq!(overloads(&system("\"95/s\"", "Fixed(0)", CLERK)), []);
        assert_eq!(overloads(&system("\"275/s\"", "Fixed(0)", GROUP)), []);
    }

    #[test]
    fn a_group_speaks_for_its_members_and_a_member_for_itself() {
        let of_all = overloads(&system("\"360/s\"", "Fixed(0)", GROUP));
        assert_eq!(of_all.len(), 1, "{of_all:?}");
        assert_eq!((of_all[0].0.as_str(), of_all[0].1), ("m", 3));
        assert!((of_all[0].2 - 1.2).abs() < 0.06, "{of_all:?}");
        let of_one = overloads(&system("\"180/s\"", "Weighted([(0, 4.0), (1, 1.0), (2, 1.0)])", SHARDS));
        assert_eq!(of_one.len(), 1, "{of_one:?}");
        assert_eq!((of_one[0].0.as_str(), of_one[0].1), ("m-0", 1));
    }

    #[test]
    fn spells_are_told_one_by_one() {
        let rate = "Steps([(at: \"0s\", rate: \"30/s\"), (at: \"20s\", rate: \"150/s\"), (at: \"30s\", rate: \"30/s\"), \
                    (at: \"60s\", rate: \"150/s\"), (at: \"70s\", rate: \"30/s\")])";
        look_at(&system(rate, "Fixed(0)", CLERK), &[], |context| {
            let found = find(context);
            let (from, to) = found[0].span();
            assert_eq!((found.len(), found[0].evidence.spells), (1, 2));
            assert!((context.time_of(from) - 20.0).abs() < 1.0 && (context.time_of(to) - 70.0).abs() < 1.0);
            assert!((found[0].evidence.seconds - 20.0).abs() < 2.0, "{:?}", found[0].evidence);
        });
    }
}
