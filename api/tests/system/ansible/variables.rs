//! Variables reach a playbook with the values that Ansible's own reader would give them.

use ocim::ansible::port::{Ansible, RunOutcome};
use shared_types::yaml;
use tokio_util::sync::CancellationToken;

use super::support::{Repository, Taken, ansible, local_play, prepare};

const WRITTEN: &str = r#"
DISCOVERY_PARLER_LANGUAGES:
  1:
    - code: de
  default: {fallbacks: [en]}
RELEASED: 2001-12-14
LARGE: 36893488147419103232
LITERAL: !unsafe "{{ never }}"
MARKED: !secret plain words
MARKED_MAP: !secret {1.5: [yes, 2]}
BYTES: !!binary aGVsbG8=
"#;

/// The same as a file that Ansible reads itself, without the tag that it does not know.
fn own_file() -> String {
    WRITTEN.replace("!secret ", "")
}

const TASKS: &str = r#"    - include_vars: {file: own.yml, name: own}
    - assert:
        that:
          - DISCOVERY_PARLER_LANGUAGES[1][0].code == 'de'
          - DISCOVERY_PARLER_LANGUAGES == own.DISCOVERY_PARLER_LANGUAGES
          - RELEASED.year == 2001
          - RELEASED == own.RELEASED
          - LARGE == own.LARGE
          - LITERAL == own.LITERAL
          - MARKED == 'plain words'
          - MARKED_MAP == own.MARKED_MAP
          - BYTES == own.BYTES
    - debug: {msg: "{{ DISCOVERY_PARLER_LANGUAGES }}"}
"#;

#[tokio::test]
async fn a_playbook_gets_what_ansible_would_have_read() {
    let repository = Repository::with_playbook(&local_play(TASKS));
    repository.commit("playbooks/own.yml", &own_file());
    let dir = tempfile::tempdir().unwrap();
    let mut spec = repository.spec(dir.path());
    spec.variables.extend(yaml::parse_map(WRITTEN).unwrap());
    prepare(&spec).await;
    let mut taken = Taken::default();
    let outcome = ansible().run(&spec, &mut taken, &CancellationToken::new()).await.unwrap();
    assert_eq!(outcome, RunOutcome::Succeeded, "{:#?}", taken.texts());
}
