//! The command-line client, run as a script would run it, against the program under test.

mod activating;
mod backups;
mod documented;
mod following;
mod instances;
mod launching;
mod login;
mod printing;
mod proxy;
mod refusals;
mod resources;
mod ssh;

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;
use shared_types::Role;
use tokio::process::Command;

use crate::app::TestApp;

/// A shell with its own home directory.
pub struct Shell {
    home: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
}

/// The result of a command.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Shell {
    /// Without a server or token.
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// With server and token of a user of this role in the environment.
    pub async fn of(app: &TestApp, role: Role) -> Self {
        let person = app.person(role).await;
        Self::new().with("OCIM_SERVER", person.base()).with("OCIM_TOKEN", person.token())
    }

    /// Sets a variable of the environment.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.retain(|(other, _)| *other != name);
        self.variables.push((name, value.to_owned()));
        self
    }

    /// The home directory.
    pub fn home(&self) -> &std::path::Path {
        self.home.path()
    }

    /// A command with only this shell's environment, not that of the test's process.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("HOME", self.home()).env("XDG_CONFIG_HOME", self.home().join("config"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value))).current_dir(self.home());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Starts `ocim` with these arguments.
    pub fn begin(&self, arguments: &[&str]) -> tokio::process::Child {
        self.command(env!("CARGO_BIN_EXE_ocim"), arguments).spawn().unwrap()
    }

    /// Runs `ocim` with these arguments to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.begin(arguments)).await
    }

    /// Runs `ocim` with this standard input.
    pub async fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(input.as_bytes()).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        let mut command = self.command(env!("CARGO_BIN_EXE_ocim"), arguments);
        Ran::of(command.stdin(file).spawn().unwrap()).await
    }
}

impl Ran {
    /// Waits for the end of a process, with a time limit.
    pub async fn of(child: tokio::process::Child) -> Self {
        let ended = tokio::time::timeout(std::time::Duration::from_secs(60), child.wait_with_output()).await;
        let output = ended.expect("the command did not end").unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Standard output of a command, whose exit code must be `code`.
    #[track_caller]
    pub fn expect(&self, code: i32) -> &str {
        assert_eq!(self.code, code, "{self:#?}");
        &self.stdout
    }

    /// The one JSON document that a successful command printed.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(self.expect(0)).unwrap()
    }

    /// Standard error of a command with this exit code, which must have printed nothing to standard output.
    #[track_caller]
    pub fn refused(&self, code: i32) -> &str {
        assert_eq!(self.expect(code), "");
        &self.stderr
    }
}

/// Creates a user of this role whose password is [`PASSWORD`].
pub async fn user(app: &TestApp, name: &str, role: Role) {
    let hash = ocim::platform::users::passwords::hash(PASSWORD.to_owned()).await.unwrap();
    assert!(ocim::platform::users::store::insert(&mut *app.conn().await, name, &hash, role).await.unwrap());
}

/// The password of every [`user`].
pub const PASSWORD: &str = "correct horse battery";
