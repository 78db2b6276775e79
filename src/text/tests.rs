//! The reader as a whole: against ron on a corpus, against files that are no text, and against a storm of mutations.

use serde::Deserialize;

use super::Document;
use super::sample::{Scenario, TEXT};
use crate::engine::random::RandomStream;

/// Reads any text into ron's own value, by our reader; the message if it does not.
fn ours(text: &str) -> Result<ron::Value, String> {
    let decoded =
        Document::parse("a.ron", text.as_bytes()).map_err(|all| all.to_string())?.decode::<ron::Value>();
    match (decoded.value, decoded.diagnostics.as_slice()) {
        (Some(value), []) => Ok(value),
        (_, diagnostics) => Err(format!("{diagnostics:?}")),
    }
}

#[test]
fn what_ron_reads_we_read_alike() {
    let corpus = [
        "1",
        "-1",
        "+1",
        "0xff",
        "0b101",
        "0o17",
        "1_000",
        "2.5",
        "-0.5",
        ".5",
        "1.",
        "1e3",
        "1.5E-3",
        "inf",
        "-inf",
        "true",
        "false",
        "'x'",
        "'\\n'",
        "'\\''",
        "\"\"",
        "\"a\\tb\\u{e9}\\x41\"",
        "\"two\nlines\"",
        "r\"a\\n\"",
        "r#\"say \"hi\"\"#",
        "()",
        "[]",
        "[1, 2,]",
        "[[], [1]]",
        "{}",
        "{\"a\": 1, \"b\": [2]}",
        "{1: 2, 'c': true}",
        "(a: 1)",
        "(a: 1, b: (c: 2),)",
        "(1, 2)",
        "(1, \"x\", [true],)",
        "Some(1)",
        "None",
        "[Some(1), None]",
        "// c\n1",
        "/* a /* b */ c */ [1, /* x */ 2]",
        "\u{feff}1",
        "[\r\n1,\r\n2\r\n]",
        "#![enable(implicit_some)] 1",
        "#![enable(unwrap_newtypes)]\n#![enable(unwrap_variant_newtypes, implicit_some,)]\n(a: 1)",
        "{ (1, 2): 3 }",
        "(r#kebab-case: 1)",
        "18446744073709551615",
        "-9223372036854775808",
        "18446744073709551616",
        "-9223372036854775809",
    ];
    for text in corpus {
        let theirs = ron::from_str::<ron::Value>(text.trim_start_matches('\u{feff}'));
        let theirs = theirs.unwrap_or_else(|error| panic!("ron refuses {text}: {error}"));
        assert_eq!(ours(text).map(comparable), Ok(comparable(theirs)), "{text}");
    }
}

/// Numbers may come in different widths.
fn comparable(value: ron::Value) -> String {
    match value {
        ron::Value::Number(number) => format!("{:?}", number.into_f64()),
        ron::Value::Seq(items) => {
            format!("[{}]", items.into_iter().map(|it| comparable(it) + ",").collect::<String>())
        }
        ron::Value::Map(map) => {
            let pairs =
                map.into_iter().map(|(key, value)| format!("{}: {},", comparable(key), comparable(value)));
            format!("{{{}}}", pairs.collect::<String>())
        }
        ron::Value::Option(held) => format!("Option({:?})", held.map(|held| comparable(*held))),
        other @ (ron::Value::Bool(_)
        | ron::Value::Char(_)
        | ron::Value::String(_)
        | ron::Value::Bytes(_)
        | ron::Value::Unit) => format!("{other:?}"),
    }
}

