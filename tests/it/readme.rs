//! What the README says is so: its scenario runs, its commands work, its figures are those of this version, and the names
//! that it lists are those that there are.

use std::collections::BTreeSet;

use rushhour::scenario::Scenario;

use crate::harness::root;
use crate::introspect::everything;
use crate::support::rushhour;

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("the README")
}

/// The blocks of code in a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    text.split(&opening)
        .skip(1)
        .filter_map(|rest| rest.split("\n```").next())
        .map(|block| format!("{block}\n"))
        .collect()
}

/// The commands of the README that run the program, without its name.
fn commands() -> Vec<Vec<String>> {
    let shell = blocks(&readme(), "sh").concat();
    let ours = shell.lines().filter_map(|line| line.strip_prefix("rushhour "));
    ours.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

fn run(arguments: &[String]) -> String {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let shop = blocks(&readme(), "ron").swap_remove(0);
    rushhour(&arguments).file("shop.ron", shop).run().good().to_owned()
}

#[test]
fn it_names_two_commands_to_run_and_to_test() {
    let shell = blocks(&readme(), "sh");
    assert_eq!(shell[0], "cargo run --release\n");
    assert_eq!(shell[1], "cargo test\n");
    let ci = std::fs::read_to_string(root().join(".ci/run")).expect("the script of CI");
    assert!(ci.contains("cargo test") && ci.contains("cargo run --release"), "CI runs both");
}

#[test]
fn every_command_of_the_tour_works() {
    let commands = commands();
    assert!(commands.len() >= 7, "{commands:?}");
    for command in commands {
        assert!(!run(&command).is_empty(), "{command:?} prints something");
    }
}

#[test]
fn the_figures_of_the_tour_are_those_of_this_version() {
    let texts = blocks(&readme(), "text");
    let summary = run(&["run".to_owned(), "shop.ron".to_owned()]);
    assert!(
        summary.contains(texts[0].trim_end()),
        "the README shows\n{}\nbut the run says\n{summary}",
        texts[0]
    );
    let variants: Vec<_> =
        commands().into_iter().filter(|command| command.contains(&"--quiet".to_owned())).collect();
    let lines: String = variants.iter().take(3).map(|command| run(command)).collect();
    assert_eq!(texts[1], lines);
}

#[test]
fn the_names_that_it_lists_are_those_that_there_are() {
    let readme = readme();
    let listed = |row: &str| -> BTreeSet<String> {
        let line =
            readme.lines().find(|line| line.starts_with(&format!("| {row} |"))).expect("a row of the table");
        line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let all = everything::<Scenario>();
    let there_are = |of: &str| -> BTreeSet<String> {
        let prefix = format!("{of}::");
        let variants = all.iter().filter_map(|name| name.strip_prefix(&prefix));
        variants.map(|rest| rest.split('.').next().unwrap_or(rest).to_owned()).collect()
    };
    for (row, of) in [
        ("arrivals", "ArrivalsSpec"),
        // A rate is a text or a variant: its shapes stand under no name.
        ("their rate", ""),
        ("keys", "KeySpec"),
        ("distributions", "DistributionSpec"),
        ("a balancer's policy", "PolicySpec"),
        ("gauges of a probe", "GaugeSpec"),
    ] {
        assert_eq!(listed(row), there_are(of), "{row}");
    }
    let routing: BTreeSet<_> =
        there_are("RoutingSpec").difference(&there_are("PolicySpec")).cloned().collect();
    assert_eq!(listed("a client's routing"), routing);
}
