"""The readers' site, without building it: every notebook is in its contents, links lead on."""

import json
import re
import runpy

import pytest
from structure import ROOT

CONF = runpy.run_path(str(ROOT / "docs" / "conf.py"))
PAGES = CONF["pages"]()
NOTEBOOKS = sorted(ROOT.glob("notebooks/[0-9]*.ipynb")) + sorted(ROOT.glob("notebooks/*/*.ipynb"))
GITHUB = f"{CONF['REPOSITORY']}/{{}}/{CONF['TAG']}/{{}}"


def lines(name):
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_contents_cover_every_notebook():
    notebooks = [path.relative_to(ROOT).with_suffix("").as_posix() for path in NOTEBOOKS]
    assert [name for name in notebooks if name not in PAGES] == []
    lessons = [name for name in PAGES if re.match(r"notebooks/\d", name)]
    assert lessons == sorted(lessons)


def test_contents_hold_every_page_once():
    assert len(set(PAGES)) == len(PAGES)
    expected = {"README", "docs/glossary", "results/README", "data/README", "TEACHING"}
    assert expected | {"CONTRIBUTING"} <= set(PAGES)
    for captions in CONF["CONTENTS"].values():
        for pattern in (pattern for patterns in captions.values() for pattern in patterns):
            assert [*ROOT.glob(f"{pattern}.md"), *ROOT.glob(f"{pattern}.ipynb")], pattern


@pytest.mark.parametrize("name", [name for name in PAGES if (ROOT / f"{name}.md").is_file()])
def test_links_of_a_page_lead_to_pages_or_the_repository(name):
    text = CONF["adapt"]((ROOT / f"{name}.md").read_text(encoding="utf-8"), name, PAGES)
    assert not re.search(r"!\[[^\]]*\]\(https?:", text), "a picture from afar"
    for target in re.findall(r"\]\(([^()#\s]+)", text):
        if ":" not in target and not target.endswith(".svg"):
            folder = ROOT if target.startswith("/") else (ROOT / name).parent
            path = (folder / target.lstrip("/")).resolve().relative_to(ROOT)
            assert path.with_suffix("").as_posix() in PAGES, f"{target} is no page"


@pytest.mark.parametrize(
    ("source", "adapted"),
    [
        ("[a](data/README.md)", "[a](data/README.md)"),
        ("[a](data)", "[a](/data/README.md)"),
        ("[a](tests)", f"[a]({GITHUB.format('tree', 'tests')})"),
        ("[a](LICENSE)", f"[a]({GITHUB.format('blob', 'LICENSE')})"),
        ("[a](https://a.org)", "[a](https://a.org)"),
        ("[a](#What-is-it?)", "[a](#what-is-it)"),
        ("![a](notebooks/figures/02_graph.svg)", "![a](notebooks/figures/02_graph.svg)"),
        ("[![Open in Colab](https://a.org/b.svg)](https://c.org)", "[Colab](https://c.org)"),
    ],
)
def test_links_are_adapted(source, adapted):
    assert CONF["links"](source, "README.md", PAGES) == adapted


def test_notebook_is_adapted_and_its_outputs_stay():
    """Every cell but the title can be linked to; boilerplate is folded; sliders are explained."""
    path = ROOT / "notebooks" / "05_neurons_and_activations.ipynb"
    name = path.relative_to(ROOT).with_suffix("").as_posix()
    text = path.read_text(encoding="utf-8")
    adapted = json.loads(CONF["adapt"](text, name, PAGES))
    cells = {cell["id"]: cell for cell in adapted["cells"]}
    for cell in json.loads(text)["cells"][1:]:
        folded = {"setup", "interactive"} & set(cell["metadata"].get("tags", []))
        assert ("hide-input" in cells[cell["id"]]["metadata"].get("tags", [])) == bool(folded)
        assert cells[cell["id"]].get("outputs") == cell.get("outputs")
    anchors = re.findall(r'<a id="([^"]+)"></a>', json.dumps(adapted).replace('\\"', '"'))
    assert len(anchors) == len(set(anchors)) > 100 and "softmax-reading" in anchors
    assert "running notebook" in cells["interactive-note"]["source"]


def test_no_anchor_is_a_headings():
    """A cell `exercises` under the heading “Exercises” needs none: two of a name lead astray."""
    cells = [
        {"cell_type": "markdown", "id": name, "source": [text]}
        for name, text in (("title", "# A"), ("one", "Text."), ("exercises", "## Exercises"))
    ]
    assert CONF["cell_ids"]({"cells": cells}) == ["one"]


def test_the_sites_tools_are_its_own():
    students = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert not re.search("(?m)^(sphinx|myst)", students)
    locked = {line.split("==")[0] for line in lines("requirements.lock")}
    for line in lines("requirements.txt"):
        assert re.search(r" # \w+", line), f"no reason: {line}"
        assert re.match(r"[a-z-]+", line)[0] in locked, line
    for line in lines("requirements.lock"):
        assert re.match(r"[a-z0-9._-]+==[^\s\[\]]+( ; .+)?$", line), line
