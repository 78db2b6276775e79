//! The architecture holds: modules import only lower modules, a kind of node is named in its own directory and hardly
//! anywhere else, and every file begins with a module doc.
//!
//! engine <- text <- event <- request <- model <- scenario, metrics <- import, simulation <- analysis <- format <- report, viz
//! <- cli, main.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rushhour::event::NodeKind;

use crate::harness::root;

/// The root modules in order: each may import itself and those before it, except for [`FORBIDDEN_IMPORTS`].
const ORDER: [&str; 16] = [
    "engine",
    "text",
    "files",
    "event",
    "request",
    "model",
    "scenario",
    "metrics",
    "import",
    "simulation",
    "analysis",
    "format",
    "report",
    "viz",
    "cli",
    "main",
];

/// Pairs of modules on one level: the first must not import the second. Scenarios and metrics are independent; reports
/// and the window share only the wording of texts ([`format`](rushhour::format)).
const FORBIDDEN_IMPORTS: [(&str, &str); 4] =
    [("metrics", "scenario"), ("viz", "report"), ("import", "metrics"), ("simulation", "import")];

/// Maximum number of files outside of its directory that name a kind of node: the vocabulary of events, the list of
/// parts, and hardly any others.
const MAX_FILES_THAT_NAME_A_KIND: usize = 4;

/// Maximum number of lines of a file, tests included. From 400 lines on, consider splitting it.
const MAX_LINES: usize = 600;

/// The paths and texts of all source files.
fn source_files() -> Vec<(PathBuf, String)> {
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

/// The root module that a file belongs to; `None` for lib.rs.
fn module(file: &Path) -> Option<String> {
    let inside = file.strip_prefix(root().join("src")).expect("a file of src");
    let first = inside.components().next().expect("a path").as_os_str().to_string_lossy();
    let name = first.strip_suffix(".rs").unwrap_or(&first).to_owned();
    (name != "lib").then_some(name)
}

/// A text without its line comments. A `//` in a string counts as a comment.
fn code(text: &str) -> String {
    let lines = text.lines().map(|line| line.find("//").map_or(line, |comment| &line[..comment]));
    lines.collect::<Vec<_>>().join("\n")
}

/// The root modules that a text names: `crate::engine::..`, `rushhour::{engine, event}`.
fn imports(text: &str) -> BTreeSet<String> {
    let text = code(text);
    let mut imports = BTreeSet::new();
    for prefix in ["crate::", "rushhour::"] {
        for (at, _) in text.match_indices(prefix) {
            // `$crate::` is a path as well; a longer word with this ending is not.
            if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = &text[at + prefix.len()..];
            let word = |text: &str| {
                text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
            };
            match rest.strip_prefix('{') {
                None => {
                    imports.insert(word(rest));
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
                                imports.insert(word(&list[at..]));
                                start = false;
                            }
                            _ => {}
                        }
                    }
                }
            }
        }
    }
    imports
}

#[test]
fn modules_import_only_lower_modules() {
    let level = |name: &str| ORDER.iter().position(|module| *module == name);
    let mut wrong = Vec::new();
    for (file, text) in source_files() {
        let Some(module) = module(&file) else { continue };
        let Some(own_level) = level(&module) else {
            panic!("{} belongs to a module that is not listed in ORDER", file.display())
        };
        let is_lower = |name: &str| level(name).is_some_and(|level| level <= own_level);
        let is_forbidden = |name: &str| FORBIDDEN_IMPORTS.contains(&(module.as_str(), name));
        let imports = imports(&text).into_iter();
        let imports = imports.filter(|name| !is_lower(name) || is_forbidden(name));
        wrong.extend(imports.map(|name| format!("{} imports `{name}`", file.display())));
    }
    assert!(wrong.is_empty(), "imports against the order of modules:\n{}", wrong.join("\n"));
}

