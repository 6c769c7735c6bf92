"""What users of the SageMaker Python SDK 2.x write, one function a flow. Run by a Python that has it, in an environment
that is activated (it names no server, no bucket); prints a line a flow: `ok FLOW seconds` or `FAILED FLOW reason`."""

from __future__ import annotations

import os
import sys
import time
import uuid
from pathlib import Path

import numpy as np
import sdk_jumpstart
import sdk_remote
import sdk_stay
import sdk_tracking
from sagemaker import image_uris
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.exceptions import UnexpectedStatusException
from sagemaker.inputs import TrainingInput
from sagemaker.processing import FrameworkProcessor, ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.pytorch import PyTorch
from sagemaker.remote_function import RemoteExecutor, remote
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn import SKLearn
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.xgboost import XGBoost
from sdk_algorithms import (
    factorization_machines,
    ip_insights,
    kmeans,
    knn,
    lda,
    linear_learner,
    ntm,
    object2vec,
    pca,
    random_cut_forest,
)
from sdk_builder import model_builder
from sdk_hosting import (
    asynchronous,
    data_capture,
    deploy_update_delete,
    endpoint_without_sts,
    framework_model,
    inference_component,
    multi_model,
    pipeline_model,
    predict_stream,
    serializers,
    serverless,
)  # fmt: skip
from sdk_later import (
    automl,
    automl_v2,
    clarify_bias,
    clarify_explanation,
    clarify_monitor,
    feature_store_offline,
    feature_store_records,
    inference_recommender,
    model_quality_monitor,
    neo_compilation,
    pipeline_execution,
    pipeline_records,
    pipeline_step_decorator,
    spark_processor,
    tuner,
)  # fmt: skip
from sdk_records import (
    debugger_rules,
    jumpstart_list,
    metrics_and_search,
    model_card,
    model_registry,
    monitoring_schedule,
    profiler,
    role_of_ones_own,
    session_basics,
)  # fmt: skip
from sdk_world import FEATURES, ONE, ROLE, ROWS, SESSION, SOURCE, booster, close, counting, data, gone, ridge, said


def sklearn() -> None:
    estimator = ridge()
    printed = said(estimator.fit, {"train": data()}, logs="All")
    assert "noted two words from the dependency; score=" in printed, printed
    assert "Training seconds:" in printed and "Billable seconds:" in printed, printed
    told = estimator.latest_training_job.describe()
    assert told["FinalMetricDataList"][0]["Value"] > 0.99, told["FinalMetricDataList"]
    frame = estimator.training_job_analytics.dataframe()
    assert list(frame["metric_name"]) == ["score"], frame
    predictor = estimator.deploy(1, "ml.m5.large")
    close(predictor.predict(FEATURES), ROWS[:5, 0])
    gone(predictor)


def sklearn_transform() -> None:
    estimator = ridge()
    estimator.fit({"train": data()}, logs=False)
    Path("features.csv").write_text("\n".join(",".join(map(str, row)) for row in FEATURES) + "\n")
    given = SESSION.upload_data("features.csv", key_prefix="data/features")
    transformer = estimator.transformer(
        1, "ml.m5.large", accept="text/csv", assemble_with="Line", strategy="MultiRecord"
    )
    transformer.transform(given, content_type="text/csv", split_type="Line", wait=True, logs=True)
    text = SESSION.read_s3_file(*f"{transformer.output_path}/features.csv.out"[5:].split("/", 1))
    close(text.split(), ROWS[:5, 0])


def xgboost_script() -> None:
    source = {"source_dir": str(SOURCE / "code"), "framework_version": "1.7-1"}
    estimator = XGBoost("boost.py", hyperparameters={"max_depth": 3}, **source, **ONE)
    estimator.fit({"train": TrainingInput(data(), content_type="text/csv")}, logs=False)
    predictor = estimator.deploy(1, "ml.m5.large", serializer=CSVSerializer(), deserializer=JSONDeserializer())
    close(predictor.predict(FEATURES), ROWS[:5, 0], by=1)
    gone(predictor)


