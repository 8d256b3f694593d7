"""How Mandarin tones change in connected speech: 一 and 不, neutral tones, third tones, erhua.

Works on words of pinyin syllables such as ``ni3``. Knows nothing about how they were found.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class Word:
    """A Chinese word: its characters, its part of speech, one syllable per character."""

    text: str
    part: str
    """Part-of-speech tag of jieba."""
    syllables: list[str]


_NUMERALS = "零〇一二两三四五六七八九十百千万亿幺"
_DIGITS = "零〇一二三四五六七八九幺"
# 一 keeps its first tone before these: it is a number in a series there.
_SERIES = "月号日楼班组等级期代审"

_NEUTRAL_PARTICLES = frozenset("吗呢吧啊呀哇嘛啦哦喽咯们么的了着过子")
_NEUTRAL_WORDS = frozenset(
    (
        "爱人 巴掌 包袱 本事 鼻子 扁担 别扭 玻璃 薄荷 部分 财主 裁缝 苍蝇 柴火 称呼 抽屉 出息 畜生 "
        "窗户 刺激 聪明 凑合 答应 打扮 打发 打量 打听 大方 大夫 大爷 大意 耽搁 耽误 道士 灯笼 提防 "
        "地道 地方 弟弟 弟兄 点心 东家 东西 动静 动弹 豆腐 嘟囔 队伍 对付 多少 耳朵 范围 风筝 福气 "
        "富余 甘蔗 干净 高粱 告诉 疙瘩 胳膊 功夫 姑娘 故事 寡妇 怪物 关系 官司 规矩 闺女 蛤蟆 含糊 "
        "行当 合同 和尚 核桃 红火 厚道 狐狸 胡萝卜 胡琴 葫芦 糊涂 护士 皇上 活泼 火候 伙计 机灵 "
        "脊梁 记号 记性 家伙 架势 嫁妆 见识 将就 交情 叫唤 结实 街坊 姐夫 姐姐 戒指 精神 舅舅 咳嗽 "
        "客气 口袋 窟窿 快活 困难 阔气 喇叭 烂糊 浪头 老婆 老实 老爷 累赘 篱笆 里头 力气 厉害 利落 "
        "利索 痢疾 连累 凉快 粮食 铃铛 溜达 罗嗦 萝卜 骆驼 麻烦 麻利 马虎 买卖 忙活 冒失 眉毛 媒人 "
        "门道 眯缝 迷糊 苗条 名堂 名字 明白 模糊 蘑菇 木匠 木头 那么 奶奶 难为 脑袋 念叨 娘家 奴才 "
        "女婿 暖和 疟疾 牌楼 盘算 朋友 脾气 屁股 便宜 漂亮 婆家 婆婆 铺盖 欺负 亲戚 勤快 清楚 亲家 "
        "拳头 热闹 人家 人们 认识 扫帚 商量 上司 烧饼 少爷 什么 牲口 生意 师父 师傅 石匠 石榴 石头 "
        "时候 实在 拾掇 使唤 世故 似的 事情 收成 收拾 首饰 叔叔 舒服 舒坦 疏忽 爽快 思量 俗气 算计 "
        "岁数 他们 踏实 太太 特务 挑剔 跳蚤 铁匠 头发 妥当 唾沫 挖苦 娃娃 晚上 尾巴 委屈 为了 位置 "
        "温和 稳当 窝囊 稀罕 媳妇 喜欢 下巴 吓唬 先生 乡下 相声 消息 小气 笑话 谢谢 心思 星星 猩猩 "
        "行李 兄弟 休息 秀才 秀气 学生 学问 丫头 鸭子 衙门 哑巴 胭脂 烟筒 眼睛 秧歌 养活 吆喝 妖精 "
        "钥匙 衣服 衣裳 意思 应酬 冤枉 月饼 月亮 云彩 运气 在乎 咱们 早上 怎么 扎实 眨巴 栅栏 张罗 "
        "丈夫 帐篷 丈人 招呼 招牌 折腾 这么 枕头 芝麻 知识 知道 指甲 指头 主意 转悠 壮实 状元 字号 "
        "自在 作坊 琢磨 嘴巴 爸爸 妈妈 哥哥 妹妹 爷爷 伯伯 宝宝 猩猩 觉得 记得 懂得 值得 舍得 显得 "
        "晓得 免得 省得 认得 由得 来得及 葡萄 菩萨 黄瓜 西瓜 冬瓜 南瓜 亲戚 棉花 芦苇 衙役 包涵 "
        "抱怨 报应 比方 伺候 打算 打点 得罪 灯泡儿 底下 嘀咕 哆嗦 反正 分量 风水 功劳 估计 咕噜 "
        "街上 身上 路上 车上 地上 世上 手里 家里 心里 屋里 城里 哪里 这里 那里 夜里 嘴里 眼里 里边 外边 "
        "上边 下边 前边 后边 左边 右边 旁边 外头 前头 后头 上头 下头 起来 出来 进来 回来 过来 上来 下来 "
        "出去 进去 回去 过去 上去 下去 起来 差事 成分 诚实 应付 照应 折磨 支吾 嘱咐 祖宗 作践 太阳穴"
    ).split()
) - frozenset(
    "部分 范围 西瓜 冬瓜 南瓜 功劳 估计 诚实 灯泡儿 反正 太阳穴 旁边 困难 大意 地道 实在 刺激 "
    "特务 位置 温和 模糊 成分 抱怨 知识 鸭子 打点 得罪 折磨 过去 大方 精神 刺激".split()
)
_FULL_TONE_WORDS = frozenset(
    "男子 女子 电子 原子 分子 量子 孔子 老子 庄子 孟子 孙子 父子 母子 王子 公子 弟子 君子 才子 "
    "天子 太子 妻子 质子 中子 粒子 因子 离子 种子 瓜子 莲子 鸡子 游子 赤子 浪子 骄子 臣子 "
    "经过 通过 超过 度过 渡过 难过 不过 过 路过 功过 改过 好过 目的 的确 了解 了得 了不起 看着 "
    "为了 除了 沉着 执着 着想 天下 以上 以下 地上".split()
) - frozenset("孙子 妻子 为了 除了 看着".split())
_ERHUA_NOT_MERGED = frozenset("女儿 儿 男儿 婴儿 幼儿 孤儿 胎儿 少儿 孩儿 患儿 妻儿 孙儿 健儿 宠儿".split())


def apply(words: Sequence[Word]) -> None:
    """Change the syllables of one phrase (the words between two marks) in place."""
    _say_yi_and_bu(words)
    _weaken(words)
    _merge_er(words)
    _raise_third_tones(words)


def _tone(syllable: str) -> str:
    return syllable[-1]


def _toned(syllable: str, tone: str) -> str:
    return syllable[:-1] + tone


def _say_yi_and_bu(words: Sequence[Word]) -> None:
    text = "".join(word.text for word in words)
    syllables = [syllable for word in words for syllable in word.syllables]
    start = 0
    for word in words:
        for offset, char in enumerate(word.text):
            at = start + offset
            if char == "一":
                word.syllables[offset] = "yi" + _yi_tone(text, syllables, at, word, offset)
            elif char == "不":
                word.syllables[offset] = "bu" + _bu_tone(text, syllables, at, word, offset)
        start += len(word.text)


def _yi_tone(text: str, syllables: Sequence[str], at: int, word: Word, offset: int) -> str:
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if not after or (before and before in _DIGITS + "第初十点" and after not in "十百千万亿"):
        return "1"
    if after in _DIGITS or after in _SERIES:
        return "2" if text[at : at + 3] in ("一代人", "一等一", "一级棒") else "1"
    if before and before == after and len(word.text) <= 3:
        return "5"  # 看一看
    if len(word.text) > 1 and offset == len(word.text) - 1:
        return "1"  # 统一, 唯一
    if text[at + 1 : at + 3] == "年级":
        return "1"
    return "2" if _tone(syllables[at + 1]) == "4" or after == "个" else "4"


def _bu_tone(text: str, syllables: Sequence[str], at: int, word: Word, offset: int) -> str:
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if before and before == after:
        return "5"  # 是不是
    if len(word.text) == 3 and offset == 1 and word.part.startswith("v"):
        return "5"  # 看不见
    return "2" if after and _tone(syllables[at + 1]) == "4" else "4"


def _weaken(words: Sequence[Word]) -> None:
    for index, word in enumerate(words):
        text, syllables = word.text, word.syllables
        if text in _NEUTRAL_WORDS or text[-2:] in _NEUTRAL_WORDS and len(text) == 3:
            syllables[-1] = _toned(syllables[-1], "5")
        if len(text) == 2 and text[0] == text[1] and word.part[:1] in "vrn" and text not in ("人人", "天天"):
            if word.part[:1] == "v" or text in _NEUTRAL_WORDS:
                syllables[1] = _toned(syllables[1], "5")
        elif len(text) == 1 and index and words[index - 1].text == text and word.part[:1] == "v":
            syllables[0] = _toned(syllables[0], "5")  # 看看, cut in two
        if text[-1] in _NEUTRAL_PARTICLES and _is_particle(word, words[index - 1] if index else None):
            syllables[-1] = _particle(text[-1], syllables[-1])


def _is_particle(word: Word, before: Word | None) -> bool:
    last, part = word.text[-1], word.part[:1]
    if word.text in _FULL_TONE_WORDS:
        return False
    if len(word.text) == 1:
        if last == "过":
            return before is not None and before.part.startswith("v") and part == "u"
        if last == "子":
            return False
        if last in "着了":
            return part == "u" or before is not None and before.part[:1] in "va"
        return True
    if last == "子":
        return part == "n" and len(word.text) <= 3
    if last in "吗呢吧啊呀哇嘛啦哦喽咯的":
        return not word.part.startswith("nr") and word.text not in _FULL_TONE_WORDS
    return last in "们么"


_PARTICLE_READINGS = {"的": "de", "了": "le", "着": "zhe", "么": "me", "们": "men"}


def _particle(char: str, syllable: str) -> str:
    return _PARTICLE_READINGS.get(char, syllable[:-1]) + "5"


def _merge_er(words: Sequence[Word]) -> None:
    """A suffix 儿 takes the tone of the syllable that it colours: 花儿 hua1 er1."""
    for index, word in enumerate(words):
        if not word.text.endswith("儿") or word.text in _ERHUA_NOT_MERGED:
            continue
        if word.text[-2:] in _ERHUA_NOT_MERGED or word.part.startswith("nr"):
            continue
        if len(word.text) > 1:
            word.syllables[-1] = "er" + _tone(word.syllables[-2])
        elif index:
            word.syllables[0] = "er" + _tone(words[index - 1].syllables[-1])


def _raise_third_tones(words: Sequence[Word]) -> None:
    for foot in _feet(words):
        syllables = [syllable for word, at in foot for syllable in (word.syllables[at],)]
        for place in range(len(foot) - 1):
            if _tone(syllables[place]) == "3" and _tone(syllables[place + 1]) == "3":
                word, at = foot[place]
                word.syllables[at] = _toned(word.syllables[at], "2")
    for left, right in reversed(list(zip(words, words[1:], strict=False))):
        both_third = _tone(left.syllables[-1]) == "3" and _tone(right.syllables[0]) == "3"
        if both_third and 1 in (len(left.text), len(right.text)):
            left.syllables[-1] = _toned(left.syllables[-1], "2")


def _feet(words: Sequence[Word]) -> list[list[tuple[Word, int]]]:
    """Rhythmic groups of two or three syllables inside which third tones always change."""
    feet: list[list[tuple[Word, int]]] = []
    singles: list[tuple[Word, int]] = []
    for word in words:
        if len(word.text) == 1:
            singles.append((word, 0))
            continue
        feet += _pairs(singles)
        singles = []
        feet += _word_feet(word)
    return feet + _pairs(singles)


def _pairs(singles: list[tuple[Word, int]]) -> list[list[tuple[Word, int]]]:
    groups = [singles[at : at + 2] for at in range(0, len(singles), 2)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [[*groups[-2], *groups[-1]]]
    return groups


def _word_feet(word: Word) -> list[list[tuple[Word, int]]]:
    places = [(word, at) for at in range(len(word.text))]
    if len(places) == 3 and re.match("[小老大纸好很]", word.text):
        return [places[:1], places[1:]]  # 小老板: the first stands alone
    if len(places) <= 3:
        return [places]
    return [places[at : at + 2] for at in range(0, len(places), 2)]
