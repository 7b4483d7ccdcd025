"""API keys: secrets that nobody can guess, scopes that there are."""

import pytest

from farm import apikey
from farm.errors import BadInput


def test_a_key_is_kept_by_the_digest_of_a_secret_that_is_said_once():
    key, secret = apikey.new("ci", "alice", ["read", "submit", "read"], 5.0)
    assert secret.startswith("farm_") and len(secret) > 40
    assert key.scopes == ["submit", "read"] and (key.namespace, key.created) == ("alice", 5.0)
    assert len(apikey.digest(secret)) == 64 and secret not in repr(key)
    assert apikey.new("ci", "alice", ["read"], 5.0)[1] != secret


@pytest.mark.parametrize(
    ("namespace", "scopes"), [("a", []), ("a", ["all"]), ("", ["read"]), ("a:b", ["read"])]
)
def test_what_can_be_no_key_is_refused(namespace, scopes):
    with pytest.raises(BadInput):
        apikey.new("ci", namespace, scopes, 0)
