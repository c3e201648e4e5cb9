//! Settings and `clouds.yaml`.

use std::path::Path;

use rstest::rstest;

use crate::machines::providers::openstack::{Cloud, CloudSettings, Credentials, OpenStackError};

fn complete() -> CloudSettings {
    CloudSettings {
        auth_url: Some("https://cloud.example:5000".into()),
        username: Some("tester".into()),
        password: Some("secret-1".into()),
        project_name: Some("demo".into()),
        user_domain_name: Some("Default".into()),
        project_domain_id: Some("default".into()),
        ..CloudSettings::default()
    }
}

fn refused(settings: CloudSettings) -> String {
    match settings.credentials() {
        Err(OpenStackError::Settings(words)) => words,
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case(|settings: &mut CloudSettings| settings.auth_url = None, "OS_AUTH_URL is not set")]
#[case(|settings: &mut CloudSettings| settings.username = None, "OS_USERNAME is not set")]
#[case(|settings: &mut CloudSettings| settings.password = None, "OS_PASSWORD is not set")]
#[case(|settings: &mut CloudSettings| settings.project_name = None, "OS_PROJECT_NAME or OS_PROJECT_ID is not set")]
#[case(|settings: &mut CloudSettings| settings.user_domain_name = None, "OS_USER_DOMAIN_NAME or OS_USER_DOMAIN_ID is not set")]
#[case(|settings: &mut CloudSettings| settings.project_domain_id = None, "OS_PROJECT_DOMAIN_NAME or OS_PROJECT_DOMAIN_ID is not set")]
#[case(|settings: &mut CloudSettings| settings.interface = Some("private".into()), "OS_INTERFACE must be `public`, `internal` or `admin`")]
#[case(|settings: &mut CloudSettings| settings.auth_url = Some("cloud.example".into()), "OS_AUTH_URL is no URL")]
#[case(|settings: &mut CloudSettings| settings.auth_url = Some("ftp://x/".into()), "OS_AUTH_URL must begin with http")]
#[case(|settings: &mut CloudSettings| settings.auth_url = Some("https://u:p@x/".into()), "OS_AUTH_URL must have no user")]
#[case(|settings: &mut CloudSettings| settings.auth_url = Some("https://x/v2.0/".into()), "OS_AUTH_URL ends with /v2.0")]
#[case(|settings: &mut CloudSettings| settings.application_credential_id = Some("x".into()), "OS_APPLICATION_CREDENTIAL_ID and OS_PASSWORD are both set")]
fn what_is_missing_or_wrong_is_named(#[case] change: fn(&mut CloudSettings), #[case] expected: &str) {
    let mut settings = complete();
    change(&mut settings);
    let words = refused(settings);
    assert!(words.starts_with(expected), "{words}");
    assert!(!words.contains("secret-1") && !words.contains("u:p"), "{words}");
}

#[test]
fn an_application_credential_needs_its_secret_and_no_project() {
    let settings = CloudSettings {
        auth_url: complete().auth_url,
        application_credential_name: Some("ocim".into()),
        application_credential_secret: Some("secret-2".into()),
        ..CloudSettings::default()
    };
    assert!(refused(settings.clone()).starts_with("OS_USERNAME is not set"), "a name needs its user");
    let id = CloudSettings { application_credential_id: Some("ac".into()), ..settings.clone() };
    let credentials = id.clone().credentials().unwrap();
    assert!(!format!("{credentials:?}").contains("secret-2"));
    let project = CloudSettings { project_id: Some("p".into()), ..id.clone() };
    assert!(refused(project).starts_with("OS_APPLICATION_CREDENTIAL_ID and OS_PROJECT_ID are both set"));
    let secretless = CloudSettings { application_credential_secret: None, ..id };
    assert!(refused(secretless).starts_with("OS_APPLICATION_CREDENTIAL_SECRET is not set"));
}

#[rstest]
#[case("https://cloud.example:5000", "https://cloud.example:5000/v3")]
#[case("https://cloud.example/identity/", "https://cloud.example/identity/v3")]
#[case("https://cloud.example/identity/v3/", "https://cloud.example/identity/v3")]
fn keystones_address_gets_its_version(#[case] given: &str, #[case] expected: &str) {
    let settings = CloudSettings { auth_url: Some(given.into()), ..complete() };
    assert_eq!(settings.credentials().unwrap().auth_url.as_str(), expected);
}

fn from_file(dir: &Path, text: &str) -> Result<Credentials, OpenStackError> {
    std::fs::write(dir.join("clouds.yaml"), text).unwrap();
    let files = vec![dir.join("no-such.yaml"), dir.join("clouds.yaml")];
    CloudSettings { cloud: Some(Cloud { name: "prod".into(), files }), ..CloudSettings::default() }.credentials()
}

const PROD: &str = "
clouds:
  prod:
    auth: &auth
      auth_url: https://cloud.example/identity
      username: tester
      password: 'secret-3'
      project_name: demo
      user_domain_name: Default
      project_domain_name: Default
    region_name: RegionTwo
    interface: internal
    identity_api_version: 3
  other: {auth: *auth}
";

#[test]
fn a_cloud_of_the_file_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let credentials = from_file(dir.path(), PROD).unwrap();
    assert_eq!(credentials.auth_url.as_str(), "https://cloud.example/identity/v3");
    assert_eq!((credentials.region.as_deref(), credentials.interface.as_str()), (Some("RegionTwo"), "internal"));
    assert!(!format!("{credentials:?}").contains("secret-3"));
    std::fs::write(dir.path().join("secure.yaml"), "clouds: {prod: {auth: {password: secret-4}}}").unwrap();
    let without = PROD.replace("      password: 'secret-3'\n", "");
    from_file(dir.path(), &without).unwrap();
}

