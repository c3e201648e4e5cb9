//! Writes what a change leaves behind: its event, its line in the logs and, if it is a verb, its audit entry. Each verb
//! calls it once, in its transaction, so that none of the three can be forgotten or be about something else.

use diesel_async::AsyncPgConnection;
use serde_json::Value;
use shared_types::audit::Operation;
use shared_types::{AppServerId, EventKind, InstanceId};

use crate::platform::audit::{self, Actor};
use crate::platform::db::DbError;
use crate::platform::events;
use crate::platform::logs::{self, Line};

/// What a change leaves behind. [`Journal::write`] stores it.
#[derive(Debug)]
#[must_use = "nothing is written before `write`"]
pub(in crate::instances) struct Journal<'a> {
    /// None: the change is about the installation.
    about: Option<logs::About>,
    event: Option<EventKind>,
    line: Option<Line>,
    is_in_both_logs: bool,
    entry: Option<audit::Entry<'a>>,
}

impl<'a> Journal<'a> {
    /// Of a verb, which `actor` performs: it has an audit entry.
    pub fn of(actor: &'a Actor, operation: Operation) -> Self {
        let entry = Some(audit::Entry::new(actor, operation));
        Self { about: None, event: None, line: None, is_in_both_logs: false, entry }
    }

    /// Of a consequence of a verb, which has an entry of its own, or of something that the program noticed.
    pub fn of_consequence() -> Self {
        Self { about: None, event: None, line: None, is_in_both_logs: false, entry: None }
    }

    /// What is changed is an instance; the line is for its log.
    pub fn instance(self, id: InstanceId) -> Self {
        let entry = self.entry.map(|entry| entry.instance(id));
        Self { about: Some(logs::About::Instance(id)), entry, ..self }
    }

    /// What is changed is an app server; the line is for its log.
    pub fn app_server(self, instance: InstanceId, id: AppServerId) -> Self {
        let entry = self.entry.map(|entry| entry.instance(instance).app_server(id));
        Self { about: Some(logs::About::AppServer(instance, id)), entry, ..self }
    }

    /// Sets the event that subscribers get.
    pub fn event(self, kind: EventKind) -> Self {
        Self { event: Some(kind), ..self }
    }

    /// Sets the line for the log.
    pub fn line(self, line: Line) -> Self {
        Self { line: Some(line), ..self }
    }

    /// Sets the line for the log of the app server and for that of its instance.
    pub fn line_in_both_logs(self, line: Line) -> Self {
        Self { line: Some(line), is_in_both_logs: true, ..self }
    }

    /// Sets further details of the audit entry; never a secret.
    pub fn detail(self, detail: Value) -> Self {
        Self { entry: self.entry.map(|entry| entry.detail(detail)), ..self }
    }

    /// Sets the values before and after, for the audit entry; never a secret.
    pub fn change(self, before: Value, after: Value) -> Self {
        Self { entry: self.entry.map(|entry| entry.change(before, after)), ..self }
    }

    /// Sets the reason that the actor gave, for the audit entry.
    pub fn reason(self, reason: Option<&'a str>) -> Self {
        Self { entry: self.entry.map(|entry| entry.reason(reason)), ..self }
    }

    /// Writes event, line and entry, in the transaction of the change.
    ///
    /// # Errors
    /// [`DbError`] when a statement fails.
    pub async fn write(self, conn: &mut AsyncPgConnection) -> Result<(), DbError> {
        let Self { about, event, line, is_in_both_logs, entry } = self;
        if let Some(kind) = event {
            events::record(conn, kind, event_about(about)).await?;
        }
        if let (Some(about), Some(line)) = (about, line) {
            let line = std::slice::from_ref(&line);
            logs::append(conn, about, line).await?;
            if is_in_both_logs {
                logs::append(conn, logs::About::Instance(about.instance()), line).await?;
            }
        }
        match entry {
            Some(entry) => audit::record(conn, entry).await,
            None => Ok(()),
        }
    }
}

fn event_about(about: Option<logs::About>) -> events::About {
    match about {
        None => events::About::default(),
        Some(logs::About::Instance(id)) => events::About::instance(id),
        Some(logs::About::AppServer(instance, id)) => events::About::app_server(instance, id),
        Some(logs::About::Server(instance, id, server)) => {
            events::About { server: Some(server), ..events::About::app_server(instance, id) }
        }
    }
}
