"""The course's one address, stamped on every badge, setup cell and install line.

The address is `[project.urls] Repository` in `pyproject.toml`, the release tag its version. After
a change of either, `python -m course_utils.course.address` writes both everywhere they stand;
`--check` writes nothing and names the files that differ.
"""

import argparse
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from course_utils.course.lessons import ROOT

NOTEBOOKS = ("notebooks/*.ipynb", "notebooks/solutions/*.ipynb", "notebooks/exercises/*.ipynb")
TEXTS = ("README.md", "CONTRIBUTING.md", "CITATION.cff")

SETUP = """\
# In Colab this installs the course's helpers; anywhere else it does nothing.
import sys

if "google.colab" in sys.modules:
    %pip install -q --no-deps "git+{repository}@{tag}"
    %pip install -q pooch
    import importlib.metadata

    if importlib.metadata.version("course-utils") != "{version}":
        print("This notebook is for course-utils {version}: restart the runtime and run it again.")
"""
COLAB = "https://colab.research.google.com"
IMAGE = f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]"
ANY_BADGE = re.compile(
    r"\[!\[[^\]]*\]\([^)]*colab-badge\.svg\)\]"
    rf"\({re.escape(COLAB)}/github/[^/\s)]+/[^/\s)]+/blob/[^/\s)]+/(?P<path>[^)\s]+)\)"
)


@dataclass(frozen=True)
class Address:
    """Where the course is published, and which release its notebooks belong to."""

    repository: str  # https://github.com/owner/name
    version: str

    @property
    def name(self):
        """Owner and name, `owner/name`."""
        return self.repository.removeprefix("https://github.com/")

    @property
    def tag(self):
        """The git tag of this release."""
        return f"v{self.version}"

    def setup_cell(self):
        """Return the source of the setup cell, the same in every notebook."""
        return SETUP.format(repository=self.repository, tag=self.tag, version=self.version).rstrip()

    def badge(self, path):
        """Return the launch badge of the file at `path`, relative to the repository's root."""
        return f"{IMAGE}({COLAB}/github/{self.name}/blob/{self.tag}/{path})"

    def stamp_text(self, text):
        """Return `text` with this address in badges, install and clone lines and citation keys."""
        text = ANY_BADGE.sub(lambda match: self.badge(match["path"]), text)
        github = r"https://github\.com/[\w.-]+/[\w.-]+"
        text = re.sub(rf"git\+{github}@[^\s\"]+", f"git+{self.repository}@{self.tag}", text)
        text = re.sub(rf"git clone {github}", f"git clone {self.repository}", text)
        text = re.sub(
            rf"(?m)^repository-code: .*{github}.*$", f"repository-code: {self.repository}", text
        )
        return re.sub(r"(?m)^version: .*$", f"version: {self.version}", text)


def read_address(root=ROOT):
    """Return the `Address` written in `pyproject.toml` under `root`.

    Raises:
        FileNotFoundError: if there is none, as where only the package is installed.
        ValueError: if it holds no address of the form `https://github.com/owner/name`.
    """
    path = Path(root) / "pyproject.toml"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: the address is kept in a checkout of the course"
        )
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    repository = project.get("urls", {}).get("Repository", "")
    if not re.fullmatch(r"https://github\.com/[^/\s]+/[^/\s]+", repository):
        raise ValueError(
            f"[project.urls] Repository in {path.name} must be https://github.com/owner/name, "
            f"not {repository!r}"
        )
    return Address(repository, project["version"])


def stamp_notebook(notebook, address, path):
    """Write the setup cell and the launch badge into a notebook, in place.

    Args:
        notebook: as `nbformat.read` returns it; only its sources are changed.
        address: an `Address`.
        path: where the notebook lies, relative to the repository's root, with forward slashes.

    Raises:
        ValueError: if there is no cell tagged `setup`, or no cell with the id `title`.
    """
    setup = [cell for cell in notebook.cells if "setup" in cell.metadata.get("tags", [])]
    title = [cell for cell in notebook.cells if cell.get("id") == "title"]
    if len(setup) != 1 or len(title) != 1:
        raise ValueError(f"{path} needs one cell tagged `setup` and one with the id `title`")
    setup[0].source = address.setup_cell()
    text = ANY_BADGE.sub("", title[0].source).rstrip()
    title[0].source = f"{text}\n\n{address.badge(path)}"


def stamp(root=ROOT, write=True):
    """Stamp the address on all notebooks and texts; return the files that had another.

    Args:
        root: the repository's root.
        write: False to look only.
    """
    import nbformat

    root = Path(root)
    address, changed = read_address(root), []
    for path in sorted(path for pattern in NOTEBOOKS for path in root.glob(pattern)):
        notebook = nbformat.read(path, as_version=4)
        sources = [cell.source for cell in notebook.cells]
        stamp_notebook(notebook, address, path.relative_to(root).as_posix())
        if sources != [cell.source for cell in notebook.cells]:
            changed.append(path)
            if write:
                path.write_text(nbformat.writes(notebook).rstrip() + "\n", "utf-8", newline="\n")
    for path in (root / name for name in TEXTS):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if (stamped := address.stamp_text(text)) != text:
            changed.append(path)
            if write:
                path.write_text(stamped, "utf-8", newline="\n")
    return changed


def main(arguments=None):
    """Stamp or, with `--check`, compare; return the exit status."""
    parser = argparse.ArgumentParser(prog="course_utils.course.address", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    check = parser.parse_args(arguments).check
    try:
        changed = stamp(write=not check)
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    for path in changed:
        note = "does not carry the address of pyproject.toml" if check else "stamped"
        print(f"{path.relative_to(ROOT).as_posix()}: {note}")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
