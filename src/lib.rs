//! rushhour: a discrete-event simulator of request flow through distributed systems, written as an
//! entity-component-system on `bevy_ecs`.
//!
//! # What lies where
//!
//! - [`engine`]: the kernel, which knows nothing of requests: virtual time, the event queue, random streams,
//!   distributions, statistics, units, rows and columns.
//! - [`text`]: from the bytes of a file to any type that serde can read, with everything that is wrong and where.
//! - [`event`]: the whole vocabulary of events, and the kinds of nodes. [`request`]: the request, its pool, the record that
//!   it leaves, its outcomes.
//! - [`model`]: what a system is made of, a room for each part (sources, load balancers, clients, rate limiters, servers,
//!   links), and what parts share (routing, queueing, metrics, figures, names, checks, probes, changes).
//! - [`scenario`]: the root of what can be written, from a file to a scenario that can be run.
//! - [`simulation`]: from a scenario to a world, the `Tick` schedule, the one place where an event meets its handler, and
//!   from a world to the result of its run.
//! - [`metrics`]: numbers. [`analysis`]: conclusions from them. [`mod@format`]: how both are worded. [`report`]: printing.
//!   [`cli`]: the program. [`files`]: files that are written whole or not at all.
//! - `viz`, behind the feature of that name: the window in which one watches the requests flow.
//!
//! Imports point one way: engine <- text <- event <- request <- model <- scenario, metrics <- simulation <- analysis <-
//! format <- report, viz <- cli. Data flows the same way: file, scenario, world, run, result, conclusions. (What a run leaves
//! behind, [`metrics`], lies below [`simulation`], so that a run is one function from a scenario to its result.) A test holds
//! the imports to it.
//!
//! # A part in its room
//!
//! What is general asks the parts and is never told of a kind: [`model::part::Part`] is what a room answers, and the list
//! in [`model::parts`] is what everything iterates over. A part lists its **metrics** once (what is measured over time: the
//! timeline records them, plots show them, probes sample them) and its **figures** once (what it has come to: summaries,
//! tables and the inspector show them, groups combine them). So a new kind of node is a folder in `model/`, its kind in
//! [`event`], a line in [`model::parts`], and its words in `scenarios/reference.ron`; a routing policy or a queue discipline
//! is a file and its name. A test counts the files that name a kind.
//!
//! # The journey of a request
//!
//! 1. A [source](model::source) wakes up, creates it, and takes a place for it from the [pool](request::RequestPool).
//! 2. It is [sent](model::Context::send_from_source) over a [link](model::link), which delivers it after its latency (an event
//!    in the queue), at once (the same event goes on), or never.
//! 3. A [load balancer](model::load_balancer) or [client](model::client) [routes](model::Context::route) it: picks the next
//!    node and puts itself on the request's return path.
//! 4. A [server](model::server) takes it into service, into its queue, or rejects it. When the service is over it reports
//!    its load in the response, and takes the next request from the queue.
//! 5. The response goes back along the return path, each node learning what it wants to know, until it reaches the source,
//!    where its outcome is counted and its place becomes free.
//!
//! # Words
//!
//! A **request** is offered by a source and comes to one **outcome**. **Arrived**, **completed**, **rejected** are counted at
//! nodes. **In service** is worked on, **waiting** is in a queue, **in flight** is anywhere between creation and outcome.
//! **Utilization** (`load` in scenarios and files) is the share of slots in use, at most 1. A **metric** is measured over
//! time, in **intervals** of the timeline and **laps** of some intervals; a **figure** is what it all came to. A **row** is the
//! place of an entity among its like, a **return hop** a step of the way back, the **fingerprint** a hash over all events.
//!
//! # Invariants
//!
//! - Events happen in the order of (time, order of scheduling). Ticks decide only how often one can look in between:
//!   results do not depend on their width.
//! - Every consumer of randomness has a stream of its own, named after it. Nothing is ever ordered or hashed by `Entity`,
//!   by the order of a query or by a hash map.
//! - The books balance: offered = completed + rejected + timed out + dropped + shed + in flight, per source, checked at
//!   the end of every run.
//! - Memory grows with requests in flight, not with requests served.
//!
//! # What to read first
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
