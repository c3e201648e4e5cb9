//! Properties of every body. More cases: `OCIM_FUZZ_SECONDS` (`make fuzz-settings`).
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic)]

use std::cell::Cell;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::*;

const DOMAIN: &str = "pr12.sandbox.example.com";
const KNOWN: &str = "https://github.com/edx/configuration.git";

/// The number of test cases, unless `OCIM_FUZZ_SECONDS` sets a duration.
const CASES: u32 = 400;

/// The pieces of test bodies: all that the reader looks for, and near misses.
const PIECES: &[&str] = &[
    "**Settings**",
    "__Settings__",
    "Settings",
    "```",
    "```yaml",
    "````",
    "~~~",
    "``",
    "   ",
    "    ",
    "\t",
    " ",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\n```\n",
    "\n**Settings**\n```yaml\n",
    "<!--",
    "-->",
    "<!-->",
    "`",
    "> ",
    "- ",
    "A: 1\n",
    "B:\n  c: d\n",
    "ansible_host: x\n",
    "\"\\x61nsible_x\": y\n",
    "<<: *a\n",
    "A: &a {ansible_port: 1}\n",
    "*a : b\n",
    "&a ",
    "*a",
    "hosts: all\n",
    "x: '{{ y }}'\n",
    "{{",
    "{%",
    "{#",
    "\"\\x7b{\"",
    "#jinja2:",
    "lookup('pipe', 'id')",
    "q(x)",
    "$secret: y\n",
    "__ansible_unsafe: z\n",
    "••••••",
    "!!str ",
    "!x ",
    "edx_ansible_source_repo: ",
    "configuration_version: ",
    "edx_platform_version: x\n",
    "EDX_PLATFORM_REPO: y\n",
    "**Settings:**\n",
    "### Settings\n",
    "Univ. Ada (Paris)",
    KNOWN,
    "https://a:b@c/d\n",
    "teak\n",
    "1.0\n",
    "[",
    "]",
    "{",
    "}",
    ":",
    ": ",
    "#",
    "'",
    "\"",
    "\\",
    "|\n",
    ">\n",
    "---\n",
    "...\n",
    "é",
    "😀",
    "\u{0}",
    "\u{feff}",
    "\u{2028}",
    DOMAIN,
    " ephemeral databases",
    " persistent database ",
];

fn bodies() -> impl Strategy<Value = String> {
    let piece =
        prop_oneof![8 => select(PIECES).prop_map(str::to_owned), 1 => any::<String>(), 1 => "[a-z:{}\\[\\] \n]{0,12}"];
    let pieces = vec(piece, 0..40).prop_map(|pieces| pieces.concat());
    // Half of the bodies have a block, or all would test headings; half of the blocks are maps, or few would be valid.
    let line = "[a-d]: ([a-z0-9]{0,3}|[|]\n  x|\\[a, 'b'\\]|[{]e: f[}])\n";
    let inner = prop_oneof![
        vec(select(PIECES), 0..12).prop_map(|pieces| pieces.concat()),
        (vec(line, 0..3), vec(select(PIECES), 0..2)).prop_map(|(lines, pieces)| lines.concat() + &pieces.concat()),
    ];
    let blocks = (pieces.clone(), inner, pieces.clone())
        .prop_map(|(before, inner, after)| format!("{before}\n\n**Settings**\n```yaml\n{inner}\n```\n{after}"));
    prop_oneof![3 => pieces, 3 => blocks, 1 => any::<String>()]
}

/// Keys and values of maps, most of which are accepted.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z0-9_ .:#'\"(),|>&*!%@`?/-]{0,12}",
        2 => any::<String>(),
        1 => select(PIECES).prop_map(str::to_owned),
        1 => select(&["yes", "1:30", "2001-01-01", "~", "<<", "=", "010", "\n```\n", "a\nb\n", "ansible_host", "__ansible_vault"][..])
            .prop_map(str::to_owned),
    ]
}

fn maps() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((texts(), inner), 0..4).prop_map(|pairs| pairs.into_iter().collect()),
        ]
    });
    vec((texts(), value), 0..5).prop_map(|pairs| pairs.into_iter().collect())
}

fn read_known(body: &str) -> Result<BodySettings, Trouble> {
    super::tests::read_for(body, DOMAIN, &[KNOWN.to_owned()])
}

/// Runs a property with [`CASES`] cases, or for `OCIM_FUZZ_SECONDS`.
fn hold<S: Strategy>(name: &str, strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let seconds = std::env::var("OCIM_FUZZ_SECONDS").ok().map(|text| text.parse().unwrap());
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut cases = 0;
    loop {
        let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        TestRunner::new(config).run(strategy, &property).unwrap_or_else(|error| panic!("{name}: {error}"));
        cases += CASES;
        if until.is_none_or(|until| Instant::now() >= until) {
            println!("{name}: {cases} cases");
            return;
        }
    }
}

