//! The application types as the API publishes them, for clients that do not have this crate.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::applications::{ApplicationType, MachineNeeds};
use crate::settings::{Field, FieldKind, JsonShape};

/// The application types that this program has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InstanceTypes {
    /// The types, in the order in which the form offers them.
    pub items: Vec<InstanceType>,
    /// Where visitors will find an instance's host names.
    pub public_urls: PublicUrlTemplates,
}

/// The public URL of a host name, by the `protocol` of its instance; `{hostname}` stands for the name. With a proxy in
/// front of the gateway both are that proxy's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct PublicUrlTemplates {
    /// For an instance whose protocol is `http`.
    #[schema(example = "http://{hostname}:8080/")]
    pub http: String,
    /// For an instance whose protocol is `https`.
    #[schema(example = "https://{hostname}/")]
    pub https: String,
}

impl PublicUrlTemplates {
    /// What stands for the host name in a template.
    pub const HOSTNAME: &str = "{hostname}";

    /// The URL of a host name; anything but `https` counts as `http`.
    pub fn url(&self, protocol: &str, hostname: &str) -> String {
        let template = if protocol == "https" { &self.https } else { &self.http };
        template.replace(Self::HOSTNAME, hostname)
    }
}

/// An application type: what it deploys, and what its instances are set up with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InstanceType {
    /// The word in `instance_type`.
    #[schema(example = "site")]
    pub instance_type: String,
    /// The name shown to people.
    pub label: String,
    /// What it deploys and what it needs.
    pub description: String,
    /// Whether a new instance without `instance_type` is of this type.
    pub is_default: bool,
    /// The field that is shown as the version; null: there is no such field.
    pub headline: Option<String>,
    /// What the machine of each app server must have.
    pub machine: MachineNeeds,
    /// Why the configured provider cannot run it; null: it can.
    pub unavailable: Option<String>,
    /// The settings, in the order of the form.
    pub fields: Vec<FieldDescription>,
    /// Defaults by field name, stored for a field that is left out, blank or null; of an instance of the tier `production`.
    /// Fields without a default stay blank.
    pub defaults: Map<String, Value>,
    /// Templates for a new instance, in the order in which the form offers them.
    #[serde(default)]
    pub templates: Vec<InstanceTemplate>,
}

/// Settings that a new instance may begin with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InstanceTemplate {
    /// The name, unique in its type.
    #[schema(example = "kolibri")]
    pub name: String,
    /// The name shown to people.
    pub label: String,
    /// What an instance with these settings deploys.
    pub description: String,
    /// Settings by name that the form of a new instance is filled with; a user may change all of them.
    pub settings: Map<String, Value>,
}

/// A setting of an application type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(no_recursion)]
pub struct FieldDescription {
    /// The name in JSON.
    #[schema(example = "hostnames")]
    pub name: String,
    /// The label of the form.
    pub label: String,
    /// The help below the label.
    pub help: String,
    /// What it holds: `hostname`, `hostnames`, `email`, `choice`, `repository`, `git-ref`, `path`, `line`, `yaml`, `flag`,
    /// `organization`, `whole` or `records`.
    #[schema(example = "hostname")]
    pub kind: String,
    /// Whether a value must be given.
    pub is_required: bool,
    /// The most characters of a text; null: no limit of its own.
    pub max_length: Option<usize>,
    /// The words of a choice; empty for other kinds.
    pub choices: Vec<String>,
    /// The least a number may be; null for other kinds.
    pub minimum: Option<i32>,
    /// The most a number may be, or the most items of a list; null for other kinds.
    pub maximum: Option<i64>,
    /// The fields of each record; empty for other kinds.
    #[schema(example = json!([]))]
    pub fields: Vec<FieldDescription>,
}

impl InstanceType {
    /// Describes a type for the API.
    pub fn of(
        kind: &ApplicationType,
        is_default: bool,
        unavailable: Option<String>,
        defaults: Map<String, Value>,
        templates: Vec<InstanceTemplate>,
    ) -> Self {
        Self {
            instance_type: kind.word.to_owned(),
            label: kind.label.to_owned(),
            description: kind.description.to_owned(),
            is_default,
            headline: kind.headline.map(str::to_owned),
            machine: kind.machine,
            unavailable,
            fields: kind.schema.fields.iter().map(FieldDescription::of).collect(),
            defaults,
            templates,
        }
    }
}

impl FieldDescription {
    fn of(field: &Field) -> Self {
        let Field { name, label, help, kind, max, is_required, is_basic: _ } = *field;
        let (minimum, maximum) = match kind.shape() {
            JsonShape::Whole(least, most) => (Some(least), Some(i64::from(most))),
            JsonShape::Names(most) => (None, i64::try_from(most).ok()),
            JsonShape::Records(records) => (None, i64::try_from(records.most).ok()),
            JsonShape::Text | JsonShape::Flag => (None, None),
        };
        let choices = if let FieldKind::Choice(words) = kind { words } else { &[] };
        let fields = if let JsonShape::Records(records) = kind.shape() { records.fields } else { &[] };
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            help: help.to_owned(),
            kind: kind.word().to_owned(),
            is_required,
            max_length: (max > 0).then_some(max),
            choices: choices.iter().copied().map(str::to_owned).collect(),
            minimum,
            maximum,
            fields: fields.iter().map(Self::of).collect(),
        }
    }
}
