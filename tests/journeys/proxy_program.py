"""What a program does that asks AWS by its own names, with no endpoint given anywhere. Prints what it saw."""

from __future__ import annotations

import http.client
import io
import json
import os
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import requests

LARGE = bytes(range(256)) * 262_144
"""64 MiB."""


def said(call, *words):
    """The text of an answer, or of a refusal."""
    try:
        answer = call(*words)
        return answer.text if hasattr(answer, "text") else answer.read().decode()
    except (requests.RequestException, urllib.error.URLError) as error:
        return str(error)


def objects(bucket: str) -> dict:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="large", Body=LARGE)
    s3.upload_fileobj(io.BytesIO(LARGE), bucket, "parts")
    same = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() == LARGE for key in ("large", "parts")]
    s3.put_object(Bucket=bucket, Key="word", Body=b"hello")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "word"})
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "put"})
    requests.put(put, data=b"by requests").raise_for_status()
    return {
        "same": same,
        "host": url.partition("?")[0],
        "words": [said(requests.get, url), said(urllib.request.urlopen, url)],
        "put": s3.get_object(Bucket=bucket, Key="put")["Body"].read().decode(),
    }


def training(bucket: str, request: dict, rows: str) -> dict:
    boto3.client("s3").put_object(Bucket=bucket, Key="train/rows.csv", Body=rows.encode())
    sagemaker, runtime = boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
    name = request["TrainingJobName"]
    sagemaker.create_training_job(**request)
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name)
    job = sagemaker.describe_training_job(TrainingJobName=name)
    streams = boto3.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/"
    )["logStreams"]
    container = {
        "Image": request["AlgorithmSpecification"]["TrainingImage"],
        "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
    }
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=request["RoleArn"])
    variant = {"VariantName": "all", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)
    asked = {"EndpointName": name, "ContentType": "text/csv", "Body": b"0.1,0.2,0.3"}
    whole = runtime.invoke_endpoint(**asked)["Body"].read()
    parts = runtime.invoke_endpoint_with_response_stream(**asked)["Body"]
    streamed = b"".join(part["PayloadPart"]["Bytes"] for part in parts)
    sagemaker.delete_endpoint(EndpointName=name)
    return {"status": job["TrainingJobStatus"], "streams": len(streams), "same": whole == streamed, "is": float(whole)}


def at_once(bucket: str, threads: int = 100) -> dict:
    """As many connections as threads, all open at the same time."""
    together, lengths = threading.Barrier(threads), []
    proxy, context = urlsplit(os.environ["HTTPS_PROXY"]), ssl.create_default_context()

    def ask():
        client = http.client.HTTPSConnection(proxy.hostname, proxy.port, context=context)
        client.set_tunnel(f"{bucket}.s3.us-east-1.amazonaws.com")
        for _ in range(3):
            client.request("GET", "/word")
            lengths.append(len(client.getresponse().read()))
            together.wait(60)
        client.close()

    asking = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    return {"answers": len(lengths), "lengths": sorted(set(lengths))}


def main() -> None:
    request = json.loads(Path(sys.argv[1]).read_text())
    bucket = request["OutputDataConfig"]["S3OutputPath"].split("/")[2]
    sts = boto3.client("sts")
    began = time.monotonic()
    found = {
        "sts": [sts.get_caller_identity()["Account"], sts.meta.endpoint_url],
        "s3": objects(bucket),
        "training": training(bucket, request, Path(sys.argv[2]).read_text()),
        "at once": at_once(bucket),
        "cloudwatch": boto3.client("cloudwatch").list_metrics()["ResponseMetadata"]["HTTPStatusCode"],
        "ecr": boto3.client("ecr").describe_repositories()["ResponseMetadata"]["HTTPStatusCode"],
        "queue": boto3.client("sqs").create_queue(QueueName=bucket)["QueueUrl"],
        "telemetry": said(requests.get, "https://sm-pysdk-t-us-east-1.s3.us-east-1.amazonaws.com/telemetry?x-a=1"),
        "nobody": said(requests.get, "https://checkip.amazonaws.com"),
        "elsewhere": [
            said(requests.get, "https://example.com"),
            said(requests.get, "http://example.com"),
            said(urllib.request.urlopen, "https://example.com"),
        ],
        "seconds": time.monotonic() - began,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
