//! The most important findings as text, at the top of the summary.

use crate::analysis::{Finding, Severity, Verdict};
use crate::format::columns::{BAD, BOLD, DIM, GOOD, WIDTH, paint, wrapped};
use crate::format::findings::text;
use crate::format::numbers::several;

/// A no-break space.
const NO_BREAK_SPACE: char = '\u{a0}';

/// Joins numbers and their units with no-break spaces.
fn with_bound_units(text: &str) -> String {
    let mut bound = String::new();
    let mut after_number = false;
    for word in text.split(' ') {
        let unit = word.trim_end_matches(['.', ',', ':', ';', ')']);
        let is_unit = ["%", "ns", "us", "ms", "s", "min", "h", "d"].contains(&unit);
        if !bound.is_empty() {
            bound.push(if after_number && is_unit { NO_BREAK_SPACE } else { ' ' });
        }
        bound += word;
        after_number = word.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '('));
    }
    bound
}

/// The verdict, the first `limit` findings, and the number of further ones.
pub(super) fn leading(findings: &[Finding], limit: usize) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let verdict = Verdict::of(findings);
    let style = match verdict {
        Verdict::Healthy => GOOD,
        Verdict::InTrouble => BAD,
        Verdict::TooShort => BOLD,
    };
    let mut out = format!("{} {}\n", paint(BOLD, "Verdict:"), paint(style, verdict.text()));
    if limit > 0 {
        out += &format!("{}\n", paint(BOLD, "Findings"));
    }
    for finding in findings.iter().take(limit) {
        let (mark, style) = match finding.severity() {
            Severity::Trouble => ("!", BAD),
            Severity::Context => ("-", DIM),
            Severity::Good => ("+", GOOD),
        };
        let name = finding.kind().name().replace('_', " ");
        let lines = wrapped(&with_bound_units(&format!("{name}: {}", text(finding))), WIDTH - 4);
        for (index, line) in lines.iter().enumerate() {
            let mark = if index == 0 { paint(style, mark) } else { " ".to_owned() };
            let line = match line.strip_prefix(&name).filter(|_| index == 0) {
                Some(rest) => paint(BOLD, &name) + rest,
                None => line.clone(),
            };
            let line = line.replace(NO_BREAK_SPACE, " ");
            out += &format!("  {mark} {line}\n");
        }
    }
    if let Some(more) = findings.len().checked_sub(limit).filter(|more| *more > 0) {
        let more =
            format!("... and {} (--findings {})", several(more as u64, "more finding"), findings.len());
        out += &format!("  {}\n", paint(DIM, &more));
    }
    out
}
