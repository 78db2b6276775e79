//! Dots: requests on their way, and what has just happened in no time.
//!
//! The list of them is plain data, made from a session and a view: where and when each left and will arrive. Where it is
//! at the moment that is shown the GPU computes ([`gpu`](super::gpu)), and the same formula is here for the mouse and for tests.

use bevy_egui::egui::{Align2, Color32, FontId, Pos2, Stroke, vec2};
use bevy_egui::render::EguiBevyPaintCallback;

use super::gpu::Cloud;
use super::{Camera, Canvas, single};
use crate::event::{Node, RequestRow};
use crate::viz::layout::{Layout, NODE};
use crate::viz::live_state::{HopKind, InstantHop, RequestLocation, TrackedRequest};
use crate::viz::session::{HOP_SECONDS, Session};
use crate::viz::theme::{BAD, Colouring, SERIES};

/// More dots than this: one in several is drawn, and it is said so.
const MAX_DOTS: usize = 500_000;
/// A hop that takes no time is shown for a third of the time that it is remembered.
const HOP: f64 = HOP_SECONDS / 3.0;
/// Requests that have been under way for so many seconds have the colour of old ones.
const OLD: f64 = 1.0;
/// Half the width of a dot, in units of the layout.
const RADIUS: f32 = 3.6;
/// How far requests travel above the line and responses below it, in units of the layout.
const ASIDE: f32 = 5.0;
/// How far a stream of many dots spreads from its line at most: neighbouring boxes are 90 units apart.
const SPREAD: f32 = 30.0;
/// From so many dots in the picture on each is smaller, down to a share of its size, so that streams are not solid.
const CROWD: f32 = 4_000.0;
const LEAST: f32 = 0.34;

/// Words of a dot on the GPU.
pub(super) const WORDS: usize = 9;

/// A dot, and the way on which it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// Where it left, in units of the layout, upwards.
    pub origin: [f32; 2],
    /// Where it arrives.
    pub goal: [f32; 2],
    /// When it left, in seconds from the moment that is shown: not later than 0. Seconds from the start would be off by a
    /// millisecond after three hours.
    pub left: f32,
    /// When it arrives, likewise: not earlier than 0.
    pub arrives: f32,
    /// How far above the straight line, or below it, the end of its way is bent, in units of the layout.
    pub bend: f32,
    /// Half its width, in points of the screen.
    pub radius: f32,
    /// Its colour.
    pub colour: Color32,
}

impl Dot {
    /// Where it is, in units of the layout: what the shader computes.
    #[must_use]
    pub fn at(&self) -> [f32; 2] {
        let whole = self.arrives - self.left;
        let share = if whole > 0.0 { (-self.left / whole).clamp(0.0, 1.0) } else { 1.0 };
        let [x, y] = [0, 1].map(|axis| self.origin[axis] + (self.goal[axis] - self.origin[axis]) * share);
        [x, y + self.bend * share * share]
    }

    /// What the shader reads.
    pub(super) fn words(&self) -> [u32; WORDS] {
        let [[x, y], [to_x, to_y]] = [self.origin, self.goal];
        let numbers = [x, y, to_x, to_y, self.left, self.arrives, self.bend, self.radius].map(f32::to_bits);
        let [a, b, c, d, e, f, g, h] = numbers;
        [a, b, c, d, e, f, g, h, u32::from_le_bytes(self.colour.to_array())]
    }
}

/// All dots of a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dots {
    /// The dots: requests first, then hops.
    pub dots: Vec<Dot>,
    /// The request that each is, as far as they are requests.
    pub requests: Vec<RequestRow>,
    /// How many requests one dot stands for.
    pub every: usize,
}

impl Dots {
    /// The dots of the moment that a session shows.
    #[must_use]
    pub fn of(session: &Session, view: &Camera) -> Self {
        let mut dots =
            Self { every: session.live_state.under_way.div_ceil(MAX_DOTS).max(1), ..Self::default() };
        dots.tracked_requests(session, view);
        dots.hops(session, view);
        dots
    }

