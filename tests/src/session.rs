//! The program under test: where it is, who runs it, and what it answers.

use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

use crate::machine::Run;

/// `nobody` and `nogroup` of Debian; any user without rights would do.
const ORDINARY: u32 = 65534;

/// What a program left when it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub stdout: String,
    pub stderr: String,
    /// the exit code; as in a shell, 128 and the signal's number where a signal ended it
    pub code: i32,
}

impl Output {
    /// What the program wrote on stdout, as JSON. Panics with the whole output where it is not.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("stdout is not JSON: {error}\n{self:#?}"),
        }
    }

    /// Insists on the exit code; the panic shows the whole output.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

impl From<std::process::Output> for Output {
    fn from(output: std::process::Output) -> Self {
        let status = output.status;
        Self {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(-1),
        }
    }
}

/// The workspace's folder, where `scenarios/` is.
pub fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests are a folder of the workspace").to_path_buf()
}

/// `NETWRIGHT_BIN`, else the `netwright` beside the folder that this test was built into.
pub fn program() -> PathBuf {
    let given = std::env::var_os("NETWRIGHT_BIN").map(PathBuf::from);
    let program = given.unwrap_or_else(|| {
        let test = std::env::current_exe().expect("/proc is mounted");
        let built = test.ancestors().nth(2).expect("tests are built into target/PROFILE/deps");
        built.join("netwright")
    });
    let help = "run `cargo xtask recipes` and `cargo build` first, or `cargo xtask test`";
    assert!(program.is_file(), "`{}` is missing\n  help: {help}", program.display());
    program
}

/// Runs netwright as whoever runs the tests, in a session of its own.
pub fn netwright<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Output {
    Session::new().netwright(arguments)
}

/// One user with a home and a runtime folder of their own, so that no test sees another's labs and
/// deployments.
/// Its folder goes when it is dropped.
pub struct Session {
    folder: TempDir,
    program: PathBuf,
    ordinary: bool,
}

impl Session {
    /// Whoever runs the tests.
    pub fn new() -> Self {
        Self::open(false)
    }

    /// A user without rights; whoever runs the tests where that is not root anyway.
    pub fn as_ordinary_user() -> Self {
        Self::open(true)
    }

    fn open(ordinary: bool) -> Self {
        let prefix = format!("{}-", Run::of_environment().name());
        let folder = tempfile::Builder::new()
            .prefix(&prefix)
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .expect("the temporary folder is writable");
        let ordinary = ordinary && is_root(folder.path());
        let mut session = Self { folder, program: program(), ordinary };
        if ordinary {
            // The folder in which it was built may be closed to others.
            let copy = session.path("netwright");
            fs::copy(&session.program, &copy).expect("the program can be copied");
            session.program = copy;
        }
        for name in ["home", "runtime"] {
            let folder = session.path(name);
            fs::create_dir(&folder).expect("the session's folder is writable");
            // XDG Base Directory Specification: the runtime folder is its user's alone.
            fs::set_permissions(&folder, Permissions::from_mode(0o700)).expect("it is ours");
            session.give(&folder);
        }
        session
    }

