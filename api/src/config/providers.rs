//! The providers of machines: the tables `[providers.NAME]` of the settings file, and the one that OCIM_PROVIDER names.
//!
//! A table sets `kind`, `budget`, and any setting of that kind's section under its own name; what it does not set holds as it
//! does without a table. Credentials are the exception: a table with any of them has all.

use config::{Map, Value, ValueKind};
use shared_types::{ProviderKind, ProviderName};

use super::ConfigError;
use super::sections::{CommandMachines, Containers, FakeMachines, LocalMachines, OpenStack, Settings};
use super::table::{Section, Values};

/// The key of all tables in the settings file.
pub(super) const TABLES: &str = "providers";
/// What begins the names of OpenStack's credentials.
const CREDENTIALS: &str = "os_";
/// Other names of them, which OpenCraft's instance manager had.
const EARLIER_CREDENTIALS: [&str; 5] =
    ["openstack_auth_url", "openstack_user", "openstack_password", "openstack_tenant", "openstack_region"];

/// A provider that the settings name.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// The name of its table, or the word of its kind.
    pub name: ProviderName,
    /// The most machines that it may have at a time; none: not limited.
    pub budget: Option<u32>,
    /// The settings of its kind.
    pub kind: KindSettings,
}

/// The settings of one kind of provider.
#[derive(Debug, Clone)]
pub enum KindSettings {
    /// Machines on this host.
    Local(LocalMachines),
    /// Containers on this host, with the limits that local machines have.
    Containers(Containers, LocalMachines),
    /// Servers of an OpenStack cloud.
    OpenStack(Box<OpenStack>),
    /// Machines through a program.
    Command(CommandMachines),
    /// Files instead of machines.
    Fake(FakeMachines),
}

impl KindSettings {
    /// The kind of the machines.
    pub const fn kind(&self) -> ProviderKind {
        match self {
            Self::Local(_) => ProviderKind::Local,
            Self::Containers(..) => ProviderKind::Containers,
            Self::OpenStack(_) => ProviderKind::OpenStack,
            Self::Command(_) => ProviderKind::Command,
            Self::Fake(_) => ProviderKind::Fake,
        }
    }
}

impl Settings {
    /// The provider of instances that choose none: the one that is set; else local machines if this process is root's, and
    /// containers if it is not.
    pub fn default_provider(&self) -> ProviderName {
        let is_root = rustix::process::geteuid().is_root();
        let kind = if is_root { ProviderKind::Local } else { ProviderKind::Containers };
        self.machines.ocim_provider.clone().unwrap_or_else(|| kind.into())
    }

    /// The providers, the default one first.
    ///
    /// # Errors
    /// [`ConfigError`] names the table or the setting, and says what is wrong.
    pub fn providers(&self) -> Result<Vec<ProviderSettings>, ConfigError> {
        let tables = self.values.tables(TABLES)?;
        let default = &self.default_provider();
        let mut all = Vec::new();
        for (name, table) in &tables {
            all.push(of_table(&self.values, name, table)?);
        }
        if !tables.contains_key(default.as_str()) {
            let kind = kind_of(default.as_str()).ok_or_else(|| {
                let words = ProviderKind::ALL.iter().map(|kind| kind.as_str());
                let known: Vec<_> = words.chain(tables.keys().map(String::as_str)).collect();
                ConfigError(format!("OCIM_PROVIDER is `{default}`; there are {}", known.join(", ")))
            })?;
            let budget = self.machines.ocim_machine_budget;
            all.push(ProviderSettings { name: default.clone(), budget, kind: read(&self.values, kind)? });
        }
        all.sort_by_key(|one| (one.name != *default, one.name.clone()));
        check_together(&all)?;
        Ok(all)
    }
}

/// One host has one set of local machines, and playbooks of fake machines only print.
fn check_together(all: &[ProviderSettings]) -> Result<(), ConfigError> {
    let is = |kind: ProviderKind| all.iter().filter(move |one| one.kind.kind() == kind);
    if is(ProviderKind::Local).nth(1).is_some() {
        return Err(ConfigError("two providers are of the kind `local`, and this host can have one".into()));
    }
    if is(ProviderKind::Fake).next().is_some() && all.len() > 1 {
        return Err(ConfigError(
            "a provider of the kind `fake` cannot be used beside others: its playbooks only print".into(),
        ));
    }
    Ok(())
}

fn kind_of(word: &str) -> Option<ProviderKind> {
    ProviderKind::ALL.iter().copied().find(|kind| kind.as_str() == word)
}

