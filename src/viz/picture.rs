//! The picture of a moment: boxes, links, and a dot for every request, where it is at that moment.
//!
//! It is painted by egui in one pass, and decides nothing: what is where is in [`stage`](super::stage), where boxes stand
//! in [`layout`](super::layout). So it can be painted without a window, and tested without a GPU.

use bevy_egui::egui::{
    Align2, Color32, CornerRadius, FontId, Painter, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, Ui, Vec2,
    pos2, vec2,
};

use super::layout::{Layout, NODE, Place};
use super::session::{PASSAGE_SECONDS, Session};
use super::stage::{Desk, Passage, PassageKind, Traveller, Whereabouts};
use super::theme::{BAD, Colouring, SERIES, Theme};
use crate::analysis::Standing;
use crate::engine::whole;
use crate::event::{Node, RequestRow};
use crate::model::probe::NodeKind;

/// More dots than this are not told apart any more: one in several is drawn, and it is said so.
const MOST_DOTS: usize = 30_000;
/// Slots of a server that are drawn each; of more, how many are taken.
const MOST_DISCS: usize = 12;
/// Places of a line in a row under its server, and rows.
const LINE: (usize, usize) = (25, 4);
/// A passage that takes no time is shown for a third of the time that it is remembered.
const HOP: f64 = PASSAGE_SECONDS / 3.0;
/// Requests that have been under way for so many seconds have the colour of old ones.
const OLD: f64 = 1.0;

/// What the picture looks at, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Screen points a unit of the layout; 0 until it was fitted.
    pub zoom: f32,
    /// The point of the layout in the middle of the picture.
    pub middle: (f32, f32),
    /// How requests are coloured.
    pub colouring: Colouring,
    /// The key that stands out, if one does.
    pub highlight: Option<u32>,
    /// The box that was clicked.
    pub node: Option<usize>,
    /// The request that was clicked.
    pub request: Option<RequestRow>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            zoom: 0.0,
            middle: (0.0, 0.0),
            colouring: Colouring::default(),
            highlight: None,
            node: None,
            request: None,
        }
    }
}

/// A number as screens have it.
#[expect(clippy::cast_possible_truncation, reason = "a screen has some thousand points")]
pub(super) const fn single(number: f64) -> f32 {
    number as f32
}

/// The picture while it is painted.
struct Canvas<'a> {
    painter: Painter,
    rect: Rect,
    session: &'a Session,
    view: &'a View,
    theme: &'a Theme,
}

/// Paints a session, and lets the mouse move, zoom and pick.
pub fn show(ui: &mut Ui, session: &Session, view: &mut View, theme: &Theme) {
    let rect = ui.available_rect_before_wrap();
    let response = ui.allocate_rect(rect, Sense::click_and_drag());
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, CornerRadius::ZERO, theme.ground);
    if view.zoom <= 0.0 {
        fit(view, &session.layout, rect.size());
    }
    if response.dragged() {
        let moved = response.drag_delta() / view.zoom;
        view.middle = (view.middle.0 - moved.x, view.middle.1 + moved.y);
    }
    let wheel = ui.input(|input| input.smooth_scroll_delta().y);
    if response.hovered() && wheel.abs() > 0.0 {
        view.zoom = (view.zoom * (wheel * 0.002).exp2()).clamp(0.1, 6.0);
    }
    let canvas = Canvas { painter, rect, session, view, theme };
    let picked =
        response.clicked().then(|| response.interact_pointer_pos()).flatten().map(|at| canvas.pick(at));
    canvas.paint();
    if let Some((node, request)) = picked {
        (view.node, view.request) = (node, request);
    }
}

/// Shows the whole system.
pub fn fit(view: &mut View, layout: &Layout, size: Vec2) {
    let [left, low, right, high] = layout.bounds();
    // Names stand out over boxes, lines hang below them.
    let (width, height) = (right - left + 60.0, high - low + 90.0);
    view.zoom = (size.x / width).min(size.y / height).clamp(0.1, 1.6);
    view.middle = (f32::midpoint(left, right), f32::midpoint(low, high));
}

