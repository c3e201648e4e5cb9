"""What a playbook does, as one JSON object a line on stdout: {"at", "kind", "host", "task", "text", "message"}.

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
import sys
import time

from ansible.playbook.block import Block
from ansible.plugins.callback import CallbackBase

# A line in bytes; the reader cuts what is longer without looking into it.
LINE_LIMIT = 1000000
CUT = u"\n[the middle of this text was cut: a line of the log may have 1 MB]\n"


def _text(value):
    return value if isinstance(value, type(u"")) else u"%s" % (value,)


def _result(result):
    """The result, its host and its task: public attributes since 2.19, underscored before."""
    if hasattr(result, "result"):
        return result.result, result.host, result.task
    return result._result, result._host, result._task


def _where(host, task):
    delegate = getattr(task, "delegate_to", None)
    name = host.get_name()
    return u"%s -> %s" % (name, delegate) if delegate and delegate != name else _text(name)


def _item(result):
    """The item's label where it is a plain word: an item that is a dictionary may hold passwords."""
    label = result.get("_ansible_item_label", result.get("item"))
    plain = not result.get("_ansible_no_log") and isinstance(label, (type(u""), str, int, float))
    return u" (item=%s)" % _text(label)[:80] if plain else u" (item)"


def _failed_item(result):
    items = [i for i in result.get("results") or [] if isinstance(i, dict)]
    return next((i for i in items if i.get("failed") or i.get("unreachable")), None)


def _message(result):
    """Why it failed, in a few lines."""
    if result.get("censored"):
        return _text(result["censored"])
    item = _failed_item(result)
    if item is not None:
        return _message(item)
    message = _text(result.get("msg") or "no message")
    said = _text(result.get("stderr") or result.get("module_stderr") or result.get("stdout") or "").strip()
    if said and said not in message:
        message = message.rstrip(u".") + u": " + u"\n".join(said.splitlines()[-5:])[-1000:]
    return message


def _details(result):
    """All a failed command said."""
    if result.get("censored"):
        return _text(result["censored"])
    parts = [_text(result.get("msg") or "no message")]
    if result.get("rc") is not None:
        parts.append(u"exit status: %s" % result["rc"])
    for key in ("stdout", "stderr", "module_stdout", "module_stderr"):
        if result.get(key):
            parts.append(u"%s:\n%s" % (key, _text(result[key]).rstrip()))
    if u"Traceback" in _text(result.get("exception") or ""):
        parts.append(_text(result["exception"]).rstrip())
    return u"\n".join(parts)


def _is_rescued(task):
    """Whether a block around the task has a rescue section for it."""
    child, parent = task, getattr(task, "_parent", None)
    while parent is not None:
        if isinstance(parent, Block) and parent.rescue:
            if any(each._uuid == child._uuid for each in parent.block):
                return True
        child, parent = parent, getattr(parent, "_parent", None)
    return False


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "ocim_jsonl"

    def _emit(self, kind, text, task=None, host=None, **more):
        event = dict(more, at=time.time(), kind=kind, text=_text(text))
        if task is not None:
            event["task"] = _text(task.get_name()).strip()
        if host is not None:
            event["host"] = _text(host.get_name())
        line = json.dumps(event)
        while len(line) > LINE_LIMIT:
            keep = int(len(event["text"]) * (LINE_LIMIT * 0.9 / len(line)) / 2)
            event["text"] = event["text"][:keep] + CUT + event["text"][-keep:]
            line = json.dumps(event)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def _warnings(self, result, host, task):
        for warning in result.get("warnings") or []:
            warning = warning.get("msg", warning) if isinstance(warning, dict) else warning
            self._emit("warning", u"[WARNING]: %s" % _text(warning), task, host)

    def _ended(self, kind, word, result):
        result, host, task = _result(result)
        self._warnings(result, host, task)
        text = u"%s: [%s]" % (word, _where(host, task))
        if task.action in ("debug", "ansible.builtin.debug") and "msg" in result and kind != "skipped":
            message = result["msg"]
            plain = isinstance(message, (type(u""), str))
            text += u" => %s" % (_text(message) if plain else json.dumps(message, default=_text))
        self._emit(kind, text, task, host)

    def _lost(self, kind, word, result, ignored):
        result, host, task = _result(result)
        self._warnings(result, host, task)
        rescued = kind == "failed" and not ignored and _is_rescued(task)
        details = _message(result) if _failed_item(result) is not None else _details(result)
        text = u"fatal: [%s]: %s => %s" % (_where(host, task), word, details)
        text += u"\n...ignoring" if ignored else u""
        kind = "ignored" if ignored else "rescued" if rescued else kind
        self._emit(kind, text, task, host, message=_message(result)[:4000])

    def v2_playbook_on_play_start(self, play):
        self._emit("play", u"PLAY [%s]" % play.get_name().strip())

    def v2_playbook_on_no_hosts_matched(self):
        self._emit("warning", "skipping: no hosts matched")

    def v2_playbook_on_task_start(self, task, is_conditional):
        # A meta task has no result: it begins and ends here.
        kind = "meta" if task.action in ("meta", "ansible.builtin.meta") else "task_start"
        self._emit(kind, u"TASK [%s]" % task.get_name().strip(), task)

    def v2_playbook_on_handler_task_start(self, task):
        self._emit("task_start", u"RUNNING HANDLER [%s]" % task.get_name().strip(), task)

    def v2_playbook_on_include(self, included_file):
        hosts = u", ".join(_text(host.name) for host in included_file._hosts)
        self._emit("include", u"included: %s for %s" % (included_file._filename, hosts))

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
        left = result.get("retries", 0) - result.get("attempts", 0)
        self._emit("retry", u"FAILED - RETRYING: [%s]: %s (%d retries left)" % (_where(host, task), task.get_name(), left))

    def _one_item(self, word, result, details=u"", kind="item"):
        result, host, task = _result(result)
        self._emit(kind, u"%s: [%s]%s%s" % (word, _where(host, task), _item(result), details), task, host)

    def v2_runner_item_on_ok(self, result):
        self._one_item("changed" if _result(result)[0].get("changed") else "ok", result)

    def v2_runner_item_on_skipped(self, result):
        self._one_item("skipping", result)

    def v2_runner_item_on_failed(self, result):
        self._one_item("failed", result, u" => " + _details(_result(result)[0]), "item_failed")

    def v2_on_file_diff(self, result):
        result, host, task = _result(result)
        results = result.get("results") if task.loop else [result]
        for each in results or []:
            if isinstance(each, dict) and each.get("diff") and each.get("changed") and not each.get("_ansible_no_log"):
                self._emit("diff", self._get_diff(each["diff"]), task, host)

    def v2_playbook_on_stats(self, stats):
        lines = [u"PLAY RECAP"]
        for host in sorted(stats.processed):
            counts = stats.summarize(host)
            keys = ("ok", "changed", "unreachable", "failures", "skipped", "rescued", "ignored")
            lines.append(u"%s : %s" % (host, u" ".join(u"%s=%s" % (k, counts.get(k, 0)) for k in keys)))
        self._emit("stats", u"\n".join(lines).replace(u"failures=", u"failed="))
