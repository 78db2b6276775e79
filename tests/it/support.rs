//! The program as a user meets it: arguments in, output, diagnostics and an exit status out.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A run of the program in a directory of its own.
pub(crate) struct Program {
    command: Command,
    directory: TempDir,
    stdin: Option<String>,
}

/// What came of it.
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
    /// With a file in its directory.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.directory.path().join(name), content).expect("a file can be written");
        self
    }

    /// With something on standard input.
    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.to_owned());
        self
    }

    /// With a variable in its environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// The directory that it runs in.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Starts it with all streams in our hands.
    pub(crate) fn start(&mut self) -> Child {
        let stdin = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.command.spawn().expect("the program can be started")
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Answer {
        let mut child = self.start();
        if let (Some(text), Some(mut stdin)) = (self.stdin.take(), child.stdin.take()) {
            stdin.write_all(text.as_bytes()).expect("standard input is read");
        }
        self.end(child)
    }

    /// Waits for the end of what was started.
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
    /// The output of a run that went well.
    pub(crate) fn good(&self) -> &str {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        &self.stdout
    }

    /// The diagnostics of a run that was refused or failed with this status, and printed no result.
    pub(crate) fn bad(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "", "a result is printed only if there is one");
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        &self.stderr
    }

    /// The content of a file in its directory.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.directory.path().join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Where a file in its directory lies.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The bytes of a file in its directory.
    #[cfg(feature = "viz")]
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.directory.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// All files and directories in its directory, hidden ones too, by their paths in it.
    pub(crate) fn tree(&self) -> Vec<String> {
        let root = self.directory.path();
        let (mut found, mut open) = (Vec::new(), vec![PathBuf::from(root)]);
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(directory).expect("a directory") {
                let path = entry.expect("an entry").path();
                found.push(path.strip_prefix(root).expect("inside").display().to_string());
                if path.is_dir() {
                    open.push(path);
                }
            }
        }
        found.sort();
        found
    }
}
