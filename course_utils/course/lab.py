"""`make lab`: a student's own copies of the lessons in `work/`, and JupyterLab opened on them.

A copy is made once and never overwritten. When a lesson has changed since, the new one is laid
beside the old one as `… (newer).ipynb`. Nothing here changes the lessons themselves.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from course_utils.course import lessons
from course_utils.course.lessons import KEEP_MEMORY, NOTEBOOKS, ROOT, CourseError

MANIFEST = ".course.json"  # which content each copy was made from


def content(path):
    """Return the checksum of what a lesson says and does; its stored outputs do not count."""
    cells = [[cell.cell_type, cell.source] for cell in lessons.read_notebook(path).cells]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def lay_out(notebooks=NOTEBOOKS, work=ROOT / "work"):
    """Copy lessons, exercises and diagrams into `work`; return one line for each new copy."""
    notebooks, work = Path(notebooks), Path(work)
    sources = list(lessons.choose(notebooks).values()) + sorted(notebooks.glob("exercises/*.ipynb"))
    work.mkdir(parents=True, exist_ok=True)
    manifest = _read(work / MANIFEST)
    lines = []
    for source in sources:
        place = source.relative_to(notebooks).as_posix()
        target, now = work / place, content(source)
        if manifest.get(place) == now and target.exists():
            continue
        if target.exists():
            if place not in manifest and content(target) == now:
                manifest[place] = now
                continue
            target = _free(target)
            lines.append(f"{place} has changed: the new one lies beside yours, {target.name}")
        else:
            lines.append(f"copied {place}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        manifest[place] = now
        _write(work / MANIFEST, manifest)  # after each copy, so that an interruption loses nothing
    _write(work / MANIFEST, manifest)
    lessons.copy_figures(notebooks, work)
    return lines


def _free(path):
    """The first name beside `path` that no file has."""
    for count in range(1, 1000):
        word = "newer" if count == 1 else f"newer {count}"
        candidate = path.with_name(f"{path.stem} ({word}){path.suffix}")
        if not candidate.exists():
            return candidate
    raise CourseError(f"too many copies of {path.name} in {path.parent}: delete some")


def _read(path):
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except json.JSONDecodeError:
        return {}  # then every lesson counts as new, and is laid beside the student's


def _write(path, manifest):
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    os.replace(part, path)


def main(argv=None):
    """Lay the copies out and open JupyterLab on them; arguments go on to JupyterLab."""
    argv = sys.argv[1:] if argv is None else argv
    work = ROOT / "work"
    try:
        for line in lay_out(work=work):
            print(line)
    except (CourseError, OSError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 2
    print(f"Opening JupyterLab on {work}; Ctrl+C here ends it.", flush=True)
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={work}", *argv]
    with subprocess.Popen(command, env=KEEP_MEMORY | os.environ) as server:
        while True:
            try:
                return server.wait()
            except KeyboardInterrupt:  # JupyterLab got it too, and asks whether to end
                continue


if __name__ == "__main__":
    sys.exit(main())
