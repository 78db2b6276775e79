//! The list of parts. A new kind of node is a room of its own, its kind in [`event`](crate::event), and a line here: all
//! that goes over kinds follows from this list.

use std::fmt;
use std::sync::LazyLock;

use bevy_ecs::system::SystemParam;
use serde::de::{self, DeserializeSeed, EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Context;
use super::build::Builder;
use super::capacity::CapacityLog;
use super::check::Checker;
use super::figure::{Figure, Figured, Span, Value};
use super::metric::{Limit, Measured, Metric, Reading, Readings, Subject, Viewed, record};
use super::names::Entry;
use super::part::{Description, Happening, Observer, Part, PartSetting, ScheduledPhase};
use super::routing::PolicySpec;
use super::routing::router::Routing;
use super::trace::Holds;
use super::variants::{NamedVariant, variants};
use super::{client, load_balancer, rate_limiter, server, source};
use crate::engine::row::Row;
use crate::engine::time::SimTime;
use crate::event::{Node, NodeKind, NodeRange, PackedEvent, RequestRow, code};
use crate::request::Outcome;
use crate::text::Path;

/// Makes everything that goes over kinds of the list of them: `Kind = room`. The first one stands in the scenario's
/// `sources`, the others in its `nodes`.
macro_rules! parts {
    ($Source:ident = $sources:ident, $($(#[$doc:meta])* $Kind:ident = $room:ident,)*) => {
        /// A node, or a group of equal ones, as it is written.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum NodeSpec {
            $($(#[$doc])* $Kind(<$room::$Kind as Part>::Spec),)*
        }

        impl NodeSpec {
            /// What is written, whatever its kind.
            #[must_use]
            pub const fn as_spec(&self) -> SpecRef<'_> {
                match self {
                    $(Self::$Kind(spec) => SpecRef::$Kind(spec),)*
                }
            }
        }

        parts! { @all $Source = $sources, $($Kind = $room,)* }
    };
    (@all $($Kind:ident = $room:ident,)*) => {
        /// What is written of a source, a node or a group.
        #[derive(Clone, Copy, Debug)]
        pub enum SpecRef<'a> {
            $(#[doc = concat!("A `", stringify!($Kind), "`.")] $Kind(&'a <$room::$Kind as Part>::Spec),)*
        }

        impl<'a> SpecRef<'a> {
            /// What kind of node it is.
            #[must_use]
            pub const fn kind(self) -> NodeKind {
                match self {
                    $(Self::$Kind(_) => NodeKind::$Kind,)*
                }
            }

            /// How many there are; a single one without a number if it is not given.
            #[must_use]
            pub fn count(self) -> Option<u32> {
                match self {
                    $(Self::$Kind(spec) => $room::$Kind::count(spec),)*
                }
            }

            /// The names that it sends requests to.
            #[must_use]
            pub fn sends_to(self) -> Vec<&'a str> {
                match self {
                    $(Self::$Kind(spec) => $room::$Kind::sends_to(spec),)*
                }
            }

            /// How it picks where it sends, if it is one that picks.
            #[must_use]
            pub fn routing(self) -> Option<Routing<'a>> {
                match self {
                    $(Self::$Kind(spec) => $room::$Kind::routing(spec),)*
                }
            }

            /// How many requests it can hold when the run begins, if it is one that works on them.
            #[must_use]
            pub fn holds(self) -> Option<Holds> {
                match self {
                    $(Self::$Kind(spec) => $room::$Kind::holds(spec),)*
                }
            }

            /// The limits that it sets to what is measured, or acts upon, if it is called `owner`.
            #[must_use]
            pub fn limits(self, owner: &str) -> Vec<Limit> {
                match self {
                    $(Self::$Kind(spec) => $room::$Kind::limits(spec, owner),)*
                }
            }

            /// What can be set of it, as it is written.
            #[must_use]
            pub fn settings(self) -> Vec<Setting> {
                match self {
                    $(Self::$Kind(spec) => {
                        $room::$Kind::settings(spec).into_iter().map(Setting::$Kind).collect()
                    })*
                }
            }

            /// Complains of what cannot be.
            pub fn check(self, path: &Path, checker: &mut Checker<'_>) {
                match self {
                    $(Self::$Kind(spec) => $room::$Kind::check(spec, path, checker),)*
                }
            }

            /// Spawns the nodes of an entry, in order, and schedules their first events.
            pub fn build(self, entry: &Entry, builder: &mut Builder<'_>) {
                match self {
                    $(Self::$Kind(spec) => $room::$Kind::build(spec, entry, builder),)*
                }
            }
        }

        impl NodeKind {
            /// What is said of it.
            #[must_use]
            pub const fn description(self) -> &'static Description {
                match self {
                    $(Self::$Kind => &$room::$Kind::DESCRIPTION,)*
                }
            }

            /// What takes it out of service, and what brings it back, if it can be.
            #[must_use]
            pub fn outage(self) -> Option<[Setting; 2]> {
                match self {
                    $(Self::$Kind => $room::$Kind::outage().map(|both| both.map(Setting::$Kind)),)*
                }
            }

            /// All that is measured of it.
            fn metrics(self) -> Vec<&'static Metric> {
                match self {
                    $(Self::$Kind => $room::$Kind::MEASURED.iter().map(|measured| measured.metric).collect(),)*
                }
            }

            /// All figures of it, in the order in which they are reported.
            #[must_use]
            pub fn figures(self) -> Vec<&'static Figure> {
                match self {
                    $(Self::$Kind => $room::$Kind::FIGURES.iter().map(|figured| figured.figure).collect(),)*
                }
            }

            /// Names of what can be set of it.
            fn setting_names(self) -> &'static [&'static str] {
                match self {
                    $(Self::$Kind => variants::<<$room::$Kind as Part>::Setting>(),)*
                }
            }
        }

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
            $($room: <$room::$Kind as Viewed>::View<'a>,)*
        }

        impl PartViews<'_> {
            /// Hands an event at a node to its part. Returns what follows in the same instant, or nothing if it is an event of
            /// another class. One match over class and kind: so an event finds its handler with a single jump.
            #[inline(always)]
            pub fn handle(
                &mut self,
                context: &mut Context<'_>,
                observer: &mut impl Observer,
                event: PackedEvent,
            ) -> Option<Option<PackedEvent>> {
                let (row, request) = (event.row(), event.request());
                match event.code() {
                    $(code::deliver::$Kind => {
                        let number = context.requests.get(request).number;
                        observer.observe(Happening::Delivered, NodeKind::$Kind, row, context.now, number);
                        Some($room::$Kind::deliver(&mut self.$room, context, Row::new(row), request))
                    })*
                    $(code::wake::$Kind => {
                        let (about, next) =
                            $room::$Kind::wake(&mut self.$room, context, Row::new(row), request);
                        // Only now it is known which request that was: a source has created one.
                        let number = context.requests.get(about).number;
                        let what = $room::$Kind::WAKING;
                        observer.observe(what, NodeKind::$Kind, row, context.now, number);
                        if what == Happening::Created && !context.requests.has_room() {
                            observer.out_of_room();
                        }
                        Some(next)
                    })*
                    code::RESPOND => {
                        let (node, _) = context.return_hops[row as usize];
                        let number = context.requests.get(request).number;
                        match node.kind() {
                            $(NodeKind::$Kind => {
                                let what = Happening::Responded;
                                observer.observe(what, NodeKind::$Kind, node.row(), context.now, number);
                                let row = Row::new(node.row());
                                Some($room::$Kind::respond(&mut self.$room, context, row, request))
                            })*
                        }
                    }
                    _ => None,
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

            /// A lap of the timeline ends.
            pub fn close_lap(&mut self) {
                $($room::$Kind::close_lap(&mut self.$room);)*
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
                        for Figured { figure, read } in $room::$Kind::FIGURES {
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

        /// What can be set of a node while a run goes on.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Setting {
            $(#[doc = concat!("Of a `", stringify!($Kind), "`.")] $Kind(<$room::$Kind as Part>::Setting),)*
        }

        impl Setting {
            /// The kind of node that it can be set for.
            #[must_use]
            pub const fn kind(&self) -> NodeKind {
                match self {
                    $(Self::$Kind(_) => NodeKind::$Kind,)*
                }
            }

            /// Its name as it is written.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$Kind(setting) => setting.name(),)*
                }
            }

            /// What it is about: a setting lasts until another one about the same is made.
            #[must_use]
            pub fn topic(&self) -> (NodeKind, &'static str) {
                match self {
                    $(Self::$Kind(setting) => (NodeKind::$Kind, setting.topic()),)*
                }
            }

            /// Whether it is the ordinary state of what it is about, and no phase of its own.
            #[must_use]
            pub fn is_ordinary(&self) -> bool {
                match self {
                    $(Self::$Kind(setting) => setting.is_ordinary(),)*
                }
            }

            /// The policy that it sets, if it does.
            #[must_use]
            pub fn policy(&self) -> Option<&PolicySpec> {
                match self {
                    $(Self::$Kind(setting) => setting.policy(),)*
                }
            }

            /// The phases that come with it.
            #[must_use]
            pub fn phases(&self) -> Vec<ScheduledPhase> {
                match self {
                    $(Self::$Kind(setting) => setting.phases(),)*
                }
            }

            /// What is often made of it at a click: what is written on the button, more about it, and the setting.
            #[must_use]
            pub fn steps(&self) -> Vec<(&'static str, &'static str, Self)> {
                match self {
                    $(Self::$Kind(setting) => {
                        let steps = setting.steps().into_iter();
                        steps.map(|(label, more, setting)| (label, more, Self::$Kind(setting))).collect()
                    })*
                }
            }

            /// Complains of a setting at `path` that cannot be set for what is written like this.
            pub fn check(&self, path: &Path, of: &[SpecRef<'_>], checker: &mut Checker<'_>) {
                match self {
                    $(Self::$Kind(setting) => {
                        let specs: Vec<_> = of
                            .iter()
                            .filter_map(|spec| if let SpecRef::$Kind(spec) = spec { Some(*spec) } else { None })
                            .collect();
                        $room::$Kind::check_setting(setting, path, &specs, checker);
                    })*
                }
            }
        }

        impl fmt::Display for Setting {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$Kind(setting) => setting.fmt(f),)*
                }
            }
        }

        impl Serialize for Setting {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$Kind(setting) => setting.serialize(serializer),)*
                }
            }
        }

        /// Reads the setting of a kind from the variant of this name, whose content is still to come.
        fn setting_of<'de, A: VariantAccess<'de>>(
            kind: NodeKind,
            name: &'static str,
            access: A,
        ) -> Result<Setting, A::Error> {
            let named = NamedVariant::new(name, access);
            match kind {
                $(NodeKind::$Kind => {
                    Deserialize::deserialize(named).map(Setting::$Kind)
                })*
            }
        }
    };
}

