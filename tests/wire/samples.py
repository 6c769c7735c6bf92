"""Random, valid-looking values for any shape of a service model."""

import random
from datetime import datetime, timezone

WORDS = ("a", "Zebra-9", "ümlaut ☃", 'quo"te\\', "x" * 40, "2024-01-01", "true", "12")
PLAIN = ("a", "Zebra-9", "x" * 40, "with space", "a+b&c=d")


class Sampler:
    """`everything=True` gives each member, else a random half of the optional ones."""

    def __init__(self, seed, everything=True):
        self.random = random.Random(seed)
        self.everything = everything

    def sample(self, shape, depth=0, located=False):
        return getattr(self, "_" + shape.type_name, self._string)(shape, depth, located)

    def _structure(self, shape, depth, located):
        if shape.is_document_type:
            return {"any": [1, "two", None, {"three": 3.5}]}
        members = list(shape.members.items())
        union = shape.is_tagged_union
        if union:
            members = [self.random.choice(members)]
        found = {}
        for name, member in members:
            needed = union or name in shape.required_members or member.serialization.get("location") == "uri"
            needed = needed or name == shape.serialization.get("payload")
            wanted = (self.everything and depth < 5) or self.random.random() < 0.5 / (depth + 1)
            if needed or wanted:
                found[name] = self.sample(member, depth + 1, "location" in member.serialization)
        return found

    def _list(self, shape, depth, located):
        count = self.random.choice((1, 2)) if depth < 6 else 0
        return [self.sample(shape.member, depth + 1, located) for _ in range(count)]

    def _map(self, shape, depth, located):
        keys = ("k1", "k2")[: self.random.choice((1, 2))]
        return {key: self.sample(shape.value, depth + 1, located) for key in keys}

    def _string(self, shape, depth, located):
        if getattr(shape, "enum", None):
            return self.random.choice(shape.enum)
        return self.random.choice(PLAIN if located else WORDS)

    def _integer(self, shape, depth, located):
        return self.random.choice((0, 1, -7, 2**31 - 1))

    _long = _integer

    def _float(self, shape, depth, located):
        return self.random.choice((0.0, 1.5, -2.25, 1e-9, 123456789.125))

    _double = _float

    def _boolean(self, shape, depth, located):
        return self.random.choice((True, False))

    def _blob(self, shape, depth, located):
        return self.random.choice((b"", b"\x00\xff\x80binary", b"text"))

    def _timestamp(self, shape, depth, located):
        return datetime.fromtimestamp(self.random.randrange(10**9, 2 * 10**9), timezone.utc)
