//! Where nodes stand: in layers along the flow, groups kept together, with few crossings.
//!
//! Layered drawing after Sugiyama, Tagawa and Toda ("Methods for visual understanding of hierarchical system structures",
//! 1981): each group or single node is a block; its layer is the longest way from a source; within a layer blocks are
//! ordered by the mean place of their neighbours, sweep by sweep. All of it is plain arithmetic on the scenario, so that the
//! same system looks the same every time.

use crate::engine::floor_to_usize;
use crate::event::{Node, NodeRange, PerKind};
use crate::model::names::Names;
use crate::scenario::Scenario;

/// Distance between two layers.
pub const LAYER: f32 = 300.0;
/// Size of a node.
pub const NODE: (f32, f32) = (150.0, 64.0);
/// Room between two nodes of a layer, and between two blocks.
const GAP: f32 = 26.0;
const BLOCK_GAP: f32 = 40.0;
/// Distance between two columns of a layer.
const COLUMN: f32 = 196.0;
/// A layer of more boxes may stand in several columns.
const ROWS: f64 = 16.0;
/// How much wider than high a layer of many boxes is: about as much as a window.
const WIDER: f64 = 1.5;
/// Groups of more members are folded into one box.
pub const MAX_MEMBERS: usize = 16;
/// Sweeps in which blocks are ordered: more change nothing in systems that people draw.
const SWEEPS: usize = 8;

/// A box on the live state: a node, or a whole group that is folded into one.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeBox {
    /// What is written on it.
    pub name: String,
    /// Its name in the scenario: that of its group if it is a member of one.
    pub entry: String,
    /// The nodes that it stands for: one, or all members of a group.
    pub nodes: NodeRange,
    /// Its middle.
    pub x: f32,
    /// See `x`; upwards.
    pub y: f32,
}

impl NodeBox {
    /// Its node; the first one if it stands for several.
    #[must_use]
    pub const fn node(&self) -> Node {
        Node::new(self.nodes.kind, self.nodes.first)
    }

    /// Whether it stands for several nodes.
    #[must_use]
    pub const fn is_folded(&self) -> bool {
        self.nodes.count != 1
    }
}

/// The live state: all boxes, and which of them send to which.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// The boxes.
    pub places: Vec<NodeBox>,
    /// Pairs of boxes, by position.
    pub edges: Vec<(usize, usize)>,
    /// The box of every node, by kind and row: a hundred thousand dots ask for theirs in every frame.
    standing: PerKind<Vec<usize>>,
}

/// A source, a node or a group while it is being arranged.
struct Block {
    entry: usize,
    layer: usize,
    order: f32,
    boxes: usize,
}

impl Layout {
    /// The layout of a scenario that has passed its checks.
    #[must_use]
    pub fn of(scenario: &Scenario, names: &Names) -> Self {
        let edges = flows(scenario, names);
        let mut blocks = layered(names, &edges);
        order(&mut blocks, &edges);
        let mut layout = Self::default();
        let mut boxes_of: Vec<Vec<usize>> = vec![Vec::new(); blocks.len()];
        let mut left = 0.0;
        for layer in 0..=blocks.iter().map(|block| block.layer).max().unwrap_or(0) {
            left = layout.stack((layer, left), &blocks, names, &mut boxes_of);
        }
        for (from, to) in edges {
            for &a in &boxes_of[from] {
                layout.edges.extend(boxes_of[to].iter().map(|&b| (a, b)));
            }
        }
        layout
    }

    /// Stands the blocks of a layer on top of each other, around the middle, from `left` on; in several columns if there
    /// are many. Tells where the next layer begins.
    fn stack(
        &mut self,
        (layer, left): (usize, f32),
        blocks: &[Block],
        names: &Names,
        boxes_of: &mut [Vec<usize>],
    ) -> f32 {
        let mut stacked: Vec<&Block> = blocks.iter().filter(|block| block.layer == layer).collect();
        stacked.sort_by(|a, b| a.order.total_cmp(&b.order).then(a.entry.cmp(&b.entry)));
        let rows = rows(stacked.iter().map(|block| block.boxes).sum());
        let (mut x, mut y, mut first) = (left, 0.0, self.places.len());
        for block in stacked {
            let entry = &names.entries[block.entry];
            let used = self.places.len() - first;
            // A group that fits into a column stays together.
            if used > 0 && used + block.boxes > rows {
                (x, y, first) = self.next_column(x, first);
            }
            let count = u32::try_from(entry.members.len()).unwrap_or(u32::MAX);
            let folded = entry.members.len() > MAX_MEMBERS;
            for member in 0..if folded { 1 } else { count } {
                let name = if folded {
                    format!("{} ({count})", entry.name)
                } else {
                    entry.members[member as usize].clone()
                };
                let at = self.places.len();
                boxes_of[block.entry].push(at);
                let stands_for = if folded { count } else { 1 };
                let nodes = NodeRange { kind: entry.kind, first: entry.first + member, count: stands_for };
                let standing = &mut self.standing[nodes.kind];
                let (row, end) = (nodes.first as usize, (nodes.first + nodes.count) as usize);
                standing.resize(standing.len().max(end), 0);
                standing[row..end].fill(at);
                self.places.push(NodeBox { name, entry: entry.name.clone(), nodes, x, y });
                y -= NODE.1 + GAP;
            }
            y -= BLOCK_GAP;
        }
        self.next_column(x, first);
        x + LAYER
    }

