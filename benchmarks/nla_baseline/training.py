"""The loop of Layered Neural Atlases: sampling on the host, ten losses, Adam."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.video.flow import Flow

from ..layered.clock import now
from .networks import Nets

SCALE = 0.8  # uv_mapping_scale
POINTS = 10_000
LEARNING_RATE = 1e-4
PRETRAIN_ROUNDS = 100
RGB, GRADIENT, SPARSITY = 5000.0, 1000.0, 1000.0
RIGIDITY, GLOBAL_FRONT, GLOBAL_BACK = 1.0, 5.0, 50.0
FLOW, ALPHA_FLOW, BOOTSTRAP = 5.0, 49.0, 2000.0
GLOBAL_UNTIL, BOOTSTRAP_UNTIL = 5000, 10_000
GLOBAL_DISTANCE = 100 / 768  # of the longer side: 100 px at the published size


@dataclass(frozen=True)
class Data:
    """The video on the host, frame last, as the released code keeps it."""

    frames: Tensor  # [H, W, 3, T]
    dx: Tensor  # [H, W, 3, T], to the right neighbour; 0 in the last column
    dy: Tensor
    masks: Tensor  # [H, W, T]
    forward: Tensor  # [H, W, 2, T]
    backward: Tensor
    forward_valid: Tensor  # [H, W, T]
    backward_valid: Tensor

    @classmethod
    def of(cls, frames: np.ndarray, masks: np.ndarray, flow: Flow) -> Data:
        """Lay out ``frames`` uint8 [T, H, W, 3], ``masks`` uint8 [T, H, W] and ``flow``."""
        video = torch.from_numpy(frames).float().permute(1, 2, 3, 0) / 255
        dx, dy = torch.zeros_like(video), torch.zeros_like(video)
        dx[:, :-1] = video[:, 1:] - video[:, :-1]
        dy[:-1] = video[1:] - video[:-1]
        none = np.zeros_like(flow.forward[:1])
        ahead = np.concatenate([flow.forward, none])
        behind = np.concatenate([none, flow.backward])
        no = np.zeros_like(flow.forward_valid[:1])
        valid = np.concatenate([flow.forward_valid, no]), np.concatenate([no, flow.backward_valid])
        return cls(
            video.contiguous(), dx, dy,
            torch.from_numpy(masks).float().permute(1, 2, 0).contiguous() / 255,
            *(torch.from_numpy(f).float().permute(1, 2, 3, 0) for f in (ahead, behind)),
            *(torch.from_numpy(v).permute(1, 2, 0) for v in valid),
        )  # fmt: skip


class Baseline:
    """A training that can be halted and looked at; the clock runs while it trains."""

    def __init__(
        self, data: Data, device: torch.device, *, seed: int = 0, points: int = POINTS
    ) -> None:
        torch.manual_seed(seed)
        self.data, self.device, self.points = data, device, points
        self.nets = Nets().to(device)
        self.optimizer = torch.optim.Adam(self.nets.parameters(), lr=LEARNING_RATE)
        self.height, self.width, _, self.count = data.frames.shape
        self.half = max(self.height, self.width) / 2
        self.iteration, self.seconds, self.pretrained = 0, 0.0, 0
        self.terms: dict[str, float] = {}

    def train(
        self,
        until: float,
        *,
        pretrain_rounds: int = PRETRAIN_ROUNDS,
        over: float = math.inf,
    ) -> None:
        """Train until the clock shows ``until`` seconds, or `time.monotonic` shows ``over``."""
        began = now() - self.seconds
        if self.pretrained == 0:
            self._pretrain(pretrain_rounds, began, until)
        while now() - began < until and time.monotonic() < over:
            self._step()
        self.seconds = now() - began

    def _pretrain(self, rounds: int, began: float, until: float) -> None:
        for net in (self.nets.mapping1, self.nets.mapping2):
            optimizer = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)
            for _ in range(rounds):
                for frame in range(self.count):
                    x = torch.randint(self.width, (self.points,))
                    y = torch.randint(self.height, (self.points,))
                    points = self._points(x, y, torch.full_like(x, frame))
                    miss = (SCALE * points[:, :2] - net(points)).norm(dim=1).mean()
                    optimizer.zero_grad()
                    miss.backward()
                    optimizer.step()
                    self.pretrained += 1
                if now() - began > until / 4:
                    break  # a short run keeps most of its time for the training itself

    def _points(self, x: Tensor, y: Tensor, t: Tensor) -> Tensor:
        columns = x / self.half - 1, y / self.half - 1, t / (self.count / 2) - 1
        return torch.stack([c.float() for c in columns], 1).to(self.device)

    def _step(self) -> None:
        self.iteration += 1
        size = (self.points,)
        x = torch.randint(self.width, size)
        y = torch.randint(self.height, size)
        t = torch.randint(self.count, size)
        losses = self._losses(x, y, t)
        weights = self._weights()
        loss = sum(weights[name] * value for name, value in losses.items())
        self.optimizer.zero_grad()
        assert isinstance(loss, Tensor)
        loss.backward()
        self.optimizer.step()
        # Each is printed in every step of the released loop: the host waits for each.
        self.terms = {name: value.item() for name, value in losses.items()}

    def _weights(self) -> dict[str, float]:
        far = self.iteration <= GLOBAL_UNTIL
        return {
            "rgb": RGB,
            "gradient": GRADIENT,
            "sparsity": SPARSITY,
            "rigidity_front": RIGIDITY,
            "rigidity_back": RIGIDITY,
            "global_front": GLOBAL_FRONT if far else 0.0,
            "global_back": GLOBAL_BACK if far else 0.0,
            "flow_front": FLOW,
            "flow_back": FLOW,
            "flow_alpha": ALPHA_FLOW,
            "bootstrap": BOOTSTRAP if self.iteration <= BOOTSTRAP_UNTIL else 0.0,
        }

    def _losses(self, x: Tensor, y: Tensor, t: Tensor) -> dict[str, Tensor]:
        nets, data, device = self.nets, self.data, self.device
        colour = data.frames[y, x, :, t].to(device)
        dx, dy = data.dx[y, x, :, t].to(device), data.dy[y, x, :, t].to(device)
        mask = data.masks[y, x, t].to(device)[:, None]
        here = self._points(x, y, t)
        uv1, uv2, alpha = nets.mapping1(here), nets.mapping2(here), nets.alpha(here)
        front, back = nets.front(uv1), nets.back(uv2)
        seen = alpha * front + (1 - alpha) * back
        right, below = self._rendered(x + 1, y, t), self._rendered(x, y + 1, t)
        gradient = (right - seen - dx).square().sum(1) + (below - seen - dy).square().sum(1)
        entropy = mask * alpha.log() + (1 - mask) * (1 - alpha).log()
        losses = {
            "rgb": (seen - colour).square().sum(1).mean(),
            "gradient": gradient.mean(),
            "sparsity": ((1 - alpha) * front).square().sum(1).mean(),
            "bootstrap": -entropy.mean(),
            "rigidity_front": self._rigidity(nets.mapping1, uv1, x, y, t, 1.0),
            "rigidity_back": self._rigidity(nets.mapping2, uv2, x, y, t, 1.0),
        }
        if self.iteration <= GLOBAL_UNTIL:
            far = GLOBAL_DISTANCE * 2 * self.half
            losses["global_front"] = self._rigidity(nets.mapping1, uv1, x, y, t, far)
            losses["global_back"] = self._rigidity(nets.mapping2, uv2, x, y, t, far)
        return losses | self._flow_losses(x, y, t, uv1, uv2, alpha)

    def _rendered(self, x: Tensor, y: Tensor, t: Tensor) -> Tensor:
        points = self._points(x, y, t)
        alpha = self.nets.alpha(points)
        front = self.nets.front(self.nets.mapping1(points))
        return alpha * front + (1 - alpha) * self.nets.back(self.nets.mapping2(points))

    def _rigidity(
        self, mapping: torch.nn.Module, uv: Tensor, x: Tensor, y: Tensor, t: Tensor, d: float
    ) -> Tensor:
        unit = self.half / (SCALE * d)
        across = (uv - mapping(self._points(x - d, y, t))) * unit
        down = (uv - mapping(self._points(x, y - d, t))) * unit
        jacobian = torch.stack([across, down], 2)
        metric = jacobian.transpose(1, 2) @ jacobian
        inverse = torch.linalg.inv(metric + 1e-3 * torch.eye(2, device=self.device))
        return (metric.flatten(1).norm(dim=1) + inverse.flatten(1).norm(dim=1)).mean()

    def _flow_losses(
        self, x: Tensor, y: Tensor, t: Tensor, uv1: Tensor, uv2: Tensor, alpha: Tensor
    ) -> dict[str, Tensor]:
        totals = [torch.zeros((), device=self.device) for _ in range(3)]
        for step, flow, valid in (
            (1, self.data.forward, self.data.forward_valid),
            (-1, self.data.backward, self.data.backward_valid),
        ):
            counted = valid[y, x, t]
            if not counted.any():
                continue  # the released code gives NaN here
            moved = flow[y, x, :, t][counted]
            there = self._points(
                x[counted] + moved[:, 0], y[counted] + moved[:, 1], t[counted] + step
            )
            where = counted.to(self.device)
            opacity = alpha[where][:, 0]
            unit = self.half / SCALE
            miss1 = (self.nets.mapping1(there) - uv1[where]).norm(dim=1) * unit
            miss2 = (self.nets.mapping2(there) - uv2[where]).norm(dim=1) * unit
            misses = (
                (miss1 * opacity).mean(),
                (miss2 * (1 - opacity)).mean(),
                (self.nets.alpha(there)[:, 0] - opacity).abs().mean(),
            )
            totals = [total + miss / 2 for total, miss in zip(totals, misses, strict=True)]
        return dict(zip(("flow_front", "flow_back", "flow_alpha"), totals, strict=True))

    @torch.no_grad()
    def frame(self, index: int) -> dict[str, Tensor]:
        """Return uv1, uv2 in [-1, 1], alpha, front and back of one frame, [H, W, C] on the CPU."""
        y, x = torch.meshgrid(torch.arange(self.height), torch.arange(self.width), indexing="ij")
        parts: list[tuple[Tensor, ...]] = []
        for rows, columns in zip(y.reshape(-1).split(1 << 16), x.reshape(-1).split(1 << 16),
                                 strict=True):  # fmt: skip
            points = self._points(columns, rows, torch.full_like(rows, index))
            uv1, uv2 = self.nets.mapping1(points), self.nets.mapping2(points)
            found = uv1, uv2, self.nets.alpha(points), self.nets.front(uv1), self.nets.back(uv2)
            parts.append(tuple(each.cpu() for each in found))
        joined = [torch.cat(each) for each in zip(*parts, strict=True)]
        names = ("uv1", "uv2", "alpha", "front", "back")
        size = self.height, self.width
        return {n: v.view(*size, -1) for n, v in zip(names, joined, strict=True)}
