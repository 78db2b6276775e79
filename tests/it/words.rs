//! One word per thing: synonyms and metaphors that were replaced by the terms of the glossary in `lib.rs` do not return.

use std::path::{Path, PathBuf};

use crate::harness::root;

/// Words that were replaced, and what is said instead. Several words in a row are separated by blanks.
const REPLACED: [(&str, &str); 30] = [
    ("belief", "perceived load"),
    ("beliefs", "perceived loads"),
    ("born", "created"),
    ("complaint", "diagnostic"),
    ("complaints", "diagnostics"),
    ("fate", "outcome"),
    ("fates", "outcomes"),
    ("goes by", "uses"),
    ("house", "modules"),
    ("is said", "is reported"),
    ("journal", "request log"),
    ("lap", "window"),
    ("laps", "windows"),
    ("poisoned", "omitted"),
    ("remedies", "hints"),
    ("remedy", "hint"),
    ("so many", "a number with a name"),
    ("speaks for", "represents"),
    ("spokesman", "representative"),
    ("stands for", "is"),
    ("surveyor", "timeline recorder"),
    ("told", "reported"),
    ("traveller", "tracked request"),
    ("travellers", "tracked requests"),
    ("turned away", "rejected or shed"),
    ("way home", "return path"),
    ("ways home", "return paths"),
    ("whereabouts", "location"),
    ("witness", "tracer"),
    ("whoever", "a noun"),
];

/// The words of a line in lower case: `read_belief` and `ServerDesk` are two words each.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in line.chars() {
        if !c.is_alphabetic() || (c.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        if c.is_alphabetic() {
            words.last_mut().expect("it begins with one").extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Every replaced word in a text, with its line number and what is said instead.
fn replaced(text: &str) -> Vec<(usize, &'static str, &'static str)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let words = words(line);
        for (word, instead) in REPLACED {
            let parts: Vec<_> = word.split(' ').collect();
            if words.windows(parts.len()).any(|window| window == parts) {
                found.push((index + 1, word, instead));
            }
        }
    }
    found
}

/// The files that people read: sources, scenarios, the README and the script of the report.
fn files() -> Vec<PathBuf> {
    let mut files = vec![root().join("README.md")];
    let mut directories = vec![root().join("src"), root().join("scenarios"), root().join("benches")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            let has = |extension: &&str| path.extension().is_some_and(|it| it == *extension);
            if path.is_dir() {
                directories.push(path);
            } else if ["rs", "ron", "js", "html", "css", "wgsl"].iter().any(has) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[test]
fn replaced_words_do_not_return() {
    let shown = |path: &Path| path.strip_prefix(root()).expect("inside").display().to_string();
    let found: Vec<String> = files()
        .iter()
        .flat_map(|path| {
            let text = std::fs::read_to_string(path).expect("UTF-8");
            let name = shown(path);
            let found = replaced(&text).into_iter();
            found
                .map(move |(line, word, instead)| format!("{name}:{line}: {word} (say: {instead})"))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn replaced_words_are_found_in_names_and_in_prose() {
    assert_eq!(
        words("fn read_belief(desk: ServerDesk) // two Words"),
        ["fn", "read", "belief", "desk", "server", "desk", "two", "words"]
    );
    assert_eq!(
        replaced("ok\npub struct FateCounts\nwas turned away."),
        [(2, "fate", "outcome"), (3, "turned away", "rejected or shed")]
    );
    assert_eq!(replaced("collapse of a turned away"), [(1, "turned away", "rejected or shed")]);
    assert_eq!(replaced("overlaps, relapse"), []);
}
