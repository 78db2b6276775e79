//! Subjects: the groups and the single stations that are assessed (see [`assessment`](super::assessment)).

use std::ops::Range;

use super::assessment::{ALPHA_HIGH, ALPHA_LOW, Assessment, GroupLoads};
use super::chance::standard_deviations;
use super::context::RunContext;
use super::dispersion::dispersion;
use super::finding::{Evidence, Finding};

/// Minimum number of members of a group whose indices of dispersion are estimated together,
const MIN_POOLED: usize = 8;
/// unless that of a member is larger by this factor, which is more than the error of an estimate from 20 batches.
const MAX_ESTIMATE: f64 = 4.0;

/// Stations that are assessed together: a group, or a single one.
pub(super) struct Subject<'a> {
    pub(super) name: &'a str,
    /// Positions of the stations, in ascending order.
    pub(super) rows: Vec<usize>,
    dispersion: f64,
    /// Its assessments: of the whole time in which requests are measured, and of each phase if there are several. Empty
    /// if nothing is measured.
    pub(super) assessments: Vec<Assessment>,
}

/// Returns the index of dispersion in the long run at a station if the sources send bursts, which a short run may not
/// show: of arrivals with index d, a random share p has the index 1 + p (d - 1). 0 without bursts, or if it is infinite.
fn of_sources(context: &RunContext<'_>, row: usize) -> f64 {
    let share = (context.stations[row].arrived as f64 / (context.offered() as f64).max(1.0)).min(1.0);
    let bursts = context.burstiness - 1.0;
    if bursts > 0.0 && bursts.is_finite() { 1.0 + share * bursts } else { 0.0 }
}

/// Returns the mean index of dispersion of the members of a group. In a large group, members that are alike get it too.
fn pool_dispersions(singles: &mut [Subject<'_>], members: &[usize]) -> f64 {
    let sum: f64 = members.iter().map(|&member| singles[member].dispersion).sum();
    let mean = sum / members.len() as f64;
    if members.len() >= MIN_POOLED {
        for &member in members {
            let own = singles[member].dispersion;
            singles[member].dispersion = if own <= MAX_ESTIMATE * mean { mean } else { own };
        }
    }
    mean
}

/// Lets the members of a group limit each other's loads, in each of their assessments.
fn share_loads(singles: &mut [Subject<'_>], members: &[usize]) {
    let times = members.first().map_or(0, |&member| singles[member].assessments.len());
    for time in 0..times {
        let loads = members.iter().map(|&member| &singles[member].assessments[time]);
        // Members that were not there have no load.
        let loads: Vec<&Assessment> = loads.filter(|one| one.has_capacity()).collect();
        let group = GroupLoads::of(&loads);
        members.iter().for_each(|&member| singles[member].assessments[time].share(group));
    }
}

impl<'a> Subject<'a> {
    /// Returns the groups with more than one member, and every station that requests arrived at.
    pub(super) fn all(context: &RunContext<'a>) -> Vec<Self> {
        let used = |row: &usize| context.stations[*row].arrived > 0;
        let mut singles: Vec<Self> =
            (0..context.stations.len()).filter(used).map(|row| Self::single(context, row)).collect();
        let mut place = vec![None; context.stations.len()];
        singles.iter().enumerate().for_each(|(at, single)| place[single.rows[0]] = Some(at));
        let members_of = |rows: &[usize]| rows.iter().filter_map(|&row| place[row]).collect::<Vec<usize>>();
        let groups = context.groups.iter().map(|(name, rows)| (*name, rows, members_of(rows)));
        let groups: Vec<_> = groups.filter(|(_, rows, used)| rows.len() > 1 && !used.is_empty()).collect();
        let mut all: Vec<Self> = groups
            .iter()
            .map(|(name, rows, used)| {
                let dispersion = pool_dispersions(&mut singles, used);
                Self { name, rows: (*rows).clone(), dispersion, assessments: Vec::new() }
            })
            .collect();
        let subjects = all.len() + singles.len();
        for subject in all.iter_mut().chain(&mut singles) {
            subject.assessments = subject.assess(context, subjects);
        }
        for (_, _, used) in &groups {
            share_loads(&mut singles, used);
        }
        all.extend(singles);
        all
    }

    fn single(context: &RunContext<'a>, row: usize) -> Self {
        let counts: Vec<f64> =
            context.stations[row].offered().iter().map(|rate| rate * context.step).collect();
        Self {
            name: context.stations[row].name,
            rows: vec![row],
            dispersion: dispersion(&counts, &context.steady_phases).max(of_sources(context, row)),
            assessments: Vec::new(),
        }
    }

    /// Returns a finding about the stations in the time of an assessment.
    pub(super) fn finding(&self, context: &RunContext<'_>, of: &Assessment, evidence: Evidence) -> Finding {
        let Range { start, end } = of.during;
        let finding = Finding::new(self.name, evidence)
            .costing(self.rows.iter().map(|&row| context.cost(row, start, end)).sum());
        let is_whole_run = (start, end) == (0, context.result.timeline.intervals());
        if is_whole_run { finding } else { finding.during(context.time_of(start), context.time_of(end)) }
    }

    fn assess(&self, context: &RunContext<'a>, subjects: usize) -> Vec<Assessment> {
        let phases = &context.phases;
        let (Some(first), Some(last)) = (phases.first(), phases.last()) else { return Vec::new() };
        let comparisons = (subjects * (phases.len() + 1)) as f64;
        let z = [ALPHA_HIGH, ALPHA_LOW].map(|alpha| standard_deviations(alpha / comparisons));
        let several: &[Range<usize>] = if phases.len() > 1 { phases } else { &[] };
        let whole = first.start..last.end;
        let times = std::iter::once(&whole).chain(several);
        times
            .map(|during| Assessment::of(context, &self.rows, self.dispersion, during, (z[0], z[1])))
            .collect()
    }
}
