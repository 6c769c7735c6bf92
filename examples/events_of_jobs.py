"""What happens to a job, as EventBridge tells it: a rule, a queue, and the reason of a failure in it."""

import json
import time

import boto3

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
NAME = f"events-{int(time.time())}"

s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
sqs, events = boto3.client("sqs"), boto3.client("events")
bucket = f"sagemaker-{sagemaker.meta.region_name}-{boto3.client('sts').get_caller_identity()['Account']}"

queue = sqs.create_queue(QueueName=NAME)["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
pattern = {
    "source": ["aws.sagemaker"],
    "detail-type": ["SageMaker Training Job State Change"],
    "detail": {"TrainingJobName": [{"prefix": NAME}], "TrainingJobStatus": ["Completed", "Failed"]},
}
events.put_rule(Name=NAME, EventPattern=json.dumps(pattern))
events.put_targets(Rule=NAME, Targets=[{"Id": "queue", "Arn": arn}])

s3.put_object(Bucket=bucket, Key=f"{NAME}/good/rows.csv", Body="\n".join(f"{2 * x},{x}" for x in range(100)).encode())
s3.put_object(Bucket=bucket, Key=f"{NAME}/bad/rows.csv", Body=b"price,area\n1000,20\n")
for kind in ("good", "bad"):
    sagemaker.create_training_job(
        TrainingJobName=f"{NAME}-{kind}",
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={"num_round": "10"},
        InputDataConfig=[
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{NAME}/{kind}"}},
            }
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/{NAME}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        RoleArn=ROLE,
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )

told = {}
end = time.monotonic() + 60
while len(told) < 2 and time.monotonic() < end:
    for received in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
        detail = json.loads(received["Body"])["detail"]
        told[detail["TrainingJobName"].removeprefix(f"{NAME}-")] = detail
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=received["ReceiptHandle"])
for kind, detail in told.items():
    print(kind, detail["TrainingJobStatus"], detail.get("FailureReason", ""))
assert told["good"]["TrainingJobStatus"] == "Completed"
assert told["bad"]["TrainingJobStatus"] == "Failed" and told["bad"]["FailureReason"]
