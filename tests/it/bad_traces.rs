//! Every error in a trace is reported before the run, with file, line, column and a hint; and a trace that changes while it is
//! replayed ends the run with an error.

use std::fmt::Write as _;
use std::io::Write as _;

use rushhour::scenario::load_in;
use rushhour::simulation::{RunError, RunOptions, Simulation};

use crate::support::rushhour;
use crate::traces::{directory, text};

const NODE: &str = r#"Server(service: Constant("1ms"))"#;

/// The diagnostics of a trace.
fn diagnostics(trace: impl AsRef<[u8]>, arrivals: &str) -> String {
    let directory = directory(trace);
    let text = text(arrivals, "", NODE);
    let loaded = load_in(directory.path(), "a.ron", text.as_bytes(), &[]);
    let diagnostics = loaded.expect_err("the trace is invalid").to_string();
    diagnostics.replace(&format!("{}/", directory.path().display()), "")
}

/// Asserts that a line is reported at this column, with this message and this part of its hint.
#[track_caller]
fn assert_line(line: &str, column: usize, message: &str, hint: &str) {
    let found = diagnostics(format!("time,key,class,size,service\n0,1,a,1,1\n{line}\n9,1,a,1,1\n"), "");
    assert!(found.starts_with(&format!("t.csv:3:{column}: {message}\n")), "{found}");
    assert!(found.contains(hint), "{found}");
    assert_eq!(found.matches("t.csv:").count(), 1, "one error is reported once: {found}");
}

#[test]
fn a_bad_value_is_reported_with_line_column_and_hint() {
    assert_line("x,1,a,1,1", 1, "\"x\" is not a time", "write seconds like 12.5, or a unit like 250ms");
    assert_line("-1,1,a,1,1", 1, "\"-1\" is negative: a duration is zero or more", "0 or more");
    assert_line(" ,1,a,1,1", 2, "the time is missing", "write seconds");
    assert_line("1,-3,a,1,1", 3, "\"-3\" is not a key", "a whole number from 0 to 4294967295");
    assert_line("1,1.5,a,1,1", 3, "\"1.5\" is not a key", "a whole number");
    assert_line("1, 4294967296 ,a,1,1", 4, "\"4294967296\" is not a key", "4294967295");
    assert_line("1,1,a,4GiB,1", 7, "\"4GiB\" is not a size", "less than 4 GiB");
    assert_line("1,1,é,1,soon", 9, "\"soon\" is not a time", "seconds");
    assert_line("1,1,a", 6, "the line has 3 fields, and the first line 5", "a field for every column");
    assert_line("1,1,a,1,1,7", 11, "the line has 6 fields, and the first line 5", "a field for every column");
    assert_line("1,1,\"a,1,1", 5, "the quoted field does not end on its line", "twice");
    assert_line("1,1,\"a\"b,1,1", 8, "a comma is expected after a quoted field", "twice");
}

#[test]
fn a_line_is_shown_with_what_is_wrong_in_it() {
    let found = diagnostics("time,key\n0.5,9\n1.5,k7\n", "");
    assert_eq!(
        found,
        "t.csv:3:5: \"k7\" is not a key\n    3 | 1.5,k7\n      |     ^^\n      \
         = write a whole number from 0 to 4294967295\n"
    );
}

#[test]
fn times_must_not_decrease() {
    let found = diagnostics("time\n1\n2\n1.5\n3\n100\n4\n5\n", "");
    assert!(found.contains("t.csv:4:1: 1.5s is earlier than the request before it, at 2s"), "{found}");
    assert!(found.contains("t.csv:7:1: 4s is earlier than the request before it, at 100s"), "{found}");
    assert_eq!(found.matches("sort the lines by time").count(), 2, "the lines after one are right: {found}");
}

#[test]
fn many_errors_are_counted() {
    let mut trace = "time\n".to_owned();
    (0..1000).for_each(|line| writeln!(trace, "line {line}").expect("memory"));
    let found = diagnostics(&trace, "");
    assert_eq!(found.matches("is not a time").count(), 20, "{found}");
    assert!(found.contains("t.csv:21:1: \"line 19\" is not a time"), "{found}");
    assert!(found.contains("sources.s.arrivals.file: t.csv has 980 more invalid lines"), "{found}");
}

