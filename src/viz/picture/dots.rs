//! Dots: requests and responses on links, and instant hops.
//!
//! The list of dots is plain data, made from a session and a camera: where and when each dot leaves and arrives. The
//! GPU computes its position at the time shown ([`gpu`](super::gpu)). [`Dot::at`] has the same formula, for the mouse
//! and for tests.

use bevy_egui::egui::{Align2, Color32, FontId, Pos2, Stroke, vec2};
use bevy_egui::render::EguiBevyPaintCallback;

use super::gpu::DotsCallback;
use super::{Camera, Canvas, single};
use crate::event::{Node, RequestRow};
use crate::model::trace::Passage;
use crate::viz::layout::{Layout, NODE};
use crate::viz::live_state::{HopKind, InstantHop};
use crate::viz::session::{HOP_SECONDS, Session};
use crate::viz::theme::{BAD, Colouring, SERIES};
use crate::viz::tracked_request::{RequestLocation, TrackedRequest};

/// Maximum number of dots. With more requests, a dot is drawn for every n-th one, and a note says so.
const MAX_DOTS: usize = 500_000;
/// How long a hop without latency is shown, in seconds of real time: a third of the time for which it is kept, so that
/// three in a row can be shown one after the other.
const HOP_VISIBLE_SECONDS: f64 = HOP_SECONDS / 3.0;
/// Age from which on a request has the colour of old requests, in seconds of simulated time.
const OLD_SECONDS: f64 = 1.0;
/// Radius of a dot, in layout units.
const RADIUS: f32 = 3.6;
/// Radius of the dot of a call over that of the dot of a request.
const CALL_SCALE: f32 = 0.7;
/// Offset of requests above the line of the link, and of responses below it, in layout units.
const SIDE_OFFSET: f32 = 5.0;
/// The share of a link, from its beginning, on which the dots of messages in transfer are.
const TRANSFER_SHARE: f32 = 0.15;
/// Maximum spread of a stream of many dots from its line, in layout units. Neighbouring boxes are 90 apart.
const MAX_SPREAD: f32 = 30.0;
/// Number of dots in the picture above which each dot is drawn smaller, so that single dots stay visible in a stream.
const CROWDED_DOTS: f32 = 4_000.0;
/// Minimum scale of a dot in a crowded picture.
const MIN_SCALE: f32 = 0.34;

/// Number of 32-bit words of a dot in the GPU's buffer.
pub(super) const WORDS: usize = 9;

/// A dot and its path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// Where it leaves, in layout units (y upwards).
    pub origin: [f32; 2],
    /// Where it arrives.
    pub goal: [f32; 2],
    /// When it leaves, in seconds relative to the time shown: at most 0. As `f32`, seconds from the start of the run
    /// would be off by a millisecond after three hours.
    pub left: f32,
    /// When it arrives, in seconds relative to the time shown: at least 0.
    pub arrives: f32,
    /// Offset of the end of its path from the straight line, in layout units, upwards. On the way there, the offset
    /// grows with the square of the share of the path.
    pub bend: f32,
    /// Radius, in screen points.
    pub radius: f32,
    /// Its colour.
    pub colour: Color32,
}

impl Dot {
    /// Its position at the time shown, in layout units. The shader computes the same.
    #[must_use]
    pub fn at(&self) -> [f32; 2] {
        let duration = self.arrives - self.left;
        let share = if duration > 0.0 { (-self.left / duration).clamp(0.0, 1.0) } else { 1.0 };
        let [x, y] = [0, 1].map(|axis| self.origin[axis] + (self.goal[axis] - self.origin[axis]) * share);
        [x, y + self.bend * share * share]
    }

    /// Its data in the layout that the shader reads.
    pub(super) fn words(&self) -> [u32; WORDS] {
        let [[x, y], [to_x, to_y]] = [self.origin, self.goal];
        let numbers = [x, y, to_x, to_y, self.left, self.arrives, self.bend, self.radius].map(f32::to_bits);
        let [a, b, c, d, e, f, g, h] = numbers;
        [a, b, c, d, e, f, g, h, u32::from_le_bytes(self.colour.to_array())]
    }
}

/// All dots at the time shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dots {
    /// The dots: requests first, then hops.
    pub dots: Vec<Dot>,
    /// The requests of the first dots, in the order of `dots`. Hops have none.
    pub requests: Vec<RequestRow>,
    /// Number of requests per dot.
    pub requests_per_dot: usize,
}

