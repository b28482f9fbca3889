"""Summaries as Markdown, CSV and LaTeX."""

import csv
import io
import re

import numpy as np
import pandas as pd
import pytest
from made_rows import random_rows, rows_of, table_of

from ae_cluster.common.errors import InputError
from ae_cluster.reports import (
    GROUP,
    comparable_rows,
    summarize,
    to_csv,
    to_latex,
    to_markdown,
    write_tables,
)


@pytest.mark.parametrize("write", [to_markdown, to_csv, to_latex])
def test_the_same_rows_in_any_order_give_the_same_bytes(write):
    rows = random_rows()
    shuffled = rows.sample(frac=1, random_state=1)
    assert write(summarize(shuffled)) == write(summarize(rows))


def test_comparable_rows_have_one_order():
    rows = pd.concat([random_rows(), random_rows().assign(budget=1.0)])
    shuffled = rows.sample(frac=1, random_state=1)
    for by in (GROUP, (*GROUP, "budget")):
        pd.testing.assert_frame_equal(
            comparable_rows(shuffled, by=by), comparable_rows(rows, by=by)
        )


def cells_of(markdown):
    """The cells of the table, escapes undone, by a naive reader."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    split = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    return [[re.sub(r"\\(.)", r"\1", cell.strip()) for cell in line] for line in split]


def test_markdown_says_what_is_missing():
    rows = table_of(rows_of([0.5, None, 0.7, 0.6]), rows_of([0.9] * 10, method="gmm"))
    text = to_markdown(summarize(rows))
    header, _, gmm, kmeans = cells_of(text)
    lines = [dict(zip(header, line, strict=True)) for line in (gmm, kmeans)]
    assert [line["n"] for line in lines] == ["10", "3/10"]
    assert [line["median accuracy"] for line in lines] == ["0.900", "0.600"]
    assert [line["to the best"] for line in lines] == ["best", "−0.300"]
    assert lines[1]["min–max"] == "0.500–0.700"
    assert lines[1]["k"] == "10"
    assert lines[1]["p"] == "0.250"
    assert "seed 1 failed (ValueError: singular); seeds 4 to 9 are missing" in text
    assert "Wilcoxon" in text
    assert "bootstrap" in text
    assert "tutorial's own loop" in text


@pytest.mark.parametrize("name", ["a|b", "two\nlines", "*bold*_", "<b>", "`code`", "a\\b", "数字",
                                  "[x](http://a.b)"])  # fmt: skip
def test_markdown_cells_survive_any_name(name):
    header, rule, line = cells_of(to_markdown(summarize(table_of(rows_of([0.5], dataset=name)))))
    assert len(header) == len(rule) == len(line)
    assert line[0] == " ".join(name.split())


def test_what_data_are_called_is_no_link_and_ends_no_comment():
    name = "[x](http://evil.example)\n\\input{evil} http://evil.example \x1b[2J"
    summary = summarize(table_of(rows_of([0.5, None], dataset=name)))
    markdown, latex = to_markdown(summary), to_latex(summary)
    assert not re.search(r"(?<!\\)\]\(|://|\x1b", markdown)
    assert not re.search(r"^\\input|\x1b", latex, re.MULTILINE)


def test_csv_holds_every_number_to_six_digits():
    summary = summarize(random_rows())
    text = to_csv(summary)
    assert "\r" not in text
    read = pd.read_csv(io.StringIO(text), keep_default_na=True)
    assert list(read) == list(summary)
    for column in ("median", "low", "high", "difference", "wilcoxon", "n_missing"):
        np.testing.assert_allclose(read[column], summary[column].astype(float), rtol=1e-5)
    assert len(list(csv.reader(io.StringIO(text)))) == 1 + len(summary)


LATEX_ESCAPES = r"\\(?:[&%$#_{}]|text(?:backslash|asciitilde|asciicircum|less|greater|bar)\{\})"


def test_latex_escapes_names():
    name = r"50%_of $a$ & b#1 {x} ~y^2 \z <|>"
    text = to_latex(summarize(table_of(rows_of([0.5, None, 0.7], dataset=name))))
    table = [line for line in text.splitlines() if not line.startswith("%")]
    assert table[0].startswith(r"\begin{tabular}{llllrrrr")
    assert [table[1], table[3], table[-2]] == [r"\toprule", r"\midrule", r"\bottomrule"]
    assert table[-1] == r"\end{tabular}"
    columns = len(re.search(r"\{([lr]+)\}$", table[0]).group(1))
    for line in (table[2], table[4]):
        assert line.endswith(r" \\")
        bare = re.sub(LATEX_ESCAPES, "", line.removesuffix(r" \\")).replace("$-$", "")
        assert bare.count("&") == columns - 1
        assert not set(bare) & set("%$#_{}~^\\–−<>|")


def test_small_and_negative_scores_can_be_read():
    rows = table_of(rows_of([0.5, 0.5]), rows_of([0.5, 0.5], method="gmm"))
    rows["mse"] = [0.0311, 0.0322, 0.0345, 0.0345]
    rows["ari"] = [-0.1, 0.2, -0.3, -0.3]
    _, _, gmm, kmeans = cells_of(to_markdown(summarize(rows, "mse", n_seeds=2)))
    assert {"0.0345", "0.0345–0.0345", "+0.0029"} <= set(gmm)
    assert "0.0311–0.0322" in kmeans
    _, _, gmm, kmeans = cells_of(to_markdown(summarize(rows, "ari", n_seeds=2)))
    assert "−0.300 to −0.300" in gmm
    assert "−0.100 to 0.200" in kmeans


def test_summaries_of_several_scores_make_one_table():
    rows = table_of(rows_of([0.5, 0.7]))
    rows["nmi"] = [0.1, 0.2]
    both = pd.concat([summarize(rows, score, n_seeds=2) for score in ("accuracy", "nmi")])
    header, _, *lines = cells_of(to_markdown(both.reset_index(drop=True)))
    assert [line[header.index("score")] for line in lines] == ["accuracy", "nmi"]
    assert [line[header.index("median")] for line in lines] == ["0.600", "0.150"]


def test_tables_become_three_files(tmp_path):
    summary = summarize(random_rows())
    written = write_tables(summary, tmp_path / "new" / "folder", "methods")
    assert [path.name for path in written] == ["methods.md", "methods.csv", "methods.tex"]
    assert sorted(path.name for path in written) == sorted(
        path.name for path in (tmp_path / "new" / "folder").iterdir()
    )
    for path, write in zip(written, (to_markdown, to_csv, to_latex), strict=True):
        assert path.read_bytes() == write(summary).encode()
    assert write_tables(summary, tmp_path / "new" / "folder", "methods") == written


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path, assert_one_sentence):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as error:
        write_tables(summarize(random_rows()), tmp_path / "file", "methods")
    assert_one_sentence(error, tmp_path / "file")
