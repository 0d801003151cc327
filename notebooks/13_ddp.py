import argparse
import os

import torch
import torch.distributed as dist
from torch import nn
from torch.utils.data import DistributedSampler, Subset

from course_utils import load_checkpoint, make_loader, mnist, save_checkpoint, train_one_epoch

SETTINGS = {"epochs": 8, "lr": 0.02, "batch_size": 50, "train_size": 5_000, "val_size": 999}
SETTINGS |= {"seed": 0, "checkpoint": "checkpoint.pt"}


def make_model(seed):
    """One hidden layer for digits; the same weights in whatever process it is made."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.Tanh(), nn.Linear(64, 10))


def evaluate_all(model, images, targets):
    """Loss and accuracy of all processes' examples: sums travel, the division comes last."""
    with torch.no_grad():
        logits = model.eval()(images)
    loss = nn.functional.cross_entropy(logits, targets, reduction="sum")
    sums = loss.new_tensor([loss, (logits.argmax(dim=1) == targets).sum(), len(targets)])
    dist.all_reduce(sums)
    return {"val_loss": (sums[0] / sums[2]).item(), "val_accuracy": (sums[1] / sums[2]).item()}


def main(args):
    """Train in each process that torchrun starts; process 0 alone writes the checkpoint."""
    gpus = torch.cuda.device_count() >= int(os.environ["LOCAL_WORLD_SIZE"])
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if gpus else torch.device("cpu")
    dist.init_process_group("nccl" if gpus else "gloo", device_id=device if gpus else None)
    rank, world_size = dist.get_rank(), dist.get_world_size()
    train_set = Subset(mnist(train=True), range(args.train_size))
    sampler = DistributedSampler(train_set, seed=args.seed)
    loader = make_loader(train_set, args.batch_size, sampler=sampler)
    digits, share = mnist(train=False), slice(rank, args.val_size, world_size)
    val = [(digits.images[share] / 255).to(device), digits.targets[share].to(device)]
    model = make_model(args.seed).to(device)
    parallel = nn.parallel.DistributedDataParallel(model)
    optimizer, history = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9), []
    if os.path.exists(args.checkpoint):
        history = load_checkpoint(args.checkpoint, model, optimizer=optimizer)["history"]
    for epoch in range(len(history) + 1, args.epochs + 1):
        sampler.set_epoch(epoch)  # a new order, drawn from seed and epoch
        train_one_epoch(parallel, nn.CrossEntropyLoss(), optimizer, loader)
        history.append({"epoch": epoch} | evaluate_all(model, *val))
        if rank == 0:
            save_checkpoint(args.checkpoint, model=model, optimizer=optimizer, history=history)
    dist.destroy_process_group()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=main.__doc__)
    for name, value in SETTINGS.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    main(parser.parse_args())
