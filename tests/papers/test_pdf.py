"""PDFs: whole for a strict reader, set within the page, and without loss by what is attached."""

from __future__ import annotations

import re
import time

from emulator.papers.cards import paper
from emulator.papers.pdf import HEIGHT, MARGIN, WIDTH, Paper, Style, _width
from tests.papers import reading


def test_text_is_set_from_the_top_and_goes_on_on_the_next_page() -> None:
    made = Paper("T")
    made.heading("Title", 0)
    for number in range(200):
        made.entry(f"label {number}", "text")
    file = made.finish()
    found = reading.pages(file)
    assert found[0][0] == "Title" and len(found) > 3
    lines = [line for page in found for line in page]
    assert lines[1:] == [line for number in range(200) for line in (f"label {number}", "text")]
    for content in reading.objects(file).values():
        if b"stream" in content:
            heights = [float(y) for y in re.findall(rb"1 0 0 1 [\d.]+ ([\d.]+) Tm", reading.stream(content))]
            assert heights == sorted(heights, reverse=True)
            assert not heights or (max(heights) < HEIGHT - MARGIN and min(heights) > 0)


def test_lines_are_broken_between_words_and_only_long_words_within() -> None:
    made = Paper("T")
    text = "one two  three\nfour " + "x" * 300 + " five"
    made.paragraph(text, indent=24)
    (lines,) = reading.pages(made.finish())
    assert lines[0] == "one two  three" and lines[1] == "four"
    assert "".join(lines[2:]).replace(" five", "") == "x" * 300 and lines[-1].endswith(" five")
    assert max(_width(line, Style()) for line in lines) <= WIDTH - 2 * MARGIN - 24


def test_a_text_without_blanks_takes_no_time() -> None:
    begun = time.process_time()
    made = Paper("T")
    made.paragraph("x" * 100_000)
    assert sum(len(line) for page in reading.pages(made.finish()) for line in page) == 100_000
    assert time.process_time() - begun < 5


def test_what_the_fonts_lack_is_in_the_attached_source() -> None:
    made = Paper("日本")
    made.paragraph("Größe (1) \\ – € 日本語")
    made.attach("a.txt", "日本語".encode())
    file = made.finish()
    assert reading.pages(file) == [["Größe (1) \\ – € ???"]]
    assert reading.attachments(file) == {"a.txt": "日本語".encode()}
    assert ("feff" + "日本".encode("utf-16-be").hex()).encode() in file


def test_an_empty_paper_has_a_page() -> None:
    assert reading.pages(Paper("T").finish()) == [[]]


def test_a_card_shows_all_that_its_document_holds() -> None:
    document = {
        "model_overview": {"model_name": "churn", "model_artifact": ["s3://b/a", "s3://b/b"]},
        "evaluation_details": [
            {
                "name": "first",
                "metric_groups": [
                    {
                        "name": "quality",
                        "metric_data": [
                            {"name": "auc", "type": "number", "value": 0.75},
                            {"name": "fine", "type": "boolean", "value": True},
                            {"name": "roc", "type": "linear_graph", "value": [[0, 0], [1, 1]]},
                        ],
                    }
                ],
            }
        ],
    }
    (lines,) = reading.pages(paper("Model card churn", {"Status": "Draft"}, document, "{}"))
    assert lines == [
        "Model card churn",
        "Status",
        "Draft",
        "Model overview",
        "Model name",
        "churn",
        "Model artifact",
        "• s3://b/a",
        "• s3://b/b",
        "Evaluation details",
        "first",
        "Metric groups",
        "quality",
        "Metric data",
        "• Name: auc, Type: number, Value: 0.75",
        "• Name: fine, Type: boolean, Value: yes",
        "• Name: roc, Type: linear_graph, Value: 0, 0; 1, 1",
    ]
