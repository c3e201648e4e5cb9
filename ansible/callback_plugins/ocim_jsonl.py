"""What a playbook does, as one JSON object a line on stdout: {"key", "at", "kind", "host", "task", "text", "message", ...}.

Read by api/src/ansible/events.rs. Shows names, states and what a failed task said; never variables or module
arguments, and nothing of a result that no_log censors. Works with Ansible 2.8 and later, on Python 2.7 and later.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
    name: ocim_jsonl
    type: stdout
    short_description: one JSON object a line
    description: Each event of a playbook as one JSON object on one line of stdout.
"""

import json
import os
import re
import sys
import time

from ansible.playbook.block import Block
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback import CallbackBase

# A line in bytes; the reader cuts what is longer without looking into it.
LINE_LIMIT = 1000000
# The parts of a line, in bytes of JSON: together they leave half of the line to its text. The reader shortens a message
# further, after it has hidden secrets in it: a cut secret would not be known any more.
MESSAGE_LIMIT = 400000
NAME_LIMIT = 1000
CUT = u"\n[the middle of this text was cut: a line of the log may have 1 MB]\n"
CENSORED = u"the output has been hidden due to the fact that 'no_log: true' was specified for this result"
LONE_SURROGATE = re.compile(u"[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]")

DEBUG = ("debug", "ansible.builtin.debug", "ansible.legacy.debug")
META = ("meta", "ansible.builtin.meta", "ansible.legacy.meta")
FACTS = ("gather_facts", "ansible.builtin.gather_facts", "ansible.legacy.gather_facts")
# Of a result of debug, what is not what it shows.
NOT_SHOWN = ("changed", "failed", "skipped", "attempts", "retries", "failed_when_result", "invocation", "warnings",
             "deprecations", "exception", "item", "ansible_loop_var", "ansible_index_var", "ansible_loop")


def _text(value):
    """Any value as a text that each reader of JSON takes. What is not UTF-8 becomes U+FFFD."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    elif not isinstance(value, type(u"")):
        value = u"%s" % (value,)
    return LONE_SURROGATE.sub(u"\ufffd", value)


def _json(value):
    try:
        return _text(json.dumps(value, ensure_ascii=False, default=_text))
    except (TypeError, UnicodeError, ValueError):
        return _text(repr(value))


def _said(value):
    """What a module said, which need not be a text."""
    return _text(value) if isinstance(value, (type(u""), bytes, int, float)) else _json(value)


def _fit(text, limit):
    """The text without its middle, where its JSON is longer than the limit. Cuts between words where it can."""
    size = len(json.dumps(text))
    while size > limit:
        keep = int(len(text) * 0.45 * limit / size)
        head, tail = text[:keep], text[len(text) - keep:]
        space = max(head.rfind(u" "), head.rfind(u"\n"))
        head = head[:space] if space > keep * 0.75 else head
        spaces = [at for at in (tail.find(u" "), tail.find(u"\n")) if 0 <= at < keep * 0.25]
        tail = tail[min(spaces):] if spaces else tail
        text = head + CUT + tail
        size = len(json.dumps(text))
    return text


def _name(value):
    """A name on one line, shortened at its end."""
    # Only as much is looked at as could be kept.
    name = u" ".join(_text(value)[:NAME_LIMIT * 4].split())
    if len(name) <= NAME_LIMIT:
        return name
    name = name[:NAME_LIMIT]
    space = name.rfind(u" ")
    return (name[:space] if space > NAME_LIMIT * 0.75 else name) + u" \u2026"


def _task_name(task):
    return _name(task.get_name())


def _result(result):
    """The result, its host and its task: public attributes since 2.19, underscored before."""
    if hasattr(result, "result"):
        result, host, task = result.result, result.host, result.task
    else:
        result, host, task = result._result, result._host, result._task
    no_log = getattr(task, "no_log", False)
    # A no_log that could not be evaluated is still a text.
    if result.get("_ansible_no_log") or result.get("censored") or (no_log and not isinstance(no_log, bool)):
        result = dict((key, result[key]) for key in ("changed", "attempts", "retries") if key in result)
        result["censored"] = CENSORED
    return result, host, task


def _delegate(host, task):
    delegate = getattr(task, "delegate_to", None)
    return _name(delegate) if delegate and delegate != host.get_name() else None


def _where(host, task):
    name, delegate = _name(host.get_name()), _delegate(host, task)
    return u"%s -> %s" % (name, delegate) if delegate else name


def _item(result):
    """The item's label where it is a plain word: an item that is a dictionary may hold passwords."""
    label = result.get("_ansible_item_label", result.get("item"))
    plain = not result.get("censored") and isinstance(label, (type(u""), str, int, float))
    return u" (item=%s)" % _name(label) if plain else u" (item)"


def _items(result):
    return [each for each in result.get("results") or [] if isinstance(each, dict)]


def _failed_item(result):
    return next((each for each in _items(result) if each.get("failed") or each.get("unreachable")), None)


