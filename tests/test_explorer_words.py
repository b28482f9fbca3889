"""The explorer's words: one file of them, in English and in Chinese."""

import ast
import json
import re
from itertools import pairwise

import numpy as np
import pytest
from test_explorer import PAGE

from ae_cluster.explorer.projection import carried, space_of
from ae_cluster.explorer.samples import AT_RANDOM, KNOWN
from ae_cluster.reports.run import SHOWN

pytest_plugins = ("explorer_fixtures",)
FILE = "words.js"
CHINESE = re.compile("[\u4e00-\u9fff]")
# In Chinese too: keys of the keyboard, formats, scores, commands, and the names of this run.
NAMES = {
    *("Shift", "Enter", "Escape", "Page", "Up", "Down", "Ctrl", "Delete"),
    *("PNG", "JPEG", "CSV", "NMI", "AMI", "ARI", "WebGL", "MIT", "three", "js", "English"),
    *("ae", "cluster", "assign", "classify", "label", "RUN", "labels", "answers", "FILE"),
    *("digits", "autoencoder", "pca", "untrained", "kmeans", "gmm"),
}
# What stands in quotes in the scripts and is no sentence: selectors, styles, the drawing program.
NO_WORDS = re.compile(r"[#{;\[]|^(?:linear-gradient|data:|ae_cluster )|gl_|prefers-|use strict")


def words():
    """Return the words by key, and those that Python writes."""
    text = (PAGE / FILE).read_text(encoding="utf-8")
    return [
        json.loads(part) for part in re.findall(r"^export const \w+ = (.*?);$", text, re.S | re.M)
    ]


def scripts():
    """Return the page's own scripts but the words, without comments."""
    return {
        path.name: re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", "", path.read_text("utf-8"), flags=re.S)
        for path in PAGE.glob("*.js")
        if path.name != FILE
    }


def template():
    return (PAGE / "index.html").read_text(encoding="utf-8")


def holes(text):
    return sorted(re.findall(r"\{(\w+)\}", text))


def is_written(sentence):
    """Return whether Python's words have a sentence, which the page then says in Chinese."""
    patterns = (re.sub(r"\\\{\w+\\\}", "[^ ]+", re.escape(said["en"])) for said in words()[1])
    return any(re.fullmatch(pattern, sentence) for pattern in patterns)


def test_every_word_is_there_in_both_languages_with_the_same_holes():
    by_key, written = words()
    for key, said in [*by_key.items(), *enumerate(written)]:
        assert said.keys() == {"en", "zh"}, key
        assert holes(said["en"]) == holes(said["zh"]), key
        assert not CHINESE.search(said["en"]), key
        has_words = re.search("[a-z]{2}", re.sub(r"\{\w+\}", "", said["en"]))
        assert CHINESE.search(said["zh"]) or not has_words, key
    assert len({said["en"] for said in written}) == len(written)


def test_every_word_is_used_and_no_other_is_asked_for():
    by_key = words()[0]
    text = "".join(scripts().values())
    asked = set(re.findall(r'\b(?:say|means)\(\s*"(\w+)"', text))
    asked |= set(re.findall(r'data-(?:say|aria-label|placeholder)="(\w+)"', template()))
    assert asked <= by_key.keys()
    named = set(re.findall(r'"(\w+)"', text)) | asked | {"language_name"}
    assert by_key.keys() <= named


def test_no_sentence_stands_elsewhere_in_the_page():
    for name, text in scripts().items():
        for quoted in re.findall(r'"([^"\n]*)"|`([^`]*)`', text):
            plain = re.sub(r"\$\{[^{}]*\}", "", "".join(quoted))
            assert NO_WORDS.search(plain) or not re.search(r"[A-Za-z]{2,},? [a-z]{2,}", plain), name
        spoken = (
            r'(?:textContent =|"aria-label":|title:|placeholder:|\}, )\s*"([^"]*[A-Za-z]{2}[^"]*)"'
        )
        assert re.findall(spoken, text) == [], name
    body = re.sub(r"<code>.*?</code>|<!--.*?-->|\{\{\w+\}\}", "", template(), flags=re.S)
    body = body.split("<body>")[1]
    assert re.findall(r">[^<>]*[A-Za-z][^<>]*<", body) == []
    assert re.findall(r'\s(?:aria-label|title|placeholder|alt)="', body) == []


