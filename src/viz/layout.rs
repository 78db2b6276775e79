//! Layout: positions of the boxes of nodes, in layers along the flow, with groups kept together and few crossings.
//!
//! Layered graph drawing after Sugiyama, Tagawa and Toda ("Methods for visual understanding of hierarchical system
//! structures", 1981). Each group or single node is a block. Its layer is the length of the longest path from a source.
//! Within a layer, blocks are ordered by the mean position of their neighbours, in several sweeps. A long chain of layers
//! is wrapped into several bands, one below the other, as a text into lines. The layout depends on the scenario alone, so
//! the same system always looks the same.
//!
//! Distances are in layout units; at a zoom of 1, a unit is a screen point. Positions are centres of boxes; y points
//! upwards.

use crate::engine::floor_to_usize;
use crate::event::{Node, NodeRange, PerKind};
use crate::model::names::Names;
use crate::scenario::Scenario;

/// Distance between two layers. With many layers it is shorter,
pub const LAYER: f32 = 300.0;
/// but at least this.
const MIN_LAYER: f32 = 216.0;
/// Number of layers up to which they have the full distance.
const FEW_LAYERS: f32 = 4.0;
/// Vertical gap between two bands of layers.
const BAND_GAP: f32 = 110.0;
/// Width and height of the picture in a window of usual size, in points.
const PICTURE: (f32, f32) = (950.0, 660.0);
/// Zoom at which everything can be read: a layout that fits at this zoom is not wrapped, as a single band is clearer.
const READABLE: f32 = 0.42;
/// Minimum factor by which a layout with more bands has to be larger on the screen.
const MIN_GAIN: f32 = 1.15;
/// Width and height of a box.
pub const NODE: (f32, f32) = (150.0, 64.0);
/// Vertical gap between two boxes of a block.
const GAP: f32 = 26.0;
/// Additional vertical gap between two blocks.
const BLOCK_GAP: f32 = 40.0;
/// Distance between two columns of a layer.
const COLUMN: f32 = 196.0;
/// Number of boxes up to which a layer always has a single column.
const MIN_ROWS: f64 = 16.0;
/// Aspect ratio (width to height) of a layer with several columns: about that of a window.
const LAYER_ASPECT: f64 = 1.5;
/// Maximum number of members of a group that are drawn one by one. A larger group is folded into one box.
pub const MAX_MEMBERS: usize = 16;
/// Number of ordering sweeps. More sweeps do not change the layout of typical systems.
const SWEEPS: usize = 8;

/// The box of a node, or of all members of a folded group.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeBox {
    /// The label of the box.
    pub name: String,
    /// The name in the scenario: of the node, or of its group if it is a member.
    pub entry: String,
    /// The nodes in the box: one, or all members of a folded group.
    pub nodes: NodeRange,
    /// Centre of the box.
    pub x: f32,
    /// See `x`; upwards.
    pub y: f32,
}

impl NodeBox {
    /// The node of the box; the first member of a folded group.
    #[must_use]
    pub const fn node(&self) -> Node {
        Node::new(self.nodes.kind, self.nodes.first)
    }

    /// Whether the box contains several nodes.
    #[must_use]
    pub const fn is_folded(&self) -> bool {
        self.nodes.count != 1
    }
}

/// All boxes, and the links between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// The boxes.
    pub boxes: Vec<NodeBox>,
    /// Sender and receiver of each link, as indices into `boxes`.
    pub edges: Vec<(usize, usize)>,
    /// The box of every node, by kind and row. An array, because every dot looks up two boxes in every frame.
    box_of_node: PerKind<Vec<usize>>,
}

/// A source, a node or a group during the layout.
struct Block {
    /// Index of its entry in [`Names::entries`].
    entry: usize,
    layer: usize,
    /// Sort key within the layer.
    order: f32,
    /// Number of boxes.
    boxes: usize,
}

