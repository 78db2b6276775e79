//! The document: a page as one HTML file that needs nothing but a browser, online or not, now or in ten years.
//!
//! `page.html` is its frame, `page.css` its looks. The page itself lies in it as JSON, and `page.js` makes the document of it,
//! `plot.js` the plots, `format.js` the numbers. The curves are drawn by uPlot (`assets/vendor/uplot`). Texts of a page become
//! texts of the document and nothing else: neither its JSON nor its title can open a tag, and a policy in its head
//! forbids it to load anything.

use std::io::{self, Write};

use super::page::{self, Page};
use super::palette::PALETTE;

const FRAME: &str = include_str!("page.html");

/// What takes the place of a name in the frame, apart from the title, the page and the palette.
const PARTS: [(&str, &str); 6] = [
    ("uplot.css", include_str!("../../../assets/vendor/uplot/uPlot.min.css")),
    ("page.css", include_str!("page.css")),
    ("uplot.js", include_str!("../../../assets/vendor/uplot/uPlot.iife.min.js")),
    ("format.js", include_str!("format.js")),
    ("plot.js", include_str!("plot.js")),
    ("page.js", include_str!("page.js")),
];

/// Writes a page as a document.
///
/// # Errors
/// If it cannot be written.
pub fn write(page: &Page, out: &mut dyn Write) -> io::Result<()> {
    let mut rest = FRAME;
    while let Some((before, name, after)) = next_name(rest) {
        out.write_all(before.as_bytes())?;
        match name {
            "title" => out.write_all(escaped(&page.title).as_bytes())?,
            "page.json" => page::write(page, &mut ScriptSafe(out))?,
            "palette.json" => serde_json::to_writer(&mut *out, &PALETTE)?,
            // That the frame names only what there is, and each once, is held by a test.
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

/// What comes before the next `{{name}}`, the name, and what comes after it.
fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name, after))
}

/// A text that can stand between tags.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// JSON without `<`, so that nothing in it can end the script that it lies in or begin a comment. Outside of texts JSON has
/// none, and in texts the escape means the same.
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
        write(page, &mut out).expect("memory can be written");
        String::from_utf8(out).expect("a document is UTF-8")
    }

    fn embedded(document: &str) -> &str {
        let (_, rest) = document.split_once("id=\"page\">\n").expect("the page lies in it");
        rest.split_once("</script>").expect("its script ends").0
    }

    #[test]
    fn hostile_texts_stay_texts() {
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
        assert!(
            !document.contains("<img") && !document.contains("<!--"),
            "no tag and no comment got through"
        );
        let parts: usize = PARTS.iter().map(|(_, text)| text.matches("</script").count()).sum();
        assert_eq!((parts, document.matches("</script>").count()), (0, 6), "no script ends before its end");
        assert!(!embedded(&document).contains('<'));
        assert_eq!(page::read(embedded(&document).as_bytes()).expect("it is still the page"), page);
    }

    #[test]
    fn an_empty_page_is_a_document() {
        let document = written(&Page { format: FORMAT, ..Page::default() });
        assert!(document.starts_with("<!doctype html>") && document.trim_end().ends_with("</html>"));
        assert!(document.len() < 130_000, "the frame is small: {}", document.len());
    }

    #[test]
    fn the_frame_names_all_parts_once_and_nothing_else() {
        let (mut names, mut rest) = (Vec::new(), FRAME);
        while let Some((_, name, after)) = next_name(rest) {
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
    fn nothing_is_loaded_and_no_text_becomes_markup() {
        let ours = PARTS.iter().filter(|(name, _)| !name.starts_with("uplot"));
        for (name, text) in ours.chain([&("page.html", FRAME)]) {
            for way in
                ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "import(", "url("]
            {
                assert!(!text.contains(way), "{name} has {way}");
            }
            let addresses = text.matches("://").count();
            assert_eq!(
                addresses,
                usize::from(*name == "page.html"),
                "{name}: only the name of SVG is an address"
            );
        }
    }

    /// The sums of `assets/vendor/uplot/README.md` are for people; these are for the test.
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
