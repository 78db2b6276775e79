//! The house stands as it was drawn: modules know only those below them, a kind of node is known in its room and hardly
//! anywhere else, and every file says what it is about.
//!
//! engine <- text <- event <- request <- model <- scenario, metrics <- simulation <- analysis <- format <- report, viz <-
//! cli, main.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rushhour::event::NodeKind;

use crate::harness::root;

/// The modules in order: each may know itself and those before it, but for what [`STRANGERS`] says.
const ORDER: [&str; 15] = [
    "engine",
    "text",
    "files",
    "event",
    "request",
    "model",
    "scenario",
    "metrics",
    "simulation",
    "analysis",
    "format",
    "report",
    "viz",
    "cli",
    "main",
];

/// Modules that stand side by side: the first does not know the second. What is written and what is counted know nothing
/// of each other; what prints and what draws share the words ([`format`](rushhour::format)) and nothing else.
const STRANGERS: [(&str, &str); 2] = [("metrics", "scenario"), ("viz", "report")];

/// Outside of its room, a kind of node is named in no more files than this: the vocabulary of events and the list of
/// parts, and hardly any others.
const MAX_FILES_THAT_NAME_A_KIND: usize = 4;

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
    let place = |name: &str| ORDER.iter().position(|module| *module == name);
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let Some(module) = module(&file) else { continue };
        let Some(own) = place(&module) else {
            panic!(
                "{} belongs to a module without a place in the house: give it one in ORDER",
                file.display()
            )
        };
        let is_below = |name: &str| place(name).is_some_and(|place| place <= own);
        let are_strangers = |name: &str| STRANGERS.contains(&(module.as_str(), name));
        let unknown = known(&text).into_iter();
        let unknown = unknown.filter(|name| !is_below(name) || are_strangers(name));
        wrong.extend(unknown.map(|name| format!("{} knows `{name}`", file.display())));
    }
    assert!(wrong.is_empty(), "these imports point against the arrows:\n{}", wrong.join("\n"));
}

/// A file without its unit tests, which stand at its end.
fn without_tests(text: &str) -> &str {
    text.find("\n#[cfg(test)]\nmod tests {").map_or(text, |tests| &text[..tests])
}

/// Code without what stands in quotes, such as scenarios of tests.
fn without_quotes(code: &str) -> String {
    let (mut out, mut rest) = (String::new(), code);
    while let Some(quote) = rest.find('"') {
        let (before, quoted) = (&rest[..quote], &rest[quote + 1..]);
        out += before;
        if before.ends_with('\'') && quoted.starts_with('\'') {
            // A quote as a character.
            rest = quoted;
            continue;
        }
        let hashes = before.len() - before.trim_end_matches('#').len();
        let is_raw = before.trim_end_matches('#').ends_with('r');
        let end = if is_raw {
            let close = format!("\"{}", "#".repeat(hashes));
            quoted.find(&close).map(|at| at + close.len())
        } else {
            let mut escaped = false;
            quoted
                .find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                })
                .map(|at| at + 1)
        };
        rest = end.map_or("", |end| &quoted[end..]);
    }
    out + rest
}

/// The words of a text that could be names.
fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').collect()
}

/// The name of the room of a kind: `load_balancer` for `LoadBalancer`.
fn room(kind: &str) -> String {
    let mut room = String::new();
    for c in kind.chars() {
        if c.is_uppercase() && !room.is_empty() {
            room.push('_');
        }
        room.extend(c.to_lowercase());
    }
    room
}

#[test]
fn a_kind_of_node_is_known_in_its_room_and_hardly_anywhere_else() {
    // Sources are part of the root of a scenario: every request comes from one and ends there.
    let mut wrong = Vec::new();
    for kind in NodeKind::ALL.into_iter().filter(|kind| *kind != NodeKind::Source) {
        let name = format!("{kind:?}");
        let room = room(&name);
        let inside = root().join("src/model").join(&room);
        assert!(inside.join("mod.rs").is_file(), "{name} has a room of its own, {}", inside.display());
        let names = [name.clone(), format!("{name}Spec"), format!("{name}Setting")];
        let path = format!("{room}::");
        let files: Vec<String> = sources()
            .into_iter()
            .filter(|(file, _)| !file.starts_with(&inside))
            .filter(|(_, text)| {
                let code = without_quotes(&code(without_tests(text)));
                let words = words(&code);
                names.iter().any(|name| words.contains(name.as_str())) || code.contains(&path)
            })
            .map(|(file, _)| file.strip_prefix(root()).unwrap_or(&file).display().to_string())
            .collect();
        for known in ["src/event.rs", "src/model/parts/mod.rs"] {
            assert!(
                files.iter().any(|file| file == known),
                "{name} is not named in {known}: is it looked for?"
            );
        }
        if files.len() > MAX_FILES_THAT_NAME_A_KIND {
            wrong.push(format!("{name} is named in {} files: {}", files.len(), files.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "let what is general ask the part:\n{}", wrong.join("\n"));
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
fn what_stands_in_quotes_is_left_out() {
    let code = r##"let a = "Server(\"x\")"; let b = '"'; let c = r#"a "Client" b"#; let d = Server;"##;
    let words: Vec<String> = words(&without_quotes(code)).into_iter().map(str::to_owned).collect();
    let known = |word: &str| words.iter().any(|known| known == word);
    assert!(known("Server") && known("d") && !known("Client") && !known("x"), "{words:?}");
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