impl Layout {
    /// The layout of a checked scenario.
    #[must_use]
    pub fn of(scenario: &Scenario, names: &Names) -> Self {
        let edges = entry_edges(scenario, names);
        let mut blocks = layered(names, &edges);
        order(&mut blocks, &edges);
        let mut layout = Self::default();
        let mut boxes_of: Vec<Vec<usize>> = vec![Vec::new(); blocks.len()];
        let layers = blocks.iter().map(|block| block.layer).max().unwrap_or(0) + 1;
        #[expect(clippy::cast_precision_loss, reason = "there are some hundred layers")]
        let distance = (LAYER * FEW_LAYERS / layers as f32).clamp(MIN_LAYER, LAYER);
        let mut left = 0.0;
        let mut first_boxes = Vec::new();
        for layer in 0..layers {
            first_boxes.push(layout.boxes.len());
            left = layout.place_layer((layer, left, distance), &blocks, names, &mut boxes_of);
        }
        layout.wrap(&first_boxes);
        for (from, to) in edges {
            for &a in &boxes_of[from] {
                layout.edges.extend(boxes_of[to].iter().map(|&b| (a, b)));
            }
        }
        layout
    }

    /// Places the blocks of a layer below each other, in one or several columns from `left` on, each vertically
    /// centred. Returns the x position of the next layer.
    fn place_layer(
        &mut self,
        (layer, left, distance): (usize, f32, f32),
        blocks: &[Block],
        names: &Names,
        boxes_of: &mut [Vec<usize>],
    ) -> f32 {
        let mut layer_blocks: Vec<&Block> = blocks.iter().filter(|block| block.layer == layer).collect();
        layer_blocks.sort_by(|a, b| a.order.total_cmp(&b.order).then(a.entry.cmp(&b.entry)));
        let rows = rows(layer_blocks.iter().map(|block| block.boxes).sum());
        // Gaps between blocks make a column of few boxes high, too.
        #[expect(clippy::cast_precision_loss, reason = "a column has far fewer boxes")]
        let max_height = (rows as f32 * (NODE.1 + GAP)).max(PICTURE.1 / READABLE);
        let (mut x, mut y, mut first) = (left, 0.0, self.boxes.len());
        for block in layer_blocks {
            let entry = &names.entries[block.entry];
            let used = self.boxes.len() - first;
            // A group that fits into one column is not split.
            #[expect(clippy::cast_precision_loss, reason = "a layer has far fewer boxes")]
            let height = block.boxes as f32 * (NODE.1 + GAP) - y;
            if used > 0 && (used + block.boxes > rows || height > max_height) {
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
                let at = self.boxes.len();
                boxes_of[block.entry].push(at);
                let nodes_in_box = if folded { count } else { 1 };
                let nodes = NodeRange { kind: entry.kind, first: entry.first + member, count: nodes_in_box };
                let box_of_node = &mut self.box_of_node[nodes.kind];
                let (row, end) = (nodes.first as usize, (nodes.first + nodes.count) as usize);
                box_of_node.resize(box_of_node.len().max(end), 0);
                box_of_node[row..end].fill(at);
                self.boxes.push(NodeBox { name, entry: entry.name.clone(), nodes, x, y });
                y -= NODE.1 + GAP;
            }
            y -= BLOCK_GAP;
        }
        self.next_column(x, first);
        x + distance
    }

    /// Wraps the layers of a layout that would be too small into the number of bands with which it is largest on the
    /// screen. `first_boxes` are the
    /// first boxes of the layers.
    fn wrap(&mut self, first_boxes: &[usize]) {
        if self.zoom() >= READABLE {
            return;
        }
        let mut best = (self.zoom(), self.boxes.clone());
        for bands in 2..=first_boxes.len() {
            let per_band = first_boxes.len().div_ceil(bands);
            let starts: Vec<usize> = first_boxes.iter().copied().step_by(per_band).collect();
            let wrapped = Self { boxes: in_bands(&self.boxes, &starts), ..Self::default() };
            if wrapped.zoom() > MIN_GAIN * best.0 {
                best = (wrapped.zoom(), wrapped.boxes);
            }
        }
        self.boxes = best.1;
    }

