"""The variables that point a program at the local server instead of AWS."""

from __future__ import annotations

ACCOUNT = "123456789012"


def variables(url: str, region: str = "us-east-1") -> dict[str, str]:
    """What a shell or a child process needs so that every AWS SDK in it talks to the server at `url`."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "sagelet",
        "AWS_SECRET_ACCESS_KEY": "sagelet",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        # Without this botocore asks the instance metadata service of a cloud machine, which is not there.
        "AWS_EC2_METADATA_DISABLED": "true",
    }
