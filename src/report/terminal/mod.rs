//! The summary for people, for a terminal of 80 columns: findings, requests by outcome, latencies, figures of nodes,
//! utilization and queues over time, targets of routing, lossy links.
//!
//! The text contains styles, which the caller strips if the output is not a terminal. It does not contain wall-clock
//! times, so that equal runs print equal texts.

mod autoscalers;
mod faults;
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

/// Maximum number of rows of a table. Of more nodes, groups and the busiest nodes are shown instead.
const MAX_ROWS: usize = 12;
/// Minimum width of a shortened name: narrower names are left out.
const MIN_NAME_WIDTH: usize = 8;

/// The complete summary of a run, with at most `max_findings` findings.
#[must_use]
pub fn summary(summary: &Summary, result: &RunResult, findings: &[Finding], max_findings: usize) -> String {
    let mut sections = vec![
        head(summary),
        findings::leading(findings, max_findings),
        outcomes::all(summary),
        outcomes::calls(summary),
        outcomes::by_source(summary),
        latency::table(summary),
    ];
    // Kinds are in reverse order: servers come first, as requests wait there.
    let kinds = NodeKind::ALL.into_iter().rev();
    let (drawn, others): (Vec<_>, Vec<_>) = kinds.partition(|kind| timeline::is_drawn(result, *kind));
    let of_kind = |kind: &NodeKind| {
        let names = result.names();
        let mut tables = vec![nodes::table(summary, names, *kind)];
        tables.extend(nodes::details(summary, *kind));
        tables.push(shares::tables(summary, names, *kind));
        tables
    };
    sections.extend(drawn.iter().flat_map(of_kind));
    sections.push(timeline::lines(summary, result, &drawn));
    sections.extend(others.iter().flat_map(of_kind));
    sections.push(links::bandwidths(summary));
    sections.push(links::losses(summary));
    sections.push(autoscalers::table(summary));
    sections.push(faults::table(summary));
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The summary of a run on one line, of at most [`WIDTH`] columns if it is for a terminal.
#[must_use]
pub fn one_line(summary: &Summary, is_terminal: bool) -> String {
    let requests = &summary.requests;
    let all = &summary.latency.all;
    let latency =
        all.p99.map(|_| format!(", p50 {}, p99 {}", time(all.p50), time(all.p99))).unwrap_or_default();
    let completed = match requests.offered {
        0 => "no request was offered".to_owned(),
        offered => {
            format!(
                "{} of {} completed",
                share(requests.of(Outcome::Completed), offered),
                several(offered, "request")
            )
        }
    };
    let text = completed + &latency;
    if !is_terminal {
        return format!("{}: {text}\n", shortened(name(summary), usize::MAX));
    }
    match WIDTH.checked_sub(width(&text) + ": ".len()).filter(|columns| *columns >= MIN_NAME_WIDTH) {
        Some(columns) => format!("{}: {text}\n", shortened(name(summary), columns)),
        None => text + "\n",
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