impl Dots {
    /// The dots at the time that a session shows.
    #[must_use]
    pub fn of(session: &Session, camera: &Camera) -> Self {
        let mut dots = Self {
            requests_per_dot: session.live_state.in_flight.div_ceil(MAX_DOTS).max(1),
            ..Self::default()
        };
        dots.tracked_requests(session, camera);
        dots.hops(session, camera);
        dots
    }

    fn tracked_requests(&mut self, session: &Session, camera: &Camera) {
        let mut streams = Streams::new(&session.layout);
        // The stream of each dot. Positions depend on the number of dots in the stream, which is known only at the end.
        let mut stream_of = Vec::new();
        self.dots.reserve(session.live_state.in_flight);
        // Highlighted requests are painted last, above the others.
        let rounds: &[Option<bool>] =
            if camera.highlight.is_some() { &[Some(false), Some(true)] } else { &[None] };
        let now = session.clock.now;
        for round in rounds {
            for tracked_request in session.live_state.tracked_requests().step_by(self.requests_per_dot) {
                let highlighted = camera.highlight == Some(tracked_request.key);
                let RequestLocation::Between { from, to, left, passage, is_response } =
                    tracked_request.location
                else {
                    continue;
                };
                // In transfer, it stays where the link begins.
                let (left, arrives) = match passage {
                    Passage::Arrives(arrives) => {
                        (now.since(left).as_seconds(), arrives.since(now).as_seconds())
                    }
                    Passage::Transferred => (0.0, 1.0),
                    Passage::Lost => continue,
                };
                if round.is_some_and(|round| round != highlighted) {
                    continue;
                }
                let Some(stream) = streams.find(from, to, is_response) else { continue };
                stream_of.push(stream);
                self.requests.push(tracked_request.row);
                let [mut origin, goal] = streams.all[stream].endpoints;
                let [scatter, along] = scatter(tracked_request);
                if passage == Passage::Transferred {
                    origin[0] += (goal[0] - origin[0]) * TRANSFER_SHARE * along;
                    origin[1] += 2.0 * SIDE_OFFSET * scatter;
                }
                self.dots.push(Dot {
                    origin,
                    goal,
                    left: -single(left),
                    arrives: single(arrives),
                    bend: scatter,
                    // Calls are smaller than the requests for which they are made.
                    radius: if highlighted { 1.4 } else { 1.0 }
                        * if tracked_request.parent.is_some() { CALL_SCALE } else { 1.0 },
                    colour: colour(session, camera, tracked_request),
                });
            }
        }
        let radius = (RADIUS * camera.zoom).clamp(1.5, 6.0);
        let scale = (CROWDED_DOTS / self.dots.len().max(1) as f32).sqrt().clamp(MIN_SCALE, 1.0);
        let radius = (radius * scale).max(0.75);
        for (dot, stream) in self.dots.iter_mut().zip(stream_of) {
            // A parabola with the endpoints of the straight line, farthest from it half way.
            let offset = 4.0 * dot.bend * streams.all[stream].spread();
            dot.goal[1] += offset;
            dot.bend = -offset;
            dot.radius *= radius;
        }
    }

    fn hops(&mut self, session: &Session, camera: &Camera) {
        let rate = session.clock.rate();
        let rate = if rate.is_finite() { rate } else { session.clock.achieved.max(1.0) };
        for hop in &session.live_state.hops {
            let seconds = session.clock.now.since(hop.at).as_seconds() / rate;
            self.dots.extend(hop_dot(session, camera, hop, seconds));
        }
    }
}

/// The dot of an instant hop `seconds` of real time ago, or `None` if the hop is not shown any more. Its `left` and
/// `arrives` are in units of its duration on the screen.
fn hop_dot(session: &Session, camera: &Camera, hop: &InstantHop, seconds: f64) -> Option<Dot> {
    let dimmed = camera.highlight.is_some_and(|key| key != hop.key);
    let radius = (3.2 * camera.zoom).clamp(1.5, 5.0);
    let (from, to) = (session.layout.find(hop.from)?, session.layout.find(hop.to)?);
    let is_response = hop.kind == HopKind::Response;
    let [origin, goal] = endpoints(&session.layout, from, to, is_response);
    let dot = |origin, goal, share: f32, bend, radius, colour| {
        let (left, arrives) = (-share, 1.0 - share);
        Some(Dot { origin, goal, left, arrives, bend, radius, colour })
    };
    match hop.kind {
        HopKind::Request | HopKind::Response => {
            let share = seconds / HOP_VISIBLE_SECONDS - f64::from(hop.hop);
            let colour = source_colour(hop.source);
            let colour = colour.gamma_multiply(if dimmed { 0.2 } else { 0.9 });
            let visible = (0.0..=1.0).contains(&share);
            visible.then(|| dot(origin, goal, single(share), 0.0, radius, colour)).flatten()
        }
        HopKind::FailedAtNode | HopKind::LostOnLink => {
            let [x, y] = if hop.kind == HopKind::LostOnLink {
                [0, 1].map(|axis| f32::midpoint(origin[axis], goal[axis]))
            } else {
                let place = &session.layout.boxes[to];
                [place.x - NODE.0 / 2.0, place.y]
            };
            let share = single(seconds / HOP_SECONDS);
            // It falls with constant acceleration, and fades.
            let colour = BAD.gamma_multiply(1.0 - 0.8 * share);
            dot([x, y], [x - 14.0, y], share, -90.0, 1.2 * radius, colour)
        }
    }
}

