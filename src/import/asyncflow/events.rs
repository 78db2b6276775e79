//! The events of an AsyncFlow file: spikes of latency and outages of servers.
//!
//! In AsyncFlow, a server that is down is out of the rotation of the load balancer, loses nothing, and goes on with what it
//! has: a group of one server that shrinks to none, and grows again. What the file says is that the server is down: it also
//! crashes.

use indexmap::IndexMap;

use super::Conversion;
use super::payload::{Event, EventKind};
use super::{duration, servers};
use crate::engine::distribution::DistributionSpec;
use crate::model::change::ChangeSpec;
use crate::model::fault::{FaultSpec, WhichSpec};
use crate::model::link::{Direction, LinkFault};
use crate::model::parts::{Fault, NodeSpec, Setting};
use crate::model::references::References;
use crate::model::server::{ServerFault, ServerSetting};
use crate::text::Path;

impl Conversion<'_> {
    /// The nodes, the changes and the faults.
    pub(super) fn nodes_and_events(
        &mut self,
    ) -> (IndexMap<String, NodeSpec>, Vec<ChangeSpec>, IndexMap<String, FaultSpec>) {
        let payload = self.payload;
        let is_outage = |event: &&Event| event.kind == EventKind::Outage;
        let balanced: Vec<String> =
            self.graph.balancer.map(|balancer| self.graph.targets(&balancer.id.value)).unwrap_or_default();
        let can_leave: Vec<&str> = payload
            .events
            .iter()
            .filter(is_outage)
            .map(|event| event.target.value.as_str())
            .filter(|target| balanced.iter().any(|balanced| balanced == target))
            .collect();
        let nodes = self.nodes(&can_leave);
        let (mut changes, mut faults) = (Vec::new(), IndexMap::new());
        for event in &payload.events {
            let target = event.target.value.as_str();
            let part = Path::root().name("faults").name(&*event.id.value);
            self.parts.push((event.path.clone(), part.clone()));
            self.notes.comes_from(&part, event.id.location);
            match event.kind {
                EventKind::Spike(seconds) => self.spike(event, seconds, &part, &mut faults),
                EventKind::Outage if !nodes.contains_key(target) => {}
                EventKind::Outage => {
                    let leaves = can_leave.contains(&target);
                    self.outage(event, leaves, &part, &mut changes, &mut faults);
                }
            }
        }
        changes.sort_by_key(|change: &ChangeSpec| change.at);
        (nodes, changes, faults)
    }

    fn spike(&mut self, event: &Event, seconds: f64, path: &Path, faults: &mut IndexMap<String, FaultSpec>) {
        let target = event.target.value.as_str();
        let links = self.graph.links(self.payload);
        let requests = links.iter().filter(|(edge, _)| edge.id.value == target);
        let responses = links.iter().filter(|(_, exit)| exit.is_some_and(|exit| exit.id.value == target));
        let name = |(edge, _): &(&super::payload::Edge, _)| {
            format!("{} -> {}", edge.source.value, edge.target.value)
        };
        let (requests, responses): (Vec<_>, Vec<_>) =
            (requests.map(name).collect(), responses.map(name).collect());
        let (of, direction) = if requests.is_empty() {
            (responses, Direction::Responses)
        } else {
            (requests, Direction::Requests)
        };
        if of.is_empty() {
            let text =
                format!("Left out, as no request takes the edge `{target}`: the event `{}`.", event.id.value);
            self.notes.add(&Path::root(), text);
            return;
        }
        let add = DistributionSpec::Constant(duration(seconds));
        self.notes.comes_from(&path.clone().name("what"), event.from.location);
        self.fault(event, References(of), Fault::Link(LinkFault::Latency { add, direction }), faults);
    }

    fn outage(
        &mut self,
        event: &Event,
        leaves: bool,
        path: &Path,
        changes: &mut Vec<ChangeSpec>,
        faults: &mut IndexMap<String, FaultSpec>,
    ) {
        let server = event.target.value.as_str();
        if !leaves {
            if !self.is_faithful() {
                self.notes.add(
                    path,
                    "In AsyncFlow, an outage only takes a server out of the rotation of the load balancer, so this one \
                     has no effect. Here, the server crashes: what it has is lost, and what arrives is rejected.",
                );
            } else {
                let text = "AsyncFlow's outages only take a server out of the rotation of the load balancer. This server has \
                            no load balancer: its outage has no effect.";
                self.notes.add(&servers::node_path(server), text);
                return;
            }
        }
        if leaves {
            self.notes.add(
                &Path::root().name("changes"),
                "A server that is down leaves its group of one, so that the load balancer sends it no requests, and returns \
                 at the end.",
            );
            for (at, count) in [(&event.from, 0), (&event.to, 1)] {
                let at = self.seconds(at);
                changes.push(ChangeSpec {
                    at,
                    of: server.into(),
                    set: Setting::Server(ServerSetting::Count(count)),
                });
            }
        }
        if self.is_faithful() {
            self.notes.add(
                &Path::root().name("changes"),
                "As in AsyncFlow, it loses nothing and completes what it has. AsyncFlow also serves a request that reaches \
                 it later; here, it is rejected if the server is empty by then.",
            );
            return;
        }
        if leaves {
            self.notes.add(
                path,
                "In AsyncFlow, a server that is down loses nothing and completes what it has. Here, it crashes: what it has \
                 is lost.",
            );
        }
        self.fault(event, server.into(), Fault::Server(ServerFault::Crash), faults);
    }

    fn fault(
        &mut self,
        event: &Event,
        of: References,
        what: Fault,
        faults: &mut IndexMap<String, FaultSpec>,
    ) {
        let at = self.seconds(&event.from);
        let lasting = duration(event.to.value - event.from.value);
        let fault = FaultSpec {
            of,
            what,
            which: WhichSpec::All,
            at: Some(at),
            lasting: Some(lasting),
            every: None,
            lasts: None,
            from: None,
            until: None,
        };
        faults.insert(event.id.value.clone(), fault);
    }
}
