"""What every notebook is held to: the frame, the pacing and the numbers of the course.

Each check takes a `Notebook` and returns its faults, one line each, naming the cell. The functions
of `LESSON` hold for lessons, those of `ANY` for masters of exercises and their copies too.
`test_structure.py` runs them, and shows for each that it can fail.
"""

import ast
import copy
import html
import re
import statistics
from dataclasses import dataclass
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
FRAME = ("title", "contract", "setup", "imports", "parameters", "seed-device")
CLOSING = {
    "claims-intro": "What was claimed, what was measured",
    "remember": "What to remember",
    "exercises": "Exercises",
    "further-reading": "Further reading",
}
FRAME_TAGS = {"setup", "parameters", "claim"}
TAGS = FRAME_TAGS | {"nbval-ignore-output", "real-data", "interactive", "hide-input", "solution"}
REASONS = tuple(f"# output varies: {reason}" for reason in ("training", "timing", "figure"))
DOCUMENT = re.compile(r"\b(IDL|LTM|L16|L18|CAT|[Tt]he documents?)\b")
DECIMAL = re.compile(r"(?<![\w.])\d[\d,]*\.\d+(?![\w]|\.\d)")
NUMBER = re.compile(r"(?<![\w.])\d[\d,_]*(?:\.\d*)?(?:[eE][+-]?\d+)?")
ABSOLUTE = re.compile(
    r"(?<![\w.)}\]$-])/(?:home|root|tmp|Users|usr|var|opt|mnt|work|content|private)/\w"
    r"|\b[A-Z]:[\\/]+(?:Users|Windows|Program)"
)


@dataclass
class Notebook:
    """A notebook as it lies on disk."""

    path: Path
    content: nbformat.NotebookNode

    @classmethod
    def read(cls, path):
        """Read without validating or mending, so that the checks see what is on disk."""
        return cls(Path(path), nbformat.v4.reads(Path(path).read_text(encoding="utf-8")))

    @property
    def cells(self):
        return self.content.cells

    @property
    def code(self):
        return [cell for cell in self.cells if cell.cell_type == "code"]

    @property
    def number(self):
        """The lesson's number, such as "02"."""
        return self.path.name[:2]

    def cell(self, name):
        """Return the cell with this id, or None."""
        return next((cell for cell in self.cells if cell.get("id") == name), None)

    def sections(self):
        """Return [(heading, cells)] of the level-2 sections, in order."""
        found = []
        for cell in self.cells:
            title = next((text for level, text in headings(cell) if level == 2), None)
            if title is not None:
                found.append((title, []))
            if found:
                found[-1][1].append(cell)
        return found


def tags(cell):
    return set(cell.metadata.get("tags", []))


