from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "noisy"
    CALLBACK_NEEDS_WHITELIST = True
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result):
        self._display.display("fatal: nothing of the kind")
        raise ValueError("broken on purpose")