    /// Moves the boxes of a column, which begins with the box `first`, around the middle; tells where the next one begins.
    fn next_column(&mut self, x: f32, first: usize) -> (f32, f32, usize) {
        let column = &mut self.places[first..];
        let ends = column.first().zip(column.last()).map(|(top, bottom)| f32::midpoint(top.y, bottom.y));
        column.iter_mut().for_each(|place| place.y -= ends.unwrap_or_default());
        (x + COLUMN, 0.0, self.places.len())
    }

    /// The box that a node stands in.
    #[must_use]
    pub fn find(&self, node: Node) -> Option<usize> {
        self.standing[node.kind()].get(node.row() as usize).copied()
    }

    /// Whether the boxes of another layout stand for the same nodes, wherever they stand.
    #[must_use]
    pub fn is_alike(&self, other: &Self) -> bool {
        let same = |(a, b): (&NodeBox, &NodeBox)| a.nodes == b.nodes && a.name == b.name;
        self.places.len() == other.places.len() && self.places.iter().zip(&other.places).all(same)
    }

    /// The corners of the smallest rectangle around all boxes: least x, least y, largest x, largest y.
    #[must_use]
    pub fn bounds(&self) -> [f32; 4] {
        let xs = || self.places.iter().map(|place| place.x);
        let ys = || self.places.iter().map(|place| place.y);
        let (w, h) = (NODE.0 / 2.0, NODE.1 / 2.0);
        [
            xs().fold(0.0, f32::min) - w,
            ys().fold(0.0, f32::min) - h,
            xs().fold(0.0, f32::max) + w,
            ys().fold(0.0, f32::max) + h,
        ]
    }
}

/// Boxes of a column, in a layer of so many.
fn rows(boxes: usize) -> usize {
    let of_a_column = boxes as f64 * f64::from(COLUMN / (NODE.1 + GAP)) / WIDER;
    floor_to_usize(of_a_column.sqrt().ceil().max(ROWS))
}

/// Who sends to whom, by entry.
fn flows(scenario: &Scenario, names: &Names) -> Vec<(usize, usize)> {
    let mut edges = Vec::new();
    let mut add = |from: &str, to: &str| {
        if let (Some((from, _)), Some((to, _))) = (names.entry(from), names.entry(to))
            && !edges.contains(&(from, to))
        {
            edges.push((from, to));
        }
    };
    for (name, spec) in scenario.specs() {
        spec.sends_to().into_iter().for_each(|to| add(name, to));
    }
    edges
}

/// Each entry in its layer: the longest way from a source, counted in steps. Cycles are refused by the checks.
fn layered(names: &Names, edges: &[(usize, usize)]) -> Vec<Block> {
    let mut layers = vec![0_usize; names.entries.len()];
    for _ in 0..names.entries.len() {
        for &(from, to) in edges {
            layers[to] = layers[to].max(layers[from] + 1);
        }
    }
    let blocks = names.entries.iter().zip(layers).enumerate().map(|(entry, (found, layer))| {
        // What nothing leads to stands beside what it is most like: sources in the first layer, others behind it.
        let alone = !edges.iter().any(|edge| edge.1 == entry) && found.kind.receives();
        let boxes = if found.members.len() > MAX_MEMBERS { 1 } else { found.members.len() };
        #[expect(clippy::cast_precision_loss, reason = "an order of some hundred blocks")]
        let order = entry as f32;
        Block { entry, layer: if alone { layer.max(1) } else { layer }, order, boxes }
    });
    blocks.collect()
}

