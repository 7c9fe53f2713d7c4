"""Each format: what must be in it, what must be escaped, and that it never changes."""

import csv
import io
import random
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from graphlab.benchmark.report import FORMATS, latex, markdown, render_table

NASTY = "A&B_50%#1 <b>|x|</b> {y} $z$ \\w ~^"


@pytest.fixture
def nasty(cell, runs, recipe):
    """A recipe whose names hold every sign that some format gives a meaning."""
    cells = [
        cell(label, dataset=NASTY, model_name=NASTY, model="mine:Net")
        for label in ("none", NASTY)
    ]
    r = recipe(cells)
    r = replace(r, tables=(replace(r.tables[0], title=NASTY),))
    return r, [x for c in cells for x in runs(c, [0.8, 0.9, 0.7])]


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_deterministic(sample, format):
    recipe, runs = sample
    first = render_table(recipe, runs, format)
    random.Random(0).shuffle(runs)
    assert render_table(recipe, runs, format) == first, "the order of files matters"
    assert first.endswith("\n")


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_survives_no_runs(sample, format):
    recipe, _ = sample
    text = render_table(recipe, [], format)
    assert ("not run" if format == "csv" else "Nothing was run") in text


@pytest.mark.parametrize("format", ["terminal", "md", "latex", "html"])
def test_every_format_tells_the_whole_story(sample, format):
    text = render_table(*sample, format).replace("$\\pm$", "±")
    wanted = [
        "81.09 ± 0.", "80.50 ± 1.00", "81.09 ± 1.21", "not implemented", "not run",
        "OOM", "unavailable", "3 of 10", "within", "1 diverged", "79.09", "gain",
        "Other et al. 2021", "lowest validation loss", "constant", "80.38",
    ]  # fmt: skip
    assert [word for word in wanted if word not in text] == []
    assert "(10/10)" in text  # collapsed runs


# ------------------------------------------------------------------- terminal


def test_terminal_fits_a_hundred_columns(sample, nasty):
    for recipe, runs in (sample, nasty):
        lines = render_table(recipe, runs).splitlines()
        assert max(map(len, lines)) <= 100
        # Numbers are never broken over two lines.
        assert not any(line.rstrip().endswith("±") for line in lines)


def test_terminal_colours_only_on_request(sample):
    recipe, runs = sample
    plain, colored = render_table(recipe, runs), render_table(recipe, runs, color=True)
    assert "\x1b[" not in plain
    assert re.sub(r"\x1b\[[\d;]*m", "", colored).split() == plain.split()


def test_terminal_takes_markup_in_names_literally(cell, runs, recipe):
    c = cell(dataset="[red]Cora[/red] :smile:")
    assert "[red]Cora[/red] :smile:" in render_table(recipe([c]), runs(c, [0.8, 0.9]))


def test_unpublished_tables_have_no_empty_columns(cell, runs, recipe):
    c = cell()
    text = render_table(recipe([c]), runs(c, [0.8, 0.9]))
    assert "published" not in text.split("Notes")[0]


# ------------------------------------------------------------------- Markdown


def test_markdown_tables_are_rectangular(nasty):
    blocks = re.findall(r"(?:^\|.*\n)+", render_table(*nasty, "md"), re.M)
    assert len(blocks) == 3
    for block in blocks:
        widths = {
            len(re.findall(r"(?<!\\)\|", line)) for line in block.strip().splitlines()
        }
        assert len(widths) == 1


def test_markdown_escapes():
    assert markdown.escape("a|b_c*<d>\ne") == "a\\|b\\_c\\*\\<d\\> e"


# ---------------------------------------------------------------------- LaTeX


def test_latex_escapes():
    assert latex.escape("50% & a_b #1 ${x}$") == r"50\% \& a\_b \#1 \$\{x\}\$"
    assert latex.escape("\\~^") == (
        r"\textbackslash{}\textasciitilde{}\textasciicircum{}"
    )
    assert latex.escape("−1 ± 2†") == r"$-$1 $\pm$ 2$^{\dagger}$"


def test_latex_rows_have_as_many_cells_as_columns(sample, nasty):
    for recipe, runs in (sample, nasty):
        text = render_table(recipe, runs, "latex")
        tables = re.findall(
            r"\\begin{longtable}{([lr]+)}(.*?)\\end{longtable}", text, re.S
        )
        assert tables
        for align, body in tables:
            for line in re.findall(r"^(?!\\caption)(.*) \\\\$", body, re.M):
                assert len(re.findall(r"(?<!\\)&", line)) == len(align) - 1, line


