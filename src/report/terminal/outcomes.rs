//! Requests by outcome, in total and by source.

use super::MAX_ROWS;
use crate::format::columns::{BAD, BOLD, DIM, GOOD, PLAIN, Table, paint};
use crate::format::numbers::{count, share, short_count};
use crate::metrics::summary::Summary;
use crate::request::OutcomeCounts;
use anstyle::Style;

/// Length of the longest bar in characters.
const MAX_BAR: u64 = 40;

/// Number of requests by outcome and in flight, each with its name and style.
fn by_outcome(requests: &OutcomeCounts) -> impl Iterator<Item = (&'static str, u64, Style)> {
    let ended = requests
        .iter()
        .map(|(outcome, number)| (outcome.label(), number, if outcome.is_failure() { BAD } else { GOOD }));
    ended.chain([("in flight", requests.in_flight(), DIM)])
}

/// Number of requests offered, and a line with a bar for each outcome that occurred.
pub(super) fn all(summary: &Summary) -> String {
    let requests = &summary.requests;
    if requests.offered == 0 {
        return paint(BOLD, "No request was offered.") + "\n";
    }
    let offered = count(requests.offered);
    let were = if requests.offered == 1 { "request was" } else { "requests were" };
    let mut out = paint(BOLD, &format!("{offered} {were} offered")) + "\n";
    let width = offered.len();
    for (name, number, style) in by_outcome(requests).filter(|(_, number, _)| *number > 0) {
        let bar = bar(number, requests.offered);
        let line =
            format!("  {name:<10} {:>width$}  {:>7}  ", count(number), share(number, requests.offered));
        out += &(line + &paint(style, &bar) + "\n");
    }
    out
}

/// Number of calls made, and of those with each outcome, on a line; empty if no node makes calls.
pub(super) fn calls(summary: &Summary) -> String {
    let Some(calls) = &summary.calls else { return String::new() };
    let parts: Vec<String> = by_outcome(calls)
        .filter(|(_, number, _)| *number > 0)
        .map(|(name, number, _)| format!("{} {name}", short_count(number)))
        .collect();
    let were = if calls.offered == 1 { "call was" } else { "calls were" };
    let made = format!("{} {were} made", count(calls.offered));
    if parts.is_empty() { made + "\n" } else { format!("{made}: {}\n", parts.join(", ")) }
}

/// A bar proportional to the share of `part` in `whole`, at least half a character long.
fn bar(part: u64, whole: u64) -> String {
    let halves = u128::from(part) * u128::from(2 * MAX_BAR) / u128::from(whole.max(1));
    let full = "█".repeat(usize::try_from(halves / 2).unwrap_or(0));
    if halves % 2 == 1 || halves == 0 { full + "▌" } else { full }
}

/// The table of outcomes by source; empty with a single source.
pub(super) fn by_source(summary: &Summary) -> String {
    if summary.sources.len() < 2 || summary.requests.offered == 0 {
        return String::new();
    }
    // Outcomes that did not occur have no column.
    let columns = |requests: &OutcomeCounts| -> Vec<(&'static str, u64)> {
        let occurred = by_outcome(&summary.requests).map(|(_, number, _)| number > 0);
        let shown = by_outcome(requests).zip(occurred).filter(|(_, occurred)| *occurred);
        let shown = shown.map(|((name, number, _), _)| (name, number));
        [("offered", requests.offered)].into_iter().chain(shown).collect()
    };
    let heads: Vec<_> = columns(&summary.requests).into_iter().map(|(name, _)| name).collect();
    let mut table = Table::new("Requests", &heads);
    for (name, source) in summary.sources.iter().take(MAX_ROWS) {
        let numbers = columns(&source.requests).into_iter().map(|(_, number)| short_count(number));
        table.row(PLAIN, name, numbers.collect());
    }
    table.more(summary.sources.len().saturating_sub(MAX_ROWS), "sources");
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_proportional_to_the_share_and_never_empty() {
        assert_eq!(bar(40, 40).chars().count(), 40);
        assert_eq!(bar(1, 1_000_000), "▌");
        assert_eq!(bar(1, 16), "██▌");
    }
}
