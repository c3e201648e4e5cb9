//! Python requirements: a path in a repository, or the requirements themselves.

use super::rules::check_path;

/// The most characters that requirements may have.
pub const REQUIREMENTS_MAX: usize = 20_000;

/// pip's options that may stand on a line of their own. None of them reads a file of the manager.
const OPTIONS: &[&str] = &[
    "--index-url",
    "-i",
    "--extra-index-url",
    "--no-binary",
    "--only-binary",
    "--pre",
    "--prefer-binary",
    "--use-pep517",
];
/// What a requirement that is a URL begins with.
const URLS: &[&str] = &["https://", "http://", "git+https://", "git+http://", "git+ssh://"];
/// Where the name of a requirement ends.
const NAME_ENDS: &[char] = &['[', '<', '>', '=', '!', '~', ';', '@', ' ', '\t', '#', '('];

/// The path of the requirements file that a text names: one line, a relative path that ends in `.txt`. `None`: the text is
/// the requirements themselves.
pub fn requirements_path(text: &str) -> Option<&str> {
    let path = text.trim();
    (path.ends_with(".txt") && check_path(path).is_ok()).then_some(path)
}

pub(super) fn check_requirements(text: &str) -> Result<(), String> {
    if requirements_path(text).is_some() {
        return Ok(());
    }
    let mut count = 0;
    // A line that ends in a backslash goes on with the next one, as it does for pip.
    let joined = text.replace("\r\n", "\n").replace("\\\n", " ");
    for line in joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        check_line(line)?;
        count += 1;
    }
    if count == 0 {
        return Err("These are only comments: name at least one requirement, like ansible==8.7.0.".into());
    }
    Ok(())
}

fn check_line(line: &str) -> Result<(), String> {
    let shown: String = line.chars().take(60).collect();
    if line.chars().any(|c| c.is_control() && c != '\t') {
        return Err("Control characters are not allowed.".into());
    }
    if has_credentials(line) {
        return Err("A URL may not hold a user or a password: everyone who may see the instance could read it. Set \
                    PIP_INDEX_URL for ocim instead."
            .into());
    }
    if line.starts_with('-') {
        let option = line.split([' ', '\t', '=']).next().unwrap_or(line);
        return if OPTIONS.contains(&option) && !line.contains("file:") {
            Ok(())
        } else {
            Err(format!("`{shown}`: of pip's options only {} are allowed.", OPTIONS.join(", ")))
        };
    }
    if URLS.iter().any(|scheme| line.len() > scheme.len() && line.starts_with(scheme)) {
        return Ok(());
    }
    let name = line.split(NAME_ENDS).next().unwrap_or(line);
    let is_end = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    let is_name = is_end(name.bytes().next())
        && is_end(name.bytes().last())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if is_name && !line.contains("file:") {
        return Ok(());
    }
    Err(format!(
        "`{shown}` is neither a requirement, like ansible==8.7.0, nor the relative path of a file in the repository that \
         ends in .txt."
    ))
}

/// Whether a URL has a user that is not `git@` of SSH.
fn has_credentials(line: &str) -> bool {
    line.match_indices("://").any(|(at, mark)| {
        let rest = line.get(at + mark.len()..).unwrap_or_default();
        let authority = rest.split(['/', '?', '#', ' ', '\t']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, _)| user != "git")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_that_is_a_relative_path_ending_in_txt_is_a_path() {
        for path in ["requirements.txt", "requirements/base.txt", " requirements.txt\n", "a-b/c_d.1+x.txt"] {
            assert_eq!(requirements_path(path), Some(path.trim()), "{path}");
            assert_eq!(check_requirements(path), Ok(()), "{path}");
        }
        for text in [
            "/etc/x.txt",
            "../x.txt",
            "a/../x.txt",
            "./x.txt",
            "a//x.txt",
            "-r x.txt",
            "--x.txt",
            ".git/x.txt",
            "x y.txt",
            "x.txt\ny.txt",
            "ansible",
            "requirements",
            "x.txt ; y",
            "$(x).txt",
            "~/x.txt",
            "",
        ] {
            assert_eq!(requirements_path(text), None, "{text}");
        }
    }

    #[test]
    fn requirements_are_lines_that_pip_reads_from_no_file() {
        for right in [
            "ansible==8.7.0\nboto\nboto3>=1.26,<2  # why\n",
            "ansible-core[x]~=2.15 ; python_version < '3.12'\r\n\r\n# end\r\n",
            "--index-url https://pypi.example/simple\n--only-binary :all:\nansible-core\n",
            "ansible @ git+https://github.com/ansible/ansible.git@v2.15.13\n",
            "git+https://github.com/edx/ansible.git@stable-1.9.3-rc1-edx#egg=ansible\n",
            "git+ssh://git@git.example/x.git\n",
            "ansible-core==2.15.13 \\\n    --hash=sha256:00ff\n",
        ] {
            assert_eq!(check_requirements(right), Ok(()), "{right}");
        }
        for (wrong, words) in [
            ("-r other.txt", "of pip's options only"),
            ("ansible\n-c limits.txt", "of pip's options only"),
            ("-e .", "of pip's options only"),
            ("--find-links=/srv", "of pip's options only"),
            ("--index-url file:///srv", "of pip's options only"),
            ("ansible \\\n -r x", ""),
            ("./local", "is neither a requirement"),
            ("/srv/wheel.whl", "is neither a requirement"),
            ("roles/local", "is neither a requirement"),
            ("../x.txt", "is neither a requirement"),
            ("x @ file:///srv/x", "is neither a requirement"),
            ("file:///srv/x", "is neither a requirement"),
            ("--index-url https://me:word@pypi.example/simple", "may not hold a user"),
            ("x @ https://token@host/x.whl", "may not hold a user"),
            ("# only\n# comments", "only comments"),
            ("a\u{7}b", "Control characters"),
        ] {
            let said = check_requirements(wrong);
            if words.is_empty() {
                // One requirement for pip, which refuses it in its own words.
                assert_eq!(said, Ok(()), "{wrong}");
            } else {
                assert!(said.as_ref().is_err_and(|said| said.contains(words)), "{wrong}: {said:?}");
            }
        }
    }
}
