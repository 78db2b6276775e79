//! Findings as the page shows them: with their evidence as text, and the plot in which each is seen best.

use serde_json::Value;

use super::super::{Note, Section, Tone};
use crate::analysis::{Finding, Kind, Standing};
use crate::format::findings::text;
use crate::format::numbers::short;

/// The findings of a page with these plots.
pub(super) fn notes(findings: &[Finding], sections: &[Section]) -> Vec<Note> {
    findings
        .iter()
        .map(|finding| Note {
            kind: finding.kind().name().to_owned(),
            subject: finding.subject.clone(),
            from: finding.from,
            to: finding.to,
            text: text(finding),
            evidence: evidence(finding),
            plot: plot(finding, sections),
            tone: match finding.kind().standing() {
                Standing::Trouble => Tone::Bad,
                Standing::Context => Tone::Plain,
                Standing::Good => Tone::Good,
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

/// The first of the plots that suit a kind which is there.
fn plot(finding: &Finding, sections: &[Section]) -> Option<String> {
    let suitable: &[&str] = match finding.kind() {
        Kind::Oscillation | Kind::Saturation | Kind::Convergence => &["queue", "load"],
        Kind::Overload => &["arrivals", "load"],
        Kind::HotKey => &["key", "load"],
        Kind::Rejection => &["rejections", "failures"],
        Kind::Loss => &["losses", "failures"],
        Kind::LoadImbalance | Kind::Healthy => &["load"],
        Kind::KnowledgeLag => &["belief", "load"],
    };
    let plots = || sections.iter().flat_map(|section| &section.plots);
    // Several plots of a view tell each other apart by their titles.
    let of_subject = |id: &&str| {
        let prefix = format!("{id}-");
        let of_view = plots().filter(|plot| plot.id.starts_with(&prefix));
        let mut about = of_view.filter(|plot| plot.title.ends_with(&format!(" {}", finding.subject)));
        about.next().or_else(|| plots().find(|plot| plot.id == **id))
    };
    suitable.iter().find_map(of_subject).map(|plot| plot.id.clone())
}
