//! What a source keeps for the requests of a trace: their attributes, and their latencies by class.

use super::Source;
use super::arrivals::ArrivalsSpec;
use super::arrivals::trace::Recorded;
use crate::engine::statistics::Tally;
use crate::event::RequestRow;
use crate::model::Context;
use crate::model::build::CHECKED;
use crate::model::names::Names;
use crate::request::Extras;

/// What a source keeps for the requests of a trace.
#[derive(Debug)]
pub(super) struct Replayed {
    /// The numbers of the endpoints of the trace among those of the scenario.
    endpoints: Box<[u16]>,
    /// The classes of the trace, each with the latencies of its completed requests that were created after the warm-up.
    pub(super) classes: Vec<(String, Tally)>,
    /// The same for requests without a class in the trace, which have that of the source.
    pub(super) without_class: Tally,
}

impl Replayed {
    /// What a source with these arrivals needs, or `None` if they are not those of a trace.
    ///
    /// # Panics
    /// If an endpoint is unknown, which the checks of a scenario report.
    pub(super) fn new(arrivals: &ArrivalsSpec, names: &Names) -> Option<Box<Self>> {
        let scan = arrivals.trace()?.scan();
        Some(Box::new(Self {
            endpoints: scan.endpoints.iter().map(|name| names.endpoint(name).expect(CHECKED)).collect(),
            classes: scan.classes.iter().map(|name| (name.clone(), Tally::default())).collect(),
            without_class: Tally::default(),
        }))
    }

    /// Records the latency of a completed request.
    pub(super) fn record(&mut self, class: Option<u16>, latency: u64) {
        let of_class = class.and_then(|class| self.classes.get_mut(usize::from(class)));
        of_class.map_or(&mut self.without_class, |(_, tally)| tally).record(latency);
    }

    /// Forgets the latencies so far.
    pub(super) fn clear(&mut self) {
        self.classes.iter_mut().for_each(|(_, tally)| tally.clear());
        self.without_class.clear();
    }
}

impl Source {
    /// Gives a request what the trace says of it.
    pub(super) fn equip<const FULL: bool>(
        &self,
        context: &mut Context<'_, FULL>,
        request: RequestRow,
        recorded: &Recorded,
    ) {
        let Recorded { class, service, endpoint, size, .. } = *recorded;
        context.requests.set_extras(request, Extras { class, service, ..Extras::NONE });
        if let Some(size) = size {
            context.requests.sizes_mut(request).request = size;
        }
        let endpoints = self.replayed.as_ref().map_or(&[][..], |replayed| &replayed.endpoints);
        if let Some(number) = endpoint.and_then(|endpoint| endpoints.get(usize::from(endpoint))) {
            context.requests.progress_mut(request).asked = *number;
        }
    }

    /// Latencies by class, if the trace gives classes.
    pub(crate) fn take_classes(&mut self) -> Vec<(String, Tally)> {
        let Some(replayed) = &mut self.replayed else { return Vec::new() };
        let mut classes = std::mem::take(&mut replayed.classes);
        if let (false, Some(own)) = (classes.is_empty(), &self.labels.class) {
            classes.push((own.clone(), std::mem::take(&mut replayed.without_class)));
        }
        classes
    }
}
