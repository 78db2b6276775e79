//! The sizes of the responses of a server, which matter on links with a bandwidth.

use super::{Server, ServerSpec, SizeSpec, View};
use crate::engine::distribution::Sampler;
use crate::engine::random::RandomStream;
use crate::engine::row::Row;
use crate::event::{PackedEvent, RequestRow};
use crate::model::Context;
use crate::model::build::CHECKED;
use crate::model::check::Checker;
use crate::text::Path;

/// The sizes of the responses of a server, in bytes.
#[derive(Clone, Debug)]
pub(super) struct ResponseSizes {
    /// That of each endpoint, in the order of the scenario; that of the server if it has no endpoints. `None` if responses
    /// have no size.
    of_endpoints: Box<[Option<Sampler>]>,
    stream: RandomStream,
}

impl ResponseSizes {
    /// The sizes of the responses of a server, or `None` if none has a size.
    pub(super) fn new(spec: &ServerSpec, stream: impl FnOnce() -> RandomStream) -> Option<Box<Self>> {
        spec.response_sizes().next()?;
        let own = spec.response_size.as_deref();
        let of_endpoints: Vec<_> = if spec.endpoints.is_empty() {
            vec![own]
        } else {
            spec.endpoints.values().map(|endpoint| endpoint.response_size.as_deref().or(own)).collect()
        };
        let sampler = |size: Option<&SizeSpec>| size.map(|size| size.resolve().expect(CHECKED));
        let of_endpoints = of_endpoints.into_iter().map(sampler).collect();
        Some(Box::new(Self { of_endpoints, stream: stream() }))
    }

    fn draw(&mut self, endpoint: usize) -> u32 {
        let size = self.of_endpoints.get(endpoint).and_then(Option::as_ref);
        size.map_or(0, |size| size.sample_bytes(&mut self.stream))
    }
}

impl ServerSpec {
    /// The distributions of the sizes of its responses.
    pub(super) fn response_sizes(&self) -> impl Iterator<Item = &SizeSpec> {
        let of_endpoints = self.endpoints.values().map(|endpoint| &endpoint.response_size);
        std::iter::once(&self.response_size).chain(of_endpoints).filter_map(Option::as_deref)
    }

    pub(super) fn check_response_sizes(&self, path: &Path, checker: &mut Checker<'_>) {
        let endpoints = path.clone().name("endpoints");
        let of_endpoints = self
            .endpoints
            .iter()
            .map(|(name, endpoint)| (endpoints.clone().name(name), endpoint.response_size.as_ref()));
        for (path, size) in std::iter::once((path.clone(), self.response_size.as_ref())).chain(of_endpoints) {
            if let Some(size) = size {
                checker.spec(&path, "response_size", size.resolve().map(drop));
            }
        }
        if self.response_sizes().next().is_some() && !checker.used.contains(&"size") {
            let message = "no link has a bandwidth: the size of a response has no effect on the run";
            let hint = "give a link a `bandwidth`, or leave the size out";
            checker.warn(path.clone().name("response_size"), message, hint);
        }
        if self.then.is_some() && self.response_sizes().next().is_some() {
            let message = "the server never responds itself: its responses have no size";
            let hint = "give the size to the server that responds, or remove `then`";
            checker.warn(path.clone().name("response_size"), message, hint);
        }
    }
}

impl View<'_> {
    /// Responds to a request that has been served. An error has no size. Returns the event that follows in the same instant,
    /// if any.
    #[inline(always)]
    pub(super) fn respond_to<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        has_failed: bool,
    ) -> Option<PackedEvent> {
        if let Some(sizes) = &mut self.service[row].response_sizes
            && !has_failed
        {
            let endpoint = if FULL { context.requests.endpoint_of(request) } else { 0 };
            context.requests.sizes_mut(request).response = sizes.draw(endpoint);
        }
        context.reply(request)
    }
}