def xgboost_builtin() -> None:
    estimator = booster()
    train = TrainingInput(data(), content_type="csv")
    printed = said(estimator.fit, {"train": train, "validation": train})
    assert "[19]#011train-rmse:" in printed and "validation-rmse:" in printed, printed
    predictor = estimator.deploy(1, "ml.m5.large", serializer=CSVSerializer(), deserializer=CSVDeserializer())
    close(predictor.predict(FEATURES), ROWS[:5, 0], by=1)
    gone(predictor)


def pipe_and_fast_file() -> None:
    for mode in ("Pipe", "FastFile"):
        estimator = booster()
        estimator.fit({"train": TrainingInput(data(), content_type="csv", input_mode=mode)}, logs=False)
        channel = estimator.latest_training_job.describe()["InputDataConfig"][0]
        assert channel["InputMode"] == mode, channel
        assert estimator.model_data.endswith("/output/model.tar.gz")
    estimator = booster(input_mode="Pipe")
    estimator.fit({"train": TrainingInput(data(), content_type="csv")}, logs=False)


def pytorch() -> None:
    source = {"source_dir": str(SOURCE / "code"), "framework_version": "2.1", "py_version": "py310"}
    estimator = PyTorch("net.py", **source, **{**ONE, "instance_count": 2})
    printed = said(estimator.fit)
    assert "algo-1 of 2: sum 3" in printed and "algo-2 of 2: sum 3" in printed, printed
    predictor = estimator.deploy(1, "ml.m5.large")
    close(predictor.predict(FEATURES.astype("float32")), 3 * FEATURES.sum(axis=1), by=0.01)
    gone(predictor)


def own_image() -> None:
    image = os.environ["SDK_OWN_IMAGE"]
    estimator = Estimator(image, hyperparameters={"word": "hello"}, **ONE)
    printed = said(estimator.fit, {"train": data()})
    assert "hello ['rows.csv']" in printed, printed
    predictor = estimator.deploy(1, "ml.m5.large", serializer=CSVSerializer())
    assert predictor.predict("x") == b"hello x"
    gone(predictor)


def processed(processor, run) -> str:
    """The file that the script wrote, after `run` has told it to."""
    given = {
        "inputs": [ProcessingInput(source=data(), destination="/opt/ml/processing/input/rows")],
        "outputs": [ProcessingOutput(output_name="sums", source="/opt/ml/processing/output")],
        "arguments": ["--scale", "2"],
    }
    run(processor, given)
    where = processor.latest_job.outputs[0].destination
    total, how = SESSION.read_s3_file(*f"{where}/sum.txt"[5:].split("/", 1)).split()
    assert abs(float(total) - 2 * ROWS[:, 0].sum()) < 0.2, total
    return how


def sklearn_processor() -> None:
    code = str(SOURCE / "processing" / "summary.py")
    processor = SKLearnProcessor(framework_version="1.2-1", **ONE)
    assert processed(processor, lambda made, given: made.run(code=code, **given)) == "without"


def script_processor() -> None:
    code = str(SOURCE / "processing" / "summary.py")
    image = image_uris.retrieve("xgboost", "us-east-1", "1.7-1")
    processor = ScriptProcessor(image_uri=image, command=["python3"], **ONE)
    assert processed(processor, lambda made, given: made.run(code=code, logs=False, **given)) == "without"


def framework_processor() -> None:
    processor = FrameworkProcessor(SKLearn, framework_version="1.2-1", **ONE)
    source = {"code": "summary.py", "source_dir": str(SOURCE / "processing")}
    assert processed(processor, lambda made, given: made.run(**source, **given)) == "with"


def warm_pool() -> None:
    first = counting(keep_alive_period_in_seconds=120)
    first.fit(logs=False)
    before = first.latest_training_job.describe()
    assert before["WarmPoolStatus"]["Status"] == "Available", before["WarmPoolStatus"]
    second = counting(keep_alive_period_in_seconds=120)
    second.fit(logs=False)
    after = first.latest_training_job.describe()["WarmPoolStatus"]
    assert (after["Status"], after["ReusedByJob"]) == ("Reused", second.latest_training_job.name), after
    SESSION.update_training_job(second.latest_training_job.name, resource_config={"KeepAlivePeriodInSeconds": 300})


