//! The table of links that lost messages.

use super::MAX_ROWS;
use crate::format::columns::{BAD, PLAIN, Table};
use crate::format::numbers::{share, short_count};
use crate::metrics::summary::Summary;

/// The links that lost messages, those with the most losses first.
pub(super) fn table(summary: &Summary) -> String {
    let mut lossy: Vec<_> = summary.links.iter().filter(|(_, link)| link.lost > 0).collect();
    lossy.sort_by_key(|(_, link)| std::cmp::Reverse(link.lost));
    let mut table = Table::new("Links with losses", &["messages", "lost", "share"]);
    for (name, link) in lossy.iter().take(MAX_ROWS) {
        let lost = [(short_count(link.lost), BAD), (share(link.lost, link.sent), PLAIN)];
        table.painted_row(name, std::iter::once((short_count(link.sent), PLAIN)).chain(lost).collect());
    }
    table.more(lossy.len().saturating_sub(MAX_ROWS), "links");
    table.render()
}
