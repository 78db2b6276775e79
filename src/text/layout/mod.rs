//! Lays out a text in RON in the canonical way: the one that `rushhour format` writes.
//!
//! What is in brackets stands on one line if it fits there, and otherwise on a line of its own for each item, with a comma
//! after the last one. Two things of the author's layout are kept: brackets with a line break after the opening one stay
//! broken, and items that share a line in them go on to do so. Comments, blank lines (one at a time), the order of fields
//! and the spelling of numbers and texts stay as they are. Laying out a text again changes nothing.
//!
//! [`lines`] reads a text into brackets, items and comments; [`print`](mod@print) writes them.

mod lines;
mod print;

use super::diagnostic::Diagnostics;
use super::{Document, Sources};

/// The text of the file called `name` in the canonical layout, without a byte order mark.
///
/// # Errors
/// If it is not RON: all errors with their positions.
pub fn formatted(name: &str, bytes: &[u8]) -> Result<String, Diagnostics> {
    let document = Document::parse(name, bytes)?;
    if !document.diagnostics.is_empty() {
        return Err(document.diagnostics(document.diagnostics.clone()));
    }
    let text = document.text();
    let broken = |diagnostic| Diagnostics::new(Sources::clone(document.sources()), vec![diagnostic]);
    let laid_out = print::print(&lines::read(text).map_err(broken)?);
    // Texts and comments of several lines contain the line ends of the file.
    let has_only_crlf = text.contains('\n') && !text.replace("\r\n", "").contains('\n');
    Ok(if has_only_crlf { laid_out.replace("\r\n", "\n").replace('\n', "\r\n") } else { laid_out })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layout of a text, which is also that of the result.
    #[track_caller]
    fn laid_out(text: &str) -> String {
        let once = formatted("a.ron", text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"));
        let twice = formatted("a.ron", once.as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{once}"));
        assert_eq!(once, twice, "the layout of a layout is the same");
        once
    }

    #[test]
    fn what_fits_stands_on_one_line() {
        assert_eq!(laid_out("S( a :1,b : [ 1,2 ,] , c:X ( y : \"z\",),d:(),)"), {
            "S(a: 1, b: [1, 2], c: X(y: \"z\"), d: ())\n"
        });
        assert_eq!(laid_out("{ 'a' : Some(1e3), 0x1F: -inf }"), "{'a': Some(1e3), 0x1F: -inf}\n");
    }

    #[test]
    fn what_does_not_fit_has_a_line_for_each_item() {
        let long = "x".repeat(60);
        assert_eq!(
            laid_out(&format!("S(a: \"{long}\", b: \"{long}\", c: [1])")),
            format!("S(\n    a: \"{long}\",\n    b: \"{long}\",\n    c: [1],\n)\n")
        );
        let list = (0..50).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
        assert!(laid_out(&format!("A(b: C([{list}]))")).starts_with("A(b: C([\n    0,\n    1,\n"));
    }

    #[test]
    fn a_line_break_after_the_opening_bracket_is_kept_and_so_are_shared_lines() {
        let text =
            "S(\n    a: 1, b: 2,\n    c: [\n        3,\n    ],\n    d: (e: [\n        4,\n    ]),\n)\n";
        assert_eq!(laid_out(text), text);
        assert_eq!(laid_out("S(a: 1,\n b: 2)"), "S(a: 1, b: 2)\n");
        assert_eq!(laid_out("S(\na: 1,\n b: 2)"), "S(\n    a: 1,\n    b: 2,\n)\n");
    }

    #[test]
    fn comments_keep_their_places() {
        let text = "// one\n\n// two\nS(\n    // three\n    a: 1, // four\n\n    /* five\n  six */\n    b: [\n        // seven\n    ],\n    // eight\n)\n// nine\n";
        assert_eq!(laid_out(text), text);
        assert_eq!(laid_out("S(a: /* x */ 1, b: 2 /* y */)"), "S(a: /* x */ 1, b: 2 /* y */)\n");
        assert_eq!(laid_out("S( // x\na: 1\n// y\n)"), "S(\n    // x\n    a: 1,\n    // y\n)\n");
        assert_eq!(laid_out("S(a: // x\n1)"), "S(\n    // x\n    a: 1,\n)\n");
        assert_eq!(laid_out("S(a\n// x\n: 1, b: 2 // y\n, c: 3)"), {
            "S(\n    // x\n    a: 1,\n    b: 2, // y\n    c: 3,\n)\n"
        });
        assert_eq!(laid_out("S(/* x */)"), "S(\n    /* x */\n)\n");
        assert_eq!(laid_out("S(a: 1, /* x */ b: 2)"), "S(\n    a: 1,\n    /* x */\n    b: 2,\n)\n");
    }

    #[test]
    fn blank_lines_separate_items_one_at_a_time() {
        assert_eq!(laid_out("\n\nS(\n\n\na: 1,\n\n\n\nb: 2,\n\n)\n\n\n"), "S(\n    a: 1,\n\n    b: 2,\n)\n");
    }

    #[test]
    fn attributes_raw_strings_and_line_ends_stay() {
        let text = "#![enable(implicit_some)]\nS(\n    a: r#\"x\n  \"y\"#,\n    r#type: 1,\n)\n";
        assert_eq!(laid_out(text), text);
        assert_eq!(laid_out("// a\r\nS(\r\na: 1)\r\n"), "// a\r\nS(\r\n    a: 1,\r\n)\r\n");
    }

    #[test]
    fn deeply_nested_brackets_are_laid_out_at_once() {
        for (open, close) in [("(", ")"), ("Name(field: [", "])"), ("(a: 1, b: (c: [\n", "]))")] {
            for depth in [30, 60] {
                laid_out(&format!("{}1{}", open.repeat(depth / 2), close.repeat(depth / 2)));
            }
        }
        laid_out(&format!("{}1{}", "(".repeat(127), ")".repeat(127)));
        let name = "N".repeat(50);
        laid_out(&format!("{}1{}", format!("{name}(").repeat(120), ")".repeat(120)));
    }

    #[test]
    fn what_is_not_ron_is_reported() {
        let errors = formatted("a.ron", b"S(a: 1\n b: [)").expect_err("an error");
        assert!(errors.to_string().contains("a.ron:"), "{errors}");
        assert!(formatted("a.ron", b"S(\n a: 1\n b: 2)").is_err(), "a missing comma");
    }
}