def _why(result):
    """What the module itself says of its failure."""
    why = result.get("msg") or result.get("reason")
    if not why:
        return u"failed_when was true" if result.get("failed_when_result") else u"no message"
    return _said(why) + (u" (%s)" % _said(result["assertion"]) if result.get("assertion") else u"")


def _message(result):
    """Why it failed, in a few lines."""
    if result.get("censored") or result.get("_ansible_no_log"):
        return CENSORED
    item = _failed_item(result)
    if item is not None:
        return _message(item)
    message = _why(result)
    said = _said(result.get("stderr") or result.get("module_stderr") or result.get("stdout") or u"").strip()
    if said and said not in message:
        message = message.rstrip(u".") + u": " + u"\n".join(said.split(u"\n")[-5:])
    return message


def _details(result):
    """All a failed command said."""
    if result.get("censored") or result.get("_ansible_no_log"):
        return CENSORED
    parts = [_why(result)]
    if result.get("rc") is not None:
        parts.append(u"exit status: %s" % _said(result["rc"]))
    for key in ("stdout", "stderr", "module_stdout", "module_stderr"):
        if result.get(key):
            parts.append(u"%s:\n%s" % (key, _said(result[key]).rstrip()))
    if u"Traceback" in _text(result.get("exception") or u""):
        parts.append(_text(result["exception"]).rstrip())
    return u"\n".join(parts)


def _shown(result, task):
    """What a debug task shows."""
    if task.action not in DEBUG or result.get("censored") or "results" in result:
        return u""
    shown = dict((k, v) for k, v in result.items() if k not in NOT_SHOWN and not _text(k).startswith(u"_ansible"))
    if set(shown) == set(["msg"]):
        return u" => %s" % _said(shown["msg"])
    return u" => %s" % _json(shown) if shown else u""


def _sections(task):
    """The blocks around the task, each with the name of its section that the task is in; None for an include that is read
    while the playbook runs."""
    # A block holds the blocks of what it imports in the place of the import, which stays their parent all the same.
    within, parent = set([task._uuid]), getattr(task, "_parent", None)
    while parent is not None:
        if isinstance(parent, Block):
            for section in ("block", "rescue", "always"):
                if any(each._uuid in within for each in getattr(parent, section)):
                    yield parent, section
        elif isinstance(parent, TaskInclude) and not parent.statically_loaded:
            yield parent, None
        within.add(parent._uuid)
        parent = getattr(parent, "_parent", None)


def _is_rescued(task):
    """Whether a block around the task has a rescue section for it."""
    return any(section == "block" and block.rescue for block, section in _sections(task))


def _is_listed(task):
    """Whether `--list-tasks` has told of the task: not of rescue and always sections, includes and the first of a play."""
    if task.action in FACTS and task.name == "Gathering Facts":
        return False
    return all(section == "block" for _, section in _sections(task))


