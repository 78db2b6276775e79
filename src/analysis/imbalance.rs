//! Load imbalance: one member of a group is much busier than the average member, while the others have free capacity.
//!
//! For each member, the time in which its utilization exceeds the mean of the group most is found. It is an imbalance
//! if the arrivals at the member exceed those at the average member by more than random variation explains: with random
//! routing they are Poisson counts (see [`chance`](super::chance)), and the threshold is higher because the time is the
//! result of a search (see [`overload`](super::overload)). If no difference is that large, a member that gets far more
//! than its share of the requests over the whole run is reported too: it costs little now, but will cost more as the
//! load grows.

use serde::Serialize;

use super::chance::log_tail;
use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::intervals::{excesses, smoothed};
use super::overload::sum;
use crate::engine::floor_to_usize;

/// Minimum difference between the utilization of the member and the mean of the group.
const MIN_EXCESS: f64 = 0.25;
/// The same for a member that gets at least [`MIN_TIMES_FAIR`] times its share of the requests.
const MIN_SKEWED_EXCESS: f64 = 0.05;
/// Minimum arrivals at such a member over the mean of all members.
const MIN_TIMES_FAIR: f64 = 1.75;
/// Probability of a false finding in a balanced run.
const ALPHA: f64 = 1e-3;
/// Minimum number of arrivals at the member.
const MIN_ARRIVALS: f64 = 40.0;

/// The evidence for an imbalance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImbalanceEvidence {
    /// Name of the group.
    pub group: String,
    /// Number of members that were up, on average in that time.
    pub members: usize,
    /// Utilization of the busiest member, in the time of the finding.
    pub load: f64,
    /// Mean utilization of all members in that time.
    pub mean_load: f64,
    /// Arrivals at the busiest member over the mean of all members.
    pub times_fair_share: f64,
    /// Standard deviations by which its arrivals exceed those of the average member.
    pub z: f64,
}

/// Maximum utilization of a member whose imbalance costs nothing noticeable.
const MAX_HARMLESS_LOAD: f64 = 0.5;

impl ImbalanceEvidence {
    /// Whether the load of the busiest member is enough to make requests wait.
    pub(super) fn is_severe(&self) -> bool {
        self.load > MAX_HARMLESS_LOAD
    }
}

/// Returns the imbalances of a run: the worst member of each group.
pub(super) fn find(context: &RunContext<'_>) -> Vec<Finding> {
    let groups = context.groups.iter().filter(|(_, rows)| rows.len() > 1);
    groups.filter_map(|(group, rows)| imbalance(context, group, rows)).collect()
}

