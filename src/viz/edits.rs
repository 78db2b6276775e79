//! Live edits: changes and faults that the user adds while the run is shown, at the time shown.
//!
//! The session always shows the run of the edited scenario from its start. So the scenario can be saved, its headless
//! run is the same as the session, and every edit can be undone.

use crate::engine::time::{SimDuration, SimTime};
use crate::model::change::ChangeSpec;
use crate::model::fault::{FaultSpec, WhichSpec};
use crate::model::parts::{Fault, Setting, SpecRef};
use crate::scenario::check::check;
use crate::scenario::{Loaded, Scenario, save};
use crate::text::Document;

use super::layout::NodeBox;
use super::session::Session;

/// Edits are made at whole microseconds, so that their times are short to write. In nanoseconds.
const EDIT_RESOLUTION: u64 = 1_000;

/// Parses a setting in RON: `Concurrency(20)`.
///
/// # Errors
/// The diagnostics, as a text for the user.
pub fn parse_setting(text: &str) -> Result<Setting, String> {
    let document = Document::parse("setting", text.as_bytes()).map_err(|error| error.to_string())?;
    let decoded = document.decode::<Setting>();
    match decoded.value {
        Some(setting) if decoded.diagnostics.is_empty() => Ok(setting),
        Some(_) | None => Err(document.diagnostics(decoded.diagnostics).to_string()),
    }
}

/// The history of the edits of a session.
#[derive(Clone, Debug)]
pub struct Edits {
    /// The scenario without edits.
    loaded: Loaded,
    /// The edits, in the order in which they were made.
    made: Vec<Edit>,
    /// The undone edits, in the order in which they were undone.
    undone: Vec<Edit>,
}

/// An edit.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// A further change.
    Change(Box<ChangeSpec>),
    /// A further fault, with its name.
    Fault(String, Box<FaultSpec>),
}

impl Edits {
    /// An empty history.
    #[must_use]
    pub const fn of(loaded: Loaded) -> Self {
        Self { loaded, made: Vec::new(), undone: Vec::new() }
    }
}

