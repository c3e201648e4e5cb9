"""Rules that the document cannot express: which cursors are valid, and what the fuzzer must not delete or revoke of its own."""
import json
import os

import schemathesis

# The ids of the fuzzer's own users, tokens and sessions.
KEPT = json.loads(os.environ["OCIM_FUZZ_KEEP"])
KIND = {"delete_user": "users", "update_user": "users", "set_user_password": "users", "delete_token": "tokens",
        "end_session": "sessions"}
UNKNOWN_ID = 999_999
# The last cursor that each list gave, by its path and order.
cursors = {}


def name(case):
    return case.operation.definition.raw.get("operationId")


def place(case):
    return name(case), str((case.query or {}).get("sort"))


@schemathesis.hook
def before_call(context, case, kwargs):
    kind = KIND.get(name(case))
    if kind and str((case.path_parameters or {}).get("id")) in map(str, KEPT[kind]):
        case.path_parameters["id"] = UNKNOWN_ID
    # A cursor is opaque: a well-formed one that no list returned is refused, correctly. A valid request has a cursor that a
    # list returned, or none; an invalid request keeps its own.
    if case.query and "cursor" in case.query and case.meta and not case.meta.generation.mode.is_negative:
        given = cursors.get(place(case))
        if given:
            case.query["cursor"] = given
        else:
            del case.query["cursor"]


@schemathesis.hook
def after_call(context, case, response):
    # A response in JSON lines is not JSON.
    content_type = (response.headers.get("content-type") or [""])[0]
    if response.status_code == 200 and content_type.split(";")[0] == "application/json":
        body = response.json()
        if isinstance(body, dict) and body.get("next_cursor"):
            cursors[place(case)] = body["next_cursor"]
