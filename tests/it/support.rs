//! Runs the program as a user does: with arguments and input, for output, diagnostics and an exit status.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A run of the program in its own temporary directory, which is prepared first.
pub(crate) struct Program {
    command: Command,
    directory: TempDir,
    stdin: Option<String>,
}

/// The result of a run of the program.
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    directory: TempDir,
}

/// `rushhour` with these arguments.
pub(crate) fn rushhour(arguments: &[&str]) -> Program {
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(env!("CARGO_BIN_EXE_rushhour"));
    command.args(arguments).current_dir(directory.path());
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    Program { command, directory, stdin: None }
}

impl Program {
    /// Writes a file to its directory.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.directory.path().join(name), content).expect("a file can be written");
        self
    }

    /// Sets its standard input.
    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.to_owned());
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it in another directory.
    pub(crate) fn within(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Its working directory.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Starts the program with pipes for its output, and for its input if there is any.
    pub(crate) fn start(&mut self) -> Child {
        let stdin = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.command.spawn().expect("the program can be started")
    }

    /// Runs the program to its end.
    pub(crate) fn run(mut self) -> Answer {
        let mut child = self.start();
        if let (Some(text), Some(mut stdin)) = (self.stdin.take(), child.stdin.take()) {
            stdin.write_all(text.as_bytes()).expect("standard input is read");
        }
        self.end(child)
    }

    /// Waits for the end of the started program.
    pub(crate) fn end(self, child: Child) -> Answer {
        let output = child.wait_with_output().expect("the program ends");
        Answer {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("diagnostics are UTF-8"),
            directory: self.directory,
        }
    }
}

impl Answer {
    /// The standard output of a successful run.
    pub(crate) fn good(&self) -> &str {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        &self.stdout
    }

    /// The standard error of a run that failed with this exit status and printed no result.
    pub(crate) fn bad(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "", "a failed run prints no result");
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        &self.stderr
    }

    /// The content of a file in the directory, as text.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.directory.path().join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The path of a file in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The content of a file in the directory.
    #[cfg(feature = "viz")]
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.directory.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The relative paths of all files and directories in the directory, including hidden ones.
    pub(crate) fn tree(&self) -> Vec<String> {
        let root = self.directory.path();
        let (mut paths, mut unvisited) = (Vec::new(), vec![PathBuf::from(root)]);
        while let Some(directory) = unvisited.pop() {
            for entry in std::fs::read_dir(directory).expect("a directory") {
                let path = entry.expect("an entry").path();
                paths.push(path.strip_prefix(root).expect("inside").display().to_string());
                if path.is_dir() {
                    unvisited.push(path);
                }
            }
        }
        paths.sort();
        paths
    }
}
