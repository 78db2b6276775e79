//! What became of the requests.

use super::MOST_ROWS;
use crate::format::columns::{BAD, BOLD, DIM, GOOD, PLAIN, Table, paint};
use crate::format::numbers::{count, share, short_count};
use crate::metrics::summary::{FateCounts, Summary};
use anstyle::Style;

/// The longest bar.
const BAR: u64 = 40;

/// The fates that happened, with their names and the styles that suit them.
fn happened(requests: &FateCounts) -> impl Iterator<Item = (&'static str, fn(&FateCounts) -> u64, Style)> {
    let fates: [(_, fn(&FateCounts) -> u64, _); 6] = [
        ("completed", |requests| requests.completed, GOOD),
        ("rejected", |requests| requests.rejected, BAD),
        ("timed out", |requests| requests.timed_out, BAD),
        ("dropped", |requests| requests.dropped, BAD),
        ("shed", |requests| requests.shed, BAD),
        ("in flight", |requests| requests.in_flight, DIM),
    ];
    let requests = *requests;
    fates.into_iter().filter(move |(_, number, _)| number(&requests) > 0)
}

/// How many were offered, and a bar for each fate.
pub(super) fn all(summary: &Summary) -> String {
    let requests = &summary.requests;
    if requests.offered == 0 {
        return paint(BOLD, "No request was born.") + "\n";
    }
    let offered = count(requests.offered);
    let were = if requests.offered == 1 { "request was" } else { "requests were" };
    let mut out = paint(BOLD, &format!("{offered} {were} offered")) + "\n";
    let width = offered.len();
    for (name, number, style) in happened(requests) {
        let number = number(requests);
        let bar = bar(number, requests.offered);
        let line =
            format!("  {name:<10} {:>width$}  {:>7}  ", count(number), share(number, requests.offered));
        out += &(line + &paint(style, &bar) + "\n");
    }
    out
}

/// A bar as long as the part is of the whole, and never nothing.
fn bar(part: u64, whole: u64) -> String {
    let halves = u128::from(part) * u128::from(2 * BAR) / u128::from(whole.max(1));
    let full = "█".repeat(usize::try_from(halves / 2).unwrap_or(0));
    if halves % 2 == 1 || halves == 0 { full + "▌" } else { full }
}

/// The fates by source, where there are several.
pub(super) fn by_source(summary: &Summary) -> String {
    if summary.sources.len() < 2 || summary.requests.offered == 0 {
        return String::new();
    }
    let heads: Vec<_> =
        std::iter::once("offered").chain(happened(&summary.requests).map(|fate| fate.0)).collect();
    let mut table = Table::new("Requests", &heads);
    for (name, source) in summary.sources.iter().take(MOST_ROWS) {
        let figures = happened(&summary.requests).map(|(_, number, _)| short_count(number(&source.requests)));
        let offered = short_count(source.requests.offered);
        table.row(PLAIN, name, std::iter::once(offered).chain(figures).collect());
    }
    if let Some(more) = summary.sources.len().checked_sub(MOST_ROWS + 1) {
        table.note(&format!("... and {} more sources", count(more as u64 + 1)));
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_the_share_and_never_nothing() {
        assert_eq!(bar(40, 40).chars().count(), 40);
        assert_eq!(bar(1, 1_000_000), "▌");
        assert_eq!(bar(1, 16), "██▌");
    }
}
