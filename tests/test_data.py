import io
import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, random_split
from torchvision import transforms

from course_utils.course import sources
from course_utils.data import (
    ImageTensors,
    TransformedImages,
    cifar10,
    collate,
    make_loader,
    mnist,
)


@pytest.fixture(scope="module")
def digits():
    return mnist(train=False, source="sample")


@pytest.fixture(scope="module")
def pair():
    return cifar10(train=False, classes=["bird", "airplane"], source="sample")


def real(name):
    return sources.layout(name, sources.data_folder()) is not None


needs_mnist = pytest.mark.skipif(not real("mnist"), reason="MNIST is not here")
needs_cifar10 = pytest.mark.skipif(not real("cifar10"), reason="CIFAR-10 is not here")


def tiny(count=10, transform=None):
    images = torch.arange(count * 12, dtype=torch.uint8).reshape(count, 3, 2, 2)
    args = images, torch.arange(count) % 2, ["even", "odd"]
    return (
        ImageTensors(*args) if transform is None else TransformedImages(*args, transform=transform)
    )


def identity(image):  # importable by worker processes, as a lambda is not
    return image


class Plain(Dataset):
    """A dataset that knows of no batches."""

    def __len__(self):
        return 7

    def __getitem__(self, index):
        return torch.full((2,), float(index)), index


# What is served


def test_single_examples_equal_torchvisions(digits):
    pictures = mnist(train=False, source="sample", transform=transforms.ToTensor())
    for index in (0, 5, -1):
        image, target = digits[index]
        expected, expected_target = pictures[index]
        assert torch.equal(image, expected)
        assert image.dtype == torch.float32
        assert type(target) is int and target == expected_target


@pytest.mark.parametrize("name", ["digits", "pair"])
def test_batches_equal_torchvisions_one_by_one(name, request):
    dataset = request.getfixturevalue(name)
    indices = [3, 0, 399, 3, -1]
    images, targets = dataset.__getitems__(indices)
    to_tensor, to_pil = transforms.ToTensor(), transforms.ToPILImage()
    expected = torch.stack([to_tensor(to_pil(dataset.images[i])) for i in indices])
    assert torch.equal(images, expected)
    assert targets.tolist() == [int(dataset.targets[i]) for i in indices]
    assert targets.dtype == torch.int64


@pytest.mark.parametrize("beyond", [400, -401, 0.5])
def test_batches_refuse_a_place_that_there_is_not(pair, beyond):
    assert len(pair) == 400
    with pytest.raises(IndexError):
        pair.__getitems__([0, beyond])


def test_a_batch_is_a_copy(digits):
    before = digits.images[0].clone()
    digits.__getitems__([0])[0].zero_()
    digits[0][0].zero_()
    assert torch.equal(digits.images[0], before)


@needs_mnist
@pytest.mark.parametrize("train", [True, False])
def test_real_mnist_equals_torchvisions(train):
    from torchvision.datasets import MNIST

    ours, theirs = mnist(train, source="real"), MNIST(sources.data_folder(), train=train)
    assert torch.equal(ours.images[:, 0], theirs.data)
    assert torch.equal(ours.targets, theirs.targets)
    assert not ours.is_sample
    assert ours.images.nbytes <= 50_000_000
    assert ours.images.untyped_storage().nbytes() <= 50_000_000


@needs_mnist
@pytest.mark.parametrize(("train", "count"), [(True, 5000), (False, 1000)])
def test_the_sample_is_the_first_of_mnist(train, count):
    sample, whole = mnist(train, source="sample"), mnist(train, source="real")
    assert torch.equal(sample.images, whole.images[:count])
    assert torch.equal(sample.targets, whole.targets[:count])
    assert sample.is_sample and sample.classes == whole.classes


