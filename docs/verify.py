#!/usr/bin/env python3
"""Verifies a Keyrite ledger, or an evidence bundle, with Python 3 and nothing else.

Written from the pages in docs/formats/ alone, as a second opinion: canonical JSON, sequence, tree,
checkpoints, cosignatures, agreements, who may say what, custody, attachments, tiles, and whether each
ceremony was performed as its script says. It does not know what an HSM does, nor how an action is read
out, and it does not judge X.509 documents.

    python3 verify.py PLACE [--trust trust.txt] [--head FILE]... [--json]

PLACE is a ledger.db, a folder with one, a bundle's folder, or its .tar. Exit code 0: nothing is wrong;
6: findings; 2: wrong use. Needs SQLite 3.37 or newer in Python's sqlite3.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import sqlite3
import stat
import sys
import tempfile
import unicodedata
from datetime import datetime, timezone


class Refused(Exception):
    """Something is not what a format page says; the text says what."""


class Findings:
    """What is wrong; `adopted` is what a later roll call read and took on record, unbelieved."""

    def __init__(self):
        self.all, self.adopted = [], []

    def add(self, code, text, seq=None):
        # Every one is kept: what an adoption takes away must not have pushed another out.
        self.all.append({"code": code, "seq": seq, "text": text})

    def adopt(self, is_adopted):
        self.adopted += [one for one in self.all if is_adopted(one)]
        self.all = [one for one in self.all if not is_adopted(one)]


# ---------------------------------------------------------------- canonical JSON (RFC 8785, narrow)

LONGEST_ENTRY = 65535
DEEPEST = 32


def canonical(value):
    """The one text of a JSON value: members by UTF-16 code units, integers, shortest escapes."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(canonical(n) + ":" + canonical(value[n]) for n in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def read_json(text):
    """JSON without floats and double members."""

    def members(pairs):
        if len({name for name, _ in pairs}) != len(pairs):
            raise Refused("a member stands twice")
        return dict(pairs)

    def no_float(_):
        raise Refused("a number is no integer")

    try:
        return json.loads(
            text, object_pairs_hook=members, parse_float=no_float, parse_constant=no_float
        )
    except (ValueError, RecursionError) as error:
        raise Refused("it is not JSON: %s" % error) from None


def read_canonical(data):
    """The value of bytes that are its canonical JSON."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("it is not UTF-8") from None
    value = read_json(text)
    if canonical(value) != text:
        raise Refused("it is not in canonical form")
    return value


def check_narrow(value, depth=1):
    if isinstance(value, str):
        if unicodedata.normalize("NFC", value) != value:
            raise Refused("a string is not in Unicode form NFC")
        if "\ufffd" in value or any(0xD800 <= ord(c) <= 0xDFFF for c in value):
            raise Refused("a string holds U+FFFD or a lone surrogate")
    elif isinstance(value, bool) or value is None:
        pass
    elif isinstance(value, int):
        if abs(value) >= 2**53:
            raise Refused("a number is too large")
    elif depth > DEEPEST:
        raise Refused("it is nested too deep")
    elif isinstance(value, list):
        for one in value:
            check_narrow(one, depth + 1)
    else:
        for name, one in value.items():
            if not re.fullmatch(r"[a-z][A-Za-z0-9]*", name):
                raise Refused("a member has the name %r" % name)
            check_narrow(one, depth + 1)


def sha256(data):
    return hashlib.sha256(data).digest()


def digest(data):
    return hashlib.sha256(data if isinstance(data, bytes) else data.encode("utf-8")).hexdigest()


def digest_of(value):
    return digest(canonical(value))


TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


def milliseconds(text):
    """Of an RFC 3339 time in UTC with three decimals; None for any other text."""
    if not isinstance(text, str) or not TIME.fullmatch(text):
        return None
    try:
        at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return int(at.timestamp()) * 1000 + at.microsecond // 1000


# ---------------------------------------------------------------- Ed25519 (RFC 8032)

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def add(a, b):
    x = (a[1] - a[0]) * (b[1] - b[0]) % P
    y = (a[1] + a[0]) * (b[1] + b[0]) % P
    t = 2 * a[3] * b[3] * D % P
    z = 2 * a[2] * b[2] % P
    e, f, g, h = y - x, z - t, z + t, y + x
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def double(a):
    x = a[0] * a[0] % P
    y = a[1] * a[1] % P
    z = 2 * a[2] * a[2] % P
    h = x + y
    e = h - (a[0] + a[1]) ** 2 % P
    g = x - y
    f = z + g
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def decompress(data):
    """The point of 32 bytes; refuses what is not canonically encoded or on no point."""
    if len(data) != 32:
        raise Refused("a public key is not 32 bytes long")
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        raise Refused("a public key is not canonically encoded")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P != 0 or (x == 0 and sign == 1):
        raise Refused("a public key is no point of the curve")
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def is_neutral(a):
    return a[0] % P == 0 and (a[1] - a[2]) % P == 0


def compress(a):
    inverse = pow(a[2], P - 2, P)
    x, y = a[0] * inverse % P, a[1] * inverse % P
    return (y | ((x & 1) << 255)).to_bytes(32, "little")


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
KEYS = {}


def key_point(public):
    """The point of a public key, negated; small order is refused."""
    if public not in KEYS:
        point = decompress(public)
        if is_neutral(double(double(double(point)))):
            raise Refused("a public key is of small order")
        KEYS[public] = (P - point[0], point[1], 1, P - point[3])
    return KEYS[public]


def ed25519(public, message, signature):
    """Whether a signature verifies: R = S·B - k·A, byte by byte, and S below the group order."""
    if len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    a = key_point(public)
    both = add(BASE, a)
    total = NEUTRAL
    for bit in range(max(s.bit_length(), k.bit_length()) - 1, -1, -1):
        total = double(total)
        choice = (s >> bit & 1) | (k >> bit & 1) << 1
        if choice:
            total = add(total, (BASE, a, both)[choice - 1])
    return compress(total) == signature[:32]


# ---------------------------------------------------------------- signed notes (note.md)

ED25519, COSIGNATURE = 1, 4


def unbase64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("something is not base64") from None
    if base64.b64encode(data).decode() != text:
        raise Refused("base64 is not in its one form")
    return data


def check_key_name(name):
    if name == "" or "+" in name or any(c.isspace() or unicodedata.category(c) == "Cc" for c in name):
        raise Refused("%r is no key name" % name)


class VerifierKey:
    def __init__(self, text):
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise Refused("a verifier key is malformed")
        self.text, self.name = text, parts[0]
        check_key_name(self.name)
        material = unbase64(parts[2])
        if len(material) != 33 or material[0] not in (ED25519, COSIGNATURE):
            raise Refused("a verifier key is of another type")
        self.type, self.public = material[0], material[1:]
        self.id = sha256(self.name.encode() + b"\n" + material)[:4]
        if self.id.hex() != parts[1]:
            raise Refused("the verifier key of %s does not have its id" % self.name)
        key_point(self.public)

    def verifies(self, text, payload):
        if self.type == ED25519:
            return len(payload) == 64 and ed25519(self.public, text.encode(), payload)
        if len(payload) != 72 or int.from_bytes(payload[:8], "big") >= 2**53:
            return False
        head = "cosignature/v1\ntime %d\n" % int.from_bytes(payload[:8], "big")
        return ed25519(self.public, (head + text).encode(), payload[8:])


def read_line(line):
    """Name, key id and payload of a signature line without its LF."""
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014":
        raise Refused("a signature line is malformed")
    check_key_name(parts[1])
    data = unbase64(parts[2])
    if len(data) < 5:
        raise Refused("a signature line is too short")
    return parts[1], data[:4], data[4:]


def read_note(note):
    """Text and signature lines of a signed note."""
    if any(ord(c) < 0x20 and c != "\n" for c in note) or "\ufffd" in note:
        raise Refused("the note holds a control character")
    at = note.rfind("\n\n")
    if at < 0 or not note.endswith("\n"):
        raise Refused("the note has no signatures")
    text, lines = note[: at + 1], note[at + 2 :].split("\n")[:-1]
    if not 1 <= len(lines) <= 100:
        raise Refused("the note has no signature, or too many")
    return text, [read_line(line) for line in lines]


def signed_by(text, lines, key):
    """Whether a known key signed; a line in its name that does not verify voids the note."""
    found = False
    for name, key_id, payload in lines:
        if name == key.name and key_id == key.id:
            if not key.verifies(text, payload):
                raise Refused("the signature of %s does not verify" % name)
            found = True
    return found


def sole_signer(note, key):
    """The text of a note with exactly one signature, by this key."""
    text, lines = read_note(note)
    if len(lines) != 1:
        raise Refused("it does not bear exactly one signature")
    if not signed_by(text, lines, key):
        raise Refused("somebody else signed it")
    return text


def check_origin(origin):
    check_key_name(origin)
    if origin.startswith(("keyrite/", "cosignature/v1")):
        raise Refused("an origin begins like a statement of people")


def read_checkpoint(text):
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] != "" or not re.fullmatch(r"0|[1-9][0-9]*", lines[1]):
        raise Refused("it is no checkpoint of three lines")
    check_origin(lines[0])
    size, root = int(lines[1]), unbase64(lines[2])
    if size >= 2**53 or len(root) != 32:
        raise Refused("its size or root is malformed")
    return lines[0], size, root


# ---------------------------------------------------------------- the tree (RFC 6962)


class Tree:
    """Grows leaf by leaf; keeps the roots of its complete subtrees, largest first."""

    def __init__(self):
        self.roots, self.size = [], 0

    def append(self, leaf):
        """Returns the nodes it completes, itself first."""
        completed, node, rest = [leaf], leaf, self.size
        while rest & 1:
            node = sha256(b"\x01" + self.roots.pop() + node)
            completed.append(node)
            rest >>= 1
        self.roots.append(node)
        self.size += 1
        return completed

    def root(self):
        if not self.roots:
            return sha256(b"")
        node = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            node = sha256(b"\x01" + left + node)
        return node


def leaf_hash(body):
    return sha256(b"\x00" + body)


# ---------------------------------------------------------------- the file (ledger.md, "File")

TABLES = {
    "ledger": (
        "CREATE TABLE ledger (\n  id INTEGER PRIMARY KEY CHECK (id = 1),\n  origin TEXT NOT NULL\n) STRICT",
        "EXISTS (SELECT 1 FROM ledger)",
    ),
    "entries": (
        "CREATE TABLE entries (\n  seq INTEGER PRIMARY KEY,\n  body TEXT NOT NULL\n) STRICT",
        "NEW.seq IS NOT (SELECT coalesce(max(seq) + 1, 0) FROM entries)",
    ),
    "nodes": (
        "CREATE TABLE nodes (\n  pos INTEGER PRIMARY KEY,\n  hash BLOB NOT NULL\n) STRICT",
        "NEW.pos IS NOT (SELECT coalesce(max(pos) + 1, 0) FROM nodes)",
    ),
    "checkpoints": (
        "CREATE TABLE checkpoints (\n  size INTEGER PRIMARY KEY,\n  note TEXT NOT NULL\n) STRICT",
        "NEW.size <= (SELECT coalesce(max(size), 0) FROM checkpoints)\n"
        "  OR NEW.size IS NOT (SELECT max(seq) + 1 FROM entries)",
    ),
    "attachments": (
        "CREATE TABLE attachments (\n  sha256 TEXT PRIMARY KEY,\n  mediaType TEXT NOT NULL,\n"
        "  bytes BLOB NOT NULL\n) STRICT, WITHOUT ROWID",
        "EXISTS (SELECT 1 FROM attachments WHERE sha256 = NEW.sha256)",
    ),
    "cosignatures": (
        "CREATE TABLE cosignatures (\n  size INTEGER NOT NULL,\n  line TEXT NOT NULL,\n"
        "  PRIMARY KEY (size, line)\n) STRICT, WITHOUT ROWID",
        "EXISTS (SELECT 1 FROM cosignatures WHERE size = NEW.size AND line = NEW.line)\n"
        "  OR NOT EXISTS (SELECT 1 FROM checkpoints WHERE size = NEW.size)",
    ),
}


def schema():
    statements = {}
    for table, (create, condition) in TABLES.items():
        statements[table] = create
        rows = (
            ("INSERT", "\nWHEN " + condition, "out of sequence"),
            ("UPDATE", "", "append-only"),
            ("DELETE", "", "append-only"),
        )
        for verb, when, said in rows:
            name = "%s_%s" % (table, verb.lower())
            statements[name] = (
                "CREATE TRIGGER %s BEFORE %s ON %s%s\nBEGIN\n  SELECT RAISE(ABORT, '%s: %s');\nEND"
                % (name, verb, table, when, table, said)
            )
    return statements


def utf8(data, what):
    if isinstance(data, bytes):
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            pass
    raise Refused("%s is not UTF-8 text" % what)


class Ledger:
    """The rows of a ledger file; text is read as bytes, so nothing is repaired on the way."""

    def __init__(self, path):
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise Refused("the ledger is not a regular file")
        with open(path, "rb") as file:
            head = file.read(100)
        number = lambda at, size: int.from_bytes(head[at : at + size], "big")
        if head[:16] != b"SQLite format 3\0" or len(head) < 100:
            raise Refused("it is no SQLite file")
        if (number(18, 2), number(56, 4), number(60, 4), number(68, 4)) != (0x0101, 1, 1, 0x4B455952):
            raise Refused("it is an SQLite file, but not a ledger of this version")
        if os.path.exists(path + "-journal") and os.path.getsize(path + "-journal") > 0:
            raise Refused("an unfinished write lies beside the ledger")
        name = "file:" + path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        self.db = sqlite3.connect(name + "?mode=ro&immutable=1", uri=True)
        self.db.text_factory = bytes
        self.db.execute("PRAGMA trusted_schema = OFF")
        self.db.execute("PRAGMA cell_size_check = ON")
        rows = self.db.execute("SELECT name, sql FROM sqlite_master").fetchall()
        found = [(utf8(name, "a name"), sql and utf8(sql, "a statement")) for name, sql in rows]
        if dict(found) != schema() or len(found) != len(schema()):
            raise Refused("the schema of the file differs")
        if self.db.execute("PRAGMA quick_check(1)").fetchone()[0] not in ("ok", b"ok"):
            raise Refused("the file is damaged between its records")
        self.origin = utf8(self.db.execute("SELECT origin FROM ledger").fetchone()[0], "the origin")

    def rows(self, sql, *parameters):
        return self.db.execute(sql, parameters)

    def attachment(self, sha256_hex):
        row = self.rows("SELECT bytes FROM attachments WHERE sha256 = ?", sha256_hex).fetchone()
        return None if row is None else bytes(row[0])

    def checkpoint(self, size):
        row = self.rows("SELECT note FROM checkpoints WHERE size = ?", size).fetchone()
        return None if row is None else utf8(row[0], "a checkpoint")

    def cosignatures(self, size):
        sql = "SELECT line FROM cosignatures WHERE size = ? ORDER BY line"
        return [utf8(line, "a cosignature") for (line,) in self.rows(sql, size)]


# ---------------------------------------------------------------- entries (ledger.md, "Entry")

TYPES = (
    "ledger.created ceremony.opened ceremony.closed ceremony.abandoned step.opened step.begun "
    "step.completed step.failed step.refused auth.failed tail.adopted deviation.recorded "
    "plan.amended clock.attested"
).split()
MEMBERS = {
    "actors": list,
    "agreements": list,
    "ceremony": (str, type(None)),
    "data": dict,
    "description": str,
    "facts": list,
    "origin": str,
    "outcome": str,
    "policyRefs": list,
    "refs": dict,
    "seq": int,
    "source": str,
    "step": (str, type(None)),
    "time": str,
    "type": str,
    "v": int,
}


def filled(*values):
    return all(isinstance(value, str) and value != "" for value in values)


def whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def read_entry(body):
    if len(body) > LONGEST_ENTRY:
        raise Refused("it is too long")
    entry = read_canonical(body)
    if not isinstance(entry, dict) or set(entry) != set(MEMBERS):
        raise Refused("it does not have the members of an entry")
    check_narrow(entry)
    for name, kind in MEMBERS.items():
        if not isinstance(entry[name], kind) or isinstance(entry[name], bool):
            raise Refused("its member %s is of another type" % name)
    good = (
        entry["v"] == 1
        and entry["type"] in TYPES
        and entry["outcome"] in ("success", "failure", "refused", "pending")
        and entry["source"] in ("auto", "manual")
        and entry["seq"] >= 0
        and milliseconds(entry["time"]) is not None
        and filled(entry["origin"], *entry["policyRefs"], *entry["agreements"])
        and entry["ceremony"] != ""
        and entry["step"] != ""
        and all(whole(ref) and ref >= 0 for ref in entry["refs"].values())
        and all(isinstance(f, dict) and filled(f.get("kind")) for f in entry["facts"])
        and all(
            isinstance(a, dict) and set(a) == {"part", "person", "role"} and filled(*a.values())
            for a in entry["actors"]
        )
    )
    if not good:
        raise Refused("a member of it does not have its form")
    return entry


# ---------------------------------------------------------------- YAML of policies (script.md, policy.md)


class Yaml:
    """Reads the subset that policies are written in: block and flow, plain and quoted scalars."""

    def __init__(self, text):
        self.lines = []
        for raw in text.split("\n"):
            line = self.uncommented(raw).rstrip(" ")
            if line.strip(" ") != "":
                self.lines.append((len(line) - len(line.lstrip(" ")), line.strip(" ")))
        self.at = 0

    @staticmethod
    def uncommented(line):
        quote = None
        for i, c in enumerate(line):
            if quote:
                quote = None if c == quote and line[i - 1 : i] != "\\" else quote
            elif c in "\"'" and (i == 0 or line[i - 1] in " [{,:"):
                quote = c
            elif c == "#" and (i == 0 or line[i - 1] in " \t"):
                return line[:i]
        return line

    def read(self):
        value = self.block(self.lines[0][0]) if self.lines else None
        if self.at != len(self.lines):
            raise Refused("the YAML is indented otherwise")
        return value

    def block(self, indent):
        # A flow that goes on over lines is joined first.
        text = self.lines[self.at][1]
        if text.startswith("- ") or text == "-":
            return self.sequence(indent)
        if self.key(text) is None:
            return self.flow_lines()
        return self.mapping(indent)

    def flow_lines(self):
        text = self.lines[self.at][1]
        self.at += 1
        while text.count("[") + text.count("{") > text.count("]") + text.count("}"):
            if self.at == len(self.lines):
                raise Refused("the YAML ends in a list")
            text += " " + self.lines[self.at][1]
            self.at += 1
        return Flow(text).whole()

    @staticmethod
    def key(text):
        found = re.match(r"""("[^"]*"|'[^']*'|[A-Za-z][A-Za-z0-9_-]*):(?: +(.*))?$""", text)
        return found and (found.group(1).strip("\"'"), found.group(2) or "")

    def mapping(self, indent):
        value = {}
        while self.at < len(self.lines) and self.lines[self.at][0] == indent:
            found = self.key(self.lines[self.at][1])
            if found is None or found[0] in value:
                raise Refused("the YAML has a key twice, or none")
            name, rest = found
            value[name] = self.after(indent, rest, False)
        return value

    def after(self, indent, rest, in_list):
        if rest != "":
            self.lines[self.at] = (indent, rest)
            return self.flow_lines()
        self.at += 1
        if self.at < len(self.lines):
            deeper, text = self.lines[self.at]
            if deeper > indent or (not in_list and deeper == indent and text.startswith("- ")):
                return self.block(deeper)
        return None

    def sequence(self, indent):
        value = []
        while self.at < len(self.lines) and self.lines[self.at][0] == indent:
            text = self.lines[self.at][1]
            if not (text.startswith("- ") or text == "-"):
                break
            rest = text[1:].lstrip(" ")
            if self.key(rest) is not None:
                deeper = indent + len(text) - len(rest)
                self.lines[self.at] = (deeper, rest)
                value.append(self.mapping(deeper))
            else:
                value.append(self.after(indent, rest, True))
        return value