    /// The zoom at which the layout fits a window of usual size.
    fn zoom(&self) -> f32 {
        let [left, low, right, high] = self.bounds();
        (PICTURE.0 / (right - left)).min(PICTURE.1 / (high - low))
    }

    /// Centres the boxes of a column, from box `first` on, vertically. Returns x, y and the first box of the next
    /// column.
    fn next_column(&mut self, x: f32, first: usize) -> (f32, f32, usize) {
        let column = &mut self.boxes[first..];
        let ends = column.first().zip(column.last()).map(|(top, bottom)| f32::midpoint(top.y, bottom.y));
        column.iter_mut().for_each(|node_box| node_box.y -= ends.unwrap_or_default());
        (x + COLUMN, 0.0, self.boxes.len())
    }

    /// The box of a node, as an index into `boxes`, or `None` if there is no such node.
    #[must_use]
    pub fn find(&self, node: Node) -> Option<usize> {
        self.box_of_node[node.kind()].get(node.row() as usize).copied()
    }

    /// Whether another layout has the same boxes, possibly at other positions.
    #[must_use]
    pub fn has_same_boxes(&self, other: &Self) -> bool {
        let same = |(a, b): (&NodeBox, &NodeBox)| a.nodes == b.nodes && a.name == b.name;
        self.boxes.len() == other.boxes.len() && self.boxes.iter().zip(&other.boxes).all(same)
    }

    /// The bounding rectangle of all boxes and the origin: minimum x, minimum y, maximum x, maximum y.
    #[must_use]
    pub fn bounds(&self) -> [f32; 4] {
        let xs = || self.boxes.iter().map(|node_box| node_box.x);
        let ys = || self.boxes.iter().map(|node_box| node_box.y);
        let (w, h) = (NODE.0 / 2.0, NODE.1 / 2.0);
        [
            xs().fold(0.0, f32::min) - w,
            ys().fold(0.0, f32::min) - h,
            xs().fold(0.0, f32::max) + w,
            ys().fold(0.0, f32::max) + h,
        ]
    }
}

/// Places the boxes in bands that begin with the boxes `starts`, one below the other, each from the left edge on.
fn in_bands(boxes: &[NodeBox], starts: &[usize]) -> Vec<NodeBox> {
    let mut placed = Vec::with_capacity(boxes.len());
    let ends = starts.iter().skip(1).copied().chain([boxes.len()]);
    let mut top = 0.0;
    for (start, end) in starts.iter().copied().zip(ends) {
        let band = &boxes[start..end];
        let of = |value: fn(&NodeBox) -> f32, pick: fn(f32, f32) -> f32| band.iter().map(value).reduce(pick);
        let left = of(|one| one.x, f32::min).unwrap_or_default();
        let [low, high] = [f32::min, f32::max].map(|pick| of(|one| one.y, pick).unwrap_or_default());
        placed.extend(band.iter().map(|one| NodeBox {
            x: one.x - left,
            y: one.y - high + top,
            ..one.clone()
        }));
        top -= high - low + NODE.1 + BAND_GAP;
    }
    placed
}

/// Maximum number of boxes of a column, in a layer of `boxes`.
fn rows(boxes: usize) -> usize {
    let squared_rows = boxes as f64 * f64::from(COLUMN / (NODE.1 + GAP)) / LAYER_ASPECT;
    floor_to_usize(squared_rows.sqrt().ceil().max(MIN_ROWS))
}

