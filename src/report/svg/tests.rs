//! Pictures are well-formed for any plot, and the ticks of their axes are round values.

use super::super::page::{FORMAT, ReferenceLine, Span, Unit};
use super::scale::{Scale, across, labels, log_ticks, round_step, ticks, upwards};
use super::*;

const AREA: Area = Area { left: 0.0, right: 700.0, top: 0.0, bottom: 260.0 };
const HOSTILE: &str = "a<b>&\"'</svg><script>\u{1b}\u{0}\u{ffff}";

fn line(style: Style, y: &[f32]) -> Line {
    Line { name: HOSTILE.to_owned(), style, y: y.iter().map(|y| Some(*y)).collect(), ..Line::default() }
}

fn drawn(plot: &Plot) -> String {
    let span = |from, to| Span { from, to, label: HOSTILE.to_owned() };
    let spans = vec![span(0.5, 2.0), span(0.6, 1.0), span(-3.0, 99.0), span(50.0, 60.0)];
    let page = Page { format: FORMAT, title: HOSTILE.to_owned(), seconds: 4.0, spans, ..Page::default() };
    let mut out = Vec::new();
    super::plot(&page, plot, &mut out).expect("a write to memory succeeds");
    String::from_utf8(out).expect("a picture is UTF-8")
}

/// Asserts that every tag is closed, every `&` starts an entity, every attribute is quoted, and every number is finite.
fn assert_well_formed(text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        assert!(!before.contains('>'), "a `>` without a tag: {before}");
        let (tag, after) = tag.split_once('>').expect("a tag has an end");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        let name = tag.split([' ', '/']).find(|name| !name.is_empty()).expect("a tag has a name");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes the innermost open tag");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        rest = after;
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
    for (at, _) in text.match_indices('&') {
        let entity = ["&amp;", "&lt;", "&gt;", "&quot;"].iter().any(|entity| text[at..].starts_with(entity));
        assert!(entity, "{}", &text[at..text.len().min(at + 20)]);
    }
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "a picture has no control characters");
    assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
}

#[test]
fn every_style_is_drawn_and_hostile_names_are_escaped() {
    let y = [1.0, 3.0, 2.0, 4.0, 0.0];
    let mut gap = line(Style::Step, &y);
    gap.y[2] = None;
    let lines = vec![
        line(Style::Line, &y),
        line(Style::Dashed, &y),
        gap,
        line(Style::BandLow, &y),
        line(Style::BandHigh, &[2.0, 4.0, 3.0, 5.0, 1.0]),
        line(Style::Stacked, &y),
        line(Style::Stacked, &y),
        Line { hidden: true, colour: 7, ..line(Style::Line, &[900.0; 5]) },
    ];
    let plot = Plot {
        id: "../../etc/passwd".to_owned(),
        title: HOSTILE.to_owned(),
        caption: HOSTILE.to_owned(),
        x: vec![0.0, 1.0, 2.0, 3.0, 4.0],
        lines,
        thresholds: vec![ReferenceLine { value: 7.0, label: HOSTILE.to_owned() }],
        ..Plot::default()
    };
    let picture = drawn(&plot);
    assert_well_formed(&picture);
    assert!(!picture.contains("<script"));
    for class in ["line s0", "line edge s0", "band f0", "area f0", "\"limit\"", "\"span\""] {
        assert!(picture.contains(class), "{class}");
    }
    assert!(!picture.contains("class=\"line s7\""), "hidden lines are not drawn");
    assert!(picture.contains("prefers-color-scheme:dark"));
    assert_eq!(file_name(&plot), "------etc-passwd.svg");
}

#[test]
fn a_histogram_has_a_logarithmic_axis() {
    let plot = Plot {
        axis: Axis::Latency,
        x: vec![0.0, 0.001, 0.01, 0.1, 1.0],
        lines: vec![Line { y: vec![Some(5.0), Some(9.0), None, Some(1.0), None], ..line(Style::Bars, &[]) }],
        ..Plot::default()
    };
    let picture = drawn(&plot);
    assert_well_formed(&picture);
    assert_eq!(
        picture.matches('z').count() - picture.matches("size").count(),
        3 + 1,
        "three bars and their legend symbol"
    );
    assert!(picture.contains(">10 ms<") && picture.contains(">1 s<"), "{picture}");
}

