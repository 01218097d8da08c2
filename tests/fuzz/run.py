"""Has schemathesis ask a service that plays the demonstration, as nobody, as each role, and with a key of each role
that keys may have. Ends with one line: `N passed, N failed`.

    run.py URL DEMO-ACCOUNTS CASES

Nobody asks every operation. A role asks those that docs/access.md lets it call: at all others the door answers before
it reads a body, and the tests of the service walk that table cell by cell. What needs no token is asked by nobody
alone: the service does not look at the caller there.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from sign_in import Account, post

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
#: What ends the session that asks for it, so that another sign-in must follow. A code works once and the next comes
#: half a minute later: those who show one ask these in a run of their own, where waiting holds nothing up.
ENDING = ("change_password", "end_session", "end_sessions")
#: Who can take others' roles and keys away comes after them.
LAST = (("site_manager", "prescriber_manager"), ("operator_admin",))
#: Processes at once: one of Python generates cases as fast as one core can.
AT_ONCE = 2


class Operations:
    """The table of docs/access.md: who may call what."""

    def __init__(self, page):
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("|")]
        self.roles = [name.replace(" ", "_") for name in rows[0][2:-3]]
        self.rows = {row[0]: (row[2:-3], row[-3]) for row in rows[2:]}

    def of(self, role, marks):
        at = self.roles.index(role)
        return [name for name, (cells, reach) in self.rows.items() if reach != "public" and cells[at] in tuple(marks)]


def schemathesis(cases, environment, arguments, report):
    """One run. The same cases each time: what fails here fails again."""
    command = [
        str(pathlib.Path(sys.executable).parent / "schemathesis"),
        *("--config-file", str(HERE / "schemathesis.toml"), "run", str(ROOT / "openapi.yaml")),
        *("--url", environment["SOUCHE_URL"], "--checks", "all"),
        *("--max-examples", cases, "--workers", "1", "--continue-on-failure", "--generation-deterministic"),
        *("--no-color", "--warnings", "off", *arguments),
    ]
    environment = {**os.environ, **environment, "PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "sign_in"}
    with open(report, "wb") as out:
        # There, so that what it remembers of a run goes with it.
        run = subprocess.run(command, cwd=report.parent, env=environment, stdout=out, stderr=subprocess.STDOUT)
    return run.returncode


def only(operations):
    return [argument for name in operations for argument in ("--include-operation-id", name)]


def keys_of(url, accounts, roles):
    """A key of each role that keys may have, made by the administrator."""
    admin = Account(url, accounts["operator_admin"]).bearer()
    for role in roles:
        place = {name: accounts[role]["place"][name] for name in ("organisation", "site")}
        body = {"name": role, "role": role, "days": 1, **place}
        headers = {"Authorization": f"Bearer {admin}", "Idempotency-Key": f"fuzz-{role}"}
        yield role, post(url + "/api/v1/api-keys", body, headers)["secret"]


def place_of(url, account):
    """For whom an account acts, as it is told itself."""
    from urllib.request import Request, urlopen

    token = Account(url, account).bearer()
    with urlopen(Request(url + "/api/v1/me", headers={"Authorization": f"Bearer {token}"})) as answer:
        me = json.load(answer)
    return {name: me[name] for name in ("organisation", "site")}


def waves(url, accounts, operations):
    """Who asks, in which environment, what; those of one wave at once."""
    keyed = [role for role in operations.roles if operations.of(role, "○")]
    for role in keyed:
        accounts[role]["place"] = place_of(url, accounts[role])
    # Well-formed, and nobody's: a password, a link, a receipt that was made up is refused, as it should be.
    first = [("nobody", {}, ["--exclude-checks", "positive_data_acceptance"])]
    for role, secret in keys_of(url, accounts, keyed):
        first.append((f"a key of {role}", {"SOUCHE_API_KEY": secret}, only(operations.of(role, "○"))))
    later = {role: [] for group in LAST for role in group}
    ending = []
    for role in operations.roles:
        account = accounts[role]
        environment = {"SOUCHE_ACCOUNT": json.dumps(account)}
        asked = operations.of(role, "●○")
        if "totp_secret" in account:
            ending.append((f"{role}, ending its session", environment, only(ENDING)))
            asked = [name for name in asked if name not in ENDING]
        later.get(role, first).append((role, environment, only(asked)))
    # The administrator's own comes when it has asked all else.
    managers, admin = (sum((later[role] for role in group), []) for group in LAST)
    return [first, ending[1:] + managers, admin, ending[:1]]


def main():
    url, accounts, cases = sys.argv[1:]
    operations = Operations((ROOT / "docs/access.md").read_text())
    by_role = {}
    for account in json.loads(pathlib.Path(accounts).read_text()):
        if account["programme"]:
            by_role.setdefault(account["role"], account)
    failed = passed = 0
    with tempfile.TemporaryDirectory() as reports, ThreadPoolExecutor(AT_ONCE) as pool:

        def ask(run):
            name, environment, arguments = run
            report, begun = pathlib.Path(reports) / name, time.monotonic()
            code = schemathesis(cases, {"SOUCHE_URL": url, **environment}, arguments, report)
            return name, code, report.read_text(errors="replace"), time.monotonic() - begun

        for wave in waves(url, by_role, operations):
            for name, code, report, seconds in pool.map(ask, wave):
                asked = next((line.strip() for line in report.splitlines() if " generated" in line), "nothing asked")
                print(f"{'passed' if code == 0 else 'FAILED'}  {name}: {asked}, {seconds:.0f} s", flush=True)
                passed, failed = passed + (code == 0), failed + (code != 0)
                if code:
                    print(report, flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
