"""An answer that comes in parts: InvokeEndpointWithResponseStream, of a model that no job has trained."""

import io
import tarfile
import tempfile
import time
from pathlib import Path

import boto3
import numpy
import xgboost

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
NAME = f"stream-{int(time.time())}"

# A model that was trained on this very machine, packed as SageMaker wants it.
features = numpy.random.default_rng(7).uniform(size=(500, 3)).astype("float32")
data = xgboost.DMatrix(features, features @ numpy.array([3, -2, 1]))
booster = xgboost.train({"max_depth": 3, "nthread": 1}, data, num_boost_round=20)
packed = io.BytesIO()
with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=packed, mode="w:gz") as tar:
    booster.save_model(Path(folder) / "xgboost-model.json")
    tar.add(Path(folder) / "xgboost-model.json", arcname="xgboost-model")

s3, sagemaker, runtime = boto3.client("s3"), boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
bucket = f"sagemaker-{sagemaker.meta.region_name}-{boto3.client('sts').get_caller_identity()['Account']}"
s3.put_object(Bucket=bucket, Key=f"{NAME}/model.tar.gz", Body=packed.getvalue())
container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/{NAME}/model.tar.gz"}
sagemaker.create_model(ModelName=NAME, PrimaryContainer=container, ExecutionRoleArn=ROLE)
variant = {"VariantName": "all", "ModelName": NAME, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME)

rows = numpy.tile(features, (20, 1))
asked = "\n".join(",".join(map(str, row)) for row in rows)
stream = runtime.invoke_endpoint_with_response_stream(EndpointName=NAME, ContentType="text/csv", Body=asked)
parts = [event["PayloadPart"]["Bytes"] for event in stream["Body"]]
sagemaker.delete_endpoint(EndpointName=NAME)

values = [float(value) for value in b"".join(parts).decode().replace(",", "\n").split()]
print(len(values), "predictions in", len(parts), "parts of", [len(part) for part in parts[:3]], "... bytes")
expected = booster.predict(xgboost.DMatrix(rows))
print("largest difference from the model itself:", float(numpy.abs(values - expected).max()))
assert len(parts) > 1 and numpy.allclose(values, expected, rtol=1e-4)
