//! Compares the speed of the simulator with plain loops that are written for the same models.
//!
//! Each model runs in three ways, in one process, in interleaved rounds: by the simulator, from the text of a scenario
//! to its result; by a plain loop over `std`'s `BinaryHeap` and a slab; and by the same loop over the simulator's own
//! queue with its lanes (the floor: the lowest cost to expect). The loops draw from the same generator, keep the same
//! statistics, and must give the same mean latency. Quote ratios: absolute times depend on the machine and its load.
//!
//! `cargo bench --bench kernel [-- MODEL...]`; `-- --once MODEL [REQUESTS]` runs the simulator once, for profilers.
//! `-- --against BINARY [MODEL...]` compares with another binary of this benchmark, such as that of before a change: both
//! run the simulator in turn, so that other load on the machine slows down both.

#![expect(clippy::print_stdout, clippy::disallowed_types, reason = "a benchmark measures and prints times")]
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the numbers are within range")]

mod floor;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use floor::{HeapQueue, LaneQueue, PlainLoop};
use rushhour::metrics::summary::Summary;
use rushhour::scenario::load;
use rushhour::simulation::{RunOptions, run};

/// A model to measure.
struct Model {
    name: &'static str,
    /// Events per request in a plain loop.
    events: u64,
    /// Requests per second.
    rate: f64,
    /// Mean service time in nanoseconds.
    service: f64,
    servers: usize,
    concurrency: u32,
    /// Delay of the links to and from a load balancer, in nanoseconds; `None` for a model without links and balancer.
    link: Option<u64>,
    /// Number of requests that the source creates.
    requests: u64,
}

const MODELS: [Model; 5] = [
    Model {
        name: "mm1",
        events: 2,
        rate: 0.8e6,
        service: 1e3,
        servers: 1,
        concurrency: 1,
        link: None,
        requests: 4_000_000,
    },
    Model {
        name: "mm10",
        events: 2,
        rate: 8e6,
        service: 1e3,
        servers: 1,
        concurrency: 10,
        link: None,
        requests: 4_000_000,
    },
    Model {
        name: "fleet-10k",
        events: 6,
        rate: 4e5,
        service: 2e7,
        servers: 1000,
        concurrency: 10,
        link: Some(1_000_000),
        requests: 1_000_000,
    },
    Model {
        name: "fleet",
        events: 6,
        rate: 4e6,
        service: 2e6,
        servers: 1000,
        concurrency: 10,
        link: Some(1_000_000),
        requests: 2_000_000,
    },
    Model {
        name: "big",
        events: 6,
        rate: 4e6,
        service: 2e6,
        servers: 1000,
        concurrency: 10,
        link: Some(62_000_000),
        requests: 4_000_000,
    },
];

