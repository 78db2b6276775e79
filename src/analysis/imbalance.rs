//! Load imbalance: one member of a group carries much more than the average one, while the others have room.
//!
//! For each member the stretch is sought in which its load exceeds that of the average member by most. It counts if the
//! arrivals there exceed those of the average member by more than chance makes: independent requests that are dealt out
//! at random come in Poisson numbers (see [`chance`](super::chance)), and the bar is raised for having searched (see
//! [`overload`](super::overload)).

use serde::Serialize;

use super::chance::log_tail;
use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::intervals::{excesses, smoothed};
use super::overload::sum;
use crate::engine::floor_to_usize;

/// By as much of its slots a member is busier than the average one, at least.
const MIN_EXCESS: f64 = 0.25;
/// Probability that a balanced run is said to be imbalanced.
const ALPHA: f64 = 1e-3;
/// Below so many arrivals there is nothing to be said.
const MIN_ARRIVALS: f64 = 40.0;

/// The evidence for an imbalance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImbalanceEvidence {
    /// The group.
    pub group: String,
    /// Members of the group.
    pub members: usize,
    /// Share of slots in use at the busiest member meanwhile.
    pub load: f64,
    /// The same on average over all members.
    pub mean_load: f64,
    /// The busiest member's share of the arrivals at the group, by its fair share.
    pub times_fair_share: f64,
    /// Standard deviations by which its arrivals exceed those of the average member.
    pub z: f64,
}

/// The imbalances of a run: the worst member of each group.
pub(super) fn find(context: &RunContext<'_>) -> Vec<Finding> {
    let groups = context.groups.iter().filter(|(_, rows)| rows.len() > 1);
    groups.filter_map(|(group, rows)| imbalance(context, group, rows)).collect()
}

fn imbalance(context: &RunContext<'_>, group: &str, rows: &[usize]) -> Option<Finding> {
    let members = rows.len() as f64;
    // Whoever is down carries nothing and is no measure for the others.
    let present = sum(rows.iter().map(|&row| context.stations[row].availability()));
    let mean = |series: Vec<f64>| -> Vec<f64> {
        series.iter().zip(&present).map(|(sum, present)| sum / present.max(1.0)).collect()
    };
    let mean_load = mean(sum(rows.iter().map(|&row| context.stations[row].load())));
    let mean_arrivals = mean(sum(rows.iter().map(|&row| context.stations[row].offered())));
    let total = mean_arrivals.iter().sum::<f64>() * context.step;
    let worst = rows.iter().filter_map(|&row| {
        let server = &context.stations[row];
        let (load, arrivals) = (server.load(), server.offered());
        // Over ten services chance evens out.
        let width = floor_to_usize(10.0 * server.service / context.step) + 1;
        let difference: Vec<f64> = load.iter().zip(&mean_load).map(|(load, mean)| load - mean).collect();
        let excess: Vec<f64> = smoothed(&difference, width).iter().map(|more| more - MIN_EXCESS).collect();
        let count = |of: &[f64], from: usize, to: usize| of[from..to].iter().sum::<f64>() * context.step;
        let z = |from: usize, to: usize| {
            let (mine, fair) = (count(arrivals, from, to), count(&mean_arrivals, from, to));
            (mine, fair, (mine - fair) / fair.max(1.0).sqrt())
        };
        let is_more_than_chance = |from: usize, to: usize| {
            let (mine, fair, _) = z(from, to);
            let looks = 10.0 * members * (total / fair.max(1.0)).max(1.0);
            mine >= MIN_ARRIVALS && log_tail(mine, fair) + libm::log(looks) < libm::log(ALPHA)
        };
        let spells = excesses(&excess, &is_more_than_chance);
        let weight = |&(from, to): &(usize, usize)| excess[from..to].iter().sum::<f64>();
        let (from, to) = spells.into_iter().max_by(|a, b| weight(a).total_cmp(&weight(b)))?;
        let (mine, fair, z) = z(from, to);
        let over = |of: &[f64]| of[from..to].iter().sum::<f64>() / (to - from) as f64;
        let evidence = ImbalanceEvidence {
            group: group.to_owned(),
            members: rows.len(),
            load: over(load),
            mean_load: over(&mean_load),
            times_fair_share: mine / fair.max(1.0),
            z,
        };
        Some((weight(&(from, to)), row, from, to, evidence))
    });
    let (_, row, from, to, evidence) = worst.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let finding = Finding::new(context.stations[row].name, Evidence::LoadImbalance(evidence));
    Some(finding.during(context.time_of(from), context.time_of(to)).costing(context.cost(row, from, to)))
}

#[cfg(test)]
mod tests {
    use super::super::systems::{GROUP, SHARDS, look_at, system};
    use super::find;
    use crate::analysis::Evidence;

    #[test]
    fn dice_make_no_imbalance() {
        assert_eq!(look_at(&system("\"210/s\"", "Fixed(0)", GROUP), &[], find), []);
        // With 300 servers and seven requests for each, some get twice their share.
        let many = GROUP.replace("count: 3", "count: 300");
        assert_eq!(look_at(&system("\"21000/s\"", "Fixed(0)", &many), &["run_until=100ms"], find), []);
    }

    #[test]
    fn a_popular_key_makes_one() {
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