@needs_cifar10
def test_real_pictures_keep_their_order_and_class():
    cars = cifar10(train=True, classes=["automobile"], source="real")
    assert len(cars) == 5000 and not cars.is_sample
    folder = sources.data_folder()
    if sources.layout("cifar10", folder) == "images":
        files = sources._image_files(folder / "cifar10", True, sources.CIFAR10_CLASSES)
        assert files[99][0].parent.name == "automobile"
        assert len(files) == 50_000
        # Read by PIL, the fourth automobile has the pixels that are served.
        from PIL import Image

        path = sorted(
            (path for path, _ in files if path.parent.name == "automobile"),
            key=lambda path: int(path.name.split("_")[0]),
        )[3]
        pixels = torch.from_numpy(np.asarray(Image.open(path)).copy()).permute(2, 0, 1)
        assert (pixels.int() - cars.images[3].int()).abs().max() <= 2  # decoders may round apart


def test_classes_are_relabelled_in_the_order_given(pair):
    swapped = cifar10(train=False, classes=["airplane", "bird"], source="sample")
    assert pair.classes == ["bird", "airplane"] and swapped.classes == ["airplane", "bird"]
    assert torch.equal(swapped.targets, 1 - pair.targets)
    assert torch.equal(swapped.images, pair.images)


def test_with_a_transform_pil_images_are_served_one_by_one():
    seen = []
    pictures = cifar10(False, ["cat"], transform=lambda x: seen.append(x) or x, source="sample")
    picture, target = pictures[2]
    assert picture.mode == "RGB" and picture.size == (32, 32) and target == 0
    assert np.array_equal(np.asarray(picture), pictures.images[2].permute(1, 2, 0).numpy())
    assert len(seen) == 1
    digit, _ = mnist(False, transform=identity, source="sample")[0]
    assert digit.mode == "L"


def test_iteration_ends(digits):
    assert sum(1 for _ in Subset(digits, range(5))) == 5
    assert sum(1 for _ in tiny()) == 10


def test_a_dataset_says_what_it_is(digits):
    assert repr(digits) == "ImageTensors(sample of 1000 images, 10 classes)"


def test_bad_tensors_are_named():
    images, targets = torch.zeros(2, 1, 3, 3, dtype=torch.uint8), torch.tensor([0, 1])
    with pytest.raises(TypeError, match="float32"):
        ImageTensors(images.float(), targets, ["a", "b"])
    with pytest.raises(TypeError, match="int32"):
        ImageTensors(images, targets.int(), ["a", "b"])
    with pytest.raises(ValueError, match=r"\(2, 3, 3\)"):
        ImageTensors(images[:, 0], targets, ["a", "b"])
    with pytest.raises(ValueError, match=r"\(1,\)"):
        ImageTensors(images, targets[:1], ["a", "b"])
    with pytest.raises(ValueError, match=r"0\.\.0 for 1 classes, not in 0\.\.1"):
        ImageTensors(images, targets, ["a"])
    with pytest.raises(TypeError, match="'flip'"):
        TransformedImages(images, targets, ["a", "b"], transform="flip")


@pytest.mark.parametrize("classes", [["bird", "plane"], [], "bird", ["cat", "cat"]])
def test_wrong_classes_list_the_ten(classes):
    with pytest.raises(ValueError, match=r"airplane, automobile, bird.*truck.*not"):
        cifar10(train=False, classes=classes, source="sample")


@pytest.mark.parametrize("make", [mnist, cifar10])
def test_a_wrong_source_is_named(make):
    with pytest.raises(ValueError, match="'online'"):
        make(train=True, source="online")


# Loaders


def test_a_loader_serves_whole_batches(digits):
    loader = make_loader(digits, 300)
    assert type(loader) is DataLoader
    batches = list(loader)
    assert [len(targets) for _, targets in batches] == [300, 300, 300, 100]
    assert torch.equal(torch.cat([images for images, _ in batches]), digits.images / 255)
    assert torch.equal(torch.cat([targets for _, targets in batches]), digits.targets)


def test_the_batches_of_a_loader_are_not_made_of_single_examples(digits, monkeypatch):
    monkeypatch.setattr(ImageTensors, "__getitem__", lambda *_: pytest.fail("asked for one"))
    parts = random_split(digits, [900, 100], generator=torch.Generator().manual_seed(0))
    for dataset in (digits, *parts, Subset(parts[0], [5, 2])):
        assert sum(len(images) for images, _ in make_loader(dataset, 64)) == len(dataset)


