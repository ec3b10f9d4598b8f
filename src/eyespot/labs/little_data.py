"""Does augmentation make more data of data? A small network, and pictures as they are or changed anew in each batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from eyespot.labs import towers
from eyespot.labs.bench import Bench
from eyespot.labs.definition import ACCURACY, Both, Lab, Verdict
from eyespot.labs.figures import Gains, untold

FEW, WORTH = (10, 30), 0.01
KINDS = {
    "mirror": Both("mirror", "水平镜像"),
    "crop": Both("crop: moved by up to 1/8", "裁剪：移动最多 1/8"),
    "rotation": Both("rotation by up to 15°", "旋转最多 15°"),
    "color": Both("brightness and contrast", "颜色：亮度与对比度"),
}
NAMES = {"none": Both("none", "不增强"), **KINDS, "all": Both("all", "全部"), "arm": Both("augmentation", "数据增强")}
LAB = Lab(
    chapter="augmentation",
    question=Both("Does augmentation make more data of data?", "数据增强真的等于更多数据吗？"),
    claim=Both("augmentation makes more data of data", "数据增强让数据变多"),
    guesses=(
        Both("yes, whatever is changed", "是，怎么变都行"),
        Both("only where the change leaves the class as it is", "只有不改变类别的变换才行"),
        Both("no, nothing new comes in", "不是，没有新的信息"),
    ),
    rule=Both(
        "It does if all kinds together raise the test accuracy at 10 and at 30 pictures per class; it does not if at "
        f"either they lower it or change it by less than {WORTH}.",
        f"如果每类 10 张和 30 张时，全部变换一起都提高准确率，就是；有一处降低或变化不到 {WORTH}，就不是。",
    ),
    grid={"pictures": (*FEW, 100), "arm": ("none", *KINDS, "all")},
    measures={"accuracy": ACCURACY},
    names=NAMES,
    seconds=30,
    needs=30,
)


def changed(x: Tensor, random: torch.Generator, kinds: tuple[str, ...]) -> Tensor:
    """The images (N, C, H, W), each changed in these ways, as strongly as chance says."""
    mirror, turn, down, right, light, contrast = torch.rand(6, len(x), generator=random) * 2 - 1  # (N,) each
    angle = turn * torch.pi / 12 * ("rotation" in kinds)
    flip = torch.where(mirror > 0, 1.0, -1.0) if "mirror" in kinds else torch.ones(len(x))
    most = x.shape[-1] // 8 + 0.5 if "crop" in kinds else 0.0
    move = (torch.stack([right, down], 1) * most).round() * 2 / x.shape[-1]  # whole pixels, of a side of length 2
    matrix = torch.stack([angle.cos() * flip, -angle.sin(), angle.sin() * flip, angle.cos()], 1).view(-1, 2, 2)
    grid = nn.functional.affine_grid(torch.cat([matrix, move[..., None]], 2), list(x.shape), align_corners=False)
    seen: Tensor = nn.functional.grid_sample(x, grid, padding_mode="border", align_corners=False)
    mean, strength = seen.mean((1, 2, 3), keepdim=True), 0.3 * ("color" in kinds)
    light, contrast = strength * light.view(-1, 1, 1, 1), 1 + strength * contrast.view(-1, 1, 1, 1)
    return torch.add((seen - mean) * contrast, mean + light)


def trial(bench: Bench, *, pictures: int, arm: str) -> dict[str, float]:
    bench, kinds = bench.few(pictures), tuple(KINDS) if arm == "all" else (arm,)
    net = towers.convolutional(bench.train.x[0].shape, bench.classes)
    bench.fit(net, steps=200, change=lambda x, random: changed(x, random, kinds))
    return {"accuracy": bench.accuracy(net)}


def verdict(gain: Gains) -> Verdict:
    whole = [gain("accuracy", "all", over="none", pictures=count) for count in FEW]
    alone = [gain("accuracy", kind, over="none", pictures=count) for count in FEW for kind in KINDS]
    is_better, is_worse = any(kind.up for kind in alone), any(kind.down for kind in alone)
    more = gain.change("accuracy", {"arm": "none", "pictures": FEW[1]}, over={"arm": "none", "pictures": FEW[0]})
    said = Both(
        "All kinds together change the test accuracy by {w} at 10 pictures per class and by {v} at 30; at 10 mirroring "
        "alone by {a}, crops by {b}, rotation by {c}, color by {d}; 30 pictures in place of 10 by {m}.",
        "全部变换使测试准确率在每类 10 张时变化 {w}，30 张时变化 {v}；"
        "10 张时单用镜像变化 {a}，裁剪 {b}，旋转 {c}，颜色 {d}；图片从 10 张增到 30 张则变化 {m}。",
    ).filled(w=whole[0], v=whole[1], m=more, **dict(zip("abcd", alone, strict=False)))
    if all(found.up for found in whole):
        return Verdict("so", said, guess=1 if all(kind.up for kind in alone) else 2 if is_worse else 0)
    if any(found.down or found.within(WORTH) for found in whole):
        return Verdict("not so", said, guess=3 if not is_better else 2 if is_worse else 0)
    return untold(*(found for found in whole if not found.up), worth=WORTH)
