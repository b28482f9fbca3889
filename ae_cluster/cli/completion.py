"""``ae-cluster completion``: a script that lets a shell complete commands, options and names.

The scripts ask nothing of Python: all words are written into them, out of the parser.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ae_cluster.cli.commands import COMMANDS, add_command
from ae_cluster.methods import AUTOENCODER, CLASSIFIERS, GIVEN, METHODS

PROGRAM = "ae-cluster"
FEATURES = (AUTOENCODER, GIVEN)  # or a file
EPILOG = """\
bash:  ae-cluster completion bash > ~/.local/share/bash-completion/completions/ae-cluster
zsh:   ae-cluster completion zsh > DIR/_ae-cluster      where DIR is in $fpath, before compinit
fish:  ae-cluster completion fish > ~/.config/fish/completions/ae-cluster.fish
"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    completion = add_command(
        commands, "completion", epilog=EPILOG,
        description="Print a script with which a shell completes commands, options, names of "
        "methods and data sets, and files.",
    )  # fmt: skip
    completion.add_argument("shell", choices=sorted(SCRIPTS), help="the shell")
    completion.set_defaults(function=_completion)


def _completion(arguments: argparse.Namespace) -> None:
    print(SCRIPTS[arguments.shell](described_parser()), end="")


# What there is to complete


@dataclass(frozen=True)
class Option:
    """An option: its words, what it is, and what may follow it (None: nothing; (): files)."""

    words: tuple[str, ...]
    what: str
    values: tuple[str, ...] | None


@dataclass(frozen=True)
class Command:
    """A subcommand: what it is, its options, and words that may stand in their places."""

    what: str
    options: tuple[Option, ...]
    values: tuple[str, ...]


def described_parser() -> dict[str, Command]:
    """Return every subcommand by name, as the parser knows it."""
    from ae_cluster.cli.main import build_parser

    actions = build_parser()._actions  # argparse has no public way to its own actions
    (commands,) = [action for action in actions if action.dest == "command"]
    assert isinstance(commands.choices, dict)
    return {name: _command(name, parser) for name, parser in commands.choices.items()}


def _command(name: str, parser: argparse.ArgumentParser) -> Command:
    options: list[Option] = []
    values: list[str] = []
    for action in parser._actions:
        if action.option_strings:
            follows = None if action.nargs == 0 else _values(name, action)
            words = tuple(word for word in action.option_strings if word.startswith("--"))
            options.append(Option(words or tuple(action.option_strings), _what(action), follows))
        else:
            values += _values(name, action)
    return Command(COMMANDS.get(name, ""), tuple(options), tuple(values))


def _values(command: str, action: argparse.Action) -> tuple[str, ...]:
    """Return the names that may be given; none where it is a file, a number or a text."""
    if action.choices is not None:
        return tuple(map(str, action.choices))
    if action.dest in ("method", "methods"):
        kinds = CLASSIFIERS if command == "classify" else METHODS
        return tuple(method.name for method in kinds)
    if action.dest == "features":
        return FEATURES
    if action.dest in ("data", "dataset", "datasets"):
        return _datasets()
    return ()


@cache
def _datasets() -> tuple[str, ...]:
    from ae_cluster.datasets import known_datasets  # late: its imports are not for a parser

    return tuple(known_datasets())


def _what(action: argparse.Action) -> str:
    """Return an option's help as one short plain line."""
    text = " ".join((action.help or "").replace("%%", "%").split())
    return re.split(r"; default|: ", text)[0][:80]


# bash


def _bash(commands: Mapping[str, Command]) -> str:
    cases = "\n".join(map(_bash_case, commands.items()))
    return f"""\
# bash completion for {PROGRAM}; written by: {PROGRAM} completion bash
_ae_cluster() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command= i
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${{COMP_WORDS[i]}} != -* ]] && {{ command=${{COMP_WORDS[i]}}; break; }}
    done
    local options= values= takes= files=yes
    case $command in
        '') values={shlex.quote(" ".join(commands))} options='--help --version' files= ;;
{cases}
    esac
    COMPREPLY=()
    if [[ $takes == names ]]; then
        COMPREPLY=($(compgen -W "$values" -- "$word"))
        return
    elif [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$word"))
        return
    fi
    COMPREPLY=($(compgen -W "$values" -- "$word"))
    if [[ -n $files ]]; then
        local IFS=$'\\n'
        COMPREPLY+=($(compgen -f -- "$word"))
    fi
}}
complete -o filenames -F _ae_cluster {PROGRAM}
"""