#[test]
fn errors_of_the_file_name_the_place_and_no_value() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = |text: &str| from_file(dir.path(), text).unwrap_err().to_string();
    let file = dir.path().join("clouds.yaml").display().to_string();
    let words = wrong(&PROD.replace("username: tester", "username:"));
    assert_eq!(
        words,
        format!("`auth.username` of the cloud `prod` in {file} is not set; OpenStack's credentials are incomplete")
    );
    // A text without quotes may be something else in YAML.
    for value in ["0123", "1234567", "yes", "2026-11-29", "[secret-3]"] {
        let words = wrong(&PROD.replace("'secret-3'", value));
        assert_eq!(words, format!("`password` of the cloud `prod` in {file} must be a text; put it in quotes"));
    }
    let words = wrong("clouds: {test: {}, dev: {}}");
    assert_eq!(words, format!("OS_CLOUD names a cloud that {file} does not have; it has: dev, test"));
    let words = wrong("clouds:\n  prod:\n   auth: {password: secret-3\n");
    assert!(words.starts_with(&format!("{file}: no valid YAML, line ")) && !words.contains("secret-3"), "{words}");
    assert!(
        wrong(&PROD.replace("    interface", "    verify: false\n    interface")).contains("`verify` of the cloud")
    );
    assert!(wrong(&PROD.replace("    interface", "    auth_type: v3token\n    interface")).contains("`auth_type` of"));
}

#[test]
fn a_missing_file_is_said_with_the_places() {
    let cloud = Cloud { name: "prod".into(), files: vec!["/nowhere/clouds.yaml".into()] };
    let words = refused(CloudSettings { cloud: Some(cloud), ..CloudSettings::default() });
    assert_eq!(words, "OS_CLOUD is set, and there is no clouds.yaml (tried: /nowhere/clouds.yaml)");
}

#[test]
fn a_cloud_and_credentials_contradict_each_other_and_a_region_does_not() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("clouds.yaml"), PROD).unwrap();
    let cloud = Some(Cloud { name: "prod".into(), files: vec![dir.path().join("clouds.yaml")] });
    let words = refused(CloudSettings { cloud: cloud.clone(), ..complete() });
    assert!(words.starts_with("OS_CLOUD and OS_AUTH_URL are both set"), "{words}");
    let settings = CloudSettings { cloud, region: Some("RegionOne".into()), ..CloudSettings::default() };
    assert_eq!(settings.credentials().unwrap().region.as_deref(), Some("RegionOne"));
}

#[test]
fn certificates_that_cannot_be_read_are_named() {
    use crate::machines::providers::openstack::pace::Pace;
    use crate::machines::providers::openstack::web::Web;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    let url = "https://cloud.example".parse().unwrap();
    let open = || Web::new(&url, Some(&file), Pace::default()).unwrap_err().to_string();
    assert!(open().starts_with("OS_CACERT (cacert in clouds.yaml) must name a file"));
    std::fs::write(&file, "no certificate").unwrap();
    assert!(open().ends_with("there is no certificate in it"));
}
