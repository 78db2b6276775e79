//! What a source does for users with numbers: those of a closed loop with sessions or a pace.

use super::Source;
use crate::engine::statistics::Tally;
use crate::engine::time::SimTime;
use crate::event::RequestRow;
use crate::model::Context;
use crate::request::Extras;

impl Source {
    /// Whether the arrivals are those of users with numbers.
    pub(super) fn has_numbers(&mut self) -> bool {
        self.arrivals.0.closed_loop().is_some_and(|users| users.has_numbers())
    }

    /// The number of the user to whom an arrival belongs, from what its event has in place of a request.
    pub(super) fn user_of(&mut self, number: RequestRow) -> Option<u32> {
        if self.has_numbers() { number.number().checked_sub(1) } else { None }
    }

    /// The key of the next request: that of the session of its user, if it has one, or one that is drawn.
    #[inline(always)]
    pub(super) fn draw_key(&mut self, user: Option<u32>) -> u32 {
        let Self { key: (keys, stream), arrivals, .. } = self;
        let of_session = user.and_then(|user| arrivals.0.closed_loop()?.key_of_session(user));
        match of_session {
            Some(key) => *key.get_or_insert_with(|| keys.sample(stream)),
            None => keys.sample(stream),
        }
    }

    /// Notes in a request who sends it, and when that was intended.
    pub(super) fn sign<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        request: RequestRow,
        user: u32,
    ) {
        let intended = self.arrivals.0.closed_loop().and_then(|users| users.intended(user));
        context.requests.set_extras(request, Extras { user: Some(user), intended, ..Extras::NONE });
    }

    /// Records the latency of a completed request where it has something of its own: by class, and from the time at which its
    /// user intended to send it.
    pub(super) fn record_own(&mut self, extras: &Extras, now: SimTime, latency: u64) {
        if let Some(replayed) = &mut self.replayed {
            replayed.record(extras.class, latency);
        }
        if let (Some(tally), Some(intended)) = (&mut self.intended, extras.intended) {
            tally.record(now.since(intended).as_nanos());
        }
    }

    /// Latency of completed requests from the times at which users intended to send them, if these keep a pace.
    pub(crate) fn take_intended(&mut self) -> Option<Tally> {
        self.intended.take().map(|tally| *tally)
    }
}
