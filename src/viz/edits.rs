//! Live changes: what a person does to the system while it runs, each an edit of the scenario at that moment.
//!
//! The session goes on with the edited scenario, from its start to the moment of the edit and on. So whatever was done, the
//! session always is the run of a scenario, which can be saved and run headless, and every edit can be taken back.

use crate::engine::time::SimTime;
use crate::model::change::ChangeSpec;
use crate::model::parts::{Setting, SpecRef};
use crate::scenario::check::check;
use crate::scenario::{Loaded, save};
use crate::text::Document;

use super::layout::NodeBox;
use super::session::Session;

/// Edits happen at whole microseconds: a time that people can read, and still the next moment.
const GRAIN: u64 = 1_000;

/// A setting as it is written: `Concurrency(20)`.
///
/// # Errors
/// What is wrong with it, in words for people.
pub fn parsed(text: &str) -> Result<Setting, String> {
    let document = Document::parse("setting", text.as_bytes()).map_err(|wrong| wrong.to_string())?;
    let decoded = document.decode::<Setting>();
    match decoded.value {
        Some(setting) if decoded.diagnostics.is_empty() => Ok(setting),
        Some(_) | None => Err(document.diagnostics(decoded.diagnostics).to_string()),
    }
}

/// What was done to a scenario since it was opened.
#[derive(Clone, Debug)]
pub struct Edits {
    /// The scenario as it was opened.
    loaded: Loaded,
    /// What was taken back, the last one last.
    undone: Vec<ChangeSpec>,
}

impl Edits {
    /// Nothing, so far.
    #[must_use]
    pub const fn of(loaded: Loaded) -> Self {
        Self { loaded, undone: Vec::new() }
    }
}

impl Session {
    /// What was done since the scenario was opened, in the order in which it was done.
    #[must_use]
    pub fn edits(&self) -> &[ChangeSpec] {
        &self.scenario.changes[self.edits.loaded.scenario.changes.len()..]
    }

    /// Changes a node or a group in the next moment, which is shown then.
    ///
    /// # Errors
    /// What is wrong with it, in words for people; nothing has happened then.
    pub fn change(&mut self, of: &str, set: Setting) -> Result<(), String> {
        let next = SimTime::from_nanos((self.clock.now.as_nanos() / GRAIN + 1) * GRAIN);
        let at = next.since(SimTime::ZERO);
        self.adopt(ChangeSpec { at, of: of.into(), set })?;
        self.edits.undone.clear();
        Ok(())
    }