def _seconds(value):
    try:
        return max(0, int(value or 0))
    except (TypeError, ValueError):
        return 0


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "ocim_jsonl"

    def __init__(self, *args, **kwargs):
        super(CallbackModule, self).__init__(*args, **kwargs)
        # Tells our lines from all others. What Ansible starts does not get it.
        self._key = os.environ.pop("OCIM_EVENTS_KEY", "")
        self._task = None

    def _emit(self, kind, text, task=None, host=None, **more):
        event = dict(more, at=time.time(), kind=kind)
        if task is not None:
            event["task"] = _task_name(task)
        if host is not None:
            event["host"] = _name(host.get_name())
        if "message" in event:
            event["message"] = _fit(event["message"], MESSAGE_LIMIT)
        text = _fit(_text(text), LINE_LIMIT - len(json.dumps(event)) - 200)
        # The key comes first, so that it is found where something else left a line without an end.
        line = u'{"key": %s, ' % json.dumps(self._key) + _text(json.dumps(dict(event, text=text)))[1:] + u"\n"
        sys.stdout.write(str(line))
        sys.stdout.flush()

    def _began(self, kind, text, task, is_listed):
        self._task = task
        # Some releases of Ansible do not tell of their polls: such a task may be silent as long as it may take.
        patience = _seconds(getattr(task, "async_val", 0)) if _seconds(getattr(task, "poll", 0)) else 0
        more = {"patience": patience} if patience else {}
        self._emit(kind, text, task, is_listed=is_listed, **more)

    def _of_host(self, kind, text, host, task, **more):
        delegate = _delegate(host, task)
        if delegate:
            more["delegate"] = delegate
        self._emit(kind, text, task, host, **more)

    def _warnings(self, result, host, task):
        for warning in result.get("warnings") or []:
            warning = warning.get("msg", warning) if isinstance(warning, dict) else warning
            self._emit("warning", u"[WARNING]: %s" % _text(warning), task, host)

    def _ended(self, kind, word, result):
        result, host, task = _result(result)
        self._warnings(result, host, task)
        shown = u"" if kind == "skipped" else _shown(result, task)
        self._of_host(kind, u"%s: [%s]%s" % (word, _where(host, task), shown), host, task)

    def _lost(self, kind, word, result, ignored):
        result, host, task = _result(result)
        self._warnings(result, host, task)
        details = _message(result) if _failed_item(result) is not None else _details(result)
        kind = "ignored" if ignored else "rescued" if kind == "failed" and _is_rescued(task) else kind
        begin = kind if kind in ("ignored", "rescued") else "fatal"
        text = u"%s: [%s]: %s => %s" % (begin, _where(host, task), word, details)
        self._of_host(kind, text, host, task, message=_message(result))

    def v2_playbook_on_play_start(self, play):
        hosts = play.hosts if isinstance(play.hosts, (list, tuple)) else [play.hosts]
        self._emit("play", u"PLAY [%s]" % _name(play.get_name()), hosts=_name(u",".join(_text(each) for each in hosts)))

    def v2_playbook_on_no_hosts_matched(self):
        self._emit("no_hosts", "skipping: no hosts matched")

    def v2_playbook_on_no_hosts_remaining(self):
        self._emit("warning", "NO MORE HOSTS LEFT")

    def v2_playbook_on_vars_prompt(self, varname, *args, **kwargs):
        self._emit("warning", u"vars_prompt: `%s` gets its default: a run cannot be asked" % _name(varname))

    def v2_playbook_on_task_start(self, task, is_conditional):
        if task.action not in META:
            self._began("task_start", u"TASK [%s]" % _task_name(task), task, _is_listed(task))
        elif (getattr(task, "args", None) or {}).get("_raw_params") == "clear_host_errors":
            self._began("errors_cleared", u"TASK [%s]" % _task_name(task), task, _is_listed(task))
        else:
            # A meta task has no result: it begins and ends here.
            self._began("meta", u"TASK [%s]" % _task_name(task), task, _is_listed(task))

    def v2_playbook_on_cleanup_task_start(self, task):
        self._began("task_start", u"CLEANUP TASK [%s]" % _task_name(task), task, False)

    def v2_playbook_on_handler_task_start(self, task):
        self._began("task_start", u"RUNNING HANDLER [%s]" % _task_name(task), task, False)

    def v2_playbook_on_include(self, included_file):
        hosts = u", ".join(_name(host.name) for host in included_file._hosts)
        self._emit("include", u"included: %s for %s" % (_text(included_file._filename), hosts))

    def v2_runner_on_ok(self, result):
        changed = _result(result)[0].get("changed")
        self._ended("changed" if changed else "ok", "changed" if changed else "ok", result)

    def v2_runner_on_skipped(self, result):
        self._ended("skipped", "skipping", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._lost("failed", u"FAILED!", result, ignore_errors)

    def v2_runner_on_unreachable(self, result):
        ignored = bool(getattr(_result(result)[2], "ignore_unreachable", False))
        self._lost("unreachable", u"UNREACHABLE!", result, ignored)

    def v2_runner_retry(self, result):
        result, host, task = _result(result)
        left = _seconds(result.get("retries")) - _seconds(result.get("attempts"))
        text = u"FAILED - RETRYING: [%s]: %s (%d retries left)" % (_where(host, task), _task_name(task), max(0, left))
        self._of_host("retry", text, host, task)

    def _async(self, word, result):
        result, host, task = _result(result)
        job = result.get("ansible_job_id") or (result.get("async_result") or {}).get("ansible_job_id") or "unknown"
        # A poll is a task of Ansible's own, which says nothing.
        self._emit("poll", u"%s: [%s]: job %s" % (word, _name(host.get_name()), _name(job)), self._task, host)

    def v2_runner_on_async_poll(self, result):
        self._async(u"ASYNC POLL", result)

    def v2_runner_on_async_ok(self, result):
        self._async(u"ASYNC OK", result)

    def v2_runner_on_async_failed(self, result):
        self._async(u"ASYNC FAILED", result)

    def _one_item(self, word, result, details=u"", kind="item"):
        result, host, task = _result(result)
        details = details or (u"" if word == "skipping" else _shown(result, task))
        text = u"%s: [%s]%s%s" % (word, _where(host, task), _item(result), details)
        self._of_host(kind, text, host, task)

    def v2_runner_item_on_ok(self, result):
        self._one_item("changed" if _result(result)[0].get("changed") else "ok", result)

    def v2_runner_item_on_skipped(self, result):
        self._one_item("skipping", result)

    def v2_runner_item_on_failed(self, result):
        self._one_item("failed", result, u" => " + _details(_result(result)[0]), "item_failed")

    def v2_on_file_diff(self, result):
        result, host, task = _result(result)
        if result.get("censored"):
            return
        for each in _items(result) if task.loop else [result]:
            if each.get("diff") and each.get("changed") and not (each.get("_ansible_no_log") or each.get("censored")):
                self._emit("diff", self._get_diff(each["diff"]), task, host)

    def v2_playbook_on_stats(self, stats):
        lines = [u"PLAY RECAP"]
        for host in sorted(stats.processed):
            counts = stats.summarize(host)
            keys = ("ok", "changed", "unreachable", "failures", "skipped", "rescued", "ignored")
            lines.append(u"%s : %s" % (_name(host), u" ".join(u"%s=%s" % (k, counts.get(k, 0)) for k in keys)))
        self._emit("stats", u"\n".join(lines).replace(u"failures=", u"failed="))