fn of_table(outside: &Values, name: &str, table: &Map<String, Value>) -> Result<ProviderSettings, ConfigError> {
    let wrong = |words: String| ConfigError(format!("[{TABLES}.{name}]: {words}"));
    let name: ProviderName = name.parse().map_err(wrong)?;
    let mut own = table.clone();
    let kind = own.remove("kind").map(|kind| kind.into_string()).transpose()?;
    let word = kind.as_deref().unwrap_or(name.as_str());
    let kind = kind_of(word).ok_or_else(|| {
        let words: Vec<_> = ProviderKind::ALL.iter().map(|kind| kind.as_str()).collect();
        wrong(format!("`kind` must be one of {}", words.join(", ")))
    })?;
    let budget = own.remove("budget").map(|budget| budget.into_uint()).transpose()?;
    let budget = budget.map(u32::try_from).transpose().ok().filter(|budget| *budget != Some(0));
    let budget = budget.ok_or_else(|| wrong("`budget` must be a number from 1".into()))?;
    let names = names(kind);
    for (key, value) in &own {
        let Some((_, is_list)) = names.iter().find(|(known, _)| known == key) else {
            return Err(wrong(format!("there is no setting `{key}` of the kind `{}`", kind.as_str())));
        };
        if *is_list && !matches!(value.kind, ValueKind::Array(_)) {
            return Err(wrong(format!("`{key}` must be a list")));
        }
    }
    let mut values = outside.clone();
    if own.keys().any(|key| is_credential(key)) {
        values.0.retain(|key, _| !is_credential(key));
    }
    values.0.extend(own);
    let kind = read(&values, kind).map_err(|ConfigError(words)| wrong(words))?;
    Ok(ProviderSettings { name, budget, kind })
}

fn is_credential(key: &str) -> bool {
    key.starts_with(CREDENTIALS) || EARLIER_CREDENTIALS.contains(&key)
}

/// The names of a kind's settings, and which of them are lists.
fn names(kind: ProviderKind) -> Vec<(&'static str, bool)> {
    let entries = match kind {
        ProviderKind::Local => LocalMachines::default().entries(),
        ProviderKind::Containers => [Containers::default().entries(), LocalMachines::default().entries()].concat(),
        ProviderKind::OpenStack => OpenStack::default().entries(),
        ProviderKind::Command => CommandMachines::default().entries(),
        ProviderKind::Fake => FakeMachines::default().entries(),
    };
    entries.into_iter().map(|entry| (entry.name, entry.is_list)).collect()
}

