//! Renders a page as one self-contained HTML file that works offline in any browser.
//!
//! `page.html` is the template, `page.css` the style sheet. The page is embedded as JSON. `page.js` builds the document
//! from it, `plot.js` the plots, and `format.js` formats numbers. uPlot draws the curves (`assets/vendor/uplot`).
//!
//! Texts of a page cannot become markup: neither its JSON nor its title can open a tag. A content security policy in
//! the head forbids loading anything.

use std::io::{self, Write};

use super::page::{self, Page};
use super::palette::PALETTE;

const TEMPLATE: &str = include_str!("page.html");

/// The contents of the placeholders of the template, except for the title, the page and the palette.
const PARTS: [(&str, &str); 6] = [
    ("uplot.css", include_str!("../../../assets/vendor/uplot/uPlot.min.css")),
    ("page.css", include_str!("page.css")),
    ("uplot.js", include_str!("../../../assets/vendor/uplot/uPlot.iife.min.js")),
    ("format.js", include_str!("format.js")),
    ("plot.js", include_str!("plot.js")),
    ("page.js", include_str!("page.js")),
];

/// Writes a page as an HTML document.
///
/// # Errors
/// If `out` cannot be written.
pub fn write(page: &Page, out: &mut dyn Write) -> io::Result<()> {
    let mut rest = TEMPLATE;
    while let Some((before, name, after)) = next_placeholder(rest) {
        out.write_all(before.as_bytes())?;
        match name {
            "title" => out.write_all(escaped(&page.title).as_bytes())?,
            "page.json" => page::write(page, &mut ScriptSafe(out))?,
            "palette.json" => serde_json::to_writer(&mut *out, &PALETTE)?,
            // A test checks that the template has exactly one placeholder for each part.
            name => {
                for (_, text) in PARTS.iter().filter(|(part, _)| *part == name) {
                    out.write_all(text.trim_end().as_bytes())?;
                }
            }
        }
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

/// The text before the next placeholder `{{name}}`, its name, and the text after it; `None` if there is none.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name, after))
}

/// Escapes a text for HTML elements.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Escapes `<` in JSON, so that it cannot close the script element that contains it or open a comment. JSON has `<`
/// only in strings, where the escape has the same meaning.
struct ScriptSafe<'a>(&'a mut dyn Write);

impl Write for ScriptSafe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for (index, piece) in bytes.split(|byte| *byte == b'<').enumerate() {
            if index > 0 {
                self.0.write_all(b"\\u003c")?;
            }
            self.0.write_all(piece)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::page::{FORMAT, FindingCard, Line, Plot, Section, Tile};
    use super::*;
    use crate::engine::hash::StableHasher;

    const HOSTILE: &str = "</script><img src=x onerror=alert(1)><!--<script>{{page.js}}&amp;\u{2028}";

    fn written(page: &Page) -> String {
        let mut out = Vec::new();
        write(page, &mut out).expect("a write to memory succeeds");
        String::from_utf8(out).expect("a document is UTF-8")
    }

    fn embedded(document: &str) -> &str {
        let (_, rest) = document.split_once("id=\"page\">\n").expect("the page is embedded");
        rest.split_once("</script>").expect("the script element is closed").0
    }

    #[test]
    fn hostile_texts_do_not_become_markup() {
        let text = || HOSTILE.to_owned();
        let line = Line { name: text(), y: vec![Some(1.0)], ..Line::default() };
        let plot =
            Plot { id: "a".to_owned(), title: text(), x: vec![0.0], lines: vec![line], ..Plot::default() };
        let page = Page {
            format: FORMAT,
            title: text(),
            scenario: text(),
            story: vec![text()],
            tiles: vec![Tile { label: text(), ..Tile::default() }],
            findings: vec![FindingCard {
                text: text(),
                evidence: vec![(text(), text())],
                ..FindingCard::default()
            }],
            sections: vec![Section { title: text(), plots: vec![plot], ..Section::default() }],
            ..Page::default()
        };
        let document = written(&page);
        assert!(!document.contains("<img") && !document.contains("<!--"), "texts add no tag and no comment");
        let parts: usize = PARTS.iter().map(|(_, text)| text.matches("</script").count()).sum();
        assert_eq!(
            (parts, document.matches("</script>").count()),
            (0, 6),
            "texts and parts close no script element"
        );
        assert!(!embedded(&document).contains('<'));
        assert_eq!(page::read(embedded(&document).as_bytes()).expect("the embedded JSON is the page"), page);
    }

    #[test]
    fn an_empty_page_is_a_small_document() {
        let document = written(&Page { format: FORMAT, ..Page::default() });
        assert!(document.starts_with("<!doctype html>") && document.trim_end().ends_with("</html>"));
        assert!(document.len() < 130_000, "the template and its parts are small: {}", document.len());
    }

    #[test]
    fn the_template_has_one_placeholder_for_each_part() {
        let (mut names, mut rest) = (Vec::new(), TEMPLATE);
        while let Some((_, name, after)) = next_placeholder(rest) {
            names.push(name);
            rest = after;
        }
        names.sort_unstable();
        let mut parts: Vec<_> =
            PARTS.iter().map(|(name, _)| *name).chain(["title", "page.json", "palette.json"]).collect();
        parts.sort_unstable();
        assert_eq!(names, parts);
    }

    #[test]
    fn scripts_load_nothing_and_write_no_markup() {
        let ours = PARTS.iter().filter(|(name, _)| !name.starts_with("uplot"));
        for (name, text) in ours.chain([&("page.html", TEMPLATE)]) {
            for forbidden in
                ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "import(", "url("]
            {
                assert!(!text.contains(forbidden), "{name} contains {forbidden}");
            }
            let urls = text.matches("://").count();
            assert_eq!(urls, usize::from(*name == "page.html"), "{name}: the only URL is the SVG namespace");
        }
    }

    /// The checksums in `assets/vendor/uplot/README.md` are for people, these hashes for the test.
    #[test]
    fn the_vendored_library_is_unchanged() {
        let licence = include_str!("../../../assets/vendor/uplot/LICENSE");
        for (text, expected) in [
            (PARTS[2].1, 0xf941_6c41_822f_bfe3),
            (PARTS[0].1, 0xc063_8559_ff2b_2364),
            (licence, 0x61a8_f418_0fe7_d4fb),
        ] {
            let mut hasher = StableHasher::new();
            hasher.absorb_text(text);
            assert_eq!(hasher.finish(), expected, "{:#018x}", hasher.finish());
        }
    }
}
