//! rushhour: a discrete-event simulator of request flow through distributed systems, written as an
//! entity-component-system on `bevy_ecs`.
//!
//! # What lies where
//!
//! - [`engine`]: the kernel, which knows nothing of requests: virtual time, the event queue, random streams,
//!   distributions, statistics, units.
//! - [`event`]: the whole vocabulary of events. [`request`]: the request, its pool, the record that it leaves.
//! - [`model`]: what a system is made of: sources, clients, load balancers, servers, links, probes; and how that changes
//!   at announced moments.
//! - [`scenario`]: from a file to a world, or to everything that is wrong with the file.
//! - [`simulation`]: the `Tick` schedule, and the one place where an event meets its handler.
//! - [`metrics`]: numbers. [`analysis`]: conclusions from them. [`report`]: printing. [`cli`]: the program.
//! - `viz`, behind the feature of that name: the window in which one watches the requests flow.
//!
//! Imports point one way: engine <- event, request <- model <- simulation, scenario, metrics <- analysis <- report, viz <-
//! cli. A test holds them to it.
//!
//! # The journey of a request
//!
//! 1. A [source](model::source) draws when it is born, and takes a place for it from the [pool](request::RequestPool).
//! 2. It is [sent](model::Context::send) over a [link](model::link), which delivers it after its latency (an event in the
//!    queue), at once (the same event goes on), or never.
//! 3. A [load balancer](model::load_balancer) or [client](model::client) picks the next node and puts itself on the
//!    request's return path.
//! 4. A [server](model::server) takes it into service, into its queue, or rejects it. When the service is over it reports
//!    its load in the response, and takes the next request from the queue.
//! 5. The response goes home along the return path, each node learning what it wants to know, until it reaches the source,
//!    where its fate is counted and its place becomes free.
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
//! [`simulation`], then [`model::server`], then [`engine::queue`].
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
//! let latency = result.sources[0].latency.quantiles();
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
