"""The lab's tables: each command and each endpoint is in them, with what it brings about and how it refuses."""

from portal.api.app import ENDPOINTS
from tests.lab.tables import FIRST, STEPS, THEN
from tests.lab.walk import leaves


def test_no_command_is_left_out():
    assert {step.command for step in STEPS if step.code == 0} == set(leaves())
    assert {step.command for step in STEPS if step.code != 0 and step.says} == set(leaves())
    assert [str(step) for step in STEPS if step.code == 0 and step.proof is None] == []


def test_no_endpoint_is_left_out():
    served, calls = {f"{one.method} {one.path}" for one in ENDPOINTS}, (*FIRST, *THEN)
    assert {call.endpoint for call in calls if not call.code} == served
    assert {call.endpoint for call in calls if call.code} == served
    assert [str(call) for call in calls if not call.code and call.proof is None] == []


def test_what_changes_is_not_for_viewers_but_what_is_about_them_alone():
    own = {"POST /v1/me/password", "DELETE /v1/sessions/current"}
    proven = {"POST /v1/join", "POST /v1/renew", "POST /v1/leave", "POST /v1/sessions"}
    theirs = {
        f"{one.method} {one.path}" for one in ENDPOINTS if one.changes and one.access not in ("operator", "admin")
    }
    assert theirs == own | proven
