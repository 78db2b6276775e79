//! The house stands as it was drawn: modules know only those below them, and every file says what it is about.
//!
//! engine <- event, request <- model <- simulation, scenario, metrics <- analysis <- report, viz <- cli, main.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::harness::root;

/// Who may know whom. Modules of one row know each other only where it says so.
const MAY_KNOW: [(&str, &[&str]); 15] = [
    ("engine", &["engine"]),
    ("text", &["engine", "text"]),
    ("files", &["files"]),
    ("event", &["engine", "event"]),
    ("request", &["engine", "event", "request"]),
    ("model", &["engine", "event", "request", "model"]),
    // From a file to a world to a result: these three are one step, told in three modules.
    ("simulation", KERNEL),
    ("scenario", KERNEL),
    ("metrics", KERNEL),
    (
        "analysis",
        &["engine", "text", "event", "request", "model", "simulation", "scenario", "metrics", "analysis"],
    ),
    ("format", BELOW_PICTURES),
    ("report", BELOW_PICTURES),
    ("viz", BELOW_PICTURES),
    ("cli", EVERYTHING),
    ("main", EVERYTHING),
];
const KERNEL: &[&str] = &["engine", "text", "event", "request", "model", "simulation", "scenario", "metrics"];
/// What prints and what draws share the words, and do not know each other: a module always knows itself.
const BELOW_PICTURES: &[&str] = &[
    "engine",
    "text",
    "files",
    "event",
    "request",
    "model",
    "simulation",
    "scenario",
    "metrics",
    "analysis",
    "format",
];
const EVERYTHING: &[&str] = &[
    "engine",
    "text",
    "files",
    "event",
    "request",
    "model",
    "simulation",
    "scenario",
    "metrics",
    "analysis",
    "format",
    "report",
    "viz",
    "cli",
];

/// The longest that a file may become, its tests included. From 400 lines on it deserves a hard look.
const LONGEST: usize = 600;

fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut directories = vec![root().join("src")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("source is UTF-8");
                files.push((path, text));
            }
        }
    }
    files.sort();
    files
}

/// The module at the root of the crate that a file belongs to; none for lib.rs.
fn module(file: &Path) -> Option<String> {
    let inside = file.strip_prefix(root().join("src")).expect("a file of src");
    let first = inside.components().next().expect("a path").as_os_str().to_string_lossy();
    let name = first.strip_suffix(".rs").unwrap_or(&first).to_owned();
    (name != "lib").then_some(name)
}

/// A text without its comments. Quotes are left alone: a path in a string is not worth a parser.
fn code(text: &str) -> String {
    let lines = text.lines().map(|line| line.find("//").map_or(line, |comment| &line[..comment]));
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules at the root of the crate that a text names: `crate::engine::..`, `rushhour::{engine, event}`.
fn known(text: &str) -> BTreeSet<String> {
    let text = code(text);
    let mut known = BTreeSet::new();
    for prefix in ["crate::", "rushhour::"] {
        for (at, _) in text.match_indices(prefix) {
            // `$crate::` is a path as well; a longer word that ends like this is none.
            if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = &text[at + prefix.len()..];
            let word = |text: &str| {
                text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
            };
            match rest.strip_prefix('{') {
                None => {
                    known.insert(word(rest));
                }
                Some(list) => {
                    let (mut depth, mut start) = (0, true);
                    for (at, c) in list.char_indices() {
                        match c {
                            '{' => depth += 1,
                            '}' if depth == 0 => break,
                            '}' => depth -= 1,
                            ',' if depth == 0 => start = true,
                            c if start && !c.is_whitespace() => {
                                known.insert(word(&list[at..]));
                                start = false;
                            }
                            _ => {}
                        }
                    }
                }
            }
        }
    }
    known
}

#[test]
fn modules_know_only_those_below_them() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let Some(module) = module(&file) else { continue };
        let Some((_, allowed)) = MAY_KNOW.iter().find(|(name, _)| *name == module) else {
            panic!(
                "{} belongs to a module without a place in the house: give it one in MAY_KNOW",
                file.display()
            )
        };
        // Words in capitals are constants or types of lib.rs, and functions of `super` do not leave their module.
        let unknown = known(&text).into_iter();
        let unknown = unknown.filter(|name| *name != module && !allowed.contains(&name.as_str()));
        wrong.extend(unknown.map(|name| format!("{} knows `{name}`", file.display())));
    }
    assert!(wrong.is_empty(), "these imports point against the arrows:\n{}", wrong.join("\n"));
}

#[test]
fn imports_are_found_however_they_are_written() {
    let found = known(
        "//! crate::comment\nuse crate::engine::{time, hash};\nuse rushhour::{cli, model::{link, probe},\n    viz};\n\
         let x = crate::event::Event; // crate::other\nlet y = mycrate::nothing;",
    );
    let expected = ["cli", "engine", "event", "model", "viz"];
    assert!(found.iter().map(String::as_str).eq(expected), "{found:?}");
}

#[test]
fn every_file_opens_with_what_it_is_about() {
    for (file, text) in sources() {
        assert!(text.starts_with("//! "), "{} does not open with a module doc", file.display());
    }
}

#[test]
fn no_file_is_too_long_to_be_read() {
    for (file, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines: split it by its ideas", file.display());
    }
}
