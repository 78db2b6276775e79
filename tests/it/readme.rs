//! The README is correct: its scenario runs, its commands work, its figures are from this version, and its lists of
//! names are complete.

use std::collections::BTreeSet;

use rushhour::analysis::FindingKind;
use rushhour::scenario::Scenario;

use crate::harness::root;
use crate::introspect::declared_names;
use crate::support::rushhour;

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("the README")
}

/// The code blocks in a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    text.split(&opening)
        .skip(1)
        .filter_map(|rest| rest.split("\n```").next())
        .map(|block| format!("{block}\n"))
        .collect()
}

/// The arguments of all `rushhour` commands in the README.
fn commands() -> Vec<Vec<String>> {
    let shell = blocks(&readme(), "sh").concat();
    let lines = shell.lines().filter_map(|line| line.strip_prefix("rushhour "));
    lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

/// Runs a command of the README, and returns its output.
fn run(arguments: &[String]) -> String {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let shop = blocks(&readme(), "ron").swap_remove(0);
    let program = rushhour(&arguments).file("shop.ron", shop.clone());
    if arguments.first() != Some(&"report") {
        return program.run().good().to_owned();
    }
    // The command reads the files of an earlier run.
    let earlier = rushhour(&["run", "shop.ron", "--out", "."]).file("shop.ron", shop).run();
    earlier.good();
    std::fs::create_dir(program.directory().join("results")).expect("a directory");
    let answer = program.file("results/report.json", earlier.read("report.json")).run();
    answer.good();
    // Standard output is empty: the names of the written files are on standard error.
    answer.stderr
}

#[test]
fn it_begins_with_two_commands_to_run_and_to_test() {
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
fn the_output_in_the_tour_is_from_this_version() {
    let texts = blocks(&readme(), "text");
    let summary = run(&["run".to_owned(), "shop.ron".to_owned()]);
    assert!(
        summary.contains(texts[0].trim_end()),
        "the README shows\n{}\nbut the run prints\n{summary}",
        texts[0]
    );
    let variants: Vec<_> =
        commands().into_iter().filter(|command| command.contains(&"--quiet".to_owned())).collect();
    let lines: String = variants.iter().take(3).map(|command| run(command)).collect();
    assert_eq!(texts[1], lines);
    let findings = run(&["run", "shop.ron", "--findings", "1"].map(str::to_owned));
    assert!(findings.contains(texts[2].trim_end()), "the README shows\n{}\nbut:\n{findings}", texts[2]);
}

#[test]
fn its_plot_is_drawn_by_this_version() {
    let answer = rushhour(&["run", "--quiet", "--plots", "."]).run();
    answer.good();
    let file = root().join("assets/load_aware_routing.svg");
    let committed = std::fs::read_to_string(file).expect("the picture");
    assert!(committed == answer.read("queue.svg"), "run with --plots DIR and copy DIR/queue.svg there");
}

#[test]
fn its_pictures_exist_and_are_small() {
    let readme = readme();
    let files: Vec<&str> =
        readme.split("](assets/").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert_eq!(files, ["load_aware_routing.svg", "report.png", "view.gif", "view.png"]);
    for file in files {
        let size = std::fs::metadata(root().join("assets").join(file)).expect("a picture").len();
        let max = if file.ends_with(".gif") { 3_000_000 } else { 300_000 };
        assert!((10_000..max).contains(&size), "{file}: {size} bytes");
    }
}

#[test]
fn it_lists_every_kind_of_finding_in_order() {
    let readme = readme();
    let (_, rest) = readme.split_once("| finding | what it says |\n|---|---|\n").expect("the table");
    let rows = rest.lines().take_while(|line| line.starts_with('|'));
    let names: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    assert_eq!(names, FindingKind::ALL.map(FindingKind::name));
}

#[test]
fn it_names_all_files_that_a_run_writes() {
    let readme = readme();
    let (_, rest) = readme.split_once("`results` then holds").expect("the sentence");
    let sentence = rest.split("\n\n").next().expect("a paragraph");
    let mut named: Vec<&str> =
        sentence.split('`').skip(1).step_by(2).filter(|name| name.contains('.')).collect();
    named.sort_unstable();
    let answer = rushhour(&["run", "--out", ".", "--requests"]).run();
    answer.good();
    assert_eq!(named, answer.tree());
}

#[test]
fn its_lists_of_names_are_complete() {
    let readme = readme();
    let listed = |row: &str| -> BTreeSet<String> {
        let line =
            readme.lines().find(|line| line.starts_with(&format!("| {row} |"))).expect("a row of the table");
        line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let declared = declared_names::<Scenario>();
    let variants_of = |type_name: &str| -> BTreeSet<String> {
        let prefix = format!("{type_name}::");
        let variants = declared.iter().filter_map(|name| name.strip_prefix(&prefix));
        variants.map(|rest| rest.split('.').next().unwrap_or(rest).to_owned()).collect()
    };
    for (row, type_name) in [
        ("arrivals", "ArrivalsSpec"),
        // A rate is a text or a variant, so its variants are listed without the name of a type.
        ("their rate", ""),
        ("presets of links", "LinkPreset"),
        ("keys", "KeySpec"),
        ("distributions", "DistributionSpec"),
        ("a balancer's policy, a client's routing", "PolicySpec"),
        ("what changes at a moment", "Setting"),
        ("faults", "Fault"),
        ("gauges of a probe", "GaugeSpec"),
        ("steps of an endpoint", "StepSpec"),
        ("queues", "QueueSpec"),
    ] {
        assert_eq!(listed(row), variants_of(type_name), "{row}");
    }
}

/// The guides, with their names.
fn guides() -> Vec<(String, String)> {
    let files = std::fs::read_dir(root().join("docs")).expect("the guides");
    let paths = files.map(|file| file.expect("a file").path());
    let text = |path: &std::path::Path| std::fs::read_to_string(path).expect("a guide");
    paths.map(|path| (path.display().to_string(), text(&path))).collect()
}

#[test]
fn the_scenarios_of_the_guides_run_and_their_output_is_from_this_version() {
    for (name, guide) in guides() {
        // Each scenario with the text up to the next one, which shows its output.
        let parts: Vec<&str> = guide.split_inclusive("```ron\n").skip(1).collect();
        assert!(!parts.is_empty(), "{name} shows a scenario");
        for (part, scenario) in parts.into_iter().zip(blocks(&guide, "ron")) {
            let check = rushhour(&["check", "a.ron"]).file("a.ron", &scenario).run();
            check.good();
            assert!(check.stderr.is_empty(), "{name}: {}", check.stderr);
            let output = rushhour(&["run", "a.ron"]).file("a.ron", &scenario).run().good().to_owned();
            for line in blocks(part, "text").iter().flat_map(|block| block.lines()) {
                assert!(output.contains(line), "{name}: {line}\n{output}");
            }
        }
    }
}

#[test]
fn the_files_that_texts_refer_to_exist() {
    let guides = guides().into_iter().map(|(_, text)| ("docs", text));
    for (directory, text) in std::iter::once((".", readme())).chain(guides) {
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.starts_with("http") && !target.starts_with('#')) {
            assert!(root().join(directory).join(target).exists(), "{target} in {directory}");
        }
    }
}
