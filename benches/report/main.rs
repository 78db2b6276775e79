//! Measures the time to create reports, and their sizes. Goals: no report is larger than 1.5 MB, and that of load-aware
//! routing takes less than a second.
//!
//! For each run it prints the time from the result to the findings, from the findings to the page, and from the page to
//! the HTML document, and the sizes of `report.json` and of the document. Run it with `cargo bench --bench report`;
//! `-- --once` measures once, as `.ci/run` does.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_types,
    reason = "a benchmark measures times and prints them"
)]

use std::time::Instant;

use rushhour::analysis;
use rushhour::metrics::summary::Summary;
use rushhour::report::html;
use rushhour::report::page::{self, ReportInput};
use rushhour::scenario::load;
use rushhour::simulation::{RunOptions, run};

/// Maximum size of any report in bytes.
const MAX_BYTES: usize = 1_500_000;
/// Maximum time from a result to its document in seconds.
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

/// 50 servers, two gauges, 10,000 sample times.
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

/// The shortest of several measurements in milliseconds, and the result of the work.
fn fastest<T>(rounds: usize, work: impl Fn() -> T) -> (f64, T) {
    let timed = || {
        let start = Instant::now();
        let result = work();
        (start.elapsed().as_secs_f64() * 1e3, result)
    };
    (1..rounds).fold(timed(), |fastest, _| {
        let next = timed();
        if next.0 < fastest.0 { next } else { fastest }
    })
}

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--once") { 1 } else { 10 };
    println!("{:12} {:>10} {:>10} {:>10} {:>10} {:>10}", "", "findings", "page", "html", "json", "html");
    for (name, text) in SCENARIOS {
        let loaded = load(name, text.as_bytes(), &[]).expect("the scenario is valid");
        let result = run(&loaded.scenario, RunOptions::default()).expect("the requests of the run add up");
        let summary = Summary::of(&result);
        let (findings_ms, findings) = fastest(rounds, || analysis::findings(&loaded.scenario, &result));
        let input = ReportInput {
            scenario: &loaded.scenario,
            text,
            replaced: &[],
            commands: &[],
            result: &result,
            summary: &summary,
            findings: &findings,
            leading: analysis::DEFAULT_FINDINGS,
        };
        let (page_ms, page) = fastest(rounds, || page::build(&input));
        let (html_ms, document) = fastest(rounds, || {
            let mut out = Vec::new();
            html::write(&page, &mut out).expect("a write to memory succeeds");
            out
        });
        let mut data = Vec::new();
        page::write(&page, &mut data).expect("a write to memory succeeds");
        println!(
            "{name:12} {findings_ms:>7.2} ms {page_ms:>7.2} ms {html_ms:>7.2} ms {:>7} kB {:>7} kB",
            data.len() / 1000,
            document.len() / 1000
        );
        let seconds = (findings_ms + page_ms + html_ms) / 1e3;
        assert!(document.len() < MAX_BYTES, "{name}: {} bytes", document.len());
        assert!(name != "load-aware" || seconds < MAX_SECONDS, "{name}: {seconds} s");
    }
}
