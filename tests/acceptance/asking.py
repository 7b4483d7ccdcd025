"""Somebody who asks a farm by way of its API: a key, and requests as urllib3 makes them."""

import json

import urllib3


class User:
    """Asks the API at `url` with one key."""

    def __init__(self, url, secret):
        self.url, self.secret = url, secret
        self.pool = urllib3.PoolManager()

    def asks(self, method, path, body=None, secret=None, **headers):
        """Return the response; a body that is no bytes is sent as JSON."""
        secret = self.secret if secret is None else secret
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers |= {"x-api-key": secret} if secret else {}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return self.pool.request(method, self.url + path, body=body, headers=headers, retries=False)

    def told(self, method, path, body=None, **headers):
        """Return what a request that goes well is answered, read from JSON."""
        answer = self.asks(method, path, body, **headers)
        assert answer.status < 300, answer.data
        return answer.json()


def user(operator, *scopes, namespace="default"):
    """Return a user with a new key of this farm."""
    words = [word for scope in scopes or ("submit", "read") for word in ("--scope", scope)]
    made = operator.types("key", "add", "tester", "--namespace", namespace, *words)
    assert made.returncode == 0, made.stderr
    return User(f"http://127.0.0.1:{operator.settings.api_port}", made.stdout.strip())
