//! Tests of the whole reader: comparison with ron, files that are not text, and random mutations of scenarios.

use std::collections::BTreeMap;

use rand::Rng;
use serde::Deserialize;

use super::Document;
use super::parser::parse;
use super::sample::{Scenario, TEXT};
use super::source::Origin;
use super::tree::{Node, Value};
use crate::engine::random::{Draw, RandomStream};

/// Reads a text into the value type of `ron` by our reader, or returns the diagnostics.
fn ours(text: &str) -> Result<ron::Value, String> {
    let decoded =
        Document::parse("a.ron", text.as_bytes()).map_err(|all| all.to_string())?.decode::<ron::Value>();
    match (decoded.value, decoded.diagnostics.as_slice()) {
        (Some(value), []) => Ok(value),
        (_, diagnostics) => Err(format!("{diagnostics:?}")),
    }
}

#[test]
fn every_text_that_ron_reads_has_the_same_value() {
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

/// A value as text, without the widths of numbers, which may differ.
fn comparable(value: ron::Value) -> String {
    match value {
        ron::Value::Number(number) => format!("{:?}", number.into_f64()),
        ron::Value::Seq(items) => {
            format!("[{}]", items.into_iter().map(|it| comparable(it) + ",").collect::<String>())
        }
        ron::Value::Map(map) => {
            let pairs: BTreeMap<_, _> =
                map.into_iter().map(|(key, value)| (comparable(key), comparable(value))).collect();
            format!("{{{}}}", pairs.iter().map(|(key, value)| format!("{key}: {value},")).collect::<String>())
        }
        ron::Value::Option(held) => format!("Option({:?})", held.map(|held| comparable(*held))),
        // `ron` reads `()` as a unit and `( )` as an empty tuple.
        ron::Value::Unit => comparable(ron::Value::Seq(Vec::new())),
        other
        @ (ron::Value::Bool(_) | ron::Value::Char(_) | ron::Value::String(_) | ron::Value::Bytes(_)) => {
            format!("{other:?}")
        }
    }
}

#[test]
fn every_text_that_ron_refuses_is_refused() {
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

/// A text with every kind of leaf, for mutations.
const LEAVES: &str = r##"// a comment
(a: 42, b: -0x1f, c: 1_000.5e-3, d: [+7, .5, 1., inf, -NaN, 0b101, 0o17], e: "x\n\u{e9}\x41\"", f: r#"raw "x""#,
 g: 'c', h: '\\', i: {"k": Some(true), 2: None, 'q': (1, "two")}, j: Fifo(capacity: 3), r#odd-name: Random, /* b */ k: ())
"##;

/// Pieces of text that mutations insert.
fn pieces() -> Vec<&'static str> {
    let pieces = "( ) [ ] { } \" ' , : // /* */ r#\" \"# \\ - + . _ e E 0x 1e999 u8 inf NaN Some( None true é \u{a0} \u{200e} \
                  \u{1b} #![enable( \r\n \\x \\u{ b' b\" .. 1 r# \u{feff}";
    pieces.split(' ').collect()
}

/// A mutated copy of a text.
fn mutated(text: &str, random: &mut RandomStream) -> Vec<u8> {
    let (pieces, mut bytes) = (pieces(), text.as_bytes().to_vec());
    for _ in 0..=random.below(3) {
        let at = random.index(bytes.len().max(1));
        let length = random.index(12).min(bytes.len() - at.min(bytes.len()));
        let piece = pieces[random.index(pieces.len())].bytes();
        match random.below(6) {
            0 if random.chance(0.1) => bytes.truncate(at),
            0 | 1 => drop(bytes.drain(at..at + length)),
            2 => drop(bytes.splice(at..at, piece)),
            3 => drop(bytes.splice(at..at + length, piece)),
            4 => {
                if let Some(last) = bytes.len().checked_sub(1) {
                    bytes.swap(at, (at + length).min(last));
                }
            }
            _ => {
                let byte = random.next_u64().to_le_bytes()[0];
                bytes.push(byte);
                bytes.swap_remove(at);
            }
        }
    }
    bytes
}

/// A tree in the form of [`comparable`]: `ron` reads no names of structs and variants into its own value.
fn shape(node: &Node) -> String {
    let list =
        |items: &[Node]| format!("[{}]", items.iter().map(|item| shape(item) + ",").collect::<String>());
    let map = |pairs: Vec<(String, &Node)>| {
        let pairs: BTreeMap<_, _> = pairs.into_iter().map(|(key, value)| (key, shape(value))).collect();
        format!("{{{}}}", pairs.iter().map(|(key, value)| format!("{key}: {value},")).collect::<String>())
    };
    match &node.value {
        Value::Bool(value) => format!("Bool({value})"),
        Value::Char(value) => format!("Char({value:?})"),
        Value::Number(number) => format!("{:?}", number.as_f64()),
        Value::Text(text) => format!("String({text:?})"),
        Value::Word(word) if word == "None" => "Option(None)".to_owned(),
        Value::Unit | Value::Word(_) => list(&[]),
        Value::Tuple(Some(name), items) if name.text == "Some" && items.len() == 1 => {
            format!("Option(Some({:?}))", shape(&items[0]))
        }
        Value::List(items) | Value::Tuple(_, items) => list(items),
        Value::Map(entries) => map(entries.iter().map(|entry| (shape(&entry.key), &entry.value)).collect()),
        Value::Record(_, fields) => {
            map(fields.iter().map(|field| (format!("String({:?})", field.name.text), &field.value)).collect())
        }
        Value::Removed => panic!("nothing was removed"),
    }
}

/// Reads mutated texts with both readers: both must succeed with the same value, or both must fail.
fn compare_with_ron(mutations: usize) {
    // Valid RON that is refused on purpose: duplicates, numbers beyond a float, depth, byte strings and ranges.
    const REFUSED: [&str; 5] = ["is specified more than once", "too large", "deep here", "b\"", ".."];
    let mut random = RandomStream::from_seed(3);
    let (mut read, mut refused, mut disagreements) = (0_u32, 0_u32, Vec::new());
    for round in 0..mutations {
        let bytes = mutated(if round % 2 == 0 { TEXT } else { LEAVES }, &mut random);
        let Ok(text) = String::from_utf8(bytes) else { continue };
        if text.contains("r#None") {
            // A name to `ron`, but the tree does not distinguish the two spellings of a name.
            continue;
        }
        let ours = match parse(&text, 0, Origin::File) {
            Ok(parsed) if parsed.diagnostics.is_empty() => Ok(shape(&parsed.root)),
            Ok(parsed) => Err(parsed.diagnostics),
            Err(diagnostics) => Err(diagnostics),
        };
        match (ours, ron::from_str::<ron::Value>(&text).map(comparable)) {
            (Ok(ours), Ok(theirs)) if ours == theirs => read += 1,
            (Ok(ours), Ok(theirs)) => disagreements.push(format!("{ours}\nis not\n{theirs}\n{text}")),
            (Err(_), Err(_)) => refused += 1,
            (Ok(_), Err(error)) => disagreements.push(format!("only we read this; ron: {error}\n{text}")),
            (Err(diagnostics), Ok(_)) => {
                let message = &diagnostics.last().expect("a refusal has a reason").message;
                let has = |part: &&str| message.contains(part) || text.contains(part);
                if !REFUSED.iter().any(has) {
                    disagreements.push(format!("only ron reads this; we: {message}\n{text}"));
                }
            }
        }
    }
    assert!(
        disagreements.is_empty(),
        "{} of {mutations}:\n{}",
        disagreements.len(),
        disagreements[..disagreements.len().min(5)].join("\n")
    );
    let share = |count: u32| f64::from(count) / mutations as f64;
    assert!(share(read) > 0.05 && share(refused) > 0.3, "the mutations test both: {read} {refused}");
}

#[test]
fn mutated_texts_are_read_as_ron_reads_them() {
    compare_with_ron(100_000);
}

#[test]
fn values_that_ron_writes_are_read_back() {
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
fn files_that_are_not_text_are_refused() {
    let refused = |bytes: &[u8]| Document::parse("x", bytes).expect_err("not text").to_string();
    let invalid_byte = "expected text in UTF-8, found an invalid byte";
    assert!(
        refused(b"(a: 1)\n\xff\xff").starts_with(&format!("x:2:1: {invalid_byte}")),
        "{}",
        refused(b"(a: 1)\n\xff")
    );
    assert!(refused(b"\xef\xbb\xbf\xff").starts_with(&format!("x:1:1: {invalid_byte}")));
    assert!(refused(b"\x7fELF\0\0").starts_with("x:1:5: expected text in UTF-8, found a zero byte"));
    assert!(refused(b"\xff\xfe(\0)\0").starts_with("x:1:1: expected text in UTF-8, found UTF-16"));
    assert!(refused(b"").starts_with("x:1:1: expected a value, found only whitespace"));
}

#[test]
fn errors_of_the_syntax_and_of_values_are_reported_together() {
    let text = TEXT.replacen("\"20/s\"", "20/s", 1).replacen("seed: 42,", "seed: 42, seed: 43,", 1);
    let text = text.replacen("concurrency: 10", "concurrency: 1.5", 1).replacen(
        "threshold: 0.9)),",
        "threshold: 0.9))",
        1,
    );
    let document = Document::parse("a.ron", text.as_bytes()).unwrap();
    let decoded = document.decode::<Scenario>();
    let messages: Vec<_> = decoded.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`seed` is specified more than once: first at line 4, column 5",
            "expected quotes around `20/s`",
            "expected `,` after this",
            "expected a whole number of 0 or more, found 1.5",
        ]
    );
}

#[test]
fn a_diagnostic_about_a_decoded_value_points_at_its_path() {
    let document = Document::parse("a.ron", TEXT.as_bytes()).unwrap();
    let diagnostic = document.diagnostic_at(&"nodes.server.concurrency".parse().unwrap(), "too many");
    let shown = document.diagnostics(vec![diagnostic]).to_string();
    assert!(shown.starts_with("a.ron:15:49: nodes.server.concurrency: too many\n"), "{shown}");
}

/// Parses, overrides, decodes and prints a text: none of these may panic.
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
    let (pieces, mut random) = (pieces(), RandomStream::from_seed(20));
    for _ in 0..4000 {
        let bytes = mutated(TEXT, &mut random);
        let mut piece = || pieces[random.index(pieces.len())];
        let argument = format!("nodes.server.{}={}", piece(), piece());
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
fn a_tree_of_the_maximum_depth_is_read_with_a_small_stack() {
    for (open, close) in [("[", "]"), ("{1:", "}"), ("(a:", ")"), ("(", ",)")] {
        let text = format!("{}1{}", open.repeat(127), close.repeat(127));
        let read = std::thread::Builder::new().stack_size(1 << 20).spawn(move || ours(&text).map(drop));
        assert_eq!(read.unwrap().join().unwrap(), Ok(()), "{open}");
    }
}

#[test]
fn a_megabyte_of_any_syntax_is_read_without_delay() {
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