    fn tracked_requests(&mut self, session: &Session, view: &Camera) {
        let mut streams = Streams::new(&session.layout);
        // What each dot is in, until it is known how many are in it.
        let mut stream_of = Vec::new();
        self.dots.reserve(session.live_state.under_way);
        // What stands out is painted last, and so above the others.
        let rounds: &[Option<bool>] =
            if view.highlight.is_some() { &[Some(false), Some(true)] } else { &[None] };
        let now = session.clock.now;
        for round in rounds {
            for tracked_request in session.live_state.tracked_requests().step_by(self.every) {
                let stands_out = view.highlight == Some(tracked_request.key);
                let RequestLocation::Between { from, to, left, arrives: Some(arrives), home } =
                    tracked_request.location
                else {
                    continue;
                };
                if round.is_some_and(|round| round != stands_out) {
                    continue;
                }
                let Some(stream) = streams.find(from, to, home) else { continue };
                stream_of.push(stream);
                self.requests.push(tracked_request.row);
                let [origin, goal] = streams.all[stream].way;
                self.dots.push(Dot {
                    origin,
                    goal,
                    left: -single(now.since(left).as_seconds()),
                    arrives: single(arrives.since(now).as_seconds()),
                    bend: scatter(tracked_request),
                    radius: if stands_out { 1.4 } else { 1.0 },
                    colour: colour(session, view, tracked_request),
                });
            }
        }
        let radius = (RADIUS * view.zoom).clamp(1.5, 6.0);
        let crowded = (CROWD / self.dots.len().max(1) as f32).sqrt().clamp(LEAST, 1.0);
        let radius = (radius * crowded).max(0.75);
        for (dot, stream) in self.dots.iter_mut().zip(stream_of) {
            // A curve that leaves and arrives where the straight line does, and is farthest from it half way.
            let aside = 4.0 * dot.bend * streams.all[stream].spread();
            dot.goal[1] += aside;
            dot.bend = -aside;
            dot.radius *= radius;
        }
    }

    fn hops(&mut self, session: &Session, view: &Camera) {
        let rate = session.clock.rate();
        let rate = if rate.is_finite() { rate } else { session.clock.achieved.max(1.0) };
        for hop in &session.live_state.hops {
            let seconds = session.clock.now.since(hop.at).as_seconds() / rate;
            self.dots.extend(trace(session, view, hop, seconds));
        }
    }
}

/// Something that took no time, so many real seconds ago, if it is still seen. Its time is counted in its own length.
fn trace(session: &Session, view: &Camera, hop: &InstantHop, seconds: f64) -> Option<Dot> {
    let dimmed = view.highlight.is_some_and(|key| key != hop.key);
    let radius = (3.2 * view.zoom).clamp(1.5, 5.0);
    let (from, to) = (session.layout.find(hop.from)?, session.layout.find(hop.to)?);
    let home = hop.kind == HopKind::Home;
    let [origin, goal] = way(&session.layout, from, to, home);
    let dot = |origin, goal, share: f32, bend, radius, colour| {
        let (left, arrives) = (-share, 1.0 - share);
        Some(Dot { origin, goal, left, arrives, bend, radius, colour })
    };
    match hop.kind {
        HopKind::Out | HopKind::Home => {
            let share = seconds / HOP - f64::from(hop.hop);
            let colour = of_source(hop.source);
            let colour = colour.gamma_multiply(if dimmed { 0.2 } else { 0.9 });
            let seen = (0.0..=1.0).contains(&share);
            seen.then(|| dot(origin, goal, single(share), 0.0, radius, colour)).flatten()
        }
        HopKind::TurnedAway | HopKind::Lost => {
            let [x, y] = if hop.kind == HopKind::Lost {
                [0, 1].map(|axis| f32::midpoint(origin[axis], goal[axis]))
            } else {
                let place = &session.layout.places[to];
                [place.x - NODE.0 / 2.0, place.y]
            };
            let share = single(seconds / HOP_SECONDS);
            // It falls, faster and faster.
            let fallen = BAD.gamma_multiply(1.0 - 0.8 * share);
            dot([x, y], [x - 14.0, y], share, -90.0, 1.2 * radius, fallen)
        }
    }
}

