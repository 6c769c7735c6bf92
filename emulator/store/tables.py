"""The tables: records with their tags, their links and the index that searches them, and the index of S3's objects."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text, column

META = MetaData()

TEXT = String().with_variant(String(collation="C"), "postgresql")
"""Text that is ordered by its UTF-8 bytes in every database, as SQLite does by itself."""

RECORDS = Table(
    "records",
    META,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("account", String, nullable=False),
    Column("region", String, nullable=False),
    Column("key", TEXT, nullable=False),
    Column("folded", String, nullable=False),
    Column("arn", String, nullable=False, index=True),
    Column("parent", String, nullable=False),
    Column("status", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("modified", Float, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("hidden", Text, nullable=False),
    Index("records_key", "kind", "account", "region", "key", unique=True),
    Index("records_folded", "kind", "account", "region", "folded"),
    Index("records_created", "kind", "account", "region", "created", "key"),
    Index("records_modified", "kind", "account", "region", "modified", "key"),
    Index("records_status", "kind", "status", "account", "region", "created", "key"),
    Index("records_by_status", "kind", "account", "region", "status", "key"),
    Index("records_parent", "kind", "account", "region", "parent", "created", "key"),
)

TAGS = Table(
    "tags",
    META,
    Column("arn", String, primary_key=True),
    Column("key", TEXT, primary_key=True),
    Column("value", String, nullable=False),
)

# An ARN says its account and region, so that the indices of both ends begin with it.
LINKS = Table(
    "links",
    META,
    Column("id", Integer, primary_key=True),
    Column("account", String, nullable=False),
    Column("region", String, nullable=False),
    Column("relation", String, nullable=False),
    Column("source", TEXT, nullable=False),
    Column("destination", TEXT, nullable=False),
    Column("created", Float, nullable=False),
    Column("facts", Text, nullable=False),
    Index("links_pair", "source", "relation", "destination", unique=True),
    Index("links_source", "source", "relation", "created", "id"),
    Index("links_destination", "destination", "relation", "created", "id"),
    Index("links_created", "account", "region", "relation", "created", "id"),
)

MARKS = Table(
    "marks",
    META,
    Column("arn", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("fresh", Integer, nullable=False),
)

# --- the index of Search: nothing is in it of kinds, and of properties, that nobody has searched for -----------------

SEARCH_PROPERTIES = Table(
    "search_properties",
    META,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("account", String, nullable=False),
    Column("region", String, nullable=False),
    Column("name", String, nullable=False),
    Column("state", Integer, nullable=False),
    Index("search_properties_name", "kind", "account", "region", "name", unique=True),
)

_TEXT, _NUMBER = column("text").is_not(None), column("number").is_not(None)

SEARCH_TERMS = Table(
    "search_terms",
    META,
    Column("property", Integer, primary_key=True, autoincrement=False),
    Column("record", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("text", TEXT),
    Column("number", Float),
    Index("search_terms_text", "property", "text", "record", sqlite_where=_TEXT, postgresql_where=_TEXT),
    Index("search_terms_number", "property", "number", "record", sqlite_where=_NUMBER, postgresql_where=_NUMBER),
    sqlite_with_rowid=False,
)

SEARCH_NOTES = Table(
    "search_notes",
    META,
    Column("kind", String, primary_key=True),
    Column("account", String, primary_key=True),
    Column("region", String, primary_key=True),
    Column("key", String, primary_key=True),
    sqlite_with_rowid=False,
)

# --- S3 ---------------------------------------------------------------------------------------------------------------

BUCKETS = Table(
    "buckets",
    META,
    Column("name", String, primary_key=True),
    Column("account", String, nullable=False),
    Column("region", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("versioning", String, nullable=False),
    Column("document", Text, nullable=False),
)

# Keys are kept as UTF-8 bytes: S3 lists in the order of bytes, which is not the order of a database's text.
OBJECTS = Table(
    "objects",
    META,
    Column("id", Integer, primary_key=True),
    Column("bucket", String, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("version", String, nullable=False),
    Column("latest", Integer, nullable=False),
    Column("marker", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("etag", String, nullable=False),
    Column("modified", Float, nullable=False),
    Column("blob", String, nullable=False),
    Column("facts", Text, nullable=False),
    Index("objects_version", "bucket", "key", "version", unique=True),
    Index("objects_latest", "bucket", "latest", "key"),
    Index("objects_blob", "blob"),
)

UPLOADS = Table(
    "uploads",
    META,
    Column("upload", String, primary_key=True),
    Column("bucket", String, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("started", Float, nullable=False),
    Column("facts", Text, nullable=False),
    Index("uploads_key", "bucket", "key"),
)

PARTS = Table(
    "parts",
    META,
    Column("upload", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("etag", String, nullable=False),
    Column("modified", Float, nullable=False),
    Column("blob", String, nullable=False),
    Column("facts", Text, nullable=False),
)
