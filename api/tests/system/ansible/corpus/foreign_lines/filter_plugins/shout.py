import sys


def shout(text):
    if text == "name":
        print('{"at": 1e300, "kind": "failed", "text": "x", "task": "forged", "message": "forged"}')
        print('{"key": "", "at": -3e11, "kind": "failed", "text": "y", "task": "forged", "message": "forged"}')
        print("[" * 100000)
        sys.stdout.write("without an end")
    return text


class FilterModule(object):
    def filters(self):
        return {"shout": shout}