class Flow:
    def __init__(self, text):
        self.text, self.at = text, 0

    def whole(self):
        value = self.value("")
        self.space()
        if self.at != len(self.text):
            raise Refused("the YAML goes on after a value")
        return value

    def space(self):
        while self.at < len(self.text) and self.text[self.at] == " ":
            self.at += 1

    def take(self, c):
        self.space()
        if self.text[self.at : self.at + 1] == c:
            self.at += 1
            return True
        return False

    def value(self, ends):
        self.space()
        c = self.text[self.at : self.at + 1]
        if c == "[":
            return self.items("]", lambda: self.value(",]"))
        if c == "{":
            return dict(self.items("}", self.pair))
        if c in "\"'" and c != "":
            return self.quoted(c)
        found = re.match(r"[^%s]*" % re.escape(ends), self.text[self.at :]) if ends else None
        plain = found.group(0) if found else self.text[self.at :]
        self.at += len(plain)
        return self.scalar(plain.strip(" "))

    def items(self, end, one):
        self.at += 1
        found = []
        while not self.take(end):
            found.append(one())
            if not self.take(",") and self.text[self.at : self.at + 1] != end:
                raise Refused("a list of the YAML is malformed")
        return found

    def pair(self):
        self.space()
        found = re.match(r"""("[^"]*"|'[^']*'|[A-Za-z][A-Za-z0-9_-]*) *: *""", self.text[self.at :])
        if found is None:
            raise Refused("a mapping of the YAML is malformed")
        self.at += found.end()
        return found.group(1).strip("\"'"), self.value(",}")

    def quoted(self, quote):
        pattern = r'"(?:[^"\\]|\\.)*"' if quote == '"' else r"'(?:[^']|'')*'"
        found = re.match(pattern, self.text[self.at :])
        if found is None:
            raise Refused("a text of the YAML does not end")
        self.at += found.end()
        text = found.group(0)
        return json.loads(text) if quote == '"' else text[1:-1].replace("''", "'")

    @staticmethod
    def scalar(text):
        words = {"true": True, "false": False, "null": None, "": None}
        if text in words:
            return words[text]
        return int(text) if re.fullmatch(r"0|-?[1-9][0-9]*", text) else text


ROLES = (
    "ceremony-administrator custodian security-officer internal-witness external-witness "
    "recorder auditor"
).split()
ONLOOKERS = ("external-witness", "auditor")


# Records about people that run out, and the member that says until when.
DATED = {"vetting": "vettedUntil", "training": "trainedUntil"}


def read_policy(data):
    """The policy of exact bytes: what the fold needs of it is checked, the rest is taken as it is."""
    try:
        policy = Yaml(data.decode("utf-8")).read()
    except (UnicodeDecodeError, ValueError, IndexError):
        raise Refused("the policy is not YAML") from None
    known = "keyrite separate shareSets agreement people witnesses algorithms kdf hsms kek copies drills"
    if not isinstance(policy, dict) or policy.get("keyrite") != "policy/v1":
        raise Refused("the policy is none")
    if set(policy) - set(known.split()) or not {"agreement", "shareSets", "hsms"} <= set(policy):
        raise Refused("the policy has other keys")
    minutes = isinstance(policy["agreement"], dict) and policy["agreement"].get("minutes")
    separate = policy.get("separate") or []
    if not whole(minutes) or not 1 <= minutes <= 60:
        raise Refused("the policy does not say how long agreements live")
    if not all(isinstance(g, list) and g and all(r in ROLES for r in g) for g in separate):
        raise Refused("the policy separates what is no role")
    witnesses = policy.get("witnesses") or {}
    if not isinstance(witnesses, dict) or not all(listed(one_of(*ROLES))(one) for one in witnesses.values()):
        raise Refused("the policy's witnesses are no roles")
    people = policy.get("people", {})
    if not isinstance(people, dict) or any(people[name] != "required" for name in people):
        raise Refused("the policy requires of people what is not known")
    if set(people) - set(DATED):
        raise Refused("the policy requires a date of what has none")
    shares, kek = policy["shareSets"], policy.get("kek", {"escrow": "forbidden"})
    names = ("activation", "security-officer", "kek")
    rules = {name: shares[name] for name in names if name in shares} if isinstance(shares, dict) else {}
    good = {"activation", "security-officer"} <= set(rules) and isinstance(kek, dict)
    good = good and all(isinstance(rule, dict) and set(rule) == {"threshold", "holders"} for rule in rules.values())
    hsms, algorithms = policy["hsms"], policy.get("algorithms")
    good = good and all(isinstance(one, list) and one for one in (hsms, algorithms))
    if not good or not all(isinstance(hsm, dict) and "manufacturer" in hsm for hsm in hsms):
        raise Refused("the policy's rules for shares, HSMs or algorithms are none")
    return {
        "minutes": minutes, "separate": separate, "dates": [what for what in DATED if what in people],
        "witnesses": witnesses, "shares": rules, "hsms": hsms, "algorithms": algorithms,
        "escrow": kek.get("escrow") == "allowed",
    }


# What the SubjectPublicKeyInfo of an algorithm begins with, in hex, and its length.
SPKI_FORMS = {
    "rsa-3072": ("308201a2300d06092a864886f70d01010105000382018f003082018a0282018100", 422),
    "rsa-4096": ("30820222300d06092a864886f70d01010105000382020f003082020a0282020100", 550),
    "p-256": ("3059301306072a8648ce3d020106082a8648ce3d03010703420004", 91),
    "p-384": ("3076301006072a8648ce3d020106052b8104002203620004", 120),
    "p-521": ("30819b301006072a8648ce3d020106052b810400230381860004", 158),
    "ed25519": ("302a300506032b6570032100", 44),
}


def against_policy(policy, fact, assurance):
    """Refuses what the policy in force forbids, whoever agreed to it."""
    kind = fact["kind"]
    if kind == "key.generated":
        refuse((fact["algorithm"] not in policy["algorithms"], "the policy does not allow that algorithm"))
    if kind == "kek.established":
        refuse((fact["mode"] == "escrowed" and not policy["escrow"], "the policy forbids an escrowed KEK"))
    if kind == "share-set.made":
        rule = policy["shares"].get(fact["purpose"], policy["shares"]["security-officer"])
        same = (rule["threshold"], rule["holders"]) == (fact["threshold"], len(fact["holders"]))
        refuse((not same, "the policy wants another number of shares"))
    if kind == "token.bound":
        software = fact["profile"] != "generic" or re.search("softhsm|nss", fact["manufacturer"] + fact["model"], re.I)
        refuse((assurance == "production" and software, "it is a software token on a production site"))
        members = {"manufacturer": "manufacturer", "model": "model", "firmware": "firmware", "moduleDigest": "module"}
        named = [
            all(rule[name] == fact[member] for name, member in members.items() if name in rule)
            and ("moduleDigest" in rule or assurance == "test")
            for rule in policy["hsms"]
        ]
        refuse((not any(named), "the token is not on the policy's list"))


# ---------------------------------------------------------------- cards, genesis, statements of people


class Card:
    def __init__(self, data):
        card = read_canonical(data)
        names = "keyrite person name keyName signing cosigning recipient assurance".split()
        if not isinstance(card, dict) or set(card) != set(names) or not filled(*card.values()):
            raise Refused("a card does not have its members")
        self.person, self.assurance = card["person"], card["assurance"]
        self.recipient, self.bytes = card["recipient"], data
        self.signing, self.cosigning = VerifierKey(card["signing"]), VerifierKey(card["cosigning"])
        good = (
            card["keyrite"] == "card/v1"
            and re.fullmatch(r"[a-z][a-z0-9-]{1,30}", self.person)
            and card["keyName"].endswith("/people/" + self.person)
            and self.signing.name == self.cosigning.name == card["keyName"]
            and (self.signing.type, self.cosigning.type) == (ED25519, COSIGNATURE)
            and self.signing.public == self.cosigning.public
            and self.assurance in ("production", "test")
            and re.fullmatch(r"age1[a-z0-9]{58}", self.recipient)
        )
        if not good:
            raise Refused("the card of %s contradicts itself" % self.person)

    def shares_a_key(self, other):
        return self.signing.public == other.signing.public or self.recipient == other.recipient


class Genesis:
    def __init__(self, data):
        value = read_canonical(data)
        names = "keyrite origin assurance created policy ledgerKey founders".split()
        if not isinstance(value, dict) or set(value) != set(names) or value["keyrite"] != "genesis/v1":
            raise Refused("the genesis does not have its members")
        self.sha256 = digest(data)
        self.origin, self.assurance = value["origin"], value["assurance"]
        self.policy, self.key_text = value["policy"], value["ledgerKey"]
        if self.assurance != ("test" if self.origin.endswith("/test") else "production"):
            raise Refused("origin and assurance of the genesis do not agree")
        self.key = VerifierKey(self.key_text)
        if self.key.name != self.origin or self.key.type != ED25519:
            raise Refused("the ledger's key in the genesis is of another name or type")
        self.founders = []
        for founder in value["founders"]:
            card = Card(canonical(founder["card"]).encode())
            if card.person != founder["person"] or card.assurance != self.assurance:
                raise Refused("a founder has the card of somebody else")
            if any(card.person == c.person or card.shares_a_key(c) for _, _, c in self.founders):
                raise Refused("two founders are one")
            self.founders.append((founder["person"], founder["roles"], card))
        if len(self.founders) < 2:
            raise Refused("there are fewer than two founders")


def statement(text, title, names):
    """The values of a statement: a title and `name value` lines, each once, in order."""
    lines = text.split("\n")
    if lines[-1] != "" or lines[0] != title or len(lines) != len(names) + 2:
        raise Refused("it is not a statement of its kind")
    values = {}
    for name, line in zip(names, lines[1:]):
        if not line.startswith(name + " ") or line == name + " ":
            raise Refused("its line %s is missing or out of place" % name)
        values[name] = line[len(name) + 1 :]
    return values


AGREEMENT = (
    "origin ceremony person role decision plan step subject policy software opened nonce expires"
).split()
NUMBER_AND_DIGEST = r"(0|[1-9][0-9]*) [0-9a-f]{64}"
AGREEMENT_FORMS = {
    "ceremony": r"[0-9]{8}-[a-z][a-z0-9-]*-[a-z2-7]{4}",
    "person": r"[a-z][a-z0-9-]{1,30}",
    "role": r"[a-z][a-z0-9-]*",
    "decision": r"agree|decline|finish|undo|abandon|adopt (0|[1-9][0-9]*)|waive [A-Za-z0-9][A-Za-z0-9.:_-]{0,99}",
    "plan": r"[0-9a-f]{64}",
    "step": NUMBER_AND_DIGEST,
    "subject": r"-|[0-9a-f]{64}",
    "policy": r"[0-9a-f]{64}",
    "software": r"[0-9a-f]{64}",
    "opened": NUMBER_AND_DIGEST,
    "nonce": r"[0-9a-f]{32}",
}


def read_agreement(note):
    text, _ = read_note(note)
    values = statement(text, "keyrite/agreement/v1", AGREEMENT)
    for name, form in AGREEMENT_FORMS.items():
        if not re.fullmatch(form, values[name]):
            raise Refused("its line %s is malformed" % name)
    if milliseconds(values["expires"]) is None:
        raise Refused("its line expires is malformed")
    return values


# ---------------------------------------------------------------- facts (ledger.md, "Facts")