/// Orders blocks by the mean place of those that they are connected with.
fn order(blocks: &mut [Block], edges: &[(usize, usize)]) {
    for sweep in 0..SWEEPS {
        let before: Vec<f32> = blocks.iter().map(|block| block.order).collect();
        for block in &mut *blocks {
            let toward = |&(from, to): &(usize, usize)| {
                let (own, other) = if sweep % 2 == 0 { (to, from) } else { (from, to) };
                (own == block.entry).then(|| before[other])
            };
            let near: Vec<f32> = edges.iter().filter_map(toward).collect();
            if !near.is_empty() {
                #[expect(clippy::cast_precision_loss, reason = "some neighbours")]
                let mean = near.iter().sum::<f32>() / near.len() as f32;
                block.order = mean;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::NodeKind;
    use crate::scenario::{DEFAULT_SCENARIO, load};

    fn named(text: &str) -> (Layout, Names) {
        let loaded = load("test.ron", text.as_bytes(), &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
        let names = loaded.scenario.names();
        (Layout::of(&loaded.scenario, &names), names)
    }

    fn layout(text: &str) -> Layout {
        named(text).0
    }

    #[test]
    fn the_default_system_stands_in_four_layers() {
        let (layout, names) = named(DEFAULT_SCENARIO.1);
        let x = |name: &str| layout.places.iter().find(|place| place.name == name).expect("a box").x;
        let columns =
            ["everyone", "customer-1001", "router", "client-1", "server-2"].map(|name| x(name) / LAYER);
        assert_eq!(columns.map(f32::to_bits), [0.0_f32, 0.0, 1.0, 2.0, 3.0].map(f32::to_bits));
        // Two sources to the router, it to three clients, each of them to three servers.
        assert_eq!(layout.edges.len(), 2 + 3 + 9);
        let server = names.node_named("server-2").expect("it is there");
        assert_eq!(layout.find(server).map(|at| layout.places[at].name.as_str()), Some("server-2"));
    }

    #[test]
    fn no_two_boxes_overlap_and_large_groups_are_folded() {
        let (layout, names) = named(
            r#"(name: "x", run_until: "1s",
                sources: {"a": (arrivals: Constant(rate: "1/s"), to: "lb"), "b": (arrivals: Constant(rate: "1/s"), to: "s-0")},
                nodes: {"lb": LoadBalancer(policy: Random, to: ["s", "many"]), "s": Server(count: 5, service: Constant("1ms"), then: "end"),
                        "many": Server(count: 400, service: Constant("1ms")), "end": Server(service: Constant("1ms")),
                        "idle": Server(service: Constant("1ms"))})"#,
        );
        // Sources, a balancer, five servers, one box for 400 of them, two more.
        assert_eq!(layout.places.len(), 2 + 1 + 5 + 1 + 2);
        for (at, place) in layout.places.iter().enumerate() {
            assert_eq!(place.is_folded(), place.entry == "many");
            assert!(place.nodes.nodes().all(|node| layout.find(node) == Some(at)), "{}", place.name);
        }
        for kind in NodeKind::ALL {
            let rows = u32::try_from(names.count(kind)).expect("there are few");
            assert_eq!(layout.find(Node::new(kind, rows)), None);
        }
        for (i, a) in layout.places.iter().enumerate() {
            for b in &layout.places[i + 1..] {
                let apart = (a.x - b.x).abs() >= NODE.0 || (a.y - b.y).abs() >= NODE.1;
                assert!(apart, "{} lies on {}", a.name, b.name);
            }
        }
        let [left, low, right, high] = layout.bounds();
        assert!(layout.places.iter().all(|p| p.x > left && p.x < right && p.y > low && p.y < high));
    }

    #[test]
    fn a_thousand_boxes_stand_in_a_picture_that_is_not_much_higher_than_wide() {
        let groups: Vec<String> = (0..60).map(|group| format!("g{group}")).collect();
        let nodes: String = groups
            .iter()
            .map(|name| format!("\"{name}\": Server(count: 16, service: Constant(\"1ms\")), "))
            .collect();
        let layout = layout(&format!(
            r#"(name: "x", run_until: "1s", sources: {{"a": (arrivals: Constant(rate: "1/s"), to: "lb")}},
                nodes: {{"lb": LoadBalancer(policy: Random, to: {groups:?}), {nodes} }})"#
        ));
        assert_eq!(layout.places.len(), 962);
        let [left, low, right, high] = layout.bounds();
        let shape = (right - left) / (high - low);
        assert!((1.0..2.5).contains(&shape), "{shape}");
        let column = |name: &str| layout.places.iter().find(|place| place.name == name).expect("a box").x;
        for group in &groups {
            let (first, last) = (column(&format!("{group}-0")), column(&format!("{group}-15")));
            assert_eq!(first.to_bits(), last.to_bits(), "{group} stays together");
        }
        for (i, a) in layout.places.iter().enumerate() {
            let apart = |b: &NodeBox| (a.x - b.x).abs() >= NODE.0 || (a.y - b.y).abs() >= NODE.1;
            assert!(layout.places[i + 1..].iter().all(apart), "{} lies on another box", a.name);
        }
    }

    #[test]
    fn crossings_are_avoided_where_they_can_be() {
        let layout = layout(
            r#"(name: "x", run_until: "1s",
                sources: {"a": (arrivals: Constant(rate: "1/s"), to: "y"), "b": (arrivals: Constant(rate: "1/s"), to: "x")},
                nodes: {"x": Server(service: Constant("1ms")), "y": Server(service: Constant("1ms"))})"#,
        );
        let y = |name: &str| layout.places.iter().find(|place| place.name == name).expect("a box").y;
        assert_eq!(y("a") > y("b"), y("y") > y("x"));
    }
}
