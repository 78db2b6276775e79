//! The kernel against plain loops: what does the product cost over the least that the same model can cost?
//!
//! Each model is run three ways, in one process, rounds interleaved: by the product, from the text of a scenario to its
//! result; by a plain loop over `std`'s `BinaryHeap` and a slab; and by the same loop over the product's own queue with
//! its lanes (the floor). The loops draw from the same generator and keep the same statistics, and must come to the same
//! mean latency. Quote ratios: absolute times are those of a noisy machine.
//!
//! `cargo bench --bench kernel [-- MODEL...]`; `-- --once MODEL [REQUESTS]` runs the product once, for profilers.

#![expect(clippy::print_stdout, clippy::disallowed_types, reason = "a benchmark takes times and prints them")]
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a benchmark knows its numbers")]

mod floor;

use std::time::Instant;

use floor::{Floor, HeapQueue, LaneQueue};
use rushhour::metrics::summary::Summary;
use rushhour::scenario::load;
use rushhour::simulation::{RunOptions, run};

/// A model to be measured.
struct Model {
    name: &'static str,
    /// Events of the queue a request costs in a plain loop.
    events: u64,
    /// Requests a second.
    rate: f64,
    /// Mean service time in nanoseconds.
    service: f64,
    servers: usize,
    concurrency: u32,
    /// Delay of each link in nanoseconds, behind a random balancer; no balancer without.
    link: Option<u64>,
    /// Requests to be born.
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
        // Long enough for the last request to come home.
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

    /// The product's own path, from text to summary.
    fn product(&self) -> Run {
        let start = Instant::now();
        let loaded = load(self.name, self.scenario().as_bytes(), &[]).expect("the scenario is good");
        let result = run(&loaded.scenario, RunOptions::default()).expect("the run balances");
        let latency = Summary::of(&result).latency.all;
        Run {
            seconds: start.elapsed().as_secs_f64(),
            completed: latency.count,
            mean: latency.mean.expect("a mean"),
        }
    }

    fn plain<Q: floor::Queue>(&self) -> Run {
        let start = Instant::now();
        let mut floor = Floor::<Q>::new(self);
        floor.run();
        let latency = floor.summary();
        Run {
            seconds: start.elapsed().as_secs_f64(),
            completed: latency.count,
            mean: latency.mean.expect("a mean"),
        }
    }

    fn compare(&self) {
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..5 {
            let runs = [self.product(), self.plain::<HeapQueue>(), self.plain::<LaneQueue>()];
            for (times, run) in times.iter_mut().zip(&runs) {
                assert_eq!(run.completed, self.requests, "{}: every request is completed", self.name);
                assert!(
                    (run.mean / runs[0].mean - 1.0).abs() < 1e-6,
                    "{}: all ways come to one mean, {} and {}",
                    self.name,
                    run.mean,
                    runs[0].mean
                );
                times.push(run.seconds);
            }
        }
        // Ratios within a round: what slows the machine down for a while slows all three.
        let ratio = |over: usize| {
            median(times[over].iter().zip(&times[0]).map(|(other, ours)| other / ours).collect())
        };
        let (of_floor, of_heap) = (ratio(2), ratio(1));
        let [product, heap, best] = times.map(median);
        let events = (self.requests * self.events) as f64;
        println!(
            "{:10} {:6.2} M events/s {:6.1} ns/event | {of_floor:4.2} of the floor's speed ({:.1} ns) | \
             {of_heap:5.2} times the heap loop's ({:.1} ns)",
            self.name,
            events / product / 1e6,
            product / events * 1e9,
            best / events * 1e9,
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

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Peak memory of this process in bytes, where the system tells.
fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()? * 1024.0)
}

/// Memory for each request in flight: the same fleet and number of requests with a million and with 16,000 of them on the
/// links, each in a process of its own.
fn bytes_per_request() {
    let peak = |name: &str| {
        let this = std::env::current_exe().expect("the path of this program");
        let out =
            std::process::Command::new(this).args(["--once", name, "4000000"]).output().expect("it runs");
        String::from_utf8_lossy(&out.stdout)
            .trim()
            .rsplit(' ')
            .next()
            .and_then(|bytes| bytes.parse::<f64>().ok())
    };
    if let (Some(big), Some(fleet)) = (peak("big"), peak("fleet")) {
        // On the links, on average: four passages of 62 ms or 1 ms at 4 million a second.
        let in_flight = 4e6 * 4.0 * (62e-3 - 1e-3);
        println!(
            "memory     {:.0} bytes a request in flight ({:.0} MB in all for big)",
            (big - fleet) / in_flight,
            big / 1e6
        );
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let named = |model: &&Model| arguments.iter().any(|argument| argument == model.name);
    if arguments.first().is_some_and(|first| matches!(first.as_str(), "--once" | "--floor" | "--heap")) {
        let requests = arguments.iter().find_map(|argument| argument.parse().ok());
        for model in MODELS.into_iter().filter(|model| named(&model)) {
            let model = Model { requests: requests.unwrap_or(model.requests), ..model };
            let run = match arguments[0].as_str() {
                "--once" => model.product(),
                "--heap" => model.plain::<HeapQueue>(),
                _ => model.plain::<LaneQueue>(),
            };
            println!("{} {:.3} s {}", model.name, run.seconds, peak_memory().unwrap_or(0.0));
        }
        return;
    }
    for model in MODELS.iter().filter(|model| arguments.is_empty() || named(model)) {
        model.compare();
    }
    if arguments.is_empty() || arguments.iter().any(|argument| argument == "memory") {
        bytes_per_request();
    }
}
