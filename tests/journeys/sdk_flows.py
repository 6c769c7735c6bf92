"""What users write with the SageMaker Python SDKs: every flow of the two programs, and how it ends. See docs/sdk.md.

A flow that is refused ends in an error with these words; one that is refused no longer is seen: it fails its test.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Flow:
    """`name` is the function in the program; `refused` what its error says (a regular expression), `why` what is
    missing; `needs` a module that its jobs take, `no MODULE`, or `engine`; `containers`: run in containers, too."""

    name: str
    what: str
    refused: str = ""
    why: str = ""
    needs: str = ""
    containers: bool = False


def _not_built(operation: str) -> str:
    return f"NotImplementedException.*{operation}"


TUNING = {"refused": _not_built("CreateHyperParameterTuningJob"), "why": "nothing tunes yet"}
PIPELINES = {"refused": _not_built("StartPipelineExecution"), "why": "definitions are kept, nothing executes them yet"}
CLARIFY = {"refused": "Cannot pull image '.*sagemaker-clarify-processing", "why": "Clarify's image is not here"}
MONITOR = {
    "refused": "Cannot pull image '.*sagemaker-model-monitor-analyzer",
    "why": "the analyzer's image is not here; schedules are kept as records",
}
RECORDS = "groups are kept, no store holds their records"

OF_2 = (
    Flow("session_basics", "default bucket, `upload_data`, `download_data`, `S3Uploader`, `get_execution_role`"),
    Flow("role_of_ones_own", "`get_execution_role` with the credentials of a role of IAM"),
    Flow("sklearn", "`SKLearn`: `source_dir`, `dependencies`, metrics, `deploy`, `predict`", containers=True),
    Flow("sklearn_transform", "`estimator.transformer`, `transform` with logs"),
    Flow("xgboost_script", "`XGBoost` in script mode"),
    Flow("xgboost_builtin", "`Estimator` with the built-in XGBoost, CSV both ways", containers=True),
    Flow("pipe_and_fast_file", "`TrainingInput` in Pipe and FastFile mode"),
    Flow("pytorch", "`PyTorch` on two hosts that find each other", needs="torch"),
    Flow("own_image", "`Estimator` with an image of one's own", needs="engine", containers=True),
    Flow("sklearn_processor", "`SKLearnProcessor`", containers=True),
    Flow("script_processor", "`ScriptProcessor`"),
    Flow("framework_processor", "`FrameworkProcessor` with requirements"),
    Flow(
        "spark_processor",
        "`PySparkProcessor` without `sagelet[spark]`",
        refused="pyspark is not installed",
        why="it needs `sagelet[spark]` and Java",
        needs="no pyspark",
    ),
    Flow("warm_pool", "`keep_alive_period_in_seconds`, `update_training_job`"),
    Flow("spot", "`use_spot_instances` and checkpoints"),
    Flow("attach", "`attach`, `logs`, `fit(wait=False)`"),
    Flow("failure", "the reason of a failed job as `UnexpectedStatusException`"),
    Flow("stop", "`stop` of a running job"),
    Flow("experiment_run", "`Run`, `load_run`, `list_runs`, `ExperimentAnalytics`, deleting"),
    Flow("lineage", "artifacts, actions, contexts, `LineageQuery`, `LineageTableVisualizer`"),
    Flow("metrics_and_search", "`TrainingJobAnalytics`, `Session.search`"),
    Flow("profiler", "`ProfilerConfig`"),
    Flow(
        "debugger_rules", "`Rule.sagemaker`", refused=_not_built("DebugRuleConfigurations"), why="no rule is evaluated"
    ),
    Flow("kmeans", "`KMeans` with `record_set`, `fit`, `deploy`, `predict`"),
    Flow("pca", "`PCA`, the same"),
    Flow("knn", "`KNN`, the same"),
    Flow("linear_learner", "`LinearLearner`, the same"),
    Flow("factorization_machines", "`FactorizationMachines`, the same"),
    Flow("ip_insights", "IP Insights by its image"),
    Flow("random_cut_forest", "`RandomCutForest`, as `KMeans`"),
    Flow("lda", "`LDA`, the same"),
    Flow("ntm", "`NTM`, the same"),
    Flow("object2vec", "`Object2Vec` with a `RecordSet` of JSON Lines", needs="torch"),
    Flow("jumpstart_list", "`list_jumpstart_models` with a filter"),
    Flow("jumpstart_retrieved", "JumpStart by `image_uris`, `script_uris`, `model_uris.retrieve`", needs="lightgbm"),
    Flow("jumpstart_estimator", "`JumpStartEstimator`", needs="lightgbm"),
    Flow("deploy_update_delete", "`Model.deploy`, `update_endpoint`, `endpoint_context`, `Predictor` by name"),
    Flow("predict_stream", "`predict_stream`"),
    Flow("serializers", "`SKLearnModel` asked in NPY, CSV and JSON, answering in each"),
    Flow("framework_model", "`XGBoostModel` with a script, JSON Lines and content types of one's own"),
    Flow("serverless", "`ServerlessInferenceConfig`"),
    Flow("asynchronous", "`AsyncInferenceConfig`", refused=_not_built("AsyncInferenceConfig"), why="not served yet"),
    Flow("data_capture", "`DataCaptureConfig`", refused=_not_built("DataCaptureConfig"), why="nothing captures yet"),
    Flow("multi_model", "`MultiDataModel`", refused=_not_built("multi-model container"), why="not served yet"),
    Flow("pipeline_model", "`PipelineModel.deploy`", refused=_not_built("inference pipelines"), why="not served yet"),
    Flow(
        "inference_component",
        "`deploy` of an inference component",
        refused=_not_built("inference components"),
        why="not served yet",
    ),
    Flow("endpoint_without_sts", "a session with a bucket and a role that the program names"),
    Flow("model_registry", "`register` of a model and of a `PipelineModel`, approval, metadata"),
    Flow("model_card", "`ModelCard` with `TrainingDetails`, versions, `export_pdf`"),
    Flow("model_builder", "`ModelBuilder` with an `InferenceSpec` under TorchServe's image, `deploy`, `predict`"),
    Flow("remote_function", "`@remote`: arguments, an answer of numpy, the caller's Python"),
    Flow("remote_workspace", "`@remote` with `include_local_workdir` and `pre_execution_commands`"),
    Flow("remote_executor", "`RemoteExecutor`, two jobs at once, what a function raises"),
    Flow("tuner", "`HyperparameterTuner`", **TUNING),
    Flow("pipeline_records", "`Pipeline.upsert`, `update`, `describe`, `list_executions`, `delete`"),
    Flow("pipeline_execution", "`Pipeline.start`", **PIPELINES),
    Flow("pipeline_step_decorator", "`@step`", **PIPELINES),
    Flow("feature_store_records", "`FeatureGroup.put_record`", refused=_not_built("PutRecord"), why=RECORDS),
    Flow("feature_store_offline", "`FeatureGroup.get_record`", refused=_not_built("GetRecord"), why=RECORDS),
    Flow("clarify_bias", "`SageMakerClarifyProcessor.run_pre_training_bias`", **CLARIFY),
    Flow("clarify_explanation", "`run_explainability`", **CLARIFY),
    Flow("monitoring_schedule", "`DefaultModelMonitor.suggest_baseline`", **MONITOR),
    Flow("model_quality_monitor", "`ModelQualityMonitor.suggest_baseline`", **MONITOR),
    Flow("clarify_monitor", "`ModelBiasMonitor.suggest_baseline`", **CLARIFY),
    Flow("automl", "`AutoML.fit`", refused=_not_built("CreateAutoMLJob"), why="Autopilot is not built"),
    Flow("automl_v2", "`AutoMLV2.fit`", refused=_not_built("CreateAutoMLJobV2"), why="Autopilot is not built"),
    Flow(
        "inference_recommender",
        "`Model.right_size`",
        refused=_not_built("CreateInferenceRecommendationsJob"),
        why="nothing recommends",
    ),
    Flow("neo_compilation", "`compile_model`", refused=_not_built("CreateCompilationJob"), why="nothing compiles"),
)

OF_3 = (
    Flow("session_basics", "`Session`: default bucket, `upload_data`, `download_data`, `get_execution_role`"),
    Flow("model_trainer_builtin", "`ModelTrainer` with the built-in XGBoost, after the SDK has validated the role"),
    Flow("model_trainer_defaults", "`ModelTrainer` without a session, a role, an instance type"),
    Flow("model_trainer_script", "`ModelTrainer` with `SourceCode`, requirements and metrics, on two hosts"),
    Flow("model_trainer_command", "`SourceCode` with a command"),
    Flow("model_trainer_fails", "the reason of a failed script"),
    Flow(
        "own_image",
        "`ModelTrainer` with an image of one's own",
        refused="Cannot pull image '.*of-mine:1'",
        why="it needs a container engine that has the image",
    ),
    Flow("model_builder", "`ModelBuilder.build`, `deploy`, `invoke`"),
    Flow("model_builder_in_process", "`ModelBuilder` with an `InferenceSpec` in process, `deploy_local`"),
    Flow(
        "model_builder_inference_spec",
        "`ModelBuilder` with an `InferenceSpec` under TorchServe's image, without captured dependencies",
    ),
    Flow("register", "`ModelBuilder.register`, `ModelPackage`, `ModelPackageGroup`, a model of the registry"),
    Flow("script_processor", "`ScriptProcessor`"),
    Flow("framework_processor", "`FrameworkProcessor` with requirements"),
    Flow("transformer", "`Transformer`"),
    Flow("training_job", "`TrainingJob.create`, `wait(logs=True)`, `get_all`, `get`, `Tag.get_all`"),
    Flow("endpoint", "`Model`, `EndpointConfig`, `Endpoint.create`, `invoke`, `wait_for_delete`"),
    Flow("processing_job", "`ProcessingJob.create`, `wait`"),
    Flow("transform_job", "`TransformJob.create`, `wait`"),
    Flow("experiment_run", "`Run`, `load_run`, `list_runs`"),
    Flow("lineage", "`Artifact`, `Action`, `Context`, `Association`, `LineageQuery`"),
    Flow("model_card", "`ModelCard.create`, `update`, `get_all_versions`, the export"),
    Flow("remote_function", "`@remote`"),
    Flow("tuner", "`HyperparameterTuner.tune`", **TUNING),
    Flow("clarify", "`SageMakerClarifyProcessor`", **CLARIFY),
    Flow("pipeline_execution", "`Pipeline.upsert`, `start`", **PIPELINES),
    Flow("feature_store_records", "`FeatureGroup.create`, `put_record`", refused=_not_built("PutRecord"), why=RECORDS),
    Flow("model_monitor", "`DefaultModelMonitor.suggest_baseline`", **MONITOR),
    Flow(
        "jumpstart_model",
        "`ModelTrainer.from_jumpstart_config` of a model that is not here",
        refused=_not_built("DescribeHubContent"),
        why="AWS's public hub is not here",
    ),
    Flow("automl", "`AutoMLJobV2.create`", refused=_not_built("CreateAutoMLJobV2"), why="Autopilot is not built"),
    Flow("ai_registry", "`DataSet.create`, `get_all`"),
    Flow("mlflow_server", "`MlflowTrackingServer` as a record"),
)

FLOWS = {"2": OF_2, "3": OF_3}
PROGRAMS = {"2": "sdk_program.py", "3": "sdk3_program.py"}
VERSIONS = {"2": "2.257", "3": "3.27"}
