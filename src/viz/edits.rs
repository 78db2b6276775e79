//! Live edits: changes that the user makes while the run is shown. Each is a change of the scenario at the time shown.
//!
//! The session always shows the run of the edited scenario from its start. So the scenario can be saved, its headless
//! run is the same as the session, and every edit can be undone.

use crate::engine::time::SimTime;
use crate::model::change::ChangeSpec;
use crate::model::parts::{Setting, SpecRef};
use crate::scenario::check::check;
use crate::scenario::{Loaded, save};
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
    /// The undone edits, in the order in which they were undone.
    undone: Vec<ChangeSpec>,
}

impl Edits {
    /// An empty history.
    #[must_use]
    pub const fn of(loaded: Loaded) -> Self {
        Self { loaded, undone: Vec::new() }
    }
}

impl Session {
    /// The edits since the scenario was opened, in the order in which they were made.
    #[must_use]
    pub fn edits(&self) -> &[ChangeSpec] {
        &self.scenario.changes[self.edits.loaded.scenario.changes.len()..]
    }

    /// Changes a setting of a node or a group at the next microsecond, and shows that time.
    ///
    /// # Errors
    /// The errors of the edited scenario, as a text for the user. The session is not changed then.
    pub fn change(&mut self, target: &str, set: Setting) -> Result<(), String> {
        let next = SimTime::from_nanos((self.clock.now.as_nanos() / EDIT_RESOLUTION + 1) * EDIT_RESOLUTION);
        let at = next.since(SimTime::ZERO);
        self.push_edit(ChangeSpec { at, of: target.into(), set })?;
        self.edits.undone.clear();
        Ok(())
    }

    fn push_edit(&mut self, change: ChangeSpec) -> Result<(), String> {
        let at = SimTime::ZERO + change.at;
        self.scenario.changes.push(change);
        let problems = check(&self.scenario);
        if problems.is_empty() {
            self.run_edited(at, self.clock.now.max(at));
            return Ok(());
        }
        self.scenario.changes.pop();
        Err(problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; "))
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
        if self.edits().is_empty() {
            return false;
        }
        self.edits.undone.extend(self.scenario.changes.pop());
        self.run_again(self.clock.now);
        true
    }

    /// Redoes the edit that was undone last. Returns whether there was one.
    pub fn redo(&mut self) -> bool {
        let Some(change) = self.edits.undone.pop() else { return false };
        self.push_edit(change).is_ok()
    }

    /// The text of the scenario whose run this session shows, with its overrides, its seed and all edits.
    ///
    /// # Errors
    /// The errors of the scenario, as a text for the user.
    pub fn scenario_text(&self) -> Result<String, String> {
        save(&self.edits.loaded, self.options.seed, self.edits()).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
