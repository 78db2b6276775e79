//! Where the requests of the most frequent key went, a second: in the sample that every run keeps.

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

/// The heading.
pub(super) const TITLE: &str = "Keys";
/// Its plot.
pub(super) const PLOT: &str = "key";
/// A key that is less frequent is not worth a plot.
const MIN_SHARE: f64 = 0.05;
/// Bars of the plot at most; of a shorter run one a second,
const MAX_BARS: f64 = 240.0;
/// unless these were fewer than so many.
const MIN_BARS: f64 = 60.0;
/// Nodes that have bars of their own: as many as there are colours.
const MAX_NODES: usize = PALETTE.colours.len();

/// The plot of the hot key, or else of the most frequent one.
pub(super) fn section(result: &RunResult, findings: &[Finding]) -> Option<Section> {
    let hot = findings.iter().find_map(|finding| match &finding.evidence {
        Evidence::HotKey(found) => Some(found.key),
        Evidence::Oscillation(_)
        | Evidence::KnowledgeLag(_)
        | Evidence::Convergence(_)
        | Evidence::Overload(_)
        | Evidence::Saturation(_)
        | Evidence::Rejection(_)
        | Evidence::Loss(_)
        | Evidence::LoadImbalance(_)
        | Evidence::Healthy(_) => None,
    });
    let key = hot.or_else(|| most_frequent(result))?;
    let end = result.end.as_seconds();
    let width = (end / MAX_BARS).max(1.0_f64.min(end / MIN_BARS));
    let bars = floor_to_usize((end / width - 1e-9).ceil()).max(1);
    let mut went: IndexMap<Node, Vec<f64>> = IndexMap::new();
    for record in result.sample.records.iter().filter(|record| record.key == key) {
        if let Some(node) = record.server {
            let bar = floor_to_usize(record.created.as_seconds() / width).min(bars - 1);
            went.entry(node).or_insert_with(|| vec![0.0; bars])[bar] += result.sample.one_in as f64 / width;
        }
    }
    let plot = Plot {
        id: PLOT.to_owned(),
        title: format!("Where requests of key {key} went"),
        caption: format!(
            "To the node that they reached last, in bars of {} by when they were born.",
            time(Some(width))
        ),
        unit: Unit::PerSecond,
        x: (0..=bars).map(|bar| bar as f64 * width).collect(),
        lines: lines(went, result.names()),
        ..Plot::default()
    };
    (!plot.lines.is_empty()).then(|| Section {
        title: TITLE.to_owned(),
        plots: vec![plot],
        ..Section::default()
    })
}

/// Bars of each node, in the order of nodes; where they are many, of those with the most requests.
fn lines(mut went: IndexMap<Node, Vec<f64>>, names: &Names) -> Vec<Line> {
    let sum = |rates: &Vec<f64>| rates.iter().sum::<f64>();
    let line = |name: String, colour, rates: &[f64]| {
        let y = rates.iter().copied().map(value).chain([None]).collect();
        Line { name, colour, style: Style::Bars, hidden: false, y }
    };
    went.sort_by(|a, x, b, y| sum(y).total_cmp(&sum(x)).then(a.cmp(b)));
    let others = went.split_off(if went.len() > MAX_NODES { MAX_NODES - 1 } else { went.len() });
    went.sort_keys();
    // A colour is that of the node in other plots, where there are enough for all.
    let kind = went.first().map(|(node, _)| node.kind());
    let are_alike = went.keys().all(|node| Some(node.kind()) == kind);
    let is_few = are_alike && kind.is_some_and(|kind| names.count(kind) <= MAX_NODES);
    let each = went.iter().enumerate().map(|(place, (node, rates))| {
        line(names.name_of(*node).to_owned(), if is_few { node.row() as usize } else { place }, rates)
    });
    let mut lines: Vec<Line> = each.collect();
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
    let most = FrequentKey::among(result.sample.records.iter())?;
    (most.different > 1 && most.share() >= MIN_SHARE).then_some(most.key)
}
