// What a program with the AWS SDK for JavaScript does: data to S3, a training job, an endpoint, invocations. It names no
// server. Prints what it saw, as JSON.
import { readFileSync } from 'node:fs'
import {
  CreateBucketCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client,
} from '@aws-sdk/client-s3'
import {
  CreateEndpointCommand, CreateEndpointConfigCommand, CreateModelCommand, CreateTrainingJobCommand, DeleteEndpointCommand,
  DescribeModelCommand, DescribeTrainingJobCommand, SageMakerClient, paginateListTrainingJobs, waitUntilEndpointInService,
  waitUntilTrainingJobCompletedOrStopped,
} from '@aws-sdk/client-sagemaker'
import {
  InvokeEndpointCommand, InvokeEndpointWithResponseStreamCommand, SageMakerRuntimeClient,
} from '@aws-sdk/client-sagemaker-runtime'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'

const request = JSON.parse(readFileSync(process.argv[2]))
const rows = readFileSync(process.argv[3])
const name = request.TrainingJobName
const Bucket = request.OutputDataConfig.S3OutputPath.split('/')[2]
const [s3, sagemaker, runtime, sts] = [new S3Client(), new SageMakerClient(), new SageMakerRuntimeClient(), new STSClient()]
const patience = (client) => ({ client, maxWaitTime: 100 }) // by itself the SDK would look again after 120 seconds
const found = {}
const hosts = new Set()
for (const client of [s3, sts]) {
  client.middlewareStack.add((next) => (args) => (hosts.add(args.request.hostname), next(args)), { step: 'finalizeRequest' })
}

found.account = (await sts.send(new GetCallerIdentityCommand({}))).Account

await s3.send(new CreateBucketCommand({ Bucket }))
await s3.send(new PutObjectCommand({ Bucket, Key: 'train/rows.csv', Body: rows }))
const large = Buffer.alloc(20 << 20, 'sagelet')
await s3.send(new PutObjectCommand({ Bucket, Key: 'large', Body: large }))
const back = await (await s3.send(new GetObjectCommand({ Bucket, Key: 'large' }))).Body.transformToByteArray()
found.same = large.equals(Buffer.from(back))
found.keys = (await s3.send(new ListObjectsV2Command({ Bucket }))).Contents.map((each) => each.Key)
found.missing = await s3.send(new HeadObjectCommand({ Bucket, Key: 'nothing' })).catch((error) => error.name)

await sagemaker.send(new CreateTrainingJobCommand(request))
found.waited = (await waitUntilTrainingJobCompletedOrStopped(patience(sagemaker), { TrainingJobName: name })).state
const job = await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: name }))
found.status = job.TrainingJobStatus
found.took = job.TrainingEndTime - job.TrainingStartTime
found.listed = []
for await (const page of paginateListTrainingJobs({ client: sagemaker, pageSize: 1 }, { NameContains: name })) {
  found.listed.push(...page.TrainingJobSummaries.map((each) => each.TrainingJobName))
}

const PrimaryContainer = { Image: job.AlgorithmSpecification.TrainingImage, ModelDataUrl: job.ModelArtifacts.S3ModelArtifacts }
await sagemaker.send(new CreateModelCommand({ ModelName: name, PrimaryContainer, ExecutionRoleArn: request.RoleArn }))
const variant = { VariantName: 'all', ModelName: name, InitialInstanceCount: 1, InstanceType: 'ml.m5.large' }
await sagemaker.send(new CreateEndpointConfigCommand({ EndpointConfigName: name, ProductionVariants: [variant] }))
await sagemaker.send(new CreateEndpointCommand({ EndpointName: name, EndpointConfigName: name }))
await waitUntilEndpointInService(patience(sagemaker), { EndpointName: name })
const asked = { EndpointName: name, ContentType: 'text/csv', Body: Buffer.from('0.1,0.2,0.3') }
found.whole = Buffer.from((await runtime.send(new InvokeEndpointCommand(asked))).Body).toString()
found.streamed = ''
for await (const event of (await runtime.send(new InvokeEndpointWithResponseStreamCommand(asked))).Body) {
  found.streamed += Buffer.from(event.PayloadPart.Bytes).toString()
}
await sagemaker.send(new DeleteEndpointCommand({ EndpointName: name }))
found.fault = await sagemaker.send(new DescribeModelCommand({ ModelName: 'nobody' })).catch((error) => [error.name, error.message])
found.hosts = [...hosts]

console.log(JSON.stringify(found))
