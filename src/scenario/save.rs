//! From a scenario that was loaded, and what was done to it since, to the text of a scenario that says it all.

use super::load::{Loaded, load};
use crate::model::change::ChangeSpec;
use crate::text::{Diagnostics, Path};

/// The text of a scenario with its overrides in it, another seed if one is given, and more changes behind its own. The
/// rest stays as its author wrote it, comments included; a byte order mark goes.
///
/// Read again, it is the same scenario with that seed and those changes, to the nanosecond: its run is the same run.
///
/// # Errors
/// All that is wrong with the scenario that this would be.
pub fn save(loaded: &Loaded, seed: Option<u64>, changes: &[ChangeSpec]) -> Result<String, Diagnostics> {
    let document = &loaded.document;
    let mut wanted = loaded.scenario.clone();
    wanted.seed = seed.unwrap_or(wanted.seed);
    wanted.changes.extend_from_slice(changes);
    let text =
        document.written_with(seed, "changes", changes).map_err(|wrong| document.diagnostics(wrong))?;
    let saved = load(document.sources().name(), text.as_bytes(), &[])?;
    if saved.scenario == wanted {
        return Ok(text);
    }
    let message = "what was changed cannot be written into this text without changing more of it";
    Err(saved.document.diagnostics(vec![saved.document.diagnostic_at(&Path::root(), message)]))
}
