"""Violations are reported all at once, in the words of platform reports of the real service."""

import pytest
from botocore.model import ShapeResolver

from emulator import spec
from emulator.errors import Validation
from emulator.operations import constraints, patterns

SHAPES = {
    "Input": {
        "type": "structure",
        "required": ["ModelName", "Role"],
        "members": {
            "ModelName": {"shape": "Name"},
            "Role": {"shape": "Free"},
            "Mode": {"shape": "Mode"},
            "Count": {"shape": "Count"},
            "Variants": {"shape": "Variants"},
            "Environment": {"shape": "Environment"},
            "Names": {"shape": "Names"},
            "Secret": {"shape": "Secret"},
            "Again": {"shape": "Input"},
            "Raw": {"shape": "Raw"},
        },
    },
    "Name": {"type": "string", "max": 5, "pattern": "[a-zA-Z0-9](-*[a-zA-Z0-9])*"},
    "Free": {"type": "string"},
    "Mode": {"type": "string", "enum": ["File", "Pipe"]},
    "Count": {"type": "integer", "min": 1, "max": 10},
    "Variants": {"type": "list", "member": {"shape": "Variant"}, "min": 1, "max": 2},
    "Variant": {"type": "structure", "required": ["VariantName"], "members": {"VariantName": {"shape": "Name"}}},
    "Environment": {"type": "map", "key": {"shape": "Name"}, "value": {"shape": "Name"}, "max": 2},
    "Names": {"type": "list", "member": {"shape": "Name"}},
    "Secret": {"type": "string", "max": 3, "sensitive": True},
    "Raw": {"type": "blob", "max": 2},
}
GOOD = {"ModelName": "ok", "Role": ""}
WORDS = "failed to satisfy constraint: "
LONG = "Member must have length less than or equal to 5"
ILL = "Member must satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9])*"
NULL = "Member must not be null"


@pytest.fixture(scope="module")
def shape():
    return ShapeResolver(SHAPES).get_shape_by_name("Input")


def violations(shape, **params) -> list[str]:
    with pytest.raises(Validation) as raised:
        constraints.check(shape, {**GOOD, **params})
    head, _, tail = raised.value.message.partition(" detected: ")
    found = tail.split("; ")
    assert head == f"{len(found)} validation error{'s' if len(found) > 1 else ''}"
    return found


