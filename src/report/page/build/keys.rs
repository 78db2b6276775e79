//! The plot of the most frequent key: requests per second to each node, from the sample that every run keeps.

use indexmap::IndexMap;

use super::super::{Line, Plot, Section, Style, Unit};
use super::lines::value;
use crate::analysis::{Evidence, Finding};
use crate::engine::floor_to_usize;
use crate::event::Node;
use crate::format::numbers::{several, time};
use crate::metrics::result::RunResult;
use crate::model::names::Names;
use crate::report::palette::PALETTE;
use crate::request::FrequentKey;

/// The title of the section.
pub(super) const TITLE: &str = "Keys";
/// The id of its plot.
pub(super) const PLOT: &str = "key";
/// Minimum share of requests with the key: no plot is drawn for a less frequent one.
const MIN_SHARE: f64 = 0.05;
/// Maximum number of bars. A shorter run has one bar per second,
const MAX_BARS: f64 = 240.0;
/// or this number of bars if it lasts fewer seconds.
const MIN_BARS: f64 = 60.0;
/// Maximum number of nodes with bars of their own: the number of colours.
const MAX_NODES: usize = PALETTE.colours.len();

/// The section with the plot of the hot key, or of the most frequent key if none is hot; `None` if keys are evenly
/// spread.
pub(super) fn section(result: &RunResult, findings: &[Finding]) -> Option<Section> {
    let hot = findings.iter().find_map(|finding| match &finding.evidence {
        Evidence::HotKey(evidence) => Some(evidence.key),
        Evidence::Oscillation(_)
        | Evidence::KnowledgeLag(_)
        | Evidence::Fault(_)
        | Evidence::Convergence(_)
        | Evidence::Overload(_)
        | Evidence::Saturation(_)
        | Evidence::LongWaits(_)
        | Evidence::NearCapacity(_)
        | Evidence::Unused(_)
        | Evidence::Rejection(_)
        | Evidence::Loss(_)
        | Evidence::LoadImbalance(_)
        | Evidence::Healthy(_)
        | Evidence::TooShort(_) => None,
    });
    let key = hot.or_else(|| most_frequent(result))?;
    let end = result.end.as_seconds();
    let width = (end / MAX_BARS).max(1.0_f64.min(end / MIN_BARS));
    let bars = floor_to_usize((end / width - 1e-9).ceil()).max(1);
    let mut rates: IndexMap<Node, Vec<f64>> = IndexMap::new();
    for record in result.sample.records.iter().filter(|record| record.key == key) {
        if let Some(node) = record.server {
            let bar = floor_to_usize(record.created.as_seconds() / width).min(bars - 1);
            rates.entry(node).or_insert_with(|| vec![0.0; bars])[bar] += result.sample.one_in as f64 / width;
        }
    }
    let plot = Plot {
        id: PLOT.to_owned(),
        title: format!("Requests with key {key} by node"),
        caption: format!(
            "Requests per second by the node that they reached last, in bars of {} by time of creation.",
            time(Some(width))
        ),
        unit: Unit::PerSecond,
        x: (0..=bars).map(|bar| bar as f64 * width).collect(),
        lines: lines(rates, result.names()),
        ..Plot::default()
    };
    (!plot.lines.is_empty()).then(|| Section {
        title: TITLE.to_owned(),
        plots: vec![plot],
        ..Section::default()
    })
}

/// Bars of each node, in the order of nodes. Of many nodes, those with fewer requests are combined.
fn lines(mut by_node: IndexMap<Node, Vec<f64>>, names: &Names) -> Vec<Line> {
    let sum = |rates: &Vec<f64>| rates.iter().sum::<f64>();
    let line = |name: String, colour, rates: &[f64]| {
        let y = rates.iter().copied().map(value).chain([None]).collect();
        Line { name, colour, style: Style::Bars, hidden: false, y }
    };
    by_node.sort_by(|a, x, b, y| sum(y).total_cmp(&sum(x)).then(a.cmp(b)));
    let others = by_node.split_off(if by_node.len() > MAX_NODES { MAX_NODES - 1 } else { by_node.len() });
    by_node.sort_keys();
    // Nodes have the colours of other plots if there are enough colours for all nodes of the kind.
    let kind = by_node.first().map(|(node, _)| node.kind());
    let is_one_kind = by_node.keys().all(|node| Some(node.kind()) == kind);
    let has_own_colours = is_one_kind && kind.is_some_and(|kind| names.count(kind) <= MAX_NODES);
    let own = by_node.iter().enumerate().map(|(index, (node, rates))| {
        let colour = if has_own_colours { node.row() as usize } else { index };
        line(names.name_of(*node).to_owned(), colour, rates)
    });
    let mut lines: Vec<Line> = own.collect();
    if let Some(mut rates) = others.values().next().cloned() {
        rates.fill(0.0);
        for other in others.values() {
            rates.iter_mut().zip(other).for_each(|(sum, rate)| *sum += rate);
        }
        lines.push(line(several(others.len() as u64, "other node"), MAX_NODES - 1, &rates));
    }
    lines
}

fn most_frequent(result: &RunResult) -> Option<u32> {
    let frequent = FrequentKey::among(result.sample.records.iter())?;
    (frequent.different > 1 && frequent.share() >= MIN_SHARE).then_some(frequent.key)
}
