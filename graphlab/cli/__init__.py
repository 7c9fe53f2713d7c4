"""The command line. Importing it, and ``graphlab --help``, does not import torch."""

import os
import sys

from graphlab.errors import GraphlabError

_DEBUG = "GRAPHLAB_DEBUG"


def main() -> None:
    """Entry point of the ``graphlab`` command.

    Errors meant for the user are shown in a line or two and end with exit code 2, an
    unexpected one with 1 and the hint how to see the traceback, Ctrl-C with 130.
    """
    # OpenMP threads that wait by spinning take the cores from everybody else: on a busy
    # machine a sweep was 25 times slower with it. Must be set before torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from graphlab.cli.app import app

        app()
    except GraphlabError as error:
        _fail(f"error: {error}", 2)
    except KeyboardInterrupt:
        _fail("interrupted", 130)
    except BrokenPipeError:  # e.g. `graphlab table postel | head`
        sys.stdout = None
        sys.exit(0)
    except Exception as error:
        name = type(error).__name__
        hint = f"set {_DEBUG}=1 for the traceback"
        _fail(f"error: unexpected {name}: {error} ({hint})", 1)


def _fail(message: str, code: int) -> None:
    if os.environ.get(_DEBUG):
        raise
    print(message, file=sys.stderr)
    sys.exit(code)
