"""Has Ansible load what a run of the playbook would load for its hosts: variables files, group and host variables, vaults.

Used by api/src/ansible/loading.rs, with tags that no task has, so that no task runs and nothing is connected to. Prints a
line for each play that was loaded, and ends the program with status 4 and Ansible's own error at the first that cannot be.
Works with Ansible 2.8 and later, on Python 2.7 and later.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
    name: ocim_loading
    type: stdout
    short_description: loads variables and says so
    description: Loads the variables of each play's hosts, and runs nothing.
"""

import os
import sys

from ansible.errors import AnsibleFileNotFound
from ansible.module_utils._text import to_text
from ansible.plugins.callback import CallbackBase
from ansible.release import __version__

# What Ansible exits with when a playbook cannot be read.
UNREADABLE = 4
# Since then Ansible finds the place of an error itself when it is given the exception.
IS_GIVEN_EXCEPTIONS = tuple(int(part) for part in __version__.split(".")[:2]) >= (2, 19)


def _with_place(error):
    """The error that knows its file and line: loaders of variables wrap it into one that does not."""
    one = error
    while one is not None and getattr(one, "obj", None) is None:
        one = getattr(one, "__cause__", None) or getattr(one, "__context__", None)
    return error if one is None else one


def _is_there(play, name):
    try:
        play.get_loader().path_dwim_relative_stack(play.get_search_path(), "vars", name)
        return True
    except AnsibleFileNotFound:
        return False


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "ocim_loading"

    def v2_playbook_on_play_start(self, play):
        try:
            self._load(play)
        except Exception as error:
            self._display.error(_with_place(error) if IS_GIVEN_EXCEPTIONS else to_text(error), wrap_text=False)
            sys.stdout.flush()
            sys.stderr.flush()
            # An exception that a callback raises would only be warned of.
            os._exit(UNREADABLE)
        print(u"loaded")
        sys.stdout.flush()

    def _load(self, play):
        manager = play.get_variable_manager()
        for host in manager._inventory.get_hosts(play.hosts):
            manager.get_vars(play=play, host=host)
        # Since 2.15 Ansible goes on without a variables file that is not there, and does not say so.
        for item in play.get_vars_files():
            names = item if isinstance(item, list) else [item]
            is_known = not any(u"{{" in to_text(name) for name in names)
            if is_known and not any(_is_there(play, name) for name in names):
                print(u"vars file %s was not found" % u", ".join(to_text(name) for name in names))
