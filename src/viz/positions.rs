//! Where people have put the boxes: a file beside the scenario, never in it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::layout::Layout;

/// `shop.ron` has its positions in `shop.ron.positions.json`.
#[must_use]
pub fn beside(scenario: &Path) -> PathBuf {
    let mut name = scenario.as_os_str().to_owned();
    name.push(".positions.json");
    PathBuf::from(name)
}

/// Writes the positions of all boxes, by name; tells where.
///
/// # Errors
/// If the file cannot be written.
pub fn save(scenario: &Path, layout: &Layout) -> io::Result<PathBuf> {
    let positions: BTreeMap<&str, (f32, f32)> =
        layout.places.iter().map(|place| (place.name.as_str(), (place.x, place.y))).collect();
    let path = beside(scenario);
    fs::write(&path, serde_json::to_string_pretty(&positions)? + "\n")?;
    Ok(path)
}

/// Puts boxes where the file beside the scenario says, if there is one that can be read. Boxes that it does not know stay
/// where they are, and boxes that are no more do no harm.
pub fn load(scenario: &Path, layout: &mut Layout) {
    let Ok(text) = fs::read_to_string(beside(scenario)) else { return };
    let Ok(positions) = serde_json::from_str::<BTreeMap<String, (f32, f32)>>(&text) else { return };
    for place in &mut layout.places {
        if let Some((x, y)) = positions.get(&place.name).filter(|(x, y)| x.is_finite() && y.is_finite()) {
            (place.x, place.y) = (*x, *y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::DEFAULT_SCENARIO;

    #[test]
    fn boxes_stay_where_they_were_put() {
        let directory = tempfile::tempdir().expect("there is room");
        let path = directory.path().join("shop.ron");
        let scenario = crate::scenario::load("shop.ron", DEFAULT_SCENARIO.1.as_bytes(), &[])
            .expect("it is good")
            .scenario;
        let laid_out = Layout::of(&scenario, &scenario.names());
        let mut moved = laid_out.clone();
        (moved.places[2].x, moved.places[2].y) = (-40.5, 77.0);
        let written = save(&path, &moved).expect("it can be written");
        assert!(written.ends_with("shop.ron.positions.json"));
        let mut again = laid_out.clone();
        load(&path, &mut again);
        assert_eq!(again, moved);
        // What cannot be understood changes nothing.
        fs::write(&written, "{\"router\": [1, null]}").expect("it can be written");
        let mut still = laid_out.clone();
        load(&path, &mut still);
        assert_eq!(still, laid_out);
        fs::write(&written, "{\"nobody\": [1, 2], \"router\": [5, 6]}").expect("it can be written");
        load(&path, &mut still);
        let router = still.places.iter().find(|place| place.name == "router").expect("a box");
        assert_eq!((router.x.to_bits(), router.y.to_bits()), (5.0_f32.to_bits(), 6.0_f32.to_bits()));
    }
}
