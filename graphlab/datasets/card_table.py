"""The cards themselves, in the order in which they are listed.

Figures of sets that could be read here were measured on the returned graph; the others
come from the docstrings of PyG 2.8.1, which agree with every set that was measured.
``None`` stands where neither exists.
"""

from graphlab.datasets.cards import Card

_GEOM_GCN = "https://raw.githubusercontent.com/graphdml-uiuc-jlu/geom-gcn/master"
# PyG reads the Wikipedia graphs at this commit.
_GEOM_GCN_WIKI = (
    "https://raw.githubusercontent.com/graphdml-uiuc-jlu/geom-gcn/"
    "f1fc0d14b3b019c562737240d06ec83b07d16a8f"
)
_PLANETOID = "https://github.com/kimiyoung/planetoid/raw/master/data"
_SHCHUR = "https://github.com/shchur/gnn-benchmark/raw/master/data/npz"
_YANDEX = "https://github.com/yandex-research/heterophilous-graphs/raw/main/data"

_UNSTATED = (
    "none stated for the data; handed round for research, do not redistribute in a "
    "package"
)
_YANDEX_MIT = "MIT (repository yandex-research/heterophilous-graphs)"

_BINARISED = "PyG's reader turns every positive feature value into 1."
_SMALL_CLASSES = (
    "bernnet-10 takes whole minority classes into training; most test nodes are of "
    "one class."
)
_DUPLICATES = (
    "Holds duplicate nodes across training and test (Platonov et al. 2023); see "
    "{}-filtered."
)


def _planetoid_files(name: str) -> tuple[str, ...]:
    parts = ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index")
    return tuple(f"ind.{name}.{part}" for part in parts)


def _geom_gcn_splits(name: str) -> tuple[str, ...]:
    return tuple(f"{name}_split_0.6_0.2_{i}.npz" for i in range(10))


def _planetoid(name: str, *stats, warnings: tuple[str, ...] = ()) -> Card:
    return Card(
        name,
        "Planetoid",
        *stats,
        licence=_UNSTATED,
        variant="Planetoid raw files, undirected, self-loops and duplicates removed.",
        warnings=warnings,
        raw=f"Planetoid/{name}/raw",
        files=_planetoid_files(name.lower()),
        url=_PLANETOID,
        split_files=_geom_gcn_splits(name.lower()),
        split_url=f"{_GEOM_GCN}/splits",
        splits=("planetoid-public", "geom-gcn-10"),
    )


def _geom_gcn(
    name: str, loader: str, file_name: str, *stats, base: str = _GEOM_GCN, **other
) -> Card:
    return Card(
        name,
        loader,
        *stats,
        licence=_UNSTATED,
        files=("out1_node_feature_label.txt", "out1_graph_edges.txt"),
        url=f"{base}/new_data/{file_name}",
        split_files=_geom_gcn_splits(file_name),
        split_url=f"{base}/splits",
        splits=("geom-gcn-10",),
        **other,
    )


def _shchur(
    name: str, loader: str, file: str, *stats, warnings: tuple[str, ...] = ()
) -> Card:
    return Card(
        name,
        loader,
        *stats,
        licence=_UNSTATED,
        variant="Shchur et al. 2018 npz, made undirected, self-loops removed.",
        warnings=(_BINARISED, *warnings),
        raw=f"{loader}/{name}/raw",
        files=(file,),
        url=_SHCHUR,
    )


def _heterophilous(name: str, *stats, warnings: tuple[str, ...] = ()) -> Card:
    file_name = name.replace("-", "_")
    return Card(
        name,
        "HeterophilousGraphDataset",
        *stats,
        licence=_YANDEX_MIT,
        variant="Platonov et al. 2023, made undirected.",
        warnings=warnings,
        raw=f"HeterophilousGraphDataset/{file_name}/raw",
        files=(f"{file_name}.npz",),
        url=_YANDEX,
        splits=("platonov-10",),
    )


def _platonov(name: str, file_name: str, *stats, variant: str, warnings=()) -> Card:
    return Card(
        name,
        "platonov",
        *stats,
        licence=_YANDEX_MIT,
        variant=variant,
        warnings=warnings,
        raw="platonov_npz",
        files=(f"{file_name}.npz",),
        url=_YANDEX,
        splits=("platonov-10",),
    )