def _bash_case(named: tuple[str, Command]) -> str:
    name, command = named
    words = [word for option in command.options for word in option.words]
    follow = "\n".join(
        f"                {'|'.join(option.words)}) values={shlex.quote(' '.join(option.values))} "
        f"takes={'names' if _is_closed(option.values) else 'value'} ;;"
        for option in command.options
        if option.values is not None
    )
    return f"""\
        {name})
            options={shlex.quote(" ".join(words))} values={shlex.quote(" ".join(command.values))}
            case $before in
{follow}
            esac ;;"""


def _is_closed(values: Iterable[str]) -> bool:
    """Return whether only these may be given: module:Class and files are methods and data too."""
    open_ones = {*(method.name for method in METHODS), *_datasets(), *FEATURES}
    return bool(values) and not open_ones & set(values)


# zsh


def _zsh(commands: Mapping[str, Command]) -> str:
    listed = "\n".join(f"        {_zsh_described(n, c.what)}" for n, c in commands.items())
    cases = "\n".join(map(_zsh_case, commands.items()))
    return f"""\
#compdef {PROGRAM}
# zsh completion for {PROGRAM}; written by: {PROGRAM} completion zsh
_ae_cluster() {{
    local curcontext=$curcontext state line
    local -a commands
    commands=(
{listed}
    )
    _arguments -C '--help[show how it is used]' '--version[show the version]' \\
        '1: :->command' '*:: :->rest'
    case $state in
        command) _describe command commands ;;
        rest)
            case $words[1] in
{cases}
            esac ;;
    esac
}}
_ae_cluster_or_files() {{
    local found=1
    compadd -- "$@" && found=0
    _files && found=0
    return found
}}
if [[ $funcstack[1] == _ae-cluster ]]; then _ae_cluster "$@"; else compdef _ae_cluster {PROGRAM}; fi
"""


def _zsh_described(name: str, what: str) -> str:
    return shlex.quote(f"{name}:{what}")


def _zsh_case(named: tuple[str, Command]) -> str:
    name, command = named
    specs = [
        shlex.quote(f"*{word}[{_in_brackets(option.what)}]{_zsh_value(option.values)}")
        for option in command.options
        for word in option.words
    ]
    specs.append(shlex.quote(f"*:{_zsh_action('argument', command.values)}"))
    listed = " \\\n                        ".join(specs)
    return f"                {name})\n                    _arguments {listed} ;;"


def _zsh_value(values: tuple[str, ...] | None) -> str:
    return "" if values is None else f":{_zsh_action('value', values)}"


def _zsh_action(what: str, values: tuple[str, ...]) -> str:
    if not values:
        return f"{what}:_files"
    names = " ".join(values)
    return f"{what}:({names})" if _is_closed(values) else f"{what}: _ae_cluster_or_files {names}"


def _in_brackets(text: str) -> str:
    return re.sub(r"[\[\]:\\]", " ", text)


# fish


def _fish(commands: Mapping[str, Command]) -> str:
    lines = [
        f"# fish completion for {PROGRAM}; written by: {PROGRAM} completion fish",
        f"complete -c {PROGRAM} -e",
        f"complete -c {PROGRAM} -f -n __fish_use_subcommand -l help",
        f"complete -c {PROGRAM} -f -n __fish_use_subcommand -l version",
    ]
    for name, command in commands.items():
        start = f"complete -c {PROGRAM}"
        lines.append(f"{start} -f -n __fish_use_subcommand -a {name} -d {_in_fish(command.what)}")
        here = f"{start} -n '__fish_seen_subcommand_from {name}'"
        if command.values:
            keep = " -f" if _is_closed(command.values) else " -F"
            lines.append(f"{here}{keep} -a {_in_fish(' '.join(command.values))}")
        for option in command.options:
            lines += [f"{here} {spec}" for spec in _fish_specs(option)]
    return "\n".join(lines) + "\n"


def _fish_specs(option: Option) -> list[str]:
    words = [word.removeprefix("--") for word in option.words if word.startswith("--")]
    takes = ""
    if option.values is not None:
        takes = f" -r -F -a {_in_fish(' '.join(option.values))}"
        if _is_closed(option.values):
            takes = takes.replace(" -F", " -f", 1)
    return [f"-l {word}{takes} -d {_in_fish(option.what)}" for word in words]


def _in_fish(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


SCRIPTS: dict[str, Callable[[Mapping[str, Command]], str]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
}