/// Sender and receiver of each link, as indices of entries.
fn entry_edges(scenario: &Scenario, names: &Names) -> Vec<(usize, usize)> {
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

/// One block for each entry. Its layer is the length of the longest path from a source. The scenario has no cycles.
fn layered(names: &Names, edges: &[(usize, usize)]) -> Vec<Block> {
    let mut layers = vec![0_usize; names.entries.len()];
    for _ in 0..names.entries.len() {
        for &(from, to) in edges {
            layers[to] = layers[to].max(layers[from] + 1);
        }
    }
    let blocks = names.entries.iter().zip(layers).enumerate().map(|(entry, (group, layer))| {
        // A node without senders goes into the second layer, as the first is for sources.
        let has_no_sender = !edges.iter().any(|edge| edge.1 == entry) && group.kind.receives();
        let boxes = if group.members.len() > MAX_MEMBERS { 1 } else { group.members.len() };
        #[expect(clippy::cast_precision_loss, reason = "there are some hundred blocks")]
        let order = entry as f32;
        Block { entry, layer: if has_no_sender { layer.max(1) } else { layer }, order, boxes }
    });
    blocks.collect()
}

/// Orders blocks by the mean order of their neighbours: senders and receivers, in alternating sweeps.
fn order(blocks: &mut [Block], edges: &[(usize, usize)]) {
    for sweep in 0..SWEEPS {
        let before: Vec<f32> = blocks.iter().map(|block| block.order).collect();
        for block in &mut *blocks {
            let neighbour_order = |&(from, to): &(usize, usize)| {
                let (own, other) = if sweep % 2 == 0 { (to, from) } else { (from, to) };
                (own == block.entry).then(|| before[other])
            };
            let neighbours: Vec<f32> = edges.iter().filter_map(neighbour_order).collect();
            if !neighbours.is_empty() {
                #[expect(clippy::cast_precision_loss, reason = "a block has few neighbours")]
                let mean = neighbours.iter().sum::<f32>() / neighbours.len() as f32;
                block.order = mean;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::NodeKind;
    use crate::scenario::{DEFAULT_SCENARIO, load_in};

    fn layout_and_names(text: &str) -> (Layout, Names) {
        // The reference replays a trace.
        let directory = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios"));
        let loaded = load_in(directory, "test.ron", text.as_bytes(), &[]);
        let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
        let names = loaded.scenario.names();
        (Layout::of(&loaded.scenario, &names), names)
    }

    fn layout(text: &str) -> Layout {
        layout_and_names(text).0
    }

    #[test]
    fn the_built_in_scenario_has_four_layers() {
        let (layout, names) = layout_and_names(DEFAULT_SCENARIO.1);
        let x = |name: &str| {
            layout.boxes.iter().find(|node_box| node_box.name == name).expect("the node has a box").x
        };
        let columns =
            ["everyone", "customer-1001", "router", "client-1", "server-2"].map(|name| x(name) / LAYER);
        assert_eq!(columns.map(f32::to_bits), [0.0_f32, 0.0, 1.0, 2.0, 3.0].map(f32::to_bits));
        // Two sources send to the router, the router to three clients, each client to three servers.
        assert_eq!(layout.edges.len(), 2 + 3 + 9);
        let server = names.node_named("server-2").expect("the node exists");
        assert_eq!(layout.find(server).map(|at| layout.boxes[at].name.as_str()), Some("server-2"));
    }

    #[test]
    fn no_two_boxes_overlap_and_large_groups_are_folded() {
        let (layout, names) = layout_and_names(
            r#"(name: "x", run_until: "1s",
                sources: {"a": (arrivals: Constant(rate: "1/s"), to: "lb"), "b": (arrivals: Constant(rate: "1/s"), to: "s-0")},
                nodes: {"lb": LoadBalancer(policy: Random, to: ["s", "many"]), "s": Server(count: 5, service: Constant("1ms"), then: "end"),
                        "many": Server(count: 400, service: Constant("1ms")), "end": Server(service: Constant("1ms")),
                        "idle": Server(service: Constant("1ms"))})"#,
        );
        // Two sources, a load balancer, five servers, one box for 400 servers, two more servers.
        assert_eq!(layout.boxes.len(), 2 + 1 + 5 + 1 + 2);
        for (at, node_box) in layout.boxes.iter().enumerate() {
            assert_eq!(node_box.is_folded(), node_box.entry == "many");
            assert!(node_box.nodes.nodes().all(|node| layout.find(node) == Some(at)), "{}", node_box.name);
        }
        for kind in NodeKind::ALL {
            let rows = u32::try_from(names.count(kind)).expect("there are few nodes");
            assert_eq!(layout.find(Node::new(kind, rows)), None);
        }
        for (i, a) in layout.boxes.iter().enumerate() {
            for b in &layout.boxes[i + 1..] {
                let apart = (a.x - b.x).abs() >= NODE.0 || (a.y - b.y).abs() >= NODE.1;
                assert!(apart, "the boxes of {} and {} overlap", a.name, b.name);
            }
        }
        let [left, low, right, high] = layout.bounds();
        assert!(layout.boxes.iter().all(|p| p.x > left && p.x < right && p.y > low && p.y < high));
    }

    #[test]
    fn a_layer_of_a_thousand_boxes_has_several_columns() {
        let groups: Vec<String> = (0..60).map(|group| format!("g{group}")).collect();
        let nodes: String = groups
            .iter()
            .map(|name| format!("\"{name}\": Server(count: 16, service: Constant(\"1ms\")), "))
            .collect();
        let layout = layout(&format!(
            r#"(name: "x", run_until: "1s", sources: {{"a": (arrivals: Constant(rate: "1/s"), to: "lb")}},
                nodes: {{"lb": LoadBalancer(policy: Random, to: {groups:?}), {nodes} }})"#
        ));
        assert_eq!(layout.boxes.len(), 962);
        let [left, low, right, high] = layout.bounds();
        let aspect = (right - left) / (high - low);
        assert!((1.0..2.5).contains(&aspect), "{aspect}");
        let column = |name: &str| {
            layout.boxes.iter().find(|node_box| node_box.name == name).expect("the node has a box").x
        };
        for group in &groups {
            let (first, last) = (column(&format!("{group}-0")), column(&format!("{group}-15")));
            assert_eq!(first.to_bits(), last.to_bits(), "{group} is in one column");
        }
        for (i, a) in layout.boxes.iter().enumerate() {
            let apart = |b: &NodeBox| (a.x - b.x).abs() >= NODE.0 || (a.y - b.y).abs() >= NODE.1;
            assert!(layout.boxes[i + 1..].iter().all(apart), "the box of {} overlaps another one", a.name);
        }
    }

    /// A scenario of a chain of servers.
    fn chain(length: usize) -> String {
        let server = |at: usize| {
            let then = if at + 1 < length { format!(", then: \"s{}\"", at + 1) } else { String::new() };
            format!("\"s{at}\": Server(service: Constant(\"1ms\"){then}), ")
        };
        let nodes: String = (0..length).map(server).collect();
        format!(
            r#"(name: "x", run_until: "1s", sources: {{"a": (arrivals: Constant(rate: "1/s"), to: "s0")}}, nodes: {{ {nodes} }})"#
        )
    }

    #[test]
    fn a_long_chain_is_wrapped_so_that_names_stay_readable() {
        for length in [3, 10, 30, 60, 100] {
            let layout = layout(&chain(length));
            // Names are shown above a zoom of about a third.
            let min = if length <= 30 { 0.4 } else { 0.2 };
            assert!(layout.zoom() > min, "{length} servers: {}", layout.zoom());
            for (i, a) in layout.boxes.iter().enumerate() {
                let apart = |b: &NodeBox| (a.x - b.x).abs() >= NODE.0 || (a.y - b.y).abs() >= NODE.1;
                assert!(
                    layout.boxes[i + 1..].iter().all(apart),
                    "the box of {} overlaps another one",
                    a.name
                );
            }
        }
        let reference = layout(include_str!("../../scenarios/reference.ron"));
        assert!(reference.zoom() > 0.4, "{}", reference.zoom());
    }

    #[test]
    fn crossings_are_avoided() {
        let layout = layout(
            r#"(name: "x", run_until: "1s",
                sources: {"a": (arrivals: Constant(rate: "1/s"), to: "y"), "b": (arrivals: Constant(rate: "1/s"), to: "x")},
                nodes: {"x": Server(service: Constant("1ms")), "y": Server(service: Constant("1ms"))})"#,
        );
        let y = |name: &str| {
            layout.boxes.iter().find(|node_box| node_box.name == name).expect("the node has a box").y
        };
        assert_eq!(y("a") > y("b"), y("y") > y("x"));
    }
}
