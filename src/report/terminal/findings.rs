//! What the run says, before its figures: the findings that lead, in words.

use crate::analysis::{Finding, Severity};
use crate::format::columns::{BAD, BOLD, DIM, GOOD, WIDTH, paint, wrapped};
use crate::format::findings::text;
use crate::format::numbers::several;

/// A blank that lines are not broken at.
const BOND: char = '\u{a0}';

/// A text in which numbers stay with their units.
fn bound(text: &str) -> String {
    let mut bound = String::new();
    let mut after_number = false;
    for word in text.split(' ') {
        let unit = word.trim_end_matches(['.', ',', ':', ';', ')']);
        let is_unit = ["%", "ns", "us", "ms", "s", "min", "h", "d"].contains(&unit);
        if !bound.is_empty() {
            bound.push(if after_number && is_unit { BOND } else { ' ' });
        }
        bound += word;
        after_number = word.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '('));
    }
    bound
}

/// The findings that lead, and how many there are besides.
pub(super) fn leading(findings: &[Finding], most: usize) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let mut out = paint(BOLD, "Findings") + "\n";
    for finding in findings.iter().take(most) {
        let (mark, style) = match finding.kind().severity() {
            Severity::Trouble => ("!", BAD),
            Severity::Context => ("-", DIM),
            Severity::Good => ("+", GOOD),
        };
        let name = finding.kind().name().replace('_', " ");
        let lines = wrapped(&bound(&format!("{name}: {}", text(finding))), WIDTH - 4);
        for (index, line) in lines.iter().enumerate() {
            let mark = if index == 0 { paint(style, mark) } else { " ".to_owned() };
            let line = match line.strip_prefix(&name).filter(|_| index == 0) {
                Some(rest) => paint(BOLD, &name) + rest,
                None => line.clone(),
            };
            let line = line.replace(BOND, " ");
            out += &format!("  {mark} {line}\n");
        }
    }
    if let Some(more) = findings.len().checked_sub(most).filter(|more| *more > 0) {
        let more =
            format!("... and {} (--findings {})", several(more as u64, "more finding"), findings.len());
        out += &format!("  {}\n", paint(DIM, &more));
    }
    out
}
