//! rushhour: a discrete-event simulator of request flow through distributed systems, written as an
//! entity-component-system on `bevy_ecs`.
//!
//! # Modules
//!
//! - [`engine`]: the simulation kernel, independent of requests: virtual time, the event queue, random streams,
//!   distributions, statistics, units, rows and columns.
//! - [`text`]: reads RON into any type that serde can read, and reports every error with its position.
//! - [`event`]: all events, and the kinds of nodes. [`request`]: the request, the pool of requests, the record that each
//!   of them leaves, and its outcomes.
//! - [`model`]: the parts of a system, a module for each (sources, load balancers, clients, rate limiters, servers, links),
//!   and what they share (routing, queueing, metrics, figures, names, checks, probes, changes).
//! - [`scenario`]: the root of a scenario file, from text to a checked scenario.
//! - [`import`]: reads the files of other simulators, and writes scenarios.
//! - [`simulation`]: builds a world from a scenario, runs the `Tick` schedule, dispatches each event to its handler, and
//!   collects the result.
//! - [`metrics`]: the numbers of a run. [`analysis`]: conclusions from them. [`mod@format`]: the words for both.
//!   [`report`]: terminal, JSON, CSV, SVG and HTML. [`cli`]: the program. [`files`]: atomic writing of files.
//! - `viz`, behind the feature of that name: the window in which you watch the requests flow.
//!
//! Imports point one way: engine <- text <- event <- request <- model <- scenario, metrics <- import, simulation <- analysis <-
//! format <- report, viz <- cli. Data flows the same way: file, scenario, world, run, result, conclusions. ([`metrics`]
//! is below [`simulation`] so that a run is one function from a scenario to its result.) A test checks the imports.
//!
//! # Parts
//!
//! General code iterates over the parts and names none of them. A part implements [`model::part::Part`] and is listed in
//! [`model::parts`]. It declares its **metrics** once (measured over time: the timeline records them, plots show them,
//! probes sample them) and its **figures** once (statistics of the whole run: summaries, tables and the inspector show
//! them, groups combine them). A new kind of node is a directory in `model/`, its kind in [`event`], a line in
//! [`model::parts`], and its fields in `scenarios/reference.ron`. A routing policy or a queue discipline is one file and its
//! name in a list. A test counts the files that name a kind.
//!
//! # The path of a request
//!
//! 1. A [source](model::source) wakes up, creates the request, and takes a row of the [pool](request::RequestPool) for it.
//! 2. The source [sends](model::Context::send_from_source) it over a [link](model::link), which delivers it after its latency
//!    (an event in the queue), immediately (the same event continues), or never.
//! 3. A [load balancer](model::load_balancer) or [client](model::client) [routes](model::Context::route) it: it picks the
//!    next node and adds itself to the return path of the request.
//! 4. A [server](model::server) starts the service, puts the request into its queue, or rejects it. When the service ends,
//!    the response reports the load of the server, and the next request in the queue starts.
//!    Before it responds, a server may make [calls](model::server): requests of its own, with the request as their parent.
//!    Their return path ends at the server, where the request then goes on.
//! 5. The response travels back along the return path, past each node, to the source. The source counts the outcome and
//!    frees the row.
//!
//! # Glossary
//!
//! | word | meaning |
//! |---|---|
//! | part | a kind of thing with a module of its own in [`model`]: source, load balancer, client, rate limiter, server, link |
//! | node | anything that a request can be sent to: all parts but sources and links. A **group** (`count: 3`) has **members** |
//! | offered | created by a source. **Arrived**: reached a node |
//! | call | a request that a node makes because of another request, its **parent**; not counted among the requests of sources |
//! | outcome | how a request ended: completed, rejected (no free place), failed (answered with an error), shed (over a limit), dropped (lost), timed out |
//! | in flight | between creation and outcome |
//! | waiting, in service | in the queue of a server; in one of its slots |
//! | trace | a CSV file with a line for each request, which a source replays. A **tracer** records the steps of requests of a run |
//! | slot, concurrency | a slot serves one request at a time; `concurrency` is the number of slots of a server |
//! | utilization | the share of slots that are busy, from 0 to 1; called `load` in scenarios and files |
//! | reported load, perceived load | the load that a response carries; the estimate that a client makes from such reports |
//! | return path, return hop | the nodes that a response passes on its way back; one of them, with its link |
//! | rehashed | sent to another target than its own because that one seemed overloaded |
//! | metric, gauge | a quantity measured over time; a metric that a [probe](model::probe) samples into `series.csv` |
//! | interval, window | the timeline has intervals of equal length; percentiles are taken over windows of several intervals |
//! | figure | a statistic of a whole run: one field of a node in `summary.json` |
//! | tally | the statistics of a set of samples: count, mean, standard deviation, quantiles |
//! | setting, change | a property that can change during a run; a setting that takes effect at a given time |
//! | scheduled period | a phase of the workload or the effect of a change, known before the run |
//! | warm-up | the beginning of a run, left out of latencies and means over time |
//! | replication | the same scenario with other random numbers |
//! | random stream | the random numbers of one consumer, named after it |
//! | law | the implementation of a distribution |
//! | row | the index of an entity among those of its kind |
//! | lane | a FIFO of events that are all scheduled with the same delay |
//! | fingerprint | a hash over all events: equal for two runs only if they are the same run |
//! | finding, evidence | a conclusion from a run; the numbers that it rests on |
//! | diagnostic, hint | an error in a scenario with its position; how to correct it |
//!
//! # Invariants
//!
//! - Events are handled in the order of (time, order of scheduling). The width of a tick decides only how often other
//!   code can look at the world; results do not depend on it.
//! - Every consumer of randomness has a stream of its own, named after it. Nothing is ordered or hashed by `Entity`, by the
//!   order of a query or by a hash map.
//! - No request is lost: offered = completed + rejected + failed + timed out + dropped + shed + in flight, per source, and the
//!   same for calls, checked at the end of every run.
//! - Memory grows with requests in flight, not with requests served.
//!
//! # Where to start reading
//!
//! [`simulation`], then [`model::part`] and [`model::load_balancer`] (a whole part on two screens), then [`engine::queue`].
//!
//! # Running a scenario
//!
//! ```
//! use rushhour::scenario::load;
//! use rushhour::simulation::{RunOptions, run};
//!
//! let text = r#"Scenario(
//!     name: "a queue",
//!     run_until: "1000s",
//!     sources: {"users": (arrivals: Poisson(rate: "8/s"), to: "server")},
//!     nodes: {"server": Server(service: Exponential(mean: "100ms"))},
//! )"#;
//! let loaded = load("queue.ron", text.as_bytes(), &[])?;
//! let result = run(&loaded.scenario, RunOptions::default())?;
//! let latency = result.sources[0].latency.summarize();
//! assert!(latency.quantile(0.99) > latency.quantile(0.5));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod analysis;
pub mod cli;
pub mod engine;
pub mod event;
pub mod files;
pub mod format;
pub mod import;
pub mod metrics;
pub mod model;
pub mod report;
pub mod request;
pub mod scenario;
pub mod simulation;
pub mod text;
#[cfg(feature = "viz")]
pub mod viz;

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
