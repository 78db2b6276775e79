//! Renders a plot of a page as an SVG file, for papers, slides and READMEs.
//!
//! A picture is self-contained: it has a title, axes with units and a legend, its labels are text elements, and it
//! follows the reader's choice of a light or dark colour scheme. `scale` maps values to pixels and selects ticks,
//! `curve` draws lines, `frame` draws the rest, `text` escapes and shortens texts.

mod curve;
mod frame;
mod scale;
mod text;

use std::io::{self, Write};

use super::page::{Axis, Line, Page, Plot, Style};
use super::palette::{Colour, PALETTE};
use scale::Scale;
use text::escaped;

const LIGHT: &str = "\
text{font:11px system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,'DejaVu Sans',Arial,sans-serif;fill:#5c6675}\
.title{font-size:15px;font-weight:600;fill:#1b2330}.name{fill:#1b2330}.end{text-anchor:end}.mid{text-anchor:middle}\
.paper{fill:#fff}.grid{stroke:#e9ecf1}.axis{stroke:#aab2bd}.span{fill:#e0a614;fill-opacity:.15}.spantext{fill:#7d5c06}\
.halo{paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}\
.limit{stroke:#c23a1e;stroke-dasharray:5 4;stroke-width:1.2}.limittext{fill:#c23a1e}\
.line{fill:none;stroke-width:1.6;stroke-linejoin:round}.edge{stroke-width:.7;stroke-opacity:.6}\
.band{fill-opacity:.2;stroke:none}.area{fill-opacity:.55;stroke:none}.bar{fill-opacity:.8;stroke:none}";

const DARK: &str = "\
text{fill:#98a3b3}.title,.name{fill:#e3e8ef}.paper{fill:#181d25}.grid{stroke:#262d38}.axis{stroke:#56606e}\
.span{fill:#f0c04a;fill-opacity:.13}.spantext{fill:#e2c271}.halo{stroke:#181d25}\
.limit{stroke:#ff8b6b}.limittext{fill:#ff8b6b}";

/// The area of the curves, in pixels.
#[derive(Clone, Copy, Debug)]
struct Area {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// Width of a picture in pixels.
const WIDTH: f64 = 760.0;
/// Height of the area of the curves in pixels.
const HEIGHT: f64 = 260.0;

/// The file name of a plot.
#[must_use]
pub fn file_name(plot: &Plot) -> String {
    // The ids of our own plots are safe; a page from another source must not select a directory.
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    format!("{}.svg", plot.id.chars().map(safe).collect::<String>())
}

/// Draws a plot of a page.
///
/// # Errors
/// If `out` cannot be written.
pub fn plot(page: &Page, plot: &Plot, out: &mut dyn Write) -> io::Result<()> {
    let lines = shown(plot);
    let heading = frame::heading(plot);
    let has_span_labels = plot.axis == Axis::Time && page.spans.iter().any(|span| !span.label.is_empty());
    let top = 24.0 + 16.0 * heading.len() as f64 + if has_span_labels { 16.0 } else { 0.0 };
    let area = Area { left: 66.0, right: WIDTH - 24.0, top, bottom: top + HEIGHT };
    let (legend, rows) = frame::legend(plot, &lines, area.bottom + 54.0);
    let height = area.bottom + 50.0 + 18.0 * f64::from(rows);
    let (x, y) = (scale::across(page, plot, area), scale::upwards(plot, &lines, area));

    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-labelledby="title desc">"#
    )?;
    writeln!(out, r#"<title id="title">{}</title>"#, escaped(&plot.title))?;
    writeln!(out, r#"<desc id="desc">{}</desc>"#, escaped(&description(page, plot, &lines)))?;
    writeln!(out, "<style>{}</style>", style())?;
    writeln!(out, r#"<rect class="paper" width="{WIDTH}" height="{height}" rx="8"/>"#)?;
    for (row, (class, text)) in heading.iter().enumerate() {
        let y = 25.0 + 17.0 * row as f64;
        writeln!(out, r#"<text class="{class}" x="16" y="{y}">{}</text>"#, escaped(text))?;
    }
    let (area_width, area_height) = (area.right - area.left, area.bottom - area.top);
    writeln!(
        out,
        r#"<clipPath id="area"><rect x="{}" y="{}" width="{area_width}" height="{area_height}"/></clipPath>"#,
        area.left, area.top
    )?;
    if plot.axis == Axis::Time {
        frame::spans(&page.spans, &x, area, out)?;
    }
    frame::axes(page, plot, &x, &y, area, out)?;
    writeln!(out, r#"<g clip-path="url(#area)">"#)?;
    curve::all(plot, &lines, &x, &y, out)?;
    writeln!(out, "</g>")?;
    frame::labels(page, plot, &x, &y, area, out)?;
    out.write_all(legend.as_bytes())?;
    writeln!(out, "</svg>")
}

/// The lines that are not hidden. A picture is static and cannot show the others on demand.
fn shown(plot: &Plot) -> Vec<&Line> {
    plot.lines.iter().filter(|line| !line.hidden).collect()
}

/// A description of the picture for screen readers.
fn description(page: &Page, plot: &Plot, lines: &[&Line]) -> String {
    let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
    let axis = match plot.axis {
        Axis::Time => "over time",
        Axis::Latency => "over latency",
    };
    format!("{}: {} {axis}. {}", page.title, names.join(", "), plot.caption)
}

/// The style sheet. Colours of lines are CSS classes, so that they follow the colour scheme.
fn style() -> String {
    let colours = |dark: bool| -> String {
        let colour = |(index, colour): (usize, &Colour)| {
            let colour = if dark { colour.dark } else { colour.light };
            format!(".s{index}{{stroke:{colour}}}.f{index}{{fill:{colour}}}")
        };
        PALETTE.colours.iter().enumerate().map(colour).collect()
    };
    format!("{}{LIGHT}@media(prefers-color-scheme:dark){{{}{DARK}}}", colours(false), colours(true))
}

/// The dash pattern of a line; empty for a solid line.
fn dashes(line: &Line) -> String {
    let dashes = match line.style {
        Style::Dashed => PALETTE.dashed,
        Style::Line | Style::Step | Style::Bars | Style::BandLow | Style::BandHigh | Style::Stacked => {
            PALETTE.dash(line.colour)
        }
    };
    dashes.iter().map(u8::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
