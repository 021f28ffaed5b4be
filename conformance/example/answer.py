"""An implementation that answers questions of the conformance vectors (../README.md): canonical JSON and the spelling of digests, no more.

It is an example of the exchange, and of how little it takes: one JSON object a line in, one a line out. Run it with
writ conformance run --exec 'python3 answer.py' --group jcs --group key
"""

import base64
import json
import sys
import unicodedata

MAX_SIZE, MAX_DEPTH, MAX_INT = 256 << 10, 32, 2**53 - 1


class Refused(Exception):
    """A reason code, and the JSON Pointer of the place."""

    def __init__(self, reason, pointer=""):
        super().__init__(reason)
        self.reason, self.pointer = reason, pointer

    def below(self, token):
        return Refused(self.reason, "/" + str(token).replace("~", "~0").replace("/", "~1") + self.pointer)


class Reader:
    """Strict JSON as the documents of Writ are written (spec/protocol.md, section 2)."""

    def __init__(self, data):
        if len(data) > MAX_SIZE:
            raise Refused("json-size")
        self.data, self.at = data, 0

    def peek(self):
        return self.data[self.at : self.at + 1]

    def space(self):
        while self.peek() and self.peek() in b" \t\r\n":
            self.at += 1

    def take(self, byte):
        if self.peek() != byte:
            return False
        self.at += 1
        return True

    def document(self):
        self.space()
        if self.peek() and self.peek() in b'["tfn-0123456789':
            raise Refused("json-not-object")
        value = self.value(1)
        self.space()
        if self.at < len(self.data):
            raise Refused("json-trailing-data")
        return value

    def value(self, depth):
        c = self.peek()
        if c and c in b"{[":
            if depth > MAX_DEPTH:
                raise Refused("json-depth")
            self.at += 1
            return self.object(depth) if c == b"{" else self.array(depth)
        if c == b'"':
            return self.text()
        for word, value in ((b"true", True), (b"false", False), (b"null", None)):
            if self.data.startswith(word, self.at):
                if value is None:
                    raise Refused("json-null")
                self.at += len(word)
                return value
        return self.number()

    def object(self, depth):
        members = []
        self.space()
        more = not self.take(b"}")
        while more:
            if self.peek() != b'"':
                raise Refused("json-syntax")
            name = self.text()
            self.space()
            if not self.take(b":"):
                raise Refused("json-syntax").below(name)
            self.space()
            try:
                members.append((name, self.value(depth + 1)))
            except Refused as r:
                raise r.below(name)
            more = self.more(b"}")
        if not members:
            raise Refused("json-empty")
        return self.distinct(members)

    @staticmethod
    def distinct(members):
        members.sort(key=lambda m: m[0].encode("utf-16-be"))
        names = [name for name, _ in members]
        for name, after in zip(names, names[1:]):
            if name == after:
                raise Refused("json-duplicate-name").below(name)
        seen = set()
        for name in names:
            if name.lower() in seen:
                raise Refused("json-case-variant").below(name)
            seen.add(name.lower())
        return dict(members)

    def array(self, depth):
        elements = []
        self.space()
        more = not self.take(b"]")
        while more:
            try:
                elements.append(self.value(depth + 1))
            except Refused as r:
                raise r.below(len(elements))
            more = self.more(b"]")
        if not elements:
            raise Refused("json-empty")
        return elements

    def more(self, end):
        """Reads what follows an element: a comma, after which more is to come, or the end."""
        self.space()
        if self.take(end):
            return False
        if not self.take(b","):
            raise Refused("json-syntax")
        self.space()
        return True

    def number(self):
        start = self.at
        self.take(b"-")
        if not self.take(b"0"):
            self.digits()
        whole = True
        if self.take(b"."):
            whole = False
            self.digits()
        if self.peek() and self.peek() in b"eE":
            whole, self.at = False, self.at + 1
            if self.peek() and self.peek() in b"+-":
                self.at += 1
            self.digits()
        literal = self.data[start : self.at]
        if not whole or literal == b"-0" or len(literal) > 17 or abs(int(literal)) > MAX_INT:
            raise Refused("json-number")
        return int(literal)

    def digits(self):
        start = self.at
        while self.peek() and self.peek() in b"0123456789":
            self.at += 1
        if self.at == start:
            raise Refused("json-syntax")

    def text(self):
        end = self.at + 1
        while self.data[end : end + 1] != b'"':
            if end >= len(self.data) or self.data[end] < 0x20:
                raise Refused("json-syntax")
            end += 2 if self.data[end : end + 1] == b"\\" else 1
        raw, self.at = self.data[self.at : end + 1], end + 1
        try:
            text = json.loads(raw.decode("utf-8"))
        except UnicodeDecodeError:
            raise Refused("json-utf8")
        except json.JSONDecodeError:
            raise Refused("json-syntax")
        if any(0xD800 <= ord(c) <= 0xDFFF for c in text):
            raise Refused("json-surrogate")
        if any(0xFDD0 <= ord(c) <= 0xFDEF or ord(c) & 0xFFFE == 0xFFFE for c in text):
            raise Refused("json-noncharacter")
        if not unicodedata.is_normalized("NFC", text):
            raise Refused("json-not-nfc")
        return text


def canonical(value):
    """RFC 8785, for what Reader reads: no number but integers, members in the order of their UTF-16 code units."""
    if isinstance(value, dict):
        return "{" + ",".join(canonical(name) + ":" + canonical(v) for name, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def unbase64(text):
    """Multibase base64url in its one spelling: what it decodes to is written the same again."""
    try:
        data = base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
    except ValueError:
        raise Refused("encoding-invalid")
    if rebase64(data) != text:
        raise Refused("encoding-invalid")
    return data


def rebase64(data):
    return "u" + base64.urlsafe_b64encode(data).decode().rstrip("=")


def digest(text):
    data = unbase64(text)
    if len(data) != 34 or data[:2] != b"\x12\x20":
        raise Refused("encoding-invalid")


def parse(parser, data):
    """The answer of one parser; None where it is not one of ours."""
    if parser == "document-profile":
        return {"accept": True, "canonical": canonical(Reader(data).document())}
    if parser == "digest":
        digest(data.decode())
        return {"accept": True}
    if parser == "base64":
        unbase64(data.decode())
        return {"accept": True}
    return None


def answer(question):
    document = question.get("document")
    if document is None:
        return None
    data = base64.b64decode(document["base64"]) if "base64" in document else document.get("text", "").encode()
    try:
        return parse(document["parser"], data + b" " * document.get("pad", 0))
    except Refused as r:
        return {"accept": False, "reason": r.reason, **({"pointer": r.pointer} if r.pointer else {})}


def main():
    for line in sys.stdin:
        question = json.loads(line)
        end = answer(question)
        reply = {"name": question["name"], **({"unsupported": True} if end is None else {"answer": end})}
        print(json.dumps(reply, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.stdin.reconfigure(encoding="utf-8")
    sys.stdout.reconfigure(encoding="utf-8")
    main()
