//! An application type for tests only: it shares no setting with the types of the product.

use ocim::instances::application::{
    Application, ApplicationError, CheckSpec, GENERATED, Hook, Layer, Moment, Playbook, PlaybookRepository,
    Requirements, ResourceSpec, SchemaChange, SecretKind, SecretSpec, Sites, Snapshot, SnapshotInput,
};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use shared_types::applications::{ApplicationType, DataPlace, MachineNeeds, SiteAddress};
use shared_types::settings::{Field, FieldKind, Schema};
use shared_types::yaml::typed;
use shared_types::{FieldError, FieldWarning, ResourceKind, yaml};

/// The part of the type that server, browser and client would share.
pub static TYPE: ApplicationType = ApplicationType {
    word: "notebook",
    label: "Notebook",
    description: "A notebook on one machine.",
    schema: Schema {
        fields: &[
            Field::new("address", "Address", "Its host name", FieldKind::Hostname, 250).required(),
            Field::new("edition", "Edition", "The version", FieldKind::Line, 20),
            Field::new("notes", "Notes", "YAML", FieldKind::Yaml, 1000),
        ],
    },
    machine: MachineNeeds { memory_mb: 512, disk_gb: 0, has_own_kernel: false },
    address_field: "address",
    headline: Some("edition"),
    code_reference: None,
    previews: None,
    common_values: &[],
    site_labels: &[("reader", "Reader")],
    sites: |_| Vec::new(),
    persistence: None,
    data: |_| DataPlace::Playbooks,
    warnings: |_| Vec::new(),
};

/// The type. Its documents of version 1 call `address` `host`.
#[derive(Debug)]
pub struct Notebook;

impl Application for Notebook {
    fn kind(&self) -> &'static ApplicationType {
        &TYPE
    }

    fn version(&self) -> i32 {
        2
    }

    fn settings(&self, current: Option<&Value>, input: &Map<String, Value>) -> Result<Value, Vec<FieldError>> {
        let defaults = self.defaults();
        let default_of = |name: &str, _: &Map<String, Value>| defaults.get(name).cloned().unwrap_or_default();
        TYPE.schema.apply(current.and_then(Value::as_object), input, default_of).map(Value::Object)
    }

    fn upgrade(&self, version: i32, stored: Value) -> Result<Value, ApplicationError> {
        let refused = || ApplicationError(format!("The stored settings are no document of version {version}."));
        let Value::Object(mut map) = stored else { return Err(refused()) };
        let host = map.remove("host").ok_or_else(refused)?;
        map.insert("address".to_owned(), host);
        Ok(map.into())
    }

    fn defaults(&self) -> Map<String, Value> {
        Map::from_iter([("edition".to_owned(), json!("first"))])
    }

    fn secrets(&self) -> &'static [SecretSpec] {
        &[SecretSpec { name: "binding", kind: SecretKind::Letters(24) }]
    }

    /// Editions whose names begin with `stored` have databases outside the machine: two of MySQL, and a number of Redis where there is a
    /// server of it. Those with `filed` have two buckets of S3 or a container of Swift, where there is a store.
    fn resources(&self, settings: &Value) -> Result<Vec<ResourceSpec>, ApplicationError> {
        let edition = settings["edition"].as_str().unwrap_or_default();
        let spec = |kind, names: &[&str], is_required| ResourceSpec {
            kind,
            databases: names.iter().map(|name| (*name).to_owned()).collect(),
            is_required,
        };
        let specs =
            vec![spec(ResourceKind::Mysql, &["pages", "readers"], true), spec(ResourceKind::Redis, &["cache"], false)];
        let stores =
            vec![spec(ResourceKind::S3, &["files", "public"], false), spec(ResourceKind::Swift, &["files"], false)];
        let (specs, stores) = (specs.into_iter(), stores.into_iter());
        let specs = specs.filter(|_| edition.starts_with("stored"));
        Ok(specs.chain(stores.filter(|_| edition.contains("filed"))).collect())
    }

    /// From each edition with databases to another one.
    fn migrates(&self, last: &Value, next: &Value) -> Result<Option<SchemaChange>, ApplicationError> {
        let edition = |of: &Value| of["edition"].as_str().unwrap_or_default().to_owned();
        let (from, to) = (edition(last), edition(next));
        Ok((from != to && from.starts_with("stored")).then_some(SchemaChange { from, to }))
    }

    fn neutralising(&self, _: &Value, _: &Map<String, Value>) -> Result<Map<String, Value>, ApplicationError> {
        Ok(Map::from_iter([("post".to_owned(), json!("off"))]))
    }

    fn snapshot(&self, input: SnapshotInput<'_>) -> Result<Snapshot, ApplicationError> {
        let notes = input.settings["notes"].as_str().unwrap_or_default();
        let notes = yaml::parse_map(notes).map_err(|error| ApplicationError(error.to_string()))?;
        let mut variables = notes.clone();
        variables.insert("binding".to_owned(), input.secrets["binding"].clone());
        variables.insert("edition".to_owned(), input.settings["edition"].clone());
        for at in input.resources {
            let password = typed::marked(at.password.expose_secret().into());
            let own = json!({ "host": at.endpoint.host, "user": at.username, "password": password, "databases": at.databases });
            variables.insert(format!("store_{}", at.kind), own);
        }
        Ok(Snapshot {
            playbooks: vec![Playbook {
                source_repo: "https://git.example/notebook.git".into(),
                version: "main".into(),
                playbook_path: "notebook.yml".into(),
                requirements: Requirements::File("requirements.txt".into()),
            }],
            references: Vec::new(),
            layers: vec![
                Layer { origin: GENERATED, variables: variables.clone() },
                Layer { origin: "notes", variables: notes },
            ],
            variables,
            machine_name_prefix: "notebook".into(),
        })
    }

    fn playbook_repositories(&self, _settings: &Value) -> Result<Vec<PlaybookRepository>, ApplicationError> {
        let repository = "https://git.example/notebook.git".into();
        Ok(vec![PlaybookRepository { pointer: "/edition".into(), repository }])
    }

    /// Editions whose names begin with `hooked` have a playbook for each moment.
    fn hooks(&self, settings: &Value) -> Result<Vec<Hook>, ApplicationError> {
        let has_hooks = settings["edition"].as_str().is_some_and(|edition| edition.starts_with("hooked"));
        let hook = |(moment, playbook): (Moment, &str)| Hook { moment, playbook: playbook.into() };
        let all =
            [(Moment::BeforeTraffic, "open.yml"), (Moment::AfterTraffic, "close.yml"), (Moment::BeforeEnd, "end.yml")];
        Ok(if has_hooks { all.into_iter().map(hook).collect() } else { Vec::new() })
    }

    fn warnings(&self, _: &Value) -> Vec<FieldWarning> {
        Vec::new()
    }

    fn sites(&self, settings: &Value) -> Result<Sites, ApplicationError> {
        let address = settings["address"].as_str().ok_or_else(|| ApplicationError("There is no address.".into()))?;
        let reader = SiteAddress { name: "reader".into(), label: "Reader".into(), hostname: address.into() };
        Ok(Sites { sites: vec![reader], protocol: "https" })
    }

    fn checks(&self, settings: &Value) -> Result<Vec<CheckSpec>, ApplicationError> {
        let sites = self.sites(settings)?.sites;
        Ok(sites.iter().map(|site| CheckSpec::ok(&site.name, &site.hostname, "/heartbeat")).collect())
    }
}
