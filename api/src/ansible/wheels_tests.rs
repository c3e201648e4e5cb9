#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

fn file(text: &str) -> RequirementsFile {
    RequirementsFile { path: FILE.into(), text: text.to_owned() }
}

fn output(said: &str) -> Output {
    Output { success: false, code: Some(1), stdout: said.to_owned(), stderr: String::new() }
}

#[test]
fn a_comment_names_the_python_of_the_machines() {
    let text = "# why\n# pip: --python-version 3.12 --platform=manylinux_2_28_x86_64\nx==1\n#pip: --abi no\n";
    let expected = ["--python-version", "3.12", "--platform", "manylinux_2_28_x86_64"];
    assert_eq!(options(&file(text)).unwrap(), expected);
    for (text, words) in [
        ("x\n# pip: --index-url https://x.example\n", "wheels.txt, line 2: there is no option “--index-url”"),
        ("# pip: --abi\n", "wheels.txt, line 1: --abi has no value"),
        ("# pip: --abi --platform x\n", "wheels.txt, line 1: --abi has no value"),
    ] {
        let Err(AnsibleError::Permanent(said)) = options(&file(text)) else { panic!("{text}") };
        assert!(said.starts_with(words), "{said}");
    }
}

#[test]
fn the_file_beside_the_playbook_counts_and_a_link_out_of_the_repository_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    fs::create_dir(root.join("playbooks")).unwrap();
    assert_eq!(find(&root, "playbooks/site.yml"), None);
    std::os::unix::fs::symlink("/etc/hostname", root.join("playbooks").join(FILE)).unwrap();
    fs::write(root.join(FILE), "x").unwrap();
    assert_eq!(find(&root, "playbooks/site.yml"), Some(root.join(FILE)));
    fs::remove_file(root.join("playbooks").join(FILE)).unwrap();
    fs::write(root.join("playbooks").join(FILE), "x").unwrap();
    assert_eq!(find(&root, "playbooks/site.yml"), Some(root.join("playbooks").join(FILE)));
    assert_eq!(find(&root, "site.yml"), Some(root.join(FILE)));
}

#[test]
fn the_key_depends_on_the_python_and_on_every_file() {
    let origin = Origin { source_repo: "https://git.example/x", commit: "c0ffee" };
    let key = |python: &str, files: &[RequirementsFile]| cache_name(python, files, origin, 7);
    let one = key("cpython-311 x86_64", &[file("a")]);
    assert_ne!(one, key("cpython-312 x86_64", &[file("a")]));
    assert_ne!(one, key("cpython-311 x86_64", &[file("a"), file("b")]));
    assert_eq!(one, key("cpython-311 x86_64", &[file("a")]));
}

#[test]
fn a_requirement_without_a_wheel_and_a_wrong_hash_are_named() {
    let refused = |said: &str| downloaded(&output(said), &[file("sdist-only==1\n")], "cpython-311 x86_64");
    let none = refused("ERROR: No matching distribution found for sdist-only==1\n");
    let words = "the wheels cannot be downloaded: No matching distribution found for sdist-only==1 (wheels.txt, line 1); it has \
                 no wheel for cpython-311 x86_64, and only wheels are taken";
    assert_eq!(none, Err(AnsibleError::Permanent(words.to_owned())));
    let wrong = refused(
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the package versions, \
         please update the hashes. Otherwise, examine the package contents carefully; someone may have tampered with them.\n    \
         kolibri==0.19.5 from https://files.example/kolibri.whl (from -r wheels.txt (line 2)):\n        Expected sha256 00\n",
    );
    let words = "the wheels cannot be downloaded: kolibri==0.19.5 has none of the hashes that are given: the file is another one";
    assert_eq!(wrong, Err(AnsibleError::Permanent(words.to_owned())));
    let away = refused("WARNING: Retrying (Retry(total=4))\nERROR: No matching distribution found for sdist-only==1\n");
    assert!(matches!(away, Err(AnsibleError::Transient(_))), "{away:?}");
}

#[test]
fn wheels_are_packed_in_the_order_of_their_names_and_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let (wheels, archive) = (dir.path().join("wheels"), dir.path().join("x.tar"));
    fs::create_dir(&wheels).unwrap();
    for name in ["b-1-py3-none-any.whl", "a-1-py3-none-any.whl"] {
        fs::write(wheels.join(name), name).unwrap();
    }
    pack(&wheels, &archive).unwrap();
    let mut packed = tar::Archive::new(File::open(&archive).unwrap());
    let entries = packed.entries().unwrap().map(Result::unwrap);
    let names: Vec<_> =
        entries.map(|entry| (entry.path().unwrap().display().to_string(), entry.header().mode().unwrap())).collect();
    assert_eq!(names, [("a-1-py3-none-any.whl".to_owned(), 0o644), ("b-1-py3-none-any.whl".to_owned(), 0o644)]);
    fs::write(wheels.join("c-1.tar.gz"), "").unwrap();
    fs::remove_file(&archive).unwrap();
    let words = "c-1.tar.gz is no wheel; only wheels are taken";
    assert_eq!(pack(&wheels, &archive), Err(AnsibleError::Permanent(words.to_owned())));
    assert!(!archive.exists());
}
