"""QueryLineage: directions, depth, filters, edges, pages; and without a start."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

import pytest

from emulator.call import Call
from emulator.kinds.relations import ASSOCIATION
from emulator.store.links import Link
from emulator.store.records import Record, Transaction
from tests.behaviours.conftest import ARN, SCOPE, Desk


class Graph:
    """data -> job (a training job's component) -> model -> deployment -> endpoint; image -> job and image -> model."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        call = Call("sagemaker", "CreateTrainingJob", {"TrainingJobName": "j"}, SCOPE)
        desk.house.resources.create("TrainingJob", call, status="InProgress")
        self.arns = {"job": f"{ARN}:experiment-trial-component/j-aws-training-job"}
        for name, kind, properties in (
            ("data", "DataSet", {"owner": "a", "stage": "raw"}),
            ("image", "Image", {"owner": "b"}),
            ("model", "Model", {}),
        ):
            source = {"Source": {"SourceUri": f"s3://b/{name}"}, "Properties": properties}
            self.arns[name] = desk.do("CreateArtifact", ArtifactType=kind, **source)["ArtifactArn"]
            desk.wait(10)
        source = {"Source": {"SourceUri": "arn:endpoint"}}
        action = {"ActionName": "deployment", "ActionType": "ModelDeployment"}
        self.arns["deployment"] = desk.do("CreateAction", **action, **source)["ActionArn"]
        context = {"ContextName": "endpoint", "ContextType": "Endpoint"}
        self.arns["endpoint"] = desk.do("CreateContext", **context, **source)["ContextArn"]
        for pair in ("data job", "image job", "job model", "image model", "model deployment", "deployment endpoint"):
            source_, destination = (self.arns[name] for name in pair.split())
            desk.do("AddAssociation", SourceArn=source_, DestinationArn=destination, AssociationType="ContributedTo")
        self.names = {arn: name for name, arn in self.arns.items()}

    def ask(self, start: str | None, **params: Any) -> dict[str, Any]:
        given = {"StartArns": [self.arns[start]]} if start else {}
        return self.desk.do("QueryLineage", **given, **params)

    def vertices(self, start: str | None, edges: bool = False, **params: Any) -> list[str]:
        found = self.ask(start, IncludeEdges=edges, **params)["Vertices"]
        return sorted(self.names[vertex["Arn"]] for vertex in found)

    def edges(self, start: str | None, **params: Any) -> list[str]:
        found = self.ask(start, **params)["Edges"]
        return sorted(f"{self.names[edge['SourceArn']]} {self.names[edge['DestinationArn']]}" for edge in found)


@pytest.fixture
def graph(desk: Desk) -> Graph:
    return Graph(desk)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def test_directions(graph: Graph) -> None:
    assert graph.vertices("model", Direction="Ascendants") == ["data", "image", "job"]
    assert graph.vertices("model", Direction="Descendants") == ["deployment", "endpoint"]
    everything = ["data", "deployment", "endpoint", "image", "job"]
    assert graph.vertices("model", Direction="Both") == graph.vertices("model") == everything


def test_vertices_say_what_they_are(graph: Graph) -> None:
    found = graph.ask("endpoint", IncludeEdges=False)["Vertices"]
    known = {graph.names[vertex["Arn"]]: (vertex["LineageType"], vertex["Type"]) for vertex in found}
    assert known == {
        "deployment": ("Action", "ModelDeployment"),
        "model": ("Artifact", "Model"),
        "job": ("TrialComponent", "TrainingJob"),
        "image": ("Artifact", "Image"),
        "data": ("Artifact", "DataSet"),
    }
    own = graph.desk.do("CreateTrialComponent", TrialComponentName="own")["TrialComponentArn"]
    graph.desk.do("AddAssociation", SourceArn=own, DestinationArn=graph.arns["endpoint"])
    found = graph.desk.do("QueryLineage", StartArns=[own], IncludeEdges=True, MaxDepth=1)
    assert {"Arn": own, "LineageType": "TrialComponent"} in found["Vertices"], "what no job made has no type"
    assert {"SourceArn": own, "DestinationArn": graph.arns["endpoint"]} in found["Edges"]


def test_depth(graph: Graph) -> None:
    assert graph.vertices("data", Direction="Descendants", MaxDepth=1) == ["job"]
    assert graph.vertices("data", Direction="Descendants", MaxDepth=2) == ["job", "model"]
    with pytest.raises(Exception, match="maxDepth"):
        graph.ask("data", MaxDepth=11)


def test_filters_say_what_is_found_not_where_is_walked(graph: Graph) -> None:
    def found(**filters: Any) -> list[str]:
        return graph.vertices("endpoint", Direction="Ascendants", Filters=filters)

    assert found(Types=["DataSet"]) == ["data"]
    assert found(Types=["DataSet", "Image"], LineageTypes=["Artifact"]) == ["data", "image"]
    assert found(Types=["TrainingJob"], LineageTypes=["TrialComponent"]) == ["job"]
    assert found(LineageTypes=["Context"]) == [], "the start is nothing that is found"
    assert found(Properties={"owner": "a", "stage": "none"}) == ["data"], "any pair will do"
    assert found(Properties={"owner": "c"}) == []
    created = graph.desk.do("DescribeArtifact", ArtifactArn=graph.arns["image"])["CreationTime"]
    assert found(LineageTypes=["Artifact"], CreatedAfter=at(created)) == ["model"]
    assert found(LineageTypes=["Artifact"], CreatedBefore=at(created)) == ["data"]
    graph.desk.do("UpdateArtifact", ArtifactArn=graph.arns["data"], Properties={"owner": "z"})
    changed = graph.desk.do("DescribeArtifact", ArtifactArn=graph.arns["data"])["LastModifiedTime"]
    assert found(LineageTypes=["Artifact"], ModifiedAfter=at(changed - 1)) == ["data"]
    assert found(LineageTypes=["Artifact"], ModifiedBefore=at(changed)) == ["image", "model"]


def test_edges_come_with_what_lies_on_the_way(graph: Graph) -> None:
    assert graph.vertices("model", True, Direction="Descendants") == ["deployment", "endpoint", "model"]
    assert graph.edges("model", Direction="Descendants") == ["deployment endpoint", "model deployment"]
    wanted = {"Direction": "Ascendants", "Filters": {"Types": ["DataSet"]}}
    assert graph.vertices("endpoint", True, **wanted) == ["data", "deployment", "endpoint", "job", "model"]
    assert graph.edges("endpoint", **wanted) == ["data job", "deployment endpoint", "job model", "model deployment"]
    assert graph.ask("endpoint", Filters={"Types": ["none"]}) == {"Vertices": [], "Edges": []}
    assert graph.ask("endpoint", IncludeEdges=False)["Edges"] == []
    assert len(graph.edges("model")) == 6


def test_what_is_alone_is_found_alone(graph: Graph) -> None:
    alone = graph.desk.do("CreateContext", ContextName="x", ContextType="t", Source={"SourceUri": "y"})["ContextArn"]
    vertex = {"Arn": alone, "Type": "t", "LineageType": "Context"}
    assert graph.desk.do("QueryLineage", StartArns=[alone]) == {"Vertices": [vertex], "Edges": []}


def test_a_start_must_exist(graph: Graph) -> None:
    absent = f"{ARN}:artifact/none"
    missing = "ResourceNotFound", f"Artifact '{absent}' does not exist."
    assert graph.desk.refused("QueryLineage", StartArns=[absent]) == missing


def test_an_experiment_is_walked_through_and_never_shown(graph: Graph) -> None:
    experiment = graph.desk.do("CreateExperiment", ExperimentName="e")["ExperimentArn"]
    for source, destination in ((graph.arns["endpoint"], experiment), (experiment, graph.arns["data"])):
        graph.desk.do("AddAssociation", SourceArn=source, DestinationArn=destination)
    found = graph.ask("endpoint", Direction="Descendants", MaxDepth=2)
    assert {graph.names[vertex["Arn"]] for vertex in found["Vertices"]} == {"endpoint", "data"}
    assert found["Edges"] == []


@pytest.mark.parametrize("start", ["endpoint", None])
def test_pages_join_and_each_edge_comes_once(graph: Graph, start: str | None) -> None:
    whole = graph.ask(start)
    assert len(whole["Vertices"]) == 6
    vertices: list[Any] = []
    edges: list[Any] = []
    more: dict[str, Any] = {}
    while True:
        page = graph.ask(start, MaxResults=2, **more)
        assert len(page["Vertices"]) <= 2
        vertices += page["Vertices"]
        edges += page["Edges"]
        if "NextToken" not in page:
            break
        more = {"NextToken": page["NextToken"]}
    assert vertices == whole["Vertices"]
    assert sorted(map(str, edges)) == sorted(map(str, whole["Edges"]))
    assert len(edges) == 6
    other = {**more, "Direction": "Ascendants", "StartArns": [graph.arns["model"]]}
    assert graph.desk.refused("QueryLineage", **other)[0] == "ValidationException", "a token is good for its request"


def test_without_a_start_everything_that_matches_is_found(graph: Graph) -> None:
    assert graph.vertices(None) == ["data", "deployment", "endpoint", "image", "job", "model"]
    assert graph.vertices(None, Filters={"LineageTypes": ["Artifact"], "Types": ["Image", "Model"]}) == [
        "image",
        "model",
    ]
    assert graph.edges(None, Filters={"LineageTypes": ["Artifact"]}) == ["image model"]
    assert graph.vertices(None, Filters={"Properties": {"stage": "raw"}}) == ["data"]


def test_ten_thousand_entities_are_walked_in_tens_of_milliseconds(desk: Desk) -> None:
    """Ten layers of a thousand, each entity made from two of the layer before."""
    layers = [[f"{ARN}:artifact/{layer:02}{number:030}" for number in range(1000)] for layer in range(10)]

    def fill(transaction: Transaction) -> None:
        for layer, arns in enumerate(layers):
            for number, arn in enumerate(arns):
                key = arn.rpartition("/")[2]
                body = {"ArtifactArn": arn, "ArtifactType": "DataSet", "Source": {"SourceUri": key}}
                transaction.insert(Record("Artifact", SCOPE, key, arn, body, 1.0, 1.0))
                for other in {number, (number * 7 + 1) % 1000} if layer else ():
                    facts = {"SourceType": "DataSet", "DestinationType": "DataSet", "AssociationType": "DerivedFrom"}
                    transaction.link(Link(SCOPE, ASSOCIATION, layers[layer - 1][other], arn, 1.0, facts))
        for arn in layers[0]:
            if arn != layers[0][0]:
                transaction.link(Link(SCOPE, ASSOCIATION, layers[0][0], arn, 1.0))

    desk.house.resources.together(fill)
    start = layers[0][0]
    seconds = []
    for _ in range(4):
        began = time.process_time()
        answer = desk.do("QueryLineage", StartArns=[start], Direction="Descendants", Filters={"Types": ["DataSet"]})
        seconds.append(time.process_time() - began)
        assert (len(answer["Vertices"]), "NextToken" in answer) == (50, True)
    assert min(seconds) < 1.0, "with room for a slow machine; some 0.1 s on a small one"