def test_the_default_collate_crashes_on_a_ready_batch():
    with pytest.raises(Exception, match=r"stack|sizes|size"):
        next(iter(DataLoader(mnist(False, source="sample"), 3)))


def test_subsets_serve_their_own_examples(digits):
    images, targets = next(iter(make_loader(Subset(digits, [7, 2, 9]), 3)))
    assert torch.equal(images, digits.images[[7, 2, 9]] / 255)
    assert torch.equal(targets, digits.targets[[7, 2, 9]])


def test_the_generator_decides_the_order():
    def order(seed):
        generator = torch.Generator().manual_seed(seed)
        loader = make_loader(tiny(50), 50, shuffle=True, generator=generator)
        return [next(iter(loader))[0].flatten().tolist() for _ in range(2)]

    first, second = order(1)
    assert first != second and sorted(first) == sorted(second)
    assert order(1) == [first, second]
    assert order(2) != [first, second]


def test_options_pass_through():
    loader = make_loader(tiny(), 4, drop_last=True)
    assert [len(targets) for _, targets in loader] == [4, 4]
    assert len(make_loader(tiny(), 4, sampler=[1, 2])) == 1
    assert make_loader(tiny(), 4, collate_fn=identity).collate_fn is identity


def test_other_datasets_are_collated_as_pytorch_does():
    ours = list(make_loader(Plain(), 3))
    theirs = list(DataLoader(Plain(), 3))
    assert len(ours) == len(theirs) == 3
    for (x, y), (expected_x, expected_y) in zip(ours, theirs, strict=True):
        assert torch.equal(x, expected_x) and torch.equal(y, expected_y)


def test_transformed_images_are_loaded_as_torchvisions_would_be():
    plain, transformed = tiny(), tiny(transform=transforms.ToTensor())
    for (x, y), (expected_x, expected_y) in zip(
        make_loader(transformed, 4), make_loader(plain, 4), strict=True
    ):
        assert torch.equal(x, expected_x) and torch.equal(y, expected_y)
    flip = transforms.Compose([transforms.RandomHorizontalFlip(p=1), transforms.ToTensor()])
    flipped, _ = next(iter(make_loader(tiny(transform=flip), 4)))
    assert torch.equal(flipped, plain.images[:4].flip(3) / 255)
    subset = Subset(transformed, [3, 1])
    assert next(iter(make_loader(subset, 2)))[1].tolist() == [1, 1]


def test_a_stream_of_examples_can_be_loaded():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter([1, 2, 3])

    assert [batch.tolist() for batch in make_loader(Stream(), 2)] == [[1, 2], [3]]


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, None, True, "32"])
def test_a_wrong_batch_size_is_named(batch_size):
    with pytest.raises(ValueError, match=r"at least 1, not"):
        make_loader(tiny(), batch_size)


def test_a_loader_without_a_batch_is_refused():
    with pytest.raises(ValueError, match="empty"):
        make_loader(Subset(tiny(), []), 4)
    with pytest.raises(ValueError, match="all 10 examples: batch_size is 11"):
        make_loader(tiny(), 11, drop_last=True)


def test_loaders_and_datasets_pickle():
    loader = make_loader(tiny(transform=identity), 4, shuffle=True)
    again = pickle.load(io.BytesIO(pickle.dumps(loader)))
    assert again.collate_fn is collate
    assert torch.equal(again.dataset.images, loader.dataset.images)


@pytest.mark.parametrize("context", torch.multiprocessing.get_all_start_methods())
def test_workers_serve_the_same(context):
    if context == "forkserver":
        pytest.skip("starts as spawn does")
    loader = make_loader(tiny(), 4, num_workers=2, multiprocessing_context=context)
    expected = list(make_loader(tiny(), 4))
    for (x, y), (expected_x, expected_y) in zip(loader, expected, strict=True):
        assert torch.equal(x, expected_x) and torch.equal(y, expected_y)
