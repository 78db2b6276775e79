//! Words in a picture: escaped, cut to fit, and about as wide as they will be.

use crate::format::columns;

/// A text that can stand between tags and in quotes. What XML cannot hold becomes a mark.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Width of an average character at eleven pixels; the reader's font decides, so that there is some room in it.
const CHARACTER: f64 = 6.3;

/// The width of a text in pixels, about.
pub(super) fn width(text: &str) -> f64 {
    columns::width(text) as f64 * CHARACTER
}

/// A text cut to a width in pixels, in its middle.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a picture is small")]
pub(super) fn fitted(text: &str, pixels: f64) -> String {
    columns::shortened(text, (pixels / CHARACTER).max(1.0) as usize)
}
