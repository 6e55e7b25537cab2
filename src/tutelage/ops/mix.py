import torch


def mixup(alpha, x, y, w):
    lam = torch.distributions.Beta(alpha, alpha).sample()
    lam = torch.maximum(lam, 1 - lam)
    perm = torch.randperm(len(x))
    return tuple(lam * t + (1 - lam) * t[perm] for t in (x, y, w))
