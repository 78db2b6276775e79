//! The summary for people, in a terminal of 80 columns. The answer comes first: what the run says, what was offered
//! and what became of it. Then how long it took, where it waited, how that went over time, and who sent what where.
//!
//! The text holds styles; whoever prints it takes them out where they are not wanted. Nothing in it depends on how fast
//! the run was: equal runs print equal texts.

mod findings;
mod latency;
mod links;
mod nodes;
mod outcomes;
mod shares;
mod timeline;

use crate::analysis::Finding;
use crate::event::NodeKind;
use crate::format::columns::{BOLD, DIM, WIDTH, paint, shortened, width, wrapped};
use crate::format::numbers::{set_time, several, share, time};
use crate::metrics::result::RunResult;
use crate::metrics::summary::Summary;
use crate::request::Outcome;

/// The most rows that a table shows of a kind, before it shows groups or the most notable ones instead.
const MAX_ROWS: usize = 12;
/// A name that is cut to less than this tells nothing any more.
const MIN_NAME_WIDTH: usize = 8;

/// The whole summary of a run.
#[must_use]
pub fn summary(summary: &Summary, result: &RunResult, findings: &[Finding], most_findings: usize) -> String {
    let mut sections = vec![
        head(summary),
        findings::leading(findings, most_findings),
        outcomes::all(summary),
        outcomes::by_source(summary),
        latency::table(summary),
    ];
    // What lies behind comes first: requests wait there.
    let kinds = NodeKind::ALL.into_iter().rev();
    let (drawn, others): (Vec<_>, Vec<_>) = kinds.partition(|kind| timeline::is_drawn(result, *kind));
    let of_kind = |kind: &NodeKind| {
        [nodes::table(summary, result.names(), *kind), shares::tables(summary, result.names(), *kind)]
    };
    sections.extend(drawn.iter().flat_map(of_kind));
    sections.push(timeline::lines(summary, result, &drawn));
    sections.extend(others.iter().flat_map(of_kind));
    sections.push(links::table(summary));
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The summary of a run on one line.
#[must_use]
pub fn one_line(summary: &Summary) -> String {
    let requests = &summary.requests;
    let all = &summary.latency.all;
    let latency =
        all.p99.map(|_| format!(", p50 {}, p99 {}", time(all.p50), time(all.p99))).unwrap_or_default();
    let done = match requests.offered {
        0 => "no request was born".to_owned(),
        offered => {
            format!(
                "{} of {} completed",
                share(requests.of(Outcome::Completed), offered),
                several(offered, "request")
            )
        }
    };
    let answer = done + &latency;
    match WIDTH.checked_sub(width(&answer) + ": ".len()).filter(|room| *room >= MIN_NAME_WIDTH) {
        Some(room) => format!("{}: {answer}\n", shortened(name(summary), room)),
        None => answer + "\n",
    }
}

fn name(summary: &Summary) -> &str {
    if summary.scenario.trim().is_empty() { "(a scenario without a name)" } else { &summary.scenario }
}

fn head(summary: &Summary) -> String {
    let title = paint(BOLD, &shortened(name(summary), WIDTH));
    let replication = match summary.replication {
        0 => String::new(),
        number => format!(", replication {number}"),
    };
    let warm_up = summary
        .measured_from_seconds
        .map(|seconds| format!(", measured from {}", set_time(seconds)))
        .unwrap_or_default();
    let run = format!(
        "seed {}{replication}, {} of virtual time{warm_up}, {}",
        summary.seed,
        set_time(summary.virtual_seconds),
        several(summary.events, "event")
    );
    let lines = wrapped(&run, WIDTH);
    let lines: Vec<String> = lines.iter().map(|line| paint(DIM, line)).collect();
    format!("{title}\n{}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests;
