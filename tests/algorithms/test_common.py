"""The parts that algorithms share: hyperparameters, channels, content types, CSV and libsvm."""

import numpy
import pytest

from algorithms.common import channels, content_types, csv_table, libsvm_text
from algorithms.common.channels import Channel
from algorithms.common.contract import Layout, run_training
from algorithms.common.faults import UserError
from algorithms.common.hyperparameters import CommaList, Float, Integer, Interval, Tuple, validate

DECLARED = (
    Integer("rounds", required=True, range=Interval(1)),
    Float("eta", alias="rate", range=Interval(0, 1, open_low=True)),
    CommaList("words", range=("a", "b")),
    Tuple("signs", range=(-1, 0, 1)),
)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Missing required hyperparameter: rounds"),
        ({"rounds": "1", "x": "1"}, "Extraneous hyperparameter found: x"),
        ({"rounds": "0"}, "Hyperparameter rounds: value 0 not in range [1, +inf)"),
        ({"rounds": "1", "rate": "0"}, "Hyperparameter eta: value 0.0 not in range (0, 1]"),
        ({"rounds": "1", "words": "a,c"}, "Hyperparameter words: value ['a', 'c'] not in range ['a', 'b']"),
        ({"rounds": "1", "signs": "(1,2)"}, "Hyperparameter signs: value (1, 2) not in range [-1, 0, 1]"),
        ({"rounds": "ten"}, "Hyperparameter rounds: could not parse value 'ten' (caused by ValueError)"),
    ],
)
def test_what_is_wrong_with_hyperparameters_is_said_as_the_container_says_it(given, said):
    with pytest.raises(UserError) as caught:
        validate(DECLARED, given)
    assert str(caught.value) == said


def test_values_are_parsed_and_aliases_replaced():
    given = {"rounds": "3", "rate": "0.5", "words": "a,b", "signs": "(1, 0)"}
    assert validate(DECLARED, given) == {"rounds": 3, "eta": 0.5, "words": ["a", "b"], "signs": (1, 0)}


def test_hyperparameters_with_the_quotes_of_json_are_read_without_them(tmp_path):
    (tmp_path / "input/config").mkdir(parents=True)
    (tmp_path / "input/config/hyperparameters.json").write_text('{"a": "\\"10\\"", "b": "x", "c": 3}')
    assert Layout(tmp_path).hyperparameters == {"a": "10", "b": "x", "c": "3"}


def test_a_user_error_is_one_sentence_and_a_bug_is_a_story(tmp_path, capsys):
    def mistake(layout):
        raise UserError("no good")

    def bug(layout):
        raise ZeroDivisionError("oops")

    layout = Layout(tmp_path)
    assert run_training(layout, mistake) == 1
    assert layout.failure.read_text() == "ClientError: no good"
    assert run_training(layout, bug) == 1
    assert layout.failure.read_text().startswith("AlgorithmError: ZeroDivisionError: oops\n\nTraceback")
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Missing required channel: train"),
        ({"train": {}, "tset": {}}, "Extraneous channel found: tset"),
        ({"train": {"TrainingInputMode": "Pipe"}}, "is not supported: .* Set TrainingInputMode to 'File'"),
        ({"train": {"S3DistributionType": "Half"}}, "Channel configuration for 'train' channel is not supported"),
    ],
)
def test_channels_are_checked(given, said):
    with pytest.raises(UserError, match=said):
        channels.check((Channel("train", required=True), Channel("validation")), given)


def test_data_files_are_sorted_and_hidden_ones_are_none(tmp_path):
    for name in ("b.csv", "a/1.csv", "a/b/c/2.csv", ".hidden", "_SUCCESS", "_temporary/3.csv", ".git/4.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    (tmp_path / "empty.csv").touch()
    found = [str(path.relative_to(tmp_path)) for path in channels.data_files(tmp_path)]
    assert found == ["a/1.csv", "a/b/c/2.csv", "b.csv"]


def test_data_deeper_than_three_folders_is_refused(tmp_path):
    (tmp_path / "1/2/3/4").mkdir(parents=True)
    with pytest.raises(UserError, match="Folder depth exceed the limit: 3"):
        channels.data_files(tmp_path)


def test_content_types():
    kind = content_types.parse('Text/CSV; label_size=1; charset="utf-8"')
    assert (kind.media, kind.format) == ("text/csv", content_types.CSV)
    assert kind.parameters == {"label_size": "1", "charset": "utf-8"}
    supported = ("application/json", "text/csv")
    assert content_types.choose("", supported, "text/csv") == "text/csv"
    assert content_types.choose("*/*", supported, "text/csv") == "text/csv"
    assert content_types.choose("image/png, application/*;q=0.5", supported, "text/csv") == "application/json"
    assert content_types.choose("image/png", supported, "text/csv") == ""


def csv(tmp_path, text, name="a.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("1,2,3\n4,5,6\n", ","),
        ("1;2;3\r\n4;5;6", ";"),
        ("1\t2\t3\n4\t5\t6\n\n", "\t"),
        ("1|2|3\n4|5|6", "|"),
        ("1 2 3\n4 5 6\n", " "),
    ],
)
def test_csv_is_read_with_the_delimiter_of_its_first_line(tmp_path, capsys, text, delimiter):
    assert csv_table.read([csv(tmp_path, text)]).tolist() == [[1, 2, 3], [4, 5, 6]]
    assert f"Determined delimiter of CSV input is '{delimiter}'" in capsys.readouterr().out


