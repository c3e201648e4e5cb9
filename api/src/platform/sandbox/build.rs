//! Builds the wall of one program: its files, its mounts, its command.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::accounts::{Account, SCRATCH, failed_at};
use super::bubblewrap::{Mount, View};
use super::cell::{Cell, Guard};
use super::launch::{Launch, Root, Staged};
use super::network::Egress;
use super::settings::SandboxSettings;
use super::wall::Wall;
use super::watch::Watch;
use super::{environment, etc};
use crate::platform::cgroups::{self, Cgroups, Group};
use crate::platform::command::{self, CommandError};
use crate::platform::files::private_dir;
use crate::platform::removal::remove_tree;

/// The most memory that `/tmp` or the home takes, as a part of the limit of memory.
const MEMORY_PARTS: u64 = 4;

/// What this host offers.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// The filter of system calls.
    pub(super) seccomp: Option<Vec<u8>>,
    pub(super) cgroups: Option<Cgroups>,
    /// `/dev/net/tun` is not open to users.
    pub(super) makes_tun: bool,
}

/// A wall in the making.
pub(super) struct Builder<'a> {
    pub(super) settings: &'a SandboxSettings,
    pub(super) facts: &'a Facts,
    pub(super) account: &'a Arc<Account>,
    pub(super) wall: &'a Wall,
    /// The program's files.
    dir: PathBuf,
    number: u64,
    staged: Staged,
    mounts: Vec<Mount>,
    /// To be removed after the program.
    dirs: Vec<PathBuf>,
    /// The bytes of what the program may write, before it starts.
    pub(super) written_before: u64,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        settings: &'a SandboxSettings,
        facts: &'a Facts,
        account: &'a Arc<Account>,
        wall: &'a Wall,
    ) -> Result<Self, CommandError> {
        let (number, dir) = account.program_dir()?;
        let dirs = vec![dir.clone()];
        Ok(Self {
            settings,
            facts,
            account,
            wall,
            dir,
            number,
            staged: Staged::default(),
            mounts: Vec::new(),
            dirs,
            written_before: 0,
        })
    }

    /// Without any wall.
    pub(super) fn open(self, program: &OsStr) -> Cell {
        let mut command = command::command(program);
        environment::set(&mut command, self.wall.network);
        command.env("HOME", &self.dir).current_dir(&self.wall.work_dir);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        let guard = self.guard(None, None);
        Cell { command, guard }
    }

    pub(super) fn build(mut self, program: &OsStr, egress: Option<&Egress>) -> Result<Cell, CommandError> {
        let files = self.files(egress)?;
        let files = self.place(&files);
        self.mount_all()?;
        let scratch = self.scratch()?;
        let view = View {
            mounts: std::mem::take(&mut self.mounts),
            etc: files.clone(),
            scratch: scratch.as_deref().map(|scratch| self.place(scratch)),
            tmp_bytes: (self.settings.limits.memory_mb << 20) / MEMORY_PARTS,
            tmp_dir: self.wall.tmp_dir.clone(),
            work_dir: self.wall.work_dir.clone(),
            has_network: egress.is_some(),
            has_seccomp: self.facts.seccomp.is_some(),
        };
        let group = self.group()?;
        let launch = Launch {
            root: self.root(group.as_ref())?,
            limits: self.settings.limits,
            network: egress.map(|egress| (egress.pasta(), files.join("rules"))),
            seccomp: self.facts.seccomp.is_some().then(|| files.join("seccomp")),
            view: &view,
        };
        let mut words = launch.words().into_iter();
        let mut command = command::bare(words.next().unwrap_or_default());
        command.args(words).arg(program).current_dir("/");
        environment::set(&mut command, self.wall.network);
        Ok(Cell { command, guard: self.guard(group, scratch) })
    }

    fn guard(self, group: Option<Group>, scratch: Option<PathBuf>) -> Guard {
        let paths = self.wall.written.iter().chain(&self.wall.watched).cloned().chain(scratch.clone()).collect();
        let mut dirs = self.dirs;
        dirs.extend(scratch);
        Guard {
            account: self.account.clone(),
            dirs,
            group,
            watch: Watch {
                paths,
                uid: self.account.uid(),
                limit_mb: self.settings.limits.disk_mb,
                before: self.written_before,
            },
            limits: self.settings.limits,
        }
    }

    /// Generated files, which hold no secret.
    fn files(&self, egress: Option<&Egress>) -> Result<PathBuf, CommandError> {
        let dir = self.dir.join("files");
        let write = |name: &str, bytes: &[u8]| {
            let path = dir.join(name);
            fs::write(&path, bytes)?;
            fs::set_permissions(&path, Permissions::from_mode(0o644))
        };
        let write_all = || -> io::Result<()> {
            fs::create_dir(&dir)?;
            fs::set_permissions(&dir, Permissions::from_mode(0o755))?;
            write("passwd", etc::passwd().as_bytes())?;
            write("group", etc::group().as_bytes())?;
            write("gitconfig", etc::GITCONFIG.as_bytes())?;
            write("resolv.conf", egress.map_or("", |egress| &egress.resolvers.file).as_bytes())?;
            if let Some(egress) = egress {
                write("rules", egress.rules().as_bytes())?;
            }
            self.facts.seccomp.as_ref().map_or(Ok(()), |filter| write("seccomp", filter))
        };
        write_all().map_err(|error| failed_at(&dir, &error))?;
        Ok(dir)
    }

    /// Where the run's user finds a path of this program.
    fn place(&mut self, path: &Path) -> PathBuf {
        if self.account.uid().is_some() { self.staged.add(path) } else { path.to_owned() }
    }

    fn mount(&mut self, path: &Path, at: &Path, is_written: bool) -> Result<(), CommandError> {
        // A link is followed here, once, so that its target cannot be exchanged afterwards.
        let found = path.canonicalize().map_err(|error| failed_at(path, &error))?;
        let from = self.place(&found);
        self.mounts.push(Mount { from, at: at.to_owned(), is_written });
        Ok(())
    }

    fn mount_all(&mut self) -> Result<(), CommandError> {
        let wall = self.wall;
        for path in &wall.written {
            self.mount(path, path, true)?;
        }
        let certificates = environment::certificates(wall.network);
        let readable = self.settings.readable.iter().filter(|path| path.exists());
        let mut shown: Vec<&PathBuf> = wall.shown.iter().chain(&certificates).chain(readable).collect();
        shown.retain(|path| !environment::is_of_system(path));
        shown.sort();
        shown.dedup();
        for path in shown {
            self.mount(path, path, false)?;
        }
        for (number, (path, at)) in wall.copied.iter().enumerate() {
            let copy = self.copy(path, number).map_err(|error| failed_at(path, &error))?;
            self.mount(&copy, at, false)?;
        }
        Ok(())
    }

    fn copy(&self, path: &Path, number: usize) -> io::Result<PathBuf> {
        let Some(uid) = self.account.uid() else { return Ok(path.to_owned()) };
        let copy = self.dir.join(format!("copy-{number}"));
        fs::copy(path, &copy)?;
        fs::set_permissions(&copy, Permissions::from_mode(0o600))?;
        chown(&copy, Some(uid), Some(uid))?;
        Ok(copy)
    }

    fn scratch(&mut self) -> Result<Option<PathBuf>, CommandError> {
        if !self.wall.has_scratch {
            return Ok(None);
        }
        let scratch = self.settings.state_dir.join(SCRATCH).join(self.account.name()).join(self.number.to_string());
        let make = || {
            // Of a manager that was killed.
            remove_tree(&scratch)?;
            private_dir(&scratch)?;
            self.account.uid().map_or(Ok(()), |uid| chown(&scratch, Some(uid), Some(uid)))
        };
        make().map_err(|error| failed_at(&scratch, &error))?;
        Ok(Some(scratch))
    }

    fn group(&self) -> Result<Option<Group>, CommandError> {
        let (Some(cgroups), Some(uid)) = (&self.facts.cgroups, self.account.uid()) else { return Ok(None) };
        let limits = self.settings.limits;
        let limits = cgroups::Limits {
            memory_bytes: Some(limits.memory_mb << 20),
            cpus: Some(limits.cpus.into()),
            processes: Some(limits.processes),
            io_weight: None,
        };
        let made = cgroups.make(&format!("run-{uid}-{}", self.number), &limits);
        made.map(Some).map_err(|error| CommandError::System(format!("no control group can be made: {error}")))
    }

    fn root(&mut self, group: Option<&Group>) -> Result<Option<Root>, CommandError> {
        let Some(uid) = self.account.uid() else { return Ok(None) };
        let staged = std::mem::take(&mut self.staged);
        let table = self.dir.join("fstab");
        fs::write(&table, staged.table()).map_err(|error| failed_at(&table, &error))?;
        let groups = group.map(Group::joins).unwrap_or_default();
        Ok(Some(Root { uid, groups, staged, table, makes_tun: self.facts.makes_tun }))
    }
}
