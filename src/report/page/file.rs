//! A page on disk: `report.json`, from which the document and the pictures can be made again without the run.

use std::fmt;
use std::io::{self, Write};

use serde::Deserialize;

use super::Page;

/// The form of the data that this version writes and reads.
pub const FORMAT: u32 = 1;

/// Why bytes are no page.
#[derive(Debug)]
pub enum Unreadable {
    /// They are no JSON, or not that of a page.
    Broken(serde_json::Error),
    /// Another version wrote them, in this form.
    OtherFormat(u32),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(error) => write!(f, "this is not the data of a report: {error}"),
            Self::OtherFormat(format) => {
                write!(
                    f,
                    "the data of this report has format {format}, and this version reads format {FORMAT}"
                )
            }
        }
    }
}

impl std::error::Error for Unreadable {}

/// Writes a page on one line.
///
/// # Errors
/// If it cannot be written.
pub fn write(page: &Page, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, page)?;
    writeln!(out)
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// If it is no page, or one of another format.
pub fn read(bytes: &[u8]) -> Result<Page, Unreadable> {
    /// What every format has.
    #[derive(Deserialize)]
    struct Formatted {
        format: u32,
    }
    // Looked at first: what another format holds is no mistake of this one.
    let Formatted { format } = serde_json::from_slice(bytes).map_err(Unreadable::Broken)?;
    if format != FORMAT {
        return Err(Unreadable::OtherFormat(format));
    }
    serde_json::from_slice(bytes).map_err(Unreadable::Broken)
}

/// The page as it will be read back: with numbers as short as they are written. What is drawn of it is drawn again from its
/// file, to the last byte.
///
/// # Errors
/// If what is written could not be read, which is a mistake in the page.
pub fn as_kept(page: &Page) -> Result<Page, Unreadable> {
    let mut bytes = Vec::new();
    write(page, &mut bytes).map_err(|error| Unreadable::Broken(serde_json::Error::io(error)))?;
    read(&bytes)
}

#[cfg(test)]
mod tests {
    use super::super::{FindingCard, Line, Plot, Section, Style, Tile, Tone, Unit};
    use super::*;

    fn page() -> Page {
        let line = |name: &str, style| Line {
            name: name.to_owned(),
            style,
            y: vec![Some(1.0), None, Some(0.25)],
            ..Line::default()
        };
        let plot = Plot {
            id: "load".to_owned(),
            unit: Unit::Share,
            x: vec![0.0, 1.0, 2.0],
            lines: vec![line("low", Style::BandLow), line("high", Style::BandHigh)],
            top: Some(1.0),
            ..Plot::default()
        };
        Page {
            format: FORMAT,
            title: "</script>\u{2028}\"\\".to_owned(),
            tiles: vec![Tile { label: "completed".to_owned(), tone: Tone::Good, ..Tile::default() }],
            findings: vec![FindingCard {
                evidence: vec![("a".to_owned(), "b".to_owned())],
                ..FindingCard::default()
            }],
            sections: vec![Section { title: "Load".to_owned(), plots: vec![plot], ..Section::default() }],
            seconds: 2.0,
            ..Page::default()
        }
    }

    fn written(page: &Page) -> Vec<u8> {
        let mut out = Vec::new();
        write(page, &mut out).expect("memory can be written");
        out
    }

    #[test]
    fn a_page_survives_its_file() {
        let page = page();
        assert_eq!(read(&written(&page)).expect("a page"), page);
        let empty = Page { format: FORMAT, ..Page::default() };
        assert_eq!(read(&written(&empty)).expect("a page"), empty);
        assert_eq!(written(&empty), b"{\"format\":1,\"title\":\"\"}\n", "what says nothing is left out");
    }

    #[test]
    fn what_is_no_page_is_told_apart_from_a_page_of_another_version() {
        assert!(matches!(read(b"{\"format\":2,\"new\":[]}"), Err(Unreadable::OtherFormat(2))));
        for broken in ["", "[]", "{}", "{\"format\":1", "{\"format\":1,\"unknown\":2}", "\u{0}"] {
            assert!(matches!(read(broken.as_bytes()), Err(Unreadable::Broken(_))), "{broken}");
        }
        let told = read(b"{\"format\":9}").expect_err("another format").to_string();
        assert!(told.contains("format 9") && told.contains("format 1"), "{told}");
    }
}
