#!/usr/bin/env python3
"""Verifies a bundle of Souche (docs/bundle.md) without Souche: a second opinion, to be read before it is run.

    python3 verify_bundle.py FILE [--key VKEY]... [--checkpoint NOTE]

Python 3.9 or later, its standard library, and `cryptography` for Ed25519. Exit code: 0 when every rule holds, 1 when not.
The rules bear the names that `souche verify FILE` gives them."""
import argparse, base64, collections, datetime, hashlib, json, re, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ISSUED, PRINTER, SPONSOR, TRANSIT, STOCK, CIRCULATION, REDEEMED = range(1, 8)  # book PASS; docs/ledger.md
BANK, RECEIVED, FLOAT, PAYABLE, TO_BANK = range(51, 56)  # book EUR; an account is 100 × its holder + its kind
ONE_RANGE = {"mint": (PRINTER, ISSUED), "print_receipt": (SPONSOR, PRINTER), "delivery": (TRANSIT, SPONSOR), "delivery_receipt": (STOCK, TRANSIT)}
EVENTS = {"redemption", "void", "incident", "funding", "hand_over", "payout_debit"}  # kinds with one row that says what moves
NUMBER = {"executions": "settlement"}  # the key of a row that may change: its number, but for these; programmes have 1
broken = {}  # rule -> the first that breaks it


def need(rule, holds, name):
    if not holds:
        broken.setdefault(rule, name)

def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

def sha256(*lines):  # each with its line feed
    return hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()

def is_signed(key, text, signature):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(base64.b64decode(signature, validate=True), text.encode())
        return True
    except Exception:
        return False

def fact(facts, name):
    return int(facts.get(name) or 0)


class Log:
    """The Merkle tree of receipts (RFC 6962), and the signed notes of its heads (C2SP)."""
    def __init__(self, vkeys, kept):
        self.vkeys, self.size, self.peaks = vkeys, 0, []
        self.kept = kept and self.opened(kept)
        need("kept_checkpoint_is_of_the_log", not kept or self.kept, "no key of this log has signed it")

    def opened(self, note):
        """Size and root that a note says, if one of the keys has signed it."""
        text, _, signatures = note.rpartition("\n\n")
        origin, size, root = text.split("\n")[:3]
        for name, key in (vkey.split("+", 2)[::2] for vkey in self.vkeys):
            key = base64.b64decode(key)
            key_id = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
            for by, signature in re.findall(r"^— (\S+) (\S+)$", signatures, re.M):
                raw = base64.b64decode(signature)
                if name == by == origin and raw[:4] == key_id and is_signed(key[1:], text + "\n", base64.b64encode(raw[4:])):
                    return int(size), root
        return None

    def append(self, receipt):
        height, node = 0, hashlib.sha256(b"\0" + receipt.encode()).digest()
        while self.peaks and self.peaks[-1][0] == height:
            height, node = height + 1, hashlib.sha256(b"\1" + self.peaks.pop()[1] + node).digest()
        self.peaks.append((height, node))
        self.size += 1
        if self.kept and self.kept[0] == self.size:
            need("kept_checkpoint_is_of_the_log", self.kept[1] == self.root(), f"the first {self.size} leaves differ")

    def root(self):
        root = self.peaks[-1][1]
        for _, left in reversed(self.peaks[:-1]):
            root = hashlib.sha256(b"\1" + left + root).digest()
        return base64.b64encode(root).decode()


