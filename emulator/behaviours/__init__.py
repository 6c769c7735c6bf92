"""What happens besides record keeping: one file a family; here, which function answers what.

A behaviour checks what the model cannot express, writes records through the rooms' resources and hands work to the
engines. It does no work itself and knows no HTTP. A family's module is imported when one of its rows is first used.
"""

from emulator.kinds.elsewhere import ELSEWHERE

_HERE = "emulator.behaviours"

RECORDS: tuple[tuple[str, str, str], ...] = (
    ("sagemaker", "CreateCluster", f"{_HERE}.clusters:create_cluster"),
    ("sagemaker", "UpdateCluster", f"{_HERE}.clusters:update_cluster"),
    ("sagemaker", "UpdateClusterSoftware", f"{_HERE}.clusters:update_cluster_software"),
    ("sagemaker", "ListClusterNodes", f"{_HERE}.cluster_nodes:list_cluster_nodes"),
    ("sagemaker", "DescribeClusterNode", f"{_HERE}.cluster_nodes:describe_cluster_node"),
    ("sagemaker", "BatchAddClusterNodes", f"{_HERE}.cluster_nodes:batch_add_nodes"),
    ("sagemaker", "BatchDeleteClusterNodes", f"{_HERE}.cluster_nodes:batch_delete_nodes"),
    ("sagemaker", "ListClusterEvents", f"{_HERE}.cluster_events:list_cluster_events"),
    ("sagemaker", "DescribeClusterEvent", f"{_HERE}.cluster_events:describe_cluster_event"),
    ("sagemaker", "ListClusterOperations", f"{_HERE}.cluster_events:list_cluster_operations"),
    ("sagemaker", "DescribeClusterOperation", f"{_HERE}.cluster_events:describe_cluster_operation"),
    ("sagemaker", "CreateClusterSchedulerConfig", f"{_HERE}.governance:create_scheduler_config"),
    ("sagemaker", "DescribeClusterSchedulerConfig", f"{_HERE}.governance:describe_scheduler_config"),
    ("sagemaker", "UpdateClusterSchedulerConfig", f"{_HERE}.governance:update_scheduler_config"),
    ("sagemaker", "CreateComputeQuota", f"{_HERE}.governance:create_compute_quota"),
    ("sagemaker", "DescribeComputeQuota", f"{_HERE}.governance:describe_compute_quota"),
    ("sagemaker", "UpdateComputeQuota", f"{_HERE}.governance:update_compute_quota"),
    ("sagemaker", "SearchTrainingPlanOfferings", f"{_HERE}.training_plan_extensions:search"),
    ("sagemaker", "CreateTrainingPlan", f"{_HERE}.training_plans:create_training_plan"),
    ("sagemaker", "ListTrainingPlans", f"{_HERE}.training_plans:list_training_plans"),
    ("sagemaker", "ExtendTrainingPlan", f"{_HERE}.training_plan_extensions:extend_training_plan"),
    ("sagemaker", "DescribeTrainingPlanExtensionHistory", f"{_HERE}.training_plan_extensions:extension_history"),
    ("sagemaker", "CreateDeviceFleet", f"{_HERE}.edge:create_device_fleet"),
    ("sagemaker", "UpdateDeviceFleet", f"{_HERE}.edge:update_device_fleet"),
    ("sagemaker", "RegisterDevices", f"{_HERE}.edge:register_devices"),
    ("sagemaker", "DeregisterDevices", f"{_HERE}.edge:deregister_devices"),
    ("sagemaker", "UpdateDevices", f"{_HERE}.edge:update_devices"),
    ("sagemaker", "DescribeDevice", f"{_HERE}.edge:describe_device"),
    ("sagemaker", "GetDeviceFleetReport", f"{_HERE}.edge:fleet_report"),
    ("sagemaker", "CreateEdgeDeploymentPlan", f"{_HERE}.edge_plans:create_plan"),
    ("sagemaker", "DescribeEdgeDeploymentPlan", f"{_HERE}.edge_plans:describe_plan"),
    ("sagemaker", "CreateEdgeDeploymentStage", f"{_HERE}.edge_plans:create_stage"),
    ("sagemaker", "DeleteEdgeDeploymentStage", f"{_HERE}.edge_plans:delete_stage"),
    ("sagemaker", "StopEdgeDeploymentStage", f"{_HERE}.edge_plans:stop_stage"),
    ("sagemaker", "ListStageDevices", f"{_HERE}.edge_plans:list_stage_devices"),
    ("sagemaker-edge", "GetDeviceRegistration", f"{_HERE}.edge_agent:get_device_registration"),
    ("sagemaker-edge", "SendHeartbeat", f"{_HERE}.edge_agent:send_heartbeat"),
    ("sagemaker-edge", "GetDeployments", f"{_HERE}.edge_agent:get_deployments"),
    ("sagemaker", "CreateMonitoringSchedule", f"{_HERE}.monitoring:create_monitoring_schedule"),
    ("sagemaker", "UpdateMonitoringSchedule", f"{_HERE}.monitoring:update_monitoring_schedule"),
    ("sagemaker", "ListMonitoringAlerts", f"{_HERE}.monitoring:list_monitoring_alerts"),
    ("sagemaker", "ListMonitoringAlertHistory", f"{_HERE}.monitoring:list_alert_history"),
    ("sagemaker", "UpdateMonitoringAlert", f"{_HERE}.monitoring:update_monitoring_alert"),
    ("sagemaker", "CreateFeatureGroup", f"{_HERE}.feature_groups:create_feature_group"),
    ("sagemaker", "UpdateFeatureGroup", f"{_HERE}.feature_groups:update_feature_group"),
    ("sagemaker", "DescribeFeatureMetadata", f"{_HERE}.feature_metadata:describe_feature_metadata"),
    ("sagemaker", "UpdateFeatureMetadata", f"{_HERE}.feature_metadata:update_feature_metadata"),
    ("sagemaker", "CreateNotebookInstance", f"{_HERE}.notebooks:create_notebook_instance"),
    ("sagemaker", "UpdateNotebookInstance", f"{_HERE}.notebooks:update_notebook_instance"),
    ("sagemaker", "UpdateNotebookInstanceLifecycleConfig", f"{_HERE}.notebooks:update_lifecycle_config"),
    ("sagemaker", "DeleteNotebookInstanceLifecycleConfig", f"{_HERE}.notebooks:delete_lifecycle_config"),
    ("sagemaker", "CreateDomain", f"{_HERE}.studio:create_domain"),
    ("sagemaker", "UpdateDomain", f"{_HERE}.studio:update_domain"),
    ("sagemaker", "CreateUserProfile", f"{_HERE}.studio:create_user_profile"),
    ("sagemaker", "UpdateUserProfile", f"{_HERE}.studio:update_user_profile"),
    ("sagemaker", "DeleteUserProfile", f"{_HERE}.studio:delete_user_profile"),
    ("sagemaker", "CreateSpace", f"{_HERE}.studio:create_space"),
    ("sagemaker", "UpdateSpace", f"{_HERE}.studio:update_space"),
    ("sagemaker", "DeleteSpace", f"{_HERE}.studio:delete_space"),
    ("sagemaker", "DeleteStudioLifecycleConfig", f"{_HERE}.studio:delete_lifecycle_config"),
    ("sagemaker", "CreateApp", f"{_HERE}.studio_apps:create_app"),
    ("sagemaker", "DescribeApp", f"{_HERE}.studio_apps:describe_app"),
    ("sagemaker", "DeleteApp", f"{_HERE}.studio_apps:delete_app"),
    ("sagemaker", "ListApps", f"{_HERE}.studio_apps:list_apps"),
    ("sagemaker", "CreateMlflowTrackingServer", f"{_HERE}.mlflow:create_mlflow_tracking_server"),
    ("sagemaker", "CreateMlflowApp", f"{_HERE}.mlflow:create_mlflow_app"),
    ("sagemaker", "UpdateMlflowApp", f"{_HERE}.mlflow:update_mlflow_app"),
    ("sagemaker", "CreatePartnerApp", f"{_HERE}.mlflow:create_partner_app"),
    ("sagemaker", "UpdatePartnerApp", f"{_HERE}.mlflow:update_partner_app"),
    ("sagemaker", "DeletePartnerApp", f"{_HERE}.mlflow:delete_partner_app"),
    ("sagemaker", "CreateProject", f"{_HERE}.projects:create_project"),
    ("sagemaker", "DescribeProject", f"{_HERE}.projects:describe_project"),
    ("sagemaker", "ListProjects", f"{_HERE}.projects:list_projects"),
    ("sagemaker", "UpdateProject", f"{_HERE}.projects:update_project"),
    ("sagemaker", "DeleteProject", f"{_HERE}.projects:delete_project"),
    ("sagemaker", "EnableSagemakerServicecatalogPortfolio", f"{_HERE}.projects:enable_portfolio"),
    ("sagemaker", "DisableSagemakerServicecatalogPortfolio", f"{_HERE}.projects:disable_portfolio"),
    ("sagemaker", "GetSagemakerServicecatalogPortfolioStatus", f"{_HERE}.projects:portfolio_status"),
    ("sagemaker", "CreateWorkforce", f"{_HERE}.people:create_workforce"),
    ("sagemaker", "UpdateWorkforce", f"{_HERE}.people:update_workforce"),
    ("sagemaker", "CreateWorkteam", f"{_HERE}.people:create_workteam"),
    ("sagemaker", "UpdateWorkteam", f"{_HERE}.people:update_workteam"),
    ("sagemaker", "ListLabelingJobsForWorkteam", f"{_HERE}.people:list_jobs_of_workteam"),
    ("sagemaker", "CreateHumanTaskUi", f"{_HERE}.reviews:create_human_task_ui"),
    ("sagemaker", "CreateFlowDefinition", f"{_HERE}.reviews:create_flow_definition"),
    ("sagemaker", "PutEndpointPolicy", f"{_HERE}.policies:put_endpoint_policy"),
    ("sagemaker", "GetEndpointPolicy", f"{_HERE}.policies:get_endpoint_policy"),
    ("sagemaker", "DeleteEndpointPolicy", f"{_HERE}.policies:delete_endpoint_policy"),
    ("sagemaker", "CreateModelPackage", f"{_HERE}.model_packages:create_model_package"),
    ("sagemaker", "DescribeModelPackage", f"{_HERE}.model_packages:describe_model_package"),
    ("sagemaker", "UpdateModelPackage", f"{_HERE}.model_packages:update_model_package"),
    ("sagemaker", "ListModelPackages", f"{_HERE}.model_packages:list_model_packages"),
    ("sagemaker", "BatchDescribeModelPackage", f"{_HERE}.model_packages:batch_describe"),
    ("sagemaker", "CreateAlgorithm", f"{_HERE}.model_packages:create_algorithm"),
    ("sagemaker", "CreateModelCard", f"{_HERE}.model_cards:create_model_card"),
    ("sagemaker", "DescribeModelCard", f"{_HERE}.model_cards:describe_model_card"),
    ("sagemaker", "UpdateModelCard", f"{_HERE}.model_cards:update_model_card"),
    ("sagemaker", "CreateImageVersion", f"{_HERE}.images:create_image_version"),
    ("sagemaker", "UpdateImageVersion", f"{_HERE}.images:update_image_version"),
    ("sagemaker", "DeleteImageVersion", f"{_HERE}.images:delete_image_version"),
    ("sagemaker", "ListAliases", f"{_HERE}.images:list_aliases"),
    ("sagemaker", "DescribeHub", f"{_HERE}.hubs:describe_hub"),
    ("sagemaker", "ImportHubContent", f"{_HERE}.hubs:import_hub_content"),
    ("sagemaker", "DescribeHubContent", f"{_HERE}.hubs:describe_hub_content"),
    ("sagemaker", "UpdateHubContent", f"{_HERE}.hubs:update_hub_content"),
    ("sagemaker", "DeleteHubContent", f"{_HERE}.hubs:delete_hub_content"),
    ("sagemaker", "ListHubContents", f"{_HERE}.hubs:list_hub_contents"),
    ("sagemaker", "ListHubContentVersions", f"{_HERE}.hubs:list_hub_content_versions"),
    ("sagemaker", "CreateHubContentPresignedUrls", f"{_HERE}.hub_urls:create_presigned_urls"),
    ("sagemaker", "CreatePipeline", f"{_HERE}.pipeline_records:create_pipeline"),
    ("sagemaker", "UpdatePipeline", f"{_HERE}.pipeline_records:update_pipeline"),
    ("sagemaker", "DescribePipeline", f"{_HERE}.pipeline_records:describe_pipeline"),
    ("sagemaker", "UpdatePipelineVersion", f"{_HERE}.pipeline_records:update_pipeline_version"),
    ("sagemaker", "PutModelPackageGroupPolicy", f"{_HERE}.policies:put_group_policy"),
    ("sagemaker", "GetModelPackageGroupPolicy", f"{_HERE}.policies:get_group_policy"),
    ("sagemaker", "DeleteModelPackageGroupPolicy", f"{_HERE}.policies:delete_group_policy"),
    ("sagemaker", "CreateTrialComponent", f"{_HERE}.experiments:create_trial_component"),
    ("sagemaker", "AssociateTrialComponent", f"{_HERE}.experiments:associate_trial_component"),
    ("sagemaker", "DisassociateTrialComponent", f"{_HERE}.experiments:disassociate_trial_component"),
    ("sagemaker", "ListTrialComponents", f"{_HERE}.experiments:list_trial_components"),
    ("sagemaker", "CreateArtifact", f"{_HERE}.lineage:create_entity"),
    ("sagemaker", "CreateContext", f"{_HERE}.lineage:create_entity"),
    ("sagemaker", "CreateAction", f"{_HERE}.lineage:create_entity"),
    ("sagemaker", "DeleteArtifact", f"{_HERE}.lineage:delete_artifact"),
    ("sagemaker", "AddAssociation", f"{_HERE}.associations:add_association"),
    ("sagemaker", "DeleteAssociation", f"{_HERE}.associations:delete_association"),
    ("sagemaker", "ListAssociations", f"{_HERE}.associations:list_associations"),
    ("sagemaker", "GetLineageGroupPolicy", f"{_HERE}.lineage_groups:get_lineage_group_policy"),
)
"""Those of OPERATIONS that keep records and set nothing to work: what they check no model can express."""

