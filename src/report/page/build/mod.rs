//! Builds the page of a run: selects and arranges the content of the report.
//!
//! Each metric declares its plot (`plots`), and each kind of node the columns of its table (`tables`), so that this
//! module does not depend on parts. The other content is: outcomes of requests (`tiles`, `tables`), distribution and
//! breakdown of latencies (`latency`), requests with the most frequent key by node (`keys`), series of the probes of
//! the scenario (`probes`), and findings (`notes`).

mod keys;
mod latency;
mod lines;
mod notes;
mod plots;
mod probes;
mod tables;
mod tiles;

use super::{FORMAT, Page, Section, Span};
use crate::analysis::{Finding, Verdict, occurred_periods, scheduled_periods};
use crate::event::NodeKind;
use crate::format::numbers::{count, set_time, several};
use crate::metrics::result::RunResult;
use crate::metrics::summary::Summary;
use crate::scenario::Scenario;

/// Maximum number of points of a line: more than a screen can show.
const MAX_POINTS: usize = 1_200;

/// The input of a report: a run and everything derived from it.
#[derive(Clone, Copy, Debug)]
pub struct ReportInput<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The text of the scenario.
    pub text: &'a str,
    /// Values of the scenario that were replaced, such as `nodes.web.count=5`.
    pub replaced: &'a [String],
    /// Commands that reproduce the run.
    pub commands: &'a [String],
    /// The result of the run.
    pub result: &'a RunResult,
    /// The summary of the result.
    pub summary: &'a Summary,
    /// The findings, the most important first.
    pub findings: &'a [Finding],
    /// Number of findings that are visible at first.
    pub leading: usize,
}

/// Builds the page of a run.
#[must_use]
pub fn build(input: &ReportInput<'_>) -> Page {
    let ReportInput { scenario, result, summary, .. } = *input;
    let unsorted = tables::tables(summary)
        .into_iter()
        .chain(plots::sections(scenario, result))
        .chain([latency::breakdown(result), latency::distribution(result)])
        .chain(keys::section(result, input.findings))
        .chain(probes::section(result));
    let mut sections = Vec::new();
    unsorted.for_each(|section| add(&mut sections, section));
    arrange(&mut sections);
    Page {
        format: FORMAT,
        title: if scenario.name.trim().is_empty() {
            "(a scenario without a name)".to_owned()
        } else {
            scenario.name.clone()
        },
        subtitle: subtitle(summary),
        story: story(input.text),
        tiles: tiles::tiles(summary, Verdict::of(input.findings)),
        findings: notes::finding_cards(input.findings, result, &sections),
        leading: input.leading,
        seconds: summary.virtual_seconds,
        spans: spans(scenario, result, summary.virtual_seconds),
        sections,
        scenario: input.text.to_owned(),
        reproduce: input.commands.to_vec(),
        remarks: remarks(input),
    }
}

/// Adds a section to others, or its content to the section with the same title. Empty sections are left out.
fn add(sections: &mut Vec<Section>, section: Section) {
    if section.plots.is_empty() && section.tables.is_empty() {
        return;
    }
    match sections.iter_mut().find(|other| other.title == section.title) {
        Some(other) => {
            other.plots.extend(section.plots);
            other.tables.extend(section.tables);
            other.folded &= section.folded;
        }
        None => sections.push(section),
    }
}

/// Title of the section about requests and their outcomes.
const REQUESTS: &str = "Requests";
/// Title of the section about routing.
const ROUTING: &str = "Routing";

/// Sorts sections: symptoms first (requests, latency), then causes by kind of node, from servers back to sources, then
/// routing and keys. Probes come last, as they mostly repeat other plots.
fn arrange(sections: &mut [Section]) {
    let kinds = NodeKind::ALL.into_iter().rev().map(|kind| kind.description().title);
    let order: Vec<&str> =
        [REQUESTS, latency::TITLE].into_iter().chain(kinds).chain([ROUTING, keys::TITLE]).collect();
    sections.sort_by_key(|section| match section.title.as_str() {
        probes::TITLE => order.len() + 1,
        title => order.iter().position(|other| *other == title).unwrap_or(order.len()),
    });
}

fn subtitle(summary: &Summary) -> String {
    let replication = match summary.replication {
        0 => String::new(),
        number => format!(", replication {number}"),
    };
    format!(
        "seed {}{replication}, {} of virtual time, {}, fingerprint {:016x}, rushhour {}",
        summary.seed,
        set_time(summary.virtual_seconds),
        several(summary.events, "event"),
        summary.fingerprint,
        summary.version,
    )
}

/// The paragraphs of the comment at the top of a scenario.
fn story(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim_start).skip_while(|line| line.is_empty());
    let comment = lines.map_while(|line| line.strip_prefix("//"));
    let mut paragraphs = vec![String::new()];
    // The line of expected findings is for a test: the report shows the actual findings.
    for line in comment.map(str::trim).filter(|line| !line.starts_with("Findings: ")) {
        let continues = !line.is_empty() && !line.starts_with("- ");
        if !continues {
            paragraphs.push(String::new());
        }
        if let Some(last) = paragraphs.last_mut() {
            *last += if last.is_empty() { "" } else { " " };
            *last += line;
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

fn spans(scenario: &Scenario, result: &RunResult, end: f64) -> Vec<Span> {
    let periods = scheduled_periods(scenario).into_iter().chain(occurred_periods(scenario, result));
    let spans = periods.filter_map(|phase| {
        let to = phase.to.filter(|_| phase.from < end)?.min(end);
        Some(Span { from: phase.from, to, label: format!("{}: {}", phase.of, phase.text) })
    });
    spans.collect()
}

fn remarks(input: &ReportInput<'_>) -> Vec<String> {
    let ReportInput { result, summary, .. } = *input;
    let mut remarks = vec![format!(
        "The run was recorded in {} of {} each. A point of a plot is the mean of one or more intervals; plots with too \
         many points keep the extremes.",
        several(result.timeline.intervals() as u64, "interval"),
        crate::format::numbers::time(Some(result.timeline.interval.as_seconds())),
    )];
    remarks.extend(result.stopped.as_ref().map(crate::format::stopped::text));
    if !input.replaced.is_empty() {
        let values = input.replaced.join(", ");
        remarks.push(format!(
            "The scenario below is shown as in its file. The run replaced these values: {values}."
        ));
    }
    if let Some(from) = summary.measured_from_seconds {
        let from = set_time(from);
        remarks.push(format!(
            "Latencies, waiting times and means in tables exclude the warm-up, the first {from}. Counts and plots over \
             time include it."
        ));
    }
    if result.sample.one_in > 1 {
        remarks.push(format!(
            "The latency breakdown and the plot of keys use a sample: 1 in {} requests, {} requests in total.",
            count(result.sample.one_in),
            count(result.sample.records.len() as u64),
        ));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_is_the_comment_at_the_top_of_the_scenario() {
        let text = "\n// One thing,\n// and more of it.\n//\n// Another:\n//   - a point\n//   - two\n// Findings: healthy.\nScenario(\n// not this";
        assert_eq!(story(text), ["One thing, and more of it.", "Another:", "- a point", "- two"]);
        assert_eq!(story("Scenario()"), [] as [&str; 0]);
    }
}
