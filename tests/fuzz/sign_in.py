"""Signs schemathesis in, as people do: password, and a one-time code where the role takes one (RFC 6238).

The environment says where and as whom: SOUCHE_URL, and SOUCHE_ACCOUNT, an account of demo-accounts.json, or
SOUCHE_API_KEY, the secret of a key. A session that a case has ended is followed by another, so that what comes
after is asked by somebody who may ask; a token is renewed before its ten minutes are over.
"""

import base64
import hashlib
import hmac
import json
import os
import struct
import threading
import time
import urllib.error
import urllib.request

TOKEN_LASTS = 480
PERIOD = 30


def post(url, body, headers=None):
    """Asks for JSON with JSON."""
    headers = {"Content-Type": "application/json", **(headers or {})}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
        return json.load(answer)


class Account:
    """An account, and the token of the session that it has now."""

    def __init__(self, url, account):
        self.url = url
        self.account = account
        self.token = None
        self.taken_at = 0.0
        self.last_step = 0
        self.turn = threading.Lock()

    def bearer(self):
        with self.turn:
            if self.token is None or time.monotonic() - self.taken_at > TOKEN_LASTS:
                self.token = self.sign_in()
                self.taken_at = time.monotonic()
            return self.token

    def ended(self, bearer):
        with self.turn:
            if bearer == self.token:
                self.token = None

    def sign_in(self):
        who = {name: self.account[name] for name in ("email", "password", "programme")}
        if "totp_secret" not in self.account:
            return post(self.url + "/api/v1/auth/token", who)["access_token"]
        while True:
            try:
                return post(self.url + "/api/v1/auth/token", who | {"code": self.next_code()})["access_token"]
            except urllib.error.HTTPError as refused:
                # The run before has used the code of this period: there is another in the next one.
                if refused.code != 401 or self.last_step > time.time() // PERIOD + 1:
                    raise

    def next_code(self):
        """A code works once: that of the next period that has not served, which the service takes a period early."""
        step = max(int(time.time()) // PERIOD, self.last_step + 1)
        time.sleep(max(0.0, (step - 1) * PERIOD - time.time()))
        self.last_step = step
        key = base64.b32decode(self.account["totp_secret"])
        digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
        start = digest[-1] & 15
        return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


class ApiKey:
    """A key, which lasts."""

    def __init__(self, secret):
        self.secret = secret

    def bearer(self):
        return self.secret

    def ended(self, bearer):
        pass


def caller():
    if "SOUCHE_API_KEY" in os.environ:
        return ApiKey(os.environ["SOUCHE_API_KEY"])
    return Account(os.environ["SOUCHE_URL"], json.loads(os.environ["SOUCHE_ACCOUNT"]))


def is_over(response):
    """Does this say that nobody is signed in? A wrong password or code is another 401."""
    return response.status_code == 401 and b'"code":"not_signed_in"' in response.content


def register():
    """Tells schemathesis who asks."""
    import schemathesis

    who = caller()

    @schemathesis.auth(refresh_interval=None)
    class Bearer:
        def get(self, case, context):
            return who.bearer()

        def set(self, case, data, context):
            case.headers["Authorization"] = f"Bearer {data}"

    @schemathesis.hook
    def after_call(context, case, response):
        if is_over(response):
            who.ended(response.request.headers.get("Authorization", "").removeprefix("Bearer "))


if "SOUCHE_ACCOUNT" in os.environ or "SOUCHE_API_KEY" in os.environ:
    register()
