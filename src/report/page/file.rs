//! The file of a page, `report.json`: the HTML report and the SVG plots can be created from it without the run.

use std::fmt;
use std::io::{self, Write};

use serde::Deserialize;

use super::Page;

/// Version of the file format that this version of rushhour writes and reads.
pub const FORMAT: u32 = 1;

/// An error in the file of a page.
#[derive(Debug)]
pub enum Unreadable {
    /// The file is not JSON, or not the JSON of a page.
    Broken(serde_json::Error),
    /// The file has this other format, from another version of rushhour.
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
/// If `out` cannot be written.
pub fn write(page: &Page, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, page)?;
    writeln!(out)
}

/// Reads a page that [`write()`] wrote.
///
/// # Errors
/// If it is not a page, or a page of another format.
pub fn read(bytes: &[u8]) -> Result<Page, Unreadable> {
    /// The field that all formats have in common.
    #[derive(Deserialize)]
    struct Formatted {
        format: u32,
    }
    // The format is read first, so that fields of another format are not reported as errors.
    let Formatted { format } = serde_json::from_slice(bytes).map_err(Unreadable::Broken)?;
    if format != FORMAT {
        return Err(Unreadable::OtherFormat(format));
    }
    serde_json::from_slice(bytes).map_err(Unreadable::Broken)
}

/// The page as read back from its file, with rounded numbers. The report drawn from it is therefore identical to the
/// report drawn from the file.
///
/// # Errors
/// If the written page cannot be read back, which is a bug.
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
        write(page, &mut out).expect("a write to memory succeeds");
        out
    }

    #[test]
    fn a_page_read_from_its_file_is_the_same() {
        let page = page();
        assert_eq!(read(&written(&page)).expect("a page"), page);
        let empty = Page { format: FORMAT, ..Page::default() };
        assert_eq!(read(&written(&empty)).expect("a page"), empty);
        assert_eq!(written(&empty), b"{\"format\":1,\"title\":\"\"}\n", "default values are left out");
    }

    #[test]
    fn a_broken_file_and_a_page_of_another_version_are_different_errors() {
        assert!(matches!(read(b"{\"format\":2,\"new\":[]}"), Err(Unreadable::OtherFormat(2))));
        for broken in ["", "[]", "{}", "{\"format\":1", "{\"format\":1,\"unknown\":2}", "\u{0}"] {
            assert!(matches!(read(broken.as_bytes()), Err(Unreadable::Broken(_))), "{broken}");
        }
        let message = read(b"{\"format\":9}").expect_err("another format").to_string();
        assert!(message.contains("format 9") && message.contains("format 1"), "{message}");
    }
}
