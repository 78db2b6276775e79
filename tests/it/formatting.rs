//! `rushhour format` lays files out without changing what they mean, and leaves the shipped scenarios as they are.

use rushhour::engine::random::{Draw, RandomStream};
use rushhour::text::formatted;

use crate::harness::{root, scenario, shipped};
use crate::support::rushhour;

fn laid_out(name: &str, text: &str) -> String {
    formatted(name, text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

/// What a text consists of besides its layout: its tokens and comments, without commas at the end of brackets.
fn without_layout(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    [",)", ",]", ",}"].iter().fold(text, |text, end| text.replace(end, &end[1..]))
}

#[test]
fn the_shipped_scenarios_and_those_of_the_guides_are_laid_out() {
    for (name, text) in shipped() {
        assert!(laid_out(&name, &text) == text, "run `rushhour format scenarios/{name}`");
    }
    let guides = std::fs::read_dir(root().join("docs")).expect("the guides");
    for path in guides.map(|entry| entry.expect("a file").path()).chain([root().join("README.md")]) {
        let guide = std::fs::read_to_string(&path).expect("a guide");
        for block in guide.split("```ron\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            assert_eq!(laid_out("a.ron", block), block, "{}", path.display());
        }
    }
}

#[test]
fn broken_and_joined_lines_are_laid_out_with_the_same_meaning() {
    let mut stream = RandomStream::from_seed(61);
    for (name, text) in shipped() {
        let meaning = scenario(&text);
        // Lines that are joined with the next one, unless a comment ends there, and ones that are broken after a bracket or
        // a comma.
        for _ in 0..5 {
            let mut changed = String::new();
            for line in text.lines() {
                changed += line;
                let joins = !line.contains("//") && stream.chance(0.5);
                changed += if joins { " " } else { "\n" };
            }
            let mut broken = String::new();
            for line in changed.lines() {
                let mut in_text = false;
                let is_comment = line.trim_start().starts_with("//");
                for c in line.chars() {
                    in_text ^= c == '"' && !is_comment;
                    broken.push(c);
                    if !is_comment
                        && !in_text
                        && "([{,".contains(c)
                        && !line.contains("//")
                        && stream.chance(0.1)
                    {
                        broken.push_str("\n   \n\n");
                    }
                }
                broken.push('\n');
            }
            let out = laid_out(&name, &broken);
            assert_eq!(scenario(&out), meaning, "{out}");
            assert_eq!(without_layout(&out), without_layout(&text), "{name}");
            assert_eq!(laid_out(&name, &out), out, "the layout of a layout");
            let wide =
                out.lines().filter(|line| line.chars().count() > 120).find(|line| !line.contains("//"));
            assert_eq!(wide, None, "{name}");
        }
    }
}

const MESSY: &str = "Scenario ( name : \"x\" , run_until:\"1s\",\n  // users\n  sources:{},)";
const NEAT: &str = "Scenario(\n    name: \"x\",\n    run_until: \"1s\",\n    // users\n    sources: {},\n)\n";

#[test]
fn files_are_replaced_and_named() {
    let answer = rushhour(&["format", "a.ron", "b.ron"]).file("a.ron", MESSY).file("b.ron", NEAT).run();
    assert_eq!(answer.good(), "a.ron\n", "only those that change");
    assert_eq!((answer.read("a.ron"), answer.read("b.ron")), (NEAT.to_owned(), NEAT.to_owned()));
    assert_eq!(answer.tree(), ["a.ron", "b.ron"], "no temporary file is left");
}

#[test]
fn check_changes_nothing_and_reports_what_would_change() {
    let answer =
        rushhour(&["format", "--check", "a.ron", "b.ron"]).file("a.ron", MESSY).file("b.ron", NEAT).run();
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(1), "a.ron\n"));
    assert!(answer.stderr.contains("1 file would change"), "{}", answer.stderr);
    assert_eq!(answer.read("a.ron"), MESSY);
    let answer = rushhour(&["format", "--check", "b.ron"]).file("b.ron", NEAT).run();
    assert_eq!(answer.good(), "");
}

#[test]
fn standard_input_is_laid_out_on_standard_output() {
    assert_eq!(rushhour(&["format", "-"]).stdin(MESSY).run().good(), NEAT);
}

#[test]
fn a_file_that_is_not_ron_is_reported_and_left_alone() {
    let wrong = "Scenario(\n    name: \"x\"\n    run_until: [\"1s\",\n)";
    let answer = rushhour(&["format", "wrong.ron", "a.ron", "missing.ron"])
        .file("wrong.ron", wrong)
        .file("a.ron", MESSY)
        .run();
    assert_eq!(answer.code, Some(2));
    for part in ["wrong.ron:2:", "missing.ron", "there is no such file"] {
        assert!(answer.stderr.contains(part), "{}", answer.stderr);
    }
    assert_eq!((answer.read("wrong.ron"), answer.read("a.ron")), (wrong.to_owned(), NEAT.to_owned()));
}

#[cfg(unix)]
#[test]
fn links_stay_links_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let program = rushhour(&["format", "link.ron"]).file("a.ron", MESSY);
    let file = program.directory().join("a.ron");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("it exists");
    symlink("a.ron", program.directory().join("link.ron")).expect("a link");
    let answer = program.run();
    assert_eq!(answer.good(), "link.ron\n");
    assert!(std::fs::symlink_metadata(answer.path("link.ron")).expect("a link").is_symlink());
    let mode = std::fs::metadata(answer.path("a.ron")).expect("a file").permissions().mode();
    assert_eq!((answer.read("a.ron"), mode & 0o777), (NEAT.to_owned(), 0o640));
}