/// Where a way begins and ends: requests travel to the right above the line, responses to the left below it.
fn way(layout: &Layout, from: usize, to: usize, home: bool) -> [[f32; 2]; 2] {
    let (from, to) = (&layout.places[from], &layout.places[to]);
    let side = if home { -1.0 } else { 1.0 };
    let (half, aside) = (side * NODE.0 / 2.0, side * ASIDE);
    [[from.x + half, from.y + aside], [to.x - half, to.y + aside]]
}

/// The dots that are on the same way.
struct Stream {
    to: usize,
    home: bool,
    way: [[f32; 2]; 2],
    dots: usize,
}

impl Stream {
    /// How far it spreads, in units of the layout: not at all while its dots have room in a line.
    fn spread(&self) -> f32 {
        let [[x, y], [to_x, to_y]] = self.way;
        let room = (to_x - x).hypot(to_y - y).max(1.0) / (2.0 * RADIUS);
        let lines = self.dots as f32 / room;
        SPREAD.min(RADIUS * (lines - 0.5).max(0.0))
    }
}

/// All streams, found by where they begin.
struct Streams<'a> {
    layout: &'a Layout,
    all: Vec<Stream>,
    leaving: Vec<Vec<usize>>,
}

impl<'a> Streams<'a> {
    fn new(layout: &'a Layout) -> Self {
        Self { layout, all: Vec::new(), leaving: vec![Vec::new(); layout.places.len()] }
    }

    /// The stream that a dot is in, which it joins.
    fn find(&mut self, from: Node, to: Node, home: bool) -> Option<usize> {
        let (from, to) = (self.layout.find(from)?, self.layout.find(to)?);
        let known = self.leaving[from].iter().copied();
        let known = known.into_iter().find(|&at| self.all[at].to == to && self.all[at].home == home);
        let at = known.unwrap_or_else(|| {
            let way = way(self.layout, from, to, home);
            self.all.push(Stream { to, home, way, dots: 0 });
            self.leaving[from].push(self.all.len() - 1);
            self.all.len() - 1
        });
        self.all[at].dots += 1;
        Some(at)
    }
}

/// Where in its stream a request is: from -1 to 1, mostly near the middle, and the same as long as it lives.
fn scatter(tracked_request: &TrackedRequest) -> f32 {
    let mixed = (tracked_request.born.as_nanos() ^ u64::from(tracked_request.row.number()) << 40)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let part = |shift: u32| (mixed >> shift & 0xffff) as f32 / 65_535.0;
    part(48) + part(32) - 1.0
}

/// The colour of a source.
fn of_source(source: Node) -> Color32 {
    SERIES[source.row() as usize % SERIES.len()]
}

/// The colour of a request.
fn colour(session: &Session, view: &Camera, tracked_request: &TrackedRequest) -> Color32 {
    let now = session.clock.now;
    let colour = match view.colouring {
        Colouring::Source => of_source(tracked_request.source),
        Colouring::Key => SERIES[(tracked_request.key as usize).wrapping_mul(7) % SERIES.len()],
        Colouring::Age => {
            let age = single((now.since(tracked_request.born).as_seconds() / OLD).min(1.0));
            SERIES[2].lerp_to_gamma(BAD, age)
        }
        Colouring::Outcome => SERIES[2],
    };
    let colour = if tracked_request.rejected { BAD } else { colour };
    match view.highlight {
        Some(key) if key == tracked_request.key => colour,
        Some(_) => colour.gamma_multiply(0.25),
        None => colour,
    }
}

