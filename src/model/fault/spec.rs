//! A fault as written in a scenario, and its checks.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Victim;
use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::row::Row;
use crate::engine::time::SimDuration;
use crate::event::MAX_ROWS;
use crate::model::build::CHECKED;
use crate::model::check::Checker;
use crate::model::link::{ANY, LinkSpec, matching, unknown_link};
use crate::model::names::{Names, invalid_name};
use crate::model::parts::{Fault, FaultTarget};
use crate::model::problem::Problem;
use crate::model::references::References;
use crate::text::Path;

/// A fault as written in a scenario. It happens once (`at`, `for`), or again and again (`every`, `lasts`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// The source, node, group or link that it happens to, or a list of them. A link is named by its ends: `"web -> db"`, or
    /// many by a pattern: `"* -> db"`.
    pub of: References,
    /// What happens.
    pub what: Fault,
    /// Which of these it happens to each time.
    #[serde(default, skip_serializing_if = "WhichSpec::is_all")]
    pub which: WhichSpec,
    /// When it happens, if it happens once. It precedes all other events at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<SimDuration>,
    /// How long it lasts if it happens once; by default until the end of the run.
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub lasting: Option<SimDuration>,
    /// Time without the fault before each time that it happens; the mean is above 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Box<DistributionSpec<SimDuration>>>,
    /// How long it lasts each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Box<DistributionSpec<SimDuration>>>,
    /// When the time of the first `every` begins; by default with the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<SimDuration>,
    /// It does not happen again after this; by default until the end of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<SimDuration>,
}

/// Which of the parts that a fault names it happens to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum WhichSpec {
    /// All at the same time.
    #[default]
    All,
    /// One of them each time, which is picked at random.
    One,
    /// Each at its own times.
    Each,
}

impl WhichSpec {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the field")]
    fn is_all(&self) -> bool {
        *self == Self::All
    }
}

/// When a fault happens.
#[derive(Clone, Debug)]
pub(super) enum Schedule {
    /// Once, for this time.
    Once(Option<SimDuration>),
    /// Again and again.
    Recurring {
        /// Time without the fault.
        every: Sampler,
        /// Time with the fault.
        lasts: Sampler,
        /// It does not begin after this.
        until: Option<SimDuration>,
    },
}

/// The most times that a fault may happen in a run: more take longer than the requests.
const MAX_OCCURRENCES: f64 = 1e7;

impl FaultSpec {
    /// When it happens: the beginning of the wait for the first time, or the first time itself; and how it goes on.
    ///
    /// # Panics
    /// If the fault is invalid, which [`check`](check()) reports.
    pub(super) fn schedule(&self) -> (SimDuration, Schedule) {
        let Some(at) = self.at else {
            let sampler = |time: &Option<Box<DistributionSpec<SimDuration>>>| {
                time.as_ref().expect(CHECKED).resolve().expect(CHECKED)
            };
            let (every, lasts) = (sampler(&self.every), sampler(&self.lasts));
            return (self.from.unwrap_or_default(), Schedule::Recurring { every, lasts, until: self.until });
        };
        (at, Schedule::Once(self.lasting))
    }

    /// The nodes and links that it names, in order: one victim for each name, or for each link of a pattern. Names that are
    /// unknown are left out.
    pub(super) fn victims(&self, names: &Names, links: &[LinkSpec]) -> Vec<Victim> {
        let of_name = |name: &String| -> Vec<Victim> {
            match self.what.target() {
                FaultTarget::Nodes(_) => names.range(name).map(Victim::Nodes).into_iter().collect(),
                FaultTarget::Links => matching(name, links).map(|row| Victim::Link(Row::new(row))).collect(),
            }
        };
        self.of.0.iter().flat_map(of_name).collect()
    }

    /// When it happens if that is known in advance: its beginning, and its end if it has one.
    #[must_use]
    pub fn span(&self) -> Option<(SimDuration, Option<SimDuration>)> {
        let at = self.at?;
        Some((at, self.lasting.map(|lasting| at + lasting)))
    }
}

/// The indices of the links that some fault happens to.
pub fn failing_links<'a>(faults: impl Iterator<Item = &'a FaultSpec>, links: &[LinkSpec]) -> BTreeSet<usize> {
    let of_links = faults.filter(|fault| fault.what.target() == FaultTarget::Links);
    let names = of_links.flat_map(|fault| &fault.of.0);
    names.flat_map(|name| matching(name, links)).map(|row| row as usize).collect()
}

