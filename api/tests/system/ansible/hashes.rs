//! Requirements with hashes: installed with them, from the wheel cache and from an index; a wrong one ends the build.

use std::process::Command;
use std::sync::Arc;

use ocim::ansible::port::{Ansible, AnsibleError};
use ocim::ansible::real::{AnsibleConfig, AnsibleCore};
use tokio_util::sync::CancellationToken;

use super::support::{Repository, Taken, config, git, load, local_play, open_dir, sandbox};

/// Makes the wheel of an `ansible-playbook` that only tells its version.
const MAKE_WHEEL: &str = "import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('tiny.py', 'def main():\\n    print(\"ansible-playbook [core 2.18]\")\\n')
    wheel.writestr('tiny-1.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n')
    wheel.writestr('tiny-1.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('tiny-1.dist-info/entry_points.txt', '[console_scripts]\\nansible-playbook = tiny:main\\n')
    wheel.writestr('tiny-1.dist-info/RECORD', 'tiny.py,,\\n')
";

const WHEEL: &str = "tiny-1-py3-none-any.whl";
const INSTALLED: &str = "Installed all requirements from the wheel cache";

/// What `prepare` says and how it ends, with the wheel in the wheel cache or in a directory that the file names.
async fn prepared(is_cached: bool, has_right_hash: bool) -> (Vec<String>, Result<u32, AnsibleError>) {
    let dir = open_dir();
    let cache_dir = dir.path().join("cache");
    let wheels = if is_cached { cache_dir.join("wheels") } else { dir.path().join("index") };
    std::fs::create_dir_all(&wheels).unwrap();
    assert!(Command::new("python3").args(["-c", MAKE_WHEEL]).arg(wheels.join(WHEEL)).status().unwrap().success());
    let sum = Command::new("sha256sum").arg(wheels.join(WHEEL)).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap().chars().take(64).collect::<String>();
    let hash = if has_right_hash { sum } else { "0".repeat(64) };
    let head = format!("--no-index\n--find-links {}\n", wheels.display());
    let repository = Repository::with_playbook(&local_play("    - debug: msg=x\n"));
    repository.commit("requirements.txt", &format!("{head}tiny==1 \\\n    --hash=sha256:{hash}\n"));
    let config = AnsibleConfig { cache_dir, sandbox: sandbox(&[&wheels]), ..config() };
    let ansible = AnsibleCore::new(config, Arc::new(git()));
    let mut taken = Taken::default();
    let spec = repository.spec(&dir.path().join("run"));
    let ended = ansible.prepare(&load(&spec), &mut taken, &CancellationToken::new()).await;
    (taken.texts().into_iter().map(str::to_owned).collect(), ended)
}

#[tokio::test]
async fn a_right_hash_installs_from_the_cache_and_from_an_index() {
    for is_cached in [true, false] {
        let (said, ended) = prepared(is_cached, true).await;
        assert_eq!(said.iter().any(|line| line == INSTALLED), is_cached, "{said:?}");
        assert!(ended.is_ok(), "{ended:?}: {said:?}");
    }
}

#[tokio::test]
async fn a_wrong_hash_ends_the_build_and_names_the_requirement() {
    for is_cached in [true, false] {
        let (said, ended) = prepared(is_cached, false).await;
        assert!(!said.iter().any(|line| line == INSTALLED), "{said:?}");
        let words = "the requirements cannot be installed: tiny==1 has none of the hashes that are given: the file is another \
                     one (requirements.txt, line 3)";
        assert_eq!(ended, Err(AnsibleError::Permanent(words.to_owned())));
    }
}
