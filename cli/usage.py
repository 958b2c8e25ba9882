"""A command line that cannot be understood, in our words: what is wrong with it, and where help is."""

from __future__ import annotations

import click
from click.core import ParameterSource

from cli.foreign import hint
from cli.words import did_you_mean


def sentence(error: click.ClickException) -> str:
    """What is wrong, and the help to look at; without `error: ` before it."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return _said(error.format_message())
    return f"{_problem(error, context)}; see `{context.command_path} --help`"


def _problem(error: click.ClickException, context: click.Context) -> str:
    command = context.command_path
    match error:
        case click.exceptions.NoSuchCommand():
            word, known = error.command_name, list(getattr(context.command, "commands", ()))
            return f'{command} has no command "{word}"{hint(command, word) or did_you_mean(word, known)}'
        case click.NoSuchOption():
            known = [name for param in context.command.get_params(context) for name in param.opts]
            return f"{command} has no option {error.option_name}{did_you_mean(error.option_name, known)}"
        case click.MissingParameter() if error.param is not None:
            return f"{command} lacks {_written(error.param, context)}"
        case click.BadParameter() if error.param is not None:
            flag = isinstance(error.param.type, click.types.BoolParamType)
            return f"{_written(error.param, context)} {'must be yes or no' if flag else error.message}"
    return f"{command}: {_said(error.message)}"


def _written(param: click.Parameter, context: click.Context) -> str:
    """What the person wrote: `--tail`, `GBNT_TELEMETRY_PORT`, or an argument as help names it."""
    if not isinstance(param, click.Option):
        return param.make_metavar(context).strip("[]")
    variable = param.envvar if context.get_parameter_source(param.name or "") is ParameterSource.ENVIRONMENT else None
    return variable if isinstance(variable, str) else max(param.opts, key=len)


def _said(message: str) -> str:
    """click's own sentence as a part of ours."""
    return f"{message[:1].lower()}{message[1:]}".rstrip(".")
