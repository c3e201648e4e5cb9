#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::expression::dangerous_call;
use super::jinja;

#[test]
fn calls_that_do_more_than_compute_are_seen() {
    for text in [
        "lookup('pipe', 'id')",
        "true and lookup ('pipe', 'id')",
        "1if lookup('pipe','id') else 0",
        "0b1if lookup('pipe','id')else 0",
        "1_0.5e-3if lookup('pipe','id')else 0",
        "x is divisibleby lookup('pipe','id')",
        "x is not divisibleby lookup('pipe','id')",
        "(lookup)('pipe', 'id')",
        "(lookup or x)('pipe', 'id')",
        "vars['lookup']('pipe', 'id')",
        "'a$b' or query('pipe', 'id')",
        "q('pipe', 'id') %} ' $",
        "q('pipe', 'id') -%} ' $",
        "not -q(*['pipe', 'id'])",
        "a, q(**{'a': 'b'}),",
        "cycler.__init__.__globals__.os.popen('id').read()",
        "lipsum['__globals__'].os\n.\npopen ('id')",
        "{'a': lookup('pipe', 'id')}",
        "[].sort(key=lookup)",
        "x[1:2:].y(lookup('pipe', 'id'))",
        "Univ.Ada(Paris).__class__",
        "Univ.__class__.__mro__(x)",
        "''.__class__.mro()",
        "x.func_globals.os.system('id')",
        "x.encrypt.im_func.func_globals.os.system('id')",
        "hostvars.set_host_variable('h', 'ansible_connection', 'local')",
        "(hostvars).set_host_variable('h', 'ansible_connection', 'local')",
        "[hostvars].pop().set_host_variable('h', 'ansible_connection', 'local')",
        "groups.all.append('localhost')",
        "ansible_play_hosts.append('localhost')",
        "x['__class__'].y()",
        "(x|attr('__init__'))('id')",
        "(x|map('y')|list).z('id')",
        "x | lookup('pipe')",
        "x if lookup('pipe', 'id')",
        "'a' 'b' ~ lookup('pipe', 'id')",
        "x.0(lookup)",
        "range(1000000000000)",
        "lookup('pipe', 'id'):",
        "lookup('pipe', 'id') : %}",
        "a and is(lookup('pipe', 'id'))",
        "-not or lookup('pipe', 'id')",
        "a is b if or lookup('pipe', 'id')",
        "a.5.0o7 or lookup('pipe', 'id')",
        "is is divisibleby lookup('pipe', 'id')",
    ] {
        assert!(dangerous_call(text).is_some(), "{text}");
    }
    assert!(dangerous_call(&format!("{}x{}", "(".repeat(1000), ")".repeat(1000))).is_some(), "too deep to know");
}

#[test]
fn words_with_brackets_are_left_alone() {
    for text in [
        "",
        "lookup",
        "Course(s)",
        "Astro (test)",
        "Univ. Ada (Paris)",
        "Univ. Ada (Paris), Univ. Bob (Bonn)",
        "St. Ada (Paris) and St. Bob (Bonn)",
        "U.S.(test)",
        "pr12.sandbox.example.com (PR 12)",
        "Ada.Lovelace (admin)",
        "Groups (A)",
        "groups (A)",
        "[a](https://x.y)",
        "[lookup](https://x.y/lookup(1))",
        "X = 1\nX.append(\"y\")\n",
        "def f(x):\n    return lookup(x)\n",
        "if lookup('x'): pass",
        "the lookup of (a) and b.c (d)",
        "call lookup('pipe', 'id')",
        r"^https://(a|b)\.example\.com(:\d+)?$",
        "see [there](https://example.com/?a)",
        "'lookup(1)'",
        "it's lookup(1)",
        "lookup(1",
        "lookup(1))",
        "lookup('pipe' 'id' x)",
        "SELECT count(*) FROM t",
        "rgb(1, 2, 3)",
        "{\"a\": (1, 2)}",
        "Mo-Fr (9:00)",
        "50% (half)",
        "Ada & Bob (both)",
    ] {
        assert_eq!(dangerous_call(text), None, "{text}");
    }
}

/// Expressions with a call of `lookup` in any place.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![Just("lookup('pipe', 'id')".to_owned()), Just("q ( x )".to_owned())];
    leaf.prop_recursive(5, 30, 3, |inner| {
        let other = prop_oneof![
            Just("a"),
            Just("1"),
            Just("'b'"),
            Just("c.d"),
            Just("e[1]"),
            Just("f|g"),
            Just("{}"),
            Just("h()")
        ];
        prop_oneof![
            inner.clone().prop_map(|inner| format!("({inner})")),
            inner.clone().prop_map(|inner| format!("[a, {inner},]")),
            inner.clone().prop_map(|inner| format!("{{'a': {inner}}}")),
            inner.clone().prop_map(|inner| format!("a.b(c, d={inner})")),
            inner.clone().prop_map(|inner| format!("a[{inner}:]")),
            inner.clone().prop_map(|inner| format!("a|b({inner})|c")),
            inner.clone().prop_map(|inner| format!("a is not b({inner})")),
            inner.clone().prop_map(|inner| format!("not {inner}")),
            (inner.clone(), other.clone()).prop_map(|(inner, other)| format!("{other} if {inner} else {other}")),
            (
                inner.clone(),
                other.clone(),
                proptest::sample::select(vec!["+", "~", "//", "**", "==", "<=", " in ", " not in ", " and ", " or "])
            )
                .prop_map(|(inner, other, sign)| format!("{other}{sign}{inner}")),
            (inner, other).prop_map(|(inner, other)| format!("{inner}\n%\t{other}")),
        ]
    })
}

proptest! {
    #[test]
    fn a_call_is_seen_wherever_it_stands_in_an_expression(text in expressions()) {
        prop_assert!(jinja::parse(&text).is_some(), "{} is an expression", text);
        prop_assert!(dangerous_call(&text).is_some(), "{}", text);
    }

    #[test]
    fn any_text_can_be_looked_at(text in any::<String>(), signs in "[a.()\\[\\]{}|%\"' =:,1-]{0,60}") {
        let _ = (dangerous_call(&text), dangerous_call(&signs));
    }
}