    fn adopt(&mut self, change: ChangeSpec) -> Result<(), String> {
        let at = SimTime::ZERO + change.at;
        self.scenario.changes.push(change);
        let wrong = check(&self.scenario);
        if wrong.is_empty() {
            // What is still to come the run takes in as it goes; for what would have been it runs again.
            self.run_edited(at, self.clock.now.max(at));
            return Ok(());
        }
        self.scenario.changes.pop();
        Err(wrong.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; "))
    }

    /// What can be set of a node or a folded group, as it is at the moment that is shown.
    #[must_use]
    pub fn settings(&self, place: &Place) -> Vec<Setting> {
        let written = self.scenario.spec(&place.entry).map(SpecRef::settings).unwrap_or_default();
        let now = self.clock.now.since(SimTime::ZERO);
        let concerns = |change: &&ChangeSpec| {
            change.at <= now && change.of.0.iter().any(|of| *of == place.name || *of == place.entry)
        };
        // Changes of one moment happen in the order in which they are written.
        let mut changes: Vec<&ChangeSpec> = self.scenario.changes.iter().filter(concerns).collect();
        changes.sort_by_key(|change| change.at);
        let latest = |written: Setting| {
            let same = changes.iter().rev().find(|change| change.set.topic() == written.topic());
            same.map_or(written, |change| change.set.clone())
        };
        written.into_iter().map(latest).collect()
    }

    /// Takes the last edit back; tells whether there was one.
    pub fn undo(&mut self) -> bool {
        if self.edits().is_empty() {
            return false;
        }
        self.edits.undone.extend(self.scenario.changes.pop());
        self.run_again(self.clock.now);
        true
    }

    /// Does again what was taken back last; tells whether there was something.
    pub fn redo(&mut self) -> bool {
        let Some(change) = self.edits.undone.pop() else { return false };
        // It was there before.
        self.adopt(change).is_ok()
    }

    /// The text of the scenario that this session is a run of: with its overrides, its seed and all edits.
    ///
    /// # Errors
    /// What is wrong with it, in words for people.
    pub fn saved(&self) -> Result<String, String> {
        save(&self.edits.loaded, self.options.seed, self.edits()).map_err(|wrong| wrong.to_string())
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
        Session::open(name, text.as_bytes(), overrides, seed).expect("it is good")
    }

    /// Changes something as a person who types it would.
    fn change(session: &mut Session, of: &str, setting: &str) -> Result<(), String> {
        session.change(of, parsed(setting)?)
    }

    /// What the headless program makes of the saved text.
    fn headless(text: &str) -> (u64, u64) {
        let scenario =
            load("saved.ron", text.as_bytes(), &[]).unwrap_or_else(|wrong| panic!("{wrong}")).scenario;
        let result = run(&scenario, RunOptions::default()).expect("it runs");
        (result.events, result.fingerprint)
    }

    #[test]
    fn a_session_with_edits_is_the_headless_run_of_what_it_saves() {
        let overrides = ["nodes.server.concurrency=9".to_owned()];
        for (overrides, seed) in [(&[][..], None), (&overrides[..], Some(7))] {
            let mut session = session(overrides, seed);
            session.go_to(moment(12.345_678_9));
            change(&mut session, "server-2", "Down").expect("it can go down");
            assert!(
                session.clock.now.as_seconds() < 12.345_68 + 1e-9 && session.clock.now > moment(12.345_678_9)
            );
            assert_eq!(server_state(&session, "server-2").active_slots, 0);
            session.go_to(moment(18.0));
            change(&mut session, "server", "Concurrency(13)").expect("it can have more");
            change(&mut session, "server-2", "Up").expect("it can be up again");
            let service = "Service(Exponential(mean: \"20.500001ms\"))";
            change(&mut session, "server-0", service).expect("it can be slower");
            assert_eq!(session.edits().len(), 4);
            assert_eq!(server_state(&session, "server-2").active_slots, 13);
            session.go_to(session.end());
            assert_eq!(headless(&session.saved().expect("it can be saved")), session.trace());
        }
    }

    #[test]
    fn what_is_taken_back_never_was() {
        let mut session = session(&[], None);
        session.go_to(moment(20.0));
        let before = (session.trace(), session.live_state.clone());
        assert!(!session.undo() && !session.redo());
        change(&mut session, "server-1", "Down").expect("it can go down");
        session.go_to(moment(25.0));
        let after = (session.trace(), session.live_state.clone());
        assert!(session.undo());
        assert_eq!(session.clock.now, moment(25.0), "it stays where it is");
        session.go_to(moment(20.0));
        assert_eq!((session.trace(), session.live_state.clone()), before);
        assert!(session.redo());
        session.go_to(moment(25.0));
        assert_eq!((session.trace(), session.live_state.clone()), after);
        assert!(!session.redo());
    }

    #[test]
    fn what_cannot_be_is_told_and_not_done() {
        let mut session = session(&[], None);
        let trace = session.trace();
        for (of, setting) in [("server-0", "Concurrency(0)"), ("nobody", "Down"), ("router", "Down")] {
            assert!(change(&mut session, of, setting).is_err(), "{setting} of {of}");
        }
        session.go_to(session.end());
        assert!(change(&mut session, "server-0", "Down").is_err(), "the run is over");
        assert!(session.edits().is_empty());
        session.go_to(SimTime::ZERO);
        assert_eq!(session.trace(), trace);
    }
}
