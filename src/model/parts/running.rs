//! All parts during a run: dispatches events of nodes to their handlers, and reads metrics and figures of nodes.

use bevy_ecs::system::SystemParam;

use super::{Fault, Setting};
use crate::engine::row::Row;
use crate::engine::time::SimTime;
use crate::event::{Node, NodeKind, NodeRange, PackedEvent, RequestRow, code};
use crate::model::Context;
use crate::model::capacity::CapacityLog;
use crate::model::figure::{Figure, FigureReader, Span, Value};
use crate::model::metric::{Measurable, Reading, Readings, Subject, record, resource_levels};
use crate::model::node_state::NodeState;
use crate::model::part::{EventKind, FaultEdge, Observer, Part};
use crate::request::Outcome;

macro_rules! running {
    ($($(#[$doc:meta])* $Kind:ident = $module:ident,)*) => {
        use crate::model::{$($module),*};

        /// The columns of all parts, as a system parameter.
        #[derive(SystemParam)]
        pub struct Parts<'w, 's> {
            $($module: $module::Columns<'w, 's>,)*
        }

        impl Parts<'_, '_> {
            /// Borrows the columns of all parts for a tick.
            pub fn view(&mut self) -> PartViews<'_> {
                PartViews { $($module: self.$module.view(),)* }
            }
        }

        /// The columns of all parts, borrowed for a tick.
        pub struct PartViews<'a> {
            $($module: <$module::$Kind as Measurable>::View<'a>,)*
        }

        impl PartViews<'_> {
            /// Dispatches an event of a node to its handler. Returns the event that follows in the same instant, if any.
            /// A single match over class and kind compiles to a single jump.
            ///
            /// # Errors
            /// The event if it does not happen at a node.
            #[inline(always)]
            pub fn handle<const FULL: bool>(
                &mut self,
                context: &mut Context<'_, FULL>,
                observer: &mut impl Observer,
                event: PackedEvent,
            ) -> Result<Option<PackedEvent>, PackedEvent> {
                let (row, request) = (event.row(), event.request());
                Ok(match event.code() {
                    $(code::deliver::$Kind => {
                        let number = context.requests.get(request).number;
                        observer.observe(EventKind::Delivered, NodeKind::$Kind, row, context.now, number);
                        $module::$Kind::deliver(&mut self.$module, context, Row::new(row), request)
                    })*
                    $(code::wake::$Kind => {
                        let (request, next) =
                            $module::$Kind::wake(&mut self.$module, context, Row::new(row), request);
                        // Observed after the handler: the request of a source is created by it.
                        let number = context.requests.get(request).number;
                        let kind = $module::$Kind::WAKING;
                        observer.observe(kind, NodeKind::$Kind, row, context.now, number);
                        if kind == EventKind::Created && !context.requests.has_room() {
                            observer.pool_full();
                        }
                        next
                    })*
                    $(code::respond::$Kind => {
                        let number = context.requests.get(request).number;
                        observer.observe(EventKind::Responded, NodeKind::$Kind, row, context.now, number);
                        $module::$Kind::respond(&mut self.$module, context, Row::new(row), request)
                    })*
                    _ => return Err(event),
                })
            }

            /// Handles the timeout of a request that waits for a call at a node. Returns the event that follows in the
            /// same instant, if any.
            pub fn time_out<const FULL: bool>(
                &mut self,
                context: &mut Context<'_, FULL>,
                node: Node,
                request: RequestRow,
            ) -> Option<PackedEvent> {
                match node.kind() {
                    $(NodeKind::$Kind => {
                        $module::$Kind::time_out(&mut self.$module, context, Row::new(node.row()), request)
                    })*
                }
            }

            /// Ends a call that a node holds, because it has been cancelled.
            pub fn cancel<const FULL: bool>(
                &mut self,
                context: &mut Context<'_, FULL>,
                node: Node,
                call: RequestRow,
            ) {
                match node.kind() {
                    $(NodeKind::$Kind => {
                        $module::$Kind::cancel(&mut self.$module, context, Row::new(node.row()), call);
                    })*
                }
            }

            /// Handles a timer of a node. Returns the event that follows in the same instant, if any.
            pub fn timer<const FULL: bool>(
                &mut self,
                context: &mut Context<'_, FULL>,
                node: Node,
                timer: u32,
            ) -> Option<PackedEvent> {
                match node.kind() {
                    $(NodeKind::$Kind => {
                        $module::$Kind::timer(&mut self.$module, context, Row::new(node.row()), timer)
                    })*
                }
            }

            /// Changes a setting of nodes. Returns the requests that are lost as a result, in order.
            pub fn change<const FULL: bool>(
                &mut self,
                context: &mut Context<'_, FULL>,
                nodes: NodeRange,
                setting: &Setting,
            ) -> Vec<RequestRow> {
                let rows = nodes.first..nodes.first + nodes.count;
                match setting {
                    $(Setting::$Kind(setting) => {
                        debug_assert_eq!(nodes.kind, NodeKind::$Kind, "checks reject other settings");
                        $module::$Kind::change(&mut self.$module, context, rows, setting)
                    })*
                }
            }

            /// A fault of nodes begins or ends. Returns the requests that are lost as a result, in order.
            pub fn fault<const FULL: bool>(
                &mut self,
                context: &mut Context<'_, FULL>,
                nodes: NodeRange,
                fault: &Fault,
                edge: FaultEdge,
            ) -> Vec<RequestRow> {
                let rows = nodes.first..nodes.first + nodes.count;
                match fault {
                    $(Fault::$Kind(fault) => {
                        debug_assert_eq!(nodes.kind, NodeKind::$Kind, "checks reject other faults");
                        $module::$Kind::fault(&mut self.$module, context, rows, fault, edge)
                    })*
                    Fault::Link(_) => Vec::new(),
                }
            }

            /// Resets statistics at the end of the warm-up.
            pub fn restart(&mut self, now: SimTime) {
                $($module::$Kind::restart(&mut self.$module, now);)*
            }

            /// Ends a window of the timeline.
            pub fn close_window(&mut self) {
                $($module::$Kind::close_window(&mut self.$module);)*
            }

            /// Passes the recorded metrics of all nodes to `readings`.
            pub fn record(&mut self, now: SimTime, readings: &mut impl Readings) {
                $({
                    let subject = |row| Subject::Node(Node::new(NodeKind::$Kind, row));
                    record::<$module::$Kind>(&mut self.$module, subject, now, readings);
                })*
            }

            /// Reads the metric with this index of a node.
            pub fn read(&mut self, node: Node, metric: usize, now: SimTime) -> Reading {
                match node.kind() {
                    $(NodeKind::$Kind => {
                        let read = $module::$Kind::MEASURED[metric].read;
                        read(&mut self.$module, Row::new(node.row()), now)
                    })*
                }
            }

            /// The share of each resource of a node that is in use now, and the number of requests that wait for it.
            pub fn resource_levels(&self, node: Node, now: SimTime) -> Vec<[f64; 2]> {
                match node.kind() {
                    $(NodeKind::$Kind => {
                        let row = Row::new(node.row());
                        resource_levels::<$module::$Kind>(&self.$module, row, now)
                    })*
                }
            }

            /// Returns what `map` makes of each figure of a node, in the order in which they are reported. Figures that
            /// are ratios of others have no value.
            pub fn figures<T>(
                &mut self,
                node: Node,
                span: Span,
                mut map: impl FnMut(&'static Figure, Option<Value<'_>>) -> T,
            ) -> Vec<T> {
                match node.kind() {
                    $(NodeKind::$Kind => {
                        let row = Row::new(node.row());
                        let all = $module::$Kind::FIGURES;
                        let has = |reader: &&FigureReader<_>| (reader.filter)(&self.$module, row);
                        // Of exact capacity: a system may have a million nodes.
                        let mut figures = Vec::with_capacity(all.iter().filter(has).count());
                        for FigureReader { figure, read, filter } in all {
                            if filter(&self.$module, row) {
                                figures.push(map(figure, read.map(|read| read(&mut self.$module, row, span))));
                            }
                        }
                        figures
                    })*
                }
            }

            /// The capacity of a node so far, or `None` if it does not serve requests.
            #[must_use]
            pub fn capacity(&self, node: Node) -> Option<&CapacityLog> {
                match node.kind() {
                    $(NodeKind::$Kind => $module::$Kind::capacity(&self.$module, Row::new(node.row())),)*
                }
            }
        }
    };
}

for_all_parts!(running);

impl PartViews<'_> {
    /// The present state of a node, or `None` if it does not serve requests.
    #[must_use]
    pub fn state(&self, node: Node) -> Option<NodeState> {
        self.capacity(node)?.periods().last().map(|period| period.state)
    }

    /// Ends a request: its response has reached its source, or the request was lost.
    #[inline(always)]
    pub fn finish<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        request: RequestRow,
        outcome: Outcome,
    ) {
        source::Source::finish(&mut self.source, context, request, outcome);
    }
}
