//! How exactly requirements files say what is installed.

use std::path::{Component, Path, PathBuf};

use super::requirements::{RequirementsFile, named_file};

/// How exactly requirements say what is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pins {
    /// Every requirement has hashes, so pip asks for one of everything that they need, too.
    Hashes,
    /// Every requirement is a name, perhaps with a range of versions, that only the index resolves.
    Index,
    /// Something is a path or a URL, or depends on options: another repository may mean another thing by it.
    Open,
}

/// Ends of names that pip takes for files.
const ARCHIVES: &[&str] =
    &[".whl", ".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz", ".xz", ".txz", ".lz", ".tlz", ".lzma"];

/// How exact these files are. What is not understood counts as open.
pub(super) fn of(files: &[RequirementsFile]) -> Pins {
    let mut has_hashes = false;
    for file in files {
        for line in logical_lines(&file.text) {
            match pins_of_line(&line, file, files) {
                Some(Pins::Hashes) => has_hashes = true,
                Some(Pins::Index) => {}
                Some(Pins::Open) | None => return Pins::Open,
            }
        }
    }
    if has_hashes { Pins::Hashes } else { Pins::Index }
}

/// The lines as pip reads them: continued ones in one, without comments, and without empty ones.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for line in text.lines() {
        let is_comment = line.trim_start().starts_with('#');
        let (part, goes_on) = match line.strip_suffix('\\').filter(|_| !is_comment) {
            Some(part) => (part, true),
            None => (line, false),
        };
        if let Some(last) = lines.last_mut() {
            last.push_str(part);
        }
        if !goes_on {
            lines.push(String::new());
        }
    }
    let bare = |line: String| {
        let end = if line.trim_start().starts_with('#') { 0 } else { comment(&line).unwrap_or(line.len()) };
        line.get(..end).unwrap_or_default().trim().to_owned()
    };
    lines.into_iter().map(bare).filter(|line| !line.is_empty()).collect()
}

/// Where a comment begins: a `#` after a space.
fn comment(line: &str) -> Option<usize> {
    line.match_indices('#')
        .map(|(at, _)| at)
        .find(|at| line.get(..*at).is_some_and(|before| before.ends_with([' ', '\t'])))
}

fn pins_of_line(line: &str, file: &RequirementsFile, files: &[RequirementsFile]) -> Option<Pins> {
    // A variable of the environment.
    if line.contains("${") {
        return None;
    }
    if line.starts_with('-') {
        let named = plain(&file.path.with_file_name("").join(named_file(line)?))?;
        return files.iter().any(|other| other.path == named).then_some(Pins::Index);
    }
    let (requirement, hashes) = match line.split_once(" --hash") {
        Some((requirement, hashes)) => (requirement, Some(hashes)),
        None => (line, None),
    };
    // An option of this requirement alone.
    if requirement.contains(" -") {
        return None;
    }
    let (requirement, _marker) = requirement.split_once(';').unwrap_or((requirement, ""));
    let requirement = requirement.trim();
    // pip looks for a file of that name first.
    if ARCHIVES.iter().any(|end| requirement.to_ascii_lowercase().ends_with(end)) {
        return None;
    }
    let name_end = requirement.find(|c: char| !is_name(c)).unwrap_or(requirement.len());
    let (name, rest) = requirement.split_at_checked(name_end)?;
    let rest = rest.trim_start();
    let versions = match rest.strip_prefix('[') {
        None => rest,
        Some(rest) => {
            let (extras, versions) = rest.split_once(']')?;
            let is_plain = extras.chars().all(|c| is_name(c) || matches!(c, ',' | ' '));
            is_plain.then_some(versions)?
        }
    };
    let is_range = |c: char| is_name(c) || matches!(c, '+' | '!' | '*' | '=' | '<' | '>' | '~' | ',' | ' ');
    let begins = versions.trim_start().starts_with(['=', '<', '>', '~', '!']);
    let is_fine = versions.trim().is_empty() || (begins && versions.chars().all(is_range));
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !is_fine {
        return None;
    }
    match hashes {
        None => Some(Pins::Index),
        Some(hashes) => {
            let mut words =
                hashes.split_whitespace().map(|word| word.trim_start_matches("--hash").trim_start_matches('='));
            let is_hash = |word: &str| {
                let digits = word.split_once(':').map(|(_, digits)| digits);
                digits.is_some_and(|digits| digits.len() >= 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            };
            words.all(is_hash).then_some(Pins::Hashes)
        }
    }
}

/// A character of a requirement's name.
fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// A relative path without `.` and `..`; none if it leads out.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !plain.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(text: &str) -> Pins {
        let file = |path: &str, text: &str| RequirementsFile { path: path.into(), text: text.to_owned() };
        of(&[
            file("requirements/base.txt", text),
            file("requirements/more.txt", "a==1\n"),
            file("limits.txt", "b==2\n"),
        ])
    }

    #[test]
    fn what_only_the_index_resolves_is_told_from_all_else() {
        for text in [
            "",
            "# a comment -e ./x\nansible-core==2.16.1  # why\n",
            "Jinja2 == 3.1.2 ; python_version < '3.12'\nrequests[socks, x]==2.31.0\nx==1!2.0+local.1\n",
            "-r more.txt\n-c ../limits.txt\n--constraint=../limits.txt\nx==1",
            "x== \\\n  1.0\n",
            "ansible",
            "ansible>=2.9, !=2.10.*",
            "ansible==2.*",
            "ansible==2.9,<3",
            "ansible~=2.9",
        ] {
            assert_eq!(of_text(text), Pins::Index, "{text}");
        }
        for text in [
            "./local",
            "local.whl",
            "local==1.zip",
            "x y",
            "x (>=1)",
            "x@https://git.example/x",
            "C:x",
            "-",
            "-e .",
            "-e git+https://git.example/x",
            "git+https://git.example/x@v1#egg=x",
            "x @ https://git.example/x-1.whl",
            "https://git.example/x-1.whl",
            "-r https://git.example/more.txt",
            "-r ../../outside.txt",
            "-r missing.txt",
            "--index-url https://evil.example/simple\nx==1",
            "--extra-index-url=https://evil.example/simple\nx==1",
            "-i https://evil.example/simple",
            "-f ./wheels\nx==1",
            "--find-links wheels",
            "--pre",
            "x==${VERSION}",
            "x==1 --global-option=y",
            "x==1 \\\n--config-settings=y=z",
            "x#==1",
        ] {
            assert_eq!(of_text(text), Pins::Open, "{text}");
        }
    }

    #[test]
    fn hashes_name_every_file() {
        let hash = format!("--hash=sha256:{}", "a1".repeat(32));
        for text in [
            format!("x==1 {hash}\n"),
            format!("x==1 \\\n    {hash} \\\n    {hash}\ny==2 ; python_version < '4' {hash}  # why\n"),
        ] {
            assert_eq!(of_text(&text), Pins::Hashes, "{text}");
        }
        for text in
            [format!("./x {hash}\n"), format!("x==1 {hash} --index-url=y\n"), "x==1 --hash=sha256:short".to_owned()]
        {
            assert_eq!(of_text(&text), Pins::Open, "{text}");
        }
    }
}