fn imbalance(context: &RunContext<'_>, group: &str, rows: &[usize]) -> Option<Finding> {
    let members = rows.len() as f64;
    // Members that are down are left out of the means.
    let members_up = context.number_up(rows);
    let mean = |series: Vec<f64>| -> Vec<f64> {
        series.iter().zip(&members_up).map(|(sum, up)| sum / up.max(1.0)).collect()
    };
    let mean_load = mean(sum(rows.iter().map(|&row| context.stations[row].load())));
    let mean_arrivals = mean(sum(rows.iter().map(|&row| context.stations[row].offered())));
    let total = mean_arrivals.iter().sum::<f64>() * context.step;
    let find = |row: usize, min_excess: f64, min_times: f64| {
        let server = &context.stations[row];
        let (load, arrivals) = (server.load(), server.offered());
        // Smoothing over ten services removes most of the random variation.
        let width = floor_to_usize(10.0 * server.service / context.step) + 1;
        let difference: Vec<f64> = load.iter().zip(&mean_load).map(|(load, mean)| load - mean).collect();
        let excess: Vec<f64> =
            smoothed(&difference, width).iter().map(|difference| difference - min_excess).collect();
        let count =
            |rates: &[f64], from: usize, to: usize| rates[from..to].iter().sum::<f64>() * context.step;
        let totals = |from: usize, to: usize| {
            let (own, fair) = (count(arrivals, from, to), count(&mean_arrivals, from, to));
            (own, fair, (own - fair) / fair.max(1.0).sqrt())
        };
        let is_more_than_chance = |from: usize, to: usize| {
            let (own, fair, _) = totals(from, to);
            let comparisons = 10.0 * members * (total / fair.max(1.0)).max(1.0);
            own >= MIN_ARRIVALS
                && own >= min_times * fair
                && log_tail(own, fair) + libm::log(comparisons) < libm::log(ALPHA)
        };
        let spells = excesses(&excess, &is_more_than_chance);
        let weight = |&(from, to): &(usize, usize)| excess[from..to].iter().sum::<f64>();
        let (from, to) = spells.into_iter().max_by(|a, b| weight(a).total_cmp(&weight(b)))?;
        let (own, fair, z) = totals(from, to);
        let mean_of = |series: &[f64]| series[from..to].iter().sum::<f64>() / (to - from) as f64;
        let evidence = ImbalanceEvidence {
            group: group.to_owned(),
            members: floor_to_usize(mean_of(&members_up) + 0.5),
            load: mean_of(load),
            mean_load: mean_of(&mean_load),
            times_fair_share: own / fair.max(1.0),
            z,
        };
        Some((weight(&(from, to)), row, from, to, evidence))
    };
    let worst = |min_excess: f64, min_times: f64| {
        let used = rows.iter().copied().filter(|&row| context.stations[row].arrived as f64 >= MIN_ARRIVALS);
        let members = used.filter_map(|row| find(row, min_excess, min_times));
        members.max_by(|a, b| a.0.total_cmp(&b.0))
    };
    let (_, row, from, to, evidence) =
        worst(MIN_EXCESS, 0.0).or_else(|| worst(MIN_SKEWED_EXCESS, MIN_TIMES_FAIR))?;
    let finding = Finding::new(context.stations[row].name, Evidence::LoadImbalance(evidence));
    Some(finding.during(context.time_of(from), context.time_of(to)).costing(context.cost(row, from, to)))
}

#[cfg(test)]
mod tests {
    use super::super::systems::{GROUP, SHARDS, look_at, system};
    use super::find;
    use crate::analysis::Evidence;

    #[test]
    fn random_routing_is_no_imbalance() {
        assert_eq!(look_at(&system("\"210/s\"", "Fixed(0)", GROUP), &[], find), []);
        // With 300 servers and seven requests for each, some get twice their share by chance.
        let many = GROUP.replace("count: 3", "count: 300");
        assert_eq!(look_at(&system("\"21000/s\"", "Fixed(0)", &many), &["run_until=100ms"], find), []);
    }

    #[test]
    fn all_requests_at_one_member_are_an_imbalance_even_at_a_low_load() {
        let found = look_at(&system("\"20/s\"", "Fixed(0)", SHARDS), &[], find);
        let [found] = &found[..] else { panic!("{found:?}") };
        let Evidence::LoadImbalance(evidence) = &found.evidence else { panic!("{found:?}") };
        assert!((evidence.times_fair_share - 3.0).abs() < 1e-6 && !evidence.is_severe(), "{evidence:?}");
        assert_eq!(look_at(&system("\"20/s\"", "Fixed(0)", GROUP), &[], find), []);
    }

    #[test]
    fn a_popular_key_is_an_imbalance() {
        let key = "Weighted([(0, 4.0), (1, 1.0), (2, 1.0)])";
        let found = look_at(&system("\"120/s\"", key, SHARDS), &[], find);
        let [found] = &found[..] else { panic!("{found:?}") };
        let Evidence::LoadImbalance(evidence) = &found.evidence else { panic!("{found:?}") };
        assert_eq!((found.subject.as_str(), evidence.members), ("m-0", 3));
        assert!((evidence.times_fair_share - 2.0).abs() < 0.1, "{evidence:?}");
        assert!(
            (evidence.load - 0.8).abs() < 0.06 && (evidence.mean_load - 0.4).abs() < 0.04,
            "{evidence:?}"
        );
    }
}