def matching(pattern):
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def is_line(value):
    if not isinstance(value, str) or not 1 <= len(value.encode("utf-16-le")) // 2 <= 500:
        return False
    shows = all(unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp", "Co", "Cn") for c in value)
    return shows and unicodedata.normalize("NFC", value) == value


def one_of(*words):
    return lambda value: value in words


def listed(form, least=0):
    return lambda value: isinstance(value, list) and len(value) >= least and all(map(form, value))


def shaped(**forms):
    return lambda value: isinstance(value, dict) and has_form(value, forms)


class Optional:
    """The form of a member that may be absent."""

    def __init__(self, form):
        self.form = form

    def __call__(self, value):
        return self.form(value)


def has_form(value, forms):
    absent = set(forms) - set(value)
    if set(value) - set(forms) or not all(isinstance(forms[name], Optional) for name in absent):
        return False
    return all(forms[name](value[name]) for name in value)


def is_day(value):
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    year, month, day = (int(part) for part in value.split("-"))
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return 1 <= month <= 12 and 1 <= day <= days[month - 1]


def at_least(least):
    return lambda value: whole(value) and value >= least


HEX64 = matching(r"[0-9a-f]{64}")
LABEL = matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
SLUG = matching(r"[a-z][a-z0-9-]{1,30}")
HEXID = matching(r"[0-9a-f]{2,64}")
CHECK = matching(r"[0-9a-f]{16}")
SHORT = lambda value: isinstance(value, str) and len(value) <= 64
ROLE = one_of(*ROLES)
GEN = at_least(1)
ALGORITHM = matching(r"[a-z0-9][a-z0-9.-]{1,40}")
PLACE = one_of("token", "backup")
MODE = one_of("hsm-to-hsm", "escrowed")
OAEP = one_of("sha1", "sha256")
BOOL = lambda value: isinstance(value, bool)
ENVELOPE = shaped(token=LABEL, spki=HEX64, oaep=OAEP, sha256=HEX64)
FILES = listed(shaped(file=is_line, sha256=HEX64), 1)
KEK = dict(kek=SLUG, generation=GEN)
CERTIFICATE = dict(
    sha256=HEX64, spki=HEX64, subject=is_line, serial=HEXID, notBefore=is_line, notAfter=is_line,
    ca=BOOL, file=LABEL, files=FILES,
)

DEVICE_ACTS = "login generate sign wrap unwrap import destroy reset boot configure foreign other".split()

DEVICE_DIGEST = matching(r"[0-9a-f]{16,128}")
DEVICE_ACT = one_of(*DEVICE_ACTS)

DATES = dict(vettedUntil=Optional(is_day), trainedUntil=Optional(is_day))

FACTS = {
    "policy.adopted": dict(sha256=HEX64),
    "person.enrolled": dict(DATES, person=SLUG, roles=listed(ROLE, 1), card=HEX64, reference=is_line),
    "person.renewed": dict(DATES, person=SLUG, reference=is_line),
    "person.revoked": dict(
        person=SLUG, reference=is_line,
        reason=one_of("left", "role-changed", "vetting-failed", "training-failed", "compromised"),
    ),
    "people.present": dict(
        attending=listed(shaped(person=SLUG, role=ROLE), 1), bindings=HEX64
    ),
    "clock.attested": dict(source=is_line, offsetSeconds=whole),
    "token.bound": dict(
        token=LABEL, module=HEX64, profile=LABEL, serial=is_line, label=is_line, manufacturer=SHORT,
        model=SHORT, firmware=SHORT, activation=one_of("sealed", "vendor"),
    ),
    "share-set.made": dict(
        set=SLUG, generation=GEN, purpose=one_of("activation", "security-officer", "kek"),
        token=LABEL, threshold=at_least(2), holders=listed(SLUG, 2), sha256=HEX64, sealed=HEX64,
    ),
    "token.activated": dict(token=LABEL, set=SLUG, generation=GEN, people=listed(SLUG, 2)),
    "token.deactivated": dict(token=LABEL),
    "key.generated": dict(
        spki=HEX64, token=LABEL, label=LABEL, ckaId=HEXID, algorithm=ALGORITHM,
        purpose=one_of("ca-signing"), backup=one_of("wrap", "native", "never"),
    ),
    "certificate.issued": dict(
        CERTIFICATE, tbs=HEX64, issuer=lambda v: v == "self" or HEX64(v), issuerSpki=HEX64,
        profile=LABEL, profileSha256=HEX64,
    ),
    "certificate.imported": dict(CERTIFICATE, issuerName=is_line, verified=BOOL),
    "csr.made": dict(sha256=HEX64, spki=HEX64, subject=is_line, file=LABEL, files=FILES),
    "certificate.revoked": dict(
        sha256=HEX64, issuerSpki=HEX64, serial=HEXID, date=is_line,
        reason=one_of(
            "keyCompromise", "cACompromise", "affiliationChanged", "superseded",
            "cessationOfOperation", "privilegeWithdrawn",
        ),
    ),
    "crl.issued": dict(
        sha256=HEX64, tbs=HEX64, issuer=HEX64, issuerSpki=HEX64, number=at_least(1),
        thisUpdate=is_line, nextUpdate=is_line, entries=at_least(0), file=LABEL, files=FILES,
    ),
    "deviation.recorded": dict(rule=is_line, reason=is_line),
    "device-log.attached": dict(
        token=LABEL, sha256=HEX64, format=one_of("yubihsm"), first=at_least(0), last=at_least(0),
        lastDigest=matching(r"[0-9a-f]{16,128}"), unexplained=at_least(0), missing=at_least(0),
        problems=at_least(0),
        acts=listed(shaped(act=one_of(*DEVICE_ACTS), done=at_least(0), failed=at_least(0))),
    ),
    "transport.generated": dict(
        token=LABEL, label=LABEL, ckaId=HEXID, spki=HEX64, algorithm=ALGORITHM, oaep=listed(OAEP, 1)
    ),
    "kek.established": dict(
        KEK, mode=MODE, token=LABEL, ckaId=HEXID, checkValue=CHECK, envelopes=listed(ENVELOPE)
    ),
    "kek.escrowed": dict(KEK, set=SLUG, setGeneration=GEN),
    "kek.sent": {"kek": SLUG, "generation": GEN, "from": LABEL, "envelope": ENVELOPE},
    "kek.adopted": dict(
        KEK, origin=is_line, mode=MODE, checkValue=CHECK, envelopes=listed(ENVELOPE)
    ),
    "kek.loaded": dict(KEK, token=LABEL, ckaId=HEXID, checkValue=CHECK),
    "kek.destroyed": dict(KEK, token=LABEL),
    "key.locked": dict(spki=HEX64, token=LABEL),
    "backup.made": dict(
        KEK, spki=HEX64, backup=LABEL, token=LABEL, blob=HEX64, provedOn=LABEL,
        format=one_of("rfc5649", "rfc3394", "rfc3394-pkcs7", "aes-cbc-pad"),
    ),
    "backup.completed": dict(
        backup=LABEL, sha256=HEX64, keys=at_least(1), vaults=listed(LABEL, 1), signers=listed(SLUG, 2)
    ),
    "key.restored": dict(
        spki=HEX64, token=LABEL, label=LABEL, ckaId=HEXID, backup=LABEL, origin=is_line,
        algorithm=ALGORITHM,
    ),
    "key.cloned": {
        "spki": HEX64, "from": LABEL, "to": LABEL, "label": LABEL, "ckaId": HEXID,
        "method": one_of("wrap", "native"),
    },
    "copy.destroyed": dict(spki=HEX64, place=PLACE, name=LABEL),
    "copy.retained": dict(spki=HEX64, place=PLACE, name=LABEL, reason=is_line),
    "key.destroyed": dict(spki=HEX64, reason=is_line),
    "token.retired": dict(token=LABEL, serial=is_line, reason=is_line),
    "copy.moved": dict(
        place=PLACE, name=LABEL, vault=LABEL, site=is_line, offSite=BOOL, container=is_line,
        holders=listed(SLUG, 1),
    ),
    "site.trusted": dict(
        origin=is_line, genesis=HEX64, ledgerKey=is_line, checkpoint=HEX64, size=at_least(1), root=HEX64
    ),
    "drill.concluded": dict(
        drill=one_of("drill", "rehearsal"), verdict=one_of("pass", "fail"), token=LABEL, backup=LABEL,
        keys=at_least(0), seconds=at_least(0), reasons=listed(is_line), report=HEX64,
    ),
}

# Attachments that facts cite (ledger.md, "Attachments that are cited").
CITED = {
    "policy.adopted": ["sha256"],
    "person.enrolled": ["card"],
    "share-set.made": ["sha256"],
    "key.generated": ["spki"],
    "certificate.issued": ["sha256", "profileSha256"],
    "certificate.imported": ["sha256"],
    "csr.made": ["sha256"],
    "crl.issued": ["sha256", "tbs"],
    "transport.generated": ["spki"],
    "key.restored": ["spki"],
    "backup.completed": ["sha256"],
    "site.trusted": ["genesis", "checkpoint"],
    "drill.concluded": ["report"],
    "device-log.attached": ["sha256"],
}

# Media types of what is cited (ledger.md, "File"); of what is not listed any will do.
FACT_TYPES = {
    "policy.adopted": {"sha256": "application/yaml"},
    "person.enrolled": {"card": "application/json"},
    "share-set.made": {"sha256": "application/json"},
    "key.generated": {"spki": "application/pkix-spki"},
    "key.restored": {"spki": "application/pkix-spki"},
    "transport.generated": {"spki": "application/pkix-spki"},
    "certificate.issued": {"sha256": "application/pkix-cert", "profileSha256": "application/yaml"},
    "certificate.imported": {"sha256": "application/pkix-cert"},
    "csr.made": {"sha256": "application/pkcs10"},
    "crl.issued": {"sha256": "application/pkix-crl", "tbs": "application/octet-stream"},
    "backup.completed": {"sha256": "application/json"},
    "site.trusted": {"genesis": "application/json", "checkpoint": "text/plain"},
    "drill.concluded": {"report": "application/json"},
    "device-log.attached": {"sha256": "application/octet-stream"},
}
DATA_TYPES = {
    "genesis": "application/json",
    "script": "application/yaml",
    "plan": "application/json",
    "bindings": "application/yaml",
    "policy": "application/yaml",
    "transcript": "text/plain",
}

# What actions may establish, and under which control (ledger.md, "What actions record").
ACTIONS = {
    "roll-call": ("everyone", "people.present"),
    "attest-clock": ("dual", "clock.attested"),
    "attest": ("none", ""),
    "enroll-person": ("dual", "person.enrolled"),
    "renew-person": ("dual", "person.renewed"),
    "revoke-person": ("dual", "person.revoked"),
    "inspect-token": ("single", ""),
    "initialize-token": ("dual", "token.bound share-set.made"),
    "adopt-token": ("dual", "token.bound"),
    "activate-token": ("dual", "token.activated"),
    "deactivate-token": ("single", "token.deactivated"),
    "generate-key": ("dual", "key.generated"),
    "issue-certificate": ("dual", "certificate.issued"),
    "make-csr": ("dual", "csr.made"),
    "import-certificate": ("dual", "certificate.imported"),
    "revoke-certificate": ("dual", "certificate.revoked"),
    "sign-crl": ("dual", "crl.issued"),
    "sign-ocsp-responder": ("dual", "certificate.issued"),
    "record-deviation": ("dual", "deviation.recorded"),
    "change-policy": ("dual", "policy.adopted"),
    "make-transport-key": ("dual", "transport.generated"),
    "establish-kek": ("dual", "kek.established share-set.made kek.escrowed"),
    "rotate-kek": ("dual", "kek.established share-set.made kek.escrowed"),
    "send-kek": ("dual", "kek.sent"),
    "load-kek": ("dual", "kek.adopted kek.loaded"),
    "destroy-kek": ("dual", "kek.destroyed"),
    "back-up-key": ("dual", "backup.made backup.completed"),
    "lock-key": ("dual", "key.locked"),
    "restore-key": ("dual", "key.restored"),
    "clone-key": ("dual", "key.cloned"),
    "record-native-backup": ("dual", "key.cloned"),
    "destroy-key": ("dual", "copy.destroyed copy.retained key.destroyed"),
    "retire-token": ("dual", "token.retired"),
    "record-custody": ("dual", "copy.moved"),
    "trust-site": ("dual", "site.trusted"),
    "crosslink": ("dual", "site.trusted"),
    "attach-device-log": ("dual", "device-log.attached"),
    "conclude-drill": ("dual", "drill.concluded"),
}


# ---------------------------------------------------------------- custody (ledger.md, "Authority")


def refuse(*problems):
    for wrong, text in problems:
        if wrong:
            raise Refused(text)


def bare(fact, **more):
    return dict({name: value for name, value in fact.items() if name != "kind"}, **more)


def kek_name(fact):
    return "%s.g%d" % (fact["kek"], fact["generation"])


def doubled(values):
    return len(set(values)) < len(values)


class Custody:
    """Who and what holds what: a fold of facts; what contradicts it is refused and changes nothing."""

    def __init__(self, genesis):
        self.origin, self.assurance, self.genesis = genesis.origin, genesis.assurance, genesis.sha256
        self.policy = self.bindings = None
        # Records of which the policy requires a date.
        self.required = []
        self.people, self.cards, self.tokens, self.share_sets, self.keys = {}, {}, {}, {}, {}
        # Whoever was taken off the roster: their cards only tell whose earlier signatures were whose.
        self.former, self.former_cards = {}, {}
        self.certificates, self.requests, self.crls = {}, {}, {}
        self.transports, self.keks, self.copies, self.backups = {}, {}, {}, {}
        self.places, self.peers, self.drills, self.device_logs = {}, {}, [], {}
        self.ids = {}
        self.end_ceremony()

    def end_ceremony(self):
        self.attending, self.active, self.owing = [], set(), set()
        self.touched, self.waived = set(), set()

    def begin_ceremony(self):
        self.end_ceremony()
        for key in self.copies.values():
            self.owing |= {name for name, copy in key["tokens"].items() if copy["extractable"]}

    def owed(self):
        """Keys that a close leaves extractable although nothing allows it."""
        if "extractable-key" in self.waived:
            return []
        return [
            (spki, name)
            for spki, key in self.copies.items()
            for name, copy in key["tokens"].items()
            if copy["extractable"] and (name in self.touched or name not in self.owing)
        ]

    def json(self):
        said = ("roles", "card", "reference", "vettedUntil", "trainedUntil", "renewed", "revoked")
        people, former = (
            {name: {m: p[m] for m in said if m in p} for name, p in group.items()}
            for group in (self.people, self.former)
        )
        return {
            **({"former": former} if former else {}),
            "origin": self.origin,
            "assurance": self.assurance,
            "genesis": self.genesis,
            "policy": self.policy,
            "people": people,
            "tokens": self.tokens,
            "shareSets": self.share_sets,
            "keys": self.keys,
            "certificates": self.certificates,
            "requests": self.requests,
            "crls": self.crls,
            "bindings": self.bindings,
            "deviceLogs": self.device_logs,
            "transports": self.transports,
            "keks": self.keks,
            "copies": self.copies,
            "backups": self.backups,
            "places": self.places,
            "peers": self.peers,
            "drills": self.drills,
        }

    def apply(self, fact, ceremony, at, card):
        method = getattr(self, "take_" + re.sub(r"[.-]", "_", fact["kind"]), None)
        if method is None:
            raise Refused("this verifier does not know %s" % fact["kind"])
        method(fact, ceremony, at, card)

    # people, policy, clock

    def take_policy_adopted(self, fact, *_):
        self.policy = fact["sha256"]

    def take_clock_attested(self, *_):
        pass

    def take_deviation_recorded(self, fact, *_):
        self.waived.add(fact["rule"])
        if fact["rule"].startswith("device-log "):
            log = self.device_logs.get(fact["rule"][len("device-log ") :])
            if log is not None:
                log.update(unexplained=0, missing=0, problems=0)

    def take_device_log_attached(self, fact, ceremony, at, _):
        self.need_token(fact["token"])
        known = self.device_logs.get(fact["token"], {"unexplained": 0, "problems": 0})
        log = bare(fact, at=at, ceremony=ceremony)
        del log["acts"]
        for count in ("unexplained", "problems"):
            log[count] += known[count]
        self.device_logs[fact["token"]] = log

    def take_people_present(self, fact, *_):
        self.attending, self.bindings = fact["attending"], fact["bindings"]

    def take_person_enrolled(self, fact, _ceremony, _at, card):
        person = fact["person"]
        known = card(fact["card"])
        refuse((known is None, "the card of %s is not attached" % person))
        refuse(
            (known.person != person, "the card names somebody else"),
            (known.assurance != self.assurance, "%s is of another assurance" % person),
            (person in self.people, "%s is already enrolled" % person),
            (person in self.former, "%s was taken off the roster" % person),
            (any(known.shares_a_key(c) for c in self.all_cards().values()), "two people share a key"),
        )
        self.people[person] = bare(fact)
        self.cards[person] = known

    def take_person_renewed(self, fact, _ceremony, at, _card):
        person = fact["person"]
        refuse((person not in self.people, "%s is not on the roster" % person))
        dates = {member: fact[member] for member in DATED.values() if member in fact}
        refuse((not dates, "it states no date of %s" % person))
        renewed = {"at": at, "reference": fact["reference"]}
        self.people[person] = dict(self.people[person], **dates, renewed=renewed)

    def run_out(self, person, at):
        """Refuses what somebody on the roster does at a time at which a record of theirs was over."""
        known = self.people[person]
        for what, member in DATED.items():
            until = known.get(member)
            missing = until is None and what in self.required
            refuse(
                (missing, "the policy requires a date of %s, and %s has none" % (what, person)),
                (until is not None and at[:10] > until, "the %s of %s was good until %s" % (what, person, until)),
            )

    def able(self, person, at):
        try:
            self.run_out(person, at)
        except Refused:
            return False
        return True

    def take_person_revoked(self, fact, _ceremony, at, _card):
        person = fact["person"]
        refuse((person not in self.people, "%s is not on the roster" % person))
        here = any(one["person"] == person for one in self.attending)
        refuse((here, "%s is on the roll of the very ceremony" % person))
        revoked = {"at": at, "reason": fact["reason"], "reference": fact["reference"]}
        self.former[person] = dict(self.people.pop(person), revoked=revoked)
        self.former_cards[person] = self.cards.pop(person)

    def all_cards(self):
        return {**self.cards, **self.former_cards}

    # tokens and share sets

    def need_token(self, token):
        refuse((token not in self.tokens, "token %s is not bound" % token))

    def take_token_bound(self, fact, *_):
        refuse((fact["token"] in self.tokens, "token %s is already bound" % fact["token"]))
        self.tokens[fact["token"]] = bare(fact, sets={})

    def take_share_set_made(self, fact, *_):
        self.need_token(fact["token"])
        name = "%s.g%d" % (fact["set"], fact["generation"])
        refuse((name in self.share_sets, "share set %s already exists" % name))
        self.share_sets[name] = bare(fact)
        if fact["purpose"] != "kek":
            made = {"set": fact["set"], "generation": fact["generation"]}
            self.tokens[fact["token"]]["sets"][fact["purpose"]] = made

    def take_token_activated(self, fact, *_):
        self.need_token(fact["token"])
        self.active.add(fact["token"])
        self.touched.add(fact["token"])

    def take_token_deactivated(self, fact, *_):
        self.active.discard(fact["token"])

    def take_token_retired(self, fact, *_):
        token = fact["token"]
        self.need_token(token)
        refuse((self.tokens[token]["serial"] != fact["serial"], "the token has another serial"))
        for key in self.copies.values():
            if key["tokens"].pop(token, None) is not None:
                key["retained"].pop("token " + token, None)
        for kek in self.keks.values():
            kek["tokens"].pop(token, None)
            kek["envelopes"].pop(token, None)
        self.transports.pop(token, None)
        self.places.pop("token " + token, None)
        self.ids.pop(token, None)
        del self.tokens[token]
        self.active.discard(token)
        self.owing.discard(token)
        self.device_logs.pop(token, None)

    # keys and their copies

    def free_id(self, token, cka_id):
        refuse((cka_id in self.ids.get(token, ()), "another object there bears that CKA_ID"))

    def hold_id(self, token, cka_id):
        self.ids.setdefault(token, set()).add(cka_id)

    def add_copy(self, fact, token, origin, extractable, at):
        spki = fact["spki"]
        key = self.copies.get(spki)
        self.need_token(token)
        refuse(
            (key is not None and key["destroyed"], "the key is recorded as destroyed"),
            (key is not None and token in key["tokens"], "the token holds a copy already"),
        )
        self.free_id(token, fact["ckaId"])
        if key is None:
            key = self.copies[spki] = {
                "tokens": {}, "backups": {}, "retained": {}, "restored": None, "drilled": None,
                "destroyed": False,
            }
        key["tokens"][token] = {
            "token": token, "label": fact["label"], "ckaId": fact["ckaId"], "origin": origin,
            "extractable": extractable, "proved": at,
        }
        self.hold_id(token, fact["ckaId"])
        return key

    def key(self, spki):
        refuse((spki not in self.copies, "key %s is not in custody" % spki))
        return self.copies[spki]

    def copy(self, spki, token):
        key = self.key(spki)
        refuse((token not in key["tokens"], "token %s holds no copy of key %s" % (token, spki)))
        return key["tokens"][token]

    def take_key_generated(self, fact, ceremony, at, _):
        refuse((fact["spki"] in self.keys, "the key is already in custody"))
        self.add_copy(fact, fact["token"], "generated", fact["backup"] == "wrap", at)
        self.keys[fact["spki"]] = bare(fact, ceremony=ceremony)

    def take_key_locked(self, fact, *_):
        copy = self.copy(fact["spki"], fact["token"])
        refuse((not copy["extractable"], "the key is locked already"))
        copy["extractable"] = False

    def take_key_restored(self, fact, ceremony, at, _):
        spki, backup = fact["spki"], self.backups.get(fact["backup"])
        own = fact["origin"] == self.origin
        if own:
            whole_one = backup is not None and backup["sha256"] is not None
            refuse((not whole_one, "there is no such completed backup"))
            held = fact["backup"] in self.copies.get(spki, {"backups": ()})["backups"]
            kek = self.keks.get(kek_name(backup))
            refuse(
                (not held, "the backup does not hold the key"),
                (kek is None or fact["token"] not in kek["tokens"], "the KEK is not on the token"),
            )
        else:
            refuse((fact["origin"] not in self.peers, "that site is not trusted"))
        known = self.keys.get(spki)
        other = known is not None and known["algorithm"] != fact["algorithm"]
        refuse((other, "the key is of another algorithm"))
        key = self.add_copy(fact, fact["token"], "restored", False, at)
        key["restored"] = {
            "backup": fact["backup"], "origin": fact["origin"], "ceremony": ceremony, "at": at,
        }
        if own:
            key["backups"][fact["backup"]]["proved"] = at
        if known is None:
            names = ("spki", "token", "label", "ckaId", "algorithm")
            self.keys[spki] = dict(
                {name: fact[name] for name in names}, purpose="ca-signing", backup="wrap",
                ceremony=ceremony,
            )

    def take_key_cloned(self, fact, _ceremony, at, _card):
        source = self.copy(fact["spki"], fact["from"])
        locked = fact["method"] == "wrap" and not source["extractable"]
        refuse((locked, "the key is locked and cannot have been wrapped"))
        self.add_copy(fact, fact["to"], fact["method"], False, at)

    def take_copy_destroyed(self, fact, *_):
        key, name = self.key(fact["spki"]), fact["name"]
        held = key["tokens" if fact["place"] == "token" else "backups"]
        refuse((name not in held, "there is no such copy"))
        if fact["place"] == "token":
            self.ids[name].discard(held[name]["ckaId"])
        del held[name]
        key["retained"].pop("%s %s" % (fact["place"], name), None)

    def take_copy_retained(self, fact, *_):
        key = self.key(fact["spki"])
        held = key["tokens" if fact["place"] == "token" else "backups"]
        refuse((fact["name"] not in held, "there is no such copy"))
        key["retained"]["%s %s" % (fact["place"], fact["name"])] = fact["reason"]

    def take_key_destroyed(self, fact, *_):
        key = self.key(fact["spki"])
        copies = ["token " + n for n in key["tokens"]] + ["backup " + n for n in key["backups"]]
        refuse(
            (key["destroyed"], "the key is recorded as destroyed"),
            (any(copy not in key["retained"] for copy in copies), "copies of the key are left"),
        )
        key["destroyed"] = True

    # what opens keys

    def take_transport_generated(self, fact, *_):
        token, spki = fact["token"], fact["spki"]
        self.need_token(token)
        refuse((token in self.transports, "the token has a transport key already"))
        self.free_id(token, fact["ckaId"])
        taken = spki in self.keys or any(t["spki"] == spki for t in self.transports.values())
        refuse((taken, "the transport key is another key too"))
        self.transports[token] = bare(fact)
        self.hold_id(token, fact["ckaId"])

    def check_envelope(self, envelope):
        transport = self.transports.get(envelope["token"])
        if transport is None:
            # A token of another site: custody does not know its transport key.
            refuse((envelope["token"] in self.tokens, "the token has no transport key"))
            return
        fits = transport["spki"] == envelope["spki"] and envelope["oaep"] in transport["oaep"]
        refuse((not fits, "an envelope is not to the token's transport key"))

    def new_value(self, check_value):
        same = any(kek["checkValue"] == check_value for kek in self.keks.values())
        refuse((same, "another KEK has that check value"))

    def take_kek_established(self, fact, *_):
        token, name, generation = fact["token"], kek_name(fact), fact["generation"]
        before = self.keks.get("%s.g%d" % (fact["kek"], generation - 1))
        escrowed = fact["mode"] == "escrowed"
        named = [envelope["token"] for envelope in fact["envelopes"]]
        self.need_token(token)
        refuse(
            (name in self.keks, "there is such a KEK already"),
            (generation > 1 and before is None, "the generation before it is missing"),
            (before is not None and before["origin"] != self.origin, "it is another site's KEK"),
            (escrowed and named, "an escrowed KEK has no envelopes"),
        )
        self.free_id(token, fact["ckaId"])
        self.new_value(fact["checkValue"])
        refuse((doubled(named), "two envelopes are for one token"))
        for envelope in fact["envelopes"]:
            self.check_envelope(envelope)
        refuse((not escrowed and token not in named, "there is no envelope for its own token"))
        self.keks[name] = {
            "kek": fact["kek"], "generation": generation, "origin": self.origin,
            "mode": fact["mode"], "checkValue": fact["checkValue"],
            "tokens": {token: fact["ckaId"]},
            "envelopes": {envelope["token"]: envelope for envelope in fact["envelopes"]},
            "escrow": None,
        }
        self.hold_id(token, fact["ckaId"])

    def kek(self, fact):
        refuse((kek_name(fact) not in self.keks, "the KEK is not in custody"))
        return self.keks[kek_name(fact)]

    def openable(self, kek, token):
        if kek["mode"] == "escrowed":
            shared = kek["escrow"] is not None or kek["origin"] != self.origin
            refuse((not shared, "the KEK was never escrowed"))
            return
        transport = self.transports.get(token)
        refuse((transport is None, "the token has no transport key"))
        fits = any(e["spki"] == transport["spki"] for e in kek["envelopes"].values())
        refuse((not fits, "no envelope of the KEK is for the token"))

    def take_kek_escrowed(self, fact, *_):
        shares = self.share_sets.get("%s.g%d" % (fact["set"], fact["setGeneration"]))
        refuse((shares is None or shares["purpose"] != "kek", "there is no such share set"))
        kek = self.kek(fact)
        right = kek["mode"] == "escrowed" and kek["escrow"] is None
        refuse((not right, "the KEK cannot be escrowed, or is already"))
        kek["escrow"] = {"set": fact["set"], "generation": fact["setGeneration"]}

    def take_kek_sent(self, fact, *_):
        kek, envelope = self.kek(fact), fact["envelope"]
        refuse((kek["mode"] == "escrowed", "an escrowed KEK has no envelopes"))
        self.openable(kek, fact["from"])
        refuse((envelope["token"] in kek["envelopes"], "there is an envelope for it already"))
        self.check_envelope(envelope)
        kek["envelopes"][envelope["token"]] = envelope

    def take_kek_adopted(self, fact, *_):
        named = [envelope["token"] for envelope in fact["envelopes"]]
        refuse(
            (fact["origin"] not in self.peers, "that site is not trusted"),
            (kek_name(fact) in self.keks, "there is such a KEK already"),
        )
        self.new_value(fact["checkValue"])
        own = [(t["spki"], oaep) for t in self.transports.values() for oaep in t["oaep"]]
        stray = any((e["spki"], e["oaep"]) not in own for e in fact["envelopes"])
        refuse((doubled(named), "two envelopes are for one token"))
        refuse((stray, "an envelope is to no transport key of this site"))
        self.keks[kek_name(fact)] = {
            "kek": fact["kek"], "generation": fact["generation"], "origin": fact["origin"],
            "mode": fact["mode"], "checkValue": fact["checkValue"], "tokens": {},
            "envelopes": {envelope["token"]: envelope for envelope in fact["envelopes"]},
            "escrow": None,
        }

    def take_kek_loaded(self, fact, *_):
        kek, token = self.kek(fact), fact["token"]
        self.need_token(token)
        refuse(
            (token in kek["tokens"], "the token holds the KEK already"),
            (kek["checkValue"] != fact["checkValue"], "the KEK has another check value"),
        )
        self.openable(kek, token)
        self.free_id(token, fact["ckaId"])
        kek["tokens"][token] = fact["ckaId"]
        self.hold_id(token, fact["ckaId"])

    def take_kek_destroyed(self, fact, *_):
        kek, token = self.kek(fact), fact["token"]
        refuse((token not in kek["tokens"], "the token does not hold the KEK"))
        self.ids[token].discard(kek["tokens"].pop(token))

    # backups, places, sites, drills

    def take_backup_made(self, fact, ceremony, at, _):
        name, known = fact["backup"], self.backups.get(fact["backup"])
        kek = self.kek(fact)
        newer = "%s.g%d" % (fact["kek"], fact["generation"] + 1) in self.keks
        refuse((newer, "the KEK has a newer generation"))
        for token in (fact["token"], fact["provedOn"]):
            self.need_token(token)
            refuse((token not in kek["tokens"], "token %s does not hold the KEK" % token))
        if known is not None:
            over = known["sha256"] is not None or known["ceremony"] != ceremony
            refuse((over, "the backup is already made"))
            refuse((kek_name(known) != kek_name(fact), "the backup is under another KEK"))
        copy = self.copy(fact["spki"], fact["token"])
        held = self.copies[fact["spki"]]["backups"]
        refuse(
            (not copy["extractable"], "the key is locked and cannot be wrapped"),
            (name in held, "the backup holds the key already"),
        )
        held[name] = {"backup": name, "blob": fact["blob"], "proved": at}
        if known is None:
            known = self.backups[name] = {
                "backup": name, "kek": fact["kek"], "generation": fact["generation"],
                "sha256": None, "keys": 0, "vaults": [], "signers": [], "made": at,
                "ceremony": ceremony,
            }
        known["keys"] += 1

    def on_roster(self, people):
        refuse(
            (doubled(people), "somebody is named twice"),
            (any(person not in self.people for person in people), "somebody is not on the roster"),
        )

    def take_backup_completed(self, fact, ceremony, *_):
        known = self.backups.get(fact["backup"])
        making = known is not None and known["sha256"] is None and known["ceremony"] == ceremony
        refuse((not making, "the backup is not being made"))
        refuse((known["keys"] != fact["keys"], "the backup holds another number of keys"))
        refuse((doubled(fact["vaults"]), "a vault is named twice"))
        self.on_roster(fact["signers"])
        known.update(sha256=fact["sha256"], vaults=fact["vaults"], signers=fact["signers"])

    def take_copy_moved(self, fact, _ceremony, at, _):
        name, vault = fact["name"], fact["vault"]
        if fact["place"] == "token":
            self.need_token(name)
            refuse((vault != name, "a token lies in no vault"))
        else:
            backup = self.backups.get(name)
            there = backup is not None and backup["sha256"] is not None and vault in backup["vaults"]
            refuse((not there, "there is no such completed backup in that vault"))
        self.on_roster(fact["holders"])
        key = "token " + name if fact["place"] == "token" else "backup %s %s" % (name, vault)
        self.places[key] = bare(fact, since=at)

    def take_site_trusted(self, fact, *_):
        origin = fact["origin"]
        itself = origin == self.origin or fact["genesis"] == self.genesis
        assurance = "test" if origin.endswith("/test") else "production"
        refuse(
            (itself, "it is this very site"),
            (assurance != self.assurance, "it is of another assurance"),
            (VerifierKey(fact["ledgerKey"]).name != origin, "its ledger key has another name"),
        )
        known = self.peers.get(origin)
        if known is not None:
            same = all(known[name] == fact[name] for name in ("genesis", "ledgerKey"))
            fork = fact["size"] == known["size"] and fact["root"] != known["root"]
            refuse((not same or fact["size"] < known["size"] or fork, "it is not its successor"))
        self.peers[origin] = bare(fact)

    def take_drill_concluded(self, fact, ceremony, at, _):
        real, passed = fact["drill"] == "drill", fact["verdict"] == "pass"
        back = [
            key
            for key in self.copies.values()
            if key["restored"] is not None
            and key["restored"]["ceremony"] == ceremony
            and key["restored"]["backup"] == fact["backup"]
        ]
        refuse(
            (real != (self.assurance == "production"), "on this site it is none"),
            (passed and (fact["reasons"] or fact["keys"] == 0), "it cannot have passed"),
            (not passed and not fact["reasons"], "it failed without a reason"),
            (passed and fact["keys"] > len(back), "fewer keys came back than it says"),
        )
        self.drills.append(bare(fact, at=at, ceremony=ceremony))
        if real and passed:
            for key in back:
                key["drilled"] = at

    # certificates

    def signing_key(self, spki):
        refuse((spki not in self.keys, "the key is not in custody"))
        destroyed = spki in self.copies and self.copies[spki]["destroyed"]
        refuse((destroyed, "the key is recorded as destroyed"))

    def issued_by(self, spki):
        return [
            c for c in self.certificates.values() if c["source"] == "issued" and c["issuerSpki"] == spki
        ]

    def take_certificate_issued(self, fact, ceremony, *_):
        self.signing_key(fact["issuerSpki"])
        if fact["issuer"] == "self":
            refuse((fact["spki"] != fact["issuerSpki"], "its own issuer has another key"))
        else:
            above = self.certificates.get(fact["issuer"])
            refuse((above is None, "the issuer's certificate is not in custody"))
            refuse(
                (above["spki"] != fact["issuerSpki"], "the issuer's certificate has another key"),
                (not above["ca"], "the issuer's certificate is no CA certificate"),
                (above.get("revoked") is not None, "the issuer's certificate is revoked"),
            )
        used = any(c["serial"] == fact["serial"] for c in self.issued_by(fact["issuerSpki"]))
        refuse(
            (fact["sha256"] in self.certificates, "the certificate is in custody already"),
            (used, "the key has used that serial number"),
        )
        made = bare(fact, source="issued", ceremony=ceremony, revoked=None)
        self.certificates[fact["sha256"]] = made

    def take_certificate_imported(self, fact, ceremony, *_):
        self.signing_key(fact["spki"])
        refuse((fact["sha256"] in self.certificates, "the certificate is in custody already"))
        self.certificates[fact["sha256"]] = bare(fact, source="imported", ceremony=ceremony)

    def take_csr_made(self, fact, ceremony, *_):
        self.signing_key(fact["spki"])
        refuse((fact["sha256"] in self.requests, "the request is in custody already"))
        self.requests[fact["sha256"]] = bare(fact, ceremony=ceremony)

    def take_certificate_revoked(self, fact, ceremony, *_):
        known = self.certificates.get(fact["sha256"])
        refuse((known is None or known["source"] != "issued", "it was not issued here"))
        same = known["issuerSpki"] == fact["issuerSpki"] and known["serial"] == fact["serial"]
        refuse(
            (not same, "it has another issuer or serial number"),
            (known["revoked"] is not None, "it is revoked already"),
        )
        known["revoked"] = {"reason": fact["reason"], "date": fact["date"], "ceremony": ceremony}

    def take_crl_issued(self, fact, ceremony, *_):
        spki = fact["issuerSpki"]
        self.signing_key(spki)
        above, before = self.certificates.get(fact["issuer"]), self.crls.get(spki)
        revoked = sum(1 for c in self.issued_by(spki) if c["revoked"] is not None)
        right = above is not None and above["spki"] == spki and above["ca"]
        refuse(
            (not right, "the issuer's certificate is not in custody, or has another key"),
            (fact["entries"] != revoked, "it does not list what is revoked"),
            (fact["nextUpdate"] <= fact["thisUpdate"], "its next update is not later"),
        )
        if before is not None:
            older = fact["number"] <= before["number"] or fact["thisUpdate"] < before["thisUpdate"]
            refuse((older, "it is not newer than the last one"))
        self.crls[spki] = bare(fact, ceremony=ceremony)


# ---------------------------------------------------------------- what was agreed to ("Facts", 5)

SAME = object()

# By kind of fact and member: where the agreed value stands when it is not under the member's own name.
# SAME alone: nothing known before the act, or judged elsewhere.
AGREED = {
    "token.bound": {"activation": SAME},
    "person.enrolled": {"card": SAME},
    "key.generated": {"label": ("with", "key"), "spki": SAME},
    "transport.generated": {"label": SAME, "spki": SAME},
    "kek.established": {"envelopes": SAME, "checkValue": SAME},
    "kek.escrowed": {"set": SAME, "setGeneration": SAME},
    "kek.sent": {"envelope": SAME},
    "share-set.made": {n: SAME for n in ("set", "generation", "threshold", "holders", "sha256", "sealed")},
    "backup.made": {"kek": ("with", "under"), "blob": SAME},
    "backup.completed": {"vaults": ("with", "to"), "sha256": SAME},
    "key.restored": {"backup": ("intent", "backup"), "label": SAME, "ckaId": SAME},
    "key.cloned": {"label": ("with", "key")},
    "copy.destroyed": {"name": SAME},
    "copy.retained": {"name": SAME, "reason": SAME},
    "drill.concluded": {"backup": ("intent", "backup")},
    "certificate.issued": {"sha256": SAME, "tbs": ("intent", "sha256")},
    "csr.made": {"sha256": SAME},
    "certificate.revoked": {"sha256": ("intent", "certificate"), "reason": ("with", "reason")},
    "crl.issued": {"sha256": SAME, "tbs": ("intent", "sha256")},
}
# Parameters of these are names that people give, not the values of the fact.
FROM_INTENT = ("certificate.issued", "certificate.imported", "csr.made", "certificate.revoked", "crl.issued")


# Endings of the files of an outbox.
ENDINGS = {
    "certificate.issued": "der pem p7b",
    "certificate.imported": "der pem p7b",
    "csr.made": "csr.der csr",
    "crl.issued": "crl crl.pem",
}


def kind_of(value):
    return "text" if isinstance(value, str) else "list" if isinstance(value, list) else type(value)


def check_agreed(fact, parameters, intent, key_list, action):
    """Refuses a fact that is not what people saw when they agreed."""
    kind = fact["kind"]
    places = AGREED.get(kind, {})
    for member, value in fact.items():
        place = places.get(member)
        if member == "kind" or place is SAME:
            continue
        sources = [("with", member), ("intent", member)] if place is None else [place]
        for where, name in sources:
            if where == "with" and place is None and kind in FROM_INTENT and member not in ("file", "profile"):
                continue
            agreed = (parameters if where == "with" else intent).get(name)
            if agreed is not None and kind_of(agreed) == kind_of(value) and agreed != value:
                raise Refused("%s: %s is not what people agreed to" % (kind, member))
    special(fact, parameters, intent, action)
    listed_key(fact, intent, key_list)


def special(fact, parameters, intent, action):
    kind = fact["kind"]
    wrong = False
    if kind == "token.bound" and isinstance(intent.get("bound"), dict):
        wrong = intent["bound"] != fact
    elif kind == "token.bound":
        wrong = fact["activation"] != "sealed"
    elif kind == "share-set.made":
        name = {"activation": "activation", "security-officer": "officer", "kek": "shareSet"}
        agreed = intent.get(name[fact["purpose"]])
        members = ("set", "threshold", "holders")
        wrong = (
            not isinstance(agreed, dict)
            or fact["generation"] != 1
            or any(agreed.get(member) != fact[member] for member in members)
        )
    elif kind in ("person.enrolled", "person.renewed"):
        # "unstated" stands in a script for a date that is not given.
        dates = [(parameters.get(m, "unstated"), fact.get(m, "unstated")) for m in DATED.values()]
        wrong = any(agreed != stated for agreed, stated in dates)
        shown = ["roles" if kind == "person.enrolled" else "person", "reference", *DATED.values()]
        wrong = wrong or any((m in intent, intent.get(m)) != (m in fact, fact.get(m)) for m in shown)
    elif kind == "kek.escrowed":
        agreed = intent.get("shareSet") or {}
        wrong = agreed.get("set") != fact["set"] or fact["setGeneration"] != 1
    elif kind == "kek.adopted":
        wrong = intent.get("adopt") != fact
    elif kind == "kek.sent":
        wrong = not opens(intent.get("to"), fact["envelope"])
    elif kind == "kek.established":
        openers = intent.get("openers") or []
        pairs = zip(openers, fact["envelopes"])
        wrong = len(openers) != len(fact["envelopes"]) or not all(opens(o, e) for o, e in pairs)
    elif kind in ENDINGS:
        names = ["%s.%s" % (fact["file"], ending) for ending in ENDINGS[kind].split()]
        wrong = [one["file"] for one in fact["files"]] != names
        if isinstance(intent.get("tbs"), str):
            wrong = wrong or digest(unbase64(intent["tbs"])) != intent.get("sha256")
    elif kind == "key.cloned":
        wrong = (fact["method"] == "native") != (action == "record-native-backup")
    elif kind in ("copy.destroyed", "copy.retained", "key.destroyed") and action == "destroy-key":
        wrong = not doomed(fact, intent)
    refuse((wrong, "%s is not what people agreed to" % kind))


def opens(opener, envelope):
    return (
        isinstance(opener, dict)
        and opener.get("token") == envelope["token"]
        and opener.get("spki") == envelope["spki"]
        and envelope["oaep"] in (opener.get("oaep") or [])
    )


def owed_by(action, intent):
    """Kinds of fact that a step has to bear by its end, each as often as it is named."""
    if action == "initialize-token":
        return ["token.bound", "share-set.made", "share-set.made"]
    if action == "destroy-key":
        on_token = intent.get("onToken")
        if not isinstance(on_token, dict):
            return ["key.destroyed"]
        return [] if on_token.get("count") == 0 else ["copy.destroyed"]
    kinds = ACTIONS[action][1].split()
    if intent.get("adopt") is None:
        kinds = [kind for kind in kinds if kind != "kek.adopted"]
    if intent.get("shareSet") is None:
        kinds = [kind for kind in kinds if kind not in ("share-set.made", "kek.escrowed")]
    return kinds


def signed_part(der):
    """SHA-256 of what is signed of a certificate, a request or a list: the first part of its DER."""

    def content(data):
        long = data[1] & 127 if data[1] > 127 else 0
        start = 2 + long
        size = int.from_bytes(data[2:start], "big") if long else data[1]
        return start, start + size

    try:
        start, end = content(der)
        part = der[start : start + content(der[start:])[1]]
        return digest(part) if der[0] == part[0] == 48 and end == len(der) else ""
    except IndexError:
        return ""


def doomed(fact, intent):
    on_token, everywhere = intent.get("onToken"), intent.get("everywhere")
    if isinstance(on_token, dict):
        # Which keys: the key list says so.
        there = (fact.get("place"), fact.get("name")) == ("token", on_token.get("token"))
        return fact["kind"] == "copy.destroyed" and there
    if not isinstance(everywhere, dict) or everywhere.get("spki") != fact["spki"]:
        return False
    if fact["kind"] == "key.destroyed":
        return everywhere.get("reason") == fact["reason"]
    for copy in everywhere.get("copies") or []:
        if (copy.get("place"), copy.get("name")) == (fact["place"], fact["name"]):
            kept = copy.get("retained")
            # What is retained is so for the reason that was agreed to.
            return (kept is None) if fact["kind"] == "copy.destroyed" else kept == fact["reason"]
    return False


def listed_key(fact, intent, key_list):
    parts = [intent] + [part for part in intent.values() if isinstance(part, dict)]
    cited = [part["keyList"] for part in parts if isinstance(part.get("keyList"), str)]
    if not cited or "spki" not in fact:
        return
    rows = {}
    for sha in cited:
        for row in key_list(sha):
            rows[row["spki"]] = row
    row = rows.get(fact["spki"])
    refuse((row is None, "key %s is not on the list that people agreed to" % fact["spki"]))
    if fact["kind"] in ("key.restored", "key.cloned"):
        same = all(row.get(name) == fact[name] for name in ("label", "ckaId"))
        refuse((not same, "the key has another label or CKA_ID than was agreed to"))


# ---------------------------------------------------------------- the fold (ledger.md, "Authority")

IN_CEREMONY = (
    "step.opened step.begun step.completed step.failed step.refused ceremony.closed "
    "ceremony.abandoned tail.adopted deviation.recorded plan.amended"
).split()
PURPOSES = ("step", "adopt", "abandon", "resume", "finish", "undo")
CLOCK_GAP = 30 * 24 * 3600 * 1000
BEFORE_CLOCK = ("people.present", "clock.attested")


def read_plan(data):
    plan = read_canonical(data)
    good = (
        isinstance(plan, dict)
        and plan.get("keyrite") == "plan/v1"
        and isinstance(plan.get("software"), dict)
        and filled(plan.get("bindings"), plan["software"].get("sha256"))
        and isinstance(plan.get("steps"), list)
        and all(
            isinstance(step, dict)
            and whole(step.get("n"))
            and filled(step.get("id"), step.get("action"), step.get("instruction"))
            and isinstance(step.get("with"), dict)
            and (step.get("by") == "everyone" or listed(ROLE)(step.get("by")))
            for step in plan["steps"]
        )
    )
    if not good:
        raise Refused("it is no plan")
    return plan


def read_script(data):
    """A script as far as a plan is made of it (script.md)."""
    try:
        script = Yaml(data.decode("utf-8")).read()
    except (UnicodeDecodeError, ValueError, IndexError):
        raise Refused("it is not YAML") from None
    texts = ("name", "version", "title", "caClass")
    good = (
        isinstance(script, dict)
        and script.get("keyrite") == "script/v1"
        and filled(*(script.get(name) for name in texts))
        and isinstance(script.get("roles"), dict)
        and isinstance(script.get("params") or {}, dict)
        and all(map(is_param, (script.get("params") or {}).values()))
        and isinstance(script.get("steps"), list)
        and all(isinstance(one, dict) and filled(one.get("id"), one.get("action")) for one in script["steps"])
    )
    if not good or any(one["action"] not in ACTIONS and one["action"] != "close" for one in script["steps"]):
        raise Refused("a member of it does not have its form, or an action is not known")
    ids = [one["id"] for one in script["steps"]]
    ends = [one["action"] == "close" for one in script["steps"]]
    if doubled(ids) or not ends or ends[-1] is not True or any(ends[:-1]):
        raise Refused("a step is there twice, or the close is not its last")
    return script


PARAM_TYPES = dict(
    token=LABEL, label=LABEL, text=is_line, dn=is_line, person=SLUG, role=one_of(*ROLES), file=HEX64,
    integer=whole, enum=is_line,
)


def is_param(spec):
    return (
        isinstance(spec, dict)
        and isinstance(spec.get("type"), str)
        and spec["type"] in PARAM_TYPES
        and all(whole(spec.get(name, 0)) for name in ("min", "max"))
        and (spec["type"] != "enum" or listed(is_line, 1)(spec.get("of")))
    )


def takes(spec, value):
    """Whether a parameter of a plan has a value that the script takes."""
    if not PARAM_TYPES[spec["type"]](value):
        return False
    if spec["type"] == "integer":
        return spec.get("min", value) <= value <= spec.get("max", value)
    return spec["type"] != "enum" or value in spec["of"]


def planned(n, step, params):
    """A step of a plan, but for its wording: what the script says, with every $name replaced."""

    def replaced(value):
        if isinstance(value, str) and value.startswith("$"):
            return params.get(value[1:], value)
        if isinstance(value, list):
            return [replaced(one) for one in value]
        if isinstance(value, dict):
            return {name: replaced(one) for name, one in value.items()}
        return value

    control = "everyone" if step["action"] == "close" else ACTIONS[step["action"]][0]
    always = {"always": True} if step.get("always") is True else {}
    named = {"n": n, "id": step["id"], "action": step["action"], "control": control}
    refs = step.get("policyRefs") or []
    rest = {"by": step.get("by"), "with": replaced(step.get("with") or {}), "policyRefs": refs}
    return dict(named, **rest, **always, instruction=None)


def subject_digest(data, shown):
    return digest_of({"data": data, "shown": shown})


class Items:
    """The batch of a step: what was intended, and what has its outcome."""

    def __init__(self):
        self.done, self.ended, self.doubtful, self.awaited, self.groups = set(), set(), {}, {}, 0
        self.borne = []

    def resume(self):
        self.ended, self.awaited = set(), {}

    def intend(self, group, items):
        good = isinstance(items, list) and 1 <= len(items) <= 100
        good = good and all(
            isinstance(i, dict) and filled(i.get("item")) and isinstance(i.get("ckaId"), str)
            for i in items
        )
        refuse((not good, "a group is malformed"))
        names = [one["item"] for one in items]
        refuse(
            (doubled(names), "an item is in a group twice"),
            (len(self.awaited) + len(names) > 100, "more than 100 items await their outcome"),
            (group != self.groups + 1, "it is not the next group"),
            (any(n in self.done or n in self.ended for n in names), "an item has an outcome already"),
            (any(n in self.awaited for n in names), "an item was intended already"),
        )
        self.groups += 1
        self.awaited.update((name, self.groups) for name in names)
        self.doubtful.update((one["item"], one["ckaId"]) for one in items)

    def end(self, item, completed, kinds=()):
        self.awaited.pop(item, None)
        self.doubtful.pop(item, None)
        self.ended.add(item)
        self.borne += kinds
        if completed:
            self.done.add(item)


class Ceremony:
    def __init__(self, entry, plan, plan_digest):
        self.id, self.plan, self.plan_digest = entry["ceremony"], plan, plan_digest
        self.steps, self.unsettled, self.items, self.activations = {}, {}, {}, {}
        # Newest code with which each step ended without success.
        self.codes = {}
        # Roles that the policy in force at its opening wants at a ceremony of its class.
        self.witnesses = []
        self.drill = plan is not None and plan.get("drill") is True
        self.state = "open"
        # Steps that attested the clock before more than 30 days passed.
        self.again = set()

    def doubt(self):
        return any(self.steps.get(step) == "begun" for step in self.unsettled)

    def acted(self):
        return any(outcome not in ("opened", "refused") for outcome in self.steps.values())

    def failed_before(self, n):
        """Whether a step before one failed or was refused; what was left out for that is no failure of its own."""
        none = ("halted.undone", "halted.step-skipped")
        return any(
            step["n"] < n
            and self.steps.get(step["id"]) in ("failed", "refused")
            and self.codes.get(step["id"]) not in none
            for step in self.plan["steps"]
        )

    def reactivates(self, step):
        lost = any(one == step and not lasts for one, lasts in self.activations.values())
        return lost or step in self.again


class History:
    def __init__(self, ledger, genesis, findings):
        self.ledger, self.genesis, self.findings = ledger, genesis, findings
        self.custody = Custody(genesis)
        self.policy = None
        self.ceremonies, self.nonces = {}, set()
        self.open = self.step = self.tail = self.founding = None
        self.explained = self.cosigned = 0
        self.agreed_at, self.gap = None, False
        self.lists = {}
        # Entries of a ceremony that was open: what is found of the others may be adopted.
        self.own = set()

    # documents

    def attached(self, sha, read):
        data = self.ledger.attachment(sha) if isinstance(sha, str) else None
        if data is None or digest(data) != sha:
            return None
        try:
            return read(data)
        except Refused:
            return None

    def card(self, sha):
        return self.attached(sha, Card)

    def key_list(self, sha):
        if sha not in self.lists:
            rows = self.attached(sha, lambda data: read_json(data.decode("utf-8", "replace")))
            good = isinstance(rows, list) and all(
                isinstance(r, dict) and filled(r.get("spki"), r.get("label"), r.get("ckaId")) for r in rows
            )
            self.lists[sha] = rows if good else []
        return self.lists[sha]

    def find(self, entry, code, text):
        self.findings.add(code, "entry %d: %s" % (entry["seq"], text), entry["seq"])

    # one entry after another

    def take(self, entry, root):
        """`root` in hex, of the tree right after the entry."""
        now = milliseconds(entry["time"])
        if self.agreed_at is not None and now - self.agreed_at > CLOCK_GAP:
            self.gap = True
        kind = entry["type"]
        if entry["facts"] and kind not in ("step.completed", "ledger.created"):
            self.find(entry, "authority", "%s claims facts, which it cannot establish" % kind)
        of_open = self.open is not None and self.open.id == entry["ceremony"]
        if kind in IN_CEREMONY and not of_open:
            self.find(entry, "order", "it belongs to no ceremony that is open")
            return
        self.root = root
        handler = getattr(self, "on_" + kind.replace(".", "_"), None)
        if handler is not None:
            try:
                handler(entry)
            except Refused as error:
                self.find(entry, "authority", str(error))
        if of_open or (self.open is not None and self.open.id == entry["ceremony"]):
            self.own.add(entry["seq"])

    def on_ledger_created(self, entry):
        genesis, data = self.genesis, entry["data"]
        refuse(
            (entry["seq"] != 0, "it is not entry 0"),
            (data.get("genesis") != genesis.sha256, "it names another genesis"),
        )
        signed = set()
        for note in entry["agreements"]:
            lines = note.split("\n")
            founder = next((f for f in genesis.founders if "person " + f[0] in lines), None)
            refuse((founder is None, "somebody signed who is no founder"))
            text = sole_signer(note, founder[2].signing)
            names = "origin assurance genesis person challenge".split()
            said = statement(text, "keyrite/genesis/v1", names)
            expected = (genesis.origin, genesis.assurance, genesis.sha256, founder[0])
            found = tuple(said[name] for name in names[:4])
            refuse((found != expected or not HEX64(said["challenge"]), "a founder signed something else"))
            signed.add(founder[0])
        refuse((len(signed) != len(genesis.founders), "a founder did not sign"))
        facts = [{"kind": "policy.adopted", "sha256": genesis.policy}] + [
            {
                "kind": "person.enrolled", "person": person, "roles": roles,
                "card": digest(card.bytes), "reference": "founder",
            }
            for person, roles, card in genesis.founders
        ]
        refuse((entry["facts"] != facts, "its facts are not those of the genesis"))
        self.founding = entry["ceremony"]
        self.agreed_at = milliseconds(entry["time"])
        for fact in facts:
            self.apply(entry, fact, "founding")

    def on_ceremony_opened(self, entry):
        refuse((entry["ceremony"] is None, "it opens a ceremony without an id"))
        if self.open is not None or entry["ceremony"] in self.ceremonies:
            self.find(entry, "order", "a ceremony is open, or had that id")
            return
        sha = entry["data"].get("plan")
        plan = self.attached(sha, read_plan)
        if plan is None:
            self.find(entry, "attachment", "the plan it cites is missing, or none")
        self.custody.begin_ceremony()
        self.step = None
        founds = self.founding == entry["ceremony"] and not self.ceremonies
        explained = self.explained == entry["seq"] or founds
        self.tail = None if explained else (self.explained, entry["seq"])
        self.open = self.ceremonies[entry["ceremony"]] = Ceremony(entry, plan, sha)
        wanted = self.policy["witnesses"] if self.policy else {}
        self.open.witnesses = wanted.get(str(entry["data"].get("caClass")), [])
        if plan is not None:
            self.check_opening(entry, plan)
            self.check_written(entry, plan)
        self.check_previous(entry)

    # whether a ceremony was performed as its script says (verdict.md, "Judging a ceremony")

    def differs(self, entry, what):
        self.find(entry, "conformance", what)

    def check_opening(self, entry, plan):
        """The opening states what the plan does, and the plan is for this ledger as it stood."""
        data, now = entry["data"], self.custody
        script, software = plan.get("script"), data.get("software")
        same = {
            "script": (data.get("script"), isinstance(script, dict) and script.get("sha256")),
            "bindings": (data.get("bindings"), plan["bindings"]),
            "policy": (data.get("policy"), plan.get("policy")),
            "software": (isinstance(software, dict) and software.get("sha256"), plan["software"]["sha256"]),
            "assurance": (data.get("assurance"), plan.get("assurance")),
            "origin of the ledger": (now.origin, plan.get("origin")),
            "assurance of the ledger": (now.assurance, plan.get("assurance")),
            "policy in force": (now.policy, plan.get("policy")),
            "custody": (digest_of(now.json()), plan.get("custody")),
        }
        for what, (one, other) in same.items():
            if one != other:
                self.differs(entry, "its plan is for another %s" % what)

    def check_written(self, entry, plan):
        """The plan is what comes of the approved script and the parameters."""
        sha = entry["data"].get("script")
        bytes_of = self.ledger.attachment(sha) if isinstance(sha, str) else None
        if bytes_of is None or digest(bytes_of) != sha:
            return  # Missing or changed: a finding of its own.
        try:
            script = read_script(bytes_of)
        except Refused as error:
            self.differs(entry, "its script is none: %s" % error)
            return
        for what in ("title", "caClass"):
            if entry["data"].get(what) != script[what]:
                self.differs(entry, "its %s is not that of the script" % what)
        named = {"name": script["name"], "version": script["version"], "sha256": sha}
        drill = script.get("drill") or None
        heads = {"script": named, "roles": script["roles"], "drill": drill}
        for what, wanted in heads.items():
            if plan.get(what) != wanted:
                self.differs(entry, "its plan has another %s than the script" % what)
        params = plan.get("params") if isinstance(plan.get("params"), dict) else {}
        for name, spec in (script.get("params") or {}).items():
            if not takes(spec, params.get(name)):
                self.differs(entry, "parameter %s has a value that the script does not take" % name)
        if set(params) - set(script.get("params") or {}):
            self.differs(entry, "its plan has a parameter that the script does not have")
        written = [planned(n, step, params) for n, step in enumerate(script["steps"], 1)]
        found = [dict(step, instruction=None) for step in plan["steps"]]
        for n, (one, other) in enumerate(zip(written, found), 1):
            if one != other:
                self.differs(entry, "step %d of its plan is not what the script says" % n)
        if len(written) != len(found):
            self.differs(entry, "its plan has %d steps, the script %d" % (len(found), len(written)))

    def check_previous(self, entry):
        """It quotes the stored checkpoint of a cosigned size, the newest then; none where there is none."""
        previous = entry["data"].get("previous")
        if previous is None:
            if self.cosigned:
                self.differs(entry, "it names no head before it, although one was cosigned")
            return
        try:
            text = read_note(previous)[0] if isinstance(previous, str) else ""
            size = read_checkpoint(text)[1]
            stored = self.ledger.checkpoint(size) if 0 < size <= entry["seq"] else None
            good = stored is not None and read_note(stored)[0] == text
        except Refused:
            good = False
        if not good:
            self.differs(entry, "the head it quotes is none of this ledger")

    def check_statement(self, entry, step):
        """A statement bears no signature: who made it was called, in the roles that the step needs."""
        roll = {(one["person"], one["role"]) for one in self.custody.attending}
        said = [(one["person"], one["role"]) for one in entry["actors"]]
        wanted = [role for _, role in roll] if step["by"] == "everyone" else step["by"]
        given = [role for person, role in said if (person, role) in roll]
        if len(given) != len(said) or any(given.count(r) < wanted.count(r) for r in wanted):
            self.differs(entry, "step %d is stated by others than the roll call has" % step["n"])

    def check_roles(self, entry, plan):
        called = [one["role"] for one in self.custody.attending]
        roles = plan["roles"] if isinstance(plan.get("roles"), dict) else {}
        needed = {role: least if whole(least) else 0 for role, least in roles.items()}
        for role in self.open.witnesses:
            needed[role] = max(1, needed.get(role, 0))
        for role, least in needed.items():
            if called.count(role) < least:
                self.differs(entry, "fewer than %s x %s were at the roll call" % (least, role))

    def on_step_opened(self, entry):
        data, ceremony = entry["data"], self.open
        steps = ceremony.plan["steps"] if ceremony.plan else []
        step = next((s for s in steps if s["n"] == data.get("n")), None)
        nonce, purpose, shown = data.get("nonce"), data.get("purpose"), data.get("shown")
        bad = (
            step is None
            or step["id"] != entry["step"]
            or not isinstance(nonce, str)
            or purpose not in PURPOSES
            or nonce in self.nonces
        )
        if not bad and purpose == "step":
            anew = ceremony.reactivates(step["id"])
            waits = ceremony.doubt() and (step["id"] in ceremony.unsettled or not anew)
            over = ceremony.steps.get(step["id"]) == "completed" and not anew
            bad = waits or over
        if bad:
            self.find(entry, "order", "it opens no step of the plan")
            return
        self.nonces.add(nonce)
        if data.get("step") != digest_of(step):
            self.differs(entry, "it states another digest of the step")
        if self.step is not None and purpose in ("step", "adopt"):
            self.differs(entry, "step %(n)d was left without an outcome" % self.step["step"])
        subject = data.get("subject")
        self.step = {
            "seq": entry["seq"],
            "opened": "%d %s" % (entry["seq"] + 1, self.root),
            "nonce": nonce,
            "step": step,
            "digest": digest_of(step),
            "purpose": purpose,
            "subject": subject if isinstance(subject, str) else None,
            "shown": shown if isinstance(shown, list) else [],
            "begun": None,
        }
        if purpose == "step":
            self.check_order(entry, step)
            ceremony.steps[step["id"]], ceremony.codes[step["id"]] = "opened", None

    def check_order(self, entry, step):
        """Steps are performed in the plan's order (verdict.md, "Order")."""
        ceremony = self.open
        if ceremony.reactivates(step["id"]):
            return
        over = ("completed", "failed", "refused") if ceremony.drill else ("completed",)
        if ceremony.drill and step.get("always") is not True and ceremony.failed_before(step["n"]):
            self.differs(entry, "step %(n)d was performed although the drill had failed before it" % step)
        for other in ceremony.plan["steps"]:
            outcome = ceremony.steps.get(other["id"])
            early = other["n"] < step["n"] and outcome not in over
            if early or (other["n"] > step["n"] and outcome is not None):
                self.find(entry, "conformance", "step %(n)d, %(id)s, has another turn" % step)
                return

    # agreements

    def judge(self, entry, decision):
        """The people whose agreements count, as (person, role); every other one is a finding."""
        if self.step is None or self.open is None or self.open.plan is None:
            if entry["agreements"]:
                self.find(entry, "authority", "no step is open")
            return []
        step, plan = self.step, self.open.plan
        expected = {
            "origin": self.custody.origin,
            "ceremony": entry["ceremony"],
            "decision": decision,
            "plan": self.open.plan_digest,
            "step": "%d %s" % (step["step"]["n"], step["digest"]),
            "subject": step["subject"] or "-",
            "policy": self.custody.policy or "",
            "software": plan["software"]["sha256"],
            "opened": step["opened"],
            "nonce": step["nonce"],
        }
        agreed = []
        for note in entry["agreements"]:
            try:
                agreed.append(self.judge_one(entry, note, expected))
            except Refused as error:
                self.find(entry, "authority", str(error))
        return agreed

    def judge_one(self, entry, note, expected):
        said = read_agreement(note)
        person = said["person"]
        refuse((person in self.custody.former, "%s was taken off the roster" % person))
        if person in self.custody.people:
            self.custody.run_out(person, entry["time"])
        card = self.custody.cards.get(person) or self.candidate_card(entry, person)
        refuse((card is None, "%s is not on the roster" % person))
        sole_signer(note, card.signing)
        for name, value in expected.items():
            if said[name] != value:
                raise Refused("the agreement of %s is for another %s" % (person, name))
        now, expires = milliseconds(entry["time"]), milliseconds(said["expires"])
        minutes = self.policy["minutes"] if self.policy else 0
        refuse(
            (expires < now, "the agreement of %s had expired" % person),
            (expires > now + minutes * 60000, "the agreement of %s lives too long" % person),
        )
        return person, said["role"]

    def candidate_card(self, entry, person):
        try:
            intent = self.read_intent(entry)
        except Refused:
            return None
        candidate = intent.get("candidate")
        if isinstance(candidate, dict) and candidate.get("person") == person:
            return self.card(candidate.get("card"))
        return None

    def read_intent(self, entry):
        """What was shown and agreed to, or Refused."""
        intent = entry["data"].get("intent")
        intent = intent if isinstance(intent, dict) else {}
        subject = self.step["subject"]
        if subject is None:
            same = intent == {}
        else:
            same = subject_digest(intent, self.step["shown"]) == subject
        refuse((not same, "its intent is not what was shown and agreed to"))
        return intent

    def holds(self, person, role):
        return role in self.custody.people.get(person, {"roles": ()})["roles"]

    def enough(self, control, by, attending, agreed):
        """Refuses people who are not enough, or not those of the roll."""
        people = [person for person, _ in agreed]
        refuse((doubled(people), "one person agreed twice"))
        roll = {a["person"]: a["role"] for a in attending}
        for person, role in agreed:
            refuse((roll.get(person) != role, "%s does not attend as %s" % (person, role)))
        if control == "none":
            return
        refuse((len(people) < (1 if control == "single" else 2), "too few people agreed"))
        if by == "everyone":
            refuse((set(roll) - set(people), "somebody who attends did not agree"))
            return
        roles = [role for _, role in agreed]
        short = [role for role in by if roles.count(role) < by.count(role)]
        refuse((short, "nobody agreed as %s" % (short or [""])[0]))

    def check_people(self, control, step, begun, attending):
        for one in attending:
            refuse((not self.holds(one["person"], one["role"]), "%(person)s does not hold the role %(role)s" % one))
        refuse((doubled([one["person"] for one in attending]), "somebody is on the roll twice"))
        candidate = begun["candidate"]
        agreed = [a for a in begun["agreed"] if a[0] != candidate]
        if control == "dual":
            agreed = [a for a in agreed if a[1] not in ONLOOKERS]
        self.enough(control, step["by"], attending, agreed)

    # steps

    def on_step_begun(self, entry):
        if "group" in entry["data"]:
            begun = self.batch(entry)
            begun["items"].intend(entry["data"]["group"], entry["data"].get("items"))
            return
        opened = self.step
        settles = opened is not None and opened["purpose"] in ("finish", "undo")
        if (
            opened is None
            or opened["begun"] is not None
            or opened["step"]["id"] != entry["step"]
            or not (settles or opened["purpose"] == "step")
        ):
            self.find(entry, "order", "it begins a step that is not open")
            return
        step = opened["step"]
        doubt = self.open.unsettled.get(step["id"])
        if settles and doubt is None:
            self.find(entry, "order", "it settles a step that is not in doubt")
            return
        control = ACTIONS.get(step["action"], (None,))[0]
        if self.tail is not None and control != "everyone":
            self.find(entry, "order", "entries were not adopted before it")
            return
        agreed = self.judge(entry, opened["purpose"] if settles else "agree")
        if settles:
            begun = self.settling(entry, opened, agreed, doubt)
            self.check_people(control, step, begun, self.custody.attending)
        else:
            intent = self.read_intent(entry)
            candidate = intent.get("candidate")
            begun = {
                "seq": entry["seq"], "decision": "agree", "agreed": agreed, "intent": intent,
                "candidate": None, "items": Items(),
            }
            if isinstance(candidate, dict) and filled(candidate.get("person"), candidate.get("card")):
                begun["candidate"], begun["card"] = candidate["person"], candidate["card"]
            if control not in (None, "everyone"):
                self.check_people(control, step, begun, self.custody.attending)
        begun["items"].resume()
        opened["begun"] = begun
        self.open.items[step["id"]] = begun["items"]
        self.open.unsettled[step["id"]] = (entry["seq"], begun["intent"])
        self.open.steps[step["id"]] = "begun"

    def settling(self, entry, opened, agreed, doubt):
        data, (seq, intent) = entry["data"], doubt
        given = data.get("intent") if isinstance(data.get("intent"), dict) else {}
        settled = data.get("settled") if isinstance(data.get("settled"), dict) else {}
        about = {"begun": seq, "intent": intent, "settled": settled}
        refuse(
            (data.get("decision") != opened["purpose"], "the step was opened for something else"),
            (data.get("begun") != seq or given != intent, "it settles another attempt"),
            (
                subject_digest(about, opened["shown"]) != opened["subject"],
                "its data is not what was shown and agreed to",
            ),
        )
        items = self.open.items.get(opened["step"]["id"]) or Items()
        return {
            "seq": entry["seq"], "decision": opened["purpose"], "agreed": agreed, "intent": intent,
            "candidate": None, "items": items,
        }

    def batch(self, entry):
        opened = self.step
        refuse(
            (
                opened is None
                or opened["begun"] is None
                or entry["step"] != opened["step"]["id"]
                or entry["data"].get("n") != opened["step"]["n"],
                "it is of a batch of a step that was not begun",
            )
        )
        begun = opened["begun"]
        refuse(
            (entry["refs"].get("begun") != begun["seq"], "it refers to another beginning"),
            (begun["decision"] == "undo", "people agreed to undo the step"),
        )
        return begun

    def on_step_completed(self, entry):
        if "group" in entry["data"]:
            self.end_item(entry, True)
            return
        opened = self.step
        begun = opened and opened["begun"]
        refuse((not begun or entry["step"] != opened["step"]["id"], "it completes a step that was not begun"))
        refuse((begun["decision"] == "undo", "it completes a step that people agreed to undo"))
        self.end_step(entry, "completed")
        self.check_batch(entry, opened["step"], begun)
        if ACTIONS.get(opened["step"]["action"], ("",))[0] == "none":
            self.check_statement(entry, opened["step"])
        facts = self.authorised(entry, opened["step"], begun)
        borne = [fact["kind"] for fact in facts] + begun["items"].borne
        owed = owed_by(opened["step"]["action"], begun["intent"])
        left = [kind for kind in owed if borne.count(kind) < owed.count(kind)]
        refuse((left, "it leaves out %s, which people agreed to" % (left or [""])[0]))
        for fact in facts:
            if begun["agreed"]:
                self.agreed_at = milliseconds(entry["time"])
            self.apply(entry, fact, entry["ceremony"])
        if begun["agreed"]:
            self.agreed_at = milliseconds(entry["time"])

    def check_batch(self, entry, step, begun):
        """A batch is done when no item lacks its outcome and as many ended as people agreed to."""
        items, intent, agreed = begun["items"], begun["intent"], None
        for part in [intent] + [one for one in intent.values() if isinstance(one, dict)]:
            numbers = [part[name] for name in ("keys", "count") if whole(part.get(name))]
            if isinstance(part.get("keyList"), str) and numbers:
                agreed = numbers[0]
                break
        ended = len(items.done | items.ended)
        if items.doubtful or (agreed is not None and ended < agreed):
            self.differs(entry, "step %(n)d is said to be done, but not with every item" % step)

    def on_step_failed(self, entry):
        if "group" in entry["data"]:
            self.end_item(entry, False)
        else:
            self.end_step(entry, "failed")

    def on_step_refused(self, entry):
        self.check_refusal(entry)
        self.end_step(entry, "refused")

    def check_refusal(self, entry):
        """A refusal ends nothing that has begun or is done; only a drill that has failed leaves steps out."""
        ceremony, id = self.open, entry["step"]
        steps = ceremony.plan["steps"] if ceremony.plan else []
        step = next((one for one in steps if one["id"] == id), None)
        if step is None:
            self.differs(entry, "it refuses a step that the plan does not have")
            return
        mine = self.step if self.step is not None and self.step["step"]["id"] == id else None
        over = mine is None and ceremony.steps.get(id) == "completed" and not ceremony.reactivates(id)
        if over or (mine is not None and mine["begun"] is not None):
            self.differs(entry, "step %(n)d is refused after it had begun" % step)
        if entry["data"].get("code") != "halted.step-skipped":
            return
        allowed = ceremony.drill and step.get("always") is not True and ceremony.failed_before(step["n"])
        if not allowed:
            self.differs(entry, "step %(n)d is left out, and nothing lets it" % step)

    def end_item(self, entry, completed):
        begun, data = self.batch(entry), entry["data"]
        items, item = begun["items"], data.get("item")
        awaited = isinstance(item, str) and item in items.awaited and data["group"] == items.awaited[item]
        refuse((not awaited, "it is the outcome of an item that was not intended"))
        if completed:
            step = self.step["step"]
            facts = self.authorised(entry, step, begun)
            refuse((not facts and ACTIONS[step["action"]][1] != "", "it bears no fact"))
            for fact in facts:
                other = HEX64(item) and fact.get("spki", item) != item
                refuse(
                    (other, "a fact is about another key than the item"),
                    (fact.get("ckaId", items.doubtful[item]) != items.doubtful[item], "another CKA_ID"),
                )
            taken = [self.apply(entry, fact, entry["ceremony"]) for fact in facts]
            if not all(taken):
                return
            kinds = [fact["kind"] for fact in facts]
        items.end(item, completed, kinds if completed else ())

    def end_step(self, entry, outcome):
        ceremony = self.open
        if self.step is None or self.step["step"]["id"] != entry["step"]:
            planned = ceremony.plan is not None and any(s["id"] == entry["step"] for s in ceremony.plan["steps"])
            if outcome == "refused" and planned and entry["step"] not in ceremony.steps:
                ceremony.steps[entry["step"]] = "refused"
                ceremony.codes[entry["step"]] = entry["data"].get("code")
            return
        begun, step = self.step["begun"], self.step["step"]["id"]
        if begun is None and self.step["purpose"] != "step":
            self.step = None
            return
        if outcome == "refused" and begun is not None:
            return
        undone = begun and begun["decision"] == "undo" and entry["data"].get("code") == "halted.undone"
        if outcome == "completed" or undone:
            ceremony.unsettled.pop(step, None)
            ceremony.items.pop(step, None)
        ceremony.steps[step] = outcome
        # Why it had failed still holds when what it left is taken back.
        code = None if outcome == "completed" else entry["data"].get("code")
        if code != "halted.undone" or ceremony.codes.get(step) is None:
            ceremony.codes[step] = code
        self.step = None

    # facts

    def authorised(self, entry, step, begun):
        """The facts of an entry when all of them have authority."""
        for fact in entry["facts"]:
            forms = FACTS.get(fact["kind"])
            refuse((forms is None, "there is no fact %s" % fact["kind"]))
            refuse((not has_form(bare(fact), forms), "%s is malformed" % fact["kind"]))
        control, kinds = ACTIONS.get(step["action"], (None, ""))
        refuse((control is None, "there is no action %s" % step["action"]))
        for fact in entry["facts"]:
            refuse((fact["kind"] not in kinds.split(), "%s cannot establish %s" % (step["action"], fact["kind"])))
            late = self.gap and fact["kind"] not in BEFORE_CLOCK
            refuse((late, "the clock jumped more than 30 days and nobody attested it"))
        roll = next((f for f in entry["facts"] if f["kind"] == "people.present"), None)
        self.check_people(control, step, begun, roll["attending"] if roll else self.custody.attending)
        for one in roll["attending"] if roll else ():
            self.custody.run_out(one["person"], entry["time"])
        for fact in entry["facts"]:
            if fact["kind"] == "person.enrolled":
                same = (begun["candidate"], begun.get("card")) == (fact["person"], fact["card"])
                proved = any(person == fact["person"] for person, _ in begun["agreed"])
                refuse((not same or not proved, "nobody agreed to enrol %(person)s so" % fact))
            check_agreed(fact, step["with"], begun["intent"], self.key_list, step["action"])
            if fact["kind"] == "csr.made":
                part = self.attached(fact["sha256"], signed_part)
                other = part not in (None, begun["intent"].get("sha256"))
                refuse((other, "the request is not what people agreed to"))
            profiles = self.open.plan.get("profiles") or {}
            named = profiles.get(fact.get("profile"))
            refuse((fact.get("profileSha256", named) != named, "the profile is not the plan's"))
        other = roll is not None and roll["bindings"] != self.open.plan["bindings"]
        refuse((other, "the roll was called under another site.yaml"))
        return entry["facts"]

    def apply(self, entry, fact, ceremony):
        """Whether custody took the fact; otherwise a finding."""
        kind, policy = fact["kind"], None
        try:
            if kind == "policy.adopted":
                policy = self.attached(fact["sha256"], read_policy)
                refuse((policy is None, "the policy is not attached or not valid"))
            if kind == "person.enrolled":
                self.check_separate(fact["roles"])
            if kind == "key.generated":
                begin, size = SPKI_FORMS[fact["algorithm"]]
                spki = self.attached(fact["spki"], lambda data: data)
                good = spki is None or (len(spki) == size and spki.hex().startswith(begin))
                refuse((not good, "the attached public key is of another algorithm"))
            if self.policy is not None:
                against_policy(self.policy, fact, self.custody.assurance)
            self.custody.apply(fact, ceremony, entry["time"], self.card)
        except Refused as error:
            self.find(entry, "custody", "%s is not taken: %s" % (kind, error))
            return False
        if policy is not None:
            self.policy, self.custody.required = policy, policy["dates"]
        if kind == "clock.attested":
            self.gap = False
            if self.open is not None:
                self.open.again.clear()
        if self.open is not None:
            if kind == "token.activated" and entry["step"] is not None:
                self.open.activations[fact["token"]] = (entry["step"], True)
            if kind in ("token.deactivated", "token.retired"):
                self.open.activations.pop(fact["token"], None)
        return True

    def check_separate(self, roles):
        for group in (self.policy or {"separate": []})["separate"]:
            held = [role for role in group if role in roles]
            alone = len(group) == 1 and held and len(roles) > 1
            refuse((len(held) > 1 or alone, "the policy keeps these roles apart"))

    # decisions, close

    def decided(self, entry, purpose, decision):
        agreed = self.judge(entry, decision)
        for person, role in agreed:
            refuse((not self.holds(person, role), "%s does not hold the role %s" % (person, role)))
        roll = [{"person": p, "role": r} for p, r in agreed]
        attending = (self.custody.attending or roll) if purpose == "resume" else roll
        self.enough("dual", [], attending, [a for a in agreed if a[1] not in ONLOOKERS])
        step = self.step
        refuse(
            (step is None or step["purpose"] != purpose, "the step was opened for something else"),
        )
        same = subject_digest(entry["data"], step["shown"]) == step["subject"]
        refuse((not same, "its data is not what was shown and agreed to"))
        self.step = None

    def on_tail_adopted(self, entry):
        tail, data = self.tail, entry["data"]
        if tail is None or (data.get("from"), data.get("to")) != tail:
            self.find(entry, "order", "it adopts entries that nobody has to adopt")
            return
        self.decided(entry, "adopt", "adopt %d" % tail[1])
        self.explained, self.tail = tail[1], None
        self.findings.adopt(lambda finding: self.is_stray(finding, tail))

    def is_stray(self, finding, tail):
        """Said by the fold of an entry that no ceremony explains, among those that were read out."""
        seq, folded = finding["seq"], finding["code"] in ("authority", "order", "custody")
        return folded and tail[0] <= seq < tail[1] and seq not in self.own

    def on_plan_amended(self, entry):
        plan, data = self.open.plan, entry["data"]
        modules = data.get("modules", [])
        good = plan is not None and HEX64(data.get("software")) and HEX64(data.get("bindings"))
        good = good and isinstance(modules, list) and all(
            isinstance(one, dict) and isinstance(one.get("module"), str) and HEX64(one.get("sha256")) for one in modules
        )
        if not good:
            self.find(entry, "order", "it does not say with what software, bindings and modules")
            return
        # People agree to the machine that it names, and from then on everybody does.
        software = dict(plan["software"], sha256=data["software"])
        self.open.plan = dict(plan, software=software, bindings=data["bindings"])
        try:
            self.decided(entry, "resume", "agree")
        except Refused:
            self.open.plan = plan
            raise
        self.step = None
        self.custody.active = set()
        for token, (step, _) in list(self.open.activations.items()):
            self.open.activations[token] = (step, False)
        self.called_anew(plan["steps"])

    def called_anew(self, steps):
        """A roll call that had begun has called nobody; after a long time the clock is attested once more."""
        for step in steps:
            everyone = ACTIONS.get(step["action"], (None,))[0] == "everyone"
            if everyone and self.open.unsettled.pop(step["id"], None) is not None:
                self.open.items.pop(step["id"], None)
                self.open.steps[step["id"]] = "opened"
        attests = [
            step["id"] for step in steps
            if self.open.steps.get(step["id"]) == "completed"
            and "clock.attested" in ACTIONS.get(step["action"], (None, ""))[1].split()
        ]
        if self.gap and attests:
            self.open.again.add(attests[0])

    def on_clock_attested(self, entry):
        if self.open is not None and self.open.id == entry["ceremony"]:
            self.differs(entry, "its type is not used")

    def on_ceremony_closed(self, entry):
        if self.open.doubt() or self.tail is not None:
            self.find(entry, "order", "it closes a ceremony that cannot be closed")
            return
        if self.custody.owed():
            self.find(entry, "custody", "it leaves a key extractable and no deviation allows it")
        if entry["data"].get("custody") != digest_of(self.custody.json()):
            self.find(entry, "custody", "the custody it states is not what the entries establish")
        self.complete(entry)
        self.end(entry, "closed")

    def complete(self, entry):
        """A closed ceremony performed every step of its plan; in a drill each has ended, or was left out on record."""
        plan = self.open.plan
        if plan is None or not plan["steps"]:
            return
        self.check_roles(entry, plan)
        last = plan["steps"][-1]
        if (last["action"], last["id"]) != ("close", entry["step"]):
            self.differs(entry, "it is closed in a step that is not the plan's last")
        over = ("completed", "failed", "refused") if self.open.drill else ("completed",)
        for step in plan["steps"]:
            if step["action"] != "close" and self.open.steps.get(step["id"]) not in over:
                self.differs(entry, "step %(n)d, %(id)s, was not performed" % step)

    def on_ceremony_abandoned(self, entry):
        if self.open.acted():
            self.decided(entry, "abandon", "abandon")
        self.end(entry, "abandoned")

    def end(self, entry, state):
        self.open.state = state
        self.open = self.step = None
        roll = [one["person"] for one in self.custody.attending]
        self.custody.end_ceremony()
        size = entry["seq"] + 1
        if self.is_cosigned(size, entry["time"], roll):
            self.cosigned = size
            if self.tail is None:
                self.explained = size

    def is_cosigned(self, size, at, roll):
        """By two who could act then; whoever is on the roll could act when it was called, which is enough."""
        note = self.ledger.checkpoint(size)
        if note is None:
            return False
        text, people = read_note(note)[0], set()
        for line in self.ledger.cosignatures(size):
            try:
                name, key_id, payload = read_line(line)
            except Refused:
                continue
            for person, card in self.custody.cards.items():
                if person not in roll and not self.custody.able(person, at):
                    continue
                key = card.cosigning
                if (name, key_id) == (key.name, key.id) and key.verifies(text, payload):
                    people.add(person)
        return len(people) >= 2


# ---------------------------------------------------------------- the ledger as a whole ("Verifying")


def cited_digests(entry):
    data, found = entry["data"], []
    if entry["type"] == "ceremony.opened":
        found += [data.get(name) for name in ("script", "plan", "bindings", "policy")]
    if entry["type"] == "ledger.created":
        found.append(data.get("genesis"))
    if entry["type"] == "plan.amended":
        found.append(data.get("bindings"))
    if entry["type"] in ("ceremony.closed", "ceremony.abandoned"):
        found.append(data.get("transcript"))
    if entry["type"] in ("ledger.created", "step.completed"):
        found += [fact.get(name) for fact in entry["facts"] for name in CITED.get(fact["kind"], [])]
    intent = data.get("intent")
    if entry["type"] == "step.begun" and isinstance(intent, dict):
        parts = [intent] + [part for part in intent.values() if isinstance(part, dict)]
        found += [part.get("keyList") for part in parts]
    return [one for one in found if isinstance(one, str)]


def cited_types(entry):
    """Pairs of digest and the media type that what is cited must be stored as."""
    found = []
    if entry["type"] == "step.begun":
        found += [(sha, "application/json") for sha in cited_digests(entry)]
    elif entry["type"] != "step.completed":
        found += [(entry["data"].get(name), kind) for name, kind in DATA_TYPES.items()]
    for fact in entry["facts"]:
        found += [(fact.get(name), kind) for name, kind in FACT_TYPES.get(fact["kind"], {}).items()]
    return found


class Verdict:
    def __init__(self, ledger, findings):
        self.ledger, self.findings = ledger, findings
        self.size, self.root, self.bodies, self.roots = 0, sha256(b"").hex(), [], {}
        self.history = self.genesis = None


def attached_genesis(ledger):
    row = ledger.rows("SELECT body FROM entries WHERE seq = 0").fetchone()
    refuse((row is None, "the ledger is empty"))
    entry = read_entry(bytes(row[0]))
    data = ledger.attachment(str(entry["data"].get("genesis")))
    refuse((data is None, "the genesis is not attached"))
    return Genesis(data)


def verify_ledger(ledger, findings, keep=None):
    """Recomputes everything from the bytes of the entries. `keep` takes (body, leaf) of each."""
    verdict = Verdict(ledger, findings)
    try:
        genesis = verdict.genesis = attached_genesis(ledger)
    except Refused as error:
        findings.add("genesis", "the ledger cannot be judged: %s" % error)
        return verdict
    if ledger.origin != genesis.origin:
        findings.add("origin.differs", "the file is of %s" % ledger.origin)
    check_attachments(ledger, findings)
    history = verdict.history = History(ledger, genesis, findings)
    stored = ledger.rows("SELECT sha256, mediaType FROM attachments")
    have = {utf8(sha, "a digest"): utf8(kind, "a media type") for sha, kind in stored}
    tree, last = Tree(), ""
    nodes = ledger.rows("SELECT pos, hash FROM nodes ORDER BY pos")
    notes = ledger.rows("SELECT size, note FROM checkpoints ORDER BY size")
    note, pos, before = notes.fetchone(), 0, None
    for seq, body in ledger.rows("SELECT seq, body FROM entries ORDER BY seq"):
        if seq != tree.size:
            findings.add("entry.missing", "entry %d is missing" % tree.size, tree.size)
            break
        body = bytes(body)
        leaf = leaf_hash(body)
        for node in tree.append(leaf):
            if nodes.fetchone() != (pos, node):
                findings.add("node.differs", "the tree nodes of entry %d differ" % seq, seq)
            pos += 1
        verdict.roots[tree.size] = tree.root().hex()
        if keep is not None:
            keep(body, leaf)
        entry = check_entry(body, seq, ledger.origin, last, findings)
        if getattr(verdict, "covered", 0) != seq and not may_share(before, entry):
            findings.add("checkpoint.missing", "no checkpoint right after entry %d" % (seq - 1), seq - 1)
        before = entry
        if entry is not None:
            last = entry["time"]
            history.take(entry, verdict.roots[tree.size])
            for sha in cited_digests(entry):
                if sha not in have:
                    findings.add("attachment.missing", "entry %d cites %s" % (seq, sha), seq)
            for sha, kind in cited_types(entry):
                if have.get(sha, kind) != kind:
                    text = "entry %d: the attachment %s is stored as something else" % (seq, sha)
                    findings.add("attachment.type", text, seq)
                    have[sha] = kind
        while note is not None and note[0] <= tree.size:
            check_checkpoint(note, tree, genesis, findings)
            note, last_covered = notes.fetchone(), note[0]
            verdict.covered = last_covered
    if note is not None:
        findings.add("entry.missing", "entry %d is missing: a checkpoint covers it" % tree.size, tree.size)
    if nodes.fetchone() is not None:
        findings.add("node.differs", "there are tree nodes beyond the last entry")
    if getattr(verdict, "covered", 0) != tree.size:
        findings.add("checkpoint.missing", "no checkpoint covers the last entries", tree.size - 1)
    check_cosignatures(ledger, history.custody.all_cards(), findings)
    verdict.size, verdict.root = tree.size, tree.root().hex()
    return verdict


def may_share(before, entry):
    """Whether one transaction may hold both: the outcome of a batch's item, and more of that batch."""
    if before is None or entry is None:
        return True
    return (
        before["type"] in ("step.completed", "step.failed")
        and isinstance(before["data"].get("item"), str)
        and entry["ceremony"] == before["ceremony"]
        and entry["refs"].get("begun") == before["refs"].get("begun")
        and isinstance(entry["data"].get("group"), int)
    )


def check_entry(body, seq, origin, last, findings):
    try:
        entry = read_entry(body)
    except Refused as error:
        findings.add("entry.damaged", "entry %d: %s" % (seq, error), seq)
        return None
    if entry["seq"] != seq:
        findings.add("entry.misplaced", "where entry %d should be stands another" % seq, seq)
    if entry["origin"] != origin:
        findings.add("entry.origin", "entry %d is of another ledger" % seq, seq)
    if entry["time"] < last:
        findings.add("entry.time", "entry %d is earlier than the one before it" % seq, seq)
    return entry


def check_checkpoint(row, tree, genesis, findings):
    size = row[0]
    try:
        text, lines = read_note(utf8(row[1], "a checkpoint"))
        origin, stated, root = read_checkpoint(text)
        refuse(
            ((origin, stated) != (genesis.origin, size), "it states another origin or size"),
            (len(lines) != 1, "it does not bear exactly the ledger's own signature"),
        )
        refuse((not signed_by(text, lines, genesis.key), "it is not signed by the ledger's key"))
    except Refused as error:
        findings.add("checkpoint.signature", "checkpoint %d: %s" % (size, error), size - 1)
        return
    if size != tree.size or root != tree.root():
        findings.add("checkpoint.root", "entries differ from what checkpoint %d was signed for" % size)


def check_attachments(ledger, findings):
    for name, data in ledger.rows("SELECT sha256, bytes FROM attachments"):
        if digest(bytes(data)) != utf8(name, "a digest"):
            findings.add("attachment.differs", "an attachment does not have its digest")


def check_cosignatures(ledger, cards, findings):
    """Each is one; those that bear the key of somebody on the roster verify."""
    known = {(card.cosigning.name, card.cosigning.id): card.cosigning for card in cards.values()}
    for size, line in ledger.rows("SELECT size, line FROM cosignatures"):
        try:
            refuse((ledger.checkpoint(size) is None, "there is no checkpoint of size %d" % size))
            name, key_id, payload = read_line(utf8(line, "a cosignature"))
            refuse((len(payload) != 72, "it is no cosignature"))
        except Refused as error:
            findings.add("cosignature.malformed", "a cosignature on size %d: %s" % (size, error))
            continue
        key = known.get((name, key_id))
        try:
            text = read_note(ledger.checkpoint(size))[0]
        except Refused:
            continue  # A checkpoint that cannot be read is a finding already.
        if key is not None and not key.verifies(text, payload):
            text = "the cosignature of %s on size %d does not verify" % (name, size)
            findings.add("cosignature", text, size - 1)


def check_trust(text, genesis, findings):
    if any(line.startswith("# A COPY:") for line in text.split("\n")):
        raise SystemExit("verify.py: the trust file came out of a bundle: it cannot vouch for it")
    lines = [line for line in text.split("\n") if line and not line.startswith("#")]
    named = [line[8:] for line in lines if line.startswith("genesis ")]
    keys = [line for line in lines if not line.startswith("genesis ")]
    if len(named) != 1 or not HEX64(named[0]):
        raise SystemExit("verify.py: the trust file must hold one line \"genesis <sha256>\"")
    if named[0] != genesis.sha256:
        findings.add("trust", "the genesis is %s, you trust %s" % (genesis.sha256, named[0]))
    if keys and genesis.key_text not in keys:
        findings.add("trust", "the ledger's key is not among the keys you trust")


def check_head(note, verdict, findings):
    genesis = verdict.genesis
    try:
        text, lines = read_note(note)
        origin, size, root = read_checkpoint(text)
        refuse((origin != genesis.origin, "it is of another ledger"))
        refuse((not signed_by(text, lines, genesis.key), "it is not signed by the ledger's key"))
        empty = sha256(b"").hex()
        found = verdict.roots.get(size, empty if size == 0 else None)
        refuse(
            (found is None, "the ledger is shorter: entry %d is the first missing one" % verdict.size),
            (found != root.hex(), "the ledger differs, at one of entries 0 to %d" % (size - 1)),
        )
    except Refused as error:
        findings.add("head", "a head: %s" % error)


# ---------------------------------------------------------------- bundles (bundle.md)

PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*(/[A-Za-z0-9][A-Za-z0-9._~-]*)*")
OF_THE_TOOL = re.compile(r"README\.txt|verify\.py|tools\.json|controls\.json|trust\.txt|archive\.json|report\.[a-z]+")


def plain_path(path):
    return PLAIN.fullmatch(path) is not None and len(path) <= 100 and ".." not in path


def unpack(path, target):
    """Unpacks a .tar of regular files with plain names; everything else is refused."""
    with open(path, "rb") as tar:
        while True:
            head = tar.read(512)
            if len(head) < 512:
                raise Refused("the .tar ends in the middle")
            if head == b"\0" * 512:
                rest = tar.read(513)
                if rest != b"\0" * 512:
                    raise Refused("something follows the end of the .tar")
                return
            name = head[:100].rstrip(b"\0").decode("utf-8", "replace")
            size = head[124:135].decode("ascii", "replace")
            plain = head[156:157] == b"0" and head[157:257] == b"\0" * 100
            total = sum(head) - sum(head[148:156]) + 8 * 32
            good = plain and re.fullmatch(r"[0-7]{11}", size) and head[257:265] == b"ustar\x0000"
            if not good or head[148:154] != b"%06o" % total or head[345:] != b"\0" * 167:
                raise Refused("the .tar has a header of another form")
            if not name.startswith("bundle/") or not plain_path(name):
                raise Refused("the .tar holds a name that is not plain")
            copy(tar, os.path.join(target, name[len("bundle/") :]), int(size, 8))


def copy(tar, path, size):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        raise Refused("the .tar holds a name twice")
    with open(path, "wb") as out:
        rest = size
        while rest > 0:
            part = tar.read(min(rest, 1 << 20))
            if not part:
                raise Refused("the .tar ends in the middle")
            out.write(part)
            rest -= len(part)
    padding = -size % 512
    if tar.read(padding) != b"\0" * padding:
        raise Refused("the .tar is filled with something")


def files_below(root):
    found = []
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            inner = os.path.relpath(path, root).replace(os.sep, "/")
            if not plain_path(inner) or not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
                raise Refused("%s does not belong in a bundle" % inner)
            if stat.S_ISREG(mode):
                found.append(inner)
    return found


def file_digest(path):
    hashed = hashlib.sha256()
    with open(path, "rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            hashed.update(part)
    return hashed.hexdigest()


def check_listing(root):
    """The manifest, when the files of a bundle are those it lists."""
    with open(os.path.join(root, "bundle.json"), "rb") as file:
        manifest = read_canonical(file.read())
    names = "keyrite origin assurance size root cosigned time tool files".split()
    refuse((not isinstance(manifest, dict) or set(manifest) != set(names), "bundle.json is malformed"))
    refuse((manifest["keyrite"] != "bundle/v1", "bundle.json is of another version"))
    forms = shaped(path=plain_path, sha256=HEX64, bytes=at_least(0))
    refuse((not listed(forms)(manifest["files"]), "bundle.json lists what is no file"))
    paths = [one["path"] for one in manifest["files"]]
    refuse((paths != sorted(set(paths)), "bundle.json is not sorted, or lists a file twice"))
    found = set(files_below(root)) - {"bundle.json"}
    for path in sorted(found ^ set(paths)):
        raise Refused("%s is missing, or not listed" % path)
    for one in manifest["files"]:
        if file_digest(os.path.join(root, one["path"])) != one["sha256"]:
            raise Refused("%s is not the file that bundle.json lists" % one["path"])
    refuse(("ledger.db" not in paths, "the bundle holds no ledger.db"))
    return manifest


class Tiles:
    """Digests of the tiles that follow from the entries (C2SP tlog-tiles)."""

    def __init__(self):
        self.digests, self.levels, self.bundle, self.bundles = {}, [], b"", 0
        self.width = 0

    def path(self, level, index, width):
        groups = ["%03d" % (index % 1000)]
        while index >= 1000:
            index //= 1000
            groups.insert(0, "x%03d" % (index % 1000))
        return "tile/%s/%s%s" % (level, "/".join(groups), "" if width == 256 else ".p/%d" % width)

    def take(self, body, leaf):
        self.bundle += len(body).to_bytes(2, "big") + body
        self.width += 1
        if self.width == 256:
            self.end_bundle()
        self.grow(0, leaf)

    def end_bundle(self):
        self.digests[self.path("entries", self.bundles, self.width)] = digest(self.bundle)
        self.bundle, self.width, self.bundles = b"", 0, self.bundles + 1

    def grow(self, level, node):
        if level == len(self.levels):
            self.levels.append([b"", 0])
        row = self.levels[level]
        row[0] += node
        if len(row[0]) == 256 * 32:
            self.digests[self.path(level, row[1], 256)] = digest(row[0])
            tree = Tree()
            for at in range(0, len(row[0]), 32):
                tree.append(row[0][at : at + 32])
            self.levels[level] = [b"", row[1] + 1]
            self.grow(level + 1, tree.root())

    def end(self):
        if self.width:
            self.end_bundle()
        for level, (hashes, full) in enumerate(self.levels):
            if hashes:
                self.digests[self.path(level, full, len(hashes) // 32)] = digest(hashes)
        return self.digests


def is_stamp(ledger, path, sha):
    """An answer of a time-stamping authority (RFC 3161) on a checkpoint; what it says is not looked at."""
    found = re.fullmatch(r"timestamps/([1-9][0-9]{0,15})-([0-9a-f]{8})\.tsr", path)
    return found and sha.startswith(found[2]) and ledger.checkpoint(int(found[1])) is not None


def check_derived(root, manifest, verdict, tiles, findings):
    """Every file follows from the ledger, but for what the tool wrote about it."""
    listed_files = {one["path"]: one["sha256"] for one in manifest["files"]}
    expected = tiles.end()
    ledger = verdict.ledger
    lines = {}
    for size, line in ledger.rows("SELECT size, line FROM cosignatures ORDER BY size, line"):
        lines.setdefault(size, []).append(utf8(line, "a cosignature") + "\n")
    for size in set(lines) | {verdict.size}:
        note = (ledger.checkpoint(size) or "") + "".join(lines.get(size, []))
        if size in lines:
            expected["checkpoints/%d" % size] = digest(note)
        if size == verdict.size:
            expected["checkpoint"] = digest(note)
    attached = {utf8(row[0], "a digest") for row in ledger.rows("SELECT sha256 FROM attachments")}
    for path, sha in listed_files.items():
        if path in expected:
            good = expected.pop(path) == sha
        else:
            good = path == "ledger.db" or OF_THE_TOOL.fullmatch(path) or sha in attached
            good = good or is_stamp(ledger, path, sha)
        if not good:
            findings.add("bundle", "%s does not follow from the ledger in the bundle" % path)
    for path in expected:
        findings.add("bundle", "%s is missing" % path)
    for sha in attached - set(listed_files.values()):
        findings.add("bundle", "the attachment %s is not among the files" % sha)
    stated = (manifest["origin"], manifest["size"], manifest["root"], manifest["cosigned"])
    history = verdict.history
    found = (ledger.origin, verdict.size, verdict.root, history.cosigned if history else 0)
    if stated != found:
        findings.add("bundle", "bundle.json states another origin, size, root or cosigned size")


# ---------------------------------------------------------------- the command


def judge(place, findings):
    """The verdict on a ledger or a bundle; what is refused as a whole is one finding."""
    scratch = None
    try:
        if os.path.isfile(place) and not is_sqlite(place):
            scratch = tempfile.mkdtemp(prefix="keyrite-verify-")
            unpack(place, scratch)
            place = scratch
        if os.path.isdir(place) and os.path.exists(os.path.join(place, "bundle.json")):
            manifest, tiles = check_listing(place), Tiles()
            ledger = Ledger(os.path.join(place, "ledger.db"))
            verdict = verify_ledger(ledger, findings, tiles.take)
            if verdict.history is not None:
                check_derived(place, manifest, verdict, tiles, findings)
            return verdict
        path = os.path.join(place, "ledger.db") if os.path.isdir(place) else place
        return verify_ledger(Ledger(path), findings)
    except (Refused, sqlite3.Error, OSError, ValueError) as error:
        findings.add("file.unreadable", str(error))
        return None
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


def is_sqlite(path):
    with open(path, "rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def options(arguments):
    place, trust, heads, as_json = None, None, [], False
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in ("--trust", "--head") and rest:
            value = rest.pop(0)
            if word == "--trust":
                trust = value
            else:
                heads.append(value)
        elif word == "--json":
            as_json = True
        elif word.startswith("-") or place is not None:
            return None
        else:
            place = word
    return None if place is None or not os.path.exists(place) else (place, trust, heads, as_json)


def read_text(path):
    with open(path, "rb") as file:
        return file.read(1 << 20).decode("utf-8")


def main(arguments):
    chosen = options(arguments)
    if chosen is None:
        sys.stderr.write(__doc__)
        return 2
    place, trust, heads, as_json = chosen
    findings = Findings()
    verdict = judge(place, findings)
    if verdict is not None and verdict.genesis is not None:
        if trust is not None:
            check_trust(read_text(trust), verdict.genesis, findings)
        for head in heads:
            check_head(read_text(head), verdict, findings)
    show(verdict, findings, trust, heads, as_json)
    return 6 if findings.all else 0


def show(verdict, findings, trust, heads, as_json):
    history = verdict.history if verdict is not None else None
    said = {
        "schema": "keyrite/verify-py/v1",
        "consistent": not findings.all,
        "anchored": trust is not None and not any(f["code"] == "trust" for f in findings.all),
        "origin": verdict.ledger.origin if verdict is not None else None,
        "size": verdict.size if verdict is not None else 0,
        "root": verdict.root if verdict is not None else None,
        "cosigned": history.cosigned if history is not None else 0,
        "ceremonies": [
            {"id": c.id, "state": c.state} for c in (history.ceremonies.values() if history else [])
        ],
        "findings": findings.all,
        "adopted": findings.adopted,
    }
    if as_json:
        print(json.dumps(said, indent=2))
        return
    print("Ledger %s, %d entries, root %s" % (said["origin"], said["size"], said["root"]))
    for ceremony in said["ceremonies"]:
        print("  %(id)s  %(state)s" % ceremony)
    for finding in findings.all:
        print("FINDING %s" % ascii(finding["text"])[1:-1])
    for finding in findings.adopted:
        print("Adopted unbelieved: %s" % ascii(finding["text"])[1:-1])
    if trust is None:
        print("Not excluded: that the whole ledger was made up: give --trust, from the genesis sheet")
    if not heads:
        print("Not excluded: that its end was cut off: give --head, a head that somebody carries")
    if history is not None and history.cosigned < said["size"]:
        print("Not excluded: entries from %d on are not cosigned" % history.cosigned)
    anchored = "" if said["anchored"] else " (not anchored)"
    print("Verdict: %s%s" % ("CONSISTENT" if said["consistent"] else "NOT CONSISTENT", anchored))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