ABSENT: tuple[tuple[str, str, str], ...] = tuple(
    (service, operation, f"{_HERE}.elsewhere:answer") for service, said in ELSEWHERE.items() for operation in said
)
"""Those of OPERATIONS that are about what nothing here makes (`emulator.kinds.elsewhere`)."""

OPERATIONS: tuple[tuple[str, str, str], ...] = (
    ("sagemaker", "CreateTrainingJob", f"{_HERE}.training:create_training_job"),
    ("sagemaker", "StopTrainingJob", f"{_HERE}.training:stop_training_job"),
    ("sagemaker", "UpdateTrainingJob", f"{_HERE}.training:update_training_job"),
    ("sagemaker", "DeleteTrainingJob", f"{_HERE}.training:delete_training_job"),
    ("sagemaker", "CreateProcessingJob", f"{_HERE}.processing:create_processing_job"),
    ("sagemaker", "StopProcessingJob", f"{_HERE}.processing:stop_processing_job"),
    ("sagemaker", "DeleteProcessingJob", f"{_HERE}.processing:delete_processing_job"),
    ("sagemaker", "CreateTransformJob", f"{_HERE}.transform:create_transform_job"),
    ("sagemaker", "StopTransformJob", f"{_HERE}.transform:stop_transform_job"),
    ("sagemaker", "CreateModel", f"{_HERE}.hosting:create_model"),
    ("sagemaker", "CreateEndpointConfig", f"{_HERE}.hosting:create_endpoint_config"),
    ("sagemaker", "CreateEndpoint", f"{_HERE}.hosting:create_endpoint"),
    ("sagemaker", "UpdateEndpoint", f"{_HERE}.hosting:update_endpoint"),
    ("sagemaker", "UpdateEndpointWeightsAndCapacities", f"{_HERE}.hosting:update_weights"),
    ("sagemaker", "DeleteEndpoint", f"{_HERE}.hosting:delete_endpoint"),
    ("sagemaker", "CreateModelCardExportJob", f"{_HERE}.card_exports:create_export_job"),
    ("sagemaker-runtime", "InvokeEndpoint", f"{_HERE}.invocations:invoke_endpoint"),
    ("sagemaker-runtime", "InvokeEndpointWithResponseStream", f"{_HERE}.invocations:invoke_streaming"),
    ("sagemaker", "Search", f"{_HERE}.search:search"),
    ("sagemaker", "GetSearchSuggestions", f"{_HERE}.search:get_search_suggestions"),
    ("sagemaker-metrics", "BatchPutMetrics", f"{_HERE}.component_metrics:batch_put_metrics"),
    ("sagemaker-metrics", "BatchGetMetrics", f"{_HERE}.metric_queries:batch_get_metrics"),
    ("sagemaker", "QueryLineage", f"{_HERE}.lineage_query:query_lineage"),
    *RECORDS,
    *ABSENT,
)
"""(service, operation, "module:function"): function(rooms, call) -> answer."""

