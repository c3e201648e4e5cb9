//! Variables that turn mail and payments off, because the data is a copy of another instance's.
//!
//! # Sources
//! `playbooks/roles/{edxapp,discovery,notifier}/defaults/main.yml` and `playbooks/openedx_native.yml` of edx/configuration, at the tags that
//! [`super::releases`] lists; a release ignores the variables that it does not have. The features are edx-platform's, which had a cart of
//! its own up to Juniper. Without `ECOMMERCE_API_URL`, edx-platform takes the shop for not configured
//! (`lms/djangoapps/commerce/utils.py`).
//!
//! Not covered: templates in place of such maps, addresses of a shop or a mail service that the copied database has itself (site configurations), and programs that only an
//! operator's playbooks install.

use serde_json::{Map, Value, json};
use shared_types::applications::openedx::OpenEdxSettings;

use super::releases;

/// Accepts every message and sends none.
const NO_MAIL: &str = "django.core.mail.backends.dummy.EmailBackend";
/// A host name that never exists (RFC 6761), for programs that ignore the back end.
const NO_HOST: &str = "neutralised.invalid";

/// Maps that `roles/edxapp` lays over the settings of LMS and Studio.
const OVERLAYS: [&str; 6] = [
    "EDXAPP_ENV_EXTRA",
    "EDXAPP_LMS_ENV_EXTRA",
    "EDXAPP_CMS_ENV_EXTRA",
    "EDXAPP_AUTH_EXTRA",
    "EDXAPP_LMS_AUTH_EXTRA",
    "EDXAPP_CMS_AUTH_EXTRA",
];

/// The variables. `merged`: those of the snapshot.
pub(super) fn variables(settings: &OpenEdxSettings, merged: &Map<String, Value>) -> Map<String, Value> {
    let off = json!({
        "ENABLE_INSTRUCTOR_EMAIL": false,
        "ENABLE_SHOPPING_CART": false,
        "ENABLE_PAID_COURSE_REGISTRATION": false,
    });
    // A text is a template; another value would replace the features that it stands for.
    let is_map = |name: &str| merged.get(name).is_none_or(Value::is_object);
    let features = releases::recognise(&settings.openedx_release).features.variables(off);
    let features = features.into_iter().filter(|(name, value)| value.is_object() && is_map(name));
    let processors = json!({
        "CyberSource": { "PURCHASE_ENDPOINT": "", "SHARED_SECRET": "", "MERCHANT_ID": "", "SERIAL_NUMBER": "" },
        "CyberSource2": { "PURCHASE_ENDPOINT": "", "SECRET_KEY": "", "ACCESS_KEY": "", "PROFILE_ID": "" },
    });
    let variables = [
        ("EDXAPP_EMAIL_BACKEND", json!(NO_MAIL)),
        ("EDXAPP_EMAIL_HOST", json!(NO_HOST)),
        ("EDXAPP_EMAIL_HOST_USER", json!("")),
        ("EDXAPP_EMAIL_HOST_PASSWORD", json!("")),
        ("EDXAPP_ACE_ENABLED_CHANNELS", json!(["django_email"])),
        ("EDXAPP_ACE_CHANNEL_DEFAULT_EMAIL", json!("django_email")),
        ("EDXAPP_ACE_CHANNEL_TRANSACTIONAL_EMAIL", json!("django_email")),
        ("EDXAPP_ACE_CHANNEL_SAILTHRU_API_KEY", json!("")),
        ("EDXAPP_ACE_CHANNEL_SAILTHRU_API_SECRET", json!("")),
        ("NOTIFIER_EMAIL_BACKEND", json!("console")),
        ("DISCOVERY_EMAIL_BACKEND", json!(NO_MAIL)),
        ("SANDBOX_ENABLE_ECOMMERCE", json!(false)),
        ("EDXAPP_ECOMMERCE_API_URL", json!("")),
        ("EDXAPP_ECOMMERCE_PUBLIC_URL_ROOT", json!("")),
        ("EDXAPP_CC_PROCESSOR", processors),
    ];
    let variables: Map<_, _> = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let over = overlays(&variables, merged);
    let features = features.map(|(name, value)| (name.to_owned(), value));
    variables.into_iter().chain(features).chain(over).collect()
}