/// The start and end of the path of a request, above the line of the link, or of a response, below it.
fn endpoints(layout: &Layout, from: usize, to: usize, is_response: bool) -> [[f32; 2]; 2] {
    let (from, to) = (&layout.boxes[from], &layout.boxes[to]);
    let side = if is_response { -1.0 } else { 1.0 };
    let (half, offset) = (side * NODE.0 / 2.0, side * SIDE_OFFSET);
    [[from.x + half, from.y + offset], [to.x - half, to.y + offset]]
}

/// The dots on the same link in the same direction.
struct Stream {
    to: usize,
    is_response: bool,
    endpoints: [[f32; 2]; 2],
    dots: usize,
}

impl Stream {
    /// How far the dots spread from the line, in layout units. 0 if they fit next to each other on half of the line.
    fn spread(&self) -> f32 {
        let [[x, y], [to_x, to_y]] = self.endpoints;
        let dots_per_line = (to_x - x).hypot(to_y - y).max(1.0) / (2.0 * RADIUS);
        let lines = self.dots as f32 / dots_per_line;
        MAX_SPREAD.min(RADIUS * (lines - 0.5).max(0.0))
    }
}

/// All streams, indexed by the box where they start.
struct Streams<'a> {
    layout: &'a Layout,
    all: Vec<Stream>,
    leaving: Vec<Vec<usize>>,
}

impl<'a> Streams<'a> {
    fn new(layout: &'a Layout) -> Self {
        Self { layout, all: Vec::new(), leaving: vec![Vec::new(); layout.boxes.len()] }
    }

    /// Adds a dot to its stream, and returns the index of the stream.
    fn find(&mut self, from: Node, to: Node, is_response: bool) -> Option<usize> {
        let (from, to) = (self.layout.find(from)?, self.layout.find(to)?);
        let mut existing = self.leaving[from].iter().copied();
        let existing = existing.find(|&at| self.all[at].to == to && self.all[at].is_response == is_response);
        let at = existing.unwrap_or_else(|| {
            let endpoints = endpoints(self.layout, from, to, is_response);
            self.all.push(Stream { to, is_response, endpoints, dots: 0 });
            self.leaving[from].push(self.all.len() - 1);
            self.all.len() - 1
        });
        self.all[at].dots += 1;
        Some(at)
    }
}

/// The offset of a request in its stream, -1 to 1, with a triangular distribution; and its place along the beginning of its link
/// while it is in transfer, 0 to 1. Constant for each request.
fn scatter(tracked_request: &TrackedRequest) -> [f32; 2] {
    let mixed = (tracked_request.created.as_nanos() ^ u64::from(tracked_request.row.number()) << 40)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let uniform = |shift: u32| (mixed >> shift & 0xffff) as f32 / 65_535.0;
    [uniform(48) + uniform(32) - 1.0, uniform(16)]
}

/// The colour of a source.
fn source_colour(source: Node) -> Color32 {
    SERIES[source.row() as usize % SERIES.len()]
}

/// The colour of a request.
fn colour(session: &Session, camera: &Camera, tracked_request: &TrackedRequest) -> Color32 {
    let now = session.clock.now;
    let colour = match camera.colouring {
        Colouring::Source => source_colour(tracked_request.source),
        Colouring::Key => SERIES[(tracked_request.key as usize).wrapping_mul(7) % SERIES.len()],
        Colouring::Age => {
            let age = single((now.since(tracked_request.created).as_seconds() / OLD_SECONDS).min(1.0));
            SERIES[2].lerp_to_gamma(BAD, age)
        }
        Colouring::Outcome => SERIES[2],
    };
    let colour = if tracked_request.rejected { BAD } else { colour };
    match camera.highlight {
        Some(key) if key == tracked_request.key => colour,
        Some(_) => colour.gamma_multiply(0.25),
        None => colour,
    }
}

