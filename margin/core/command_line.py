"""argparse whose complaints read like all others: one `error:` line with the option, the value and what to do."""

import argparse
import re
from collections.abc import Sequence
from typing import NoReturn

from margin.core.errors import InputError, did_you_mean

KINDS = {"int": "must be a whole number", "float": "must be a number"}
WRONG = re.compile(r"argument (\S+): invalid (\w+) value: (.*)", re.S)
CHOICE = re.compile(r"argument (\S+): invalid choice: (.*) \(choose from (.*)\)", re.S)
SHORT = re.compile(r"argument (\S+): expected (.*)", re.S)


class Parser(argparse.ArgumentParser):
    """One command line, or one command of it."""

    def error(self, message: str) -> NoReturn:
        """Every complaint of argparse as an InputError."""
        see = f"See '{self.prog} --help'."
        if found := WRONG.fullmatch(message):
            raise InputError(_name(found[1]), _bare(found[3]), KINDS.get(found[2], f"is no {found[2]}"), see)
        if found := CHOICE.fullmatch(message):
            known = [_bare(word) for word in found[3].split(", ")]
            raise InputError(_name(found[1]), _bare(found[2]), "is not known", _near(_bare(found[2]), known))
        if found := SHORT.fullmatch(message):
            raise InputError(_name(found[1]), "nothing", "needs a value", see)
        raise InputError("arguments", message, "cannot be understood", see)

    def parse_args(self, args: Sequence[str] | None = None, namespace: None = None) -> argparse.Namespace:  # type: ignore[override]
        """The options. Raises InputError for an option that the command does not have, with the one that was meant."""
        options, rest = self.parse_known_args(args, namespace)
        if rest:
            command = str(getattr(options, "command", ""))
            asked = self.commands().get(command, self)
            word = rest[0].split("=")[0]
            known = [name for action in asked._actions for name in action.option_strings]
            what = f"is no option of {command}" if word.startswith("-") else "was not expected"
            raise InputError(word, " ".join(rest), what, did_you_mean(word, known) or f"See '{asked.prog} --help'.")
        return options

    def commands(self) -> dict[str, argparse.ArgumentParser]:
        """The commands by name; none of a single one."""
        found = [action for action in self._actions if isinstance(action, argparse._SubParsersAction)]
        return dict(found[0].choices) if found else {}


def _name(argument: str) -> str:
    """The long form of an option that has two."""
    return argument.split("/")[0]


def _bare(text: str) -> str:
    return text.strip().strip("'\"")


def _near(word: str, known: Sequence[str]) -> str:
    return did_you_mean(word, known) or f"One of {', '.join(known)}."