def sentences_of(path):
    """Return the sentences in a module, with 7 for what is filled in; no docstrings, no errors."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    left_out = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            left_out.update(map(id, ast.walk(node)))
        if isinstance(node, ast.JoinedStr):
            left_out.update(map(id, node.values))
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        text = "".join(str(p.value) if isinstance(p, ast.Constant) else "7" for p in parts)
        if isinstance(node, ast.JoinedStr | ast.Constant) and re.match(
            r"[A-Z][^|]* .* .*\.$", text
        ):
            yield re.sub(r"\{[^{}]*\}", "7", text)


def test_what_python_says_in_a_page_has_chinese_words():
    rng = np.random.default_rng(0)
    spaces = [space_of(rng.normal(size=(20, size))) for size in (1, 2, 3, 5)]
    spaces.append(carried(rng.normal(size=(20, 5)), 4)[0])
    said = [part for space in spaces for part in (space.note, *space.axes) if part]
    said += [AT_RANDOM, KNOWN, f"{AT_RANDOM}, and {KNOWN}", "membership", "margin"]
    said += [head for head in SHOWN.values() if not head.isupper()]
    for path in (PAGE.parent).glob("*.py"):
        said += [text for text in sentences_of(path) if not text.startswith("It carries")]
    assert len(said) > 25
    assert [sentence for sentence in said if not is_written(sentence)] == []


@pytest.fixture(scope="module")
def chinese(browser, html):
    """Give the page in a browser whose user reads Chinese."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 860})
    page = context.new_page()
    page.goto(html.as_uri())
    yield page
    context.close()


SHOWN_TEXTS = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement: { tagName }, textContent } = walker.currentNode;
    if (!["SCRIPT", "KBD"].includes(tagName)) found.push(textContent.trim());
  }
  for (const name of ["aria-label", "title", "placeholder", "aria-valuetext"]) {
    for (const one of document.querySelectorAll(`[${name}]`)) found.push(one.getAttribute(name));
  }
  return found.filter(Boolean);
}"""


def test_a_chinese_browser_shows_a_chinese_page(chinese):
    assert chinese.evaluate("document.documentElement.lang") == "zh-CN"
    assert chinese.inner_text("#summary").endswith("10 个聚类，随机种子 0")
    chinese.evaluate("explorer.keep(0); explorer.hover(1); explorer.select([0, 1])")
    for name in chinese.evaluate(
        "[...document.querySelectorAll('#coloring option')].map((o) => o.value)"
    ):
        chinese.select_option("#coloring", name)
        texts = chinese.evaluate(SHOWN_TEXTS)
        latin = {word for text in texts for word in re.findall(r"[A-Za-z]{2,}", text)}
        assert latin <= NAMES
    assert len([text for text in texts if CHINESE.search(text)]) > 150


def test_the_switch_changes_words_and_nothing_else(chinese):
    chinese.evaluate("explorer.showCloud(0); explorer.select([3, 4, 5]); explorer.label([7], '2')")
    chinese.evaluate("explorer.keep(9); explorer.showMethod(1); stage.zoom(2)")
    chinese.select_option("#explain-cluster", "4")
    state = """[stage.view, [...explorer.selected], [...explorer.labels.given], explorer.kept,
      explorer.coloringName, ...[...document.querySelectorAll('select')].map((s) => s.value)]"""
    before, seen = chinese.evaluate(state), []
    for name in ("English", "中文", "English"):
        button = chinese.get_by_role("button", name=name)
        button.focus()
        chinese.keyboard.press("Enter")
        assert button.get_attribute("aria-pressed") == "true"
        assert chinese.evaluate(state) == before
        seen.append(chinese.inner_text("body"))
    assert seen[0] == seen[2]
    assert not CHINESE.search(seen[0].replace("中文", ""))
    assert "已选中 450 个点中的 3 个。" in seen[1]
    chinese.reload()
    assert chinese.evaluate("document.documentElement.lang") == "en"  # kept for the next visit
    assert csv_head(chinese) == "id,split,label,cluster_kmeans"
    chinese.get_by_role("button", name="中文").click()
    assert csv_head(chinese) == "id,split,label,cluster_kmeans"


def csv_head(page):
    return page.evaluate("csv()").split("\r\n")[0]


def test_a_cluster_is_searched_for_in_the_words_of_the_page(chinese):
    found = [
        len(chinese.evaluate(f"rowsWith(explorer, '{t}')"))
        for t in ("cluster 3", "聚类 3", "聚类3")
    ]
    assert found[0] > 0
    assert all(a == b for a, b in pairwise(found))
