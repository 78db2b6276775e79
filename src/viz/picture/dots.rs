//! Dots: requests on their way, and what has just happened in no time.

use bevy_egui::egui::{Align2, Color32, FontId, Pos2, Stroke, vec2};

use super::{Canvas, single};
use crate::event::Node;
use crate::viz::session::PASSAGE_SECONDS;
use crate::viz::stage::{Passage, PassageKind, Traveller, Whereabouts};
use crate::viz::theme::{BAD, Colouring, SERIES};

/// More dots than this are not told apart any more: one in several is drawn, and it is said so.
const MOST_DOTS: usize = 30_000;
/// A passage that takes no time is shown for a third of the time that it is remembered.
const HOP: f64 = PASSAGE_SECONDS / 3.0;
/// Requests that have been under way for so many seconds have the colour of old ones.
const OLD: f64 = 1.0;

impl Canvas<'_> {
    pub(super) fn colour(&self, traveller: &Traveller) -> Color32 {
        let now = self.session.clock.now;
        let colour = match self.view.colouring {
            Colouring::Source => SERIES[traveller.source as usize % SERIES.len()],
            Colouring::Key => SERIES[(traveller.key as usize).wrapping_mul(7) % SERIES.len()],
            Colouring::Age => {
                let age = single((now.since(traveller.born).as_seconds() / OLD).min(1.0));
                SERIES[2].lerp_to_gamma(BAD, age)
            }
            Colouring::Outcome => SERIES[2],
        };
        let colour = if traveller.rejected { BAD } else { colour };
        match self.view.highlight {
            Some(key) if key == traveller.key => colour,
            Some(_) => colour.gamma_multiply(0.25),
            None => colour,
        }
    }

    /// Where on a link something is that has gone so far: on its way out above the line, on its way home below it.
    pub(super) fn between(&self, from: Node, to: Node, share: f32, home: bool) -> Option<Pos2> {
        let (from, to) = (self.plate(self.place(from)?), self.plate(self.place(to)?));
        let (a, b) = if home {
            (from.left_center(), to.right_center())
        } else {
            (from.right_center(), to.left_center())
        };
        let aside = vec2(0.0, if home { 5.0 } else { -5.0 }) * self.view.zoom;
        Some(a + (b - a) * share + aside)
    }

    pub(super) fn travellers(&self) {
        let stage = &self.session.stage;
        let every = stage.under_way.div_ceil(MOST_DOTS).max(1);
        let now = self.session.clock.now;
        let radius = (3.6 * self.view.zoom).clamp(1.5, 6.0);
        for traveller in stage.travellers().step_by(every) {
            let Whereabouts::Between { from, to, left, arrives: Some(arrives), home } = traveller.whereabouts
            else {
                continue;
            };
            let whole = arrives.since(left).as_nanos_f64();
            let share = if whole > 0.0 { now.since(left).as_nanos_f64() / whole } else { 1.0 };
            if let Some(at) = self.between(from, to, single(share.clamp(0.0, 1.0)), home) {
                self.dot(at, radius, traveller);
            }
        }
        if every > 1 {
            let note = format!("one dot stands for {every} requests");
            self.painter.text(
                self.rect.left_bottom() + vec2(12.0, -12.0),
                Align2::LEFT_BOTTOM,
                note,
                FontId::proportional(12.0),
                self.theme.faint,
            );
        }
    }

    pub(super) fn dot(&self, at: Pos2, radius: f32, traveller: &Traveller) {
        let stands_out = self.view.highlight == Some(traveller.key);
        let radius = if stands_out { 1.4 * radius } else { radius };
        self.painter.circle_filled(at, radius, self.colour(traveller));
        if self.view.request == Some(traveller.row) {
            self.painter.circle_stroke(at, radius + 3.0, Stroke::new(2.0, self.theme.ink));
        }
    }

    pub(super) fn passages(&self) {
        let rate = self.session.clock.rate();
        let rate = if rate.is_finite() { rate } else { self.session.clock.achieved.max(1.0) };
        for passage in &self.session.stage.passages {
            let seconds = self.session.clock.now.since(passage.at).as_seconds() / rate;
            self.passage(passage, seconds);
        }
    }

    /// Something that took no time, so many real seconds ago.
    pub(super) fn passage(&self, passage: &Passage, seconds: f64) {
        let colour = SERIES[passage.source as usize % SERIES.len()];
        let dimmed = self.view.highlight.is_some_and(|key| key != passage.key);
        let alpha = if dimmed { 0.2 } else { 0.9 };
        let radius = (3.2 * self.view.zoom).clamp(1.5, 5.0);
        match passage.kind {
            PassageKind::Out | PassageKind::Home => {
                let share = seconds / HOP - f64::from(passage.hop);
                if (0.0..=1.0).contains(&share)
                    && let Some(at) = self.between(
                        passage.from,
                        passage.to,
                        single(share),
                        passage.kind == PassageKind::Home,
                    )
                {
                    self.painter.circle_filled(at, radius, colour.gamma_multiply(alpha));
                }
            }
            PassageKind::TurnedAway | PassageKind::Lost => {
                let Some(start) = (if passage.kind == PassageKind::Lost {
                    self.between(passage.from, passage.to, 0.5, false)
                } else {
                    self.place(passage.to).map(|place| self.plate(place).left_center())
                }) else {
                    return;
                };
                let share = single(seconds / PASSAGE_SECONDS);
                let fallen = start + vec2(-14.0 * share, 90.0 * share * share) * self.view.zoom;
                self.painter.circle_filled(fallen, 1.2 * radius, BAD.gamma_multiply(1.0 - 0.8 * share));
            }
        }
    }
}
