//! Base trees that the operator made: a directory, an archive, and what is refused.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use ocim::machines::provider::{Machine, Provider};
use ocim::machines::providers::local::{LocalConfig, LocalProvider, base_tree, prepare_tree};

use super::yard::{Yard, cache_dir, is_root, mark_of, reference, run, traces};

/// A directory for trees, and a cache of its own.
struct Bases {
    dir: tempfile::TempDir,
}

impl Bases {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("cache")).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Our base tree with a marker, in a directory of this name.
    async fn ours_with_marker(&self, name: &str) -> PathBuf {
        let tree = base_tree::ensure(&cache_dir(), &|line| println!("{line}")).await.unwrap();
        let base = self.path(name);
        run(Command::new("cp").args(["--archive", "--reflink=auto"]).arg(tree).arg(&base));
        let marker = base.join("opt/marker");
        fs::write(&marker, "one").unwrap();
        run(Command::new("chown").arg("1234:1235").arg(&marker));
        fs::set_permissions(&marker, Permissions::from_mode(0o4711)).unwrap();
        base
    }

    fn config(&self, yard: &Yard, base: &Path) -> LocalConfig {
        LocalConfig { cache_dir: self.path("cache"), base: Some(base.to_owned()), ..yard.config(None) }
    }

    /// The copies in the cache, by name.
    fn copies(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("cache")).unwrap().flatten();
        let names = entries.map(|entry| entry.file_name().into_string().unwrap());
        let mut copies: Vec<_> = names.filter(|name| !name.ends_with(".lock")).collect();
        copies.sort();
        copies
    }

    async fn refusal(&self, base: &Path) -> String {
        let words = prepare_tree(&self.path("cache"), Some(base), &|_| {}).await.unwrap_err().to_string();
        assert_eq!(self.copies(), Vec::<String>::new(), "nothing half made is left: {words}");
        assert!(words.contains("OCIM_LOCAL_BASE") && words.contains(base.to_str().unwrap()), "{words}");
        words
    }
}

async fn create(yard: &Yard, provider: &LocalProvider, id: i64) -> Machine {
    let machine = provider.create(&yard.spec(id)).await.unwrap();
    yard.wait_for_ssh(&machine).await;
    machine
}