#[test]
fn a_file_that_is_no_trace_is_reported_as_such() {
    let of = |trace: &[u8]| diagnostics(trace, "");
    for (trace, message, hint) in [
        (&b""[..], "the file is empty", "a trace begins with a line like `time,key`"),
        (b"time,key\n", "the trace has no request", "add a line for each request"),
        (b"time\n\xff\xfe\n", "line 2 is not text in UTF-8", "a trace is a CSV file"),
        (b"\x7fELF\x02\0\0\0", "line 1 is not text in UTF-8", "a trace is a CSV file"),
        (&[b'7'; 100_000], "line 1 is longer than 65536 bytes", "a trace is a CSV file"),
    ] {
        let found = of(trace);
        assert!(found.starts_with(&format!("a.ron:3:52: sources.s.arrivals.file: {message}\n")), "{found}");
        assert!(found.contains(hint), "{found}");
    }
}

#[test]
fn the_first_line_must_name_the_time() {
    let found = diagnostics("12.5,3\n", "");
    assert!(found.starts_with("t.csv:1:1: there is no column \"time\"\n"), "{found}");
    assert!(
        found.contains("the first line names the columns: \"time\", and any of \"key\", \"class\""),
        "{found}"
    );
    for (header, similar) in [("Time,key", "Time"), ("id,timestamp", "timestamp"), ("id,created", "created")]
    {
        let found = diagnostics(format!("{header}\n1,2\n"), "");
        assert!(found.contains(&format!("rename \"{similar}\" to \"time\"")), "{found}");
    }
    let found = diagnostics("time,key,time\n1,2,3\n", "");
    assert!(found.starts_with("t.csv:1:10: there are two columns \"time\"\n"), "{found}");
}

#[test]
fn a_missing_file_a_directory_and_a_device_are_reported() {
    let directory = directory("");
    let of = |file: &str| {
        let text = text("", "", NODE).replace("t.csv", file);
        let loaded = load_in(directory.path(), "a.ron", text.as_bytes(), &[]);
        loaded.expect_err("the file is no trace").to_string()
    };
    let missing = of("u.csv");
    assert!(missing.contains("there is no file ") && missing.contains("u.csv"), "{missing}");
    assert!(missing.contains("relative to the directory of the scenario"), "{missing}");
    assert!(of(".").contains(" is a directory"));
    #[cfg(unix)]
    assert!(of("/dev/null").contains("/dev/null is not a regular file"));
}

#[test]
fn impossible_fields_are_reported() {
    let valid = "time\n1\n1\n";
    for (arrivals, message) in [
        (", speed: 0.0", "sources.s.arrivals.speed: a speed of 0 is impossible"),
        (", speed: -1.0", "a speed of -1 is impossible"),
        (", repeat: true", "sources.s.arrivals.repeat: all requests of the trace come at the same time"),
        (", pace: 1", "unknown field `pace`"),
    ] {
        let found = diagnostics(valid, arrivals);
        assert!(found.contains(message), "{found}");
    }
}

#[test]
fn what_needs_a_rate_refuses_a_trace() {
    let directory = directory("time\n1\n");
    let refused = |text: &str, message: &str, hint: &str| {
        let loaded = load_in(directory.path(), "a.ron", text.as_bytes(), &[]);
        let found = loaded.expect_err("it is refused").to_string();
        assert!(found.contains(message) && found.contains(hint), "{found}");
    };
    let plain = text("", "", NODE);
    let batches =
        plain.replace("Trace(file: \"t.csv\")", "Batches(of: Trace(file: \"t.csv\"), size: Constant(2))");
    let hint = "write a line for each request of a batch";
    refused(&batches, "sources.s.arrivals.of: a trace has a line for each request", hint);
    let surge = plain.replace("nodes:", "faults: {\"f\": (of: \"s\", what: Surge(2.0), at: \"1s\")}, nodes:");
    refused(&surge, "only arrivals with a rate can surge", "add a source for the surge");
    let set = "changes: [(at: \"1s\", of: \"s\", set: Arrivals(Trace(file: \"t.csv\")))], nodes:";
    refused(&plain.replace("nodes:", set), "changes.0.set: a trace cannot begin by a change", "add a source");
}

