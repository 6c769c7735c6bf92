"""What happens besides record keeping: one file a family; here, which function answers what.

A behaviour checks what the model cannot express, writes records through the rooms' resources and hands work to the
engines. It does no work itself and knows no HTTP. A family's module is imported when one of its rows is first used.
"""

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
)
"""Those of OPERATIONS that keep records and set nothing to work: what they check no model can express."""

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
    ("sagemaker-runtime", "InvokeEndpoint", f"{_HERE}.invocations:invoke_endpoint"),
    ("sagemaker-runtime", "InvokeEndpointWithResponseStream", f"{_HERE}.invocations:invoke_streaming"),
    *RECORDS,
)
"""(service, operation, "module:function"): function(rooms, call) -> answer."""

REACTIONS: tuple[tuple[str, str, str], ...] = tuple(
    (event, noun, f"{_HERE}.events:tell")
    for noun in ("TrainingJob", "ProcessingJob", "TransformJob", "Endpoint")
    for event in ("created", "updated")
)
"""("created" | "updated" | "deleted", noun, "module:function"): function(rooms, record) -> None."""

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
)
"""(noun, member of Describe, "module:function"): function(rooms, record) -> value or None."""
