//! All parts as they run: an event finds its handler here, and whoever reads of a node finds its part.

use bevy_ecs::system::SystemParam;

use super::Setting;
use crate::engine::row::Row;
use crate::engine::time::SimTime;
use crate::event::{Node, NodeKind, NodeRange, PackedEvent, RequestRow, code};
use crate::model::Context;
use crate::model::capacity::CapacityLog;
use crate::model::figure::{Figure, FigureReader, Span, Value};
use crate::model::metric::{Measurable, Metric, MetricReader, Reading, Readings, Subject, record};
use crate::model::part::{EventKind, Observer, Part};
use crate::request::Outcome;

macro_rules! running {
    ($($(#[$doc:meta])* $Kind:ident = $room:ident,)*) => {
        use crate::model::{$($room),*};

        /// The columns of all parts, as a system reaches them.
        #[derive(SystemParam)]
        pub struct Parts<'w, 's> {
            $($room: $room::Columns<'w, 's>,)*
        }

        impl Parts<'_, '_> {
            /// Borrows the columns of all parts for a tick.
            pub fn view(&mut self) -> PartViews<'_> {
                PartViews { $($room: self.$room.view(),)* }
            }
        }

        /// The columns of all parts, borrowed for a tick.
        pub struct PartViews<'a> {
            $($room: <$room::$Kind as Measurable>::View<'a>,)*
        }

        impl PartViews<'_> {
            /// Hands an event [of a node](PackedEvent::is_of_node) to its part. Returns what follows in the same instant. One
            /// match over class and kind: so an event finds its handler with a single jump.
            ///
            /// # Panics
            /// If the event is of another class.
            #[inline(always)]
            pub fn handle(
                &mut self,
                context: &mut Context<'_>,
                observer: &mut impl Observer,
                event: PackedEvent,
            ) -> Option<PackedEvent> {
                let (row, request) = (event.row(), event.request());
                match event.code() {
                    $(code::deliver::$Kind => {
                        let number = context.requests.get(request).number;
                        observer.observe(EventKind::Delivered, NodeKind::$Kind, row, context.now, number);
                        $room::$Kind::deliver(&mut self.$room, context, Row::new(row), request)
                    })*
                    $(code::wake::$Kind => {
                        let (about, next) =
                            $room::$Kind::wake(&mut self.$room, context, Row::new(row), request);
                        // Only now it is known which request that was: a source has created one.
                        let number = context.requests.get(about).number;
                        let what = $room::$Kind::WAKING;
                        observer.observe(what, NodeKind::$Kind, row, context.now, number);
                        if what == EventKind::Created && !context.requests.has_room() {
                            observer.out_of_room();
                        }
                        next
                    })*
                    code::RESPOND => {
                        let (node, _) = context.return_hops[row as usize];
                        let number = context.requests.get(request).number;
                        match node.kind() {
                            $(NodeKind::$Kind => {
                                let what = EventKind::Responded;
                                observer.observe(what, NodeKind::$Kind, node.row(), context.now, number);
                                let row = Row::new(node.row());
                                $room::$Kind::respond(&mut self.$room, context, row, request)
                            })*
                        }
                    }
                    _ => unreachable!("not an event of a node"),
                }
            }

            /// Something changes about some nodes. Returns the requests that are lost by it, in order.
            pub fn change(
                &mut self,
                context: &mut Context<'_>,
                nodes: NodeRange,
                setting: &Setting,
            ) -> Vec<RequestRow> {
                let rows = nodes.first..nodes.first + nodes.count;
                match setting {
                    $(Setting::$Kind(setting) => {
                        debug_assert_eq!(nodes.kind, NodeKind::$Kind, "what cannot be set is refused");
                        $room::$Kind::change(&mut self.$room, context, rows, setting)
                    })*
                }
            }

            /// The warm-up is over: statistics begin anew.
            pub fn restart(&mut self, now: SimTime) {
                $($room::$Kind::restart(&mut self.$room, now);)*
            }

            /// A window of the timeline ends.
            pub fn close_window(&mut self) {
                $($room::$Kind::close_window(&mut self.$room);)*
            }

            /// Takes the readings of all nodes.
            pub fn record(&mut self, now: SimTime, readings: &mut impl Readings) {
                $({
                    let subject = |row| Subject::Node(Node::new(NodeKind::$Kind, row));
                    record::<$room::$Kind>(&mut self.$room, subject, now, readings);
                })*
            }

            /// Reads a metric of a node, if it has it.
            pub fn read(&mut self, node: Node, metric: &Metric, now: SimTime) -> Option<Reading> {
                match node.kind() {
                    $(NodeKind::$Kind => {
                        let measured = find::<$room::$Kind>(metric)?;
                        Some((measured.read)(&mut self.$room, Row::new(node.row()), now))
                    })*
                }
            }

            /// Reads all figures of a node, in the order in which they are reported; ratios of others have no value of their own.
            pub fn figures(
                &mut self,
                node: Node,
                span: Span,
                mut take: impl FnMut(&'static Figure, Option<Value<'_>>),
            ) {
                match node.kind() {
                    $(NodeKind::$Kind => {
                        for FigureReader { figure, read } in $room::$Kind::FIGURES {
                            let row = Row::new(node.row());
                            take(figure, read.map(|read| read(&mut self.$room, row, span)));
                        }
                    })*
                }
            }

            /// What a node could do so far, if it is one that works.
            #[must_use]
            pub fn capacity(&self, node: Node) -> Option<&CapacityLog> {
                match node.kind() {
                    $(NodeKind::$Kind => $room::$Kind::capacity(&self.$room, Row::new(node.row())),)*
                }
            }
        }
    };
}

for_all_parts!(running);

impl PartViews<'_> {
    /// A request is over: its response has come back to its source, or it was lost.
    #[inline(always)]
    pub fn finish(&mut self, context: &mut Context<'_>, request: RequestRow, outcome: Outcome) {
        source::Source::finish(&mut self.source, context, request, outcome);
    }
}

fn find<P: Measurable>(metric: &Metric) -> Option<&'static MetricReader<P>> {
    P::MEASURED.iter().find(|measured| measured.metric == metric)
}