def spot() -> None:
    kept = f"s3://{SESSION.default_bucket()}/checkpoints/{uuid.uuid4().hex[:6]}"
    more = {"use_spot_instances": True, "max_run": 600, "max_wait": 1200, "checkpoint_s3_uri": kept}
    for count in (1, 2):
        estimator = counting(**more)
        printed = said(estimator.fit)
        assert f"count {count}\n" in printed.replace("\x1b[0m", ""), printed
        assert "Managed Spot Training savings" in printed, printed


def attach() -> None:
    estimator = ridge()
    estimator.fit({"train": data()}, wait=False)
    name = estimator.latest_training_job.name
    attached = SKLearn.attach(name, sagemaker_session=SESSION)
    assert attached.hyperparameters()["note"] == '"two words"', attached.hyperparameters()
    assert "noted two words" in said(attached.logs)
    again = Estimator.attach(name, sagemaker_session=SESSION)
    assert again.model_data == attached.model_data == estimator.model_data
    close(np.asarray(attached.deploy(1, "ml.m5.large").predict(FEATURES)), ROWS[:5, 0])


def failure() -> None:
    estimator = ridge(hyperparameters={"fail": "no such luck"})
    try:
        said(estimator.fit, {"train": data()})
    except UnexpectedStatusException as error:
        assert error.actual_status == "Failed" and "ValueError: no such luck" in str(error), error
        return
    raise AssertionError("the job did not fail")


def stop() -> None:
    estimator = counting(hyperparameters={"wait": 300})
    estimator.fit(wait=False)
    job = estimator.latest_training_job
    while job.describe()["SecondaryStatus"] != "Training":
        time.sleep(0.1)
    job.stop()
    said(estimator.logs)
    assert job.describe()["TrainingJobStatus"] == "Stopped", job.describe()


def experiment_run() -> None:
    sdk_tracking.run_of_an_experiment(SESSION, booster(), data())


def lineage() -> None:
    sdk_tracking.lineage_of_models(SESSION, booster(), data())


def jumpstart_retrieved() -> None:
    sdk_jumpstart.retrieved(SESSION, said)


def jumpstart_estimator() -> None:
    sdk_jumpstart.estimator(SESSION, said)


def remote_function() -> None:
    sdk_remote.function(remote, REMOTE)


def remote_workspace() -> None:
    sdk_remote.workspace(remote, REMOTE)


def remote_executor() -> None:
    sdk_remote.executor(RemoteExecutor, REMOTE)


REMOTE = {"role": ROLE, "instance_type": "ml.m5.large", "sagemaker_session": SESSION}
FLOWS = [
    session_basics, role_of_ones_own, sklearn, sklearn_transform, xgboost_script, xgboost_builtin, pipe_and_fast_file,
    pytorch, own_image, sklearn_processor, script_processor, framework_processor, spark_processor, warm_pool, spot,
    attach, failure, stop, experiment_run, lineage, metrics_and_search, profiler, debugger_rules, kmeans, pca, knn,
    linear_learner, factorization_machines, ip_insights, random_cut_forest, lda, ntm, object2vec, jumpstart_list,
    jumpstart_retrieved, jumpstart_estimator, deploy_update_delete, predict_stream, serializers, framework_model,
    serverless, asynchronous, data_capture, multi_model, pipeline_model, inference_component, endpoint_without_sts,
    model_registry, model_card, model_builder, remote_function, remote_workspace, remote_executor, tuner,
    pipeline_records, pipeline_execution, pipeline_step_decorator, feature_store_records, feature_store_offline,
    clarify_bias, clarify_explanation, monitoring_schedule, model_quality_monitor, clarify_monitor, automl, automl_v2,
    inference_recommender, neo_compilation,
]  # fmt: skip


if __name__ == "__main__":
    sdk_stay.main(FLOWS, sys.argv[1:])
