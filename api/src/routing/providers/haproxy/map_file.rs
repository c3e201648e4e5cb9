//! The files of HAProxy's maps, which it reads when it starts: an entry per line, key and value.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// The entries of a map: key to value. Neither can hold a space, a line end or a semicolon.
pub(super) type Entries = BTreeMap<String, String>;

/// Reads a map's file; empty if there is none.
pub(super) fn read(path: &Path) -> io::Result<Entries> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().filter_map(entry).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Entries::new()),
        Err(error) => Err(error),
    }
}

/// Writes a map's file, atomically and durably.
pub(super) fn write(directory: &Path, name: &str, entries: &Entries) -> io::Result<()> {
    let aside = directory.join(format!("{name}.new"));
    let mut file = File::create(&aside)?;
    file.write_all(text(entries).as_bytes())?;
    file.sync_all()?;
    fs::rename(&aside, directory.join(name))?;
    File::open(directory)?.sync_all()
}

/// Writes a map's file unless it has exactly these entries.
pub(super) fn keep(directory: &Path, name: &str, entries: &Entries) -> io::Result<()> {
    let is_current = fs::read_to_string(directory.join(name)).is_ok_and(|present| present == text(entries));
    if is_current { Ok(()) } else { write(directory, name, entries) }
}

fn text(entries: &Entries) -> String {
    entries.iter().map(|(key, value)| format!("{key} {value}\n")).collect()
}

fn entry(line: &str) -> Option<(String, String)> {
    let (key, value) = line.split_once(' ')?;
    let value = value.trim();
    (!key.is_empty() && !value.is_empty()).then(|| (key.to_owned(), value.to_owned()))
}
