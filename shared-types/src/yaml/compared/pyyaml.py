"""Reads and merges the same texts with PyYAML, and says where what Ansible would be given differs.

A line of JSON in: {"texts": [below, above], "read": [one of {"file": …}, {"error": …} a text], "merged": a file}. A file is
what ansible-playbook is given of a text: it is read here as Ansible reads it, as JSON or else as YAML.
A line out: {"difference": null or words, "is_read": whether PyYAML read both}.
"""
import json
import sys

import yaml

if yaml.__version__ != "6.0.3":
    sys.exit(f"PyYAML is {yaml.__version__} and not 6.0.3: run `script/bootstrap test`")

CORE = "tag:yaml.org,2002:"
TAGS = {
    yaml.MappingNode: {"map", "set"},
    yaml.SequenceNode: {"seq", "omap", "pairs"},
    yaml.ScalarNode: {"str", "int", "float", "bool", "null", "timestamp", "binary", "merge", "value"},
}


class Unsafe(str):
    """A text that is no template."""


class Loader(yaml.SafeLoader):
    """PyYAML's reader with Ansible's own tag for texts."""


Loader.add_constructor("!unsafe", lambda loader, node: Unsafe(loader.construct_scalar(node)))


def nodes(root):
    """Every node once. An alias is the node it repeats."""
    seen, waiting = set(), [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            waiting.extend(part for pair in node.value for part in pair)


def is_forced(loader, root):
    """Whether a tag makes something of a text that would not be that without it. Python's numbers are read over spaces,
    newlines and more; none of that is imitated."""
    for node in nodes(root):
        if isinstance(node, yaml.ScalarNode) and node.tag not in (CORE + "str", CORE + "binary", "!unsafe"):
            if node.value.endswith("\n") or node.tag != loader.resolve(yaml.ScalarNode, node.value, (True, False)):
                return True
    return False


def has_unspaced_comment(text):
    """Whether a comment follows something without a space, which YAML 1.2 does not allow."""
    ends = (token.end_mark.index for token in yaml.scan(text, Loader))
    return any(text[end:end + 1] == "#" for end in ends)


def refusals(loader, root):
    """Why a text that PyYAML reads is refused on purpose."""
    for node in nodes(root):
        is_text = isinstance(node, yaml.ScalarNode) and node.tag == "!unsafe"
        if not is_text and node.tag.removeprefix(CORE) not in TAGS[type(node)]:
            # PyYAML ignores the tags of merged values.
            yield "a tag that does not fit"
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.tag == CORE + "float" and loader.construct_object(key) != loader.construct_object(key):
                    yield "not-a-number as a key"
                if key.tag == CORE + "merge":
                    merged = [value, *(value.value if isinstance(value, yaml.SequenceNode) else [])]
                    if any(one.tag not in (CORE + "map", CORE + "seq") for one in merged):
                        yield "a merge of something with a tag"


def read(text):
    """The map, why it is refused on purpose, and whether it may be refused."""
    loader = Loader(text)
    # For a value that does not fit its type, PyYAML raises an exception that is no YAMLError.
    try:
        root = loader.get_single_node()
        if root is None:
            return {}, [], False
        why = list(refusals(loader, root))
        may_refuse = is_forced(loader, root) or has_unspaced_comment(text)
        value = loader.construct_document(root)
        if not isinstance(value, dict):
            why.append("no map")
        return (None if why else value), why, may_refuse
    finally:
        loader.dispose()


def from_file(text):
    """What Ansible makes of a file of variables."""
    try:
        return json.loads(text)
    except ValueError:
        return yaml.load(text, Loader=Loader)


def merge(below, above):
    # A copy: an alias may have put the same map elsewhere.
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def same(one, other):
    """Equal with types, the sign of zero and the order of keys."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        keys = zip(one, other)
        return len(one) == len(other) and all(same(a, b) and same(one[a], other[b]) for a, b in keys)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, set):
        return sorted(map(repr, one)) == sorted(map(repr, other))
    return repr(one) == repr(other)


def compare(question):
    values = []
    for text, answer in zip(question["texts"], question["read"]):
        error = answer.get("error")
        try:
            value, why, may_refuse = read(text)
        except (yaml.YAMLError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as refusal:
            if error is None:
                return f"PyYAML refuses: {refusal!r}\n{text}", False
            return None, False
        if why and error is None:
            return f"not refused although it has {', '.join(why)}:\n{text}", False
        if why or (may_refuse and error is not None):
            return None, False
        if error is not None:
            return f"PyYAML reads it as {value!r}, and here it is refused: {error}\n{text}", True
        given = from_file(answer["file"])
        if not same(value, given):
            return f"PyYAML reads it as {value!r}, and here it is {given!r}:\n{text}", True
        values.append(value)
    merged, given = merge(*values), from_file(question["merged"])
    if not same(merged, given):
        return f"merged it is {merged!r}, and here it is {given!r}", True
    return None, True


for line in sys.stdin:
    difference, is_read = compare(json.loads(line))
    print(json.dumps({"difference": difference, "is_read": is_read}), flush=True)
