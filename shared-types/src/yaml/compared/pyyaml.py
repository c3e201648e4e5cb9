"""Reads and merges the same texts with PyYAML, and says where what was read differs.

A line of JSON in: {"texts": [below, above], "read": [one of {"value": …}, {"error": …} a text], "merged": what the two make,
if both were read}. A line out: {"difference": null or words, "is_read": whether PyYAML read both}.
"""
import datetime
import json
import math
import sys

import yaml

if yaml.__version__ != "6.0.3":
    sys.exit(f"PyYAML is {yaml.__version__} and not 6.0.3: run `script/bootstrap test`")

CORE = "tag:yaml.org,2002:"
TAGS = {
    yaml.MappingNode: {"map"},
    yaml.SequenceNode: {"seq"},
    yaml.ScalarNode: {"str", "int", "float", "bool", "null", "timestamp", "merge", "value"},
}
LEAST, MOST = -(2**63), 2**64 - 1
DATES = (datetime.date, datetime.datetime)


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


def key_text(loader, node):
    """What a key is in JSON; None when it is no text."""
    if isinstance(node, yaml.ScalarNode):
        if node.tag in (CORE + "str", CORE + "value"):
            return node.value
        value = loader.construct_object(node)
        if isinstance(value, str):
            return value
        if isinstance(value, DATES):
            return value.isoformat()
    return None


def is_forced(loader, root):
    """Whether a tag makes something of a text that would not be that without it. Python's numbers are read over spaces,
    newlines and more; none of that is imitated."""
    for node in nodes(root):
        if isinstance(node, yaml.ScalarNode) and node.tag not in (CORE + "str", CORE + "timestamp"):
            if node.value.endswith("\n") or node.tag != loader.resolve(yaml.ScalarNode, node.value, (True, False)):
                return True
    return False


def refusals(loader, root):
    """Why a text that PyYAML reads is refused on purpose."""
    for node in nodes(root):
        if node.tag.removeprefix(CORE) not in TAGS[type(node)]:
            # PyYAML asks nothing of the tags of what is merged.
            yield "a tag that does not fit"
        if isinstance(node, yaml.MappingNode):
            keys = [key for key, _ in node.value if key.tag != CORE + "merge"]
            texts = [key_text(loader, key) for key in keys]
            if None in texts:
                yield "a key that is no text"
            if len(set(texts)) < len(texts):
                yield "a key twice"
            if len(node.value) - len(keys) > 1:
                yield "two merges"
        elif isinstance(node, yaml.ScalarNode) and node.tag in (CORE + "int", CORE + "float"):
            number = loader.construct_object(node)
            if isinstance(number, float) and not math.isfinite(number):
                yield "no finite number"
            if isinstance(number, int) and not LEAST <= number <= MOST:
                yield "too large"


def as_json(value):
    if isinstance(value, dict):
        return {key.isoformat() if isinstance(key, DATES) else key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value.isoformat() if isinstance(value, DATES) else value


def read(text):
    """The map, why it is refused on purpose, and whether it may be refused."""
    loader = yaml.SafeLoader(text)
    # What PyYAML raises for a value that fits no type is no error of YAML's own.
    try:
        root = loader.get_single_node()
        if root is None:
            return {}, [], False
        why = list(refusals(loader, root))
        may_refuse = is_forced(loader, root)
        value = loader.construct_document(root)
        if not isinstance(value, dict):
            why.append("no map")
        return (None if why else as_json(value)), why, may_refuse
    finally:
        loader.dispose()


def merge(below, above):
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(below.get(key), dict)
        below[key] = merge(below[key], value) if both else value
    return below


def same(one, other):
    """Equal with types, the sign of zero and the order of keys."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
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
            return f"PyYAML reads it as {json.dumps(value)}, and here it is refused: {error}\n{text}", True
        if not same(value, answer["value"]):
            return f"PyYAML reads it as {json.dumps(value)}, and here it is {json.dumps(answer['value'])}:\n{text}", True
        values.append(value)
    merged = merge(*values)
    if not same(merged, question["merged"]):
        return f"merged it is {json.dumps(merged)}, and here it is {json.dumps(question['merged'])}", True
    return None, True


for line in sys.stdin:
    difference, is_read = compare(json.loads(line))
    print(json.dumps({"difference": difference, "is_read": is_read}), flush=True)