def test_the_example_of_the_real_service():
    shape = spec.load("sagemaker").operation_model("CreateModel").input_shape
    name = "x_" * 40
    with pytest.raises(Validation) as raised:
        constraints.check(shape, {"ModelName": name})
    pattern = spec.load("sagemaker").shape_for("ModelName").metadata["pattern"]
    assert raised.value.message == (
        f"2 validation errors detected: Value '{name}' at 'modelName' failed to satisfy constraint: "
        f"Member must have length less than or equal to 63; Value '{name}' at 'modelName' failed to satisfy "
        f"constraint: Member must satisfy regular expression pattern: ^{pattern.lstrip('^')}"
    )
    assert raised.value.code == "ValidationException"


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"ModelName": None}, [f"Value null at 'modelName' {WORDS}{NULL}"]),
        ({"ModelName": "toolong"}, [f"Value 'toolong' at 'modelName' {WORDS}{LONG}"]),
        ({"ModelName": "a-"}, [f"Value 'a-' at 'modelName' {WORDS}{ILL}"]),
        ({"Mode": "file"}, [f"Value 'file' at 'mode' {WORDS}Member must satisfy enum value set: [File, Pipe]"]),
        ({"Count": 11}, [f"Value '11' at 'count' {WORDS}Member must have value less than or equal to 10"]),
        ({"Count": 0}, [f"Value '0' at 'count' {WORDS}Member must have value greater than or equal to 1"]),
        ({"Variants": []}, [f"Value '[]' at 'variants' {WORDS}Member must have length greater than or equal to 1"]),
        (
            {"Variants": [{"VariantName": "a"}, {"VariantName": "_"}]},
            [f"Value '_' at 'variants.2.member.variantName' {WORDS}{ILL}"],
        ),
        ({"Variants": [{}]}, [f"Value null at 'variants.1.member.variantName' {WORDS}{NULL}"]),
        ({"Variants": [None]}, [f"Value null at 'variants.1.member' {WORDS}{NULL}"]),
        ({"Names": ["a", "b_"]}, [f"Value 'b_' at 'names.2.member' {WORDS}{ILL}"]),
        (
            {"Environment": {"k_": "v_"}},
            [f"Value 'k_' at 'environment.key' {WORDS}{ILL}", f"Value 'v_' at 'environment.value' {WORDS}{ILL}"],
        ),
        ({"Environment": {"k": None}}, [f"Value null at 'environment.value' {WORDS}{NULL}"]),
        (
            {"Environment": {"a": "1", "b": "2", "c": "3"}},
            [f"Value '{{a=1, b=2, c=3}}' at 'environment' {WORDS}Member must have length less than or equal to 2"],
        ),
        ({"Again": {**GOOD, "Again": {"Role": "r"}}}, [f"Value null at 'again.again.modelName' {WORDS}{NULL}"]),
        (
            {"Secret": "hush!"},
            [f"Value '***Sensitive Data***' at 'secret' {WORDS}Member must have length less than or equal to 3"],
        ),
        (
            {"Raw": b"123"},
            [f"Value '3 bytes' at 'raw' {WORDS}Member must have length less than or equal to 2"],
        ),
        (
            {"ModelName": "toolong", "Mode": "x", "Count": 0},
            [
                f"Value 'toolong' at 'modelName' {WORDS}{LONG}",
                f"Value 'x' at 'mode' {WORDS}Member must satisfy enum value set: [File, Pipe]",
                f"Value '0' at 'count' {WORDS}Member must have value greater than or equal to 1",
            ],
        ),
    ],
)
def test_each_constraint_in_the_words_of_the_service(shape, params, expected):
    assert violations(shape, **params) == expected


def test_what_is_right_passes_and_null_is_absent(shape):
    variants = [{"VariantName": "a"}, {"VariantName": "b"}]
    constraints.check(shape, {**GOOD, "Variants": variants, "Mode": None, "Environment": {"a": "b"}, "Raw": b"12"})
    constraints.check(None, {})


def test_a_huge_value_is_not_repeated_whole(shape):
    (message,) = violations(shape, ModelName="a" * 100_000)
    assert len(message) < 2000


def test_the_payload_of_an_invocation_is_not_checked_here():
    shape = spec.load("sagemaker-runtime").operation_model("InvokeEndpoint").input_shape
    constraints.check(shape, {"EndpointName": "e", "Body": b"x" * (26 * 1024 * 1024)})


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("[a-z]+", ["abc"], ["abc1", "1abc", "abc\n", ""]),
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", ["Größe 1", "日本", "a b"], ["a!", "a\n"]),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", ["😀 \t", ""], ["\x01", "a\r"]),
        (r"\d{12}", ["123456789012"], ["١٢٣٤٥٦٧٨٩٠١٢"]),
        (r"[\w]+", ["a_1"], ["ä"]),
        (r"[a-z&&[^b]]+", ["acd"], ["abc"]),
        ("^s3://([^/]+)/?(.*)$", ["s3://b/k"], ["s3://", "s3://b/k\n"]),
    ],
)
def test_java_patterns_mean_in_python_what_they_mean_in_java(pattern, good, bad):
    match = patterns.compile_pattern(pattern)
    assert [t for t in good if not match(t)] == []
    assert [t for t in bad if match(t)] == []


@pytest.mark.parametrize("service", spec.SERVICES)
def test_every_pattern_of_every_model_compiles_without_a_warning(service):
    model = spec.load(service)
    for name in model.shape_names:
        pattern = model.shape_for(name).metadata.get("pattern")
        if pattern:
            patterns.compile_pattern(pattern)("")
