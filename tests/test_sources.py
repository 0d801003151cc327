import errno
import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from course_utils.course import data as command
from course_utils.course import drawn, fetch, sources
from course_utils.data import cifar10, mnist

TINY_MNIST = {
    file: (bytes(16) + bytes(range(5)) * 784 if "images" in file else bytes(8) + bytes(range(5)))
    for file in sources.MNIST_FILES
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty data folder, and no memory of earlier downloads."""
    path = tmp_path / "data"
    path.mkdir()
    monkeypatch.setenv("COURSE_DATA", str(path))
    monkeypatch.setattr(sources, "_failures", {})
    monkeypatch.setattr(sources, "_announced", set())
    return path


@pytest.fixture
def tiny(monkeypatch):
    """Make MNIST five images a split, and CIFAR-10 three and two a class."""
    packed = {file: gzip.compress(content, mtime=0) for file, content in TINY_MNIST.items()}
    sums = {
        file: (hashlib.sha256(TINY_MNIST[file]).hexdigest(), hashlib.md5(packed[file]).hexdigest())
        for file in packed
    }
    monkeypatch.setattr(sources, "MNIST_FILES", sums)
    monkeypatch.setattr(sources, "CIFAR10_COUNTS", {"train": 3, "test": 2})
    return packed


def write_mnist(folder):
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file, content in TINY_MNIST.items():
        (raw / file).write_bytes(content)
    return raw


def write_pictures(root, kind="png"):
    """An image folder in which a picture's value is its place in the order; 3 + 2 a class."""
    for split, count in (("train", 3), ("test", 2)):
        for target, name in enumerate(sources.CIFAR10_CLASSES):
            (root / split / name).mkdir(parents=True)
            for k in range(count):
                place = k * 10 + (9 - target)
                picture = Image.new("RGB", (32, 32), (place, 0, 200))
                picture.save(root / split / name / f"{place}_{name}.{kind}")
    return root


# Which folder


def test_the_folder_is_the_one_asked_for(folder):
    assert sources.data_folder() == folder


def test_without_a_wish_the_folder_is_the_checkouts(monkeypatch):
    monkeypatch.delenv("COURSE_DATA", raising=False)
    assert sources.data_folder() == Path(__file__).resolve().parents[1] / "data"


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_an_installed_course_keeps_data_in_the_users_cache(platform, tmp_path, monkeypatch):
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setattr(sources, "__file__", str(tmp_path / "a" / "b" / "c" / "sources.py"))
    monkeypatch.setattr(sources.sys, "platform", platform)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    cache = tmp_path / ("Library/Caches" if platform == "darwin" else "cache")
    assert sources.data_folder() == cache / "course_utils"


def test_a_file_is_no_data_folder(tmp_path, monkeypatch, capsys):
    file = tmp_path / "file"
    file.write_text("x")
    monkeypatch.setenv("COURSE_DATA", str(file))
    with pytest.raises(NotADirectoryError, match="is a file; set COURSE_DATA"):
        mnist(train=True)
    assert command.main([]) == 1
    assert "is a file" in capsys.readouterr().err
    assert mnist(train=True, source="sample").is_sample  # which touches none of this


def test_a_folder_that_may_not_be_read_is_named(folder, monkeypatch):
    monkeypatch.setattr(sources.os, "access", lambda *_: False)  # as root may read everything
    with pytest.raises(PermissionError, match="may not be read"):
        sources.data_folder()


def test_a_folder_that_is_not_there_is_empty(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setattr(sources, "_announced", set())
    with pytest.raises(FileNotFoundError, match=r"nowhere.*data fetch mnist"):
        mnist(train=True, source="real")
    assert mnist(train=True).is_sample
    assert "nowhere" in capsys.readouterr().out
    assert command.main([]) == 0
    assert "(not there yet)" in capsys.readouterr().out


# Where the data are not


def test_the_sample_announces_itself_once(folder, capsys):
    assert mnist(train=True).is_sample and mnist(train=False).is_sample
    said = capsys.readouterr()
    assert said.err == "" and said.out.count("\n") == 1  # red in a lesson is for what is wrong
    assert "SAMPLE DATA" in said.out and str(folder) in said.out and "fetch mnist" in said.out
    assert cifar10(train=False, classes=["cat"]).is_sample
    assert "cifar10" in capsys.readouterr().out


@pytest.mark.parametrize("load", [mnist, cifar10])
def test_real_data_that_are_asked_for_and_not_there(load, folder, capsys):
    with pytest.raises(FileNotFoundError, match=rf"no {load.__name__} in .*data fetch"):
        load(train=True, source="real")
    assert capsys.readouterr().out == ""


def test_asking_for_the_sample_touches_nothing_else(folder, monkeypatch):
    monkeypatch.setattr(sources, "data_folder", lambda: pytest.fail("looked for the data folder"))
    assert mnist(train=False, source="sample").is_sample
    assert cifar10(train=False, classes=["cat"], source="sample").is_sample


def test_a_download_is_tried_once_a_process(folder, monkeypatch, capsys):
    tries = []

    def refuse(name, patient):
        tries.append((name, patient))
        raise fetch.FetchError("nobody answered")

    monkeypatch.setattr(fetch, "fetch", refuse)
    monkeypatch.setenv("COURSE_OFFLINE", "0")
    assert mnist(train=True).is_sample and mnist(train=False).is_sample
    assert tries == [("mnist", False)]
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and "nobody answered" in out


def test_no_download_is_tried_offline(folder, monkeypatch):
    monkeypatch.setattr(fetch, "fetch", lambda *_, **__: pytest.fail("tried a download"))
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    assert mnist(train=True).is_sample


def test_what_a_download_brings_is_used(folder, tiny, monkeypatch):
    monkeypatch.setattr(fetch, "fetch", lambda *_, **__: write_mnist(folder))
    monkeypatch.setenv("COURSE_OFFLINE", "0")
    assert not mnist(train=True).is_sample


def test_a_damaged_sample_is_named(tmp_path, monkeypatch):
    package = tmp_path / "course_utils"
    monkeypatch.setattr(sources, "__file__", str(package / "course" / "sources.py"))
    with pytest.raises(FileNotFoundError, match=r"no sample mnist\.npz"):
        mnist(train=True, source="sample")
    whole = (Path(__file__).parents[1] / "data" / "samples" / "mnist.npz").read_bytes()
    (package / "samples").mkdir(parents=True)
    for content in (whole[: len(whole) // 2], b"", whole.replace(b"train_images", b"train_imagez")):
        (package / "samples" / "mnist.npz").write_bytes(content)
        with pytest.raises(ValueError, match="damaged"):
            mnist(train=True, source="sample")


def test_a_sample_holding_a_pickle_is_refused(tmp_path, monkeypatch):
    package = tmp_path / "course_utils"
    (package / "samples").mkdir(parents=True)
    np.savez(package / "samples" / "mnist.npz", train_images=np.array([{}], dtype=object))
    monkeypatch.setattr(sources, "__file__", str(package / "course" / "sources.py"))
    with pytest.raises(ValueError, match="damaged"):
        mnist(train=True, source="sample")


# MNIST's files


def test_mnist_is_read(folder, tiny):
    write_mnist(folder)
    digits = mnist(train=True)
    assert digits.images.shape == (5, 1, 28, 28) and digits.targets.tolist() == [0, 1, 2, 3, 4]
    assert digits.images.flatten()[:6].tolist() == [0, 1, 2, 3, 4, 0]
    assert not digits.is_sample


@pytest.mark.parametrize("file", list(sources.MNIST_FILES))
@pytest.mark.parametrize("damage", ["cut short", "one bit", "empty", "gone"])
def test_a_damaged_file_is_named_and_never_replaced_by_the_sample(
    file, damage, folder, tiny, capsys
):
    path = write_mnist(folder) / file
    content = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    else:
        content[-1] ^= 1
        path.write_bytes({"cut short": content[:-1], "one bit": content, "empty": b""}[damage])
    for source in ("auto", "real"):
        with pytest.raises((ValueError, FileNotFoundError), match=rf"{file}.*data fetch mnist"):
            mnist(train=file.startswith("train"), source=source)
    assert command.main([]) == 1
    said = capsys.readouterr()
    assert file in said.err and "NO" in said.out and "Traceback" not in said.err


# CIFAR-10's two layouts


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_an_image_folder_is_read_in_the_original_order(kind, folder, tiny):
    write_pictures(folder / "cifar10", kind)
    pictures = cifar10(train=True)
    assert len(pictures) == 30 and not pictures.is_sample
    if kind == "png":
        assert pictures.images[:, 0, 0, 0].tolist() == list(range(30))
    assert (pictures.images[:, 2].int() - 200).abs().max() <= 3  # blue comes last
    assert pictures.targets.tolist() == [9 - i % 10 for i in range(30)]


def test_only_the_classes_wanted_are_read(folder, tiny):
    root = write_pictures(folder / "cifar10")
    shutil.rmtree(root / "train" / "dog")
    pair = cifar10(train=True, classes=["bird", "airplane"])
    assert pair.images[:, 0, 0, 0].tolist() == [7, 9, 17, 19, 27, 29]
    assert pair.targets.tolist() == [0, 1, 0, 1, 0, 1]
    with pytest.raises(FileNotFoundError, match="dog"):
        cifar10(train=True)


def test_names_without_an_index_are_read_in_sorted_order(folder, tiny):
    root = write_pictures(folder / "cifar10")
    for path in sorted((root / "train" / "cat").iterdir()):
        path.rename(path.with_name(f"{'cab'[int(path.name[0]) % 3]}.png"))
    values = [
        int(np.asarray(Image.open(root / "train" / "cat" / f"{x}.png"))[0, 0, 0]) for x in "abc"
    ]
    assert cifar10(train=True, classes=["cat"]).images[:, 0, 0, 0].tolist() == values


def test_gray_and_transparent_pictures_have_three_channels(folder, tiny):
    root = write_pictures(folder / "cifar10")
    Image.new("L", (32, 32), 7).save(root / "train" / "cat" / "6_cat.png")
    Image.new("RGBA", (32, 32), (1, 2, 3, 0)).save(root / "train" / "cat" / "16_cat.png")
    images = cifar10(train=True, classes=["cat"]).images
    assert images[:, :, 0, 0].tolist()[:2] == [[7, 7, 7], [1, 2, 3]]


def test_bad_pictures_are_named(folder, tiny):
    root = write_pictures(folder / "cifar10")
    cat, dog, ship = (root / "train" / name for name in ("cat", "dog", "ship"))
    (cat / "6_cat.png").write_bytes((cat / "6_cat.png").read_bytes()[:60])
    with pytest.raises(ValueError, match=r"6_cat\.png cannot be read as an image"):
        cifar10(train=True, classes=["cat"])
    (cat / "6_cat.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"6_cat\.png cannot be read as an image"):
        cifar10(train=True, classes=["cat"])
    Image.new("RGB", (31, 33)).save(dog / "4_dog.png")
    with pytest.raises(ValueError, match=r"4_dog\.png has 31 × 33 pixels instead of 32 × 32"):
        cifar10(train=True, classes=["dog"])
    next(ship.iterdir()).unlink()
    with pytest.raises(ValueError, match=r"ship holds 2 images instead of 3.*data fetch cifar10"):
        cifar10(train=True)


def test_pictures_are_decoded_once_and_again_when_a_file_changes(folder, tiny, monkeypatch):
    root = write_pictures(folder / "cifar10")
    decoded, decode = [], sources._decode
    monkeypatch.setattr(sources, "_decode", lambda path: decoded.append(path) or decode(path))
    first = cifar10(train=True, classes=["cat", "dog"])
    assert len(decoded) == 6
    again = cifar10(train=True, classes=["dog", "cat"])
    assert len(decoded) == 6 and torch.equal(again.images, first.images)
    assert again.targets.tolist() == [1 - target for target in first.targets.tolist()]
    changed = root / "train" / "cat" / "6_cat.png"
    Image.new("RGB", (32, 32), (9, 9, 9)).save(changed)
    os.utime(changed, ns=(1, 1))
    images = cifar10(train=True, classes=["cat"]).images
    assert len(decoded) == 9 and images[:, 0, 0, 0].tolist()[0] == 9


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"])
def test_a_damaged_array_of_decoded_pictures_is_made_again(content, folder, tiny):
    root = write_pictures(folder / "cifar10")
    first = cifar10(train=True, classes=["cat"]).images
    kept = root / ".decoded" / "train-cat.npz"
    kept.write_bytes(content)
    assert torch.equal(cifar10(train=True, classes=["cat"]).images, first)
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_pictures_are_read_where_nothing_may_be_written(folder, tiny, monkeypatch):
    write_pictures(folder / "cifar10")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert len(cifar10(train=True, classes=["cat"])) == 3
    assert not list((folder / "cifar10" / ".decoded").iterdir())


@pytest.fixture
def batches(folder, monkeypatch):
    """CIFAR-10 as torchvision reads it, two images a file, with the checksums of these files."""
    import pickle

    from torchvision.datasets import CIFAR10

    root = folder / "cifar-10-batches-py"
    root.mkdir()

    def write(file, content):
        (root / file).write_bytes(pickle.dumps(content))
        return hashlib.md5((root / file).read_bytes()).hexdigest()

    lists = {}
    for kind, files in (("train_list", ["data_batch_1", "data_batch_2"]), ("test_list", ["test"])):
        rows = lists[kind] = []
        for k, file in enumerate(files):
            pixels = np.arange(2 * 3072).reshape(2, 3072).astype(np.uint8) + k
            rows.append([file, write(file, {"data": pixels, "labels": [6, 2 + k]})])
    meta = {"label_names": sources.CIFAR10_CLASSES}
    meta = CIFAR10.meta | {"md5": write("batches.meta", meta)}
    for name, value in (lists | {"meta": meta}).items():
        monkeypatch.setattr(CIFAR10, name, value)
    return root


def test_torchvisions_batches_are_read(batches):
    pictures = cifar10(train=True)
    assert pictures.images.shape == (4, 3, 32, 32) and pictures.targets.tolist() == [6, 2, 6, 3]
    assert torch.equal(pictures.images[0].flatten(), torch.arange(3072).to(torch.uint8))
    frogs = cifar10(train=True, classes=["cat", "frog"])
    assert frogs.targets.tolist() == [1, 1, 0]
    assert torch.equal(frogs.images, pictures.images[[0, 2, 3]])
    assert cifar10(train=True, classes=["frog", "cat"]).targets.tolist() == [0, 0, 1]


@pytest.mark.parametrize("file", ["data_batch_2", "test", "batches.meta"])
def test_damaged_batches_are_named_and_not_unpickled(file, batches, tmp_path):
    trace = tmp_path / "executed"
    (batches / file).write_bytes(b"cos\nmkdir\n(V%b\ntR." % str(trace).encode())
    with pytest.raises(ValueError, match=rf"{file} is missing or damaged.*data fetch cifar10"):
        cifar10(train=True)
    assert not trace.exists()


# The record of the data


def test_the_fingerprint_tells_changes(folder, tiny):
    assert sources.fingerprint("mnist") == {} == sources.fingerprint("cifar10")
    write_mnist(folder)
    assert set(sources.fingerprint("mnist")) == {"train", "test"}
    root = write_pictures(folder / "cifar10")
    before = sources.fingerprint("cifar10")
    assert before == sources.fingerprint("cifar10")
    Image.new("RGB", (32, 32)).save(root / "test" / "cat" / "6_cat.png")
    after = sources.fingerprint("cifar10")
    assert after["train"] == before["train"] and after["test"] != before["test"]


@pytest.mark.skipif(
    sources.layout("mnist", sources.data_folder()) is None, reason="MNIST is not here"
)
def test_the_recorded_mnist_is_the_real_one():
    file = Path(__file__).parents[1] / "results" / "data.json"
    recorded = json.loads(file.read_text(encoding="utf-8"))
    assert recorded["mnist"] == sources.fingerprint("mnist")


# The command


def test_the_command_shows_what_is_here(folder, tiny, capsys):
    write_mnist(folder)
    assert command.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"data folder: {folder}"
    assert lines[2].split() == ["name", "source", "folder", "verified", "size"]
    assert lines[3].split() == ["mnist", "real", "MNIST/raw", "checksums", "right", "0.0", "MB"]
    assert lines[4].startswith("cifar10  sample")
    assert lines[-1] == "To get the real cifar10: python -m course_utils data fetch cifar10"


def test_the_command_refuses_other_names(capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["fetch", "imagenet"])
    assert stop.value.code == 2 and "imagenet" in capsys.readouterr().err


# Downloads, from a server on this machine


@pytest.fixture
def server():
    """A server whose `answers` say what it does for a path: (kind, content)."""
    answers, asked, over = {}, [], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            kind, content = answers.get(self.path, ("missing", b""))
            if kind == "missing":
                self.send_error(404)
                return
            if kind == "hang":
                over.wait(30)
                return
            if kind == "redirect":
                self.send_response(302)
                self.send_header("Location", content)
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if kind == "slow":
                for start in range(0, len(content), 10):
                    self.wfile.write(content[start : start + 10])
                    if over.wait(0.06):
                        return
            elif kind == "stall":
                self.wfile.write(content[: len(content) // 2])
                over.wait(30)
            else:
                self.wfile.write(content[: len(content) // 2] if kind == "cut" else content)

        def log_message(self, *_):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    url = f"http://127.0.0.1:{httpd.server_port}"
    yield SimpleNamespace(url=url, answers=answers, asked=asked)
    over.set()
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture
def mirrors(server, tiny, folder, monkeypatch):
    """MNIST on mirrors /a/ and /b/, each of which has all files until a test changes that."""
    monkeypatch.setattr(fetch, "MNIST_MIRRORS", [f"{server.url}/a/", f"{server.url}/b/"])
    monkeypatch.setattr(fetch, "TIMEOUT", (0.5, 0.5))
    for mirror in "ab":
        for file, content in tiny.items():
            server.answers[f"/{mirror}/{file}.gz"] = ("good", content)
    return server


def spoil(server, mirror, kind, change=lambda content: content):
    for path, (_, content) in list(server.answers.items()):
        if path.startswith(f"/{mirror}/"):
            server.answers[path] = (kind, change(content))


def flip(content):
    return content[:-1] + bytes([content[-1] ^ 1])


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_good_download(mirrors, folder, capsys):
    assert fetch.fetch("mnist") == folder
    assert len(mirrors.asked) == 4 and all(path.startswith("/a/") for path in mirrors.asked)
    assert files(folder / "MNIST" / "raw") == sorted(TINY_MNIST)
    assert files(folder)[0] == "MNIST" and len(files(folder)) == 6  # and no temporary folder
    assert not mnist(train=True, source="real").is_sample
    assert command.main(["fetch", "mnist"]) == 0
    assert "checksums right" in capsys.readouterr().out
    assert len(mirrors.asked) == 4  # what is there is not fetched again


def test_a_damaged_file_is_fetched_again_and_only_that(mirrors, folder):
    raw = write_mnist(folder)
    (raw / "t10k-labels-idx1-ubyte").write_bytes(b"x")
    fetch.fetch("mnist")
    assert mirrors.asked == ["/a/t10k-labels-idx1-ubyte.gz"]
    assert sources.verify("mnist") == "checksums right"


FAULTS = {
    "missing": ("missing", lambda content: content, "answered 404"),
    "hang": ("hang", lambda content: content, "did not answer in time"),
    "stall": ("stall", lambda content: content, "stopped sending|did not answer"),
    "cut": ("cut", lambda content: content, "part of the file|checksum"),
    "short": ("good", lambda content: content[:-3], "checksum"),
    "wrong": ("good", flip, "checksum"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_second_mirror_takes_over(fault, mirrors, folder):
    kind, change, _ = FAULTS[fault]
    spoil(mirrors, "a", kind, change)
    fetch.fetch("mnist")
    assert sources.verify("mnist") == "checksums right"
    assert [path[1] for path in mirrors.asked] == list("abababab")


@pytest.mark.parametrize("fault", FAULTS)
def test_where_all_mirrors_fail_nothing_is_left(fault, mirrors, folder, capsys):
    kind, change, word = FAULTS[fault]
    for mirror in "ab":
        spoil(mirrors, mirror, kind, change)
    start = time.monotonic()
    with pytest.raises(fetch.FetchError, match=rf"127\.0\.0\.1: .*({word}).*; 127\.0\.0\.1: "):
        fetch.fetch("mnist")
    assert time.monotonic() - start < 5
    assert files(folder) == []
    assert command.main(["fetch", "mnist"]) == 1
    said = capsys.readouterr()
    assert "127.0.0.1" in said.err and "Traceback" not in said.err


def test_a_failed_download_leaves_the_sample_with_the_reason(mirrors, folder, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_OFFLINE", "0")
    for mirror in "ab":
        spoil(mirrors, mirror, "missing")
    assert mnist(train=True).is_sample
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and "answered 404" in out


def test_a_server_that_is_not_there(folder, monkeypatch):
    monkeypatch.setattr(fetch, "MNIST_MIRRORS", ["http://127.0.0.1:9/"])
    with pytest.raises(fetch.FetchError, match="could not be reached"):
        fetch.fetch("mnist")
    assert files(folder) == []


def test_only_https_is_spoken_beyond_this_machine(mirrors, folder, monkeypatch):
    monkeypatch.setattr(fetch, "MNIST_MIRRORS", ["http://example.invalid/"])
    with pytest.raises(fetch.FetchError, match="is not https"):
        fetch.fetch("mnist")


def test_all_mirrors_speak_https():
    mirrors = fetch.MNIST_MIRRORS + [url for url, *_ in fetch.CIFAR10_ARCHIVES]
    assert len(mirrors) == 4 and all(url.startswith("https://") for url in mirrors)


def test_a_redirect_away_from_https_is_not_followed(mirrors, folder, monkeypatch):
    elsewhere = mirrors.url.replace("127.0.0.1", "localhost") + "/x"
    for mirror in "ab":  # this machine by another name, which counts as another machine
        spoil(mirrors, mirror, "redirect", lambda _: elsewhere)
    with pytest.raises(fetch.FetchError, match="is not https"):
        fetch.fetch("mnist")
    assert files(folder) == []


def test_an_interrupted_download_leaves_nothing(mirrors, folder, monkeypatch):
    def interrupt(*_):
        assert any(path.name.startswith("tmp") for path in folder.rglob("*"))  # it had begun
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch._Progress, "update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch("mnist")
    assert files(folder) == []


def test_an_interrupted_download_does_not_leave_a_new_folder(mirrors, folder, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(folder / "new"))
    monkeypatch.setattr(
        fetch._Progress, "update", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch("mnist")
    assert files(folder) == []


def test_a_slow_mirror_is_given_up_only_by_a_lesson(mirrors, folder, monkeypatch):
    monkeypatch.setattr(fetch, "PATIENCE", 0.1)
    monkeypatch.setattr(fetch, "CHUNK", 5)
    spoil(mirrors, "a", "slow")
    fetch.fetch("mnist", patient=False)
    assert (
        "/b/train-labels-idx1-ubyte.gz" in mirrors.asked
        or "/b/train-images-idx3-ubyte.gz" in mirrors.asked
    )
    shutil.rmtree(folder / "MNIST")
    mirrors.asked.clear()
    fetch.fetch("mnist", patient=True)
    assert all(path.startswith("/a/") for path in mirrors.asked)


@pytest.mark.parametrize("during", ["download", "unpacking"])
def test_a_full_disk_is_named_and_nothing_is_left(during, mirrors, folder, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if during == "download":
        monkeypatch.setattr(fetch._Progress, "update", full)
    else:
        monkeypatch.setattr(fetch.shutil, "copyfileobj", full)
    with pytest.raises(fetch.FetchError, match="the disk is full: make room"):
        fetch.fetch("mnist")
    assert files(folder) == []


def test_too_little_room_is_told_before(mirrors, folder, monkeypatch):
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda _: SimpleNamespace(free=5_000_000))
    with pytest.raises(fetch.FetchError, match="has 5 MB free but needs 60 MB"):
        fetch.fetch("mnist")
    assert mirrors.asked == [] and files(folder) == []


def test_a_wrong_name_is_refused():
    with pytest.raises(ValueError, match="'imagenet'"):
        fetch.fetch("imagenet")


# CIFAR-10's archives


def pack(root, name, extra=()):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        archive.add(root, arcname=name)
        for member in extra:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return stream.getvalue()


@pytest.fixture
def archives(server, tiny, folder, tmp_path, monkeypatch):
    """Offer one archive under two addresses, of which the first has none."""
    monkeypatch.setattr(fetch, "TIMEOUT", (0.5, 0.5))

    def offer(content):
        md5 = hashlib.md5(content).hexdigest()
        rows = [(f"{server.url}/{path}", md5, len(content)) for path in ("gone.tgz", "here.tgz")]
        monkeypatch.setattr(fetch, "CIFAR10_ARCHIVES", rows)
        server.answers["/here.tgz"] = ("good", content)

    return offer


def test_an_image_folder_is_fetched(archives, server, folder, tmp_path):
    archives(pack(write_pictures(tmp_path / "pictures"), "cifar10"))
    fetch.fetch("cifar10")
    assert server.asked == ["/gone.tgz", "/here.tgz"]
    assert [path.name for path in folder.iterdir()] == ["cifar10"]
    assert len(cifar10(train=False, source="real")) == 20
    fetch.fetch("cifar10")
    assert len(server.asked) == 2


def test_members_that_leave_their_folder_are_refused(archives, folder, tmp_path):
    member = tarfile.TarInfo("../../escaped")
    member.size = 1
    archives(pack(write_pictures(tmp_path / "pictures"), "cifar10", [member]))
    with pytest.raises(fetch.FetchError, match="cannot be unpacked"):
        fetch.fetch("cifar10")
    assert files(folder) == [] and not (tmp_path / "escaped").exists()


def test_an_archive_of_something_else_is_refused(archives, folder, tmp_path):
    archives(pack(write_pictures(tmp_path / "pictures"), "cifar100"))
    with pytest.raises(fetch.FetchError, match="holds neither"):
        fetch.fetch("cifar10")
    assert files(folder) == []


def test_an_incomplete_image_folder_is_not_touched(archives, server, folder):
    root = write_pictures(folder / "cifar10")
    shutil.rmtree(root / "test" / "cat")
    before = files(folder)
    with pytest.raises(fetch.FetchError, match=r"cat is not there.*move what is there away first"):
        fetch.fetch("cifar10")
    assert files(folder) == before and server.asked == []


def test_the_drawn_classes_are_cifar10s_in_its_order():
    names = "airplane automobile bird cat deer dog frog horse ship truck"
    assert sources.CIFAR10_CLASSES == drawn.CLASSES == names.split()