impl Canvas<'_> {
    pub(super) fn colour(&self, tracked_request: &TrackedRequest) -> Color32 {
        colour(self.session, self.view, tracked_request)
    }

    /// Where on the screen a dot is.
    fn seen(&self, dot: &Dot) -> Pos2 {
        let [x, y] = dot.at();
        self.at(x, y)
    }

    /// Paints all dots, and a ring around the one that was clicked.
    pub(super) fn dots(&self) {
        let Dots { dots, requests, every } = Dots::of(self.session, self.view);
        let clicked = self.view.request.and_then(|row| requests.iter().position(|other| *other == row));
        let ring = clicked.map(|at| (self.seen(&dots[at]), dots[at].radius));
        if !dots.is_empty() {
            let Camera { zoom, middle, .. } = *self.view;
            let cloud = Cloud { pane: self.pane, dots, zoom, middle, centre: self.rect.center() };
            let seen = self.rect.intersect(self.painter.ctx().viewport_rect());
            self.painter.add(EguiBevyPaintCallback::new_paint_callback(seen, cloud));
        }
        if let Some((at, radius)) = ring {
            self.painter.circle_stroke(at, radius + 3.0, Stroke::new(2.0, self.theme.ink));
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

    /// The request whose dot is nearest to a point of the screen, if one is near.
    pub(super) fn travelling_at(&self, at: Pos2) -> Option<RequestRow> {
        let Dots { dots, requests, .. } = Dots::of(self.session, self.view);
        let near = dots.iter().zip(requests).map(|(dot, row)| (self.seen(dot).distance(at), row));
        let nearest = near.min_by(|a, b| a.0.total_cmp(&b.0));
        nearest.filter(|(distance, _)| *distance < 8.0).map(|(_, row)| row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::SimTime;
    use crate::viz::session::moment;

    /// Where a request must be, computed in double precision from absolute times: what the picture promises.
    fn between(session: &Session, tracked_request: &TrackedRequest) -> Option<[f64; 2]> {
        let RequestLocation::Between { from, to, left, arrives: Some(arrives), home } =
            tracked_request.location
        else {
            return None;
        };
        let place = |node| session.layout.find(node).map(|at| &session.layout.places[at]);
        let (from, to) = (place(from)?, place(to)?);
        let side = if home { -1.0 } else { 1.0 };
        let half = side * f64::from(NODE.0) / 2.0;
        let (a, b) =
            ((f64::from(from.x) + half, f64::from(from.y)), (f64::from(to.x) - half, f64::from(to.y)));
        let share = session.clock.now.since(left).as_nanos_f64() / arrives.since(left).as_nanos_f64();
        let aside = side * f64::from(ASIDE);
        Some([a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share + aside])
    }

    fn open(text: &str) -> Session {
        Session::open("test.ron", text.as_bytes(), &[], None).unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    fn view() -> Camera {
        Camera { zoom: 1.0, ..Camera::default() }
    }

    /// Shows a moment and compares every dot with where its request must be; tells how many dots there are.
    fn compared(session: &mut Session, now: SimTime) -> usize {
        session.go_to(now);
        let found = Dots::of(session, &view());
        let wanted: Vec<_> =
            session.live_state.tracked_requests().filter_map(|of| between(session, of)).collect();
        assert_eq!(found.requests.len(), wanted.len());
        for (dot, wanted) in found.dots.iter().zip(&wanted) {
            let off = (0..2).map(|axis| (f64::from(dot.at()[axis]) - wanted[axis]).abs()).fold(0.0, f64::max);
            // A unit of the layout is at most eight pixels, and a hundredth of one is not seen.
            assert!(off < 1e-3, "{dot:?} is not at {wanted:?} at {now:?}");
        }
        wanted.len()
    }

    #[test]
    fn every_dot_is_where_its_request_is() {
        let mut session = open(
            r#"(name: "x", run_until: "9s",
            sources: {"a": (arrivals: Poisson(rate: "10/s"), to: "lb"), "b": (arrivals: Constant(rate: "9/s"), to: "s-1")},
            nodes: {"lb": LoadBalancer(policy: Random, to: "s"), "s": Server(count: 3, service: Constant("5ms"))},
            links: [(from: "a", to: "lb", latency: Exponential(mean: "50ms")), (from: "lb", to: "s", latency: Constant("1s")),
                    (from: "b", to: "s", latency: LogNormal(mean: "300ms", sd: "200ms"), loss: 0.1)])"#,
        );
        let dots: usize = (1..80).map(|tenth| compared(&mut session, moment(0.1 * f64::from(tenth)))).sum();
        // Little's law: 10/s on links for 2.1 s, and 9/s for less than 0.6 s; so few that no stream spreads.
        assert!((1_200..2_400).contains(&dots), "{dots}");
    }

    #[test]
    fn three_hours_into_a_run_dots_are_as_exact() {
        let mut session = open(
            r#"(name: "x", run_until: "10010s", sources: {"s": (arrivals: Constant(rate: "0.7/s"), to: "a")},
            nodes: {"a": Server(service: Constant("100ms"))},
            links: [(from: "s", to: "a", latency: Constant("1300us"), response_latency: Constant("2s"))])"#,
        );
        // A request that arrives while it is looked for.
        let dots: usize =
            (0..2_000).map(|step| compared(&mut session, moment(10_000.0 + 0.0007 * f64::from(step)))).sum();
        assert!(dots > 1_000, "{dots}");
    }

    /// 500 a second for a second each way: 1,000 under way.
    const STREAM: &str = r#"(name: "x", run_until: "9s", sources: {"s": (arrivals: Constant(rate: "500/s"), to: "a")},
        nodes: {"a": Server(concurrency: 50, service: Constant("1ms"))}, links: [(from: "s", to: "a", latency: Constant("1s"))])"#;

    #[test]
    fn a_crowd_spreads_between_the_ends_of_its_way_and_stays_on_its_side() {
        let mut session = open(STREAM);
        session.go_to(moment(4.0));
        let found = Dots::of(&session, &view());
        assert_eq!(found.requests.len(), 1_000);
        let off = |dot: &Dot| dot.at()[1] - session.layout.places[0].y;
        let heights: Vec<f32> = found.dots.iter().map(off).collect();
        let widest = heights.iter().fold(0.0_f32, |most, height| most.max(height.abs()));
        assert!(widest > 4.0 * ASIDE && widest <= SPREAD + ASIDE, "{widest}");
        for (dot, height) in found.dots.iter().zip(heights) {
            let share = -dot.left / (dot.arrives - dot.left);
            let room = ASIDE + 4.0 * SPREAD * share * (1.0 - share) + 1e-3;
            assert!(height.abs() <= room, "{height} at {share}");
        }
    }

    #[test]
    fn what_stands_out_is_painted_above_the_others_and_they_are_dimmed() {
        let mut session =
            open(&STREAM.replace("to: \"a\")}", "key: Zipf(keys: 5, exponent: 1.0), to: \"a\")}"));
        session.go_to(moment(4.0));
        let key = session.live_state.tracked_requests().nth(300).expect("there are 1,000").key;
        let found = Dots::of(&session, &Camera { highlight: Some(key), ..view() });
        let of_key =
            |row: &RequestRow| session.live_state.tracked_request(*row).is_some_and(|found| found.key == key);
        let first = found.requests.iter().position(of_key).expect("one is of this key");
        assert!(first > 0 && found.requests[first..].iter().all(of_key));
        let alpha = |dot: &Dot| dot.colour.a();
        assert!(
            found.dots[..first].iter().all(|dot| alpha(dot) < 80)
                && found.dots[first..].iter().all(|dot| alpha(dot) == 255)
        );
    }

    #[test]
    fn what_is_turned_away_falls_and_fades() {
        let mut session = open(
            r#"(name: "x", run_until: "9s", sources: {"s": (arrivals: Constant(rate: "10/s"), to: "a")},
            nodes: {"a": Server(service: Constant("5s"), queue: Fifo(capacity: 0))})"#,
        );
        session.play_to(moment(0.2));
        let fallen = |session: &Session| {
            let bad: Vec<Dot> =
                Dots::of(session, &view()).dots.into_iter().filter(|dot| dot.bend < -1.0).collect();
            let [dot] = bad[..] else { panic!("one was turned away: {bad:?}") };
            (dot.at()[1], dot.colour.a())
        };
        let before = fallen(&session);
        session.play_to(moment(0.29));
        let after = fallen(&session);
        assert!(after.0 < before.0 - 3.0 && after.1 < before.1, "{before:?}, then {after:?}");
    }
}