#[test]
fn incomplete_plots_are_drawn() {
    assert_well_formed(&drawn(&Plot::default()));
    let short = |axis| Plot {
        axis,
        x: vec![0.0],
        lines: vec![line(Style::Line, &[0.0]), line(Style::Bars, &[]), line(Style::BandHigh, &[1.0])],
        ..Plot::default()
    };
    assert_well_formed(&drawn(&short(Axis::Time)));
    assert_well_formed(&drawn(&short(Axis::Latency)));
}

#[test]
fn ticks_are_round() {
    for (min, is_time, expected) in [
        (0.3, false, 0.5),
        (2.1, false, 2.5),
        (7.0, false, 10.0),
        (0.002, false, 0.002),
        (12.0, true, 15.0),
        (45.0, true, 60.0),
        (0.3, true, 0.5),
        (1e6, true, 1_728_000.0),
    ] {
        let step = round_step(min, is_time);
        assert!((step / expected - 1.0).abs() < 1e-9, "{min}: {step}");
    }
    let scale =
        |seconds: f64| -> Scale { across(&Page { seconds, ..Page::default() }, &Plot::default(), AREA) };
    assert_eq!(ticks(&scale(65.0), 10.0, true), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
    assert_eq!(ticks(&scale(300.0), 5.0, true), [0.0, 60.0, 120.0, 180.0, 240.0, 300.0]);
    let latency = Plot { axis: Axis::Latency, x: vec![0.001, 10.0], ..Plot::default() };
    let powers = log_ticks(&across(&Page::default(), &latency, AREA));
    assert!(powers.len() >= 5 && powers.iter().all(|tick| (0.000_9..10.1).contains(tick)), "{powers:?}");
}

#[test]
fn labels_of_an_axis_have_the_same_unit() {
    assert_eq!(labels(&[0.0, 0.25, 1.0], Unit::Share), ["0 %", "25 %", "100 %"]);
    assert_eq!(labels(&[0.0, 0.05, 0.1], Unit::Seconds), ["0 ms", "50 ms", "100 ms"]);
    assert_eq!(labels(&[0.0, 5.0], Unit::Seconds), ["0 s", "5 s"]);
    assert_eq!(labels(&[0.0, 900.0], Unit::Seconds), ["0 min", "15 min"]);
    assert_eq!(labels(&[500.0, 20_000.0], Unit::PerSecond), ["0.5k/s", "20k/s"]);
    assert_eq!(labels(&[-2.5, 0.0, 2.5], Unit::Count), ["-2.5", "0", "2.5"]);
}

#[test]
fn an_axis_does_not_include_a_limit_far_above_all_values() {
    let reach = |value: f64, top: Option<f64>| {
        let thresholds = vec![ReferenceLine { value, label: String::new() }];
        let plot = Plot { lines: vec![line(Style::Line, &[10.0])], thresholds, top, ..Plot::default() };
        upwards(&plot, &shown(&plot), AREA).to
    };
    assert!(reach(20.0, None) > 20.0, "a limit near the values is included");
    assert!(reach(1_000.0, None) < 11.0, "a limit far above the values is not");
    assert!(reach(1_000.0, Some(50.0)) > 50.0, "the top of the plot is always included");
}

#[test]
fn overlapping_spans_are_shaded_once_and_the_beginning_of_each_is_marked() {
    let plot = Plot {
        axis: Axis::Time,
        x: vec![0.0, 1.0, 2.0, 3.0, 4.0],
        lines: vec![line(Style::Line, &[1.0, 3.0, 2.0, 4.0, 0.0])],
        ..Plot::default()
    };
    let picture = drawn(&plot);
    let widths = picture.lines().filter(|line| line.contains(r#"class="span""#)).map(|line| {
        let (_, after) = line.split_once("width=\"").expect("a rectangle has a width");
        after.split_once('"').expect("an attribute is quoted").0.parse::<f64>().expect("a width is a number")
    });
    let widths: Vec<f64> = widths.collect();
    assert_eq!(widths.len(), 3, "the union, and the beginnings of two: {widths:?}");
    assert!(widths[0] > 100.0 && widths[1..] == [1.0, 1.0], "{widths:?}");
}