parts! {
    Source = source,
    /// Picks a target for each request by a policy.
    LoadBalancer = load_balancer,
    /// The caller's side: picks servers and learns from their responses.
    Client = client,
    /// Turns away what is over a limit.
    RateLimiter = rate_limiter,
    /// Does the work.
    Server = server,
}

impl NodeKind {
    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.description().name
    }

    /// Whether requests can be sent to it.
    #[must_use]
    pub const fn receives(self) -> bool {
        self.description().receives
    }

    /// Whether its responses report its load.
    #[must_use]
    pub const fn reports_load(self) -> bool {
        self.description().reports_load
    }

    /// All that probes can sample of it.
    #[must_use]
    pub fn gauges(self) -> Vec<&'static Metric> {
        self.metrics().into_iter().filter(|metric| metric.gauge.is_some()).collect()
    }
}

impl PartViews<'_> {
    /// A request is over: its response has come back to its source, or it was lost.
    #[inline(always)]
    pub fn finish(&mut self, context: &mut Context<'_>, request: RequestRow, outcome: Outcome) {
        self.source.finish(context, request, outcome);
    }
}

fn find<P: Viewed>(metric: &Metric) -> Option<&'static Measured<P>> {
    P::MEASURED.iter().find(|measured| measured.metric == metric)
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnySetting;

        impl<'de> Visitor<'de> for AnySetting {
            type Value = Setting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("what is set")
            }

            fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Setting, A::Error> {
                let ((kind, name), access) = data.variant_seed(SettingName)?;
                setting_of(kind, name, access)
            }
        }

        deserializer.deserialize_enum("Setting", &SETTINGS.names, AnySetting)
    }
}

/// All settings there are.
struct AllSettings {
    names: Vec<&'static str>,
    kinds: Vec<NodeKind>,
}

static SETTINGS: LazyLock<AllSettings> = LazyLock::new(|| {
    let all = || {
        NodeKind::ALL.into_iter().flat_map(|kind| kind.setting_names().iter().map(move |name| (*name, kind)))
    };
    AllSettings { names: all().map(|(name, _)| name).collect(), kinds: all().map(|(_, kind)| kind).collect() }
});

/// The name of a setting, and the kind of node that has it.
struct SettingName;

impl<'de> DeserializeSeed<'de> for SettingName {
    type Value = (NodeKind, &'static str);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for SettingName {
    type Value = (NodeKind, &'static str);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a setting")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        let AllSettings { names, kinds } = &*SETTINGS;
        let at = names.iter().position(|known| *known == name);
        at.map(|at| (kinds[at], names[at])).ok_or_else(|| E::unknown_variant(name, names))
    }
}
