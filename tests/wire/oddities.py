"""Pieces of requests that are odd, broken or hostile, for hypothesis to put together."""

from __future__ import annotations

from hypothesis import strategies as st

SIGNED = "AWS4-HMAC-SHA256 Credential={}/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


def words(text: str, *more: str) -> list[str]:
    """The words of a text, and what has spaces in it."""
    return [*text.split(), *more]


CONTENT_TYPES = st.sampled_from(
    words(
        "application/x-amz-json-1.1 application/json text/html application/x-www-form-urlencoded",
        "",
        "\xff;\x00",
        "a" * 300,
    )
)
HEADER_VALUES = st.sampled_from(words("x -1 1e999 NaN true \xe9\xff é a,b,,c {} e30= =", "", "x" * 9000))
ESCAPES = st.lists(
    st.sampled_from(words("a % %2 %2F %00 %zz %FF %C3%28 .. . %2e%2e + é %25 {x} \\ ; *", " ")), max_size=4
).map("".join)
TARGETS = st.sampled_from(
    words(
        "SageMaker. SageMaker.Nothing sagemaker.ListModels SageMaker.ListModels.More é SageMaker.__class__"
        " SageMaker.ListModels Logs.DescribeLogGroups",
        "",
        "x" * 9000,
    )
)
AUTHORIZATIONS = st.one_of(
    st.builds(
        SIGNED.format,
        st.sampled_from(words("test 123456789012 ASIAQ é", "", "a" * 300)),
        st.sampled_from(words("sagemaker sagemaker-geospatial s3")),
    ),
    st.sampled_from(
        words("AWS \xff", "AWS AKID:x", "AWS ", "Basic eA==", "AWS4-HMAC-SHA256 Credential=////aws4_request")
    ),
)
QUERIES = st.sampled_from(
    words(
        "uploads acl policy tagging delete location attributes list-type=2&max-keys=x versionId=%00"
        " partNumber=-1&uploadId=u X-Amz-Credential=a/b/c/sagemaker/aws4_request"
        " X-Amz-Signature=0&X-Amz-Date=x&X-Amz-Expires=y AWSAccessKeyId=a versions&max-keys=-1"
        " encoding-type=url&delimiter=%ff continuation-token=x&list-type=2",
        "",
    )
)
METHODS = st.sampled_from(words("GET PUT POST DELETE HEAD PATCH OPTIONS get X é"))
S3_HEADERS = st.dictionaries(
    st.sampled_from(
        words(
            "range if-match if-modified-since x-amz-copy-source x-amz-tagging content-md5 x-amz-acl expect"
            " x-amz-checksum-crc32 x-amz-content-sha256 x-amz-decoded-content-length x-amz-meta-é content-encoding"
            " x-amz-metadata-directive x-amz-object-attributes x-amz-expected-bucket-owner"
        )
    ),
    HEADER_VALUES | st.sampled_from(words("bytes=5-2 bytes=- /b/% STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "Wed, 99")),
    max_size=3,
)
XML = st.sampled_from(
    [
        b"",
        b"<",
        b"<a/>",
        b"\xff\xfe<",
        b"<a>" * 3000,
        b"<!DOCTYPE x><a/>",
        b"<Tagging><TagSet>",
        b'<?xml version="1.0" encoding="none"?><a/>',
        b"<Delete><Object><Key>a</Key></Object></Delete>",
        b"<Delete><Object><Key>&#0;</Key></Object></Delete>",
        b"<CompleteMultipartUpload><Part><PartNumber>x</PartNumber></Part></CompleteMultipartUpload>",
    ]
)