#[test]
fn what_ron_refuses_we_refuse() {
    let corpus = [
        "",
        " // only\n",
        "[1, 2",
        "(a: 1",
        "{\"a\": 1",
        "[1 2]",
        "(a 1)",
        "{1 2}",
        "[1, 2)",
        "(a: 1))",
        "\"abc",
        "'ab'",
        "''",
        "\"\\q\"",
        "\"\\u{d800}\"",
        "0x",
        "-",
        "1 2",
        "/* open",
        "#![enable(nonsense)] 1",
        "#![enable implicit_some] 1",
        "20/s",
        "[,]",
        "[1,,2]",
        "(a: , b: 1)",
        "r#\"abc\"",
        "@",
        "Some(",
        "(a: 1, 2)",
    ];
    for text in corpus {
        assert!(ron::from_str::<ron::Value>(text).is_err(), "ron reads {text}");
        assert!(ours(text).is_err(), "we read {text}");
    }
}

#[test]
fn what_ron_prints_of_a_value_we_read_back() {
    #[derive(Debug, PartialEq, serde::Serialize, Deserialize)]
    struct Wrapped(u64);
    #[derive(Debug, PartialEq, serde::Serialize, Deserialize)]
    enum Shape {
        Unit,
        Held(Wrapped),
        Pair(i8, Option<char>),
        Named { text: String, list: [f32; 2], unit: () },
    }
    let shapes = vec![
        Shape::Unit,
        Shape::Held(Wrapped(7)),
        Shape::Pair(-3, Some('"')),
        Shape::Pair(1, None),
        Shape::Named { text: "a\\\"\n\u{1}é".to_owned(), list: [0.5, -1e9], unit: () },
    ];
    let config = ron::ser::PrettyConfig::new().struct_names(true);
    for text in [ron::to_string(&shapes).unwrap(), ron::ser::to_string_pretty(&shapes, config).unwrap()] {
        let decoded = Document::parse("a.ron", text.as_bytes()).unwrap().decode::<Vec<Shape>>();
        assert_eq!(decoded.diagnostics, [], "{text}");
        assert_eq!(decoded.value.as_ref(), Some(&shapes));
    }
}

#[test]
fn what_is_no_text_is_said_to_be_none() {
    let said = |bytes: &[u8]| Document::parse("x", bytes).expect_err("no text").to_string();
    assert!(
        said(b"(a: 1)\n\xff\xff").starts_with("x:2:1: this file is not written in UTF-8"),
        "{}",
        said(b"(a: 1)\n\xff")
    );
    assert!(said(b"\xef\xbb\xbf\xff").starts_with("x:1:1: this file is not"));
    assert!(said(b"\x7fELF\0\0").starts_with("x:1:5: this looks like a binary file"));
    assert!(said(b"\xff\xfe(\0)\0").starts_with("x:1:1: this file is written in UTF-16"));
    assert!(said(b"").starts_with("x:1:1: there is nothing here"));
}

#[test]
fn mistakes_of_the_text_and_of_its_values_are_reported_together() {
    let text = TEXT.replacen("\"20/s\"", "20/s", 1).replacen("seed: 42,", "seed: 42, seed: 43,", 1);
    let text = text.replacen("concurrency: 10", "concurrency: 1.5", 1).replacen(
        "threshold: 0.9)),",
        "threshold: 0.9))",
        1,
    );
    let document = Document::parse("a.ron", text.as_bytes()).unwrap();
    let decoded = document.decode::<Scenario>();
    let said: Vec<_> = decoded.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    assert_eq!(
        said,
        [
            "`seed` is given twice: first at line 4, column 5",
            "`20/s` stands without quotes",
            "expected `,` behind this",
            "expected a whole number of 0 or more, found 1.5",
        ]
    );
}

#[test]
fn a_diagnostic_found_later_points_at_its_path() {
    let document = Document::parse("a.ron", TEXT.as_bytes()).unwrap();
    let diagnostic = document.diagnostic_at(&"nodes.server.concurrency".parse().unwrap(), "too many");
    let shown = document.diagnostics(vec![diagnostic]).to_string();
    assert!(shown.starts_with("a.ron:15:49: nodes.server.concurrency: too many\n"), "{shown}");
}

