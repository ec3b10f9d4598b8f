"""The words that people use for train, val and test, and which folders they name."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from eyespot.records import Part

_WORDS: dict[Part, str] = {
    "train": "train training trn learn learning trainieren trainingsdaten trainingsset trainingsbilder lernen "
    "entrainement apprentissage entrenamiento addestramento treino treinamento 训练 訓練 学習 학습 훈련 обучение",
    "val": "val valid validation validate validating dev devel eval evaluation holdout validierung validierungsdaten "
    "validacion convalida validazione validacao validatie 验证 驗證 検証 검증 валидация",
    "test": "test testing tst tests teste essai prueba pruebas prova 测试 測試 テスト 테스트 тест",
}
LONGEST = 80
"""Letters of a name that can be a part's: a table may hold texts of any length."""
_BESIDE = (
    *("datasets", "dataset", "data", "daten", "sets", "set", "images", "image", "imgs", "img", "pictures", "pics"),
    *("photos", "folder", "split", "samples", "bilder", "fotos", "数据集", "数据", "图片", "集", "データ", "세트"),
)
"""What may stand before or after a word for a part: `test_images`, `TrainSet`."""


def letters_of(name: str) -> str:
    """Only the letters of a name, in lower case and without accents."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in plain if letter.isalpha())


_PARTS: dict[str, Part] = {letters_of(word): part for part, words in _WORDS.items() for word in words.split()}
_AROUND = [letters_of(word) for word in _BESIDE]


def part_of(name: str) -> Part | None:
    """The part that a folder's name, or a word in a table, stands for."""
    if len(name) > LONGEST:
        return None
    letters = letters_of(name)
    while letters not in _PARTS:
        shorter = [cut for word in _AROUND for cut in (letters.removesuffix(word), letters.removeprefix(word))]
        letters = min(shorter, key=len)
        if len(letters) == max(map(len, shorter)):  # there was nothing to cut
            return None
    return _PARTS[letters]


def parts_among(names: Iterable[str]) -> dict[str, Part]:
    """The names that stand for parts: each by itself, or by the one word that tells it from its like: `seg_train`."""
    names = list(names)
    parts = {name: part for name in names if (part := part_of(name))}
    alike: dict[tuple[str, ...], dict[str, Part]] = defaultdict(dict)
    for name in names:
        words = re.findall(r"[^\W\d_]+", name.casefold())
        for word in words:
            if part := part_of(word):
                alike[tuple(each for each in words if each != word)][name] = part
    for rest, named in alike.items():
        if rest and "train" in named.values() and len({*named.values()}) > 1:
            parts |= named
    return {name: parts[name] for name in names if name in parts}
