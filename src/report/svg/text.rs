//! Texts of a picture: escaped, shortened to fit, with an estimated width.

use crate::format::columns;

/// Escapes a text for XML elements and attributes. Characters that XML does not allow become U+FFFD.
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

/// Estimated width in pixels of a character at a font size of eleven pixels, with a margin, as fonts differ.
const CHARACTER_WIDTH: f64 = 6.3;

/// The estimated width of a text in pixels.
pub(super) fn width(text: &str) -> f64 {
    columns::width(text) as f64 * CHARACTER_WIDTH
}

/// A text shortened in the middle to a width in pixels.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a picture is small")]
pub(super) fn fitted(text: &str, pixels: f64) -> String {
    columns::shortened(text, (pixels / CHARACTER_WIDTH).max(1.0) as usize)
}
