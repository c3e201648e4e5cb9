//! How the manager treats an instance of any type: its place in the queue, where its machines are made, and how long they
//! are kept.

use serde_json::{Map, Value};
use shared_types::care;
use shared_types::https::HttpsPolicy;
use shared_types::queue::Tier;
use shared_types::{FieldError, ProviderName};

use crate::instances::store::instances::InstanceRow;
use crate::machines::registry::Providers;

/// How an instance is treated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Care {
    /// The queue's tier: builds of a higher one begin first.
    pub tier: Tier,
    /// How many of its builds may run at once.
    pub max_builds: i32,
    /// Hours that an unneeded app server keeps its machine; None: the configured default.
    pub retention_hours: Option<i32>,
    /// The provider of its next machines; None: the default one.
    pub provider: Option<ProviderName>,
    /// How visitors by HTTP are treated.
    pub https: HttpsPolicy,
}

impl Default for Care {
    fn default() -> Self {
        Self {
            tier: Tier::default(),
            max_builds: 1,
            retention_hours: None,
            provider: None,
            https: HttpsPolicy::default(),
        }
    }
}

impl Care {
    /// The stored values of an instance.
    pub fn of(row: &InstanceRow) -> Self {
        let InstanceRow { tier, max_builds, retention_hours, ref provider, https, .. } = *row;
        Self { tier, max_builds, retention_hours, provider: provider.clone(), https }
    }

    /// Takes these fields out of the ones that a user sent. Null asks for the default. A provider can be chosen if it is
    /// among these.
    ///
    /// # Errors
    /// One entry for each field that is not valid.
    pub fn take(self, fields: &mut Map<String, Value>, providers: &Providers) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut taken = self;
        if let Some(value) = fields.remove("tier") {
            let named = |tier: &&Tier| value.as_str() == Some(tier.as_str());
            match (Tier::ALL.iter().find(named), &value) {
                (Some(tier), _) => taken.tier = *tier,
                (None, Value::Null) => taken.tier = Tier::default(),
                (None, _) => errors.push(FieldError::new("tier", "Must be one of: production, preview.")),
            }
        }
        if let Some(value) = fields.remove("max_builds") {
            match number(&value, care::BUILDS) {
                Ok(count) => taken.max_builds = count.unwrap_or(1),
                Err(detail) => errors.push(FieldError::new("max_builds", detail)),
            }
        }
        if let Some(value) = fields.remove("retention_hours") {
            match number(&value, care::RETENTION_HOURS) {
                Ok(hours) => taken.retention_hours = hours,
                Err(detail) => errors.push(FieldError::new("retention_hours", detail)),
            }
        }
        if let Some(value) = fields.remove("provider") {
            match provider(&value, providers) {
                // The settings may no longer have the present one: leaving it as it is, is no choice.
                Ok(name) => taken.provider = name,
                Err(_)
                    if value
                        .as_str()
                        .is_some_and(|name| taken.provider.as_ref().is_some_and(|own| own.as_str() == name)) => {}
                Err(detail) => errors.push(FieldError::new("provider", detail)),
            }
        }
        if let Some(value) = fields.remove("https") {
            let named = |policy: &&HttpsPolicy| value.as_str() == Some(policy.as_str());
            match (HttpsPolicy::ALL.iter().find(named), &value) {
                (Some(policy), _) => taken.https = *policy,
                (None, Value::Null) => taken.https = HttpsPolicy::default(),
                (None, _) => errors.push(FieldError::new("https", "Must be one of: redirect, optional, strict.")),
            }
        }
        if errors.is_empty() { Ok(taken) } else { Err(errors) }
    }

    /// As fields of the instance, by name.
    pub fn fields(self) -> Map<String, Value> {
        let Self { tier, max_builds, retention_hours, provider, https } = self;
        [
            ("tier".to_owned(), tier.as_str().into()),
            ("max_builds".to_owned(), max_builds.into()),
            ("retention_hours".to_owned(), retention_hours.into()),
            ("provider".to_owned(), provider.map(String::from).into()),
            ("https".to_owned(), https.as_str().into()),
        ]
        .into_iter()
        .collect()
    }

    /// The names of the fields that differ.
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let Self { tier, max_builds, retention_hours, provider, https } = self;
        let changed = [
            ("tier", *tier != other.tier),
            ("max_builds", *max_builds != other.max_builds),
            ("retention_hours", *retention_hours != other.retention_hours),
            ("provider", *provider != other.provider),
            ("https", *https != other.https),
        ];
        changed.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()).collect()
    }
}

