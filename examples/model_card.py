"""A model card: written, revised, approved, and exported as a PDF."""

import json
import time

import boto3

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
NAME = f"card-{int(time.time())}"

s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
bucket = f"sagemaker-{sagemaker.meta.region_name}-{boto3.client('sts').get_caller_identity()['Account']}"

model = sagemaker.create_model(ModelName=NAME, PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)["ModelArn"]
content = {
    "model_overview": {"model_id": model, "model_name": NAME, "model_owner": "the team of prices"},
    "intended_uses": {"purpose_of_model": "to estimate prices of flats", "risk_rating": "Low"},
    "training_details": {"training_observations": "labels of last year"},
}
sagemaker.create_model_card(ModelCardName=NAME, Content=json.dumps(content), ModelCardStatus="Draft")

# A change of the content makes a version; a change of the status does not.
content["intended_uses"]["risk_rating"] = "Medium"
sagemaker.update_model_card(ModelCardName=NAME, Content=json.dumps(content))
sagemaker.update_model_card(ModelCardName=NAME, ModelCardStatus="Approved")
for version in sagemaker.list_model_card_versions(ModelCardName=NAME)["ModelCardVersionSummaryList"]:
    shown = sagemaker.describe_model_card(ModelCardName=NAME, ModelCardVersion=version["ModelCardVersion"])
    rating = json.loads(shown["Content"])["intended_uses"]["risk_rating"]
    print("version", version["ModelCardVersion"], version["ModelCardStatus"], "risk:", rating)

export = sagemaker.create_model_card_export_job(
    ModelCardName=NAME,
    ModelCardExportJobName=NAME,
    OutputConfig={"S3OutputPath": f"s3://{bucket}/{NAME}"},
)["ModelCardExportJobArn"]
while (job := sagemaker.describe_model_card_export_job(ModelCardExportJobArn=export))["Status"] == "InProgress":
    time.sleep(0.2)  # botocore has no waiter for exports
where = job["ExportArtifacts"]["S3ExportArtifacts"]
file = s3.get_object(Bucket=bucket, Key=where.split("/", 3)[3])["Body"].read()
print(job["Status"], where, len(file), "bytes")

latest = sagemaker.describe_model_card(ModelCardName=NAME)
assert (latest["ModelCardVersion"], latest["ModelCardStatus"]) == (2, "Approved")
assert file.startswith(b"%PDF-")
