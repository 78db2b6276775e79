//! The window on a virtual X display: it plays, pauses by key and by click, saves pictures and films, and reopens with
//! its last size. The tests observe it as a user would: key P writes a picture of it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::pixels::Pixels;
use super::position_of;
use crate::support::{Answer, Program, rushhour};

/// Width and height of the window.
const SIZE: (u16, u16) = (900, 600);
/// Height of the transport bar with the status text, in pixels: not compared.
const TRANSPORT_ROWS: usize = 90;
/// A Vulkan driver that needs no GPU.
const DRIVER: &str = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";

/// A virtual X display.
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
        let output = server.stdout.take().expect("the output is piped");
        BufReader::new(output).read_line(&mut number).expect("Xvfb prints its display number");
        Self { server, name: format!(":{}", number.trim()) }
    }

    /// Runs `xdotool` on this display. Returns its output, or `None` if it fails.
    fn xdotool(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("xdotool").args(arguments).env("DISPLAY", &self.name).output();
        let output = output.expect("xdotool can be run");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// An open window of `rushhour view`.
struct OpenWindow<'a> {
    screen: &'a Screen,
    program: Program,
    child: Child,
    window: String,
}

impl<'a> OpenWindow<'a> {
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
        let window = retry(|| {
            let ended = child.try_wait().expect("the process can be polled").is_some();
            assert!(!ended, "the program ended: {}", stderr(&mut child));
            let windows = screen.xdotool(&["search", "--onlyvisible", "--name", "^rushhour: "])?;
            windows.lines().next().map(str::to_owned)
        });
        let opened = Self { screen, program, child, window: window.expect("a window opens") };
        // There is no window manager that would focus it.
        opened.screen.xdotool(&["windowfocus", "--sync", &opened.window]).expect("the window can be focused");
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
        // egui needs some frames to notice that the pointer is over the button.
        std::thread::sleep(Duration::from_millis(500));
        self.screen.xdotool(&["mousedown", "1"]).expect("a button can be pressed");
        std::thread::sleep(Duration::from_millis(300));
        self.screen.xdotool(&["mouseup", "1"]).expect("a button can be released");
        self.screen
            .xdotool(&["mousemove", "--window", &self.window, "20", "300"])
            .expect("the mouse can be moved");
        std::thread::sleep(Duration::from_millis(1_000));
    }

    fn files(&self, extension: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.program.directory()).expect("a directory").flatten();
        let matches = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.ends_with(extension) && !name.starts_with('.')
        };
        entries.map(|entry| entry.path()).filter(matches).collect()
    }

    /// A picture of the window.
    fn picture(&self) -> Pixels {
        let before = self.files(".png");
        self.press("p");
        let new = retry(|| self.files(".png").into_iter().find(|path| !before.contains(path)));
        Pixels::of(&std::fs::read(new.expect("a picture is written")).expect("the picture can be read"))
    }

    /// Whether the window below the transport bar changes within about a second.
    fn moves(&self) -> bool {
        let content = || {
            let picture = self.picture();
            picture.rows(TRANSPORT_ROWS..picture.height)
        };
        let before = content();
        std::thread::sleep(Duration::from_secs(1));
        content().difference(&before).share > 0.0
    }

    /// Ends the program with a signal.
    fn end(self, signal: &str) -> Answer {
        let kill = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(kill.expect("kill can be run").success());
        self.program.end(self.child)
    }
}

/// The standard error output of a program that has ended.
fn stderr(child: &mut Child) -> String {
    let mut text = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        drop(std::io::Read::read_to_string(&mut stderr, &mut text));
    }
    text
}

/// Repeats an attempt until it succeeds, for at least a minute.
fn retry<T>(mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    (0..600).find_map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        attempt()
    })
}

#[test]
#[ignore = "needs Xvfb, xdotool, ffmpeg and a Vulkan driver; .ci/run installs them and runs this"]
fn the_window_plays_pauses_saves_and_restores_its_state() {
    let screen = Screen::start();
    let home = tempfile::tempdir().expect("a directory");
    let window = OpenWindow::open(&screen, home.path(), &["--size", "900x600"]);

    let picture = window.picture();
    assert_eq!((picture.width, picture.height), (SIZE.0.into(), SIZE.1.into()));
    assert!(window.moves(), "it plays at first");
    window.press("space");
    std::thread::sleep(Duration::from_secs(1));
    assert!(!window.moves(), "a key pauses it");
    window.press("space");
    assert!(window.moves(), "the key resumes it");
    window.click(position_of("Pause", SIZE));
    assert!(!window.moves(), "a click pauses it");

    // A film, while it plays, in the light theme.
    window.press("space");
    window.press("t");
    window.press("r");
    std::thread::sleep(Duration::from_secs(3));
    window.press("r");
    let film = retry(|| window.files(".mp4").pop()).expect("a film is written");
    let film = std::fs::read(film).expect("the film can be read");
    assert!(
        film[4..].starts_with(b"ftyp") && film.windows(4).any(|bytes| bytes == b"moov"),
        "it is complete"
    );

    // A film that is being recorded when the program ends.
    window.press("r");
    std::thread::sleep(Duration::from_secs(2));
    let answer = window.end("-INT");
    answer.good();
    assert!(!answer.stderr.contains("panicked"), "{}", answer.stderr);
    let films = answer.tree().into_iter().filter(|name| name.ends_with(".mp4")).count();
    assert_eq!((films, answer.tree().iter().filter(|name| name.starts_with('.')).count()), (2, 0));

    let state =
        std::fs::read_to_string(home.path().join("rushhour/window.json")).expect("the state is saved");
    assert!(state.contains("\"light\": true"), "{state}");
    let again = OpenWindow::open(&screen, home.path(), &[]);
    let picture = again.picture();
    assert_eq!((picture.width, picture.height), (SIZE.0.into(), SIZE.1.into()), "the size is restored");
    let answer = again.end("-TERM");
    answer.good();
    assert!(!answer.stderr.contains("panicked"), "{}", answer.stderr);
}

#[test]
#[ignore = "needs a Vulkan driver; .ci/run installs one that needs no GPU and runs this"]
fn a_missing_display_is_a_readable_error() {
    // Xvfb does not use such display numbers.
    let view = rushhour(&["view"]).env("DISPLAY", ":54321").env("XDG_STATE_HOME", "/nowhere");
    // With a backtrace, the error would be preceded by the panic.
    let answer = view.env("RUST_BACKTRACE", "0").run();
    assert!(answer.bad(1).contains("cannot display"), "{}", answer.stderr);
}

#[test]
fn without_a_display_the_error_suggests_frames() {
    let answer = rushhour(&["view"]).env("DISPLAY", "").run();
    let error = answer.bad(2);
    assert!(error.contains("no display") && error.contains("--frames"), "{error}");
}
