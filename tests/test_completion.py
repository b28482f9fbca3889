"""Completion in the real shells: what they offer is what the parser knows."""

import os
import re
import shutil
import subprocess

import pytest

from ae_cluster.cli.completion import SCRIPTS, described_parser
from ae_cluster.cli.main import build_parser, main
from ae_cluster.datasets import known_datasets

OFFERED = [  # words before the cursor, and some of what is offered there, and not
    (("",), {"run", "compare", "doctor", "completion"}, {"--seed", "mnist"}),
    (("com",), {"compare", "completion"}, {"run"}),
    (("run", "fash"), {"fashion-mnist"}, {"mnist"}),
    (("run", "--se"), {"--seed", "--seeds"}, {"--method"}),
    (("run", "--method", "sort"), {"sorting", "sorting-images"}, {"dec"}),
    (("run", "--features", ""), {"autoencoder", "given", "my.npz"}, {"digits"}),
    (("run", "--kind", ""), {"dense", "conv"}, {"digits", "my.npz"}),
    (("run", "--config", "m"), {"my.npz"}, {"mnist"}),
    (("run", "my"), {"my.npz"}, set()),
    (("explore", "--split", ""), {"test", "train", "all"}, {"my.npz"}),
    (("classify", "--method", "fine"), {"fine-tuned-sorting"}, {"sorting"}),
    (("completion", ""), {"bash", "zsh", "fish"}, {"run"}),
]
BASH = """\
source ./script
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_ae_cluster
printf '%s\\n' "${COMPREPLY[@]}"
"""
# zsh completes only for somebody who types: a terminal of its own, and a list of what there is.
ZSH = """\
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; fpath=($PWD/zsh $fpath); autoload -U compinit; compinit -u -d $PWD/dump'
zpty -w shell 'compadd() {
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
    typeset -a found; builtin compadd -A found "$@"
    for one in $found; print -r -- "<$one>"; builtin compadd "$@"
}'
zpty -w shell 'bindkey "^I" complete-word; print -r "<"ready">"'
zpty -r shell text '*<ready>*'
zpty -n -w shell "$1"$'\\t'
sleep 0.2
for i in {1..50}; do
    while zpty -rt shell text; do print -r -- "$text"; done
    sleep 0.02
done
zpty -d shell
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a folder with a file and the scripts."""
    folder = tmp_path_factory.mktemp("shell")
    (folder / "my.npz").touch()
    (folder / "my other file.npz").touch()
    for shell, script in SCRIPTS.items():
        (folder / f"{shell}.script").write_text(script(described_parser()))
    (folder / "zsh").mkdir()
    shutil.copy(folder / "zsh.script", folder / "zsh" / "_ae-cluster")
    return folder


def run_shell(place, *words):
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {words[0]} on this machine: apt install {words[0]}")
    done = subprocess.run(
        words, cwd=place, capture_output=True, text=True, timeout=120, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(place), "TERM": "dumb", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    return done.stdout, done.stderr


def offered_by_bash(place, words):
    shutil.copy(place / "bash.script", place / "script")
    out, err = run_shell(place, "bash", "--norc", "-c", BASH, "bash", "ae-cluster", *words)
    assert err == ""
    return set(out.splitlines())


def offered_by_fish(place, words):
    line = " ".join(("ae-cluster", *words))
    out, err = run_shell(place, "fish", "--no-config", "-c",
                         f"source fish.script; complete -C '{line}'")  # fmt: skip
    assert err == ""
    return {found.split("\t")[0] for found in out.splitlines()}


def offered_by_zsh(place, words):
    out, _ = run_shell(place, "zsh", "-f", "-c", ZSH, "zsh", " ".join(("ae-cluster", *words)))
    return set(re.findall("<([^<>\r\n]+)>", out))


def in_order(words):
    return " ".join(sorted(words) if isinstance(words, set) else words)


@pytest.mark.parametrize(("words", "some", "none"), OFFERED, ids=in_order)
@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_the_shell_offers_what_fits_there(place, shell, words, some, none):
    offered = globals()[f"offered_by_{shell}"](place, words)
    assert some <= offered
    assert not none & offered


def test_a_file_name_with_a_space_is_one_word(place):
    assert "my other file.npz" in offered_by_bash(place, ("run", "my"))


def test_all_there_is_comes_from_the_parser():
    (commands,) = [action for action in build_parser()._actions if action.dest == "command"]
    described = described_parser()
    assert described.keys() == commands.choices.keys()
    for name, parser in commands.choices.items():
        words = {word for option in described[name].options for word in option.words}
        long = {word for word in parser._option_string_actions if word.startswith("--")}
        assert long == words
        assert all(option.what for option in described[name].options)
    assert set(described["run"].values) == set(known_datasets())


@pytest.mark.parametrize("shell", sorted(SCRIPTS))
def test_the_command_prints_the_script(capsys, shell):
    assert main(["completion", shell]) == 0
    assert capsys.readouterr().out == SCRIPTS[shell](described_parser())
