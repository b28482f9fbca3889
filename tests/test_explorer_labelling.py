"""Labelling in the explorer: by keys, of a selection, kept, exported, learnt from, imported."""

import json

import numpy as np
import pytest
from explorer_page import content_of, make_run, small_images, unpacked, wait_until

from ae_cluster.cli.main import main
from ae_cluster.explorer import write_page
from ae_cluster.records.reading import read_codes
from ae_cluster.runs.classify import classify
from ae_cluster.runs.label import take_answers
from ae_cluster.runs.samples import samples_of
from ae_cluster.semi_supervised.active_learning import suggest_labels
from ae_cluster.semi_supervised.label_files import NamedLabels, read_pairs

NASTY = "</script><img src=x onerror=alert(1)>"
GIVEN = "Object.fromEntries(explorer.labels.given)"
pytest_plugins = ("explorer_fixtures",)


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory):
    """Give the page of a run on 300 samples without labels, whose ids are a0, a1, …"""
    images, _ = small_images(300)
    ids = np.array([f"a{i}" for i in range(300)])
    return write_page(make_run(tmp_path_factory.mktemp("runs"), {"x": images, "ids": ids}))


def saved(page, act):
    """Return the path of the file that an action downloads."""
    with page.expect_download() as download:
        act()
    return download.value.path()


def give_file(page, text, name="labels.csv"):
    """Import a file; return what the page says of it."""
    page.evaluate("document.getElementById('label-said').textContent = ''")
    payload = text if isinstance(text, bytes) else text.encode()
    page.set_input_files("#label-file", {"name": name, "mimeType": "text/csv", "buffer": payload})
    wait_until(page, "document.getElementById('label-said').textContent !== ''")
    return page.inner_text("#label-said")


def type_class(page, name):
    page.fill("#class-name", name)
    page.press("#class-name", "Enter")


def test_ten_digits_labelled_in_the_page_teach_as_much_as_in_python(page, folder, tmp_path, capsys):
    codes = read_codes(folder, "kmeans")
    truth = dict(zip(codes["ids_test"], codes["labels_test"], strict=True))
    page.locator("#to-label").focus()
    for _ in range(10):
        page.keyboard.press(str(truth[page.inner_text("#to-label-name")]))
    file = saved(page, lambda: page.click("#export-labels"))
    out = tmp_path / "predictions.csv"
    command = ["classify", str(folder), "--labels", str(file), "--out", str(out), "--json"]
    assert main(command) == 0
    of_page = json.loads(capsys.readouterr().out)

    chosen = codes["ids_test"][suggest_labels(codes["codes_test"], 10)]
    samples = samples_of(str(folder))
    columns = np.array([truth[i] if i in chosen else -1 for i in samples.ids])
    in_python = classify(samples, NamedLabels(columns, samples.labels.names), of_page["method"], 0)
    assert of_page["n_labels"] == 10
    assert of_page["against_data"] == in_python.against_data._asdict()
    assert in_python.against_data.n == 1787


def test_suggested_are_typical_samples_and_then_those_a_method_is_unsure_of(page, html, folder):
    content = content_of(html)
    codes = read_codes(folder, "kmeans")
    suggested = unpacked(content["spaces"][0]["suggested"][0])
    assert suggested[:10].tolist() == suggest_labels(codes["codes_test"], 10).tolist()
    assert len(set(suggested)) == len(suggested) == 80
    page.evaluate(f"explorer.label({suggested.tolist()}, '0')")
    page.click("#label-skip")
    sure = unpacked(content["methods"][0]["confidence"][0])
    rest = np.setdiff1d(np.arange(450), suggested)
    least = rest[sure[rest].argmin()]
    assert page.inner_text("#to-label-name") == codes["ids_test"][least]
    assert page.inner_text("#to-label-why") == (
        f"suggested: kmeans is unsure of it ({sure[least]:.3f})"
    )
    assert page.evaluate("explorer.target") == least