/// Everything that can be done to a text, without a panic; only that is promised here.
fn exercise(bytes: &[u8], argument: &str) {
    let mut document = match Document::parse("a.ron", bytes) {
        Ok(document) => document,
        Err(diagnostics) => return drop(diagnostics.to_string()),
    };
    let mut diagnostics = document.set(argument).err().unwrap_or_default();
    let decoded = document.decode::<Scenario>();
    assert!(decoded.value.is_some() || !decoded.diagnostics.is_empty(), "a refusal has a reason");
    diagnostics.extend(decoded.diagnostics);
    drop(document.diagnostics(diagnostics).render(true));
}

#[test]
fn no_mutation_of_a_scenario_makes_the_reader_panic() {
    const PIECES: [&str; 22] = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        ",",
        ":",
        "//",
        "/*",
        "r#\"",
        "\\",
        "-",
        "1e999",
        "Some(",
        "None",
        "é",
        "\u{1b}",
        "#![enable(",
        "\r\n",
    ];
    let mut random = RandomStream::from_seed(20);
    for _ in 0..4000 {
        let mut bytes = TEXT.as_bytes().to_vec();
        for _ in 0..=random.below(4) {
            let at = random.index(bytes.len().max(1));
            let length = random.index(12).min(bytes.len() - at.min(bytes.len()));
            match random.below(5) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(at..at + length)),
                2 => drop(bytes.splice(at..at, PIECES[random.index(PIECES.len())].bytes())),
                3 => drop(bytes.splice(at..at + length, PIECES[random.index(PIECES.len())].bytes())),
                _ => {
                    let byte = random.bits().to_le_bytes()[0];
                    bytes.push(byte);
                    bytes.swap_remove(at);
                }
            }
        }
        let argument = format!("nodes.server.{}={}", PIECES[random.index(22)], PIECES[random.index(22)]);
        exercise(&bytes, &argument);
    }
}

#[test]
fn every_prefix_of_a_scenario_is_refused_without_a_panic() {
    let end = TEXT.trim_end().len();
    let first = TEXT.find('(').unwrap() + 1;
    for length in (0..TEXT.find('S').unwrap()).chain(first..end) {
        assert!(Document::parse("a.ron", &TEXT.as_bytes()[..length]).is_err(), "{length}");
    }
}

#[test]
fn the_deepest_tree_there_may_be_is_read_within_a_small_stack() {
    for (open, close) in [("[", "]"), ("{1:", "}"), ("(a:", ")"), ("(", ",)")] {
        let text = format!("{}1{}", open.repeat(127), close.repeat(127));
        let read = std::thread::Builder::new().stack_size(1 << 20).spawn(move || ours(&text).map(drop));
        assert_eq!(read.unwrap().join().unwrap(), Ok(()), "{open}");
    }
}

#[test]
fn a_megabyte_of_anything_is_read_without_delay() {
    let repeated = |start: &str, piece: &str, end: &str| {
        format!("{start}{}{end}", piece.repeat(1_000_000 / piece.len()))
    };
    for text in [
        repeated("", "(", ""),
        repeated("", "/*", ""),
        repeated("[", "1,", "]"),
        repeated("[", "20/s,", "]"),
        repeated("(", "a: 1,", ")"),
        repeated("(name: 1, probes: [", "(of: 3),", "])"),
        repeated("(probes: [", "(of: \"x\", gauges: [], every: \"5s\", x: 1),", "])"),
        repeated("{", "\"a\": 1,", "}"),
        repeated(
            "(name: \"\", nodes: {}, sources: {}, probes: [",
            "(of: \"x\", gauges: [], every: \"5s\"),",
            &("5,".repeat(200) + "])"),
        ),
        repeated("[\n", "a\n", "]"),
        repeated("\"", "\\n", "\""),
        repeated("", "a", ""),
        repeated("(", "a", ": 1)"),
        repeated("", "r#", ""),
        repeated("", "1", ""),
        repeated("", "1_", ""),
    ] {
        exercise(text.as_bytes(), &text);
    }
}
