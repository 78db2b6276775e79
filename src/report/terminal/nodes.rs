//! Tables of the figures of nodes, one for each kind: a row for each node, or of many nodes, for each group and the
//! busiest nodes. The kind declares the columns, and the figures by which nodes are ranked.

use anstyle::Style;

use super::MAX_ROWS;
use crate::event::NodeKind;
use crate::format::columns::{BAD, BOLD, DIM, PLAIN, Table};
use crate::format::figures::{Cell, Counts, Quantity, detail_rows};
use crate::format::numbers::{NONE, group as group_name};
use crate::metrics::fleet::{MinMedianMax, across, busiest, in_groups, of_kind};
use crate::metrics::summary::{GroupSummary, NodeSummary, Summary};
use crate::model::figure::FigureColumn;
use crate::model::names::Names;
use crate::model::part::DetailTable;

/// Number of busiest nodes that are shown.
const SHOWN_BUSIEST: usize = 5;

/// A group, or a node that is in no group.
pub(super) struct NodeOrGroup<'a> {
    /// Its name in the scenario.
    pub(super) name: &'a str,
    /// Its figures.
    pub(super) figures: &'a NodeSummary,
    /// The group, or `None` for a single node.
    group: Option<&'a GroupSummary>,
}

impl NodeOrGroup<'_> {
    /// Its name as displayed.
    pub(super) fn label(&self) -> String {
        match self.group {
            Some(group) => group_name(self.name, group.members.len()),
            None => self.name.to_owned(),
        }
    }

    /// The group, or `None` unless it has more than one member.
    fn several(&self) -> Option<&GroupSummary> {
        self.group.filter(|group| group.members.len() > 1)
    }
}

/// Whether a kind has few enough nodes to show each of them.
pub(super) fn are_few(summary: &Summary, kind: NodeKind) -> bool {
    of_kind(summary, kind).count() <= MAX_ROWS
}

/// The groups of a kind and the nodes in no group, in the order of the scenario.
pub(super) fn entries<'a>(summary: &'a Summary, names: &'a Names, kind: NodeKind) -> Vec<NodeOrGroup<'a>> {
    let entries = names.entries_of(kind).filter_map(|entry| {
        let name = entry.name.as_str();
        if entry.is_group {
            let group = summary.groups.get(name)?;
            Some(NodeOrGroup { name, figures: &group.figures, group: Some(group) })
        } else {
            Some(NodeOrGroup { name, figures: summary.nodes.get(name)?, group: None })
        }
    });
    entries.collect()
}

/// The table of a kind; empty if the kind has no columns or no nodes.
pub(super) fn table(summary: &Summary, names: &Names, kind: NodeKind) -> String {
    let description = kind.description();
    let columns = description.terminal;
    if columns.is_empty() {
        return String::new();
    }
    let heads: Vec<_> = columns.iter().map(|column| column.head).collect();
    let mut table = Table::new(description.title, &heads);
    let entries = entries(summary, names, kind);
    if are_few(summary, kind) {
        for (name, node) in of_kind(summary, kind) {
            table.painted_row(name, cells(node, columns, PLAIN));
        }
        for entry in entries.iter().filter(|entry| entry.several().is_some()) {
            table.painted_row(&entry.label(), cells(entry.figures, columns, BOLD));
        }
        return table.render();
    }
    for entry in entries.iter().take(MAX_ROWS) {
        table.painted_row(&entry.label(), cells(entry.figures, columns, PLAIN));
        let ranges = entry.several().map(|group| ranges(summary, group, columns));
        for (name, texts) in ranges.into_iter().flatten() {
            table.row(DIM, name, texts);
        }
    }
    table.more(entries.len().saturating_sub(MAX_ROWS), "");
    let busiest = busiest_members(summary, kind);
    if !busiest.is_empty() {
        table.note("the busiest:");
    }
    for (name, node) in busiest {
        table.painted_row(name, cells(node, columns, PLAIN));
    }
    table.render()
}

/// The detail tables of a kind; without those that are empty.
pub(super) fn details(summary: &Summary, kind: NodeKind) -> Vec<String> {
    let table = |detail: &DetailTable| {
        let rows = detail_rows(summary, kind, detail);
        let heads: Vec<_> = detail.columns.iter().map(|column| column.head).collect();
        let mut table = Table::new(detail.title, &heads);
        for (name, node) in rows.iter().take(MAX_ROWS) {
            table.painted_row(name, cells(node, detail.columns, PLAIN));
        }
        table.more(rows.len().saturating_sub(MAX_ROWS), "");
        (!rows.is_empty()).then(|| table.render())
    };
    kind.description().details.iter().filter_map(table).collect()
}

/// The busiest nodes of a kind that are members of groups: other nodes have a row already.
pub(super) fn busiest_members(summary: &Summary, kind: NodeKind) -> Vec<(&str, &NodeSummary)> {
    let in_groups = in_groups(summary);
    busiest(summary, kind, SHOWN_BUSIEST, |index| in_groups[index])
}

fn cells(node: &NodeSummary, columns: &[FigureColumn], style: Style) -> Vec<(String, Style)> {
    let cell = |column| {
        let Cell { text, is_warning } = Cell::of(node, column, Counts::Short);
        (text, if is_warning { BAD } else { style })
    };
    columns.iter().map(cell).collect()
}

/// Rows with the minimum, median and maximum of each figure over the members of a group.
fn ranges(
    summary: &Summary,
    group: &GroupSummary,
    columns: &[FigureColumn],
) -> [(&'static str, Vec<String>); 3] {
    let range = |column: &FigureColumn| {
        let number = |node: &NodeSummary| Quantity::of(node, column)?.number();
        Some((Quantity::of(&group.figures, column)?, across(summary, &group.members, number)?))
    };
    let columns: Vec<_> = columns.iter().map(range).collect();
    let row = |pick: fn(MinMedianMax) -> f64| {
        let text =
            |(quantity, range): (Quantity, MinMedianMax)| quantity.with(pick(range)).text(Counts::Short);
        columns.iter().map(|column| column.map_or_else(|| NONE.to_owned(), text)).collect()
    };
    [
        ("  min", row(|range| range.min)),
        ("  median", row(|range| range.median)),
        ("  max", row(|range| range.max)),
    ]
}