impl Canvas<'_> {
    pub(super) fn colour(&self, tracked_request: &TrackedRequest) -> Color32 {
        colour(self.session, self.camera, tracked_request)
    }

    /// The screen position of a dot.
    fn position(&self, dot: &Dot) -> Pos2 {
        let [x, y] = dot.at();
        self.at(x, y)
    }

    /// Paints all dots, and a ring around the selected one.
    pub(super) fn dots(&self) {
        let Dots { dots, requests, requests_per_dot } = Dots::of(self.session, self.camera);
        let selected = self.camera.request.and_then(|row| requests.iter().position(|other| *other == row));
        let ring = selected.map(|at| (self.position(&dots[at]), dots[at].radius));
        if !dots.is_empty() {
            let Camera { zoom, middle, .. } = *self.camera;
            let callback = DotsCallback { pane: self.pane, dots, zoom, middle, centre: self.rect.center() };
            let visible = self.rect.intersect(self.painter.ctx().viewport_rect());
            self.painter.add(EguiBevyPaintCallback::new_paint_callback(visible, callback));
        }
        if let Some((at, radius)) = ring {
            self.painter.circle_stroke(at, radius + 3.0, Stroke::new(2.0, self.theme.ink));
        }
        if requests_per_dot > 1 {
            let note = format!("1 dot = {requests_per_dot} requests");
            self.painter.text(
                self.rect.left_bottom() + vec2(12.0, -12.0),
                Align2::LEFT_BOTTOM,
                note,
                FontId::proportional(12.0),
                self.theme.faint,
            );
        }
    }

    /// The request whose dot is nearest to a screen position, or `None` if no dot is within 8 points.
    pub(super) fn dot_at(&self, at: Pos2) -> Option<RequestRow> {
        let Dots { dots, requests, .. } = Dots::of(self.session, self.camera);
        let near = dots.iter().zip(requests).map(|(dot, row)| (self.position(dot).distance(at), row));
        let nearest = near.min_by(|a, b| a.0.total_cmp(&b.0));
        nearest.filter(|(distance, _)| *distance < 8.0).map(|(_, row)| row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::SimTime;
    use crate::viz::session::moment;

    /// The expected position of a request, computed in double precision from absolute times.
    fn expected(session: &Session, tracked_request: &TrackedRequest) -> Option<[f64; 2]> {
        let RequestLocation::Between { from, to, left, passage: Passage::Arrives(arrives), is_response } =
            tracked_request.location
        else {
            return None;
        };
        let place = |node| session.layout.find(node).map(|at| &session.layout.boxes[at]);
        let (from, to) = (place(from)?, place(to)?);
        let side = if is_response { -1.0 } else { 1.0 };
        let half = side * f64::from(NODE.0) / 2.0;
        let (a, b) =
            ((f64::from(from.x) + half, f64::from(from.y)), (f64::from(to.x) - half, f64::from(to.y)));
        let share = session.clock.now.since(left).as_nanos_f64() / arrives.since(left).as_nanos_f64();
        let offset = side * f64::from(SIDE_OFFSET);
        Some([a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share + offset])
    }

    fn open(text: &str) -> Session {
        Session::open("test.ron", text.as_bytes(), &[], None).unwrap_or_else(|error| panic!("{error}"))
    }

    fn camera() -> Camera {
        Camera { zoom: 1.0, ..Camera::default() }
    }

    /// Goes to a time and compares every dot with the expected position of its request. Returns the number of dots.
    fn check_dots(session: &mut Session, now: SimTime) -> usize {
        session.go_to(now);
        let actual = Dots::of(session, &camera());
        let expected: Vec<_> =
            session.live_state.tracked_requests().filter_map(|request| expected(session, request)).collect();
        assert_eq!(actual.requests.len(), expected.len());
        for (dot, expected) in actual.dots.iter().zip(&expected) {
            let error = |axis: usize| (f64::from(dot.at()[axis]) - expected[axis]).abs();
            // A layout unit is at most eight pixels, and a hundredth of a pixel is invisible.
            assert!(error(0).max(error(1)) < 1e-3, "{dot:?} is not at {expected:?} at {now:?}");
        }
        expected.len()
    }

    #[test]
    fn every_dot_is_at_the_position_of_its_request() {
        let mut session = open(
            r#"(name: "x", run_until: "9s",
            sources: {"a": (arrivals: Poisson(rate: "10/s"), to: "lb"), "b": (arrivals: Constant(rate: "9/s"), to: "s-1")},
            nodes: {"lb": LoadBalancer(policy: Random, to: "s"), "s": Server(count: 3, service: Constant("5ms"))},
            links: [(from: "a", to: "lb", latency: Exponential(mean: "50ms")), (from: "lb", to: "s", latency: Constant("1s")),
                    (from: "b", to: "s", latency: LogNormal(mean: "300ms", sd: "200ms"), loss: 0.1)])"#,
        );
        let dots: usize = (1..80).map(|tenth| check_dots(&mut session, moment(0.1 * f64::from(tenth)))).sum();
        // Little's law: 10/s on links for 2.1 s, and 9/s for less than 0.6 s. Few enough that no stream spreads.
        assert!((1_200..2_400).contains(&dots), "{dots}");
    }

    #[test]
    fn dots_are_as_exact_three_hours_into_a_run() {
        let mut session = open(
            r#"(name: "x", run_until: "10010s", sources: {"s": (arrivals: Constant(rate: "0.7/s"), to: "a")},
            nodes: {"a": Server(service: Constant("100ms"))},
            links: [(from: "s", to: "a", latency: Constant("1300us"), response_latency: Constant("2s"))])"#,
        );
        // Small steps, in which requests arrive.
        let dots: usize = (0..2_000)
            .map(|step| check_dots(&mut session, moment(10_000.0 + 0.0007 * f64::from(step))))
            .sum();
        assert!(dots > 1_000, "{dots}");
    }

    /// 500 requests per second, with a latency of 1 s each way: 1,000 in flight.
    const STREAM: &str = r#"(name: "x", run_until: "9s", sources: {"s": (arrivals: Constant(rate: "500/s"), to: "a")},
        nodes: {"a": Server(concurrency: 50, service: Constant("1ms"))}, links: [(from: "s", to: "a", latency: Constant("1s"))])"#;

    #[test]
    fn a_crowded_stream_spreads_between_its_endpoints() {
        let mut session = open(STREAM);
        session.go_to(moment(4.0));
        let Dots { dots, requests, .. } = Dots::of(&session, &camera());
        assert_eq!(requests.len(), 1_000);
        let height = |dot: &Dot| dot.at()[1] - session.layout.boxes[0].y;
        let heights: Vec<f32> = dots.iter().map(height).collect();
        let max = heights.iter().fold(0.0_f32, |max, height| max.max(height.abs()));
        assert!(max > 4.0 * SIDE_OFFSET && max <= MAX_SPREAD + SIDE_OFFSET, "{max}");
        for (dot, height) in dots.iter().zip(heights) {
            let share = -dot.left / (dot.arrives - dot.left);
            let bound = SIDE_OFFSET + 4.0 * MAX_SPREAD * share * (1.0 - share) + 1e-3;
            assert!(height.abs() <= bound, "{height} at {share}");
        }
    }

    #[test]
    fn highlighted_dots_are_painted_above_the_others_which_are_dimmed() {
        let mut session =
            open(&STREAM.replace("to: \"a\")}", "key: Zipf(keys: 5, exponent: 1.0), to: \"a\")}"));
        session.go_to(moment(4.0));
        let key = session.live_state.tracked_requests().nth(300).expect("there are 1,000").key;
        let Dots { dots, requests, .. } = Dots::of(&session, &Camera { highlight: Some(key), ..camera() });
        let of_key = |row: &RequestRow| {
            session.live_state.tracked_request(*row).is_some_and(|request| request.key == key)
        };
        let first = requests.iter().position(of_key).expect("a request has this key");
        assert!(first > 0 && requests[first..].iter().all(of_key));
        let alpha = |dot: &Dot| dot.colour.a();
        assert!(
            dots[..first].iter().all(|dot| alpha(dot) < 80)
                && dots[first..].iter().all(|dot| alpha(dot) == 255)
        );
    }

    #[test]
    fn rejected_requests_fall_and_fade() {
        let mut session = open(
            r#"(name: "x", run_until: "9s", sources: {"s": (arrivals: Constant(rate: "10/s"), to: "a")},
            nodes: {"a": Server(service: Constant("5s"), queue: Fifo(capacity: 0))})"#,
        );
        session.play_to(moment(0.2));
        let rejected = |session: &Session| {
            let falling: Vec<Dot> =
                Dots::of(session, &camera()).dots.into_iter().filter(|dot| dot.bend < -1.0).collect();
            let [dot] = falling[..] else { panic!("one request is rejected: {falling:?}") };
            (dot.at()[1], dot.colour.a())
        };
        let before = rejected(&session);
        session.play_to(moment(0.29));
        let after = rejected(&session);
        assert!(after.0 < before.0 - 3.0 && after.1 < before.1, "{before:?}, then {after:?}");
    }
}
