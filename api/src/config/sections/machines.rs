use shared_types::ProviderName;

use crate::config::setting::{Setting, word};
use crate::config::table::{WEEK, settings};

settings! {
    /// The machines that app servers run on, of any provider. Several providers at once:
    /// [below](#several-providers).
    pub struct Machines = "Machines";

    /// Where the machines of instances that choose no provider are made: `local`, machines on this host
    /// ([local-machines.md](local-machines.md)); `containers`, containers of Docker or Podman on this host
    /// ([containers.md](containers.md)); `openstack`, servers of an OpenStack cloud ([openstack.md](openstack.md));
    /// `command`, machines of any cloud through a program of yours ([provider-contract.md](provider-contract.md)); `fake`, for
    /// trying the API out and for tests; or the name of a table `[providers.NAME]` in the settings file.
    ocim_provider: Option<ProviderName> = None, unset("`local` as root, else `containers`");
    /// The most machines that the provider without a table may have at a time; later launches wait. The reaper's
    /// machines, and those that failed, count until they are gone.
    ocim_machine_budget: Option<u32> = None, unset("not limited"), within(1..=1_000_000);
    /// Whether commits of people who are not of the team may be approved to run on local machines or in containers. Their
    /// root is confined by the kernel that ocim itself runs on, so these machines are for people you trust.
    ocim_local_machines_for_strangers: bool = false;
    /// Hours that an app server which is no longer needed keeps its machine, unless its instance sets
    /// `retention_hours`. A change applies at once; the time counts from when the app server was first not needed.
    /// Pinned ones are kept.
    ocim_retention_hours: u32 = 48, within(1..=8760);
    /// Seconds that an orphaned machine (with ids of ocim, but owned by no app server) is kept before it is deleted.
    ocim_reaper_grace: u64 = 3600, seconds(1..=WEEK);
}

impl Setting for ProviderName {
    fn shown(&self) -> Option<String> {
        word(self)
    }
}