impl Canvas<'_> {
    fn at(&self, x: f32, y: f32) -> Pos2 {
        let zoom = self.view.zoom;
        self.rect.center() + vec2((x - self.view.middle.0) * zoom, (self.view.middle.1 - y) * zoom)
    }

    fn plate(&self, place: &Place) -> Rect {
        Rect::from_center_size(self.at(place.x, place.y), vec2(NODE.0, NODE.1) * self.view.zoom)
    }

    fn place(&self, node: Node) -> Option<&Place> {
        self.session.layout.find(node).map(|at| &self.session.layout.places[at])
    }

    fn paint(&self) {
        self.links();
        let layout = &self.session.layout;
        layout.places.iter().enumerate().for_each(|(at, place)| self.node(at, place));
        self.travellers();
        self.passages();
    }

    fn links(&self) {
        let layout = &self.session.layout;
        for &(from, to) in &layout.edges {
            let (from, to) = (self.plate(&layout.places[from]), self.plate(&layout.places[to]));
            let stroke = Stroke::new(1.5 * self.view.zoom.max(0.5), self.theme.link);
            self.painter.line_segment([from.right_center(), to.left_center()], stroke);
        }
    }

    fn node(&self, at: usize, place: &Place) {
        let (rect, zoom) = (self.plate(place), self.view.zoom);
        let trouble = self.trouble(place);
        let edge = match (self.view.node == Some(at), trouble) {
            (true, _) => Stroke::new(2.5, self.theme.ink),
            (false, true) => Stroke::new(2.0, BAD),
            (false, false) => Stroke::new(1.0, self.theme.edge),
        };
        let corner = CornerRadius::same(if place.kind == NodeKind::Source { 30 } else { 7 });
        self.painter.rect(rect, corner, self.theme.plate, edge, StrokeKind::Middle);
        let title = rect.center_top() + vec2(0.0, 11.0 * zoom);
        let middle = match place.kind {
            NodeKind::Server => title,
            NodeKind::Source | NodeKind::LoadBalancer | NodeKind::Client => {
                rect.center() - vec2(0.0, 6.0 * zoom)
            }
        };
        self.text(middle, &place.name, 13.0, self.theme.ink);
        if place.kind == NodeKind::Server {
            self.server(rect, place);
        } else {
            self.text(rect.center() + vec2(0.0, 11.0 * zoom), place.kind.name(), 10.5, self.theme.faint);
        }
    }

    /// Whether something was found wrong with a node at this moment.
    fn trouble(&self, place: &Place) -> bool {
        let now = self.session.clock.now.as_seconds();
        self.session.findings.iter().any(|finding| {
            finding.kind().standing() == Standing::Trouble
                && finding.subject == place.name
                && finding.from.is_none_or(|from| from <= now)
                && finding.to.is_none_or(|to| now <= to)
        })
    }

    fn text(&self, at: Pos2, text: &str, size: f32, colour: Color32) {
        let font = FontId::proportional((size * self.view.zoom).clamp(7.0, 30.0));
        // At any zoom a text is readable, or left out.
        if self.view.zoom > 0.35 {
            self.painter.text(at, Align2::CENTER_CENTER, text, font, colour);
        }
    }

    /// The slots of a server, each a disc that fills, and its line.
    fn server(&self, rect: Rect, place: &Place) {
        let (zoom, first) = (self.view.zoom, place.first as usize);
        let desks = &self.session.stage.desks[first..first + place.members as usize];
        let [desk] = desks else {
            self.folded(rect, desks);
            return;
        };
        let slots = desk.slots.len();
        if slots <= MOST_DISCS {
            let step = rect.width() / (slots as f32 + 0.6);
            let radius = (0.42 * step).min(8.0 * zoom);
            for (number, slot) in desk.slots.iter().enumerate() {
                let middle = rect.left_center() + vec2(step * (number as f32 + 0.8), 5.0 * zoom);
                self.slot(middle, radius, *slot);
            }
        } else {
            let busy = desk.slots.iter().flatten().count();
            self.bar(rect, busy as f32 / slots as f32, &format!("{busy} of {slots}"));
        }
        self.line(rect, desk);
    }

    fn slot(&self, middle: Pos2, radius: f32, slot: Option<RequestRow>) {
        self.painter.circle_filled(middle, radius, self.theme.free);
        let Some(traveller) = slot.and_then(|row| self.session.stage.traveller(row)) else { return };
        let Whereabouts::Served { since, done, .. } = traveller.whereabouts else { return };
        let now = self.session.clock.now;
        let length = done.since(since).as_nanos_f64();
        let share = if length > 0.0 { (now.since(since).as_nanos_f64() / length).min(1.0) } else { 1.0 };
        let colour = self.colour(traveller);
        // The disc fills like a clock.
        let corners = 2 + whole(22.0 * share);
        let mut points = vec![middle];
        points.extend((0..=corners).map(|corner| {
            let angle = std::f32::consts::TAU * (single(share) * corner as f32 / corners as f32 - 0.25);
            middle + radius * Vec2::angled(angle)
        }));
        self.painter.circle_filled(middle, radius, colour.gamma_multiply(0.35));
        self.painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
        if self.view.request == Some(traveller.row) {
            self.painter.circle_stroke(middle, radius + 2.0, Stroke::new(2.0, self.theme.ink));
        }
    }

    /// Who waits, in order, in rows under the server; what does not fit is counted.
    fn line(&self, rect: Rect, desk: &Desk) {
        let zoom = self.view.zoom;
        let step = rect.width() / LINE.0 as f32;
        for (number, row) in desk.line.iter().take(LINE.0 * LINE.1).enumerate() {
            if let Some(traveller) = self.session.stage.traveller(*row) {
                let at = self.waiting(rect, number);
                self.painter.circle_filled(at, 0.36 * step, self.colour(traveller));
            }
        }
        let rows = desk.line.len().div_ceil(LINE.0).min(LINE.1);
        if !desk.line.is_empty() {
            let below =
                rect.left_bottom() + vec2(rect.width() / 2.0, step * (rows as f32 + 0.4) + 9.0 * zoom);
            self.text(below, &format!("{} waiting", desk.line.len()), 10.5, self.theme.faint);
        }
    }

    fn waiting(&self, rect: Rect, number: usize) -> Pos2 {
        let step = rect.width() / LINE.0 as f32;
        let (row, column) = (number / LINE.0, number % LINE.0);
        rect.left_bottom() + vec2(step * (column as f32 + 0.5), step * (row as f32 + 0.8))
    }

    /// A group of many servers: how busy each is, from the least to the most, and how many wait in all.
    fn folded(&self, rect: Rect, desks: &[Desk]) {
        let mut loads: Vec<f32> = desks
            .iter()
            .map(|desk| desk.slots.iter().flatten().count() as f32 / desk.slots.len().max(1) as f32)
            .collect();
        loads.sort_by(f32::total_cmp);
        let inside = Rect::from_min_max(
            rect.left_top() + vec2(8.0, 22.0) * self.view.zoom,
            rect.right_bottom() - vec2(8.0, 18.0) * self.view.zoom,
        );
        let bars = 48.min(loads.len());
        let width = inside.width() / bars as f32;
        for bar in 0..bars {
            let load = loads[bar * loads.len() / bars];
            let left = inside.left() + width * bar as f32;
            let top = inside.bottom() - inside.height() * load.max(0.02);
            let column = Rect::from_min_max(pos2(left, top), pos2(left + 0.85 * width, inside.bottom()));
            self.painter.rect_filled(column, CornerRadius::ZERO, if load >= 1.0 { BAD } else { SERIES[2] });
        }
        let waiting: usize = desks.iter().map(|desk| desk.line.len()).sum();
        self.text(
            rect.center_bottom() - vec2(0.0, 9.0 * self.view.zoom),
            &format!("{waiting} waiting"),
            10.5,
            self.theme.faint,
        );
    }

    fn bar(&self, rect: Rect, share: f32, text: &str) {
        let zoom = self.view.zoom;
        let inside = Rect::from_center_size(
            rect.center() + vec2(0.0, 5.0 * zoom),
            vec2(rect.width() * 0.88, 14.0 * zoom),
        );
        self.painter.rect_filled(inside, CornerRadius::same(3), self.theme.free);
        let filled = Rect::from_min_size(inside.min, vec2(inside.width() * share, inside.height()));
        self.painter.rect_filled(filled, CornerRadius::same(3), if share >= 1.0 { BAD } else { SERIES[2] });
        self.text(inside.center(), text, 10.5, self.theme.ink);
    }

    fn colour(&self, traveller: &Traveller) -> Color32 {
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
    fn between(&self, from: Node, to: Node, share: f32, home: bool) -> Option<Pos2> {
        let (from, to) = (self.plate(self.place(from)?), self.plate(self.place(to)?));
        let (a, b) = if home {
            (from.left_center(), to.right_center())
        } else {
            (from.right_center(), to.left_center())
        };
        let aside = vec2(0.0, if home { 5.0 } else { -5.0 }) * self.view.zoom;
        Some(a + (b - a) * share + aside)
    }

    fn travellers(&self) {
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

    fn dot(&self, at: Pos2, radius: f32, traveller: &Traveller) {
        let stands_out = self.view.highlight == Some(traveller.key);
        let radius = if stands_out { 1.4 * radius } else { radius };
        self.painter.circle_filled(at, radius, self.colour(traveller));
        if self.view.request == Some(traveller.row) {
            self.painter.circle_stroke(at, radius + 3.0, Stroke::new(2.0, self.theme.ink));
        }
    }

    fn passages(&self) {
        let rate = self.session.clock.rate();
        let rate = if rate.is_finite() { rate } else { self.session.clock.achieved.max(1.0) };
        for passage in &self.session.stage.passages {
            let seconds = self.session.clock.now.since(passage.at).as_seconds() / rate;
            self.passage(passage, seconds);
        }
    }

    /// Something that took no time, so many real seconds ago.
    fn passage(&self, passage: &Passage, seconds: f64) {
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

    /// The box and the request at a point of the screen.
    fn pick(&self, at: Pos2) -> (Option<usize>, Option<RequestRow>) {
        let layout = &self.session.layout;
        let request = self.request_at(at);
        let node = layout.places.iter().position(|place| self.plate(place).contains(at));
        (node, request)
    }

    fn request_at(&self, at: Pos2) -> Option<RequestRow> {
        let now = self.session.clock.now;
        let near = |point: Pos2| point.distance(at) < 8.0;
        let moving = self.session.stage.travellers().find(|traveller| {
            let Whereabouts::Between { from, to, left, arrives: Some(arrives), home } = traveller.whereabouts
            else {
                return false;
            };
            let share = now.since(left).as_nanos_f64() / arrives.since(left).as_nanos_f64().max(1.0);
            self.between(from, to, single(share), home).is_some_and(near)
        });
        moving.map(|traveller| traveller.row).or_else(|| self.waiting_at(at))
    }

    fn waiting_at(&self, at: Pos2) -> Option<RequestRow> {
        let servers = self
            .session
            .layout
            .places
            .iter()
            .filter(|place| place.kind == NodeKind::Server && place.members == 1);
        servers.into_iter().find_map(|place| {
            let (rect, desk) = (self.plate(place), &self.session.stage.desks[place.first as usize]);
            let step = rect.width() / (desk.slots.len() as f32 + 0.6);
            let slot = (0..desk.slots.len().min(MOST_DISCS)).find(|&number| {
                let middle = rect.left_center() + vec2(step * (number as f32 + 0.8), 5.0 * self.view.zoom);
                middle.distance(at) < 9.0 * self.view.zoom
            });
            let waiting =
                || (0..desk.line.len()).find(|&number| self.waiting(rect, number).distance(at) < 4.0);
            slot.and_then(|slot| desk.slots[slot]).or_else(|| waiting().map(|number| desk.line[number]))
        })
    }
}
