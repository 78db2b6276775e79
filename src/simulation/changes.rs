//! Dispatch of changes: what the scenario announced for a moment happens, and what is lost by it is over.

use super::dispatch::{Dispatcher, Kind, TagsView};
use crate::event::RequestRow;
use crate::model::change::Alteration;
use crate::request::Outcome;

impl Dispatcher<'_> {
    /// A change happens.
    #[cold]
    pub(super) fn change(&mut self, row: u32) {
        let change = &self.changes[row as usize];
        self.trace.events += 1;
        let of_kind = tags(&self.tags, &change.to);
        for rows in &change.rows {
            for node in rows.clone() {
                self.absorb(Kind::Changed, of_kind[node as usize], 0);
            }
            match &change.to {
                Alteration::Down => {
                    let lost = self.servers.take_down(&mut self.context, rows);
                    lost.into_iter().for_each(|request| self.lose(request));
                }
                Alteration::Up => {
                    rows.clone().for_each(|server| self.servers.bring_up(&mut self.context, server));
                }
                Alteration::Concurrency(slots) => rows
                    .clone()
                    .for_each(|server| self.servers.set_concurrency(&mut self.context, server, *slots)),
                Alteration::Service(time) => {
                    rows.clone().for_each(|server| self.servers.set_service(&mut self.context, server, time));
                }
                Alteration::Capacity(capacity) => {
                    rows.clone().for_each(|server| self.servers.set_capacity(server, *capacity));
                }
                Alteration::Arrivals(process) => self.sources.change(&mut self.context, rows, process),
                Alteration::Routing(routing) => {
                    rows.clone().for_each(|client| self.clients.change(client, routing));
                }
                Alteration::Policy(policy) => {
                    rows.clone().for_each(|balancer| self.load_balancers.change(balancer, policy));
                }
            }
        }
    }

    /// A request is lost with the server that had it.
    fn lose(&mut self, request: RequestRow) {
        self.note(Kind::Lost, 0, request);
        self.sources.finish(&mut self.context, request, Outcome::Dropped);
    }
}

/// The tags of the nodes that can be altered like this.
const fn tags<'a>(tags: &TagsView<'a>, alteration: &Alteration) -> &'a [u64] {
    match alteration {
        Alteration::Down
        | Alteration::Up
        | Alteration::Concurrency(_)
        | Alteration::Service(_)
        | Alteration::Capacity(_) => tags.servers,
        Alteration::Arrivals(_) => tags.sources,
        Alteration::Routing(_) => tags.clients,
        Alteration::Policy(_) => tags.load_balancers,
    }
}
