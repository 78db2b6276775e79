//! The window on a screen that nobody looks at: it plays, pauses by key and by click, keeps what is seen, and is
//! remembered. What it shows is observed as a user would: key P writes a picture of it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::pixels::Pixels;
use super::place_of;
use crate::support::{Answer, Program, rushhour};

/// Width and height of the window.
const SIZE: (u16, u16) = (900, 600);
/// The rows of the buttons, where a note of what was done appears: they are not compared.
const BUTTONS: usize = 90;
/// A driver that needs no GPU.
const DRIVER: &str = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";

/// A screen.
struct Screen {
    server: Child,
    name: String,
}

impl Screen {
    fn start() -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1100x800x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb can be started");
        let mut number = String::new();
        let told = server.stdout.take().expect("its output is ours");
        BufReader::new(told).read_line(&mut number).expect("it tells its number");
        Self { server, name: format!(":{}", number.trim()) }
    }

    /// Does something as a person at the screen would. Tells what came of it, if it could be done.
    fn xdotool(&self, arguments: &[&str]) -> Option<String> {
        let done = Command::new("xdotool").args(arguments).env("DISPLAY", &self.name).output();
        let done = done.expect("xdotool can be run");
        done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// The window, opened.
struct Opened<'a> {
    screen: &'a Screen,
    program: Program,
    child: Child,
    window: String,
}

impl<'a> Opened<'a> {
    fn open(screen: &'a Screen, home: &Path, arguments: &[&str]) -> Self {
        let mut program = rushhour(&[&["view"], arguments].concat()).env("DISPLAY", &screen.name);
        for name in ["XDG_STATE_HOME", "XDG_RUNTIME_DIR"] {
            program = program.env(name, home.to_str().expect("a plain path"));
        }
        program = program.env("WGPU_BACKEND", "vulkan");
        if Path::new(DRIVER).exists() {
            program = program.env("VK_ICD_FILENAMES", DRIVER);
        }
        let mut child = program.start();
        let window = patiently(|| {
            assert!(child.try_wait().expect("it can be asked").is_none(), "it ended: {}", said(&mut child));
            let found = screen.xdotool(&["search", "--onlyvisible", "--name", "^rushhour: "])?;
            found.lines().next().map(str::to_owned)
        });
        let opened = Self { screen, program, child, window: window.expect("a window opens") };
        // There is no window manager that would give it the keys.
        opened.screen.xdotool(&["windowfocus", "--sync", &opened.window]).expect("it takes the keys");
        opened
    }

    fn press(&self, key: &str) {
        self.screen.xdotool(&["key", key]).expect("a key can be pressed");
    }

    fn click(&self, (x, y): (usize, usize)) {
        let (x, y) = (x.to_string(), y.to_string());
        self.screen
            .xdotool(&["mousemove", "--window", &self.window, &x, &y])
            .expect("the mouse can be moved");
        // Somebody who clicks has seen the button react to the mouse.
        std::thread::sleep(Duration::from_millis(500));
        self.screen.xdotool(&["mousedown", "1"]).expect("a button can be pressed");
        std::thread::sleep(Duration::from_millis(300));
        self.screen.xdotool(&["mouseup", "1"]).expect("a button can be released");
        self.screen.xdotool(&["mousemove", "--window", &self.window, "20", "300"]).expect("it moves away");
        std::thread::sleep(Duration::from_millis(1_000));
    }

    fn files(&self, ending: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.program.directory()).expect("a directory").flatten();
        let named = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.ends_with(ending) && !name.starts_with('.')
        };
        entries.map(|entry| entry.path()).filter(named).collect()
    }

    /// What is seen now.
    fn picture(&self) -> Pixels {
        let before = self.files(".png");
        self.press("p");
        let new = patiently(|| self.files(".png").into_iter().find(|path| !before.contains(path)));
        Pixels::of(&std::fs::read(new.expect("a picture is written")).expect("it can be read"))
    }

    /// Whether what is seen changes within a second or so, apart from buttons and notes.
    fn moves(&self) -> bool {
        let seen = || {
            let picture = self.picture();
            picture.rows(BUTTONS..picture.height)
        };
        let before = seen();
        std::thread::sleep(Duration::from_secs(1));
        seen().from(&before).share > 0.0
    }

    /// Ends it with a signal.
    fn end(self, signal: &str) -> Answer {
        let kill = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(kill.expect("kill can be run").success());
        self.program.end(self.child)
    }
}

