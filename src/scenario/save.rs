//! Writes a loaded scenario with its overrides, and with further changes and faults, as text.

use super::load::{Loaded, load_in};
use crate::model::change::ChangeSpec;
use crate::model::fault::FaultSpec;
use crate::text::{Diagnostics, Path};

/// The text of a scenario with its overrides applied, its seed replaced if `seed` is given, and `changes` and `faults` added
/// after its own. The rest of the text stays as it was, including comments, but without a byte order mark.
///
/// Loading the text yields exactly the same scenario with that seed, those changes and those faults, so its run is the same run.
///
/// # Errors
/// All errors of the resulting scenario, or that the changes cannot be inserted into the text.
pub fn save(
    loaded: &Loaded,
    seed: Option<u64>,
    changes: &[ChangeSpec],
    faults: &[(String, FaultSpec)],
) -> Result<String, Diagnostics> {
    let document = &loaded.document;
    let mut expected = loaded.scenario.clone();
    expected.seed = seed.unwrap_or(expected.seed);
    expected.changes.extend_from_slice(changes);
    expected.faults.extend(faults.iter().cloned());
    let text = document.written_with(seed, ("changes", changes), ("faults", faults));
    let text = text.map_err(|errors| document.diagnostics(errors))?;
    let saved = load_in(&loaded.directory, document.sources().name(), text.as_bytes(), &[])?;
    if saved.scenario == expected {
        return Ok(text);
    }
    let message = "the changes cannot be inserted into this text without altering other parts of it";
    Err(saved.document.diagnostics(vec![saved.document.diagnostic_at(&Path::root(), message)]))
}