/// Reports errors in the faults of a scenario.
pub fn check<'a>(
    faults: impl Iterator<Item = (&'a String, &'a FaultSpec)> + Clone,
    links: &[LinkSpec],
    specs: impl Fn(&str) -> Option<crate::model::parts::SpecRef<'a>>,
    checker: &mut Checker<'_>,
) {
    let mut processes = 0;
    for (name, fault) in faults.clone() {
        let path = Path::root().name("faults").name(name);
        checker.problems.extend(invalid_name(name, &path));
        let victims = check_victims(fault, &path, links, checker);
        check_times(fault, &path, checker);
        let named: Vec<_> = fault.of.0.iter().filter_map(|name| specs(name)).collect();
        fault.what.check(&path.clone().name("what"), &named, checker);
        let of_each = if fault.which == WhichSpec::Each { victims } else { 1 };
        check_frequency(fault, of_each, &path, checker);
        if fault.which != WhichSpec::All && victims == 1 {
            let message = "the fault has a single victim: it does not matter which one it is";
            checker.warn(path.name("which"), message, "leave it out, or name a group");
        } else if fault.which == WhichSpec::Each && fault.at.is_some() {
            let message = "the fault happens once, to all at the same time";
            checker.warn(path.name("which"), message, "leave it out, or write `every` and `lasts`");
        }
        processes += of_each;
    }
    if processes >= u64::from(MAX_ROWS) {
        let message =
            format!("faults happen to {processes} parts, each at its own times: more than {MAX_ROWS}");
        checker.add(Path::root().name("faults"), message, "let them happen to `All` at the same time");
    }
    check_overlaps(faults, links, checker);
}

/// Checks that the victims exist, are named once, and are of the right kind. Returns their number.
fn check_victims(fault: &FaultSpec, path: &Path, links: &[LinkSpec], checker: &mut Checker<'_>) -> u64 {
    let path = path.clone().name("of");
    if fault.of.0.is_empty() {
        checker.add(path, "there is nothing that the fault happens to", "name a node, a group or a link");
        return 1;
    }
    let mut victims = 0;
    for (index, name) in fault.of.0.iter().enumerate() {
        let before = &fault.of.0[..index];
        let is_again = match fault.what.target() {
            FaultTarget::Links => {
                victims += check_links(fault, name, &path, links, checker);
                let mut rows = matching(name, links);
                rows.any(|row| before.iter().any(|other| matching(other, links).any(|one| one == row)))
            }
            FaultTarget::Nodes(expected) => {
                let Some(range) = checker.names.range(name) else {
                    let unknown = if name.contains("->") {
                        let message = format!("{} is not a fault of links", fault.what.name());
                        Problem::new(path.clone(), message).with_hint(format!("name a {}", expected.name()))
                    } else {
                        checker.names.unknown(name, "node or group", path.clone(), |kind| kind == expected)
                    };
                    checker.problems.push(unknown);
                    continue;
                };
                victims += u64::from(range.count);
                if range.kind != expected {
                    let what = fault.what.name();
                    let message =
                        format!("{what} cannot happen to \"{name}\", which is a {}", range.kind.name());
                    let problem = Problem::new(path.clone(), message).because_of(name);
                    checker.problems.push(problem.with_hint(format!("name a {}", expected.name())));
                }
                before.iter().any(|other| checker.names.overlap(other, name))
            }
        };
        if is_again {
            checker.add(
                path.clone(),
                format!("\"{name}\" is named twice"),
                "name each part once, or its group",
            );
        }
    }
    victims
}

/// Checks that a name is one of links. Returns their number.
fn check_links(
    fault: &FaultSpec,
    name: &str,
    path: &Path,
    links: &[LinkSpec],
    checker: &mut Checker<'_>,
) -> u64 {
    let what = fault.what.name();
    let Some((from, to)) = name.split_once("->").map(|(from, to)| (from.trim(), to.trim())) else {
        let is_link_of = |link: &&LinkSpec| link.to == name || link.from == name;
        let example = links.iter().find(is_link_of).or(links.first());
        let example = example.map_or_else(
            || "a link from its sender to its receiver".to_owned(),
            |link| format!("a link: \"{} -> {}\"", link.from, link.to),
        );
        let message = format!("{what} happens to links, and \"{name}\" is none");
        checker
            .problems
            .push(Problem::new(path.clone(), message).with_hint(format!("name {example}")).because_of(name));
        return 1;
    };
    let found = matching(name, links).count();
    if found > 0 {
        return found as u64;
    }
    if from == to && from != ANY {
        let message = format!("\"{from}\" has no link to itself that could fail");
        checker.add(path.clone(), message, "name the link between two parts: \"a -> b\"");
        return 1;
    }
    checker.problems.push(unknown_link((from, to), links, checker.names, path.clone()));
    1
}