/// A file without the unit tests at its end.
fn without_tests(text: &str) -> &str {
    text.find("\n#[cfg(test)]\nmod tests {").map_or(text, |tests| &text[..tests])
}

/// Code without string literals, such as the scenarios of tests.
fn without_quotes(code: &str) -> String {
    let (mut out, mut rest) = (String::new(), code);
    while let Some(quote) = rest.find('"') {
        let (before, quoted) = (&rest[..quote], &rest[quote + 1..]);
        out += before;
        if before.ends_with('\'') && quoted.starts_with('\'') {
            // A quote as a char literal.
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

/// The words of a text that could be identifiers.
fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').collect()
}

/// The name of the module of a kind: `load_balancer` for `LoadBalancer`.
fn module_of_kind(kind: &str) -> String {
    let mut module = String::new();
    for c in kind.chars() {
        if c.is_uppercase() && !module.is_empty() {
            module.push('_');
        }
        module.extend(c.to_lowercase());
    }
    module
}

#[test]
fn a_kind_of_node_is_named_in_its_directory_and_hardly_anywhere_else() {
    // Sources are exempt: they are part of the root of a scenario, and every request begins and ends at one. So are
    // imports, which translate the kinds of nodes of other simulators.
    let imports = root().join("src/import");
    let mut wrong = Vec::new();
    for kind in NodeKind::ALL.into_iter().filter(|kind| *kind != NodeKind::Source) {
        let name = format!("{kind:?}");
        let module = module_of_kind(&name);
        let directory = root().join("src/model").join(&module);
        assert!(directory.join("mod.rs").is_file(), "{name} has its own module, {}", directory.display());
        let names = [name.clone(), format!("{name}Spec"), format!("{name}Setting")];
        let path = format!("{module}::");
        let files: Vec<String> = source_files()
            .into_iter()
            .filter(|(file, _)| !file.starts_with(&directory) && !file.starts_with(&imports))
            .filter(|(_, text)| {
                let code = without_quotes(&code(without_tests(text)));
                let words = words(&code);
                names.iter().any(|name| words.contains(name.as_str())) || code.contains(&path)
            })
            .map(|(file, _)| file.strip_prefix(root()).unwrap_or(&file).display().to_string())
            .collect();
        for expected in ["src/event.rs", "src/model/parts/mod.rs"] {
            assert!(
                files.iter().any(|file| file == expected),
                "{name} was not found in {expected}: does the search work?"
            );
        }
        if files.len() > MAX_FILES_THAT_NAME_A_KIND {
            wrong.push(format!("{name} is named in {} files: {}", files.len(), files.join(", ")));
        }
    }
    assert!(
        wrong.is_empty(),
        "general code must not name kinds of nodes, use the `Part` trait:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn all_forms_of_imports_are_found() {
    let found = imports(
        "//! crate::comment\nuse crate::engine::{time, hash};\nuse rushhour::{cli, model::{link, probe},\n    viz};\n\
         let x = crate::event::Event; // crate::other\nlet y = mycrate::nothing;",
    );
    let expected = ["cli", "engine", "event", "model", "viz"];
    assert!(found.iter().map(String::as_str).eq(expected), "{found:?}");
}

#[test]
fn string_literals_are_left_out() {
    let code = r##"let a = "Server(\"x\")"; let b = '"'; let c = r#"a "Client" b"#; let d = Server;"##;
    let words: Vec<String> = words(&without_quotes(code)).into_iter().map(str::to_owned).collect();
    let contains = |word: &str| words.iter().any(|other| other == word);
    assert!(contains("Server") && contains("d") && !contains("Client") && !contains("x"), "{words:?}");
}

#[test]
fn every_file_begins_with_a_module_doc() {
    for (file, text) in source_files() {
        assert!(text.starts_with("//! "), "{} does not begin with a module doc", file.display());
    }
}

#[test]
fn no_file_is_too_long() {
    for (file, text) in source_files() {
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines: split it by topic", file.display());
    }
}
