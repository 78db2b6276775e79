//! The types of findings and their kinds. Their texts are in [`format::findings`](crate::format::findings).

use serde::Serialize;

use super::{
    ConvergenceEvidence, FaultEvidence, HealthEvidence, HotKeyEvidence, ImbalanceEvidence,
    KnowledgeLagEvidence, LongWaitsEvidence, LossEvidence, NearCapacityEvidence, OscillationEvidence,
    OverloadEvidence, RejectionEvidence, SaturationEvidence, TooShortEvidence, UnusedEvidence,
};

/// A conclusion about a run, with its evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Name of the node, group, link or source that it is about, or of a resource of a node or group: `api-0 cores`.
    pub subject: String,
    /// The resource if it is about one: `cores`, or [`BANDWIDTH`](super::BANDWIDTH) of a link.
    pub resource: Option<String>,
    /// Its beginning, in seconds; `None` if it is about the whole run.
    pub from: Option<f64>,
    /// Its end, in seconds; `None` if it has none.
    pub to: Option<f64>,
    /// Cost to the users of the system, in request-seconds: the waiting time at the subject in the time of the finding,
    /// plus the run's p99 latency for every failed request. Findings that explain each other are ranked by their
    /// highest cost.
    pub cost: f64,
    /// Number of other members of the group that the finding also represents. Its cost is that of all of them.
    pub similar_members: usize,
    /// The evidence, by kind.
    pub evidence: Evidence,
}

/// The evidence for a finding, which determines its kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Evidence {
    /// See [`FindingKind::Fault`].
    Fault(Box<FaultEvidence>),
    /// See [`FindingKind::Oscillation`].
    Oscillation(Box<OscillationEvidence>),
    /// See [`FindingKind::Overload`].
    Overload(OverloadEvidence),
    /// See [`FindingKind::HotKey`].
    HotKey(HotKeyEvidence),
    /// See [`FindingKind::Saturation`].
    Saturation(SaturationEvidence),
    /// See [`FindingKind::LongWaits`].
    LongWaits(LongWaitsEvidence),
    /// See [`FindingKind::NearCapacity`].
    NearCapacity(NearCapacityEvidence),
    /// See [`FindingKind::Rejection`].
    Rejection(RejectionEvidence),
    /// See [`FindingKind::Loss`].
    Loss(LossEvidence),
    /// See [`FindingKind::LoadImbalance`].
    LoadImbalance(ImbalanceEvidence),
    /// See [`FindingKind::KnowledgeLag`].
    KnowledgeLag(KnowledgeLagEvidence),
    /// See [`FindingKind::Convergence`].
    Convergence(ConvergenceEvidence),
    /// See [`FindingKind::Unused`].
    Unused(UnusedEvidence),
    /// See [`FindingKind::Healthy`].
    Healthy(Box<HealthEvidence>),
    /// See [`FindingKind::TooShort`].
    TooShort(TooShortEvidence),
}

/// The kinds of findings: a closed list. Findings of equal cost are sorted in this order, in which causes come before
/// effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A fault made requests slower, or made them fail.
    Fault,
    /// A metric oscillates more regularly, or with larger swings, than random variation explains.
    Oscillation,
    /// The offered load exceeded the capacity of a server or group by more than random variation explains.
    Overload,
    /// One key needs a large share of the capacity of a server, and most of its requests go to that server.
    HotKey,
    /// A server had no free slot because demand exceeded its capacity.
    Saturation,
    /// Requests wait several times as long as they are served.
    LongWaits,
    /// Little room is left below the capacity of a server or group.
    NearCapacity,
    /// A node rejected or shed requests.
    Rejection,
    /// Links lost requests or responses.
    Loss,
    /// One member of a group is much busier than the others, by more than random variation explains.
    LoadImbalance,
    /// The perceived load of a server with other findings lags its actual load.
    KnowledgeLag,
    /// A metric settled after a scheduled change, immediately or with a delay.
    Convergence,
    /// Capacity is idle throughout: of a resource, only a small part was ever in use, or no request reached a server.
    Unused,
    /// Waits are short, the load leaves room, and hardly any request failed. Shown beyond chance.
    Healthy,
    /// The run is too short to tell whether the system is healthy.
    TooShort,
}

/// The severity of a kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// A problem that costs the users of the system.
    Trouble,
    /// An explanation or other information.
    Context,
    /// The system is healthy.
    Good,
}

