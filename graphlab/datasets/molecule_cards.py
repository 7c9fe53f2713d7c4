"""Cards of the MoleculeNet sets for classification: a molecule is a graph.

Nothing of them was measured here. The number of rows is the one in PyG's documentation;
how many of them become graphs depends on the version of rdkit and on the label column.
"""

from graphlab.datasets.cards import Card
from graphlab.errors import DatasetError

#: As in PyG's ``MoleculeNet``.
MOLECULE_URL = "https://deepchemdata.s3-us-west-1.amazonaws.com/datasets"

#: Name -> number of label columns.
TASKS = {
    "BACE": 1,
    "BBBP": 1,
    "HIV": 1,
    "ClinTox": 2,
    "SIDER": 27,
    "Tox21": 12,
    "ToxCast": 617,
}
#: The label column that a name alone means, where there are several.
DEFAULT_TASKS = {"SIDER": "21"}
#: Columns of ``x``: the nine categories of PyG's ``from_smiles``, each one-hot.
NUM_FEATURES = 177

_UNMEASURED = (
    "The files were not at hand when this was written: the number of graphs is that of "
    "rows in PyG's documentation, and no hash is known. The hash of the first file "
    "read is recorded, and another file is then refused."
)


def _molecules(name: str, csv: str, rows: int, source: str, *warnings: str) -> Card:
    tasks = TASKS[name]
    label = "its label"
    if tasks > 1:
        named = DEFAULT_TASKS.get(name)
        alone = f"; {name} alone is {name}:{named}" if named else ""
        label = f"one of {tasks} label columns, {name}:0 to {name}:{tasks - 1}{alone}"
    return Card(
        name,
        "MoleculeNet",
        *(None, None, NUM_FEATURES, 2, None),
        licence=f"not known here (cite Wu et al. 2018, MoleculeNet, and {source})",
        variant=(
            "Atoms and bonds of each SMILES as PyG's from_smiles gives them with "
            "rdkit, hydrogens left out. Feature = nine categories of an atom, each "
            f"one-hot. Undirected, no self-loops, y = {label}."
        ),
        warnings=("Kinds of bonds are not read.", *warnings, _UNMEASURED),
        raw=f"MoleculeNet/{name.lower()}/raw",
        files=(csv,),
        url=MOLECULE_URL,
        graphs=rows,
    )


MOLECULE_CARDS = (
    _molecules("BACE", "bace.csv", 1513, "Subramanian et al. 2016"),
    _molecules("BBBP", "BBBP.csv", 2050, "Martins et al. 2012"),
    _molecules(
        *("HIV", "HIV.csv", 41127, "the AIDS antiviral screen of the DTP"),
        "About a million atoms: its features take 0.7 GB.",
    ),
    _molecules("ClinTox", "clintox.csv", 1484, "Gayvert et al. 2016"),
    _molecules(
        *("SIDER", "sider.csv", 1427, "Kuhn et al. 2016"),
        "Column 21, counted from 0, is the one of the k-variance paper's code.",
    ),
    _molecules(
        *("Tox21", "tox21.csv", 7831, "the Tox21 challenge of 2014"),
        "Labels are missing: each column has its own molecules.",
    ),
    _molecules(
        *("ToxCast", "toxcast_data.csv", 8597, "Richard et al. 2016"),
        "Labels are missing: each column has its own molecules.",
    ),
)

#: Raw file -> the file at its address; of the two each is read.
MOLECULE_ARCHIVES = {
    card.files[0]: f"{card.files[0]}{'.gz' if TASKS[card.name] > 1 else ''}"
    for card in MOLECULE_CARDS
}


def chosen_task(card: Card, name: str) -> str:
    """The label column that a name such as ``"SIDER:21"`` asks for, as it stands there.

    Args:
        card: The card of a MoleculeNet set.
        name: Its name, with or without the number or the title of a label column.

    Raises:
        DatasetError: If there is no such number, or a set of several columns is named
            without one.
    """
    task, last = str(name).partition(":")[2].strip(), TASKS[card.name] - 1
    task = task or ("0" if last == 0 else DEFAULT_TASKS.get(card.name, ""))
    accepted = f"accepted: {card.name}:0 to {card.name}:{last}, or its title"
    if not task:
        raise DatasetError(
            f"{card.name} has {last + 1} label columns: name one\n{accepted}"
        )
    if task.lstrip("-").isdecimal() and not 0 <= int(task) <= last:
        raise DatasetError(f"{card.name} has no label column {task}\n{accepted}")
    return str(int(task)) if task.isdecimal() else task


def full_name(card: Card, name: str) -> str:
    """The name with the label column that it means: ``"sider"`` is ``"SIDER:21"``."""
    task = chosen_task(card, name)
    return card.name if TASKS[card.name] == 1 else f"{card.name}:{task}"