impl Model {
    fn scenario(&self) -> String {
        let server = format!(
            "\"server\": Server(count: {}, concurrency: {}, service: Exponential(mean: \"{}ns\"))",
            self.servers, self.concurrency, self.service
        );
        let (to, nodes, links) = match self.link {
            None => ("server-0", server, String::new()),
            Some(nanos) => (
                "balancer",
                format!("\"balancer\": LoadBalancer(policy: Random, to: \"server\"), {server}"),
                format!(
                    "(from: \"source\", to: \"balancer\", latency: Constant(\"{nanos}ns\")), \
                     (from: \"balancer\", to: \"server\", latency: Constant(\"{nanos}ns\"))"
                ),
            ),
        };
        // Long enough for the last response to arrive.
        let run_until = self.requests as f64 / self.rate
            + 50e-9 * self.service
            + self.link.map_or(0.0, |nanos| nanos as f64 * 4e-9);
        format!(
            "Scenario(name: \"{}\", seed: 7, run_until: \"{run_until}s\",
              sources: {{\"source\": (arrivals: Poisson(rate: \"{}/s\"), to: \"{to}\", max_requests: {})}},
              nodes: {{{nodes}}}, links: [{links}])",
            self.name, self.rate, self.requests
        )
    }

    /// Runs the simulator, from text to summary.
    fn simulator(&self) -> Run {
        let start = Instant::now();
        let loaded = load(self.name, self.scenario().as_bytes(), &[]).expect("the scenario is valid");
        let result = run(&loaded.scenario, RunOptions::default()).expect("every request is accounted for");
        let latency = Summary::of(&result).latency.all;
        Run {
            seconds: start.elapsed().as_secs_f64(),
            completed: latency.count,
            mean: latency.mean.expect("a mean"),
        }
    }

    /// Runs the plain loop.
    fn plain<Q: floor::Queue>(&self) -> Run {
        let start = Instant::now();
        let mut plain = PlainLoop::<Q>::new(self);
        plain.run();
        let latency = plain.summary();
        Run {
            seconds: start.elapsed().as_secs_f64(),
            completed: latency.count,
            mean: latency.mean.expect("a mean"),
        }
    }

    fn compare(&self) {
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..5 {
            let runs = [self.simulator(), self.plain::<HeapQueue>(), self.plain::<LaneQueue>()];
            for (times, run) in times.iter_mut().zip(&runs) {
                assert_eq!(run.completed, self.requests, "{}: every request is completed", self.name);
                assert!(
                    (run.mean / runs[0].mean - 1.0).abs() < 1e-6,
                    "{}: the mean latencies differ, {} and {}",
                    self.name,
                    run.mean,
                    runs[0].mean
                );
                times.push(run.seconds);
            }
        }
        // Ratios within a round: other load on the machine slows down all three runs of a round.
        let ratio = |baseline: usize| {
            median(times[baseline].iter().zip(&times[0]).map(|(other, ours)| other / ours).collect())
        };
        let (floor_ratio, heap_ratio) = (ratio(2), ratio(1));
        let [simulator, heap, floor] = times.map(median);
        let events = (self.requests * self.events) as f64;
        println!(
            "{:10} {:6.2} M events/s {:6.1} ns/event | {floor_ratio:4.2} x the speed of the floor ({:.1} ns) | \
             {heap_ratio:5.2} x the speed of the heap loop ({:.1} ns)",
            self.name,
            events / simulator / 1e6,
            simulator / events * 1e9,
            floor / events * 1e9,
            heap / events * 1e9,
        );
    }
}

/// One run of a model.
struct Run {
    seconds: f64,
    completed: u64,
    mean: f64,
}

/// Seconds that a binary of this benchmark takes for a run of a model by the simulator.
fn seconds_of(binary: &Path, model: &str) -> f64 {
    let output = Command::new(binary).args(["--once", model]).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let seconds = text.split_whitespace().nth(1).and_then(|seconds| seconds.parse().ok());
    seconds.unwrap_or_else(|| panic!("{} is not a binary of this benchmark: {text:?}", binary.display()))
}

/// Compares this binary with another one, model by model, in interleaved rounds.
fn compare_with(other: &Path, models: &[&Model]) {
    const ROUNDS: usize = 15;
    let this = std::env::current_exe().expect("the path of this program");
    for model in models {
        let mut ratios = Vec::new();
        for round in 0..ROUNDS {
            // Each goes first in every second round.
            let first = if round % 2 == 0 { [other, this.as_path()] } else { [this.as_path(), other] };
            let [a, b] = first.map(|binary| seconds_of(binary, model.name));
            ratios.push(if round % 2 == 0 { a / b } else { b / a });
        }
        ratios.sort_by(f64::total_cmp);
        let [low, middle, high] = [ROUNDS / 4, ROUNDS / 2, ROUNDS - 1 - ROUNDS / 4].map(|rank| ratios[rank]);
        println!(
            "{:10} {middle:4.2} x the speed of the other binary (median of {ROUNDS} rounds; half of them: {low:.2} to {high:.2})",
            model.name
        );
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Peak memory of this process in bytes, or `None` if the system does not report it.
fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()? * 1024.0)
}

/// Prints the memory per request in flight, from two runs of the same fleet and number of requests: one with a million
/// requests on the links, one with 16,000, each in its own process.
fn print_bytes_per_request() {
    let peak = |name: &str| {
        let program = std::env::current_exe().expect("the path of this program");
        let output = Command::new(program).args(["--once", name, "4000000"]).output();
        let output = output.expect("the program runs");
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .rsplit(' ')
            .next()
            .and_then(|bytes| bytes.parse::<f64>().ok())
    };
    if let (Some(big), Some(fleet)) = (peak("big"), peak("fleet")) {
        // On the links, on average: four link delays of 62 ms or 1 ms at 4 million requests per second.
        let in_flight = 4e6 * 4.0 * (62e-3 - 1e-3);
        println!(
            "memory     {:.0} bytes per request in flight ({:.0} MB in total for big)",
            (big - fleet) / in_flight,
            big / 1e6
        );
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let is_named = |model: &&Model| arguments.iter().any(|argument| argument == model.name);
    if arguments.first().is_some_and(|first| matches!(first.as_str(), "--once" | "--floor" | "--heap")) {
        let requests = arguments.iter().find_map(|argument| argument.parse().ok());
        for model in MODELS.into_iter().filter(|model| is_named(&model)) {
            let model = Model { requests: requests.unwrap_or(model.requests), ..model };
            let run = match arguments[0].as_str() {
                "--once" => model.simulator(),
                "--heap" => model.plain::<HeapQueue>(),
                _ => model.plain::<LaneQueue>(),
            };
            println!("{} {:.3} s {}", model.name, run.seconds, peak_memory().unwrap_or(0.0));
        }
        return;
    }
    if let [against, other, named @ ..] = arguments.as_slice()
        && against == "--against"
    {
        let models: Vec<&Model> = MODELS.iter().filter(|model| named.is_empty() || is_named(model)).collect();
        return compare_with(Path::new(other), &models);
    }
    for model in MODELS.iter().filter(|model| arguments.is_empty() || is_named(model)) {
        model.compare();
    }
    if arguments.is_empty() || arguments.iter().any(|argument| argument == "memory") {
        print_bytes_per_request();
    }
}