/// The chosen provider; None for null and for a blank text.
fn provider(value: &Value, providers: &Providers) -> Result<Option<ProviderName>, String> {
    let Some(text) = value.as_str() else {
        return if value.is_null() { Ok(None) } else { Err("Must be a provider's name.".to_owned()) };
    };
    if text.trim().is_empty() {
        return Ok(None);
    }
    let name = text.trim().parse::<ProviderName>()?;
    match providers.get(&name) {
        Some(named) => Ok(Some(named.name.clone())),
        None => Err(format!("There is no provider of this name; choose one of: {}.", providers.names())),
    }
}

/// A whole number in an inclusive range; None for null.
fn number(value: &Value, (least, most): (i32, i32)) -> Result<Option<i32>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
    match number.filter(|number| (least..=most).contains(number)) {
        Some(number) => Ok(Some(number)),
        None => Err(format!("Must be a whole number from {least} to {most}.")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::config::ProviderKind;
    use crate::machines::providers::fake::FakeProvider;
    use serde_json::json;

    fn take(fields: Value) -> Result<(Care, Map<String, Value>), Vec<FieldError>> {
        let mut fields = fields.as_object().unwrap().clone();
        let provider = std::sync::Arc::new(FakeProvider::new(Vec::new()));
        Care::default().take(&mut fields, &Providers::single(provider)).map(|care| (care, fields))
    }

    #[test]
    fn takes_its_own_fields_and_leaves_the_others() {
        let (care, rest) =
            take(json!({"tier": "preview", "max_builds": 3, "retention_hours": 5, "provider": "fake", "email": "x",
                "https": "strict"}))
            .unwrap();
        let provider = Some(ProviderKind::Fake.into());
        assert_eq!(
            care,
            Care { tier: Tier::Preview, max_builds: 3, retention_hours: Some(5), provider, https: HttpsPolicy::Strict }
        );
        assert_eq!(rest.keys().collect::<Vec<_>>(), ["email"]);
        assert_eq!(care.differing(&Care::default()), ["tier", "max_builds", "retention_hours", "provider", "https"]);
        assert_eq!(take(json!({"tier": null, "max_builds": null, "provider": " "})).unwrap().0, Care::default());
    }

    #[test]
    fn a_provider_that_the_settings_no_longer_have_stays_until_another_is_chosen() {
        let providers = Providers::single(std::sync::Arc::new(FakeProvider::new(Vec::new())));
        let gone = Care { provider: Some("moon".parse().unwrap()), ..Care::default() };
        let change = |fields: Value| gone.clone().take(&mut fields.as_object().unwrap().clone(), &providers);
        assert_eq!(change(json!({"provider": "moon", "max_builds": 2})).unwrap().provider, gone.provider);
        let errors = change(json!({"provider": "mars"})).unwrap_err();
        assert_eq!(errors[0].detail, "There is no provider of this name; choose one of: fake.");
        assert_eq!(change(json!({"provider": null})).unwrap().provider, None);
    }

    #[test]
    fn names_every_field_that_is_wrong() {
        let errors = take(
            json!({"tier": "gold", "max_builds": 0, "retention_hours": 1.5, "provider": "moon", "https": "never"}),
        )
        .unwrap_err();
        let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/tier", "/max_builds", "/retention_hours", "/provider", "/https"]);
        assert!(take(json!({"retention_hours": 99999999999i64})).is_err());
    }
}