def test_keys_label_skip_go_back_and_undo_and_the_labels_stay_after_a_reload(page):
    press = page.keyboard.press
    name = page.locator("#to-label-name")
    first = name.inner_text()
    page.locator("#stage").focus()
    press("l")
    press("ArrowRight")
    second = name.inner_text()
    press("ArrowLeft")
    assert name.inner_text() == first
    press("7")
    assert name.inner_text() == second
    press("3")
    third = name.inner_text()
    press("4")
    assert page.evaluate(GIVEN) == {first: "7", second: "3", third: "4"}
    assert page.locator("#classes button", has_text="7").locator(".count").inner_text() == "1"
    press("u")
    assert name.inner_text() == third
    press("Control+z")
    assert page.evaluate(GIVEN) == {first: "7"}
    press("1")
    press("ArrowLeft")
    assert page.inner_text("#to-label-why") == "labelled 1"
    press("Delete")
    press("2")
    page.reload()
    assert page.evaluate(GIVEN) == {first: "7", second: "2"}
    assert page.inner_text("#agreement").startswith("2 labels.")
    page.click("#forget-labels")
    assert page.evaluate(GIVEN) == {}


def test_the_readmes_picture_shows_suggested_samples_with_their_labels(
    page, load_experiment, folder
):
    load_experiment("page_picture").label(page, 12)
    codes = read_codes(folder, "kmeans")
    truth = dict(zip(codes["ids_test"], codes["labels_test"].astype(str), strict=True))
    given = page.evaluate(GIVEN)
    assert len(given) == 12
    assert given.items() <= truth.items()
    assert page.inner_text("#legend .entry:last-child") == "not labelled\n438"


def test_a_selected_cluster_is_labelled_as_one_and_agreement_is_counted(page, folder):
    codes = read_codes(folder, "kmeans")
    rows = np.flatnonzero(codes["clusters_test"] == 4)
    page.select_option("#select-cluster", index=5)
    assert sorted(page.evaluate("[...explorer.selected]")) == rows.tolist()
    page.locator("#to-label").focus()
    page.keyboard.press("6")
    assert page.evaluate(GIVEN) == dict.fromkeys(codes["ids_test"][rows], "6")
    page.evaluate(f"explorer.select([{rows[0]}])")
    page.locator("#classes button", has_text="1").first.click()
    n = len(rows)
    assert page.inner_text("#agreement") == (
        f"{n} labels. In clusters by kmeans with two labels or more, {n - 1} of {n} are their "
        "cluster’s commonest."
    )
    page.keyboard.press("Escape")
    assert page.locator("#select-cluster").input_value() == "0"
    page.select_option("#coloring", "given")
    assert page.locator("#legend .count").all_inner_texts()[6] == str(n - 1)
    page.click("#label-undo")
    page.click("#label-undo")
    assert page.evaluate("explorer.labels.given.size") == 0
    assert page.evaluate("explorer.coloringName") == "cluster"


def test_typed_classes_with_markup_stay_text_and_come_back_from_their_file(open_page, unlabelled):
    page = open_page(unlabelled)
    for text in (NASTY, '=1+1, "x"', "cow", "owl"):
        type_class(page, text)
    assert page.locator("#classes kbd").all_inner_texts() == ["s", "1", "c", "o"]
    page.locator("#to-label").focus()
    page.keyboard.press("o")
    given = page.evaluate(GIVEN)
    assert [*given.values()] == [NASTY, '=1+1, "x"', "cow", "owl", "owl"]
    assert page.locator("#classes .name").all_inner_texts()[0] == NASTY
    assert page.locator("img").count() == 0
    file = saved(page, lambda: page.click("#export-labels"))
    assert read_pairs(file) == given
    assert take_answers(unlabelled.parent, file)[1] == 5
    for refused in ("", " ", "-1", "None", "n/a"):
        type_class(page, refused)
    assert "means that no label is known" in page.inner_text("#label-said")
    other = open_page(unlabelled)  # of another browser, as far as storage goes
    assert give_file(other, file.read_bytes()).startswith("5 labels are from labels.csv.")
    assert other.evaluate(GIVEN) == given
    other.click("#label-undo")
    assert other.evaluate(GIVEN) == {}


