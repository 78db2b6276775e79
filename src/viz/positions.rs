//! Saved positions of boxes, in a file next to the scenario.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::layout::Layout;

/// The file with the positions of a scenario: `shop.ron.positions.json` for `shop.ron`.
#[must_use]
pub fn file_of(scenario: &Path) -> PathBuf {
    let mut name = scenario.as_os_str().to_owned();
    name.push(".positions.json");
    PathBuf::from(name)
}

/// Writes the positions of all boxes, by name. Returns the path of the file.
///
/// # Errors
/// If the file cannot be written.
pub fn save(scenario: &Path, layout: &Layout) -> io::Result<PathBuf> {
    let positions: BTreeMap<&str, (f32, f32)> =
        layout.boxes.iter().map(|node_box| (node_box.name.as_str(), (node_box.x, node_box.y))).collect();
    let path = file_of(scenario);
    fs::write(&path, serde_json::to_string_pretty(&positions)? + "\n")?;
    Ok(path)
}

/// Moves boxes to their saved positions. A missing or invalid file changes nothing. Boxes that are not in the file keep
/// their positions, and unknown names in the file are ignored.
pub fn load(scenario: &Path, layout: &mut Layout) {
    let Ok(text) = fs::read_to_string(file_of(scenario)) else { return };
    let Ok(positions) = serde_json::from_str::<BTreeMap<String, (f32, f32)>>(&text) else { return };
    for node_box in &mut layout.boxes {
        if let Some((x, y)) = positions.get(&node_box.name).filter(|(x, y)| x.is_finite() && y.is_finite()) {
            (node_box.x, node_box.y) = (*x, *y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::DEFAULT_SCENARIO;

    #[test]
    fn saved_positions_are_restored() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("shop.ron");
        let scenario = crate::scenario::load("shop.ron", DEFAULT_SCENARIO.1.as_bytes(), &[])
            .expect("the scenario is valid")
            .scenario;
        let initial = Layout::of(&scenario, &scenario.names());
        let mut moved = initial.clone();
        (moved.boxes[2].x, moved.boxes[2].y) = (-40.5, 77.0);
        let written = save(&path, &moved).expect("the file can be written");
        assert!(written.ends_with("shop.ron.positions.json"));
        let mut restored = initial.clone();
        load(&path, &mut restored);
        assert_eq!(restored, moved);
        // An invalid file changes nothing.
        fs::write(&written, "{\"router\": [1, null]}").expect("the file can be written");
        let mut layout = initial.clone();
        load(&path, &mut layout);
        assert_eq!(layout, initial);
        fs::write(&written, "{\"nobody\": [1, 2], \"router\": [5, 6]}").expect("the file can be written");
        load(&path, &mut layout);
        let router =
            layout.boxes.iter().find(|node_box| node_box.name == "router").expect("the router has a box");
        assert_eq!((router.x.to_bits(), router.y.to_bits()), (5.0_f32.to_bits(), 6.0_f32.to_bits()));
    }
}
