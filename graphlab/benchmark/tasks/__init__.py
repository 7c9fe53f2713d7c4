"""What the cells of a table are about: one file per task, all with the same names.

A task is a module with

- ``TRAINING_KEYS``: what ``training`` may hold, with types; the fields of its settings;
- ``SPLIT_KEYS``: what ``split_args`` may hold, with types;
- ``METRICS``: the metrics that its tables may be about, the first by default;
- ``LABELS``: whether it has label methods; without them every cell has ``"none"``;
- ``CHANNELS``: which sizes a model is given, as they are called;
- ``MODEL_KEYS`` (optional): what ``model_args`` may hold that the task itself takes and
  not the model, with types;
- ``ITEMS``: what is judged, in the plural, for tables;
- ``TOGETHER``: whether the runs of a cell are trained in one go; without it each run is
  stored as soon as it is finished;
- ``check_names(cell)``: refuses unknown names and settings before anything is trained;
- ``config(cell)``: the training settings, checked;
- ``load(cell, data_root)``: the data, something with a ``checksum``;
- ``train(cell, data, runs, data_root, progress)``: for each run what its file says;
- ``validate(cell, data, runs, data_root)``: for each run the validation figures, for a
  search; test data stay untouched.

Importing a task imports no torch: its functions do.
"""

from types import ModuleType

from graphlab.benchmark.tasks import graphs, nodes, pairs, preferences, rewards

#: The name in a recipe -> the module.
TASKS: dict[str, ModuleType] = {
    "node": nodes,
    "link": pairs,
    "pair": pairs,
    "graph": graphs,
    "preference": preferences,
    "reward": rewards,
}

__all__ = ["TASKS"]