def test_three_hundred_classes_are_given_by_key_or_by_name(open_page, unlabelled):
    page = open_page(unlabelled)
    lines = [f"a{i},class {i}\r\n" for i in range(300)]
    assert give_file(page, "id,label\r\n" + "".join(lines)).startswith("300 labels")
    assert page.locator("#classes button").count() == 300
    keys = page.locator("#classes kbd").all_inner_texts()
    assert len(set(keys)) == len(keys) == 35
    page.evaluate("explorer.select([0])")
    type_class(page, "class 299")
    assert page.evaluate("explorer.labels.given.get(explorer.cloud.ids[0])") == "class 299"
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


REFUSED = {
    "id,label,data\na1,cat,0123456789ab\n": "its labels are of other data (0123456789ab)",
    "id,label\na1,cat\nb7,dog\n": "line 3 labels “b7”, and no sample here has this id",
    "id,label\na1,cat\na1,dog\n": "line 3 labels “a1” as “dog”, and an earlier line as “cat”",
    "id,label\na1,NaN\na2,-1\n": "it holds no label",
    "name,class\na1,cat\n": "its first line does not name the columns id and label",
    'id,label\n"a1"x,cat\n': "line 2 cannot be read",
    b"id,label\na1,caf\xe9\n": "it is not UTF-8 text",
    b"": "its first line does not name",
}


def test_a_file_that_is_of_another_run_or_cannot_be_read_changes_nothing(open_page, unlabelled):
    page = open_page(unlabelled)
    type_class(page, "owl")
    before = page.evaluate(GIVEN)
    for text, sentence in REFUSED.items():
        said = give_file(page, text)
        assert said.startswith(f"labels.csv: {sentence}"), said
        assert said.endswith("Nothing was changed."), said
        assert page.evaluate(GIVEN) == before
    said = give_file(page, '\ufeffsep=;\nnumber;ids;Y\n1;a1;"c;t"\n2;a2;\n3;a3;1.0\n4;a4;1')
    assert said.startswith("3 labels are from labels.csv")
    assert page.evaluate(GIVEN) == before | {"a1": "c;t", "a3": "1.0", "a4": "1.0"}


def test_a_label_that_is_no_class_of_the_data_is_refused(page):
    type_class(page, "ten")
    assert "“ten” is no class of these data; their classes are 0, 1," in (
        page.inner_text("#label-said")
    )
    type_class(page, "7.0")
    assert page.evaluate("[...explorer.labels.given.values()]") == ["7"]
    assert "line 2: “ten” is no class" in give_file(page, "id,label\n3,ten\n")


FULL = "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); };"
FORBIDDEN = (
    "Object.defineProperty(globalThis, 'localStorage', "
    "{ get() { throw new DOMException('', 'SecurityError'); } });"
)
DAMAGED = "localStorage.getItem('x'); Storage.prototype.getItem = () => '{\"labels\": 7}';"


@pytest.mark.parametrize(
    ("broken", "words"),
    [(FULL, "is full"), (FORBIDDEN, "forbids"), (DAMAGED, "cannot be read and is left as it is")],
)
def test_without_storage_the_labels_are_in_memory_and_that_is_said(browser, html, broken, words):
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(broken)
    page.goto(html.as_uri())
    page.locator("#to-label").focus()
    page.keyboard.press("3")
    said = page.inner_text("#label-problem")
    assert words in said
    assert said.endswith("in memory only: export them before you close the page.")
    file = saved(page, lambda: page.click("#export-labels"))
    assert list(read_pairs(file).values()) == ["3"]
    context.close()