JOBS = ("TrainingJob", "ProcessingJob", "TransformJob")
REGISTRY = ("ModelPackage", "ModelCard", "Image", "ImageVersion")

TOLD = (*JOBS, "Endpoint", "FeatureGroup", *REGISTRY)
"""Kinds whose changes of status EventBridge is told of."""

FOLLOWED: tuple[tuple[str, str], ...] = (
    *((noun, f"{_HERE}.tracking:track") for noun in JOBS),
    ("FeatureGroup", f"{_HERE}.feature_metadata:track"),
    ("ModelPackageGroup", f"{_HERE}.registry_lineage:follow_group"),
    ("ModelPackage", f"{_HERE}.registry_lineage:follow_package"),
    ("Endpoint", f"{_HERE}.endpoint_lineage:follow"),
)
"""(noun, "module:function"): function(rooms, record, fresh) -> what is to be written. What follows from each write of
a record of these kinds is written a little later (`following`), and not lost with the server as a reaction is."""

REACTIONS: tuple[tuple[str, str, str], ...] = (
    *((event, noun, f"{_HERE}.events:tell") for noun in TOLD for event in ("created", "updated")),
    *((event, noun, f"{_HERE}.following:note") for noun, _ in FOLLOWED for event in ("created", "updated")),
    ("deleted", "TrialComponent", f"{_HERE}.component_metrics:forget"),
)
"""("created" | "updated" | "deleted", noun, "module:function"): function(rooms, record) -> None."""