/// What the program has said on standard error, once it has ended.
fn said(child: &mut Child) -> String {
    let mut text = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        drop(std::io::Read::read_to_string(&mut stderr, &mut text));
    }
    text
}

/// Tries again until it works, a minute at most: machines may be slow.
fn patiently<T>(mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    (0..600).find_map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        attempt()
    })
}

#[test]
#[ignore = "needs Xvfb, xdotool, ffmpeg and a Vulkan driver; .ci/run installs them and runs this"]
fn the_window_plays_pauses_keeps_what_is_seen_and_is_remembered() {
    let screen = Screen::start();
    let home = tempfile::tempdir().expect("a directory");
    let window = Opened::open(&screen, home.path(), &["--size", "900x600"]);

    let picture = window.picture();
    assert_eq!((picture.width, picture.height), (SIZE.0.into(), SIZE.1.into()));
    assert!(window.moves(), "it plays");
    window.press("space");
    std::thread::sleep(Duration::from_secs(1));
    assert!(!window.moves(), "a key pauses it");
    window.press("space");
    assert!(window.moves(), "and plays it again");
    window.click(place_of("Pause", SIZE));
    assert!(!window.moves(), "a click pauses it");

    // A film, of something that moves, in another theme.
    window.press("space");
    window.press("t");
    window.press("r");
    std::thread::sleep(Duration::from_secs(3));
    window.press("r");
    let film = patiently(|| window.files(".mp4").pop()).expect("a film is written");
    let film = std::fs::read(film).expect("it can be read");
    assert!(film[4..].starts_with(b"ftyp") && film.windows(4).any(|word| word == b"moov"), "it is whole");

    // One that goes on when somebody ends the program.
    window.press("r");
    std::thread::sleep(Duration::from_secs(2));
    let answer = window.end("-INT");
    answer.good();
    assert!(!answer.stderr.contains("panicked"), "{}", answer.stderr);
    let films = answer.tree().into_iter().filter(|name| name.ends_with(".mp4")).count();
    assert_eq!((films, answer.tree().iter().filter(|name| name.starts_with('.')).count()), (2, 0));

    let state = std::fs::read_to_string(home.path().join("rushhour/window.json")).expect("it is remembered");
    assert!(state.contains("\"light\": true"), "{state}");
    let again = Opened::open(&screen, home.path(), &[]);
    let picture = again.picture();
    assert_eq!((picture.width, picture.height), (SIZE.0.into(), SIZE.1.into()), "as large as it was");
    let answer = again.end("-TERM");
    answer.good();
    assert!(!answer.stderr.contains("panicked"), "{}", answer.stderr);
}

#[test]
#[ignore = "needs a Vulkan driver; .ci/run installs one that needs no GPU and runs this"]
fn a_screen_that_is_not_there_is_told_in_a_sentence() {
    // Xvfb does not give out such numbers.
    let view = rushhour(&["view"]).env("DISPLAY", ":54321").env("XDG_STATE_HOME", "/nowhere");
    // Who asks for a trace of what happened gets it before the sentence.
    let answer = view.env("RUST_BACKTRACE", "0").run();
    assert!(answer.bad(1).contains("cannot be shown"), "{}", answer.stderr);
}

#[test]
fn without_a_display_one_is_told_how_to_do_without() {
    let answer = rushhour(&["view"]).env("DISPLAY", "").run();
    let said = answer.bad(2);
    assert!(said.contains("no display") && said.contains("--frames"), "{said}");
}