class Replay:
    """Both books and every pass, from nothing: each entry is judged by what those before it have left."""
    def __init__(self):
        self.face = self.unspent = 0
        self.passes, self.booklets, self.minted = [None], [None], {}  # by number; orders: first pass, count
        self.balance, self.owed = collections.Counter(), collections.Counter()
        self.incidents, self.payouts, self.numbers = {}, {}, collections.defaultdict(set)

    def open(self, name, kind, number, facts):
        self.name, self.kind, self.facts = name, kind, facts
        self.moved, self.expected, self.events, self.made, self.items = [], [], 0, 0, {}
        self.face = self.face or fact(facts, "face_value_cents")
        if number is not None:
            need("numbers_have_no_gap", number not in self.numbers[kind], name)
            self.numbers[kind].add(number)

    def become(self, passes, was, state):
        need("pass_state_replays", passes and all(p["state"] == was for p in passes), self.name)
        for p in passes:
            p["state"] = state

    def event(self, *legs):
        self.events += 1
        self.expected += legs

    def row(self, table, r):
        if table == "transfers":
            first, n, debit, credit = r["first_pass"] or 0, r["amount"], r["debit"], r["credit"]
            kinds = range(1, 10) if r["book"] == "PASS" else range(51, 58)
            need("accounts_are_of_a_kind", debit % 100 in kinds and credit % 100 in kinds and debit != credit and n > 0, self.name)
            self.moved.append((first, debit, credit, n))
            self.balance[debit] += n
            self.balance[credit] -= n
            if r["book"] == "PASS" and credit == ISSUED and first == len(self.passes) and n <= 1_000_000:
                self.passes += [dict(held=debit, state="inert", cycle=0, hand_over=0, site=0, settled=False) for _ in range(n)]
            elif r["book"] == "PASS":
                passes = self.passes[first:first + n] if first > 0 else []
                need("custody_is_continuous", len(passes) == n and all(p["held"] == credit for p in passes), self.name)
                for p in passes:
                    p["held"] = debit
        elif table == "booklets":
            need("pass_state_replays", self.kind == "mint" and r["number"] == len(self.booklets), self.name)
            self.booklets.append((r["first_pass"], r["size"]))
        elif table == "passes":
            (first, size), n = self.booklets[r["booklet"]], r["number"]
            order = self.minted.setdefault(r["order_number"], [n, 0])
            is_next = n == sum(order) and first <= n < first + size and n < len(self.passes)
            need("pass_state_replays", is_next and r["order_number"] == fact(self.facts, "order"), self.name)
            order[1], self.made = order[1] + 1, self.made + 1
        elif table == "fundings":
            first, n = self.minted[r["order_number"]]
            self.become(self.passes[first:first + n], "inert", "active")
            need("pass_state_replays", r["amount_cents"] == n * self.face, self.name)
            self.unspent += n
            self.event((0, BANK, RECEIVED, r["amount_cents"]), (0, RECEIVED, FLOAT, r["amount_cents"]))
        elif table == "hand_overs":
            first, n = self.booklets[r["booklet"]]
            self.become(self.passes[first:first + n], "active", "distributed")
            for p in self.passes[first:first + n]:
                p["hand_over"] = r["number"]
            self.event((first, CIRCULATION, 100 * r["prescriber"] + STOCK, n))
        elif table in ("redemptions", "voids"):
            self.use(table == "redemptions", r, self.passes[r["pass"]])
        elif table == "payout_items":
            self.item(r, self.items.setdefault(r["payout"], dict(lines=0, cents=0, shares=collections.Counter(), ordered=False, debited=False)))
        elif table == "payouts":
            payout = self.items.pop(r["number"])
            is_sum = r["number"] not in self.payouts and (payout["lines"], payout["cents"]) == (r["items"], r["amount_cents"])
            need("payout_is_the_sum_of_its_items", is_sum and r["amount_cents"] > 0, self.name)
            self.payouts[r["number"]] = payout
        elif table == "payout_debits":
            payout = self.payouts[r["payout"]]
            is_due = payout["ordered"] and not payout["debited"] and payout["cents"] == fact(self.facts, "amount_cents")
            need("payout_entries_match", is_due, self.name)
            payout["debited"] = True
            self.event((0, TO_BANK, BANK, payout["cents"]))

    def use(self, redeems, r, p):
        is_named = self.facts["redemption"] == f"{r['pass']:07}-{r['cycle']}" and r["pass"] > 0
        if redeems:
            is_due = self.kind == "redemption" and (p["hand_over"], p["cycle"] + 1) == (r["hand_over"], r["cycle"])
            self.become([p], "distributed", "redeemed")
            p.update(cycle=r["cycle"], site=r["site"], settled=False)
        else:
            is_due = p["cycle"] == r["cycle"] and p["settled"] == (self.kind == "incident")
            self.become([p], "redeemed", "distributed")
            if self.kind == "incident":
                self.incidents[r["pass"], r["cycle"]] = p["site"]
        need("pass_state_replays", is_named and is_due, self.name)
        there, owed = 100 * p["site"] + REDEEMED, 100 * p["site"] + PAYABLE
        self.unspent += -1 if redeems else 1
        self.owed[p["site"]] += self.face if redeems else -self.face
        legs = [(r["pass"], there, CIRCULATION, 1), (0, FLOAT, owed, self.face)]
        self.event(*legs if redeems else [(first, credit, debit, n) for first, debit, credit, n in legs])

    def item(self, r, payout):
        if r["incident"] is not None:
            site, worth = self.incidents.pop((r["pass"], r["cycle"]), None), -self.face
        else:
            p, worth = self.passes[r["pass"]], self.face
            is_due = p["state"] == "redeemed" and not p["settled"] and p["cycle"] == r["cycle"] and r["pass"] > 0
            p["settled"], site = True, p["site"] if is_due else None
        payout["lines"], payout["cents"] = payout["lines"] + 1, payout["cents"] + r["amount_cents"]
        payout["shares"][site] += r["amount_cents"]
        runs_on = (r["line"], r["total_cents"], r["amount_cents"]) == (payout["lines"], payout["cents"], worth)
        need("payout_is_the_sum_of_its_items", site and runs_on and self.kind == "settlement_preparation", self.name)

    def close(self):
        """Did the entry move what its kind and rows say, and do the books hold after it?"""
        moves = not self.moved and not self.events and not self.items
        if self.kind in EVENTS:
            moves = self.events == 1 and sorted(self.moved) == sorted(self.expected)
        elif self.kind in ONE_RANGE:
            moves = not self.events and all((m[1] % 100, m[2] % 100) == ONE_RANGE[self.kind] for m in self.moved)
            moves = moves and (self.kind != "mint" or self.made == sum(m[3] for m in self.moved))
        elif self.kind == "payout_approval":
            payout = self.payouts[fact(self.facts, "payout")]
            legs = [(0, 100 * s + PAYABLE, TO_BANK, c) if c > 0 else (0, TO_BANK, 100 * s + PAYABLE, -c) for s, c in payout["shares"].items() if c]
            is_exact = not payout["ordered"] and sorted(legs) == sorted(self.moved) and payout["cents"] == fact(self.facts, "amount_cents")
            need("payout_entries_match", is_exact, self.name)
            payout["ordered"], moves = True, not self.events
            self.owed.subtract(payout["shares"])
        need("entry_moves_what_it_says", moves, self.name)
        need("float_covers_passes", -self.balance[FLOAT] == self.face * self.unspent, self.name)
        for account in (account for m in self.moved for account in m[1:3] if account % 100 != PAYABLE):
            sign = 1 if account % 100 == BANK or 1 < account % 100 < BANK else -1
            need("no_negative_holding", sign * self.balance[account] >= 0, self.name)

    def finish(self):
        held = collections.Counter(p["held"] for p in self.passes[1:])
        held[ISSUED] = 1 - len(self.passes)
        for account, cents in self.balance.items():
            need("conservation", account % 100 > 9 or cents == held[account], str(account))
            need("payable_is_what_is_owed", account % 100 != PAYABLE or -cents == self.owed[account // 100], str(account))
        need("conservation", sum(cents for account, cents in self.balance.items() if account % 100 > 9) == 0, "EUR")
        for kind, numbers in self.numbers.items():
            need("numbers_have_no_gap", max(numbers) == len(numbers), kind)


class Samples:
    """Audit samples, each drawn again from the receipts that stand before its commitment (docs/audit.md)."""
    def __init__(self):
        self.leaves, self.committed, self.draw = [], {}, None  # leaves: kind, day in Paris, site

    def leaf(self, said):
        at = datetime.datetime.strptime(said["happened_at"], "%Y-%m-%dT%H:%M:%S.%fZ")
        changes = [datetime.datetime(at.year, month, 31, 1) for month in (3, 10)]  # summer: last Sundays of March and October, 1:00 UTC
        begins, ends = (day - datetime.timedelta(days=day.isoweekday() % 7) for day in changes)
        paris = at + datetime.timedelta(hours=2 if begins <= at < ends else 1)
        self.leaves.append((said["kind"], str(paris.date()), int(said["facts"].get("site") or 0)))

    def row(self, table, r, log, position):
        if table == "audit_samples":  # one that is not sealed is drawn by nothing
            self.committed[r["number"]] = (r, -1, b"") if position is None else (r, position, base64.b64decode(log.root()))
        elif table == "audit_draws":
            self.draw = r, [], []
        elif table in ("audit_items", "audit_strata"):
            self.draw[1 if table == "audit_items" else 2].append(r)

    def close(self):
        if not self.draw:
            return
        (drawn, items, strata), self.draw = self.draw, None
        sample, leaf, root = self.committed[drawn["sample"]]
        seed = bytes.fromhex(drawn["seed"])
        key = hashlib.sha256(b"souche-audit-draw-v1\n" + seed + (leaf + 1).to_bytes(8, "big") + root).digest()
        lots = collections.defaultdict(list)  # the smallest tickets of each stratum are drawn
        for position, (kind, day, site) in enumerate(self.leaves[:leaf]):
            if kind in sample["kinds"] and sample["from_on"] <= day <= sample["until_on"]:
                stratum = {"kind": kind, "site": site, "month": day[:7]}[sample["strata"]]
                lots[stratum].append((hashlib.sha256(key + position.to_bytes(8, "big")).digest(), position))
        must = {name: sorted(position for _, position in sorted(lots[name])[:sample["per_stratum"]]) for name in sorted(lots)}
        is_sealed = hashlib.sha256(seed).hexdigest() == sample["commitment"] and (drawn["leaf"], drawn["root"]) == (leaf, root.hex())
        counts = drawn["population"], drawn["items"], [(s["name"], s["population"], s["items"]) for s in strata]
        are_counted = counts == (sum(map(len, lots.values())), len(items), [(str(name), len(lots[name]), len(must[name])) for name in must])
        are_drawn = [(i["stratum"], i["leaf"]) for i in items] == [(n + 1, p) for n, name in enumerate(must) for p in must[name]]
        need("samples_are_as_committed", is_sealed and are_counted and are_drawn, f"sample {drawn['sample']}")


def verify(file, vkeys, kept):
    counts, states, part, seal, head = collections.Counter(), {}, "header", None, False
    whole, replay, samples, entries = hashlib.sha256(), Replay(), Samples(), 0

    def close():  # every row of the entry was read
        if seal:
            need("receipt_binds_its_rows", seal[0].hexdigest() == seal[1], replay.name)
            replay.close()
            samples.close()

    for raw in file:
        text = raw.decode()
        need("file_is_whole", text.endswith("\n") and part != "end", "its end")
        text, value = text[:-1], json.loads(text)
        if isinstance(value, list):
            table, row = value
            counts[table if part != "unbound" else "unbound_rows"] += 1
            if part == "journal":
                need("file_is_whole", head == (table == "entries"), replay.name)
                head = False
                seal[0].update(raw)
                replay.row(table, row)
                samples.row(table, row, log, position)
            elif part == "states":
                key = f"{table}/{1 if table == 'programmes' else row[NUMBER.get(table, 'number')]}"
                bound = states.pop(key, {})
                last = bound.get(row["revision"], ("", ""))
                need("state_is_as_bound", set(bound) == set(range(1, row["revision"] + 1)) and sha256(last[0], text) == last[1], key)
            else:
                need("file_is_whole", part == "unbound", table)
        else:
            kind = value["line"]
            need("file_is_whole", canonical(value) == text, f"{kind}, not canonical")
            if kind == "header":
                need("file_is_whole", part == "header" and (value["format"], value["version"]) == ("souche-bundle", 1), kind)
                code, part = value["programme"], "journal"
                keys = {kid: base64.b64decode(key, validate=True) for kid, key in value["receipt_keys"].items()}
                need("receipts_are_signed", all(hashlib.sha256(keys[kid]).hexdigest()[:16] == kid for kid in keys), "the keys")
                log = Log(vkeys or value["vkeys"], kept)
            elif kind == "entry":
                need("file_is_whole", part == "journal" and not head, f"leaf {value['position']}")
                close()
                receipt, position = value["receipt"], value["position"]
                said = json.loads(receipt)
                name = f"leaf {position}, {said['kind']} {said['number'] or said['facts'].get('redemption')}"
                is_known = canonical(said) == receipt and (said["version"], said["programme"]) == (2, code)
                need("receipt_says_its_entry", is_known, name)
                kid, signature = said["kid"], value["signature"]
                is_true = signature is None if kid is None else kid in keys and is_signed(keys[kid], receipt, signature)
                need("receipts_are_signed", is_true, name)
                need("positions_have_no_gap", position is None or position == log.size == entries, name)
                if position is not None:
                    log.append(receipt)
                    samples.leaf(said)
                for row, digest in said["state"].items():
                    row, _, revision = row.partition("@")
                    need("state_is_as_bound", int(revision) not in states.setdefault(row, {}), name)
                    states[row][int(revision)] = (said["nonce"], digest)
                body = receipt[: -len(',"written":""}') - 64] + "}"
                seal, head, entries = (hashlib.sha256((body + "\n").encode()), said["written"]), True, entries + 1
                replay.open(name, said["kind"], said["number"], said["facts"])
            elif kind == "checkpoint":
                need("file_is_whole", part == "journal" and not head, kind)
                is_head = value["vkey"] in log.vkeys and log.opened(value["note"]) == (log.size, log.root())
                need("checkpoints_are_of_the_tree", is_head, f"size {log.size}")
            elif kind == "manifest":
                signed = canonical({name: value[name] for name in value if name != "signature"})
                need("file_is_whole", part == "unbound" and value["sha256"] == whole.hexdigest() and value["counts"] == counts, kind)
                need("manifest_is_signed", value["kid"] in keys and is_signed(keys[value["kid"]], signed, value["signature"]), kind)
                part = "end"
            else:
                need("file_is_whole", (part, kind) in (("journal", "states"), ("states", "unbound")), kind)
                if kind == "states":
                    close()
                part = kind
            counts[kind] += 1
        whole.update(raw)
    need("file_is_whole", part == "end", "no manifest: its end was cut off")
    need("state_is_as_bound", not states, next(iter(states), None))
    need("kept_checkpoint_is_of_the_log", not log.kept or log.kept[0] <= log.size, f"the log has only {log.size} leaves")
    replay.finish()
    return f"{code}: {entries} entries, {log.size} leaves, {len(replay.passes) - 1} passes. Keys of the log: {', '.join(log.vkeys)}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Verifies a bundle of Souche.")
    parser.add_argument("file", type=argparse.FileType("rb"))
    parser.add_argument("--key", action="append", metavar="VKEY", help="public key of the log that you kept")
    parser.add_argument("--checkpoint", type=argparse.FileType("r", encoding="utf-8"), help="checkpoint that you kept")
    given = parser.parse_args()
    try:
        print(verify(given.file, given.key, given.checkpoint and given.checkpoint.read()))
    except Exception as error:  # whatever can't be read is not verified
        need("file_is_whole", False, f"{type(error).__name__}: {error}")
    for rule, first in broken.items():
        print(f"✗ {rule}: {first}")
    print("Every rule holds." if not broken else "NOT VERIFIED")
    sys.exit(1 if broken else 0)
