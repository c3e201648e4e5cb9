//! Files, processes and environments of this host and of other runs.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use ocim::platform::sandbox::{UIDS, take_back};

use super::{Neighbour, attempt, bare, behind, exists, private_dir};

#[tokio::test]
async fn a_key_of_this_program_is_not_there() {
    let dir = private_dir();
    let key = dir.path().join("key");
    fs::write(&key, "secret").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    attempt(&format!("grep secret {}", key.display()), &bare()).await;
    for path in ["/etc/shadow", "/root", "/var/lib/dpkg/status"] {
        if exists(path.as_ref()) {
            attempt(&format!("ls {path} && cat {path} 2>/dev/null || test -d {path}"), &bare()).await;
        }
    }
}

#[tokio::test]
async fn a_file_that_is_shown_can_be_read_and_not_written() {
    let (dir, work) = (private_dir(), private_dir());
    let (shown, written) = (dir.path().join("shown"), work.path().join("written"));
    fs::create_dir_all(&shown).unwrap();
    fs::create_dir_all(&written).unwrap();
    fs::write(shown.join("file"), "visible").unwrap();
    take_back(&shown).unwrap();
    let wall = bare().show(&shown).write(&written);
    let (shown, written) = (shown.display(), written.display());
    let ended = behind(&format!("cat {shown}/file && echo new > {written}/file && id -u"), &wall).await;
    assert!(ended.success && ended.said.contains("visible") && ended.said.contains("1000"), "{ended:?}");
    attempt(&format!("touch {shown}/file"), &wall).await;
    // The run's `/tmp` is its own, with nothing of this host's but what is shown.
    let (top, other) = (dir.path().parent().unwrap().display(), private_dir());
    attempt(&format!("ls -a {top} | grep {}", other.path().file_name().unwrap().display()), &wall).await;
    if rustix::process::geteuid().is_root() {
        let owner = fs::metadata(work.path().join("written/file")).unwrap().uid();
        assert!(UIDS.contains(&owner), "{owner} is no user of runs");
    }
}

#[tokio::test]
async fn a_private_key_is_copied_for_the_run_alone() {
    let dir = private_dir();
    let key = dir.path().join("key");
    fs::write(&key, "a private key").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let ended =
        behind(&format!("cat {0} && stat -c %a {0} && ! echo x > {0}", key.display()), &bare().copy(&key)).await;
    assert!(ended.success && ended.said.contains("a private key") && ended.said.contains("600"), "{ended:?}");
    assert_eq!(fs::read_to_string(&key).unwrap(), "a private key");
}

#[tokio::test]
async fn environments_and_processes_of_others_are_out_of_reach() {
    let other = Neighbour::with_environment("OCIM_TEST_OF_WALLS", "a-secret-of-another-process");
    attempt("cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -q a-secret-of-another-process", &bare()).await;
    attempt(&format!("kill -0 {}", other.pid()), &bare()).await;
    attempt(&format!("test -e /proc/{}/root", other.pid()), &bare()).await;
}

#[tokio::test]
async fn this_program_s_environment_is_not_passed_on() {
    let ended = behind("env; id; hostname", &bare()).await;
    assert!(ended.success, "{ended:?}");
    for name in ["CARGO", "SSH_AUTH_SOCK", "DATABASE_URL", "OCIM_"] {
        assert!(!ended.said.contains(name), "{ended:?}");
    }
}

#[tokio::test]
async fn a_link_that_a_run_leaves_leads_this_program_nowhere() {
    let (dir, work) = (private_dir(), private_dir());
    let (secret, written) = (dir.path().join("secret"), work.path().join("written"));
    fs::write(&secret, "x").unwrap();
    fs::create_dir(&written).unwrap();
    symlink("/nonexistent", written.join("before")).unwrap();
    let before = fs::metadata(&secret).unwrap().permissions().mode();
    let script = format!("ln -s {} {}/link && mkfifo {1}/pipe", secret.display(), written.display());
    assert!(behind(&script, &bare().write(&written)).await.success);
    take_back(&written).unwrap();
    assert_eq!(fs::metadata(&secret).unwrap().permissions().mode(), before);
    assert!(ocim::platform::files::open_plain(&written.join("link")).is_err());
    assert!(ocim::platform::files::open_plain(&written.join("pipe")).is_err());
}
