//! From a run to its page: what is shown, and where.
//!
//! What parts measure of themselves says by itself which plot it belongs to (`plots`), and each kind of node which of its
//! figures make a table (`tables`), so that nothing here knows of a part. Beside that there are what became of requests
//! (`tiles`, `tables`), how their latencies are distributed and where their time went (`latency`), where the requests of a
//! frequent key went (`keys`), and what the scenario's own probes saw (`probes`).

mod keys;
mod latency;
mod lines;
mod notes;
mod plots;
mod probes;
mod tables;
mod tiles;

use super::{FORMAT, Page, Section, Span};
use crate::analysis::{Finding, phases};
use crate::event::NodeKind;
use crate::format::numbers::{count, set_time, several};
use crate::metrics::result::RunResult;
use crate::metrics::summary::Summary;
use crate::scenario::Scenario;

/// Points of a line at most: more than a screen has room for.
const MAX_POINTS: usize = 1_200;

/// A run with all that is to be told of it.
#[derive(Clone, Copy, Debug)]
pub struct ReportInput<'a> {
    /// What was run.
    pub scenario: &'a Scenario,
    /// The text that it was read from.
    pub text: &'a str,
    /// Values of that text which were replaced, as in `nodes.web.count=5`.
    pub replaced: &'a [String],
    /// Commands that make the run again.
    pub commands: &'a [String],
    /// What came of it.
    pub result: &'a RunResult,
    /// Its figures.
    pub summary: &'a Summary,
    /// What it says, the most important first.
    pub findings: &'a [Finding],
    /// How many of them lead.
    pub leading: usize,
}

/// The page of a run.
#[must_use]
pub fn build(account: &ReportInput<'_>) -> Page {
    let ReportInput { scenario, result, summary, .. } = *account;
    let told = tables::tables(summary)
        .into_iter()
        .chain(plots::sections(scenario, result))
        .chain([latency::where_time_went(result), latency::distribution(result)])
        .chain(keys::section(result, account.findings))
        .chain(probes::section(result));
    let mut sections = Vec::new();
    told.for_each(|section| add(&mut sections, section));
    arrange(&mut sections);
    Page {
        format: FORMAT,
        title: if scenario.name.trim().is_empty() {
            "(a scenario without a name)".to_owned()
        } else {
            scenario.name.clone()
        },
        subtitle: subtitle(summary),
        story: story(account.text),
        tiles: tiles::tiles(summary),
        findings: notes::notes(account.findings, result, &sections),
        leading: account.leading,
        seconds: summary.virtual_seconds,
        spans: spans(scenario, summary.virtual_seconds),
        sections,
        scenario: account.text.to_owned(),
        reproduce: account.commands.to_vec(),
        remarks: remarks(account),
    }
}

/// Puts a section beside others, into the one of the same name if there is one; nothing if there is nothing in it.
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

/// The section that tells what became of requests.
const REQUESTS: &str = "Requests";
/// The section that tells how nodes pick where they send.
const ROUTING: &str = "Routing";

/// Puts sections into the order in which they tell the story from its beginning: what happened to requests, then why, at
/// the nodes that lie behind first. What probes saw comes last, for most of it was seen before.
fn arrange(sections: &mut [Section]) {
    let kinds = NodeKind::ALL.into_iter().rev().map(|kind| kind.description().title);
    let order: Vec<&str> =
        [REQUESTS, latency::TITLE].into_iter().chain(kinds).chain([ROUTING, keys::TITLE]).collect();
    sections.sort_by_key(|section| match section.title.as_str() {
        probes::TITLE => order.len() + 1,
        title => order.iter().position(|place| *place == title).unwrap_or(order.len()),
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

/// The paragraphs of the comment that a scenario opens with.
fn story(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim_start).skip_while(|line| line.is_empty());
    let comment = lines.map_while(|line| line.strip_prefix("//"));
    let mut paragraphs = vec![String::new()];
    // What it says of findings is a test's business: here they stand for themselves.
    for words in comment.map(str::trim).filter(|words| !words.starts_with("Findings: ")) {
        let continues = !words.is_empty() && !words.starts_with("- ");
        if !continues {
            paragraphs.push(String::new());
        }
        if let Some(last) = paragraphs.last_mut() {
            *last += if last.is_empty() { "" } else { " " };
            *last += words;
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

fn spans(scenario: &Scenario, end: f64) -> Vec<Span> {
    let passing = phases(scenario).into_iter().filter_map(|phase| {
        let to = phase.to.filter(|_| phase.from < end)?.min(end);
        Some(Span { from: phase.from, to, label: format!("{}: {}", phase.of, phase.text) })
    });
    passing.collect()
}

fn remarks(account: &ReportInput<'_>) -> Vec<String> {
    let ReportInput { result, summary, .. } = *account;
    let mut remarks = vec![format!(
        "The run was looked at in {} of {} each. Plots show means over them or over some of them; where there are more than \
         fit, the extremes are kept.",
        several(result.timeline.intervals() as u64, "interval"),
        crate::format::numbers::time(Some(result.timeline.interval.as_seconds())),
    )];
    if !account.replaced.is_empty() {
        let values = account.replaced.join(", ");
        remarks.push(format!(
            "The scenario below is the text of its file; the run replaced values of it: {values}."
        ));
    }
    if let Some(from) = summary.measured_from_seconds {
        let from = set_time(from);
        remarks.push(format!(
            "Latencies, waits and means of tables leave out the warm-up, the first {from}; counts and plots over time do not."
        ));
    }
    if result.sample.one_in > 1 {
        remarks.push(format!(
            "Keys, and where the time went, are seen in a sample: one in {} requests, {} in all.",
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
    fn the_story_is_the_comment_that_opens_the_scenario() {
        let text = "\n// One thing,\n// and more of it.\n//\n// Another:\n//   - a point\n//   - two\n// Findings: healthy.\nScenario(\n// not this";
        assert_eq!(story(text), ["One thing, and more of it.", "Another:", "- a point", "- two"]);
        assert_eq!(story("Scenario()"), [] as [&str; 0]);
    }
}