#[test]
fn endpoints_and_classes_are_checked() {
    let found = diagnostics("time,endpoint\n1,read\n", "");
    let message = "neither \"n\" nor a node behind it has an endpoint \"read\"";
    assert!(found.contains(&format!("sources.s.arrivals.file: {message}")), "{found}");
    let mut trace = "time,class\n".to_owned();
    (0..1002).for_each(|line| writeln!(trace, "{line},c{line}").expect("memory"));
    let found = diagnostics(&trace, "");
    assert!(
        found.starts_with("t.csv:1002:6: the trace has more than 1000 different values of \"class\""),
        "{found}"
    );
}

#[test]
fn check_reads_traces_and_warns_of_what_has_no_effect() {
    let check = |trace: &str, node: &str| {
        let answer =
            rushhour(&["check", "a.ron"]).file("a.ron", text("", "", node)).file("t.csv", trace).run();
        answer.good();
        answer.stderr.clone()
    };
    assert_eq!(check("time,service\n1,2\n", NODE), "");
    let unknown = check("id,time,kye\n1,2,3\n", NODE);
    let message = "t.csv:1:1: warning: these columns are unknown, and ignored: \"id\", \"kye\"\n";
    assert!(unknown.starts_with(message), "{unknown}");
    let misspelt = check("time,kye\n1,3\n", NODE);
    assert!(misspelt.contains("warning: the column \"kye\" is unknown, and ignored"), "{misspelt}");
    assert!(misspelt.contains("did you mean \"key\"?"), "{misspelt}");
    let steps = r#"Server(cores: 1, endpoints: { "e": (steps: [Cpu(Constant("1ms"))]) })"#;
    let unused = check("time,service\n1,2\n", steps);
    assert!(unused.contains("no server has a `service` time"), "{unused}");
    let late = check("time\n1700000000\n", NODE);
    assert!(late.contains("the source creates no request: the first one comes at 1700000000s"), "{late}");
    let bad =
        rushhour(&["check", "a.ron"]).file("a.ron", text("", "", NODE)).file("t.csv", "time\nx\n").run();
    assert!(bad.bad(2).starts_with("t.csv:2:1: \"x\" is not a time"), "{}", bad.stderr);
}

#[test]
fn a_trace_that_changes_during_the_run_ends_it_with_an_error() {
    let original: String =
        (0..20_000).fold("time,class\n".to_owned(), |text, line| text + &format!("{line}e-3,a\n"));
    let changed = |change: &dyn Fn(&std::path::Path)| {
        let directory = directory(&original);
        let text = text("", "", NODE);
        let loaded = load_in(directory.path(), "a.ron", text.as_bytes(), &[]).expect("the trace is valid");
        change(&directory.path().join("t.csv"));
        let mut simulation =
            Simulation::new(&loaded.scenario, RunOptions::default()).expect("it was checked");
        simulation.advance(simulation.end(), u64::MAX);
        match simulation.finish() {
            Err(RunError::Input(error)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let write = |path: &std::path::Path, text: &str| std::fs::write(path, text).expect("it can be written");
    let gone = changed(&|path| std::fs::remove_file(path).expect("it is there"));
    assert!(gone.contains("there is no file "), "{gone}");
    let shorter = changed(&|path| write(path, "time,class\n1,a\n"));
    assert!(shorter.contains("t.csv has changed since it was checked"), "{shorter}");
    let other = changed(&|path| write(path, &original.replace("77e-3,a", "77.5e-3,a")));
    assert!(other.contains("has changed since it was checked"), "{other}");
    let invalid = changed(&|path| write(path, &original.replace("\n77e-3,a", "\nx,a")));
    assert!(invalid.contains("t.csv:79:1: \"x\" is not a time"), "{invalid}");
    let new = changed(&|path| write(path, &original.replace("\n77e-3,a", "\n77e-3,b")));
    assert!(new.contains("t.csv:79:7: \"b\" is new since the trace was checked"), "{new}");
    let longer = changed(&|path| {
        let file = std::fs::OpenOptions::new().append(true).open(path);
        writeln!(file.expect("it can be opened"), "30,a").expect("it can be written");
    });
    assert!(longer.contains("has changed since it was checked"), "{longer}");
}
