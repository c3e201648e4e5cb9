//! The list of machines, which the server filters and pages, and how many machines there are.

use leptos::prelude::*;
use shared_types::ServerDetail;
use shared_types::machine::ServerCount;

use super::{Data, Fetched, Key};
use crate::api;
use crate::paths::MachineFilter;

/// The listed machines, as many pages as were requested.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Machines {
    /// The filter that the rows match.
    pub filter: MachineFilter,
    /// The machines, newest first.
    pub rows: Vec<ServerDetail>,
    /// Whether the server has more pages.
    pub has_more: bool,
}

impl Data {
    /// The machines that [`want_machines`](Self::want_machines) selected, kept up to date while the calling view is shown.
    pub fn machines(self) -> Memo<Fetched<Machines>> {
        self.show(self.machine_list, (), Key::Machines, move || self.fetch_machines())
    }

    /// Selects the machines to list, and how many pages of them.
    pub fn want_machines(self, filter: MachineFilter, pages: usize) {
        self.wanted_machines.set_value((filter, pages));
        self.refresh(Key::Machines);
    }

    /// How many machines exist, kept up to date while the calling view is shown.
    pub fn machine_counts(self) -> Memo<Fetched<Vec<ServerCount>>> {
        self.show(self.machine_counts, (), Key::MachineCounts, move || self.fetch_machine_counts())
    }

    async fn fetch_machines(self) -> api::Result<()> {
        let (filter, pages) = self.wanted_machines.get_value();
        self.keep(self.machine_list, (), Key::Machines, listed(filter, pages).await)
    }

    async fn fetch_machine_counts(self) -> api::Result<()> {
        let answer = api::machines::counts().await.map(|counts| counts.items);
        self.keep(self.machine_counts, (), Key::MachineCounts, answer)
    }
}

async fn listed(filter: MachineFilter, pages: usize) -> api::Result<Machines> {
    let mut rows: Vec<ServerDetail> = Vec::new();
    let mut cursor = None;
    for _ in 0..pages.max(1) {
        let page = api::machines::list(&filter, cursor.as_deref()).await?;
        rows.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(Machines { filter, rows, has_more: cursor.is_some() })
}
