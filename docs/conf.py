"""The readers' site: `make site` builds it in `build/site`, from stored outputs; nothing is run.

Sphinx's source folder is the repository itself, so that a link from file to file leads from page to
page. What only GitHub or Jupyter can show is adapted while a file is read (`adapt`). This file
imports nothing of Sphinx: the tests read it without.
"""

import json
import re
import shutil
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY, TAG = PROJECT["urls"]["Repository"], f"v{PROJECT['version']}"

# The table of contents: page -> caption -> pages beneath it, by name or pattern.
HOME = "README"
CONTENTS = {
    HOME: {
        "Lessons": ["notebooks/[0-9]*"],
        "Practice": ["notebooks/exercises/README", "notebooks/solutions/README"],
        "Look up": ["docs/glossary", "results/README", "data/README"],
        "For teachers and authors": ["TEACHING", "CONTRIBUTING"],
    },
    "notebooks/exercises/README": {"": ["notebooks/exercises/[0-9]*"]},
    "notebooks/solutions/README": {"": ["notebooks/solutions/[0-9]*"]},
}

project = "A hands-on introduction to deep learning"
language = "en"
extensions = [
    "myst_nb",
    "sphinx_copybutton",
    "sphinx-mathjax-offline",
    "sphinx.ext.githubpages",
]
root_doc = HOME
include_patterns = [
    pattern + suffix
    for captions in ({"": [HOME]}, *CONTENTS.values())
    for patterns in captions.values()
    for pattern in patterns
    for suffix in (".md", ".ipynb")
]
exclude_patterns = [".*", "build", "work", "data/*/*", "**/.ipynb_checkpoints"]

nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_dmath_double_inline = True
myst_heading_anchors = 3
copybutton_selector = ".cell_input div.highlight pre, .highlight-default pre, .highlight-none pre"

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["static"]
html_css_files = ["course.css"]
html_use_index = False
html_domain_indices = False
html_show_search_summary = False  # it shows a page's first words, the theme's buttons among them
html_theme_options = {
    "repository_url": REPOSITORY,
    "repository_branch": TAG,
    "path_to_docs": "",
    "use_repository_button": True,
    "use_issues_button": False,
    "use_download_button": True,
    "launch_buttons": {"colab_url": "https://colab.research.google.com"},
    "home_page_in_toc": True,
    "footer_content_items": ["extra-footer"],
    "extra_footer": "Code: MIT License. Prose and figures: CC BY 4.0.",
    "show_toc_level": 2,
    # Empty, or a second header with a second search box appears.
    **{f"navbar_{place}": [] for place in ("persistent", "start", "center", "end")},
}

# By hand and weekly, `-b linkcheck`: the course's own files are checked without a network.
linkcheck_ignore = [re.escape(REPOSITORY), r"https://colab\.research\.google\.com/"]
linkcheck_anchors = False
linkcheck_timeout = 20


def pages(root=ROOT):
    """Return the names of all pages, in the order of the table of contents."""
    names = [HOME]
    for captions in CONTENTS.values():
        for pattern in (pattern for patterns in captions.values() for pattern in patterns):
            paths = sorted([*root.glob(f"{pattern}.md"), *root.glob(f"{pattern}.ipynb")])
            names += [path.relative_to(root).with_suffix("").as_posix() for path in paths]
    return names


def toctrees(name):
    """Return the directives that lay a page's part of the table of contents out."""
    text = ""
    for caption, patterns in CONTENTS.get(name, {}).items():
        below = "\n".join(f"/{pattern}" for pattern in patterns)
        options = f":hidden:\n:caption: {caption}" if caption else ":titlesonly:"
        text += f"\n\n```{{toctree}}\n:glob:\n{options}\n\n{below}\n```\n"
    return text


def links(text, name, known):
    """Return Markdown whose links to files that are no pages lead to the repository."""

    def lead(found):
        target, _, place = found[2].partition("#")
        if not target:  # JupyterLab's anchor of a heading
            return f"{found[1]}(#{slug(place)})"
        path = (ROOT / name).parent.joinpath(target).resolve()
        if ":" in target or not path.exists() or path.suffix == ".svg":
            return found[0]
        file = path.relative_to(ROOT)
        if path.is_dir() and (file / "README").as_posix() in known:
            return f"{found[1]}(/{(file / 'README').as_posix()}.md)"
        if file.with_suffix("").as_posix() in known:
            return found[0]
        kind = "tree" if path.is_dir() else "blob"
        return f"{found[1]}({REPOSITORY}/{kind}/{TAG}/{file.as_posix()})"

    text = re.sub(r"\[!\[Open in Colab\]\([^)]*\)\]", "[Colab]", text)  # no picture from afar
    return re.sub(r"(\[[^\[\]]*\])\(([^()\s]+)\)", lead, text)


def slug(heading):
    """Return the anchor of a heading as the site and GitHub write it."""
    return re.sub(r"[^\w\- ]", "", heading.replace("-", " ").lower()).strip().replace(" ", "-")


def markdown(source, name):
    """Return a Markdown cell that has no other use than the site's."""
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}


def cell_ids(notebook):
    """Return the ids of the cells that get an anchor: all whose id is no heading's anchor."""
    headings = {
        slug(heading)
        for cell in notebook["cells"]
        if cell["cell_type"] == "markdown"
        for heading in re.findall(r"(?m)^#+ (.+)$", "".join(cell["source"]))
    }
    return [cell["id"] for cell in notebook["cells"][1:] if cell["id"] not in headings]


def adapt(text, name, known):
    """Return a page's source as the site needs it."""
    if not (ROOT / f"{name}.ipynb").is_file():
        return links(text, f"{name}.md", known) + toctrees(name)
    if name.startswith("notebooks/solutions/"):  # search shows titles, which must differ
        text = text.replace("· Exercises on", "· Solutions: exercises on", 1)
        text = text.replace("· Sweeps o", "· Solutions: sweeps o", 1)
    notebook = json.loads(text)
    anchors, cells = set(cell_ids(notebook)), []
    for cell in notebook["cells"]:
        if cell["id"] in anchors:
            cells.append(markdown(f'<a id="{cell["id"]}"></a>', f"{cell['id']}-anchor"))
        cells.append(cell)
        if cell["cell_type"] == "markdown":
            cell["source"] = links("".join(cell["source"]), f"{name}.ipynb", known)
            continue
        tags = cell["metadata"].setdefault("tags", [])
        if {"setup", "interactive"} & set(tags):
            tags.append("hide-input")
        if "interactive" in tags:
            note = "*The sliders need a running notebook: open this lesson in Colab or JupyterLab.*"
            cells.append(markdown(note, f"{cell['id']}-note"))
    notebook["cells"] = cells
    return json.dumps(notebook)


def setup(app):
    """Connect what is above to Sphinx's events."""

    def read(app, name, source):
        source[0] = adapt(source[0], name, app.env.found_docs)

    def anchor(app, doctree):
        name = app.env.current_document.docname
        path = ROOT / f"{name}.ipynb"
        slugs = app.env.metadata[name].setdefault("myst_slugs", {})
        if path.is_file():
            for place in cell_ids(json.loads(path.read_text(encoding="utf-8"))):
                slugs.setdefault(place, (0, place, place))

    def finish(app, error):
        if not error and app.builder.format == "html":
            shutil.copyfile(Path(app.outdir, f"{HOME}.html"), Path(app.outdir, "index.html"))

    app.connect("source-read", read)
    app.connect("doctree-read", anchor)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