/// What the maps that the playbooks lay over the platform's settings say of the same settings.
fn overlays(variables: &Map<String, Value>, merged: &Map<String, Value>) -> Vec<(String, Value)> {
    let over = |name: &&str| {
        let map = merged.get(*name)?.as_object()?;
        let settings = variables.iter().filter_map(|(name, value)| Some((name.strip_prefix("EDXAPP_")?, value)));
        let said = settings.filter(|(setting, _)| map.contains_key(*setting));
        let said: Map<_, _> = said.map(|(setting, value)| (setting.to_owned(), value.clone())).collect();
        (!said.is_empty()).then(|| ((*name).to_owned(), said.into()))
    };
    OVERLAYS.iter().filter_map(over).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applications::openedx::testing::{open_edx, sample};
    use crate::instances::application::Application as _;
    use shared_types::yaml;

    fn merged(release: &str, extra: &str) -> Map<String, Value> {
        let settings = OpenEdxSettings {
            openedx_release: release.to_owned(),
            configuration_extra_settings: extra.to_owned(),
            ..sample()
        };
        let settings = serde_json::to_value(settings).unwrap_or_default();
        let variables = open_edx().snapshot_with("Demo", &settings, Default::default()).map(|made| made.variables);
        let variables = variables.unwrap_or_default();
        let off = open_edx().neutralising(&settings, &variables).unwrap_or_default();
        yaml::merge(variables, off)
    }

    fn at<'v>(variables: &'v Map<String, Value>, name: &str, key: &str) -> Option<&'v Value> {
        variables.get(name)?.get(key)
    }

    #[test]
    fn mail_and_payments_are_off_even_if_the_extra_settings_turn_them_on() {
        let extra = "EDXAPP_EMAIL_BACKEND: django_ses.SESBackend\nEDXAPP_EMAIL_HOST: smtp.example\nSANDBOX_ENABLE_ECOMMERCE: true\n\
            EDXAPP_ACE_ENABLED_CHANNELS: [sailthru_email]\nEDXAPP_CC_PROCESSOR: {CyberSource2: {SECRET_KEY: s, X: 1}}\n";
        for release in ["open-release/ginkgo.2", "open-release/quince.3", "master"] {
            let variables = merged(release, extra);
            let get = |name: &str| variables.get(name).cloned().unwrap_or_default();
            assert_eq!(get("EDXAPP_EMAIL_BACKEND"), NO_MAIL, "{release}");
            assert_eq!(get("EDXAPP_EMAIL_HOST"), NO_HOST);
            assert_eq!(get("EDXAPP_ACE_ENABLED_CHANNELS"), json!(["django_email"]));
            assert_eq!((get("SANDBOX_ENABLE_ECOMMERCE"), get("EDXAPP_ECOMMERCE_API_URL")), (json!(false), json!("")));
            let processor = at(&variables, "EDXAPP_CC_PROCESSOR", "CyberSource2").cloned().unwrap_or_default();
            assert_eq!((processor.get("SECRET_KEY"), processor.get("X")), (Some(&json!("")), Some(&json!(1))));
        }
    }

    #[test]
    fn settings_that_are_laid_over_the_platforms_own_are_overridden() {
        let variables =
            merged("open-release/quince.3", "EDXAPP_LMS_ENV_EXTRA: {EMAIL_BACKEND: django_ses.SESBackend, X: 1}\n");
        let expected = json!({ "EMAIL_BACKEND": NO_MAIL, "X": 1 });
        assert_eq!(variables.get("EDXAPP_LMS_ENV_EXTRA"), Some(&expected));
        assert_eq!(variables.get("EDXAPP_CMS_ENV_EXTRA"), None);
    }

    #[test]
    fn bulk_mail_is_off_and_the_other_features_stay() {
        for (release, name) in
            [("open-release/ginkgo.2", "EDXAPP_FEATURES"), ("open-release/quince.3", "EDXAPP_FEATURES_EXTRA")]
        {
            let variables = merged(release, &format!("{name}: {{ENABLE_INSTRUCTOR_EMAIL: true, X: 1}}\n"));
            assert_eq!(at(&variables, name, "ENABLE_INSTRUCTOR_EMAIL"), Some(&json!(false)), "{release}");
            assert_eq!(at(&variables, name, "X"), Some(&json!(1)), "{release}");
            assert_eq!(at(&variables, name, "ENABLE_DISCUSSION_SERVICE"), Some(&json!(true)), "{release}");
        }
        let template = "EDXAPP_FEATURES: \"{{ mine }}\"\n";
        assert_eq!(merged("open-release/ginkgo.2", template).get("EDXAPP_FEATURES"), Some(&json!("{{ mine }}")));
    }
}