def test_latex_is_balanced_and_without_raw_signs(nasty):
    text = render_table(*nasty, "latex")
    bare = re.sub(r"\\[{}]", "", text)
    assert bare.count("{") == bare.count("}")
    assert text.count(r"\begin{") == text.count(r"\end{")
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    assert not re.search(r"(?<!\\)%", body)
    # What is left beyond ASCII would need a package.
    assert {sign for sign in text if ord(sign) > 127} == set()


def test_latex_splits_wide_tables(cell, runs, recipe):
    cells = [cell(dataset=f"data{k}") for k in range(7)]
    files = [x for c in cells for x in runs(c, [0.8, 0.9])]
    text = render_table(recipe(cells), files, "latex")
    assert "{lrrrrr}" in text and "{lrr}" in text


# ------------------------------------------------------------------------ CSV


def test_csv_has_one_line_per_cell_with_all_numbers(sample):
    rows = list(csv.DictReader(io.StringIO(render_table(*sample, "csv"))))
    assert len(rows) == 16
    by_cell = {(r["dataset"], r["model"], r["label"]): r for r in rows}
    row = by_cell["Cora", "GCN", "LS"]
    assert float(row["accuracy"]) == pytest.approx(0.8109)
    assert float(row["accuracy_std"]) == pytest.approx(0.01206, abs=1e-4)
    assert float(row["published_percent"]) == 80.5
    assert float(row["difference_points"]) == pytest.approx(0.59)
    assert float(row["mean_difference_points"]) == pytest.approx(1.09)
    assert float(row["wilcoxon_p"]) == pytest.approx(2 / 2**10, rel=1e-6)
    assert (row["n"], row["verdict"], row["effect"]) == ("10", "within", "gain")
    assert by_cell["Cora", "GCN", "none"]["copied_from"] == "Other et al. 2021"
    unrun = by_cell["Texas", "GAT_v2", "LS"]
    assert (unrun["n"], unrun["accuracy"], unrun["verdict"]) == ("0", "", "not run")


def test_csv_quotes_names(nasty):
    rows = list(csv.DictReader(io.StringIO(render_table(*nasty, "csv"))))
    assert {row["dataset"] for row in rows} == {NASTY}


# ----------------------------------------------------------------------- HTML


class _Page(HTMLParser):
    """Collects what a browser would load, and checks that tags are closed."""

    VOID = {"meta", "br", "link", "img", "input", "hr"}

    def __init__(self, text):
        super().__init__()
        self.loads, self.stack, self.ids, self.text = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.stack.append(tag)
        self._attributes(tag, attrs)

    def handle_startendtag(self, tag, attrs):
        self._attributes(tag, attrs)

    def _attributes(self, tag, attrs):
        for name, value in attrs:
            loads = name in ("src", "srcset", "data", "xlink:href", "poster")
            if loads or (name == "href" and tag != "a"):
                self.loads.append(value)
            if name == "id" and tag == "section":
                self.ids.append(value)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_html_loads_nothing_and_is_well_formed(sample, nasty):
    for recipe, runs in (sample, nasty):
        text = render_table(recipe, runs, "html")
        page = _Page(text)
        assert page.stack == []
        assert all(link.startswith("#") for link in page.loads)
        assert "<script" not in text and "@import" not in text
        assert re.findall(r"url\((?!#)", text) == []
        assert text.count("<svg") >= 2


def test_html_escapes_names(nasty):
    text = render_table(*nasty, "html")
    assert "<b>" not in text
    assert NASTY in "".join(_Page(text).text)


def test_html_plots_use_the_colours_of_the_page(sample):
    text = render_table(*sample, "html")
    drawing = text[text.index("<svg") : text.rindex("</svg>")]
    assert "var(--ink)" in drawing and "#1f2328" not in drawing


def test_html_identifiers_of_plots_do_not_clash(sample):
    text = render_table(*sample, "html")
    drawings = re.findall(r"<svg.*?</svg>", text, re.S)
    clips = [set(re.findall(r'<clipPath id="(\w+)"', each)) for each in drawings]
    assert sum(map(len, clips)) == len(set().union(*clips))


def test_html_quick_profile_warns(cell, runs, recipe):
    quick = cell(profile="quick")
    r = recipe([quick], profile="quick", cuts=("training.epochs: 200 instead of 1000",))
    text = render_table(r, runs(quick, [0.8, 0.9]), "html")
    assert "Quick profile." in text and "200 instead of 1000" in text