#[test]
fn any_body_is_read_without_a_panic() {
    let (blocks, troubles) = (Cell::new(0), Cell::new(0));
    hold("bodies", &bodies(), |body| {
        let found = read_known(&body);
        let plain = body.replace("\r\n", "\n").replace('\r', "\n");
        let lines = u32::try_from(plain.split('\n').count()).unwrap();
        for warning in found.iter().flat_map(|settings| &settings.warnings) {
            prop_assert!(warning.line.is_some_and(|line| (1..=lines).contains(&line)), "{:?}", warning);
        }
        prop_assert_eq!(&found, &read_known(&plain), "LF");
        prop_assert_eq!(&found, &read_known(&plain.replace('\n', "\r\n")), "CRLF");
        match found {
            Ok(settings) => {
                blocks.set(blocks.get() + u32::from(!settings.extra_settings.is_empty()));
                accepted(&settings)?;
            }
            Err(trouble) => {
                troubles.set(troubles.get() + 1);
                prop_assert!((1..=lines).contains(&trouble.line), "{} of {} lines", trouble, lines);
                prop_assert!(!trouble.detail.is_empty() && !trouble.detail.contains(char::is_control), "{}", trouble);
            }
        }
        Ok(())
    });
    println!("{} with settings, {} refused", blocks.get(), troubles.get());
    assert!(blocks.get() >= CASES / 100 && troubles.get() >= CASES / 10, "there is too little to look at");
}

#[test]
fn any_map_in_a_body_is_read_as_written() {
    let strategy = (maps(), "[ -~\n]{0,40}", any::<bool>());
    hold("maps", &strategy, |(map, before, has_tildes)| {
        let text = yaml::to_yaml(&map);
        let before = before.replace(['`', '~', '<'], "-");
        let sign = if has_tildes { "~" } else { "`" };
        // Longer than any fence in the text.
        let fence = sign.repeat(text.len().min(40) + 3);
        let body = format!("{before}\n**Settings**\n{fence}yaml\n{text}{fence}\nbye");
        let opened = before.matches('\n').count() + 3;
        let last = opened + text.matches('\n').count() + 1;
        match read_known(&body) {
            Ok(settings) => {
                accepted(&settings)?;
                prop_assert_eq!(&settings.extra_settings, &text);
                let back = yaml::parse_map(&settings.extra_settings).unwrap();
                prop_assert_eq!(Value::Object(back).to_string(), Value::Object(map).to_string());
            }
            Err(trouble) => {
                // A generated map is always valid YAML, so it is refused only for a variable, at a line of the block.
                prop_assert!((opened..=last).contains(&(trouble.line as usize)), "{}", trouble);
                prop_assert!(is_refused(&map), "{} in {}", trouble, text);
            }
        }
        Ok(())
    });
}

/// Whether a variable chooses the code that is deployed, in any spelling.
fn chooses_code(key: &str) -> bool {
    ["repo", "version", "repository_url", "commit"]
        .iter()
        .any(|end| key.eq_ignore_ascii_case(&format!("edx_platform_{end}")))
}

/// Checks accepted settings independently of the code under test.
fn accepted(settings: &BodySettings) -> Result<(), TestCaseError> {
    let map = yaml::parse_map(&settings.extra_settings).unwrap();
    prop_assert!(
        !map.keys().any(|key| key.starts_with("ansible_") || chooses_code(key)),
        "{}",
        settings.extra_settings
    );
    all_data(&Value::Object(map))?;
    prop_assert!(!settings.extra_settings.contains('\r'));
    if let Some(url) = &settings.playbooks_repository {
        prop_assert_eq!(url, KNOWN);
    }
    Ok(())
}

fn all_data(value: &Value) -> Result<(), TestCaseError> {
    match value {
        Value::String(text) => all_text(text),
        Value::Array(items) => items.iter().try_for_each(all_data),
        Value::Object(map) => map.iter().try_for_each(|(key, value)| {
            prop_assert!(!key.starts_with("__ansible_") && !["$secret", "$$secret"].contains(&key.as_str()), "{}", key);
            all_text(key)?;
            all_data(value)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn all_text(text: &str) -> Result<(), TestCaseError> {
    prop_assert!(!calls_known_function(text), "{}", text);
    let is_wrong = ["{{", "{%", "{#", "••••••"].iter().any(|sign| text.contains(sign)) || text.starts_with("#jinja2:");
    prop_assert!(!is_wrong, "{}", text);
    Ok(())
}

/// Whether a text is only the call of a dangerous function, found without a parser.
fn calls_known_function(text: &str) -> bool {
    let called = text.trim().strip_suffix(')').and_then(|text| text.split_once('('));
    called.is_some_and(|(name, arguments)| {
        ["lookup", "query", "q"].contains(&name.trim()) && arguments.chars().all(|c| c.is_ascii_lowercase())
    })
}

/// Whether a map must be refused, found independently of the code under test.
fn is_refused(map: &Map<String, Value>) -> bool {
    let json = Value::Object(map.clone()).to_string();
    let signs = ["{{", "{%", "{#", "__ansible_", "$secret", "••••••", "#jinja2:", "("];
    signs.iter().any(|sign| json.contains(sign))
        || map.keys().any(|key| {
            key.starts_with("ansible_")
                || ["hosts", "edx_ansible_source_repo", "configuration_version", "q"].contains(&key.as_str())
                || chooses_code(key)
        })
}
