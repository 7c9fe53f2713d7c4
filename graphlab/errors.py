"""The errors that graphlab raises on purpose.

Each message names the argument, what was wrong with it, and what is accepted. The
command line prints them without a traceback.
"""


class GraphlabError(Exception):
    """Base of all errors with a message meant for the user."""


class ArgumentError(GraphlabError, ValueError):
    """An argument has a value that is not accepted."""


class DatasetError(GraphlabError):
    """A dataset is unknown, unavailable, or not what its card says."""


class SplitError(GraphlabError, ValueError):
    """A split is unknown, does not fit the dataset, or lacks a part."""


class RecipeError(GraphlabError, ValueError):
    """A recipe file cannot be used; the message names file and key."""


class StoreError(GraphlabError):
    """A run file or run folder cannot be read or written."""


class SolverError(GraphlabError):
    """A solver stopped before the optimum; an approximate value is not handed out."""