const MARKER: &str = "sudo cat /opt/marker; stat -c ' %u:%g %a' /opt/marker";

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_boots_on_the_operator_s_directory_and_keeps_it_when_that_changes() {
    if !is_root() {
        return;
    }
    let (yard, bases) = (Yard::new(), Bases::new());
    let base = bases.ours_with_marker("base").await;
    let provider = LocalProvider::open(bases.config(&yard, &base)).await.unwrap();
    let one = create(&yard, &provider, 1).await;
    assert_eq!(yard.ssh(&one, MARKER), "one 1234:1235 4711");
    // What a machine writes stays its own.
    yard.ssh(&one, "sudo sh -c 'echo of the machine >/opt/own'");
    assert_eq!(bases.copies().len(), 1);
    assert!(!base.join("opt/own").exists());

    fs::write(base.join("opt/marker"), "another").unwrap();
    let two = create(&yard, &provider, 2).await;
    assert!(yard.ssh(&two, MARKER).starts_with("another"));
    assert_eq!(bases.copies().len(), 2);
    provider.reboot(&reference(1)).await.unwrap();
    yard.wait_for_ssh(&one).await;
    assert!(yard.ssh(&one, MARKER).starts_with("one"), "it keeps the tree it was made on");

    // A start without a change makes no copy, and one whose original is gone is refused in words.
    drop(LocalProvider::open(bases.config(&yard, &base)).await.unwrap());
    assert_eq!(bases.copies().len(), 2);
    fs::rename(&base, bases.path("elsewhere")).unwrap();
    let words = LocalProvider::open(bases.config(&yard, &base)).await.unwrap_err().to_string();
    assert!(words.contains("OCIM_LOCAL_BASE") && words.contains("cannot be read"), "{words}");
    for id in [1, 2] {
        provider.terminate(&reference(id)).await.unwrap();
    }
    assert_eq!(traces(&mark_of(&one)), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_boots_on_the_operator_s_archive() {
    if !is_root() {
        return;
    }
    let (yard, bases) = (Yard::new(), Bases::new());
    let base = bases.ours_with_marker("base").await;
    let archive = bases.path("base.tar.zst");
    run(Command::new("tar").arg("--directory").arg(base).args(["--zstd", "--create", "--file"]).arg(&archive).arg("."));
    let provider = LocalProvider::open(bases.config(&yard, &archive)).await.unwrap();
    let machine = create(&yard, &provider, 1).await;
    assert_eq!(yard.ssh(&machine, MARKER), "one 1234:1235 4711");
    assert_eq!(yard.ssh(&machine, "sudo -n id -u"), "0");
    provider.terminate(&reference(1)).await.unwrap();
    assert_eq!(traces(&mark_of(&machine)), Vec::<String>::new());
}

/// Files that look like those of a base tree, for what is refused before anything runs. Replaces the directory, so that
/// nothing is written through its links.
fn skeleton(dir: &Path) {
    if dir.exists() {
        fs::remove_dir_all(dir).unwrap();
    }
    for program in [
        "sbin/runit",
        "usr/bin/runsvdir",
        "etc/runit/1",
        "etc/runit/2",
        "etc/runit/3",
        "bin/sh",
        "bin/bash",
        "usr/sbin/sshd",
        "usr/bin/python3",
        "usr/bin/sudo",
    ] {
        let path = dir.join(program);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(dir.join("etc/passwd"), "ubuntu:x:1000:1000::/home/ubuntu:/bin/bash\n").unwrap();
    fs::set_permissions(dir, Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn a_tree_that_lacks_what_machines_need_is_refused_in_words() {
    if !is_root() {
        return;
    }
    let bases = Bases::new();
    let base = bases.path("base");
    for (missing, words) in [
        ("usr/sbin/sshd", "openssh-server"),
        ("usr/bin/python3", "python3"),
        ("sbin/runit", "runit"),
        ("etc/runit/2", "base_tree.sh"),
        ("usr/bin/sudo", "sudo"),
        ("etc/passwd", "no user ubuntu"),
        ("bin/bash", "the shell"),
    ] {
        skeleton(&base);
        fs::remove_file(base.join(missing)).unwrap();
        let refused = bases.refusal(&base).await;
        assert!(refused.contains(words), "{missing}: {refused}");
    }
    // A program of this host behind a link of the tree is none of the tree's.
    skeleton(&base);
    fs::remove_file(base.join("usr/sbin/sshd")).unwrap();
    symlink("../../../../../../../../../../bin/true", base.join("usr/sbin/sshd")).unwrap();
    assert!(bases.refusal(&base).await.contains("openssh-server"));
    skeleton(&base);
    fs::set_permissions(&base, Permissions::from_mode(0o700)).unwrap();
    assert!(bases.refusal(&base).await.contains("mode 700"));
    // The control.
    skeleton(&base);
    prepare_tree(&bases.path("cache"), Some(&base), &|_| {}).await.unwrap();
}

#[tokio::test]
async fn a_place_that_is_no_tree_or_not_root_s_alone_is_refused_in_words() {
    if !is_root() {
        return;
    }
    let bases = Bases::new();
    let base = bases.path("base");
    skeleton(&base);
    assert!(bases.refusal(Path::new("srv/base")).await.contains("is no absolute path"));
    assert!(bases.refusal(&bases.path("missing")).await.contains("cannot be read"));
    assert!(bases.refusal(&base.join("etc/passwd")).await.contains("no file whose name ends with .tar"));
    for name in ["words.tar", "words.tar.gz", "words.tar.xz", "words.tar.zst"] {
        fs::write(bases.path(name), "these are only words\n").unwrap();
        assert!(bases.refusal(&bases.path(name)).await.contains("could not be copied whole: "), "{name}");
    }
    fs::write(bases.path("empty.tar"), "").unwrap();
    bases.refusal(&bases.path("empty.tar")).await;
    symlink(&base, bases.path("link")).unwrap();
    assert!(bases.refusal(&bases.path("link")).await.contains("is reached by a link"));
    run(Command::new("chown").arg("1234").arg(&base));
    assert!(bases.refusal(&base).await.contains("could be changed by uid 1234"));
    run(Command::new("chown").arg("0").arg(&base));
    fs::set_permissions(&base, Permissions::from_mode(0o757)).unwrap();
    assert!(bases.refusal(&base).await.contains("could be changed by others than root"));
    fs::set_permissions(&base, Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(bases.path("open")).unwrap();
    fs::rename(&base, bases.path("open/base")).unwrap();
    fs::set_permissions(bases.path("open"), Permissions::from_mode(0o777)).unwrap();
    assert!(bases.refusal(&bases.path("open/base")).await.contains("could be changed by others than root"));
}

#[tokio::test]
async fn an_archive_writes_nothing_outside_of_its_tree() {
    if !is_root() {
        return;
    }
    let bases = Bases::new();
    let (base, outside) = (bases.path("base"), bases.path("outside"));
    skeleton(&base);
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("kept"), "kept").unwrap();
    let make = |name: &str, extra: &str| {
        let archive = bases.path(name);
        let program = format!(
            "
import io, sys, tarfile
outside = sys.argv[3]
def add(name, kind=tarfile.REGTYPE, link=''):
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mode = kind, link, 0o755
    data = b'evil' if kind == tarfile.REGTYPE else b''
    member.size = len(data)
    out.addfile(member, io.BytesIO(data))
with tarfile.open(sys.argv[1], 'w') as out:
    out.add(sys.argv[2], arcname='.')
{extra}"
        );
        run(Command::new("python3").args(["-c", &program]).args([&archive, &base, &outside]));
        archive
    };
    let attempts = [
        ("up.tar", "    add('../outside/evil')"),
        ("absolute.tar", "    add(outside + '/evil')"),
        ("link.tar", "    add('out', tarfile.SYMTYPE, outside); add('out/evil')"),
        ("relative.tar", "    add('etc/out', tarfile.SYMTYPE, '../../../../outside'); add('etc/out/evil')"),
        ("hard.tar", "    add('hard', tarfile.LNKTYPE, outside + '/kept'); add('hard')"),
        (
            "through.tar",
            "    add('out', tarfile.SYMTYPE, outside); add('hard', tarfile.LNKTYPE, 'out/kept'); add('hard')",
        ),
    ];
    for (name, extra) in attempts {
        let outcome = prepare_tree(&bases.path("cache"), Some(&make(name, extra)), &|_| {}).await;
        println!("{name}: {outcome:?}");
        let found: Vec<_> = fs::read_dir(&outside).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(found, ["kept"], "{name}");
        assert_eq!(fs::read_to_string(outside.join("kept")).unwrap(), "kept", "{name}");
    }
    // The control: what is in the tree is written, with its owner, and links that lead out stay links.
    let archive = make("good.tar", "    add('out', tarfile.SYMTYPE, outside); add('good')");
    let tree = prepare_tree(&bases.path("cache"), Some(&archive), &|_| {}).await.unwrap();
    assert_eq!(fs::read_to_string(tree.join("good")).unwrap(), "evil");
    assert_eq!(fs::read_link(tree.join("out")).unwrap(), outside);
}