    /// A path in the session's folder, readable by its user.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that the session's user can read, and gives its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("the session's folder is writable");
        self.give(&path);
        path
    }

    /// Makes a folder that the session's user can write to, and gives its path.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir(&path).expect("the session's folder is writable");
        self.give(&path);
        path
    }

    /// Copies a file of the workspace to where the session's user can read it.
    pub fn bring(&self, file: &str) -> PathBuf {
        let source = workspace().join(file);
        let name = source.file_name().and_then(OsStr::to_str).expect("a file of ours has a name");
        let content = fs::read(&source).unwrap_or_else(|error| panic!("`{file}`: {error}"));
        self.file(name, content)
    }

    /// The same, at the same place below the session's folder as it has in the workspace.
    pub fn bring_in_place(&self, file: &str) -> PathBuf {
        let path = Path::new(file);
        let mut folder = PathBuf::new();
        for part in path.parent().into_iter().flatten() {
            folder.push(part);
            let folder = self.folder.path().join(&folder);
            if fs::create_dir(&folder).is_ok() {
                self.give(&folder);
            }
        }
        let content = fs::read(workspace().join(path));
        self.file(file, content.unwrap_or_else(|error| panic!("`{file}`: {error}")))
    }

    /// The command, to be started by the caller: for signals, pipes and terminals.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = if self.ordinary {
            let mut setpriv = Command::new("setpriv");
            setpriv.args(["--reuid", &ORDINARY.to_string(), "--regid", &ORDINARY.to_string()]);
            setpriv.arg("--clear-groups").arg(&self.program);
            setpriv
        } else {
            Command::new(&self.program)
        };
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("HOME", self.path("home")).env("XDG_RUNTIME_DIR", self.path("runtime"));
        if !self.ordinary {
            command.env("NETWRIGHT_RUNTIME_DIR", self.path("runtime"));
        }
        // What a developer has set for himself must not change what the program writes.
        for variable in ["RUST_BACKTRACE", "RUST_LOG", "NO_COLOR", "CLICOLOR_FORCE"] {
            command.env_remove(variable);
        }
        for variable in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"] {
            command.env_remove(variable);
        }
        // Where compiling takes long, recipes are compiled once for all of root's sessions.
        if let Some(cache) = std::env::var_os("NETWRIGHT_TEST_CACHE").filter(|_| !self.ordinary) {
            command.env("XDG_CACHE_HOME", cache);
        }
        command
    }

    /// Runs the program to its end.
    pub fn netwright<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Output {
        let mut command = self.command(arguments);
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        output.into()
    }

    /// `netwright run --keep NAME` with these arguments, which must succeed; the lab is destroyed
    /// when what is returned is dropped.
    #[track_caller]
    pub fn keep<A: AsRef<OsStr>>(
        &self,
        name: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Lab<'_> {
        let mut all: Vec<OsString> = ["run", "--keep", name].map(OsString::from).to_vec();
        all.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        let output = self.netwright(all);
        // A run whose check failed is kept too, and must go.
        let lab = Lab { session: self, name: name.to_owned() };
        output.expect_code(0);
        lab
    }

    /// A lab that this session deployed by `apply`; destroyed when what is returned is dropped.
    pub fn deployed(&self, name: &str) -> Lab<'_> {
        Lab { session: self, name: name.to_owned() }
    }

    fn give(&self, path: &Path) {
        if self.ordinary {
            chown(path, Some(ORDINARY), Some(ORDINARY)).expect("root may give files away");
        }
    }
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

/// A kept lab, destroyed when this is dropped.
pub struct Lab<'a> {
    session: &'a Session,
    name: String,
}

impl Lab<'_> {
    /// Runs a program in the lab: in its root namespace, or in the one named.
    pub fn exec<A: AsRef<OsStr>>(
        &self,
        namespace: Option<&str>,
        words: impl IntoIterator<Item = A>,
    ) -> Output {
        let mut all: Vec<OsString> = vec!["exec".into(), self.name.clone().into()];
        all.extend(namespace.into_iter().flat_map(|name| ["-n".into(), name.into()]));
        all.push("--".into());
        all.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self.session.netwright(all)
    }

    /// Waits until no IPv6 address of the lab is tentative any more (RFC 4862: about a second).
    #[track_caller]
    pub fn settle(&self) {
        let patience = Instant::now() + crate::machine::patience(Duration::from_secs(10));
        let tentative = ["ip", "-6", "address", "show", "tentative"];
        let everywhere = ["ip", "-all", "netns", "exec"].into_iter().chain(tentative);
        let everywhere: Vec<&str> = everywhere.collect();
        let settled =
            |words: &[&str]| self.exec(None, words).expect_code(0).stdout.lines().all(is_heading);
        while !(settled(&tentative) && settled(&everywhere)) {
            assert!(Instant::now() < patience, "the lab's addresses stay tentative");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What iproute2 says inside the lab: `ip -j -d` with these words.
    #[track_caller]
    pub fn ip_json<A: AsRef<OsStr>>(
        &self,
        namespace: Option<&str>,
        words: impl IntoIterator<Item = A>,
    ) -> Value {
        let mut all: Vec<OsString> = ["ip", "-j", "-d"].map(OsString::from).to_vec();
        all.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        let output = self.exec(namespace, all).expect_code(0);
        // iproute2 writes nothing at all where there is nothing to list.
        if output.stdout.trim().is_empty() { Value::Array(Vec::new()) } else { output.json() }
    }
}

/// `ip -all netns exec` writes a line with the namespace's name before each output.
fn is_heading(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with("netns: ")
}

impl Drop for Lab<'_> {
    fn drop(&mut self) {
        let output = self.session.netwright(["destroy", &self.name]);
        // A second panic would end the test program and hide the first.
        if !std::thread::panicking() {
            output.expect_code(0);
        }
    }
}

/// What we make belongs to us.
fn is_root(folder: &Path) -> bool {
    fs::metadata(folder).expect("the session's folder exists").uid() == 0
}
