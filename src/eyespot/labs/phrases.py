"""What the console and the report say around a lab's own texts, in both languages."""

from __future__ import annotations

import os
from collections.abc import Mapping

from eyespot.errors import OptionError
from eyespot.labs.definition import LANGUAGES, Answer, Both, Lab, Language
from eyespot.words import nearest

ANSWERS: Mapping[Answer, Both] = {
    "so": Both("It is so", "是这样"),
    "not so": Both("It is not so", "不是这样"),
    "cannot be told": Both("It cannot be told", "无法判断"),
}
PHRASES = {
    "question": Both("Question", "问题"),
    "claim": Both("Claim", "课程的说法"),
    "guess": Both("Your guess", "你的猜测"),
    "which": Both("a number from 1 to {most}, or nothing", "请输入 1 到 {most} 的数字，或直接回车"),
    "you_said": Both("You said", "你猜的是"),
    "right": Both("The experiment agrees.", "实验结果与此一致。"),
    "wrong": Both("The experiment says otherwise.", "实验结果并非如此。"),
    "undecided": Both("The experiment cannot tell.", "实验无法判断。"),
    "verdict": Both("Verdict", "结论"),
    "came_out": Both("What came out", "结果"),
    "setting": Both("Setting", "设置"),
    "how": Both("How it was compared", "如何比较"),
    "rule": Both("Rule, written before the experiment", "实验之前写下的判断规则"),
    "note": Both("Note", "注意"),
    "notes": Both("Worth knowing", "需要知道的"),
    "experiment": Both("The experiment itself", "实验代码"),
    "made": Both("How it was made", "制作信息"),
    "pictures": Both("Pictures", "图片"),
    "seeds": Both("Seeds", "种子"),
    "machine": Both("Machine", "机器"),
    "again": Both("Again", "重新运行"),
    "table": Both("Table", "数据表"),
    "plot": Both("Plot", "图"),
    "report": Both("Report", "报告"),
    "read_on": Both("Read on", "继续阅读"),
    "ends": Both(
        "A dot is one seed. The whisker is the 95 % interval of the mean, the stroke in it the mean.",
        "每个点是一个种子；横线是均值的 95% 置信区间，其中的竖线是均值。",
    ),
    "paired": Both(
        "What is compared in one seed has the same test pictures, the same order of the others and, where it can, the "
        "same first weights; differences are taken within a seed. A fifth of the pictures tests, of five seeds each "
        "another fifth. Seeds share most of their training pictures, so the intervals are wider than the plain ones.",
        "同一个种子里比较的各组使用同样的测试图片、同样的训练顺序，并尽可能使用同样的初始权重；差值在同一个种子内计算。"
        "五分之一的图片用于测试，五个种子各用不同的五分之一。各个种子的训练图片大部分相同，"
        "所以区间比普通的 t 区间更宽。",
    ),
    "exact": Both(
        "Nothing here is left to chance: these numbers are exact, and have no interval.",
        "这里没有随机性：这些数字是精确的，没有区间。",
    ),
    "written_by": Both(
        "Written by eyespot. This file carries all that it shows; it runs no script and loads nothing from elsewhere.",
        "由 eyespot 生成。这个文件包含它显示的一切；不运行脚本，也不从别处加载任何东西。",
    ),
    "few_tests": Both(
        "only {tests} pictures were tested: a difference in accuracy of less than about {least} can hardly be seen",
        "只测试了 {tests} 张图片：小于 {least} 左右的准确率差异很难看出来",
    ),
    "time_over": Both(
        "the time was over after {done} of {asked} seeds", "时间用完时完成了 {asked} 个种子中的 {done} 个"
    ),
    "stopped": Both(
        "you stopped it after {done} of {asked} seeds", "你在完成 {asked} 个种子中的 {done} 个之后停止了它"
    ),
    "set_aside": Both("{count} files were set aside; the first: {first}", "有 {count} 个文件没有使用；第一个：{first}"),
    "no_round": Both(
        "It cannot be told: the time was over before the first seed was done.",
        "无法判断：第一个种子完成之前时间就用完了。",
    ),
    "too_few": Both(
        "It cannot be told from these pictures: the rule speaks of {needs} training pictures of a class, and there are "
        "{has}.",
        "用这些图片无法判断：规则要求每类有 {needs} 张训练图片，这里只有 {has} 张。",
    ),
    "seed": Both("seed", "种子"),
    "seconds": Both("seconds", "秒"),
    "pictures_of": Both(
        "{count} of {classes} classes, {side} x {side} pixels", "{classes} 类共 {count} 张，{side} x {side} 像素"
    ),
    "lines": Both("this experiment in {lines} lines", "这个实验共 {lines} 行"),
}
COMMON_NAMES = {
    "depth": Both("layers", "层数"),
    "per_class": Both("pictures per class", "每类图片数"),
    "pictures": Both("pictures per class", "每类图片数"),
    "arm": Both("arm", "组"),
}
"""Of axes and values that several labs have."""


def language_of(chosen: str | None) -> Language:
    """The chosen language, or that of the environment. Raises OptionError for another one."""
    if chosen is None:
        named = next(filter(None, (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
        return "zh" if named.lower().startswith("zh") else "en"
    for language in LANGUAGES:
        if chosen == language:
            return language
    raise OptionError(f"the option lang cannot be {chosen!r}: {nearest(chosen, LANGUAGES)}")


def said(key: str, language: Language, **values: object) -> str:
    """A phrase of PHRASES with values in its places."""
    return PHRASES[key].filled(**values).to(language)


def answer_words(question: str, answer: Answer, language: Language) -> str:
    """`It is so`; empty where that is no answer: to a question for a reason, and where the verdict itself says that
    nothing can be told."""
    is_complete = answer == "cannot be told" or question.startswith("Why") or "为什么" in question
    return "" if is_complete else ANSWERS[answer].to(language)


def agrees(guess: int | None, right: int | None) -> str:
    """The phrase on a guess."""
    return "undecided" if right is None else "right" if guess == right else "wrong"


def name_of(lab: Lab, value: object, language: Language) -> str:
    """An axis of a lab, or a value on it, as a person reads it."""
    known = {**COMMON_NAMES, **lab.names}.get(str(value))
    return known.to(language) if known else str(value).replace("_", " ")
