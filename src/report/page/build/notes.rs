//! Findings as shown on the page: each with its evidence as text and the plot that shows it best.

use serde_json::Value;

use super::super::{FindingCard, Section, Tone};
use super::keys;
use super::plots::plot_id;
use crate::analysis::{Finding, FindingKind, Severity};
use crate::format::findings::text;
use crate::format::numbers::short;
use crate::metrics::result::RunResult;
use crate::model::link::LOSS_RATE;
use crate::model::link::LineId;
use crate::model::metric::{
    ARRIVAL_RATE, Metric, PERCEIVED_LOAD, QUEUE_DEPTH, REJECTION_RATE, SeriesKey, Subject, UTILIZATION,
};

/// The findings of a page with these sections.
pub(super) fn finding_cards(
    findings: &[Finding],
    result: &RunResult,
    sections: &[Section],
) -> Vec<FindingCard> {
    findings
        .iter()
        .map(|finding| FindingCard {
            kind: finding.kind().name().to_owned(),
            subject: finding.subject.clone(),
            from: finding.from,
            to: finding.to,
            text: text(finding),
            evidence: evidence(finding),
            plot: plot(finding, result, sections),
            tone: match finding.severity() {
                Severity::Trouble => Tone::Bad,
                Severity::Context => Tone::Plain,
                Severity::Good => Tone::Good,
            },
        })
        .collect()
}

fn evidence(finding: &Finding) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    if let Ok(value) = serde_json::to_value(&finding.evidence) {
        flatten("", &value, &mut pairs);
    }
    if finding.cost > 0.0 {
        pairs.push(("cost in request-seconds".to_owned(), short(finding.cost)));
    }
    pairs
}

fn flatten(name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let field = field.replace('_', " ");
                flatten(&format!("{name}{}{field}", if name.is_empty() { "" } else { ", " }), value, pairs);
            }
        }
        Value::Array(values) => {
            let texts: Vec<String> = values.iter().map(plain).collect();
            pairs.push((name.to_owned(), texts.join(", ")));
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) => pairs.push((name.to_owned(), plain(value))),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float >= 0.0 => short(float),
            Some(float) if number.is_f64() => format!("-{}", short(-float)),
            Some(_) | None => number.to_string(),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// The metrics whose plots show findings of a kind, the best first.
const fn metrics(kind: FindingKind) -> &'static [&'static Metric] {
    match kind {
        FindingKind::Oscillation
        | FindingKind::Saturation
        | FindingKind::LongWaits
        | FindingKind::Convergence => const { &[&QUEUE_DEPTH, &UTILIZATION] },
        FindingKind::Overload => const { &[&ARRIVAL_RATE, &UTILIZATION] },
        FindingKind::Fault => const { &[&QUEUE_DEPTH, &LOSS_RATE, &UTILIZATION] },
        FindingKind::Rejection => const { &[&REJECTION_RATE] },
        FindingKind::Loss => const { &[&LOSS_RATE] },
        FindingKind::HotKey
        | FindingKind::LoadImbalance
        | FindingKind::NearCapacity
        | FindingKind::Unused
        | FindingKind::Healthy
        | FindingKind::TooShort => const { &[&UTILIZATION] },
        FindingKind::KnowledgeLag => const { &[&PERCEIVED_LOAD, &UTILIZATION] },
    }
}

/// The id of the best plot for a finding among the plots of the page, or `None` if none suits it.
fn plot(finding: &Finding, result: &RunResult, sections: &[Section]) -> Option<String> {
    let key = (finding.kind() == FindingKind::HotKey).then(|| keys::PLOT.to_owned());
    let of_metrics = metrics(finding.kind()).iter().flat_map(|metric| {
        let keys = || result.timeline.keys.iter().filter(|key| key.metric == *metric);
        let own = keys().filter(|key| is_about(key.subject, finding, result));
        // Plots of other subjects come next: the outcomes of requests are in the plots of sources.
        own.chain(keys().filter(|key| !is_estimate(key))).map(plot_id)
    });
    let exists = |id: &String| sections.iter().flat_map(|section| &section.plots).any(|plot| plot.id == *id);
    key.into_iter().chain(of_metrics).find(exists)
}

/// Whether a series is about the subject of a finding: the node, a member of the group, or the link.
fn is_about(subject: Subject, finding: &Finding, result: &RunResult) -> bool {
    match subject {
        Subject::Node(node) | Subject::Resource { node, .. } | Subject::Estimate { of: node, .. } => {
            result.names().covers(&finding.subject, node)
        }
        Subject::Link(row) => result.links[row as usize].name == finding.subject,
        Subject::Line(number) => result.line_name(LineId(number)) == finding.subject,
    }
}

/// Whether a series is a perceived load. The perceived loads of each node have a plot of their own.
const fn is_estimate(key: &SeriesKey) -> bool {
    match key.subject {
        Subject::Estimate { .. } => true,
        Subject::Node(_) | Subject::Resource { .. } | Subject::Link(_) | Subject::Line(_) => false,
    }
}