RESUMED: tuple[tuple[str, str, str], ...] = (("ModelCardExportJob", "InProgress", f"{_HERE}.card_exports:export"),)
"""(noun, status, "module:function"): function(rooms, record) goes on with what a former life was at."""

COMPUTED: tuple[tuple[str, str, str], ...] = (
    ("TrainingJob", "TrainingTimeInSeconds", f"{_HERE}.training:training_time"),
    ("Cluster", "InstanceGroups", f"{_HERE}.clusters:shown_groups"),
    ("Cluster", "RestrictedInstanceGroups", f"{_HERE}.clusters:shown_restricted_groups"),
    ("EdgeDeploymentPlan", "Stages", f"{_HERE}.edge_plans:shown_stages"),
    ("TrainingPlan", "Status", f"{_HERE}.training_plans:status"),
    ("TrainingPlan", "AvailableInstanceCount", f"{_HERE}.training_plans:available"),
    ("TrainingPlan", "InUseInstanceCount", f"{_HERE}.training_plans:in_use"),
    ("TrainingPlan", "ReservedCapacitySummaries", f"{_HERE}.training_plans:capacities"),
    ("ReservedCapacity", "Status", f"{_HERE}.training_plans:status"),
    ("ReservedCapacity", "AvailableInstanceCount", f"{_HERE}.training_plans:available"),
    ("ReservedCapacity", "InUseInstanceCount", f"{_HERE}.training_plans:in_use"),
    ("FeatureGroup", "LastUpdateStatus", f"{_HERE}.feature_groups:last_update"),
    ("TrialComponent", "Metrics", f"{_HERE}.component_metrics:growing"),
)
"""(noun, member of Describe, "module:function"): function(rooms, record) -> value or None."""