def test_csv_values_are_exact(tmp_path):
    values = numpy.random.default_rng(0).normal(size=(20, 4))
    lines = "\n".join(",".join(map(repr, row)) for row in values.tolist())
    assert numpy.array_equal(csv_table.read([csv(tmp_path, lines)]), values)


def test_missing_values_quotes_and_a_byte_order_mark_are_no_mistakes(tmp_path):
    text = '\ufeff1,,"3"\n4,NA, \n,nan,6\n'
    found = csv_table.read([csv(tmp_path, text)])
    nan = float("nan")
    assert numpy.array_equal(found, [[1, nan, 3], [4, nan, nan], [nan, nan, 6]], equal_nan=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("label,a,b\n1,2,3\n", "line 1 of file 'a.csv' looks like a header: 'label,a,b'"),
        ("1,2,3\n4,5,6\n7,8\n", "line 3 of file 'a.csv' has 2 columns, but the lines before have 3: '7,8'"),
        ("1,2,3\n4,5,6,7\n", "line 2 of file 'a.csv' has 4 columns, but the lines before have 3"),
        ("1,2,3\ncat,5,6\n", "the label in line 2 of file 'a.csv' is not a number: 'cat'"),
        ("cat,2,3\ndog,5,6\n", "the label in line 1 of file 'a.csv' is not a number: 'cat'"),
        ("1,2,3\n\n4,5,red\n", "column 2 in line 3 of file 'a.csv' is not a number: 'red'"),
        ("1,2,#3\n", "column 2 in line 1 of file 'a.csv' is not a number: '#3'"),
        ("1,2,1_000\n4,5,x\n", "column 2 in line 1 of file 'a.csv' is not a number: '1_000'"),
        ("1\n2\n", "Could not determine delimiter on line 1"),
        ('"1"\n"2"\n', 'Could not determine delimiter on line "1"'),
        (b"\x89PNG\r\n\x1a\n\x00\x00,", "a.csv"),
    ],
)
def test_bad_csv_names_the_file_and_the_line(tmp_path, text, said):
    with pytest.raises(UserError) as caught:
        csv_table.read([csv(tmp_path, text)])
    assert said in str(caught.value)


def test_csv_files_of_different_widths_are_named(tmp_path):
    with pytest.raises(UserError, match=r"'b.csv' has 2 columns, but file 'a.csv' has 3"):
        csv_table.read([csv(tmp_path, "1,2,3\n"), csv(tmp_path, "1,2\n", "b.csv")])


@pytest.mark.parametrize(
    "text", ["1 0:1 3:2.5\n0 1:1e-3\n", "1:0.5 0:1\n", "1 qid:1 0:1\n0 qid:2 1:nan\n", "1 0:1 # why\n", "1\n0\n"]
)
def test_good_libsvm(tmp_path, text):
    libsvm_text.check([csv(tmp_path, text)])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2,3\n", "First line '1,2,3...' of file 'a.csv' is not 'LIBSVM' format"),
        ("1 0:1\n0 1:1 7\n", "Line 2, '0 1:1 7...' of file 'a.csv' is not"),
        ("1 0:1\ncat 1:1\n", "Line 2, 'cat 1:1...'"),
        ("1 0:1 1 :2\n", "First line"),
        ("1 0:1:2\n", "First line"),
    ],
)
def test_bad_libsvm_names_the_file_and_the_line(tmp_path, text, said):
    with pytest.raises(UserError) as caught:
        libsvm_text.check([csv(tmp_path, text)])
    assert said in str(caught.value)