def prose(text):
    """Return markdown without code, mathematics and link targets, which are not prose."""
    text = re.sub(r"(?ms)^ *```.*?^ *```|\$\$.*?\$\$", " ", text)
    text = re.sub(r"`+[^`\n]*`+|(?<!\\)\$[^$]+?(?<!\\)\$", " ", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return re.sub(r"<[^>\n]+>|https?://\S+", " ", text)


def headings(cell):
    """Return [(level, text)] of a markdown cell's headings."""
    if cell.cell_type != "markdown":
        return []
    text = re.sub(r"(?ms)^ *```.*?^ *```", "", cell.source)
    return [(len(marks), title.strip()) for marks, title in re.findall(r"(?m)^(#+) +(.*)$", text)]


def bullets(cell):
    return re.findall(r"(?m)^[-*] +(.*(?:\n+ +\S.*)*)", cell.source)


def tree(cell):
    """Return a code cell's syntax tree; lines of IPython's own become `pass`."""
    return ast.parse(re.sub(r"(?m)^(\s*)[%!].*$", r"\1pass", cell.source))


def mime(cell):
    """Return [(mime type, data)] of a code cell's displayed outputs."""
    return [pair for out in cell.get("outputs", []) for pair in out.get("data", {}).items()]


def printed(cell):
    """Return all text of a code cell's outputs; pictures' own descriptions are left out."""
    texts = [str(out.get("text", "")) for out in cell.get("outputs", [])]
    for kind, data in mime(cell):
        if kind == "text/html":
            texts.append(html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", data, flags=re.S)))
        elif kind == "text/plain":
            texts.append(re.sub(r"<Figure size [^>]*>", "", data))
    return "\n".join(texts)


def code_lines(cell):
    """Return how many lines of a code cell are neither blank nor a comment."""
    return sum(bool(re.match(r"\s*[^\s#]", line)) for line in cell.source.split("\n"))


def words(cell):
    return len(re.findall(r"\S*\w\S*", re.sub(r"\]\([^)]*\)", "]", cell.source)))


def claims(notebook):
    """Return [(cell, call)] of the notebook's calls of `claim`."""
    return [
        (cell, node)
        for cell in notebook.code
        for node in ast.walk(tree(cell))
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "claim"
    ]


def _argument(call, position, name):
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    return call.args[position] if len(call.args) > position else keywords.get(name)


def claim_texts(notebook):
    """Return the literal texts of the notebook's claims."""
    texts = [_argument(call, 0, "text") for _, call in claims(notebook)]
    return [text.value for text in texts if isinstance(text, ast.Constant)]


def parameters(notebook):
    """Return {name: value} of the parameters cell; what is not a literal is left out."""
    cell = next((cell for cell in notebook.code if "parameters" in tags(cell)), None)
    values = {}
    for node in tree(cell).body if cell else []:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            try:
                values[node.target.id] = ast.literal_eval(node.value)
            except (ValueError, TypeError):
                continue
    return values


# --- what holds for every notebook ---------------------------------------------------------------


def valid(notebook):
    """Valid nbformat 4.5, and every code cell is Python on its own."""
    content = notebook.content
    version = f"{content.nbformat}.{content.nbformat_minor}"
    faults = [] if version == "4.5" else [f"nbformat is {version}, not 4.5"]
    try:
        nbformat.validate(copy.deepcopy(content))  # a copy, since it mends ids
    except nbformat.ValidationError as error:
        return [*faults, f"not valid: {str(error).splitlines()[0]}"]
    for cell in notebook.code:
        try:
            tree(cell)
        except SyntaxError as error:
            faults.append(f"{cell.get('id')}: not valid Python on its own: {error}")
    return faults


def ids(notebook):
    """Ids are unique, readable, kebab-case."""
    names = [cell.get("id", "") for cell in notebook.cells]
    faults = [
        f"{name}: id used {names.count(name)} times"
        for name in sorted(set(names))
        if names.count(name) > 1
    ]
    for name in names:
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
            faults.append(f"{name!r}: id is not kebab-case")
        elif re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4,})*", name):
            faults.append(f"{name}: id is random, not readable")
    return faults