fn read(values: &Values, kind: ProviderKind) -> Result<KindSettings, ConfigError> {
    Ok(match kind {
        ProviderKind::Local => KindSettings::Local(values.read()?),
        ProviderKind::Containers => KindSettings::Containers(values.read()?, values.read()?),
        ProviderKind::OpenStack => KindSettings::OpenStack(Box::new(values.read()?)),
        ProviderKind::Command => KindSettings::Command(values.read()?),
        ProviderKind::Fake => KindSettings::Fake(values.read()?),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::config::sections::{IpVersion, ServerAddress};

    fn load(file: &str, variables: &[(&str, &str)]) -> Result<Vec<ProviderSettings>, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ocim.toml");
        std::fs::write(&path, file).unwrap();
        let variables = variables.iter().copied().chain([("OCIM_CONFIG", path.to_str().unwrap())]);
        Settings::of(variables, &[])?.providers()
    }

    fn names(all: &[ProviderSettings]) -> Vec<(&str, &'static str, Option<u32>)> {
        all.iter().map(|one| (one.name.as_str(), one.kind.kind().as_str(), one.budget)).collect()
    }

    #[test]
    fn without_tables_there_is_the_one_that_is_named() {
        let kind = Settings::default().default_provider();
        assert_eq!(names(&load("", &[]).unwrap()), [(kind.as_str(), kind.as_str(), None)]);
        let variables = [("OCIM_PROVIDER", "openstack"), ("OCIM_MACHINE_BUDGET", "7")];
        assert_eq!(names(&load("", &variables).unwrap()), [("openstack", "openstack", Some(7))]);
        let error = load("", &[("OCIM_PROVIDER", "moon")]).unwrap_err().0;
        assert_eq!(error, "OCIM_PROVIDER is `moon`; there are local, openstack, fake, command, containers");
    }

    #[test]
    fn a_table_makes_a_provider_and_sets_what_differs_there() {
        let file = "openstack_network = \"shared\"\nos_password = \"a\"\nos_username = \"u\"\n\
            [providers.frankfurt]\nkind = \"openstack\"\nbudget = 20\nos_cloud = \"fra\"\n\
            openstack_sandbox_flavor = \"m1.large\"\n[providers.local]\nocim_machine_processes = 512\n";
        let all = load(file, &[("OCIM_PROVIDER", "frankfurt")]).unwrap();
        assert_eq!(names(&all), [("frankfurt", "openstack", Some(20)), ("local", "local", None)]);
        let KindSettings::OpenStack(cloud) = &all[0].kind else { panic!("{all:?}") };
        assert_eq!((cloud.openstack_sandbox_flavor.as_str(), cloud.os_cloud.as_deref()), ("m1.large", Some("fra")));
        assert_eq!(cloud.openstack_network.as_deref(), Some("shared"));
        assert!(cloud.os_password.is_none() && cloud.os_username.is_none(), "credentials are not mixed");
        let KindSettings::Local(local) = &all[1].kind else { panic!("{all:?}") };
        assert_eq!(local.ocim_machine_processes, 512);
        // Nor are those of the other names.
        let file = "openstack_user = \"u\"\nopenstack_tenant = \"t\"\n[providers.a]\nkind = \"openstack\"\nos_cloud = \"fra\"\n\
            openstack_address = \"floating\"\n[providers.b]\nkind = \"openstack\"\nopenstack_user = \"v\"\n\
            openstack_ip_version = \"ipv6\"\nopenstack_sandbox_python = \"/usr/bin/python3.12\"\n";
        let all = load(file, &[("OCIM_PROVIDER", "a"), ("OS_CLOUD", "env")]).unwrap();
        let [KindSettings::OpenStack(a), KindSettings::OpenStack(b)] = [&all[0].kind, &all[1].kind] else {
            panic!("{all:?}")
        };
        assert_eq!(
            (a.os_cloud.as_deref(), &a.openstack_user, a.openstack_address),
            (Some("fra"), &None, ServerAddress::Floating)
        );
        assert_eq!((b.openstack_user.as_deref(), &b.os_cloud, &b.openstack_tenant), (Some("v"), &None, &None));
        assert_eq!((b.openstack_ip_version, b.openstack_address), (IpVersion::Ipv6, ServerAddress::Auto));
        assert_eq!(
            (&a.openstack_sandbox_python, b.openstack_sandbox_python.as_deref()),
            (&None, Some("/usr/bin/python3.12"))
        );
        // The one that OCIM_PROVIDER names needs no table.
        let file = "[providers.far]\nkind = \"command\"\n";
        let all = load(file, &[("OCIM_PROVIDER", "local")]).unwrap();
        assert_eq!(names(&all), [("local", "local", None), ("far", "command", None)]);
    }

    #[test]
    fn what_is_wrong_in_a_table_is_named() {
        for (file, expected) in [
            ("[providers.Moon]\nkind = \"local\"", "[providers.Moon]: A provider's name has 1 to 32 small letters"),
            ("[providers.moon]", "[providers.moon]: `kind` must be one of local, openstack, fake, command, containers"),
            ("[providers.moon]\nkind = \"cheese\"", "[providers.moon]: `kind` must be one of"),
            (
                "[providers.moon]\nkind = \"local\"\nos_cloud = \"x\"",
                "[providers.moon]: there is no setting `os_cloud`",
            ),
            ("[providers.a]\nkind = \"openstack\"\nbudget = 0", "[providers.a]: `budget` must be a number from 1"),
            (
                "[providers.a]\nkind = \"openstack\"\nopenstack_security_groups = \"x\"",
                "[providers.a]: `openstack_security_groups` must be a list",
            ),
            (
                "[providers.a]\nkind = \"command\"\nocim_command_provider_at_once = 0",
                "[providers.a]: OCIM_COMMAND_PROVIDER_AT_ONCE is 0; it must be 1 to 64",
            ),
            ("[providers.other]\nkind = \"local\"", "two providers are of the kind `local`"),
            ("[providers.other]\nkind = \"fake\"", "a provider of the kind `fake` cannot be used beside others"),
            ("providers = 7", "`providers` must hold tables"),
        ] {
            let error = load(file, &[("OCIM_PROVIDER", "local")]).unwrap_err().0;
            assert!(error.starts_with(expected), "{file}: {error}");
        }
    }
}