SEARCHED: tuple[tuple[str, str, str, str], ...] = (
    ("TrialComponent", "Parents", f"{_HERE}.trials:parents", "kept"),
    ("TrialComponent", "RunName", f"{_HERE}.trials:run_name", "kept"),
    ("TrialComponent", "SourceDetail", f"{_HERE}.search:source_detail", "afresh"),
    ("Model", "Endpoints", f"{_HERE}.search:endpoints_of_model", "afresh"),
    ("Model", "ModelCard", f"{_HERE}.search:card_of_model", "afresh"),
    ("PipelineVersion", "PipelineVersionId", f"{_HERE}.pipeline_records:number_of", "kept"),
    ("PipelineVersion", "CreationTime", f"{_HERE}.pipeline_records:created", "kept"),
    ("ModelCard", "ModelPackageGroupName", f"{_HERE}.search:group_of_card", "kept"),
    ("ModelCard", "RiskRating", f"{_HERE}.search:risk_of_card", "kept"),
    ("ModelCard", "ModelId", f"{_HERE}.search:model_of_card", "kept"),
)
"""(noun, member of SearchRecord, "module:function", how long a value stays): function(rooms, record) -> value or None.

What COMPUTED adds to Describe is searched too, and read again at every search until the body has the member. `kept`:
the value changes only when the record is written, or when whoever changes it calls `rooms.search.touch(arn)`; it is
indexed. `afresh`: it comes from elsewhere, unwatched, and is not.
"""
