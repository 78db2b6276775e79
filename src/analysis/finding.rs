//! What a finding is: a conclusion with its evidence. How it is put into words is the report's business.

use serde::Serialize;

use super::{
    ConvergenceEvidence, HealthEvidence, HotKeyEvidence, ImbalanceEvidence, KnowledgeLagEvidence,
    LossEvidence, OscillationEvidence, OverloadEvidence, RejectionEvidence, SaturationEvidence,
};

/// A conclusion from a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The node, group, link, source or series that it is about.
    pub subject: String,
    /// When it begins, in seconds; nothing if it is about the whole run.
    pub from: Option<f64>,
    /// When it ends.
    pub to: Option<f64>,
    /// What it cost the users of the system, in request-seconds: the time that requests waited at its subject meanwhile,
    /// and for each that failed as long as the slowest one in a hundred took. Findings that explain each other share
    /// their cost.
    pub cost: f64,
    /// How many other members of its group have the same finding: it speaks for them, and its cost is that of all.
    pub similar_members: usize,
    /// What it is concluded from, by kind.
    pub evidence: Evidence,
}

/// The evidence for a finding; what kind it is follows from it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Evidence {
    /// See [`FindingKind::Oscillation`].
    Oscillation(Box<OscillationEvidence>),
    /// See [`FindingKind::Overload`].
    Overload(OverloadEvidence),
    /// See [`FindingKind::HotKey`].
    HotKey(HotKeyEvidence),
    /// See [`FindingKind::Saturation`].
    Saturation(SaturationEvidence),
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
    /// See [`FindingKind::Healthy`].
    Healthy(HealthEvidence),
}

/// The kinds of findings: a closed list. Where findings cost the same, those that explain the others come first: the
/// order is the one here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A gauge swings to and fro, more regularly or further than chance makes it.
    Oscillation,
    /// More work was offered than the servers can do, by more than chance explains.
    Overload,
    /// One key asks for a large part of what a server can do, and most of it goes to that server.
    HotKey,
    /// A server had no free slot while it was offered more than it can do.
    Saturation,
    /// Requests found no room.
    Rejection,
    /// Links lost requests or responses.
    Loss,
    /// One member of a group carries much more than the others, by more than chance explains.
    LoadImbalance,
    /// What clients believe of the load of a server that is in trouble follows what it is only later.
    KnowledgeLag,
    /// After a change of the workload a gauge came to rest, at once or late, or did not.
    Convergence,
    /// None of the others costs the users anything worth mentioning.
    Healthy,
}

/// What a kind of finding says of the system that it was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Something costs its users.
    Trouble,
    /// It explains, or tells what else there is to be known.
    Context,
    /// All is well.
    Good,
}

impl FindingKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Oscillation,
        Self::Overload,
        Self::HotKey,
        Self::Saturation,
        Self::Rejection,
        Self::Loss,
        Self::LoadImbalance,
        Self::KnowledgeLag,
        Self::Convergence,
        Self::Healthy,
    ];

    /// What it says of the system.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Oscillation
            | Self::Overload
            | Self::HotKey
            | Self::Saturation
            | Self::Rejection
            | Self::Loss
            | Self::LoadImbalance => Severity::Trouble,
            Self::KnowledgeLag | Self::Convergence => Severity::Context,
            Self::Healthy => Severity::Good,
        }
    }

    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oscillation => "oscillation",
            Self::Overload => "overload",
            Self::HotKey => "hot_key",
            Self::Saturation => "saturation",
            Self::Rejection => "rejection",
            Self::Loss => "loss",
            Self::LoadImbalance => "load_imbalance",
            Self::KnowledgeLag => "knowledge_lag",
            Self::Convergence => "convergence",
            Self::Healthy => "healthy",
        }
    }
}

impl Finding {
    /// A finding about the whole run.
    #[must_use]
    pub(super) fn new(subject: impl Into<String>, evidence: Evidence) -> Self {
        Self { subject: subject.into(), from: None, to: None, cost: 0.0, similar_members: 0, evidence }
    }

    /// The same about a part of the run, in seconds.
    #[must_use]
    pub(super) fn during(self, from: f64, to: f64) -> Self {
        Self { from: Some(from), to: Some(to), ..self }
    }

    /// The same with what it cost.
    #[must_use]
    pub(super) fn costing(self, cost: f64) -> Self {
        Self { cost, ..self }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> FindingKind {
        match &self.evidence {
            Evidence::Oscillation(_) => FindingKind::Oscillation,
            Evidence::Overload(_) => FindingKind::Overload,
            Evidence::HotKey(_) => FindingKind::HotKey,
            Evidence::Saturation(_) => FindingKind::Saturation,
            Evidence::Rejection(_) => FindingKind::Rejection,
            Evidence::Loss(_) => FindingKind::Loss,
            Evidence::LoadImbalance(_) => FindingKind::LoadImbalance,
            Evidence::KnowledgeLag(_) => FindingKind::KnowledgeLag,
            Evidence::Convergence(_) => FindingKind::Convergence,
            Evidence::Healthy(_) => FindingKind::Healthy,
        }
    }
}