# Order of the figures: nodes, edges, features, classes, homophily.
CARDS: tuple[Card, ...] = (
    _planetoid(
        "Cora",
        *(2708, 10556, 1433, 7, 0.8100),
        warnings=(
            "geom-gcn-10 leaves 223 of the 2,708 nodes out of every mask.",
            "bernnet-10 puts classes 1 and 6 wholly into training.",
        ),
    ),
    _planetoid(
        "CiteSeer",
        *(3327, 9104, 3703, 6, 0.7355),
        warnings=(
            "48 isolated nodes.",
            "geom-gcn-10: splits 4 and 5 cover only 2,120 of the 3,327 nodes.",
            "bernnet-10 puts class 0 wholly into training.",
        ),
    ),
    _planetoid("PubMed", 19717, 88648, 500, 3, 0.8024),
    _shchur(
        "Computers",
        "Amazon",
        "amazon_electronics_computers.npz",
        *(13752, 491722, 767, 10, 0.7772),
        warnings=("bernnet-10 puts classes 0, 3, 5, 6, 7, 9 wholly into training.",),
    ),
    _shchur(
        "Photo",
        "Amazon",
        "amazon_electronics_photo.npz",
        *(7650, 238162, 745, 8, 0.8272),
        warnings=("bernnet-10 puts classes 0 and 7 wholly into training.",),
    ),
    _geom_gcn(
        "Chameleon",
        "WikipediaNetwork",
        "chameleon",
        *(2277, 62792, 2325, 5, 0.2305),
        base=_GEOM_GCN_WIKI,
        raw="WikipediaNetwork/chameleon/geom_gcn/raw",
        raw_edges=36101,
        variant=(
            "geom-gcn's, the variant of the published tables (2,325 features, not "
            "MUSAE's 3,132), made undirected, 50 self-loops kept as in BernNet and "
            "PosteL, who count 31,396 edges = half the entries."
        ),
        warnings=(_DUPLICATES.format("chameleon"),),
    ),
    _geom_gcn(
        "Squirrel",
        "WikipediaNetwork",
        "squirrel",
        *(5201, 396846, 2089, 5, 0.2224),
        base=_GEOM_GCN_WIKI,
        raw="WikipediaNetwork/squirrel/geom_gcn/raw",
        raw_edges=217073,
        variant=(
            "geom-gcn's, the variant of the published tables (2,089 features, not "
            "MUSAE's 3,148), made undirected, 140 self-loops kept as in BernNet and "
            "PosteL, who count 198,423 edges = half the entries."
        ),
        warnings=(_DUPLICATES.format("squirrel"),),
    ),
    _geom_gcn(
        "Actor",
        "Actor",
        "film",
        *(7600, 30019, 932, 5, 0.2188),
        raw="Actor/raw",
        variant=(
            "geom-gcn's 'film', left directed as in BernNet and PosteL (neighbours "
            "are out-neighbours), 93 self-loops."
        ),
        warnings=("bernnet-10 puts class 0 wholly into training.",),
    ),
    _geom_gcn(
        "Texas",
        "WebKB",
        "texas",
        *(183, 574, 1703, 5, 0.0871),
        raw="WebKB/texas/raw",
        raw_edges=325,
        variant=(
            "geom-gcn's, made undirected, 16 self-loops kept as in BernNet and "
            "PosteL, who count 287 edges = half the entries."
        ),
        warnings=("Class 1 has a single node.", _SMALL_CLASSES),
    ),
    _geom_gcn(
        "cornell-geom",
        "WebKB",
        "cornell",
        *(183, 557, 1703, 5, 0.2998),
        raw="WebKB/cornell/raw",
        raw_edges=298,
        variant=(
            "geom-gcn's and PyG's 'Cornell', to match published tables; made "
            "undirected, 3 self-loops kept. PosteL counts 277 edges: the node pairs, "
            "without the self-loops."
        ),
        warnings=(
            "Not Cornell: features and labels are those of Texas, only the edges are "
            "Cornell's; label-based splits of the two sets coincide.",
            "Class 1 has a single node.",
            _SMALL_CLASSES,
        ),
    ),
    _platonov(
        "Cornell",
        "cornell",
        *(183, 554, 1703, 5, 0.1227),
        variant=(
            "The real Cornell (Platonov et al. 2023), with its own features and "
            "labels; made undirected, no self-loops."
        ),
        warnings=(
            "Papers before 2023 mean cornell-geom when they write Cornell.",
            "bernnet-10 puts classes 1 and 4 wholly into training.",
        ),
    ),
    _geom_gcn(
        "Wisconsin",
        "WebKB",
        "wisconsin",
        *(251, None, 1703, 5, None),
        raw="WebKB/wisconsin/raw",
        raw_edges=515,
        variant="geom-gcn's, made undirected, self-loops kept as for Texas.",
    ),
    _heterophilous("roman-empire", 22662, 65854, 300, 18, None),
    _heterophilous("amazon-ratings", 24492, 186100, 300, 5, None),
    _heterophilous(
        "minesweeper",
        *(10000, 78804, 7, 2, 0.6828),
        warnings=(
            "80 % of the nodes are of one class: read ROC-AUC, not accuracy alone.",
            "bernnet-10 puts class 1 wholly into training: one class is left to test.",
        ),
    ),
    _heterophilous(
        "tolokers",
        *(11758, 1038000, 10, 2, 0.595),
        warnings=("Unbalanced classes: read ROC-AUC, not accuracy alone.",),
    ),
    _heterophilous(
        "questions",
        *(48921, 307080, 301, 2, None),
        warnings=("Unbalanced classes: read ROC-AUC, not accuracy alone.",),
    ),
    _platonov(
        "chameleon-filtered",
        "chameleon_filtered",
        *(890, 17708, 2325, 5, None),
        variant="Chameleon without duplicate nodes (Platonov et al. 2023), undirected.",
    ),
    _platonov(
        "squirrel-filtered",
        "squirrel_filtered",
        *(2223, 93996, 2089, 5, 0.2072),
        variant="Squirrel without duplicate nodes (Platonov et al. 2023), undirected.",
    ),
    _shchur("CS", "Coauthor", "ms_academic_cs.npz", *(18333, 163788, 6805, 15, 0.808)),
    _shchur(
        "Physics", "Coauthor", "ms_academic_phy.npz", *(34493, 495924, 8415, 5, 0.931)
    ),
    Card(
        "ogbn-arxiv",
        "ogb",
        *(169343, 1166243, 128, 40, None),
        licence="ODC-BY (OGB)",
        variant="OGB release, left directed.",
        raw="ogb/ogbn_arxiv",
        url="http://snap.stanford.edu/ogb/data/nodeproppred",
        files=("arxiv.zip",),
        splits=("ogb",),
    ),
    Card(
        "ogbn-products",
        "ogb",
        *(None, None, None, 47, None),
        licence="Amazon licence (OGB)",
        variant="OGB release, every edge in both directions.",
        warnings=("A download of about 1.4 GB.",),
        raw="ogb/ogbn_products",
        url="http://snap.stanford.edu/ogb/data/nodeproppred",
        files=("products.zip",),
        splits=("ogb",),
    ),
    Card(
        "wordnet-verbs",
        "embedded",
        *(13767, 31306, 3022, 15, 0.8575),
        licence="WordNet 3.0 licence, shipped beside the data",
        variant="Built for graphlab; see datasets/wordnet-verbs in the repository.",
        splits=("bernnet-10", "stratified-60-20-20", "planetoid-20"),
    ),
    Card(
        "debian-packages",
        "embedded",
        *(4225, 37258, 552, 10, 0.5581),
        licence="names, relations and single words of a Debian package index",
        variant="Built for graphlab; see datasets/debian-packages in the repository.",
        splits=("bernnet-10", "stratified-60-20-20", "planetoid-20"),
    ),
    Card(
        "digits",
        "digits",
        *(1797, 12618, 64, 10, 0.9726),
        licence="UCI digits as bundled with scikit-learn (BSD-3-Clause)",
        variant=(
            "scikit-learn's bundled 8x8 digits, each joined to its five nearest, made "
            "undirected: a stand-by for tests, not a graph anyone observed."
        ),
    ),
)