def metadata(notebook):
    """Kernel python3 and nothing that a tool or an editor left behind."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    expected = {"kernelspec": kernel, "language_info": {"name": "python"}}
    faults = []
    for key in sorted({*expected, *notebook.content.metadata}):
        if notebook.content.metadata.get(key) != expected.get(key):
            faults.append(f"metadata: {key} must be {expected.get(key, 'absent')}")
    for cell in notebook.cells:
        if extra := sorted(set(cell.metadata) - {"tags"}):
            faults.append(f"{cell.get('id')}: metadata {extra} must go")
        if cell.get("attachments"):
            faults.append(f"{cell.get('id')}: attachment; pictures are files drawn by code")
        if unknown := sorted(tags(cell) - TAGS):
            faults.append(f"{cell.get('id')}: unknown tag {unknown}")
    return faults


def source(notebook):
    """No star import, silenced warning, shell line, installation, or absolute path."""
    faults = []
    for cell in notebook.code:
        name = cell.get("id")
        for node in ast.walk(tree(cell)):
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                faults.append(f"{name}: star import of {node.module}")
        if re.search(
            r"\b(filterwarnings|simplefilter|catch_warnings|captureWarnings)\b", cell.source
        ):
            faults.append(f"{name}: silences warnings")
        if "setup" not in tags(cell) and (
            shell := re.search(
                r"(?m)^\s*(!|%%?(pip|conda|sh|bash|system)\b).*|get_ipython\(\)", cell.source
            )
        ):
            faults.append(f"{name}: `{shell[0].strip()}` outside the setup cell")
    for cell in notebook.cells:
        if path := ABSOLUTE.search(cell.source):
            faults.append(f"{cell.get('id')}: absolute path {path[0]!r}")
    return faults


def outputs(notebook):
    """No error, stderr, warning, widget, SVG or absolute path is stored; nothing interactive is."""
    faults = []
    for cell in notebook.code:
        name = cell.get("id")
        for out in cell.outputs:
            if out.output_type == "error":
                faults.append(f"{name}: stored error {out.ename}")
            if out.get("name") == "stderr":
                faults.append(f"{name}: stored stderr {out.text.strip()[:60]!r}")
            if out.get("metadata"):
                faults.append(f"{name}: output metadata {sorted(out.metadata)}")
        for kind, _ in mime(cell):
            if "widget" in kind or "svg" in kind or "javascript" in kind:
                faults.append(f"{name}: stored {kind}")
        if warning := re.search(r"\w*Warning\b.*", printed(cell)):
            faults.append(f"{name}: stored warning {warning[0][:60]!r}")
        if path := ABSOLUTE.search(printed(cell)):
            faults.append(f"{name}: absolute path {path[0]!r} in the output")
        if "interactive" in tags(cell) and cell.outputs:
            faults.append(f"{name}: an interactive cell stores no output")
    return faults


def size(notebook, limit=400_000):
    """Small enough to open anywhere."""
    length = notebook.path.stat().st_size
    return [f"{length:,} bytes; at most {limit:,}"] if length >= limit else []


def run_order(notebook):
    """Run once from top to bottom: counts are 1..n."""
    counts = [cell.execution_count for cell in notebook.code]
    for expected, cell in enumerate(notebook.code, start=1):
        if cell.execution_count != expected:
            return [f"{cell.get('id')}: execution count {cell.execution_count}, not {expected}"]
    return [] if counts else ["no code cell"]


def ignored(notebook):
    """An ignored output has its reason on the first line; an interactive cell is ignored too."""
    faults = []
    for cell in notebook.code:
        first = cell.source.split("\n")[0].strip()
        if "interactive" in tags(cell):
            if "nbval-ignore-output" not in tags(cell):
                faults.append(f"{cell.get('id')}: interactive without nbval-ignore-output")
        elif "nbval-ignore-output" in tags(cell):
            if first not in REASONS:
                faults.append(
                    f"{cell.get('id')}: first line is {first!r}, not a reason of {REASONS}"
                )
        elif first.startswith("# output varies"):
            faults.append(f"{cell.get('id')}: gives a reason but is not tagged nbval-ignore-output")
    return faults


def links(notebook):
    """Relative links lead somewhere; pictures are drawn here and say in words what they show."""
    faults = []
    places = {re.sub(r"\s+", "-", text).lower() for c in notebook.cells for _, text in headings(c)}
    for cell in (cell for cell in notebook.cells if cell.cell_type == "markdown"):
        name = cell.get("id")
        for picture, alt, target in re.findall(r"(!?)\[([^\[\]]*)\]\(\s*<?([^)\s>]+)", cell.source):
            path, _, place = target.partition("#")
            if picture and "colab-badge.svg" in target:
                continue
            if picture and len(alt.split()) < 3:
                faults.append(f"{name}: picture {target} needs a sentence of alt text")
            if picture and not path.startswith(("figures/", "../figures/")):
                faults.append(f"{name}: picture {target} does not lie in figures/")
            elif re.match(r"[a-z]+:", target):
                continue
            elif path and not (notebook.path.parent / path).exists():
                faults.append(f"{name}: link to {target} leads nowhere")
            elif not path and place.lower() not in places:
                faults.append(f"{name}: link to {target} meets no heading")
        if "<img" in cell.source:
            faults.append(f"{name}: <img>; write ![alt text](figures/name.svg)")
    return faults


def heading_levels(notebook):
    """One title; headings go down one level at a time."""
    faults, level, titles = [], 0, 0
    for cell in notebook.cells:
        for depth, text in headings(cell):
            titles += depth == 1
            if depth > level + 1:
                faults.append(
                    f"{cell.get('id')}: heading {text!r} skips from level {level} to {depth}"
                )
            level = depth
    return faults if titles == 1 else [*faults, f"title: {titles} headings of level 1"]


# --- what holds for lessons ----------------------------------------------------------------------


def frame(notebook):
    """The frame is complete and in order."""
    names = [cell.get("id") for cell in notebook.cells]
    faults = [f"{name}: frame cell is missing" for name in (*FRAME, *CLOSING) if name not in names]
    if faults:
        return faults
    if tuple(names[: len(FRAME)]) != FRAME:
        faults.append(f"the first cells are {names[: len(FRAME)]}, not {list(FRAME)}")
    for tag in ("setup", "parameters"):
        if tagged := [c.get("id") for c in notebook.cells if tag in tags(c) and c.get("id") != tag]:
            faults.append(f"{tagged[0]}: tagged {tag}")
        elif tag not in tags(notebook.cell(tag)):
            faults.append(f"{tag}: not tagged {tag}")
    headed = [text for text, _ in notebook.sections()]
    if headed[-4:] != list(CLOSING.values()):
        faults.append(f"the last sections are {headed[-4:]}, not {list(CLOSING.values())}")
    for name, heading in CLOSING.items():
        if (2, heading) not in headings(notebook.cell(name)):
            faults.append(f"{name}: must hold `## {heading}`")
    if not 4 <= len(headed) - 4 <= 8:
        faults.append(f"{len(headed) - 4} sections before the closing ones; 4 to 8")
    if names[len(FRAME)] not in [cells[0].get("id") for _, cells in notebook.sections()]:
        faults.append(f"{names[len(FRAME)]}: the first section must begin after seed-device")
    return faults


def title(notebook):
    """`# NN · Verb-first title`, one question, the badge."""
    lines = [line for line in notebook.cell("title").source.split("\n") if line.strip()]
    faults = []
    if not re.fullmatch(rf"# {notebook.number} · [A-Z]\S+ .+", lines[0]):
        faults.append(f"title: first line is not `# {notebook.number} · Verb-first title`")
    if len(lines) < 2 or lines[1].count("?") != 1 or not lines[1].endswith("?"):
        faults.append("title: the second line must be one question")
    return faults


def contract(notebook):
    """At most 120 words in four parts: do, be able to, need, documents."""
    text = notebook.cell("contract").source
    bold = re.findall(r"\*\*(.+?)\*\*", text)
    faults = []
    for part in ("You will do", "You will be able to", "You need"):
        if not any(lead.startswith(part) for lead in bold):
            faults.append(f"contract: no **{part}**")
    if len(bold) != 4 or not re.search(r"document|follow|source", bold[-1], re.IGNORECASE):
        faults.append(f"contract: four bold parts, the last on the documents, not {bold}")
    if (count := words(notebook.cell("contract"))) > 120:
        faults.append(f"contract: {count} words; at most 120")
    if "understand" in text.lower():
        faults.append("contract: `understand` is not something one can be seen to do")
    if "minute" not in text:
        faults.append("contract: does not say how many minutes it takes")
    return faults


def parameter_cell(notebook):
    """Annotated literals, each with a comment, as papermill reads them."""
    import papermill

    faults = []
    cell = notebook.cell("parameters")
    lines = cell.source.split("\n")
    for node in tree(cell).body:
        line = lines[node.lineno - 1]
        if not isinstance(node, ast.AnnAssign):
            faults.append(f"parameters: `{line}` is not an annotated literal")
            continue
        try:
            ast.literal_eval(node.value)
        except (ValueError, TypeError):
            faults.append(f"parameters: `{line}` is not a literal")
        if not re.search(r"  # \S+", lines[node.end_lineno - 1]):
            faults.append(f"parameters: `{line}` has no comment")
    known = papermill.inspect_notebook(str(notebook.path))
    for name in parameters(notebook):
        if name not in known or known[name]["inferred_type_name"] == "None":
            faults.append(f"parameters: papermill does not read {name} with its type")
    for name in ("device", "seed"):
        if name not in known:
            faults.append(f"parameters: {name} is missing")
    return faults


def closing(notebook):
    """3–6 bullets to remember, links to the exercises, 2–5 described readings."""
    faults = []
    if not 3 <= len(found := bullets(notebook.cell("remember"))) <= 6:
        faults.append(f"remember: {len(found)} bullets; 3 to 6")
    target = f"exercises/{notebook.number}_exercises.ipynb"
    if target not in notebook.cell("exercises").source:
        faults.append(f"exercises: no link to {target}")
    readings = bullets(notebook.cell("further-reading"))
    if not 2 <= len(readings) <= 5:
        faults.append(f"further-reading: {len(readings)} bullets; 2 to 5")
    for reading in readings:
        if len(re.findall(r"\w+", re.sub(r"\[[^\]]*\]\([^)]*\)|https?://\S+", "", reading))) < 5:
            faults.append(f"further-reading: {reading[:40]!r} is not described")
    return faults


def claim_cells(notebook):
    """Claims have literal texts, stand in claim cells, and training lessons have three at `any`."""
    faults, at_any = [], 0
    for cell, call in claims(notebook):
        text, at = _argument(call, 0, "text"), _argument(call, 4, "at") or ast.Constant("any")
        if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
            faults.append(f"{cell.get('id')}: a claim's text must be written out")
        if not (isinstance(at, ast.Constant) and at.value in ("any", "full")):
            faults.append(f'{cell.get("id")}: at must be written "any" or "full"')
        if "claim" not in tags(cell):
            faults.append(f"{cell.get('id')}: claims but is not tagged claim")
        at_any += isinstance(at, ast.Constant) and at.value == "any"
    claiming = [cell for cell, _ in claims(notebook)]
    for cell in notebook.code:
        if "claim" in tags(cell) and cell not in claiming:
            faults.append(f"{cell.get('id')}: tagged claim but claims nothing")
    if "lr" in parameters(notebook) and at_any < 3:
        faults.append(f'{at_any} claims at "any"; a lesson that trains has at least 3')
    return faults


def figures(notebook):
    """The cell after a figure reads it."""
    faults = []
    for cell, after in zip(notebook.cells, [*notebook.cells[1:], None], strict=True):
        drawn = cell.cell_type == "code" and any(
            kind.startswith("image/") for kind, _ in mime(cell)
        )
        read = after is not None and after.cell_type == "markdown" and not headings(after)
        if drawn and not read:
            faults.append(f"{cell.get('id')}: a figure without a reading beneath it")
    return faults


def drawn_pictures(notebook):
    """What is drawn of CIFAR-10 is loaded with `source=pictures`, or from the sample by name.

    Stored outputs are made with `pictures="sample"`: no stored picture is one of the real ones.
    The cells are followed in order; a name is real from where it gets something real in it.
    """
    real, options, drawing, faults = set(), {}, {"imshow", "plot_images"}, []
    numbers_only = {"item", "mean", "std", "len", "train", "evaluate", "accuracy"}

    def safe(call):
        for keyword in call.keywords:
            if keyword.arg in ("source", None):  # None: `**options`, which must say it
                text = ast.unparse(keyword.value)
                return re.search(r"pictures|'sample'", options.get(text, text)) is not None
        return False

    def holds_real(node):
        if isinstance(node, ast.Call) and _called(node) in numbers_only:
            return False
        return (
            (isinstance(node, ast.Name) and node.id in real)
            or (isinstance(node, ast.Call) and _called(node) == "cifar10" and not safe(node))
            or any(map(holds_real, ast.iter_child_nodes(node)))
        )

    def assign(targets, value):
        names = {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        options.update(dict.fromkeys(names, ast.unparse(value)))
        (real.update if holds_real(value) else real.difference_update)(names)

    def look(statement, cell):
        match statement:
            case ast.FunctionDef(name=name):
                inside = {_called(n) for n in ast.walk(statement) if isinstance(n, ast.Call)}
                drawing.update({name} if inside & drawing else ())
                returns = [n for n in ast.walk(statement) if isinstance(n, ast.Return)]
                returned = {_called(n) for r in returns for n in ast.walk(r) if hasattr(n, "func")}
                numbers_only.update({name} if "item" in returned else ())
                return
            case ast.Assign(targets=targets, value=value):
                assign(targets, value)
            case ast.For(target=target, iter=value):
                assign([target], value)
        for node in ast.iter_child_nodes(statement):
            if isinstance(node, ast.stmt):
                look(node, cell)
                continue
            for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
                name = _called(call)
                drawn = call.args[:1] if name in ("imshow", "plot_images") else call.args
                if name in drawing and any(map(holds_real, drawn)):
                    faults.append(f"{cell.id}: {name} may draw real CIFAR-10: use source=pictures")

    for cell in notebook.code:
        for statement in tree(cell).body:
            look(statement, cell)
    return faults


def _called(call):
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def predictions(notebook):
    """At least three cells ask for a prediction, `**Predict.**` first."""
    asked = 0
    faults = []
    for cell in (cell for cell in notebook.cells if cell.cell_type == "markdown"):
        asked += cell.source.startswith("**Predict.**")
        if "**Predict" in cell.source and not cell.source.startswith("**Predict.**"):
            faults.append(f"{cell.get('id')}: must begin with `**Predict.**`")
    return (
        faults if asked >= 3 else [*faults, f"{asked} cells begin with `**Predict.**`; at least 3"]
    )


def pacing(notebook):
    """Small code, seen at once, between short pieces of prose; from the first section on."""
    cells = [cell for _, section in notebook.sections() for cell in section]
    code = [cell for cell in cells if cell.cell_type == "code"]
    text = [cell for cell in cells if cell.cell_type == "markdown"]
    if len(code) < 2:
        return [f"{len(code)} code cells in the sections"]
    lengths = sorted(code_lines(cell) for cell in code)
    shown = [bool(cell.outputs) or "interactive" in tags(cell) for cell in code]
    long = [cell.get("id") for cell in code if code_lines(cell) > 15]
    figures_of = {
        "markdown cells to a code cell": (len(text) / len(code), 1.0, 1.5),
        "words in a markdown cell (mean)": (statistics.mean(map(words, text)), 25, 60),
        "code lines (median)": (statistics.median(lengths), 1, 5),
        "code lines (90th percentile)": (lengths[max(0, -(-9 * len(lengths) // 10) - 1)], 1, 15),
        f"share of cells over 15 lines {long}": (len(long) / len(code), 0, 0.08),
        "share of code cells with something to look at": (sum(shown) / len(code), 0.7, 1),
    }
    faults = [
        f"pacing: {value:.2f} {what}; {low} to {high}"
        for what, (value, low, high) in figures_of.items()
        if not low <= value <= high
    ]
    faults += [
        f"{c.get('id')}: {code_lines(c)} code lines; at most 30" for c in code if code_lines(c) > 30
    ]
    for first, second, third in zip(cells, cells[1:], cells[2:], strict=False):
        if first.cell_type == second.cell_type == third.cell_type == "code":
            faults.append(f"{third.get('id')}: third code cell in a row")
    return faults


def whole_functions(notebook):
    """No class is put together over several cells to keep cells short."""
    faults, classes = [], set()
    for cell in notebook.code:
        for node in ast.walk(tree(cell)):
            if isinstance(node, ast.ClassDef):
                if any(getattr(base, "id", None) == node.name for base in node.bases):
                    faults.append(f"{cell.get('id')}: class {node.name} is split over cells")
                classes.add(node.name)
            for target in getattr(node, "targets", []) if isinstance(node, ast.Assign) else []:
                if isinstance(target, ast.Attribute) and getattr(target.value, "id", 0) in classes:
                    faults.append(f"{cell.get('id')}: {ast.unparse(target)} is set from outside")
    return faults


def numbers(notebook):
    """A decimal number in the prose stands in the same section's outputs or code.

    A sentence (or a table's row or column) that names a document may quote the document's number.
    A section without code, such as what to remember, may quote any number of the notebook.
    """
    faults = []
    for _, section in notebook.sections():
        code = [cell for cell in section if cell.cell_type == "code"]
        known = _numbers("\n".join(c.source + "\n" + printed(c) for c in code or notebook.code))
        for cell in (cell for cell in section if cell.cell_type == "markdown"):
            for sentence in sentences(cell.source):
                if DOCUMENT.search(sentence):
                    continue
                for found in DECIMAL.findall(sentence):
                    half = 0.5 * 10 ** -len(found.split(".")[1])
                    value = float(found.replace(",", ""))
                    if not any(abs(value - number) <= half * (1 + 1e-9) for number in known):
                        faults.append(
                            f"{cell.get('id')}: {found} is in no output or code of its section "
                            f"and its sentence names no document"
                        )
    return faults


def _numbers(text):
    return {float(found.replace(",", "").replace("_", "")) for found in NUMBER.findall(text)}


def sentences(markdown):
    """Split markdown into sentences and table rows; a row carries its table's header."""
    found = []
    blocks = re.split(r"\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.) )|\n(?=#)", prose(markdown))
    for block in blocks:
        rows = [line for line in block.strip().split("\n") if line.lstrip().startswith("|")]
        if len(rows) > 1:
            found += _table_sentences(rows)
            block = "\n".join(line for line in block.split("\n") if line not in rows)
        found += re.split(r"(?<=[.!?])[)*\"”]*\s+(?=[A-Z*“\"(\[])", block)
    return found


def _table_sentences(rows):
    cells = [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in rows]
    quoting = [bool(DOCUMENT.search(head)) for head in cells[0]]
    return [
        " | ".join(text for text, quoted in zip(row, quoting, strict=False) if not quoted)
        for row in cells[1:]
    ]


ANY = (valid, ids, metadata, source, outputs, size, ignored, links, heading_levels, drawn_pictures)
LESSON = (
    *ANY,
    *(run_order, frame, title, contract, parameter_cell, closing, claim_cells, figures),
    *(predictions, pacing, whole_functions, numbers),
)


def problems(notebook, checks):
    """Return the faults that the checks find, one line each, each with its notebook's name.

    A check that stumbles over a missing cell is named too: `valid` and `frame` say what is wrong.
    """
    faults = []
    for check in checks:
        try:
            found = check(notebook)
        except (AttributeError, IndexError, SyntaxError) as error:
            found = [f"{check.__name__} could not look: {error}"]
        faults += [f"{notebook.path.stem} · {fault}" for fault in found]
    return faults