impl Session {
    /// The edits since the scenario was opened, in the order in which they were made.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.edits.made
    }

    /// The scenario without edits. Those of the edited one come after its changes and faults.
    #[must_use]
    pub const fn original(&self) -> &Scenario {
        &self.edits.loaded.scenario
    }

    /// Changes a setting of a node or a group at the next microsecond, and shows that time.
    ///
    /// # Errors
    /// The errors of the edited scenario, as a text for the user. The session is not changed then.
    pub fn change(&mut self, target: &str, set: Setting) -> Result<(), String> {
        let at = self.next_moment().since(SimTime::ZERO);
        self.push_edit(Edit::Change(Box::new(ChangeSpec { at, of: target.into(), set })))?;
        self.edits.undone.clear();
        Ok(())
    }

    /// Lets a fault happen to a node, a group or a link from the next microsecond on, for this time.
    ///
    /// # Errors
    /// The errors of the edited scenario, as a text for the user. The session is not changed then.
    pub fn inject(&mut self, target: &str, what: Fault, lasting: SimDuration) -> Result<(), String> {
        let mut names = (1..).map(|number| format!("injected {number}"));
        let name = names.find(|name| !self.scenario.faults.contains_key(name)).unwrap_or_default();
        let fault = FaultSpec {
            of: target.into(),
            what,
            which: WhichSpec::All,
            at: Some(self.next_moment().since(SimTime::ZERO)),
            lasting: Some(lasting),
            every: None,
            lasts: None,
            from: None,
            until: None,
        };
        self.push_edit(Edit::Fault(name, Box::new(fault)))?;
        self.edits.undone.clear();
        Ok(())
    }

    /// The next microsecond.
    fn next_moment(&self) -> SimTime {
        SimTime::from_nanos((self.clock.now.as_nanos() / EDIT_RESOLUTION + 1) * EDIT_RESOLUTION)
    }

    fn push_edit(&mut self, edit: Edit) -> Result<(), String> {
        match &edit {
            Edit::Change(change) => self.scenario.changes.push(change.as_ref().clone()),
            Edit::Fault(name, fault) => {
                self.scenario.faults.insert(name.clone(), (**fault).clone());
            }
        }
        let problems = check(&self.scenario);
        if !problems.is_empty() {
            self.take_back(&edit);
            return Err(problems
                .iter()
                .map(|problem| problem.message.as_str())
                .collect::<Vec<_>>()
                .join("; "));
        }
        match &edit {
            Edit::Change(change) => {
                let at = SimTime::ZERO + change.at;
                self.run_edited(at, self.clock.now.max(at));
            }
            // What a server can do depends on the faults that it may have, so it is built anew.
            Edit::Fault(..) => {
                let at = self.next_moment();
                self.run_again(at);
            }
        }
        self.edits.made.push(edit);
        Ok(())
    }

    /// Takes the last edit back from the scenario.
    fn take_back(&mut self, edit: &Edit) {
        match edit {
            Edit::Change(_) => {
                self.scenario.changes.pop();
            }
            Edit::Fault(..) => {
                self.scenario.faults.pop();
            }
        }
    }

    /// The settings of a node or a folded group, with their values at the time shown.
    #[must_use]
    pub fn settings(&self, node_box: &NodeBox) -> Vec<Setting> {
        let initial = self.scenario.spec(&node_box.entry).map(SpecRef::settings).unwrap_or_default();
        let now = self.clock.now.since(SimTime::ZERO);
        let concerns = |change: &&ChangeSpec| {
            change.at <= now
                && change.of.0.iter().any(|name| *name == node_box.name || *name == node_box.entry)
        };
        // The sort is stable: simultaneous changes keep the order of the scenario, in which they are applied.
        let mut changes: Vec<&ChangeSpec> = self.scenario.changes.iter().filter(concerns).collect();
        changes.sort_by_key(|change| change.at);
        let latest = |initial: Setting| {
            let last_change = changes.iter().rev().find(|change| change.set.topic() == initial.topic());
            last_change.map_or(initial, |change| change.set.clone())
        };
        initial.into_iter().map(latest).collect()
    }

    /// Undoes the last edit. Returns whether there was one.
    pub fn undo(&mut self) -> bool {
        let Some(edit) = self.edits.made.pop() else { return false };
        self.take_back(&edit);
        self.edits.undone.push(edit);
        self.run_again(self.clock.now);
        true
    }

    /// Redoes the edit that was undone last. Returns whether there was one.
    pub fn redo(&mut self) -> bool {
        let Some(edit) = self.edits.undone.pop() else { return false };
        self.push_edit(edit).is_ok()
    }

    /// The text of the scenario whose run this session shows, with its overrides, its seed and all edits.
    ///
    /// # Errors
    /// The errors of the scenario, as a text for the user.
    pub fn scenario_text(&self) -> Result<String, String> {
        let original = self.original();
        let changes = &self.scenario.changes[original.changes.len()..];
        let faults = self.scenario.faults.iter().skip(original.faults.len());
        let faults: Vec<_> = faults.map(|(name, fault)| (name.clone(), fault.clone())).collect();
        save(&self.edits.loaded, self.options.seed, changes, &faults).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::server::ServerFault;
    use crate::scenario::{DEFAULT_SCENARIO, load};
    use crate::simulation::{RunOptions, run};
    use crate::viz::session::{moment, server_state};

    fn session(overrides: &[String], seed: Option<u64>) -> Session {
        let (name, text) = DEFAULT_SCENARIO;
        Session::open(name, text.as_bytes(), overrides, seed).expect("the scenario is valid")
    }

    /// Changes a setting as typed by the user.
    fn change(session: &mut Session, target: &str, setting: &str) -> Result<(), String> {
        session.change(target, parse_setting(setting)?)
    }

    /// The number of events and the fingerprint of a headless run of a saved scenario.
    fn headless(text: &str) -> (u64, u64) {
        let scenario =
            load("saved.ron", text.as_bytes(), &[]).unwrap_or_else(|error| panic!("{error}")).scenario;
        let result = run(&scenario, RunOptions::default()).expect("the scenario runs");
        (result.events, result.fingerprint)
    }

    #[test]
    fn an_edited_session_equals_the_headless_run_of_its_saved_scenario() {
        let overrides = ["nodes.server.concurrency=9".to_owned()];
        for (overrides, seed) in [(&[][..], None), (&overrides[..], Some(7))] {
            let mut session = session(overrides, seed);
            session.go_to(moment(12.345_678_9));
            change(&mut session, "server-2", "Down").expect("a server can go down");
            assert!(
                session.clock.now.as_seconds() < 12.345_68 + 1e-9 && session.clock.now > moment(12.345_678_9)
            );
            assert_eq!(server_state(&session, "server-2").active_slots, 0);
            session.go_to(moment(18.0));
            change(&mut session, "server", "Concurrency(13)").expect("slots can be added");
            change(&mut session, "server-2", "Up").expect("a server can come up again");
            let service = "Service(Exponential(mean: \"20.500001ms\"))";
            change(&mut session, "server-0", service).expect("a service time can be changed");
            assert_eq!(session.edits().len(), 4);
            assert_eq!(server_state(&session, "server-2").active_slots, 13);
            session.go_to(session.end());
            assert_eq!(
                headless(&session.scenario_text().expect("the scenario can be saved")),
                session.digest()
            );
        }
    }

    #[test]
    fn an_undone_edit_leaves_no_trace() {
        let mut session = session(&[], None);
        session.go_to(moment(20.0));
        let before = (session.digest(), session.live_state.clone());
        assert!(!session.undo() && !session.redo());
        change(&mut session, "server-1", "Down").expect("a server can go down");
        session.go_to(moment(25.0));
        let after = (session.digest(), session.live_state.clone());
        assert!(session.undo());
        assert_eq!(session.clock.now, moment(25.0), "undoing does not change the time shown");
        session.go_to(moment(20.0));
        assert_eq!((session.digest(), session.live_state.clone()), before);
        assert!(session.redo());
        session.go_to(moment(25.0));
        assert_eq!((session.digest(), session.live_state.clone()), after);
        assert!(!session.redo());
    }

    #[test]
    fn faults_can_be_injected_undone_and_saved() {
        let mut session = session(&[], None);
        session.go_to(moment(12.0));
        let untouched = session.digest();
        let seconds = SimDuration::from_seconds;
        session
            .inject("server-2", Fault::Server(ServerFault::Errors(0.5)), seconds(3))
            .expect("a server can fail");
        session.inject("server", Fault::Server(ServerFault::Pause), seconds(1)).expect("servers can pause");
        assert!(
            session.inject("server", Fault::Server(ServerFault::Pause), seconds(1)).is_err(),
            "they do already"
        );
        session.go_to(moment(12.5));
        assert_eq!(server_state(&session, "server-0").active_slots, 0);
        assert!(session.undo());
        assert_eq!(server_state(&session, "server-0").active_slots, 10);
        assert!(session.redo());
        session.change("server-1", parse_setting("Down").expect("a setting")).expect("a server can go down");
        assert_eq!(session.edits().len(), 3);
        session.go_to(session.end());
        let text = session.scenario_text().expect("the scenario can be saved");
        assert_eq!(headless(&text), session.digest(), "{text}");
        while session.undo() {}
        session.go_to(moment(12.0));
        assert_eq!(session.digest(), untouched);
    }

    #[test]
    fn invalid_edits_are_errors_and_change_nothing() {
        let mut session = session(&[], None);
        let digest = session.digest();
        for (target, setting) in [("server-0", "Concurrency(0)"), ("nobody", "Down"), ("router", "Down")] {
            assert!(change(&mut session, target, setting).is_err(), "{setting} of {target}");
        }
        session.go_to(session.end());
        assert!(change(&mut session, "server-0", "Down").is_err(), "the run is over");
        assert!(session.edits().is_empty());
        session.go_to(SimTime::ZERO);
        assert_eq!(session.digest(), digest);
    }
}
