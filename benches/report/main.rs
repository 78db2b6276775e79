//! The report against its goals: that of load-aware routing in under a second and 1.5 MB, and no run so large that its
//! report is not a file that one mails.
//!
//! Of each run: the time from its result to its findings, from findings to the page, from the page to the document, and
//! the sizes of data and document. `cargo bench --bench report`; `-- --once` measures once, and `.ci/run` does so.

#![expect(clippy::print_stdout, clippy::disallowed_types, reason = "a benchmark takes times and prints them")]

use std::time::Instant;

use rushhour::analysis;
use rushhour::metrics::summary::Summary;
use rushhour::report::html;
use rushhour::report::page::{self, ReportInput};
use rushhour::scenario::load;
use rushhour::simulation::{RunOptions, run};

/// Bytes of a report at most, whatever it is of.
const MAX_BYTES: usize = 1_500_000;
/// Seconds from a result to its document at most.
const MAX_SECONDS: f64 = 1.0;

const HUNDRED: &str = r#"(name: "a hundred servers", run_until: "2min",
    sources: {
        "web": (arrivals: Poisson(rate: Spike(base: "500/s", peak: "1500/s", from: "30s", to: "50s")),
                key: Zipf(keys: 1000, exponent: 0.9), to: "lb"),
        "batch": (arrivals: Constant(rate: "100/s"), to: "lb"),
    },
    nodes: {
        "lb": LoadBalancer(policy: Random, to: "client"),
        "client": Client(count: 4, to: "server", routing: LoadAware(window: "3s", threshold: 0.8)),
        "server": Server(count: 100, service: Exponential(mean: "80ms"), queue: Fifo(capacity: 50)),
    })"#;

/// 50 servers, two gauges, 10,000 moments.
const MILLION: &str = r#"(name: "a million samples", run_until: "100s",
    sources: {"s": (arrivals: Poisson(rate: "200/s"), to: "lb")},
    nodes: {"lb": LoadBalancer(policy: Random, to: "web"), "web": Server(count: 50, service: Exponential(mean: "10ms"))},
    probes: [(of: "web", gauges: [QueueDepth, Load], every: "10ms")])"#;

const SCENARIOS: [(&str, &str); 5] = [
    ("load-aware", include_str!("../../scenarios/load_aware_routing.ron")),
    ("mm1", include_str!("../../scenarios/mm1.ron")),
    ("fleet", include_str!("../../scenarios/fleet.ron")),
    ("hundred", HUNDRED),
    ("million", MILLION),
];

/// The least of some times, in milliseconds, and what came of the work.
fn best<T>(rounds: usize, work: impl Fn() -> T) -> (f64, T) {
    let timed = || {
        let start = Instant::now();
        let made = work();
        (start.elapsed().as_secs_f64() * 1e3, made)
    };
    (1..rounds).fold(timed(), |least, _| {
        let next = timed();
        if next.0 < least.0 { next } else { least }
    })
}

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--once") { 1 } else { 10 };
    println!("{:12} {:>10} {:>10} {:>10} {:>10} {:>10}", "", "findings", "page", "html", "json", "html");
    for (name, text) in SCENARIOS {
        let loaded = load(name, text.as_bytes(), &[]).expect("the scenario is good");
        let result = run(&loaded.scenario, RunOptions::default()).expect("the run balances");
        let summary = Summary::of(&result);
        let (finding, findings) = best(rounds, || analysis::findings(&loaded.scenario, &result));
        let account = ReportInput {
            scenario: &loaded.scenario,
            text,
            replaced: &[],
            commands: &[],
            result: &result,
            summary: &summary,
            findings: &findings,
            leading: analysis::LEADING,
        };
        let (paging, page) = best(rounds, || page::build(&account));
        let (writing, document) = best(rounds, || {
            let mut out = Vec::new();
            html::write(&page, &mut out).expect("memory can be written");
            out
        });
        let mut data = Vec::new();
        page::write(&page, &mut data).expect("memory can be written");
        println!(
            "{name:12} {finding:>7.2} ms {paging:>7.2} ms {writing:>7.2} ms {:>7} kB {:>7} kB",
            data.len() / 1000,
            document.len() / 1000
        );
        let seconds = (finding + paging + writing) / 1e3;
        assert!(document.len() < MAX_BYTES, "{name}: {} bytes", document.len());
        assert!(name != "load-aware" || seconds < MAX_SECONDS, "{name}: {seconds} s");
    }
}