/// Checks when a fault happens.
fn check_times(fault: &FaultSpec, path: &Path, checker: &mut Checker<'_>) {
    let FaultSpec { at, lasting, every, lasts, from, until, .. } = fault;
    let field = |name: &str| path.clone().name(name);
    match (at, every) {
        (None, None) => {
            let hint = "write `at` (and `for`) if it happens once, or `every` and `lasts` if it happens again and again";
            checker.add(path.clone(), "it is not known when the fault happens", hint);
        }
        (Some(_), Some(_)) => {
            let message = "a fault happens either once (`at`) or again and again (`every`)";
            checker.add(field("every"), message, "leave one of them out; write two faults if you need both");
        }
        (Some(at), None) => {
            for (name, is_given) in
                [("lasts", lasts.is_some()), ("from", from.is_some()), ("until", until.is_some())]
            {
                if is_given {
                    let message = format!("`{name}` belongs to a fault that happens again and again");
                    checker.add(field(name), message, "a fault with `at` lasts `for` a time");
                }
            }
            if *at > checker.run_until {
                let message = format!("the run ends at {}, before this fault at {at}", checker.run_until);
                checker.add(field("at"), message, "make it earlier, or `run_until` later");
            }
        }
        (None, Some(every)) => {
            if lasting.is_some() {
                let message = "`for` belongs to a fault that happens once";
                checker.add(field("for"), message, "write `lasts`: how long it lasts each time");
            }
            if lasts.is_none() {
                checker.add(path.clone(), "it is not known how long the fault lasts", "write `lasts`");
            }
            if every.resolve().is_ok_and(|every| every.mean() <= 0.0) {
                checker.add(field("every"), "the mean of this time is 0", "make it longer");
            }
        }
    }
    if lasting.is_some_and(SimDuration::is_zero) {
        checker.add(field("for"), "a fault that lasts no time has no effect", "make it longer");
    }
    for (name, time) in [("every", every), ("lasts", lasts)] {
        if let Some(time) = time {
            checker.spec(path, name, time.resolve().map(drop));
        }
    }
    let start = from.unwrap_or_default();
    if start > checker.run_until {
        let message = format!("the run ends at {}, before this time", checker.run_until);
        checker.add(field("from"), message, "make it earlier, or `run_until` later");
    }
    if until.is_some_and(|until| until <= start) {
        checker.add(field("until"), "the fault never happens: this is not after its `from`", "make it later");
    }
}

/// Checks that a fault does not happen too often. `victims` is the number of parts that each have their own times.
fn check_frequency(fault: &FaultSpec, victims: u64, path: &Path, checker: &mut Checker<'_>) {
    let mean = |time: &Option<Box<DistributionSpec<SimDuration>>>| {
        time.as_ref().and_then(|time| time.resolve().ok()).map(|time| time.mean())
    };
    let Some((every, lasts)) = mean(&fault.every).zip(mean(&fault.lasts)) else { return };
    let until = fault.until.unwrap_or(checker.run_until).min(checker.run_until);
    let span = until.as_nanos_f64() - fault.from.unwrap_or_default().as_nanos_f64();
    let expected = span / (every + lasts) * victims as f64;
    if every > 0.0 && expected > MAX_OCCURRENCES {
        let message =
            format!("the fault would happen about {expected:.0} times, more than {MAX_OCCURRENCES:.0}");
        checker.add(path.clone().name("every"), message, "make the time longer");
    }
}

/// Reports faults of the same kind that happen to the same part at the same time, if that means no more than one of them.
fn check_overlaps<'a>(
    faults: impl Iterator<Item = (&'a String, &'a FaultSpec)>,
    links: &[LinkSpec],
    checker: &mut Checker<'_>,
) {
    let known = faults.filter(|(_, fault)| !fault.what.adds_up() && fault.which != WhichSpec::One);
    let names = checker.names;
    let in_order =
        known.filter_map(|(name, fault)| Some((fault.span()?, name, fault, fault.victims(names, links))));
    let mut in_order: Vec<_> = in_order.collect();
    in_order.sort_by_key(|((at, _), ..)| *at);
    for (index, ((at, end), first, fault, victims)) in in_order.iter().enumerate() {
        let later =
            in_order[index + 1..].iter().take_while(|((other, _), ..)| end.is_none_or(|end| *other < end));
        for (span, second, other, others) in later {
            let overlap = || others.iter().any(|b| victims.iter().any(|a| a.overlaps(*b)));
            if other.what == fault.what && overlap() {
                let path = Path::root().name("faults").name(second.as_str()).name("at");
                let message = format!(
                    "\"{first}\" does the same to the same part from {at} on, and is not over at {}",
                    span.0
                );
                checker.add(
                    path,
                    message,
                    format!("make it later, or extend \"{first}\" and remove this fault"),
                );
            }
        }
    }
}
