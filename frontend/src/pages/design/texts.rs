//! Code, diffs and log lines.

use chrono::DateTime;
use leptos::prelude::*;
use shared_types::diff::SettingChange;
use shared_types::{LogEntry, LogEntryId, LogLevel};

use crate::components::log::Excerpt;
use crate::components::{Code, DiffView};
use crate::ui::CodeEditor;

const YAML: &str = "# What learners see\nFEATURES:\n  ENABLE_NOTES: true\n  PASSWORD: \"••••••\"\nLIMIT: 5";
const LINES: [(LogLevel, &str); 6] = [
    (LogLevel::Info, "TASK [nginx : install]"),
    (LogLevel::Info, "ok: [campus.example]"),
    (LogLevel::Info, "changed: [campus.example]"),
    (LogLevel::Info, "plain, then \u{1b}[32mgreen\u{1b}[0m and \u{1b}[1;31mbold red\u{1b}[0m"),
    (LogLevel::Warning, "A warning"),
    (LogLevel::Error, "fatal: [campus.example]: FAILED! => no such package"),
];

pub(super) fn editor() -> AnyView {
    let text = RwSignal::new(YAML.to_owned());
    view! {
        <CodeEditor
            id="design-editor".to_owned() name="design_editor" class=Signal::stored("") described=String::new()
            is_wrong=Signal::stored(true) wrong_line=Signal::stored(Some(3))
            text on_typed=Callback::new(move |typed| text.set(typed))
        />
        <Code text=YAML.to_owned()/>
    }
    .into_any()
}

pub(super) fn differences() -> AnyView {
    let change = |name: &str, before: Option<&str>, after: Option<&str>| SettingChange {
        name: name.to_owned(),
        before: before.map(ToOwned::to_owned),
        after: after.map(ToOwned::to_owned),
        is_secret: false,
    };
    let changes =
        vec![change("email", Some("old@campus.example"), Some("new@campus.example")), change("LIMIT", None, Some("5"))];
    view! {
        <DiffView changes/>
        <DiffView changes=Vec::new()/>
    }
    .into_any()
}

pub(super) fn log() -> AnyView {
    let entries = (1..).zip(LINES).map(|(number, (level, text))| LogEntry {
        id: LogEntryId(number),
        seq: Some(number),
        created: DateTime::default(),
        level,
        text: text.to_owned(),
        task: None,
        instance_id: None,
        app_server_id: None,
        server_id: None,
    });
    view! { <Excerpt entries=entries.collect() around=6/> }.into_any()
}