impl FindingKind {
    /// All kinds.
    pub const ALL: [Self; 15] = [
        Self::Fault,
        Self::Oscillation,
        Self::Overload,
        Self::HotKey,
        Self::Saturation,
        Self::LongWaits,
        Self::NearCapacity,
        Self::Rejection,
        Self::Loss,
        Self::LoadImbalance,
        Self::KnowledgeLag,
        Self::Convergence,
        Self::Unused,
        Self::Healthy,
        Self::TooShort,
    ];

    /// Returns the severity of the kind.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Fault
            | Self::Oscillation
            | Self::Overload
            | Self::HotKey
            | Self::Saturation
            | Self::LongWaits
            | Self::NearCapacity
            | Self::Rejection
            | Self::Loss
            | Self::LoadImbalance => Severity::Trouble,
            Self::KnowledgeLag | Self::Convergence | Self::Unused | Self::TooShort => Severity::Context,
            Self::Healthy => Severity::Good,
        }
    }

    /// Returns the name of the kind in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Oscillation => "oscillation",
            Self::Overload => "overload",
            Self::HotKey => "hot_key",
            Self::Saturation => "saturation",
            Self::LongWaits => "long_waits",
            Self::NearCapacity => "near_capacity",
            Self::Rejection => "rejection",
            Self::Loss => "loss",
            Self::LoadImbalance => "load_imbalance",
            Self::KnowledgeLag => "knowledge_lag",
            Self::Convergence => "convergence",
            Self::Unused => "unused",
            Self::Healthy => "healthy",
            Self::TooShort => "too_short",
        }
    }
}

impl Finding {
    /// The node, group, link or source that it is about: the subject without the name of the resource.
    #[must_use]
    pub fn node(&self) -> &str {
        let resource = self.resource.as_deref().unwrap_or("");
        self.subject.strip_suffix(resource).map_or(self.subject.as_str(), str::trim_end)
    }

    /// Creates a finding about the whole run, without cost.
    #[must_use]
    pub(super) fn new(subject: impl Into<String>, evidence: Evidence) -> Self {
        Self {
            subject: subject.into(),
            resource: None,
            from: None,
            to: None,
            cost: 0.0,
            similar_members: 0,
            evidence,
        }
    }

    /// Limits the finding to a time of the run, in seconds.
    #[must_use]
    pub(super) fn during(self, from: f64, to: f64) -> Self {
        Self { from: Some(from), to: Some(to), ..self }
    }

    /// Sets the cost, in request-seconds.
    #[must_use]
    pub(super) fn costing(self, cost: f64) -> Self {
        Self { cost, ..self }
    }

    /// Returns the severity of the finding: that of its kind, except for an uneven load that costs nobody anything yet, and
    /// for a fault by which hardly any request failed.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let is_harmless = if let Evidence::LoadImbalance(imbalance) = &self.evidence {
            !imbalance.is_severe()
        } else if let Evidence::HotKey(key) = &self.evidence {
            !key.is_severe()
        } else if let Evidence::Fault(fault) = &self.evidence {
            !fault.is_severe()
        } else {
            false
        };
        if is_harmless { Severity::Context } else { self.kind().severity() }
    }

    /// Returns the kind of the finding.
    #[must_use]
    pub const fn kind(&self) -> FindingKind {
        match &self.evidence {
            Evidence::Fault(_) => FindingKind::Fault,
            Evidence::Oscillation(_) => FindingKind::Oscillation,
            Evidence::Overload(_) => FindingKind::Overload,
            Evidence::HotKey(_) => FindingKind::HotKey,
            Evidence::Saturation(_) => FindingKind::Saturation,
            Evidence::LongWaits(_) => FindingKind::LongWaits,
            Evidence::NearCapacity(_) => FindingKind::NearCapacity,
            Evidence::Rejection(_) => FindingKind::Rejection,
            Evidence::Loss(_) => FindingKind::Loss,
            Evidence::LoadImbalance(_) => FindingKind::LoadImbalance,
            Evidence::KnowledgeLag(_) => FindingKind::KnowledgeLag,
            Evidence::Convergence(_) => FindingKind::Convergence,
            Evidence::Unused(_) => FindingKind::Unused,
            Evidence::Healthy(_) => FindingKind::Healthy,
            Evidence::TooShort(_) => FindingKind::TooShort,
        }
    }
}
